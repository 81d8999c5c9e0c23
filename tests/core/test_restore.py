# SPDX-License-Identifier: Apache-2.0
"""Coming back from a backup: no place is ever signed twice, nothing that was receipted is lost, both sides agree."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.core.test_line import BLUE, GREEN, faults, give, said
from tests.pair import Chance, End, Pair
from wideberth.core import events as ev
from wideberth.core.call.views import shared
from wideberth.core.records import EntryRecord, SettingRecord
from wideberth.core.recovery import NODE_ITSELF, setting_key
from wideberth.core.say.words import EpochOpened
from wideberth.core.seal import canonical
from wideberth.core.seal import entry as entries
from wideberth.core.tells import FaultSeen, Level
from wideberth.errors import BadInput, Fault
from wideberth.store.memory import MemoryStore


def backup(end: End) -> MemoryStore:
    return end.store.copy()


def put_back(pair: Pair, name: str, copy: MemoryStore, *, marked: bool = True, seed: str = "again") -> None:
    """The node dies, its record is replaced by an old copy, and it starts again."""
    end = pair.ends[name]
    end.store = copy
    end.out.clear()
    end.chance = Chance(seed + name)  # a new process draws new randomness
    if marked:
        end.store.append([SettingRecord(setting_key(pair.ch), f"{name}/supervisor".encode())], end.store.head)
    end.restart(pair.now)


def entries_of(end: End, author: str) -> Iterator[EntryRecord]:
    return (r for r in end.store.load() if isinstance(r, EntryRecord) and r.author == author)


def settle(pair: Pair, rounds: int = 12) -> None:
    for _ in range(rounds):
        pair.settle()
        pair.later(31_000)
        pair.tick()
    pair.settle()


def spoken(end: End, pair: Pair) -> bytes:
    """The board by what was signed in entries. Receipts are beside the strands: a restore may lose them."""
    threads = shared(end.node.lines[pair.ch].board, ("BLUE", "GREEN"), pair.now.t_ms)
    for thread in threads:
        del thread["standing"]
        for version in thread["versions"]:
            for member, rungs in version["ladder"].items():
                version["ladder"][member] = [r for r in rungs if r["step"] not in ("DELIVERED", "SEEN")]
    return canonical.encode(threads)


def check(pair: Pair) -> None:
    """Nobody signed a place twice; both copies of every strand are the same; nobody is accused; the boards agree."""
    for author in ("BLUE", "GREEN"):
        copies = []
        for end in pair.ends.values():
            copy = {(r.epoch, r.seq): r.hash for r in entries_of(end, author)}
            assert len(copy) == sum(1 for _ in entries_of(end, author))
            copies.append(copy)
        assert copies[0] == copies[1]
    for end in pair.ends.values():
        assert not [f for f in end.tells(FaultSeen) if f.fault in ("Equivocation", "OutOfPlace", "BadSignature")]  # type: ignore[attr-defined]
    assert spoken(pair.blue, pair) == spoken(pair.green, pair)


def test_a_restored_node_gets_its_own_words_back_and_goes_on_in_a_new_epoch() -> None:
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    pair.green.step(ev.Acknowledge(pair.ch, GREEN, said(pair).ref), pair.now)
    pair.settle()
    before = pair.blue.node.lines[pair.ch].channel.own.epoch
    put_back(pair, "BLUE", old)
    with pytest.raises(BadInput, match="GREEN"):
        give(pair)
    settle(pair)
    channel = pair.blue.node.lines[pair.ch].channel
    assert channel.own.epoch != before
    opening = [r for r in entries_of(pair.green, "BLUE") if r.type == "epoch"][-1]
    heard = pair.green.node.lines[pair.ch].fold.read(opening)
    assert heard is not None
    assert heard.header.by == "BLUE/supervisor"
    assert heard.what.predecessor == heard.what.fences["GREEN"]  # type: ignore[union-attr]
    assert heard.what.predecessor.seq == 2  # type: ignore[union-attr]
    give(pair)
    settle(pair)
    assert len(list(pair.blue.node.lines[pair.ch].board)) == 2
    check(pair)


def test_an_alert_on_a_restored_node_waits_for_nobody() -> None:
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    put_back(pair, "BLUE", old)
    pair.blue.out.clear()  # GREEN cannot be reached
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    opening = [r for r in entries_of(pair.blue, "BLUE") if r.type == "epoch"][-1]
    heard = pair.blue.node.lines[pair.ch].fold.read(opening)
    assert heard is not None
    assert heard.what.fences == {"GREEN": None}  # type: ignore[union-attr]
    settle(pair)
    assert [t.kind for t in pair.green.rung] == ["alert"]  # type: ignore[union-attr]
    orphans = [f for f in pair.blue.tells(FaultSeen) if f.fault == "Orphan"]  # type: ignore[attr-defined]
    assert len(orphans) == 1, "the notice that BLUE forgot comes back as an orphan"
    assert said(pair).ref in {t.ref for t in pair.blue.node.lines[pair.ch].board}
    check(pair)


def test_a_supervisor_goes_on_without_a_peer_that_does_not_answer() -> None:
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    put_back(pair, "BLUE", old)
    pair.blue.out.clear()
    pair.blue.step(ev.Resume(pair.ch, "BLUE/supervisor"), pair.now)
    give(pair)
    refs = {t.ref for t in pair.blue.node.lines[pair.ch].board}
    settle(pair)
    assert len(refs) == 1
    assert len(list(pair.blue.node.lines[pair.ch].board)) == 2, "the forgotten notice has another reference"
    check(pair)


@pytest.mark.parametrize("by", ["BLUE/nobody", "GREEN/supervisor", "BLUE/watch-1"])
def test_who_is_no_supervisor_cannot_go_on_and_the_line_still_waits(by: str) -> None:
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    put_back(pair, "BLUE", old)
    pair.blue.out.clear()
    with pytest.raises(Fault):
        pair.blue.step(ev.Resume(pair.ch, by), pair.now)
    with pytest.raises(BadInput, match="waits for GREEN"):
        give(pair)  # in the old epoch this would sign a place twice
    settle(pair)
    give(pair)
    settle(pair)
    check(pair)


def test_orphans_can_be_listed_place_by_place() -> None:
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    lost = give(pair, lat=35.5)
    pair.settle()
    put_back(pair, "BLUE", old)
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    own = pair.blue.node.lines[pair.ch].channel.own
    assert own.orphans() == ()
    settle(pair)
    for end in pair.ends.values():
        strand = end.node.lines[pair.ch].channel.strands["BLUE"]
        assert [p.seq for p in strand.orphans()] == [2, 3]
        assert all(strand.orphaned(p.epoch, p.seq) and strand.holds(p) for p in strand.orphans())
        assert strand.orphans()[-1].hash == lost.frames[0]
    check(pair)


def test_a_double_restore_converges() -> None:
    pair = Pair()
    first = backup(pair.blue)
    give(pair)
    settle(pair)
    put_back(pair, "BLUE", first.copy(), seed="one")
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    give(pair)
    pair.settle()
    put_back(pair, "BLUE", first.copy(), seed="two")
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    settle(pair)
    give(pair)
    settle(pair)
    assert len(pair.green.node.lines[pair.ch].channel.strands["BLUE"].epochs) == 3
    check(pair)


def test_what_we_say_cites_the_epoch_that_its_author_writes_in_and_not_the_one_that_came_last() -> None:
    """Seed 53127, promise `agreed`: AMBER got the epochs of BLUE back in another order than BLUE had opened them. It
    cited the one that came last from then on, and what it said after BLUE's newest words was put before them."""
    pair = Pair()
    first, nothing = backup(pair.blue), backup(pair.green)
    for seed in ("one", "two"):
        put_back(pair, "BLUE", first.copy(), seed=seed)
        pair.blue.out.clear()
        pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
        settle(pair)
    own = pair.blue.node.lines[pair.ch].channel.own
    founding, *siblings = own.epochs
    assert len(siblings) == 2
    put_back(pair, "GREEN", nothing)
    for epoch in (founding, *sorted(siblings, key=lambda each: each != own.epoch)):
        records = [r for r in entries_of(pair.blue, "BLUE") if r.epoch == epoch]
        event = ev.Arrived(pair.ch, "BLUE", tuple((r.envelope, r.body) for r in records), ())
        pair.green.step(event, pair.now)
    settle(pair)
    assert own.epoch in siblings
    pair.blue.step(ev.SayNil(pair.ch, BLUE, pair.now.t_ms + 1), pair.now)
    settle(pair)
    pair.green.step(ev.RaiseAlert(pair.ch, GREEN), pair.now)
    *_, last = entries_of(pair.green, "GREEN")
    assert entries.reread(last.envelope, last.body, last.hash).header.seen["BLUE"] == own.place


