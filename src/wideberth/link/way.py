# SPDX-License-Identifier: Apache-2.0
"""How a sealed delivery gets to a peer's node: straight to it, or by way of a mediator; and which of several is taken.

    ways = Ways((Direct(url, tls), Mediated("HOST", …)))
    came = await ways.post(wire, Route(ch, us, peer))   # by the first way that works; else the first one's fault

A way that failed goes to the end of the queue until it works again or `AGAIN_S` is over, so that an urgent delivery
does not first wait for a line that is known to be down. Where there is another way to try, less patience is spent on
each: what went through all the same is a repeat, and repeats are harmless.

`Down` marks a fault of the way itself (nobody there, another certificate): it concerns everything that would go by it.
Any other fault concerns this delivery.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from wideberth.core.seal import canonical, mediation
from wideberth.core.seal.keys import Signer, Verifier
from wideberth.core.seal.mediation import Handed, MediatorCard, Slip
from wideberth.errors import Fault, Malformed, Misuse, Stranger, Unreachable
from wideberth.link.post import Answer, Broken, CannotConnect, Patience, Poster
from wideberth.link.wrapper import REACH_PATH, RELAY_PATH, WRAPPER_TYPE, Wrapper, pack, unpack

PATH: Final = "/v1/deliveries"
HELLO_PATH: Final = "/v1/hello"
CONTENT_TYPE: Final = "application/wideberth-delivery"
JSON_TYPE: Final = "application/json"
DIRECT: Final = "direct"

# How long a way that failed stands behind the others, seconds: an outage of a minute is an outage, and a drill, where
# nothing is probed, comes back to the preferred way.
AGAIN_S: Final = 60.0
# Where there is another way. An answer that takes longer is better asked for elsewhere (N1's poor link has 2 s).
WITH_ANOTHER: Final = Patience(connect_s=4.0, silence_s=8.0)
# A probe of a hundred bytes. With `outage.PROBE_S` between two, a line that falls dead is told in under 10 s (B9).
PROBE: Final = Patience(connect_s=3.0, silence_s=3.0, whole_s=4.0)


class Down(Exception):
    """The way itself does not work; `fault` says why, in words."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault


class Route(msgspec.Struct, frozen=True):
    """From whom to whom, in which channel."""

    ch: str
    sender: str
    to: str


class Came(msgspec.Struct, frozen=True):
    """The peer's sealed answer, by which way, and, through a mediator, what was signed about it."""

    sealed: bytes
    way: str
    handed: Handed | None = None


class Way(Protocol):
    """One way to one peer. `name` is `direct`, or the mediator's name."""

    @property
    def name(self) -> str: ...

    async def post(self, wire: bytes, route: Route) -> Came:
        """Raises: Down, and Fault for what concerns this delivery only."""
        ...

    async def probe(self) -> None:
        """Whether the peer's node answers by this way now, without any delivery. Raises: Down."""
        ...

    def close(self) -> None: ...


class Direct:
    """Straight to the peer. `url` is its address without a path; `tls` as `link/tls.client_context` makes it."""

    name = DIRECT

    def __init__(self, url: str, tls: ssl.SSLContext, patience: Patience | None = None) -> None:
        url = url.rstrip("/")
        self._poster = Poster(url + PATH, tls, CONTENT_TYPE, patience or Patience())
        self._prober = Poster(url + HELLO_PATH, tls, JSON_TYPE, PROBE)

    async def post(self, wire: bytes, route: Route) -> Came:
        status, answer = await _posted(self._poster, wire, "the peer's node")
        if status != 200:
            raise _refused(status, answer)
        if answer is None:
            raise Malformed("the peer's reply does not say its length, or is too long", reason="length")
        return Came(answer, DIRECT)

    async def probe(self) -> None:
        await _posted(self._prober, b"", "the peer's node")

    def close(self) -> None:
        self._poster.close()
        self._prober.close()


