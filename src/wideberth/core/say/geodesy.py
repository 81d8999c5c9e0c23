# SPDX-License-Identifier: Apache-2.0
"""Distances, bearings and areas on the WGS-84 ellipsoid, by Karney's algorithms (J. Geod. 87, 2013) in C (`pyproj`).

Karney's inverse is good to about 15 nm for any two points: antipodes, poles and the antimeridian are not special.
`pyproj` is imported on first use, because its import alone costs some 150 ms that `wideberth --help` does not have.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from wideberth.core.say.place import Point
from wideberth.core.say.units import NDEG_PER_DEGREE
from wideberth.core.say.volume import LENGTH_MM_MAX, Circle, Corridor, Polygon, Shape

if TYPE_CHECKING:
    from pyproj import Geod

# The ellipsoid, exactly as defined (NIMA TR8350.2).
A_M: Final = 6_378_137.0
F: Final = 1 / 298.257223563
B_M: Final = A_M * (1 - F)
E2: Final = F * (2 - F)
AREA_M2: Final = 510_065_621_724_088.44  # of the whole ellipsoid (Karney 2013, eq. 59 and following)

# lng, lat, lng, lat in degrees -> azimuth at the first, azimuth at the second *back to the first*, metres.
Inverse = Callable[[float, float, float, float], tuple[float, float, float]]
# lng, lat, azimuth in degrees, metres -> lng, lat, azimuth back.
Forward = Callable[[float, float, float, float], tuple[float, float, float]]


@lru_cache(maxsize=1)
def geod() -> Geod:
    """The WGS-84 solver. `.inv(lng, lat, lng, lat)` and `.fwd(lng, lat, azimuth, metres)`: longitude first."""
    from pyproj import Geod

    return Geod(ellps="WGS84")


def distance_m(a: Point, b: Point) -> float:
    """Geodesic metres between two points; error below a micrometre."""
    return float(geod().inv(a.lng, a.lat, b.lng, b.lat)[2])


def distance_mm(a: Point, b: Point) -> int:
    """Geodesic millimetres between two points, to the nearest."""
    return round(distance_m(a, b) * 1000)


def bearing_degrees(a: Point, b: Point) -> float:
    """Direction at `a` of the shortest way to `b`, degrees clockwise from true north, 0 <= bearing < 360."""
    return float(geod().inv(a.lng, a.lat, b.lng, b.lat)[0]) % 360.0


def point_towards(a: Point, bearing: float, metres: float) -> Point:
    """Where one arrives after `metres` along the geodesic that leaves `a` at `bearing` degrees, to the nearest ndeg."""
    lng, lat, _ = geod().fwd(a.lng, a.lat, bearing, metres)
    return point_at(float(lat), float(lng))


def point_at(lat: float, lng: float) -> Point:
    """The nearest `Point` to computed degrees; a longitude beyond the antimeridian is brought back."""
    lng = (lng + 180.0) % 360.0 - 180.0 if not -180.0 <= lng <= 180.0 else lng
    return Point(round(max(-90.0, min(90.0, lat)) * NDEG_PER_DEGREE), round(lng * NDEG_PER_DEGREE))


def spine(shape: Shape) -> tuple[Point, ...]:
    """The points a shape is made of: a circle's centre, a polygon's corners, a corridor's waypoints."""
    if isinstance(shape, Circle):
        return (shape.centre,)
    return shape.corners if isinstance(shape, Polygon) else shape.route


def reach_mm(shape: Shape) -> int:
    """How far the shape extends beyond its spine: a circle's radius, a corridor's half width, 0 for a polygon."""
    if isinstance(shape, Circle):
        return shape.radius_mm
    return shape.half_width_mm if isinstance(shape, Corridor) else 0


def middle(shape: Shape) -> Point:
    """A circle's centre; otherwise the centre of the smallest circle round the corners or waypoints.

    That circle is found in the azimuthal-equidistant plane about the mean direction of the points (Welzl's algorithm,
    taken in order, so it is deterministic), then projected back. The plane stretches distances by (distance from its
    centre / Earth radius)^2 / 6 at most, so up to 1,000 km across the result is within 0.1 % of the radius of the true
    centre. Nothing decides on it: users measure real distances from the point that they get.
    """
    points = spine(shape)
    if len(points) == 1:
        return points[0]
    mean = _mean_direction(points)
    inverse = geod().inv
    flat = []
    for p in points:
        azimuth, _, metres = inverse(mean.lng, mean.lat, p.lng, p.lat)
        flat.append((metres * math.sin(math.radians(azimuth)), metres * math.cos(math.radians(azimuth))))
    x, y, _ = _smallest_circle(flat)
    return point_towards(mean, math.degrees(math.atan2(x, y)), math.hypot(x, y))


