# SPDX-License-Identifier: Apache-2.0
"""The line to one peer: what waits is put together, urgent first, and posted, one delivery at a time.

    line = PeerLine("https://192.0.2.7:7443", tls, keys, on_reply=..., on_change=...)
    task = asyncio.create_task(line.run())
    line.offer(delivery, urgent=1)          # never waits, never fails
    task.cancel()                           # closes the connection and ends

`offer` sorts into a waiting room per address (channel, sender, recipient). Each time the line is free, one address is
served: those with something urgent before the others, else in turn; of it first urgent frames, then the other frames,
each in the order offered. A frame or sidecar that already waits is not added again (repeats collapse).

The line does not insist. What cannot be delivered is dropped with all that waits behind it, and `on_change` hears why,
once per change: the core's timer sends again what was not receipted, so a queue here would only grow stale. A fault of
the line (nobody there, another certificate) concerns everything; any other (no key, a refusal, a reply that does not
open) one address. `on_change(None)` says that a delivery went through at first, or again. The only repeat is the
transport's own: a kept connection that turns out to be closed is opened once more. An urgent frame waits at most for
the delivery under way, which `TOGETHER_BYTES` keeps short.

Why aiohttp and uvloop: seven runs of `benchmarks/bench_link.py` while this was written, on 2 shared cores, one frame of
2.3 kB there and one receipt back, the time of the HPKE operations taken off. A round trip cost 0.51 to 0.88 ms (median
0.65) under uvloop and 0.69 to 0.95 (0.86) under asyncio's own loop. A blocking http.client as the caller, without the
thread that it would need here, cost 0.58 to 0.87 (0.76) and 0.56 to 0.80 (0.67): nothing to be gained.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, TypeVar

import aiohttp
import msgspec

from wideberth.core.limits import DELIVERY_BYTES_MAX, DELIVERY_FRAMES_MAX, KIB
from wideberth.errors import Fault, Malformed, Stranger, Unreachable
from wideberth.link.delivery import (
    DELIVERY_SIDECARS_MAX,
    Delivery,
    Frame,
    open_delivery,
    read_address,
    seal_delivery,
)
from wideberth.link.keyring import KeyRing

PATH: Final = "/v1/deliveries"
CONTENT_TYPE: Final = "application/wideberth-delivery"

# A hundred routine frames in one delivery (the batch of design.md §10); on a line of 64 kbit/s it takes half a minute,
# the longest that an urgent frame may have to wait behind it.
TOGETHER_BYTES: Final = 256 * KIB
# What may wait for a peer: some 1,600 routine frames, and as much again reserved for urgent ones, so that routine
# traffic can never crowd them out. What does not fit is dropped; the core offers it again.
WAITING_BYTES_MAX: Final = 4 * 1024 * KIB
URGENT_WAITING_BYTES_MAX: Final = 4 * 1024 * KIB

assert TOGETHER_BYTES < DELIVERY_BYTES_MAX < WAITING_BYTES_MAX


_T = TypeVar("_T")
_Address = tuple[str, str, str]  # channel, sender, recipient


class Patience(msgspec.Struct, frozen=True):
    """How long to wait, seconds: for a connection with its TLS handshake, for the next byte, for a whole exchange.

    The whole: a delivery of `TOGETHER_BYTES` each way at 64 kbit/s takes 66 s.
    """

    connect_s: float = 10.0
    silence_s: float = 20.0
    whole_s: float = 90.0


class _Waiting:
    """What waits for one address. Dictionaries are used as ordered sets."""

    __slots__ = ("frames", "sidecars", "urgent")

    def __init__(self) -> None:
        self.urgent: dict[Frame, None] = {}
        self.frames: dict[Frame, None] = {}
        self.sidecars: dict[bytes, None] = {}

    def __bool__(self) -> bool:
        return bool(self.urgent or self.frames or self.sidecars)


class PeerLine:
    """See the module. `url` is the peer's address without a path; `tls` as `link/tls.client_context` makes it."""

    def __init__(
        self,
        url: str,
        tls: ssl.SSLContext,
        keys: KeyRing,
        *,
        on_reply: Callable[[Delivery], None],
        on_change: Callable[[Fault | None], None],
        patience: Patience | None = None,
    ) -> None:
        self._url = url.rstrip("/") + PATH
        self._tls = tls
        self._keys = keys
        self._on_reply = on_reply
        self._on_change = on_change
        self._patience = patience or Patience()
        self._rooms: dict[_Address, _Waiting] = {}
        self._waiting_bytes = 0
        self._urgent_bytes = 0
        self._dropped = 0
        self._something = asyncio.Event()
        self._worked = False
        self._wrong: dict[_Address | None, tuple[str, str]] = {}

    @property
    def waiting_bytes(self) -> int:
        """Bytes of frames and sidecars held, urgent ones included."""
        return self._waiting_bytes + self._urgent_bytes

    @property
    def dropped(self) -> int:
        """How many frames and sidecars were dropped so far, for want of room or of a working line."""
        return self._dropped

    def offer(self, delivery: Delivery, *, urgent: int = 0) -> None:
        """Send this when the line is free; its first `urgent` frames before everything that is not urgent.

        Never waits and never raises. An empty delivery is sent too, if nothing else goes to its address before: it asks
        the peer for what it has for us.
        """
        room = self._rooms.setdefault((delivery.ch, delivery.sender, delivery.to), _Waiting())
        for n, frame in enumerate(delivery.frames):
            if frame in room.urgent:
                continue
            if n < urgent:
                if self._urgent_bytes + frame.size > URGENT_WAITING_BYTES_MAX:
                    self._dropped += 1
                    continue
                if frame in room.frames:  # it has become urgent while it waited
                    del room.frames[frame]
                    self._waiting_bytes -= frame.size
                room.urgent[frame] = None
                self._urgent_bytes += frame.size
            elif frame not in room.frames and self._has_room(frame.size):
                room.frames[frame] = None
        for sidecar in delivery.sidecars:
            if sidecar not in room.sidecars and self._has_room(len(sidecar)):
                room.sidecars[sidecar] = None
        self._something.set()

    async def run(self) -> None:
        """Serve the line until cancelled. Raises nothing but what the callbacks raise."""
        patience = self._patience
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=1, keepalive_timeout=90),
            timeout=aiohttp.ClientTimeout(
                total=patience.whole_s, connect=patience.connect_s, sock_read=patience.silence_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Nothing that a routine notice does not need on a poor link, and nothing that tells which software we are.
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            headers={"Content-Type": CONTENT_TYPE},
            auto_decompress=False,  # a small reply must not become a large one
        ) as session:
            while True:
                await self._something.wait()
                delivery = self._next()
                if delivery is None:
                    self._something.clear()
                    continue
                await self._serve(session, delivery)

    async def _serve(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        """One delivery there and one back. A fault of the line drops everything; any other, what has this address."""
        address = (delivery.ch, delivery.sender, delivery.to)
        try:
            wire = seal_delivery(delivery, self._keys.sealing(delivery.ch, delivery.to))
        except Fault as fault:
            return self._fails(address, fault, delivery)
        try:
            status, answer = await self._post(session, wire)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return self._fails(None, _why(error), delivery)
        try:
            reply = self._opened(status, answer, delivery)
        except Fault as fault:
            return self._fails(address, fault, delivery)
        self._works(address)
        return self._on_reply(reply)

    def _opened(self, status: int, answer: bytes | None, delivery: Delivery) -> Delivery:
        if status != 200:
            raise _refused(status, answer)
        if answer is None:
            raise Malformed("the peer's reply does not say its length, or is too long", reason="length")
        address = read_address(answer)
        if (address.ch, address.sender, address.to) != (delivery.ch, delivery.to, delivery.sender):
            raise Malformed("the peer's reply is for another channel or between other parties", reason="reply")
        return open_delivery(answer, address, self._keys.opening(address))

    async def _post(self, session: aiohttp.ClientSession, wire: bytes) -> tuple[int, bytes | None]:
        """Status and body; None for a body without a stated length or beyond the limit, which is not read."""
        try:
            return await self._post_once(session, wire)
        except (aiohttp.ServerDisconnectedError, ConnectionResetError):
            # The peer closed the kept connection while we wrote. Once more on a new one; the core ignores repeats.
            return await self._post_once(session, wire)

    async def _post_once(self, session: aiohttp.ClientSession, wire: bytes) -> tuple[int, bytes | None]:
        async with session.post(self._url, data=wire, allow_redirects=False) as response:
            if response.content_length is None or response.content_length > DELIVERY_BYTES_MAX:
                response.close()
                return response.status, None
            return response.status, await response.read()

    def _works(self, address: _Address) -> None:
        was_wrong = [self._wrong.pop(place, None) for place in (None, address)]
        if any(was_wrong) or not self._worked:
            self._worked = True
            self._on_change(None)

    def _fails(self, place: _Address | None, fault: Fault, under_way: Delivery) -> None:
        """`place`: the address at which it fails, None for the whole line. Drops what waits there."""
        rooms = list(self._rooms) if place is None else [k for k in self._rooms if k == place]
        self._dropped += len(under_way.frames) + len(under_way.sidecars)
        for room in map(self._rooms.pop, rooms):
            self._dropped += len(room.urgent) + len(room.frames) + len(room.sidecars)
            self._urgent_bytes -= sum(map(_frame_size, room.urgent))
            self._waiting_bytes -= sum(map(_frame_size, room.frames)) + sum(map(len, room.sidecars))
        state = (fault.name, str(fault.details.get("reason", "")))
        if self._wrong.get(place) != state:
            self._wrong[place] = state
            self._on_change(fault)

    def _has_room(self, size: int) -> bool:
        if self._waiting_bytes + size > WAITING_BYTES_MAX:
            self._dropped += 1
            return False
        self._waiting_bytes += size
        return True

    def _next(self) -> Delivery | None:
        """The next delivery, taken out of the waiting rooms."""
        if not self._rooms:
            return None
        key = next((k for k, room in self._rooms.items() if room.urgent), next(iter(self._rooms)))
        room = self._rooms.pop(key)
        left = TOGETHER_BYTES
        urgent = _take(room.urgent, _frame_size, DELIVERY_FRAMES_MAX, left, first=True)
        size = sum(map(_frame_size, urgent))
        self._urgent_bytes -= size
        left -= size
        # Before the other frames: receipts are small, and a flood of frames must not hold them back.
        sidecars = _take(room.sidecars, len, DELIVERY_SIDECARS_MAX, left, first=not urgent)
        size = sum(map(len, sidecars))
        self._waiting_bytes -= size
        left -= size
        frames: list[Frame] = []
        if not room.urgent:  # nothing overtakes an urgent frame that did not fit
            first = not (urgent or sidecars)
            frames = _take(room.frames, _frame_size, DELIVERY_FRAMES_MAX - len(urgent), left, first=first)
            self._waiting_bytes -= sum(map(_frame_size, frames))
        if room:
            self._rooms[key] = room  # at the end: the other addresses have their turn first
        return Delivery(*key, frames=(*urgent, *frames), sidecars=tuple(sidecars))


def _frame_size(frame: Frame) -> int:
    return frame.size


def _take(source: dict[_T, None], size: Callable[[_T], int], most: int, bytes_left: int, *, first: bool) -> list[_T]:
    """Move from `source`, in order, what fits. The `first` thing of a delivery goes in any case, or it never would."""
    taken: list[_T] = []
    for thing in source:
        if len(taken) == most or (size(thing) > bytes_left and not (first and not taken)):
            break
        taken.append(thing)
        bytes_left -= size(thing)
    for thing in taken:
        del source[thing]
    return taken


def _why(error: Exception) -> Fault:
    """The world's fault, or the peer's, in a sentence for an officer. `details["reason"]` is a word for programs."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError) or isinstance(
        error.__cause__, ssl.SSLCertVerificationError
    ):
        return Stranger(
            "somebody answers at the peer's address with another certificate than the peer's; nothing was sent. "
            "Compare fingerprints with the peer by telephone before anything else",
            reason="certificate",
        )
    if isinstance(error, TimeoutError):
        return Unreachable("the peer's node does not answer in time; use the telephone", reason="timeout")
    if isinstance(error, aiohttp.ClientSSLError):
        return Unreachable(
            "no secure connection with the peer's node; it may not know our certificate. Use the telephone",
            reason="tls",
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Unreachable("the name of the peer's node cannot be looked up; use the telephone", reason="name")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable("nobody answers at the address of the peer's node; use the telephone", reason="connect")
    return Unreachable(
        "the line to the peer's node breaks at once: it may be restarting, or not know our certificate; "
        "use the telephone",
        reason="broken",
    )


def _refused(status: int, answer: bytes | None) -> Unreachable:
    """The peer's node answers, but does not take the delivery. What it says about it is a hint, believed by nobody."""
    try:
        said = msgspec.json.decode(answer or b"", type=dict[str, object]).get("fault")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        said = None
    name = (
        said if isinstance(said, str) and said.isascii() and said.isalnum() and len(said) <= 40 else "no reason given"
    )
    return Unreachable(
        f"the peer's node answers but does not take what we send ({status}, {name}); use the telephone, "
        "and tell the people who run the two nodes",
        reason=f"refused {status} {name}",
        status=status,
        refused=name,
    )
