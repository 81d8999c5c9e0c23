# SPDX-License-Identifier: Apache-2.0
"""Notices per second between two real nodes, beside the limit that the machine sets in the same run.

    python benchmarks/bench_notices.py [--rounds 5] [--seconds 2] [--dir PATH]

Ours: two processes, TLS 1.3 over loopback, each notice signed by its post and by its node, sealed with HPKE, durable on
both disks (SQLite, WAL, synchronous=FULL), receipted; it counts when the author has verified the receipt and kept it.

    batch 1      one notice in flight: the next is given when the receipt of the last is durable
    batch 100    100 notices given together, one commit, one delivery; the next 100 when those are receipted

The limit: what no node that keeps these promises can leave out, done bare in one process, one thing after another, on
messages of the same lengths and the same disk. For each notice two signatures made (post, node) and two verified; for
each delivery one receipt signed and verified, two HPKE seals and two opens (there and back), and three commits: an
fsync of as many bytes on the author's disk, the receiver's, and the author's again for the receipt. Rounds of ours and
of the limit are interleaved, because a shared machine drifts; medians are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from nodes import Hosted, idle, joined, notices, until

from wideberth.core import events as ev
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier
from wideberth.core.tells import Delivered, Tell
from wideberth.link.delivery import Delivery, Frame, write
from wideberth.link.sealing import SealingKey, seal
from wideberth.service import Service

GOALS = {1: 0.60, 100: 0.40}


async def drive(service: Service, pipe: Connection) -> None:
    """Takes (batch, seconds) from the pipe, gives notices in that rhythm, answers with how many per second."""
    await until(lambda: bool(service.node.lines))
    (ch,) = service.node.lines
    line = service.node.lines[ch]
    await until(lambda: line.channel.outboxes["GREEN"].receipted >= 1)
    receipted = asyncio.Event()
    plain_tell = service.runtime._tell

    def tell(tell_: Tell, first: bool) -> None:
        plain_tell(tell_, first)
        if isinstance(tell_, Delivered) and tell_.seq >= line.channel.own.seq:
            receipted.set()

    service.runtime._tell = tell
    source = notices(service.clock.now().t_ms)
    by = "BLUE/watch-1"
    sizes = (0, 0)
    while (asked := await asyncio.to_thread(pipe.recv)) is not None:
        batch, seconds = asked
        done, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            receipted.clear()
            given = [service.runtime.submit(ev.GiveNotice(ch, by, next(source))) for _ in range(batch)]
            await asyncio.gather(*given)
            while line.channel.outboxes["GREEN"].receipted < line.channel.own.seq:
                await asyncio.wait_for(receipted.wait(), 30)
                receipted.clear()
            done += batch
        took = time.perf_counter() - begun
        record = service._opened_store.entry(line.channel.own.head)
        receipt = service._opened_store.sidecars(ch, "stored")[-1]
        assert record is not None
        sizes = (len(record.envelope), len(record.body))
        pipe.send((done / took, sizes, len(receipt.envelope)))


class Limit:
    """The bare operations of one delivery of `batch` notices, on one disk."""

    def __init__(self, folder: Path, batch: int, sizes: tuple[int, int], receipt: int) -> None:
        self.batch = batch
        envelope, body = sizes
        self._post, self._node, self._peer = (Ed25519Signer(os.urandom(32)) for _ in range(3))
        self._verifier = Ed25519Verifier()
        self._header, self._statement, self._receipt = (os.urandom(n) for n in (envelope * 3 // 4, body, receipt))
        frame = Frame(b'"' + b"e" * (envelope - 2) + b'"', b'"' + b"b" * (body - 2) + b'"')
        sidecar = b'"' + b"r" * (receipt - 2) + b'"'
        self._there = write(Delivery("be" * 32, "BLUE", "GREEN", (frame,) * batch))
        self._back = write(Delivery("be" * 32, "GREEN", "BLUE", (), (sidecar,)))
        self._ours, self._theirs = SealingKey.generate(), SealingKey.generate()
        self._files = [os.open(folder / f"limit{n}", os.O_RDWR | os.O_CREAT) for n in range(2)]
        for fd in self._files:
            os.pwrite(fd, bytes(16 * 1024 * 1024), 0)  # a log that has been used before, as SQLite's has
            os.fsync(fd)
        self._at = 0
        self.parts = dict.fromkeys(("Ed25519", "HPKE", "fsync"), 0.0)
        self.times = 0

    def once(self) -> None:
        start = time.perf_counter()
        for _ in range(self.batch):
            statement = self._post.sign(self._statement)
            header = self._node.sign(self._header)
            assert self._verifier.verify(self._post.public, self._statement, statement)
            assert self._verifier.verify(self._node.public, self._header, header)
        receipt = self._peer.sign(self._receipt)
        assert self._verifier.verify(self._peer.public, self._receipt, receipt)
        signed = time.perf_counter()
        self._theirs.open(seal(self._theirs.public(), self._there, b"info"), b"info")
        self._ours.open(seal(self._ours.public(), self._back, b"info"), b"info")
        sealed = time.perf_counter()
        self._commit(0, self._there)
        self._commit(1, self._there)
        self._commit(0, self._back)
        kept = time.perf_counter()
        for part, seconds in zip(self.parts, (signed - start, sealed - signed, kept - sealed), strict=True):
            self.parts[part] += seconds
        self.times += 1

    def _commit(self, which: int, data: bytes) -> None:
        # Whole pages, as a database's log takes them.
        pages = data.ljust(-(-len(data) // 4096) * 4096)
        if self._at + len(pages) > 16 * 1024 * 1024:
            self._at = 0
        os.pwrite(self._files[which], pages, self._at)
        os.fdatasync(self._files[which])
        self._at += len(pages)

    def per_second(self, seconds: float) -> float:
        begun, before = time.perf_counter(), self.times
        while time.perf_counter() - begun < seconds:
            self.once()
        return (self.times - before) * self.batch / (time.perf_counter() - begun)


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--rounds", type=int, default=5)
    wanted.add_argument("--seconds", type=float, default=2.0, help="per round, batch size and subject")
    wanted.add_argument("--dir", default=None, help="where the files go; the disk is part of what is measured")
    given = wanted.parse_args()
    print(f"notices per second, signed, sealed, durable, receipted; medians of {given.rounds} rounds")
    with tempfile.TemporaryDirectory(dir=given.dir) as folder:
        blue, green = joined(Path(folder))
        there = Hosted(green, idle)
        here = Hosted(blue, drive)
        try:
            for batch, goal in GOALS.items():
                here.pipe.send((batch, 1.0))  # warm: connection, caches, the log's first growth
                _, sizes, receipt = here.pipe.recv()
                limit = Limit(Path(folder), batch, sizes, receipt)
                ours, floor = [], []
                for _ in range(given.rounds):
                    here.pipe.send((batch, given.seconds))
                    ours.append(here.pipe.recv()[0])
                    floor.append(limit.per_second(given.seconds / 2))
                rate, most = statistics.median(ours), statistics.median(floor)
                parts = "  ".join(
                    f"{name} {seconds / limit.times / batch * 1e6:.0f} us" for name, seconds in limit.parts.items()
                )
                spread = f"{min(ours):,.0f} to {max(ours):,.0f}"
                print(
                    f"batch {batch:3}: {rate:7,.0f}/s ({spread})   limit {most:7,.0f}/s   ratio {rate / most:4.0%} "
                    f"(goal {goal:.0%})\n           limit per notice: {parts}; frame {sum(sizes)} bytes"
                )
        finally:
            here.stop()
            there.stop()


if __name__ == "__main__":
    main()
