# SPDX-License-Identifier: Apache-2.0
"""Every urgent word that nobody has heard yet rings once: also one that cannot be understood, unless its author made it
old news, or its time is over (design.md §3, "Urgent first")."""

from __future__ import annotations

import pytest

from tests.core.test_line import BLUE, blue_writes, deliver, faults, give, said
from tests.core.test_restore import backup, check, put_back, settle
from tests.pair import Pair
from wideberth.core import events as ev
from wideberth.core.call.board import Thread
from wideberth.core.limits import ALERT_LIVES_MS
from wideberth.core.say.words import Amendment, Cancellation, Precedence, Terms, Word
from wideberth.core.seal import entry as entries
from wideberth.core.tells import Heard


def rang(pair: Pair, kind: str) -> list[Heard]:
    return [r for r in pair.green.rung if isinstance(r, Heard) and r.kind == kind]


def urgent(pair: Pair, **more: object) -> Terms:
    return pair.terms(precedence=Precedence.IMMEDIATE, **more)  # type: ignore[arg-type]


def forgotten_report(seed: str) -> tuple[Pair, str]:
    """BLUE gives a notice and reports it finished; its record is put back to before the report, and then its officer
    says urgently that the notice goes on elsewhere. Which of the two stands is a matter of the epochs' random ids."""
    pair = Pair(seed=seed)
    give(pair)
    pair.settle()
    ref = said(pair).ref
    old = backup(pair.blue)
    pair.blue.step(ev.Report(pair.ch, BLUE, ref, "FINISHED"), pair.now)
    pair.settle()
    put_back(pair, "BLUE", old, seed=f"again{seed}")
    pair.blue.out.clear()
    pair.blue.step(ev.Revise(pair.ch, BLUE, ref, "correct", urgent(pair, lat=35.9)), pair.now)
    pair.settle()
    return pair, ref


def thread(pair: Pair, name: str, ref: str) -> Thread:
    found = pair.ends[name].node.lines[pair.ch].board.find(ref)
    assert found is not None
    return found


def test_an_urgent_word_beside_a_report_that_its_author_has_forgotten_rings_either_way() -> None:
    """Seed 10656, promise `rung`: the report was of the version before, and silenced the one that came after it."""
    stood = set()
    for n in range(8):
        pair, ref = forgotten_report(str(n))
        (ring,) = rang(pair, "correct")
        versions = len(thread(pair, "GREEN", ref).versions)
        assert (versions == 1) == ("not understood" in ring.sentence)
        stood.add(versions)
        settle(pair)
        assert len(rang(pair, "correct")) == 1
        for name in pair.ends:
            assert thread(pair, name, ref).live(pair.now.t_ms) == (versions == 2), "nobody has said that it is over"
        check(pair)
    assert stood == {1, 2}, "both happen"


def test_a_version_that_goes_on_beside_a_forgotten_report_can_be_reported_finished() -> None:
    made = (forgotten_report(str(n)) for n in range(8))
    pair, ref = next((pair, ref) for pair, ref in made if len(thread(pair, "GREEN", ref).versions) == 2)
    settle(pair)
    pair.blue.step(ev.Report(pair.ch, BLUE, ref, "FINISHED"), pair.now)
    settle(pair)
    assert [thread(pair, name, ref).life(pair.now.t_ms) for name in pair.ends] == ["FINISHED", "FINISHED"]
    check(pair)
    pair.green.restart(pair.now)
    assert thread(pair, "GREEN", ref).life(pair.now.t_ms) == "FINISHED"


def test_an_alert_that_cannot_be_read_rings_for_its_header_says_what_it_is() -> None:
    pair = Pair()
    frame = blue_writes(pair, b'{"of":"a later version"}', kind="alert")
    deliver(pair, frame)
    (ring,) = rang(pair, "alert")
    assert not ring.recorded
    assert "not understood" in ring.sentence
    assert "telephone" in ring.sentence
    deliver(pair, frame)
    pair.green.restart(pair.now)
    deliver(pair, frame)
    assert len(rang(pair, "alert")) == 1, "once"


def test_an_alert_of_yesterday_that_cannot_be_read_does_not_ring() -> None:
    pair = Pair()
    frame = blue_writes(pair, b"{}", kind="alert")
    pair.later(ALERT_LIVES_MS)
    deliver(pair, frame)
    assert faults(pair)[0].fault == "UNREADABLE"
    assert not pair.green.rung


def lying(pair: Pair, word: Word, kind: str) -> tuple[bytes, bytes]:
    """A word that BLUE's own node would refuse to sign."""
    said, sig = entries.state(BLUE, pair.ch, pair.now.t_ms, word, pair.blue.keys.post("watch-1"))
    return blue_writes(pair, entries.pack_body(said, sig, bytes(16)), kind=kind)


@pytest.mark.parametrize("precedence", [Precedence.FLASH, Precedence.ROUTINE])
def test_an_urgent_version_of_a_notice_that_is_not_here_rings_as_not_understood(precedence: Precedence) -> None:
    pair = Pair()
    word = Amendment("BLU-0007-X", "ab" * 32, 2, pair.terms(precedence=precedence))
    deliver(pair, lying(pair, word, "amend"))
    assert faults(pair)[0].fault == "NOT_UNDERSTOOD"
    rings = rang(pair, "amend")
    assert len(rings) == (precedence is Precedence.FLASH)
    for ring in rings:
        assert ring.facts == {"not_understood": "BLUE has no notice BLU-0007-X"}
        assert "It says: AREA_ACTIVITY: 10.0 km round 36.2" in ring.sentence
    before = len(pair.green.rung)
    pair.green.restart(pair.now)
    assert len(pair.green.rung) == before


def test_what_is_not_understood_does_not_ring_once_it_is_over() -> None:
    pair = Pair()
    word = Amendment("BLU-0007-X", "ab" * 32, 2, urgent(pair))
    frame = lying(pair, word, "amend")
    pair.later(5_400_000)
    deliver(pair, frame)
    assert faults(pair)[0].fault == "NOT_UNDERSTOOD"
    assert not pair.green.rung


def test_what_its_author_cancels_in_the_same_delivery_does_not_ring_though_it_is_not_understood() -> None:
    pair = Pair()
    first = lying(pair, Amendment("BLU-0007-X", "ab" * 32, 2, urgent(pair)), "amend")
    header = entries.read(*first)[0]
    said, sig = entries.state(
        BLUE, pair.ch, pair.now.t_ms, Cancellation("BLU-0007-X", header.hash, 3), pair.blue.keys.post("watch-1")
    )
    body = entries.pack_body(said, sig, bytes(16))
    second = blue_writes(pair, body, kind="cancel", seq=header.header.seq + 1, prev=header.hash)
    deliver(pair, first, second)
    assert [f.fault for f in faults(pair)] == ["NOT_UNDERSTOOD", "NOT_UNDERSTOOD"]
    assert not pair.green.rung
