# SPDX-License-Identifier: Apache-2.0
"""Does a track move as was said (by how much not, and since when), and will it enter a volume?"""

import msgspec
import pytest

from wideberth.core.judge.conformance import Conformance, Entry, Standing, conform, entry
from wideberth.core.judge.separation import Answer
from wideberth.core.judge.tracks import TrackState
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import RULE_OF_THREES, UTM_OVERLAP, SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput

NOW = 1_800_000_000_000
HERE = Point.at(47, 8.5)


def volume(
    shape: Shape,
    low: float = 100,
    high: float = 200,
    start: int = -60,
    end: int = 60,
    ref: VerticalRef = VerticalRef.AMSL,
) -> Volume4D:
    """Metres, and seconds from now."""
    return Volume4D(shape, Altitude.metres(low, ref), Altitude.metres(high, ref), NOW + start * 1000, NOW + end * 1000)


def seen(
    point: Point, metres: float = 150, *, at: float = 0, course: float = 0, mps: float = 0, own: bool = True,
    up: float = 0, error_m: float = 0, ref: VerticalRef = VerticalRef.AMSL, drift_mps: float = 0,
) -> TrackState:  # fmt: skip
    return TrackState.on_course(
        "t", point, Altitude.metres(metres, ref), course_degrees=course, speed_mmps=round(mps * 1000),
        t_ms=round(NOW + at * 1000), own=own, up_mmps=round(up * 1000), position_error_mm=round(error_m * 1000),
        velocity_error_mmps=round(drift_mps * 1000),
    )  # fmt: skip


CIRCLE = Circle(HERE, 1_000_000)
SQUARE = Polygon(tuple(point_towards(HERE, turn, 1000 * 2**0.5) for turn in (45, 135, 225, 315)))
ROUTE = Corridor((point_towards(HERE, 270, 5000), point_towards(HERE, 90, 5000)), 200_000)


@pytest.mark.parametrize(("shape", "bearing", "rim"), [(CIRCLE, 10, 1000), (SQUARE, 90, 1000), (ROUTE, 0, 200)])
def test_outside_on_the_ground_is_told_in_metres(shape: Shape, bearing: float, rim: float) -> None:
    assert conform(seen(point_towards(HERE, bearing, rim - 0.1)), [volume(shape)]).standing is Standing.NOMINAL
    found = conform(seen(point_towards(HERE, bearing, rim + 123.4)), [volume(shape)])
    assert found.standing is Standing.OUTSIDE
    assert found.horizontal_mm == pytest.approx(123_400, abs=100)
    assert (found.vertical_mm, found.time_ms) == (0, 0)


def test_outside_in_height_and_in_time_are_told_apart() -> None:
    assert conform(seen(HERE, 230), [volume(CIRCLE)]).vertical_mm == 30_000
    assert conform(seen(HERE, 60), [volume(CIRCLE)]).vertical_mm == 40_000
    assert conform(seen(HERE, 200), [volume(CIRCLE)]).standing is Standing.NOMINAL, "on the top is in the band"
    late, early = conform(seen(HERE, at=60), [volume(CIRCLE)]), conform(seen(HERE, at=-61.5), [volume(CIRCLE)])
    assert (late.standing, late.time_ms) == (Standing.OUTSIDE, 1), "windows are half-open"
    assert (early.standing, early.time_ms) == (Standing.OUTSIDE, -1500)
    assert conform(seen(HERE, at=-60), [volume(CIRCLE)]).standing is Standing.NOMINAL


def test_the_volume_that_it_is_least_far_from_is_named_and_one_that_holds_it_is_enough() -> None:
    far = Circle(point_towards(HERE, 90, 20_000), 1_000_000)
    plan = [volume(far), volume(CIRCLE), volume(CIRCLE, start=60, end=90)]
    assert conform(seen(HERE), plan).volume == 1
    assert conform(seen(HERE, at=70), plan).volume == 2
    outside = conform(seen(point_towards(HERE, 90, 18_000)), plan)
    assert (outside.volume, outside.standing) == (0, Standing.OUTSIDE)
    assert outside.horizontal_mm == pytest.approx(1_000_000, abs=1000)


def test_what_is_not_known_leaves_it_open() -> None:
    for metres, standing in (
        (980, Standing.NOMINAL),
        (1000, Standing.UNSURE),
        (1019, Standing.UNSURE),
        (1021, Standing.OUTSIDE),
    ):
        for shape in (CIRCLE, SQUARE):
            found = conform(seen(point_towards(HERE, 90, metres - 0.5), error_m=19.7), [volume(shape)])
            assert found.standing is standing, (metres, shape)
    # A pressure altitude may be 610 m off: 150 m of it may be in the band, and may not.
    assert conform(seen(HERE, ref=VerticalRef.FL), [volume(CIRCLE)]).standing is Standing.UNSURE
    assert conform(seen(HERE, 900, ref=VerticalRef.FL), [volume(CIRCLE)]).standing is Standing.OUTSIDE


def test_since_when_it_is_outside_is_kept_over_the_states_in_a_row() -> None:
    plan, found = [volume(CIRCLE)], None
    told: list[tuple[Standing, int | None, int | None]] = []
    for second, metres in enumerate([0, 900, 1100, 1500, 1001, 900, 1200]):
        found = conform(seen(point_towards(HERE, 0, metres), at=second), plan, before=found)
        told.append((found.standing, found.since_ms, found.nominal_ms))
    ms = [NOW + 1000 * second for second in range(7)]
    inside, outside = Standing.NOMINAL, Standing.OUTSIDE
    assert told == [
        (inside, None, ms[0]), (inside, None, ms[1]), (outside, ms[2], ms[1]), (outside, ms[2], ms[1]),
        (outside, ms[2], ms[1]), (inside, None, ms[5]), (outside, ms[6], ms[5]),
    ]  # fmt: skip


