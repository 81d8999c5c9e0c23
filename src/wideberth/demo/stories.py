# SPDX-License-Identifier: Apache-2.0
"""The first two stories of the demo, as data: who does what when. `play.py` makes it happen; `triangle.py` is a third.

Parties, places and times are invented. The Amal coast is on no map: its numbers lie in the open Atlantic, far from
anybody's shore. The late warning follows the pattern of domain.md SC1 (vague, late, wrong place, corrected in time)
with a place and timings of its own.

Times of day are the drill's: both nodes run on clocks set by hand, so that a day passes in a minute and is the same day
every time. A step's `at` is UTC on that day.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from wideberth.core.say.place import Point
from wideberth.core.say.rules import NamedPlace, Rules
from wideberth.core.say.volume import Polygon

DAY: Final = "2030-06-12"
FIRST_CLOCK: Final = "05:30:00"
MECHANISM: Final = "Amal coast"
BLUE: Final = "BLUE"
GREEN: Final = "GREEN"
PARTIES: Final = (BLUE, GREEN)
CONTACTS: Final = {BLUE: "BLUE watch room, line 100", GREEN: "GREEN watch room, line 200"}

RULES: Final = Rules(
    area=Polygon.of((40.5, -39.6), (40.5, -37.4), (42.0, -37.4), (42.0, -39.6)),
    gazetteer=(
        NamedPlace("Cape Amal", Point.at(41.2, -38.6), 30_000_000),
        NamedPlace("Tern Rocks", Point.at(41.75, -37.8), 20_000_000),
    ),
    not_covered=("anybody who is in neither party",),
)

# (notice, plan): the names that the story gives them.
Meeting = tuple[str, str]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """`who` does it at `at` ("05:40:00"); `tell` is what the narrator says first. `meets` and `eases` are the meetings
    of own plans with notices that must be found, or end, because of it, on the side of the plans' owner alone."""

    at: str
    who: str = ""
    tell: str = ""
    meets: tuple[Meeting, ...] = ()
    eases: tuple[Meeting, ...] = ()


class Give(Step, frozen=True, kw_only=True):
    """A notice. `name` is for the story; `refines` names an ALERT of the story."""

    name: str
    draft: dict[str, str]
    refines: str = ""
    late: bool = False


class Vague(Step, frozen=True, kw_only=True):
    """A notice that says nothing: it must be refused, and kept as a draft."""

    draft: dict[str, str]


class Raise(Step, frozen=True, kw_only=True):
    """An ALERT."""

    name: str
    text: str


class Revise(Step, frozen=True, kw_only=True):
    """A new version: `how` is amend or correct."""

    name: str
    how: str
    draft: dict[str, str]
    voids: bool = False


class Ack(Step, frozen=True, kw_only=True):
    name: str


class ReadBack(Step, frozen=True, kw_only=True):
    """`expect`: READ_BACK or MISMATCH. `place` as it was read on the map; times as they were read."""

    name: str
    place: str
    start: str
    end: str
    expect: str = "READ_BACK"


class Report(Step, frozen=True, kw_only=True):
    """`state`: STARTED or FINISHED."""

    name: str
    state: str


class OwnPlan(Step, frozen=True, kw_only=True):
    """An own plan, given or replaced: a track of (place, height, time). Nothing of it may leave."""

    plan: str
    label: str
    legs: tuple[tuple[str, str, str], ...]


class Story(msgspec.Struct, frozen=True):
    name: str
    title: str
    opens: str
    steps: tuple[Step, ...]


def _circle(place: str, radius: str, high: str, start: str, end: str, **more: str) -> dict[str, str]:
    return {"circle": place, "radius": radius, "low": "SFC", "high": high, "from": start, "until": end, **more}


_PATROL: Final = (
    ("41.60 -39.10", "2000ft AMSL", "09:05Z"),
    ("41.22 -38.55", "2000ft AMSL", "09:30Z"),
    ("40.80 -38.20", "2000ft AMSL", "09:52Z"),
)
_PATROL_EARLIER: Final = (
    ("41.60 -39.10", "2000ft AMSL", "06:35Z"),
    ("41.22 -38.55", "2000ft AMSL", "07:00Z"),
    ("40.80 -38.20", "2000ft AMSL", "07:22Z"),
)
_ROUTE: Final = "41.70 -39.40; 41.62 -38.60; 41.70 -37.80"

