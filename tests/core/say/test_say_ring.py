# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon as PlanePolygon
from shapely import prepare
from shapely.geometry import Point as PlanePoint

from wideberth.core.say import ring
from wideberth.core.say.geodesy import bearing_degrees, distance_mm, point_towards
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Circle, Corridor, Polygon

BOX = Polygon.of((35, 36), (35, 37), (36, 37), (36, 36))


@pytest.mark.parametrize(
    "corners",
    [
        [(35, 36), (35, 37), (36, 37), (36, 36)],
        [(36, 36), (36, 37), (35, 37), (35, 36)],
        [(10, 179), (10, -179), (11, -179), (11, 179)],  # over the antimeridian
        [(10, 179.5), (10, 180), (11, -179.5)],
        [(80, 0), (80, 90), (80, 180), (80, -90)],  # round the pole
        [(89, 0), (90, 0), (89, 90)],  # a corner on the pole
        [(0, 0), (0, 120), (0, -120)],  # the equator: half of the Earth either way, but simple
        [("35.000000000", "36.000000000"), ("35.000000001", "36.000000000"), ("35", "36.000000001")],  # a tenth of a mm
        [(0, 0), (0, 10), (1, 10), (1, 1), (2, 1), (2, 10), (3, 10), (3, 0)],  # concave
    ],
)
def test_simple_rings_are_taken_wherever_they_lie(corners: list[tuple[float, float]]) -> None:
    assert ring.flaw(Polygon.of(*corners)) is None


@pytest.mark.parametrize(
    ("corners", "says"),
    [
        ([(35, 36), (36, 37), (35, 37), (36, 36)], "edges 1–2 and 3–4 cross"),
        ([(10, 179), (11, -179), (10, -179), (11, 179)], "cross"),
        ([(89, 0), (89, 180), (89, 90), (89, -90)], "fold|cross|same"),
        ([(35, 36), (35, 37), (35, 36), (36, 36)], "corners 1 and 3 are the same place"),
        ([(90, 0), (89, 0), (90, 77), (89, 90)], "corners 1 and 3 are the same place"),
        ([(10, 180), (10, -179), (10, -180), (11, 179)], "corners 1 and 3 are the same place"),
        ([(0, 36), (0, 37), (0, 38)], "folds back"),
        ([(0, 36), (0, 38), (0, 37), (1, 37)], "folds back|cross or touch"),
        ([(0, 0), (0, 4), (2, 4), (0, 2), (2, 0)], "cross or touch"),  # a corner on another edge
        ([(0, 0), (0, 180), (10, 90)], "half round the Earth"),
    ],
)
def test_a_ring_that_is_not_simple_is_named_with_its_fault(corners: list[tuple[float, float]], says: str) -> None:
    said = ring.flaw(Polygon.of(*corners))
    assert said is not None
    assert re.search(says, said), said


@given(st.integers(0, 2**32), st.integers(4, 40), st.sampled_from([1e-6, 0.01, 1.0]))
@settings(max_examples=150, deadline=None)
def test_small_rings_are_judged_as_in_the_plane(seed: int, count: int, degrees: float) -> None:
    """An oracle: near the equator a small ring of random corners is as simple as shapely finds it in the plane."""
    chance = random.Random(seed)
    corners = [(chance.uniform(0, degrees), chance.uniform(0, degrees)) for _ in range(count)]
    if chance.random() < 0.6:  # mostly simple ones: corners in order of their angle, the star of the middle
        corners.sort(key=lambda c: math.atan2(c[0] - degrees / 2, c[1] - degrees / 2))
    polygon = Polygon.of(*((round(a, 9), round(b, 9)) for a, b in corners))
    plane = PlanePolygon([(p.lng_ndeg, p.lat_ndeg) for p in polygon.corners])
    assert (ring.flaw(polygon) is None) == plane.is_valid


