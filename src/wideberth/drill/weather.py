# SPDX-License-Identifier: Apache-2.0
"""A stretch of bad line between two nodes: TCP in, TCP out, and in between what a drill or a test makes of the weather.

TLS is pinned, so nothing inside can be read or answered here; weather is done to connections. Whenever the caller
speaks after the other side has spoken (a *turn*: a handshake or one delivery), the dice decide whether that turn is
lost before it arrives or after it was taken (the reply is lost). Either way the connection breaks, and the hole stays
open for a moment, so that a client's immediate second try falls into it as well: a lost delivery is really lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from typing import Any

HOLE_S = 0.05


class Weather:
    """`port` is where callers connect; what they say goes on to `to_port`. Set `cut`, `loss` and `delay_s` at will."""

    def __init__(self, port: int, to_port: int, *, seed: int = 0) -> None:
        self.port = port
        self.cut = False
        self.loss = 0.0
        self.delay_s = 0.0
        self.turns = 0
        self.lost_there = 0
        self.lost_back = 0
        self.turn_bytes: list[int] = []
        self._to_port = to_port
        self._dice = random.Random(seed)  # noqa: S311 - of weather, not of keys
        self._hole_until = 0.0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._up.wait(10):
            raise RuntimeError("the weather did not come up")

    @property
    def lost(self) -> int:
        return self.lost_there + self.lost_back

    def storm(self) -> None:
        """Nothing goes through any more; what is connected is torn off."""
        self.cut = True
        self._loop.call_soon_threadsafe(self._tear)

    def calm(self) -> None:
        self.cut, self.loss, self.delay_s = False, 0.0, 0.0

    def stop(self) -> None:
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._tear)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _tear(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", self.port))
        self._up.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.cut or time.monotonic() < self._hole_until:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        ends = (writer, far_writer)
        self._open.update(ends)
        state = {"speaks": "far", "lose_reply": False}
        try:
            await asyncio.gather(self._there(reader, far_writer, state), self._back(far_reader, writer, state))
        except (OSError, _Lost, asyncio.CancelledError):
            pass  # torn off, lost, or the weather ends
        finally:
            for end in ends:
                self._open.discard(end)
                end.transport.abort()

    async def _there(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter, state: dict[str, Any]) -> None:
        while data := await reader.read(65536):
            if state["speaks"] == "far":
                state["speaks"] = "near"
                self.turns += 1
                self.turn_bytes.append(0)
                luck = self._dice.random()
                if luck < self.loss / 2:
                    self.lost_there += 1
                    self._hole_until = time.monotonic() + HOLE_S
                    raise _Lost
                state["lose_reply"] = luck < self.loss
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
            self.turn_bytes[-1] += len(data)
            far.write(data)
            await far.drain()
        with contextlib.suppress(OSError):
            far.write_eof()

    async def _back(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter, state: dict[str, Any]) -> None:
        while data := await reader.read(65536):
            if state["speaks"] == "near":
                state["speaks"] = "far"
                if state["lose_reply"]:
                    self.lost_back += 1
                    self._hole_until = time.monotonic() + HOLE_S
                    raise _Lost
            near.write(data)
            await near.drain()
        raise _Lost  # the far side hung up: so do we


class _Lost(Exception):
    """This connection is gone."""
