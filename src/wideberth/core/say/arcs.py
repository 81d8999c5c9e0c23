# SPDX-License-Identifier: Apache-2.0
"""Orbits, sectors, radial arcs and polyarcs, as the three shapes that are signed (domain.md D1, decision 0010).

    racetrack(anchor, 45, 37_040_000, 5_556_000)     a Corridor: a racetrack is one, exactly
    sector(centre, 30, 120, 18_520_000)              a Polygon: the part of a disc between two true bearings
    sector(centre, 30, 120, 18_520_000, 9_260_000)   a radial arc: the same without an inner disc
    polyarc((a, b, Arc(centre, clockwise=True), c))  a Polygon: a ring with arcs among its edges

Arcs become geodesic edges, always outward: the true shape lies in the polygon, whose area is at most `AREA_MORE` larger
(from 100 m of breadth on). For a convex arc of radius R the edges are tangents: corners at R/cos(t/2), t apart as seen
from the centre. In the plane such an edge comes as near as R and no nearer; by Toponogov's theorem, since the curvature
of the ellipsoid is positive, it comes no nearer there. A concave arc takes corners on the arc itself: distance from a
point is convex along a geodesic, so the edges stay within R. All reaches have `_ROUNDING_MM` more, or less, for points
are rounded to 1e-9 degree, which is 0.11 mm.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from wideberth.core.limits import CORNERS_PER_SHAPE_MAX
from wideberth.core.say import geodesy
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Corridor, Polygon
from wideberth.errors import BadInput

# How much larger the polygon may be than the true shape: domain.md D1 asks for 0.1 %; some is kept for the rest.
AREA_MORE: Final = 0.001
_AREA_KEPT: Final = 0.000_8
# A wider step than this would still keep the area where an arc is a small part of it, and look like a mistake.
_STEP_DEGREES_MAX: Final = 10.0
_ROUNDING_MM: Final = 1
_RADIUS_MM_MIN: Final = 1_000
_RADIUS_MM_MAX: Final = 600_000_000
# The two ends of an arc are equally far from its centre, to this share: more is a slip in one of three places.
_UNEVEN: Final = 0.01
# The least radius of curvature of WGS-84, rounded down, metres.
_CURVATURE_M: Final = 6_335_000.0


class Arc(msgspec.Struct, frozen=True):
    """The way from the corner before it to the corner after it round `centre`."""

    centre: Point
    clockwise: bool


class Sector(msgspec.Struct, frozen=True):
    """What a polygon was drawn from: bearings are true, in whole degrees, clockwise from `first` to `last`."""

    centre: Point
    first: int
    last: int
    radius_mm: int


class _Turn(msgspec.Struct, frozen=True):
    """An arc worked out: where it begins as seen from its centre, how far it turns (degrees, signed), its radius."""

    centre: Point
    bearing: float
    turn: float
    radius_m: float
    convex: bool


def racetrack(
    anchor: Point, course: float, leg_mm: int, radius_mm: int, *, right: bool = True, margin_mm: int = 0
) -> Corridor:
    """A holding pattern: the inbound leg ends at `anchor` on the true `course` (degrees), turns have `radius_mm`.

    Its middle line lies one radius beside the inbound leg. A line at that distance from a geodesic is none itself: over
    a leg L they part by L² r / 8R² in the middle, and four times that is added to the half width.
    """
    if leg_mm <= 0:
        raise BadInput("the leg of an orbit has a length, such as 20nm", field="orbit")
    _check_radius(radius_mm)
    start = geodesy.point_towards(anchor, course + 180, leg_mm / 1000)
    side = 90 if right else -90
    inbound = geodesy.bearing_degrees(start, anchor)
    route = (
        geodesy.point_towards(start, inbound + side, radius_mm / 1000),
        geodesy.point_towards(anchor, course + side, radius_mm / 1000),
    )
    parting_mm = (leg_mm / 1000 / _CURVATURE_M) ** 2 * radius_mm / 2
    return Corridor(route, radius_mm + margin_mm + math.ceil(parting_mm) + _ROUNDING_MM)


def sector(centre: Point, first: float, last: float, radius_mm: int, inner_mm: int = 0) -> Polygon:
    """The part of a disc from the true bearing `first` clockwise to `last` (degrees), without the disc of `inner_mm`.

    Its first corner is the centre, exactly, where nothing is left out. Raises BadInput for a full circle, a radius that
    is none, or a band so thin that its area would need too many corners.
    """
    if not (0 <= first <= 360 and 0 <= last <= 360) or first % 360 == last % 360:
        raise BadInput("a sector is two different bearings, 0 to 360 degrees; all round it is a circle", field="sector")
    _check_radius(radius_mm)
    if inner_mm:
        _check_radius(inner_mm)
        if inner_mm >= radius_mm:
            raise BadInput("the inner radius of a sector is less than its radius", field="inner")

    def rim(bearing: float, reach_mm: int, side: int) -> Point:
        wider = side * math.degrees(2 * _ROUNDING_MM / reach_mm)
        return geodesy.point_towards(centre, bearing + wider, reach_mm / 1000)

    outer_mm = radius_mm + _ROUNDING_MM
    parts: list[Point | Arc] = [rim(first, outer_mm, -1), Arc(centre, True), rim(last, outer_mm, 1)]
    if inner_mm:
        within_mm = inner_mm - _ROUNDING_MM
        parts += [rim(last, within_mm, 1), Arc(centre, False), rim(first, within_mm, -1)]
        return _drawn(parts, _turns(parts, clockwise=True))
    parts.insert(0, centre)
    return _drawn(parts, _turns(parts, clockwise=True))


def polyarc(parts: Sequence[Point | Arc]) -> Polygon:
    """A ring of corners in order, either way round, with an `Arc` between two corners where the edge is an arc.

    The last part may be an arc: it ends at the first corner. The ends of an arc may differ by 1 % in their distance
    from its centre; the arc then runs from one distance to the other, and the polygon holds it all the same, drawn
    round the greater distance where the arc is convex, and round the lesser where it is not.
    """
    if not parts or isinstance(parts[0], Arc):
        raise BadInput("a ring with arcs begins with a corner", field="polyarc")
    if any(isinstance(a, Arc) and isinstance(b, Arc) for a, b in itertools.pairwise(parts)):
        raise BadInput("between two arcs there is a corner", field="polyarc")
    if sum(isinstance(part, Point) for part in parts) < 2 or not any(isinstance(part, Arc) for part in parts):
        raise BadInput(
            "a ring with arcs has two corners and an arc at least; without arcs, give a polygon", field="polyarc"
        )
    signed = _signed_area_m2(_coarse(parts))
    return _drawn(parts, _turns(parts, clockwise=signed < 0))


@lru_cache(maxsize=4_096)  # lists of notices ask again and again
def sector_of(polygon: Polygon) -> Sector | None:
    """The sector that this polygon was drawn from, or None: to say it as people say it. Tried by drawing it anew."""
    centre, rim = polygon.corners[0], (polygon.corners[1], polygon.corners[-1])
    radii_mm = {round(geodesy.distance_m(centre, p) * 1000) - _ROUNDING_MM for p in rim}
    first, last = (round(geodesy.bearing_degrees(centre, p)) % 360 for p in rim)
    if len(radii_mm) != 1 or first == last:
        return None
    (radius_mm,) = radii_mm
    try:
        same = sector(centre, first, last, radius_mm) == polygon
    except BadInput:
        return None
    return Sector(centre, first, last, radius_mm) if same else None


def _check_radius(mm: int) -> None:
    if not _RADIUS_MM_MIN <= mm <= _RADIUS_MM_MAX:
        raise BadInput("the radius of an arc is 1 m to 600 km; check the unit", field="radius")


def _ends(parts: Sequence[Point | Arc], n: int) -> tuple[Point, Point]:
    before, after = parts[n - 1], parts[(n + 1) % len(parts)]
    assert isinstance(before, Point)
    assert isinstance(after, Point)
    return before, after


def _turn(parts: Sequence[Point | Arc], n: int, arc: Arc) -> tuple[float, float, float, float]:
    """Bearing at the start, turn with its sign (degrees), and both radii in metres."""
    a, b = _ends(parts, n)
    first, last = geodesy.bearing_degrees(arc.centre, a), geodesy.bearing_degrees(arc.centre, b)
    turn = (last - first) % 360 if arc.clockwise else -((first - last) % 360)
    return first, turn, geodesy.distance_m(arc.centre, a), geodesy.distance_m(arc.centre, b)


def _turns(parts: Sequence[Point | Arc], *, clockwise: bool) -> dict[int, _Turn]:
    made = {}
    for n, part in enumerate(parts):
        if not isinstance(part, Arc):
            continue
        first, turn, from_m, to_m = _turn(parts, n, part)
        for metres in (from_m, to_m):
            _check_radius(round(metres * 1000))
        if abs(from_m - to_m) > _UNEVEN * max(from_m, to_m):
            raise BadInput(
                f"an arc begins {from_m:,.0f} m from its centre and ends {to_m:,.0f} m from it; check the three places",
                field="polyarc",
            )
        if turn == 0:
            raise BadInput("an arc begins and ends in the same direction from its centre", field="polyarc")
        convex = part.clockwise == clockwise
        radius_m = max(from_m, to_m) if convex else min(from_m, to_m)
        made[n] = _Turn(part.centre, first, turn, radius_m, convex)
    return made


def _drawn(parts: Sequence[Point | Arc], turns: dict[int, _Turn]) -> Polygon:
    """The ring with its arcs as edges, in steps that keep the area.

    A step t of a convex arc adds R² (tan(t/2) - t/2), of a concave one R² (t - sin t)/2: R²t³/24 and R²t³/12.
    """
    area_m2 = abs(_signed_area_m2(_coarse(parts)))
    cost = sum(abs(math.radians(t.turn)) * t.radius_m**2 / (24 if t.convex else 12) for t in turns.values())
    step = min(math.sqrt(_AREA_KEPT * area_m2 / cost), math.radians(_STEP_DEGREES_MAX))
    count = len(parts) + sum(math.ceil(abs(math.radians(t.turn)) / step) for t in turns.values())
    if count > CORNERS_PER_SHAPE_MAX:
        raise BadInput(
            f"its arcs are so long and thin that they take more than {CORNERS_PER_SHAPE_MAX} corners; give a corridor "
            "along the arc, or parts of it",
            field="radius",
        )
    corners: list[Point] = []
    for n, part in enumerate(parts):
        if isinstance(part, Point):
            corners.append(part)
            continue
        t = turns[n]
        steps = math.ceil(abs(math.radians(t.turn)) / step)
        each = t.turn / steps
        if t.convex:
            reach_m = (t.radius_m + _ROUNDING_MM / 1000) / math.cos(math.radians(each / 2))
            bearings = [t.bearing + (k + 0.5) * each for k in range(steps)]
        else:
            reach_m = t.radius_m - _ROUNDING_MM / 1000
            bearings = [t.bearing + k * each for k in range(1, steps)]
        corners += [geodesy.point_towards(t.centre, bearing, reach_m) for bearing in bearings]
    return Polygon(tuple(corners))


def _coarse(parts: Sequence[Point | Arc]) -> list[Point]:
    """The ring with points on its arcs, two degrees apart: good for its direction, and for its area to 0.02 %."""
    ring = []
    for n, part in enumerate(parts):
        if isinstance(part, Point):
            ring.append(part)
            continue
        first, turn, from_m, to_m = _turn(parts, n, part)
        steps = math.ceil(abs(turn) / 2)
        for k in range(1, steps):
            reach_m = from_m + (to_m - from_m) * k / steps
            ring.append(geodesy.point_towards(part.centre, first + turn * k / steps, reach_m))
    return ring


def _signed_area_m2(ring: Sequence[Point]) -> float:
    """On the ellipsoid, positive counter-clockwise; the smaller side of the Earth."""
    area = float(geodesy.geod().polygon_area_perimeter([p.lng for p in ring], [p.lat for p in ring])[0])
    if abs(area) > geodesy.AREA_M2 / 2:
        return area - math.copysign(geodesy.AREA_M2, area)
    return area
