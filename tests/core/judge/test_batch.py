# SPDX-License-Identifier: Apache-2.0
"""Many volumes at once: the compiled kernels find the pairs that the plain path finds, everywhere on Earth."""

from __future__ import annotations

import random

import numpy as np
import pytest

from wideberth.core.judge.batch import CONFLICT, Found, conflicts
from wideberth.core.judge.columns import Columns
from wideberth.core.judge.fast import available
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import RULE_OF_THREES, UTM_OVERLAP, SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput

pytestmark = pytest.mark.skipif(not available(), reason="needs the extra `fast` (numba and numpy)")

HOUR_MS = 3_600_000
PLACES = [(90, 0), (-90, 33), (89.3, 179), (88.95, 10), (0, 180), (12, -180), (-45, 179.95), (0, 0), (47, 8), (71, -8)]
MINIMA = [
    RULE_OF_THREES,
    UTM_OVERLAP,
    SeparationMinima("50 m, 15 m", 50_000, 15_000),
    SeparationMinima("2 km, any height, 5 min", 2_000_000, 10**12, 300_000),
]
REFS = [VerticalRef.AMSL, VerticalRef.W84, VerticalRef.FL, VerticalRef.AGL]


def random_shape(rng: random.Random, near: Point, spread_m: float) -> Shape:
    centre = point_towards(near, rng.uniform(0, 360), rng.uniform(0, spread_m))
    size = spread_m * 10 ** rng.uniform(-1.5, -0.2)
    kind = rng.choice("cprr")
    if kind == "c":
        return Circle(centre, max(1, round(size * 1000)))
    if kind == "p":  # a star-shaped ring is simple, and seldom convex
        count = rng.randint(3, 9)
        turns = [360 * (i + rng.uniform(-0.3, 0.3)) / count for i in range(count)]
        return Polygon(tuple(point_towards(centre, turn, size * rng.uniform(0.3, 1)) for turn in turns))
    route = [centre]
    for _ in range(rng.randint(1, 3)):
        route.append(point_towards(route[-1], rng.uniform(0, 360), size * rng.uniform(0.3, 1)))
    return Corridor(tuple(route), max(1, round(size * 100)))


def random_volume(rng: random.Random, near: Point, spread_m: float, refs: list[VerticalRef]) -> Volume4D:
    low = rng.randint(0, 3_000_000)
    lower, upper = Altitude(low, rng.choice(refs)), Altitude(low + rng.randint(0, 1_500_000), rng.choice(refs))
    if len(refs) > 1:
        lower = rng.choice([lower, lower, Altitude(0, VerticalRef.SFC)])
        upper = rng.choice([upper, upper, Altitude(0, VerticalRef.UNL)])
    start = rng.randint(0, 6) * HOUR_MS
    return Volume4D(random_shape(rng, near, spread_m), lower, upper, start, start + rng.randint(1, 4) * HOUR_MS)


def as_set(found: Found) -> dict[tuple[int, int], int]:
    return {(int(a), int(b)): int(answer) for (a, b), answer in zip(found.pairs, found.answers, strict=True)}


