# SPDX-License-Identifier: Apache-2.0
"""Pairs of volumes for the oracles: random ones, and families made to break a conflict check.

    pairs(chunk, count, measure)    the same pairs on every machine, each with the minima under which it is judged

Minima are often set to the measured distance and a hair (0.9 and 1.2 cm, 1 to 3 mm), so that an error of a millimetre
shows; where a shape has a reach, the reach is set instead, so that many pairs share their minima and can be weighed in
one call. Windows often only touch; floors often stand at the minimum from the other's top.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from wideberth.core.say.geodesy import bearing_degrees, distance_m, point_towards
from wideberth.core.say.minima import PRESETS, SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.ring import flaw
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D

# Where mistakes live: the poles, the antimeridian, Greenwich, the equator, and the middle of nowhere.
PLACES: Final = (
    (90, 0), (-90, 33), (89.9, 179), (0, 180), (12, -180), (-45, 179.95), (0, 0), (47, 8), (-33.3, 151.2), (71, -8),
    (0.05, 0.05), (-0.1, -179.99), (89.999, -120),
)  # fmt: skip
HAIRS_MM: Final = (-12, -9, -3, -2, -1, 0, 1, 2, 3, 9, 12)
TIPS_M: Final = (-0.012, -0.009, -0.003, 0.003, 0.009, 0.012)
MARGIN_MM: Final = 610_000
# Of half of all pairs; the compiled check takes all pairs of one set of minima at once.
FIXED: Final = (
    SeparationMinima("OVERLAP", 0, 0), SeparationMinima("CENTIMETRE", 10, 1, 10_000), PRESETS["RULE_OF_THREES"],
    SeparationMinima("HALF_KM", 500_000, 914_400, 10_000),
)  # fmt: skip

_REACH_MM_MOST: Final = 300_000_000

Pair = tuple[Shape, Shape]


class Case(NamedTuple):
    family: str
    a: Volume4D
    b: Volume4D
    minima: SeparationMinima


def pairs(chunk: int, count: int, measure: Callable[[Shape, Shape], float]) -> Iterator[Case]:
    """`measure` gives the distance of two shapes in metres; half of all minima are set by it."""
    rng = random.Random(f"pairs of chunk {chunk}")
    names = list(FAMILIES)
    for number in range(count):
        family = names[number % len(names)]
        a, b = FAMILIES[family](rng, _place(rng))
        minima = rng.choice(FIXED)
        if rng.random() < 0.5:
            hair_mm = rng.choice(HAIRS_MM)
            grown = _grown(b, round(measure(a, b) * 1000) - minima.horizontal_mm - hair_mm)
            if grown is None:
                horizontal_mm = max(0, round(measure(a, b) * 1000) + hair_mm)
                minima = SeparationMinima("MEASURED", horizontal_mm, minima.vertical_mm, minima.time_ms)
            else:
                b = grown
        yield Case(family, *_volumes(rng, a, b, minima.vertical_mm, minima.time_ms), minima)


def _grown(shape: Shape, by_mm: int) -> Shape | None:
    """The shape with its reach changed, where it has one that can be."""
    if isinstance(shape, Polygon):
        return None
    reach_mm = (shape.radius_mm if isinstance(shape, Circle) else shape.half_width_mm) + by_mm
    if not 0 < reach_mm < _REACH_MM_MOST:
        return None
    return Circle(shape.centre, reach_mm) if isinstance(shape, Circle) else Corridor(shape.route, reach_mm)


def _volumes(rng: random.Random, a: Shape, b: Shape, v_mm: int, t_ms: int) -> tuple[Volume4D, Volume4D]:
    """Windows and bands that mostly overlap, sometimes only touch or stand at the minimum, and sometimes are apart."""
    start, span = rng.randint(10**6, 10**9), rng.randint(1, 10**7)
    late = rng.choice((0, 0, 0, span // 2, span + t_ms - 1, span + t_ms, span + t_ms + 1, 10**8))
    refs = [r for r in VerticalRef if r not in (VerticalRef.SFC, VerticalRef.UNL)]
    ref = rng.choice(refs)
    low, thick = rng.randint(0, 10**7), rng.choice((0, 1, 3_000_000))
    other = ref if rng.random() < 0.7 else rng.choice(refs)
    up = rng.choice((0, 0, 0, thick, thick + v_mm, thick + v_mm - 1, thick + v_mm + 1, 3 * 10**7))
    floor = Altitude.surface() if rng.random() < 0.1 else Altitude(low, ref)
    top = Altitude.unlimited() if rng.random() < 0.1 else Altitude(low + thick, ref)
    one = Volume4D(a, floor, top, start, start + span)
    begins = start + late
    two = Volume4D(
        b, Altitude(low + up, other), Altitude(low + up + rng.choice((0, 1, 10**6)), other), begins, begins + span
    )
    return (one, two) if rng.random() < 0.5 else (two, one)


def _place(rng: random.Random) -> Point:
    lat, lng = rng.choice(PLACES) if rng.random() < 0.5 else (rng.uniform(-90, 90), rng.uniform(-180, 180))
    return Point.at(lat, lng)


def _near(rng: random.Random, p: Point, metres: float) -> Point:
    return point_towards(p, rng.uniform(0, 360), rng.uniform(0, metres))


def _star(rng: random.Random, centre: Point, size_m: float, corners: int) -> Polygon:
    """A simple ring round its centre, seldom convex."""
    turn = rng.uniform(0, 360)
    return Polygon(
        tuple(point_towards(centre, turn + 360 * n / corners, size_m * rng.uniform(0.3, 1)) for n in range(corners))
    )


def _route(rng: random.Random, start: Point, size_m: float, legs: int) -> tuple[Point, ...]:
    route = [start]
    for _ in range(legs):
        route.append(point_towards(route[-1], rng.uniform(0, 360), size_m * rng.uniform(0.3, 1)))
    return tuple(route)


def shape(rng: random.Random, near: Point, spread_m: float) -> Shape:
    centre, size_m = _near(rng, near, spread_m), spread_m * 10 ** rng.uniform(-1.5, -0.2)
    kind = rng.choice("cppr")
    if kind == "c":
        return Circle(centre, max(1, round(size_m * 1000)))
    if kind == "p":
        return _star(rng, centre, size_m, rng.randint(3, 8))
    return Corridor(_route(rng, centre, size_m, rng.randint(1, 3)), max(1, round(size_m * 100)))


def _any(rng: random.Random, near: Point) -> Pair:
    spread_m = 10 ** rng.uniform(1, 4.7)
    return shape(rng, near, spread_m), shape(rng, near, spread_m)


def _long_edges(rng: random.Random, near: Point) -> Pair:
    """Edges of 50 to 200 km beside anything: the place where a straight line is not the shortest way."""
    long_m = rng.uniform(50_000, 200_000)
    a = rng.choice((_star(rng, near, long_m, 3), Corridor(_route(rng, near, long_m, 2), rng.randint(1, 5_000_000))))
    return a, shape(rng, _near(rng, near, long_m), rng.choice((300.0, 3_000.0, 30_000.0)))


def _tips(rng: random.Random, near: Point) -> Pair:
    """A tip that ends 0.3 to 1.2 cm before or behind an edge of up to 50 km."""
    length_m, bearing = rng.choice((100.0, 5_000.0, 50_000.0)), rng.uniform(0, 360)
    wall = Polygon((near, point_towards(near, bearing, length_m), point_towards(near, bearing + 60, length_m * 0.7)))
    at = point_towards(near, bearing, length_m * rng.uniform(0.05, 0.95))
    out = bearing_degrees(at, wall.corners[1]) - 90  # the area lies to the right of its first edge
    tip = point_towards(at, out, rng.choice(TIPS_M))
    far = rng.choice((1.0, 400.0, 20_000.0))
    spike = Polygon((tip, point_towards(tip, out - 3, far), point_towards(tip, out + 4, far)))
    return wall, spike


def _slivers(rng: random.Random, near: Point) -> Pair:
    """Areas a millimetre to a metre wide and up to 50 km long, side by side or across one another."""
    made = []
    for _ in range(2):
        start, bearing = _near(rng, near, 30.0), rng.choice((37.0, 37.001, rng.uniform(0, 360)))
        long_m, wide_m = rng.choice((20.0, 2_000.0, 50_000.0)), 10 ** rng.uniform(-3, 0)
        end = point_towards(start, bearing, long_m)
        made.append(Polygon((start, end, point_towards(end, bearing + 90, wide_m + 0.001))))
    return made[0], made[1]


def _shared(rng: random.Random, near: Point) -> Pair:
    """Neighbours with a common edge, a common corner, or everything in common; discs that touch from in and outside."""
    size_m = 10 ** rng.uniform(1.5, 4.5)
    a = _star(rng, near, size_m, rng.randint(3, 6))
    kind = rng.randrange(5)
    if kind == 0:
        return a, a
    if kind == 1:  # beyond the first edge, with both its ends
        p, q = a.corners[:2]
        out = point_towards(p, bearing_degrees(p, q) - 60, distance_m(p, q))
        return a, Polygon((q, p, out))
    if kind == 2:
        corner = a.corners[0]
        out_bearing = bearing_degrees(near, corner)
        return a, Polygon(
            (corner, point_towards(corner, out_bearing - 10, size_m), point_towards(corner, out_bearing + 10, size_m))
        )
    radius_mm = round(size_m * 1000)
    second_mm = rng.randint(1, 2 * radius_mm)
    apart_mm = radius_mm + second_mm if kind == 3 else abs(radius_mm - second_mm)
    other = point_towards(near, rng.uniform(0, 360), (apart_mm + rng.choice(HAIRS_MM)) / 1000)
    return Circle(near, radius_mm), Circle(other, second_mm)


def _inside(rng: random.Random, near: Point) -> Pair:
    """One within the other, or in its notch: no corner of the large one is near."""
    size_m = 10 ** rng.uniform(3, 5)
    if rng.random() < 0.5:
        return _star(rng, near, size_m, rng.randint(3, 9)), shape(rng, near, size_m * 10 ** rng.uniform(-4, -0.7))
    turns = (0, 90, 180, 270, 315, 0)
    reach = (1.0, 1.0, 1.0, 1.0, 0.2, 0.15)
    notched = Polygon(
        tuple(point_towards(near, t + 0.1 * n, size_m * r) for n, (t, r) in enumerate(zip(turns, reach, strict=True)))
    )
    return notched, shape(rng, point_towards(near, 335, size_m * 0.4), size_m * 0.1)


def _many_corners(rng: random.Random, near: Point) -> Pair:
    size_m = 10 ** rng.uniform(2, 4.5)
    return _star(rng, near, size_m, rng.randint(10, 24)), shape(rng, near, size_m * 2)


def _across(rng: random.Random, near: Point) -> Pair:
    """Corridors and edges that cross in an X without a corner near, or pass each other by a hair."""
    made: list[Shape] = []
    for _ in range(2):
        bearing, half_m = rng.uniform(0, 360), 10 ** rng.uniform(2, 4.5)
        middle = point_towards(near, rng.uniform(0, 360), rng.choice((0.0, 0.002, 1.0, 500.0)))
        ends = point_towards(middle, bearing, half_m), point_towards(middle, bearing + 180, half_m)
        third = point_towards(ends[1], bearing + 90, half_m / 2)
        made.append(Polygon((*ends, third)) if rng.random() < 0.5 else Corridor(ends, rng.choice((1, 1_000, 500_000))))
    return made[0], made[1]


_MADE: Final[dict[str, Callable[[random.Random, Point], Pair]]] = {
    "any": _any, "any again": _any, "long edges": _long_edges, "tips": _tips, "slivers": _slivers, "shared": _shared,
    "inside": _inside, "many corners": _many_corners, "across": _across,
}  # fmt: skip


def _simple(make: Callable[[random.Random, Point], Pair]) -> Callable[[random.Random, Point], Pair]:
    """Only what could be in a notice: a ring that is not simple is refused where it is read, and never gets here."""

    def made(rng: random.Random, near: Point) -> Pair:
        while True:
            pair = make(rng, near)
            if not any(isinstance(s, Polygon) and flaw(s) for s in pair):
                return pair

    return made


FAMILIES: Final = {name: _simple(make) for name, make in _MADE.items()}


def continental(rng: random.Random) -> Pair:
    """Areas of 10 to 4,000 km, as far apart."""

    def made(rng: random.Random, near: Point) -> Pair:
        spread_m = 10 ** rng.uniform(5.5, 6.9)
        return shape(rng, near, spread_m), shape(rng, near, spread_m)

    return _simple(made)(rng, _place(rng))
