# SPDX-License-Identifier: Apache-2.0
"""One suite, every store. What is asserted here is the contract of `wideberth.store.contract` and nothing more."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wideberth.core.limits import FRAME_BYTES_MAX
from wideberth.core.records import EntryRecord, Record, SettingRecord, SidecarRecord
from wideberth.errors import StoreBroken
from wideberth.store.contract import Store
from wideberth.store.memory import MemoryStore
from wideberth.store.sqlite import SqliteStore

CH = hashlib.sha256(b"a channel").hexdigest()
OTHER_CH = hashlib.sha256(b"another channel").hexdigest()


def entry(
    seq: int, *, author: str = "BLUE", epoch: str = "e1", ch: str = CH, said: bytes = b"", size: int = 40
) -> EntryRecord:
    body = (said + b"%d" % seq).ljust(size, b".")
    hash_ = hashlib.sha256(b"|".join([ch.encode(), author.encode(), epoch.encode(), b"%d" % seq, body])).hexdigest()
    return EntryRecord(
        ch, author, epoch, seq, hash_, "0" * 64, "NOTICE", b'{"payload":"' + body + b'"}', body, 1_000 + seq
    )


def receipt(key: str, *, ch: str = CH, kind: str = "stored", said: bytes = b"first") -> SidecarRecord:
    return SidecarRecord(ch, kind, "RED", key, said + key.encode(), 7)


class Shelf:
    """Where a store is kept: opens it, and opens it again after it was closed."""

    def __init__(self, open_: Callable[[], Store]) -> None:
        self._open = open_
        self.store = open_()

    def reopened(self) -> Store:
        self.store.close()
        self.store = self._open()
        return self.store


class _MemoryShelf(Shelf):
    def reopened(self) -> Store:
        assert isinstance(self.store, MemoryStore)
        self.store.close()
        self.store.crash()
        return self.store


class _BackupShelf(Shelf):
    """Goes on in a backup of the store each time, as after a restore."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._n = folder, 0
        super().__init__(lambda: SqliteStore(self._folder / f"node{self._n}.db"))

    def reopened(self) -> Store:
        assert isinstance(self.store, SqliteStore)
        self._n += 1
        self.store.backup(self._folder / f"node{self._n}.db")
        return super().reopened()


KINDS = ["memory", "memory-copy", "sqlite", "sqlite-small-log", "sqlite-backup"]


