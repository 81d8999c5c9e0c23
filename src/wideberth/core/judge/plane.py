# SPDX-License-Identifier: Apache-2.0
"""A flat map round one pair, used only to skip what cannot matter. What decides is measured on the ellipsoid.

The map is azimuthal-equidistant (Riemann normal coordinates about its centre). Let k = 1/b, the root of the greatest
Gaussian curvature of WGS-84 (1/b^2, on the equator), and D the greatest distance of any point from the centre. By
Rauch's comparison theorem the metric g of the surface, read in the map, satisfies s^2 |v|^2 <= g(v, v) <= |v|^2 with
s = sin(kD)/(kD), inside a convex ball of radius D. Hence, for any two points X and Y of the ball,

    s |xy|  <=  d(X, Y)  <=  |xy|                                                       (1)

and the image of a geodesic whose ends are c apart on the map lies within

    c/2 sqrt(1/s^2 - 1)                                                                 (2)

of the straight line between them: by (1) the distances of any of its points to the two ends add up to at most c/s on
the map, which is an ellipse with the ends as foci. Both bounds are proved, not measured (docs/conflict-check.md §3).
At D = 20 km: s = 1 - 1.7e-6, and a 10 km edge bends by less than 10 m by (2); the truth is far smaller, but pruning
does not need better.
"""

from __future__ import annotations

import math

from wideberth.core.judge.outline import LngLat, Outline
from wideberth.core.say import geodesy

Flat = tuple[float, float]


class Frame:
    """Metres east and north of `centre`. `shrink` is s above for the points that were mapped so far."""

    def __init__(self, centre: LngLat) -> None:
        self.centre = centre
        self.reach = 0.0
        self._inverse = geodesy.geod().inv

    def flat(self, p: LngLat) -> Flat:
        azimuth, _, metres = self._inverse(*self.centre, *p)
        if metres > self.reach:
            self.reach = metres
        turn = math.radians(azimuth)
        return metres * math.sin(turn), metres * math.cos(turn)

    @property
    def shrink(self) -> float:
        angle = self.reach / geodesy.B_M
        # A hair below the true value, so that rounding stays on the safe side.
        return (math.sin(angle) / angle if angle > 1e-12 else 1.0) * (1 - 1e-12)


class Line:
    """The image of an edge: a straight piece, and how far the geodesic may bend away from it."""

    __slots__ = ("bend", "dx", "dy", "squared", "x", "y")

    def __init__(self, a: Flat, b: Flat, shrink: float) -> None:
        self.x, self.y = a
        self.dx, self.dy = b[0] - a[0], b[1] - a[1]
        self.squared = self.dx * self.dx + self.dy * self.dy
        self.bend = math.sqrt(self.squared * max(0.0, 1 / (shrink * shrink) - 1)) / 2 + 1e-6

    def from_point(self, p: Flat) -> float:
        """Map distance from `p` to the straight piece."""
        px, py = p[0] - self.x, p[1] - self.y
        if self.squared > 0:
            t = (px * self.dx + py * self.dy) / self.squared
            t = 0.0 if t < 0 else 1.0 if t > 1 else t
            px -= t * self.dx
            py -= t * self.dy
        return math.sqrt(px * px + py * py)


def between(a: Outline, b: Outline) -> Frame:
    """A frame half way between the middles of two outlines."""
    solver = geodesy.geod()
    azimuth, _, metres = solver.inv(*a.middle, *b.middle)
    lng, lat, _ = solver.fwd(*a.middle, azimuth, metres / 2)
    return Frame((lng, lat))