def diameter_mm(shape: Shape) -> int:
    """The greatest distance between two points of the shape, rounded up; never less than the truth.

    The distance from a fixed point is convex along a geodesic shorter than a quarter of the Earth's girth, so the
    greatest is between two corners. Above 64 corners, and for shapes beyond 9,000 km, an upper bound is returned
    instead (twice the radius about the middle, and half an edge more): at most twice too large.
    """
    points, reach = spine(shape), 2 * reach_mm(shape)
    if len(points) == 1:
        return min(reach, LENGTH_MM_MAX)
    if len(points) <= 64:
        greatest = max(distance_m(p, q) for i, p in enumerate(points) for q in points[:i])
        if greatest < 9_000_000:
            return min(math.ceil(greatest * 1000) + reach, LENGTH_MM_MAX)
    centre = middle(shape)
    radius = max(distance_m(centre, p) for p in points)
    if radius >= 4_900_000:
        ring = [*points, points[0]]
        radius += max(distance_m(p, q) for p, q in itertools.pairwise(ring)) / 2
    return min(math.ceil(radius * 2000) + reach, LENGTH_MM_MAX)


def area_m2(shape: Shape) -> float:
    """Square metres on the ellipsoid.

    Circle: geodesic polygons of 90 and 180 corners, extrapolated (Richardson); relative error below 1e-7.
    Polygon: exact (Karney 2013, §6), the smaller side of the Earth, whichever way round the ring is given.
    Corridor: route length times width plus the two round ends; where legs meet or fold back over each other the
    overlap is counted twice, so this is an upper bound there and exact for a straight route (to 1e-6 below 100 km).
    """
    if isinstance(shape, Polygon):
        lngs, lats = [p.lng for p in shape.corners], [p.lat for p in shape.corners]
        area = abs(float(geod().polygon_area_perimeter(lngs, lats)[0]))
        return min(area, AREA_M2 - area)
    if isinstance(shape, Circle):
        coarse, fine = _inscribed_m2(shape, 90), _inscribed_m2(shape, 180)
        return min(fine + (fine - coarse) / 3, AREA_M2)
    width_m = shape.half_width_mm / 500
    length_m = sum(distance_m(p, q) for p, q in zip(shape.route, shape.route[1:], strict=False))
    return length_m * width_m + math.pi * width_m**2 / 4


def _inscribed_m2(circle: Circle, corners: int) -> float:
    solver, centre = geod(), circle.centre
    radius_m = min(circle.radius_mm / 1000, math.pi * B_M)
    ring = [solver.fwd(centre.lng, centre.lat, -360 * i / corners, radius_m) for i in range(corners)]
    area = float(solver.polygon_area_perimeter([p[0] for p in ring], [p[1] for p in ring])[0])
    return area if area >= 0 else area + AREA_M2  # counter-clockwise, so negative means: more than half of the Earth


def _mean_direction(points: Sequence[Point]) -> Point:
    x = y = z = 0.0
    for p in points:
        lat, lng = math.radians(p.lat), math.radians(p.lng)
        x += math.cos(lat) * math.cos(lng)
        y += math.cos(lat) * math.sin(lng)
        z += math.sin(lat)
    if math.hypot(x, y, z) < 1e-3 * len(points):  # spread evenly round the Earth: any point will do
        return points[0]
    return point_at(math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)))


def _smallest_circle(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Centre and radius of the smallest circle round plane points: Welzl's, as three nested passes."""

    def through(p: tuple[float, float], q: tuple[float, float]) -> tuple[float, float, float]:
        x, y = (p[0] + q[0]) / 2, (p[1] + q[1]) / 2
        return x, y, math.hypot(p[0] - x, p[1] - y)

    def outside(circle: tuple[float, float, float], p: tuple[float, float]) -> bool:
        return math.hypot(p[0] - circle[0], p[1] - circle[1]) > circle[2] * (1 + 1e-12) + 1e-9

    circle = (points[0][0], points[0][1], 0.0)
    for i, p in enumerate(points):
        if not outside(circle, p):
            continue
        circle = (p[0], p[1], 0.0)
        for j, q in enumerate(points[:i]):
            if not outside(circle, q):
                continue
            circle = through(p, q)
            for r in points[:j]:
                if outside(circle, r):
                    circle = _circumcircle(p, q, r) or circle
    return circle


def _circumcircle(
    p: tuple[float, float], q: tuple[float, float], r: tuple[float, float]
) -> tuple[float, float, float] | None:
    bx, by, cx, cy = q[0] - p[0], q[1] - p[1], r[0] - p[0], r[1] - p[1]
    d = 2 * (bx * cy - by * cx)
    if d == 0:
        return None
    x = (cy * (bx * bx + by * by) - by * (cx * cx + cy * cy)) / d
    y = (bx * (cx * cx + cy * cy) - cx * (bx * bx + by * by)) / d
    return p[0] + x, p[1] + y, math.hypot(x, y)
