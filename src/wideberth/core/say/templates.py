# SPDX-License-Identifier: Apache-2.0
"""Templates: what is the same every time is filled in, what is not is asked, in at most eight questions (C15).

    draft = {**TEMPLATES["transit"].fixed, "corridor": …}

A template is a draft that is begun (`web/drafts.py` reads it): what is given beside it holds over it, and whatever the
notice still lacks is named as always. It says what kind of danger to look out for, never why anybody is there.
"""

from __future__ import annotations

from typing import Final

import msgspec

# More than this and nobody fills it in under way (domain.md C15).
ASKS_MAX: Final = 8


class Ask(msgspec.Struct, frozen=True):
    """One question: the field of the draft that it fills, and an answer to go by."""

    field: str
    question: str
    like: str


class Template(msgspec.Struct, frozen=True):
    """`fixed` are fields of a draft."""

    help: str
    fixed: dict[str, str]
    asks: tuple[Ask, ...]


_FROM: Final = Ask("from", "From when", "2031-05-14T10:00Z")
_UNTIL: Final = Ask("until", "Until when", "2031-05-14T12:00Z")
_SCALE: Final = Ask("scale", "How many at once: ONE, FEW or MANY", "ONE")
_CENTRE: Final = Ask("circle", "The middle of the area", "41.20N 38.60W")
_RADIUS: Final = Ask("radius", "How far it reaches", "20km")
_ROUTE: Final = Ask("corridor", "The way, point by point", "41.0N 38.9W; 41.3N 38.6W; 41.5N 38.2W")
_TOP: Final = Ask("high", "How high", "FL100")


def _wide(like: str) -> Ask:
    return Ask("half_width", "How far to either side of the way", like)


TEMPLATES: Final[dict[str, Template]] = {
    "transit": Template(
        "Aircraft pass through on a route.",
        {"type": "TRANSIT", "hazard": "CREWED_AIRCRAFT"},
        (_ROUTE, _wide("10km"), Ask("low", "How low", "FL050"), _TOP, _FROM, _UNTIL, _SCALE),
    ),
    "sar": Template(
        "Aircraft search for people, or bring them out.",
        {"type": "AREA_ACTIVITY", "hazard": "CREWED_AIRCRAFT", "priority": "DISTRESS", "precedence": "PRIORITY",
         "low": "SFC"},
        (_CENTRE, _RADIUS, _TOP, _FROM, _UNTIL, _SCALE),
    ),
    "air-drop": Template(
        "Loads are dropped under parachutes.",
        {"type": "HAZARD", "hazard": "FALLING_OBJECTS", "low": "SFC"},
        (_CENTRE, _RADIUS, _TOP, _FROM, _UNTIL, _SCALE),
    ),
    "drone-survey": Template(
        "Uncrewed aircraft survey an area.",
        {"type": "AREA_ACTIVITY", "hazard": "UNCREWED_AIRCRAFT", "low": "SFC"},
        (_CENTRE, _RADIUS, Ask("high", "How high", "120m AGL"), _FROM, _UNTIL, _SCALE),
    ),
    "live-fire": Template(
        "A range is in use; stay out of it.",
        {"type": "HAZARD", "hazard": "FALLING_OBJECTS", "low": "SFC", "scale": "MANY"},
        (_CENTRE, _RADIUS, _TOP, _FROM, _UNTIL, Ask("days", "On which days (daily, or MO,WE)", "WE,TH,FR"),
         Ask("last", "Until when it comes again", "2031-05-20T00:00Z")),
    ),
    "convoy": Template(
        "Vehicles of those to protect are on the road, and check in.",
        {"type": "MOVEMENT", "hazard": "GROUND_TRAFFIC", "priority": "HUMANITARIAN", "low": "SFC", "high": "300m AGL",
         "scale": "FEW"},
        (Ask("organisation", "Whose it is", "AID"), Ask("work", "What it is, such as FOOD or STAFF", "FOOD"), _ROUTE,
         _wide("1km"), _FROM, _UNTIL, Ask("vehicles", "The vehicles", "truck 1; truck 2; car 3"),
         Ask("check_in", "How often it checks in", "1h")),
    ),
    "medevac": Template(
        "Somebody is flown to a hospital, at short notice.",
        {"type": "MOVEMENT", "hazard": "CREWED_AIRCRAFT", "priority": "MEDICAL", "low": "SFC", "scale": "ONE",
         "work": "MEDICAL", "urgency": "EMERGENCY"},
        (Ask("organisation", "Whose it is", "AID"), _ROUTE, _wide("5km"), Ask("high", "How high", "FL050"), _FROM,
         _UNTIL, Ask("why_urgent", "Why it cannot wait", "a patient in danger")),
    ),
}  # fmt: skip

assert all(len(template.asks) <= ASKS_MAX for template in TEMPLATES.values())
