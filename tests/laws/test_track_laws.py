# SPDX-License-Identifier: Apache-2.0
"""Laws of live tracks, anywhere on Earth: the plane never contradicts the geodesics, a brute walk in small steps (by
another library's geodesics) never finds what the search missed, and more error never ends a conflict."""

from __future__ import annotations

import math

import msgspec
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.judge.pairs import approaches, lifted, plane_answer
from wideberth.core.judge.separation import Answer
from wideberth.core.judge.tangent import SEPARATE, SURE
from wideberth.core.judge.tracks import TrackState, approach
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef

NOW = 1_800_000_000_000
WORLD = Geodesic.WGS84
ANYWHERE = st.one_of(
    st.builds(Point, st.integers(-90 * 10**9, 90 * 10**9), st.integers(-180 * 10**9, 180 * 10**9)),
    st.sampled_from([Point.at(90, 5), Point.at(-90, 0), Point.at(0, 180), Point.at(89.99, -180), Point.at(-17, 180)]),
)


@st.composite
def states(draw: st.DrawFn, near: Point, name: str, far_m: float, fast_mmps: int) -> TrackState:
    hovers = draw(st.booleans())
    speed = st.just(0) if hovers else st.integers(-fast_mmps, fast_mmps)
    ref = draw(st.sampled_from([VerticalRef.AMSL, VerticalRef.AMSL, VerticalRef.AMSL, VerticalRef.FL]))
    return TrackState(
        name, point_towards(near, draw(st.floats(0, 360)), draw(st.floats(0, far_m))),
        Altitude(draw(st.integers(0, 600_000)), ref), draw(speed), draw(speed), NOW - draw(st.integers(-2000, 60_000)),
        own=name == "a", up_mmps=draw(st.integers(-10_000, 10_000)),
        position_error_mm=draw(st.sampled_from([0, 0, 30_000])),
        velocity_error_mmps=draw(st.sampled_from([0, 0, 2_000, fast_mmps])),
        height_error_mm=draw(st.sampled_from([0, 20_000])), climb_error_mmps=draw(st.sampled_from([0, 1_000])),
    )  # fmt: skip


@st.composite
def encounters(draw: st.DrawFn) -> tuple[TrackState, TrackState, SeparationMinima, int]:
    near = draw(ANYWHERE)
    far_m, fast_mmps, reach_mm, seconds = draw(
        st.sampled_from(
            [(1_500, 25_000, 50_000, 60), (60_000, 300_000, 9_260_000, 300), (400_000, 900_000, 10**8, 900)]
        )
    )
    a, b = (draw(states(near, name, far_m, fast_mmps)) for name in "ab")
    minima = SeparationMinima("M", draw(st.integers(1, 2 * reach_mm)), draw(st.integers(0, 400_000)))
    return a, b, minima, seconds


def walked_m(a: TrackState, b: TrackState, t_ms: float) -> float:
    """The distance at a time by geographiclib, from the states alone."""
    places = []
    for state in (a, b):
        course = math.degrees(math.atan2(state.east_mmps, state.north_mmps))
        way = math.hypot(state.east_mmps, state.north_mmps) / 1000 * (t_ms - state.t_ms) / 1000
        found = WORLD.Direct(state.point.lat, state.point.lng, course, way)
        places.append((found["lat2"], found["lon2"]))
    (lat, lng), (lat_b, lng_b) = places
    return float(WORLD.Inverse(lat, lng, lat_b, lng_b)["s12"])


def reach_at(a: TrackState, b: TrackState, minima: SeparationMinima, t_ms: float) -> float:
    """The grown minimum at a time: each error, and its rate for as long as the state is old now, and from now on."""
    reach = float(minima.horizontal_mm)
    for state in (a, b):
        reach += state.position_error_mm + state.velocity_error_mmps * (abs(NOW - state.t_ms) + t_ms - NOW) / 1000
    return reach / 1000


