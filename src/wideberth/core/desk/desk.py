# SPDX-License-Identifier: Apache-2.0
"""The desk of one node: what its node tells goes in, whom to call and what to write down comes out. Pure.

    desk = Desk("BLUE", roster)
    batch = desk.told(tell, now_ms, first=…)        # `first`: it rang before it was recorded
    batch = desk.tick(now_ms)                       # no later than desk.wake_ms()
    batch = desk.taken("DSK-0001-C", "Anna", now_ms)

What rings opens an item, or joins the one that there is about the same thing; what answers it or ends it closes that
item again (`causes.py`). Until somebody owns an item it climbs its ladder (`escalation.py`). Notices that meet own
units' areas are followed to the last unit (`relays.py`). Items have references of their own, with a check letter, so
that who is woken up by one learns nothing from it but that. `saved()` and `load` carry a desk over a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from wideberth.core.desk import causes
from wideberth.core.desk.causes import Cause, End
from wideberth.core.desk.escalation import RINGS, Escalation, Event, Item, Logged, Page, State, Urgency
from wideberth.core.desk.people import DAY_MS, Roster
from wideberth.core.desk.relays import CONFIRM_MS, Call, Distribution, Relays
from wideberth.core.say import reference
from wideberth.core.tells import FaultSeen, Heard, Level, Overdue, Tell
from wideberth.core.warned import Exposed, Nearer, UnitsMet, Warned
from wideberth.errors import BadInput, NotFound

# Of the references of items. It names nobody: the same three letters at every desk.
ITEMS: Final = "DSK"


# A line of which so much is open is flooded: what comes more is one item, that a person closes. So no peer can bury an
# alarm under others, nor keep the desk busy with its own list.
OPEN_MOST: Final = 100


class DeskBatch(msgspec.Struct, frozen=True):
    """What the shell must do: write `log` and what `touched` names down (durably), then call.

    `pages` call people of the desk, `calls` own units. `touched`: items and notices whose state is another now, or that
    are gone (`Desk.kept`).
    """

    pages: tuple[Page, ...] = ()
    calls: tuple[Call, ...] = ()
    log: tuple[Logged, ...] = ()
    touched: tuple[str, ...] = ()

    def __add__(self, other: DeskBatch) -> DeskBatch:
        return DeskBatch(
            self.pages + other.pages, self.calls + other.calls, self.log + other.log,
            tuple(dict.fromkeys(self.touched + other.touched)),
        )  # fmt: skip


class Desk:
    """`us`: the party. `number`: of the newest item so far."""

    def __init__(self, us: str, roster: Roster, *, number: int = 0) -> None:
        self.us = us
        self.number = number
        self.escalation = Escalation(roster)
        self.relays = Relays()
        # From what an item is about to its reference. What refines an ALERT is about the same thing as it.
        self._groups: dict[str, str] = {}

    # --- over a restart ---

    def load(self, items: Iterable[Item], live: Iterable[Distribution]) -> None:
        """As they were kept. What was owned is still owned; what rings climbs on from the rung that it was on."""
        for item in items:
            self.items[item.key] = item
            self._groups[item.group] = item.key
        self.escalation.loaded()
        self.relays.live |= {found.key: found for found in live}

    def kept(self, key: str) -> Item | Distribution | None:
        """What to keep under a key that was touched; None: nothing any more."""
        return self.items.get(key) or self.relays.live.get(key)

    def settle(self, holds: Callable[[Item], str], live: Callable[[str], bool], now_ms: int) -> DeskBatch:
        """After a restart: `holds` says what became of an item meanwhile: ANSWERED, OVER, or empty for nothing; `live`
        whether a notice that is followed to own units (by its key) is still one."""
        out = DeskBatch()
        for key in [key for key in self.relays.live if not live(key)]:
            self.relays.over(key)
            out += DeskBatch(touched=(key,))
        for item in list(self.items.values()):
            became = holds(item)
            if became == Event.OVER:
                out += self._over(item, now_ms, "it ended while the desk was down")
            elif became == Event.ANSWERED and item.state is not State.ANSWERED:
                out += self._answered(item, "", now_ms, "it was answered while the desk was down")
        return out

    # --- what the node tells ---

    @property
    def items(self) -> dict[str, Item]:
        """By reference; those that are answered too, until they are over."""
        return self.escalation.items

    @property
    def roster(self) -> Roster:
        return self.escalation.roster

    @roster.setter
    def roster(self, roster: Roster) -> None:
        self.escalation.roster = roster

    def told(self, tell: Tell | Warned, now_ms: int, *, first: bool = False) -> DeskBatch:
        """One tell of this node. `first`: rung before the record, or by a node that has just started."""
        if isinstance(tell, UnitsMet):
            return self._met(tell, now_ms)
        if tell.level is Level.QUIET:
            return DeskBatch()  # receipts and keys, many of them: for programs
        late = isinstance(tell, Overdue) and tell.member == self.us
        plain = self._plain(tell)
        out = DeskBatch()
        if isinstance(tell, Heard) and (alert := str(tell.facts.get("refines", ""))):
            out += self._joined(tell.ch, alert, tell.ref, now_ms, rings=tell.precedence in ("FLASH", "IMMEDIATE"))
        if isinstance(tell, FaultSeen) and tell.fault == "NOT_UNDERSTOOD":
            out += self._without_effect(tell.ch, str(tell.details.get("entry", "")))
        if (end := causes.end(plain)) is not None:
            out += self._ended(end, now_ms)
        found = causes.missed(plain, self.us) if late and not first else None
        found = found or causes.cause(plain)
        if found is not None:
            out += self._rang(found, now_ms)
        if isinstance(tell, Exposed | Nearer):
            out += self._called(self.relays.approached(_relay_key(tell.ch, tell.ref), now_ms))
        return out

    def tick(self, now_ms: int) -> DeskBatch:
        """Every rung and every call that is due."""
        out = self._batch(*self.escalation.tick(now_ms))
        for item in list(self.items.values()):
            if item.until_ms and item.until_ms <= now_ms:
                out += self._over(item, now_ms, "its time is over", Event.EXPIRED)
        for found in self.relays.live.values():
            if found.look_ms and found.look_ms <= now_ms:
                found.look_ms = 0
                out += DeskBatch(touched=(found.key,))
                if found.missing:
                    out += self._rang(_not_fully(found, now_ms), now_ms)
        before = set(self.relays.live)
        out += self._called(self.relays.tick(now_ms))
        for key in before - self.relays.live.keys():
            out += DeskBatch(touched=(key,)) + self._over_group(
                _group_of_relay(key), now_ms, "its time is over", Event.EXPIRED
            )
        return out

    def wake_ms(self) -> int | None:
        """When the next thing is due, ms UTC."""
        due = [self.escalation.wake_ms(), self.relays.wake_ms()]
        due += [item.until_ms for item in self.items.values() if item.until_ms]
        due += [found.look_ms for found in self.relays.live.values() if found.look_ms]
        return min((at for at in due if at is not None), default=None)

    # --- what people do ---

    def find(self, name: str) -> Item:
        """By its reference, or by that of the one notice or message that it is about. Raises NotFound, BadInput."""
        found = [item for item in self.items.values() if name.upper() in (item.key, item.name.upper())]
        if not found and reference_like(name):
            key = reference.check(name)
            found = [item for item in self.items.values() if key in (item.key, item.name)]
        open_ = [item for item in found if item.state is not State.ANSWERED] or found
        if not open_:
            raise NotFound(f"nothing at the desk is called {name}; `desk` lists what is open", item=name)
        if len(open_) > 1:
            raise BadInput(f"{name} is more than one item: {', '.join(i.key for i in open_)}", field="item")
        return open_[0]

    def open(self) -> list[Item]:
        """Everything that is not answered: the most urgent and oldest first, what rings before what is owned."""
        order = list(Urgency)
        items = [item for item in self.items.values() if item.state is not State.ANSWERED]
        return sorted(items, key=lambda i: (i.state not in RINGS, order.index(i.urgency), i.since_ms, i.key))

    def taken(self, name: str, person: str, now_ms: int) -> DeskBatch:
        """Somebody owns it now, without asking anybody. Raises NotFound, BadInput."""
        return self._batch([], self.escalation.taken(self.find(name).key, person, now_ms))

    def handed_on(self, name: str, person: str, now_ms: int) -> DeskBatch:
        """Its owner lets it go, and it rings from the first rung. Raises NotFound, BadInput."""
        return self._batch(*self.escalation.handed_on(self.find(name).key, person, now_ms))

    def done(self, name: str, person: str, note: str, now_ms: int) -> DeskBatch:
        """What no word of the record answers was seen to: a fault, an exposure, a line. Raises NotFound, BadInput."""
        item = self.find(name)
        if any(key.startswith("heard|") for key in item.causes):
            raise BadInput(f"{item.name} waits for an answer: acknowledge it, read it back or answer it", field="item")
        if item.owner != person:
            raise BadInput(
                f"{item.key} is not {person}'s; {item.owner or 'nobody'} has it: take it first", field="item"
            )
        return self._answered(item, person, now_ms, note)

    def failed(self, page: Page, why: str, now_ms: int) -> DeskBatch:
        """A page did not get out: the next rung is called at once."""
        return self._batch(*self.escalation.failed(page, why, now_ms))

    def confirmed(self, ref: str, unit: str, by: str, now_ms: int, *, voice: bool = False) -> DeskBatch:
        """A unit has it, by itself or told by voice. Raises NotFound, BadInput."""
        found = self.distribution(ref)
        done = self.relays.confirmed(found.key, unit, by, now_ms, voice=voice)
        out = DeskBatch(
            log=(Logged(now_ms, found.key, done.state, unit, done.state, f"by {by}"),), touched=(found.key,)
        )
        starts = f"relays|{found.key}" if not found.missing else _unreached(found.key, unit)
        return out + self._ended(End(Event.ANSWERED, (starts,), by=by, why=f"{unit} has it"), now_ms)

    def unreached(self, key: str, unit: str, why: str, now_ms: int) -> DeskBatch:
        """No pager of a unit took a call: somebody at the desk must tell it by voice."""
        found = self.relays.live.get(key)
        if found is None or unit not in found.missing:
            return DeskBatch()
        ref = key.partition("|")[2]
        sentence = f"{unit} was not reached about {ref} ({why}): tell it by voice, then `relay {ref} {unit} --by-voice`"
        urgency = max(Urgency.URGENT, Urgency(found.urgency), key=list(reversed(Urgency)).index)
        cause = Cause(_unreached(key, unit), _group_of_relay(key), f"{ref} units", urgency, sentence, inside=True)
        return self._rang(cause, now_ms)

    def distribution(self, ref: str) -> Distribution:
        """The live notice of that reference which meets own units' areas. Raises NotFound, BadInput."""
        if ref in self.relays.live:
            return self.relays.live[ref]
        name = reference.check(ref) if reference_like(ref) else ref.upper()
        found = [d for key, d in self.relays.live.items() if name in (d.wake, key.partition("|")[2])]
        if not found:
            raise NotFound(f"no live notice {ref} meets the area of an own unit; `units` lists those that do", ref=ref)
        if len(found) > 1:
            raise BadInput(f"{ref} is on more than one line", field="ref")
        return found[0]

    # --- items ---

    def _rang(self, found: Cause, now_ms: int) -> DeskBatch:
        key = self._groups.get(found.group, "")
        item = self.items.get(key)
        known = item is not None and found.key in item.causes and item.state is not State.ANSWERED
        if known and not (found.out_of_time or found.again):
            return DeskBatch()  # it rings on, or is owned
        if item is None and (line := _line_of(found.group)) and self._many(line):
            return self._rang(_more(found, line), now_ms)
        if item is None:
            self.number += 1
            key = self._groups[found.group] = reference.make(ITEMS, self.number)
        owned = item is not None and item.state is State.OWNED
        out_of_time_ms = now_ms if found.out_of_time and owned else 0
        before = item
        pages, log = self.escalation.rang(
            key, found.urgency, found.sentence, now_ms, answer_by_ms=out_of_time_ms, inside=found.inside
        )
        item = self.items[key]
        if item is not before:
            item.group, item.name = found.group, found.name
            item.causes = {}
        item.causes[found.key] = found.sentence
        item.until_ms = max(item.until_ms, found.until_ms)
        item.version = max(item.version, found.version)
        return self._batch(pages, log)

    def _many(self, line: str) -> bool:
        """Whether more of one line is open than people can have in their heads."""
        return (
            sum(_line_of(i.group) == line and i.state is not State.ANSWERED for i in self.items.values()) >= OPEN_MOST
        )

    def _ended(self, end: End, now_ms: int) -> DeskBatch:
        out = DeskBatch()
        if end.version and end.group:
            item = self.items.get(self._groups.get(end.group, ""))
            if item is not None and item.version > end.version:
                return out
        if end.event is not Event.ANSWERED and end.group:
            if end.holds:
                out += self._relay_over(end.group)
            out += self._over_group(end.group, now_ms, end.why, end.event)
        for item in list(self.items.values()):
            covered = [key for key in item.causes if end.covers(key)]
            if not covered:
                continue
            for key in covered:
                del item.causes[key]
            if item.causes:
                item.sentence = list(item.causes.values())[-1]
                out += DeskBatch(touched=(item.key,))
            elif end.event is Event.ANSWERED:
                out += self._answered(item, self._who(end.by, now_ms), now_ms, end.why)
            else:
                out += self._over(item, now_ms, end.why, end.event)
        return out

    def _without_effect(self, ch: str, entry: str) -> DeskBatch:
        """A version that rang before it could be recorded, and came to nothing then: an answer to the one that holds
        is an answer again."""
        found = [
            item for item in self.items.values()
            if any(key.startswith(f"heard|{ch}|") and key.endswith(f"|{entry}") for key in item.causes)
        ]  # fmt: skip
        for item in found:
            item.version = 0
        return DeskBatch(touched=tuple(item.key for item in found))

    def _answered(self, item: Item, person: str, now_ms: int, why: str) -> DeskBatch:
        item.causes = {}
        # It is kept for as long as a new version may come, so that it has one reference throughout.
        item.until_ms = item.until_ms or now_ms + DAY_MS
        return self._batch([], self.escalation.answered(item.key, person, now_ms, why))

    def _over(self, item: Item, now_ms: int, why: str, event: Event = Event.OVER) -> DeskBatch:
        for group in [group for group, key in self._groups.items() if key == item.key]:
            del self._groups[group]
        return self._batch([], self.escalation.over(item.key, now_ms, why, event))

    def _over_group(self, group: str, now_ms: int, why: str, event: Event = Event.OVER) -> DeskBatch:
        item = self.items.get(self._groups.get(group, ""))
        return self._over(item, now_ms, why, event) if item is not None and item.group == group else DeskBatch()

    def _joined(self, ch: str, alert: str, ref: str, now_ms: int, *, rings: bool) -> DeskBatch:
        """A notice makes an ALERT precise: one thing, one item, one owner; or the end of it, where it is not urgent."""
        old, new = causes.thread(ch, alert), causes.thread(ch, ref)
        item = self.items.get(self._groups.get(old, ""))
        if item is None or item.group != old or self._groups.get(new) == item.key:
            return DeskBatch()  # another notice made it precise before: the item is about that one now
        why = f"{ref} makes it precise"
        if not rings or new in self._groups:
            return self._over(item, now_ms, why)
        self._groups[new], item.group, item.name = item.key, new, ref
        item.causes = {}
        return self._batch([], [Logged(now_ms, item.key, "JOINED", item.owner, item.state, why)])

    def _who(self, by: str, at_ms: int) -> str:
        """The person behind a post of ours, as the roster knows them; else the post."""
        party, _, post = by.partition("/")
        return self.roster.speaking(post, at_ms) or by if party == self.us else by

    # --- units ---

    def _met(self, tell: UnitsMet, now_ms: int) -> DeskBatch:
        key = _relay_key(tell.ch, tell.ref)
        out = DeskBatch(touched=(key,))
        if not tell.units:
            self.relays.over(key)
            return out + self._over_group(_group_of_relay(key), now_ms, "it meets no unit's area any more")
        known = self.relays.live.get(key)
        if known is not None and known.entry != tell.entry:
            out += self._over_group(_group_of_relay(key), now_ms, "a new version was given")
        calls = self.relays.distribute(key, tell.entry, tell.units, tell.start_ms, tell.end_ms, now_ms)
        found = self.relays.live[key]
        found.urgency = causes.urgency_of(tell.precedence).value
        if not found.wake:
            self.number += 1
            found.wake = known.wake if known is not None else reference.make(ITEMS, self.number)
        return out + self._called(calls)

    def _relay_over(self, group: str) -> DeskBatch:
        key = group.removeprefix("word|")
        if key not in self.relays.live:
            return DeskBatch()
        self.relays.over(key)
        return DeskBatch(touched=(key,))

    def _called(self, calls: list[Call]) -> DeskBatch:
        out = DeskBatch()
        for call in calls:
            note = f"called: {call.why}" + (", with the supervisor" if call.supervisor else "")
            state = self.relays.live[call.key].units[call.unit]
            line = Logged(call.at_ms, call.key, "CALLED", call.unit, state, note)
            out += DeskBatch(calls=(call,), log=(line,), touched=(call.key,))
        fresh = {call.key for call in calls if call.why == "NEW"}
        for key, at_ms in {call.key: call.at_ms for call in calls if call.supervisor}.items():
            if key in fresh:
                self.relays.live[key].look_ms = at_ms + CONFIRM_MS
            else:
                out += self._rang(_not_fully(self.relays.live[key], at_ms), at_ms)
        return out

    # --- small things ---

    def _batch(self, pages: list[Page], log: list[Logged]) -> DeskBatch:
        return DeskBatch(tuple(pages), (), tuple(log), tuple(dict.fromkeys(line.item for line in log)))

    @staticmethod
    def _plain(tell: Tell | Warned) -> dict[str, Any]:
        plain: dict[str, Any] = msgspec.to_builtins(tell)
        return plain


