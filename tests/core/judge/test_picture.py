# SPDX-License-Identifier: Apache-2.0
import random
import time

import pytest

from wideberth.core.judge.picture import Picture
from wideberth.core.judge.separation import judge
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import RULE_OF_THREES, SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D

HOUR = 3_600_000


def volume(shape: Shape, start: int = 0, end: int = HOUR, low: int = 0) -> Volume4D:
    return Volume4D(shape, Altitude(low, VerticalRef.AMSL), Altitude(low + 1_000_000, VerticalRef.AMSL), start, end)


def random_volume(rng: random.Random, near: Point, spread_m: float) -> Volume4D:
    centre = point_towards(near, rng.uniform(0, 360), rng.uniform(0, spread_m))
    size = rng.choice([300, 2000, 20_000, 200_000])
    around = tuple(point_towards(centre, 90 * i, size * rng.uniform(0.2, 1)) for i in range(4))
    shape = rng.choice([Circle(centre, size * 1000), Polygon(around), Corridor(around, size * 100)])
    start = rng.randint(0, 40 * HOUR)
    length = rng.choice([60_000, HOUR, 20 * HOUR, 40 * 24 * HOUR, 900 * 24 * HOUR])
    return volume(shape, start, start + length, rng.randint(0, 10_000_000))


@pytest.mark.parametrize("lat_lng", [(90, 0), (-90, 11), (0, 180), (61, -179.9), (35, 36)])
def test_near_leaves_out_nothing_that_conflicts(lat_lng: tuple[float, float]) -> None:
    rng, near, picture = random.Random(str(lat_lng)), Point.at(*lat_lng), Picture()
    kept = {f"n{i}": random_volume(rng, near, 400_000) for i in range(150)}
    for key, v in kept.items():
        picture.add(key, (v,))
    conflicts = 0
    for minima in (RULE_OF_THREES, SeparationMinima("M", 0, 0, 5 * HOUR)):
        for _ in range(15):
            asked = random_volume(rng, near, 400_000)
            found = {key for key, _, _ in picture.near(asked, minima)}
            truth = {key for key, v in kept.items() if judge(asked, v, minima).open}
            assert truth <= found
            conflicts += len(truth)
    assert conflicts > 20


def test_near_rejects_what_is_far_in_place_height_or_time() -> None:
    picture = Picture()
    here = Point.at(35, 36)
    picture.add("far", (volume(Circle(point_towards(here, 40, 1_000_000), 10_000_000)),))
    picture.add("high", (volume(Circle(here, 10_000_000), low=9_000_000),))
    picture.add("later", (volume(Circle(here, 10_000_000), start=HOUR, end=2 * HOUR),))
    picture.add("near", (volume(Circle(here, 10_000_000)),))
    assert [key for key, _, _ in picture.near(volume(Circle(here, 1000)), RULE_OF_THREES)] == ["near"]


def test_every_volume_counts_by_itself_and_goes_when_its_owner_goes() -> None:
    picture, here = Picture(), Point.at(0, 180)
    pieces = tuple(volume(Circle(point_towards(here, 90, 50_000 * i), 1_000_000)) for i in range(3))
    picture.add("plan", pieces)
    assert len(picture) == 3
    assert [number for _, number, _ in picture.near(pieces[2], RULE_OF_THREES)] == [2]
    picture.add("plan", pieces[:1])
    assert len(picture) == 1
    assert picture.near(pieces[2], RULE_OF_THREES) == []
    picture.remove("plan")
    picture.remove("plan")
    assert len(picture) == 0
    assert picture.near(pieces[0], RULE_OF_THREES) == []
    assert not any(picture._scales) and not any(picture._long)  # noqa: PT018 - nothing is left behind


def test_a_question_with_nothing_near_among_ten_thousand_is_quick() -> None:
    rng, picture = random.Random(1), Picture()
    for i in range(10_000):
        centre = Point.at(rng.uniform(34, 37), rng.uniform(34, 37.5))
        start = rng.randint(0, 24 * HOUR)
        picture.add(f"n{i}", (volume(Circle(centre, rng.randint(500, 10_000) * 1000), start, start + HOUR),))
    asked = [volume(Circle(Point.at(45 + i / 100, 10), 10_000_000), 5 * HOUR, 6 * HOUR) for i in range(200)]
    for v in asked:
        picture.near(v, RULE_OF_THREES)
    began = time.perf_counter()
    for v in asked:
        assert picture.near(v, RULE_OF_THREES) == []
    assert (time.perf_counter() - began) / len(asked) < 200e-6  # some 30 µs on a quiet machine
