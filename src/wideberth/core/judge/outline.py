# SPDX-License-Identifier: Apache-2.0
"""A shape taken apart for geometry: its spine (points and geodesic edges) and its reach beyond the spine.

A circle is a point with a reach, a corridor is a route of edges with a reach, a polygon is a ring of edges, filled,
with no reach. Geodesic distance makes the ellipsoid a length space, so the distance between two grown spines is exactly
the distance between the spines less both reaches, and never below 0: discs stay true discs (docs/conflict-check.md
§2). Longitude comes before latitude here, as the solver wants it; degrees and metres, floats.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from wideberth.core.say import geodesy
from wideberth.core.say.geodesy import A_M, E2
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Polygon, Shape

LngLat = tuple[float, float]

# Balls of this radius are strongly convex on WGS-84 (the convexity radius is pi b / 2 = 9,985 km): every geodesic
# between two of their points stays inside. Beyond half of it we use coarse bounds (docs/conflict-check.md §4).
CONVEX_M = 4_900_000.0


class Edge(NamedTuple):
    """A geodesic from `a` to `b`. `azimuth` is the heading at `a`, `arrival` the heading at `b`, both onward."""

    a: LngLat
    b: LngLat
    azimuth: float
    arrival: float
    length: float


class Outline(NamedTuple):
    """`radius` encloses the spine round `middle` (metres); `xyz` is the middle in Earth-centred metres.

    `witness` is a point well inside a ring, when one was found easily; it settles rings that share their edges.
    """

    points: tuple[LngLat, ...]
    edges: tuple[Edge, ...]
    filled: bool
    reach: float
    middle: LngLat
    radius: float
    xyz: tuple[float, float, float]
    witness: LngLat | None


@lru_cache(maxsize=65_536)
def outline(shape: Shape) -> Outline:
    spine = geodesy.spine(shape)
    points = tuple((p.lng, p.lat) for p in spine)
    filled = isinstance(shape, Polygon)
    around = (*points, points[0]) if filled else points
    edges = tuple(edge(a, b) for a, b in pairwise(around))
    centre = geodesy.middle(shape)
    middle = (centre.lng, centre.lat)
    inverse = geodesy.geod().inv
    radius = max(inverse(*middle, *p)[2] for p in points)
    witness = _witness(points, edges, middle) if filled and radius < CONVEX_M else None
    return Outline(points, edges, filled, geodesy.reach_mm(shape) / 1000, middle, radius, xyz(centre), witness)


def edge(a: LngLat, b: LngLat) -> Edge:
    azimuth, back, length = geodesy.geod().inv(*a, *b)
    return Edge(a, b, azimuth, back + 180.0, length)


def xyz(p: Point) -> tuple[float, float, float]:
    """Earth-centred metres of a point on the ellipsoid. A chord between two is never longer than the geodesic."""
    lat, lng = math.radians(p.lat), math.radians(p.lng)
    n = A_M / math.sqrt(1 - E2 * math.sin(lat) ** 2)
    r = n * math.cos(lat)
    return r * math.cos(lng), r * math.sin(lng), n * (1 - E2) * math.sin(lat)


def inside(p: LngLat, edges: tuple[Edge, ...]) -> bool:
    """Whether the ring winds round `p`. Exact but for points within a micrometre or so of the ring.

    Seen from `p`, each edge turns by less than 180° (a geodesic triangle in a convex ball), so the turns are the
    differences of the azimuths from `p` to the corners. Any winding but zero counts as inside: a ring that crosses
    itself is taken with all of its lobes, which is outward.
    """
    inverse = geodesy.geod().inv
    lng, lat = p
    turned = 0.0
    before = inverse(lng, lat, *edges[0].a)[0]
    for e in edges:
        azimuth = inverse(lng, lat, *e.b)[0]
        turned += (azimuth - before + 180.0) % 360.0 - 180.0
        before = azimuth
    return abs(turned) > 180.0


def _witness(points: tuple[LngLat, ...], edges: tuple[Edge, ...], middle: LngLat) -> LngLat | None:
    if inside(middle, edges):
        return middle
    # The middle of a diagonal that cuts off one corner: one of them lies inside any simple ring with an ear.
    solver = geodesy.geod()
    for i in range(len(points)):
        a, b = points[i - 1], points[(i + 1) % len(points)]
        azimuth, _, length = solver.inv(*a, *b)
        lng, lat, _ = solver.fwd(*a, azimuth, length / 2)
        if inside((lng, lat), edges):
            return (lng, lat)
    return None
