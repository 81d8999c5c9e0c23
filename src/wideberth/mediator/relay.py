# SPDX-License-Identifier: Apache-2.0
"""What a mediator does with a delivery: checks who signed for it, stamps it, passes it on at once, brings the answer
back stamped. Bytes in, bytes out; it opens nothing, keeps no delivery, and repeats none.

    POST /v1/relay    a wrapped delivery of a member (`link/wrapper.py`) -> 200 and the recipient's answer, wrapped,
                      with the stamps of both; or 502 and a stamp that says why there is none
    POST /v1/reach    a member asks whether another's node answers now -> 200, or 503
    POST /v1/hello    {"protocol": "wideberth mediator", "version": 1}

Members are whoever's card was added; TLS is refused to everybody else before HTTP begins. A slip that is not the
sender's, or not over these bytes, is refused, and nothing is stamped: that is what makes a stamp worth something.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from wideberth.core.limits import KIB
from wideberth.core.seal import canonical, mediation
from wideberth.core.seal.keys import Signer, Verifier
from wideberth.core.seal.mediation import Slip, Stamp
from wideberth.core.seal.party import Card
from wideberth.errors import Fault, Malformed, Stranger, Unreachable
from wideberth.link.delivery import read_address
from wideberth.link.post import Answer, Broken, CannotConnect, Patience, Poster
from wideberth.link.tls import client_context
from wideberth.link.way import HELLO_PATH, JSON_TYPE
from wideberth.link.wrapper import (
    REACH_PATH,
    RELAY_PATH,
    RELAYED_PATH,
    WRAPPER_BYTES_MAX,
    WRAPPER_TYPE,
    Wrapper,
    pack,
    unpack,
)
from wideberth.web.faults import problem
from wideberth.web.peer_api import BODY_S, read_body, send_bytes

# The sender must hear within ten seconds that the recipient cannot be reached (B9), and before its own patience of 20 s
# ends that there is no answer.
ON: Final = Patience(connect_s=4.0, silence_s=15.0, whole_s=80.0)
# A probe: the member that asks waits for 4 s in all.
PROBE: Final = Patience(connect_s=2.0, silence_s=2.0, whole_s=3.0)
# Deliveries to one member under way at once: one per peer of a full channel, and their probes beside them.
TOGETHER: Final = 16
_REACH_BYTES_MAX: Final = 4 * KIB
_HELLO: Final = b'{"protocol":"wideberth mediator","version":1}'


class Members:
    """Whom the mediator serves, and its kept connections to their nodes."""

    def __init__(self, cards: Mapping[str, Sequence[Card]]) -> None:
        """`cards` by party, the newest first: it says where the node is."""
        self._keys = {party: tuple(card.node for card in each) for party, each in cards.items()}
        self._lines = {party: _Lines(each[0], RELAYED_PATH, WRAPPER_TYPE, ON) for party, each in cards.items()}
        self._probes = {party: _Lines(each[0], HELLO_PATH, JSON_TYPE, PROBE) for party, each in cards.items()}

    def node_keys(self, party: str) -> tuple[str, ...]:
        """The keys that its node signs with. Raises: Stranger."""
        keys = self._keys.get(party)
        if keys is None:
            raise Stranger("this mediator does not serve the sender, or not the recipient")
        return keys

    async def post(self, to: str, data: bytes) -> Answer:
        """Raises what `Poster.post` raises."""
        return await self._lines[to].post(data)

    async def probe(self, to: str) -> None:
        """Raises what `Poster.post` raises."""
        await self._probes[to].post(b"")

    def close(self) -> None:
        for lines in (*self._lines.values(), *self._probes.values()):
            lines.close()


class _Lines:
    """Connections to one member: as many as there are deliveries under way, kept for the next ones."""

    def __init__(self, card: Card, path: str, content_type: str, patience: Patience) -> None:
        self._to = (card.url.rstrip("/") + path, client_context(card.tls_pem), content_type, patience)
        self._idle: list[Poster] = []
        self._room = asyncio.Semaphore(TOGETHER)

    async def post(self, data: bytes) -> Answer:
        async with self._one() as poster:
            return await poster.post(data)

    @contextlib.asynccontextmanager
    async def _one(self) -> AsyncIterator[Poster]:
        async with self._room:
            poster = self._idle.pop() if self._idle else Poster(*self._to)
            try:
                yield poster
            finally:
                self._idle.append(poster)

    def close(self) -> None:
        for poster in self._idle:
            poster.close()


class Mediator:
    """The rules. `keep` takes every stamp that was given; `now_ms` is our clock, UTC."""

    def __init__(
        self, name: str, signer: Signer, verifier: Verifier, members: Members, *, now_ms: Callable[[], int],
        keep: Callable[[Stamp, bytes], None],
    ) -> None:  # fmt: skip
        self.name = name
        self._signer = signer
        self._verifier = verifier
        self._members = members
        self._now_ms = now_ms
        self._keep = keep

    async def relay(self, wire: bytes) -> tuple[bool, bytes]:
        """Whether it was passed on and answered, and what goes back: a wrapper, or the stamp that says why not.

        Raises: Oversized, Malformed, BadSignature, Stranger: then nothing was stamped or passed on.
        """
        received_ms = self._now_ms()
        said = unpack(wire)
        address = read_address(said.sealed)
        self._members.node_keys(address.to)
        slip = self.admit(said, (address.ch, address.sender, address.to))
        if slip.answers:
            raise Malformed("this is an answer; an answer goes back the way that its delivery came")
        passed_ms = self._now_ms()
        stamp = self.stamp(slip, said.slip, received_ms, passed_ms)
        handed = await self.hand_over(slip, Wrapper(said.slip, said.sealed, stamp))
        if isinstance(handed, str):
            return False, self.stamp(slip, said.slip, received_ms, 0 if handed == "UNREACHABLE" else passed_ms, handed)
        back_ms = self._now_ms()
        try:
            answer = unpack(handed)
            back = read_address(answer.sealed)
            if (back.ch, back.sender, back.to) != (address.ch, address.to, address.sender):
                raise Malformed("an answer for another channel, or between other parties")
            reply = self.admit(answer, (back.ch, back.sender, back.to))
            if reply.answers != slip.sha256:
                raise Malformed("an answer to another delivery")
        except Fault:
            return False, self.stamp(slip, said.slip, received_ms, passed_ms, "BAD_ANSWER")
        return True, self.bring_back(reply, answer, stamp, back_ms)

    def admit(self, said: Wrapper, way: tuple[str, str, str]) -> Slip:
        """The slip, if it is by the sender's node and over these bytes, in `way` (ch, from, to).

        Raises: Oversized, Malformed, BadSignature, Stranger.
        """
        keys = self._members.node_keys(way[1])
        slip, by_sender = mediation.admit(said.slip, said.sealed, way, keys, self._verifier)
        if not by_sender:
            raise Stranger("the slip is under a key that is on no card of the sender's here; its newer card is missing")
        return slip

    async def hand_over(self, slip: Slip, wrapper: Wrapper) -> bytes | str:
        """The recipient's answer, or in capitals why there is none."""
        try:
            status, answer = await self._members.post(slip.to, pack(wrapper))
        except CannotConnect:
            return "UNREACHABLE"
        except (Broken, OSError):  # TimeoutError is one
            return "NO_ANSWER"
        if status != 200 or answer is None:
            return f"REFUSED {status} {_fault_in(answer)}".rstrip()
        return answer

    def bring_back(self, slip: Slip, answer: Wrapper, before: bytes, received_ms: int) -> bytes:
        """The answer, stamped, with the stamp of what it answers."""
        stamp = self.stamp(slip, answer.slip, received_ms, self._now_ms())
        return pack(Wrapper(answer.slip, answer.sealed, stamp, before))

    def stamp(self, slip: Slip, slip_envelope: bytes, received_ms: int, passed_ms: int, why: str = "") -> bytes:
        """A stamp for what a slip covers, signed, and kept in the log."""
        stamp = Stamp(
            1, slip.ch, slip.sender, slip.to, slip.sha256, self.name, canonical.sha256(slip_envelope),
            received_ms, passed_ms, why,
        )  # fmt: skip
        envelope = mediation.sign_stamp(stamp, self._signer)
        self._keep(stamp, envelope)
        return envelope

    async def reach(self, data: bytes) -> None:
        """Raises: Unreachable when the other's node does not answer now; Malformed, BadSignature, Stranger."""
        asked = mediation.read_reach(data)
        mediation.check_reach(data, self._members.node_keys(asked.sender), self._verifier)
        self._members.node_keys(asked.to)
        try:
            await self._members.probe(asked.to)
        except (CannotConnect, Broken, OSError):
            raise Unreachable("the other party's node does not answer now") from None