@given(st.integers(0, 2**32), st.floats(-89.9, 89.9), st.floats(-180, 180), st.floats(1, 3_000_000))
@settings(max_examples=150, deadline=None)
def test_a_star_shaped_ring_is_simple_anywhere_and_its_bow_tie_is_not(
    seed: int, lat: float, lng: float, size_m: float
) -> None:
    chance = random.Random(seed)
    centre = Point.at(round(lat, 9), round(lng, 9))
    corners = [
        point_towards(centre, bearing + chance.uniform(-10, 10), size_m * chance.uniform(0.5, 1))
        for bearing in (15, 105, 195, 285)
    ]
    assert ring.flaw(Polygon(tuple(corners))) is None
    a, b, c, d = corners
    assert ring.flaw(Polygon((a, c, b, d))) is not None


def test_five_hundred_corners_take_no_time() -> None:
    centre = Point.at(35, 36)
    corners = tuple(point_towards(centre, i * 0.72, 20_000 + 5_000 * (i % 2)) for i in range(500))
    began = time.perf_counter()
    assert ring.flaw(Polygon(corners)) is None
    assert time.perf_counter() - began < 1.0


def test_covers_knows_inside_from_outside() -> None:
    assert ring.covers(BOX, Point.at(35.5, 36.5))
    assert not ring.covers(BOX, Point.at(35.5, 37.5))
    assert not ring.covers(BOX, Point.at(-35.5, -143.5))  # the antipode
    assert ring.covers(Polygon.of((80, 0), (80, 120), (80, -120)), Point.at(90, 0))
    assert ring.covers(Polygon.of((10, 179), (10, -179), (12, -179), (12, 179)), Point.at(11, 180))
    assert ring.covers(Circle.at(lat=35, lng=36, radius_km=10), Point.at("35.08", 36))
    assert not ring.covers(Circle.at(lat=35, lng=36, radius_km=10), Point.at("35.1", 36))
    corridor = Corridor.along((35, 36), (35, 38), half_width_km=10)
    assert ring.covers(corridor, Point.at("35.08", 37))
    assert not ring.covers(corridor, Point.at("35.12", 37))


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_covers_agrees_with_the_plane_for_small_polygons(seed: int) -> None:
    chance = random.Random(seed)
    centre = Point.at(round(chance.uniform(-85, 85), 6), round(chance.uniform(-180, 180), 6))
    polar = sorted((chance.uniform(0, 360), chance.uniform(5_000, 20_000)) for _ in range(7))
    corners = tuple(point_towards(centre, b, r) for b, r in polar)

    def flat(p: Point) -> tuple[float, float]:
        r, b = distance_mm(centre, p), math.radians(bearing_degrees(centre, p)) if p != centre else 0.0
        return r * math.sin(b), r * math.cos(b)

    plane = PlanePolygon([flat(p) for p in corners])
    if not plane.is_valid:
        return
    prepare(plane)
    for _ in range(20):
        p = point_towards(centre, chance.uniform(0, 360), chance.uniform(0, 25_000))
        if plane.exterior.distance(PlanePoint(flat(p))) > 50_000:  # not within 50 m of the outline
            assert ring.covers(Polygon(corners), p) == plane.covers(PlanePoint(flat(p)))


def test_distance_beside_a_shape_is_good_to_half_a_percent() -> None:
    corridor = Corridor.along((35, 36), (35, 38), half_width_km=10)
    away = point_towards(Point.at("35.003", 37), 0, 30_000)
    assert ring.beside_mm(corridor, away) == pytest.approx(20_000_000, rel=0.01)
    assert ring.beside_mm(BOX, Point.at("35.5", 38)) == pytest.approx(
        distance_mm(Point.at("35.5", 37), Point.at("35.5", 38)), rel=0.005
    )
    assert ring.beside_mm(BOX, Point.at("35.5", "36.5")) == 0


def test_swapped_numbers_are_a_place_only_when_the_longitude_can_be_a_latitude() -> None:
    assert ring.swapped(Point.at(36, 37)) == Point.at(37, 36)
    assert ring.swapped(Point.at(36, 137)) is None
