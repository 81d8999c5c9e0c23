# SPDX-License-Identifier: Apache-2.0
"""A watch room: a pure desk beside the GREEN end of a real pair, fed with whatever that node tells."""

from __future__ import annotations

import msgspec

from tests.core.desk.test_people import L1, S1, T0, W1, W2
from tests.pair import Pair
from wideberth.core import events as ev
from wideberth.core.desk.desk import Desk, DeskBatch
from wideberth.core.desk.escalation import Item, Logged, Page
from wideberth.core.desk.people import Person, Role, Roster, Shift
from wideberth.core.desk.relays import Call, Distribution

DAY = 86_400_000
BLUE, GREEN = "BLUE/watch-1", "GREEN/watch-1"
OBSERVER = Person("O1", Role.OBSERVER)


def roster(*on_shift: Person, backup: Person | None = W2) -> Roster:
    shifts = [Shift(p.name, T0 - DAY, T0 + 9 * DAY) for p in on_shift or (W1,)]
    if backup is not None:
        shifts.append(Shift(backup.name, T0 - DAY, T0 + 9 * DAY, backup=True))
    return Roster([W1, W2, S1, L1, OBSERVER], shifts)


class Room:
    def __init__(self, pair: Pair, people: Roster | None = None) -> None:
        self.pair = pair
        self.desk = Desk("GREEN", people or roster())
        self.pages: list[Page] = []
        self.calls: list[Call] = []
        self.log: list[Logged] = []
        self._kept: dict[str, bytes] = {}
        self._heard = (0, 0)

    def take(self, batch: DeskBatch) -> DeskBatch:
        """As the shell does: what was touched is kept, then people are called."""
        for key in batch.touched:
            kept = self.desk.kept(key)
            if kept is None:
                self._kept.pop(key, None)
            else:
                self._kept[key] = msgspec.json.encode(kept)
        self.pages += batch.pages
        self.calls += batch.calls
        self.log += batch.log
        return batch

    def hear(self) -> None:
        """Everything that GREEN's node told since the last time."""
        green, (rung, told) = self.pair.green, self._heard
        self._heard = (len(green.rung), len(green.told))
        for tell in green.rung[rung:]:
            self.take(self.desk.told(tell, self.pair.now.t_ms, first=True))
        for tell in green.told[told:]:
            self.take(self.desk.told(tell, self.pair.now.t_ms))

    def do(self, command: ev.Command, by: str = "GREEN") -> None:
        self.pair.ends[by].step(command, self.pair.now)
        self.pair.settle()
        self.hear()

    def later(self, ms: int) -> None:
        """Time passes; the node and the desk are woken whenever they ask for it."""
        end = self.pair.now.t_ms + ms
        while True:
            wakes = [w for w in (self.desk.wake_ms(),) if w is not None and w <= end]
            step = (min(wakes) if wakes else end) - self.pair.now.t_ms
            self.pair.later(max(0, step))
            self.pair.tick()
            self.hear()
            self.take(self.desk.tick(self.pair.now.t_ms))
            if self.pair.now.t_ms >= end and not [w for w in (self.desk.wake_ms(),) if w is not None and w <= end]:
                return

    def restart(self) -> None:
        """The process of GREEN died: the desk has only what was kept, the node only its store."""
        before = self.desk
        self.desk = Desk("GREEN", before.roster, number=before.number)
        items = [msgspec.json.decode(k, type=Item) for name, k in self._kept.items() if "|" not in name]
        live = [msgspec.json.decode(k, type=Distribution) for name, k in self._kept.items() if "|" in name]
        self.desk.load(items, live)
        self.pair.green.restart(self.pair.now)
        self.hear()
