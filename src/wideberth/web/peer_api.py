# SPDX-License-Identifier: Apache-2.0
"""What a node serves to its peers: bytes in, bytes out. It knows no rules and reads no entry.

    POST /v1/deliveries    a sealed delivery (`link/delivery.py`) -> 200 and a sealed delivery back, maybe an empty one
    GET  /v1/hello         {"protocol": "wideberth", "version": 1} and nothing else: whoever asks learns nothing about
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
from wideberth.errors import Fault, Misuse, Oversized, Unreachable
from wideberth.link.client import CONTENT_TYPE, PATH
from wideberth.link.delivery import Delivery, open_delivery, read_address, seal_delivery
from wideberth.link.keyring import KeyRing
from wideberth.web.faults import problem

# A mebibyte at 64 kbit/s takes 131 s.
BODY_S: Final = 150.0
_HELLO: Final = b'{"protocol":"wideberth","version":1}'

Receive = Callable[[Delivery], Awaitable[Delivery]]


def peer_routes(receive: Receive, keys: KeyRing, *, body_s: float = BODY_S) -> list[Route]:
    """The routes of the peer API. `receive` takes an opened delivery and returns what goes back: the same channel, the
    other way round; when it returns, what it receipts is durable. It may raise any Fault."""
    return [
        Route(PATH, _Deliveries(receive, keys, body_s), methods=["POST"]),
        Route("/v1/hello", _hello, methods=["GET"]),
    ]


async def _hello(request: Request) -> Response:
    return Response(_HELLO, media_type="application/json")


class _Deliveries:
    """An ASGI application of its own rather than a function of a request: it needs nothing that a Request gives."""

    def __init__(self, receive: Receive, keys: KeyRing, body_s: float) -> None:
        self._receive = receive
        self._keys = keys
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: ASGIReceive, send: Send) -> None:
        try:
            sealed = await self._answer(await _body(scope, receive, self._body_s))
        except Fault as fault:
            return await problem(fault, to_peer=True)(scope, receive, send)
        head = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", b"%d" % len(sealed))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        return await send({"type": "http.response.body", "body": sealed})

    async def _answer(self, wire: bytes) -> bytes:
        address = read_address(wire)
        delivery = open_delivery(wire, address, self._keys.opening(address))
        reply = await self._receive(delivery)
        if (reply.ch, reply.sender, reply.to) != (delivery.ch, delivery.to, delivery.sender):
            raise Misuse("the reply to a delivery goes back where it came from")
        return seal_delivery(reply, self._keys.sealing(reply.ch, reply.to))


async def _body(scope: Scope, receive: ASGIReceive, body_s: float) -> bytes:
    """The body, never more of it in memory than the limit and one chunk. Raises: Oversized, Unreachable."""
    # uvicorn's parser has refused what is no number; without a length (chunked) the loop below counts.
    if any(name == b"content-length" and int(value) > DELIVERY_BYTES_MAX for name, value in scope["headers"]):
        raise Oversized(f"a delivery has at most {DELIVERY_BYTES_MAX} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(body_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Unreachable("the peer hung up in the middle of a delivery")
                body += message.get("body", b"")
                if len(body) > DELIVERY_BYTES_MAX:
                    raise Oversized(f"a delivery has at most {DELIVERY_BYTES_MAX} bytes")
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise Unreachable("the peer fell silent in the middle of a delivery") from None
