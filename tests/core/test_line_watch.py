# SPDX-License-Identifier: Apache-2.0
"""What officers are told of their line, and when: checks due and missed, the next rung, calls, distress."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from tests.core.linesworld import (
    BLUE,
    GREEN,
    HOUR,
    MIDNIGHT,
    MINUTE,
    SC4,
    at,
    both,
    check,
    header_of,
    line,
    of_kind,
    pair_of,
    state,
)
from tests.core.test_three_members import NAMES, Trio
from tests.pair import T0
from wideberth.core import events as ev
from wideberth.core.call.contacts import Calls, calls, contacts_view, next_rung
from wideberth.core.call.linelog import LineItem, LineLog
from wideberth.core.call.lines import (
    DAY_MS,
    LineState,
    PairState,
    worst,
)
from wideberth.core.say.words import FallbackKind, NoticeType, VoiceContact
from wideberth.core.tells import CheckDue, CheckMissed, FallbackDue, LineChanged
from wideberth.core.tells import Heard as HeardTell
from wideberth.errors import BadInput

# --- what officers are told ---


def test_checks_are_prompted_at_the_agreed_time_and_after_5_and_15_minutes_and_missed_at_grace() -> None:
    pair = pair_of()
    end = pair.blue
    assert end.node.wake_ms(pair.now) == pair.now.mono_ms + MIDNIGHT - pair.now.t_ms
    told: list[tuple[int, str]] = []
    while len(told) < 5:
        wake = end.node.wake_ms(pair.now)
        assert wake is not None
        pair.later(max(1, wake - pair.now.mono_ms))
        before = len(end.told)
        end.step(ev.Tick(), pair.now)
        told += [(pair.now.t_ms - MIDNIGHT, type(t).__name__) for t in end.told[before:]]
    assert told == [
        (0, "CheckDue"), (5 * MINUTE, "CheckDue"), (15 * MINUTE, "CheckDue"),
        (20 * MINUTE, "CheckMissed"), (20 * MINUTE, "LineChanged"),
    ]  # fmt: skip
    assert [t.level.value for t in of_kind(end, CheckDue)] == ["NOTE", "NOTE", "RING"]  # type: ignore[attr-defined]


def test_nothing_is_prompted_any_more_once_a_person_answered() -> None:
    pair = pair_of()
    at(pair, MIDNIGHT)
    check(pair)
    for minutes in (5, 15, 20, 60):
        at(pair, MIDNIGHT + minutes * MINUTE)
    for end in pair.ends.values():
        assert [t.prompt for t in of_kind(end, CheckDue)] == [1]  # type: ignore[attr-defined]
        assert not of_kind(end, CheckMissed)


def test_who_was_asked_is_told_to_answer() -> None:
    pair = pair_of()
    at(pair, MIDNIGHT - 10 * MINUTE)
    pair.blue.step(ev.AskCheck(pair.ch, BLUE), pair.now)
    pair.settle()
    at(pair, MIDNIGHT)
    (due,) = of_kind(pair.green, CheckDue)
    assert "BLUE asked: answer with `linecheck answer`" in due.sentence  # type: ignore[attr-defined]


def test_a_check_is_asked_for_before_a_notice_becomes_active_unless_one_was_answered() -> None:
    pair = pair_of()
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, pair.terms(start_ms=HOUR)), pair.now)
    pair.settle()
    start = T0 + HOUR
    at(pair, start - SC4.check_before_ms - 1)
    assert not of_kind(pair.blue, CheckDue)
    at(pair, start - SC4.check_before_ms)
    for end in pair.ends.values():
        (due,) = of_kind(end, CheckDue)
        assert due.slot_ms == start
        assert due.ref.startswith("BLU-")
    again = pair_of()
    again.blue.step(ev.GiveNotice(again.ch, BLUE, again.terms(start_ms=HOUR)), again.now)
    at(again, start - SC4.check_before_ms - 10 * MINUTE)
    check(again)
    at(again, start - SC4.check_before_ms)
    assert not of_kind(again.blue, CheckDue)


def test_after_a_long_time_without_a_look_one_run_of_missed_checks_is_told_once() -> None:
    pair = pair_of()
    at(pair, MIDNIGHT + 5 * DAY_MS + HOUR)
    missed, changed = of_kind(pair.blue, CheckMissed), of_kind(pair.blue, LineChanged)
    assert [(t.missed, t.first_ms) for t in missed] == [(11, MIDNIGHT)]  # type: ignore[attr-defined]
    assert [(t.state, t.since_ms) for t in changed] == [  # type: ignore[attr-defined]
        ("SILENT", MIDNIGHT + 7 * HOUR + SC4.check_grace_ms)
    ]
    assert len(of_kind(pair.blue, FallbackDue)) == 1
    assert not of_kind(pair.blue, CheckDue)
    pair.blue.step(ev.Tick(), pair.now)
    assert len(of_kind(pair.blue, CheckMissed)) == 1


def test_a_node_that_starts_again_tells_the_state_once_and_goes_on_at_the_exact_times() -> None:
    pair = pair_of()
    at(pair, MIDNIGHT + DAY_MS + HOUR)
    pair.blue.told.clear()
    pair.blue.restart(pair.now)
    pair.blue.step(ev.Tick(), pair.now)
    assert [type(t).__name__ for t in pair.blue.told] == ["LineChanged", "FallbackDue"]
    wake = pair.blue.node.wake_ms(pair.now)
    for t_ms, kind in ((MIDNIGHT + DAY_MS + 7 * HOUR, CheckDue), (0, CheckDue), (0, CheckDue), (0, CheckMissed)):
        wake = pair.blue.node.wake_ms(pair.now)
        assert wake is not None
        before = len(pair.blue.told)
        while len(pair.blue.told) == before:
            wake = pair.blue.node.wake_ms(pair.now)
            assert wake is not None
            pair.later(max(1, wake - pair.now.mono_ms))
            pair.blue.step(ev.Tick(), pair.now)
        assert isinstance(pair.blue.told[before], kind)
        assert t_ms in (0, pair.now.t_ms)
    (missed,) = of_kind(pair.blue, CheckMissed)
    assert (missed.missed, pair.now.t_ms) == (4, MIDNIGHT + DAY_MS + 7 * HOUR + SC4.check_grace_ms)  # type: ignore[attr-defined]


def test_a_wake_never_keeps_a_node_busy() -> None:
    """A tick at the time of a wake moves it on: a month of them is a handful for each agreed time."""
    pair = pair_of()
    pair.blue.out.clear()
    for outbox in line(pair.blue, pair.ch).channel.outboxes.values():
        outbox.due_mono_ms = None
    ticks = 0
    while pair.now.t_ms < MIDNIGHT + 30 * DAY_MS:
        wake = pair.blue.node.wake_ms(pair.now)
        assert wake is not None
        pair.later(max(0, wake - pair.now.mono_ms))
        pair.blue.step(ev.Tick(), pair.now)
        pair.blue.out.clear()
        ticks += 1
    assert ticks <= 61 * 5


def test_a_hundred_years_of_silence_are_counted_and_not_walked_through() -> None:
    pair = pair_of()
    found = both(pair, MIDNIGHT + 36_500 * DAY_MS + 12 * HOUR)
    assert (found.state, found.missed) == (LineState.SILENT, 2 * 36_501)
    assert found.last_missed_ms == MIDNIGHT + 36_500 * DAY_MS + 7 * HOUR


# --- the ladder ---


def test_on_silence_the_next_rung_is_proposed_and_a_logged_use_moves_on() -> None:
    pair = pair_of()
    at(pair, MIDNIGHT + HOUR)
    assert not of_kind(pair.blue, FallbackDue)
    at(pair, MIDNIGHT + 8 * HOUR)
    for kind, outcome in (("ALTERNATE_LINK", "NO_ANSWER"), ("MEDIATOR", "ANSWERED"), ("PUBLIC_NOTICE", "ANSWERED")):
        newest = of_kind(pair.blue, FallbackDue)[-1]
        view = line(pair.blue, pair.ch).watch.peer_view(line(pair.blue, pair.ch).board, "GREEN", pair.now.t_ms)
        assert newest.kind == view["fallback"]["kind"] == kind  # type: ignore[attr-defined]
        pair.later(MINUTE)
        command = ev.LogVoice(pair.ch, BLUE, "phone", "tried", outcome=outcome, rung=FallbackKind(kind))  # type: ignore[arg-type]
        pair.blue.step(command, pair.now)
    view = line(pair.blue, pair.ch).watch.peer_view(line(pair.blue, pair.ch).board, "GREEN", pair.now.t_ms)
    assert view["fallback"] is None
    assert len(of_kind(pair.blue, FallbackDue)) == 3
    pair.settle()
    check(pair)
    at(pair, MIDNIGHT + DAY_MS + 8 * HOUR)
    assert of_kind(pair.blue, FallbackDue)[-1].kind == "ALTERNATE_LINK"  # type: ignore[attr-defined]


def test_a_rung_is_each_partys_own() -> None:
    pair = pair_of()
    at(pair, MIDNIGHT + 8 * HOUR)
    pair.green.step(ev.LogVoice(pair.ch, GREEN, "phone", "tried", rung=FallbackKind.ALTERNATE_LINK), pair.now)
    pair.settle()
    views = [
        line(end, pair.ch).watch.peer_view(line(end, pair.ch).board, peer, pair.now.t_ms)["fallback"]["kind"]
        for end, peer in ((pair.blue, "GREEN"), (pair.green, "BLUE"))
    ]
    assert views == ["ALTERNATE_LINK", "MEDIATOR"]


# --- calls ---


def test_22_calls_that_nobody_answered_are_a_response_rate_of_0_percent() -> None:
    pair = pair_of()
    for _ in range(22):
        pair.later(MINUTE)
        command = ev.LogVoice(
            pair.ch, BLUE, "guard radio", "no reply", outcome="NO_ANSWER", party="GREEN", frequency="243.000 MHz"
        )
        pair.blue.step(command, pair.now)
    pair.settle()
    for end in pair.ends.values():
        log = line(end, pair.ch).board.lines
        assert calls(log, ("BLUE", "GREEN")) == {("BLUE", "GREEN"): Calls(22, 0, 0)}
        (rate,) = contacts_view(log, ("BLUE", "GREEN"))["rates"]
        assert rate["rate_percent"] == 0
    assert Calls().rate_percent is None
    assert Calls(3, 2, 1).rate_percent == 66
    assert state(pair).state is LineState.OPEN, "that nobody answers a call is not a refusal"


def test_a_call_names_who_was_called_where_there_are_several() -> None:
    trio = Trio()
    amber = trio.ends["AMBER"]
    with pytest.raises(BadInput, match="--party"):
        amber.step(ev.LogVoice(trio.ch, "AMBER/watch-1", "telephone", "x"), trio.now)
    with pytest.raises(BadInput, match="not on this line"):
        amber.step(ev.LogVoice(trio.ch, "AMBER/watch-1", "telephone", "x", party="PINK"), trio.now)
    amber.step(ev.LogVoice(trio.ch, "AMBER/watch-1", "telephone", "x", party="GREEN", outcome="REFUSED"), trio.now)
    mine = line(amber, trio.ch)
    states = {p: mine.watch.peer_view(mine.board, p, trio.now.t_ms)["state"] for p in ("BLUE", "GREEN")}
    assert states == {"BLUE": "OPEN", "GREEN": "REFUSED"}
    assert mine.watch.view(mine.board, trio.now.t_ms)["state"] == "REFUSED"


def test_the_worst_of_a_line_is_the_worst_of_its_pairs() -> None:
    for some in itertools.product(LineState, repeat=2):
        assert worst(iter(some)) is max(some, key=list(LineState).index)
    assert worst(iter(())) is LineState.OPEN


# --- distress ---


def test_distress_at_an_exact_place_needs_no_least_area_and_goes_first() -> None:
    from wideberth.web import drafts

    pair = pair_of()
    draft = {"type": "DISTRESS", "circle": "36.20N 37.15E"}
    terms = drafts.terms_of(draft, now_ms=pair.now.t_ms, contact="watch", rules=SC4)
    assert (terms.type, terms.precedence.value, terms.priority.value) == (NoticeType.DISTRESS, "FLASH", "DISTRESS")
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, terms), pair.now)
    assert "warnings" not in pair.blue.told[-1].facts  # type: ignore[union-attr]
    pair.settle()
    exact = drafts.terms_of({**draft, "radius": "50m"}, now_ms=pair.now.t_ms, contact="watch", rules=SC4)
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, exact), pair.now)
    pair.settle()
    assert len([t for t in pair.green.rung if isinstance(t, HeardTell)]) == 2


def test_a_new_version_with_sooner_times_is_prompted_for_at_them() -> None:
    """It comes into force without a word on this line: the node looks all the same."""
    pair = pair_of()
    at(pair, MIDNIGHT - HOUR)
    versions = line(pair.blue, pair.ch).channel.versions
    sooner = msgspec.structs.replace(SC4, check_times_ms=(23 * HOUR + 30 * MINUTE,))
    following = msgspec.structs.replace(
        versions.newest, version=2, previous=versions.newest_hash, from_ms=pair.now.t_ms, rules=sooner
    )
    versions.add(following)
    pair.blue.step(ev.CheckLines(), pair.now)
    for _ in range(3):
        wake = pair.blue.node.wake_ms(pair.now)
        assert wake is not None
        pair.later(max(0, wake - pair.now.mono_ms))
        pair.blue.step(ev.Tick(), pair.now)
        if of_kind(pair.blue, CheckDue):
            break
    (due,) = of_kind(pair.blue, CheckDue)
    assert (due.slot_ms, pair.now.t_ms) == (MIDNIGHT - 30 * MINUTE,) * 2  # type: ignore[attr-defined]


def test_a_call_of_another_member_to_the_same_peer_is_no_rung_of_ours() -> None:
    log = LineLog()
    called = VoiceContact("", "phone", "tried", MIDNIGHT, "NO_ANSWER", "GREEN", rung=FallbackKind.ALTERNATE_LINK)
    item = LineItem("AMBER", "AMBER/watch-1", "a" * 64, "amber", 2, MIDNIGHT, called)
    assert log.take(header_of(item), item.entry, called) == ""
    silent = PairState(LineState.SILENT, 1, "CHECKS", "UNKNOWN", LineState.SILENT, 1, 1, 2, 1, 1, 0)
    for us, kind in (("AMBER", FallbackKind.MEDIATOR), ("BLUE", FallbackKind.ALTERNATE_LINK)):
        rung = next_rung(log, us, "GREEN", NAMES, silent, SC4)
        assert rung is not None
        assert rung.fallback.kind is kind
