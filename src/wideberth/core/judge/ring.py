# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a ring or a place before anybody signs it (domain.md D9)."""

from __future__ import annotations

from wideberth.core.judge.edges import crossing, point_to_edge
from wideberth.core.judge.horizontal import ERROR_M, least_distance
from wideberth.core.judge.outline import CONVEX_M, Edge, outline
from wideberth.core.say import geodesy
from wideberth.core.say.place import LAT_NDEG_MAX, Point
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape
from wideberth.errors import BadInput

# A ring that encloses less than this cannot be meant: a strip of one metre by one.
AREA_M2_LEAST = 1.0


def check_ring(polygon: Polygon) -> None:
    """Refuse a ring that is not simple: repeated corners, no area, edges that cross, touch or run back on themselves.

    Every pair of edges is looked at, so the time grows with the square of the corners (500 corners: about a second).

    Raises: BadInput, with a sentence that names the corners, counted from 1.
    """
    seen: dict[Point, int] = {}
    for number, corner in enumerate(polygon.corners, 1):
        place = _one_name(corner)
        if place in seen:
            raise _bad(f"corners {seen[place]} and {number} of the area are the same place; leave one out")
        seen[place] = number
    ring = outline(polygon)
    if ring.radius > CONVEX_M:
        raise _bad("the area is wider than 9,800 km; split it into smaller ones")
    edges, count = ring.edges, len(ring.edges)
    for i in range(count):
        for j in range(i + 1, count):
            if _far(edges[i], edges[j]):
                continue
            if j == i + 1 or (i == 0 and j == count - 1):
                first, second = (edges[i], edges[j]) if j == i + 1 else (edges[j], edges[i])
                if min(point_to_edge(second.b, first).metres, point_to_edge(first.a, second).metres) <= ERROR_M:
                    raise _bad(f"the area's outline runs back on itself at {_name(first)}; leave that corner out")
            elif _touch(edges[i], edges[j]):
                raise _bad(
                    f"the area's outline crosses or touches itself: edge {i + 1} (from {_name(edges[i], start=True)}) "
                    f"meets edge {j + 1} (from {_name(edges[j], start=True)}); give the corners in order round the area"
                )
    if geodesy.area_m2(polygon) < AREA_M2_LEAST:
        raise _bad("the area encloses nothing: its corners lie on one line; give the corners of an area")


def _bad(sentence: str) -> BadInput:
    return BadInput(sentence, field="area")


def _one_name(p: Point) -> Point:
    """Both names of the antimeridian, and all of a pole's, as one."""
    if abs(p.lat_ndeg) == LAT_NDEG_MAX:
        return Point(p.lat_ndeg, 0)
    return Point(p.lat_ndeg, 180_000_000_000) if p.lng_ndeg == -180_000_000_000 else p


def _far(e: Edge, f: Edge) -> bool:
    """Whether two edges cannot meet, by the triangle inequality."""
    return bool(geodesy.geod().inv(*e.a, *f.a)[2] > e.length + f.length + 1)


def _touch(e: Edge, f: Edge) -> bool:
    if crossing(e, f):
        return True
    near = (point_to_edge(e.a, f), point_to_edge(e.b, f), point_to_edge(f.a, e), point_to_edge(f.b, e))
    return min(found.metres for found in near) <= ERROR_M


def _name(e: Edge, *, start: bool = False) -> str:
    lng, lat = e.a if start else e.b
    return f"{lat:.4f}, {lng:.4f}"


def suspect_swapped(shape: Shape, area: Shape) -> str | None:
    """A sentence when the shape lies outside the mechanism's area, but would lie inside with lat and lng exchanged.

    A heuristic for the screen only: it warns and never changes or refuses anything.
    """
    swapped = _swapped(shape)
    if swapped is None or _near(shape, area) or not _near(swapped, area):
        return None
    p = geodesy.middle(shape)
    return (
        f"{p.lat:.4f}, {p.lng:.4f} lies outside the mechanism's area, but {p.lng:.4f}, {p.lat:.4f} lies inside it: "
        "check that latitude comes first"
    )


def _swapped(shape: Shape) -> Shape | None:
    try:
        points = tuple(Point(p.lng_ndeg, p.lat_ndeg) for p in geodesy.spine(shape))
    except BadInput:  # a longitude beyond 90° is no latitude
        return None
    match shape:
        case Circle():
            return Circle(points[0], shape.radius_mm)
        case Polygon():
            return Polygon(points)
        case Corridor():
            return Corridor(points, shape.half_width_mm)


def _near(shape: Shape, area: Shape) -> bool:
    apart = least_distance(shape, area)
    return apart.meet or apart.gap_m <= apart.error_m
