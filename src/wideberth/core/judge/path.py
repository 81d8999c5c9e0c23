# SPDX-License-Identifier: Apache-2.0
"""One leg of an own track, and its distance over time to the parts of a shape.

Along a leg latitude and longitude change evenly with time (domain.md SC1: "straight legs in lat/lon"), the short way
round the antimeridian. That line is no geodesic: it turns, and how fast bounds how concave a distance along it can be.
"""

from __future__ import annotations

import math
from itertools import pairwise

from wideberth.core.judge.edges import point_to_edge
from wideberth.core.judge.outline import CONVEX_M, Edge, LngLat, Outline
from wideberth.core.judge.search import Course, Sample
from wideberth.core.say import geodesy
from wideberth.core.say.geodesy import A_M, B_M, E2
from wideberth.core.say.place import ALTITUDE_MM_MIN, Altitude, VerticalRef
from wideberth.core.say.volume import LENGTH_MM_MAX, Circle, Leg, Track, Volume4D

_CURVATURE_RADIUS_MAX_M = A_M * A_M / B_M  # of both principal ones, at the poles
# Distances to a point or a short geodesic are convex but for the terms below as far as this.
_CONVEX_FAR_M = 4_500_000.0


class Path:
    """The movement from one timed point to the next. Times are seconds after the first."""

    def __init__(self, start: Leg, end: Leg) -> None:
        self.start, self.end = start, end
        self.seconds = (end.t_ms - start.t_ms) / 1000
        turn = (end.point.lng_ndeg - start.point.lng_ndeg + 180 * 10**9) % (360 * 10**9) - 180 * 10**9
        self._lat, self._lng = start.point.lat, start.point.lng
        self._lat_rate = (end.point.lat_ndeg - start.point.lat_ndeg) / 1e9 / self.seconds
        self._lng_rate = turn / 1e9 / self.seconds
        north, east = math.radians(abs(self._lat_rate)), math.radians(abs(self._lng_rate))
        low, high = sorted((start.point.lat, end.point.lat))
        widest = 1.0 if low <= 0 <= high else math.cos(math.radians(min(abs(low), abs(high))))
        # The line element is (M dlat)^2 + (N cos(lat) dlng)^2, and neither M nor N exceeds a^2/b.
        self.speed = _CURVATURE_RADIUS_MAX_M * math.hypot(north, widest * east) * (1 + 1e-9)
        # Covariant acceleration of the line: lng'^2 sin(lat) cos(lat) north, 2 lat' lng' sin(lat) east, and
        # dM/dlat lat'^2, which is below 0.0102 a. Coefficients are rounded up by 1 % for the flattening.
        self.turning = _CURVATURE_RADIUS_MAX_M * (0.51 * east * east + 2.03 * north * east + 0.011 * north * north)

    def place(self, t: float) -> LngLat:
        lng = self._lng + self._lng_rate * t
        return ((lng + 180.0) % 360.0 - 180.0, max(-90.0, min(90.0, self._lat + self._lat_rate * t)))

    def velocity(self, lat: float) -> tuple[float, float]:
        """East and north, m/s, at this latitude."""
        sine = math.sin(math.radians(lat))
        w = 1 - E2 * sine * sine
        m, n = A_M * (1 - E2) / w**1.5, A_M / math.sqrt(w)
        return (
            n * math.cos(math.radians(lat)) * math.radians(self._lng_rate),
            m * math.radians(self._lat_rate),
        )

    def courses(self, shape: Outline) -> tuple[list[Course], bool]:
        """The distances to the parts of a shape's spine, and whether they are exact.

        A point or an edge at most a convex ball away: exact. Beyond that only the enclosing disc counts, which is
        nearer than the shape, never farther.
        """
        inverse = geodesy.geod().inv
        reach = inverse(*self.place(self.seconds / 2), *shape.middle)[2] + self.speed * self.seconds / 2
        if not shape.edges:
            return [self._to_point(shape.points[0], reach)], True
        if reach + shape.radius <= 2 * _CONVEX_FAR_M and shape.radius <= CONVEX_M:
            bow = self._bow(reach + shape.radius)
            return [self._to_edge(e, bow) for e in shape.edges], True
        far = shape.radius + (0.0 if shape.radius <= CONVEX_M else max(e.length for e in shape.edges) / 2)
        if shape.filled and shape.radius > CONVEX_M:
            far = math.pi * A_M  # half of the Earth or more: everywhere is near

        def at(t: float) -> Sample:
            return Sample(t, max(0.0, inverse(*self.place(t), *shape.middle)[2] - far), None)

        return [Course(at, self.speed, None)], False

    def _bow(self, reach: float) -> float | None:
        """How concave a distance up to `reach` can be along this path, m/s^2; `None`: no bound of use."""
        if reach > _CONVEX_FAR_M:
            return None
        # The distance to a geodesic bends by at most -k tan(k d) per unit of speed squared (Hessian comparison).
        return self.turning + self.speed**2 * math.tan(reach / B_M) / B_M

    def _to_point(self, q: LngLat, reach: float) -> Course:
        inverse = geodesy.geod().inv

        def at(t: float) -> Sample:
            p = self.place(t)
            azimuth, _, metres = inverse(*p, *q)
            return self._sample(t, p, azimuth, metres)

        return Course(at, self.speed, self._bow(reach))

    def _to_edge(self, e: Edge, bow: float | None) -> Course:
        inverse = geodesy.geod().inv

        def at(t: float) -> Sample:
            p = self.place(t)
            found = point_to_edge(p, e)
            return self._sample(t, p, inverse(*p, *found.at)[0], found.metres)

        return Course(at, self.speed, bow)

    def _sample(self, t: float, p: LngLat, azimuth: float, metres: float) -> Sample:
        if metres < 0.01:  # the direction is noise, and the distance has a kink
            return Sample(t, metres, None)
        east, north = self.velocity(p[1])
        turn = math.radians(azimuth)
        return Sample(t, metres, -(east * math.sin(turn) + north * math.cos(turn)))


def leg_volumes(track: Track) -> tuple[Volume4D, ...]:
    """A volume round each leg that holds the whole movement, for an index: a circle as wide as the leg can reach."""
    found = []
    for start, end in pairwise(track.legs):
        path = Path(start, end)
        lng, lat = path.place(path.seconds / 2)
        radius_mm = min(math.ceil(path.speed * path.seconds * 500) + 1000, LENGTH_MM_MAX)
        a, b = start.altitude, end.altitude
        if a.ref == b.ref and a.ref not in (VerticalRef.SFC, VerticalRef.UNL):
            lower, upper = sorted((a, b), key=lambda altitude: altitude.mm)
        else:
            lower, upper = Altitude(ALTITUDE_MM_MIN, VerticalRef.W84), Altitude.unlimited()
        found.append(Volume4D(Circle(geodesy.point_at(lat, lng), radius_mm), lower, upper, start.t_ms, end.t_ms))
    return tuple(found)