@pytest.mark.parametrize("number", range(20))
def test_kernels_and_plain_path_agree_at_poles_on_the_antimeridian_and_anywhere(number: int) -> None:
    rng = random.Random(f"batch {number}")
    lat, lng = PLACES[number % len(PLACES)]
    spread = 10 ** rng.uniform(2.5, 5.3)
    refs = REFS if number % 3 == 0 else [rng.choice(REFS)]
    volumes = [random_volume(rng, Point.at(lat, lng), spread, refs) for _ in range(60)]
    columns = Columns.of_volumes(volumes, [k // 2 for k in range(60)])
    for minima in MINIMA:
        fast, plain = conflicts(columns, minima, compiled=True), conflicts(columns, minima, compiled=False)
        assert as_set(fast) == as_set(plain)
        assert fast.operations().tolist() == plain.operations().tolist()
    assert len(plain) > 10


def test_small_and_huge_volumes_all_over_the_earth_meet_as_they_should() -> None:
    rng = random.Random("huge")
    volumes = []
    for k in range(150):
        lat, lng = PLACES[k % len(PLACES)] if k % 2 else (rng.uniform(-90, 90), rng.uniform(-180, 180))
        volumes.append(random_volume(rng, Point.at(lat, lng), 10 ** rng.uniform(2, 6.3), [VerticalRef.W84]))
    columns = Columns.of_volumes(volumes)
    fast, plain = conflicts(columns, RULE_OF_THREES, compiled=True), conflicts(columns, RULE_OF_THREES, compiled=False)
    assert as_set(fast) == as_set(plain)
    assert len(plain) > 80


def test_what_the_map_cannot_decide_is_decided_exactly() -> None:
    """Discs 50 m apart, give or take half a millimetre: the band of the map is wider, that of the predicate is not."""
    here = Point.at(47.0, 8.0)
    low, high = Altitude(0, VerticalRef.W84), Altitude(1_000, VerticalRef.W84)
    for off_mm in (-5.0, -0.5, 0.0, 0.5, 5.0):
        there = point_towards(here, 77.0, 300 + 200 + 50 + off_mm / 1000)
        volumes = [Volume4D(Circle(p, r), low, high, 0, 1000) for p, r in ((here, 300_000), (there, 200_000))]
        columns = Columns.of_volumes(volumes)
        minima = SeparationMinima("50 m", 50_000, 15_000)
        found = conflicts(columns, minima, compiled=True)
        assert as_set(found) == as_set(conflicts(columns, minima, compiled=False))
        assert (len(found) == 1) == (off_mm < 5)
        assert found.exact == (1 if abs(off_mm) < 5 else found.exact)


def test_the_order_of_the_input_does_not_matter_and_one_owner_never_meets_itself() -> None:
    rng = random.Random("order")
    volumes = [random_volume(rng, Point.at(47, 8), 20_000, [VerticalRef.AMSL]) for _ in range(200)]
    owners = [rng.randrange(40) for _ in volumes]
    found = conflicts(Columns.of_volumes(volumes, owners), RULE_OF_THREES, compiled=True)
    order = list(range(200))
    rng.shuffle(order)
    again = conflicts(
        Columns.of_volumes([volumes[k] for k in order], [owners[k] for k in order]), RULE_OF_THREES, compiled=True
    )
    back = {(min(order[a], order[b]), max(order[a], order[b])) for a, b in again.pairs.tolist()}
    assert back == set(map(tuple, found.pairs.tolist()))
    assert all(owners[a] != owners[b] for a, b in found.pairs.tolist())
    assert CONFLICT in found.answers


def test_columns_go_to_volumes_and_back() -> None:
    rng = random.Random("back")
    volumes = [random_volume(rng, Point.at(0, 180), 50_000, REFS) for _ in range(50)]
    columns = Columns.of_volumes(volumes)
    assert [columns.volume(k) for k in range(50)] == volumes


@pytest.mark.parametrize(
    ("column", "value"),
    [("kind", 3), ("start_ms", -1), ("end_ms", 0), ("reach_mm", -5), ("lat_ndeg", 91 * 10**9), ("first", 7)],
)
def test_columns_that_are_not_volumes_are_refused_by_name(column: str, value: int) -> None:
    from dataclasses import replace

    rng = random.Random("refused")
    columns = Columns.of_volumes([random_volume(rng, Point.at(1, 1), 1000, [VerticalRef.W84]) for _ in range(4)])
    spoilt = np.array(getattr(columns, column))
    spoilt[-1] = value
    with pytest.raises(BadInput, match=r"column|first") as refused:
        conflicts(replace(columns, **{column: spoilt}), RULE_OF_THREES)
    assert refused.value.details["field"] in (column, "start_ms")


def test_nothing_and_one_volume_find_nothing() -> None:
    rng = random.Random("one")
    for count in (0, 1):
        volumes = [random_volume(rng, Point.at(1, 1), 1000, [VerticalRef.W84]) for _ in range(count)]
        for compiled in (True, False):
            found = conflicts(Columns.of_volumes(volumes), RULE_OF_THREES, compiled=compiled)
            assert len(found) == 0
            assert found.operations().shape == (0, 2)
