# SPDX-License-Identifier: Apache-2.0
"""The roster: who is on watch, and where nobody is (domain.md B10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wideberth.core.desk.people import DAY_MS, Person, Role, Roster, Shift
from wideberth.errors import BadInput

T0 = 1_900_000_000_000
HOUR = 3_600_000

W1 = Person("W1", Role.WATCH_OFFICER, "watch-1", ("en", "ru"))
W2 = Person("W2", Role.WATCH_OFFICER, "watch-2")
S1 = Person("S1", Role.SUPERVISOR, "supervisor")
L1 = Person("L1", Role.LINGUIST, "", ("ru-RU", "en"))


def test_shifts_are_half_open_and_a_backup_is_not_on_watch() -> None:
    roster = Roster([W1, W2], [Shift("W1", T0, T0 + 8 * HOUR), Shift("W2", T0, T0 + 8 * HOUR, backup=True)])
    assert roster.on_shift(T0) == [W1]
    assert roster.backups(T0) == [W2]
    assert roster.on_shift(T0 + 8 * HOUR) == []
    assert roster.on_shift(T0 - 1) == []


def test_gaps_over_a_month_are_found_to_the_millisecond() -> None:
    shifts = [Shift("W1", T0 + d * DAY_MS, T0 + d * DAY_MS + 12 * HOUR) for d in range(30)]
    shifts += [Shift("W2", T0 + d * DAY_MS + 12 * HOUR, T0 + (d + 1) * DAY_MS) for d in range(30)]
    assert Roster([W1, W2], shifts).gaps(T0, T0 + 30 * DAY_MS) == []
    late = Shift("W2", shifts[-1].start_ms + 1, shifts[-1].end_ms)
    assert Roster([W1, W2], [*shifts[:-1], late]).gaps(T0, T0 + 30 * DAY_MS) == [(late.start_ms - 1, late.start_ms)]
    assert Roster([W1], []).gaps(T0, T0 + 1) == [(T0, T0 + 1)]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=8))
def test_every_moment_is_watched_or_in_a_gap(drawn: list[tuple[int, int]]) -> None:
    roster = Roster([W1], [Shift("W1", T0 + a, T0 + a + n) for a, n in drawn])
    gaps = roster.gaps(T0, T0 + 60)
    for at in range(T0, T0 + 60):
        assert bool(roster.on_shift(at)) != any(a <= at < b for a, b in gaps)


def test_a_supervisor_can_always_be_reached_and_a_language_finds_its_speaker() -> None:
    roster = Roster([W1, S1, L1], [Shift("W1", T0, T0 + HOUR), Shift("L1", T0, T0 + HOUR)])
    assert roster.supervisors(T0) == [S1]
    assert [p.name for p in roster.linguists(T0, "ru")] == ["L1", "W1"]
    assert roster.linguists(T0 + HOUR, "ru") == []


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: Person("", Role.SUPERVISOR), "has a name"),
        (lambda: Person("U", Role.UNIT_LIAISON), "name the unit"),
        (lambda: Person("O", Role.OBSERVER, "watch-9"), "says nothing"),
        (lambda: Shift("W1", T0, T0), "after it starts"),
        (lambda: Roster([W1, W1]), "twice"),
        (lambda: Roster([W1], [Shift("W9", T0, T0 + 1)]), "there is no W9"),
    ],
)
def test_a_wrong_roster_is_refused_with_a_reason(made, why: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadInput, match=why):
        made()
