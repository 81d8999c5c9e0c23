# SPDX-License-Identifier: Apache-2.0
"""The smallest change that keeps two notices apart (domain.md Q4): it does, and one step less does not.

The check here is the predicate alone, over all pairs, with the smaller step made by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.judge import remedies as module
from wideberth.core.judge.remedies import Found, Tried, remedies, remedy
from wideberth.core.judge.separation import judge
from wideberth.core.say.conflict import How
from wideberth.core.say.geodesy import distance_mm
from wideberth.core.say.minima import RULE_OF_THREES, UTM_OVERLAP, SeparationMinima
from wideberth.core.say.place import Altitude, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.errors import BadInput

T0 = 1_900_000_000_000
MINUTE = 60_000
Volumes = tuple[Volume4D, ...]


def volume(
    lat: float = 36.0, lng: float = 35.0, km: float = 10, low: int = 100, high: int = 200, start: int = 0, end: int = 60
) -> Volume4D:
    return Volume4D(
        Circle.at(lat=lat, lng=lng, radius_km=km), Altitude.flight_level(low), Altitude.flight_level(high),
        T0 + start * MINUTE, T0 + end * MINUTE,
    )  # fmt: skip


def meet(mine: Volumes, theirs: Volumes, minima: SeparationMinima = RULE_OF_THREES) -> bool:
    return any(judge(a, b, minima).open for a in mine for b in theirs)


def worked_out(
    mine: Volumes, theirs: Volumes, minima: SeparationMinima = RULE_OF_THREES, *, not_before_ms: int = 0
) -> dict[How, Tried]:
    found = remedies(mine, theirs, minima, not_before_ms=not_before_ms)
    return {each.how: each for each in found}


def found(tried: dict[How, Tried], how: How) -> Found:
    remedy = tried[how].remedy
    assert remedy is not None, tried[how].why
    return remedy


def moved(mine: Volumes, seconds: int = 0, levels: int = 0) -> Volumes:
    """By hand, and not by the module under test."""
    return tuple(
        Volume4D(
            v.shape,
            Altitude(v.lower.mm + levels * 30_480, v.lower.ref), Altitude(v.upper.mm + levels * 30_480, v.upper.ref),
            v.start_ms + seconds * 1000, v.end_ms + seconds * 1000,
        )
        for v in mine
    )  # fmt: skip


MINE = (volume(), volume(36.2, start=60, end=120))
THEIRS = (volume(36.1, 35.15, km=5, low=150, high=250, start=10, end=15),)


def test_every_kind_of_change_keeps_them_apart() -> None:
    tried = worked_out(MINE, THEIRS)
    assert list(tried) == list(How)
    for how in How:
        assert not meet(found(tried, how).volumes, THEIRS), how
    assert meet(MINE, THEIRS), "and as it stands they meet"


def test_later_is_to_the_second() -> None:
    later = found(worked_out(MINE, THEIRS), How.LATER)
    assert later.size == 15 * MINUTE
    assert later.volumes == moved(MINE, seconds=900)
    assert meet(moved(MINE, seconds=899), THEIRS)
    assert later.sentence.startswith("15m later: from 2030-03-17 18:01:40Z to 20:01:40Z")


def test_earlier_begins_nothing_before_it_may() -> None:
    tried = worked_out(MINE, THEIRS, not_before_ms=T0 - 200 * MINUTE)
    earlier = found(tried, How.EARLIER)
    assert earlier.size == 110 * MINUTE, "both volumes must be over before theirs begins"
    assert meet(moved(MINE, seconds=-(110 * 60 - 1)), THEIRS)
    tried = worked_out(MINE, THEIRS, not_before_ms=T0 - 109 * MINUTE)
    assert (tried[How.EARLIER].remedy, tried[How.EARLIER].why) == (None, "it would have to move too far")
    tried = worked_out(MINE, THEIRS, not_before_ms=T0)
    assert tried[How.EARLIER].why == "there is no time to begin earlier"


def test_levels_are_whole_flight_levels() -> None:
    tried = worked_out(MINE, THEIRS)
    higher, lower = found(tried, How.HIGHER), found(tried, How.LOWER)
    assert higher.volumes == moved(MINE, levels=180), "FL280 is 3,000 ft above FL250"
    assert meet(moved(MINE, levels=179), THEIRS)
    assert lower.volumes == moved(MINE, levels=-80), "FL120 is 3,000 ft below FL150"
    assert meet(moved(MINE, levels=-79), THEIRS)
    assert lower.sentence == "8,000 ft lower: FL020 to FL120. One flight level less would not do."


def test_a_shift_that_frees_one_volume_may_not_run_into_another() -> None:
    theirs = (*THEIRS, volume(start=70, end=80), volume(start=81, end=90))
    later = found(worked_out((volume(),), theirs), How.LATER)
    assert later.size == 90 * MINUTE, "15 min would do for the first, and meet the second"
    assert not meet(later.volumes, theirs)
    assert all(meet(moved((volume(),), seconds=s), theirs) for s in range(0, 90 * 60, 7)), "nothing less does"


def test_a_gap_that_is_just_long_enough_is_found() -> None:
    theirs = (volume(start=10, end=15), volume(start=75, end=80))
    assert found(worked_out((volume(),), theirs), How.LATER).size == 15 * MINUTE


def test_what_reaches_from_the_surface_without_limit_can_only_move_in_time_or_place() -> None:
    mine = (Volume4D(MINE[0].shape, Altitude.surface(), Altitude.unlimited(), T0, T0 + 60 * MINUTE),)
    tried = worked_out(mine, THEIRS)
    assert tried[How.LOWER].why.startswith("it reaches down to the surface")
    assert not meet(found(tried, How.LATER).volumes, THEIRS)
    floor = found(tried, How.HIGHER).volumes[0].lower
    assert floor.ref is VerticalRef.AGL, "SFC is 0 AGL: what is raised is above ground"


def test_aside_is_to_the_metre_and_the_nearest_of_eight_bearings() -> None:
    mine, theirs = (volume(),), (volume(35.95, 35.0, km=5),)
    aside = found(worked_out(mine, theirs), How.ASIDE)
    assert aside.bearing_deg == 0, "away from theirs, which lie to the south"
    assert not meet(aside.volumes, theirs)
    shape = aside.volumes[0].shape
    assert isinstance(shape, Circle)
    from_theirs_mm = distance_mm(Circle.at(lat=35.95, lng=35.0, radius_km=1).centre, shape.centre)
    least_mm = 15_000_000 + RULE_OF_THREES.horizontal_mm
    assert least_mm <= from_theirs_mm <= least_mm + 1_001


def test_a_circle_shrinks_to_the_metre_and_not_below_what_was_signed_for() -> None:
    mine, theirs = (volume(),), (volume(36.15, km=5),)
    shrunk = found(worked_out(mine, theirs), How.SHRINK)
    shape = shrunk.volumes[0].shape
    assert isinstance(shape, Circle)
    wider = msgspec.structs.replace(mine[0], shape=Circle(shape.centre, shape.radius_mm + 1_000))
    assert not meet(shrunk.volumes, theirs)
    assert meet((wider,), theirs)
    tried = remedy(How.SHRINK, mine, theirs, RULE_OF_THREES, least_radius_mm=shape.radius_mm + 1_000)
    assert tried.why == "it would be smaller than the least area that was signed for"
    assert remedy(How.SHRINK, mine, theirs, RULE_OF_THREES, least_radius_mm=shape.radius_mm - 1_000).remedy == shrunk


def test_a_ring_has_no_radius_and_what_lies_inside_cannot_shrink_away() -> None:
    ring = Polygon.of((35.9, 34.9), (35.9, 35.1), (36.1, 35.1), (36.1, 34.9))
    mine = (msgspec.structs.replace(MINE[0], shape=ring),)
    assert worked_out(mine, THEIRS)[How.SHRINK].why == "an area of corners has no radius to take from"
    inside = (volume(km=5),)
    assert worked_out(inside, (volume(km=50),))[How.SHRINK].why == "however small, it would still meet the other"


def test_a_split_leaves_out_only_the_time_in_which_they_meet() -> None:
    split = found(worked_out(MINE, THEIRS), How.SPLIT)
    assert split.size == 5 * MINUTE
    assert [((v.start_ms - T0) // MINUTE, (v.end_ms - T0) // MINUTE) for v in split.volumes] == [
        (0, 10), (15, 60), (60, 120)
    ]  # fmt: skip
    assert worked_out((volume(),), (volume(start=-10, end=90),))[How.SPLIT].why.startswith("the other is there all")


def test_with_a_time_minimum_the_gap_is_kept_on_both_sides() -> None:
    minima = SeparationMinima("WITH_TIME", 0, 0, 120_000)
    tried = worked_out((volume(),), (volume(start=20, end=30),), minima)
    assert found(tried, How.LATER).size == 32 * MINUTE
    assert [(v.end_ms - v.start_ms) // MINUTE for v in found(tried, How.SPLIT).volumes] == [18, 28]


def test_nothing_is_proposed_where_nothing_meets() -> None:
    far = (volume(50, 10),)
    assert remedies(MINE, far, RULE_OF_THREES) == ()
    with pytest.raises(BadInput, match="these two keep apart"):
        remedy(How.LATER, MINE, far, RULE_OF_THREES)


def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEASURED_MAX", 20 * 11)
    tried = worked_out((volume(),), tuple(volume(36.0 + n / 1000, km=5) for n in range(30)))
    assert tried[How.LATER].why == "there are too many volumes to work it out here"


def test_the_largest_notices_of_circles_are_within_it() -> None:
    mine, theirs = (
        tuple(volume(36 + n / 50, lng, km=8, start=10 * n, end=10 * n + 20) for n in range(100)) for lng in (35.0, 35.1)
    )
    later = found({each.how: each for each in (remedy(How.LATER, mine, theirs, RULE_OF_THREES),)}, How.LATER)
    assert not meet(later.volumes, theirs)
    assert meet(moved(mine, seconds=later.size // 1000 - 1), theirs)


def test_what_does_not_stand_up_to_the_check_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._WAYS[How.LATER]

    def a_second_short(work: module._Work) -> tuple[Found, list[Volumes]]:
        found, less = real(work)
        return msgspec.structs.replace(found, volumes=less[0]), less

    def a_second_long(work: module._Work) -> tuple[Found, list[Volumes]]:
        found, _ = real(work)
        return msgspec.structs.replace(found, volumes=moved(found.volumes, seconds=1)), [found.volumes]

    for wrong in (a_second_short, a_second_long):
        monkeypatch.setitem(module._WAYS, How.LATER, wrong)
        assert worked_out(MINE, THEIRS)[How.LATER].why == "what was found did not stand up to the check"


@dataclass
class Case:
    mine: Volumes
    theirs: Volumes


def _corridor(v: Volume4D, lat: float, lng: float) -> Volume4D:
    assert isinstance(v.shape, Circle)
    there = Circle.at(lat=lat, lng=lng, radius_km=1).centre
    return msgspec.structs.replace(v, shape=Corridor((v.shape.centre, there), v.shape.radius_mm))


near = st.floats(-0.15, 0.15).map(lambda x: round(x, 4))
volumes = st.builds(
    lambda lat, lng, km, low, thick, start, long: volume(36 + lat, 35 + lng, km, low, low + thick, start, start + long),
    near, near, st.integers(1, 15), st.integers(20, 300), st.integers(0, 80), st.integers(0, 200), st.integers(1, 90),
)  # fmt: skip
corridors = st.builds(lambda v, lat, lng: _corridor(v, 36 + lat, 35.3 + lng), volumes, near, near)
lists = st.lists(st.one_of(volumes, corridors), min_size=1, max_size=3).map(tuple)


@settings(max_examples=60, deadline=None)
@given(st.builds(Case, lists, lists), st.sampled_from([RULE_OF_THREES, UTM_OVERLAP]))
def test_whatever_is_found_keeps_apart_and_a_step_less_does_not(case: Case, minima: SeparationMinima) -> None:
    if not meet(case.mine, case.theirs, minima):
        assert remedies(case.mine, case.theirs, minima) == ()
        return
    for each in remedies(case.mine, case.theirs, minima, not_before_ms=T0 - 86_400_000):
        # The least step that the arithmetic finds must always stand up to the predicate.
        assert each.why != "what was found did not stand up to the check", each.how
        if each.remedy is None:
            continue
        assert not meet(each.remedy.volumes, case.theirs, minima), each.how
        match each.how:
            case How.LATER | How.EARLIER:
                sign = 1 if each.how is How.LATER else -1
                assert meet(moved(case.mine, seconds=sign * (each.remedy.size // 1000 - 1)), case.theirs, minima)
            case How.HIGHER | How.LOWER:
                sign = 1 if each.how is How.HIGHER else -1
                assert meet(moved(case.mine, levels=sign * (each.remedy.size // 30_480 - 1)), case.theirs, minima)
