# SPDX-License-Identifier: Apache-2.0
"""A record that is only read: a backup, or the record of a running node beside its writer. No lock, no writing.

    with Reader(path) as reader:
        for record in reader.load(): …

In WAL mode readers do not disturb the writer (sqlite.org/wal.html). Never inside the process of the node itself: there
the store's own connection reads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import apsw

from wideberth.core.records import Record, SidecarRecord
from wideberth.errors import Misuse, NotFound, StoreBroken
from wideberth.store import ground
from wideberth.store.backup import copy_to
from wideberth.store.tables import Tables


class Reader:
    """Raises NotFound when there is no such file, StoreBroken when it is not a record or is damaged."""

    def __init__(self, path: Path, *, check: bool = False) -> None:
        self.path = path
        if not path.is_file():
            raise NotFound(f"there is no file {path}", field="file")
        ground.require_sound_sqlite()
        self._tables = Tables(self._rows)
        self._db: apsw.Connection | None = None
        try:
            self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            self._db.set_busy_timeout(ground.BUSY_TIMEOUT_MS)
            self._must_be_a_record()
            if check:
                self.check()
        except apsw.Error as why:
            self.close()
            raise ground.in_words(why, None, path) from why
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._db is not None:
            self._db.close(force=True)
            self._db = None

    def check(self) -> None:
        """Read the whole file through, every index compared with its table. Raises StoreBroken."""
        db = self._open_db()
        try:
            with db:  # one snapshot for all that is compared
                ground.check(db, self.path, full=True)
        except apsw.Error as why:
            raise ground.in_words(why, db, self.path) from why

    def counts(self) -> tuple[int, int]:
        """Entries and sidecars."""
        return self._tables.counts()

    def load(self) -> Iterator[Record]:
        """Everything that was there at the call, as `Store.load` gives it. Raises StoreBroken, also while iterating."""
        last = self._tables.newest()
        return self._tables.load(self._tables.settings(), last)

    def sidecars(self, kind: str) -> list[SidecarRecord]:
        """Those of one kind, on every line, in the order in which they were stored."""
        return self._tables.of_kind(kind)

    def channels(self) -> list[str]:
        """Ids of the channels that have an agreement in force."""
        return self._tables.channels()

    def channel(self, ch: str) -> Iterator[Record]:
        """Everything of one channel as of one moment: its sidecars, then its entries."""
        with self._open_db():  # one read transaction
            sidecars, entries = self._tables.channel(ch)
        yield from sidecars
        yield from entries

    def newest_ms(self) -> int:
        """When the newest record was stored, by the clock of the node that wrote it; 0 when there is none."""
        return self._tables.newest_ms()

    def copy(self, path: Path) -> None:
        """Copy it to a new file, as `SqliteStore.backup` does. Raises: BadInput, StoreFull, StoreBroken."""
        copy_to(self._open_db(), path, threading.RLock())

    def settings(self) -> dict[str, bytes]:
        return {record.key: record.value for record in self._tables.settings()}

    def _open_db(self) -> apsw.Connection:
        if self._db is None:
            raise Misuse("This record is closed. Open it again before reading it.", path=str(self.path))
        return self._db

    def _rows(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        db = self._open_db()
        try:
            return db.execute(sql, values).fetchall()
        except apsw.Error as why:
            raise ground.in_words(why, self._db, self.path) from why

    def _must_be_a_record(self) -> None:
        (found,) = self._rows("PRAGMA application_id", ())[0]
        (version,) = self._rows("PRAGMA user_version", ())[0]
        if found != ground.APPLICATION_ID or not 1 <= version <= len(ground.schema_steps()):
            raise StoreBroken(
                f"{self.path} is not a record that this version of wideberth reads; it was left as it is",
                path=str(self.path),
            )
