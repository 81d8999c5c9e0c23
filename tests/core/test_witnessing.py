# SPDX-License-Identifier: Apache-2.0
"""Line checks and checkpoints between two real cores."""

from __future__ import annotations

import msgspec
import pytest

from tests.core.test_line import faults, give
from tests.pair import Pair
from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.seal import checkpoint, linecheck
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.merkle import Tree


def exchange(pair: Pair, *, skew_ms: int = 0, there_ms: int = 40, back_ms: int = 60) -> None:
    """One line check begun by BLUE, with GREEN's clock ahead and a wire that takes its time."""

    def green() -> Now:
        return Now(pair.now.t_ms + skew_ms, pair.now.mono_ms)

    pair.blue.out.clear()
    pair.blue.step(ev.CheckLines(), pair.now)
    (ask,) = pair.blue.out
    pair.later(there_ms)
    answer = pair.green.step(ev.Arrived(pair.ch, "BLUE", (), ask.sidecars), green()).send[0]
    pair.later(back_ms)
    close = pair.blue.step(ev.Arrived(pair.ch, "GREEN", (), answer.sidecars), pair.now).send[0]
    pair.later(there_ms)
    pair.green.step(ev.Arrived(pair.ch, "BLUE", (), close.sidecars), green())
    pair.blue.out.clear()
    pair.green.out.clear()


@pytest.mark.parametrize("skew_ms", [0, 900, -1_500, 90_000])
def test_after_a_line_check_both_have_signed_what_their_clocks_differed_by(skew_ms: int) -> None:
    pair = Pair()
    for end in pair.ends.values():
        for clock in end.node.lines[pair.ch].channel.clocks.values():
            clock._seen.clear()
    exchange(pair, skew_ms=skew_ms)
    for end, sign in ((pair.blue, 1), (pair.green, -1)):
        (clock,) = end.node.lines[pair.ch].channel.clocks.values()
        assert clock.offset is not None
        assert abs(clock.offset.offset_ms - sign * skew_ms) <= clock.offset.bound_ms <= 52
        kept = [linecheck.read(s.envelope)[0] for s in end.store.sidecars(pair.ch, "linecheck")]
        assert {type(m) for m in kept} >= {linecheck.LineClose}
        alarms = [f for f in faults(pair, end.keys.party) if f.fault == "ClocksApart"]
        assert len(alarms) == (1 if abs(skew_ms) > 2_000 else 0)


def test_a_line_check_of_nodes_that_agree_says_nothing_more() -> None:
    pair = Pair()
    give(pair)
    pair.settle()
    for end in pair.ends.values():
        end.step(ev.CheckLines(), pair.now)
    pair.settle()
    assert not [s for end in pair.ends.values() for s in end.out]
    assert not faults(pair)


def test_a_peer_cosigns_a_checkpoint_over_what_it_really_holds() -> None:
    pair = Pair()
    for n in range(5):
        give(pair, lat=35 + n / 10)
    pair.settle()
    pair.blue.step(ev.SignCheckpoints(), pair.now)
    pair.settle()
    notes = [checkpoint.read(s.envelope) for s in pair.blue.store.sidecars(pair.ch, "checkpoint")]
    found, signed = notes[-1]
    channel = pair.blue.node.lines[pair.ch].channel
    assert found.size == channel.own.seq == 6
    leaves = [bytes.fromhex(channel.own.hash_at(found.epoch, n)) for n in range(1, 7)]
    assert Tree(leaves).root() == found.root
    keys = {"GREEN": (channel.cards["GREEN"].node,)}
    (cosigned,) = checkpoint.cosigners(found, signed, keys, Ed25519Verifier())
    assert (cosigned.party, cosigned.t_s) == ("GREEN", pair.now.t_ms // 1000)
    before = len(pair.blue.store.sidecars(pair.ch, "checkpoint"))
    pair.blue.step(ev.SignCheckpoints(), pair.now)
    assert len(pair.blue.store.sidecars(pair.ch, "checkpoint")) == before, "nothing grew, nothing is signed"
    pair.blue.restart(pair.now)
    pair.blue.step(ev.SignCheckpoints(), pair.now)
    assert len(pair.blue.store.sidecars(pair.ch, "checkpoint")) == before


def test_a_checkpoint_over_another_strand_is_a_split_view_and_rings() -> None:
    pair = Pair()
    give(pair)
    pair.settle()
    channel = pair.blue.node.lines[pair.ch].channel
    other = checkpoint.Checkpoint(pair.ch, "BLUE", channel.own.epoch, 2, b"\x07" * 32)
    data = checkpoint.seal(other, pair.blue.keys.node)
    sidecar = msgspec.json.encode(data.decode())
    for _ in range(2):
        pair.green.step(ev.Arrived(pair.ch, "BLUE", (), (sidecar,)), pair.now)
    (fault,) = faults(pair)
    assert (fault.fault, fault.whose) == ("SplitView", "theirs")
    assert [s.envelope for s in pair.green.store.sidecars(pair.ch, "split")] == [data]


@pytest.mark.parametrize("sidecar", [b'"no note"', b'"\\u0000"', b'""', b"17", b"{}", b"[]", b'{"payloadType":"x"}'])
def test_a_nonsense_sidecar_is_their_fault_and_nothing_else(sidecar: bytes) -> None:
    pair = Pair()
    pair.green.step(ev.Arrived(pair.ch, "BLUE", (), (sidecar,)), pair.now)
    assert [f.whose for f in faults(pair)] == ["theirs"]


def test_a_peer_that_lost_its_record_is_found_by_the_line_check() -> None:
    pair = Pair()
    old = pair.green.store.copy()
    give(pair)
    pair.settle()
    pair.green.store = old
    pair.green.node = pair.green._fresh()
    for record in old.load():
        pair.green.node.load(record)
    pair.blue.step(ev.CheckLines(), pair.now)
    pair.settle()
    assert len(list(pair.green.node.lines[pair.ch].board)) == 1


def test_a_thousand_entries_do_not_wait_for_the_minute() -> None:
    pair = Pair()
    for n in range(1_000):
        pair.blue.step(ev.SayNil(pair.ch, "BLUE/watch-1", pair.now.t_ms + n + 1), pair.now)
    (note,) = pair.blue.store.sidecars(pair.ch, "checkpoint")
    assert checkpoint.read(note.envelope)[0].size == 1_000
