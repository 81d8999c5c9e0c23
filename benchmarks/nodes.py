# SPDX-License-Identifier: Apache-2.0
"""For the benchmarks: two joined node folders, notices as officers give them, and a process that hosts one node.

The host process runs the node exactly as `wideberth up` does, and one function of the benchmark's in the same loop, so
that the load generator is no HTTP client of its own and costs next to nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop

from wideberth import home, join
from wideberth.clock import SystemClock
from wideberth.config import Config
from wideberth.core.say.place import Altitude
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.volume import Circle, Polygon, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms
from wideberth.service import Service

HOUR_MS = 3_600_000
RULES = Rules(area=Polygon.of((34.5, 34.0), (34.5, 37.5), (37.0, 37.5), (37.0, 34.0)))

Drive = Callable[[Service, Connection], Coroutine[Any, Any, None]]


def joined(folder: Path) -> tuple[Path, Path]:
    """Folders of BLUE and GREEN, joined on one TEST line, each with a port of its own."""
    now_ms = time.time_ns() // 1_000_000
    homes = []
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    for party, held in zip(("BLUE", "GREEN"), sockets, strict=True):
        config = Config(party=party, listen=f"127.0.0.1:{held.getsockname()[1]}", contact=f"{party} watch room 100")
        homes.append(home.create(folder / party.lower(), config, entropy=os.urandom, now_ms=now_ms))
    for held in sockets:
        held.close()
    blue, green = homes
    offer = join.invite(
        blue, to="GREEN", mechanism="Coast", purpose=Purpose.FLIGHT_SAFETY, mode=Mode.TEST, rules=RULES,
        now_ms=now_ms, entropy=os.urandom,
    )  # fmt: skip
    reply = join.accept(green, offer, join.words(blue)).write
    assert reply is not None
    join.accept(blue, reply, join.words(green))
    return blue.path, green.path


def notices(now_ms: int) -> Iterator[Terms]:
    """Routine notices on time, over the whole area, all heights and four weeks, as they would really be: few meet."""
    for n in itertools.count():
        shape = Circle.at(lat=34.7 + (n * 37 % 211) / 100, lng=34.3 + (n * 53 % 293) / 100, radius_km=10)
        start = now_ms + HOUR_MS + (n * 7919 % 2400) * 15 * 60_000
        lower = Altitude.flight_level(50 + n * 11 % 30 * 10)
        volume = Volume4D(shape, lower, Altitude.flight_level(lower.mm // 30_480 + 10), start, start + HOUR_MS // 2)
        yield Terms(NoticeType.AREA_ACTIVITY, Hazard.CREWED_AIRCRAFT, "watch room 100", (volume,), start + HOUR_MS // 2)


async def until(what: Callable[[], bool], wait_s: float = 60.0) -> None:
    end = time.monotonic() + wait_s
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("the nodes did not get there")
        await asyncio.sleep(0.01)


def _host(folder: Path, drive: Drive, pipe: Connection) -> None:
    async def main() -> None:
        async with Service(home.load(folder), SystemClock()) as service:
            pipe.send("up")
            await drive(service, pipe)

    uvloop.run(main())


async def idle(service: Service, pipe: Connection) -> None:
    """The other side: up until the pipe says stop."""
    await asyncio.to_thread(pipe.recv)


class Hosted:
    """A node in a process of its own; `pipe` talks to its `drive`."""

    def __init__(self, folder: Path, drive: Drive) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_host, args=(folder, drive, theirs))
        self._process.start()
        theirs.close()
        self.pipe.recv()

    def stop(self) -> None:
        self.pipe.send(None)
        self._process.join(20)
        if self._process.is_alive():
            self._process.kill()
