# SPDX-License-Identifier: Apache-2.0
"""One kept HTTP/1.1 connection to a peer, for one kind of request: POST of some bytes, bytes back.

    poster = Poster("https://192.0.2.7:7443", tls)
    to = Endpoint("/v1/deliveries", "application/x")
    status, body = await poster.post(to, data, patience)  # body None: no stated length, or beyond the limit; not read
    poster.close()

This does what the line needs and no more, and costs less than a general client: no redirects, no
cookies, no encodings, no pools, nothing in the head that a routine notice does not need on a poor link or that tells
which software we are. Responses are parsed by llhttp (`httptools`), as the server parses requests.

`post` raises, besides what the loop raises while it writes or reads (OSError):

    CannotConnect     no connection; `__cause__` says why
    TimeoutError      no connection, no next byte or no whole answer in time
    Broken            hung up, or what came is not HTTP
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

import httptools
import msgspec

from wideberth.core.limits import DELIVERY_BYTES_MAX, KIB

# One segment at the smallest of what IP must carry (RFC 9293, 3.7.1), with the TLS record that it goes in.
PIECE_BYTES: Final = 512
# Shorter than the servers' (`web/server.py`), so that a connection is seldom written to as it is closed.
KEPT_S: Final = 90.0
_HEAD_BYTES_MAX: Final = 16 * KIB


class Patience(msgspec.Struct, frozen=True):
    """How long to wait, seconds: for a connection with its TLS handshake, for the next byte, for a whole exchange.

    The whole: a delivery of `client.TOGETHER_BYTES` each way at 64 kbit/s takes 66 s.
    """

    connect_s: float = 10.0
    silence_s: float = 20.0
    whole_s: float = 90.0

    def with_more(self, seconds: float) -> Patience:
        """As much longer for each: on a thin line every part of it takes its time."""
        return Patience(self.connect_s + seconds, self.silence_s + seconds, self.whole_s + seconds)


class Endpoint(NamedTuple):
    """What is posted to: the path at the peer's address, and the type of what goes there."""

    path: str
    content_type: str


class Paced:
    """How to say something that may take its time: in pieces, so fast, and while `free` is set. So little of it is on
    its way at any moment that something else, on another connection, need not wait for it."""

    def __init__(self, bytes_s: float, free: asyncio.Event) -> None:
        self.bytes_s = bytes_s
        self.free = free
        self.paused = False


class CannotConnect(Exception):
    pass


class Broken(Exception):
    pass


Answer = tuple[int, bytes | None]


