# SPDX-License-Identifier: Apache-2.0
"""What restores, forks and false times in the simulator found in the core, told again in its smallest form."""

from __future__ import annotations

import msgspec
import pytest
from duet import MINUTE, Duet, terms
from tests.core.test_line import give
from tests.core.test_restore import backup, put_back, settle
from tests.pair import Pair

from wideberth.core import events as ev
from wideberth.core.folding import Heard
from wideberth.core.records import EntryRecord
from wideberth.core.tells import FaultSeen
from wideberth.sim.promises import Broken
from wideberth.sim.run import run_seed
from wideberth.sim.world import World


def test_a_restart_goes_on_in_the_epoch_that_was_opened_and_not_in_one_that_came_back() -> None:
    """Seed 26, promise `framed`: two restores from one backup; the opening of the first came back after the second.
    After a restart the node wrote on in the first, whose end it did not know."""
    pair = Pair()
    first = backup(pair.blue)
    put_back(pair, "BLUE", first.copy(), seed="one")
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, "BLUE/watch-1"), pair.now)
    pair.settle()
    put_back(pair, "BLUE", first.copy(), seed="two")
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, "BLUE/watch-1"), pair.now)
    own = pair.blue.node.lines[pair.ch].channel.own
    wrote_in = own.epoch
    settle(pair)
    assert len(own.epochs) == 3
    pair.blue.restart(pair.now)
    assert pair.blue.node.lines[pair.ch].channel.own.epoch == wrote_in


def test_orphans_are_folded_with_what_the_same_write_has_not_stored_yet() -> None:
    """Seed 12, promise `sound`: a shell writes many steps together; folding anew looked for an entry of an earlier step
    in the store, where it was not yet."""
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    put_back(pair, "BLUE", old)
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, "BLUE/watch-1"), pair.now)
    settle(pair)
    node = pair.blue.node
    batches = [node.step(ev.RaiseAlert(pair.ch, "BLUE/watch-1"), pair.now) for _ in range(3)]
    assert all(batch.store for batch in batches)
    assert sum(1 for t in node.lines[pair.ch].board if t.kind == "alert") == 4


def test_a_node_that_was_put_back_unawares_opens_its_epoch_in_the_batch_in_which_it_finds_out() -> None:
    """Seed 59, promise `framed`: it had found out, then crashed, and had forgotten it again."""
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    give(pair, lat=35.5)
    pair.settle()
    frames = pair.green.frames(msgspec.structs.replace(pair.green.node.step(ev.CompareHeads(), pair.now).send[0],
                               frames=pair.green.node.lines[pair.ch].channel.strands["BLUE"]._chains[
                                   pair.green.node.lines[pair.ch].channel.strands["BLUE"].epoch][-1:]))  # fmt: skip
    put_back(pair, "BLUE", old, marked=False)
    batch = pair.blue.step(ev.Arrived(pair.ch, "GREEN", frames, ()), pair.now)
    assert [f.fault for f in batch.tell if isinstance(f, FaultSeen)] == ["LostTail"], "though it came behind a gap"
    assert len(pair.blue.node.lines[pair.ch].channel.own.epochs) == 2


def test_a_time_before_the_own_entry_before_it_is_named_and_nothing_is_refused() -> None:
    duet = Duet()
    duet.blue.step(ev.GiveNotice(duet.ch, "BLUE/watch-1", terms()), at_ms=60 * MINUTE)
    duet.blue.step(ev.SayNil(duet.ch, "BLUE/watch-1", 2_000_000_000_000), at_ms=20 * MINUTE)
    frames, sidecars = duet.blue.take()
    batch = duet.amber.step(ev.Arrived(duet.ch, "BLUE", frames, sidecars), at_ms=61 * MINUTE)
    (named,) = [f for f in batch.tell if isinstance(f, FaultSeen)]
    assert (named.fault, named.whose, named.peer) == ("Backdated", "world", "BLUE")
    assert "2400.0 s before its own entry" in named.sentence
    assert duet.line(duet.amber).channel.strands["BLUE"].seq == 3


def test_a_time_before_an_entry_that_it_cites_is_named() -> None:
    duet = Duet()
    for _ in range(2):
        duet.amber.step(ev.GiveNotice(duet.ch, "AMBER/watch-1", terms()), at_ms=MINUTE)
        duet.exchange(at_ms=MINUTE)
    assert duet.line(duet.amber).channel.clocks["BLUE"].offset is not None
    duet.amber.step(ev.GiveNotice(duet.ch, "AMBER/watch-1", terms()), at_ms=60 * MINUTE)
    duet.exchange(at_ms=60 * MINUTE)
    duet.blue.step(ev.SayNil(duet.ch, "BLUE/watch-1", 2_000_000_000_000), at_ms=30 * MINUTE)
    frames, sidecars = duet.blue.take()
    batch = duet.amber.step(ev.Arrived(duet.ch, "BLUE", frames, sidecars), at_ms=61 * MINUTE)
    (named,) = [f for f in batch.tell if isinstance(f, FaultSeen)]
    assert named.fault == "Backdated"
    assert "our entry that it cites" in named.sentence