def _fault_in(answer: bytes | None) -> str:
    """The name in a recipient's problem: a hint for the sender, believed by nobody."""
    try:
        said = msgspec.json.decode(answer or b"", type=dict[str, object]).get("fault")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return said if isinstance(said, str) and said.isascii() and said.isalnum() and len(said) <= 40 else ""


def mediator_routes(mediator: Mediator, *, body_s: float = BODY_S) -> list[Route]:
    """The routes that members use."""
    return [
        Route(RELAY_PATH, _Relay(mediator, body_s), methods=["POST"]),
        Route(REACH_PATH, _Reach(mediator), methods=["POST"]),
        Route(HELLO_PATH, _hello, methods=["GET", "POST"]),
    ]


async def _hello(request: Request) -> Response:
    return Response(_HELLO, media_type="application/json")


class _Relay:
    def __init__(self, mediator: Mediator, body_s: float) -> None:
        self._mediator = mediator
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            wire = await read_body(scope, receive, WRAPPER_BYTES_MAX, self._body_s)
            answered, data = await self._mediator.relay(wire)
        except Fault as fault:
            return await problem(fault, to_peer=True)(scope, receive, send)
        if answered:
            return await send_bytes(send, data, WRAPPER_TYPE)
        return await send_bytes(send, data, JSON_TYPE, 502)


class _Reach:
    def __init__(self, mediator: Mediator) -> None:
        self._mediator = mediator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._mediator.reach(await read_body(scope, receive, _REACH_BYTES_MAX, BODY_S))
        except Fault as fault:
            return await problem(fault, to_peer=True)(scope, receive, send)
        return await send_bytes(send, b'{"reachable":true}', JSON_TYPE)
