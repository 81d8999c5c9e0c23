# SPDX-License-Identifier: Apache-2.0
"""The line to one peer: what waits is put together, urgent first, and posted, one delivery at a time.

    line = PeerLine(Ways([Direct("https://192.0.2.7:7443", tls)]), keys, on_reply=..., on_change=...)
    task = asyncio.create_task(line.run())
    line.offer(delivery, urgent=1)          # never waits, never fails
    task.cancel()                           # closes the connection and ends

`offer` sorts into a waiting room per address (channel, sender, recipient). Each time the line is free, one address is
served: those with something urgent before the others, else in turn; of it first urgent frames, then the other frames,
each in the order offered. A frame or sidecar that already waits is not added again (repeats collapse).

The line does not insist. What cannot be delivered is dropped with all that waits behind it, and `on_change` hears why,
once per change: the core's timer sends again what was not receipted, so a queue here would only grow stale. A fault of
the line (nobody there, another certificate) concerns everything; any other (no key, a refusal, a reply that does not
open) one address. `on_change(None)` says that a delivery went through: at first, again, or by another way than before
(`way`). The only repeats are the transport's own: a kept connection that turns out to be closed is opened once more,
and where there are several ways the next one is tried. An urgent frame waits at most for
the delivery under way, which `TOGETHER_BYTES` keeps short.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from wideberth.core.limits import DELIVERY_BYTES_MAX, DELIVERY_FRAMES_MAX, KIB
from wideberth.core.seal.mediation import answered_for
from wideberth.errors import Fault, Malformed
from wideberth.link.delivery import (
    DELIVERY_SIDECARS_MAX,
    Delivery,
    Frame,
    open_delivery,
    read_address,
    seal_delivery,
)
from wideberth.link.keyring import KeyRing
from wideberth.link.way import Came, Down, Route, Ways

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
    """See the module. `ways`: how deliveries get there (`link/way.py`); closed when the line ends."""

    def __init__(
        self,
        ways: Ways,
        keys: KeyRing,
        *,
        on_reply: Callable[[Delivery], None],
        on_change: Callable[[Fault | None], None],
    ) -> None:
        self._ways = ways
        self._keys = keys
        self._on_reply = on_reply
        self._on_change = on_change
        self._rooms: dict[_Address, _Waiting] = {}
        self._waiting_bytes = 0
        self._urgent_bytes = 0
        self._dropped = 0
        self._something = asyncio.Event()
        self.way = ""
        self.under_way = False
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
        try:
            while True:
                await self._something.wait()
                delivery = self._next()
                if delivery is None:
                    self._something.clear()
                    continue
                self.under_way = True
                await self._serve(delivery)
                self.under_way = False
        finally:
            self._ways.close()

    async def _serve(self, delivery: Delivery) -> None:
        """One delivery there and one back. A fault of the line drops everything; any other, what has this address."""
        address = (delivery.ch, delivery.sender, delivery.to)
        try:
            wire = seal_delivery(delivery, self._keys.sealing(delivery.ch, delivery.to))
            came = await self._ways.post(wire, Route(*address))
            reply = self._opened(came, delivery)
        except Down as down:
            return self._fails(None, down.fault, delivery)
        except Fault as fault:
            return self._fails(address, fault, delivery)
        self._works(address, came.way)
        return self._on_reply(reply)

    def _opened(self, came: Came, delivery: Delivery) -> Delivery:
        with answered_for(came.handed):
            address = read_address(came.sealed)
            if (address.ch, address.sender, address.to) != (delivery.ch, delivery.to, delivery.sender):
                raise Malformed("the peer's reply is for another channel or between other parties", reason="reply")
            return open_delivery(came.sealed, address, self._keys.opening(address))

    def _works(self, address: _Address, way: str) -> None:
        was_wrong = [self._wrong.pop(place, None) for place in (None, address)]
        if any(was_wrong) or self.way != way:
            self.way = way
            self._on_change(None)

    def _fails(self, place: _Address | None, fault: Fault, under_way: Delivery) -> None:
        """`place`: the address at which it fails, None for the whole line. Drops what waits there."""
        rooms = list(self._rooms) if place is None else [k for k in self._rooms if k == place]
        self._dropped += len(under_way.frames) + len(under_way.sidecars)
        for room in map(self._rooms.pop, rooms):
            self._dropped += len(room.urgent) + len(room.frames) + len(room.sidecars)
            self._urgent_bytes -= sum(map(_frame_size, room.urgent))
            self._waiting_bytes -= sum(map(_frame_size, room.frames)) + sum(map(len, room.sidecars))
        self._note(place, fault)

    def suspect(self, fault: Fault) -> None:
        """A probe found no way: told as a delivery's failure is, and so is the next delivery that goes through."""
        self._note(None, fault)

    def _note(self, place: _Address | None, fault: Fault) -> None:
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
