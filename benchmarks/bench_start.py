# SPDX-License-Identifier: Apache-2.0
"""How long a start takes: `wideberth --help`, a node with an empty record, and one with 10,000 stored entries.

    python benchmarks/bench_start.py [--entries 10000] [--times 5]

From `exec` to the last byte of the help, and from `exec` to the line that says that the node is up: then its record is
read and folded, its links are made, both servers listen and the inner process has its plans. Medians. Goals of
design.md §10: 0.5 s and 3 s.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nodes import joined, notices

from wideberth import home, join
from wideberth.clock import SystemClock
from wideberth.core import events as ev
from wideberth.core.batch import Batch
from wideberth.core.node import Node
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.rekey import set_passphrase
from wideberth.signers import HomeSigners
from wideberth.store.sqlite import SqliteStore

WORDS = "nine quiet herons over the estuary"
COMMAND = Path(sys.executable).with_name("wideberth")


def help_s() -> float:
    begun = time.perf_counter()
    subprocess.run([COMMAND, "--help"], check=True, capture_output=True)
    return time.perf_counter() - begun


def up_s(folder: Path, *more: str) -> float:
    begun = time.perf_counter()
    with subprocess.Popen([COMMAND, "--dir", folder, "--json", *more, "up"], stdout=subprocess.PIPE) as node:
        assert node.stdout is not None
        line = node.stdout.readline()
        took = time.perf_counter() - begun
        node.terminate()
    assert b'"up"' in line, line
    return took


class Side:
    """A node's core and its store on disk, without a link."""

    def __init__(self, folder: Path) -> None:
        loaded = home.load(folder)
        self.store = SqliteStore(loaded.record_path)
        self.node = Node(loaded.config.party, HomeSigners(loaded), Ed25519Verifier(), os.urandom, self.store.entry)

    def step(self, *events: ev.Event) -> list[Batch]:
        """All events, one commit."""
        batches = [self.node.step(event, SystemClock().now()) for event in events]
        self.store.append([r for b in batches for r in b.store], self.store.head)
        return batches


def fill(blue: Path, green: Path, entries: int) -> None:
    """`entries` notices of BLUE's, heard by GREEN, receipts and all: both records are as after as many deliveries."""
    here, there = Side(blue), Side(green)
    # GREEN's own file still lacks BLUE's second signature.
    ((ch, agreement, cards),) = join.lines_on_file(home.load(blue))
    opening = ev.OpenLine(agreement, cards)
    there.step(opening)
    (first,) = here.step(opening)
    source = notices(SystemClock().now().t_ms)
    for begin in range(0, entries, 100):
        given = here.step(*(ev.GiveNotice(ch, "BLUE/watch-1", next(source)) for _ in range(min(100, entries - begin))))
        frames = tuple(
            (r.envelope, r.body) for b in (first, *given) for r in b.store if hasattr(r, "body") and hasattr(r, "prev")
        )
        first = Batch()
        (heard,) = there.step(ev.Arrived(ch, "BLUE", frames))
        here.step(ev.Arrived(ch, "GREEN", (), tuple(e for s in heard.send for e in s.sidecars)))
    here.store.close()
    there.store.close()


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--entries", type=int, default=10_000)
    wanted.add_argument("--times", type=int, default=5)
    given = wanted.parse_args()

    def show(name: str, times: list[float], goal_s: float) -> None:
        print(f"{name:44} {statistics.median(times):5.2f} s  ({min(times):.2f} to {max(times):.2f}; goal {goal_s} s)")

    help_s()
    show("wideberth --help", [help_s() for _ in range(given.times)], 0.5)
    with tempfile.TemporaryDirectory() as folder:
        blue, green = joined(Path(folder))
        up_s(blue)
        show("node up, young record", [up_s(blue) for _ in range(given.times)], 3)
        words = Path(folder) / "words"
        words.write_text(WORDS)
        words.chmod(0o600)
        set_passphrase(home.load(blue), WORDS, now_ms=SystemClock().now().t_ms)
        under = ("--passphrase-file", str(words))
        show("node up, the same under a passphrase", [up_s(blue, *under) for _ in range(given.times)], 3)
    with tempfile.TemporaryDirectory() as folder:
        blue, green = joined(Path(folder))
        fill(blue, green, given.entries)
        show(f"node up, {given.entries:,} own entries", [up_s(blue) for _ in range(given.times)], 3)
        show(f"node up, {given.entries:,} of a peer's entries", [up_s(green) for _ in range(given.times)], 3)


if __name__ == "__main__":
    main()
