# SPDX-License-Identifier: Apache-2.0
"""A tenth of `wideberth sim --triangle --seeds 1000`: nothing crosses from one line to the other, and the comparison
notices a node that lets something cross."""

from __future__ import annotations

import json

import pytest

from wideberth.sim.triangle import FAR, MUTANTS, NEAR, Triangle, live_twice, main, triangles

SEEDS = 100


def test_nothing_crosses_from_one_line_to_the_other_in_bad_weather() -> None:
    report = triangles(SEEDS, first_seed=7_000, workers=2)
    assert report.crossed == []
    assert report.broken == []
    assert report.warned >= 0.8 * SEEDS, "there was something to be kept"
    assert report.parcels >= 100 * SEEDS
    assert report.faults >= 200 * SEEDS


@pytest.mark.parametrize("mistake", MUTANTS)
def test_a_node_that_lets_something_cross_is_noticed(mistake: str) -> None:
    caught = [lived for seed in range(3) if (lived := live_twice(seed, MUTANTS[mistake])).crossed]
    assert caught, mistake


def test_the_three_have_two_lines_and_equally_long_places() -> None:
    world = Triangle(3, near=True, moves="CYAN")
    assert {frozenset(c.members) for c in world.charters} == {
        frozenset({"AMBER", "BLUE"}),
        frozenset({"AMBER", "CYAN"}),
    }
    lengths = {len(f"{p.lat_ndeg}|{p.lng_ndeg}") for p in (*NEAR, FAR)}
    assert len(lengths) == 1


def test_the_report_says_it_in_a_table_and_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["good"], told["seeds"], told["crossed"]) == (True, 2, [])
    assert main(["--seeds", "2"]) == 0
    assert "something crossed        0" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--seeds", "0"])
