# SPDX-License-Identifier: Apache-2.0
"""The last mile (domain.md E5, E5b, E6; SC5's four units)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wideberth.core.desk.relays import BEFORE_MS, HAVE_IT, MOVES, Confirm, Relay, Relays
from wideberth.errors import BadInput, NotFound

T0 = 1_900_000_000_000
HOUR = 3_600_000
UNITS = ("U1", "U2", "U3", "U4")


def desk(start_ms: int = T0 + HOUR) -> Relays:
    made = Relays()
    made.distribute("AID-0001-X", "a" * 64, UNITS, start_ms, start_ms + 4 * HOUR, T0)
    return made


def test_every_unit_whose_area_it_meets_is_called_at_once() -> None:
    calls = Relays().distribute("X", "a" * 64, UNITS, T0 + HOUR, T0 + 2 * HOUR, T0)
    assert [(c.unit, c.why, c.at_ms) for c in calls] == [(u, "NEW", T0) for u in UNITS]


def test_three_of_four_relayed_and_the_fourth_is_called_before_and_at_the_start() -> None:
    made = desk()
    for unit in ("U1", "U2", "U4"):
        made.confirmed("AID-0001-X", unit, "watch-1", T0 + 60_000, voice=unit == "U4")
    found = made.live["AID-0001-X"]
    assert (found.relayed, len(found.units), found.missing) == (3, 4, ["U3"])
    assert made.wake_ms() == T0 + HOUR - BEFORE_MS
    assert [(c.unit, c.why, c.supervisor) for c in made.tick(T0 + HOUR - BEFORE_MS)] == [("U3", "ACTIVATION", True)]
    assert made.tick(T0 + HOUR - 1) == []
    assert [(c.unit, c.why) for c in made.tick(T0 + HOUR)] == [("U3", "STARTED")]
    assert found.units["U3"] is Relay.OVERDUE
    assert made.confirmed("AID-0001-X", "U3", "watch-1", T0 + HOUR + 1).state is Relay.RELAYED
    assert found.missing == []


def test_a_new_version_voids_what_was_confirmed() -> None:
    made = desk()
    made.confirmed("AID-0001-X", "U1", "watch-1", T0)
    calls = made.distribute("AID-0001-X", "b" * 64, ("U1", "U2"), T0 + HOUR, T0 + 2 * HOUR, T0 + 1)
    assert [c.unit for c in calls] == ["U1", "U2"]
    assert made.live["AID-0001-X"].relayed == 0


def test_a_unit_that_moves_into_the_area_is_called_and_the_others_are_not_again() -> None:
    made = desk()
    made.confirmed("AID-0001-X", "U1", "watch-1", T0)
    calls = made.distribute("AID-0001-X", "a" * 64, (*UNITS, "U5"), T0 + HOUR, T0 + 2 * HOUR, T0 + 1)
    assert [c.unit for c in calls] == ["U5"]
    assert made.live["AID-0001-X"].relayed == 1


def test_a_notice_that_begins_at_once_calls_twice_with_the_supervisor() -> None:
    calls = Relays().distribute("X", "a" * 64, ("U1",), T0 - 1, T0 + HOUR, T0)
    assert [(c.why, c.supervisor) for c in calls] == [("NEW", False), ("STARTED", True)]


def test_something_near_calls_once_who_has_not_confirmed() -> None:
    made = desk()
    made.confirmed("AID-0001-X", "U1", "watch-1", T0)
    assert [c.unit for c in made.approached("AID-0001-X", T0)] == ["U2", "U3", "U4"]
    assert made.approached("AID-0001-X", T0 + 1) == []
    assert made.approached("nothing", T0) == []


def test_what_is_over_calls_nobody() -> None:
    made = desk()
    assert made.tick(T0 + 5 * HOUR) == []
    assert made.live == {}
    assert made.wake_ms() is None


def test_confirming_what_does_not_concern_a_unit_is_refused_with_whom_it_concerns() -> None:
    made = desk()
    with pytest.raises(BadInput, match="U1, U2, U3, U4"):
        made.confirmed("AID-0001-X", "U9", "watch-1", T0)
    with pytest.raises(NotFound):
        made.confirmed("nothing", "U1", "watch-1", T0)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(Relay, Confirm)))
def test_every_cell_of_the_table(state: Relay, event: Confirm) -> None:
    after = MOVES.get((state, event))
    if event is Confirm.STARTED:
        assert after is (Relay.OVERDUE if state is Relay.WAITING else None), "time never confirms, and never undoes"
    else:
        assert after in HAVE_IT


@given(st.lists(st.tuples(st.sampled_from(UNITS), st.booleans(), st.integers(0, HOUR)), max_size=12))
def test_relayed_and_missing_always_make_up_the_whole(drawn: list[tuple[str, bool, int]]) -> None:
    made, now = desk(), T0
    said: set[str] = set()
    for unit, voice, wait in drawn:
        now += wait
        made.tick(now)
        if "AID-0001-X" not in made.live:
            return
        made.confirmed("AID-0001-X", unit, "watch-1", now, voice=voice)
        said.add(unit)
        found = made.live["AID-0001-X"]
        assert found.relayed == len(said)
        assert set(found.missing) == set(UNITS) - said
