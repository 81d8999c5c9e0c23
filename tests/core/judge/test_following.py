# SPDX-License-Identifier: Apache-2.0
"""Many updates against many volumes by compiled kernels: the answers of `conform` and `within`, one by one."""

import random

import msgspec
import numpy as np
import pytest

from wideberth.core.judge.columns import Columns
from wideberth.core.judge.conformance import Conformance, conform, within
from wideberth.core.judge.screen import Operation
from wideberth.core.judge.separation import Answer
from wideberth.core.judge.swift.following import ALONE, CONFLICT, STANDINGS, Followed, Following
from wideberth.core.judge.track_columns import TrackColumns
from wideberth.core.judge.tracks import TrackState
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import UTM_OVERLAP, SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput

NOW = 1_800_000_000_000
NEAR = SeparationMinima("NEAR", 300_000, 20_000, 30_000)
PLACES = {
    "Alps": Point.at(47, 8.5), "antimeridian": Point.at(-17, 180), "North Pole": Point.at(90, 0),
    "South Pole": Point.at(-90, 0),
}  # fmt: skip


def operations(place: Point, count: int, seed: int) -> list[Operation]:
    """Three volumes each in a disc of 6 km, of all shapes, some far larger and longer, heights on two references."""
    rng, found = random.Random(seed), []
    for number in range(count):
        volumes = []
        for _ in range(3):
            centre = point_towards(place, rng.uniform(0, 360), 6_000 * rng.random() ** 0.5)
            size = rng.choice((300, 800, 2_000, 2_000, 40_000 if number % 7 == 0 else 1_000))
            around = [point_towards(centre, turn + rng.uniform(0, 50), size) for turn in (0, 72, 144, 216, 288)]
            shape: Shape = rng.choice(
                (Circle(centre, size * 1000), Polygon(tuple(around)), Corridor(tuple(around[:3]), 100_000))
            )
            low, start = rng.randrange(0, 100_000), NOW + rng.randrange(-300_000, 200_000)
            ref = rng.choice((VerticalRef.AMSL, VerticalRef.AMSL, VerticalRef.AGL))
            length = rng.choice((60_000, 120_000, 120_000, 3_000_000))
            volumes.append(Volume4D(shape, Altitude(low, ref), Altitude(low + 60_000, ref), start, start + length))
        found.append(Operation(str(number), tuple(volumes)))
    return found


def updates(place: Point, plans: list[Operation], count: int, seed: int) -> tuple[list[TrackState], list[int]]:
    rng, found, op = random.Random(seed), [], []
    for number in range(count):
        follows = rng.randrange(-1, len(plans))
        at = point_towards(place, rng.uniform(0, 360), 7_000 * rng.random() ** 0.5)
        if follows >= 0 and rng.random() < 0.7:
            shape = rng.choice(plans[follows].volumes).shape
            at = (
                shape.centre
                if isinstance(shape, Circle)
                else (shape.corners if isinstance(shape, Polygon) else shape.route)[1]
            )
            at = point_towards(at, rng.uniform(0, 360), rng.choice((0, 1, 50, 400)))
        found.append(
            TrackState(
                str(number), at, Altitude(rng.randrange(0, 160_000), VerticalRef.AMSL), 0, 0,
                NOW + rng.randrange(-200_000, 200_000), own=False, position_error_mm=rng.choice((0, 0, 30_000)),
                height_error_mm=rng.choice((0, 10_000)),
            )
        )  # fmt: skip
        op.append(follows)
    return found, op


