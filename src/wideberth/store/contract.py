# SPDX-License-Identifier: Apache-2.0
"""What every store must do. One contract, one test-suite (`tests/contracts`), several stores.

A store keeps the record: entries (the strands), sidecars (receipts and the like), and small local settings. It is
append-only but for settings. One process may write.

    head = store.head
    head = store.append(records, expect_head=head)     # all of them, durable, or none and a Fault

`append` is compare-and-set: when `expect_head` is not the store's head somebody else wrote, and going on could sign one
place twice. It raises `StoreBroken`, which is fatal. When `append` returns, every record survives a power cut. When it
raises `StoreFull`, nothing of the batch was written and `head` is unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from wideberth.core.records import EntryRecord, Record, SettingRecord, SidecarRecord


class Store(Protocol):
    @property
    def head(self) -> int:
        """How many batches were appended; the value to expect next time."""
        ...

    def append(self, records: Sequence[Record], expect_head: int) -> int:
        """Make all records durable in one transaction, or none. Returns the new head.

        An entry whose (ch, author, epoch, seq) is already there with the same hash is ignored; with another hash the
        batch is refused with `StoreBroken` (the core keeps equivocations as sidecars and never asks for this).
        A sidecar with the same key is ignored. A setting with the same key is replaced.

        Raises: StoreFull, StoreBroken.
        """
        ...

    def load(self) -> Iterator[Record]:
        """Everything, in the order in which it was appended (settings: their newest value, in key order, first)."""
        ...

    def entry(self, hash_: str) -> EntryRecord | None: ...

    def strand(self, ch: str, author: str, epoch: str, first: int, last: int) -> list[EntryRecord]:
        """Entries first…last (inclusive) of one strand, in order; those that are there."""
        ...

    def sidecars(self, ch: str, kind: str) -> list[SidecarRecord]: ...

    def setting(self, key: str) -> SettingRecord | None: ...

    def close(self) -> None: ...