def test_both_sides_restored_at_once_converge() -> None:
    pair = Pair()
    give(pair)
    pair.settle()
    copies = {n: backup(e) for n, e in pair.ends.items()}
    give(pair)
    pair.settle()
    pair.green.step(ev.Acknowledge(pair.ch, GREEN, said(pair).ref), pair.now)
    pair.settle()
    for name, copy in copies.items():
        put_back(pair, name, copy)
    settle(pair)
    give(pair)
    settle(pair)
    check(pair)


def test_a_node_restored_behind_its_own_back_finds_out_and_opens_another_epoch() -> None:
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    put_back(pair, "BLUE", old, marked=False)
    pair.green.step(ev.CompareHeads(), pair.now)
    settle(pair)
    assert [f.fault for f in pair.blue.tells(FaultSeen)] == ["LostTail"]  # type: ignore[attr-defined]
    give(pair)
    settle(pair)
    assert len(pair.green.node.lines[pair.ch].channel.strands["BLUE"].epochs) == 2
    check(pair)


def test_an_orphan_after_an_unknown_start_leads_to_another_epoch_for_the_record_may_be_an_old_one() -> None:
    """Both sides lost what was written last, and all that the peer can hand back is of an epoch before."""
    pair = Pair()
    first = backup(pair.blue)
    give(pair)
    pair.settle()
    peers = backup(pair.green)
    put_back(pair, "BLUE", first)
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, "BLUE/watch-1"), pair.now)
    second = backup(pair.blue)
    pair.blue.step(ev.SayNil(pair.ch, "BLUE/watch-1", pair.now.t_ms + 3_600_000), pair.now)
    signed = {(r.epoch, r.seq): r.hash for r in entries_of(pair.blue, "BLUE")}
    put_back(pair, "BLUE", second, marked=False)
    put_back(pair, "GREEN", peers)
    settle(pair)
    give(pair, lat=35.5)
    settle(pair)
    again = {(r.epoch, r.seq): r.hash for r in entries_of(pair.blue, "BLUE")}
    assert [place for place, hash_ in again.items() if signed.get(place, hash_) != hash_] == []
    told = [f for f in pair.blue.tells(FaultSeen) if f.fault == "LostTail"]  # type: ignore[attr-defined]
    assert [(f.whose, f.level) for f in told] == [("world", Level.NOTE)], "it proves nothing"  # type: ignore[attr-defined]
    check(pair)


