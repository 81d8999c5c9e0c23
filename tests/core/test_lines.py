# SPDX-License-Identifier: Apache-2.0
"""The state of a line: what checks, words, outages and calls make of it, alike on every node."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    opened_log,
    pair_of,
    state,
    two_lines,
)
from tests.core.test_three_members import NAMES, Trio
from tests.pair import T0
from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.call.linelog import LineLog
from wideberth.core.call.lines import (
    CHECK_EARLY_MS,
    CHECKS,
    DAY_MS,
    OVER,
    LineState,
    LineStates,
    Sign,
)
from wideberth.core.folding import Fold, Heard
from wideberth.core.records import EntryRecord
from wideberth.core.say.rules import Purpose
from wideberth.core.say.standing import LineCheckAnswer
from wideberth.core.seal.agreement import Versions
from wideberth.core.tells import Heard as HeardTell
from wideberth.errors import BadInput, NotFound

# --- the checks ---


def test_two_missed_checks_degrade_and_silence_the_line_at_the_exact_times() -> None:
    pair = pair_of()
    grace = SC4.check_grace_ms
    for t_ms, expected in (
        (MIDNIGHT + grace - 1, LineState.OPEN),
        (MIDNIGHT + grace, LineState.DEGRADED),
        (MIDNIGHT + 7 * HOUR + grace - 1, LineState.DEGRADED),
        (MIDNIGHT + 7 * HOUR + grace, LineState.SILENT),
    ):
        assert both(pair, t_ms).state is expected
    silent = both(pair, MIDNIGHT + 9 * HOUR)
    assert (silent.since_ms, silent.reason, silent.missed) == (MIDNIGHT + 7 * HOUR + grace, "UNKNOWN", 2)
    assert (silent.first_missed_ms, silent.last_missed_ms) == (MIDNIGHT, MIDNIGHT + 7 * HOUR)
    mine = line(pair.blue, pair.ch)
    turns = mine.watch.states.turns(mine.board.lines, "BLUE", "GREEN", MIDNIGHT + 9 * HOUR)
    assert [(t.t_ms, t.state) for t in turns] == [
        (T0, LineState.OPEN), (MIDNIGHT + grace, LineState.DEGRADED), (MIDNIGHT + 7 * HOUR + grace, LineState.SILENT),
    ]  # fmt: skip


@pytest.mark.parametrize("asker", ["BLUE", "GREEN"])
def test_a_check_asked_by_either_and_answered_by_the_other_keeps_the_agreed_time(asker: str) -> None:
    pair = pair_of()
    at(pair, MIDNIGHT + 2 * MINUTE)
    check(pair, asker)
    at(pair, MIDNIGHT + HOUR)
    assert (both(pair).state, both(pair).missed, both(pair).answered_ms) == (LineState.OPEN, 0, MIDNIGHT + 2 * MINUTE)


@pytest.mark.parametrize(
    ("asked", "answered", "kept"),
    [
        (-CHECK_EARLY_MS, 0, True),
        (-CHECK_EARLY_MS - 1, 0, False),
        (0, SC4.check_grace_ms, True),
        (0, SC4.check_grace_ms + 1, False),
    ],
)
def test_both_times_must_lie_about_the_agreed_one(asked: int, answered: int, kept: bool) -> None:
    pair = pair_of()
    at(pair, MIDNIGHT + asked)
    pair.blue.step(ev.AskCheck(pair.ch, BLUE), pair.now)
    pair.settle()
    at(pair, MIDNIGHT + answered)
    pair.green.step(ev.AnswerCheck(pair.ch, GREEN), pair.now)
    pair.settle()
    turns = line(pair.blue, pair.ch).watch.states.turns(
        line(pair.blue, pair.ch).board.lines, "BLUE", "GREEN", MIDNIGHT + HOUR
    )
    assert (LineState.DEGRADED in [t.state for t in turns]) is not kept


def test_an_ask_without_an_answer_keeps_nothing() -> None:
    pair = pair_of()
    at(pair, MIDNIGHT)
    pair.blue.step(ev.AskCheck(pair.ch, BLUE), pair.now)
    pair.green.step(ev.AskCheck(pair.ch, GREEN), pair.now)
    pair.settle()
    assert both(pair, MIDNIGHT + HOUR).state is LineState.DEGRADED


def test_any_later_answered_check_opens_the_line_again_and_counts_anew() -> None:
    pair = pair_of()
    at(pair, MIDNIGHT + DAY_MS + HOUR)
    assert both(pair).missed == 3
    check(pair, "GREEN")
    opened = both(pair)
    assert (opened.state, opened.since_ms, opened.missed, opened.reason) == (LineState.OPEN, pair.now.t_ms, 0, "")
    assert both(pair, MIDNIGHT + DAY_MS + 8 * HOUR).state is LineState.DEGRADED


def test_nobody_answers_their_own_check_nor_one_that_is_not_there_nor_with_another_nonce() -> None:
    pair = pair_of()
    pair.blue.step(ev.AskCheck(pair.ch, BLUE), pair.now)
    with pytest.raises(NotFound, match="waits for an answer"):
        pair.blue.step(ev.AnswerCheck(pair.ch, BLUE), pair.now)
    (mine,) = line(pair.blue, pair.ch).board.lines.unanswered("BLUE", "GREEN")
    with pytest.raises(BadInput, match="their own"):
        pair.blue.step(ev.AnswerCheck(pair.ch, BLUE, of=mine.entry), pair.now)
    with pytest.raises(NotFound, match="linecheck list"):
        pair.green.step(ev.AnswerCheck(pair.ch, GREEN, of="f" * 64), pair.now)
    pair.settle()
    log = line(pair.green, pair.ch).board.lines
    header = log.items[0]
    false = LineCheckAnswer(mine.entry, "0" * 32)
    ours = msgspec.structs.replace(header, author="GREEN")
    assert "another nonce" in log.take(header_of(ours), "e" * 64, false)
    assert "their own" in log.take(header_of(header), "e" * 64, false)
    assert log.answered == []


def test_every_check_has_a_nonce_of_the_nodes_own() -> None:
    pair = pair_of()
    for _ in range(3):
        pair.blue.step(ev.AskCheck(pair.ch, BLUE), pair.now)
    asked = line(pair.blue, pair.ch).board.lines.unanswered("BLUE", "GREEN")
    assert len({getattr(i.what, "nonce", "") for i in asked}) == 3


def test_the_newest_check_is_answered_and_the_older_ones_wait_no_more() -> None:
    pair = pair_of()
    for _ in range(3):
        pair.later(5 * MINUTE)
        pair.blue.step(ev.AskCheck(pair.ch, BLUE), pair.now)
    pair.settle()
    log = line(pair.green, pair.ch).board.lines
    newest = log.unanswered("BLUE", "GREEN")[-1]
    pair.green.step(ev.AnswerCheck(pair.ch, GREEN), pair.now)
    assert log.unanswered("BLUE", "GREEN") == []
    assert [a.ask.entry for a in log.answered] == [newest.entry]


def test_the_version_in_force_at_an_agreed_time_says_which_times_there_are() -> None:
    rules = msgspec.structs.replace(SC4, check_times_ms=(0,))
    founding = two_lines(rules, T0)
    versions = Versions(founding)
    from wideberth.core.seal.agreement import agreement_hash

    later = msgspec.structs.replace(
        founding, version=2, previous=agreement_hash(founding), from_ms=MIDNIGHT + 6 * HOUR,
        rules=msgspec.structs.replace(SC4, check_times_ms=(5 * HOUR, 7 * HOUR), check_grace_ms=60_000),
    )  # fmt: skip
    versions.add(later)
    states, log = LineStates(versions, founding.lines[0]), opened_log("BLUE", "GREEN")
    turns = states.turns(log, "BLUE", "GREEN", MIDNIGHT + DAY_MS)
    assert [(t.t_ms - MIDNIGHT, t.state.value) for t in turns[1:]] == [
        (SC4.check_grace_ms, "DEGRADED"), (7 * HOUR + 60_000, "SILENT"),
    ]  # fmt: skip


def test_a_line_that_the_agreement_in_force_has_no_more_is_closed() -> None:
    from wideberth.core.seal.agreement import agreement_hash

    founding = two_lines(SC4, T0)
    versions = Versions(founding)
    kept = tuple(each for each in founding.lines if each.purpose is Purpose.WORKING_GROUP)
    versions.add(
        msgspec.structs.replace(
            founding, version=2, previous=agreement_hash(founding), from_ms=MIDNIGHT + HOUR, lines=kept
        )
    )
    (dropped,) = (each for each in founding.lines if each.purpose is not Purpose.WORKING_GROUP)
    states, log = LineStates(versions, dropped), opened_log("BLUE", "GREEN")
    found = states.of(log, "BLUE", "GREEN", MIDNIGHT + 9 * DAY_MS)
    assert (found.state, found.since_ms, found.cause) == (LineState.CLOSED, MIDNIGHT + HOUR, "AGREEMENT")
    assert found.missed == 1, "nothing is due on a line that is no more"


# --- what stands over them ---


@pytest.mark.parametrize(
    ("word", "expected"), [("REFUSED", "REFUSED"), ("SUSPENDED", "SUSPENDED"), ("CLOSED", "CLOSED")]
)
def test_a_members_word_holds_until_its_next(word: str, expected: str) -> None:
    pair = pair_of()
    pair.later(HOUR)
    pair.green.step(ev.SayOfLine(pair.ch, GREEN, word, "by order"), pair.now)  # type: ignore[arg-type]
    pair.settle()
    found = both(pair)
    assert (found.state.value, found.since_ms, found.reason) == (expected, pair.now.t_ms, "by order")
    pair.later(HOUR)
    pair.blue.step(ev.SayOfLine(pair.ch, BLUE, "OPEN"), pair.now)
    pair.settle()
    assert both(pair).state.value == expected, "only a member's own next word ends it"
    pair.green.step(ev.SayOfLine(pair.ch, GREEN, "OPEN"), pair.now)
    pair.settle()
    assert both(pair).state is LineState.OPEN


def test_a_refusal_ends_with_a_check_that_the_refuser_takes_part_in_and_not_before() -> None:
    pair = pair_of()
    pair.green.step(ev.AskCheck(pair.ch, GREEN), pair.now)
    pair.green.step(ev.SayOfLine(pair.ch, GREEN, "REFUSED", "the atmosphere is not right"), pair.now)
    pair.settle()
    pair.later(MINUTE)
    pair.blue.step(ev.AnswerCheck(pair.ch, BLUE), pair.now)  # asked before GREEN refused
    pair.settle()
    assert both(pair).state is LineState.REFUSED
    pair.later(MINUTE)
    check(pair, "BLUE")
    assert both(pair).state is LineState.OPEN


def test_a_logged_call_that_was_refused_stands_until_a_newer_one_or_an_answered_check() -> None:
    pair = pair_of()
    pair.later(HOUR)
    pair.blue.step(ev.LogVoice(pair.ch, BLUE, "telephone", "they hung up", outcome="REFUSED"), pair.now)
    pair.settle()
    assert (both(pair).state, both(pair).cause, both(pair).since_ms) == (LineState.REFUSED, "CONTACT", pair.now.t_ms)
    pair.later(MINUTE)
    pair.blue.step(ev.LogVoice(pair.ch, BLUE, "telephone", "nobody", outcome="NO_ANSWER"), pair.now)
    assert state(pair).state is LineState.OPEN
    pair.later(MINUTE)
    pair.blue.step(ev.LogVoice(pair.ch, BLUE, "telephone", "they hung up", outcome="REFUSED"), pair.now)
    pair.settle()
    check(pair, "BLUE")
    assert both(pair).state is LineState.OPEN
    # An old call that is logged late says nothing about now.
    old = pair.now.t_ms - 10 * MINUTE
    pair.blue.step(ev.LogVoice(pair.ch, BLUE, "telephone", "they hung up", old, outcome="REFUSED"), pair.now)
    assert state(pair).state is LineState.OPEN


def test_a_planned_outage_suspends_the_line_and_no_check_is_missed_in_it() -> None:
    pair = pair_of()
    pair.green.step(ev.PlanOutage(pair.ch, GREEN, MIDNIGHT - HOUR, MIDNIGHT + 2 * HOUR, "new cable"), pair.now)
    pair.settle()
    assert both(pair, MIDNIGHT - HOUR - 1).state is LineState.OPEN
    during = both(pair, MIDNIGHT)
    assert (during.state, during.since_ms, during.cause) == (LineState.SUSPENDED, MIDNIGHT - HOUR, "OUTAGE")
    after = both(pair, MIDNIGHT + 2 * HOUR)
    assert (after.state, after.since_ms, after.missed) == (LineState.OPEN, MIDNIGHT + 2 * HOUR, 0)


def test_a_call_from_before_an_answered_check_says_nothing_about_the_line_after_it() -> None:
    pair = pair_of()
    pair.later(HOUR)
    check(pair)
    before = pair.now.t_ms - 10 * MINUTE
    pair.later(MINUTE)
    pair.blue.step(ev.LogVoice(pair.ch, BLUE, "telephone", "they hung up", before, outcome="REFUSED"), pair.now)
    assert state(pair).state is LineState.OPEN


def test_the_newest_call_counts_and_not_the_one_that_was_logged_last() -> None:
    pair = pair_of()
    pair.later(HOUR)
    pair.blue.step(ev.LogVoice(pair.ch, BLUE, "telephone", "they hung up", outcome="REFUSED"), pair.now)
    pair.later(MINUTE)
    earlier = pair.now.t_ms - HOUR
    pair.blue.step(ev.LogVoice(pair.ch, BLUE, "telephone", "nobody", earlier, outcome="NO_ANSWER"), pair.now)
    assert state(pair).state is LineState.REFUSED


def test_of_a_members_words_the_last_in_its_strand_holds_whatever_its_clock_said() -> None:
    pair = pair_of()
    pair.later(2 * HOUR)
    pair.green.step(ev.SayOfLine(pair.ch, GREEN, "SUSPENDED"), pair.now)
    set_back = Now(pair.now.t_ms - HOUR, pair.now.mono_ms + MINUTE)
    pair.green.step(ev.SayOfLine(pair.ch, GREEN, "OPEN"), set_back)
    pair.settle()
    assert both(pair, pair.now.t_ms + HOUR).state is LineState.OPEN


def test_a_check_that_is_due_when_the_line_is_taken_out_of_use_is_not_missed() -> None:
    pair = pair_of()
    at(pair, MIDNIGHT + 10 * MINUTE)
    pair.green.step(ev.SayOfLine(pair.ch, GREEN, "SUSPENDED"), pair.now)
    pair.settle()
    at(pair, MIDNIGHT + HOUR)
    pair.green.step(ev.SayOfLine(pair.ch, GREEN, "OPEN"), pair.now)
    pair.settle()
    assert (both(pair).state, both(pair).missed) == (LineState.OPEN, 0)


def test_nothing_is_due_before_anybody_has_begun() -> None:
    founding = two_lines(SC4, T0)
    states = LineStates(Versions(founding), founding.lines[0])
    assert states.of(LineLog(), "BLUE", "GREEN", MIDNIGHT + 9 * DAY_MS).state is LineState.OPEN
    assert states.next_ms(LineLog(), "BLUE", "GREEN", MIDNIGHT + 9 * DAY_MS) is None


@pytest.mark.parametrize("word", ["REFUSED", "SUSPENDED", "CLOSED", None])
def test_urgent_and_distress_words_pass_in_every_state(word: str | None) -> None:
    pair = pair_of()
    if word is None:
        at(pair, MIDNIGHT + 3 * DAY_MS)
    else:
        pair.green.step(ev.SayOfLine(pair.ch, GREEN, word), pair.now)  # type: ignore[arg-type]
        pair.settle()
    assert both(pair).state.value == (word or "SILENT")
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE, distress=True), pair.now)
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, pair.terms(start_ms=60_000)), pair.now)
    (warned,) = pair.blue.told[-1].facts["warnings"][-1:]  # type: ignore[union-attr]
    assert f"is {word or 'SILENT'} since" in warned
    pair.settle()
    kinds = [(t.kind, t.recorded) for t in pair.green.rung if isinstance(t, HeardTell)]
    assert kinds == [("alert", False), ("notice", False)]
    assert "DISTRESS of BLUE" in next(t.sentence for t in pair.green.rung if isinstance(t, HeardTell))


def test_what_is_said_to_a_silent_or_refusing_peer_arrives_with_its_original_time() -> None:
    pair = pair_of()
    pair.green.step(ev.SayOfLine(pair.ch, GREEN, "REFUSED"), pair.now)
    pair.settle()
    at(pair, MIDNIGHT)
    said_ms = pair.now.t_ms
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, pair.terms(start_ms=9 * DAY_MS)), pair.now)
    pair.blue.out.clear()  # the line takes nothing
    at(pair, MIDNIGHT + 4 * DAY_MS)
    pair.settle()
    (heard,) = [t for t in pair.green.told if isinstance(t, HeardTell) and t.kind == "notice"]
    assert (heard.t_ms, heard.at_ms) == (said_ms, MIDNIGHT + 4 * DAY_MS)


# --- the same on every node ---


def test_both_nodes_say_the_same_at_every_time_of_a_troubled_week() -> None:
    pair = pair_of()
    dice = random.Random(7)
    says: list[Callable[[str], ev.Command]] = [
        lambda p: ev.AskCheck(pair.ch, f"{p}/watch-1"),
        lambda p: ev.AnswerCheck(pair.ch, f"{p}/watch-1"),
        lambda p: ev.AnswerCheck(pair.ch, f"{p}/watch-1"),
        lambda p: ev.SayOfLine(
            pair.ch, f"{p}/watch-1", dice.choice(["REFUSED", "SUSPENDED", "OPEN", "CLOSED", "OPEN"])
        ),  # type: ignore[arg-type]
        lambda p: ev.LogVoice(pair.ch, f"{p}/watch-1", "phone", "x", outcome=dice.choice(["REFUSED", "NO_ANSWER"])),  # type: ignore[arg-type]
        lambda p: ev.PlanOutage(pair.ch, f"{p}/watch-1", pair.now.t_ms + HOUR, pair.now.t_ms + 3 * HOUR),
    ]
    for _ in range(120):
        pair.later(dice.randrange(2 * HOUR))
        party = dice.choice(["BLUE", "GREEN"])
        try:
            pair.ends[party].step(dice.choice(says)(party), pair.now)
        except NotFound:
            continue
        pair.settle()
    end = pair.now.t_ms
    seen = {both(pair, T0 + (end - T0) * n // 200).state for n in range(201)}
    assert len(seen) >= 4, "the week must be troubled"
    # Asked backwards, and of a node that was started anew from its store, the answers are the same.
    forward = [both(pair, T0 + (end - T0) * n // 50) for n in range(51)]
    assert [both(pair, T0 + (end - T0) * n // 50) for n in range(50, -1, -1)] == forward[::-1]
    pair.blue.restart(pair.now)
    assert [both(pair, T0 + (end - T0) * n // 50) for n in range(51)] == forward


TROUBLED: list[tuple[str, str]] = [
    ("AMBER", "ask"), ("BLUE", "answer AMBER"), ("GREEN", "answer AMBER"), ("BLUE", "REFUSED"), ("GREEN", "ask"),
    ("BLUE", "answer GREEN"), ("AMBER", "voice GREEN"), ("BLUE", "outage"), ("GREEN", "SUSPENDED"), ("GREEN", "OPEN"),
    ("AMBER", "ask"), ("GREEN", "answer AMBER"), ("AMBER", "CLOSED"),
]  # fmt: skip


def _troubled() -> tuple[Trio, list[EntryRecord]]:
    trio = Trio()
    for party, what in TROUBLED:
        trio.later(100 * MINUTE)
        by = f"{party}/watch-1"
        verb, _, whom = what.partition(" ")
        command: ev.Command
        match verb:
            case "ask":
                command = ev.AskCheck(trio.ch, by)
            case "answer":
                command = ev.AnswerCheck(trio.ch, by, whom)
            case "voice":
                command = ev.LogVoice(trio.ch, by, "phone", "no", party=whom, outcome="REFUSED")
            case "outage":
                command = ev.PlanOutage(trio.ch, by, trio.now.t_ms + HOUR, trio.now.t_ms + 2 * HOUR)
            case word:
                command = ev.SayOfLine(trio.ch, by, word)  # type: ignore[arg-type]
        trio.ends[party].step(command, trio.now)
        trio.settle(*NAMES)
    records = [r for r in trio.ends["AMBER"].store.load() if isinstance(r, EntryRecord)]
    return trio, records


_TRIO, _RECORDS = _troubled()


def _strands() -> dict[str, list[EntryRecord]]:
    found: dict[str, list[EntryRecord]] = {}
    for record in _RECORDS:
        found.setdefault(record.author, []).append(record)
    return found


@given(order=st.permutations([r.author for r in _RECORDS]))
def test_any_interleaving_of_the_strands_gives_the_same_states(order: list[str]) -> None:
    strands = {author: iter(records) for author, records in _strands().items()}
    mine = line(_TRIO.ends["AMBER"], _TRIO.ch)
    fold = Fold(mine.channel, mine.recall, mine.verifier)
    waiting: list[Heard] = []
    for author in order:
        heard = fold.read(next(strands[author]))
        assert heard is not None
        waiting.append(heard)
        waiting = [h for h in waiting if not _taken(fold, h)]
    assert not waiting
    states = LineStates(mine.channel.versions, mine.channel.terms)
    for at_ms, one, other in _asked():
        expected = mine.watch.states.of(mine.board.lines, one, other, at_ms)
        assert states.of(fold.board.lines, one, other, at_ms) == expected


def _taken(fold: Fold, heard: Heard) -> bool:
    """An answer before what it answers waits, as it does in a node."""
    from wideberth.core.call.fault import NotUnderstood

    try:
        fold.board.apply(heard.header, heard.hash, heard.what, heard.stored_ms)
    except NotUnderstood:
        return False
    return True


def _asked() -> Iterator[tuple[int, str, str]]:
    for hours in range(0, 60, 3):
        for one, other in itertools.combinations(NAMES, 2):
            yield T0 + hours * HOUR, one, other


def test_all_three_members_say_the_same_of_every_pair() -> None:
    seen = set()
    for at_ms, one, other in _asked():
        found = [
            mine.watch.states.of(mine.board.lines, one, other, at_ms)
            for mine in (line(end, _TRIO.ch) for end in _TRIO.ends.values())
        ]
        assert found[0] == found[1] == found[2]
        seen.add(found[0].state)
    assert {LineState.OPEN, LineState.REFUSED, LineState.SUSPENDED, LineState.CLOSED} <= seen


# --- the tables ---


def test_the_table_of_the_checks_is_whole_and_time_alone_leads_only_down() -> None:
    by_checks = (LineState.OPEN, LineState.DEGRADED, LineState.SILENT)
    assert CHECKS.keys() == set(itertools.product(by_checks, Sign))
    for (before, sign), after in CHECKS.items():
        if sign is Sign.MISSED:
            assert list(LineState).index(after) >= list(LineState).index(before)
            assert after in (LineState.DEGRADED, LineState.SILENT)


def test_the_tables_in_the_document_are_those_of_the_code() -> None:
    doc = (Path(__file__).resolve().parents[2] / "docs" / "lines.md").read_text("utf-8")
    rows = [tuple(cell.strip(" `") for cell in row.strip("|").split("|")) for row in re.findall(r"^\|.*\|$", doc, re.M)]
    checks = [row for row in rows if row[0] in LineState.__members__ and len(row) == 3]
    assert [(before.value, CHECKS[before, Sign.ANSWERED].value, CHECKS[before, Sign.MISSED].value)
            for before in LineState if (before, Sign.MISSED) in CHECKS] == checks  # fmt: skip
    over = list(re.findall(r"^\| (\w+) \| `(\w+)` \| (.+) \| (.+) \|$", doc, re.M))
    assert [(o.state.value, o.cause, o.begins, o.ends) for o in OVER] == over
