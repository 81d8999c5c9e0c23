# SPDX-License-Identifier: Apache-2.0
"""The node's end of its inner process: starts it, feeds it, asks it, hears what it tells.

Feeding never waits: what the child cannot take yet queues here. If the child dies the node says so loudly and goes on:
the record and the line do not need it, and a warning that cannot be weighed is still a warning.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from wideberth import errors
from wideberth.core.batch import Now
from wideberth.core.feed import Feed
from wideberth.core.tells import FaultSeen, Level
from wideberth.core.warned import Warned
from wideberth.errors import Fault, Misuse, Worlds
from wideberth.inner.protocol import Ask, FaultText, Request, Response, Take

# One line of JSON from the child: an exposure with its picture is some 20 kB.
_LINE_BYTES_MAX: Final = 16 * 1024 * 1024
_STOP_S: Final = 5.0
_ENCODER: Final = msgspec.json.Encoder()
_RESPONSES: Final = msgspec.json.Decoder(Response)

# What comes nearer is told at most this much later; the last threshold is five minutes before.
BEAT_S: Final = 5.0


class InnerProcess:
    """`path` is the plans' own database. `tell` is called on the loop's thread. `now` is the node's clock."""

    def __init__(self, path: Path, tell: Callable[[Warned | FaultSeen], None], now: Callable[[], Now]) -> None:
        self._path = path
        self._tell = tell
        self._now = now
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._n = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self) -> None:
        """The child is up and has read its plans. Raises Fault when it cannot."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "wideberth.inner.process", str(self._path),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LINE_BYTES_MAX,
            start_new_session=True,  # Ctrl-C is for the node, which stops the child in order
        )  # fmt: skip
        self._tasks = [asyncio.create_task(each) for each in (self._write(), self._read(), self._beat())]
        ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[0] = ready
        await ready

    def feed(self, feed: Sequence[Feed], now: Now) -> None:
        """One way; never waits."""
        self._queue.put_nowait(_ENCODER.encode(Request(0, now, Take(tuple(feed)))) + b"\n")

    async def ask(self, ask: Ask, now: Now) -> Any:
        """Raises the child's Fault."""
        if self._process is None or self._process.returncode is not None:
            raise Worlds("the inner process is not running: plans cannot be read. Restart the node")
        self._n += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._n] = future
        self._queue.put_nowait(_ENCODER.encode(Request(self._n, now, ask)) + b"\n")
        return await future

    async def stop(self) -> None:
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                process.kill()
                await process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _beat(self) -> None:
        """The child hears the time at even steps, and not when something of its own is due: when this process works
        must not depend on own plans (J4)."""
        while True:
            await asyncio.sleep(BEAT_S)
            self.feed((), self._now())

    async def _write(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            while True:
                self._process.stdin.write(await self._queue.get())
                await self._process.stdin.drain()

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            response = _RESPONSES.decode(line)
            if response.tell is not None:
                self._tell(response.tell)
                continue
            future = self._waiting.pop(response.id, None)
            if future is None or future.done():
                continue
            if response.fault is not None:
                future.set_exception(_fault(response.fault))
            else:
                future.set_result(response.answer)
        self._gone()

    def _gone(self) -> None:
        gone = Worlds("the inner process stopped: own plans are not weighed any more. Restart the node now")
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(gone)
        self._waiting.clear()
        if not self._stopping:
            self._tell(FaultSeen(gone.name, gone.whose, gone.sentence, level=Level.RING))


def _fault(text: FaultText) -> Fault:
    kind = getattr(errors, text.fault, Misuse)
    known = isinstance(kind, type) and issubclass(kind, Fault) and kind is not errors.Equivocation
    return (kind if known else Misuse)(text.sentence, **text.details)
