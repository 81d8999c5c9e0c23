# SPDX-License-Identifier: Apache-2.0
"""Many tracks by compiled kernels: the same pairs as without them, whoever flies wherever; and no pair of others'."""

import random
from itertools import combinations

import msgspec
import numpy as np
import pytest

from wideberth.core.judge.pairs import approaches
from wideberth.core.judge.swift import meeting
from wideberth.core.judge.track_columns import TrackColumns
from wideberth.core.judge.tracks import TrackState, approach
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.errors import BadInput

NOW = 1_800_000_000_000
DRONES = SeparationMinima("DRONES", 50_000, 15_000, exposure_ms=10_000)
EN_ROUTE = SeparationMinima("EN_ROUTE", 9_260_000, 304_800)
PLACES = {
    "Alps": Point.at(47, 8.5), "antimeridian": Point.at(-17, 180), "North Pole": Point.at(90, 0),
    "South Pole": Point.at(-90, 0), "Greenwich and the equator": Point.at(0, 0),
}  # fmt: skip


def fleet(
    place: Point, count: int, far_m: float, fast_mmps: int, *, seed: int, refs: str = "AMSL", jets: int = 0
) -> list[TrackState]:
    """Tracks in a disc, a fifth of them hovering, some old, some badly known; the last `jets` are ten times as fast."""
    rng, found = random.Random(seed), []
    for i in range(count):
        speed = 0 if rng.random() < 0.2 else fast_mmps * (10 if i >= count - jets else 1)
        at = point_towards(place, rng.uniform(0, 360), far_m * rng.random() ** 0.5)
        found.append(
            TrackState.on_course(
                str(i), at, Altitude(rng.randrange(0, 120_000), VerticalRef(rng.choice(refs.split()))),
                course_degrees=rng.uniform(0, 360), speed_mmps=round(speed * rng.uniform(0.3, 1)),
                t_ms=NOW - rng.choice((0, 0, 0, 1_000, 30_000, -500)), own=rng.random() < 0.5,
                up_mmps=rng.choice((0, 0, 2_000, -3_000)), position_error_mm=rng.choice((0, 0, 20_000)),
                velocity_error_mmps=rng.choice((0, 0, 1_000)), height_error_mm=rng.choice((0, 5_000)),
                climb_error_mmps=rng.choice((0, 500)),
            )
        )  # fmt: skip
    return found


def same(states: list[TrackState], minima: SeparationMinima, look_ahead_ms: int) -> int:
    """Hold the kernels against the plain way, pair by pair and number by number. Returns how many pairs there were."""
    plain = approaches(states, minima, now_ms=NOW, look_ahead_ms=look_ahead_ms)
    found = meeting.approaches(TrackColumns.of(states), minima, now_ms=NOW, look_ahead_ms=look_ahead_ms)
    assert [(states[i].id, states[j].id) for i, j in found.pairs.tolist()] == [(p.a, p.b) for p in plain]
    for k, each in enumerate(plain):
        a, b = (states[i] for i in found.pairs[k].tolist())
        slack = int(found.error_mm[k]) + each.error_mm
        assert abs(int(found.horizontal_mm[k]) - each.horizontal_mm) <= slack, (a, b)
        assert found.enters_ms[k] <= each.inside[0][0] + 2
        assert found.leaves_ms[k] >= each.inside[-1][1] - 2
        if found.answers[k] == meeting.CONFLICT:
            assert each.answer.value == "conflict"
    return len(plain)


@pytest.mark.parametrize("place", PLACES)
def test_drones_anywhere_meet_as_they_do_without_the_kernels(place: str) -> None:
    assert same(fleet(PLACES[place], 300, 4_000, 25_000, seed=1), DRONES, 60_000) > 20


@pytest.mark.parametrize("place", PLACES)
def test_jets_among_drones_are_looked_up_as_far_as_they_reach(place: str) -> None:
    states = fleet(PLACES[place], 300, 30_000, 25_000, seed=2, jets=4)
    same(states, DRONES, 60_000)
    assert same(states, msgspec.structs.replace(DRONES, horizontal_mm=900_000), 60_000) > 5


@pytest.mark.parametrize("place", PLACES)
def test_airliners_in_wide_space_meet_as_they_do_without_the_kernels(place: str) -> None:
    assert same(fleet(PLACES[place], 250, 400_000, 250_000, seed=3), EN_ROUTE, 300_000) > 20


