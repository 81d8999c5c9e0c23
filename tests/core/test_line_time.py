# SPDX-License-Identifier: Apache-2.0
"""A line over time: silence, revisions, modes, clocks, and what lists may show."""

from __future__ import annotations

import msgspec
import pytest

from tests.core.test_line import BLUE, GREEN, boards_agree, faults, give, heard, said
from tests.pair import RULES, T0, End, Keys, Pair, agreement_of
from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.call import views
from wideberth.core.carry.clocks import PeerClock
from wideberth.core.say.rules import Mode, Purpose
from wideberth.core.say.words import Hazard, NoticeType
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import Agreement, Member, channel_id, one_line, sign_agreement
from wideberth.core.tells import Overdue
from wideberth.errors import BadInput, NotFound


def test_a_clock_that_is_90_seconds_ahead_shows_with_its_bound() -> None:
    clock = PeerClock()
    assert clock.offset is None
    clock.exchanged(1_000_000, 1_000_000 + 90_000 + 700, 1_002_000)
    offset = clock.offset
    assert offset is not None
    assert offset.bound_ms == 1_000
    assert abs(offset.offset_ms - 90_000) <= offset.bound_ms
    clock.exchanged(2_000_000, 2_090_050, 2_000_100)
    assert clock.offset is not None
    assert (clock.offset.offset_ms, clock.offset.bound_ms) == (90_000, 50)
    clock.exchanged(3_000_000, 9_000_000, 2_999_000)  # our own clock went back: nothing can be said
    assert clock.offset.offset_ms == 90_000


def test_silence_becomes_overdue_and_nothing_else() -> None:
    pair = Pair()
    give(pair, start_ms=60_000, last_ms=3_600_000)
    pair.blue.out.clear()
    for wait in (30_000, 90_000, 180_000, 3_600_000):
        pair.later(wait)
        pair.blue.step(ev.Tick(), pair.now)
    whats = [t.what for t in pair.blue.tells(Overdue)]  # type: ignore[attr-defined]
    assert whats[:3] == ["UNDELIVERED", "UNACKNOWLEDGED", "NOT_READ_BACK"]
    assert set(whats) <= {"UNDELIVERED", "UNACKNOWLEDGED", "NOT_READ_BACK", "ENDING_SOON", "EXPIRED"}


def test_a_post_that_is_not_ours_cannot_speak_here() -> None:
    pair = Pair()
    for by in ("GREEN/watch-1", "BLUE/nobody", "watch-1"):
        with pytest.raises(NotFound):
            pair.blue.step(ev.RaiseAlert(pair.ch, by), pair.now)


def test_only_the_author_may_revise_and_nobody_answers_their_own() -> None:
    pair = Pair()
    give(pair)
    pair.settle()
    ref = said(pair).ref
    with pytest.raises(NotFound):
        pair.green.step(ev.Cancel(pair.ch, GREEN, ref), pair.now)
    with pytest.raises(BadInput, match="our own"):
        pair.blue.step(ev.Acknowledge(pair.ch, BLUE, ref), pair.now)


def test_the_life_of_a_notice_amended_extended_started_finished() -> None:
    pair = Pair()
    give(pair)
    ref = said(pair).ref
    terms = pair.terms()
    pair.blue.step(
        ev.Revise(pair.ch, BLUE, ref, "amend", msgspec.structs.replace(terms, text="two aircraft")), pair.now
    )
    pair.blue.step(ev.Extend(pair.ch, BLUE, ref, terms.ends_ms + 600_000), pair.now)
    pair.later(3_700_000)
    pair.blue.step(ev.Report(pair.ch, BLUE, ref, "STARTED"), pair.now)
    pair.settle()
    board = pair.green.node.lines[pair.ch].board
    thread = board.find(ref)
    assert thread is not None
    assert [v.kind for v in thread.versions] == ["notice", "amend", "extend"]
    assert thread.life(pair.now.t_ms) == "ACTIVE"
    pair.later(60_000)
    pair.blue.step(ev.Report(pair.ch, BLUE, ref, "FINISHED"), pair.now)
    pair.settle()
    assert thread.life(pair.now.t_ms) == "FINISHED"
    assert boards_agree(pair)


def test_a_frame_of_a_real_line_means_nothing_on_an_exercise_line() -> None:
    pair = Pair(mode=Mode.EXERCISE)
    agreement, real = agreement_of(Keys("BLUE"), Keys("GREEN"), mode=Mode.REAL)
    assert real != pair.ch
    for end in pair.ends.values():
        end.step(ev.OpenLine(agreement, (Keys("BLUE").card(), Keys("GREEN").card())), pair.now)
    send = give(pair)
    pair.blue.out.clear()
    pair.green.step(ev.Arrived(real, "BLUE", pair.blue.frames(send), ()), pair.now)
    assert faults(pair)[-1].fault == "Stranger"
    assert not heard(pair)


def test_lists_keep_another_partys_sites_out_and_show_them_one_at_a_time() -> None:
    pair = Pair()
    give(pair, type=NoticeType.STATIC_SITE, hazard=Hazard.PEOPLE_PRESENT)
    pair.settle()
    line = pair.green.node.lines[pair.ch]
    (thread,) = line.board
    members = ("BLUE", "GREEN")
    in_list = views.listed(line.board, thread, members, pair.now.t_ms, "GREEN")
    assert b"37150000000" not in canonical.encode(in_list)
    assert b"37150000000" in canonical.encode(views.thread_view(line.board, thread, members, pair.now.t_ms))
    assert b"37150000000" in canonical.encode(views.listed(line.board, thread, members, pair.now.t_ms, "BLUE"))


def test_a_member_without_a_node_is_named_so_that_somebody_calls() -> None:
    keys = Keys("BLUE")
    members = (Member("BLUE", keys.root.public), Member("GREEN", ""))
    agreement = Agreement(
        1, "Coast", 1, Mode.EXERCISE, members, one_line(Purpose.FLIGHT_SAFETY, ("BLUE", "GREEN")), RULES, T0, "ab" * 16
    )
    end = End(keys, "voice")
    end.step(ev.OpenLine(sign_agreement(agreement, keys.root).encoded(), (keys.card(),)), Now(T0, 0))
    batch = end.step(ev.RaiseAlert(channel_id(agreement), BLUE), Now(T0, 0))
    assert batch.tell[0].facts["by_voice"] == ["GREEN"]  # type: ignore[union-attr]
    assert not batch.send
    end.step(ev.LogVoice(channel_id(agreement), BLUE, "telephone", "understood", ref=batch.tell[0].ref), Now(T0, 0))  # type: ignore[union-attr]
    assert [type(w).__name__ for _, _, _, w in end.node.lines[channel_id(agreement)].board.words] == ["VoiceContact"]
