# SPDX-License-Identifier: Apache-2.0
"""Points against geodesic edges, and edges against edges, on the ellipsoid itself.

Everything here rests on one fact: inside a strongly convex ball the distance from a fixed point is a convex function
of the length along a geodesic, and its slope is minus the cosine of the angle between the heading and the way to the
point. So a minimum is found by its slope, and a tangent bounds it from below.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from wideberth.core.judge.outline import Edge, LngLat
from wideberth.core.say import geodesy

_MEAN_RADIUS_M = 6_371_000.0

# When the tangents prove the minimum to this, stop: a hundredth of a millimetre.
_GOOD_M = 1e-5


class Nearest(NamedTuple):
    """The least distance found (metres, attained at `at`), and by how much the true one can be smaller."""

    metres: float
    slack: float
    at: LngLat


def _cos_degrees(angle: float) -> float:
    return math.cos(math.radians(angle))


def point_to_edge(p: LngLat, e: Edge) -> Nearest:
    """Least geodesic distance from a point to an edge; both within a convex ball."""
    solver = geodesy.geod()
    inverse, forward = solver.inv, solver.fwd
    azimuth, _, metres = inverse(*e.a, *p)
    # Slope >= 0 at the start: convexity says that the start is nearest.
    if e.length == 0.0 or metres < _GOOD_M or _cos_degrees(azimuth - e.azimuth) <= 0:
        return Nearest(metres, 0.0, e.a)
    from_end, _, end_metres = inverse(*e.b, *p)
    if end_metres < _GOOD_M or _cos_degrees(from_end - e.arrival) >= 0:
        return Nearest(end_metres, 0.0, e.b)
    low, high = 0.0, e.length
    t = _along(metres, _cos_degrees(azimuth - e.azimuth))
    slack = _GOOD_M
    at, found = e.a, metres
    for _ in range(80):
        if not low < t < high:
            t = (low + high) / 2
        lng, lat, back = forward(*e.a, e.azimuth, t)
        azimuth, _, found = inverse(lng, lat, *p)
        at = (lng, lat)
        cosine = _cos_degrees(azimuth - back - 180.0)
        if cosine > 0:
            low = t
        else:
            high = t
        step = _along(found, cosine)
        slack = min(found, abs(cosine) * (high - low))
        if slack <= _GOOD_M:
            break
        if abs(cosine * step) * 2 <= _GOOD_M:
            # Close by the estimate. Prove it: the slope must have turned two steps on, which brackets the minimum.
            t = max(low, min(high, t + 2 * step))
            lng, lat, back = forward(*e.a, e.azimuth, t)
            azimuth, _, _beyond = inverse(lng, lat, *p)
            if (_cos_degrees(azimuth - back - 180.0) > 0) != (cosine > 0):
                slack = abs(cosine * step) * 2
                break
        else:
            t += step
    return Nearest(found, slack, at)


def _along(metres: float, cosine: float) -> float:
    """How far to go at this angle until the point is abeam, on a sphere (Napier's rule); a good guess here."""
    return _MEAN_RADIUS_M * math.atan(math.tan(min(metres / _MEAN_RADIUS_M, 1.5)) * cosine)


# Below this distance of an end from the other edge's line, the measured distance of that end decides instead.
_CROSS_SURE_M = 0.000_5


def crossing(e: Edge, f: Edge) -> bool:
    """Whether two edges surely cross: each has its ends on both sides of the other, by more than half a millimetre.

    If they cross by less, some end lies within that of the other edge (docs/conflict-check.md §4), so the least
    distance of the ends is below the stated error and nothing is lost by saying no.
    """
    return _straddles(e, f) and _straddles(f, e)


def _straddles(e: Edge, f: Edge) -> bool:
    inverse = geodesy.geod().inv
    sides = []
    for q in (f.a, f.b):
        azimuth, _, metres = inverse(*e.a, *q)
        off = _MEAN_RADIUS_M * math.sin(metres / _MEAN_RADIUS_M) * math.sin(math.radians(azimuth - e.azimuth))
        if abs(off) <= _CROSS_SURE_M:
            return False
        sides.append(off > 0)
    return sides[0] != sides[1]


def meeting_point(e: Edge, f: Edge) -> LngLat:
    """Where two crossing edges meet, to a millimetre or so: bisection along `e` by the side of `f`."""
    solver = geodesy.geod()

    def side(q: LngLat) -> bool:
        azimuth, _, _ = solver.inv(*f.a, *q)
        return math.sin(math.radians(azimuth - f.azimuth)) > 0

    low, high, start = 0.0, e.length, side(e.a)
    while high - low > 1e-3:
        middle = (low + high) / 2
        lng, lat, _ = solver.fwd(*e.a, e.azimuth, middle)
        if side((lng, lat)) == start:
            low = middle
        else:
            high = middle
    lng, lat, _ = solver.fwd(*e.a, e.azimuth, low)
    return (lng, lat)