class Mediated:
    """By way of a mediator that both sides trust to stamp and to pass on, and with nothing more.

    `node` gives our own node's key of now, `peer_keys` the peer's, by which its answers are signed; `keep` takes each
    stamp that the mediator gave, with the channel. `tls` shows our own certificate: a mediator speaks with its members
    only.
    """

    def __init__(
        self, card: MediatorCard, tls: ssl.SSLContext, *, us: str, to: str, node: Callable[[], Signer],
        verifier: Verifier, peer_keys: Callable[[], Sequence[str]], now_ms: Callable[[], int],
        keep: Callable[[str, str, bytes], None], patience: Patience | None = None,
    ) -> None:  # fmt: skip
        self.card = card
        self._node = node
        self._verifier = verifier
        self._peer_keys = peer_keys
        self._now_ms = now_ms
        self._keep = keep
        url = card.url.rstrip("/")
        self._poster = Poster(url + RELAY_PATH, tls, WRAPPER_TYPE, patience or Patience())
        self._prober = Poster(url + REACH_PATH, tls, JSON_TYPE, PROBE)
        self._us, self._to = us, to

    @property
    def name(self) -> str:
        return self.card.mediator

    async def post(self, wire: bytes, route: Route) -> Came:
        digest = canonical.sha256(wire)
        said = Slip(1, route.ch, route.sender, route.to, digest, self._now_ms())
        slip = mediation.sign_slip(said, self._node())
        status, answer = await _posted(self._poster, pack(Wrapper(slip, wire)), self.name)
        if status == 502 and answer is not None:
            stamp = self._stamp(answer, slip, wire, route.ch)
            raise Unreachable(
                f"{self.name} is up and has what we sent, but {_NOT_PASSED.get(stamp.why, _REFUSED)} "
                f"({stamp.why}); use the telephone",
                reason=f"not relayed {stamp.why}", mediator=self.name,
            )  # fmt: skip
        if status != 200:
            raise _refused(status, answer, self.name)
        if answer is None:
            raise Malformed(f"the answer of {self.name} does not say its length, or is too long", reason="length")
        back = unpack(answer)
        self._stamp(back.before, slip, wire, route.ch)
        handed = mediation.check_handed(
            back.slip, back.stamp, back.sealed, self.card, self._peer_keys(), self._verifier, answers=digest
        )  # fmt: skip
        if (handed.slip.ch, handed.slip.sender, handed.slip.to) != (route.ch, route.to, route.sender):
            raise Malformed(f"{self.name} handed over an answer for another channel or party", reason="reply")
        self._keep(route.ch, self.name, back.stamp)
        return Came(back.sealed, self.name, handed)

    def _stamp(self, stamp: bytes, slip: bytes, wire: bytes, ch: str) -> mediation.Stamp:
        found = mediation.check_stamp(stamp, self.card, slip, wire, self._verifier)
        self._keep(ch, self.name, stamp)
        return found

    async def probe(self) -> None:
        status, answer = await _posted(self._prober, mediation.sign_reach(self._us, self._to, self._node()), self.name)
        if status != 200:
            fault = _refused(status, answer, self.name)
            if fault.details["refused"] == "Unreachable":
                fault = Unreachable(
                    f"{self.name} is up, but does not get through to the peer's node; use the telephone",
                    reason="not relayed UNREACHABLE", mediator=self.name,
                )  # fmt: skip
            raise Down(fault)

    def close(self) -> None:
        self._poster.close()
        self._prober.close()


_NOT_PASSED: Final = {
    "UNREACHABLE": "does not reach the peer's node",
    "NO_ANSWER": "got no answer from the peer's node",
    "BAD_ANSWER": "got an answer from the peer's node that the peer did not sign",
}
_REFUSED: Final = "the peer's node does not take it"


