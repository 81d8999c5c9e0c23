# SPDX-License-Identifier: Apache-2.0
"""Who is called, and when, until somebody owns an alarm (domain.md B5, B6, E8 as amended in §8).

One urgent item has one owner at a time. Until it has one it rings, and goes on ringing: the ladder below first, then
everybody once a minute. Taking an item asks nobody's leave; any person on the roster but an observer may take any item.

    RINGING --TAKEN--> OWNED --ANSWERED--> ANSWERED
    OWNED --OUT_OF_TIME--> OVERDUE          the owner did not answer in time: it rings again, and is still theirs
    any   --OVER--> OVER                    superseded, cancelled or finished: it no longer rings
    any   --EXPIRED--> EXPIRED              its own time is over

Time alone leads only to OVERDUE and EXPIRED. `MOVES` is the whole table; what is not in it is a named fault.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from wideberth.core.desk.people import Person, Roster
from wideberth.errors import BadInput, NotFound


class State(StrEnum):
    RINGING = "RINGING"
    OWNED = "OWNED"
    OVERDUE = "OVERDUE"
    ANSWERED = "ANSWERED"
    OVER = "OVER"
    EXPIRED = "EXPIRED"


class Event(StrEnum):
    """What happens to an item. OUT_OF_TIME and EXPIRED are those that time causes."""

    RANG = "RANG"
    TAKEN = "TAKEN"
    HANDED_ON = "HANDED_ON"
    ANSWERED = "ANSWERED"
    OUT_OF_TIME = "OUT_OF_TIME"
    OVER = "OVER"
    EXPIRED = "EXPIRED"


# RANG on an item that is there: a new version of the same thing. Its owner stays, and hears it.
MOVES: Final[dict[tuple[State, Event], State]] = {
    (State.RINGING, Event.RANG): State.RINGING,
    (State.RINGING, Event.TAKEN): State.OWNED,
    (State.RINGING, Event.ANSWERED): State.ANSWERED,
    (State.RINGING, Event.OUT_OF_TIME): State.OVERDUE,
    (State.RINGING, Event.OVER): State.OVER,
    (State.RINGING, Event.EXPIRED): State.EXPIRED,
    (State.OWNED, Event.RANG): State.OWNED,
    (State.OWNED, Event.TAKEN): State.OWNED,
    (State.OWNED, Event.HANDED_ON): State.RINGING,
    (State.OWNED, Event.ANSWERED): State.ANSWERED,
    (State.OWNED, Event.OUT_OF_TIME): State.OVERDUE,
    (State.OWNED, Event.OVER): State.OVER,
    (State.OWNED, Event.EXPIRED): State.EXPIRED,
    (State.OVERDUE, Event.RANG): State.OVERDUE,
    (State.OVERDUE, Event.TAKEN): State.OWNED,
    (State.OVERDUE, Event.HANDED_ON): State.RINGING,
    (State.OVERDUE, Event.ANSWERED): State.ANSWERED,
    (State.OVERDUE, Event.OVER): State.OVER,
    (State.OVERDUE, Event.EXPIRED): State.EXPIRED,
    (State.ANSWERED, Event.RANG): State.RINGING,
    (State.ANSWERED, Event.ANSWERED): State.ANSWERED,
    (State.ANSWERED, Event.OVER): State.OVER,
    (State.ANSWERED, Event.EXPIRED): State.EXPIRED,
    (State.OVER, Event.RANG): State.RINGING,
    (State.OVER, Event.OVER): State.OVER,
    (State.EXPIRED, Event.RANG): State.RINGING,
}
RINGS: Final = frozenset({State.RINGING, State.OVERDUE})


class Urgency(StrEnum):
    """Which ladder. FLASH: an ALERT, hold-off, accident, distress, or FLASH traffic."""

    FLASH = "FLASH"
    URGENT = "URGENT"
    OTHER = "OTHER"


class Who(StrEnum):
    ON_SHIFT = "ON_SHIFT"
    FIRST = "FIRST"
    NEXT = "NEXT"
    SUPERVISOR = "SUPERVISOR"
    BACKUPS = "BACKUPS"
    EVERYBODY = "EVERYBODY"


class How(StrEnum):
    """RING: the screen and the pagers. PHONE_CARD: whom to call, shown at once. PHONE_SCRIPT: what to say, with the
    reference and its check character, for when all else fails."""

    RING = "RING"
    PHONE_CARD = "PHONE_CARD"
    PHONE_SCRIPT = "PHONE_SCRIPT"


class Rung(msgspec.Struct, frozen=True):
    after_ms: int
    who: Who
    how: How


LADDERS: Final[dict[Urgency, tuple[Rung, ...]]] = {
    Urgency.FLASH: (
        Rung(0, Who.ON_SHIFT, How.RING),
        Rung(0, Who.ON_SHIFT, How.PHONE_CARD),
        Rung(30_000, Who.SUPERVISOR, How.RING),
        Rung(60_000, Who.BACKUPS, How.RING),
        Rung(120_000, Who.EVERYBODY, How.RING),
        Rung(180_000, Who.EVERYBODY, How.PHONE_SCRIPT),
    ),
    Urgency.URGENT: (
        Rung(0, Who.ON_SHIFT, How.RING),
        Rung(30_000, Who.SUPERVISOR, How.RING),
        Rung(60_000, Who.BACKUPS, How.RING),
        Rung(120_000, Who.EVERYBODY, How.RING),
        Rung(180_000, Who.EVERYBODY, How.PHONE_SCRIPT),
    ),
    Urgency.OTHER: (
        Rung(0, Who.FIRST, How.RING),
        Rung(60_000, Who.NEXT, How.RING),
        Rung(120_000, Who.SUPERVISOR, How.RING),
        Rung(180_000, Who.EVERYBODY, How.PHONE_SCRIPT),
    ),
}
_ORDER: Final = tuple(Urgency)
# After its last rung an item that nobody owns rings everybody this often.
AGAIN_MS: Final = 60_000
# What is told may be older than the last look by this much; what is more is a clock that was set back.
SET_BACK_MS: Final = 1_000


class Page(msgspec.Struct, frozen=True):
    """One person is called about one item. `rung` counts from 1; 0 for the repeats after the ladder. `inside`: the item
    is about own plans or units, so whoever sees the call on its way could learn of them."""

    at_ms: int
    item: str
    person: str
    how: How
    rung: int
    urgency: Urgency = Urgency.OTHER
    inside: bool = False


class Logged(msgspec.Struct, frozen=True):
    """One line of the desk's own log: every rung, and every hand that an item went through."""

    at_ms: int
    item: str
    event: str
    person: str
    state: str
    note: str = ""


