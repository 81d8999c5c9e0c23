# SPDX-License-Identifier: Apache-2.0
import math
import subprocess
import sys

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.say import geodesy
from wideberth.core.say.place import Point
from wideberth.core.say.volume import LENGTH_MM_MAX, Circle, Corridor, Polygon

points = st.builds(Point, st.integers(-90 * 10**9, 90 * 10**9), st.integers(-180 * 10**9, 180 * 10**9))


@given(points, points)
@settings(max_examples=300, deadline=None)
def test_distance_agrees_with_an_independent_solver(a: Point, b: Point) -> None:
    truth = Geodesic.WGS84.Inverse(a.lat, a.lng, b.lat, b.lng)["s12"] * 1000
    assert abs(geodesy.distance_mm(a, b) - truth) <= 0.51


def test_a_degree_across_the_antimeridian_is_a_degree() -> None:
    assert geodesy.distance_mm(Point.at(10, 179.5), Point.at(10, -179.5)) == geodesy.distance_mm(
        Point.at(10, 20), Point.at(10, 21)
    )
    assert geodesy.distance_mm(Point.at(90, 17), Point.at(90, -120)) == 0


def test_bearing_is_clockwise_from_north() -> None:
    assert geodesy.bearing_degrees(Point.at(0, 0), Point.at(0, 1)) == pytest.approx(90)
    assert geodesy.bearing_degrees(Point.at(0, 0), Point.at(0, -1)) == pytest.approx(270)


def test_the_middle_of_a_square_over_the_antimeridian_is_on_it() -> None:
    square = Polygon.of((-1, 179), (-1, -179), (1, -179), (1, 179))
    middle = geodesy.middle(square)
    assert abs(middle.lat) < 1e-6
    assert abs(abs(middle.lng) - 180) < 1e-6


def test_the_middle_of_a_ring_round_the_pole_is_the_pole() -> None:
    assert geodesy.middle(Polygon.of(*[(85, lng) for lng in range(-180, 180, 30)])).lat == pytest.approx(90, abs=1e-4)


@given(st.lists(points, min_size=3, max_size=8, unique=True))
@settings(max_examples=150, deadline=None)
def test_no_two_corners_are_farther_apart_than_the_diameter(corners: list[Point]) -> None:
    across = geodesy.diameter_mm(Polygon(tuple(corners)))
    truth = max(geodesy.distance_mm(p, q) for p in corners for q in corners)
    assert min(truth, LENGTH_MM_MAX) <= across + 1


def test_a_ring_of_many_corners_has_a_diameter_that_covers_it() -> None:
    ring = [geodesy.point_towards(Point.at(60, 20), 3.6 * i, 5_000) for i in range(100)]
    across = geodesy.diameter_mm(Polygon(tuple(ring)))
    assert 9_999_000 <= across <= 10_050_000


@pytest.mark.parametrize(("lat", "radius_km"), [(0, 1), (47, 10), (89.99, 300), (-30, 3000)])
def test_a_circles_area_is_that_of_a_ring_of_a_thousand_corners(lat: float, radius_km: float) -> None:
    n, solver = 4000, Geodesic.WGS84
    ring = solver.Polygon()
    for i in range(n):
        end = solver.Direct(lat, 5, -360 * i / n, radius_km * 1000)
        ring.AddPoint(end["lat2"], end["lon2"])
    truth = ring.Compute()[2]
    assert geodesy.area_m2(Circle.at(lat=lat, lng=5, radius_km=radius_km)) == pytest.approx(truth, rel=1e-6)


def test_areas_of_small_shapes_are_those_of_the_plane() -> None:
    assert geodesy.area_m2(Circle.at(lat=10, lng=10, radius_m=500)) == pytest.approx(math.pi * 250_000, rel=1e-6)
    corridor = Corridor.along((0, 0), (0, 0.5), half_width_m=100)
    length = geodesy.distance_m(Point.at(0, 0), Point.at(0, 0.5))
    assert geodesy.area_m2(corridor) == pytest.approx(length * 200 + math.pi * 10_000)
    box, reverse = Polygon.of((0, 0), (0, 1), (1, 1), (1, 0)), Polygon.of((1, 0), (1, 1), (0, 1), (0, 0))
    assert geodesy.area_m2(box) == geodesy.area_m2(reverse) == pytest.approx(1.2309e10, rel=1e-3)


def test_a_circle_over_most_of_the_earth_has_most_of_its_area() -> None:
    assert geodesy.area_m2(Circle.at(lat=0, lng=0, radius_km=15_000)) > 0.8 * geodesy.AREA_M2


def test_a_single_distance_needs_no_numpy_and_importing_needs_no_pyproj() -> None:
    code = (
        "import sys; from wideberth.core.say import geodesy; from wideberth.core.say.place import Point;"
        "assert 'pyproj' not in sys.modules; geodesy.distance_mm(Point.at(1, 2), Point.at(3, 4));"
        "assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
