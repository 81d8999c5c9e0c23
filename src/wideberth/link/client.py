# SPDX-License-Identifier: Apache-2.0
"""The line to one peer: what waits is put together and posted, what is urgent beside and before everything else.

    line = PeerLine(Ways([Direct("https://192.0.2.7:7443", tls)]), keys, on_reply=..., on_change=...)
    task = asyncio.create_task(line.run())
    line.offer(delivery, urgent=1)          # never waits, never fails
    task.cancel()                           # closes the connections and ends

There are two lanes. Urgent frames, with the sidecars that they were offered with, go at once by connections of their
own (`link/warm.py`), two deliveries at a time; everything else by one connection, one delivery at a time. In each lane
`offer` sorts into a waiting room per address (channel, sender, recipient), served in turn, each in the order offered.
A frame or sidecar that already waits, or is under way, is not added again (repeats collapse), nor an urgent frame that
the peer answered for a moment ago (`SAID_S`).

A routine delivery is as large as the line moves in some seconds (`link/pace.py`). On a line that is known to be thin it
is said piece by piece, and pauses while something urgent is under way: at 1 kB/s an urgent frame must not share the
line. Where the line is not known to be thin and an urgent delivery is not answered soon, the routine one under way is
cut, and what was in it waits again, first. Until the urgent one is through nothing routine is begun.

The line does not insist. What cannot be delivered is dropped with all that waits behind it in its lane, and `on_change`
hears why, once per change: the core's timer sends again what was not receipted, so a queue here would only grow stale.
A fault of the line (nobody there, another certificate) concerns everything; any other (no key, a refusal, a reply that
does not open) one address. `on_change(None)` says that a delivery went through: at first, again, or by another way than
before (`way`). The only repeats are the transport's own: a kept connection that turns out to be closed is opened once
more, an urgent delivery is said on a second connection when the first does not answer, and where there are several ways
the next one is tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
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
from wideberth.link.pace import Pace
from wideberth.link.post import Paced
from wideberth.link.way import Came, Down, Route, Ways

# A hundred routine frames in one delivery (the batch of design.md §10), on a line that is fast enough.
TOGETHER_BYTES: Final = 256 * KIB
# What may wait for a peer: some 1,600 routine frames, and as much again reserved for urgent ones, so that routine
# traffic can never crowd them out. What does not fit is dropped; the core offers it again.
WAITING_BYTES_MAX: Final = 4 * 1024 * KIB
URGENT_WAITING_BYTES_MAX: Final = 4 * 1024 * KIB
# Urgent deliveries under way at once: as many as there are warm connections.
URGENT_TOGETHER: Final = 2
# An urgent delivery that is not answered within this time has the line to itself.
ALONE_S: Final = 1.0

# An urgent frame that the peer has answered for is not said again so soon. It may wait there for what comes before it,
# and then no receipt can tell that it came: without this, on a thin line, its repeats would keep that very thing back.
SAID_S: Final = 600.0

assert TOGETHER_BYTES < DELIVERY_BYTES_MAX < WAITING_BYTES_MAX


_T = TypeVar("_T")
_Address = tuple[str, str, str]  # channel, sender, recipient


class _Waiting:
    """What waits for one address. Dictionaries are used as ordered sets."""

    __slots__ = ("frames", "sidecars")

    def __init__(self) -> None:
        self.frames: dict[Frame, None] = {}
        self.sidecars: dict[bytes, None] = {}

    def __bool__(self) -> bool:
        return bool(self.frames or self.sidecars)


class _Lane:
    """What waits, and what is under way. `bytes`: of frames and sidecars that wait."""

    def __init__(self, most: int, *, urgent: bool) -> None:
        self.urgent = urgent
        self.something = asyncio.Event()
        self.under_way: list[Delivery] = []
        self.bytes = 0
        self.dropped = 0
        self._most = most
        self._rooms: dict[_Address, _Waiting] = {}

    def __bool__(self) -> bool:
        return bool(self._rooms or self.under_way)

    def holds(self, address: _Address, frame: Frame, *, under_way: bool = True) -> bool:
        """Whether a frame waits; or is under way, where that counts."""
        room = self._rooms.get(address)
        return (room is not None and frame in room.frames) or (
            under_way and any(_to(d) == address and frame in d.frames for d in self.under_way)
        )

    def add(self, address: _Address, frames: tuple[Frame, ...], sidecars: tuple[bytes, ...]) -> None:
        room = self._rooms.setdefault(address, _Waiting())
        for frame in frames:
            if not self.holds(address, frame) and self._has_room(frame.size):
                room.frames[frame] = None
        for sidecar in sidecars:
            known = sidecar in room.sidecars or any(_to(d) == address and sidecar in d.sidecars for d in self.under_way)
            if not known and self._has_room(len(sidecar)):
                room.sidecars[sidecar] = None
        self.something.set()

    def take_out(self, address: _Address, frame: Frame) -> None:
        room = self._rooms.get(address)
        if room is not None and frame in room.frames:
            del room.frames[frame]
            self.bytes -= frame.size

    def put_back(self, delivery: Delivery) -> None:
        """It was cut: it waits again, before everything else."""
        address = _to(delivery)
        room, behind = _Waiting(), self._rooms.pop(address, _Waiting())
        room.frames = {**dict.fromkeys(delivery.frames), **behind.frames}
        room.sidecars = {**dict.fromkeys(delivery.sidecars), **behind.sidecars}
        self._rooms = {address: room, **self._rooms}
        self.bytes += _size(delivery)
        self.something.set()

    def drop(self, address: _Address | None) -> None:
        """All that waits, or what waits there."""
        for each in [k for k in self._rooms if address in (None, k)]:
            room = self._rooms.pop(each)
            self.dropped += len(room.frames) + len(room.sidecars)
            self.bytes -= sum(map(_frame_size, room.frames)) + sum(map(len, room.sidecars))

    def next(self, most: int) -> Delivery | None:
        """The next delivery, taken out of the waiting rooms."""
        if not self._rooms:
            return None
        address = next(iter(self._rooms))
        room = self._rooms.pop(address)
        left = most
        # Before the frames: receipts are small, and a flood of frames must not hold them back.
        sidecars = _take(room.sidecars, len, DELIVERY_SIDECARS_MAX, left, first=True)
        left -= sum(map(len, sidecars))
        frames = _take(room.frames, _frame_size, DELIVERY_FRAMES_MAX, left, first=self.urgent or not sidecars)
        if room:
            self._rooms[address] = room  # at the end: the other addresses have their turn first
        delivery = Delivery(*address, frames=tuple(frames), sidecars=tuple(sidecars))
        self.bytes -= _size(delivery)
        return delivery

    def _has_room(self, size: int) -> bool:
        if self.bytes + size > self._most:
            self.dropped += 1
            return False
        self.bytes += size
        return True


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
        self._urgent = _Lane(URGENT_WAITING_BYTES_MAX, urgent=True)
        self._routine = _Lane(WAITING_BYTES_MAX, urgent=False)
        self._said: dict[tuple[_Address, Frame], tuple[float, int]] = {}
        self._free = asyncio.Event()
        self._free.set()
        self._posting: asyncio.Task[Came] | None = None
        self._cut = self._paced = False
        self.pace = Pace()
        self.way = ""
        self._wrong: dict[_Address | None, tuple[str, str]] = {}

    @property
    def under_way(self) -> bool:
        """Whether anything is, in either lane."""
        return bool(self._urgent.under_way or self._routine.under_way)

    @property
    def urgent_under_way(self) -> bool:
        return bool(self._urgent.under_way)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of frames and sidecars held, urgent ones included."""
        return self._urgent.bytes + self._routine.bytes

    @property
    def dropped(self) -> int:
        """How many frames and sidecars were dropped so far, for want of room or of a working line."""
        return self._urgent.dropped + self._routine.dropped

    @property
    def reply_bytes(self) -> int:
        """How much that is not urgent should go back with an answer."""
        return self.pace.routine_bytes(TOGETHER_BYTES)

    def offer(self, delivery: Delivery, *, urgent: int = 0) -> None:
        """Send this when the line is free; its first `urgent` frames beside and before everything that is not urgent.

        Never waits and never raises. An empty delivery is sent too, if nothing else goes to its address before: it asks
        the peer for what it has for us.
        """
        address = _to(delivery)
        first, rest = delivery.frames[:urgent], delivery.frames[urgent:]
        if first:
            for frame in first:
                self._routine.take_out(address, frame)  # it has become urgent while it waited
            if new := tuple(f for f in first if not self._urgent.holds(address, f) and not self._was_said(address, f)):
                self._urgent.add(address, new, delivery.sidecars)
        if rest or not first:
            rest = tuple(f for f in rest if not self._urgent.holds(address, f))
            self._routine.add(address, rest, delivery.sidecars)

    def _was_said(self, address: _Address, frame: Frame) -> bool:
        said_s, losses = self._said.get((address, frame), (-SAID_S, 0))
        return asyncio.get_running_loop().time() - said_s < SAID_S and losses == self._ways.losses

    def _note_said(self, address: _Address, delivery: Delivery) -> None:
        now_s, losses = asyncio.get_running_loop().time(), self._ways.losses
        self._said = {k: v for k, v in self._said.items() if now_s - v[0] < SAID_S and v[1] == losses}
        self._said.update(dict.fromkeys(((address, frame) for frame in delivery.frames), (now_s, losses)))

    async def run(self) -> None:
        """Serve the line until cancelled. Raises nothing but what the callbacks raise."""
        lanes = [asyncio.create_task(self._serve_urgent()) for _ in range(URGENT_TOGETHER)]
        lanes.append(asyncio.create_task(self._serve_routine()))
        try:
            await asyncio.gather(*lanes)
        finally:
            for lane in lanes:
                lane.cancel()
            self._ways.close()
            await asyncio.gather(*lanes, return_exceptions=True)

    # --- the two lanes ---

    async def _serve_urgent(self) -> None:
        lane = self._urgent
        while True:
            await lane.something.wait()
            delivery = lane.next(self.pace.routine_bytes(TOGETHER_BYTES))
            if delivery is None:
                lane.something.clear()
                continue
            lane.under_way.append(delivery)
            alone = self._make_way()
            try:
                await self._serve(lane, delivery, self._post)
            finally:
                alone.cancel()
                lane.under_way.remove(delivery)
                if not lane:
                    self._free.set()

    async def _serve_routine(self) -> None:
        lane = self._routine
        while True:
            await self._free.wait()
            await lane.something.wait()
            delivery = lane.next(self.pace.routine_bytes(TOGETHER_BYTES)) if self._free.is_set() else None
            if delivery is None:
                if self._free.is_set():
                    lane.something.clear()
                continue
            lane.under_way.append(delivery)
            try:
                await self._serve(lane, delivery, self._post_routine)
            except _Cut:
                lane.put_back(delivery)
            finally:
                lane.under_way.remove(delivery)

    def _make_way(self) -> asyncio.TimerHandle:
        """For an urgent delivery that begins: now on a thin line, else when it is not answered soon."""

        def alone() -> None:
            self._free.clear()
            if self._posting is not None and not self._paced:
                self._cut = True
                self._ways.cut()
                self._posting.cancel()

        return asyncio.get_running_loop().call_later(0 if self.pace.thin else ALONE_S, alone)

    async def _post_routine(self, wire: bytes, route: Route) -> Came:
        """Raises: _Cut, and what `Ways.post` raises."""
        self._posting, self._cut = asyncio.create_task(self._post(wire, route)), False
        try:
            return await self._posting
        except asyncio.CancelledError:
            if self._cut:
                raise _Cut from None
            self._posting.cancel()
            raise
        finally:
            self._posting = None

    async def _post(self, wire: bytes, route: Route) -> Came:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        try:
            came = await self._ways.post(wire, route)
        except BaseException:
            if route.paced is None:
                self.pace.no_more_than(len(wire), loop.time() - begun_s)
            raise
        took_s = loop.time() - begun_s
        if route.paced is None:
            self.pace.exchanged(len(wire) + len(came.sealed), took_s)
        elif not route.paced.paused:
            self.pace.kept_up(len(wire) / route.paced.bytes_s, took_s)
        return came

    async def _serve(self, lane: _Lane, delivery: Delivery, post: Callable[[bytes, Route], Awaitable[Came]]) -> None:
        """One delivery there and one back. A fault of the line drops everything; any other, what has this address."""
        address = _to(delivery)
        try:
            wire = seal_delivery(delivery, self._keys.sealing(delivery.ch, delivery.to))
            bytes_s = self.pace.routine_bytes_s if not lane.urgent else None
            paced = Paced(bytes_s, self._free) if bytes_s is not None else None
            if not lane.urgent:
                self._paced = paced is not None
            route = Route(*address, urgent=lane.urgent, more_s=self.pace.more_s(len(wire)), paced=paced)
            came = await post(wire, route)
            reply = self._opened(came, delivery)
        except Down as down:
            return self._fails(lane, None, down.fault, delivery)
        except Fault as fault:
            return self._fails(lane, address, fault, delivery)
        if lane.urgent:
            self._note_said(address, delivery)
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

    def _fails(self, lane: _Lane, place: _Address | None, fault: Fault, under_way: Delivery) -> None:
        """`place`: the address at which it fails, None for the whole line. Drops what waits there in this lane."""
        lane.dropped += len(under_way.frames) + len(under_way.sidecars)
        lane.drop(place)
        self._note(place, fault)

    def suspect(self, fault: Fault) -> None:
        """A probe found no way: told as a delivery's failure is, and so is the next delivery that goes through."""
        self._note(None, fault)

    def _note(self, place: _Address | None, fault: Fault) -> None:
        state = (fault.name, str(fault.details.get("reason", "")))
        if self._wrong.get(place) != state:
            self._wrong[place] = state
            self._on_change(fault)


class _Cut(Exception):
    """The routine delivery made way."""


def _to(delivery: Delivery) -> _Address:
    return delivery.ch, delivery.sender, delivery.to


def _size(delivery: Delivery) -> int:
    return sum(map(_frame_size, delivery.frames)) + sum(map(len, delivery.sidecars))


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
