# SPDX-License-Identifier: Apache-2.0
import time

import pytest

from wideberth.core.judge.ring import check_ring, suspect_swapped
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Circle, Corridor, Polygon
from wideberth.errors import BadInput

AREA = Polygon.of((34.5, 34.0), (34.5, 37.5), (37.0, 37.5), (37.0, 34.0))


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (0, 2), (2, 2), (2, 0)],
        [(0, 0), (2, 0), (2, 2), (0, 2)],
        [(-1, 179), (-1, -179), (1, -179), (1, 179)],
        [(85, lng) for lng in range(-180, 180, 30)],
        [(0, 0), (0, 4), (4, 4), (2, 2), (4, 0)],
    ],
)
def test_simple_rings_pass_wherever_they_lie(corners: list[tuple[float, float]]) -> None:
    check_ring(Polygon.of(*corners))


@pytest.mark.parametrize(
    ("corners", "word"),
    [
        ([(0, 0), (0, 2), (2, 0), (2, 2)], "crosses"),
        ([(0, 0), (0, 2), (2, 2), (0, 2), (2, 0)], "same place"),
        ([(0, 0), (0, 4), (2, 2), (0, 2), (4, 0)], "crosses or touches"),
        ([(0, 0), (0, 1), (0, 2)], "runs back"),
        ([(0, 0), (0, 4), (0, 2), (3, 2)], "runs back"),
        ([(0, 180), (1, 179), (0, -180), (2, 2)], "same place"),
        ([(0, -80), (0, 80), (70, 0)], "wider"),
    ],
)
def test_a_ring_that_is_not_simple_is_refused_with_a_sentence(corners: list[tuple[float, float]], word: str) -> None:
    with pytest.raises(BadInput, match=word):
        check_ring(Polygon.of(*corners))


def test_a_ring_of_five_hundred_corners_is_checked_in_reasonable_time() -> None:
    ring = Polygon(tuple(point_towards(Point.at(10, 10), 0.72 * i, 20_000) for i in range(500)))
    began = time.perf_counter()
    check_ring(ring)
    assert time.perf_counter() - began < 3


def test_swapped_coordinates_are_suspected_only_when_swapping_helps() -> None:
    assert suspect_swapped(Circle.at(lat=36.2, lng=35.9, radius_km=1), AREA) is None
    sentence = suspect_swapped(Circle.at(lat=37.4, lng=34.6, radius_km=1), AREA)
    assert sentence is not None
    assert "latitude comes first" in sentence
    assert suspect_swapped(Circle.at(lat=10, lng=10, radius_km=1), AREA) is None
    assert suspect_swapped(Circle.at(lat=10, lng=120, radius_km=1), AREA) is None
    assert suspect_swapped(Corridor.along((37.4, 34.6), (37.45, 34.7), half_width_m=10), AREA) is not None
