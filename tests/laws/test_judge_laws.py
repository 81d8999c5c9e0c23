# SPDX-License-Identifier: Apache-2.0
"""Laws of the predicate, for any two volumes anywhere: it is symmetric, nothing that grows makes a conflict go away, it
does not matter where in time or in what order, and two volumes that share a point conflict."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wideberth.core.judge import batch
from wideberth.core.judge.columns import Columns
from wideberth.core.judge.horizontal import least_distance
from wideberth.core.judge.separation import Answer, judge
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D

ANYWHERE = st.one_of(
    st.builds(Point, st.integers(-90 * 10**9, 90 * 10**9), st.integers(-180 * 10**9, 180 * 10**9)),
    st.sampled_from([Point.at(90, 5), Point.at(-90, 0), Point.at(0, 180), Point.at(89.99, -180), Point.at(-17, 180)]),
)
BEARING = st.floats(0, 360)


@st.composite
def shapes(draw: st.DrawFn, near: Point) -> Shape:
    centre = point_towards(near, draw(BEARING), draw(st.floats(0, 20_000)))
    kind = draw(st.sampled_from("cpr"))
    if kind == "c":
        return Circle(centre, draw(st.integers(1, 20_000_000)))
    count = draw(st.integers(3, 6))
    around = [point_towards(centre, 360 * i / count, draw(st.floats(50, 20_000))) for i in range(count)]
    assume(len(set(around)) == count)
    return Polygon(tuple(around)) if kind == "p" else Corridor(tuple(around), draw(st.integers(1, 3_000_000)))


@st.composite
def bands(draw: st.DrawFn) -> tuple[Altitude, Altitude]:
    ref = draw(st.sampled_from([VerticalRef.AMSL, VerticalRef.W84, VerticalRef.FL, VerticalRef.AGL]))
    low = draw(st.integers(-100_000, 20_000_000))
    lower = draw(st.sampled_from([Altitude(low, ref), Altitude.surface()]))
    return lower, draw(st.sampled_from([Altitude(low + draw(st.integers(1, 5_000_000)), ref), Altitude.unlimited()]))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Volume4D, Volume4D]:
    near, found = draw(ANYWHERE), []
    for _ in range(2):
        lower, upper = draw(bands())
        start = draw(st.integers(0, 1000))
        found.append(Volume4D(draw(shapes(near)), lower, upper, start, start + draw(st.integers(1, 1000))))
    return found[0], found[1]


MINIMA = st.builds(
    SeparationMinima, st.just("M"), st.integers(0, 20_000_000), st.integers(0, 3_000_000), st.integers(0, 200)
)


def grown(v: Volume4D, by_mm: int) -> Volume4D:
    shape: Shape
    match v.shape:
        case Circle(centre, radius):
            shape = Circle(centre, radius + by_mm)
        case Corridor(route, half):
            shape = Corridor(route, half + by_mm)
        case Polygon():
            shape = v.shape
    lower = v.lower if v.lower.ref is VerticalRef.SFC else Altitude(max(v.lower.mm - by_mm, -1_000_000), v.lower.ref)
    upper = v.upper if v.upper.ref is VerticalRef.UNL else Altitude(v.upper.mm + by_mm, v.upper.ref)
    return Volume4D(shape, lower, upper, max(0, v.start_ms - by_mm), v.end_ms + by_mm)


@given(pairs(), MINIMA)
@settings(max_examples=300, deadline=None)
def test_it_does_not_matter_who_asks(pair: tuple[Volume4D, Volume4D], minima: SeparationMinima) -> None:
    there, back = judge(*pair, minima, measure=True), judge(*pair[::-1], minima, measure=True)
    assert there.answer is back.answer or Answer.TOO_CLOSE_TO_CALL in (there.answer, back.answer)
    assert there.vertical_mm == back.vertical_mm
    assert there.time_overlap_ms == back.time_overlap_ms
    assert there.horizontal_mm is not None
    assert back.horizontal_mm is not None
    assert abs(there.horizontal_mm - back.horizontal_mm) <= there.error_mm + back.error_mm


@given(pairs(), MINIMA, st.integers(1, 500), st.integers(0, 5_000_000))
@settings(max_examples=300, deadline=None)
def test_widening_anything_never_removes_a_conflict(
    pair: tuple[Volume4D, Volume4D], minima: SeparationMinima, by: int, more: int
) -> None:
    a, b = pair
    assume(judge(a, b, minima).answer is Answer.CONFLICT)
    assert judge(grown(a, by), b, minima).open
    assert judge(a, grown(b, by), minima).open
    wider = msgspec.structs.replace(
        minima, horizontal_mm=minima.horizontal_mm + more, vertical_mm=minima.vertical_mm + more,
        time_ms=minima.time_ms + more,
    )  # fmt: skip
    assert judge(a, b, wider).open
    assert judge(a, b, minima, pressure_margin_mm=610_000 + more).open


@given(pairs())
@settings(max_examples=150, deadline=None)
def test_a_volume_conflicts_with_itself_under_any_minima(pair: tuple[Volume4D, Volume4D]) -> None:
    for v in pair:
        assert judge(v, v, SeparationMinima("M", 0, 0)).open


@given(ANYWHERE, st.data())
@settings(max_examples=200, deadline=None)
def test_two_areas_that_share_a_point_are_not_apart(near: Point, data: st.DataObject) -> None:
    """A dot on a corner of one, or on the rim of a disc, is in it; another area drawn from that dot meets the first."""
    a = data.draw(shapes(near))
    shared = a.centre if isinstance(a, Circle) else (a.corners if isinstance(a, Polygon) else a.route)[0]
    if isinstance(a, Circle):
        shared = point_towards(shared, data.draw(BEARING), data.draw(st.floats(0, 0.999)) * a.radius_mm / 1000)
    b = Polygon((shared, point_towards(shared, 10, 4_000), point_towards(shared, 80, 3_000)))
    apart = least_distance(a, b)
    assert apart.meet or apart.gap_m <= apart.error_m


@given(ANYWHERE, ANYWHERE, st.data())
@settings(max_examples=100, deadline=None)
def test_growing_a_reach_by_the_distance_makes_two_areas_meet(p: Point, q: Point, data: st.DataObject) -> None:
    a, b = data.draw(shapes(p)), data.draw(shapes(q))
    apart = least_distance(a, b)
    assume(not apart.meet and 0 < apart.gap_m < 4_000_000)
    if isinstance(a, Circle):
        wider: Shape = Circle(a.centre, a.radius_mm + round(apart.gap_m * 1000) + 5)
    elif isinstance(a, Corridor):
        wider = Corridor(a.route, a.half_width_mm + round(apart.gap_m * 1000) + 5)
    else:
        return
    assert least_distance(wider, b).gap_m < 0


def later(v: Volume4D, by_ms: int) -> Volume4D:
    return msgspec.structs.replace(v, start_ms=v.start_ms + by_ms, end_ms=v.end_ms + by_ms)


@given(pairs(), MINIMA, st.integers(0, 2**52))
@settings(max_examples=150, deadline=None)
def test_the_same_pair_at_another_time_has_the_same_verdict(
    pair: tuple[Volume4D, Volume4D], minima: SeparationMinima, by_ms: int
) -> None:
    """To the last digit: time is in whole milliseconds, and nothing but the differences counts."""
    now = judge(*pair, minima, measure=True)
    then = judge(later(pair[0], by_ms), later(pair[1], by_ms), minima, measure=True)
    assert then == msgspec.structs.replace(now, start_ms=now.start_ms + by_ms, end_ms=now.end_ms + by_ms)


@given(pairs(), MINIMA, st.integers(0, 5), st.booleans())
@settings(max_examples=200, deadline=None)
def test_it_does_not_matter_at_which_corner_a_ring_begins_nor_which_way_round_it_goes(
    pair: tuple[Volume4D, Volume4D], minima: SeparationMinima, first: int, back: bool
) -> None:
    a, b = pair
    match a.shape:
        case Polygon(corners):
            turned = corners[first % len(corners) :] + corners[: first % len(corners)]
            other: Shape = Polygon(turned[::-1] if back else turned)
        case Corridor(route, half):
            other = Corridor(route[::-1], half)
        case Circle():
            other = a.shape
    one = judge(a, b, minima, measure=True)
    again = judge(msgspec.structs.replace(a, shape=other), b, minima, measure=True)
    assert one.answer is again.answer or Answer.TOO_CLOSE_TO_CALL in (one.answer, again.answer)
    assert one.horizontal_mm is not None
    assert again.horizontal_mm is not None
    assert abs(one.horizontal_mm - again.horizontal_mm) <= one.error_mm + again.error_mm


@st.composite
def crowds(draw: st.DrawFn) -> list[Volume4D]:
    """Six to twelve volumes at one place and time, so that many of them meet."""
    near, found = draw(ANYWHERE), []
    for _ in range(draw(st.integers(6, 12))):
        lower, upper = draw(bands())
        start = draw(st.integers(0, 1000))
        found.append(Volume4D(draw(shapes(near)), lower, upper, start, start + draw(st.integers(1, 1000))))
    return found


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "plain"])
@given(crowds(), MINIMA, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_many_at_once_are_the_same_pairs_in_whatever_order_they_come(
    compiled: bool, crowd: list[Volume4D], minima: SeparationMinima, chance: Random
) -> None:
    """And they are the pairs that the judge finds open, each against each."""
    order = list(range(len(crowd)))
    chance.shuffle(order)

    def found(numbers: list[int]) -> set[frozenset[int]]:
        columns = Columns.of_volumes([crowd[n] for n in numbers])
        many = batch.conflicts(columns, minima, compiled=compiled)
        return {frozenset((numbers[int(i)], numbers[int(j)])) for i, j in many.pairs}

    sure, hardly = set(), set()
    for i in range(len(crowd)):
        for j in range(i):
            verdict = judge(crowd[i], crowd[j], minima)
            if verdict.answer is Answer.CONFLICT:
                sure.add(frozenset((i, j)))
            elif verdict.open:
                hardly.add(frozenset((i, j)))
    for numbers in (list(range(len(crowd))), order):
        assert sure <= found(numbers) <= sure | hardly