def test_two_jets_among_drones_meet_each_other() -> None:
    states = fleet(PLACES["antimeridian"], 200, 10_000, 25_000, seed=10)
    for name, lng, course in (("x", 179.9, 90), ("y", -179.9, 270)):
        states.append(
            TrackState.on_course(
                name, Point.at(-17, lng), Altitude.metres(5000, VerticalRef.AMSL), course_degrees=course,
                speed_mmps=250_000, t_ms=NOW, own=True,
            )
        )  # fmt: skip
    found = meeting.approaches(TrackColumns.of(states), DRONES, now_ms=NOW, look_ahead_ms=60_000)
    assert [200, 201] in found.pairs.tolist()
    assert same(states, DRONES, 60_000) == len(found)


def test_heights_on_many_references_are_held_against_each_other_as_without_the_kernels() -> None:
    assert same(fleet(PLACES["Alps"], 200, 4_000, 25_000, seed=4, refs="AMSL W84 FL AGL"), DRONES, 60_000) > 20


def test_nobody_is_missed_by_the_index() -> None:
    states = fleet(PLACES["antimeridian"], 80, 1_000, 25_000, seed=5, jets=2)
    found = meeting.approaches(TrackColumns.of(states), DRONES, now_ms=NOW, look_ahead_ms=60_000)
    brute = [
        (i, j)
        for i, j in combinations(range(len(states)), 2)
        if (states[i].own or states[j].own)
        and approach(states[i], states[j], DRONES, now_ms=NOW, look_ahead_ms=60_000).open
    ]
    assert [tuple(p) for p in found.pairs.tolist()] == brute
    assert len(brute) > 5


def test_more_pairs_than_room_was_made_for_are_all_told() -> None:
    states = [
        TrackState(str(i), Point(i, i), Altitude.metres(100, VerticalRef.AMSL), 0, 0, NOW, own=True) for i in range(100)
    ]
    found = meeting.approaches(TrackColumns.of(states), DRONES, now_ms=NOW, look_ahead_ms=60_000)
    assert len(found) == 4950
    assert found.breaches.all(), "60 s inside, against 10 s"
    assert set(found.answers.tolist()) == {meeting.CONFLICT}


def test_tracks_of_others_are_never_paired() -> None:
    states = [msgspec.structs.replace(s, own=False) for s in fleet(PLACES["Alps"], 100, 1_000, 25_000, seed=6)]
    assert len(meeting.approaches(TrackColumns.of(states), DRONES, now_ms=NOW, look_ahead_ms=60_000)) == 0
    ours = msgspec.structs.replace(states[0], own=True)
    found = meeting.approaches(TrackColumns.of([ours, *states[1:]]), DRONES, now_ms=NOW, look_ahead_ms=60_000)
    assert len(found) > 0
    assert set(found.pairs[:, 0].tolist()) == {0}


def test_no_tracks_and_one_track_have_no_pairs() -> None:
    for count in (0, 1):
        states = fleet(PLACES["Alps"], count, 1_000, 25_000, seed=7)
        assert len(meeting.approaches(TrackColumns.of(states), DRONES, now_ms=NOW, look_ahead_ms=60_000)) == 0


def test_columns_keep_every_state_exactly() -> None:
    states = fleet(PLACES["Alps"], 20, 1_000, 25_000, seed=8, refs="AMSL W84 FL AGL")
    columns = TrackColumns.of(states)
    assert [columns.state(i) for i in range(20)] == states


def test_columns_that_are_not_tracks_are_refused_by_name() -> None:
    columns = TrackColumns.of(fleet(PLACES["Alps"], 20, 1_000, 25_000, seed=9))
    columns.lat_ndeg[7] = 90 * 10**9 + 1
    with pytest.raises(BadInput, match="first at 7") as told:
        meeting.approaches(columns, DRONES, now_ms=NOW, look_ahead_ms=60_000)
    assert told.value.details["field"] == "lat_ndeg"
    columns.lat_ndeg[7] = 0
    columns.t_ms[3] = NOW - 3_600_001
    with pytest.raises(BadInput, match="more than an hour"):
        meeting.approaches(columns, DRONES, now_ms=NOW, look_ahead_ms=60_000)
    short = {**vars(columns), "own": np.ones(3, dtype=np.bool_)}
    with pytest.raises(BadInput, match="3 values for 20"):
        TrackColumns(**short).checked()