@pytest.mark.parametrize("seed", [10721, 10728, 10774])
def test_a_record_that_was_put_back_unawares_is_found_out_by_an_entry_of_whichever_epoch(seed: int) -> None:
    """Promise `framed`: what a peer handed back was of another epoch than the one that the node wrote in; it took that
    for a late orphan, and signed places again that only a record held which was gone. `tests/core/test_restore.py` has
    the smallest form."""
    outcome = run_seed(seed, 0)
    assert (outcome.broken, outcome.story) == ("", "")
    assert outcome.behind_back


def test_an_urgent_version_rings_beside_a_report_that_its_author_had_forgotten() -> None:
    """Seed 10656, promise `rung`: after a restore the author gave an urgent version of a notice that it had reported
    finished. The report was of the version before. `tests/core/test_urgent_rings.py` has both orders."""
    outcome = run_seed(10656, 0)
    assert (outcome.broken, outcome.story) == ("", "")
    assert outcome.hard_faults["restore"]


@pytest.mark.parametrize("seed", [20134, 20153, 20169])
def test_what_waits_for_something_that_waits_itself_is_judged_when_both_can_be(seed: int) -> None:
    """Promise `agreed`: a restored node hears its own words before those that they answer, or what those cite is gone.
    `tests/core/test_accord.py` has the smallest forms."""
    outcome = run_seed(seed, 0)
    assert (outcome.broken, outcome.story) == ("", "")


def test_a_version_that_is_complete_only_after_a_fold_anew_is_taken_in() -> None:
    """AMBER's record was put back, and what came back completed a version of the agreement that no single word
    completed: its own entries under that version waited for ever."""
    outcome = run_seed(50226)
    assert outcome.broken == "", outcome.story


def test_what_waited_is_put_before_what_its_author_said_later() -> None:
    """Promise `agreed`; `tests/core/test_three_members.py` has the smallest forms."""
    outcome = run_seed(51171)
    assert (outcome.broken, outcome.story) == ("", "")


def test_what_is_said_cites_the_epoch_that_its_author_writes_in() -> None:
    """Promise `agreed`; `tests/core/test_restore.py` has the smallest form."""
    outcome = run_seed(53127, 0)
    assert (outcome.broken, outcome.story) == ("", "")


def test_a_version_that_restores_took_out_of_every_record_is_gone_and_its_entries_wait_everywhere() -> None:
    """Seed 51886: both records were put back to before the version, and an entry under it came out of the wire then."""
    world = World(51886)
    assert world.run().broken == ""
    (charter,) = world.charters
    versions = [site.node.lines[charter.ch].channel.versions for site in world.sites]
    gone = {
        read.agr
        for site in world.sites
        for record in site.disk.load()
        if isinstance(record, EntryRecord)
        for read in [world.promises.reader.entry(record.envelope, record.body)]
        if all(each.of(read.agr) is None for each in versions)
    }
    assert len(gone) == 1


@pytest.mark.parametrize("seed", [4, 13])
def test_a_version_that_any_record_holds_must_be_known_everywhere(seed: int) -> None:
    """The judge is not blind: with a node that has forgotten a version which a disk holds, the promise is broken."""
    world = World(seed)
    assert world.run().broken == ""
    assert world.promises.restores
    versions = [site.node.lines[c.ch].channel.versions for c in world.charters for site in world.sites]
    forgetful = next(each for each in versions if each.newest_hash != each.hash)
    for _, hash_ in list(forgetful)[1:]:
        del forgetful._by_hash[hash_]
    with pytest.raises(Broken, match="waits for the version of entry"):
        world.promises.at_rest(world.sites, world.charters)


def test_an_epoch_stands_for_what_leads_to_it_and_not_for_one_beside_it() -> None:
    """Seed 51295, promise `agreed`: a suspension waited for words of another epoch, which its author had not seen, and
    held again once a later word had ended the one before it."""
    pair = Pair()
    give(pair)
    pair.settle()
    first = backup(pair.blue)
    for seed in ("one", "two"):  # two epochs after the same place
        put_back(pair, "BLUE", first.copy(), seed=seed)
        pair.blue.out.clear()
        pair.blue.step(ev.RaiseAlert(pair.ch, "BLUE/watch-1"), pair.now)
        pair.settle()
    settle(pair)
    line = pair.green.node.lines[pair.ch]
    strand = line.channel.strands["BLUE"]
    founding, one, two = strand.epochs

    def heard(epoch: str, seq: int) -> Heard:
        record = pair.green.store.entry(strand.hash_at(epoch, seq))
        assert record is not None
        found = line.fold.read(record)
        assert found is not None
        return found

    follows = line.fold._follows
    before, last = heard(founding, 2), strand.before(one)
    assert last is not None
    assert last.seq == 2
    assert strand.before(two) == last
    for epoch in (one, two):
        assert follows(heard(epoch, 2), before)
        assert not follows(before, heard(epoch, 2))
    assert not follows(heard(one, 2), heard(two, 2))
    assert not follows(heard(two, 2), heard(one, 2))