@pytest.fixture(params=KINDS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    path = tmp_path / "node.db"
    made: Shelf
    match request.param:
        case "memory":
            made = _MemoryShelf(MemoryStore)
        case "memory-copy":
            made = _MemoryShelf(lambda: MemoryStore().copy())
        case "sqlite":
            made = Shelf(lambda: SqliteStore(path))
        case "sqlite-backup":
            made = _BackupShelf(tmp_path)
        case _:
            made = Shelf(lambda: SqliteStore(path, checkpoint_pages=1))  # a checkpoint after every batch
    yield made
    made.store.close()


@pytest.fixture
def store(shelf: Shelf) -> Store:
    return shelf.store


def test_a_new_store_is_empty_and_its_head_is_zero(store: Store) -> None:
    assert store.head == 0
    assert list(store.load()) == []
    assert store.entry("0" * 64) is None
    assert store.strand(CH, "BLUE", "e1", 1, 10) == []
    assert store.sidecars(CH, "stored") == []
    assert store.setting("anything") is None


def test_the_head_counts_batches_even_empty_ones(store: Store) -> None:
    assert store.append([entry(1), entry(2)], 0) == 1
    assert store.append([], 1) == 2
    assert store.append([receipt("a")], 2) == 3
    assert store.head == 3


def test_load_gives_everything_back_byte_for_byte_in_the_order_of_appending(shelf: Shelf) -> None:
    first: list[Record] = [entry(1), receipt("b"), entry(1, author="RED"), receipt("a")]
    second: list[Record] = [receipt("c", kind="shown"), entry(2), entry(1, ch=OTHER_CH)]
    shelf.store.append(first, 0)
    shelf.store.append(second, 1)
    assert list(shelf.store.load()) == first + second
    again = shelf.reopened()
    assert list(again.load()) == first + second
    assert again.head == 2


def test_settings_come_first_in_key_order_with_their_newest_value(shelf: Shelf) -> None:
    shelf.store.append([SettingRecord("z", b"1"), entry(1), SettingRecord("b", b"2")], 0)
    shelf.store.append([SettingRecord("z", b"3"), SettingRecord("a", b"")], 1)
    expected = [SettingRecord("a", b""), SettingRecord("b", b"2"), SettingRecord("z", b"3"), entry(1)]
    assert list(shelf.store.load()) == expected
    assert list(shelf.reopened().load()) == expected
    assert shelf.store.setting("z") == SettingRecord("z", b"3")
    assert shelf.store.setting("a") == SettingRecord("a", b"")


def test_the_last_of_two_values_in_one_batch_wins(store: Store) -> None:
    store.append([SettingRecord("k", b"old"), SettingRecord("k", b"new")], 0)
    assert store.setting("k") == SettingRecord("k", b"new")


def test_load_shows_what_was_there_at_the_call(store: Store) -> None:
    store.append([entry(seq) for seq in range(1, 601)], 0)
    reading = store.load()
    next(reading)
    store.append([entry(601)], 1)
    assert [r.seq for r in reading if isinstance(r, EntryRecord)] == list(range(2, 601))


@pytest.mark.parametrize("expected", [0, 2, -1])
def test_an_append_that_expects_another_head_is_refused_and_changes_nothing(shelf: Shelf, expected: int) -> None:
    shelf.store.append([entry(1)], 0)
    with pytest.raises(StoreBroken, match="Somebody else wrote"):
        shelf.store.append([entry(2), SettingRecord("k", b"v")], expected)
    assert shelf.store.head == 1
    assert list(shelf.store.load()) == [entry(1)]
    assert shelf.store.append([entry(2)], 1) == 2
    assert list(shelf.reopened().load()) == [entry(1), entry(2)]


def test_an_entry_sent_twice_is_kept_once_as_it_came_first(shelf: Shelf) -> None:
    first = entry(1)
    later = EntryRecord(CH, "BLUE", "e1", 1, first.hash, first.prev, first.type, b"resealed", b"resealed", 99)
    shelf.store.append([first, first], 0)
    shelf.store.append([later, entry(2)], 1)
    assert shelf.store.head == 2
    assert list(shelf.reopened().load()) == [first, entry(2)]


def test_another_hash_for_a_place_is_refused_with_the_whole_batch(shelf: Shelf) -> None:
    shelf.store.append([entry(1)], 0)
    with pytest.raises(StoreBroken, match="already holds another entry") as caught:
        shelf.store.append([entry(2), receipt("r"), SettingRecord("k", b"v"), entry(1, said=b"other")], 1)
    assert caught.value.details["stored"] == entry(1).hash
    assert caught.value.details["refused"] == entry(1, said=b"other").hash
    for reopen in (False, True):
        store = shelf.reopened() if reopen else shelf.store
        assert store.head == 1
        assert list(store.load()) == [entry(1)]
        assert store.entry(entry(2).hash) is None
        assert store.sidecars(CH, "stored") == []
        assert store.setting("k") is None


def test_two_hashes_for_one_place_within_one_batch_are_refused(store: Store) -> None:
    with pytest.raises(StoreBroken, match="already holds another entry"):
        store.append([entry(1), entry(2), entry(1, said=b"other")], 0)
    assert store.head == 0
    assert list(store.load()) == []
    assert store.append([entry(1, said=b"other")], 0) == 1, "after a refusal either may still be written"


def test_the_same_place_in_another_strand_is_another_place(store: Store) -> None:
    four = [entry(1), entry(1, epoch="e2"), entry(1, author="RED"), entry(1, ch=OTHER_CH)]
    store.append(four, 0)
    assert list(store.load()) == four
    assert store.strand(CH, "BLUE", "e2", 1, 1) == [four[1]]


def test_a_sidecar_with_a_known_key_is_ignored(shelf: Shelf) -> None:
    shelf.store.append([receipt("a"), receipt("a", said=b"again")], 0)
    shelf.store.append([receipt("a", said=b"later"), receipt("b")], 1)
    assert shelf.reopened().sidecars(CH, "stored") == [receipt("a"), receipt("b")]


def test_sidecars_are_kept_apart_by_channel_and_kind_and_come_in_order(store: Store) -> None:
    store.append([receipt("b"), receipt("a"), receipt("a", kind="shown"), receipt("a", ch=OTHER_CH)], 0)
    store.append([receipt("0")], 1)
    assert store.sidecars(CH, "stored") == [receipt("b"), receipt("a"), receipt("0")]
    assert store.sidecars(CH, "shown") == [receipt("a", kind="shown")]
    assert store.sidecars(OTHER_CH, "stored") == [receipt("a", ch=OTHER_CH)]
    assert store.sidecars(OTHER_CH, "shown") == []


def test_an_entry_is_found_by_its_whole_hash_only(store: Store) -> None:
    store.append([entry(1), entry(2)], 0)
    near = entry(1).hash[:-1] + ("0" if entry(1).hash[-1] != "0" else "1")
    twin = EntryRecord(CH, "RED", "e1", 1, near, "0" * 64, "NOTICE", b"e", b"b", 1)
    store.append([twin], 1)
    assert store.entry(entry(2).hash) == entry(2)
    assert store.entry(entry(1).hash) == entry(1)
    assert store.entry(near) == twin
    assert store.entry(entry(1).hash[:12]) is None
    assert store.entry(entry(3).hash) is None


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [(1, 5, [1, 2, 5]), (2, 2, [2]), (3, 4, []), (3, 2**53, [5]), (-9, 1, [1]), (5, 1, []), (6, 2**70, [])],
)
def test_a_strand_gives_the_places_asked_for_that_are_there(
    store: Store, first: int, last: int, found: list[int]
) -> None:
    store.append([entry(5), entry(1), entry(2), entry(3, author="RED")], 0)
    assert [e.seq for e in store.strand(CH, "BLUE", "e1", first, last)] == found


