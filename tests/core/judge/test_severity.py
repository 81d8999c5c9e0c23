# SPDX-License-Identifier: Apache-2.0
"""Which conflict to look at first: a total order, stable, the same whichever of the two is named first."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from wideberth.core.judge.severity import LEFT_NAMES, Severity, depth_permille, severity, share_permille
from wideberth.core.say.minima import RULE_OF_THREES, UTM_OVERLAP
from wideberth.core.say.place import Altitude
from wideberth.core.say.volume import Circle, Volume4D

T0 = 1_900_000_000_000
MINUTE = 60_000
NM = 1_852_000


def grave(left_min: int = 120, depth: int = 500, minutes: int = 10, share: int = 500) -> Severity:
    return severity(
        depth_permille=depth, share_permille=share, inside_ms=minutes * MINUTE, start_ms=T0 + left_min * MINUTE,
        now_ms=T0,
    )  # fmt: skip


def test_what_has_begun_comes_before_what_is_deep_and_long_and_large() -> None:
    ladder = [
        grave(left_min=-1, depth=1, minutes=1, share=1),
        grave(left_min=4, depth=1, minutes=1, share=1),
        grave(left_min=14, depth=1, minutes=1, share=1),
        grave(left_min=59, depth=1, minutes=1, share=1),
        grave(depth=900, minutes=1, share=1),
        grave(depth=500, minutes=20, share=1),
        grave(depth=500, minutes=10, share=900),
        grave(),
        grave(left_min=121),
    ]
    assert [s.left for s in ladder[:5]] == [0, 1, 2, 3, 4]
    for shuffled in list(permutations(ladder))[:: 362_880 // 50]:
        assert sorted(shuffled, key=lambda s: s.order("same")) == ladder
    assert [s.sentence.split(";")[0] for s in ladder[:5]] == list(LEFT_NAMES)


def test_what_is_equal_in_all_is_ordered_by_id() -> None:
    assert grave().order("a") < grave().order("b")
    assert grave().order("a") == grave().order("a")


def test_a_threshold_belongs_to_the_graver_side() -> None:
    assert grave(left_min=0).left == 0
    assert grave(left_min=5).left == 1
    assert severity(depth_permille=0, share_permille=0, inside_ms=0, start_ms=T0 + 300_001, now_ms=T0).left == 2


def test_depth_is_the_lesser_of_what_is_undercut() -> None:
    v = RULE_OF_THREES.vertical_mm
    assert depth_permille(RULE_OF_THREES, 0, -1) == 1000
    assert depth_permille(RULE_OF_THREES, 3 * NM // 2, -1) == 500
    assert depth_permille(RULE_OF_THREES, 0, v // 4) == 750
    assert depth_permille(RULE_OF_THREES, 3 * NM // 2, v * 9 // 10) == 100
    assert depth_permille(RULE_OF_THREES, 3 * NM, 0) == 0
    assert depth_permille(UTM_OVERLAP, 0, -1) == 1000


def volume(low_fl: int, high_fl: int, start: int, end: int) -> Volume4D:
    return Volume4D(
        Circle.at(lat=36, lng=35, radius_km=5), Altitude.flight_level(low_fl), Altitude.flight_level(high_fl),
        T0 + start * MINUTE, T0 + end * MINUTE,
    )  # fmt: skip


def test_the_share_is_of_the_smaller_one_in_time_and_height() -> None:
    small = volume(100, 200, 0, 60)
    assert share_permille((small,), (volume(0, 400, -60, 600),)) == 1000
    assert share_permille((small,), (volume(150, 400, 30, 600),)) == 250
    assert share_permille((small,), (volume(200, 400, 0, 60),)) == 0
    assert share_permille((small,), (volume(100, 200, 60, 120),)) == 0
    without_end = Volume4D(
        small.shape, Altitude.surface(), Altitude.unlimited(), small.start_ms, small.end_ms
    )  # fmt: skip
    assert share_permille((without_end,), (without_end,)) == 1000


boxes = st.builds(
    lambda low, high, start, long: volume(low, low + high, start, start + long),
    st.integers(0, 300), st.integers(0, 100), st.integers(-500, 500), st.integers(1, 500),
)  # fmt: skip


@given(st.lists(boxes, min_size=1, max_size=3), st.lists(boxes, min_size=1, max_size=3), st.integers(-(10**6), 10**6))
def test_the_share_does_not_depend_on_who_is_named_first_or_on_the_day(
    one: list[Volume4D], other: list[Volume4D], minutes: int
) -> None:
    def later(volumes: list[Volume4D]) -> list[Volume4D]:
        return [
            Volume4D(v.shape, v.lower, v.upper, v.start_ms + minutes * MINUTE, v.end_ms + minutes * MINUTE)
            for v in volumes
        ]

    share = share_permille(one, other)
    assert 0 <= share <= 1000
    assert share == share_permille(other, one) == share_permille(later(one), later(other))


severities = st.builds(
    grave, st.integers(-100, 100), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)
)  # fmt: skip


@given(severities, severities, severities, st.permutations("xyz"))
def test_the_order_is_total(a: Severity, b: Severity, c: Severity, names: list[str]) -> None:
    keys = [s.order(name) for s, name in zip((a, b, c), names, strict=True)]
    assert len(set(keys)) == 3
