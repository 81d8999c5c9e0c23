# SPDX-License-Identifier: Apache-2.0
"""Own plans and unsaid drafts, in a SQLite file of their own. Nothing that reads a peer's bytes may import this.

Not part of the record: nothing here is signed. What is dropped is deleted: overwritten by SQLite's
`secure_delete`, and gone from the log when the store is closed.
WAL with `synchronous=FULL`, through APSW, one writer: when `keep` or `keep_draft` returns, it was fsynced.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar, cast

import apsw

from wideberth.core.say.plan import DraftRecord, PlanRecord
from wideberth.core.say.rings import RingRecord
from wideberth.errors import Misuse, StoreBroken
from wideberth.store import ground
from wideberth.store.lock import WriterLock

APPLICATION_ID: Final = 0x57425032  # "WBP2": not the record's, so that the two files cannot be taken for each other
SCHEMA: Final = 1
_TABLES: Final = """
CREATE TABLE plans (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, plan BLOB NOT NULL) STRICT;
CREATE TABLE drafts (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, json BLOB NOT NULL) STRICT;
"""

_RINGS: Final = """
CREATE TABLE IF NOT EXISTS rings (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, json BLOB NOT NULL)
STRICT;
"""

_T = TypeVar("_T")


class PlanStore:
    """`path`: the database file; `.lock`, `-wal` and `-shm` files appear beside it. For its owner's eyes (mode 600).

    Raises StoreBroken (another writer, damage, another program's file, too old a SQLite) and StoreFull.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._db: apsw.Connection | None = None
        ground.require_sound_sqlite()
        self._lock = WriterLock(self.path.with_name(self.path.name + ".lock"))
        try:
            self._doing(self._open)
        except BaseException:
            self._let_go()
            raise

    def keep(self, records: Iterable[PlanRecord]) -> None:
        """All of them, durable, or none. A record with empty bytes deletes the plan; a known id is replaced."""
        self._write("plans", "plan", [(record.id, record.plan) for record in records])

    def plans(self) -> list[PlanRecord]:
        """Every plan kept, in the order in which they were last given."""
        return [PlanRecord(*row) for row in self._rows("SELECT id, plan FROM plans ORDER BY n")]

    def keep_draft(self, draft: DraftRecord) -> None:
        """As `keep`, for a notice that is not said yet."""
        self._write("drafts", "json", [(draft.id, draft.json)])

    def drafts(self) -> list[DraftRecord]:
        return [DraftRecord(*row) for row in self._rows("SELECT id, json FROM drafts ORDER BY n")]

    def keep_rings(self, records: Iterable[RingRecord]) -> None:
        """As `keep`, for rings round incidents."""
        self._write("rings", "json", [(record.id, record.json) for record in records])

    def rings(self) -> list[RingRecord]:
        return [RingRecord(*row) for row in self._rows("SELECT id, json FROM rings ORDER BY n")]

    def close(self) -> None:
        """Fold the log into the file and let go. Idempotent."""
        self._let_go()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = self._db = apsw.Connection(str(self.path))
        db.set_busy_timeout(ground.BUSY_TIMEOUT_MS)
        found, version = db.pragma("application_id"), db.pragma("user_version")
        fresh = found == 0 and version == 0 and db.execute("SELECT count(*) FROM sqlite_schema").get == 0
        if not fresh and (found, version) != (APPLICATION_ID, SCHEMA):
            raise StoreBroken(
                f"{self.path} is not a store of plans that this version knows. Name another file or upgrade.",
                path=str(self.path),
                application_id=found,
                schema=version,
            )
        if db.pragma("journal_mode", "WAL") != "wal":
            raise StoreBroken(
                f"The disk under {self.path} cannot hold a write-ahead log. Put the plans on a local disk.",
                path=str(self.path),
            )
        db.pragma("synchronous", "FULL")
        db.pragma("fullfsync", True)
        db.pragma("checkpoint_fullfsync", True)
        db.pragma("secure_delete", True)
        db.pragma("trusted_schema", False)
        if fresh:
            with db:
                db.execute(_TABLES)
                db.pragma("application_id", APPLICATION_ID)
                db.pragma("user_version", SCHEMA)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)  # SQLite syncs the folder for its logs, we for the file's name
            finally:
                os.close(folder)
        db.execute(_RINGS)  # stores made before there were any have no such table
        trouble = db.execute("PRAGMA quick_check(1)").get
        if trouble != "ok":
            raise StoreBroken(
                f"The plans in {self.path} are damaged ({trouble}). Restore the file from a backup, or move it away "
                "and give the plans again.",
                path=str(self.path),
            )

    def _write(self, table: str, column: str, rows: list[tuple[str, bytes]]) -> None:
        db = self._open_db()

        def write() -> None:
            with db:
                for id_, value in rows:
                    db.execute(f"DELETE FROM {table} WHERE id = ?", (id_,))  # noqa: S608 - names are ours
                    if value:
                        db.execute(f"INSERT INTO {table} (id, {column}) VALUES (?, ?)", (id_, value))  # noqa: S608

        self._doing(write)

    def _rows(self, sql: str) -> list[tuple[str, bytes]]:
        db = self._open_db()
        return self._doing(
            lambda: [(id_, value) for id_, value in cast("Iterable[tuple[str, bytes]]", db.execute(sql))]
        )

    def _doing(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except (apsw.Error, OSError) as why:
            raise ground.in_words(why, self._db, self.path) from why

    def _open_db(self) -> apsw.Connection:
        if self._db is None:
            raise Misuse("The store of plans is closed. Open it again before using it.", path=str(self.path))
        return self._db

    def _let_go(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close(force=True)
        self._lock.release()
