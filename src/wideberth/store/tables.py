# SPDX-License-Identifier: Apache-2.0
"""What is read out of the tables of `schema/`: the same for the store that writes and for who only reads.

    tables = Tables(rows)      rows(sql, values): all rows of one SELECT, or a Fault
    for record in tables.load(tables.settings(), tables.newest()): …

Pure but for what `rows` does: whose connection that is, and who takes turns on it, is the caller's.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, Final

from wideberth.core.records import EntryRecord, Record, SettingRecord, SidecarRecord

# Rows fetched at a time by `load`: at most 16 MiB of the largest frames, whatever the size of the store.
_LOAD_ROWS: Final = 256

_ENTRY: Final = "s.ch, s.author, s.epoch, e.seq, e.hash, e.prev, e.type, e.envelope, e.body, e.stored_ms"
_FROM_ENTRIES: Final = "FROM entries e JOIN strands s ON s.id = e.strand"
_ENTRIES: Final = f"SELECT {_ENTRY} {_FROM_ENTRIES}"
_SIDECAR: Final = "s.ch, s.kind, c.author, c.key, c.envelope, c.stored_ms"
_FROM_SIDECARS: Final = "FROM sidecars c JOIN shelves s ON s.id = c.shelf"
_SIDECARS: Final = f"SELECT {_SIDECAR} {_FROM_SIDECARS}"
_ENTRY_PAGE: Final = f"SELECT e.n, {_ENTRY} {_FROM_ENTRIES} WHERE e.n > ? AND e.n <= ? ORDER BY e.n LIMIT {_LOAD_ROWS}"
_SIDECAR_PAGE: Final = (
    f"SELECT c.n, {_SIDECAR} {_FROM_SIDECARS} WHERE c.n > ? AND c.n <= ? ORDER BY c.n LIMIT {_LOAD_ROWS}"
)
_BY_HASH: Final = f"{_ENTRIES} WHERE substr(e.hash, 1, 12) = substr(?1, 1, 12) AND e.hash = ?1 ORDER BY e.n LIMIT 1"
_INT64_MAX: Final = 2**63 - 1

Rows = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]


class Tables:
    """Raises what `rows` raises, also while iterating."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def newest(self) -> int:
        """The newest running number; 0 when there is none."""
        newest = "SELECT max(ifnull((SELECT max(n) FROM entries), 0), ifnull((SELECT max(n) FROM sidecars), 0))"
        return int(self._rows(newest, ())[0][0])

    def newest_ms(self) -> int:
        """When the newest record was stored, by the clock of the node that wrote it; 0 when there is none."""
        newest = "SELECT ifnull((SELECT stored_ms FROM {} ORDER BY n DESC LIMIT 1), 0)"
        return max(int(self._rows(newest.format(table), ())[0][0]) for table in ("entries", "sidecars"))

    def counts(self) -> tuple[int, int]:
        """Entries and sidecars."""
        ((entries, sidecars),) = self._rows("SELECT entries, sidecars FROM head", ())
        return entries, sidecars

    def settings(self) -> list[SettingRecord]:
        return [SettingRecord(*row) for row in self._rows("SELECT key, value FROM settings ORDER BY key", ())]

    def setting(self, key: str) -> SettingRecord | None:
        rows = self._rows("SELECT key, value FROM settings WHERE key = ?", (key,))
        return SettingRecord(*rows[0]) if rows else None

    def load(self, settings: list[SettingRecord], last: int) -> Iterator[Record]:
        """These settings, then everything up to the running number `last`, in its order.

        Some hundred rows at a time, so that neither memory nor a long-lived read transaction grows with the record.
        """
        yield from settings
        rows = heapq.merge(self._pages(_ENTRY_PAGE, last), self._pages(_SIDECAR_PAGE, last), key=itemgetter(0))
        for row in rows:
            yield EntryRecord(*row[1:]) if len(row) == 11 else SidecarRecord(*row[1:])

    def _pages(self, sql: str, last: int) -> Iterator[tuple[Any, ...]]:
        n = 0
        while rows := self._rows(sql, (n, last)):
            yield from rows
            n = rows[-1][0]

    def entry(self, hash_: str) -> EntryRecord | None:
        rows = self._rows(_BY_HASH, (hash_,))
        return EntryRecord(*rows[0]) if rows else None

    def strand(self, id_: int, first: int, last: int) -> list[EntryRecord]:
        """Entries first…last of one row of `strands`, those that are there, in order."""
        first, last = max(first, 0), min(last, _INT64_MAX)
        if first > last:
            return []
        rows = self._rows(f"{_ENTRIES} WHERE e.strand = ? AND e.seq BETWEEN ? AND ? ORDER BY e.seq", (id_, first, last))
        return [EntryRecord(*row) for row in rows]

    def shelf(self, id_: int) -> list[SidecarRecord]:
        """Everything on one row of `shelves`."""
        rows = self._rows(f"{_SIDECARS} WHERE c.shelf = ? ORDER BY c.n", (id_,))
        return [SidecarRecord(*row) for row in rows]

    def of_kind(self, kind: str) -> list[SidecarRecord]:
        """Sidecars of one kind, on every line."""
        return [SidecarRecord(*row) for row in self._rows(f"{_SIDECARS} WHERE s.kind = ? ORDER BY c.n", (kind,))]

    def channels(self) -> list[str]:
        """Ids of the channels that have an agreement in force."""
        return [str(ch) for (ch,) in self._rows("SELECT ch FROM shelves WHERE kind = 'agreement' ORDER BY ch", ())]

    def channel(self, ch: str) -> tuple[list[SidecarRecord], list[EntryRecord]]:
        """Everything of one channel."""
        sidecars = self._rows(f"{_SIDECARS} WHERE s.ch = ? ORDER BY c.n", (ch,))
        entries = self._rows(f"{_ENTRIES} WHERE s.ch = ? ORDER BY e.n", (ch,))
        return [SidecarRecord(*row) for row in sidecars], [EntryRecord(*row) for row in entries]
