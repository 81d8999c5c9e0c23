# SPDX-License-Identifier: Apache-2.0
"""Round a ship or a convoy: an area that moves with it, resolved when it is sent into volumes that stand still (C12).

    volumes = swept(Moving((start,), speed_mm_h=…, radius_mm=…, course_ndeg=…), lower, upper, start_ms, end_ms)

The time is cut into slices, each with a volume of its own, so that the area is closed only while the reference can be
there. Every volume holds every place that the moving area covers during its slice; what is rounded is rounded outward:

- all round the reference: a circle while it lies still, a corridor along its way, or, where its course is not told, a
  circle that grows by as much as it can have gone;
- a sector: a convex polygon of sixteen corners round the sector at many places of the way, farther out than anything
  between those places can lie.
  A sector wider than half a circle, near a pole (80°), or beyond 600 km is resolved as if it were all round.

The reference goes the shortest way (a geodesic): from its start on a course, or along a route, at whose end it stays.
`margin_mm` is for a reference that does not keep to that. What is signed is the volumes and nothing else: whoever reads
them needs neither course nor speed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from wideberth.core.limits import VOLUMES_PER_NOTICE_MAX
from wideberth.core.say import geodesy
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.units import NDEG_PER_DEGREE
from wideberth.core.say.volume import LENGTH_MM_MAX, Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput

HOUR_MS: Final = 3_600_000
# A slice of an hour is a good measure of where a ship is; six of them keep a notice below 4 kB (domain.md N1).
SLICE_MS: Final = HOUR_MS
SLICES_USUAL_MAX: Final = 6
# Points are rounded to 1e-9 degree, which is 0.11 mm: this is far above it, and far below anything that matters.
_ROUNDING_MM: Final = 10
# Longer ways than this are no area that anybody can keep clear of, and their geodesics turn back on themselves.
WAY_MM_MAX: Final = 5_000_000_000

# The least radius of curvature of WGS-84 (of the meridian at the equator, b²/a), rounded down, metres.
_CURVATURE_M: Final = 6_335_000.0
_SECTOR_REACH_M: Final = 600_000.0
_SECTOR_LAT_MAX: Final = 80.0
_SECTOR_DEGREES_MAX: Final = 180
# Lengths in the azimuthal-equidistant plane are longer than on the ground by (reach/radius)²/6 at most: 0.15 % here.
_STRETCH: Final = 1.01
_ARC_DEGREES: Final = 10.0
_STEP_M: Final = 500.0
_STEPS_MAX: Final = 128
_CORNERS: Final = 16
# Corners lie beyond what they hold by less than this share: 1/cos(180°/16) is 1.02, and what is put round is small.
_OUTWARD: Final = 1.2

Flat = tuple[float, float]


class Moving(msgspec.Struct, frozen=True):
    """A reference and the area round it. `route` is its start, or a whole route of geodesic legs; `course_ndeg` the
    true course at the start (None with one point and a speed: not told). `sector` are two true bearings in degrees,
    clockwise from the first to the second, as seen from the reference wherever it is; None: all round."""

    route: tuple[Point, ...]
    speed_mm_h: int
    radius_mm: int
    course_ndeg: int | None = None
    sector: tuple[int, int] | None = None
    margin_mm: int = 0

    def __post_init__(self) -> None:
        if not self.route:
            raise BadInput("say where it starts", field="moving")
        if len(self.route) > 1 and self.course_ndeg is not None:
            raise BadInput("a route has its courses in it: leave out the course", field="course")
        if self.speed_mm_h < 0:
            raise BadInput("a speed is not negative", field="speed")
        if len(self.route) > 1 and self.speed_mm_h == 0:
            raise BadInput("a route needs a speed, such as 15kt", field="speed")
        if not 0 < self.radius_mm <= LENGTH_MM_MAX // 4 or not 0 <= self.margin_mm <= LENGTH_MM_MAX // 4:
            raise BadInput("radius and margin are lengths below 5,000 km, and the radius is not 0", field="radius")
        if self.sector is not None:
            first, last = self.sector
            if not (0 <= first <= 360 and 0 <= last <= 360) or first % 360 == last % 360:
                raise BadInput("a sector is two different bearings, 0 to 360 degrees", field="sector")


def swept(
    moving: Moving, lower: Altitude, upper: Altitude, start_ms: int, end_ms: int, *, slices: int = 0
) -> tuple[Volume4D, ...]:
    """The volumes, one for each slice of `[start_ms, end_ms)`. `slices` 0: one for each hour, at most six.

    Raises BadInput where the times, the slices or the way make no sense.
    """
    if not start_ms < end_ms:
        raise BadInput("it must end after it starts", field="until")
    if not 0 <= slices <= VOLUMES_PER_NOTICE_MAX:
        raise BadInput(f"1 to {VOLUMES_PER_NOTICE_MAX} slices", field="slices")
    if gone_mm(moving, end_ms - start_ms, up=True) > WAY_MM_MAX:
        raise BadInput(
            "that is more than 5,000 km of way: check the speed, or give it for a shorter time", field="speed"
        )
    count = slices or min(SLICES_USUAL_MAX, -(-(end_ms - start_ms) // SLICE_MS))
    if moving.speed_mm_h == 0:
        count = 1
    cuts = [start_ms + (end_ms - start_ms) * n // count for n in range(count + 1)]
    if any(a == b for a, b in itertools.pairwise(cuts)):
        raise BadInput("there are more slices than milliseconds", field="slices")
    return tuple(
        Volume4D(_shape(moving, a - start_ms, b - start_ms), lower, upper, a, b) for a, b in itertools.pairwise(cuts)
    )


def gone_mm(moving: Moving, after_ms: int, *, up: bool) -> int:
    """How far the reference has gone after a time, rounded down, or up."""
    return -(-moving.speed_mm_h * after_ms // HOUR_MS) if up else moving.speed_mm_h * after_ms // HOUR_MS


def position(moving: Moving, after_ms: int) -> Point:
    """Where the reference is after a time, to the nearest 1e-9 degree. A course that is not told: where it started."""
    return _after(moving, moving.speed_mm_h * after_ms / HOUR_MS)


def _after(moving: Moving, mm: float) -> Point:
    if len(moving.route) == 1:
        if moving.course_ndeg is None or mm == 0:
            return moving.route[0]
        return geodesy.point_towards(moving.route[0], moving.course_ndeg / NDEG_PER_DEGREE, mm / 1000)
    left_m = mm / 1000
    for a, b in itertools.pairwise(moving.route):
        length_m = geodesy.distance_m(a, b)
        if left_m < length_m:
            return geodesy.point_towards(a, geodesy.bearing_degrees(a, b), left_m)
        left_m -= length_m
    return moving.route[-1]


def _way(moving: Moving, from_ms: int, to_ms: int) -> list[Point]:
    """The points of the way during a slice: where it is first, the waypoints between, where it is last."""
    first_mm, last_mm = gone_mm(moving, from_ms, up=False), gone_mm(moving, to_ms, up=True)
    way, passed = [_after(moving, first_mm)], 0.0
    for a, b in itertools.pairwise(moving.route):
        passed += geodesy.distance_m(a, b) * 1000
        if first_mm < passed < last_mm:
            way.append(b)
    way.append(_after(moving, last_mm))
    return [p for n, p in enumerate(way) if n == 0 or p != way[n - 1]]


def _shape(moving: Moving, from_ms: int, to_ms: int) -> Shape:
    way = _way(moving, from_ms, to_ms)
    anywhere_mm = 0  # how far it can have gone where its course is not told
    if len(moving.route) == 1 and moving.course_ndeg is None:
        anywhere_mm = gone_mm(moving, to_ms, up=True)
    if moving.sector is not None:
        hull = _sector(moving, moving.sector, way, (moving.margin_mm + anywhere_mm) / 1000)
        if hull is not None:
            return hull
    reach_mm = moving.radius_mm + moving.margin_mm + anywhere_mm + _ROUNDING_MM
    return Circle(way[0], reach_mm) if len(way) == 1 else Corridor(tuple(way), reach_mm)


# --- a sector ---


def _sector(moving: Moving, sector: tuple[int, int], way: Sequence[Point], wide_m: float) -> Polygon | None:
    """A polygon that holds the sector at every place within `wide_m` of the way; None where that cannot be promised.

    In the azimuthal-equidistant plane about the middle of the way, lengths grow by less than `_STRETCH`, and a geodesic
    of length L within reach r leaves its chord by less than L² r / 12 R² (normal coordinates; three times that is
    allowed for). A sector at a place between two samples lies within half a step of that at the nearer one, and as much
    again as the meridians turn on the way: r tan(latitude) / R for each metre.
    """
    first, last = sector
    degrees = (last - first) % 360
    radius_m = moving.radius_mm / 1000
    places = list(_sampled(way))
    centre = places[len(places) // 2]
    along_m = max(geodesy.distance_m(centre, p) for p in places)
    lat = max(abs(p.lat) for p in places) + math.degrees(wide_m / _CURVATURE_M)
    step_m = max((geodesy.distance_m(a, b) for a, b in itertools.pairwise(places)), default=0.0)
    reach_m = along_m + radius_m + wide_m + step_m
    if degrees > _SECTOR_DEGREES_MAX or lat > _SECTOR_LAT_MAX or reach_m > _SECTOR_REACH_M:
        return None
    arcs = math.ceil(degrees / _ARC_DEGREES)
    points: list[Flat] = []
    for place in places:
        rim = [geodesy.point_towards(place, first + degrees * n / arcs, radius_m) for n in range(arcs + 1)]
        points += [_flat(centre, p) for p in (place, *rim)]
    turn = 1 + radius_m * math.tan(math.radians(lat)) / _CURVATURE_M
    bulge_m = 1.5 * radius_m * (1 - math.cos(math.radians(degrees / arcs / 2)))
    bend_m = _bend_m(radius_m, reach_m) + _bend_m(2 * _OUTWARD * reach_m, _OUTWARD * reach_m)
    apart_m = _STRETCH * ((wide_m + step_m / 2) * turn + bulge_m) + bend_m + 1
    corners = _round_about(points, apart_m, first + degrees / 2)
    return Polygon(tuple(_round(centre, corner) for corner in corners))


def _sampled(way: Sequence[Point]) -> Iterable[Point]:
    """The way at steps short against anything that matters, its corners among them."""
    yield way[0]
    for a, b in itertools.pairwise(way):
        length_m, bearing = geodesy.distance_m(a, b), geodesy.bearing_degrees(a, b)
        steps = max(1, min(_STEPS_MAX, math.ceil(length_m / _STEP_M)))
        yield from (geodesy.point_towards(a, bearing, length_m * n / steps) for n in range(1, steps))
        yield b


def _bend_m(length_m: float, reach_m: float) -> float:
    return length_m**2 * reach_m / (4 * _CURVATURE_M**2)


def _flat(centre: Point, point: Point) -> Flat:
    """East and north of `centre`, metres, in the azimuthal-equidistant plane."""
    metres = geodesy.distance_m(centre, point)
    bearing = math.radians(geodesy.bearing_degrees(centre, point)) if metres else 0.0
    return metres * math.sin(bearing), metres * math.cos(bearing)


def _round(centre: Point, flat: Flat) -> Point:
    return geodesy.point_towards(centre, math.degrees(math.atan2(flat[0], flat[1])), math.hypot(*flat))


def _round_about(points: Sequence[Flat], apart_m: float, first_degrees: float) -> list[Flat]:
    """The corners of the polygon whose edges, at `_CORNERS` bearings from the first on, each pass the points outside
    at `apart_m`. Each edge has a length, for what it holds touches it, and is round for `apart_m` everywhere."""
    bearings = [math.radians(first_degrees) + 2 * math.pi * n / _CORNERS for n in range(_CORNERS)]
    out = [(math.sin(b), math.cos(b)) for b in bearings]
    reach = [max(x * u + y * v for x, y in points) + apart_m for u, v in out]
    corners = []
    for n in range(_CORNERS):
        (u, v), (s, t), a, b = out[n - 1], out[n], reach[n - 1], reach[n]
        cross = u * t - v * s
        corners.append(((a * t - b * v) / cross, (b * u - a * s) / cross))
    return corners
