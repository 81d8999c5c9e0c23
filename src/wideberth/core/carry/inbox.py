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


class Inbox:
    def __init__(self) -> None:
        self._parked: OrderedDict[int, tuple[Entry, bool]] = OrderedDict()
        self._receipts: OrderedDict[int, bytes] = OrderedDict()

    def park(self, entry: Entry, *, urgent: bool) -> bool:
        """Keep an entry that came too early. Returns whether it is new here."""
        seq = entry.header.seq
        if seq in self._parked:
            return False
        self._parked[seq] = (entry, urgent)
        if len(self._parked) > PARKED_FRAMES_MAX:
            # Drop the farthest routine one: it is the last that could be linked.
            routine = [n for n, (_, is_urgent) in self._parked.items() if not is_urgent]
            if routine:
                del self._parked[max(routine)]
        return True

    def parked(self, seq: int) -> Entry | None:
        kept = self._parked.get(seq)
        return kept[0] if kept else None

    def take(self, seq: int) -> Entry | None:
        kept = self._parked.pop(seq, None)
        return kept[0] if kept else None

    def gave(self, seq: int, envelope: bytes) -> None:
        """We signed a receipt up to `seq`."""
        self._receipts[seq] = envelope
        while len(self._receipts) > _RECEIPTS_KEPT:
            self._receipts.popitem(last=False)

    def receipts_for(self, seq: int) -> list[bytes]:
        """The earliest kept receipt that covers `seq`, and the newest."""
        covering = [n for n in self._receipts if n >= seq]
        if not covering:
            return []
        first, newest = min(covering), max(covering)
        return [self._receipts[first]] if first == newest else [self._receipts[first], self._receipts[newest]]