ROUTINE: Final = Story(
    "routine",
    "A routine day",
    "An ordinary day on the Amal coast: three notices, one moved, one finished early, and nobody surprised.",
    (
        OwnPlan(
            at="05:38:00", who=GREEN, plan="morning-patrol", label="morning patrol", legs=_PATROL,
            tell="GREEN writes down what it means to do today. That stays on GREEN's machine.",
        ),
        Give(
            at="05:40:00", who=BLUE, name="transit", tell="BLUE will cross high, in a corridor.",
            draft={"type": "TRANSIT", "hazard": "CREWED_AIRCRAFT", "corridor": _ROUTE, "half_width": "5km",
                   "low": "FL180", "high": "FL200", "from": "06:40Z", "until": "07:30Z"},
        ),
        Ack(at="05:40:40", who=GREEN, name="transit"),
        ReadBack(at="05:42:10", who=GREEN, name="transit", place="41.69 -38.60", start="06:40Z", end="07:30Z"),
        Give(
            at="05:50:00", who=BLUE, name="survey", tell="BLUE will fly a survey off Cape Amal.",
            draft=_circle("41.20 -38.60", "12km", "3000ft AMSL", "09:00Z", "11:30Z", type="AREA_ACTIVITY",
                          hazard="UNCREWED_AIRCRAFT", place_name="Cape Amal"),
            meets=(("survey", "morning-patrol"),),
        ),
        Ack(at="05:50:50", who=GREEN, name="survey"),
        ReadBack(at="05:52:30", who=GREEN, name="survey", place="41°12'N 38°36'W", start="09:00Z", end="11:30Z"),
        OwnPlan(
            at="05:58:00", who=GREEN, plan="morning-patrol", label="morning patrol", legs=_PATROL_EARLIER,
            tell="GREEN moves its own plan to before the survey. BLUE need not know, and does not.",
            eases=(("survey", "morning-patrol"),),
        ),
        Give(
            at="06:10:00", who=GREEN, name="exercise", tell="GREEN announces an exercise, in a polygon.",
            draft={"type": "EXERCISE", "hazard": "SURFACE_TRAFFIC",
                   "polygon": "40.60 -38.90; 40.60 -38.10; 40.85 -38.15; 40.90 -38.80",
                   "low": "SFC", "high": "FL100", "from": "13:00Z", "until": "15:00Z"},
        ),
        Ack(at="06:11:05", who=BLUE, name="exercise"),
        ReadBack(at="06:13:00", who=BLUE, name="exercise", place="40.74 -38.50", start="13:00Z", end="15:00Z"),
        Report(at="06:40:00", who=BLUE, name="transit", state="STARTED"),
        Report(
            at="07:12:00", who=BLUE, name="transit", state="FINISHED",
            tell="Done sooner than thought: the corridor is free again 18 minutes early.",
        ),
        Revise(
            at="08:05:00", who=BLUE, name="survey", how="amend",
            tell="The weather moves BLUE's survey: six kilometres east, half an hour later.",
            draft=_circle("41.20 -38.53", "12km", "3000ft AMSL", "09:30Z", "12:00Z"),
        ),
        Ack(at="08:06:10", who=GREEN, name="survey"),
        ReadBack(at="08:07:40", who=GREEN, name="survey", place="41.20 -38.53", start="09:30Z", end="12:00Z"),
        Report(at="09:30:00", who=BLUE, name="survey", state="STARTED"),
        Report(at="11:59:00", who=BLUE, name="survey", state="FINISHED"),
        Report(at="13:00:00", who=GREEN, name="exercise", state="STARTED"),
        Report(at="14:58:00", who=GREEN, name="exercise", state="FINISHED"),
    ),
)  # fmt: skip

