# SPDX-License-Identifier: Apache-2.0
import pytest

from wideberth.core.judge.separation import Answer, judge
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import RULE_OF_THREES, UTM_OVERLAP, SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.units import feet, nautical_miles
from wideberth.core.say.volume import Circle, Shape, Volume4D

HERE = Point.at(36.20, 37.15)


def volume(shape: Shape, low_ft: float = 0, high_ft: float = 10_000, start: int = 0, end: int = 1000) -> Volume4D:
    return Volume4D(
        shape, Altitude.feet(low_ft, VerticalRef.AMSL), Altitude.feet(high_ft, VerticalRef.AMSL), start, end
    )


def pair(gap_nm: float, **other: float) -> tuple[Volume4D, Volume4D]:
    there = point_towards(HERE, 77, (20_000_000 + nautical_miles(gap_nm)) / 1000)
    return volume(Circle(HERE, 10_000_000)), volume(Circle(there, 10_000_000), **other)  # type: ignore[arg-type]


def test_the_rule_of_threes_at_2_9_and_3_1_miles() -> None:
    assert judge(*pair(2.9), RULE_OF_THREES).answer is Answer.CONFLICT
    assert judge(*pair(3.1), RULE_OF_THREES).answer is Answer.SEPARATE


def test_three_thousand_and_one_feet_separate_however_near_and_three_thousand_too() -> None:
    """An *and*, not an *or*: height alone is enough to be separate."""
    for gap_ft, expected in ((3001, Answer.SEPARATE), (3000, Answer.SEPARATE), (2999, Answer.CONFLICT)):
        found = judge(*pair(0, low_ft=10_000 + gap_ft, high_ft=20_000), RULE_OF_THREES)
        assert found.answer is expected
        assert found.vertical_mm == feet(gap_ft)


def test_windows_that_only_touch_are_separate() -> None:
    assert judge(*pair(0, start=1000, end=2000), RULE_OF_THREES).answer is Answer.SEPARATE
    assert judge(*pair(0, start=999, end=2000), RULE_OF_THREES).answer is Answer.CONFLICT


def test_a_minimum_of_time_widens_the_windows_and_equality_separates() -> None:
    minima = SeparationMinima("TEN_SECONDS", 1, 1, 10_000)
    assert judge(*pair(-1, start=10_999, end=20_000), minima).answer is Answer.CONFLICT
    assert judge(*pair(-1, start=11_000, end=20_000), minima).answer is Answer.SEPARATE


@pytest.mark.parametrize("radius_m", [1, 300, 1000, 50_000])
@pytest.mark.parametrize(("off_mm", "expected"), [(-12, Answer.CONFLICT), (12, Answer.SEPARATE)])
def test_discs_are_discs_to_a_centimetre(radius_m: int, off_mm: int, expected: Answer) -> None:
    """A disc drawn as a 64-gon misses a true overlap of more than a centimetre from 10 m on."""
    for bearing in range(0, 360, 7):
        there = point_towards(HERE, bearing, 2 * radius_m + off_mm / 1000)
        a, b = volume(Circle(HERE, radius_m * 1000)), volume(Circle(there, radius_m * 1000))
        assert judge(a, b, UTM_OVERLAP).answer is expected


def test_within_the_error_the_answer_is_too_close_to_call_and_is_acted_on() -> None:
    there = point_towards(HERE, 0, 25.556)
    found = judge(volume(Circle(HERE, 10_000)), volume(Circle(there, 10_000)), SeparationMinima("M", 5_556, 1))
    assert found.answer is Answer.TOO_CLOSE_TO_CALL
    assert found.open
    assert found.error_mm <= 2


def test_a_verdict_says_which_clause_separates_and_what_it_measured() -> None:
    a, b = pair(4, start=2000, end=3000, low_ft=14_000, high_ft=20_000)
    assert judge(a, b, RULE_OF_THREES).rule == "RULE_OF_THREES: time"
    assert judge(a, b, RULE_OF_THREES).horizontal_mm is None
    full = judge(a, b, RULE_OF_THREES, measure=True)
    assert full.horizontal_mm == pytest.approx(nautical_miles(4), abs=1)
    assert (full.vertical_mm, full.time_overlap_ms) == (feet(4000), -1000)
    assert (full.start_ms, full.end_ms) == (1000, 2000)
    conflict = judge(*pair(1), RULE_OF_THREES)
    assert conflict.rule == "RULE_OF_THREES: time, vertical and horizontal"
    assert conflict.here is not None
    assert conflict.there is not None
    assert (conflict.start_ms, conflict.end_ms, conflict.time_overlap_ms) == (0, 1000, 1000)
