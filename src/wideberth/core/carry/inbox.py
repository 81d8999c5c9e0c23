# SPDX-License-Identifier: Apache-2.0
"""One member's entries on their way in: what waits behind a gap, and the receipts that we gave.

Waiting frames are verified already; they sit in memory, bounded, because their author repeats whatever we have not
receipted. Urgent ones are never dropped by the bound: they rang, and must be linked when the gap fills.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from wideberth.core.limits import PARKED_FRAMES_MAX
from wideberth.core.seal.entry import Entry

# Receipts that we may have to repeat. A peer that lost one learns the first time at which we held an entry, as long as
# it asks within this many receipts; afterwards it gets a later one, which is true as well.
_RECEIPTS_KEPT: Final = 256
_RECEIPTS_HANDED_BACK: Final = 64


class Inbox:
    def __init__(self) -> None:
        self._parked: OrderedDict[tuple[str, int], tuple[Entry, bool]] = OrderedDict()
        self._receipts: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    def park(self, entry: Entry, *, urgent: bool) -> bool:
        """Keep an entry that came too early. Returns whether it is new here, or known to be urgent only now: by then
        the card has come under which it can be read."""
        place = (entry.header.epoch, entry.header.seq)
        if place in self._parked:
            before = self._parked[place][1]
            self._parked[place] = (entry, before or urgent)
            return urgent and not before
        self._parked[place] = (entry, urgent)
        if len(self._parked) > PARKED_FRAMES_MAX:
            # Drop the farthest routine one: it is the last that could be linked.
            routine = [p for p, (_, is_urgent) in self._parked.items() if not is_urgent]
            if routine:
                del self._parked[max(routine, key=lambda p: p[1])]
        return True

    def parked(self, epoch: str, seq: int) -> Entry | None:
        kept = self._parked.get((epoch, seq))
        return kept[0] if kept else None

    def openings(self) -> list[str]:
        """Epochs whose opening waits here for its predecessor."""
        return [epoch for epoch, seq in self._parked if seq == 1]

    def take(self, epoch: str, seq: int) -> Entry | None:
        kept = self._parked.pop((epoch, seq), None)
        return kept[0] if kept else None

    def gave(self, epoch: str, seq: int, envelope: bytes) -> None:
        """We signed a receipt up to a place."""
        self._receipts[epoch, seq] = envelope
        while len(self._receipts) > _RECEIPTS_KEPT:
            self._receipts.popitem(last=False)

    def keep_signed_by(self, keyid: str) -> None:
        """Forget the receipts that we signed with another node key."""
        self._receipts = OrderedDict((at, e) for at, e in self._receipts.items() if keyid.encode() in e)

    def newest_receipts(self) -> tuple[bytes, ...]:
        """What we signed last about each place, newest last: for an author that lost them."""
        return tuple(self._receipts.values())[-_RECEIPTS_HANDED_BACK:]

    def receipts_for(self, epoch: str, seq: int) -> list[bytes]:
        """The earliest kept receipt that covers a place, and the newest of its epoch."""
        covering = [n for e, n in self._receipts if e == epoch and n >= seq]
        if not covering:
            return []
        first, newest = self._receipts[epoch, min(covering)], self._receipts[epoch, max(covering)]
        return [first] if first == newest else [first, newest]
