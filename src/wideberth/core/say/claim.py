# SPDX-License-Identifier: Apache-2.0
"""How much of space and time a notice claims: area times duration, in whole numbers, the same on every machine.

Used for one thing: a claim beyond what the agreement lets count is not counted as filed first (domain.md Q3 as
amended). Both ends must come to the same number to the last digit, so there is no floating point in it. The Earth is a
sphere of the ellipsoid's own area (R = 6,371,007.181 m), latitudes as given; that differs from the true area by less
than 1 %, which the agreement's number is free to allow for. Heights do not count.

    circle      pi r^2
    corridor    the legs' lengths times the width, and the round ends: pi w^2, w the half width; a leg's length from
                its difference in latitude, and that in longitude times the cosine of the latitude nearer the equator
    polygon     the ring's area in the equal-area plane x = longitude, y = sin(latitude), edges straight there; a ring
                round a pole counts as everything on the pole's side of its corner nearest the equator
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import isqrt
from typing import Final

from wideberth.core.say.place import Point
from wideberth.core.say.units import NDEG_PER_DEGREE
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D

# Fixed point: this is 1.
ONE: Final = 10**18
PI: Final = 3_141_592_653_589_793_238
RADIUS_MM: Final = 6_371_007_181
_HALF_TURN_NDEG: Final = 180 * NDEG_PER_DEGREE
_EARTH_MM2: Final = 4 * PI * RADIUS_MM**2 // ONE
# mm² ms in 1 km² h.
KM2_H: Final = 10**12 * 3_600_000


def claimed(volumes: Iterable[Volume4D]) -> int:
    """Area times duration of all volumes, mm² ms. Divided by `KM2_H` it is in km² h."""
    return sum(area_mm2(v.shape) * (v.end_ms - v.start_ms) for v in volumes)


def area_mm2(shape: Shape) -> int:
    """Square millimetres as they count here; never more than the Earth has."""
    match shape:
        case Circle(_, radius_mm):
            area = PI * radius_mm**2 // ONE
        case Corridor(route, half_width_mm):
            length_mm = sum(_leg_mm(a, b) for a, b in pairwise(route))
            area = 2 * half_width_mm * length_mm + PI * half_width_mm**2 // ONE
        case Polygon(corners):
            area = _ring_mm2(corners)
    return min(area, _EARTH_MM2)


def sine(ndeg: int) -> int:
    """Of an angle of 0 to 90 degrees either way, times `ONE`: Taylor's series, every term rounded down."""
    x = PI * abs(ndeg) // _HALF_TURN_NDEG
    square = x * x // ONE
    total, term, n = 0, x, 1
    while term:
        total += term if n % 4 == 1 else -term
        term = term * square // ONE // ((n + 1) * (n + 2))
        n += 2
    return total if ndeg >= 0 else -total


def _turn(from_ndeg: int, to_ndeg: int) -> int:
    """The difference in longitude, the short way round."""
    turn = (to_ndeg - from_ndeg) % (2 * _HALF_TURN_NDEG)
    return turn if turn <= _HALF_TURN_NDEG else turn - 2 * _HALF_TURN_NDEG


def _leg_mm(a: Point, b: Point) -> int:
    nearest = min(abs(a.lat_ndeg), abs(b.lat_ndeg)) if a.lat_ndeg * b.lat_ndeg > 0 else 0
    cosine = sine(90 * NDEG_PER_DEGREE - nearest)
    north = PI * RADIUS_MM * abs(b.lat_ndeg - a.lat_ndeg) // _HALF_TURN_NDEG
    east = PI * RADIUS_MM * abs(_turn(a.lng_ndeg, b.lng_ndeg)) // _HALF_TURN_NDEG * cosine // ONE
    return isqrt(north * north + east * east) // ONE


def _ring_mm2(corners: tuple[Point, ...]) -> int:
    xs, ys = [0], [sine(corners[0].lat_ndeg)]
    for a, b in pairwise((*corners, corners[0])):
        xs.append(xs[-1] + _turn(a.lng_ndeg, b.lng_ndeg))
        ys.append(sine(b.lat_ndeg))
    if xs[-1]:  # once round a pole
        return 2 * PI * RADIUS_MM**2 // ONE * (ONE - min(abs(y) for y in ys)) // ONE
    # Twice the area, in ndeg times ONE.
    twice = abs(sum((x + x2) * (y2 - y) for (x, y), (x2, y2) in pairwise(zip(xs, ys, strict=True))))
    return twice * PI // _HALF_TURN_NDEG * RADIUS_MM**2 // ONE // ONE // 2
