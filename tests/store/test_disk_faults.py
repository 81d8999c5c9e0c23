# SPDX-License-Identifier: Apache-2.0
"""The disk fills up or fails, at every write and every sync of the real SQLite. Nothing is ever half-written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from faulty_disk import FaultyDisk, faulty_disk
from store_records import entries, entry

from wideberth.core.records import EntryRecord, Record, SettingRecord
from wideberth.errors import StoreBroken, StoreFull
from wideberth.store.sqlite import SqliteStore

BATCHES: list[list[Record]] = [
    [*entries(seq, seq + 2, size=3000), SettingRecord("newest", b"%d" % seq)] for seq in range(1, 25, 3)
]


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    with faulty_disk() as made:
        yield made


def seqs(store: SqliteStore) -> list[int]:
    return [record.seq for record in store.load() if isinstance(record, EntryRecord)]


def run(store: SqliteStore, *, again_when_full: bool) -> tuple[int, list[StoreFull | StoreBroken]]:
    """Append all batches; after each fault assert that nothing changed. Returns batches acknowledged, and faults."""
    faults: list[StoreFull | StoreBroken] = []
    done = 0
    for batch in BATCHES:
        for _ in range(3):
            before = seqs(store)
            try:
                store.append(batch, done)
            except (StoreFull, StoreBroken) as fault:
                faults.append(fault)
                assert store.head == done
                assert seqs(store) == before, "the store can still be read, and nothing of the batch is there"
                if isinstance(fault, StoreBroken):
                    return done, faults
                if not again_when_full:
                    return done, faults
            else:
                done += 1
                assert store.head == done
                break
    return done, faults


def fill(store: SqliteStore) -> None:
    while True:
        store.append(entries(store.head * 2 + 1, store.head * 2 + 2), store.head)


def test_a_disk_that_is_full_at_any_one_write_costs_nothing_but_a_second_try(tmp_path: Path, disk: FaultyDisk) -> None:
    at, refused, beside = 1, 0, 0
    while True:
        path = tmp_path / f"{at}.db"
        store = SqliteStore(path, vfs=disk.name, checkpoint_pages=12)
        disk.arm("write", at, apsw.SQLITE_FULL)
        done, faults = run(store, again_when_full=True)
        hit = disk.hits
        disk.mend()
        store.close()
        assert done == len(BATCHES)
        assert all(isinstance(fault, StoreFull) for fault in faults)
        refused += len(faults)
        beside += hit - len(faults)  # in a checkpoint: after the commit, so the append does not fail
        again = SqliteStore(path)
        assert (again.head, seqs(again)) == (len(BATCHES), list(range(1, 25)))
        again.close()
        if not hit:
            break
        at += 2
    assert refused > 25
    assert beside > 10


@pytest.mark.parametrize(
    ("kind", "code"),
    [("write", apsw.SQLITE_IOERR_WRITE), ("sync", apsw.SQLITE_IOERR_FSYNC)],
    ids=["write fails", "sync fails"],
)
def test_a_disk_that_fails_once_anywhere_never_loses_or_halves_a_batch(
    tmp_path: Path, disk: FaultyDisk, kind: str, code: int
) -> None:
    at, seen = 1, 0
    while True:
        path = tmp_path / f"{at}.db"
        store = SqliteStore(path, vfs=disk.name, checkpoint_pages=12)
        disk.arm(kind, at, code)
        done, faults = run(store, again_when_full=False)
        hit = disk.hits
        disk.mend()
        if kind == "sync" and faults:
            with pytest.raises(StoreBroken, match="check the disk"):
                store.append(BATCHES[done], done)
        store.close()
        assert bool(faults) == bool(hit)
        assert all(isinstance(fault, StoreBroken) for fault in faults)
        seen += len(faults)
        again = SqliteStore(path)
        # A failed fsync does not say whether the bytes arrived: then the whole batch may be there, never a part.
        allowed = {done, done + 1} if kind == "sync" and faults else {done}
        assert again.head in allowed
        assert seqs(again) == list(range(1, 3 * again.head + 1))
        again.close()
        if not hit:
            break
        at += 1 if kind == "sync" else 2
    assert seen > 8


def test_a_disk_that_stays_full_is_said_each_time_and_the_store_goes_on_when_there_is_room(
    tmp_path: Path, disk: FaultyDisk
) -> None:
    store = SqliteStore(tmp_path / "node.db", vfs=disk.name)
    store.append([entry(1)], 0)
    disk.arm("write", 1, apsw.SQLITE_FULL, times=1_000_000)
    for _ in range(5):
        with pytest.raises(StoreFull, match="No room on the disk") as caught:
            store.append(entries(2, 9), 1)
        assert caught.value.details["free_bytes"] > 0
        assert seqs(store) == [1]
    disk.mend()
    assert store.append(entries(2, 9), 1) == 2
    store.close()
    assert seqs(SqliteStore(tmp_path / "node.db")) == list(range(1, 10))


def test_a_checkpoint_that_finds_no_room_fails_no_append_and_is_made_up_later(tmp_path: Path, disk: FaultyDisk) -> None:
    path = tmp_path / "node.db"
    store = SqliteStore(path, vfs=disk.name, checkpoint_pages=10_000)
    assert store._db is not None
    for seq in range(1, 51):
        store.append([entry(seq)], seq - 1)
    disk.arm("write", 1, apsw.SQLITE_FULL, times=1_000_000)
    store._checkpoint(store._db, apsw.SQLITE_CHECKPOINT_PASSIVE)
    assert disk.hits > 0
    disk.mend()
    small = path.stat().st_size
    assert store.append([entry(51)], 50) == 51
    store.close()
    assert path.stat().st_size > small
    assert seqs(SqliteStore(path)) == list(range(1, 52))


def test_a_checkpoint_on_a_failing_disk_loses_nothing_and_stops_the_store(tmp_path: Path, disk: FaultyDisk) -> None:
    store = SqliteStore(tmp_path / "node.db", vfs=disk.name, checkpoint_pages=1)
    disk.arm("sync", 3, apsw.SQLITE_IOERR_FSYNC)
    assert store.append([entry(1)], 0) == 1, "it was durable in the log before the checkpoint began"
    assert disk.hits == 1
    with pytest.raises(StoreBroken, match="check the disk"):
        store.append([entry(2)], 1)
    assert seqs(store) == [1]
    store.close()
    assert seqs(SqliteStore(tmp_path / "node.db")) == [1]


def test_sqlites_own_page_limit_is_a_full_disk_too(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "node.db")
    assert store._db is not None
    store._db.pragma("max_page_count", 40)
    with pytest.raises(StoreFull, match="Make room on that disk"):
        fill(store)
    done = store.head
    assert done > 3
    assert seqs(store) == list(range(1, 2 * done + 1))
    store._db.pragma("max_page_count", 1_000)
    assert store.append(entries(done * 2 + 1, done * 2 + 2), done) == done + 1
    store.audit()
    store.close()


def test_a_disk_that_is_full_when_the_store_is_made_says_so_and_keeps_no_lock(tmp_path: Path, disk: FaultyDisk) -> None:
    disk.arm("write", 1, apsw.SQLITE_FULL, times=1_000_000)
    with pytest.raises(StoreFull, match="No room on the disk"):
        SqliteStore(tmp_path / "node.db", vfs=disk.name)
    disk.mend()
    store = SqliteStore(tmp_path / "node.db", vfs=disk.name)
    assert store.append([entry(1)], 0) == 1
    store.close()