class Ways:
    """Several ways to one peer, in the order of preference. `on_fault` hears of each that failed where another is
    tried next; the fault of the last resort is raised."""

    def __init__(self, ways: Sequence[Way], on_fault: Callable[[str, Fault], None] = lambda _way, _fault: None) -> None:
        if not ways:
            raise Misuse("a line needs a way")
        self._ways = tuple(ways)
        self._on_fault = on_fault
        self._down_until_s: dict[str, float] = {}
        self._dead: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(way.name for way in self._ways)

    async def post(self, wire: bytes, route: Route) -> Came:
        """Raises: Down when no way works, Fault when it is this delivery that does not get through; the preferred way's
        own."""
        failed: list[tuple[str, Down | Fault]] = []
        for way in self._order():
            try:
                came = await way.post(wire, route)
            except (Down, Fault) as why:
                self._down_until_s[way.name] = asyncio.get_running_loop().time() + AGAIN_S
                if isinstance(why, Down) and why.fault.details.get("reason") == "connect":
                    self._dead.add(way.name)  # nobody there: a probe can tell when somebody is
                failed.append((way.name, why))
                continue
            self._down_until_s.pop(way.name, None)
            self._tell(failed)
            return came
        self._tell(failed[1:])
        raise failed[0][1]

    def _tell(self, failed: list[tuple[str, Down | Fault]]) -> None:
        for name, why in failed:
            self._on_fault(name, why.fault if isinstance(why, Down) else why)

    async def probe(self) -> Fault | None:
        """Try all ways without a delivery; why none works, or None.

        A way that did not answer and now does takes its place again. One that answered all the while and yet did not
        deliver does not: it may swallow what it is given.
        """
        found = await asyncio.gather(*(_probed(way) for way in self._ways))
        for way, fault in zip(self._ways, found, strict=True):
            if fault is not None:
                self._dead.add(way.name)
                self._down_until_s[way.name] = asyncio.get_running_loop().time() + AGAIN_S
            elif way.name in self._dead:
                self._dead.discard(way.name)
                self._down_until_s.pop(way.name, None)
        return None if None in found else found[0]

    def close(self) -> None:
        for way in self._ways:
            way.close()

    def _order(self) -> list[Way]:
        if len(self._ways) == 1:
            return [self._ways[0]]
        now_s = asyncio.get_running_loop().time()
        return sorted(self._ways, key=lambda way: self._down_until_s.get(way.name, 0) > now_s)


async def _probed(way: Way) -> Fault | None:
    try:
        await way.probe()
    except Down as down:
        return down.fault
    return None


async def _posted(poster: Poster, data: bytes, who: str) -> Answer:
    try:
        return await poster.post(data)
    except (CannotConnect, Broken, OSError) as error:
        raise Down(_why(error, who)) from error


def _why(error: Exception, who: str) -> Fault:
    """The world's fault, or the peer's, in a sentence for an officer. `details["reason"]` is a word for programs."""
    cause = error.__cause__ if isinstance(error, CannotConnect) else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Stranger(
            f"somebody answers at the address of {who} with another certificate than expected; nothing was sent. "
            "Compare fingerprints with the peer by telephone before anything else",
            reason="certificate",
        )
    if isinstance(error, TimeoutError):
        return Unreachable(f"{who} does not answer in time; use the telephone", reason="timeout")
    if isinstance(cause, ssl.SSLError):
        return Unreachable(
            f"no secure connection with {who}; it may not know our certificate. Use the telephone", reason="tls"
        )
    if isinstance(cause, socket.gaierror | UnicodeError):
        return Unreachable(f"the name of {who} cannot be looked up; use the telephone", reason="name")
    if cause is not None:
        return Unreachable(f"nobody answers at the address of {who}; use the telephone", reason="connect")
    return Unreachable(
        f"the line to {who} breaks at once: it may be restarting, or not know our certificate; use the telephone",
        reason="broken",
    )


def _refused(status: int, answer: bytes | None, who: str = "the peer's node") -> Unreachable:
    """It answers, but does not take the delivery. What it says about it is a hint, believed by nobody."""
    try:
        said = msgspec.json.decode(answer or b"", type=dict[str, object]).get("fault")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        said = None
    name = (
        said if isinstance(said, str) and said.isascii() and said.isalnum() and len(said) <= 40 else "no reason given"
    )
    return Unreachable(
        f"{who} answers but does not take what we send ({status}, {name}); use the telephone, "
        "and tell the people who run the two nodes",
        reason=f"refused {status} {name}",
        status=status,
        refused=name,
    )
