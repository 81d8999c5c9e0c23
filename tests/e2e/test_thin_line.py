# SPDX-License-Identifier: Apache-2.0
"""A thin and lossy line (domain.md N1): what is urgent overtakes a backlog, and the backlog comes as well.

Two real nodes in one process on the system's clock, with real sockets, and `thin.py` between them. How fast it is is
measured by `benchmarks/bench_thin_line.py`; here only what comes before what.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.nodes import RULES, make_home, meet
from tests.e2e.thin import ThinLine, free_ports
from wideberth.clock import SystemClock
from wideberth.core import events as ev
from wideberth.core.say.place import Altitude
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms
from wideberth.service import Service

HOUR_MS = 3_600_000
BACKLOG = 100
BY = "BLUE/watch-1"


async def until(holds: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + 240
    while not holds():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.02)


def notice(n: int, now_ms: int, type_: NoticeType = NoticeType.AREA_ACTIVITY) -> Terms:
    shape = Circle.at(lat=34.7 + 0.02 * n, lng=34.6, radius_km=10)
    start = now_ms if type_ is NoticeType.HOLD_OFF else now_ms + 6 * HOUR_MS
    volume = Volume4D(shape, Altitude.surface(), Altitude.flight_level(300), start, start + 2 * HOUR_MS)
    return Terms(type_, Hazard.PEOPLE_PRESENT, "watch room 100", (volume,), start + 2 * HOUR_MS)


class Pair:
    def __init__(self, folder: Path) -> None:
        now_ms = time.time_ns() // 1_000_000
        own, public = free_ports(2), free_ports(2)
        self.thin = ThinLine()
        homes = [
            make_home(folder / party.lower(), party, own[n], public[n], now_ms)
            for n, party in enumerate(("BLUE", "GREEN"))
        ]
        self.ch = meet(homes[0], homes[1], Mode.SIMULATED, RULES, now_ms)
        self.blue, self.green = (Service(home, SystemClock()) for home in homes)
        self._ports = own, public

    async def __aenter__(self) -> Pair:
        self.thin.start()
        for n, (own, public) in enumerate(zip(*self._ports, strict=True)):
            self.thin.door(public, own, back=n == 0)
        await asyncio.gather(self.blue.start(), self.green.start())
        await until(lambda: self.blue.node.lines and self.green.node.lines, "the line opens")
        await until(lambda: self.receipted, "the first word is receipted")
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(self.blue.stop(), self.green.stop())
        await self.thin.stop()

    @property
    def newest(self) -> int:
        return self.blue.node.lines[self.ch].channel.newest

    @property
    def receipted(self) -> int:
        return self.blue.node.lines[self.ch].channel.outboxes["GREEN"].receipted

    async def gives(self, terms: Terms) -> str:
        await self.blue.runtime.submit(ev.GiveNotice(self.ch, BY, terms))
        return self.blue.node.lines[self.ch].channel.own.head

    def rang(self, entry: str) -> bool:
        return any(told.first and getattr(told.tell, "entry", "") == entry for told in self.green.bus.since(0))

    def heard(self) -> int:
        return sum(type(told.tell).__name__ == "Heard" and not told.first for told in self.green.bus.since(0))


@contextlib.asynccontextmanager
async def two() -> AsyncIterator[Pair]:
    folder = Path(tempfile.mkdtemp(prefix="wb-"))
    try:
        async with Pair(folder) as pair:
            yield pair
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_hold_off_rings_while_a_hundred_routine_notices_still_wait_and_they_come_as_well(seed: int) -> None:
    async def story() -> None:
        async with two() as pair:
            pair.thin.reseed(seed)
            pair.thin.thin(rate=3000, loss=0.1)
            now_ms = pair.blue.clock.now().t_ms
            for n in range(BACKLOG + 60):
                await pair.gives(notice(n % 100, now_ms))
            before = pair.receipted
            await until(lambda: pair.receipted > before, "the backlog begins to move")
            assert pair.newest - pair.receipted > BACKLOG / 2
            entry = await pair.gives(notice(1, now_ms, NoticeType.HOLD_OFF))
            await until(lambda: pair.rang(entry), "the hold-off rings")
            waiting = pair.newest - pair.receipted
            assert waiting > BACKLOG / 4, waiting
            before = pair.receipted
            await until(lambda: pair.receipted > before, "the backlog goes on")
            assert pair.thin.there.lost > 0
            pair.thin.thin(rate=0, loss=0)
            await until(lambda: pair.receipted == pair.newest, "a line that gets better is soon known as such")
            assert sum(told.first for told in pair.green.bus.since(0)) == 1  # it rang once

    asyncio.run(story())
