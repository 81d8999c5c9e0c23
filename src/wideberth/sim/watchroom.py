# SPDX-License-Identifier: Apache-2.0
"""The watch room of one node: the product's own desk, and the people whom it calls, with all that people do.

They are absent, their pagers break, two take one alarm, they hand it on, and at the change of a shift what somebody
owns goes to who comes, or is forgotten. The desk is driven as `desk/room.py` drives it: a tell reaches it a moment
after the node told it, what it decides is kept before anybody is called, and a machine that goes down takes what was
not kept with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from wideberth.core.batch import Now
from wideberth.core.desk.desk import Desk, DeskBatch
from wideberth.core.desk.escalation import RINGS, How, Item, Page, State
from wideberth.core.desk.people import Person, Role, Roster, Shift
from wideberth.core.tells import Tell
from wideberth.sim.clock import BEGIN_MS
from wideberth.sim.dice import Dice
from wideberth.sim.weather import HOUR, MINUTE, SECOND

# What people and their pagers do wrong, each counted when it matters: when somebody is called.
PEOPLE_FAULTS: Final = ("absent", "pager_broken", "double_shift", "hand_over", "forgotten", "handed_on")

# As in `desk/room.py`: the desk looks at least this often, whatever its clock says.
LOOK_MS: Final = 5 * SECOND
# A tell reaches the desk within this time; a pager has this long.
_HEARS_MS: Final = 40
_PAGER_MS: Final = 8 * SECOND
# Worlds last minutes, so shifts do. Beyond the hours that are written down nobody is on shift.
_SHIFT_MS: Final = 6 * MINUTE
_BEFORE_MS, _AFTER_MS = HOUR, 3 * HOUR


class Looker(Protocol):
    """Looks on from outside (`heard.py`). Raises `Broken`."""

    def called(self, room: WatchRoom, page: Page) -> None: ...
    def owned(self, room: WatchRoom, item: Item) -> None: ...
    def let_go(self, room: WatchRoom, item: Item) -> None: ...
    def began(self, room: WatchRoom) -> None: ...


class WatchRoom:
    """`now()` is the node's clock; `later(ms, act)` plans in the world's time."""

    def __init__(
        self, party: str, dice: Dice, looker: Looker, now: Callable[[], Now],
        later: Callable[[int, Callable[[], None]], None],
    ) -> None:  # fmt: skip
        self.party = party
        self.faults: Counter[str] = Counter(dict.fromkeys(PEOPLE_FAULTS, 0))
        self.roster = _roster(dice)
        self.desk = Desk(party, self.roster)
        self.up = True
        self._dice, self._looker = dice, looker
        self._now, self._later = now, later
        self._kept: dict[str, bytes] = {}
        self._number = 0
        self._life = 0
        self._alarm = 0
        # Who does not react to anything in this world, and whose pager never gets through.
        people = [p.name for p in self.roster.everybody()]
        self._absent = {name for name in people if dice.chance(0.3)}
        self._broken = {name for name in people if dice.chance(0.2)}
        self._plan_change()

    # --- life ---

    def off(self) -> None:
        """The machine is off: what the desk had not kept is gone."""
        self.up = False
        self._life += 1

    def on(self) -> None:
        self.up = True
        self.desk = Desk(self.party, self.roster, number=self._number)
        kept = [msgspec.json.decode(data, type=Item) for data in self._kept.values()]
        self.desk.load(kept, ())
        self._looker.began(self)
        self._wake()

    # --- the node tells ---

    def told(self, tell: Tell, *, first: bool = False) -> None:
        """A moment later the desk hears it, if the machine is still on."""
        at_ms = self._now().t_ms
        self._in(self._dice.between(0, _HEARS_MS), lambda: self._carry_out(self.desk.told(tell, at_ms, first=first)))

    # --- the loop ---

    def _in(self, ms: int, act: Callable[[], None]) -> None:
        """What this life of the desk has planned."""
        life = self._life

        def do() -> None:
            if life == self._life and self.up:
                act()

        self._later(ms, do)

    def _carry_out(self, batch: DeskBatch) -> None:
        """Kept first, then people are called."""
        for key in batch.touched:
            value = self.desk.kept(key)
            if isinstance(value, Item):
                self._kept[key] = msgspec.json.encode(value)
            else:
                self._kept.pop(key, None)
        self._number = self.desk.number
        for page in batch.pages:
            self._looker.called(self, page)
            self._page(page)
        self._wake()

    def _wake(self) -> None:
        wake = self.desk.wake_ms()
        if wake is None:
            return
        self._alarm += 1
        alarm = self._alarm

        def look() -> None:
            if alarm == self._alarm:
                self._carry_out(self.desk.tick(self._now().t_ms))

        self._in(min(LOOK_MS, max(20, wake - self._now().t_ms)), look)

    # --- people ---

    def _page(self, page: Page) -> None:
        dice = self._dice
        if page.how is How.PHONE_CARD:
            return
        if page.person in self._broken:
            self.faults["pager_broken"] += 1
            if page.how is How.RING and dice.chance(0.5):  # half of the time it is noticed
                self._in(_PAGER_MS, lambda: self._carry_out(self.desk.failed(page, "broken", self._now().t_ms)))
            return
        if page.person in self._absent:
            self.faults["absent"] += 1
            return
        if dice.chance(0.7):
            self._in(dice.around(25 * SECOND), lambda: self._take(page.item, page.person))

    def _take(self, key: str, person: str) -> None:
        item = self.desk.items.get(key)
        if item is None or item.state in (State.ANSWERED, State.OVER):
            return
        if item.state not in RINGS and not self._dice.chance(0.1):
            return  # somebody has it; one in ten takes it all the same
        if item.state is State.OWNED and item.owner != person:
            self.faults["double_shift"] += 1
        self._do(self.desk.taken(key, person, self._now().t_ms))
        self._looker.owned(self, item)
        if self._dice.chance(0.2):
            self._in(self._dice.around(MINUTE), lambda: self._hand_on(key, person))

    def _hand_on(self, key: str, person: str) -> None:
        item = self.desk.items.get(key)
        if item is None or item.owner != person or item.state not in (State.OWNED, State.OVERDUE):
            return
        self.faults["handed_on"] += 1
        self._looker.let_go(self, item)
        self._do(self.desk.handed_on(key, person, self._now().t_ms))

    def _plan_change(self) -> None:
        self._later(_SHIFT_MS, self._change)

    def _change(self) -> None:
        """A shift ends: what somebody owns goes to who comes, rings again, or is forgotten."""
        if self.up:
            on = self.roster.on_shift(self._now().t_ms)
            for item in [i for i in self.desk.items.values() if i.state is State.OWNED]:
                fate = self._dice.between(0, 9)
                if on and fate < 5:
                    self.faults["hand_over"] += 1
                    self._do(self.desk.taken(item.key, on[0].name, self._now().t_ms))
                    self._looker.owned(self, item)
                elif fate < 8:
                    self._hand_on(item.key, item.owner)
                else:
                    self.faults["forgotten"] += 1
        self._plan_change()

    def _do(self, batch: DeskBatch) -> None:
        self._carry_out(batch)


def _roster(dice: Dice) -> Roster:
    """Three officers who take turns, at times two of them at once; a backup, a supervisor, and somebody who watches."""
    officers = [Person(f"W{n}", Role.WATCH_OFFICER, f"watch-{1 + n % 2}") for n in range(3)]
    people = [
        *officers, Person("B", Role.WATCH_OFFICER, "watch-2"), Person("S", Role.SUPERVISOR, "supervisor"),
        Person("O", Role.OBSERVER),
    ]  # fmt: skip
    shifts = []
    for n, at in enumerate(range(BEGIN_MS - _BEFORE_MS, BEGIN_MS + _AFTER_MS, _SHIFT_MS)):
        end = at + _SHIFT_MS
        shifts.append(Shift(officers[n % 3].name, at, end))
        if dice.chance(0.3):
            shifts.append(Shift(officers[(n + 1) % 3].name, at, end))
    shifts.append(Shift("B", BEGIN_MS - _BEFORE_MS, BEGIN_MS + _AFTER_MS, backup=True))
    return Roster(people, shifts)
