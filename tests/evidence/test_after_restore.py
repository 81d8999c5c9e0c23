# SPDX-License-Identifier: Apache-2.0
"""After a restore from a backup a strand has several epochs; both sides' bundles show all of it, and verify."""

from __future__ import annotations

from pathlib import Path

import pytest
from tamper import NODE, brief, second_verdicts
from tests.core.test_line import GREEN, give, said
from tests.core.test_restore import backup, put_back, settle
from tests.pair import Pair

from wideberth import evidence
from wideberth.core import events as ev
from wideberth.core.records import EntryRecord
from wideberth.core.seal import bundle
from wideberth.verifier import verify


@pytest.fixture(scope="module")
def restored() -> Pair:
    """BLUE goes back to before its notice, twice; GREEN held what came in between."""
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    pair.green.step(ev.Acknowledge(pair.ch, GREEN, said(pair).ref), pair.now)
    pair.settle()
    for seed in ("again", "and again"):
        pair.later(60_000)
        put_back(pair, "BLUE", old.copy(), seed=seed)
        settle(pair)
    give(pair)
    settle(pair)
    return pair


def made(pair: Pair, party: str, selection: bundle.Selection) -> bytes:
    end = pair.ends[party]
    kept = evidence.collect(end.store.load(), pair.ch)
    return evidence.make(kept, party=party, node=end.keys.node, t_ms=pair.now.t_ms, selection=selection,
                         with_verifier=False)  # fmt: skip


def test_every_epoch_of_every_strand_is_in_both_bundles(restored: Pair) -> None:
    for party, end in restored.ends.items():
        held = {(r.author, r.epoch) for r in end.store.load() if isinstance(r, EntryRecord)}
        assert len(held) >= 3
        data = made(restored, party, bundle.whole_channel())
        found = verify.judged(data)
        assert (found["verdict"], found["marks"]) == ("integrity only", [])
        shown = {tuple(name.split("/")[1:3]) for name in verify.unpack(data) if name.startswith("strands/")}
        assert shown == held
        assert "reason: RESTORED" in verify.unpack(data)["report.txt"].decode()


def test_two_sides_of_a_restore_show_no_fork(restored: Pair) -> None:
    assert evidence.forks([made(restored, party, bundle.whole_channel()) for party in restored.ends]) == []


@pytest.mark.skipif(NODE is None, reason="node is not installed: the verifier in JavaScript cannot run")
def test_the_second_verifier_reads_several_epochs_alike(restored: Pair, tmp_path: Path) -> None:
    bundles = [made(restored, p, bundle.whole_channel()) for p in restored.ends]
    bundles.append(made(restored, "GREEN", bundle.by_time(0, restored.now.t_ms - 200_000)))
    for data, theirs in zip(bundles, second_verdicts(tmp_path, bundles), strict=True):
        assert brief(verify.judged(data)) == brief(theirs)
