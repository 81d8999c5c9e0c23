# SPDX-License-Identifier: Apache-2.0
"""A store in memory, for tests and for the simulator's disk.

It keeps the contract (`contract.py`), and can also be a bad disk on purpose:

    MemoryStore()                    what append returned from survives `crash()`
    MemoryStore(durable=False)       it does not, until `sync()`: the mutant "receipt before fsync" stands on this
    MemoryStore(room_bytes=10_000)   `StoreFull` when the bytes of all records would be more than that
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from wideberth.core.records import EntryRecord, Record, SettingRecord, SidecarRecord
from wideberth.errors import Misuse, StoreBroken, StoreFull

_Strand = tuple[str, str, str]
_Shelf = tuple[str, str]


class _Undo(msgspec.Struct):
    """What one batch changed: enough to take it back. `settings` holds the values before it."""

    fresh: int
    used_bytes: int
    settings: dict[str, bytes | None]


class MemoryStore:
    def __init__(self, *, durable: bool = True, room_bytes: int | None = None) -> None:
        self.durable = durable
        self.room_bytes = room_bytes
        self._head = 0
        self._used_bytes = 0
        self._log: list[EntryRecord | SidecarRecord] = []
        self._strands: dict[_Strand, dict[int, EntryRecord]] = {}
        self._by_hash: dict[str, EntryRecord] = {}
        self._shelves: dict[_Shelf, dict[str, SidecarRecord]] = {}
        self._settings: dict[str, bytes] = {}
        self._unsynced: list[_Undo] = []
        self._closed = False

    # -- the contract ------------------------------------------------------------------------------------------------

    @property
    def head(self) -> int:
        return self._head

    def append(self, records: Sequence[Record], expect_head: int) -> int:
        """As the contract says. Everything is checked before anything is changed."""
        self._must_be_open()
        if expect_head != self._head:
            raise StoreBroken(
                f"Somebody else wrote to the store: its head is {self._head}, not {expect_head}. "
                "Stop this node and see which other process uses its folder.",
                head=self._head,
                expected=expect_head,
            )
        places: dict[tuple[_Strand, int], EntryRecord] = {}
        keys: dict[tuple[_Shelf, str], None] = {}
        settings: dict[str, bytes] = {}
        fresh: list[EntryRecord | SidecarRecord] = []
        for record in records:
            if isinstance(record, EntryRecord):
                strand = (record.ch, record.author, record.epoch)
                place = (strand, record.seq)
                known = places.get(place) or self._strands.get(strand, {}).get(record.seq)
                if known is None:
                    places[place] = record
                    fresh.append(record)
                elif known.hash != record.hash:
                    raise other_hash(record, known.hash)
            elif isinstance(record, SidecarRecord):
                shelf = (record.ch, record.kind)
                if (shelf, record.key) not in keys and record.key not in self._shelves.get(shelf, {}):
                    keys[shelf, record.key] = None
                    fresh.append(record)
            else:
                settings[record.key] = record.value
        more = sum(map(_size, fresh)) + sum(
            len(value) - len(self._settings.get(key, b"")) for key, value in settings.items()
        )
        if self.room_bytes is not None and more > 0 and self._used_bytes + more > self.room_bytes:
            raise StoreFull(
                "No room left for the record: nothing was stored. Make room, then try again.",
                free_bytes=self.room_bytes - self._used_bytes,
                wanted_bytes=more,
            )
        if not self.durable:
            self._unsynced.append(_Undo(len(fresh), more, {key: self._settings.get(key) for key in settings}))
        for record in fresh:
            if isinstance(record, EntryRecord):
                self._strands.setdefault((record.ch, record.author, record.epoch), {})[record.seq] = record
                self._by_hash.setdefault(record.hash, record)
            else:
                self._shelves.setdefault((record.ch, record.kind), {})[record.key] = record
        self._log += fresh
        self._settings.update(settings)
        self._used_bytes += more
        self._head += 1
        return self._head

    def load(self) -> Iterator[Record]:
        self._must_be_open()
        settings = [SettingRecord(key, self._settings[key]) for key in sorted(self._settings)]
        return iter([*settings, *self._log])

    def entry(self, hash_: str) -> EntryRecord | None:
        self._must_be_open()
        return self._by_hash.get(hash_)

    def strand(self, ch: str, author: str, epoch: str, first: int, last: int) -> list[EntryRecord]:
        self._must_be_open()
        places = self._strands.get((ch, author, epoch), {})
        if last - first < len(places):
            return [places[seq] for seq in range(first, last + 1) if seq in places]
        return [places[seq] for seq in sorted(places) if first <= seq <= last]

    def sidecars(self, ch: str, kind: str) -> list[SidecarRecord]:
        self._must_be_open()
        return list(self._shelves.get((ch, kind), {}).values())

    def setting(self, key: str) -> SettingRecord | None:
        self._must_be_open()
        value = self._settings.get(key)
        return None if value is None else SettingRecord(key, value)

    def close(self) -> None:
        self._closed = True

    # -- the simulator's disk ----------------------------------------------------------------------------------------

    @property
    def unsynced(self) -> int:
        """How many of the newest batches a crash could lose now."""
        return len(self._unsynced)

    def sync(self) -> None:
        """Make every appended batch durable."""
        self._unsynced.clear()

    def crash(self, kept: int = 0) -> int:
        """The power goes and comes back: un-synced batches are lost, but for the `kept` oldest of them.

        Batches reach a disk in order, so what survives is always a prefix. Returns how many were lost. The store is
        open again afterwards, as if loaded from its disk.
        """
        if kept < 0:
            raise Misuse("crash(kept) counts batches: give 0 or more.", kept=kept)
        lost = self._unsynced[kept:]
        for undo in reversed(lost):
            self._take_back(undo)
        self._unsynced.clear()
        self._closed = False
        return len(lost)

    def copy(self) -> MemoryStore:
        """An independent store with the same content: a backup. What was not synced here is not synced there."""
        twin = MemoryStore(durable=self.durable, room_bytes=self.room_bytes)
        twin._head = self._head
        twin._used_bytes = self._used_bytes
        twin._log = self._log.copy()
        twin._strands = {strand: places.copy() for strand, places in self._strands.items()}
        twin._by_hash = self._by_hash.copy()
        twin._shelves = {shelf: kept.copy() for shelf, kept in self._shelves.items()}
        twin._settings = self._settings.copy()
        twin._unsynced = self._unsynced.copy()
        return twin

    def _take_back(self, undo: _Undo) -> None:
        for _ in range(undo.fresh):
            record = self._log.pop()
            if isinstance(record, EntryRecord):
                del self._strands[record.ch, record.author, record.epoch][record.seq]
                if self._by_hash.get(record.hash) is record:
                    del self._by_hash[record.hash]
            else:
                del self._shelves[record.ch, record.kind][record.key]
        for key, before in undo.settings.items():
            if before is None:
                del self._settings[key]
            else:
                self._settings[key] = before
        self._used_bytes -= undo.used_bytes
        self._head -= 1

    def _must_be_open(self) -> None:
        if self._closed:
            raise Misuse("The store is closed. Open it again before using it.")


def other_hash(record: EntryRecord, stored: str) -> StoreBroken:
    """The fault of every store for a place that is to be written twice."""
    return StoreBroken(
        f"Place {record.seq} of {record.author}'s strand already holds another entry; nothing was stored. "
        "Stop this node: going on could sign one place twice. Keep the store and report this.",
        ch=record.ch,
        author=record.author,
        epoch=record.epoch,
        seq=record.seq,
        stored=stored,
        refused=record.hash,
    )


def _size(record: EntryRecord | SidecarRecord) -> int:
    if isinstance(record, EntryRecord):
        return len(record.envelope) + len(record.body)
    return len(record.envelope)
