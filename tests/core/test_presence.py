# SPDX-License-Identifier: Apache-2.0
"""PRESENCE is present, as of a time and until one, or nothing; a later word stands beside the earlier one (C11)."""

from __future__ import annotations

import pytest

from tests.pair import T0, Pair
from wideberth.core import events as ev
from wideberth.core.call import views
from wideberth.core.say import notice
from wideberth.core.say.place import Altitude
from wideberth.core.say.rules import Rules
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms

HOUR = 3_600_000
BLUE = "BLUE/watch-1"


def present(lat: float = 35.5) -> Terms:
    """As of an hour ago, for four hours from now."""
    volume = Volume4D(
        Circle.at(lat=lat, lng=35.8, radius_km=12),
        Altitude.surface(),
        Altitude.flight_level(50),
        T0 - HOUR,
        T0 + 4 * HOUR,
    )
    return Terms(NoticeType.PRESENCE, Hazard.PEOPLE_PRESENT, "watch room 100", (volume,), volume.end_ms)


@pytest.fixture
def pair() -> Pair:
    return Pair(seed="presence")


def shown(pair: Pair, ref: str) -> list[dict]:  # type: ignore[type-arg]
    """What both nodes show beside the notice, which is the same."""
    seen = []
    for end in pair.ends.values():
        board = end.node.lines[pair.ch].board
        thread = board.find(ref)
        assert thread is not None
        seen.append(views.thread_view(board, thread, ("BLUE", "GREEN"), pair.now.t_ms, here=False)["said_otherwise"])
    assert seen[0] == seen[1]
    return seen[0]


def give(pair: Pair, said: Terms) -> str:
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, said), pair.now)
    pair.settle()
    return list(pair.blue.node.lines[pair.ch].board)[-1].ref


def test_presence_as_of_an_hour_ago_is_not_late(pair: Pair) -> None:
    assert notice.lead(present(), Rules(area=present().volumes[0].shape), T0) == notice.Lead(-HOUR, 0, False)
    assert shown(pair, give(pair, present())) == []


def test_a_later_version_shows_both(pair: Pair) -> None:
    ref = give(pair, present())
    pair.blue.step(ev.Revise(pair.ch, BLUE, ref, "amend", present(lat=36.1)), pair.now)
    pair.settle()
    (before,) = shown(pair, ref)
    assert (before["version"], before["by"]) == (1, BLUE)
    assert before["says"].startswith("present as of ")


def test_taking_it_back_leaves_what_was_said_and_says_nothing_of_who_is_there(pair: Pair) -> None:
    ref = give(pair, present())
    pair.blue.step(ev.Cancel(pair.ch, BLUE, ref), pair.now)
    pair.settle()
    assert [each["version"] for each in shown(pair, ref)] == [1]
    told = next(t.sentence for t in pair.green.told if getattr(t, "kind", "") == "cancel")
    assert "says nothing of who else is there" in told


def test_nothing_planned_and_present_stand_side_by_side(pair: Pair) -> None:
    pair.blue.step(ev.SayNil(pair.ch, BLUE, T0 + 2 * HOUR), pair.now)
    pair.green.step(ev.SayNil(pair.ch, "GREEN/watch-1", T0 + 2 * HOUR), pair.now)
    (nil,) = shown(pair, give(pair, present()))
    assert (nil["by"], nil["version"]) == ("BLUE", 0)
    assert nil["says"].startswith("nothing planned until ")


def test_other_notices_have_no_such_list(pair: Pair) -> None:
    ref = give(pair, pair.terms())
    pair.blue.step(ev.Cancel(pair.ch, BLUE, ref), pair.now)
    pair.settle()
    assert shown(pair, ref) == []