def test_a_state_of_another_track_or_an_older_one_is_refused() -> None:
    found: Conformance = conform(seen(HERE), [volume(CIRCLE)])
    with pytest.raises(BadInput, match="order"):
        conform(seen(HERE, at=-1), [volume(CIRCLE)], before=found)
    with pytest.raises(BadInput, match="one track"):
        conform(msgspec.structs.replace(seen(HERE), id="u"), [volume(CIRCLE)], before=found)
    with pytest.raises(BadInput, match="needs volumes"):
        conform(seen(HERE), [])


def test_conformance_at_the_pole_and_across_the_antimeridian() -> None:
    for centre in (Point.at(90, 0), Point.at(-90, 77), Point.at(10, 180), Point.at(-10, -180)):
        area = volume(Circle(centre, 1_000_000))
        for bearing in range(0, 360, 45):
            assert conform(seen(point_towards(centre, bearing, 999)), [area]).standing is Standing.NOMINAL
            assert conform(seen(point_towards(centre, bearing, 1002)), [area]).horizontal_mm == pytest.approx(
                2000, abs=2
            )


def enters(state: TrackState, area: Volume4D, minima: SeparationMinima = UTM_OVERLAP, seconds: int = 300) -> Entry:
    return entry(state, area, minima, now_ms=NOW, look_ahead_ms=seconds * 1000)


@pytest.mark.parametrize(("shape", "half"), [(CIRCLE, 1000), (SQUARE, 1000)])
def test_time_to_entry_and_time_inside_are_what_the_speed_says(shape: Shape, half: float) -> None:
    start = point_towards(HERE, 270, 3000)
    found = enters(seen(start, course=90, mps=50), volume(shape, end=600))
    assert found.answer is Answer.CONFLICT
    assert found.entry_in_ms == pytest.approx((3000 - half) / 50 * 1000, abs=50)
    assert found.inside_ms == pytest.approx(2 * half / 50 * 1000, abs=50)
    assert found.horizontal_mm == 0


def test_minima_are_kept_from_the_edge_and_the_exposure_limit_counts() -> None:
    start = point_towards(HERE, 270, 30_000)
    area = volume(CIRCLE, 0, 300, end=3600)
    slow = enters(seen(start, course=90, mps=2 * (1000 + 5556) / 181), area, RULE_OF_THREES, 3600)
    fast = enters(seen(start, course=90, mps=2 * (1000 + 5556) / 179), area, RULE_OF_THREES, 3600)
    assert slow.inside_ms == pytest.approx(181_000, abs=100)
    assert (slow.breaches_limit, fast.breaches_limit) == (True, False)
    assert fast.answer is Answer.CONFLICT


def test_it_enters_only_while_the_window_is_open_and_in_the_band() -> None:
    start = point_towards(HERE, 270, 3000)
    track = seen(start, course=90, mps=50)
    assert not enters(track, volume(CIRCLE, end=30)).open, "closed before it is there"
    assert enters(track, volume(CIRCLE, start=60, end=600)).entry_in_ms == 60_000, "inside when it opens"
    assert enters(track, volume(CIRCLE, start=301, end=600)).closest_at_ms is None
    assert not enters(track, volume(CIRCLE, 151, 200, end=600)).open, "passes below"
    climbs = seen(HERE, 50, up=2)
    assert enters(climbs, volume(CIRCLE, end=600)).entry_in_ms == pytest.approx(25_000, abs=2)
    assert enters(climbs, volume(CIRCLE, end=600)).inside_ms == pytest.approx(50_000, abs=4)


def test_hovering_inside_and_outside() -> None:
    assert enters(seen(HERE), volume(SQUARE, end=600)).inside == ((NOW, NOW + 300_000),)
    assert not enters(seen(point_towards(HERE, 0, 1001)), volume(SQUARE, end=600)).open


def test_more_error_enters_sooner_and_never_less() -> None:
    start, area = point_towards(HERE, 270, 3000), volume(SQUARE, end=600)
    spans = [
        enters(seen(start, course=90, mps=50, error_m=error, drift_mps=drift), area).inside
        for error, drift in ((0, 0), (100, 0), (100, 5))
    ]
    assert spans[0][0][0] > spans[1][0][0] > spans[2][0][0]
    assert spans[0][0][1] < spans[1][0][1] < spans[2][0][1]
    # The rim comes nearer by 100 m and 5 m/s, in front and behind.
    assert spans[2][0][0] - NOW == pytest.approx((3000 - 1000 - 100) / 55 * 1000, abs=50)
    assert spans[2][0][1] - NOW == pytest.approx((3000 + 1000 + 100) / 45 * 1000, abs=50)


def test_entry_across_the_antimeridian_and_over_the_pole() -> None:
    west = point_towards(Point.at(10, 180), 270, 3000)
    area = volume(Circle(Point.at(10, -180), 1_000_000), end=600)
    assert enters(seen(west, course=90, mps=50), area).entry_in_ms == pytest.approx(40_000, abs=50)
    beyond = Circle(point_towards(Point.at(90, 0), 180, 3000), 1_000_000)
    north = point_towards(Point.at(90, 0), 0, 1000)
    found = enters(seen(north, course=0 if north.lat < 90 else 180, mps=50), volume(beyond, end=600))
    assert found.open


def test_an_others_track_is_carried_on_only_towards_an_own_volume() -> None:
    track = seen(HERE, own=False)
    with pytest.raises(BadInput, match="own"):
        enters(track, volume(CIRCLE))
    assert entry(track, volume(CIRCLE), UTM_OVERLAP, now_ms=NOW, look_ahead_ms=1000, own_volume=True).open
