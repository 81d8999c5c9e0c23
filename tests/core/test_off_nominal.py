# SPDX-License-Identifier: Apache-2.0
"""Off-nominal (domain.md G7): a notice whose activity overran, lost its link or is in an emergency may only grow."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pair import Pair
from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.effects import is_urgent
from wideberth.core.feed import Weigh
from wideberth.core.inner import Inner, PlanGiven
from wideberth.core.say.growth import covers, uncovered
from wideberth.core.say.notice import check_revision
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.plan import Plan
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.core.say.words import Cause, NoticeType, OffNominal, Precedence, Terms
from wideberth.core.tells import Heard, Level, Said
from wideberth.core.warned import Exposed
from wideberth.errors import BadInput

BLUE, GREEN = "BLUE/watch-1", "GREEN/watch-1"
MINUTE = 60_000
A, B, C, D = (Point.at(35 + n / 10, 35) for n in range(4))
LOW, HIGH = Altitude.flight_level(50), Altitude.flight_level(100)


def volume(
    shape: Any = None, lower: Altitude = LOW, upper: Altitude = HIGH, start: int = 10, end: int = 20
) -> Volume4D:
    return Volume4D(shape or Circle(A, 1000), lower, upper, start, end)


WIDER = [
    volume(Circle(A, 1000)), volume(Circle(A, 1001)), volume(lower=Altitude.flight_level(49)), volume(end=21),
    volume(lower=Altitude.surface()), volume(upper=Altitude.unlimited()), volume(upper=Altitude.flight_level(101)),
    volume(start=9),
]  # fmt: skip
NARROWER = [
    volume(Circle(A, 999)), volume(Circle(Point(A.lat_ndeg + 1, A.lng_ndeg), 1_000_000)), volume(start=11),
    volume(end=19), volume(lower=Altitude.flight_level(51)), volume(upper=Altitude.flight_level(99)),
    volume(lower=Altitude(LOW.mm - 1, VerticalRef.AMSL)), volume(upper=Altitude(HIGH.mm + 1, VerticalRef.AMSL)),
    volume(Polygon((A, B, Point.at(35, 36)))),
]  # fmt: skip


@pytest.mark.parametrize("new", WIDER)
def test_what_is_no_smaller_in_anything_covers(new: Volume4D) -> None:
    assert covers(new, volume())


@pytest.mark.parametrize("new", NARROWER)
def test_what_is_smaller_by_one_millimetre_or_millisecond_or_elsewhere_does_not(new: Volume4D) -> None:
    assert not covers(new, volume())


def test_a_corridor_may_grow_wider_and_on_at_both_ends_and_a_polygon_only_in_height_and_time() -> None:
    old = volume(Corridor((B, C), 1000))
    assert covers(volume(Corridor((A, B, C, D), 1000)), old)
    assert covers(volume(Corridor((B, C), 2000)), old)
    assert not covers(volume(Corridor((B, D, C), 1000)), old)
    assert not covers(volume(Corridor((A, B, C), 999)), old)
    ring = Polygon((A, B, Point.at(35, 36)))
    assert covers(volume(ring, end=99), volume(ring))
    assert not covers(volume(Polygon((A, B, Point.at(35, 37)))), volume(ring))


bands = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(sorted)


@st.composite
def some(draw: st.DrawFn) -> Volume4D:
    low, high = draw(bands)
    start = draw(st.integers(0, 3))
    lower, upper = Altitude.flight_level(low), Altitude.flight_level(high)
    return volume(Circle(draw(st.sampled_from((A, B))), draw(st.integers(1, 3))), lower, upper, start,
                  start + draw(st.integers(1, 3)))  # fmt: skip


@given(some(), some(), some())
def test_covering_is_an_order(one: Volume4D, two: Volume4D, three: Volume4D) -> None:
    assert covers(one, one)
    assert not (covers(one, two) and covers(two, three)) or covers(one, three)
    assert not (covers(one, two) and covers(two, one)) or one == two


def terms(*volumes: Volume4D, **more: Any) -> Terms:
    known = {"expires_ms": 100, "precedence": Precedence.IMMEDIATE, **more}
    made = Pair.terms(Pair())
    return msgspec.structs.replace(made, volumes=volumes, **known)


def test_every_earlier_volume_stays_covered_and_any_may_be_added() -> None:
    before = terms(volume(), volume(Circle(B, 5)))
    assert uncovered(before, terms(volume(Circle(B, 6)), volume(Circle(C, 1)), volume(end=30))) == []
    assert uncovered(before, terms(volume(), volume(Circle(C, 9)))) == [2]
    grown = check_revision("offnominal", before, terms(volume(), volume(Circle(B, 5)), volume(end=99)), now_ms=0)
    assert grown == []
    for wrong in (
        terms(volume()),
        terms(*before.volumes, volume(end=99), expires_ms=99),
        terms(*before.volumes, volume(end=99), precedence=Precedence.ROUTINE),
        terms(*before.volumes, volume(end=99), type=NoticeType.TRANSIT),
    ):
        (flaw,) = check_revision("offnominal", before, wrong, now_ms=0)
        assert flaw.fatal
        assert flaw.rule == "G7"


# --- between two real cores ---


def give(pair: Pair) -> str:
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, pair.terms(start_ms=0, last_ms=30 * MINUTE)), pair.now)
    pair.settle()
    ref: str = [t for t in pair.blue.told if isinstance(t, Said)][-1].ref
    return ref


def grow(pair: Pair, ref: str, cause: Cause, volumes: tuple[Volume4D, ...]) -> None:
    thread = pair.blue.node.lines[pair.ch].board.find(ref)
    assert thread is not None
    assert thread.terms is not None
    ends = max(v.end_ms for v in volumes)
    new = msgspec.structs.replace(thread.terms, volumes=volumes, expires_ms=max(thread.terms.expires_ms, ends))
    pair.blue.step(ev.DeclareOffNominal(pair.ch, BLUE, ref, cause, new), pair.now)
    pair.settle()


def newest(pair: Pair, ref: str, name: str = "GREEN") -> Any:
    thread = pair.ends[name].node.lines[pair.ch].board.find(ref)
    assert thread is not None
    return thread


@pytest.mark.parametrize("cause", list(Cause))
def test_it_rings_at_once_and_voids_no_acknowledgement_of_the_version_before(cause: Cause) -> None:
    pair = Pair()
    ref = give(pair)
    pair.green.step(ev.Acknowledge(pair.ch, GREEN, ref), pair.now)
    pair.settle()
    first = newest(pair, ref).newest
    pair.green.rung.clear()
    (old,) = first.terms.volumes
    grow(pair, ref, cause, (old, msgspec.structs.replace(old, shape=Circle(Point.at(36.4, 37.2), 500_000))))
    (rung,) = [t for t in pair.green.rung if isinstance(t, Heard)]
    assert (rung.kind, rung.level, rung.version) == ("offnominal", Level.RING, 2)
    assert rung.sentence.startswith(f"OFF-NOMINAL, {cause}: BLUE's {ref} may reach farther; version 2 holds.")
    assert "LATE" not in rung.sentence
    thread = newest(pair, ref)
    assert thread.precedence is (Precedence.FLASH if cause is Cause.EMERGENCY else Precedence.IMMEDIATE)
    assert [s.step for s in thread.steps_of(first.entry, "GREEN")] == ["DELIVERED", "ACKNOWLEDGED"]
    assert "void" not in rung.facts


def test_a_plan_that_the_grown_volume_meets_is_warned_of_in_the_very_step_in_which_it_is_heard() -> None:
    pair = Pair()
    ref = give(pair)
    inner = Inner(draw=False)
    far = volume(
        Circle(Point.at(36.6, 37.15), 1_000_000), Altitude.surface(), HIGH, pair.now.t_ms, pair.now.t_ms + MINUTE
    )
    told = list(inner.step(PlanGiven(Plan("survey", "survey", Mode.EXERCISE, (far,))), pair.now).tell)
    for fed in pair.green.fed:
        told += inner.step(fed, pair.now).tell  # type: ignore[arg-type]
    assert not told, "the notice as given keeps apart from it"
    pair.later(MINUTE // 2)
    (old,) = newest(pair, ref).terms.volumes
    before = len(pair.green.fed)
    grow(pair, ref, Cause.LOST_LINK, (msgspec.structs.replace(old, shape=Circle(old.shape.centre, 40_000_000)),))
    fresh = pair.green.fed[before:]
    assert [f.version for f in fresh if isinstance(f, Weigh)] == [2]
    for fed in fresh:
        told += inner.step(fed, Now(pair.now.t_ms, pair.now.mono_ms)).tell  # type: ignore[arg-type]
    assert [(t.plan, t.ref, t.version) for t in told if isinstance(t, Exposed)] == [("survey", ref, 2)]


def test_one_that_shrinks_is_not_said_and_one_of_another_author_is_kept_and_has_no_effect() -> None:
    pair = Pair()
    ref = give(pair)
    (old,) = newest(pair, ref).terms.volumes
    with pytest.raises(BadInput, match="may only grow"):
        grow(pair, ref, Cause.OVERRUN, (msgspec.structs.replace(old, shape=Circle(old.shape.centre, 9_000_000),
                                                                end_ms=old.end_ms + MINUTE),))  # fmt: skip
    assert newest(pair, ref, "BLUE").newest.number == 1
    assert is_urgent(OffNominal(ref, "a" * 64, 2, Cause.OVERRUN, newest(pair, ref).terms))


def test_a_small_volume_of_an_emergency_is_not_held_back_by_the_least_area() -> None:
    pair = Pair()
    ref = give(pair)
    (old,) = newest(pair, ref).terms.volumes
    grow(pair, ref, Cause.EMERGENCY, (old, msgspec.structs.replace(old, shape=Circle(Point.at(36, 36), 200_000))))
    said = [t for t in pair.blue.told if isinstance(t, Said)][-1]
    assert any("smaller than agreed" in warning for warning in said.facts["warnings"])
    assert newest(pair, ref).newest.number == 2
