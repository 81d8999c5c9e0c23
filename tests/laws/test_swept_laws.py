# SPDX-License-Identifier: Apache-2.0
"""A moving area, resolved: every volume holds every place that the area covers while the volume stands (domain.md C12).

The reference is simulated second by second with the same geodesics that everything here uses, and places of the area
round it are taken at random, on its rim first. Distances and insides are worked out here, not by the code under test.
"""

from __future__ import annotations

import itertools

from hypothesis import example, given, settings
from hypothesis import strategies as st

from wideberth.core.say import ring
from wideberth.core.say.geodesy import bearing_degrees, distance_m, point_towards
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.swept import HOUR_MS, Moving, position, swept
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape

START = 1_900_000_000_000
KNOT = 1_852_000
LOW, HIGH = Altitude.surface(), Altitude.flight_level(300)


def way_distance_m(route: tuple[Point, ...], q: Point) -> float:
    """From a point to the nearest of the legs, by search along each: the distance along a short leg has one minimum."""
    best = min(distance_m(p, q) for p in route)
    for a, b in itertools.pairwise(route):
        length, bearing = distance_m(a, b), bearing_degrees(a, b)
        low, high = 0.0, length
        for _ in range(80):
            one, two = low + (high - low) / 3, high - (high - low) / 3
            if distance_m(point_towards(a, bearing, one), q) < distance_m(point_towards(a, bearing, two), q):
                high = two
            else:
                low = one
        best = min(best, distance_m(point_towards(a, bearing, low), q))
    return best


def fine(polygon: Polygon) -> Polygon:
    """The same ring with corners put on its geodesic edges, so close that great circles do not leave them."""
    corners = []
    for a, b in itertools.pairwise([*polygon.corners, polygon.corners[0]]):
        length, bearing = distance_m(a, b), bearing_degrees(a, b)
        corners += [a, *(point_towards(a, bearing, length * n / 10) for n in range(1, 10))]
    return Polygon(tuple(corners))


def holds(shape: Shape, q: Point) -> bool:
    if isinstance(shape, Circle):
        return distance_m(shape.centre, q) * 1000 <= shape.radius_mm
    if isinstance(shape, Corridor):
        return way_distance_m(shape.route, q) * 1000 <= shape.half_width_mm
    return ring.covers(fine(shape), q)


lats = st.integers(-90_000_000_000, 90_000_000_000)
lngs = st.integers(-180_000_000_000, 180_000_000_000)
anywhere = st.builds(Point, lats, lngs)
speeds = st.integers(0, 40 * KNOT)
radii = st.integers(1_000_000, 120_000_000)
margins = st.sampled_from((0, 500_000))
fractions = st.lists(st.floats(0, 1), min_size=1, max_size=3)


@st.composite
def routes(draw: st.DrawFn) -> tuple[Point, ...]:
    way = [draw(anywhere)]
    for _ in range(draw(st.integers(1, 3))):
        way.append(point_towards(way[-1], draw(st.floats(0, 360)), draw(st.floats(1_000, 80_000))))
    return tuple(way)


@st.composite
def movements(draw: st.DrawFn, *, sector: bool) -> Moving:
    kind = draw(st.sampled_from(("course", "route", "untold")))
    route = draw(routes()) if kind == "route" else (draw(anywhere),)
    course = draw(st.integers(0, 360_000_000_000)) if kind == "course" else None
    bearings = None
    if sector:
        first = draw(st.integers(0, 359))
        bearings = (first, (first + draw(st.integers(1, 359))) % 360)
    speed = max(1, draw(speeds)) if kind == "route" else draw(speeds)
    return Moving(route, speed, draw(radii), course, bearings, draw(margins))


def where(moving: Moving, after_ms: int, wander: float, bearing: float) -> Point:
    """The reference at a time; where its course is not told it may have gone anywhere as far as it can."""
    at = position(moving, after_ms)
    if len(moving.route) == 1 and moving.course_ndeg is None:
        return point_towards(at, bearing, wander * moving.speed_mm_h * after_ms / HOUR_MS / 1000)
    return at


def in_the_area(moving: Moving, at: Point, far: float, aside: float) -> Point:
    first, last = moving.sector or (0, 360)
    degrees = (last - first) % 360 or 360
    return point_towards(at, first + aside * degrees, far * moving.radius_mm / 1000)


def check(moving: Moving, hours: int, slices: int, times: list[float], wander: float, far: float, aside: float) -> None:
    end = START + hours * HOUR_MS
    volumes = swept(moving, LOW, HIGH, START, end, slices=slices)
    assert (volumes[0].start_ms, volumes[-1].end_ms) == (START, end)
    assert all(a.end_ms == b.start_ms for a, b in itertools.pairwise(volumes)), "no gap, and no overlap"
    for volume in volumes:
        if isinstance(volume.shape, Polygon):
            assert ring.flaw(volume.shape) is None
        lasts = volume.end_ms - volume.start_ms
        for part in (0.0, 1.0, *times):
            t_ms = min(volume.start_ms + int(part * lasts), volume.end_ms - 1)
            at = where(moving, t_ms - START, wander, 360 * aside)
            for share, side in ((1.0, 0.0), (1.0, 1.0), (1.0, aside), (far, aside), (0.0, 0.0)):
                q = in_the_area(moving, at, share, side)
                assert holds(volume.shape, q), (volume, at, q)


@given(movements(sector=False), st.integers(1, 8), st.integers(0, 4), fractions, st.floats(0, 1), st.floats(0, 1),
       st.floats(0, 1))  # fmt: skip
@example(Moving((Point.at(90, 0),), 15 * KNOT, 60_000_000, 0), 6, 0, [0.5], 0.0, 0.5, 0.3)
@example(Moving((Point.at(0, 180),), 15 * KNOT, 60_000_000, 90_000_000_000), 6, 0, [0.5], 0.0, 0.5, 0.3)
@example(Moving((Point.at(-89.9, 10),), 30 * KNOT, 60_000_000, 180_000_000_000), 6, 1, [0.2], 0.0, 1.0, 0.5)
@settings(max_examples=60, deadline=None)
def test_all_round_every_place_is_held(
    moving: Moving, hours: int, slices: int, times: list[float], wander: float, far: float, aside: float
) -> None:
    check(moving, hours, slices, times, wander, far, aside)


@given(movements(sector=True), st.integers(1, 8), st.integers(0, 4), fractions, st.floats(0, 1), st.floats(0, 1),
       st.floats(0, 1))  # fmt: skip
@example(Moving((Point.at(79, 179.9),), 15 * KNOT, 60_000_000, 90_000_000_000, (135, 225)), 6, 0, [0.5], 0.0, 0.5, 0.3)
@example(Moving((Point.at(25.5, 130.5),), 15 * KNOT, 60_000_000, None, (90, 270)), 6, 0, [0.5], 1.0, 1.0, 0.5)
@example(Moving((Point.at(-79, -180),), 15 * KNOT, 120_000_000, None, (315, 45)), 8, 1, [0.9], 1.0, 1.0, 0.9)
@settings(max_examples=60, deadline=None)
def test_every_place_of_a_sector_is_held(
    moving: Moving, hours: int, slices: int, times: list[float], wander: float, far: float, aside: float
) -> None:
    check(moving, hours, slices, times, wander, far, aside)