class Item(msgspec.Struct):
    """What rings: one notice, hold-off, message or fault. `key` is its reference, `answer_by_ms` when its owner must
    have answered (0: never). `group`, `name`, `causes` and `until_ms` are the desk's (`desk.py`): what it is about, in
    short, what rings now, and when it is over by itself. `inside`: see `Page`."""

    key: str
    urgency: Urgency
    sentence: str
    since_ms: int
    answer_by_ms: int = 0
    state: State = State.RINGING
    owner: str = ""
    rung: int = 0
    again_ms: int = 0
    group: str = ""
    name: str = ""
    causes: dict[str, str] = {}
    until_ms: int = 0
    inside: bool = False
    version: int = 0


class Escalation:
    """The alarms of one desk. Pure: what happened and the time go in, pages and log lines come out."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.items: dict[str, Item] = {}
        self._latest_ms = 0

    # --- what happens ---

    def rang(
        self, key: str, urgency: Urgency, sentence: str, now_ms: int, *, answer_by_ms: int = 0, inside: bool = False
    ) -> tuple[list[Page], list[Logged]]:
        """Something rings. The same thing again (a new version) does not start the ladder anew while it rings, unless
        it became more urgent, and is heard by its owner when it has one."""
        item = self.items.get(key)
        if item is None or item.state in (State.ANSWERED, State.OVER):
            item = self.items[key] = Item(key, urgency, sentence, now_ms, answer_by_ms, inside=inside)
            log = [Logged(now_ms, key, Event.RANG, "", item.state, sentence)]
            pages, more = self.tick(now_ms)
            return pages, log + more
        item.sentence, item.state = sentence, MOVES[item.state, Event.RANG]
        if answer_by_ms:
            item.answer_by_ms = answer_by_ms
        if _ORDER.index(urgency) < _ORDER.index(item.urgency):
            item.urgency, item.since_ms, item.rung = urgency, now_ms, 0
        log = [Logged(now_ms, key, Event.RANG, item.owner, item.state, sentence)]
        pages = [_page(item, now_ms, item.owner, How.RING, item.rung)] if item.owner else []
        due, more = self.tick(now_ms)
        return pages + due, log + more

    def taken(self, key: str, person: str, now_ms: int) -> list[Logged]:
        """Somebody owns it now; from another owner as well, without asking. Raises NotFound, BadInput."""
        item, who = self._item(key), self._person(person)
        before = item.owner
        self._move(item, Event.TAKEN)
        item.owner = who.name
        note = f"from {before}" if before and before != who.name else ""
        return [Logged(now_ms, key, Event.TAKEN, who.name, item.state, note)]

    def handed_on(self, key: str, person: str, now_ms: int) -> tuple[list[Page], list[Logged]]:
        """Its owner lets it go: it rings again, from the first rung."""
        item = self._item(key)
        if item.owner != person:
            raise BadInput(f"{key} is not {person}'s to hand on; {item.owner or 'nobody'} has it", field="item")
        self._move(item, Event.HANDED_ON)
        item.owner, item.rung, item.since_ms, item.again_ms = "", 0, now_ms, 0
        log = [Logged(now_ms, key, Event.HANDED_ON, person, item.state)]
        pages, more = self.tick(now_ms)
        return pages, log + more

    def failed(self, page: Page, why: str, now_ms: int) -> tuple[list[Page], list[Logged]]:
        """A call did not get through (domain.md F23): the next rung that rings is called at once, for an item that
        nobody owns yet. What comes after it keeps its time."""
        item = self.items.get(page.item)
        if item is None:
            return [], []
        log = [Logged(now_ms, item.key, "FAILED", page.person, item.state, why)]
        ladder, pages = LADDERS[item.urgency], list[Page]()
        if item.state in RINGS and not item.owner and page.rung:
            following = [n for n, rung in enumerate(ladder) if n >= page.rung and rung.how is How.RING]
            if following and following[0] >= item.rung:
                while item.rung <= following[0]:
                    self._rung(item, now_ms, pages, log)
        return pages, log

    def answered(self, key: str, person: str, now_ms: int, why: str = "") -> list[Logged]:
        """What it asked for was said. It no longer rings; a new version will."""
        item = self.items.get(key)
        if item is None or item.state is State.OVER:
            return []
        self._move(item, Event.ANSWERED)
        return [Logged(now_ms, key, Event.ANSWERED, person, item.state, why)]

    def over(self, key: str, now_ms: int, why: str, event: Event = Event.OVER) -> list[Logged]:
        """Superseded, cancelled or finished, or with EXPIRED its own time is over: nothing is left to do."""
        item = self.items.pop(key, None)
        if item is None:
            return []
        self._move(item, event)
        return [Logged(now_ms, key, event, item.owner, item.state, why)]

    def tick(self, now_ms: int) -> tuple[list[Page], list[Logged]]:
        """Every rung that is due. A desk that slept (a stopped process, a clock that jumped) calls each person once."""
        pages: list[Page] = []
        log: list[Logged] = []
        self._go_along(now_ms)
        for item in self.items.values():
            if item.answer_by_ms and item.answer_by_ms <= now_ms and (item.state, Event.OUT_OF_TIME) in MOVES:
                self._move(item, Event.OUT_OF_TIME)
                item.answer_by_ms = 0
                log.append(Logged(now_ms, item.key, Event.OUT_OF_TIME, item.owner, item.state))
                item.again_ms = now_ms if item.owner else item.again_ms
            if item.state in RINGS:
                self._climb(item, now_ms, pages, log)
        return pages, log

    def loaded(self) -> None:
        """After a restart: no clock that began a ladder can have been behind the one of now, unless it was set back."""
        begun = [max(item.since_ms, item.again_ms - AGAIN_MS) for item in self.items.values()]
        self._latest_ms = max(begun, default=0)

    def _go_along(self, now_ms: int) -> None:
        """A clock that was set back must not silence anything until it comes round again: ladders go back with it."""
        back_ms = self._latest_ms - now_ms
        if back_ms > SET_BACK_MS:
            for item in self.items.values():
                item.since_ms -= back_ms
                item.again_ms -= back_ms
        if back_ms < 0 or back_ms > SET_BACK_MS:
            self._latest_ms = now_ms

    def wake_ms(self) -> int | None:
        """When the next thing is due, ms UTC."""
        due = []
        for item in self.items.values():
            if item.answer_by_ms and (item.state, Event.OUT_OF_TIME) in MOVES:
                due.append(item.answer_by_ms)
            if item.state in RINGS:
                due.append(self._next_ms(item))
        return min(due, default=None)

    def ringing(self) -> list[Item]:
        """What nobody owns, or what its owner has not answered in time; the most urgent and oldest first."""
        rings = [item for item in self.items.values() if item.state in RINGS]
        return sorted(rings, key=lambda i: (_ORDER.index(i.urgency), i.since_ms, i.key))

    # --- the ladder ---

    def _next_ms(self, item: Item) -> int:
        """When the next rung is due. Out of time or not, an item that nobody owns climbs; an owner's does not."""
        ladder = LADDERS[item.urgency]
        if item.rung >= len(ladder) or item.owner:
            return item.again_ms
        return item.since_ms + ladder[item.rung].after_ms

    def _climb(self, item: Item, now_ms: int, pages: list[Page], log: list[Logged]) -> None:
        ladder = LADDERS[item.urgency]
        first = len(pages)
        while not item.owner and item.rung < len(ladder) and item.since_ms + ladder[item.rung].after_ms <= now_ms:
            self._rung(item, now_ms, pages, log)
        if item.rung < len(ladder) and not item.owner:
            return
        if item.again_ms <= now_ms:
            called = {p.person for p in pages[first:] if p.how is How.RING}
            item.again_ms = now_ms + AGAIN_MS
            everybody = self._people(Who.EVERYBODY, now_ms)
            log.append(Logged(now_ms, item.key, "RUNG", ", ".join(p.name for p in everybody), item.state, "again"))
            pages += [_page(item, now_ms, p.name, How.RING, 0) for p in everybody if p.name not in called]

    def _rung(self, item: Item, now_ms: int, pages: list[Page], log: list[Logged]) -> None:
        """Climb one. Who was called a moment ago, in the same way, is not called twice."""
        rung = LADDERS[item.urgency][item.rung]
        item.rung += 1
        item.again_ms = item.since_ms + rung.after_ms + AGAIN_MS
        people = self._people(rung.who, now_ms)
        note = f"rung {item.rung}: {rung.who} {rung.how}" + ("" if people else ", and nobody is there")
        log.append(Logged(now_ms, item.key, "RUNG", ", ".join(p.name for p in people), item.state, note))
        called = {(p.person, p.how) for p in pages if p.item == item.key}
        pages += [_page(item, now_ms, p.name, rung.how, item.rung) for p in people if (p.name, rung.how) not in called]

    def _people(self, who: Who, now_ms: int) -> list[Person]:
        """Nobody on shift is never a reason to call nobody: then everybody is called."""
        roster = self.roster
        match who:
            case Who.ON_SHIFT:
                found = roster.on_shift(now_ms)
            case Who.FIRST:
                found = roster.on_shift(now_ms)[:1]
            case Who.NEXT:
                found = roster.on_shift(now_ms)[1:2] or roster.backups(now_ms)[:1] or roster.supervisors(now_ms)[:1]
            case Who.SUPERVISOR:
                found = roster.supervisors(now_ms)
            case Who.BACKUPS:
                found = roster.backups(now_ms) or roster.supervisors(now_ms)
            case Who.EVERYBODY:
                found = roster.everybody()
        return found or roster.everybody()

    # --- the table ---

    def _move(self, item: Item, event: Event) -> None:
        after = MOVES.get((item.state, event))
        if after is None:
            raise BadInput(f"{item.key} is {item.state}: it cannot be {event} now", field="item")
        item.state = after

    def _item(self, key: str) -> Item:
        item = self.items.get(key)
        if item is None:
            raise NotFound(f"nothing rings under {key}; `watch` lists what does", item=key)
        return item

    def _person(self, name: str) -> Person:
        person = self.roster.people.get(name)
        if person is None or person not in self.roster.everybody():
            raise BadInput(f"{name} is not on the roster as one who may own an alarm", field="person")
        return person


def _page(item: Item, now_ms: int, person: str, how: How, rung: int) -> Page:
    return Page(now_ms, item.key, person, how, rung, item.urgency, item.inside)
