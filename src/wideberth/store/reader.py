# SPDX-License-Identifier: Apache-2.0
"""A record that is only read: a backup, or the record of a running node beside its writer. No lock, no writing.

    with Reader(path) as reader:
        for record in reader.load(): …

In WAL mode readers do not disturb the writer (sqlite.org/wal.html). Never inside the process of the node itself: there
the store's own connection reads.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any

import apsw

from wideberth.core.records import EntryRecord, Record, SettingRecord, SidecarRecord
from wideberth.errors import NotFound, StoreBroken
from wideberth.store import ground
from wideberth.store.backup import copy_to
from wideberth.store.sqlite import _ENTRY_PAGE, _FROM_SIDECARS, _SIDECAR, _SIDECAR_PAGE


class Reader:
    """Raises NotFound when there is no such file, StoreBroken when it is not a record or is damaged."""

    def __init__(self, path: Path, *, check: bool = False) -> None:
        self.path = path
        if not path.is_file():
            raise NotFound(f"there is no file {path}", field="file")
        ground.require_sound_sqlite()
        self._db: apsw.Connection | None = None
        try:
            self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            self._db.set_busy_timeout(ground.BUSY_TIMEOUT_MS)
            self._must_be_a_record()
            if check:
                with self._db:  # one snapshot for all that is compared
                    ground.check(self._db, path, full=True)
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

    def counts(self) -> tuple[int, int]:
        """Entries and sidecars."""
        ((entries, sidecars),) = self._rows("SELECT entries, sidecars FROM head")
        return entries, sidecars

    def load(self) -> Iterator[Record]:
        """Everything that was there at the call, as `Store.load` gives it. Raises StoreBroken, also while iterating."""
        newest = "SELECT max(ifnull((SELECT max(n) FROM entries), 0), ifnull((SELECT max(n) FROM sidecars), 0))"
        last = self._rows(newest)[0][0]
        settings = [SettingRecord(*row) for row in self._rows("SELECT key, value FROM settings ORDER BY key")]
        return self._stream(settings, last)

    def sidecars(self, kind: str) -> Iterator[SidecarRecord]:
        """Those of one kind, on every line, in the order in which they were stored."""
        for row in self._rows(f"SELECT {_SIDECAR} {_FROM_SIDECARS} WHERE s.kind = ? ORDER BY c.n", (kind,)):
            yield SidecarRecord(*row)

    def newest_ms(self) -> int:
        """When the newest record was stored, by the clock of the node that wrote it; 0 when there is none."""
        newest = "SELECT ifnull((SELECT stored_ms FROM {} ORDER BY n DESC LIMIT 1), 0)"
        return max(int(self._rows(newest.format(table))[0][0]) for table in ("entries", "sidecars"))

    def copy(self, path: Path) -> None:
        """Copy it to a new file, as `SqliteStore.backup` does. Raises: BadInput, StoreFull, StoreBroken."""
        assert self._db is not None
        copy_to(self._db, path, threading.RLock())

    def settings(self) -> dict[str, bytes]:
        return dict(self._rows("SELECT key, value FROM settings ORDER BY key"))

    def _stream(self, settings: list[SettingRecord], last: int) -> Iterator[Record]:
        yield from settings
        rows = heapq.merge(self._pages(_ENTRY_PAGE, last), self._pages(_SIDECAR_PAGE, last), key=itemgetter(0))
        for row in rows:
            yield EntryRecord(*row[1:]) if len(row) == 11 else SidecarRecord(*row[1:])

    def _pages(self, sql: str, last: int) -> Iterator[tuple[Any, ...]]:
        n = 0
        while rows := self._rows(sql, (n, last)):
            yield from rows
            n = rows[-1][0]

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        assert self._db is not None
        try:
            return self._db.execute(sql, values).fetchall()
        except apsw.Error as why:
            raise ground.in_words(why, self._db, self.path) from why

    def _must_be_a_record(self) -> None:
        (found,) = self._rows("PRAGMA application_id")[0]
        (version,) = self._rows("PRAGMA user_version")[0]
        if found != ground.APPLICATION_ID or not 1 <= version <= len(ground.schema_steps()):
            raise StoreBroken(
                f"{self.path} is not a record that this version of wideberth reads; it was left as it is",
                path=str(self.path),
            )
