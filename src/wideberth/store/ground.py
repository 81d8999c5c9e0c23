# SPDX-License-Identifier: Apache-2.0
"""The ground under the SQLite store: a sound library, the right switches, the schema, a check, and faults in words.

Sources: sqlite.org/wal.html (WAL, the reset bug of 3.7.0 to 3.51.2), sqlite.org/pragma.html (the switches),
sqlite.org/rescode.html (the codes). `studies/record-and-stores.md` §2.2 measured what `synchronous=NORMAL` loses.
"""

from __future__ import annotations

import errno
import os
from importlib import resources
from pathlib import Path
from typing import Final

import apsw

from wideberth.errors import StoreBroken, StoreFull, Worlds

SQLITE_LEAST: Final = (3, 51, 3)  # the first release without the WAL-reset bug
APPLICATION_ID: Final = 0x57425448  # "WBTH", so that a stranger's `file` command can name it
BUSY_TIMEOUT_MS: Final = 2_000  # a reader's hold on the file is short; longer than this is another writer
CACHE_KIB: Final = 16 * 1024  # holds the inner pages of the indexes of some ten million entries


def require_sound_sqlite(version: str | None = None) -> None:
    """Refuse a SQLite that can lose a committed write (`StoreBroken`). `version`: dotted, default the one in use."""
    found = apsw.sqlite_lib_version() if version is None else version
    if tuple(int(part) for part in found.split(".")) < SQLITE_LEAST:
        least = ".".join(map(str, SQLITE_LEAST))
        raise StoreBroken(
            f"This SQLite is {found}; before {least} it can lose a committed entry in WAL mode. "
            f"Install apsw {least} or newer, which brings its own SQLite.",
            found=found,
            least=least,
        )


def open_ground(path: Path, *, synchronous: str, vfs: str | None) -> apsw.Connection:
    """A connection with every switch set and the schema up to date. Raises StoreFull or StoreBroken."""
    require_sound_sqlite()
    connection: apsw.Connection | None = None
    try:
        _make_private(path)
        connection = apsw.Connection(str(path), vfs=vfs)
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        _must_be_ours(connection, path)
        mode = connection.pragma("journal_mode", "WAL")
        if mode != "wal":
            raise StoreBroken(
                f"The disk under {path} cannot hold a write-ahead log (journal mode stays {mode!r}). "
                "Put the store on a local disk, not on a network share.",
                path=str(path),
            )
        connection.pragma("synchronous", synchronous)
        connection.pragma("fullfsync", True)  # macOS: its plain fsync stops at the drive's cache
        connection.pragma("checkpoint_fullfsync", True)
        connection.pragma("foreign_keys", True)
        connection.pragma("trusted_schema", False)
        connection.pragma("cell_size_check", True)
        connection.pragma("cache_size", -CACHE_KIB)
        connection.wal_autocheckpoint(0)  # checkpoints happen only where the store does them
        _upgrade(connection, path)
        _sync_folder(path.parent)
    except BaseException as why:
        fault = in_words(why, connection, path) if isinstance(why, (apsw.Error, OSError)) else None
        if connection is not None:
            connection.close(force=True)
        if fault is None:
            raise
        raise fault from why
    return connection


def schema_steps() -> list[tuple[int, str]]:
    """(number, SQL) of each step, in order. Steps are only ever added; one that shipped never changes."""
    folder = resources.files("wideberth.store").joinpath("schema")
    steps = [
        (int(item.name.split("-")[0]), item.read_text("utf-8"))
        for item in folder.iterdir()
        if item.name.endswith(".sql")
    ]
    steps.sort()
    assert [number for number, _ in steps] == list(range(1, len(steps) + 1)), "schema steps are numbered 1, 2, 3 …"
    return steps


def check(connection: apsw.Connection, path: Path, *, full: bool) -> None:
    """Read the file through and count the rows against the head. Raises StoreBroken with what to do.

    `full` also compares every index with its table (`PRAGMA integrity_check`), at several times the cost.
    """
    pragma = "integrity_check" if full else "quick_check"
    findings = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}(10)")]
    if findings != ["ok"]:
        raise _damaged(path, findings)
    rows = connection.execute("SELECT head, entries, sidecars FROM head").fetchall()
    counted = connection.execute("SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM sidecars)").fetchall()
    if len(rows) != 1 or rows[0][1:] != counted[0]:
        raise _damaged(path, [f"the head says {rows}, the tables hold {counted}"])


