# SPDX-License-Identifier: Apache-2.0
"""How fast the store keeps entries, beside a bare APSW insert and a bare fsync in the same run.

    python benchmarks/bench_store.py [--seconds 3] [--dir PATH]

Rounds are interleaved (bare, ours, bare, ours …) because a shared machine drifts; medians of the rounds are printed.
The bare insert is the yardstick of the study: 600-byte rows, a unique hash, WAL with synchronous=FULL, nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import apsw

from wideberth.core.records import EntryRecord
from wideberth.store.memory import MemoryStore
from wideberth.store.sqlite import SqliteStore

CH = hashlib.sha256(b"a channel").hexdigest()


def entries() -> Iterator[EntryRecord]:
    """Envelope and body together 600 bytes, hashes as random as real ones."""
    prev = "0" * 64
    for seq in count(1):
        hash_ = hashlib.sha256(b"%d" % seq).hexdigest()
        yield EntryRecord(CH, "BLUE", "e1", seq, hash_, prev, "NOTICE", os.urandom(300), os.urandom(300), seq)
        prev = hash_


def ours(path: Path, batch: int) -> Callable[[], int]:
    store = SqliteStore(path)
    source = entries()

    def step() -> int:
        store.append([next(source) for _ in range(batch)], store.head)
        return batch

    return step


def bare(path: Path, batch: int) -> Callable[[], int]:
    db = apsw.Connection(str(path))
    db.pragma("journal_mode", "WAL")
    db.pragma("synchronous", "FULL")
    db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, hash TEXT UNIQUE, row BLOB)")
    source = entries()

    def step() -> int:
        db.execute("BEGIN IMMEDIATE")
        rows = (next(source) for _ in range(batch))
        db.executemany("INSERT INTO t (hash, row) VALUES (?, ?)", [(e.hash, e.envelope + e.body) for e in rows])
        db.execute("COMMIT")
        return batch

    return step


def memory(_path: Path, batch: int) -> Callable[[], int]:
    store = MemoryStore()
    source = entries()

    def step() -> int:
        store.append([next(source) for _ in range(batch)], store.head)
        return batch

    return step


def fsync(path: Path, _batch: int) -> Callable[[], int]:
    """One page written and synced: what no store that keeps its word can beat at one entry per batch."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    page = os.urandom(4096)
    os.pwrite(fd, bytes(4096 * 1000), 0)
    places = count()

    def step() -> int:
        os.pwrite(fd, page, 4096 * (next(places) % 1000))
        os.fdatasync(fd)
        return 1

    return step


def per_second(step: Callable[[], int], seconds: float) -> float:
    begun = time.perf_counter()
    done = 0
    while (took := time.perf_counter() - begun) < seconds:
        done += step()
    return done / took


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--seconds", type=float, default=3.0, help="per subject and batch size, in six rounds")
    wanted.add_argument("--dir", default=None, help="where the files go; the disk is what is measured")
    options = wanted.parse_args()
    rounds = 6
    print(f"SQLite {apsw.sqlite_lib_version()}, median of {rounds} rounds, entries per second")
    print(f"{'batch':>6} {'fsync':>9} {'bare':>9} {'ours':>9} {'ours/bare':>10} {'memory':>9}")
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        for batch in (1, 10, 100, 1000):
            subjects = {"fsync": fsync, "bare": bare, "ours": ours, "memory": memory}
            steps = {name: make(Path(folder) / f"{name}{batch}.db", batch) for name, make in subjects.items()}
            seen: dict[str, list[float]] = {name: [] for name in steps}
            for _ in range(rounds):
                for name, step in steps.items():
                    seen[name].append(per_second(step, options.seconds / rounds))
            mid = {name: statistics.median(figures) for name, figures in seen.items()}
            ratio = mid["ours"] / mid["bare"]
            print(
                f"{batch:>6} {mid['fsync']:>9,.0f} {mid['bare']:>9,.0f} {mid['ours']:>9,.0f} {ratio:>10.0%} "
                f"{mid['memory']:>9,.0f}"
            )


if __name__ == "__main__":
    main()
