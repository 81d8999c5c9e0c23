# SPDX-License-Identifier: Apache-2.0
"""Every drill but SC1 (`test_drill_sc1.py`), whole, between real nodes: every check passes, and each is one that can
fail."""

from __future__ import annotations

import pytest

from wideberth.drill import run

# What each drill must look at, at least: requirements of domain.md, by scenario.
LOOKS_AT = {
    "SC4": {"A4", "A9", "B1", "B2", "B3", "B4", "B7", "B8", "B9", "G8", "H5"},
    "SC6": {"B3", "B8", "C3", "C5", "C6", "C12", "D6", "E1", "E3", "E4", "E7"},
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
