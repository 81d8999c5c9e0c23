# SPDX-License-Identifier: Apache-2.0
"""What is SQLite's own: opening, refusing, the lock, the switches, damage in the file."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import tomllib
from importlib import resources
from pathlib import Path

import apsw
import pytest
from store_records import CH, entries, entry

from wideberth.core.records import SettingRecord, SidecarRecord
from wideberth.errors import Fault, Misuse, StoreBroken, StoreFull
from wideberth.store import ground
from wideberth.store.sqlite import SqliteStore


def test_the_switches_that_make_a_commit_durable_are_set(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "node.db")
    assert store._db is not None
    asked = ["journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint", "trusted_schema"]
    assert [store._db.pragma(name) for name in asked] == ["wal", 2, 1, 0, 0]
    store.close()


@pytest.mark.parametrize("version", ["3.51.2", "3.40.1", "3.7.0", "3.50.7"])
def test_a_sqlite_that_can_lose_a_commit_is_refused(version: str) -> None:
    with pytest.raises(StoreBroken, match=r"can lose a committed entry.*Install apsw 3\.51\.3"):
        ground.require_sound_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.54.1", "4.0", "3.100.0"])
def test_a_sound_sqlite_is_accepted(version: str) -> None:
    ground.require_sound_sqlite(version)


def test_an_old_sqlite_is_refused_before_the_file_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.40.1")
    with pytest.raises(StoreBroken, match=r"This SQLite is 3\.40\.1"):
        SqliteStore(tmp_path / "node.db")
    assert list(tmp_path.iterdir()) == []


def test_the_log_stays_small_because_the_writer_folds_it(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    store = SqliteStore(path, checkpoint_pages=50)
    log = path.with_name("node.db-wal")
    sizes = []
    for seq in range(1, 401):
        store.append([entry(seq, size=3000)], seq - 1)
        sizes.append(log.stat().st_size)
    assert max(sizes) < 80 * 4200
    assert path.stat().st_size > 400 * 3000, "the entries are in the database itself"
    store.close()
    assert not log.exists()


def test_a_second_writer_in_this_process_is_refused_until_the_first_is_closed(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "node.db")
    with pytest.raises(StoreBroken, match=rf"Another process \(pid {os.getpid()}\) is writing"):
        SqliteStore(tmp_path / "node.db")
    first.append([entry(1)], 0)
    first.close()
    second = SqliteStore(tmp_path / "node.db")
    assert second.head == 1
    second.close()


def test_a_second_writer_in_another_process_is_refused(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "node.db")
    code = "import sys; from wideberth.store.sqlite import SqliteStore; SqliteStore(sys.argv[1])"
    child = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "node.db")], capture_output=True, text=True, timeout=20
    )
    assert child.returncode != 0
    assert f"StoreBroken: Another process (pid {os.getpid()}) is writing to this store" in child.stderr
    store.append([entry(1)], 0)
    store.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_that_outlives_its_parent_does_not_keep_the_lock(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "node.db")
    hold, let_go = os.pipe()
    here, ready = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(let_go)
        os.write(ready, b"!")
        os.read(hold, 1)
        os._exit(0)
    try:
        assert os.read(here, 1) == b"!"
        store.close()
        SqliteStore(tmp_path / "node.db").close()
    finally:
        os.close(let_go)
        os.waitpid(child, 0)
        for end in (hold, here, ready):
            os.close(end)


def test_a_foreign_program_that_moved_the_head_is_noticed_at_the_next_append(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "node.db")
    store.append([entry(1)], 0)
    other = apsw.Connection(str(tmp_path / "node.db"))
    other.execute("UPDATE head SET head = head + 1")
    other.close()
    with pytest.raises(StoreBroken, match="Somebody else wrote to the store"):
        store.append([entry(2), SettingRecord("k", b"v")], 1)
    with pytest.raises(StoreBroken, match="Somebody else wrote"):
        store.append([entry(2)], 2)
    assert list(store.load()) == [entry(1)]
    store.close()


def test_a_foreign_program_that_holds_the_file_is_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ground, "BUSY_TIMEOUT_MS", 50)
    store = SqliteStore(tmp_path / "node.db")
    other = apsw.Connection(str(tmp_path / "node.db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBroken, match="Another program holds"):
        store.append([entry(1)], 0)
    other.execute("ROLLBACK")
    other.close()
    assert store.append([entry(1)], 0) == 1
    store.close()


@pytest.mark.parametrize("change", ["UPDATE entries SET body = x'00'", "DELETE FROM entries", "DELETE FROM sidecars"])
def test_what_was_written_cannot_be_changed_by_a_slip(tmp_path: Path, change: str) -> None:
    store = SqliteStore(tmp_path / "node.db")
    store.append([entry(1), SidecarRecord("c", "stored", "RED", "k", b"e", 1)], 0)
    assert store._db is not None
    with pytest.raises(apsw.ConstraintError, match="written once"):
        store._db.execute(change)
    store.close()


def test_a_read_only_reader_sees_what_was_appended_while_the_writer_goes_on(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "node.db", checkpoint_pages=5)
    reader = apsw.Connection(str(tmp_path / "node.db"), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN; SELECT * FROM head")
    for seq in range(1, 51):
        store.append([entry(seq)], seq - 1)
    assert reader.execute("SELECT count(*) FROM entries").fetchall() == [(0,)], "it reads one moment"
    reader.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM entries").fetchall() == [(50,)]
    reader.close()
    store.close()


def test_threads_take_turns(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "node.db")
    wrong: list[object] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seen = [e.seq for e in store.strand(CH, "BLUE", "e1", 1, 999)]
            if seen != list(range(1, len(seen) + 1)) or len(seen) % 3:
                wrong.append(seen)

    reader = threading.Thread(target=read)
    reader.start()
    for batch in range(100):
        store.append(entries(batch * 3 + 1, batch * 3 + 3), batch)
    over.set()
    reader.join()
    assert wrong == [], "a reader never sees half a batch"
    store.close()


def test_a_reader_in_another_thread_never_sees_a_batch_that_is_then_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(tmp_path / "node.db")
    store.append([entry(1)], 0)
    seen: list[int] = []
    reader = threading.Thread(target=lambda: seen.extend(e.seq for e in store.strand(CH, "BLUE", "e1", 1, 9)))

    def fail_half_way(*_: object) -> None:
        reader.start()
        reader.join(0.1)
        raise apsw.exception_for(apsw.SQLITE_FULL)

    monkeypatch.setattr(store, "_move_head", fail_half_way)
    with pytest.raises(StoreFull):
        store.append([entry(2)], 1)
    reader.join()
    assert seen == [1]
    store.close()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    other = apsw.Connection(str(tmp_path / "other.db"))
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = (tmp_path / "other.db").read_bytes()
    with pytest.raises(StoreBroken, match="database of another program"):
        SqliteStore(tmp_path / "other.db")
    assert (tmp_path / "other.db").read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "node.db").write_bytes(b"a letter, not a database" * 100)
    with pytest.raises(StoreBroken, match="Do not delete it"):
        SqliteStore(tmp_path / "node.db")
    assert (tmp_path / "node.db").read_bytes() == b"a letter, not a database" * 100


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match="See that the folder exists"):
        SqliteStore(tmp_path / "nowhere" / "node.db")


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "node.db").close()
    other = apsw.Connection(str(tmp_path / "node.db"))
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StoreBroken, match="written by a newer wideberth"):
        SqliteStore(tmp_path / "node.db")


def test_a_fault_at_opening_lets_the_lock_go(tmp_path: Path) -> None:
    (tmp_path / "node.db").write_bytes(b"x" * 5000)
    for _ in range(2):
        with pytest.raises(StoreBroken, match="damaged"):
            SqliteStore(tmp_path / "node.db")


def test_a_row_that_vanished_is_found_when_the_store_is_opened(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "node.db")
    store.append(entries(1, 20), 0)
    store.close()
    other = apsw.Connection(str(tmp_path / "node.db"))
    other.execute("DROP TRIGGER entries_keep")
    other.execute("DELETE FROM entries WHERE seq = 20")
    other.close()
    with pytest.raises(StoreBroken, match=r"damaged: the head says .*20.* the tables hold .*19"):
        SqliteStore(tmp_path / "node.db")


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_a_page_overwritten_on_the_disk_is_found_when_the_store_is_opened(tmp_path: Path, place: float) -> None:
    path = tmp_path / "node.db"
    store = SqliteStore(path)
    store.append(entries(1, 500, size=500), 0)
    store.close()
    page = int(path.stat().st_size // 4096 * place)
    with path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(StoreBroken, match="Do not delete it"):
        SqliteStore(path)


def test_the_audit_finds_an_index_that_lies(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    store = SqliteStore(path)
    store.append(entries(1, 5), 0)
    store.audit()
    store.close()
    other = apsw.Connection(str(path))
    other.execute("PRAGMA writable_schema = ON")
    other.execute("UPDATE sqlite_schema SET sql = replace(sql, '1, 12', '2, 12') WHERE name = 'entries_by_hash'")
    other.close()
    again = SqliteStore(path)
    with pytest.raises(StoreBroken, match="damaged"):
        again.audit()
    again.close()


def test_a_new_store_is_its_users_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = SqliteStore(tmp_path / "node.db")
        store.append([entry(1)], 0)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["node.db", "node.db-wal", "node.db-shm", "node.db.lock"], 0o600)
    store.close()


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "node.db").mkdir()
    with pytest.raises(StoreBroken, match="cannot be opened for writing"):
        SqliteStore(tmp_path / "node.db")


@pytest.mark.parametrize(
    ("why", "fault", "sentence"),
    [
        (apsw.exception_for(apsw.SQLITE_FULL), StoreFull, "Make room on that disk"),
        (OSError(errno.ENOSPC, "No space left on device"), StoreFull, "Make room on that disk"),
        (OSError(errno.EDQUOT, "Quota exceeded"), StoreFull, "Make room on that disk"),
        (OSError(errno.EIO, "Input/output error"), StoreBroken, "check the disk"),
        (OSError(errno.EROFS, "Read-only file system"), StoreBroken, "not mounted read-only"),
        (PermissionError(errno.EACCES, "Permission denied"), StoreBroken, "this user may write there"),
        (apsw.exception_for(apsw.SQLITE_READONLY), StoreBroken, "this user may write there"),
        (apsw.exception_for(apsw.SQLITE_CANTOPEN), StoreBroken, "See that the folder exists"),
        (apsw.exception_for(apsw.SQLITE_CORRUPT), StoreBroken, "restore the newest backup"),
        (apsw.exception_for(apsw.SQLITE_BUSY), StoreBroken, "Another program holds"),
        (apsw.exception_for(apsw.SQLITE_IOERR_READ), StoreBroken, "check the disk"),
    ],
)
def test_each_error_is_put_into_words_that_say_what_to_do(
    tmp_path: Path, why: Exception, fault: type[Fault], sentence: str
) -> None:
    said = ground.in_words(why, None, tmp_path / "node.db")
    assert type(said) is fault
    assert sentence in said.sentence
    assert said.details["path"] == str(tmp_path / "node.db")


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "node.db")
    store.close()
    with pytest.raises(Misuse, match="closed"):
        store.append([entry(1)], 0)
    with pytest.raises(Misuse, match="closed"):
        store.load()


def test_an_append_that_breaks_off_with_a_bug_of_ours_leaves_nothing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "node.db")
    with pytest.raises(OverflowError):
        store.append([entry(1), entry(2**64)], 0)
    assert (store.head, list(store.load())) == (0, [])
    assert store.append([entry(1)], 0) == 1
    store.close()


def test_the_schema_travels_with_the_package() -> None:
    found = [item.name for item in resources.files("wideberth.store").joinpath("schema").iterdir()]
    assert "0001-record.sql" in found
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["src/wideberth"]
    assert [number for number, _ in ground.schema_steps()] == list(range(1, len(ground.schema_steps()) + 1))
