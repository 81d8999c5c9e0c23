# SPDX-License-Identifier: Apache-2.0
"""From the core's tells and warnings to everybody at home who listens: terminals, screens, programs.

Each tell gets a number; a listener that was away asks for what came since the last number it saw. The bus keeps the
newest ones in memory only: what matters is in the record, and can be read there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from wideberth.core.desk.script import Rung
from wideberth.core.tells import Tell
from wideberth.core.warned import Warned

KEPT: Final = 2_000
# A listener this far behind is cut off; it comes back and asks for what it missed.
BEHIND_MAX: Final = 1_000


class Told(msgspec.Struct, frozen=True):
    """`n` counts up from 1 within one run of the node; `first` is True for a ring that came before the record."""

    n: int
    at_ms: int
    first: bool
    tell: Tell | Warned | Rung


class Bus:
    def __init__(self) -> None:
        self._n = 0
        self._kept: deque[Told] = deque(maxlen=KEPT)
        self._listeners: set[asyncio.Queue[Told | None]] = set()

    @property
    def newest(self) -> int:
        return self._n

    def publish(self, tell: Tell | Warned | Rung, at_ms: int, *, first: bool = False) -> None:
        """On the loop's thread; never waits."""
        self._n += 1
        told = Told(self._n, at_ms, first, tell)
        self._kept.append(told)
        for queue in tuple(self._listeners):
            if queue.qsize() >= BEHIND_MAX:
                self._listeners.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(told)

    def since(self, n: int) -> list[Told]:
        return [told for told in self._kept if told.n > n]

    async def listen(self, since: int | None = None) -> AsyncIterator[Told]:
        """Everything after number `since` (None: only what is new), until the listener goes or falls too far behind."""
        queue: asyncio.Queue[Told | None] = asyncio.Queue()
        for told in self.since(self._n if since is None else since):
            queue.put_nowait(told)
        self._listeners.add(queue)
        try:
            while (item := await queue.get()) is not None:
                yield item
        finally:
            self._listeners.discard(queue)


def as_json(told: Told) -> dict[str, Any]:
    """`{"n", "at_ms", "first", "tell": …}` plain data."""
    data: dict[str, Any] = msgspec.to_builtins(told)
    return data
