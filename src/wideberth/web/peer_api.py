# SPDX-License-Identifier: Apache-2.0
"""What a node serves to its peers: bytes in, bytes out. It knows no rules and reads no entry.

    POST /v1/deliveries    a sealed delivery (`link/delivery.py`) -> 200 and a sealed delivery back, maybe an empty one
    POST /v1/relayed       the same from a mediator, wrapped both ways with what is signed about it (`link/wrapper.py`)
    GET, POST /v1/hello    {"protocol": "wideberth", "version": 1} and nothing else: whoever asks learns nothing about
                           channels, peers or plans

A fault is answered as problem+json with the sentence of `web/faults.py`'s table. A peer that falls silent in the middle
of a delivery is cut off after `BODY_S`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive as ASGIReceive
from starlette.types import Scope, Send

from wideberth.core.limits import DELIVERY_BYTES_MAX
from wideberth.core.seal.mediation import Handed, answered_for
from wideberth.errors import Fault, Misuse, Oversized, Theirs, Unreachable
from wideberth.link.delivery import Delivery, open_delivery, read_address, seal_delivery
from wideberth.link.desk import Desk
from wideberth.link.keyring import KeyRing
from wideberth.link.way import CONTENT_TYPE, HELLO_PATH, PATH
from wideberth.link.wrapper import RELAYED_PATH, WRAPPER_BYTES_MAX, WRAPPER_TYPE
from wideberth.web.faults import problem

# A mebibyte at 64 kbit/s takes 131 s.
BODY_S: Final = 150.0
_HELLO: Final = b'{"protocol":"wideberth","version":1}'

Receive = Callable[[Delivery], Awaitable[Delivery]]


def peer_routes(
    receive: Receive, keys: KeyRing, desk: Desk | None = None, *, body_s: float = BODY_S
) -> list[Route]:  # fmt: skip
    """The routes of the peer API. `receive` takes an opened delivery and returns what goes back: the same channel, the
    other way round; when it returns, what it receipts is durable. It may raise any Fault. `desk` takes what comes
    through mediators; without one, nothing may."""
    routes = [
        Route(PATH, _Deliveries(receive, keys, body_s), methods=["POST"]),
        Route(HELLO_PATH, _hello, methods=["GET", "POST"]),
    ]
    if desk is not None:
        routes.append(Route(RELAYED_PATH, _Relayed(receive, keys, body_s, desk), methods=["POST"]))
    return routes


async def _hello(request: Request) -> Response:
    return Response(_HELLO, media_type="application/json")


class _Deliveries:
    """An ASGI application of its own rather than a function of a request: it needs nothing that a Request gives."""

    content_type = CONTENT_TYPE
    most = DELIVERY_BYTES_MAX

    def __init__(self, receive: Receive, keys: KeyRing, body_s: float) -> None:
        self._receive = receive
        self._keys = keys
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: ASGIReceive, send: Send) -> None:
        try:
            answer = await self._answer(await read_body(scope, receive, self.most, self._body_s))
        except Fault as fault:
            return await problem(fault, to_peer=True)(scope, receive, send)
        return await send_bytes(send, answer, self.content_type)

    async def _answer(self, wire: bytes) -> bytes:
        return await self._exchange(wire, None)

    async def _exchange(self, wire: bytes, handed: Handed | None) -> bytes:
        """Sealed in, sealed out."""
        with answered_for(handed):
            address = read_address(wire)
            delivery = open_delivery(wire, address, self._keys.opening(address))
        reply = await self._receive(delivery)
        if (reply.ch, reply.sender, reply.to) != (delivery.ch, delivery.to, delivery.sender):
            raise Misuse("the reply to a delivery goes back where it came from")
        return seal_delivery(reply, self._keys.sealing(reply.ch, reply.to))


class _Relayed(_Deliveries):
    """What a mediator hands over: who signed for it is checked first, and kept, before anything is opened."""

    content_type = WRAPPER_TYPE
    most = WRAPPER_BYTES_MAX

    def __init__(self, receive: Receive, keys: KeyRing, body_s: float, desk: Desk) -> None:
        super().__init__(receive, keys, body_s)
        self._desk = desk

    async def _answer(self, wire: bytes) -> bytes:
        handed = self._desk.take(wire)
        try:
            sealed = await self._exchange(handed.sealed, handed)
        except Theirs as fault:
            self._desk.refused(fault, handed.stamp)
            raise
        return self._desk.answer(handed, sealed)


async def send_bytes(send: Send, data: bytes, content_type: str, status: int = 200) -> None:
    """A whole response."""
    head = [(b"content-type", content_type.encode()), (b"content-length", b"%d" % len(data))]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": data})


async def read_body(scope: Scope, receive: ASGIReceive, most: int, body_s: float) -> bytes:
    """The body of a request, never more of it in memory than `most` bytes and one chunk. Raises: Oversized,
    Unreachable."""
    # uvicorn's parser has refused what is no number; without a length (chunked) the loop below counts.
    if any(name == b"content-length" and int(value) > most for name, value in scope["headers"]):
        raise Oversized(f"a delivery has at most {most} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(body_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Unreachable("the peer hung up in the middle of a delivery")
                body += message.get("body", b"")
                if len(body) > most:
                    raise Oversized(f"a delivery has at most {most} bytes")
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise Unreachable("the peer fell silent in the middle of a delivery") from None
