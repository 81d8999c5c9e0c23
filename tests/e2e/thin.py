# SPDX-License-Identifier: Apache-2.0
"""A thin and lossy stretch of line: TCP in, TCP out, and in between a model of what TCP would make of it.

    thin = ThinLine(rate=1000, loss=0.3, seed=7)
    thin.start()
    thin.door(public_port_of_green, port_of_green)              # for what BLUE calls
    thin.door(public_port_of_blue, port_of_blue, back=True)     # for what GREEN calls
    thin.thin(rate=..., loss=...)                               # at any time; rate 0: as fast as it goes

A proxy sits above TCP and cannot lose a segment of it, so loss is done as TCP would suffer it:

- What is said in one direction, by all connections together, passes one bottleneck, first come first served: `rate`
  bytes a second, `HEADER_BYTES` of IP and TCP for each segment of at most `MSS_BYTES` among them. A retransmission
  passes it again.
- A segment that has passed may be lost (`loss`, seeded). It comes again after a retransmission timeout, counted from
  when its last byte had left; the timeout of that segment then doubles.
- What came behind it waits at the far end until the gap is closed (head of line). A caller is read only while at most
  `WINDOW_SEGMENTS` of its segments are on their way, so that the rest waits in its own kernel, as with TCP.
- A connection that is reset takes what was on its way with it at the far end only: it has been sent and still passes.

The timeout begins at `RTO_S`: RFC 6298 (2.1) begins with one second and (2.4) lets none be shorter. Linux goes down to
its round trip and 200 ms, which at this rate is nearly the same: a segment alone takes 0.6 s to pass. Segments have 536
bytes, what RFC 9293 (3.7.1) falls back on; a longer one would take longer than the timeout. Four on their way is the
window that RFC 5681 (3.1) begins with; at such a loss a real one is 2 to 4 (Padhye et al. 1998, eq. 13). On the kind
side: acknowledgements cost nothing and are not lost, and a connection is set up at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final

MSS_BYTES: Final = 536
HEADER_BYTES: Final = 40
WINDOW_SEGMENTS: Final = 4
RTO_S: Final = 1.0
# As little as the system lets us: what waits must wait with the sender.
_BUFFER_BYTES: Final = 2048


class ThinLine:
    """The way between two nodes: `there` and `back`, each through its bottleneck; a door for what each side calls."""

    def __init__(self, *, rate: float = 0, loss: float = 0.0, seed: int = 0) -> None:
        self.there, self.back = Bottleneck(), Bottleneck()
        self._tasks: set[asyncio.Task[None]] = set()
        self._doors: list[socket.socket] = []
        self.thin(rate=rate, loss=loss)
        self.reseed(seed)

    def thin(self, *, rate: float, loss: float) -> None:
        for way in (self.there, self.back):
            way.rate, way.loss = rate, loss

    def reseed(self, seed: int) -> None:
        self.there.dice.seed(2 * seed)
        self.back.dice.seed(2 * seed + 1)

    def start(self) -> None:
        for way in (self.there, self.back):
            self._spawn(way.run())

    def door(self, port: int, to_port: int, *, back: bool = False) -> None:
        """Who connects to `port` is let out at `to_port`; with `back` the caller is on the far side."""
        door = socket.create_server(("127.0.0.1", port), backlog=64)
        door.setblocking(False)
        # Inherited by what is accepted: a small window, and small segments so that it moves smoothly.
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, MSS_BYTES)
        self._doors.append(door)
        ways = (self.back, self.there) if back else (self.there, self.back)
        self._spawn(self._accept(door, to_port, ways))

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for door in self._doors:
            door.close()

    async def _accept(self, door: socket.socket, to_port: int, ways: tuple[Bottleneck, Bottleneck]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            near, _ = await loop.sock_accept(door)
            self._spawn(self._connected(near, to_port, ways))

    async def _connected(self, near: socket.socket, to_port: int, ways: tuple[Bottleneck, Bottleneck]) -> None:
        loop = asyncio.get_running_loop()
        there, back = ways
        there.connections += 1
        far = socket.socket()
        for each in (near, far):
            each.setblocking(False)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        pipes: list[asyncio.Task[None]] = []
        try:
            await loop.sock_connect(far, ("127.0.0.1", to_port))
            pipes.append(asyncio.create_task(_Pipe(there, near, far).run()))
            pipes.append(asyncio.create_task(_Pipe(back, far, near).run()))
            await asyncio.gather(*pipes)
        except OSError:
            # Two ends of one connection: where one is reset, so is the other.
            for each in (near, far):
                with contextlib.suppress(OSError):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            for pipe in pipes:
                pipe.cancel()
            await asyncio.gather(*pipes, return_exceptions=True)
            near.close()
            far.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Segment:
    __slots__ = ("data", "lost", "pipe", "seq")

    def __init__(self, pipe: _Pipe, seq: int, data: bytes) -> None:
        self.pipe = pipe
        self.seq = seq
        self.data = data
        self.lost = 0


class Bottleneck:
    """One direction, shared by all connections. `bytes` passed, with headers and repeats; `sent`, `lost` segments."""

    def __init__(self) -> None:
        self.rate = 0.0
        self.loss = 0.0
        self.bytes = self.sent = self.lost = self.connections = 0
        self.dice = random.Random()
        self._queue: deque[_Segment] = deque()
        self._something = asyncio.Event()

    def put(self, segment: _Segment) -> None:
        self._queue.append(segment)
        self._something.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        free_s = loop.time()
        while True:
            if not self._queue:
                self._something.clear()
                await self._something.wait()
                continue
            segment = self._queue.popleft()
            size = len(segment.data) + HEADER_BYTES
            if self.rate:
                # By the clock, not by sleeps added up: they always take a little longer.
                free_s = max(free_s, loop.time() - 0.05) + size / self.rate
                await asyncio.sleep(max(0.0, free_s - loop.time()))
            self.bytes += size
            self.sent += 1
            if self.loss and self.dice.random() < self.loss:
                self.lost += 1
                loop.call_later(RTO_S * 2**segment.lost, self.put, segment)
                segment.lost += 1
            else:
                segment.pipe.arrived(segment)


class _Pipe:
    """One direction of one connection."""

    def __init__(self, way: Bottleneck, source: socket.socket, to: socket.socket) -> None:
        self._way = way
        self._source = source
        self._to = to
        self._window = asyncio.Semaphore(WINDOW_SEGMENTS)
        self._came: dict[int, bytes] = {}
        self._news = asyncio.Event()

    async def run(self) -> None:
        reading = asyncio.create_task(self._read())
        try:
            await self._write()
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        seq = 0
        try:
            while True:
                await self._window.acquire()
                data = await loop.sock_recv(self._source, MSS_BYTES)
                self._way.put(_Segment(self, seq, data))
                if not data:
                    return
                seq += 1
        except OSError:
            self._came[-1] = b""
            self._news.set()
            raise

    def arrived(self, segment: _Segment) -> None:
        self._window.release()
        self._came[segment.seq] = segment.data
        self._news.set()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        seq = 0
        while True:
            await self._news.wait()
            self._news.clear()
            if -1 in self._came:
                raise ConnectionResetError
            while (data := self._came.pop(seq, None)) is not None:
                if not data:
                    with contextlib.suppress(OSError):
                        self._to.shutdown(socket.SHUT_WR)
                    return
                await loop.sock_sendall(self._to, data)
                seq += 1


def free_ports(n: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    try:
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()
