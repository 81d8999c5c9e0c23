# SPDX-License-Identifier: Apache-2.0
"""A record that is older than the one which ran here last is noticed, and no sound one is ever accused."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from wideberth.core.records import Record, SettingRecord
from wideberth.errors import StoreFull
from wideberth.store.sqlite import SqliteStore
from wideberth.store.watermark import START_KEY, Watermark

STARTS = [f"{n:032x}" for n in range(1, 9)]


def path_of(folder: Path) -> Path:
    return folder / "record.db"


def run(folder: Path, start: str, batches: int = 0) -> bool:
    """One life of a node: what it finds at its start; then it stores so many batches and stops."""
    store = SqliteStore(path_of(folder))
    mark = Watermark.beside(store.path)
    older = mark.is_older(store)
    mark.begin(store, start)
    store.stored = mark.note
    for n in range(batches):
        store.append([SettingRecord(f"batch/{n}", start.encode())], store.head)
    mark.close()
    store.close()
    return older


def copy(folder: Path, name: str = "copy.db") -> Path:
    store = SqliteStore(path_of(folder))
    store.backup(folder / name)
    store.close()
    return folder / name


def by_hand(folder: Path, file: Path) -> None:
    for tail in ("-wal", "-shm"):
        path_of(folder).with_name(f"record.db{tail}").unlink(missing_ok=True)
    shutil.copy(file, path_of(folder))


def test_a_record_that_nobody_touched_is_never_accused(tmp_path: Path) -> None:
    assert [run(tmp_path, start, n) for n, start in enumerate(STARTS)] == [False] * len(STARTS)


def test_a_copy_from_an_earlier_start_is_noticed_once(tmp_path: Path) -> None:
    run(tmp_path, STARTS[0], 3)
    old = copy(tmp_path)
    run(tmp_path, STARTS[1])
    by_hand(tmp_path, old)
    assert run(tmp_path, STARTS[2])
    assert not run(tmp_path, STARTS[3])


def test_a_copy_that_was_made_while_the_node_ran_is_noticed_by_what_was_stored_since(tmp_path: Path) -> None:
    store = SqliteStore(path_of(tmp_path))
    mark = Watermark.beside(store.path)
    mark.begin(store, STARTS[0])
    store.stored = mark.note
    store.backup(tmp_path / "copy.db")
    store.append([SettingRecord("said", b"since")], store.head)
    mark.close()
    store.close()
    by_hand(tmp_path, tmp_path / "copy.db")
    assert run(tmp_path, STARTS[1])


def test_a_copy_of_all_that_there_was_has_lost_nothing(tmp_path: Path) -> None:
    run(tmp_path, STARTS[0], 2)
    by_hand(tmp_path, copy(tmp_path))
    assert not run(tmp_path, STARTS[1])


@pytest.mark.parametrize("left", [None, b"", b"\x00" * 87, b"what is this"])
def test_a_record_beside_which_no_mark_can_be_read_came_from_elsewhere(tmp_path: Path, left: bytes | None) -> None:
    run(tmp_path, STARTS[0])
    mark = Watermark.beside(path_of(tmp_path)).path
    mark.unlink()
    if left is not None:
        mark.write_bytes(left)
    assert run(tmp_path, STARTS[1])
    assert not run(tmp_path, STARTS[2])


def test_a_record_of_before_there_were_marks_is_taken_as_it_is_and_no_longer_once_there_was_one(tmp_path: Path) -> None:
    SqliteStore(path_of(tmp_path)).close()
    old = copy(tmp_path)
    assert not run(tmp_path, STARTS[0])
    by_hand(tmp_path, old)
    assert run(tmp_path, STARTS[1])


class _NoRoom(SqliteStore):
    def append(self, records: Sequence[Record], expect_head: int) -> int:
        raise StoreFull("no room")


def test_a_start_on_a_full_disk_and_a_crash_between_mark_and_record_accuse_nobody(tmp_path: Path) -> None:
    """The mark is written first: what is left is the same after both."""
    run(tmp_path, STARTS[0], 2)
    old = copy(tmp_path)
    run(tmp_path, STARTS[1], 2)
    for start in STARTS[2:4]:
        store = _NoRoom(path_of(tmp_path))
        mark = Watermark.beside(store.path)
        assert not mark.is_older(store)
        mark.begin(store, start)
        mark.close()
        store.close()
    assert not run(tmp_path, STARTS[4])
    by_hand(tmp_path, old)
    assert run(tmp_path, STARTS[5])


def test_a_mark_that_a_power_cut_left_behind_accuses_nobody(tmp_path: Path) -> None:
    run(tmp_path, STARTS[0])
    mark = Watermark.beside(path_of(tmp_path)).path
    behind = mark.read_bytes()
    store = SqliteStore(path_of(tmp_path))
    store.append([SettingRecord("said", b"and durable")], store.head)
    store.close()
    mark.write_bytes(behind)
    assert not run(tmp_path, STARTS[1])


def test_a_whole_folder_that_is_put_back_is_not_noticed_here(tmp_path: Path) -> None:
    """Named limit: peers find out (docs/threat-model.md, limit 14)."""
    run(tmp_path, STARTS[0])
    old, mark = copy(tmp_path), Watermark.beside(path_of(tmp_path)).path
    kept = mark.read_bytes()
    run(tmp_path, STARTS[1], 3)
    by_hand(tmp_path, old)
    mark.write_bytes(kept)
    assert not run(tmp_path, STARTS[2])


def test_the_mark_is_its_users_alone_and_in_no_backup(tmp_path: Path) -> None:
    run(tmp_path, STARTS[0], 1)
    mark = Watermark.beside(path_of(tmp_path))
    assert stat.S_IMODE(mark.path.stat().st_mode) == 0o600
    store = SqliteStore(copy(tmp_path))
    setting = store.setting(START_KEY)
    store.close()
    assert setting is not None
    assert setting.value.decode() == STARTS[0]
