# SPDX-License-Identifier: Apache-2.0
"""Own tracks and plans against notices. The first three tests are SC1 of domain.md §5."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.judge.exposure import expose, place_at
from wideberth.core.judge.horizontal import least_distance
from wideberth.core.judge.separation import Answer
from wideberth.core.say.geodesy import distance_mm, point_towards
from wideberth.core.say.minima import RULE_OF_THREES, UTM_OVERLAP, SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Leg, Polygon, Shape, Track, Volume4D

DAY = 1_537_142_400_000  # 2018-09-17T00:00Z


def z(hour: int, minute: float) -> int:
    return round(DAY + hour * 3_600_000 + minute * 60_000)


def leg(lat: float, lng: float, t_ms: int, metres: float = 5000, ref: VerticalRef = VerticalRef.AMSL) -> Leg:
    return Leg(Point.at(lat, lng), Altitude.metres(metres, ref), t_ms)


RETURN = Track(
    (
        leg(35.80, 36.40, z(18, 30)),
        leg(35.62, 35.70, z(18, 48)),
        leg(35.35, 35.60, z(18, 58)),
        leg(35.401, 35.949, z(19, 8)),
    )
)


def notice(shape: Shape, start: int = z(18, 40), end: int = z(19, 10), top: float = 300) -> Volume4D:
    return Volume4D(shape, Altitude.surface(), Altitude.flight_level(top), start, end)


def test_sc1_the_vague_first_notice_exposes_nobody() -> None:
    found = expose(RETURN, [notice(Circle.at(lat=36.20, lng=37.15, radius_km=10))], RULE_OF_THREES)
    assert found.answer is Answer.SEPARATE
    assert found.core_mm == pytest.approx(116_600_000, rel=0.005), "to the centre, at 18:40Z when the window opens"
    assert found.horizontal_mm == pytest.approx(106_600_000, rel=0.005), "to the edge"
    assert found.closest_at_ms == z(18, 40)
    assert found.inside == ()


def test_sc1_the_corrected_notice_exposes_the_own_track_from_1844_to_1854() -> None:
    found = expose(RETURN, [notice(Circle.at(lat=35.53, lng=35.78, radius_km=10))], RULE_OF_THREES)
    assert found.answer is Answer.CONFLICT
    assert found.core_mm == pytest.approx(9_800_000, rel=0.005), "to the centre"
    assert found.horizontal_mm == 0, "inside the circle"
    assert found.closest_at_ms == pytest.approx(z(18, 50), abs=60_000)
    ((start, end),) = found.inside[:1]
    assert start == pytest.approx(z(18, 44), abs=45_000)
    assert end == pytest.approx(z(18, 54), abs=45_000)
    assert found.breaches_limit, "some ten minutes, against 180 s"
    for t in (start + 500, end - 500):
        place = place_at(RETURN, t)
        assert place is not None
        assert distance_mm(place, Point.at(35.53, 35.78)) < 15_556_000 + 1000


def test_sc1_a_notice_that_ends_before_the_track_comes_near_does_not_expose_it() -> None:
    circle = Circle.at(lat=35.53, lng=35.78, radius_km=10)
    assert not expose(RETURN, [notice(circle, end=z(18, 43))], RULE_OF_THREES).open
    assert expose(RETURN, [notice(circle, start=z(19, 8))], RULE_OF_THREES).closest_at_ms is None


def test_a_hovering_leg_is_inside_for_the_whole_window() -> None:
    hover = Track((leg(10, 180, 0), leg(10, 180, 600_000)))
    found = expose(hover, [notice(Circle.at(lat=10, lng=-179.99, radius_km=1), 60_000, 120_000)], RULE_OF_THREES)
    assert found.inside == ((60_000, 120_000),)
    assert not found.breaches_limit
    assert not expose(hover, [notice(Circle.at(lat=10, lng=-179.9, radius_km=1), 60_000, 120_000)], RULE_OF_THREES).open


@pytest.mark.parametrize(("seconds", "breaches"), [(179, False), (180, False), (181, True)])
def test_the_rule_of_threes_limits_exposure_to_three_minutes(seconds: int, breaches: bool) -> None:
    hover = Track((leg(10, 20, 0), leg(10, 20, 600_000)))
    found = expose(hover, [notice(Circle.at(lat=10, lng=20, radius_km=1), 0, seconds * 1000)], RULE_OF_THREES)
    assert found.inside_ms == seconds * 1000
    assert found.breaches_limit is breaches


def test_a_dip_of_a_moment_between_far_ends_is_not_missed() -> None:
    """A fast pass: 600 m/s over an hour, past a circle of one metre, 3 NM less a metre away."""
    track = Track((leg(0, -10, 0), leg(0, 10, 3_600_000)))
    near = Circle(point_towards(Point.at(0, 3.3), 0, 5_556), 1000)
    found = expose(track, [notice(near, 0, 3_600_000)], RULE_OF_THREES)
    assert found.answer is Answer.CONFLICT
    assert 0 < found.inside_ms < 1000
    assert found.horizontal_mm == pytest.approx(5_555_000, abs=5)
    past = Circle(point_towards(Point.at(0, 3.3), 0, 5_558), 1000)
    assert not expose(track, [notice(past, 0, 3_600_000)], RULE_OF_THREES).open


def test_a_track_over_the_antimeridian_goes_the_short_way() -> None:
    track = Track((leg(60, 179, 0), leg(60, -179, 600_000)))
    assert expose(track, [notice(Circle.at(lat=60, lng=180, radius_km=1), 0, 600_000)], UTM_OVERLAP).open
    assert not expose(track, [notice(Circle.at(lat=60, lng=0, radius_km=100), 0, 600_000)], RULE_OF_THREES).open


def test_through_a_polygon_the_time_inside_is_the_time_between_its_edges() -> None:
    track = Track((leg(0, -1, 0), leg(0, 1, 2_000_000)))
    area = Polygon.of((-0.5, -0.25), (-0.5, 0.25), (0.5, 0.25), (0.5, -0.25))
    found = expose(track, [notice(area, 0, 2_000_000)], UTM_OVERLAP)
    assert found.answer is Answer.CONFLICT
    ((start, end),) = found.inside
    assert (start, end) == (pytest.approx(750_000, abs=3), pytest.approx(1_250_000, abs=3))
    inner = Track((leg(0, -0.1, 0), leg(0, 0.1, 100_000)))
    assert expose(inner, [notice(area, 0, 100_000)], UTM_OVERLAP).inside == ((0, 100_000),)


def test_a_climb_is_inside_only_while_its_height_is() -> None:
    climb = Track((leg(0, 0, 0, 0), leg(0, 0.001, 1_000_000, 10_000)))
    block = Volume4D(
        Circle.at(lat=0, lng=0, radius_km=5), Altitude.metres(3000, VerticalRef.AMSL),
        Altitude.metres(4000, VerticalRef.AMSL), 0, 1_000_000,
    )  # fmt: skip
    found = expose(climb, [block], SeparationMinima("M", 1000, 500_000))
    ((start, end),) = found.inside
    assert (start, end) == (pytest.approx(250_000, abs=2), pytest.approx(450_000, abs=2))
    to_the_edge = Track((leg(0, 0, 0, 0), leg(0, 0.001, 500_000, 2_500), leg(0, 0.002, 1_000_000, 2_500)))
    assert not expose(to_the_edge, [block], SeparationMinima("M", 1000, 500_000)).open, "equality separates"
    assert expose(to_the_edge, [block], SeparationMinima("M", 1000, 500_001)).open


def test_unlike_references_on_a_leg_widen_it() -> None:
    mixed = Track((leg(0, 0, 0, 100, VerticalRef.AGL), leg(0, 0.1, 100_000, 3000, VerticalRef.AMSL)))
    block = Volume4D(
        Circle.at(lat=0, lng=0.05, radius_km=1), Altitude.metres(7000, VerticalRef.AMSL),
        Altitude.metres(8000, VerticalRef.AMSL), 0, 100_000,
    )  # fmt: skip
    assert expose(mixed, [block], UTM_OVERLAP).open, "100 m above the ground of Everest is 9,100 m"


def test_own_volumes_are_judged_each_by_itself() -> None:
    far, near = (notice(Circle.at(lat=lat, lng=10, radius_km=1), 0, 1000) for lat in (0, 5))
    found = expose((far, near), [notice(Circle.at(lat=5.03, lng=10, radius_km=1), 500, 2000)], RULE_OF_THREES)
    assert found.answer is Answer.CONFLICT
    assert (found.own, found.volume) == (1, 0)
    assert found.inside == ((500, 1000),)


def random_case(seed: int) -> tuple[Track, Volume4D]:
    rng = random.Random(seed)
    near = Point.at(
        rng.choice([0, 47, -88, 89.5, rng.uniform(-80, 80)]), rng.choice([180, -180, rng.uniform(-180, 180)])
    )
    legs, t = [], 0
    for _ in range(rng.randint(2, 4)):
        p = point_towards(near, rng.uniform(0, 360), rng.uniform(0, 40_000))
        legs.append(Leg(p, Altitude.metres(1000, VerticalRef.AMSL), t))
        t += rng.randint(1, 900) * 1000
    centre = point_towards(near, rng.uniform(0, 360), rng.uniform(0, 30_000))
    around = [point_towards(centre, 360 * i / 5, rng.uniform(100, 9000)) for i in range(5)]
    shape = rng.choice(
        [Circle(centre, rng.randint(1, 9_000_000)), Polygon(tuple(around)), Corridor(tuple(around), 300_000)]
    )
    return Track(tuple(legs)), notice(shape, rng.randint(0, 300) * 1000, t + 400_000)


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_sampling_never_finds_anything_nearer_or_any_other_time_inside(seed: int) -> None:
    track, volume = random_case(seed)
    minima = SeparationMinima("M", 3_000_000, 1000)
    found = expose(track, [volume], minima)
    first, last = max(volume.start_ms, 0), min(volume.end_ms, track.legs[-1].t_ms)
    if first >= last:
        assert found.closest_at_ms is None
        return
    for i in range(60):
        t = first + (last - 1 - first) * i // 59
        place = place_at(track, t)
        assert place is not None
        apart = least_distance(Circle(place, 1), volume.shape)
        assert found.horizontal_mm is not None
        assert apart.least_mm + 1 >= found.horizontal_mm - found.error_mm - apart.error_mm
        is_in = any(a <= t <= b for a, b in found.inside)
        if apart.least_mm < minima.horizontal_mm - 10:
            assert is_in
        elif apart.least_mm > minima.horizontal_mm + 2000:  # a millisecond at full speed
            assert not is_in


def test_a_track_of_a_hundred_legs_against_a_large_ring_takes_no_second() -> None:
    legs = [leg(50 + 0.001 * i, 10 + 0.01 * (i % 7), i * 10_000) for i in range(100)]
    ring = Polygon(tuple(point_towards(Point.at(50, 10.05), 3.6 * i, 2000) for i in range(100)))
    began = time.perf_counter()
    assert expose(Track(tuple(legs)), [notice(ring, 0, 10**6)], RULE_OF_THREES).open
    assert time.perf_counter() - began < 3