def _relay_key(ch: str, ref: str) -> str:
    return f"{ch}|{ref}"


def _group_of_relay(key: str) -> str:
    return f"relays|{key}"


def _line_of(group: str) -> str:
    """The channel of a word; empty for what is no word of a line."""
    kind, _, rest = group.partition("|")
    return rest.partition("|")[0] if kind == "word" else ""


def _more(found: Cause, line: str) -> Cause:
    sentence = (
        f"more than {OPEN_MOST} alarms of one line are open, and others come: look at the board (`notice list`), see "
        "to the most urgent, and ask by telephone what is going on there"
    )
    group = f"flood|{line}"
    return Cause(group, group, f"line {line[:8]}", found.urgency, sentence, inside=found.inside)


def _unreached(key: str, unit: str) -> str:
    return f"relays|{key}|UNREACHED|{unit}"


def _not_fully(found: Distribution, now_ms: int) -> Cause:
    """It begins, and not every unit has it: information, and no bar to anything (domain.md E5, E6)."""
    ref = found.key.partition("|")[2]
    begun = found.start_ms <= now_ms
    sentence = (
        f"{ref} {'has begun' if begun else 'begins soon'} and is NOT FULLY RELAYED: {found.relayed}/{len(found.units)} "
        f"units have it, missing {', '.join(found.missing)}"
    )
    key = f"relays|{found.key}|{'STARTED' if begun else 'ACTIVATION'}"
    return Cause(key, _group_of_relay(found.key), f"{ref} units", Urgency.URGENT, sentence, inside=True)


def reference_like(name: str) -> bool:
    """Whether it is written like a reference with a check letter, rather than like an ALERT's name."""
    return not name.upper().startswith("ALERT-") and len(name) <= 16 and any(c.isdigit() for c in name)
