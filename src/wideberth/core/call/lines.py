# SPDX-License-Identifier: Apache-2.0
"""The state of a line between every two of its members: a pure fold of what was said about the line.

    states = LineStates(versions, terms)
    states.of(log, "BLUE", "GREEN", at)   -> PairState: state, since when, why

Three layers; the worst of them is the state (domain.md B2, B3, B7):

* **The checks.** At each agreed time a person asks and a person of the other side answers. A time that passes without
  that is missed; what it means is *unknown*, always. `CHECKS` is what follows from what.
* **What members say.** A member's newest word about the line, its planned outages, and a logged contact that was
  refused. `OVER` lists them.
* **The agreement.** A line that the version in force no longer has is closed.

Nothing here orders two strands by their clocks. Claimed times say whether an agreed time was kept, and how long a state
lasts, so time alone leads only to DEGRADED and SILENT. Whether a refusal came after an answered check is read off the
strand of whoever refused. No state stops a word: what is said is stored, and delivered when the line answers.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from wideberth.core.call.linelog import Answered, LineItem, LineLog, about
from wideberth.core.say.standing import LineCheck, LineCheckAnswer, LineWord
from wideberth.core.say.words import Outage, VoiceContact
from wideberth.core.seal.agreement import LineTerms, Versions

DAY_MS: Final = 86_400_000
# A check that a person asks a little before the agreed time, at a hand-over, keeps it.
CHECK_EARLY_MS: Final = 1_800_000


class LineState(StrEnum):
    """From the best to the worst."""

    OPEN = "OPEN"
    DEGRADED = "DEGRADED"
    SILENT = "SILENT"
    REFUSED = "REFUSED"
    SUSPENDED = "SUSPENDED"
    CLOSED = "CLOSED"


class Sign(StrEnum):
    """What moves the layer of the checks."""

    ANSWERED = "ANSWERED"
    MISSED = "MISSED"


CHECKS: Final[dict[tuple[LineState, Sign], LineState]] = {
    (LineState.OPEN, Sign.MISSED): LineState.DEGRADED,
    (LineState.DEGRADED, Sign.MISSED): LineState.SILENT,
    (LineState.SILENT, Sign.MISSED): LineState.SILENT,
    (LineState.OPEN, Sign.ANSWERED): LineState.OPEN,
    (LineState.DEGRADED, Sign.ANSWERED): LineState.OPEN,
    (LineState.SILENT, Sign.ANSWERED): LineState.OPEN,
}


class Over(msgspec.Struct, frozen=True):
    """Something that stands over what the checks say: which state, from when, until when."""

    cause: str
    state: LineState
    begins: str
    ends: str


OVER: Final = (
    Over("CONTACT", LineState.REFUSED, "the newest logged contact with the other was refused",
         "a newer contact that was not, or a check answered after it"),
    Over("WORD_REFUSED", LineState.REFUSED, "a member's word `REFUSED`",
         "its next word, or a check that it asked or answered after it"),
    Over("WORD_SUSPENDED", LineState.SUSPENDED, "a member's word `SUSPENDED`", "its next word"),
    Over("OUTAGE", LineState.SUSPENDED, "the start of an outage that a member planned", "the end of that outage"),
    Over("WORD_CLOSED", LineState.CLOSED, "a member's word `CLOSED`", "its next word"),
    Over("AGREEMENT", LineState.CLOSED, "a version of the agreement without this line", "a version that has it again"),
)  # fmt: skip
_OVER: Final = {over.cause: over.state for over in OVER}
_ORDER: Final = {state: n for n, state in enumerate(LineState)}
# In these nobody is expected to answer, so no check is due and none is missed.
NO_CHECKS: Final = frozenset({LineState.SUSPENDED, LineState.CLOSED})


def worst(states: Iterator[LineState]) -> LineState:
    """Of a line with more than two members: the worst of its pairs. OPEN where there is none."""
    return max(states, key=_ORDER.__getitem__, default=LineState.OPEN)


class PairState(msgspec.Struct, frozen=True):
    """The line between two members at a time.

    `since_ms`: when it came to be so. `cause`: `CHECKS`, or one of `OVER`. `reason`: UNKNOWN where checks were missed,
    always; a member's own words where it gave any. `checks` is what the checks alone say, since `checks_since_ms`; it
    was last OPEN until `shut_ms` (0: it is OPEN). `missed`: agreed times missed in a row, from `first_missed_ms` to
    `last_missed_ms`. `answered_ms`: the newest answered check. All 0 where there is none.
    """

    state: LineState
    since_ms: int
    cause: str
    reason: str
    checks: LineState
    checks_since_ms: int
    shut_ms: int
    missed: int
    first_missed_ms: int
    last_missed_ms: int
    answered_ms: int


class Turn(msgspec.Struct, frozen=True):
    """One change of state, with its exact time."""

    t_ms: int
    state: LineState
    cause: str


class LineStates:
    """Works the states out, and keeps what it has worked out until something new is said or agreed."""

    def __init__(self, versions: Versions, terms: LineTerms) -> None:
        self._versions = versions
        self._terms = terms
        self._kept: dict[tuple[str, str], tuple[LineLog, int, int, _Sweep]] = {}

    def of(self, log: LineLog, one: str, other: str, at_ms: int) -> PairState:
        """Between two members, at a time; the same whichever is named first."""
        return self._swept(log, one, other, at_ms).state()

    def turns(self, log: LineLog, one: str, other: str, at_ms: int) -> list[Turn]:
        """Every change of state up to a time, the opening first."""
        return list(self._swept(log, one, other, at_ms).turns)

    def due(self, log: LineLog, one: str, other: str, at_ms: int) -> list[tuple[int, int]]:
        """`(agreed time, when it counts as missed)` of checks that are due now and not kept yet."""
        return self._swept(log, one, other, at_ms).due()

    def next_ms(self, log: LineLog, one: str, other: str, at_ms: int) -> int | None:
        """When the state can change next by time alone, or a check is due. None: never."""
        return self._swept(log, one, other, at_ms).next_ms

    def _swept(self, log: LineLog, one: str, other: str, at_ms: int) -> _Sweep:
        one, other = sorted((one, other))
        agreed = sum(1 for _ in self._versions)
        kept = self._kept.get((one, other))
        if kept is None or kept[0] is not log or kept[1:3] != (log.count, agreed) or kept[3].now_ms > at_ms:
            sweep = _Sweep(log, self._versions, self._terms, one, other)
            kept = self._kept[one, other] = (log, log.count, agreed, sweep)
        kept[3].advance(at_ms)
        return kept[3]


class _Slots:
    """The agreed times of a line from its opening on, one after the other, each by the version in force then."""

    def __init__(self, versions: Versions, terms: LineTerms, from_ms: int) -> None:
        listed = [agreement for agreement, _ in versions]
        ends = [*(a.from_ms for a in listed[1:]), None]
        self._spans = [
            (max(from_ms, a.from_ms), end, a.rules.check_times_ms, a.rules.check_grace_ms)
            for a, end in zip(listed, ends, strict=True)
            if terms in a.lines and (end is None or end > from_ms)
        ]
        self._day = self._spans[0][0] // DAY_MS * DAY_MS if self._spans else 0
        self._at = 0

    def next(self) -> tuple[int, int] | None:
        """`(agreed time, when it counts as missed)`."""
        while self._spans:
            start, end, times, grace = self._spans[0]
            if not times or (end is not None and self._day >= end):
                self._leave()
                continue
            if self._at >= len(times):
                self._day, self._at = self._day + DAY_MS, 0
                continue
            slot = self._day + times[self._at]
            self._at += 1
            if slot >= start and (end is None or slot < end):
                return slot, slot + grace
        return None

    def _leave(self) -> None:
        self._spans.pop(0)
        self._day, self._at = (self._spans[0][0] // DAY_MS * DAY_MS if self._spans else 0), 0

    def skip(self, to_ms: int) -> int:
        """Pass over whole days of the version in force, all of whose agreed times are over by a time; how many."""
        if not self._spans:
            return 0
        _, end, times, grace = self._spans[0]
        over_ms = to_ms - grace
        days = (over_ms if end is None else min(over_ms, end)) // DAY_MS - self._day // DAY_MS - 1
        if days <= 0:
            return 0
        self._day += days * DAY_MS
        return days * len(times)


# The place and time of a member that has never taken part in an answered check.
_NEVER: Final = ((-1, 0), 0)


class _Sweep:
    """Goes through the time of one pair, from the opening on; stops at any time and goes on from there."""

    def __init__(self, log: LineLog, versions: Versions, terms: LineTerms, one: str, other: str) -> None:
        self._log = log
        self._pair = (one, other)
        self._versions, self._terms = versions, terms
        begun = log.opened_ms(one, other)
        first = min((a.from_ms for a, _ in versions if terms in a.lines), default=0)
        opened = self._opened_ms = self.now_ms = max(first, begun or 0)
        # What was said, by the time at which it counts; and the agreed times that are due, by when they are missed.
        self._script = sorted(self._gather(), key=lambda each: each[0])
        self._next = 0
        self._pending: list[tuple[int, int]] = []
        self._slots = _Slots(versions, terms, opened)
        self._slot = self._slots.next() if begun is not None else None
        # The newest word and contact of each; and its newest entry in an answered check: place, and its own time.
        self._words: dict[str, LineItem] = {}
        self._contacts: dict[str, LineItem] = {}
        self._touched: dict[str, tuple[tuple[int, int], int]] = {}
        self._answered: list[Answered] = []
        self._outages: list[LineItem] = []
        self._dropped = False
        self._checks, self._checks_since = LineState.OPEN, opened
        self._shut_ms = self._missed = self._first_missed = self._last_missed = self._answered_ms = 0
        self._reason = ""
        self.turns = [Turn(opened, LineState.OPEN, "CHECKS")]

    def _gather(self) -> Iterator[tuple[int, LineItem | Answered | None]]:
        """None: nothing was said, but what was said before may begin or end to hold."""
        for item in self._log.items:
            if item.author not in self._pair or isinstance(item.what, LineCheck | LineCheckAnswer):
                continue
            if isinstance(item.what, VoiceContact) and about(item, self._terms.members) not in self._pair:
                continue
            yield self._no_sooner(item.t_ms), item
            if isinstance(item.what, Outage):
                yield from ((self._no_sooner(t_ms), None) for t_ms in _window(item) if t_ms > item.t_ms)
        for each in self._log.answered:
            if {each.ask.author, each.answer.author} == set(self._pair):
                yield self._no_sooner(each.last_ms), each
        yield from ((self._no_sooner(agreement.from_ms), None) for agreement, _ in self._versions)

    def _no_sooner(self, t_ms: int) -> int:
        return max(t_ms, self._opened_ms)

    def state(self) -> PairState:
        last = self.turns[-1]
        return PairState(
            last.state, last.t_ms, last.cause, self._reason, self._checks, self._checks_since, self._shut_ms,
            self._missed, self._first_missed, self._last_missed, self._answered_ms,
        )  # fmt: skip

    def due(self) -> list[tuple[int, int]]:
        return [(slot, end) for end, slot in sorted(self._pending) if not self._was_kept(slot, end)]

    @property
    def next_ms(self) -> int | None:
        times = (self._said_ms, self._slot[0] if self._slot else None, self._pending[0][0] if self._pending else None)
        return min((t_ms for t_ms in times if t_ms is not None), default=None)

    @property
    def _said_ms(self) -> int | None:
        return self._script[self._next][0] if self._next < len(self._script) else None

    # --- time passes ---

    def advance(self, to_ms: int) -> None:
        """Up to and with a time. At one millisecond: what was said, then what is due, then what is missed."""
        while (t_ms := self.next_ms) is not None and t_ms <= to_ms:
            if self._said_ms == t_ms:
                what = self._script[self._next][1]
                self._next += 1
                self._said(what, t_ms)
            elif self._slot is not None and self._slot[0] == t_ms:
                self._became_due(self._slot, to_ms)
            else:
                end, slot = heapq.heappop(self._pending)
                self._ran_out(slot, end)
            self._settle(t_ms)
        self.now_ms = max(self.now_ms, to_ms)

    def _said(self, what: LineItem | Answered | None, t_ms: int) -> None:
        order = self._log.order
        match what:
            case Answered():
                self._answered.append(what)
                self._answered_ms = t_ms
                for member in self._pair:
                    mine = what.of(member)
                    self._touched[member] = max(self._touched.get(member, _NEVER), (order(mine), mine.t_ms))
                self._move(Sign.ANSWERED, t_ms)
            case LineItem(what=LineWord()):
                before = self._words.get(what.author)
                if before is None or order(before) < order(what):
                    self._words[what.author] = what
            case LineItem(what=VoiceContact()):
                last = self._contacts.get(what.author)
                if last is None or (_called_ms(last), order(last)) < (_called_ms(what), order(what)):
                    self._contacts[what.author] = what
            case LineItem(what=Outage()):
                self._outages.append(what)
            case _:
                self._outages = [outage for outage in self._outages if _window(outage)[1] > t_ms]
                self._dropped = self._terms not in self._versions.at(t_ms)[0].lines

    def _became_due(self, slot: tuple[int, int], to_ms: int) -> None:
        resting = self.turns[-1].state in NO_CHECKS
        if not resting:
            heapq.heappush(self._pending, (slot[1], slot[0]))
        said_ms = self._said_ms
        if (resting or self._checks is LineState.SILENT) and (said_ms is None or said_ms > to_ms):
            # Nothing but agreed times is left up to there, and no number of them changes the state: count by days.
            skipped = self._slots.skip(to_ms)
            self._missed += 0 if resting else skipped
        self._slot = self._slots.next()

    def _ran_out(self, slot: int, end_ms: int) -> None:
        if self._was_kept(slot, end_ms) or self.turns[-1].state in NO_CHECKS:
            return
        self._missed += 1
        self._first_missed = self._first_missed or slot
        self._last_missed = slot
        self._move(Sign.MISSED, end_ms)

    def _was_kept(self, slot: int, end_ms: int) -> bool:
        """Whether a check was asked by one and answered by the other round that time, by both their clocks."""
        for each in reversed(self._answered):
            if each.last_ms < slot - CHECK_EARLY_MS:
                return False
            if slot - CHECK_EARLY_MS <= each.first_ms and each.last_ms <= end_ms:
                return True
        return False

    def _move(self, sign: Sign, t_ms: int) -> None:
        after = CHECKS[self._checks, sign]
        if sign is Sign.ANSWERED:
            self._missed = self._first_missed = self._last_missed = 0
        if after is self._checks:
            return
        if self._checks is LineState.OPEN:
            self._shut_ms = t_ms
        elif after is LineState.OPEN:
            self._shut_ms = 0
        self._checks, self._checks_since = after, t_ms

    # --- which state that makes ---

    def _settle(self, t_ms: int) -> None:
        state, cause, reason = self._over(t_ms)
        last = self.turns[-1]
        if (state, cause) != (last.state, last.cause):
            # Another cause of the same state does not begin it anew.
            since = last.t_ms if state is last.state else t_ms
            turn = Turn(since, state, cause)
            if state is last.state:
                self.turns[-1] = turn
            else:
                self.turns.append(turn)
        self._reason = reason

    def _over(self, t_ms: int) -> tuple[LineState, str, str]:
        found = (self._checks, "CHECKS", "" if self._checks is LineState.OPEN else "UNKNOWN")
        for cause, reason in self._standing(t_ms):
            if _ORDER[_OVER[cause]] > _ORDER[found[0]]:
                found = (_OVER[cause], cause, reason)
        return found

    def _standing(self, t_ms: int) -> Iterator[tuple[str, str]]:
        """What stands over the checks now: cause, and the words with it."""
        order = self._log.order
        for member in self._pair:
            place, touched_ms = self._touched.get(member, _NEVER)
            word, contact = self._words.get(member), self._contacts.get(member)
            match word and word.what:
                case LineWord("REFUSED", text) if word is not None and order(word) <= place:
                    pass  # it has talked on the line since
                case LineWord("REFUSED" | "SUSPENDED" | "CLOSED" as said, text):
                    yield f"WORD_{said}", text
            match contact and contact.what:
                case VoiceContact(outcome="REFUSED", at_ms=at_ms, answer=answer):
                    if contact is not None and order(contact) > place and at_ms >= touched_ms:
                        yield "CONTACT", answer
        for item in self._outages:
            start_ms, end_ms = _window(item)
            if start_ms <= t_ms < end_ms:
                yield "OUTAGE", item.what.text if isinstance(item.what, Outage) else ""
        if self._dropped:
            yield "AGREEMENT", ""


def _called_ms(item: LineItem) -> int:
    assert isinstance(item.what, VoiceContact)
    return item.what.at_ms


def _window(item: LineItem) -> tuple[int, int]:
    assert isinstance(item.what, Outage)
    return item.what.start_ms, item.what.end_ms
