# SPDX-License-Identifier: Apache-2.0
"""Every fault that the simulator found in the core, told again in its smallest form. Seeds are of the day it was found.

Worlds change when officers or weather learn something new, so a seed alone would not keep the story.
"""

from __future__ import annotations

import pytest
from duet import MINUTE, Duet, terms

from wideberth.core import events as ev
from wideberth.core.say.words import Precedence
from wideberth.errors import BadInput
from wideberth.sim.promises import rungs_by_machine


def test_an_urgent_notice_that_refines_an_alert_rings_also_behind_a_gap() -> None:
    """Seed 3, promise `rung`: the ALERT itself was in the gap, so the notice that refines it was not understood alone,
    and stayed silent until the gap was filled."""
    duet = Duet()
    duet.blue.step(ev.RaiseAlert(duet.ch, "BLUE/watch-1"))
    alert = next(t for t in duet.line(duet.blue).board if t.kind == "alert")
    duet.blue.step(ev.GiveNotice(duet.ch, "BLUE/watch-1", terms(Precedence.IMMEDIATE), refines=alert.ref))
    frames, _ = duet.blue.take()
    assert len(frames) == 2
    duet.carry(duet.blue, duet.amber, frames[1:])
    assert [ring.kind for ring in duet.amber.rang] == ["notice"]
    duet.carry(duet.blue, duet.amber, frames[:1])
    assert [ring.kind for ring in duet.amber.rang] == ["notice"], "the ALERT is refined: it is old news"


def test_every_version_that_a_screen_showed_is_seen_and_stays_so_after_a_restart() -> None:
    """Seed 0, promise `agreed`: `showed` marked only the newest version; the board that was folded anew from the disk
    marked them all."""
    duet = Duet()
    for _ in range(3):
        duet.blue.step(ev.GiveNotice(duet.ch, "BLUE/watch-1", terms()))
    duet.exchange()
    duet.amber.step(ev.Showed(duet.ch, "BLUE", 4), at_ms=1000)
    duet.exchange()
    shown = {of for of, member, step, _ in rungs_by_machine(duet.line(duet.amber).board) if step == "SEEN"}
    assert len(shown) == 3
    again = duet.amber.build().lines[duet.ch].board
    assert rungs_by_machine(again) == rungs_by_machine(duet.line(duet.amber).board)
    assert rungs_by_machine(duet.line(duet.blue).board) == rungs_by_machine(again)


def test_a_notice_that_was_reported_finished_takes_no_new_version() -> None:
    """Seed 46, promise `rung`: an urgent amendment after FINISHED went out as said, and rang nobody, because the thread
    was over. Now the officer is told to give a new notice."""
    duet = Duet()
    duet.blue.step(ev.GiveNotice(duet.ch, "BLUE/watch-1", terms(Precedence.IMMEDIATE)))
    ref = next(iter(duet.line(duet.blue).board)).ref
    duet.blue.step(ev.Report(duet.ch, "BLUE/watch-1", ref, "FINISHED"), at_ms=40 * MINUTE)
    with pytest.raises(BadInput, match="finished"):
        duet.blue.step(ev.Revise(duet.ch, "BLUE/watch-1", ref, "amend", terms(lat="41.1")), at_ms=41 * MINUTE)
    duet.exchange(at_ms=41 * MINUTE)
    assert duet.line(duet.amber).channel.strands["BLUE"].seq == 3
