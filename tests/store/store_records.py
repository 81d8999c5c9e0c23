# SPDX-License-Identifier: Apache-2.0
"""Records to store. Only the store's tests use them: what the bytes say does not matter to a store."""

from __future__ import annotations

import hashlib

from wideberth.core.records import EntryRecord, Record

CH = hashlib.sha256(b"a channel").hexdigest()


def entry(seq: int, *, size: int = 600) -> EntryRecord:
    """`size`: bytes of envelope and body together."""
    hash_ = hashlib.sha256(b"%d" % seq).hexdigest()
    envelope = (b"%d " % seq).ljust(size // 2, b"e")
    return EntryRecord(CH, "BLUE", "e1", seq, hash_, "0" * 64, "NOTICE", envelope, bytes(size // 2), 1_000 + seq)


def entries(first: int, last: int, *, size: int = 600) -> list[Record]:
    return [entry(seq, size=size) for seq in range(first, last + 1)]
