# SPDX-License-Identifier: Apache-2.0
"""The reserve: real blocks kept back, so that urgent entries fit on a disk that is full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_records import entries, entry

from wideberth.core.records import EntryRecord
from wideberth.errors import StoreBroken, StoreFull
from wideberth.store import reserve as reserve_module
from wideberth.store.memory import MemoryStore
from wideberth.store.reserve import FLOOR_BYTES, RESERVE_BYTES, Reserve
from wideberth.store.sqlite import CHECKPOINT_PAGES, SqliteStore

KIB = 1024


def test_the_reserve_takes_its_blocks_from_the_disk_and_gives_them_back(tmp_path: Path) -> None:
    reserve = Reserve.beside(tmp_path / "node.db")
    assert not reserve.held
    assert reserve.restore()
    assert reserve.held
    assert reserve.path.parent == tmp_path
    assert reserve.path.stat().st_blocks * 512 >= RESERVE_BYTES
    assert reserve.release() == RESERVE_BYTES
    assert not reserve.held
    assert reserve.path.stat().st_blocks == 0
    assert reserve.release() == 0
    assert reserve.restore()


def test_a_reserve_that_never_was_releases_nothing(tmp_path: Path) -> None:
    assert Reserve.beside(tmp_path / "node.db").release() == 0


def test_routine_entries_stop_when_room_is_low_or_the_reserve_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = Reserve.beside(tmp_path / "node.db", size_bytes=4096)
    assert reserve.low(), "not yet held"
    reserve.restore()
    for free, low in [(FLOOR_BYTES, False), (FLOOR_BYTES - 1, True), (0, True), (-1, False)]:
        monkeypatch.setattr(reserve_module, "free_bytes", lambda _folder, free=free: free)
        assert reserve.low() is low
    reserve.release()
    monkeypatch.setattr(reserve_module, "free_bytes", lambda _folder: 10 * FLOOR_BYTES)
    assert reserve.low()


def test_the_reserve_is_not_restored_at_the_cost_of_the_floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve = Reserve.beside(tmp_path / "node.db", size_bytes=4096, floor_bytes=10_000)
    monkeypatch.setattr(reserve_module, "free_bytes", lambda _folder: 14_095)
    assert not reserve.restore()
    assert not reserve.held
    monkeypatch.setattr(reserve_module, "free_bytes", lambda _folder: 14_096)
    assert reserve.restore()


def test_a_half_written_reserve_is_given_back_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve = Reserve.beside(tmp_path / "node.db", size_bytes=3 * reserve_module.MIB)
    written = []

    def write(fd: int, data: bytes, real=os.write) -> int:
        written.append(len(data))
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(reserve_module.os, "write", write)
    assert not reserve.restore()
    assert reserve.path.stat().st_size == 0


def test_a_reserve_that_cannot_be_written_is_a_fault_with_its_path(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "nowhere" / "reserve", size_bytes=4096, floor_bytes=0)
    with pytest.raises(StoreBroken, match="reserve for urgent entries"):
        reserve.restore()


def test_an_urgent_entry_tries_once_more_only_when_something_was_released(tmp_path: Path) -> None:
    store = MemoryStore(room_bytes=0)
    reserve = Reserve.beside(tmp_path / "node.db", size_bytes=4096)
    with pytest.raises(StoreFull):
        reserve.append_urgent(store, [entry(1)], 0)
    reserve.restore()
    with pytest.raises(StoreFull):
        reserve.append_urgent(store, [entry(1)], 0)
    assert not reserve.held
    store.room_bytes = None
    assert reserve.append_urgent(store, [entry(1)], 0) == 1


def test_the_numbers_stand_in_the_relation_that_their_reasons_give() -> None:
    log_bytes = CHECKPOINT_PAGES * 4120
    assert 4 * log_bytes <= FLOOR_BYTES + RESERVE_BYTES
    assert 2 * log_bytes <= FLOOR_BYTES
    assert 2 * 4 * KIB * 1000 <= RESERVE_BYTES


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(place)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"this user may not mount a small disk here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(store: SqliteStore, reserve: Reserve, low: list[bool]) -> None:
    while True:
        low.append(reserve.low())
        store.append(entries(store.head * 3 + 1, store.head * 3 + 3), store.head)


def test_a_real_disk_of_one_mebibyte_fills_up_and_still_takes_urgent_entries(small_disk: Path) -> None:
    path = small_disk / "node.db"
    reserve = Reserve.beside(path, size_bytes=256 * KIB, floor_bytes=64 * KIB)
    store = SqliteStore(path, checkpoint_pages=20)
    assert reserve.restore()
    low: list[bool] = []
    with pytest.raises(StoreFull, match="No room on the disk") as caught:
        fill(store, reserve, low)
    assert not low[0]
    assert low[-1], "the reserve said so before the disk did"
    done = store.head
    assert caught.value.details["free_bytes"] < 32 * KIB
    assert done > 10
    assert [e.seq for e in store.load() if isinstance(e, EntryRecord)] == list(range(1, 3 * done + 1))

    first_urgent = 3 * done + 1
    head = reserve.append_urgent(store, [entry(first_urgent)], done)
    assert not reserve.held
    urgent = 1
    while urgent < 60:
        head = reserve.append_urgent(store, [entry(first_urgent + urgent)], head)
        urgent += 1
    store.close()
    again = SqliteStore(path)
    assert again.head == done + 60
    assert [e.seq for e in again.load() if isinstance(e, EntryRecord)] == list(range(1, first_urgent + 60))
    again.audit()
    again.close()
