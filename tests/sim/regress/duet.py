# SPDX-License-Identifier: Apache-2.0
"""Two nodes of the simulator, driven by hand: what is said is collected, and delivered when and how the test wants."""

from __future__ import annotations

from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now
from wideberth.core.line import Line
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord
from wideberth.core.say.place import Altitude, VerticalRef
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Precedence, Terms
from wideberth.core.tells import Heard
from wideberth.sim.clock import BEGIN_MS
from wideberth.sim.dice import Dice
from wideberth.sim.disk import Disk
from wideberth.sim.parties import BlakeVerifier, Keys, found

MINUTE = 60_000
Frame = tuple[bytes, bytes]


def terms(precedence: Precedence = Precedence.ROUTINE, *, lat: str = "41") -> Terms:
    """Activity from half an hour to three hours after the beginning."""
    volume = Volume4D(
        Circle.at(lat=lat, lng="-38.5", radius_km=15),
        Altitude.surface(),
        Altitude.feet(5000, VerticalRef.AMSL),
        BEGIN_MS + 30 * MINUTE,
        BEGIN_MS + 180 * MINUTE,
    )
    return Terms(
        NoticeType.AREA_ACTIVITY, Hazard.CREWED_AIRCRAFT, "+999 555 0110", (volume,), volume.end_ms, precedence
    )


class Hand:
    """One node, its disk, and what it has not sent yet."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.disk = Disk()
        self.frames: list[Frame] = []
        self.sidecars: list[bytes] = []
        self.rang: list[Heard] = []
        self.node = self.build()

    def build(self) -> Node:
        node = Node(self.keys.party, self.keys, BlakeVerifier(), Dice(self.keys.party).octets, self.disk.entry)
        for record in self.disk.load():
            node.load(record)
        return node

    def step(self, event: ev.Event, at_ms: int = 0) -> Batch:
        batch = self.node.step(event, Now(BEGIN_MS + at_ms, at_ms))
        self.rang += [r for r in batch.ring if isinstance(r, Heard)]
        if batch.store:
            self.disk.append(batch.store)
            self.disk.sync()
        fresh = {r.hash: r for r in batch.store if isinstance(r, EntryRecord)}
        for send in batch.send:
            for hash_ in send.frames:
                record = fresh.get(hash_) or self.disk.entry(hash_)
                assert record is not None
                self.frames.append((record.envelope, record.body))
            self.sidecars += send.sidecars
        return batch

    def take(self) -> tuple[tuple[Frame, ...], tuple[bytes, ...]]:
        """What waits to be sent, each once; nothing waits afterwards."""
        taken = tuple(dict.fromkeys(self.frames)), tuple(dict.fromkeys(self.sidecars))
        self.frames, self.sidecars = [], []
        return taken


class Duet:
    """AMBER and BLUE on one open line, each having heard the other's first entry."""

    def __init__(self) -> None:
        keys = [Keys(name, Dice(name), real=False) for name in ("AMBER", "BLUE")]
        (charter,) = found(keys, Dice("charter"))
        self.ch = charter.ch
        self.amber, self.blue = (Hand(k) for k in keys)
        for hand in (self.amber, self.blue):
            hand.step(ev.OpenLine(charter.signed[hand.keys.party], charter.cards))
        self.exchange()

    def line(self, hand: Hand) -> Line:
        return hand.node.lines[self.ch]

    def carry(
        self, sender: Hand, to: Hand, frames: tuple[Frame, ...], sidecars: tuple[bytes, ...] = (), at_ms: int = 0
    ) -> Batch:
        return to.step(ev.Arrived(self.ch, sender.keys.party, frames, sidecars), at_ms)

    def exchange(self, at_ms: int = 0) -> None:
        """Deliver everything both ways until nothing waits."""
        for _ in range(20):
            waiting = [(a, b, a.take()) for a, b in ((self.amber, self.blue), (self.blue, self.amber))]
            if not any(frames or sidecars for _, _, (frames, sidecars) in waiting):
                return
            for sender, to, (frames, sidecars) in waiting:
                if frames or sidecars:
                    self.carry(sender, to, frames, sidecars, at_ms)
        raise AssertionError("the two never come to rest")
