# SPDX-License-Identifier: Apache-2.0
"""The process that is killed: appends batches for ever and prints each head after `append` returned.

python appending_child.py DATABASE SEED
"""

from __future__ import annotations

import hashlib
import os
import random
import sys

from wideberth.core.records import EntryRecord, Record, SettingRecord, SidecarRecord
from wideberth.store.sqlite import SqliteStore

CH = hashlib.sha256(b"a channel").hexdigest()
AUTHORS = ("BLUE", "RED", "GREEN")


def batch(number: int) -> list[Record]:
    """Batch `number`: one to five entries for each author, a receipt, and a setting. The same in every process."""
    dice = random.Random(number)
    records: list[Record] = []
    for author in AUTHORS:
        for seq in places(number, author):
            hash_ = hashlib.sha256(f"{author}{seq}".encode()).hexdigest()
            body = dice.randbytes(dice.choice((10, 300, 3_000)))
            records.append(EntryRecord(CH, author, "e1", seq, hash_, "0" * 64, "NOTICE", body, body[::-1], number))
    records.append(SidecarRecord(CH, "stored", "RED", f"receipt {number}", b"%d" % number, number))
    records.append(SettingRecord("newest", b"%d" % number))
    return records


def places(number: int, author: str) -> range:
    """Which places of its strand this author writes in batch `number` (from 1): dense over the batches."""
    each = 1 + AUTHORS.index(author) * 2
    return range((number - 1) * each + 1, number * each + 1)


def main() -> None:
    path, seed = sys.argv[1], int(sys.argv[2])
    pages = random.Random(seed).choice((1, 5, 40, 1_000))
    store = SqliteStore(path, checkpoint_pages=pages)
    os.write(1, b"open %d\n" % store.head)
    while True:
        head = store.append(batch(store.head + 1), store.head)
        os.write(1, b"%d\n" % head)


if __name__ == "__main__":
    main()
