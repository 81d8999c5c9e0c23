# SPDX-License-Identifier: Apache-2.0
"""Backups: whole, private, never over another file, and consistent while the store is written."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from store_records import entries

from wideberth.core.records import EntryRecord, SettingRecord
from wideberth.errors import BadInput, NotFound, StoreBroken
from wideberth.store import backup
from wideberth.store.reader import Reader
from wideberth.store.sqlite import SqliteStore


def filled(path: Path, n: int = 50) -> SqliteStore:
    store = SqliteStore(path)
    store.append([*entries(1, n), SettingRecord("a", b"1")], store.head)
    return store


def test_a_backup_holds_what_the_store_holds_in_one_private_file(tmp_path: Path) -> None:
    store = filled(tmp_path / "record.db")
    store.backup(tmp_path / "copy.db")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.glob("*copy*")) == ["copy.db"]
    with Reader(tmp_path / "copy.db", check=True) as copy:
        assert list(copy.load()) == list(store.load())
        assert copy.counts() == (50, 0)
    again = SqliteStore(tmp_path / "copy.db")
    assert (again.head, list(again.load())) == (store.head, list(store.load()))
    again.close()
    store.close()


def test_a_backup_can_be_read_from_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    store = filled(tmp_path / "record.db")
    (tmp_path / "stick").mkdir()
    store.backup(tmp_path / "stick" / "copy.db")
    header = (tmp_path / "stick" / "copy.db").read_bytes()[18:20]
    assert header == b"\x01\x01", "not in WAL mode: no log is needed beside it"
    store.close()


def test_a_backup_is_never_written_over_another_file(tmp_path: Path) -> None:
    store = filled(tmp_path / "record.db")
    (tmp_path / "there").write_text("x")
    os.symlink(tmp_path / "nowhere", tmp_path / "link")
    for name in ("there", "link", "record.db"):
        with pytest.raises(BadInput, match="not written over"):
            store.backup(tmp_path / name)
    assert (tmp_path / "there").read_text() == "x"
    assert not (tmp_path / "nowhere").exists()
    store.close()


def test_a_backup_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path / "record.db")
    with pytest.raises(StoreBroken, match="could not be made"):
        store.backup(tmp_path / "no such folder" / "copy.db")
    assert [p.name for p in tmp_path.iterdir() if "copy" in p.name] == []
    store.close()


def test_a_file_that_appears_meanwhile_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(tmp_path / "record.db")
    inside = backup._copy

    def late(*args: object) -> None:
        inside(*args)  # type: ignore[arg-type]
        (tmp_path / "copy.db").write_text("x")

    monkeypatch.setattr(backup, "_copy", late)
    with pytest.raises(BadInput, match="not written over"):
        store.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "x"
    store.close()


def test_a_backup_is_whole_batches_up_to_some_moment_while_the_store_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAGES_AT_ONCE", 2)
    store = SqliteStore(tmp_path / "record.db")
    all_ = entries(1, 900)
    store.append(all_[:300], store.head)
    before = store.head
    failed: list[BaseException] = []

    def copy() -> None:
        try:
            store.backup(tmp_path / "copy.db")
        except BaseException as why:
            failed.append(why)

    thread = threading.Thread(target=copy)
    thread.start()
    for n in range(300, 900, 3):
        store.append(all_[n : n + 3], store.head)
    thread.join()
    assert failed == []
    again = SqliteStore(tmp_path / "copy.db")
    again.audit()
    held = [r for r in again.load() if isinstance(r, EntryRecord)]
    assert held == all_[: len(held)]
    assert len(held) == 300 + 3 * (again.head - before), "every batch whole, and the head that belongs to it"
    again.close()
    store.close()


def test_a_reader_takes_no_lock_and_refuses_what_is_no_record(tmp_path: Path) -> None:
    store = filled(tmp_path / "record.db")
    with Reader(tmp_path / "record.db") as reader:
        seen = reader.load()
        store.append(entries(51, 60), store.head)
        assert sum(isinstance(r, EntryRecord) for r in seen) == 50, "what was there at the call"
        assert sum(isinstance(r, EntryRecord) for r in reader.load()) == 60
        assert reader.settings() == {"a": b"1"}
    store.close()
    (tmp_path / "other").write_text("not a database, but long enough to be looked at" * 50)
    with pytest.raises(StoreBroken):
        Reader(tmp_path / "other")
    with pytest.raises(NotFound):
        Reader(tmp_path / "nothing")
