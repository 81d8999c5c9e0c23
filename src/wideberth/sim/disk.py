# SPDX-License-Identifier: Apache-2.0
"""A node's disk: the store in memory, with writes that are lost until they are synced, and room that runs out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from wideberth.core.records import EntryRecord, Record, SettingRecord, SidecarRecord
from wideberth.store.memory import MemoryStore

# The reserve for urgent entries, as `store/reserve.py` keeps one in a file; and what may be left when it fills up.
RESERVE_BYTES: Final = 200_000


class Disk:
    """`append` then `sync` is what a real store does inside one `append`: between the two the power can go."""

    def __init__(self) -> None:
        self.store = MemoryStore(durable=False)
        self.low = False

    def append(self, records: Sequence[Record]) -> None:
        """Raises StoreFull; nothing is written then."""
        self.store.append(records, self.store.head)

    def sync(self) -> None:
        self.store.sync()

    def entry(self, hash_: str) -> EntryRecord | None:
        return self.store.entry(hash_)

    def load(self) -> Iterator[Record]:
        return self.store.load()

    def power_cut(self, kept: int) -> int:
        """Un-synced batches are lost but for the `kept` oldest. Returns how many were lost."""
        return self.store.crash(min(kept, self.store.unsynced))

    # --- backups ---

    def backup(self) -> MemoryStore | None:
        """A copy of everything; None while a write is under way."""
        return None if self.store.unsynced else self.store.copy()

    def put_back(self, backup: MemoryStore) -> None:
        self.store = backup.copy()
        self.empty()

    # --- room ---

    def fill(self, left_bytes: int) -> None:
        """Something else fills the disk: routine entries soon find no room; `low` says so."""
        self.low = True
        self.store.room_bytes = self._used() + left_bytes

    def release(self) -> None:
        """Give the reserve to urgent entries."""
        self.store.room_bytes = self._used() + RESERVE_BYTES

    def empty(self) -> None:
        """Somebody made room."""
        self.low = False
        self.store.room_bytes = None

    def _used(self) -> int:
        """As the store counts: the bytes of every record."""
        kept = (r for r in self.store.load() if not isinstance(r, SettingRecord))
        return sum(len(r.envelope) + (len(r.body) if isinstance(r, EntryRecord) else 0) for r in kept)

    # --- for those who look from outside ---

    def strands(self) -> dict[tuple[str, str], list[EntryRecord]]:
        """Everything by (channel, author), in the order of places."""
        found: dict[tuple[str, str], list[EntryRecord]] = {}
        for record in self.store.load():
            if isinstance(record, EntryRecord):
                found.setdefault((record.ch, record.author), []).append(record)
        for strand in found.values():
            strand.sort(key=lambda r: (r.epoch, r.seq))
        return found

    def sidecars(self) -> list[SidecarRecord]:
        return [r for r in self.store.load() if isinstance(r, SidecarRecord)]