def test_an_orphan_is_no_reason_for_another_epoch_where_this_very_process_opened_the_newest() -> None:
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    put_back(pair, "BLUE", old)
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, "BLUE/watch-1"), pair.now)
    settle(pair)
    own = pair.blue.node.lines[pair.ch].channel.own
    assert len(own.epochs) == 2
    assert own.orphans()
    assert not [f for f in pair.blue.tells(FaultSeen) if f.fault == "LostTail"]  # type: ignore[attr-defined]
    check(pair)


def test_what_a_full_disk_has_no_room_for_is_found_out_all_the_same() -> None:
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    put_back(pair, "BLUE", old, marked=False)
    pair.blue.step(ev.DiskState(True, "low"), pair.now)
    settle(pair)
    pair.blue.step(ev.RaiseAlert(pair.ch, "BLUE/watch-1"), pair.now)
    assert len(pair.blue.node.lines[pair.ch].channel.own.epochs) == 2


def test_a_node_that_finds_out_by_itself_at_its_start_waits_as_after_a_restore_and_rings() -> None:
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    lost = said(pair).entry
    old.append([SettingRecord(setting_key(pair.ch), NODE_ITSELF)], old.head)
    put_back(pair, "BLUE", old, marked=False)
    (told,) = [t for t in pair.blue.rung if isinstance(t, FaultSeen)]
    assert (told.fault, told.whose, told.level) == ("LostTail", "ours", Level.RING)
    with pytest.raises(BadInput, match="waits for GREEN"):
        give(pair, lat=35.5)
    settle(pair)
    give(pair, lat=35.5)
    settle(pair)
    own = pair.blue.node.lines[pair.ch].channel.own
    assert lost in {own.hash_of(n) for n in range(1, len(own.log) + 1)}
    opening = next(r for r in entries_of(pair.blue, "BLUE") if r.epoch == own.epoch)
    what = entries.reopen(entries.reread(opening.envelope, opening.body, opening.hash)).what  # type: ignore[union-attr]
    assert isinstance(what, EpochOpened)
    assert (what.reason, opening.seq) == ("REPAIRED", 1)
    check(pair)