_RETURN: Final = (
    ("41.80 -38.05", "8000ft AMSL", "16:20Z"),
    ("41.45 -38.35", "8000ft AMSL", "16:33Z"),
    ("41.15 -38.80", "8000ft AMSL", "16:46Z"),
    ("40.95 -39.20", "8000ft AMSL", "16:57Z"),
)
_TURNED: Final = (
    ("41.80 -38.05", "8000ft AMSL", "16:20Z"),
    ("41.68 -38.15", "8000ft AMSL", "16:24Z"),
    ("41.70 -38.90", "8000ft AMSL", "16:39Z"),
    ("41.40 -39.45", "8000ft AMSL", "16:54Z"),
)

LATE_WARNING: Final = Story(
    "late-warning",
    "The late warning",
    "The same line, the same afternoon. Something starts in a hurry, and the warning is vague, late and wrong.",
    (
        OwnPlan(
            at="16:05:00", who=GREEN, plan="return-flight", label="return flight", legs=_RETURN,
            tell="GREEN has a slow aircraft coming home along the coast at 8,000 feet.",
        ),
        Vague(
            at="16:20:20", who=BLUE, tell="BLUE's officer is told half of it, and types what he knows.",
            draft={"type": "HAZARD", "hazard": "FALLING_OBJECTS", "text": "activity off the cape", "from": "now"},
        ),
        Raise(
            at="16:20:32", who=BLUE, name="alert", text="activity off the cape, place follows",
            tell="So he presses the one key that needs no field.",
            meets=(("alert", "return-flight"),),
        ),
        Ack(at="16:20:45", who=GREEN, name="alert"),
        Give(
            at="16:21:10", who=BLUE, name="hazard", refines="alert", late=True,
            tell="Half a minute later there is a place: Tern Rocks, he is told.",
            draft=_circle("41.75 -37.80", "10km", "FL200", "16:24Z", "16:50Z", type="HAZARD",
                          hazard="FALLING_OBJECTS", place_name="Tern Rocks"),
            eases=(("alert", "return-flight"),),
        ),
        Ack(at="16:21:22", who=GREEN, name="hazard"),
        ReadBack(at="16:21:35", who=GREEN, name="hazard", place="41.75 -37.80", start="16:24Z", end="16:50Z"),
        Revise(
            at="16:22:04", who=BLUE, name="hazard", how="correct", voids=True,
            tell="It is the wrong place. BLUE corrects it, and what GREEN answered about the first one is void.",
            draft={**_circle("41.17 -38.72", "10km", "FL200", "16:24Z", "16:50Z"), "place_name": "Cape Amal"},
            meets=(("hazard", "return-flight"),),
        ),
        Ack(at="16:22:15", who=GREEN, name="hazard"),
        ReadBack(
            at="16:22:28", who=GREEN, name="hazard", place="41.71 -38.72", start="16:24Z", end="16:50Z",
            expect="MISMATCH", tell="GREEN's officer reads two digits the wrong way round.",
        ),
        ReadBack(at="16:22:46", who=GREEN, name="hazard", place="41.17 -38.72", start="16:24Z", end="16:50Z"),
        OwnPlan(
            at="16:23:20", who=GREEN, plan="return-flight", label="return flight", legs=_TURNED,
            tell="GREEN turns its aircraft away, round the other side.",
            eases=(("hazard", "return-flight"),),
        ),
        Report(at="16:24:00", who=BLUE, name="hazard", state="STARTED"),
        Report(at="16:46:00", who=BLUE, name="hazard", state="FINISHED"),
    ),
)  # fmt: skip

STORIES: Final = {story.name: story for story in (ROUTINE, LATE_WARNING)}


def expected(stories: tuple[Story, ...]) -> dict[str, Any]:
    """What must have happened when these stories were played, as the closing summary counts it."""
    steps = [step for story in stories for step in story.steps]
    return {
        "notices": sum(isinstance(s, Give) for s in steps),
        "alerts": sum(isinstance(s, Raise) for s in steps),
        "versions": sum(isinstance(s, Give | Revise) for s in steps),
        "late": sum(isinstance(s, Give) and s.late for s in steps)
        + sum(isinstance(s, Revise) and s.voids for s in steps),
        "read_back": sum(isinstance(s, ReadBack) and s.expect == "READ_BACK" for s in steps),
        "mismatches": sum(isinstance(s, ReadBack) and s.expect == "MISMATCH" for s in steps),
        "exposures": sum(len(s.meets) for s in steps),
        "eased": sum(len(s.eases) for s in steps),
    }
