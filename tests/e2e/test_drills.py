# SPDX-License-Identifier: Apache-2.0
"""Every drill but SC1 (`test_drill_sc1.py`), whole, between real nodes: every check passes, and each is one that can
fail."""

from __future__ import annotations

import pytest

from wideberth.drill import run

# What each drill must look at, at least: requirements of domain.md, by scenario.
LOOKS_AT = {
    "SC2": {"B3", "B6", "C7", "E3", "E5", "E8", "G1", "J2"},
    "SC4": {"A4", "A9", "B1", "B2", "B3", "B4", "B7", "B8", "B9", "G8", "H5"},
    "SC5": {"B3", "E5", "E6", "E7", "G1", "J1", "K2", "K3", "K4", "K5", "K7", "M2", "M4"},
    "SC6": {"B3", "B8", "C3", "C5", "C6", "C12", "D6", "E1", "E3", "E4", "E7", "Q1", "Q2", "Q3", "Q4", "Q5"},
    "SC7": {"B3", "D2", "E1", "G2", "G4", "J4", "L4", "M2", "Q3"},
    "SC9": {"A2", "A9", "A10", "B3", "J4"},
}


def test_every_drill_is_tested_whole() -> None:
    assert set(run.DRILLS) == {"SC1", *LOOKS_AT}


@pytest.mark.parametrize("name", LOOKS_AT)
def test_a_drill_is_played_to_its_end_and_every_check_passes(name: str) -> None:
    report = run.play(run.find(name))
    assert [(c.id, c.what, c.expected, c.seen) for c in report.checks if not c.passed] == []
    assert report.ok
    assert {c.id for c in report.checks} == LOOKS_AT[name]
    assert {line.party for line in report.timeline} == set(report.parties)


def test_a_careless_word_costs_points_on_both_screens_and_in_both_records() -> None:
    report = run.play(run.find("SC9"), with_=["careless"])
    assert not report.ok
    assert [(c.id, c.seen) for c in report.checks if not c.passed] == [("A2", "EAST")] * 3


def test_with_every_pager_broken_the_telephone_script_comes_and_no_check_need_fail() -> None:
    """F23: the alert was there, and the pager was not. The next is called at once, and 180 s later the telephone."""
    report = run.play(run.find("SC2"), with_=["broken-pagers"])
    assert [(c.id, c.what, c.seen) for c in report.checks if not c.passed] == []
    (script,) = [c for c in report.checks if "telephone script" in c.what]
    assert "13:03:00Z" in script.seen
    assert "Delta Sierra Kilo" in script.seen


def test_the_old_failure_comes_only_with_the_rules_of_2016_and_is_a_breach_of_e8() -> None:
    report = run.play(run.find("SC2"), with_=["rules-of-2016"])
    failed = {(c.id, c.what): c.seen for c in report.checks if not c.passed}
    assert failed["E8", "no path waits on one person longer than the ladder"] == "1620 s"
    assert failed["E8", "somebody has it"] == "W1 after 1620 s"
    assert {id_ for id_, _ in failed} == {"B6", "E8"}
    assert "never let one man be the only way in" in report.train


def test_a_hold_off_that_is_not_answered_costs_points() -> None:
    report = run.play(run.find("SC5"), with_=["command-silent"])
    assert [(c.id, c.seen) for c in report.checks if not c.passed] == [("G1", "WAITING never")]