class Poster:
    """See the module. One post at a time."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        """`url`: scheme, host and port. A fault in it shows when something is posted."""
        self._url = url
        self._tls = tls
        self._open: _Connection | None = None
        self.losses = 0  # how many connections that were open are not any more

    @property
    def is_open(self) -> bool:
        return self._open is not None and self._open.usable()

    async def post(self, to: Endpoint, data: bytes, patience: Patience, paced: Paced | None = None) -> Answer:
        head = self._head(to)
        async with asyncio.timeout(patience.whole_s):
            if self._open is not None and self._open.usable():
                # The peer may close the kept connection while we write. Once more on a new one; repeats are harmless.
                with contextlib.suppress(Broken, ConnectionError):
                    return await self._exchange(self._open, head, data, patience, paced)
            self.close()
            return await self._exchange(await self._connect(patience), head, data, patience, paced)

    async def _exchange(
        self, connection: _Connection, head: bytes, data: bytes, patience: Patience, paced: Paced | None
    ) -> Answer:
        self._open = connection
        try:
            return await connection.exchange(head, data, patience.silence_s, paced)
        except BaseException:
            self.close()  # whatever still comes on it would be taken for the next answer
            raise

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def cut(self) -> None:
        """Close, and let the system forget what it has not sent yet."""
        if self._open is not None:
            self._open.forget()
        self.close()

    def _address(self) -> tuple[str, int, str, bool]:
        """Host, port, both as written, and whether it is without TLS. Raises: Broken."""
        try:
            url = urlsplit(self._url)
            host, port, name = url.hostname or "", url.port, url.netloc.rpartition("@")[2]
            if not host or not (name + url.path).isascii() or not (name + url.path).isprintable() or " " in self._url:
                raise ValueError("not an address")
        except ValueError as why:
            raise Broken from why
        plain = url.scheme == "http"
        return host, port or (80 if plain else 443), name, plain

    def _head(self, to: Endpoint) -> bytes:
        _, _, name, _ = self._address()
        path = urlsplit(self._url).path + to.path
        return (f"POST {path} HTTP/1.1\r\nHost: {name}\r\nContent-Type: {to.content_type}\r\nContent-Length: ").encode()

    async def _connect(self, patience: Patience) -> _Connection:
        loop = asyncio.get_running_loop()
        host, port, _, plain = self._address()
        try:
            async with asyncio.timeout(patience.connect_s):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self._lost), host, port, ssl=None if plain else self._tls
                )
        except TimeoutError:
            raise
        except (OSError, UnicodeError) as why:
            raise CannotConnect from why
        return connection

    def _lost(self) -> None:
        self.losses += 1


class _Connection(asyncio.Protocol):
    """A connection, and the answer to the one request that may be under way. `lost` is called when it is none."""

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._written = asyncio.Event()
        self._written.set()
        self._silence: asyncio.TimerHandle | None = None
        self._heard_s = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self.on_message_begin()

    def usable(self) -> bool:
        transport = self._transport
        return transport is not None and not transport.is_closing() and self._loop.time() - self._heard_s < KEPT_S

    async def exchange(self, head: bytes, data: bytes, silence_s: float, paced: Paced | None) -> Answer:
        """`head` ends where the length goes."""
        if self._transport is None or self._transport.is_closing():
            raise Broken
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._answer = answer
        try:
            said = b"%b%d\r\n\r\n%b" % (head, len(data), data)
            if paced is None:
                self._transport.write(said)
            else:
                await self._say(self._transport, said, paced, answer)
            # A long delivery on a slow line is no silence of the peer's: its time begins when we have said it all.
            if not self._written.is_set():
                done = asyncio.ensure_future(self._written.wait())
                either: list[asyncio.Future[Any]] = [done, answer]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                done.cancel()
            self._heard_s = self._loop.time()
            self._listen(silence_s)
            return await answer
        finally:
            self._answer = None
            if self._silence is not None:
                self._silence.cancel()
                self._silence = None

    @staticmethod
    async def _say(
        transport: asyncio.Transport, said: bytes, paced: Paced, answer: asyncio.Future[Answer]
    ) -> None:  # fmt: skip
        """Until all is said, or the peer has answered before."""
        for at in range(0, len(said), PIECE_BYTES):
            paced.paused = paced.paused or not paced.free.is_set()
            await paced.free.wait()
            if answer.done():
                return
            piece = said[at : at + PIECE_BYTES]
            transport.write(piece)
            await asyncio.sleep(len(piece) / paced.bytes_s)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def forget(self) -> None:
        """Closing will reset the connection: nothing that still waits in the system is sent any more."""
        plug = self._transport.get_extra_info("socket") if self._transport is not None else None
        if plug is not None:
            with contextlib.suppress(OSError):
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _listen(self, silence_s: float) -> None:
        """One timer that looks whether anything came since, instead of one for every chunk."""
        left = self._heard_s + silence_s - self._loop.time()
        if left <= 0:
            self._fail(TimeoutError())
        else:
            self._silence = self._loop.call_later(left, self._listen, silence_s)

    def _fail(self, why: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(why)
        self.close()

    def _finish(self, body: bytes | None) -> None:
        status = self._parser.get_status_code()
        if self._answer is None or self._answer.done():
            return
        if body is None or not self._parser.should_keep_alive():
            self.close()
        self._answer.set_result((status, body))

    # --- what the loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's derives from nothing
        self._heard_s = self._loop.time()

    def pause_writing(self) -> None:
        self._written.clear()

    def resume_writing(self) -> None:
        self._written.set()

    def data_received(self, data: bytes) -> None:
        self._heard_s = self._loop.time()
        if self._answer is None or self._answer.done():
            return self.close()  # nobody asked
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return self._fail(Broken())
        if self._in_head and self._head_bytes > _HEAD_BYTES_MAX:
            self._fail(Broken())
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()
        self._written.set()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc if isinstance(exc, OSError) else Broken())

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        self._length: int | None = None
        self._body = bytearray()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-length":
            self._length = int(value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._parser.get_status_code() >= 200 and (self._length is None or self._length > DELIVERY_BYTES_MAX):
            self._finish(None)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= 200:  # what is below says only that an answer will come
            self._finish(bytes(self._body))
