# SPDX-License-Identifier: Apache-2.0
"""A tenth of the full run (`docs/simulator.md`): restores on one and both sides, and no promise broken."""

from __future__ import annotations

from wideberth.sim.run import simulate
from wideberth.sim.weather import HARD_FAULTS

SEEDS = 230


def test_a_tenth_of_the_full_run_breaks_no_promise() -> None:
    report = simulate(SEEDS, first_seed=50_000, workers=2)
    assert [(b.seed, b.promise, b.story) for b in report.broken] == []
    assert sum(report.message_faults.values()) >= 100_000, report.message_faults
    assert sum(report.hard_faults.values()) >= 10_000, report.hard_faults
    assert all(report.hard_faults[kind] >= 20 for kind in HARD_FAULTS), report.hard_faults
    assert report.spoke_first <= report.behind_back // 2, "who is put back unawares finds out soon"
