# SPDX-License-Identifier: Apache-2.0
"""Orbits and polyarcs as people write them (`say/arcs.py` draws them; a sector is `say/courses.parse_sector`).

    parse_orbit("36.20N 37.15E; 045; 20nm; R", radius_mm, 0)           anchor, inbound course, leg, turns
    parse_orbit("36.20N 37.15E; 36.45N 37.40E", radius_mm, 0)          the two ends of the middle line
    parse_polyarc("36.0N 37.0E; 36.5N 37.0E; arc cw 36.25N 37.3E; 36.0N 37.6E")

In a polyarc `arc cw CENTRE` or `arc ccw CENTRE` stands between the two corners that the arc joins.
"""

from __future__ import annotations

import re
from typing import Final

from wideberth.core.say.arcs import Arc, polyarc, racetrack
from wideberth.core.say.coordinates import parse_distance, parse_point
from wideberth.core.say.courses import parse_course
from wideberth.core.say.place import Point
from wideberth.core.say.units import NDEG_PER_DEGREE
from wideberth.core.say.volume import Corridor, Polygon
from wideberth.errors import BadInput

_ARC: Final = re.compile(r"arc\s+(?P<way>c?cw|clockwise|counter-?clockwise)\s+(?P<centre>\S.*)", re.IGNORECASE)
_RIGHT: Final = {"R": True, "RIGHT": True, "L": False, "LEFT": False}
_HOW_ORBIT: Final = (
    'write its anchor, inbound course, leg and turns, "36.20N 37.15E; 045; 20nm; R", or the two ends of its middle line'
)


def parse_orbit(text: str, radius_mm: int, margin_mm: int, *, field: str = "orbit") -> Corridor:
    """A racetrack with turns of `radius_mm`, `margin_mm` wider all round. Raises BadInput."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if len(parts) == 2:
        route = tuple(parse_point(part, field=field) for part in parts)
        return Corridor(route, radius_mm + margin_mm)
    if len(parts) != 4:
        raise BadInput(f"{field}: {text!r} is not an orbit; {_HOW_ORBIT}", field=field)
    anchor, course, leg, turns = parts
    if turns.upper() not in _RIGHT:
        raise BadInput(f"{field}: {turns!r} is not a way to turn; write R or L", field=field)
    return racetrack(
        parse_point(anchor, field=field),
        parse_course(course, field=field) / NDEG_PER_DEGREE,
        parse_distance(leg, field=field),
        radius_mm,
        right=_RIGHT[turns.upper()],
        margin_mm=margin_mm,
    )


def parse_polyarc(text: str, *, field: str = "polyarc") -> Polygon:
    """A ring of corners with arcs between some of them. Raises BadInput."""
    parts: list[Point | Arc] = []
    for part in (each.strip() for each in text.split(";")):
        if not part:
            continue
        arc = _ARC.fullmatch(part)
        if arc is not None:
            parts.append(Arc(parse_point(arc["centre"], field=field), not arc["way"].lower().startswith(("cc", "co"))))
        elif part.lower().startswith("arc"):
            raise BadInput(f'{field}: {part!r} is not an arc; write "arc cw" or "arc ccw" and its centre', field=field)
        else:
            parts.append(parse_point(part, field=field))
    if len(parts) > 2 and parts[0] == parts[-1]:
        parts.pop()
    return polyarc(parts)
