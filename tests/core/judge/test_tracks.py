# SPDX-License-Identifier: Apache-2.0
"""Two live tracks: closest approach, time inside the minima, time to entry, and what must not go wrong (D7, D10)."""

import math
from itertools import pairwise

import pytest

from wideberth.core.judge.pairs import approaches
from wideberth.core.judge.separation import Answer
from wideberth.core.judge.tracks import LOOK_AHEAD_MS_MAX, Ahead, Approach, Freshness, TrackState, approach
from wideberth.core.say import units
from wideberth.core.say.geodesy import bearing_degrees, distance_m, point_towards
from wideberth.core.say.minima import RULE_OF_THREES, SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.errors import BadInput

NOW = 1_800_000_000_000
LEVEL = Altitude.metres(5000, VerticalRef.AMSL)
EN_ROUTE = SeparationMinima("EN_ROUTE", units.nautical_miles(5), units.feet(1000))


def state(
    lat: float, lng: float, course: float = 0.0, mps: float = 0.0, *, name: str = "a", own: bool = True,
    up: float = 0.0, metres: float = 5000, ref: VerticalRef = VerticalRef.AMSL, t_ms: int = NOW, error_m: float = 0,
    drift_mps: float = 0,
) -> TrackState:  # fmt: skip
    return TrackState.on_course(
        name, Point.at(lat, lng), Altitude.metres(metres, ref), course_degrees=course, speed_mmps=round(mps * 1000),
        t_ms=t_ms, own=own, up_mmps=round(up * 1000), position_error_mm=round(error_m * 1000),
        velocity_error_mmps=round(drift_mps * 1000),
    )  # fmt: skip


def weigh(a: TrackState, b: TrackState, minima: SeparationMinima = EN_ROUTE, seconds: float = 300) -> Approach:
    found = approach(a, b, minima, now_ms=NOW, look_ahead_ms=round(seconds * 1000))
    back = approach(b, a, minima, now_ms=NOW, look_ahead_ms=round(seconds * 1000))
    assert (found.answer, found.inside, found.closest_at_ms) == (back.answer, back.inside, back.closest_at_ms)
    assert found.horizontal_mm == pytest.approx(back.horizontal_mm, abs=1)
    # The screen of many pairs must find every pair that the measure of one finds.
    listed = approaches([a, b], minima, now_ms=NOW, look_ahead_ms=round(seconds * 1000))
    assert listed == ([found] if found.open else [])
    return found


def test_head_on_over_the_equator_they_meet_half_way_and_when_the_arithmetic_says() -> None:
    found = weigh(state(0, -0.5, 90, 200), state(0, 0.5, 270, 250, name="b", own=False))
    gap_m = 6_378_137 * math.radians(1)  # the equator is a circle and a geodesic
    assert found.answer is Answer.CONFLICT
    assert found.closest_at_ms - NOW == pytest.approx(gap_m / 450 * 1000, abs=2)
    assert found.horizontal_mm <= found.error_mm
    assert found.entry_in_ms == pytest.approx((gap_m - 9260) / 450 * 1000, abs=2)
    assert found.inside_ms == pytest.approx(2 * 9260 / 450 * 1000, abs=4)


def test_crossing_at_a_right_angle_the_miss_is_what_the_triangle_says_to_a_metre_and_a_second() -> None:
    # One flies north through the middle, the other east 3 km late: at drone scale the Earth is flat to a millimetre.
    middle = Point.at(47.4, 8.5)
    a = point_towards(middle, 180, 4000)
    b = point_towards(middle, 270, 7000)
    near = SeparationMinima("HALF_KM", 2_200_000, 100_000)
    found = weigh(
        state(a.lat, a.lng, bearing_degrees(a, middle), 20),
        state(b.lat, b.lng, bearing_degrees(b, middle), 20, name="b", own=False),
        near, 600,
    )  # fmt: skip
    assert found.horizontal_mm == pytest.approx(3_000_000 / math.sqrt(2), abs=1000)
    assert found.closest_at_ms - NOW == pytest.approx((4000 + 7000) / 2 / 20 * 1000, abs=1000)
    half = math.sqrt(2200**2 - 3000**2 / 2) / (20 * math.sqrt(2))
    assert found.inside_ms == pytest.approx(2 * half * 1000, abs=1000)
    assert found.answer is Answer.CONFLICT


@pytest.mark.parametrize(("seconds", "breach"), [(179, False), (181, True)])
def test_d10_181_seconds_inside_both_limits_breach_and_179_do_not(seconds: int, breach: bool) -> None:
    # The other hovers; we run through the middle of its 3 NM at a speed that takes this long from rim to rim.
    speed = 2 * 3 * 1852 / seconds
    gap_m = 20_000.0
    start = point_towards(Point.at(35, 36), 250, gap_m)
    found = weigh(
        state(start.lat, start.lng, bearing_degrees(start, Point.at(35, 36)), speed),
        state(35, 36, name="b", own=False), RULE_OF_THREES, 600,
    )  # fmt: skip
    assert found.inside_ms == pytest.approx(seconds * 1000, abs=20)
    assert found.breaches_limit is breach
    assert found.answer is Answer.CONFLICT, "told all the same"


