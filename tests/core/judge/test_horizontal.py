# SPDX-License-Identifier: Apache-2.0
import pytest

from wideberth.core.judge.horizontal import least_distance
from wideberth.core.say import geodesy
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape

SQUARE = Polygon.of((36.0, 36.0), (36.0, 36.2), (36.2, 36.2), (36.2, 36.0))


def box(lat: float, lng: float, side_deg: float = 0.1) -> Polygon:
    east = lng + side_deg if lng + side_deg <= 180 else lng + side_deg - 360
    return Polygon.of((lat, lng), (lat, east), (lat + side_deg, east), (lat + side_deg, lng))


def test_two_circles_are_their_centres_distance_less_the_radii_apart() -> None:
    a, b = Circle.at(lat=36.20, lng=37.15, radius_km=10), Circle.at(lat=36.5, lng=37.15, radius_km=5)
    assert least_distance(a, b).least_mm == geodesy.distance_mm(a.centre, b.centre) - 15_000_000


@pytest.mark.parametrize(
    "other",
    [
        Polygon.of((36.1, 35.9), (36.1, 36.3), (36.11, 36.3), (36.11, 35.9)),  # a bar across: no corner inside
        Polygon.of((36.05, 36.05), (36.05, 36.1), (36.1, 36.1)),  # wholly inside
        Polygon.of((35, 35), (35, 37), (37, 37), (37, 35)),  # wholly round it
        SQUARE,  # the very same
        Polygon.of((36.0, 36.0), (36.0, 36.2), (36.1, 36.1)),  # sharing an edge, inside
        Corridor.along((35.9, 35.9), (36.3, 36.3), half_width_m=1),
        Circle.at(lat=36.1, lng=36.1, radius_m=1),
    ],
)
def test_shapes_that_overlap_surely_meet_and_say_where(other: Shape) -> None:
    for a, b in ((SQUARE, other), (other, SQUARE)):
        apart = least_distance(a, b)
        assert apart.meet
        assert apart.least_mm == 0
        assert apart.here == apart.there
        dot = Circle(apart.here, 1)
        assert least_distance(dot, a).least_mm <= 2
        assert least_distance(dot, b).least_mm <= 2


def test_a_circle_that_reaches_over_an_edge_overlaps_by_the_depth() -> None:
    apart = least_distance(Circle.at(lat=36.1, lng=35.99, radius_km=2), SQUARE)
    assert apart.least_mm == 0
    assert apart.gap_m == pytest.approx(-2000 + 900.5, abs=1)


def test_the_nearest_points_are_as_far_apart_as_the_distance() -> None:
    for a, b in (
        (SQUARE, box(36.05, 36.3)),
        (SQUARE, Circle.at(lat=36.5, lng=37, radius_km=20)),
        (Circle.at(lat=36.5, lng=37, radius_km=20), Corridor.along((36, 36), (36.5, 36.2), half_width_km=3)),
    ):
        apart = least_distance(a, b)
        assert geodesy.distance_mm(apart.here, apart.there) == pytest.approx(apart.least_mm, abs=2)


@pytest.mark.parametrize("lat", [0.0, 47.0, -75.0, 89.0])
@pytest.mark.parametrize("edge_km", [1, 20, 50])
@pytest.mark.parametrize("off_mm", [-12, -3, 3, 12])
def test_a_tip_near_the_middle_of_a_long_edge_is_seen_to_the_millimetre(lat: float, edge_km: int, off_mm: int) -> None:
    """The trap of planar degrees and of spheres: a 50 km geodesic bows 52 m off the line in degrees."""
    middle = Point.at(lat, 179.99)
    west, east = point_towards(middle, 270, edge_km * 500), point_towards(middle, 90, edge_km * 500)
    below = Polygon((west, point_towards(middle, 180, edge_km * 700), east))
    azimuth, _, length = geodesy.geod().inv(west.lng, west.lat, east.lng, east.lat)
    foot = point_towards(west, azimuth, length / 2)
    along = geodesy.bearing_degrees(foot, east)
    tip = point_towards(foot, along - 90, off_mm / 1000)
    above = Polygon((tip, point_towards(tip, along - 100, 3000), point_towards(tip, along - 80, 3000)))
    apart = least_distance(below, above)
    if off_mm < 0:
        assert apart.meet
    else:
        assert not apart.meet
        assert abs(apart.gap_m * 1000 - off_mm) <= 0.3  # a corner is given to 0.1 mm
    assert apart.error_mm <= 2


def test_the_antimeridian_is_no_edge_of_the_world() -> None:
    here, there = box(10, 179.95), box(10, -179.99)
    assert least_distance(here, there).meet
    east = Polygon.of((10, 179.8), (10, 179.9), (10.1, 179.9), (10.1, 179.8))
    west = Polygon.of((10, -179.9), (10, -179.8), (10.1, -179.8), (10.1, -179.9))
    shifted = least_distance(box(10, 19.8), box(10, 20.1))
    assert least_distance(east, west).least_mm == pytest.approx(shifted.least_mm, abs=1)


def test_a_ring_round_the_pole_holds_the_pole() -> None:
    ring = Polygon.of(*[(85, lng) for lng in range(-180, 180, 20)])
    assert least_distance(ring, Circle.at(lat=90, lng=12, radius_m=1)).meet
    assert least_distance(ring, Circle.at(lat=88, lng=-170, radius_m=1)).meet
    outside = least_distance(ring, Circle.at(lat=84, lng=0, radius_km=10))
    assert not outside.meet
    assert outside.gap_m > 90_000


def test_continents_are_bounded_from_both_sides_and_never_said_to_meet() -> None:
    huge = Polygon.of((-60, -70), (-60, 70), (60, 70), (60, -70))
    apart = least_distance(huge, Circle.at(lat=0, lng=80, radius_km=1))
    assert not apart.meet
    assert apart.gap_m - apart.error_m <= geodesy.distance_m(Point.at(0, 70), Point.at(0, 80))
    far = least_distance(SQUARE, box(-36, -144))
    truth = geodesy.distance_m(Point.at(36.1, 36.1), Point.at(-35.95, -143.95))
    assert abs(far.gap_m - truth) < 60_000
    assert abs(far.gap_m - truth) <= far.error_m + 30_000


def test_a_bow_tie_counts_with_both_of_its_lobes() -> None:
    tie = Polygon.of((0, 0), (0, 2), (2, 0), (2, 2))
    assert least_distance(tie, Circle.at(lat=0.3, lng=1, radius_m=1)).meet
    assert least_distance(tie, Circle.at(lat=1.7, lng=1, radius_m=1)).meet


def test_a_corridor_and_a_repeated_waypoint_do_no_harm() -> None:
    folded = Corridor.along((36, 36), (36, 36), (36.1, 36), (36, 36), half_width_m=500)
    assert least_distance(folded, Circle.at(lat=36.05, lng=36.1, radius_m=100)).gap_m == pytest.approx(8407, abs=5)