def test_an_alert_on_a_node_that_found_out_by_itself_waits_for_nobody() -> None:
    pair = Pair()
    old = backup(pair.blue)
    give(pair)
    pair.settle()
    old.append([SettingRecord(setting_key(pair.ch), NODE_ITSELF)], old.head)
    put_back(pair, "BLUE", old, marked=False)
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, "BLUE/watch-1"), pair.now)
    assert len(pair.blue.node.lines[pair.ch].channel.own.epochs) == 2
    settle(pair)
    check(pair)


def test_a_peer_that_lost_our_words_gets_them_again() -> None:
    pair = Pair()
    old = backup(pair.green)
    give(pair)
    give(pair, lat=35.5)
    pair.settle()
    put_back(pair, "GREEN", old)
    settle(pair)
    assert len(list(pair.green.node.lines[pair.ch].board)) == 2
    check(pair)


def test_an_old_epoch_after_a_new_one_is_an_orphan_on_the_peer_too() -> None:
    pair = Pair()
    old = backup(pair.blue)
    lost = give(pair)
    frames = pair.blue.frames(lost)
    pair.blue.out.clear()
    put_back(pair, "BLUE", old)
    settle(pair)
    give(pair)
    settle(pair)
    pair.green.step(ev.Arrived(pair.ch, "BLUE", frames, ()), pair.now)
    assert [f.fault for f in faults(pair)] == ["Orphan"]
    pair.blue.step(ev.CompareHeads(), pair.now)
    settle(pair)
    check(pair)


@pytest.mark.parametrize("seed", range(150))
def test_any_order_of_words_losses_and_restores_converges(seed: int) -> None:
    chance = random.Random(seed)
    pair = Pair(seed=str(seed))
    copies: dict[str, list[MemoryStore]] = {n: [backup(e)] for n, e in pair.ends.items()}
    for n in range(60):
        pair.later(chance.choice([10, 1_000, 20_000]))
        name = chance.choice(["BLUE", "GREEN"])
        end = pair.ends[name]
        act = chance.random()
        try:
            if act < 0.25:
                end.step(ev.GiveNotice(pair.ch, f"{name}/watch-1", pair.terms(lat=35 + chance.random())), pair.now)
            elif act < 0.35:
                end.step(ev.RaiseAlert(pair.ch, f"{name}/watch-1"), pair.now)
            elif act < 0.50:
                others = [t for t in end.node.lines[pair.ch].board if t.author != name]
                if others:
                    end.step(ev.Acknowledge(pair.ch, f"{name}/watch-1", chance.choice(others).ref), pair.now)
            elif act < 0.60:
                own = [t for t in end.node.lines[pair.ch].board if t.author == name and t.kind == "notice"]
                if own:
                    end.step(ev.Cancel(pair.ch, f"{name}/watch-1", chance.choice(own).ref), pair.now)
            elif act < 0.66:
                copies[name].append(backup(end))
            elif act < 0.72:
                put_back(pair, name, chance.choice(copies[name]).copy(), seed=f"{seed}/{n}")
            elif act < 0.78:
                end.restart(pair.now)
            elif act < 0.90:
                pair.tick()
        except BadInput:
            pass
        for one in pair.ends.values():
            out, one.out = one.out, []
            for send in out:
                if chance.random() < 0.6:
                    pair.arrive(send, one)
    for end in pair.ends.values():
        end.step(ev.CompareHeads(), pair.now)
    settle(pair, 20)
    for end in pair.ends.values():
        end.step(ev.CompareHeads(), pair.now)
    settle(pair)
    check(pair)
