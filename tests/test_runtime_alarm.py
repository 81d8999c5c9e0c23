# SPDX-License-Identifier: Apache-2.0
"""The one alarm of a running node: never later than the core asked for, and not set anew for every event."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from wideberth.core.batch import Batch, Now
from wideberth.runtime import Runtime
from wideberth.store.memory import MemoryStore


class Clockwork:
    by_hand = False

    def now(self) -> Now:
        return Now(1_900_000_000_000, int(asyncio.get_running_loop().time() * 1000))


def runtime(rang: list[int]) -> Runtime:
    def step(_event: object, now: Now) -> Batch:
        rang.append(now.mono_ms)
        return Batch()

    node = SimpleNamespace(lines={}, started=lambda _now: Batch(), step=step)
    guard = SimpleNamespace(low=lambda: False, release=lambda: None)
    return Runtime(
        lambda: cast(Any, node), MemoryStore(), Clockwork(), guard,
        post=lambda _ch, _peer: None, tell=lambda _tell, _first: None, feed=lambda _feed, _now: None,
    )  # fmt: skip


def test_a_sooner_wake_moves_the_alarm_and_a_later_one_leaves_it() -> None:
    async def main() -> None:
        rang: list[int] = []
        made = runtime(rang)
        task = asyncio.create_task(made.run())
        await asyncio.sleep(0)
        now = Clockwork().now()
        made._set_wake(now.mono_ms + 60_000, now)
        made._set_wake(now.mono_ms + 30, now)
        alarm = made._timer
        made._set_wake(now.mono_ms + 50_000, now)
        assert made._timer is alarm, "one more timer for a later time"
        async with asyncio.timeout(5):
            while not rang:
                await asyncio.sleep(0.005)
        assert rang[0] >= now.mono_ms + 30
        assert made._timer is None, "the core asked for nothing more"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_no_wake_takes_the_alarm_away() -> None:
    async def main() -> None:
        made = runtime([])
        now = Clockwork().now()
        made._set_wake(now.mono_ms + 10, now)
        made._set_wake(None, now)
        assert made._timer is None

    asyncio.run(main())
