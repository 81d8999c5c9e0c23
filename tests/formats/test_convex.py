# SPDX-License-Identifier: Apache-2.0
"""The quick look at many rings may leave a ring to the slow one; it must never pass one that the slow one refuses."""

import math
import random

import numpy as np
import pytest

from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Point
from wideberth.core.say.ring import flaw
from wideberth.core.say.volume import Polygon
from wideberth.formats.convex import surely_simple

PLACES = [Point.at(47, 8.5), Point.at(0, 0), Point.at(-33.9, 179.9999), Point.at(89.7, 10), Point.at(-89.99, -60)]


def looked_at(rings):
    """`surely_simple` of rings of Points."""
    points = [p for ring in rings for p in ring]
    first = np.cumsum([0, *map(len, rings)])
    return surely_simple(first, np.array([p.lat_ndeg for p in points]), np.array([p.lng_ndeg for p in points]))


def round_(at, radius_m, corners, start=0.0):
    return [point_towards(at, start + 360 * i / corners, radius_m) for i in range(corners)]


def star(at, radius_m, corners, step):
    """Turns the same way at every corner, and goes round more than once: convex at every corner, and crossing."""
    ring = round_(at, radius_m, corners)
    return [ring[i * step % corners] for i in range(corners)]


@pytest.mark.parametrize("at", PLACES, ids=str)
def test_plain_rings_pass_whichever_way_round(at):
    rings = [round_(at, r, n) for r in (5, 300, 20_000) for n in (3, 4, 8, 32)]
    assert looked_at(rings).all()
    assert looked_at([ring[::-1] for ring in rings]).all()


def test_a_pentagram_turns_evenly_and_is_not_passed():
    rings = [star(at, r, 5, 2) for at in PLACES for r in (5, 20_000)] + [star(PLACES[0], 500, 7, 3)]
    assert not looked_at(rings).any()
    assert all(flaw(Polygon(tuple(ring))) for ring in rings)


def test_slivers_folds_and_a_corner_twice_are_left_to_the_slow_look():
    a, b, between = Point.at(47, 8), Point.at(47.1, 8), Point.at(47.05, 8)
    rings = [[a, b, between], [a, b, a], [a, b, b], [a, b, Point(a.lat_ndeg + 1, a.lng_ndeg)]]
    assert not looked_at(rings).any()


def test_whatever_is_passed_has_no_flaw():
    rng = random.Random(5)
    rings = []
    for _ in range(4_000):
        at, size = rng.choice(PLACES), 10 ** rng.uniform(-3, 6)
        count = rng.randint(3, 7)
        turns = sorted(rng.uniform(0, 360) for _ in range(count)) if rng.random() < 0.7 else [
            rng.uniform(0, 360) for _ in range(count)]  # fmt: skip
        rings.append([point_towards(at, t, size * math.sqrt(rng.random())) for t in turns])
    passed = looked_at(rings)
    refused = [bool(flaw(Polygon(tuple(ring)))) if ring[0] != ring[-1] else True for ring in rings]
    assert not (passed & np.array(refused)).any()
    assert passed.sum() > 300
    assert sum(refused) > 300


def test_of_no_rings_there_is_nothing_to_say():
    assert len(looked_at([])) == 0
