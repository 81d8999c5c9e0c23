# SPDX-License-Identifier: Apache-2.0
"""What a line moves, and what follows from it."""

from wideberth.link.pace import ROUTINE_BYTES_MIN, Pace

MOST = 1 << 18


def test_an_unknown_line_is_given_little_and_much_time():
    pace = Pace()
    assert not pace.thin
    assert pace.routine_bytes(MOST) == ROUTINE_BYTES_MIN
    assert pace.routine_bytes_s is None
    assert pace.more_s(2000) >= 8


def test_a_good_line_soon_takes_large_deliveries_and_a_small_slow_exchange_does_not_cripple_it():
    pace = Pace()
    for size in (3_000, 40_000, 250_000):
        pace.exchanged(size, 0.1)
    assert pace.routine_bytes(MOST) == MOST
    pace.exchanged(2_000, 0.6)  # a receipt by satellite
    assert not pace.thin or pace.routine_bytes(MOST) >= ROUTINE_BYTES_MIN
    pace.exchanged(40_000, 0.7)
    assert pace.routine_bytes(MOST) == MOST


def test_a_line_that_becomes_thin_is_known_as_such_at_once_and_one_that_recovers_soon():
    pace = Pace()
    pace.exchanged(250_000, 0.1)
    pace.exchanged(4_000, 8.0)
    assert pace.thin
    slow = pace.routine_bytes_s
    assert slow is not None
    for _ in range(12):
        if (now := pace.routine_bytes_s) is None:
            break
        pace.kept_up(5_000 / now, 5_000 / now)
    assert not pace.thin  # what was said slowly was answered at once, each time
    assert pace.routine_bytes_s is None


def test_what_had_to_be_waited_for_long_makes_a_thin_line_thinner_and_nothing_makes_it_stand_still():
    pace = Pace()
    pace.exchanged(1_000, 1.0)
    for _ in range(20):
        now = pace.routine_bytes_s
        assert now is not None
        assert now >= 250
        pace.kept_up(5_000 / now, 15_000 / now)
    pace.no_more_than(5_000, 60.0)
    assert pace.routine_bytes(MOST) == ROUTINE_BYTES_MIN
