# SPDX-License-Identifier: Apache-2.0
"""If the simulator does not notice a known mistake, the simulator is broken, or the rule is not needed."""

from __future__ import annotations

import pytest

from wideberth.sim.mutants import BY_NAME, MUTANTS, Mutant, hunt
from wideberth.sim.run import MutantFate, Report, main, run_seed, table, try_mutants
from wideberth.sim.site import Site

# Enough for every mutant here, and few enough to say something about the simulator.
SEEDS_MOST = 80


def seen(seed: int, site: type[Site]) -> str:
    return run_seed(seed, site=site).broken


@pytest.mark.parametrize("mutant", MUTANTS, ids=[m.name for m in MUTANTS])
def test_the_mistake_breaks_a_promise_soon(mutant: Mutant) -> None:
    found = hunt(mutant, seen, 0, SEEDS_MOST)
    assert found is not None, f"{mutant.name} ({mutant.mistake}) was not caught in {SEEDS_MOST} seeds"
    assert found[1] in mutant.promises, found


def test_the_mistakes_of_the_design_are_among_them() -> None:
    assert {
        "send before store", "receipt before fsync", "gap accepted", "no de-duplication", "clock trusted for order",
        "clock trusted for versions", "no repeat", "pointer follows what was sent", "receipt not repeated",
        "no epoch", "no heads question", "pointer follows receipts only", "no heads in line checks", "no flush timer",
    } <= BY_NAME.keys()  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=[m.name for m in MUTANTS])
def test_a_mutant_leaves_nothing_behind(mutant: Mutant) -> None:
    before = {(owner, name): owner.__dict__[name] for owner, name in mutant.patches}
    with mutant.in_force():
        assert all(owner.__dict__[name] is not before[owner, name] for owner, name in mutant.patches)
    assert {(owner, name): owner.__dict__[name] for owner, name in mutant.patches} == before
    assert mutant.patches or mutant.site is not Site


def test_a_mutant_that_got_away_makes_the_report_bad() -> None:
    fate = MutantFate("no ring", "nobody is told", 0, "")
    report = Report(0, 0, 2, 1, mutants=[fate])
    assert not report.good
    assert "NOT CAUGHT" in table(report)


def test_a_broken_promise_is_told_with_its_seed_its_step_and_its_tape(capsys: pytest.CaptureFixture[str]) -> None:
    mutant = BY_NAME["no repeat"]
    found = hunt(mutant, seen, 0, SEEDS_MOST)
    assert found is not None
    seed = str(found[0] - 1)
    with mutant.in_force():
        assert main(["--seeds", "1", "--first-seed", seed, "--tape"]) == 1
    out = capsys.readouterr().out
    assert f"seed {seed}, step " in out
    assert "is broken" in out
    assert "sends BLUE" in out


def test_trying_mutants_names_each_with_what_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wideberth.sim.run.MUTANTS", MUTANTS[:4])
    fates = try_mutants()
    assert [f.name for f in fates] == [m.name for m in MUTANTS[:4]]
    assert all(f.after_seeds >= 1 and f.promise in BY_NAME[f.name].promises for f in fates)