def in_words(why: BaseException, connection: apsw.Connection | None, path: Path) -> Worlds:
    """The fault for an error of SQLite or of the operating system."""
    if isinstance(why, apsw.FullError) or _errno_of(why, connection) in {errno.ENOSPC, errno.EDQUOT}:
        return StoreFull(
            f"No room on the disk for the record ({path}): nothing of this was stored. Make room on that disk; "
            "until then only urgent entries are taken, from the reserve.",
            path=str(path),
            free_bytes=free_bytes(path.parent),
        )
    if isinstance(why, (apsw.CorruptError, apsw.NotADBError)):
        return _damaged(path, [str(why)])
    if isinstance(why, (apsw.BusyError, apsw.LockedError)):
        return StoreBroken(
            f"Another program holds {path} locked for writing. Close it, then start the node again.", path=str(path)
        )
    if isinstance(why, (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError, PermissionError)) or (
        isinstance(why, OSError) and why.errno in {errno.EROFS, errno.EISDIR, errno.ENOENT}
    ):
        return StoreBroken(
            f"The store {path} cannot be opened for writing ({why}). See that the folder exists, that this user may "
            "write there, and that the disk is not mounted read-only.",
            path=str(path),
        )
    return StoreBroken(
        f"The disk under {path} reports an error ({why}). Stop the node, save a copy of the store's folder, check the "
        "disk, then start again: what was acknowledged is looked for there.",
        path=str(path),
    )


def failed_to_sync(why: BaseException) -> bool:
    """True when what was written may be lost although a later fsync succeeds: the kernel drops such pages.

    Source: "Can Applications Recover from fsync Failures?", USENIX ATC 2020. So the store must not go on after it.
    """
    return isinstance(why, apsw.IOError) and getattr(why, "extendedresult", 0) in _SYNC_FAULTS


def free_bytes(folder: Path) -> int:
    """Room that an ordinary user has on the disk under `folder`; -1 where it cannot be asked."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return -1
    return disk.f_bavail * disk.f_frsize


_SYNC_FAULTS: Final = frozenset(
    {apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC, apsw.SQLITE_IOERR_CLOSE, apsw.SQLITE_IOERR_TRUNCATE}
)


def _errno_of(why: BaseException, connection: apsw.Connection | None) -> int:
    if isinstance(why, OSError):
        return why.errno or 0
    if isinstance(why, apsw.IOError) and connection is not None and not failed_to_sync(why):
        return connection.system_errno
    return 0


def _make_private(path: Path) -> None:
    """A new store is its user's alone: SQLite would let all read it. Its logs take the mode of the file."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _must_be_ours(connection: apsw.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA application_id").fetchall()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()[0][0]
    if found != APPLICATION_ID and tables:
        raise StoreBroken(
            f"{path} is a database of another program, and was left as it is. Name another file for the store.",
            path=str(path),
        )


def _upgrade(connection: apsw.Connection, path: Path) -> None:
    steps = schema_steps()
    version = int(str(connection.pragma("user_version")))
    if version > len(steps):
        raise StoreBroken(
            f"The store {path} was written by a newer wideberth (schema {version}; this one knows {len(steps)}). "
            "Install that version again; the store was left as it is.",
            path=str(path),
            schema=version,
        )
    for number, sql in steps[version:]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(sql)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if not connection.get_autocommit():
                connection.execute("ROLLBACK")
            raise


def _sync_folder(folder: Path) -> None:
    """A new file's name is durable only when its folder is synced; SQLite does so for its logs, we for the database."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _damaged(path: Path, findings: list[str]) -> StoreBroken:
    return StoreBroken(
        f"The store {path} is damaged: {findings[0]}. Do not delete it. Copy the whole folder away as evidence, then "
        "restore the newest backup; the peers hold what was receipted since.",
        path=str(path),
        findings=findings,
    )
