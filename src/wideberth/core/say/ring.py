# SPDX-License-Identifier: Apache-2.0
"""Is a ring of corners a polygon? And what does a shape cover, roughly? (domain.md D9)

`flaw(polygon)` says in a sentence why a ring is not simple: a corner twice, an edge that folds back, edges that cross
or touch, an edge that could go either way round the Earth. It works on unit vectors, so poles and the antimeridian are
ordinary places. Edges are taken as great circles on geodetic latitude; a geodesic leaves them by under 1 m per 100 km
edge and some 65 m per 1,000 km, so two edges that pass each other closer than that may be judged either way here. The
conflict check does not rely on it: it treats what is not simple as larger, never as smaller.

`covers` and `beside_mm` answer questions for warnings only (a place name beside a geometry, the area of the mechanism);
they are good to 0.5 % and decide no conflict.
"""

from __future__ import annotations

import itertools
import math
from typing import Final

from wideberth.core.say.geodesy import distance_mm
from wideberth.core.say.place import LNG_NDEG_MAX, Point
from wideberth.core.say.units import NDEG_PER_DEGREE
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape
from wideberth.errors import BadInput

Vector = tuple[float, float, float]

EARTH_RADIUS_MM: Final = 6_371_008_800  # mean radius R1 of WGS-84
# Rounding of a triple product per unit of edge length: unit vectors are good to 1e-16, so below this three points are
# on one line. On the ground it is 3 nm to 10 nm.
_STRAIGHT: Final = 5e-16
# An edge longer than this (179.9 degrees) has no side to go round the Earth that both readers would choose alike.
_OPPOSITE_COSINE: Final = math.cos(math.radians(179.9))


def must_be_simple(shape: Shape, where: str) -> None:
    """Raises BadInput, naming `where`, for a polygon that is none: a crossing ring has no inside that two would agree
    on, and usually is a slip in the order of its corners."""
    why = flaw(shape) if isinstance(shape, Polygon) else None
    if why:
        raise BadInput(f"{where}: {why}", field="area")


def flaw(polygon: Polygon) -> str | None:
    """Why the ring is not a simple polygon, as a sentence, or None. Corners are counted from 1."""
    corners = polygon.corners
    vectors = [vector(p) for p in corners]
    seen: dict[tuple[int, int], int] = {}
    for n, p in enumerate(corners, 1):
        first = seen.setdefault(_place(p), n)
        if first != n:
            return f"corners {first} and {n} are the same place; give each corner once"
    count = len(vectors)
    for i in range(count):
        if _dot(vectors[i - 1], vectors[i]) < _OPPOSITE_COSINE:
            return f"the edge to corner {i + 1} goes half round the Earth; add a corner between"
    for i in range(count):
        a, b, c = vectors[i - 1], vectors[i], vectors[(i + 1) % count]
        back, on = _minus(a, b), _minus(c, b)
        if _side(a, b, c) == 0 and _dot(back, on) > _dot(back, b) * _dot(on, b):
            return f"the ring folds back on itself at corner {i + 1}"
    pair = _first_crossing(vectors)
    if pair is not None:
        one, other = (f"{n + 1}–{(n + 1) % count + 1}" for n in pair)
        return f"its edges {one} and {other} cross or touch; give the corners in order round the area"
    return None


def covers(shape: Shape, point: Point) -> bool:
    """Whether the point lies in the shape, to 0.5 %. For warnings only."""
    if isinstance(shape, Polygon):
        return _inside([vector(p) for p in shape.corners], vector(point))
    return beside_mm(shape, point) == 0


def beside_mm(shape: Shape, point: Point) -> int:
    """How far outside the shape the point lies, in mm to 0.5 %; 0 inside. For warnings only."""
    if isinstance(shape, Circle):
        return max(0, distance_mm(shape.centre, point) - shape.radius_mm)
    if isinstance(shape, Polygon):
        if covers(shape, point):
            return 0
        ring = [*shape.corners, shape.corners[0]]
        return _to_legs_mm(ring, point)
    assert isinstance(shape, Corridor)
    return max(0, _to_legs_mm(list(shape.route), point) - shape.half_width_mm)


def swapped(point: Point) -> Point | None:
    """The same two numbers the other way round, if that is a place at all."""
    try:
        return Point(point.lng_ndeg, point.lat_ndeg)
    except BadInput:
        return None


def vector(point: Point) -> Vector:
    """Unit vector of geodetic latitude and longitude."""
    lat, lng = math.radians(point.lat), math.radians(point.lng)
    return math.cos(lat) * math.cos(lng), math.cos(lat) * math.sin(lng), math.sin(lat)