def held(plans: list[Operation], tracks: list[TrackState], op: list[int], minima: SeparationMinima) -> Followed:
    """Weigh by the kernels, and hold every answer against the plain way."""
    index = Following(Columns.of(plans), minima, position_error_mm=30_000)
    found = index.weigh(TrackColumns.of(tracks), np.array(op, dtype=np.int32))
    flat = [(number, volume) for number, plan in enumerate(plans) for volume in plan.volumes]
    for u, track in enumerate(tracks):
        if op[u] < 0:
            assert (found.standing[u], found.volume[u]) == (ALONE, -1)
            continue
        plain: Conformance = conform(track, plans[op[u]].volumes)
        assert STANDINGS[found.standing[u]] is plain.standing
        assert found.time_ms[u] == plain.time_ms
        away = np.hypot(plain.horizontal_mm, plain.vertical_mm)
        assert np.hypot(found.horizontal_mm[u], found.vertical_mm[u]) == pytest.approx(away, abs=3 + away * 1e-6)
        assert (found.since_ms[u] < 0) == (plain.since_ms is None)
    entered = {
        (u, v): within(track, volume, minima)
        for u, track in enumerate(tracks)
        for v, (number, volume) in enumerate(flat)
        if number != op[u]
    }
    inside = {key: answer for key, answer in entered.items() if answer is not Answer.SEPARATE}
    assert [tuple(each) for each in found.entries.tolist()] == sorted(inside)
    for key, answer in zip(found.entries.tolist(), found.answers.tolist(), strict=True):
        if answer == CONFLICT:
            assert inside[key[0], key[1]] is Answer.CONFLICT
    return found


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("minima", [UTM_OVERLAP, NEAR], ids=["overlap", "near"])
def test_every_answer_is_that_of_the_plain_way(place: str, minima: SeparationMinima) -> None:
    plans = operations(PLACES[place], 30, seed=1)
    tracks, op = updates(PLACES[place], plans, 150, seed=2)
    found = held(plans, tracks, op, minima)
    assert len(found.entries) > 30
    assert set(range(4)) <= set(found.standing.tolist()), "all standings came up"


def test_on_the_rim_to_a_millimetre_the_exact_search_is_asked() -> None:
    centre = Point.at(47, 8.5)
    volume = Volume4D(
        Circle(centre, 500_000), Altitude(0, VerticalRef.AMSL), Altitude(100_000, VerticalRef.AMSL), NOW, NOW + 1000
    )
    plans = [Operation("a", (volume,)), Operation("b", (volume,))]
    tracks = [
        TrackState(
            str(k), point_towards(centre, 36 * k, 500.0), Altitude(50_000, VerticalRef.AMSL), 0, 0, NOW, own=True
        )
        for k in range(10)
    ]
    assert held(plans, tracks, [0] * 10, UTM_OVERLAP).exact >= 20


def test_since_when_is_carried_from_batch_to_batch() -> None:
    centre = Point.at(47, 8.5)
    volume = Volume4D(
        Circle(centre, 500_000), Altitude(0, VerticalRef.AMSL), Altitude(100_000, VerticalRef.AMSL), NOW, NOW + 60_000
    )
    index = Following(Columns.of([Operation("a", (volume,))]), UTM_OVERLAP)
    found: Followed | None = None
    told = []
    for second, metres in enumerate((0, 600, 700, 400, 600)):
        state = TrackState(
            "t",
            point_towards(centre, 90, metres),
            Altitude(50_000, VerticalRef.AMSL),
            0,
            0,
            NOW + 1000 * second,
            own=True,
        )
        found = index.weigh(TrackColumns.of([state]), np.zeros(1, dtype=np.int32), before=found)
        told.append((int(found.since_ms[0]), int(found.nominal_ms[0])))
    assert told == [(-1, NOW), (NOW + 1000, NOW), (NOW + 1000, NOW), (-1, NOW + 3000), (NOW + 4000, NOW + 3000)]


def test_what_does_not_fit_together_is_refused() -> None:
    plans = operations(PLACES["Alps"], 3, seed=3)
    tracks, op = updates(PLACES["Alps"], plans, 5, seed=4)
    index = Following(Columns.of(plans), UTM_OVERLAP)
    sure = TrackColumns.of([msgspec.structs.replace(track, position_error_mm=0) for track in tracks])
    with pytest.raises(BadInput, match="for each track"):
        index.weigh(sure, np.zeros(4, dtype=np.int32))
    with pytest.raises(BadInput, match="less well") as told:
        index.weigh(
            TrackColumns.of([msgspec.structs.replace(track, position_error_mm=1) for track in tracks]),
            np.array(op, dtype=np.int32),
        )
    assert told.value.details["field"] == "position_error_mm"


def test_no_volumes_and_no_updates() -> None:
    nothing = Following(Columns.of([]), UTM_OVERLAP)
    tracks, op = updates(PLACES["Alps"], operations(PLACES["Alps"], 2, seed=5), 5, seed=6)
    sure = TrackColumns.of([msgspec.structs.replace(track, position_error_mm=0) for track in tracks])
    assert set(nothing.weigh(sure, np.array(op, dtype=np.int32)).standing.tolist()) == {ALONE}
    plans = Following(Columns.of(operations(PLACES["Alps"], 2, seed=5)), UTM_OVERLAP)
    assert len(plans.weigh(TrackColumns.of([]), np.zeros(0, dtype=np.int32)).standing) == 0