def test_large_frames_and_odd_bytes_come_back_as_they_were(shelf: Shelf) -> None:
    big = entry(1, size=FRAME_BYTES_MAX)
    odd = EntryRecord(CH, "ÉQUIPE \u2067א", "", 2**53 - 1, "f" * 64, "", "", bytes(range(256)), b"", -1)
    many = [entry(seq, author="RED", size=FRAME_BYTES_MAX) for seq in range(1, 65)]
    shelf.store.append([big, odd], 0)
    shelf.store.append(many, 1)
    assert list(shelf.reopened().load()) == [big, odd, *many]
    assert shelf.store.strand(odd.ch, odd.author, "", odd.seq, odd.seq) == [odd]


def test_a_store_that_was_closed_can_be_closed_again(store: Store) -> None:
    store.append([entry(1)], 0)
    store.close()
    store.close()


_records = st.one_of(
    st.builds(
        lambda seq, author, said: entry(seq, author=author, said=said),
        st.integers(1, 6),
        st.sampled_from(["BLUE", "RED"]),
        st.sampled_from([b"", b"", b"", b"other"]),
    ),
    st.builds(lambda key, kind: receipt(key, kind=kind), st.sampled_from("abc"), st.sampled_from(["stored", "shown"])),
    st.builds(SettingRecord, st.sampled_from("xyz"), st.binary(max_size=3)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.tuples(st.lists(_records, max_size=5), st.sampled_from([0, 0, 0, 1])), max_size=8))
def test_sqlite_and_memory_answer_alike_whatever_is_asked(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[list[Record], int]]
) -> None:
    memory = MemoryStore()
    path = tmp_path_factory.mktemp("alike") / "node.db"
    sqlite = SqliteStore(path, checkpoint_pages=3)
    for records, off in batches:
        ends = []
        for store in (memory, sqlite):
            try:
                ends.append(str(store.append(records, store.head - off)))
            except StoreBroken as fault:
                ends.append(fault.name + str(fault.details.get("stored")))
        assert ends[0] == ends[1]
    for reopened in (False, True):
        if reopened:
            sqlite.close()
            sqlite = SqliteStore(path)
        assert sqlite.head == memory.head
        assert list(sqlite.load()) == list(memory.load())
        for author in ("BLUE", "RED"):
            assert sqlite.strand(CH, author, "e1", 2, 5) == memory.strand(CH, author, "e1", 2, 5)
        for kind in ("stored", "shown"):
            assert sqlite.sidecars(CH, kind) == memory.sidecars(CH, kind)
    sqlite.audit()
    sqlite.close()
