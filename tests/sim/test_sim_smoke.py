# SPDX-License-Identifier: Apache-2.0
"""A few fixed seeds: every promise holds, the weather was really bad, and the same seed gives the same tape."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wideberth.sim.liars import LIARS
from wideberth.sim.mutants import BY_NAME
from wideberth.sim.run import main, run_seed, simulate, table
from wideberth.sim.shrink import shrink
from wideberth.sim.weather import HARD_FAULTS, MEDIATOR_FAULTS, MESSAGE_FAULTS
from wideberth.sim.world import REAL_EVERY, Shape, World

TAPES = """
from wideberth.sim.run import run_seed
print(*(run_seed(seed).digest for seed in (1, 4, 9)), run_seed(5, 3).digest)
"""


def test_five_dozen_seeds_break_no_promise_in_really_bad_weather() -> None:
    report = simulate(60, first_seed=1000)
    assert [(b.seed, b.story) for b in report.broken] == []
    # Weather that never comes would make the test above worthless.
    assert set(report.message_faults) == {*MESSAGE_FAULTS, *MEDIATOR_FAULTS}
    assert set(report.hard_faults) == set(HARD_FAULTS)
    assert all(report.message_faults[kind] >= 100 for kind in MESSAGE_FAULTS), report.message_faults
    assert sum(report.message_faults[kind] for kind in MEDIATOR_FAULTS) >= 100, report.message_faults
    assert all(report.hard_faults[kind] >= 5 for kind in HARD_FAULTS), report.hard_faults
    assert report.entries >= 1_500
    assert report.receipts >= 300
    assert report.simulated_ms >= 5 * 3_600_000


def test_three_nodes_share_three_lines_and_keep_every_promise() -> None:
    report = simulate(3, first_seed=7, nodes=3)
    assert [(b.seed, b.story) for b in report.broken] == []
    assert len({charter.founding for charter in World(1, shape=Shape(3)).charters}) == 3


def test_one_seed_in_a_hundred_signs_with_real_keys() -> None:
    from wideberth.core.seal.keys import Ed25519Signer

    assert isinstance(World(REAL_EVERY - 1).sites[0].keys.node, Ed25519Signer)
    assert not isinstance(World(REAL_EVERY).sites[0].keys.node, Ed25519Signer)
    assert run_seed(REAL_EVERY - 1).broken == ""


def test_the_tape_is_the_same_under_three_hash_seeds_and_another_seed_gives_another() -> None:
    digests = set()
    for hash_seed in ("0", "1", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", TAPES], env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert len(set(digests.pop().split())) == 4


def test_the_report_says_it_in_a_table_and_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--first-seed", "11", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["good"] is True
    assert told["seeds"] == 2
    assert told["faults_per_s_per_core"] > 0
    report = simulate(2, first_seed=11)
    text = table(report)
    for word in ("message faults", "hard faults", "broken promises", "faults/s/core", "simulated hours"):
        assert word in text
    assert report.message_faults == told["message_faults"], "the same seeds do the same"


def test_two_processes_find_what_one_finds() -> None:
    one, two = simulate(4, first_seed=30), simulate(4, first_seed=30, workers=2)
    assert (one.entries, one.message_faults, one.hard_faults) == (two.entries, two.message_faults, two.hard_faults)


@pytest.mark.parametrize("argv", [["--nodes", "1"], ["--nodes", "17"], ["--workers", "0"], ["--seeds", "-1"]])
def test_senseless_numbers_are_refused(argv: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(argv)


@pytest.mark.parametrize("liar", LIARS)
def test_honest_nodes_keep_every_promise_among_liars(liar: str) -> None:
    outcome = World(1, shape=Shape(3, True, liar)).run()
    assert (outcome.broken, outcome.story) == ("", "")
    assert outcome.entries > 20


def test_three_members_on_one_line_keep_every_promise_through_restores() -> None:
    outcomes = [run_seed(seed, 3, one_line=True) for seed in range(6)]
    assert [(o.seed, o.story) for o in outcomes if o.broken] == []
    assert sum(o.hard_faults["restore"] for o in outcomes) >= 3


def test_a_world_that_breaks_a_promise_shrinks_and_its_tape_can_be_kept(tmp_path: Path) -> None:
    kept = tmp_path / "tape.txt"
    with BY_NAME["no epoch"].in_force():
        first = run_seed(0)
        found = shrink(0, Shape())
        assert main(["--replay", "0", "--keep", str(kept)]) == 1
    assert found is not None
    assert first.broken == found.outcome.broken == "framed"
    assert found.after < found.before == first.step
    assert "PROMISE" in kept.read_text()
    assert "PUT BACK" in kept.read_text()
    assert shrink(0, Shape()) is None