def test_time_inside_counts_only_while_the_height_is_broken_too() -> None:
    hovering = state(35, 36, name="b", own=False)
    gap_m = 3000 * 0.3048
    ours = state(35, 36, metres=5000 - gap_m - 100, up=10)
    found = weigh(ours, hovering, RULE_OF_THREES, 600)
    assert found.entry_in_ms == pytest.approx(10_000, abs=2)
    assert found.inside_ms == pytest.approx(2 * gap_m / 10 * 1000, abs=4)
    assert found.vertical_mm == pytest.approx((gap_m + 100) * 1000, abs=1), "now, when the two are first nearest"


def test_zero_relative_speed_outside_never_meets_and_the_closest_is_now() -> None:
    found = weigh(state(0, 0, 90, 200), state(0, 0.2, 90, 200, name="b", own=False))
    assert found.answer is Answer.SEPARATE
    assert found.closest_at_ms == NOW
    assert found.horizontal_mm == pytest.approx(6_378_137 * math.radians(0.2) * 1000, abs=2)


def test_identical_velocity_already_inside_is_a_conflict_for_the_whole_look_ahead() -> None:
    found = weigh(state(0, 0, 90, 200), state(0, 0.05, 90, 200, name="b", own=False))
    assert found.answer is Answer.CONFLICT
    assert found.inside == ((NOW, NOW + 300_000),)
    assert found.entry_in_ms == 0


def test_two_tracks_at_one_place_with_one_velocity_are_a_conflict() -> None:
    found = weigh(state(47, 8, 33, 55), state(47, 8, 33, 55, name="b", own=False))
    assert (found.answer, found.horizontal_mm) == (Answer.CONFLICT, 0)
    assert found.inside == ((NOW, NOW + 300_000),)


def test_two_hovering_inside_are_a_conflict_and_outside_are_none() -> None:
    near = SeparationMinima("DRONES", 50_000, 15_000)
    here = point_towards(Point.at(47, 8), 10, 49.9)
    assert weigh(state(47, 8), state(here.lat, here.lng, name="b", own=False), near).inside_ms == 300_000
    there = point_towards(Point.at(47, 8), 10, 50.1)
    assert not weigh(state(47, 8), state(there.lat, there.lng, name="b", own=False), near).open


def test_equal_headings_and_unequal_speeds_overtake() -> None:
    behind = point_towards(Point.at(47, 8), 180, 20_000)
    found = weigh(state(behind.lat, behind.lng, 0, 150), state(47, 8, 0, 100, name="b", own=False), seconds=600)
    assert found.answer is Answer.CONFLICT
    assert found.closest_at_ms - NOW == pytest.approx(400_000, abs=5)
    assert found.horizontal_mm <= 2
    assert found.entry_in_ms == pytest.approx((20_000 - 9260) / 50 * 1000, abs=5)


def test_antimeridian_head_on_is_like_any_other_head_on() -> None:
    here = weigh(state(10, 19.8, 90, 220), state(10, 20.2, 270, 220, name="b", own=False))
    there = weigh(state(10, 179.8, 90, 220), state(10, -179.8, 270, 220, name="b", own=False))
    assert there.answer is Answer.CONFLICT
    assert (there.closest_at_ms, there.inside) == (here.closest_at_ms, here.inside)


@pytest.mark.parametrize("lat", [89.9, -89.9])
def test_two_that_fly_over_a_pole_from_both_sides_meet_there(lat: float) -> None:
    over = 0.0 if lat > 0 else 180.0
    found = weigh(state(lat, 0, over, 100), state(lat, 180, over, 100, name="b", own=False))
    metres = distance_m(Point.at(lat, 0), Point.at(math.copysign(90, lat), 0))
    assert found.answer is Answer.CONFLICT
    assert found.closest_at_ms - NOW == pytest.approx(metres / 100 * 1000, abs=5)
    assert found.horizontal_mm <= found.error_mm


def test_at_the_pole_itself_the_longitude_says_which_way_the_course_is() -> None:
    # From the pole "south along 90° E" and a track that comes up that meridian.
    found = weigh(state(90, 90, 180, 100), state(89.5, 90, 0, 100, name="b", own=False))
    metres = distance_m(Point.at(90, 0), Point.at(89.5, 90))
    assert found.answer is Answer.CONFLICT
    assert found.closest_at_ms - NOW == pytest.approx(metres / 200 * 1000, abs=5)


