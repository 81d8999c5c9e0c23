# SPDX-License-Identifier: Apache-2.0
"""Nobody waits on one man: alarms climb, and ring until somebody owns them (domain.md B6, E8, SC2)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.desk.test_people import L1, S1, T0, W1, W2
from wideberth.core.desk.escalation import (
    AGAIN_MS,
    LADDERS,
    MOVES,
    RINGS,
    Escalation,
    Event,
    How,
    Page,
    State,
    Urgency,
)
from wideberth.core.desk.people import Person, Role, Roster, Shift
from wideberth.errors import BadInput, NotFound

DAY = 86_400_000
OBSERVER = Person("O1", Role.OBSERVER)


def desk(*on_shift: Person, backup: Person | None = W2) -> Escalation:
    shifts = [Shift(p.name, T0, T0 + DAY) for p in on_shift]
    if backup is not None:
        shifts.append(Shift(backup.name, T0, T0 + DAY, backup=True))
    return Escalation(Roster([W1, W2, S1, L1, OBSERVER], shifts))


def run(made: Escalation, until_ms: int) -> list[Page]:
    """Tick whenever the desk asks to be woken, and never otherwise."""
    pages: list[Page] = []
    while (wake := made.wake_ms()) is not None and wake <= until_ms:
        called, _ = made.tick(wake)
        pages += called
    return pages


def test_a_flash_rings_all_on_shift_at_once_and_climbs_while_nobody_takes_it() -> None:
    made = desk(W1)
    pages, log = made.rang("BLU-0001-E", Urgency.FLASH, "people of ours in your volume", T0)
    assert [(p.person, p.how) for p in pages] == [("W1", How.RING), ("W1", How.PHONE_CARD)]
    pages = run(made, T0 + 180_000)
    times = {(p.person, p.how): p.at_ms - T0 for p in reversed(pages)}
    assert times["S1", How.RING] == 30_000
    assert times["W2", How.RING] == 60_000
    assert times["L1", How.RING] == 120_000
    assert times["W1", How.PHONE_SCRIPT] == 180_000
    assert not [p for p in pages if p.person == "O1"], "an observer is never called"
    assert log[0].event == Event.RANG


def test_the_absent_officer_of_other_traffic_costs_a_minute_and_the_supervisor_comes_after_two() -> None:
    made = desk(W1, W2, backup=None)
    pages, _ = made.rang("BLU-0002-K", Urgency.OTHER, "a routine notice", T0)
    assert [p.person for p in pages] == ["W1"]
    assert [(p.person, p.at_ms - T0) for p in run(made, T0 + 120_000)] == [("W2", 60_000), ("S1", 120_000)]


def test_whoever_takes_it_ends_the_ringing_and_whoever_hands_it_on_starts_it_again() -> None:
    made = desk(W1)
    made.rang("X", Urgency.FLASH, "x", T0)
    made.taken("X", "W2", T0 + 10_000)
    assert run(made, T0 + DAY) == []
    assert made.wake_ms() is None
    with pytest.raises(BadInput, match="W2 has it"):
        made.handed_on("X", "W1", T0 + 20_000)
    pages, _ = made.handed_on("X", "W2", T0 + 20_000)
    assert [p.person for p in pages] == ["W1", "W1"]
    assert run(made, T0 + 50_000)[0].person == "S1"


def test_an_owner_who_does_not_answer_in_time_is_overdue_and_everybody_hears_it() -> None:
    made = desk(W1)
    made.rang("X", Urgency.FLASH, "x", T0, answer_by_ms=T0 + 120_000)
    made.taken("X", "W1", T0 + 1_000)
    pages = run(made, T0 + 300_000)
    assert made.items["X"].state is State.OVERDUE
    assert made.items["X"].owner == "W1"
    assert {p.person for p in pages} == {"W1", "W2", "S1", "L1"}
    assert {p.at_ms - T0 for p in pages} == {120_000, 180_000, 240_000, 300_000}
    made.answered("X", "S1", T0 + 300_001)
    assert run(made, T0 + DAY) == []


def test_a_new_version_is_one_alarm_with_one_owner() -> None:
    made = desk(W1)
    made.rang("X", Urgency.URGENT, "version 1", T0)
    made.taken("X", "W1", T0 + 5_000)
    pages, _ = made.rang("X", Urgency.URGENT, "version 2", T0 + 9_000)
    assert [(p.person, p.how) for p in pages] == [("W1", How.RING)]
    assert len(made.items) == 1
    made.answered("X", "W1", T0 + 10_000)
    pages, _ = made.rang("X", Urgency.URGENT, "version 3", T0 + 20_000)
    assert pages
    assert made.items["X"].state is State.RINGING


def test_what_is_over_rings_no_more_and_is_logged_with_its_reason() -> None:
    made = desk(W1)
    made.rang("X", Urgency.FLASH, "x", T0)
    (line,) = made.over("X", T0 + 1, "superseded by version 2")
    assert (line.state, line.note) == (State.OVER, "superseded by version 2")
    assert made.wake_ms() is None


def test_a_desk_that_slept_through_the_ladder_calls_each_person_once() -> None:
    made = desk(W1)
    made.rang("X", Urgency.FLASH, "x", T0)
    pages, log = made.tick(T0 + 3_600_000)
    assert sorted((p.person, p.how) for p in pages) == sorted({(p.person, p.how) for p in pages})
    assert [line.note for line in log if "rung" in line.note][-1].startswith("rung 6")
    assert made.wake_ms() == T0 + 3_600_000 + AGAIN_MS


def test_with_nobody_on_shift_everybody_is_called() -> None:
    made = Escalation(Roster([W1, S1, OBSERVER], []))
    pages, _ = made.rang("X", Urgency.FLASH, "x", T0)
    assert {p.person for p in pages} == {"W1", "S1"}


def test_only_people_on_the_roster_own_alarms_and_only_alarms_that_ring() -> None:
    made = desk(W1)
    with pytest.raises(NotFound):
        made.taken("X", "W1", T0)
    made.rang("X", Urgency.FLASH, "x", T0)
    for stranger in ("O1", "nobody"):
        with pytest.raises(BadInput, match="not on the roster"):
            made.taken("X", stranger, T0)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_cell_of_the_table_is_a_move_or_a_named_fault(state: State, event: Event) -> None:
    made = desk(W1)
    made.rang("X", Urgency.FLASH, "x", T0)
    item = made.items["X"]
    item.state = state
    if (state, event) in MOVES:
        made._move(item, event)
        assert item.state is MOVES[state, event]
        if event is Event.OUT_OF_TIME:
            assert item.state is State.OVERDUE, "time alone leads nowhere else"
    else:
        with pytest.raises(BadInput, match="cannot be"):
            made._move(item, event)
        assert item.state is state


def test_ladders_climb_and_no_path_waits_longer_than_two_minutes_for_one_person() -> None:
    for ladder in LADDERS.values():
        times = [rung.after_ms for rung in ladder]
        assert times == sorted(times)
        assert times[0] == 0
        assert max(b - a for a, b in itertools.pairwise(times)) <= 60_000


@given(
    st.lists(
        st.tuples(st.sampled_from(["ring", "take", "hand", "answer", "tick"]), st.integers(0, 90_000)), max_size=30
    )
)
def test_what_nobody_owns_keeps_ringing_until_somebody_does(drawn: list[tuple[str, int]]) -> None:
    made, now = desk(W1), T0
    made.rang("X", Urgency.OTHER, "x", now)
    for what, wait in drawn:
        now += wait
        item = made.items["X"]
        if what == "ring":
            made.rang("X", Urgency.FLASH, "again", now)
        elif what == "take" and item.state is not State.ANSWERED:
            made.taken("X", "S1", now)
        elif what == "hand" and item.owner and (item.state, Event.HANDED_ON) in MOVES:
            made.handed_on("X", item.owner, now)
        elif what == "answer":
            made.answered("X", "S1", now)
        else:
            made.tick(now)
        if made.items["X"].state in RINGS:
            wake = made.wake_ms()
            assert wake is not None
            assert wake <= now + AGAIN_MS
            assert run(made, now + AGAIN_MS), "somebody is called within a minute"
            now += AGAIN_MS
