# SPDX-License-Identifier: Apache-2.0
"""The memory store as the simulator's disk: what a crash loses, what a copy keeps, and a disk with an end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_records import CH, entries, entry

from wideberth.core.records import Record, SettingRecord, SidecarRecord
from wideberth.errors import Misuse, StoreFull
from wideberth.store.memory import MemoryStore


def receipt(key: str) -> SidecarRecord:
    return SidecarRecord(CH, "stored", "RED", key, b"e" * 100, 1)


def test_a_durable_store_survives_a_crash_whole() -> None:
    store = MemoryStore()
    store.append(entries(1, 3), 0)
    assert store.unsynced == 0
    assert store.crash() == 0
    assert list(store.load()) == entries(1, 3)


def test_an_unsafe_store_loses_what_was_not_synced() -> None:
    store = MemoryStore(durable=False)
    store.append([entry(1), SettingRecord("k", b"old")], 0)
    store.sync()
    store.append([entry(2), SettingRecord("k", b"new"), SettingRecord("j", b"1"), receipt("a")], 1)
    store.append([entry(3)], 2)
    assert store.unsynced == 2
    assert store.crash() == 2
    assert store.head == 1
    assert list(store.load()) == [SettingRecord("k", b"old"), entry(1)]
    assert store.entry(entry(2).hash) is None
    assert store.strand(CH, "BLUE", "e1", 1, 9) == [entry(1)]
    assert store.sidecars(CH, "stored") == []
    assert store.append([entry(2)], 1) == 2


def test_a_crash_may_spare_the_oldest_of_the_unsynced() -> None:
    store = MemoryStore(durable=False)
    for seq in range(1, 6):
        store.append([entry(seq)], seq - 1)
    assert store.crash(kept=2) == 3
    assert list(store.load()) == entries(1, 2)
    assert store.unsynced == 0
    assert store.crash() == 0, "what a crash left on the disk is durable"
    with pytest.raises(Misuse):
        store.crash(kept=-1)


_batch = st.lists(
    st.one_of(
        st.builds(entry, st.integers(1, 30), size=st.just(60)),
        st.builds(receipt, st.sampled_from("abcdef")),
        st.builds(SettingRecord, st.sampled_from("xyz"), st.binary(max_size=4)),
    ),
    max_size=6,
)


@given(synced=st.lists(_batch, max_size=5), lost=st.lists(_batch, max_size=5), kept=st.integers(0, 6))
def test_after_a_crash_the_store_is_as_if_the_lost_batches_never_were(
    synced: list[list[Record]], lost: list[list[Record]], kept: int
) -> None:
    store = MemoryStore(durable=False)
    for batch in synced:
        store.append(batch, store.head)
    store.sync()
    for batch in lost:
        store.append(batch, store.head)
    store.crash(kept)
    plain = MemoryStore()
    for batch in synced + lost[:kept]:
        plain.append(batch, plain.head)
    for name in ("_head", "_used_bytes", "_log", "_by_hash", "_settings"):
        assert getattr(store, name) == getattr(plain, name)
    assert list(store.load()) == list(plain.load())
    assert store.sidecars(CH, "stored") == plain.sidecars(CH, "stored")
    assert store.strand(CH, "BLUE", "e1", 1, 99) == plain.strand(CH, "BLUE", "e1", 1, 99)


def test_a_copy_is_a_backup_of_its_own() -> None:
    store = MemoryStore()
    store.append([*entries(1, 2), receipt("a"), SettingRecord("k", b"v")], 0)
    backup = store.copy()
    before = list(backup.load())
    store.append([entry(3), receipt("b"), SettingRecord("k", b"w")], 1)
    assert (backup.head, list(backup.load())) == (1, before)
    backup.append([entry(3, size=20)], 1)
    assert store.entry(entry(3).hash) == entry(3), "the other's write is not seen"


def test_a_copy_of_an_unsafe_store_can_lose_the_same() -> None:
    store = MemoryStore(durable=False)
    store.append([entry(1)], 0)
    backup = store.copy()
    assert backup.crash() == 1
    assert list(store.load()) == [entry(1)]


def test_a_store_with_an_end_says_when_it_is_full_and_changes_nothing() -> None:
    store = MemoryStore(room_bytes=2_000)
    store.append(entries(1, 3), 0)
    with pytest.raises(StoreFull) as caught:
        store.append([SettingRecord("k", b""), entry(4)], 1)
    assert caught.value.details == {"free_bytes": 200, "wanted_bytes": 600}
    assert (store.head, list(store.load())) == (1, entries(1, 3))
    assert store.append([receipt("a"), entry(1)], 1) == 2, "what fits is taken, and what is known needs no room"
    store.room_bytes = 4_000
    assert store.append([entry(4)], 2) == 3


def test_a_closed_store_says_so() -> None:
    store = MemoryStore()
    store.close()
    with pytest.raises(Misuse, match="closed"):
        store.append([], 0)
    with pytest.raises(Misuse, match="closed"):
        store.load()
