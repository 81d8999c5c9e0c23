# SPDX-License-Identifier: Apache-2.0
"""A movement that did not check in rings in the watch room until it is heard of, also when its notice is over (K4)."""

from __future__ import annotations

import msgspec

from tests.core.desk.room import BLUE, Room
from tests.pair import T0, Pair
from wideberth.core import events as ev
from wideberth.core.desk.escalation import State
from wideberth.core.say.protect import Protected, Work
from wideberth.core.say.words import NoticeType, Terms
from wideberth.core.tells import Overdue

MINUTE, HOUR = 60_000, 3_600_000


def convoy(pair: Pair) -> Terms:
    """From an hour from now, for two hours; it checks in every half hour."""
    who = Protected("AID", Work.FOOD, check_in_ms=30 * MINUTE)
    return msgspec.structs.replace(pair.terms(last_ms=2 * HOUR), type=NoticeType.MOVEMENT, protected=who)


def missing(made: Room) -> list[State]:
    return [item.state for item in made.desk.items.values() if item.group.startswith("missing|")]


def test_it_rings_over_the_end_of_its_notice_until_it_is_heard_of() -> None:
    made = Room(Pair(seed="missing"))
    pair = made.pair
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, convoy(pair)), pair.now)
    pair.settle()
    ref = next(iter(pair.blue.node.lines[pair.ch].board)).ref
    made.hear()
    assert missing(made) == []
    pair.later(HOUR + 45 * MINUTE + 1)
    pair.tick()
    made.hear()
    assert missing(made) == [State.RINGING]
    pair.later(2 * HOUR)
    pair.tick()
    made.hear()
    assert any(isinstance(t, Overdue) and t.what == "EXPIRED" for t in pair.green.told), "the notice is over"
    assert missing(made) == [State.RINGING]
    pair.blue.step(ev.CheckInNow(pair.ch, BLUE, ref, T0 + 3 * HOUR), pair.now)
    pair.settle()
    made.hear()
    assert State.RINGING not in missing(made)


def test_a_report_that_it_is_over_ends_it_as_well() -> None:
    made = Room(Pair(seed="missing"))
    pair = made.pair
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, convoy(pair)), pair.now)
    pair.settle()
    ref = next(iter(pair.blue.node.lines[pair.ch].board)).ref
    pair.later(HOUR + 45 * MINUTE + 1)
    pair.tick()
    made.hear()
    assert missing(made) == [State.RINGING]
    pair.blue.step(ev.Report(pair.ch, BLUE, ref, "FINISHED"), pair.now)
    pair.settle()
    made.hear()
    assert State.RINGING not in missing(made)
