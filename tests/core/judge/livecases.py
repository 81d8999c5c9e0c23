# SPDX-License-Identifier: Apache-2.0
"""Random volumes for tests of the live picture: all shapes, tiny to half of the Earth, at places of every kind."""

from __future__ import annotations

import random

from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import RULE_OF_THREES, SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D

HOUR = 3_600_000
DAY = 24 * HOUR
PLACES = {
    "the north pole": Point.at(90, 0),
    "the south pole": Point.at(-90, 11),
    "the antimeridian": Point.at(0, 180),
    "the antimeridian, far north": Point.at(61, -179.9),
    "the coast": Point.at(35, 36),
    "an axis of the Earth": Point.at(0, 90),
}
MINIMA = (
    RULE_OF_THREES,
    SeparationMinima("AREAS", 0, 0),
    SeparationMinima("DRONES", 50_000, 15_000),
    SeparationMinima("LONG", 0, 0, 5 * HOUR),
    SeparationMinima("WIDE", 300_000_000, 0),
)


def altitude(rng: random.Random, mm: int) -> Altitude:
    return Altitude(mm, rng.choice([VerticalRef.AMSL] * 4 + [VerticalRef.W84, VerticalRef.AGL, VerticalRef.FL]))


def band(rng: random.Random) -> tuple[Altitude, Altitude]:
    low, high = sorted(rng.choice([0, 300_000, 1_000_000, 3_000_000, 9_000_000, 12_000_000]) for _ in range(2))
    lower, upper = altitude(rng, low), altitude(rng, high)
    if rng.random() < 0.1:
        lower = Altitude.surface()
    if rng.random() < 0.1:
        upper = Altitude.unlimited()
    return lower, upper


def shape(rng: random.Random, near: Point, spread_m: float, sizes: tuple[int, ...]) -> Shape:
    centre = point_towards(near, rng.uniform(0, 360), rng.uniform(0, spread_m))
    size = rng.choice(sizes)
    turn = rng.uniform(0, 360)
    around = tuple(point_towards(centre, turn + 90 * i, size * rng.uniform(0.2, 1)) for i in range(4))
    return rng.choice(
        [Circle(centre, size * 1000), Polygon(around), Corridor(around[:2], size * 50), Corridor(around, size * 100)]
    )


def volume(
    rng: random.Random, near: Point, spread_m: float, sizes: tuple[int, ...] = (1, 30, 300, 2000, 20_000, 200_000)
) -> Volume4D:
    lower, upper = band(rng)
    start = rng.randint(0, 40 * HOUR)
    lasts = rng.choice([1, 60_000, HOUR, HOUR, 20 * HOUR, 40 * DAY, 9000 * DAY])
    return Volume4D(shape(rng, near, spread_m, sizes), lower, upper, start, start + lasts)


def operation(rng: random.Random, near: Point, spread_m: float) -> tuple[Volume4D, ...]:
    return tuple(volume(rng, near, spread_m) for _ in range(rng.choice([1, 1, 2, 5])))
