# SPDX-License-Identifier: Apache-2.0
"""From a notice given at one node to the clash with an own plan told at the other, with 10,000 live volumes.

    python benchmarks/bench_conflict_latency.py [--live 10000] [--times 200] [--every-ms 50]

Two processes and their inner processes, TLS over loopback, SQLite with synchronous=FULL on both sides. The clock starts
when the officer's command enters BLUE's node and stops when GREEN's node publishes `Exposed` on the bus that screens
and terminals listen to: signed, stored, sealed, sent, opened, checked, stored, weighed against own plans, explained and
drawn. Both read the machine's one monotonic clock. Goal of design.md §10: p99 below 250 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from bench_start import fill
from nodes import Hosted, joined, notices, until

from wideberth.core import events as ev
from wideberth.core.say.plan import Plan
from wideberth.core.say.rules import Mode
from wideberth.core.warned import Exposed
from wideberth.inner.protocol import GivePlan, ListExposures
from wideberth.service import Service

# Plans lie between the notices that are live already: same places, a quarter of an hour later.
BESIDE_MS = 900_000


async def watch(service: Service, pipe: Connection) -> None:
    """GREEN: own plans in, then every exposure's reference and time out."""
    times, now_ms = await asyncio.to_thread(pipe.recv)
    for n, terms in enumerate(itertools.islice(notices(now_ms + BESIDE_MS), times)):
        await service.inner(GivePlan(Plan(f"plan-{n}", f"flight {n}", Mode.TEST, terms.volumes)))
    before = len(await service.inner(ListExposures()))  # answered after everything live was weighed
    pipe.send(before)
    seen: dict[tuple[str, str], float] = {}

    async def listen() -> None:
        async for told in service.bus.listen():
            if isinstance(told.tell, Exposed):
                seen.setdefault((told.tell.author, told.tell.ref), time.monotonic())

    task = asyncio.create_task(listen())
    while (ask := await asyncio.to_thread(pipe.recv)) is not None:
        wanted = {("BLUE", ref) for ref in ask}
        await until(lambda: wanted <= seen.keys())  # noqa: B023
        pipe.send([seen[w] for w in sorted(wanted)])
    task.cancel()


async def speak(service: Service, pipe: Connection) -> None:
    """BLUE: one notice at a time, each over one of GREEN's plans."""
    (ch,) = service.node.lines
    times, now_ms, every_s = await asyncio.to_thread(pipe.recv)
    given: dict[str, float] = {}
    for terms in itertools.islice(notices(now_ms + BESIDE_MS), times):
        begun = time.monotonic()
        batch = await service.runtime.submit(ev.GiveNotice(ch, "BLUE/watch-1", terms))
        given[next(t.ref for t in batch.tell if hasattr(t, "entry"))] = begun
        await asyncio.sleep(max(0.0, begun + every_s - time.monotonic()))
    pipe.send(given)
    await asyncio.to_thread(pipe.recv)


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--live", type=int, default=10_000)
    wanted.add_argument("--times", type=int, default=200)
    wanted.add_argument("--every-ms", type=int, default=50)
    options = wanted.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        blue, green = joined(Path(folder))
        now_ms = time.time_ns() // 1_000_000
        fill(blue, green, options.live)
        there, here = Hosted(green, watch), Hosted(blue, speak)
        try:
            there.pipe.send((options.times, now_ms))
            before = there.pipe.recv()
            here.pipe.send((options.times, now_ms, options.every_ms / 1000))
            given = here.pipe.recv()
            there.pipe.send(list(given))
            told = there.pipe.recv()
        finally:
            here.stop()
            there.stop()
    took = sorted(end - given[ref] for ref, end in zip(sorted(given), told, strict=True))
    p50, p99 = statistics.median(took), took[int(len(took) * 0.99)]
    print(
        f"{options.live:,} live notices, {options.times} plans ({before} meetings before), a notice every "
        f"{options.every_ms} ms\nnotice given -> exposure told at the other node: p50 {p50 * 1e3:.1f} ms   "
        f"p99 {p99 * 1e3:.1f} ms   most {took[-1] * 1e3:.1f} ms   (goal p99 < 250 ms)"
    )


if __name__ == "__main__":
    main()
