# SPDX-License-Identifier: Apache-2.0
"""A node key that is lost or stolen, and what changing keys in the simulator found (docs/decisions/0008)."""

from __future__ import annotations

import pytest

from tests.core.test_keys import (
    BLUE,
    GREEN,
    boards,
    change,
    faults,
    held,
    lose_node_key,
    named,
    nil,
    nils,
    placed,
    show,
)
from tests.core.test_restore import put_back
from tests.core.test_restore import settle as settle_all
from tests.pair import Pair
from wideberth.core import events as ev
from wideberth.core.say.words import EpochOpened, NilReturn, Place
from wideberth.core.tells import Heard
from wideberth.errors import BadInput


def test_a_lost_node_key_is_replaced_by_an_epoch_under_a_new_one() -> None:
    pair = Pair()
    copy = pair.blue.store.copy()
    first = nil(pair)
    pair.settle()
    pair.blue.store = copy  # the backup is from before that
    thief = lose_node_key(pair, old_record=False)
    with pytest.raises(BadInput, match="restored from a backup"):
        nil(pair)
    settle_all(pair)
    strand = pair.green.node.lines[pair.ch].channel.strands["BLUE"]
    assert len(strand.epochs) == 2
    assert nils(pair.blue, pair.ch) == [first], "its own word came back"
    nil(pair)
    pair.settle()
    assert len(nils(pair.green, pair.ch)) == 2
    assert not [f for f in faults(pair.green) + faults(pair.blue) if f.fault in ("BadSignature", "OutOfPlace")]
    old = strand.epochs[0]
    # Whoever has the old key goes on in the old epoch, and opens one of its own.
    late = placed(pair, BLUE, NilReturn(9), pair.blue.keys.post("watch-1"), node=thief, epoch=old,
                  seq=strand.length(old) + 1, prev=strand.hash_at(old, strand.length(old)))  # fmt: skip
    show(pair, late)
    after = Place(old, 1, strand.hash_at(old, 1))
    show(pair, placed(pair, "BLUE/node", EpochOpened("REPAIRED", after, {"GREEN": None}), None, node=thief,
                      epoch="ab" * 16, seq=1, prev="0" * 64))  # fmt: skip
    assert len(named(pair.green, "Outdated")) == 2
    assert all("replaced" in s for s in named(pair.green, "Outdated"))
    assert len(nils(pair.green, pair.ch)) == 2
    assert len(strand.epochs) == 2
    for end in pair.ends.values():
        end.restart(pair.now)
    settle_all(pair)
    nil(pair)
    pair.settle()
    assert len(nils(pair.green, pair.ch)) == 3
    assert boards(pair) == {boards(pair).pop()}


def test_an_alert_under_a_new_node_key_waits_for_nobody() -> None:
    pair = Pair()
    nil(pair)
    pair.settle()
    lose_node_key(pair)
    pair.blue.out.clear()  # nobody answered yet
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    pair.settle()
    assert [t.kind for t in pair.green.rung if isinstance(t, Heard)] == ["alert"]
    settle_all(pair)
    assert boards(pair) == {boards(pair).pop()}


def test_what_a_peer_held_comes_back_under_a_new_key_even_when_an_alert_went_first() -> None:
    pair = Pair()
    copy = pair.blue.store.copy()
    first = nil(pair)
    pair.settle()
    pair.blue.store = copy
    lose_node_key(pair, old_record=False)
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    settle_all(pair)
    assert nils(pair.blue, pair.ch) == nils(pair.green, pair.ch) == [first]
    assert not pair.blue.node.lines[pair.ch].recovery.owed()
    assert len(pair.green.node.lines[pair.ch].channel.strands["BLUE"].epochs) == 3
    assert not [f for f in faults(pair.green) + faults(pair.blue) if f.fault in ("BadSignature", "OutOfPlace")]


def test_what_the_thief_said_before_the_new_key_came_stays_where_it_was_receipted() -> None:
    pair = Pair()
    thief = pair.blue.keys.node
    stolen = placed(pair, BLUE, NilReturn(9), pair.blue.keys.post("watch-1"), node=thief)
    show(pair, stolen)
    assert held(pair.green, pair.ch) == 2
    pair.green.out.clear()
    lose_node_key(pair)
    settle_all(pair)
    assert nils(pair.green, pair.ch) == [stolen.hash] == nils(pair.blue, pair.ch), "a fence vouches for it"
    assert not named(pair.green, "BadSignature") + named(pair.blue, "BadSignature")


def test_without_its_key_nothing_is_signed_and_nothing_falls_over() -> None:
    pair = Pair()
    card = pair.blue.keys.renewed("node")
    pair.blue.step(ev.ChangeCard("", card), pair.now)
    pair.settle()
    pair.blue.keys.__dict__["_node"] = pair.blue.keys.others[0]  # the folder was put back from before the change
    pair.blue.keys.others.clear()
    pair.blue.restart(pair.now)
    with pytest.raises(BadInput, match="is not here"):
        nil(pair)
    pair.green.step(ev.RaiseAlert(pair.ch, GREEN), pair.now)
    pair.settle()
    assert [t.kind for t in pair.blue.rung if isinstance(t, Heard)] == ["alert"], "it hears all the same"


# --- found by changing keys in the simulator ---


def held_back(pair: Pair, *numbers: int) -> tuple[tuple[bytes, bytes], ...]:
    """Frames of BLUE's own strand, by their place."""
    line = pair.blue.node.lines[pair.ch]
    records = [pair.blue.store.entry(h) for h in line.channel.hashes(list(numbers))]
    return tuple((r.envelope, r.body) for r in records if r is not None)


def test_an_alert_behind_a_gap_rings_by_the_card_of_the_same_delivery() -> None:
    pair = Pair()
    change(pair, "watch-1")  # the node's key stays: only what is said needs the card
    nil(pair)
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    pair.blue.out.clear()
    pair.green.step(ev.Arrived(pair.ch, "BLUE", (*held_back(pair, 4), *held_back(pair, 2))), pair.now)
    assert held(pair.green, pair.ch) == 2
    pair.green.step(ev.Arrived(pair.ch, "BLUE", held_back(pair, 4)), pair.now)
    assert [t.kind for t in pair.green.rung if isinstance(t, Heard)] == ["alert"]


def test_every_card_that_is_not_receipted_travels_along() -> None:
    pair = Pair()
    change(pair, "watch-1")
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    change(pair, "node", "watch-1")
    pair.blue.out.clear()  # all of it is lost
    pair.later(1_000)
    pair.blue.step(ev.Tick(), pair.now)
    (send,) = (s for s in pair.blue.out if s.frames)
    assert len(send.sidecars) >= 2
    pair.green.step(ev.Arrived(pair.ch, "BLUE", held_back(pair, 3), send.sidecars), pair.now)
    assert [t.kind for t in pair.green.rung if isinstance(t, Heard)] == ["alert"], "the card between is there as well"


def test_a_peer_that_forgot_the_card_rings_all_the_same() -> None:
    pair = Pair()
    copy = pair.green.store.copy()
    change(pair, "node", "watch-1")
    pair.settle()
    put_back(pair, "GREEN", copy)
    pair.green.out.clear()  # its questions are lost
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    for send in pair.blue.out:
        pair.arrive(send, pair.blue)
    assert [t.kind for t in pair.green.rung if isinstance(t, Heard)] == ["alert"]
