# SPDX-License-Identifier: Apache-2.0
"""A place by its bearing and distance from another, as it is read off a radar or a chart (domain.md E3, D8).

    parse_place("045/12nm from Cape Amal", rules.gazetteer)
    parse_place("225°T 6.5 km from 36.20N 37.15E")
    parse_place("36.20N 37.15E")                            as `coordinates.parse_point`

A bearing has three digits, 000 to 360, and is from true north along the geodesic that leaves the other place (WGS-84).
A magnetic one is refused: what the variation is there and today is not known here. The other place is a name of the
agreement's own gazetteer, or a point in any other form. What comes out is a point to 1e-9 degree, and that is signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from wideberth.core.say.coordinates import parse_distance, parse_point
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Point
from wideberth.core.say.rules import NamedPlace
from wideberth.errors import BadInput

_FROM: Final = re.compile(r"(?P<polar>.*?\S)\s+(?:from|of)\s+(?P<origin>\S.*)", re.IGNORECASE | re.DOTALL)
_POLAR: Final = re.compile(
    r"(?:bearing\s+)?(?P<bearing>\d{1,3}(?:\.\d{1,3})?)\s*°?\s*(?P<north>(?!distance|at\b)[A-Za-z]*)\s*[/,]?\s*(?:(?:distance|at)\s+)?"
    r"(?P<distance>\d[\d.,]*\s?[A-Za-z]+)",
    re.ASCII | re.IGNORECASE,
)  # fmt: skip
_TRUE: Final = frozenset({"", "T", "TRUE"})
_HOW: Final = 'write it like "045/12nm from Cape Amal" or "045 12nm from 36.20N 37.15E"'


def is_relative(text: str) -> bool:
    """Whether a text gives a place by another one."""
    return _FROM.fullmatch(text.strip()) is not None


def parse_place(text: str, gazetteer: Iterable[NamedPlace] = (), *, field: str = "place") -> Point:
    """A place by bearing and distance, or in any form of `coordinates.parse_point`. Raises BadInput."""
    relative = _FROM.fullmatch(text.strip())
    if relative is None:
        return parse_point(text, field=field)
    polar = _POLAR.fullmatch(relative["polar"].replace("°", "", 1))
    if polar is None:
        raise BadInput(f"{text!r} is not a bearing and a distance from a place; {_HOW}", field=field)
    if polar["north"].upper() not in _TRUE:
        raise BadInput(
            f"{text!r}: give the bearing from true north; the variation there is not known here", field=field
        )
    bearing = Decimal(polar["bearing"])
    if len(polar["bearing"].partition(".")[0]) != 3 or bearing > 360:
        raise BadInput(f"{text!r}: a bearing has three digits, 000 to 360; {_HOW}", field=field)
    distance_mm = parse_distance(polar["distance"].replace(" ", ""), field=field)
    origin = _origin(relative["origin"], gazetteer, field)
    return point_towards(origin, float(bearing), distance_mm / 1000)


def _origin(text: str, gazetteer: Iterable[NamedPlace], field: str) -> Point:
    wanted = _folded(text)
    named = [place for place in gazetteer if _folded(place.name) == wanted]
    if len(named) == 1:
        return named[0].point
    if named:
        raise BadInput(f"the agreement has {len(named)} places called “{text}”: give the point instead", field=field)
    try:
        return parse_point(text, field=field)
    except BadInput as fault:
        known = ", ".join(place.name for place in gazetteer) or "no names of places"
        raise BadInput(f"“{text}” is no name of the agreement ({known}), and {fault.sentence}", field=field) from None


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