def test_the_geodesic_ahead_is_no_line_of_constant_course() -> None:
    # At 60° N a course of due east bends south of the parallel: after 100 km by 100^2 tan(60°)/(2 R) = 1.36 km.
    ahead = Ahead(state(60, 0, 90, 250), NOW)
    _, lat, course = ahead.place(400)
    assert distance_m(Point.at(lat, 0), Point.at(60, 0)) == pytest.approx(1356, rel=0.01)
    assert course % 360 == pytest.approx(91.55, abs=0.02)


def test_more_error_never_ends_a_conflict_and_lengthens_it() -> None:
    a, b = state(0, 0, 90, 200), state(0.1, 0.2, 180, 60, name="b", own=False)
    spans = []
    for error_m, drift in [(0, 0), (500, 0), (500, 3), (2000, 3), (2000, 30), (2000, 400)]:
        found = weigh(a, state(0.1, 0.2, 180, 60, name="b", own=False, error_m=error_m, drift_mps=drift))
        spans.append(found.inside)
    assert weigh(a, b).inside == spans[0]
    for less, more in pairwise(spans):
        assert all(any(c <= p and q <= d for c, d in more) for p, q in less)
    assert spans[0] != spans[-1]
    assert spans[-1][-1][1] == NOW + 300_000, "what we know less and less of is inside for good"


def test_a_stale_state_is_carried_on_and_known_less_well() -> None:
    ours = state(0, 0.5)
    fresh = weigh(ours, state(0, 0, 90, 200, name="b", own=False, drift_mps=2))
    stale = weigh(ours, state(0, -200 * 60 / 111_319.49, 90, 200, name="b", own=False, drift_mps=2, t_ms=NOW - 60_000))
    assert (fresh.b_is, stale.b_is) == (Freshness.FRESH, Freshness.STALE)
    assert stale.closest_at_ms == pytest.approx(fresh.closest_at_ms, abs=5)
    assert fresh.entry_in_ms is not None
    assert stale.entry_in_ms is not None
    # 60 s at 2 m/s: 120 m more to be inside of, closed at 198 m/s.
    assert fresh.entry_in_ms - stale.entry_in_ms == pytest.approx(120 / 202 * 1000, abs=20)
    assert state(0, 0, t_ms=NOW - 120_000).freshness(NOW) is Freshness.SILENT
    assert state(0, 0, t_ms=NOW + 15_000).freshness(NOW) is Freshness.STALE, "a clock is wrong"


def test_two_of_others_are_never_predicted() -> None:
    a, b = state(0, 0, own=False), state(0, 0, name="b", own=False)
    with pytest.raises(BadInput, match="own"):
        approach(a, b, EN_ROUTE, now_ms=NOW, look_ahead_ms=60_000)
    assert approaches([a, b], EN_ROUTE, now_ms=NOW, look_ahead_ms=60_000) == []
    ours = state(0, 0, name="c")
    pairs = [(x.a, x.b) for x in approaches([a, b, ours], EN_ROUTE, now_ms=NOW, look_ahead_ms=60_000)]
    assert pairs == [("a", "c"), ("b", "c")]


def test_heights_on_different_references_are_not_equated() -> None:
    # 700 m apart as numbers; pressure altitude and mean sea level may differ by 610 m and more: not surely 1000 ft.
    ours, theirs = state(0, 0, metres=5000), state(0, 0, metres=5700, ref=VerticalRef.FL, name="b", own=False)
    assert weigh(ours, theirs).open
    assert not weigh(ours, state(0, 0, metres=5700, name="b", own=False)).open
    level = SeparationMinima("LEVEL", 50_000, 0)
    assert weigh(ours, state(0, 0, name="b", own=False), level).open, "with v = 0 two equal levels overlap"
    assert not weigh(ours, state(0, 0, metres=5000.001, name="b", own=False), level).open


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"up_mmps": 3_000_001}, "speed"), ({"position_error_mm": -1}, "error"), ({"id": ""}, "id"),
        ({"altitude": Altitude.unlimited()}, "altitude"), ({"t_ms": -1}, "t_ms"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_track_is_refused_with_a_reason(bad: dict[str, object], field: str) -> None:
    good: dict[str, object] = {
        "id": "a", "point": Point.at(0, 0), "altitude": LEVEL, "east_mmps": 0, "north_mmps": 0, "t_ms": 0, "own": True,
    }  # fmt: skip
    TrackState(**good)  # type: ignore[arg-type]
    with pytest.raises(BadInput) as told:
        TrackState(**{**good, **bad})  # type: ignore[arg-type]
    assert told.value.details["field"] == field


def test_times_out_of_range_are_refused() -> None:
    a, b = state(0, 0), state(0, 1, name="b", own=False)
    for look_ahead_ms in (0, -1, LOOK_AHEAD_MS_MAX + 1):
        with pytest.raises(BadInput, match="look ahead"):
            approach(a, b, EN_ROUTE, now_ms=NOW, look_ahead_ms=look_ahead_ms)
    with pytest.raises(BadInput, match="more than an hour"):
        approach(a, b, EN_ROUTE, now_ms=NOW + 3_600_001, look_ahead_ms=1000)
