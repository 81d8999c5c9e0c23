# SPDX-License-Identifier: Apache-2.0
"""What was warned of comes nearer (domain.md G5): told again once for each threshold, without any new message."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.core.test_inner import FAR, HERE, HOUR, RULES, plan, run, weigh
from wideberth.cli.alarm import Alarm
from wideberth.cli.board import conflict
from wideberth.cli.watch import sentence_of
from wideberth.core.feed import Forget
from wideberth.core.inner import ASLEEP_MS, Inner, PlanGiven, Tick
from wideberth.core.nearing import BEFORE_MS
from wideberth.core.say.geodesy import point_towards
from wideberth.core.tells import Level
from wideberth.core.warned import Crossed, Exposed, Nearer

MINUTE = 60_000
START = 10 * HOUR


def later(**more: Any) -> Any:
    from tests.core.test_inner import volume

    return weigh(volumes=(volume(start=START, end=START + HOUR),), expires_ms=START + HOUR, **more)


def mine() -> PlanGiven:
    return PlanGiven(plan(start=START, end=START + HOUR))


def nearer(told: list[Any]) -> list[int]:
    return [t.before_ms for t in told if isinstance(t, Nearer)]


def pass_time(inner: Inner, since: int, until: int, step: int = MINUTE) -> list[Any]:
    return [t for at in range(since, until, step) for t in run(inner, Tick(), t_ms=at)]


def test_an_exposure_is_told_again_an_hour_a_quarter_and_five_minutes_before_and_when_it_begins() -> None:
    inner = Inner(draw=False)
    (told,) = run(inner, mine(), later())
    again = pass_time(inner, 0, START + HOUR)
    assert nearer(again) == list(BEFORE_MS)
    assert all(t.level is Level.RING and t.not_covered == RULES.not_covered for t in again if isinstance(t, Nearer))
    assert {(t.ch, t.ref, t.plan, t.start_ms) for t in again if isinstance(t, Nearer)} == {
        (told.ch, told.ref, told.plan, told.start_ms)
    }


def test_wake_says_exactly_when_and_a_tick_a_millisecond_earlier_tells_nothing() -> None:
    inner = Inner(draw=False)
    (told,) = run(inner, mine(), later())
    for before in BEFORE_MS:
        at = inner.wake_ms()
        assert at == told.start_ms - before
        assert run(inner, Tick(), t_ms=at - 1) == []
        assert nearer(run(inner, Tick(), t_ms=at)) == [before]
    assert inner.wake_ms() == START + HOUR, "then the notice expires"


def test_what_is_first_told_inside_a_threshold_is_not_told_twice() -> None:
    inner = Inner(draw=False)
    at = START - 10 * MINUTE
    run(inner, mine(), t_ms=at)
    (told,) = run(inner, later(), t_ms=at)
    assert isinstance(told, Exposed)
    assert nearer(pass_time(inner, at, START + HOUR)) == [5 * MINUTE, 0]


def test_a_clock_that_leaps_tells_the_nearest_and_one_set_back_repeats_nothing() -> None:
    inner = Inner(draw=False)
    run(inner, mine(), later())
    assert nearer(run(inner, Tick(), t_ms=START - 4 * MINUTE)) == [5 * MINUTE]
    assert nearer(pass_time(inner, START - 2 * HOUR, START - MINUTE)) == []
    assert nearer(run(inner, Tick(), t_ms=START)) == [0]
    assert nearer(pass_time(inner, START - 2 * HOUR, START + 30 * MINUTE)) == []


def test_a_notice_that_expired_by_a_wrong_clock_and_came_back_repeats_no_threshold() -> None:
    inner = Inner(draw=False)
    run(inner, mine(), later())
    assert nearer(run(inner, Tick(), t_ms=START - 4 * MINUTE)) == [5 * MINUTE]
    run(inner, Tick(), t_ms=START + 2 * HOUR)
    assert inner.exposures() == ()
    back = run(inner, Tick(), t_ms=START - 4 * MINUTE)
    assert [type(t) for t in back] == [Exposed]
    assert nearer(pass_time(inner, START - 4 * MINUTE, START)) == []
    assert nearer(run(inner, Tick(), t_ms=START)) == [0]


def test_one_that_begins_at_another_time_is_told_by_that_time() -> None:
    inner = Inner(draw=False)
    run(inner, mine(), later())
    pass_time(inner, 0, START - 30 * MINUTE)
    from tests.core.test_inner import volume

    moved = weigh(version=2, volumes=(volume(start=START + 10 * MINUTE, end=START + HOUR),), expires_ms=START + HOUR)
    run(inner, moved, t_ms=START - 30 * MINUTE)
    assert nearer(pass_time(inner, START - 30 * MINUTE, START + HOUR)) == [15 * MINUTE, 5 * MINUTE, 0]


def test_what_is_over_comes_no_nearer() -> None:
    inner = Inner(draw=False)
    run(inner, mine(), later())
    run(inner, Forget("x", "BL-1"))
    assert pass_time(inner, 0, START + HOUR) == []
    run(inner, Tick(), t_ms=START + HOUR + 2 * ASLEEP_MS)
    assert inner.wake_ms() is None


def test_a_crossing_of_two_notices_comes_nearer_likewise() -> None:
    inner = Inner(draw=False)
    (told,) = run(inner, later(), later(ref="GR-1", author="GREEN"))
    assert isinstance(told, Crossed)
    again = pass_time(inner, 0, START + HOUR)
    assert nearer(again) == list(BEFORE_MS)
    assert {(t.other_ref, t.plan) for t in again if isinstance(t, Nearer)} == {(told.other.ref, "")}


@pytest.mark.parametrize(("metres", "change", "level"), [(0, "GREW", Level.RING), (12_000, "EASED", Level.NOTE)])
def test_an_own_plan_that_changed_says_whether_the_risk_grew_and_rings_only_then(
    metres: int, change: str, level: Level
) -> None:
    inner = Inner(draw=False)
    shifted = point_towards(HERE, 90, 11_500_000 // 1000)
    (first,) = run(inner, weigh(), PlanGiven(plan(at=shifted)))
    assert (first.change, first.level) == ("APPEARED", Level.RING)
    (again,) = run(inner, PlanGiven(plan(at=point_towards(HERE, 90, metres) if metres else HERE)))
    assert (again.change, again.level) == (change, level)
    assert run(inner, PlanGiven(plan(at=FAR)))[0].__class__.__name__ == "Eased"


def test_each_threshold_rings_at_a_terminal_whoever_heard_the_one_before_and_ends_with_the_exposure() -> None:
    inner, alarm = Inner(draw=False), Alarm()
    first = run(inner, mine(), later())
    tells = [json.loads(msgspec.json.encode(t)) for t in (*first, *pass_time(inner, 0, START + HOUR - MINUTE))]
    for tell in tells:
        assert alarm.take(tell), tell
        assert not alarm.take(tell)
        alarm.own()
    assert len(tells) == 1 + len(BEFORE_MS)
    alarm = Alarm()
    for tell in tells:
        alarm.take(tell)
    for over in run(inner, PlanGiven(plan(at=FAR, start=START, end=START + HOUR)), t_ms=START + HOUR - MINUTE):
        alarm.take(json.loads(msgspec.json.encode(over)))
    assert alarm.ringing == ()


def test_whatever_is_warned_of_names_who_is_not_covered() -> None:
    inner = Inner(draw=False)
    told = [*run(inner, mine(), later(), later(ref="GR-1", author="GREEN")), *pass_time(inner, 0, START + MINUTE)]
    assert {type(t) for t in told} == {Exposed, Crossed, Nearer}
    for tell in told:
        assert "Not covered: non-party air defence in the area." in sentence_of(json.loads(msgspec.json.encode(tell)))
    assert "the agreement names nobody" in conflict({"tell": "exposed", "sentence": "x"})
