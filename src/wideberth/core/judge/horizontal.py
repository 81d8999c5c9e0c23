# SPDX-License-Identifier: Apache-2.0
"""How near two shapes come on the ground: least geodesic distance on WGS-84, with a bound on its error.

1. The distance between two grown spines is that between the spines, less both reaches (judge/outline.py).
2. Two spines that neither cross nor hold one another are nearest at an end of an edge of one of them: on a surface of
   positive curvature two geodesics that are nearest at inner points come nearer still when one moves along both.
   So it is enough to measure points against edges (judge/edges.py), the solver's 15 nm apart from exact.
3. A flat map with proved bounds (judge/plane.py) says which of these can matter at all.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from wideberth.core.judge import plane
from wideberth.core.judge.edges import Nearest, crossing, meeting_point, point_to_edge
from wideberth.core.judge.outline import CONVEX_M, Edge, LngLat, Outline, inside, outline
from wideberth.core.say import geodesy
from wideberth.core.say.geodesy import point_at
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Shape

# What is left uncertain between two spines: crossings finer than 0.5 mm, tangents to 0.01 mm, the solver's nanometres,
# and the degrees of the answer in double precision. 1 mm covers them more than once; a spec for drones asks for 1 cm.
ERROR_M: Final = 0.001
_CROSSINGS_M: Final = 0.000_6


class Spines(NamedTuple):
    """Least distance between two spines in metres (0 when they meet); the truth is within `error` of it.

    `meet` is set only when they surely share a point: they cross, or one holds the other. `p` and `q` are the places.
    """

    metres: float
    error: float
    meet: bool
    p: LngLat
    q: LngLat


class Apart(NamedTuple):
    """How two shapes lie. `gap_m` is the distance between them, negative by the depth when grown spines overlap
    (a filled ring that holds something counts 0, with `meet`). The truth is within `error_m`."""

    gap_m: float
    error_m: float
    meet: bool
    here: Point
    there: Point

    @property
    def least_mm(self) -> int:
        """Least distance, 0 when they meet, to the nearest millimetre."""
        return 0 if self.meet else max(0, round(self.gap_m * 1000))

    @property
    def error_mm(self) -> int:
        return math.ceil(self.error_m * 1000) + 1  # one more for the rounding of `least_mm`


def least_distance(a: Shape, b: Shape) -> Apart:
    """Distance between two shapes, its error, and the points where they are nearest (on `a`, on `b`).

    When they meet, both points are one place that lies in both, as well as it is known.
    """
    one, other = outline(a), outline(b)
    found = spines(one, other)
    gap = found.metres - one.reach - other.reach
    solver = geodesy.geod()
    if found.meet or found.metres == 0.0:
        here = there = found.p
    else:
        azimuth = solver.inv(*found.p, *found.q)[0]
        out = min(one.reach, found.metres)
        back = max(found.metres - other.reach, 0.0)
        if gap < 0:
            out = back = min(max((out + back) / 2, 0.0), found.metres)
        here = solver.fwd(*found.p, azimuth, out)[:2]
        there = solver.fwd(*found.p, azimuth, back)[:2]
    return Apart(gap, found.error, found.meet, point_at(here[1], here[0]), point_at(there[1], there[0]))


def spines(a: Outline, b: Outline) -> Spines:
    """Least distance between the spines of two outlines; rings are filled."""
    if not a.edges and not b.edges:
        metres = geodesy.geod().inv(*a.middle, *b.middle)[2]
        return Spines(metres, ERROR_M, False, a.middle, b.middle)
    frame = plane.between(a, b)
    flat_a = [frame.flat(p) for p in a.points]
    flat_b = [frame.flat(p) for p in b.points]
    if frame.reach > CONVEX_M or max(a.radius, b.radius) > CONVEX_M:
        return _coarse(a, b)
    shrink = frame.shrink
    lines_a = _lines(flat_a, a, shrink)
    lines_b = _lines(flat_b, b, shrink)
    met = _holds(a, b) or _holds(b, a) or _crosses(a, lines_a, b, lines_b)
    if met is not None:
        return Spines(0.0, ERROR_M, True, met, met)
    return _nearest(a, flat_a, lines_a, b, flat_b, lines_b, shrink)


def _lines(flat: list[plane.Flat], shape: Outline, shrink: float) -> list[plane.Line]:
    count = len(flat)
    return [plane.Line(flat[i], flat[(i + 1) % count], shrink) for i in range(len(shape.edges))]


def _holds(ring: Outline, other: Outline) -> LngLat | None:
    """A point of `other` that lies in the filled ring by more than the error, if the first ones tried do."""
    if not ring.filled:
        return None
    inverse = geodesy.geod().inv
    tried = (
        (other.witness, *other.points) if other.filled and len(other.points) <= 8 else (other.witness, other.points[0])
    )
    for p in tried:
        if p is None or inverse(*ring.middle, *p)[2] > ring.radius or not inside(p, ring.edges):
            continue
        if all(point_to_edge(p, e).metres > ERROR_M for e in ring.edges):
            return p
    return None


def _crosses(a: Outline, lines_a: list[plane.Line], b: Outline, lines_b: list[plane.Line]) -> LngLat | None:
    boxes_b = [(_box(line), line, e) for line, e in zip(lines_b, b.edges, strict=True)]
    for line, e in zip(lines_a, a.edges, strict=True):
        west, south, east, north = _box(line)
        for (w, s, o, n), other, f in boxes_b:
            if w <= east and o >= west and s <= north and n >= south and _may_cross(line, other) and crossing(e, f):
                return meeting_point(e, f)
    return None


def _box(line: plane.Line) -> tuple[float, float, float, float]:
    """West, south, east, north of a line on the map, with its bend."""
    x, y = sorted((line.x, line.x + line.dx)), sorted((line.y, line.y + line.dy))
    return x[0] - line.bend, y[0] - line.bend, x[1] + line.bend, y[1] + line.bend


def _may_cross(e: plane.Line, f: plane.Line) -> bool:
    """Whether `f` is not wholly on one side of `e` by more than both can bend, nor the other way round."""
    bend = e.bend + f.bend
    for one, other in ((e, f), (f, e)):
        length = math.sqrt(one.squared)
        if length == 0:
            continue
        sides = []
        for x, y in ((other.x, other.y), (other.x + other.dx, other.y + other.dy)):
            sides.append(((x - one.x) * one.dy - (y - one.y) * one.dx) / length)
        if min(sides) > bend or max(sides) < -bend:
            return False
    return True


def _nearest(
    a: Outline, flat_a: list[plane.Flat], lines_a: list[plane.Line],
    b: Outline, flat_b: list[plane.Flat], lines_b: list[plane.Line], shrink: float,
) -> Spines:  # fmt: skip
    """Points of each against edges of the other, the most promising first, until the map's bound rules out the rest."""
    tries: list[tuple[float, int, int, bool]] = []
    for swapped, flat, lines in ((False, flat_a, lines_b), (True, flat_b, lines_a)):
        for i, p in enumerate(flat):
            for j, line in enumerate(lines):
                tries.append((shrink * (line.from_point(p) - line.bend), i, j, swapped))
    if len(tries) > 1:
        tries.sort()
    best: Nearest | None = None
    ends: tuple[LngLat, LngLat] = (a.middle, b.middle)
    slack = 0.0
    for bound, i, j, swapped in tries:
        if best is not None and bound > best.metres:
            break
        p, e = (b.points[i], a.edges[j]) if swapped else (a.points[i], b.edges[j])
        found = point_to_edge(p, e)
        slack = max(slack, found.slack)
        if best is None or found.metres < best.metres:
            best = found
            ends = (found.at, p) if swapped else (p, found.at)
    assert best is not None
    return Spines(best.metres, max(ERROR_M, _CROSSINGS_M + slack), False, *ends)


def _coarse(a: Outline, b: Outline) -> Spines:
    """For shapes or gaps of continental size: between the bound of the enclosing discs and the nearest corners.

    Never says that they meet; the error says how little is known, so it cannot separate what is not separate.
    A disc about the middle holds a spine only where balls are convex; beyond, half an edge more is allowed for.
    """
    inverse = geodesy.geod().inv
    far = [o.radius + (0.0 if o.radius <= CONVEX_M else _longest(o.edges) / 2) for o in (a, b)]
    most, p, q = min((inverse(*p, *q)[2], p, q) for p in a.points for q in b.points)
    least = max(0.0, inverse(*a.middle, *b.middle)[2] - far[0] - far[1])
    for o in (a, b):
        if o.filled and o.radius > CONVEX_M:
            least = 0.0  # which side of a hemisphere a ring fills is not worth a proof here
    return Spines((least + most) / 2, (most - least) / 2 + ERROR_M, False, p, q)


def _longest(edges: tuple[Edge, ...]) -> float:
    return max((e.length for e in edges), default=0.0)
