# SPDX-License-Identifier: Apache-2.0
"""One kept HTTP/1.1 connection to a peer, for one kind of request: POST of some bytes, bytes back.

    poster = Poster("https://192.0.2.7:7443/v1/deliveries", tls, "application/x", patience)
    status, body = await poster.post(data)      # body None: no stated length, or beyond the limit; it is not read
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
import ssl
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httptools
import msgspec

from wideberth.core.limits import DELIVERY_BYTES_MAX, KIB

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


class CannotConnect(Exception):
    pass


class Broken(Exception):
    pass


Answer = tuple[int, bytes | None]


class Poster:
    """See the module. One post at a time."""

    def __init__(self, url: str, tls: ssl.SSLContext, content_type: str, patience: Patience) -> None:
        self._url = url
        self._tls = tls
        self._content_type = content_type
        self._patience = patience
        self._head = b""
        self._open: _Connection | None = None

    async def post(self, data: bytes) -> Answer:
        async with asyncio.timeout(self._patience.whole_s):
            if self._open is not None and self._open.usable():
                # The peer may close the kept connection while we write. Once more on a new one; repeats are harmless.
                with contextlib.suppress(Broken, ConnectionError):
                    return await self._exchange(self._open, data)
            self.close()
            return await self._exchange(await self._connect(), data)

    async def _exchange(self, connection: _Connection, data: bytes) -> Answer:
        self._open = connection
        try:
            return await connection.exchange(self._head, data, self._patience.silence_s)
        except BaseException:
            self.close()  # whatever still comes on it would be taken for the next answer
            raise

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            url = urlsplit(self._url)
            host, port, name = url.hostname or "", url.port, url.netloc.rpartition("@")[2]
            if not host or not (name + url.path).isascii() or not (name + url.path).isprintable() or " " in self._url:
                raise ValueError("not an address")
        except ValueError as why:
            raise Broken from why
        plain = url.scheme == "http"
        self._head = (
            f"POST {url.path} HTTP/1.1\r\nHost: {name}\r\nContent-Type: {self._content_type}\r\nContent-Length: "
        ).encode()
        try:
            async with asyncio.timeout(self._patience.connect_s):
                _, connection = await loop.create_connection(
                    _Connection, host, port or (80 if plain else 443), ssl=None if plain else self._tls
                )
        except TimeoutError:
            raise
        except (OSError, UnicodeError) as why:
            raise CannotConnect from why
        return connection


class _Connection(asyncio.Protocol):
    """A connection, and the answer to the one request that may be under way."""

    def __init__(self) -> None:
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

    async def exchange(self, head: bytes, data: bytes, silence_s: float) -> Answer:
        """`head` ends where the length goes."""
        if self._transport is None or self._transport.is_closing():
            raise Broken
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._answer = answer
        try:
            self._transport.write(b"%b%d\r\n\r\n%b" % (head, len(data), data))
            # A long delivery on a slow line is no silence of the peer's: its time begins when we have said it all.
            if not self._written.is_set():
                said = asyncio.ensure_future(self._written.wait())
                either: list[asyncio.Future[Any]] = [said, answer]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                said.cancel()
            self._heard_s = self._loop.time()
            self._listen(silence_s)
            return await answer
        finally:
            self._answer = None
            if self._silence is not None:
                self._silence.cancel()
                self._silence = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

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
