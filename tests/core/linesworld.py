# SPDX-License-Identifier: Apache-2.0
"""Two members, two agreed times a day, and what both nodes say of the line between them."""

from __future__ import annotations

import msgspec

from tests.pair import RULES, T0, End, Keys, Pair
from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.call.linelog import LineItem, LineLog
from wideberth.core.call.lines import (
    DAY_MS,
    PairState,
)
from wideberth.core.line import Line
from wideberth.core.say.rules import Fallback, Purpose, Rules
from wideberth.core.say.words import FallbackKind
from wideberth.core.seal.agreement import Agreement, LineTerms, Member, channel_id, sign_agreement
from wideberth.core.tells import Tell

MINUTE = 60_000
HOUR = 3_600_000
BLUE, GREEN = "BLUE/watch-1", "GREEN/watch-1"
LADDER = (
    Fallback(FallbackKind.ALTERNATE_LINK, "the second line, 41"),
    Fallback(FallbackKind.MEDIATOR, "the host's watch, 55"),
    Fallback(FallbackKind.PUBLIC_NOTICE, "the status page"),
)
SC4 = msgspec.structs.replace(RULES, check_times_ms=(0, 7 * HOUR), fallback=LADDER)
# T0 is 2030-03-17T17:46:40Z; the next midnight.
MIDNIGHT = T0 // DAY_MS * DAY_MS + DAY_MS


def pair_of(rules: Rules = SC4) -> Pair:
    return Pair(rules=rules, seed="lines")


def line(end: End, ch: str) -> Line:
    return end.node.lines[ch]


def at(pair: Pair, t_ms: int) -> None:
    """Both clocks to a time; both nodes look."""
    pair.later(t_ms - pair.now.t_ms)
    pair.tick()


def state(pair: Pair, at_ms: int | None = None, end: End | None = None) -> PairState:
    mine = line(end or pair.blue, pair.ch)
    return mine.watch.states.of(mine.board.lines, "BLUE", "GREEN", pair.now.t_ms if at_ms is None else at_ms)


def both(pair: Pair, at_ms: int | None = None) -> PairState:
    """What both nodes say, which is the same."""
    blue, green = state(pair, at_ms, pair.blue), state(pair, at_ms, pair.green)
    assert blue == green
    return blue


def check(pair: Pair, asker: str = "BLUE") -> None:
    other = "GREEN" if asker == "BLUE" else "BLUE"
    pair.ends[asker].step(ev.AskCheck(pair.ch, f"{asker}/watch-1"), pair.now)
    pair.settle()
    pair.ends[other].step(ev.AnswerCheck(pair.ch, f"{other}/watch-1"), pair.now)
    pair.settle()


def of_kind(end: End, kind: type) -> list[Tell]:
    return [t for t in end.told if isinstance(t, kind)]


def header_of(item: LineItem):  # type: ignore[no-untyped-def]
    from wideberth.core.seal.entry import Header

    return Header(
        1, "checked", "0" * 64, "0" * 64, item.author, item.by, item.epoch, 9, "0" * 64, {}, item.t_ms, "0" * 64
    )


def two_lines(rules: Rules, from_ms: int) -> Agreement:
    from wideberth.core.say.rules import Mode

    members = tuple(Member(k, Keys(k).root.public) for k in ("BLUE", "GREEN"))
    purposes = (Purpose.FLIGHT_SAFETY, Purpose.WORKING_GROUP)
    lines = tuple(LineTerms(p, ("BLUE", "GREEN")) for p in purposes)
    return Agreement(1, "Coast", 1, Mode.EXERCISE, members, lines, rules, from_ms, "ab" * 16)


def opened_log(*members: str) -> LineLog:
    from wideberth.core.say.words import EpochOpened

    log = LineLog()
    for member in members:
        item = LineItem(member, f"{member}/node", "0" * 64, member.lower(), 1, T0, None)  # type: ignore[arg-type]
        log.opened(header_of(item), EpochOpened("FOUNDING", None, {}))
    return log


class Mechanism(Pair):
    """BLUE and GREEN with a flight safety line and a working group's line."""

    def __init__(self, *purposes: Purpose) -> None:
        keys = Keys("BLUE"), Keys("GREEN")
        names = ("BLUE", "GREEN")
        made = two_lines(SC4, T0)
        made = msgspec.structs.replace(made, lines=tuple(LineTerms(p, names) for p in purposes))
        envelope = sign_agreement(made, *(k.root for k in keys)).encoded()
        self.now = Now(T0, 0)
        self.agreement = envelope
        self.of = {each.purpose: channel_id(made, each) for each in made.lines}
        self.ch = self.of[Purpose.FLIGHT_SAFETY]
        self.blue, self.green = (End(k, "two lines") for k in keys)
        self.ends = {"BLUE": self.blue, "GREEN": self.green}
        for end in self.ends.values():
            end.step(ev.OpenLine(envelope, tuple(k.card() for k in keys)), self.now)
        self.settle()
