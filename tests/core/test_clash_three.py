# SPDX-License-Identifier: Apache-2.0
"""Two notices that meet on a line of three: the third hears what is said in whatever order the wires carry it, shows
the same, and has no say in it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.pair import T0
from tests.several import Several
from wideberth.core import events as ev
from wideberth.core.call.clashviews import clash_view
from wideberth.core.say.conflict import How
from wideberth.core.say.place import Altitude
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms
from wideberth.core.tells import Said
from wideberth.errors import BadInput

HOUR = 3_600_000
NAMES = ("AMBER", "BLUE", "GREEN")


def volume(lat: float, start_ms: int = T0 + HOUR) -> Volume4D:
    return Volume4D(
        Circle.at(lat=lat, lng=36, radius_km=10), Altitude.surface(), Altitude.flight_level(300), start_ms,
        start_ms + HOUR,
    )  # fmt: skip


def terms(at: Volume4D) -> Terms:
    return Terms(NoticeType.AREA_ACTIVITY, Hazard.CREWED_AIRCRAFT, "watch room", (at,), at.end_ms)


def say(three: Several, name: str, command: ev.Command) -> str:
    three.step(name, command)
    entry: str = [t for t in three.ends[name].told if isinstance(t, Said)][-1].entry
    return entry


def by(name: str) -> str:
    return f"{name}/watch-1"


def views(three: Several) -> list[dict[str, Any]]:
    return [
        clash_view(line.board, clash, three.now.t_ms)
        for name in NAMES for line in (three.line(name),) for clash in line.board.dialogue
    ]  # fmt: skip


def story(three: Several, *, talking: tuple[str, ...]) -> None:
    """BLUE and GREEN meet, talk of it, amend and record; only these two and whoever else is `talking` hear it."""
    ch, later = three.home, volume(36.0, T0 + 3 * HOUR)
    one = say(three, "BLUE", ev.GiveNotice(ch, by("BLUE"), terms(volume(36.05))))
    three.settle(*talking)
    other = say(three, "GREEN", ev.GiveNotice(ch, by("GREEN"), terms(volume(36.0))))
    three.settle(*talking)
    say(three, "BLUE", ev.ProposeRemedy(ch, by("BLUE"), one, other, other, How.LATER, (later,)))
    three.settle(*talking)
    ref = three.line("GREEN").board.find(other).ref  # type: ignore[union-attr]
    say(three, "GREEN", ev.Revise(ch, by("GREEN"), ref, "amend", terms(later)))
    three.settle(*talking)
    say(three, "BLUE", ev.RecordOutcome(ch, by("BLUE"), one, other, "RESOLVED_BY_AMEND", ref))
    three.settle(*talking)
    say(three, "GREEN", ev.RecordOutcome(ch, by("GREEN"), one, other, "UNRESOLVED"))
    three.settle(*talking)


@pytest.mark.parametrize("first", ["BLUE", "GREEN"])
def test_the_third_shows_the_same_whoever_it_hears_first(first: str) -> None:
    three = Several(*NAMES)
    story(three, talking=("BLUE", "GREEN"))
    assert not list(three.line("AMBER").board.dialogue)
    # One wire comes back before the other: what the first says of the second's notices waits for them.
    three.later(31_000)
    for name in NAMES:
        three.step(name, ev.Tick())
    three.settle(first, "AMBER")
    three.repeat()
    three.repeat()
    seen = views(three)
    assert len(seen) == 3
    assert seen[0] == seen[1] == seen[2]
    assert seen[0]["outcomes"] == {"BLUE": "RESOLVED_BY_AMEND", "GREEN": "UNRESOLVED"}
    assert seen[0]["moves"]["author"] in ("BLUE", "GREEN")


def test_the_third_has_no_say_in_it() -> None:
    three = Several(*NAMES)
    story(three, talking=NAMES)
    one, other = (n["entry"] for n in views(three)[0]["notices"])
    with pytest.raises(BadInput, match="neither notice is ours"):
        three.step("AMBER", ev.RecordOutcome(three.home, by("AMBER"), one, other, "UNRESOLVED"))


def test_a_node_that_starts_anew_folds_it_to_the_same() -> None:
    three = Several(*NAMES)
    story(three, talking=NAMES)
    before = views(three)
    for end in three.ends.values():
        end.restart(three.now)
    assert views(three) == before


def test_a_later_version_of_the_agreement_is_the_one_in_the_name() -> None:
    three = Several(*NAMES)
    ch = three.home
    one = say(three, "BLUE", ev.GiveNotice(ch, by("BLUE"), terms(volume(36.05))))
    three.settle()
    newer = msgspec.structs.replace(
        three.founding, version=2, previous=three.accord("BLUE").versions.newest_hash, from_ms=three.now.t_ms,
        rules=msgspec.structs.replace(three.founding.rules, pressure_margin_mm=500_000),
    )  # fmt: skip
    three.propose("BLUE", newer)
    for name in NAMES:
        three.sign(name, newer)
        three.settle()
    three.later(1_000)
    other = say(three, "GREEN", ev.GiveNotice(ch, by("GREEN"), terms(volume(36.0))))
    three.settle()
    say(three, "GREEN", ev.RecordOutcome(ch, by("GREEN"), one, other, "UNRESOLVED"))
    three.settle()
    seen = views(three)
    assert seen[0] == seen[1] == seen[2]
    assert seen[0]["agr"] == three.accord("BLUE").versions.newest_hash
    assert seen[0]["rule"]["pressure_margin_mm"] == 500_000