@settings(max_examples=60, deadline=None)
@given(encounters())
def test_a_walk_in_small_steps_finds_nothing_that_the_search_missed(
    encounter: tuple[TrackState, TrackState, SeparationMinima, int],
) -> None:
    a, b, minima, seconds = encounter
    # Heights aside: both on one level, so that distance alone decides.
    level = Altitude.metres(300, VerticalRef.AMSL)
    a, b = (msgspec.structs.replace(s, altitude=level, up_mmps=0) for s in (a, b))
    found = approach(a, b, minima, now_ms=NOW, look_ahead_ms=seconds * 1000)
    least = math.inf
    for step in range(61):
        t_ms = NOW + seconds * 1000 * step / 60
        metres, reach = walked_m(a, b, t_ms), reach_at(a, b, minima, t_ms)
        least = min(least, metres)
        if metres < reach - 0.01:
            assert any(start <= t_ms <= end for start, end in found.inside), (t_ms - NOW, metres, reach)
        elif metres > reach + 0.01:
            assert not any(start + 1 < t_ms < end - 1 for start, end in found.inside), (t_ms - NOW, metres, reach)
    assert found.horizontal_mm / 1000 <= least + found.error_mm / 1000
    at_closest = walked_m(a, b, found.closest_at_ms)
    assert abs(at_closest - found.horizontal_mm / 1000) <= found.error_mm / 1000 + 0.001 * (a.speed_mps + b.speed_mps)


@settings(max_examples=200, deadline=None)
@given(encounters())
def test_the_tangent_plane_never_contradicts_the_geodesics(
    encounter: tuple[TrackState, TrackState, SeparationMinima, int],
) -> None:
    a, b, minima, seconds = encounter
    found = approach(a, b, minima, now_ms=NOW, look_ahead_ms=seconds * 1000)
    flat = [lifted(s, NOW, float(seconds)) for s in (a, b)]
    answer, closest, metres, enters, leaves, error = plane_answer(*flat, a, b, minima, NOW, float(seconds), 610_000)
    if found.answer is Answer.CONFLICT:
        assert answer != SEPARATE
    if answer == SURE:
        assert found.answer is not Answer.SEPARATE
    if found.inside and answer != SEPARATE:
        assert enters * 1000 - 2 <= found.inside[0][0] - NOW
        assert leaves * 1000 + 2 >= found.inside[-1][1] - NOW
    if answer != SEPARATE:
        assert abs(walked_m(a, b, NOW + closest * 1000) - metres) <= error + 1e-6
    assert [each.open for each in approaches([a, b], minima, now_ms=NOW, look_ahead_ms=seconds * 1000)] == (
        [True] if found.open else []
    )


@settings(max_examples=60, deadline=None)
@given(encounters(), st.integers(0, 5_000), st.integers(0, 50_000), st.integers(0, 500_000), st.integers(0, 2_000))
def test_more_error_and_wider_minima_never_end_a_conflict(
    encounter: tuple[TrackState, TrackState, SeparationMinima, int], place: int, rate: int, wider: int, climb: int
) -> None:
    a, b, minima, seconds = encounter
    found = approach(a, b, minima, now_ms=NOW, look_ahead_ms=seconds * 1000)
    worse = msgspec.structs.replace(
        b, position_error_mm=b.position_error_mm + place, velocity_error_mmps=b.velocity_error_mmps + rate,
        climb_error_mmps=b.climb_error_mmps + climb,
    )  # fmt: skip
    wide = SeparationMinima("WIDE", minima.horizontal_mm + wider, minima.vertical_mm + wider)
    for other, rule in ((worse, minima), (b, wide), (worse, wide)):
        more = approach(a, other, rule, now_ms=NOW, look_ahead_ms=seconds * 1000)
        assert more.open or not found.open
        for start, end in found.inside:
            assert any(s <= start + 1 and end - 1 <= e for s, e in more.inside)
