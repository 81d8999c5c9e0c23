# SPDX-License-Identifier: Apache-2.0
"""A small database beside the record: own plans, the desk. Nothing in it is signed, and none of it is ever sent.

WAL with `synchronous=FULL`, through APSW, one writer: when a write returns, it was fsynced. What is deleted is
overwritten by SQLite's `secure_delete`, and gone from the log when the store is closed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

from wideberth.errors import Misuse, StoreBroken
from wideberth.store import ground
from wideberth.store.lock import WriterLock

SCHEMA: Final = 1

_T = TypeVar("_T")


class Beside:
    """`path`: the database file; `.lock`, `-wal` and `-shm` files appear beside it. For its owner's eyes (mode 600).

    A subclass says what it holds. Raises StoreBroken (another writer, damage, another program's file, too old a SQLite)
    and StoreFull.
    """

    # Each its own, so that no two files can be taken for each other.
    APPLICATION_ID: int
    TABLES: str
    # Tables that stores made before have not, each with `IF NOT EXISTS`.
    LATER: str = ""
    # "plans", for sentences; and what to do when the file is damaged.
    HOLDS: str
    DAMAGED: str

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._db: apsw.Connection | None = None
        ground.require_sound_sqlite()
        self._lock = WriterLock(self.path.with_name(self.path.name + ".lock"))
        try:
            self.doing(self._open)
        except BaseException:
            self._let_go()
            raise

    def close(self) -> None:
        """Fold the log into the file and let go. Idempotent."""
        self._let_go()

    # -- for subclasses ----------------------------------------------------------------------------------------------

    def write(self, work: Callable[[apsw.Connection], object]) -> None:
        """In one transaction: all of it, durable, or nothing."""
        db = self.db

        def write() -> None:
            with db:
                work(db)

        self.doing(write)

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of one SELECT."""
        db = self.db
        return self.doing(lambda: [tuple(row) for row in db.execute(sql, values)])

    def doing(self, work: Callable[[], _T]) -> _T:
        """What goes wrong below is said in words."""
        try:
            return work()
        except (apsw.Error, OSError) as why:
            raise ground.in_words(why, self._db, self.path) from why

    @property
    def db(self) -> apsw.Connection:
        if self._db is None:
            raise Misuse(f"The store of {self.HOLDS} is closed. Open it again before using it.", path=str(self.path))
        return self._db

    # -- inside ------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = self._db = apsw.Connection(str(self.path))
        db.set_busy_timeout(ground.BUSY_TIMEOUT_MS)
        found, version = db.pragma("application_id"), db.pragma("user_version")
        fresh = found == 0 and version == 0 and db.execute("SELECT count(*) FROM sqlite_schema").get == 0
        if not fresh and (found, version) != (self.APPLICATION_ID, SCHEMA):
            raise StoreBroken(
                f"{self.path} is not a store of {self.HOLDS} that this version knows. Name another file or upgrade.",
                path=str(self.path),
                application_id=found,
                schema=version,
            )
        if db.pragma("journal_mode", "WAL") != "wal":
            raise StoreBroken(
                f"The disk under {self.path} cannot hold a write-ahead log. Put the {self.HOLDS} on a local disk.",
                path=str(self.path),
            )
        db.pragma("synchronous", "FULL")
        db.pragma("fullfsync", True)
        db.pragma("checkpoint_fullfsync", True)
        db.pragma("secure_delete", True)
        db.pragma("trusted_schema", False)
        if fresh:
            with db:
                db.execute(self.TABLES)
                db.pragma("application_id", self.APPLICATION_ID)
                db.pragma("user_version", SCHEMA)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)  # SQLite syncs the folder for its logs, we for the file's name
            finally:
                os.close(folder)
        if self.LATER:
            db.execute(self.LATER)
        trouble = db.execute("PRAGMA quick_check(1)").get
        if trouble != "ok":
            raise StoreBroken(
                f"The {self.HOLDS} in {self.path} are damaged ({trouble}). {self.DAMAGED}", path=str(self.path)
            )

    def _let_go(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close(force=True)
        self._lock.release()