def _place(point: Point) -> tuple[int, int]:
    """One key per place: a pole has every longitude, the antimeridian two."""
    if abs(point.lat_ndeg) == 90 * NDEG_PER_DEGREE:
        return point.lat_ndeg, 0
    return point.lat_ndeg, -LNG_NDEG_MAX if point.lng_ndeg == LNG_NDEG_MAX else point.lng_ndeg


def _first_crossing(ring: list[Vector]) -> tuple[int, int] | None:
    """The first pair of edges, not neighbours, that share a point: a sweep along the longest axis, then exact signs.

    An arc bulges beyond the box of its ends by at most its sagitta, 1 - cos(half its angle).
    """
    count = len(ring)
    edges: list[tuple[float, float, int]] = []
    axis = max(range(3), key=lambda k: max(v[k] for v in ring) - min(v[k] for v in ring))
    for i, a in enumerate(ring):
        b = ring[(i + 1) % count]
        bulge = 1 - math.sqrt(max(0.0, (1 + _dot(a, b)) / 2)) + 1e-15
        edges.append((min(a[axis], b[axis]) - bulge, max(a[axis], b[axis]) + bulge, i))
    edges.sort()
    live: list[tuple[float, int]] = []
    for low, high, i in edges:
        live = [(end, j) for end, j in live if end >= low]
        for _, j in live:
            neighbours = (i - j) % count in (1, count - 1)
            if not neighbours and _arcs_meet(ring[i], ring[(i + 1) % count], ring[j], ring[(j + 1) % count]):
                return (i, j) if i < j else (j, i)
        live.append((high, i))
    return None


def _arcs_meet(a: Vector, b: Vector, c: Vector, d: Vector) -> bool:
    """Whether two great-circle arcs, each shorter than half a circle, share a point."""
    s1, s2, s3, s4 = _side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)
    if s1 * s2 < 0 and s3 * s4 < 0:
        # The planes of both arcs cut in two opposite points; it is a crossing only where both arcs have the same one.
        return s1 == -s3
    return (
        (s1 == 0 and _between(a, b, c)) or (s2 == 0 and _between(a, b, d))
        or (s3 == 0 and _between(c, d, a)) or (s4 == 0 and _between(c, d, b))
    )  # fmt: skip


def _side(a: Vector, b: Vector, c: Vector) -> int:
    """On which side of the great circle a→b the point c lies: 1 left, -1 right, 0 on it.

    From differences, not from the vectors themselves, so that a ring of 10 m keeps all its digits.
    """
    ab, ac = _minus(b, a), _minus(c, a)
    triple = _dot(a, _cross(ab, ac))
    tolerance = _STRAIGHT * (math.hypot(*ab) + math.hypot(*ac))
    return 0 if abs(triple) <= tolerance else (1 if triple > 0 else -1)


def _between(a: Vector, b: Vector, p: Vector) -> bool:
    """For p on the great circle of a and b: whether it lies on the arc, not beyond it or on the far side."""
    ab = _minus(b, a)
    return _dot(_minus(p, a), ab) >= 0 >= _dot(_minus(p, b), ab) and _dot(_plus(a, b), p) > 0


def _inside(ring: list[Vector], p: Vector) -> bool:
    """Turning number of the ring as seen from p, taken for the smaller side of the Earth."""
    middle = (sum(v[0] for v in ring), sum(v[1] for v in ring), sum(v[2] for v in ring))
    if _dot(middle, p) <= 0 and math.hypot(*middle) > 1e-9:
        return False
    turn = 0.0
    for i, a in enumerate(ring):
        b = ring[(i + 1) % len(ring)]
        u, w = _cross(p, a), _cross(p, b)
        turn += math.atan2(_dot(p, _cross(u, w)), _dot(u, w))
    return abs(turn) > math.pi


def _to_legs_mm(route: list[Point], point: Point) -> int:
    nearest = min(distance_mm(p, point) for p in route)
    p = vector(point)
    for first, second in itertools.pairwise(route):
        a, b = vector(first), vector(second)
        normal = _cross(a, b)
        length = math.hypot(*normal)
        if length < 1e-15:
            continue
        along_a, along_b = _dot(_cross(normal, a), p), _dot(_cross(b, normal), p)
        if along_a > 0 and along_b > 0:
            off = math.asin(min(1.0, abs(_dot(normal, p)) / length))
            nearest = min(nearest, round(off * EARTH_RADIUS_MM))
    return nearest


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _plus(a: Vector, b: Vector) -> Vector:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]
