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

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from wideberth.core.limits import DELIVERY_BYTES_MAX
from wideberth.errors import Fault, Malformed, Misuse, Oversized, Unreachable
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

    async def deliveries(request: Request) -> Response:
        try:
            wire = await _body(request, body_s)
            address = read_address(wire)
            delivery = open_delivery(wire, address, keys.opening(address))
            reply = await receive(delivery)
            if (reply.ch, reply.sender, reply.to) != (delivery.ch, delivery.to, delivery.sender):
                raise Misuse("the reply to a delivery goes back where it came from")
            sealed = seal_delivery(reply, keys.sealing(reply.ch, reply.to))
        except Fault as fault:
            return problem(fault, to_peer=True)
        return Response(sealed, media_type=CONTENT_TYPE)

    async def hello(request: Request) -> Response:
        return Response(_HELLO, media_type="application/json")

    return [Route(PATH, deliveries, methods=["POST"]), Route("/v1/hello", hello, methods=["GET"])]


async def _body(request: Request, body_s: float) -> bytes:
    """The body, never more of it in memory than the limit and one chunk. Raises: Oversized, Malformed, Unreachable."""
    stated = request.headers.get("content-length", "0")
    if not stated.isdecimal():
        raise Malformed("the length of this delivery cannot be read")
    if len(stated) > 9 or int(stated) > DELIVERY_BYTES_MAX:
        raise Oversized(f"a delivery has at most {DELIVERY_BYTES_MAX} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(body_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > DELIVERY_BYTES_MAX:  # chunked transfer states no length
                    raise Oversized(f"a delivery has at most {DELIVERY_BYTES_MAX} bytes")
    except (TimeoutError, ClientDisconnect):
        raise Unreachable("the peer fell silent in the middle of a delivery") from None
    return bytes(body)
