# SPDX-License-Identifier: Apache-2.0
"""The record in one SQLite file, through APSW.

    store = SqliteStore("node.db")
    head = store.append(records, expect_head=store.head)

One connection writes, reads and checkpoints. WAL with `synchronous=FULL`: when `append` returns, the batch was fsynced.
Any number of other processes may open the file read-only. Calls may come from several threads; they take turns.
Never open it with Python's own `sqlite3` inside the node's process: two copies of SQLite in one process undo each
other's file locks (sqlite.org/howtocorrupt.html §2.2.1).

What a failed append leaves behind:

    StoreFull                        nothing; the store is as it was and can be used
    StoreBroken, a write failed      nothing; the contract calls it fatal, the store can be read
    StoreBroken, an fsync failed     all of the batch or none: known when it is opened again; till then no more appends
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import apsw

from wideberth.core.records import EntryRecord, Record, SettingRecord, SidecarRecord
from wideberth.errors import Misuse, StoreBroken, Worlds
from wideberth.store import ground
from wideberth.store.backup import copy_to
from wideberth.store.lock import WriterLock
from wideberth.store.memory import other_hash
from wideberth.store.tables import Tables

# 4 MiB of log: read again in well under a second after a crash, and a checkpoint of that size is a short pause.
CHECKPOINT_PAGES: Final = 1_000

_INSERT_STRAND: Final = "INSERT INTO strands (id, ch, author, epoch) VALUES (?, ?, ?, ?)"
_INSERT_SHELF: Final = "INSERT INTO shelves (id, ch, kind) VALUES (?, ?, ?)"
_INSERT_ENTRY: Final = """INSERT INTO entries (n, strand, seq, hash, prev, type, envelope, body, stored_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (strand, seq) DO NOTHING"""
_INSERT_SIDECAR: Final = """INSERT INTO sidecars (n, shelf, author, key, envelope, stored_ms)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (shelf, key) DO NOTHING"""
_PUT_SETTING: Final = """INSERT INTO settings (key, value) VALUES (?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value"""
_MOVE_HEAD: Final = """UPDATE head SET head = head + 1, entries = entries + ?, sidecars = sidecars + ?
    WHERE one = 1 AND head = ?"""

_T = TypeVar("_T")


class SqliteStore:
    """The default store. `path`: the database file; `.lock`, `-wal` and `-shm` files appear beside it.

    `check`: read the whole file through at opening. `vfs`: SQLite's name of another file layer, for tests.
    Raises StoreBroken (another writer, damage, another program's file, too old a SQLite) and StoreFull.
    """

    _synchronous: ClassVar[str] = "FULL"  # a mutant in the crash tests overrides it, to show that they can see

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        check: bool = True,
        checkpoint_pages: int = CHECKPOINT_PAGES,
        vfs: str | None = None,
    ) -> None:
        self.path = Path(path)
        self._turn = threading.RLock()
        self._checkpoint_pages = checkpoint_pages
        self._log_pages = 0
        self._stopped: StoreBroken | None = None
        # Called with the new head after every append (`store/watermark.py`).
        self.stored: Callable[[int], None] | None = None
        self._head = 0
        self._n = 0  # the newest running number in use
        self._strand_ids: dict[tuple[str, str, str], int] = {}
        self._shelf_ids: dict[tuple[str, str], int] = {}
        self._db: apsw.Connection | None = None
        self._tables = Tables(self._rows)
        ground.require_sound_sqlite()
        self._lock = WriterLock(self.path.with_name(self.path.name + ".lock"))
        try:
            self._db = ground.open_ground(self.path, synchronous=self._synchronous, vfs=vfs)
            self._begin(check)
        except BaseException:
            self._let_go()
            raise

    # -- the contract ------------------------------------------------------------------------------------------------

    @property
    def head(self) -> int:
        return self._head

    def append(self, records: Sequence[Record], expect_head: int) -> int:
        with self._turn:
            db = self._open_db()
            if self._stopped is not None:
                raise StoreBroken(self._stopped.sentence, **self._stopped.details)
            if expect_head != self._head:
                raise self._other_writer(expect_head)
            batch = _Batch(self, db)
            try:
                db.execute("BEGIN IMMEDIATE")
                batch.write(records)
                self._move_head(db, batch, expect_head)
                db.execute("COMMIT")
            except BaseException as why:
                fault = self._fault_of(why)
                self._roll_back(db)
                if fault is None:
                    raise
                raise fault from why
            self._head = expect_head + 1
            self._n = batch.n
            self._strand_ids.update(batch.strands)
            self._shelf_ids.update(batch.shelves)
            if self.stored is not None:
                self.stored(self._head)
            if self._log_pages >= self._checkpoint_pages:
                self._checkpoint(db, apsw.SQLITE_CHECKPOINT_PASSIVE)
            return self._head

    def load(self) -> Iterator[Record]:
        """As the contract says: what was there at the call, however much is appended while it is read.

        Raises StoreBroken, also while iterating.
        """
        with self._turn:
            last, settings = self._n, self._tables.settings()
        return self._tables.load(settings, last)

    def entry(self, hash_: str) -> EntryRecord | None:
        return self._tables.entry(hash_)

    def strand(self, ch: str, author: str, epoch: str, first: int, last: int) -> list[EntryRecord]:
        with self._turn:
            id_ = self._strand_ids.get((ch, author, epoch))
            return self._tables.strand(id_, first, last) if id_ is not None else []

    def sidecars(self, ch: str, kind: str) -> list[SidecarRecord]:
        with self._turn:
            id_ = self._shelf_ids.get((ch, kind))
            return self._tables.shelf(id_) if id_ is not None else []

    def setting(self, key: str) -> SettingRecord | None:
        return self._tables.setting(key)

    def close(self) -> None:
        """Fold the log into the database and let go. Idempotent. Never loses anything if it cannot fold."""
        with self._turn:
            if self._db is not None and self._stopped is None:
                self._checkpoint(self._db, apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._let_go()

    # -- more than the contract --------------------------------------------------------------------------------------

    def audit(self) -> None:
        """Compare every table with its indexes and the head with the rows; slow. Raises StoreBroken."""
        with self._turn:
            db = self._open_db()
            self._reading(lambda: ground.check(db, self.path, full=True))

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the record to a new file, 0600, while it goes on being written: as it is when the copy is finished.

        Slow; from another thread than the loop's. Raises: BadInput when there is something at `path`, StoreFull,
        StoreBroken; then there is nothing at `path`.
        """
        copy_to(self._open_db(), Path(path), self._turn)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _begin(self, check: bool) -> None:
        db = self._open_db()
        if check:
            self._reading(lambda: ground.check(db, self.path, full=False))
        self._head = self._rows("SELECT head FROM head", ())[0][0]
        self._n = self._tables.newest()
        strands = self._rows("SELECT id, ch, author, epoch FROM strands", ())
        self._strand_ids = {(ch, author, epoch): id_ for id_, ch, author, epoch in strands}
        shelves = self._rows("SELECT id, ch, kind FROM shelves", ())
        self._shelf_ids = {(ch, kind): id_ for id_, ch, kind in shelves}
        db.set_wal_hook(self._log_grew)

    def _log_grew(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _move_head(self, db: apsw.Connection, batch: _Batch, expect_head: int) -> None:
        db.execute(_MOVE_HEAD, (batch.entries, batch.sidecars, expect_head))
        if db.changes() != 1:
            self._stopped = self._other_writer(expect_head)
            raise self._stopped

    def _other_writer(self, expect_head: int) -> StoreBroken:
        return StoreBroken(
            f"Somebody else wrote to the store {self.path}: its head is not {expect_head} any more. Nothing was "
            "stored. Stop this node and see which other process uses its folder.",
            path=str(self.path),
            expected=expect_head,
            head=self._head,
        )

    def _fault_of(self, why: BaseException) -> Worlds | None:
        """The fault for a failed append; None: not ours to translate. Remembers what must stop the store."""
        if not isinstance(why, apsw.Error):
            return None
        fault = ground.in_words(why, self._db, self.path)
        if isinstance(fault, StoreBroken) and ground.failed_to_sync(why):
            self._stopped = fault
        return fault

    def _roll_back(self, db: apsw.Connection) -> None:
        # SQLite itself rolls back after some errors (full, I/O) and not after others.
        if db.get_autocommit():
            return
        try:
            db.execute("ROLLBACK")
        except apsw.Error as why:
            self._stopped = StoreBroken(ground.in_words(why, db, self.path).sentence, path=str(self.path))

    def _checkpoint(self, db: apsw.Connection, mode: int) -> None:
        """Fold the log into the database. The batch before it is durable in the log, so a failure here loses nothing.

        No room: the log goes on growing and it is tried again after the next batch. A failing disk: no more appends.
        """
        try:
            db.wal_checkpoint(mode=mode)
        except apsw.Error as why:
            fault = ground.in_words(why, db, self.path)
            if isinstance(fault, StoreBroken) and not isinstance(why, (apsw.BusyError, apsw.LockedError)):
                self._stopped = fault

    def _rows(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._turn:
            db = self._open_db()
            return self._reading(lambda: db.execute(sql, values).fetchall())

    def _reading(self, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except apsw.Error as why:
            raise ground.in_words(why, self._db, self.path) from why

    def _open_db(self) -> apsw.Connection:
        if self._db is None:
            raise Misuse("The store is closed. Open it again before using it.", path=str(self.path))
        return self._db

    def _let_go(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            if self._stopped is not None:
                # Closing would fold the log and remove it; on a failing disk everything stays as it is, as evidence.
                db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            db.close(force=True)
        self._lock.release()


class _Batch:
    """One append under way: what it adds, so that the store's memory changes only after the commit."""

    def __init__(self, store: SqliteStore, db: apsw.Connection) -> None:
        self._store = store
        self._db = db
        self.n = store._n
        self.entries = 0
        self.sidecars = 0
        self.strands: dict[tuple[str, str, str], int] = {}
        self.shelves: dict[tuple[str, str], int] = {}

    def write(self, records: Sequence[Record]) -> None:
        entries: list[EntryRecord] = []
        entry_rows: list[tuple[Any, ...]] = []
        sidecar_rows: list[tuple[Any, ...]] = []
        setting_rows: list[tuple[str, bytes]] = []
        n = self.n
        for r in records:
            if isinstance(r, EntryRecord):
                n += 1
                entries.append(r)
                strand = self._strand_id(r)
                entry_rows.append((n, strand, r.seq, r.hash, r.prev, r.type, r.envelope, r.body, r.stored_ms))
            elif isinstance(r, SidecarRecord):
                n += 1
                sidecar_rows.append((n, self._shelf_id(r), r.author, r.key, r.envelope, r.stored_ms))
            else:
                setting_rows.append((r.key, r.value))
        self.entries = self._insert(_INSERT_ENTRY, entry_rows)
        if self.entries < len(entries):
            self._must_be_the_same(entries, entry_rows)
        self.sidecars = self._insert(_INSERT_SIDECAR, sidecar_rows)
        self._insert(_PUT_SETTING, setting_rows)
        self.n = n

    def _insert(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """How many rows went in; fewer than given when some were there."""
        if not rows:
            return 0
        before = self._db.total_changes()
        self._db.executemany(sql, rows)
        return self._db.total_changes() - before

    def _must_be_the_same(self, entries: list[EntryRecord], rows: list[tuple[Any, ...]]) -> None:
        for record, row in zip(entries, rows, strict=True):
            (stored,) = self._db.execute("SELECT hash FROM entries WHERE strand = ? AND seq = ?", row[1:3]).fetchall()
            if stored[0] != record.hash:
                raise other_hash(record, str(stored[0]))

    def _strand_id(self, r: EntryRecord) -> int:
        key = (r.ch, r.author, r.epoch)
        known = self._store._strand_ids
        id_ = known.get(key) or self.strands.get(key)
        if id_ is None:
            id_ = self.strands[key] = len(known) + len(self.strands) + 1
            self._db.execute(_INSERT_STRAND, (id_, *key))
        return id_

    def _shelf_id(self, r: SidecarRecord) -> int:
        key = (r.ch, r.kind)
        known = self._store._shelf_ids
        id_ = known.get(key) or self.shelves.get(key)
        if id_ is None:
            id_ = self.shelves[key] = len(known) + len(self.shelves) + 1
            self._db.execute(_INSERT_SHELF, (id_, *key))
        return id_
