# SPDX-License-Identifier: Apache-2.0
"""The boxes hold what they should hold: points of a shape, found by the geodesic solver, lie in its box."""

import random

import pytest
from tests.core.judge.livecases import PLACES, shape, volume

from wideberth.core.judge import live
from wideberth.core.judge.live.bounds import EARTH_CM
from wideberth.core.judge.live.look import bands_apart, grow
from wideberth.core.judge.live.prepared import Ready
from wideberth.core.judge.outline import outline, xyz
from wideberth.core.judge.vertical import bands_apart as exactly_apart
from wideberth.core.judge.vertical import vertical_gap
from wideberth.core.say.geodesy import geod, point_at
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Polygon, Shape, Volume4D

np = pytest.importorskip("numpy")
LOW, HIGH = Altitude.metres(0, VerticalRef.AMSL), Altitude.metres(1, VerticalRef.AMSL)


def box(of: Shape) -> list[int]:
    one = live.ready("one", (Volume4D(of, LOW, HIGH, 0, 1),), fast=True)
    assert isinstance(one, Ready)
    return [
        each for word in one.rows[0, :3].tolist() for each in (((word & 0xFFFFFFFF) ^ 1 << 31) - (1 << 31), word >> 32)
    ]


def points_of(rng: random.Random, of: Shape) -> list[tuple[float, float]]:
    """Points of the spine and at its reach from there; and, of a ring, points between its corners' chords."""
    solver, out = geod(), outline(of)
    spine = list(out.points)
    for e in out.edges:
        spine += [solver.fwd(*e.a, e.azimuth, e.length * f)[:2] for f in (0.5, rng.random())]
    if not out.reach:
        return spine
    return [solver.fwd(*p, rng.uniform(0, 360), min(out.reach, 1.9e7))[:2] for p in spine for _ in range(6)]


@pytest.mark.parametrize("place", PLACES)
def test_every_point_of_a_shape_is_in_its_box(place: str) -> None:
    rng = random.Random(place)
    for _ in range(300):
        some = shape(rng, PLACES[place], 400_000, (1, 300, 20_000, 200_000, 2_000_000, 6_000_000))
        low_x, high_x, low_y, high_y, low_z, high_z = box(some)
        for lng, lat in points_of(rng, some):
            x, y, z = (100 * each for each in xyz(point_at(lat, lng)))
            assert low_x <= x <= high_x
            assert low_y <= y <= high_y
            assert low_z <= z <= high_z


def test_a_box_is_not_much_wider_than_its_shape() -> None:
    # A filter must filter: one kilometre round a point is one kilometre and two centimetres of box.
    for place in PLACES.values():
        low_x, high_x, low_y, high_y, low_z, high_z = box(Circle(place, 1_000_000))
        assert max(high_x - low_x, high_y - low_y, high_z - low_z) <= 200_004


def test_a_ring_round_the_end_of_an_axis_holds_it() -> None:
    for corners, axis in (
        (((80, 0), (80, 120), (80, -120)), (0.0, 0.0, 635_675_231.0)),
        (((-80, 0), (-80, 120), (-80, -120)), (0.0, 0.0, -635_675_231.0)),
        (((5, -5), (5, 5), (-5, 5), (-5, -5)), (637_813_700.0, 0.0, 0.0)),
        (((5, 85), (5, 95), (-5, 95), (-5, 85)), (0.0, 637_813_700.0, 0.0)),
        (((5, 175), (5, -175), (-5, -175), (-5, 175)), (-637_813_700.0, 0.0, 0.0)),
        (((5, -95), (5, -85), (-5, -85), (-5, -95)), (0.0, -637_813_700.0, 0.0)),
    ):
        low_x, high_x, low_y, high_y, low_z, high_z = box(Polygon.of(*corners))
        assert low_x <= axis[0] <= high_x
        assert low_y <= axis[1] <= high_y
        assert low_z <= axis[2] <= high_z


def test_a_ring_too_wide_to_say_which_side_is_filled_is_everywhere() -> None:
    assert box(Polygon.of((-10, 0), (-10, 120), (-10, -120))) == [-EARTH_CM, EARTH_CM] * 3


def test_growing_by_a_minimum_is_outward_and_stops_at_what_an_int32_holds() -> None:
    one = live.ready("one", (Volume4D(Circle(Point.at(0, 0), 1_000_000), LOW, HIGH, 5, 9),), fast=True)
    assert isinstance(one, Ready)
    grown = np.empty(8, np.int64)
    grow(one.rows[0], 25, 7, grown)
    low, high = box(Circle(Point.at(0, 0), 1_000_000))[2:4]
    assert ((int(grown[1]) & 0xFFFFFFFF) ^ 1 << 31) - (1 << 31) == low - 4
    assert int(grown[1]) >> 32 == high + 4
    assert grown[3:5].tolist() == [0, 16]
    grow(one.rows[0], 10**15, 0, grown)
    assert int(grown[1]) >> 32 == (1 << 30) - 1


def test_heights_are_compared_as_the_predicate_does() -> None:
    rng = random.Random(5)
    apart = 0
    for _ in range(4000):
        a, b = (volume(rng, PLACES["the coast"], 1000, (300,)) for _ in range(2))
        minimum, margin = rng.choice([0, 0, 1000, 300_000, 914_400]), rng.choice([0, 610_000])
        one, other = (live.ready("x", (v,), fast=True).rows[0] for v in (a, b))  # type: ignore[attr-defined]
        want = exactly_apart(a, b, vertical_gap(a, b, margin), minimum)
        assert bands_apart(one, other, minimum, margin) == want, (a, b, minimum, margin)
        apart += want
    assert 500 < apart < 3500
