# SPDX-License-Identifier: Apache-2.0
"""Is it yours? (domain.md G2): traffic was seen; the answer is OURS or UNKNOWN, and nobody's is ever inferred."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.pair import RULES, Pair
from tests.several import Several
from wideberth.core import events as ev
from wideberth.core.call.fault import NotUnderstood
from wideberth.core.call.talkviews import talk_view
from wideberth.core.effects import is_urgent
from wideberth.core.limits import MESSAGE_LIVES_MS
from wideberth.core.say.live import Owner, Whose
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.words import Hazard, Word
from wideberth.core.seal.entry import Header
from wideberth.core.tells import Heard, Level, Overdue, Said
from wideberth.errors import BadInput

BLUE, GREEN = "BLUE/watch-1", "GREEN/watch-1"
MEMBERS = ("BLUE", "GREEN")
SEEN = Point.at(35.5, 35.8)
LOW, HIGH = Altitude.surface(), Altitude.flight_level(50)
DAY = 86_400_000


def ask(pair: Pair, **more: Any) -> str:
    pair.blue.step(
        ev.AskWhose(pair.ch, BLUE, SEEN, LOW, HIGH, pair.now.t_ms - 60_000, Hazard.UNCREWED_AIRCRAFT, **more), pair.now
    )
    pair.settle()
    ref: str = [t for t in pair.blue.told if isinstance(t, Said)][-1].ref
    return ref


def answer(pair: Pair, ref: str, whose: Any, text: str = "") -> None:
    pair.green.step(ev.SayWhose(pair.ch, GREEN, ref, whose, text), pair.now)
    pair.settle()


def view(pair: Pair, ref: str) -> dict[str, Any]:
    """What both sides show, seen to be the same."""
    shown = []
    for name in MEMBERS:
        board = pair.ends[name].node.lines[pair.ch].board
        talk = board.hotline.find(ref)
        assert talk is not None
        shown.append(talk_view(board, talk, MEMBERS, pair.now.t_ms, ("en",)))
    assert shown[0] == shown[1]
    return shown[0]


def test_a_question_rings_at_the_other_end_and_says_what_was_seen() -> None:
    pair = Pair()
    ref = ask(pair, text="small, no lights")
    (rung,) = [t for t in pair.green.rung if isinstance(t, Heard)]
    assert (rung.ref, rung.kind, rung.level) == (ref, "whose", Level.RING)
    assert rung.sentence.startswith(f"IS IT YOURS? {BLUE} asks ({ref}): UNCREWED_AIRCRAFT at ")
    assert rung.sentence.endswith("Answer OURS or UNKNOWN.")
    shown = view(pair, ref)
    assert (shown["kind"], shown["precedence"], shown["whose"]) == ("whose", "IMMEDIATE", ["UNKNOWN"])
    assert (shown["owners"], shown["answers"], shown["waits_for"]) == ({"GREEN": ""}, [], ["GREEN"])


def test_ours_may_follow_unknown_and_both_stay_visible() -> None:
    pair = Pair()
    ref = ask(pair)
    answer(pair, ref, "UNKNOWN", "we ask our other units")
    assert (view(pair, ref)["whose"], view(pair, ref)["waits_for"]) == (["UNKNOWN"], [])
    pair.later(3_600_000)
    answer(pair, ref, "OURS")
    shown = view(pair, ref)
    assert shown["whose"] == ["GREEN"]
    assert [(a["whose"], a["text"]) for a in shown["answers"]] == [("UNKNOWN", "we ask our other units"), ("OURS", "")]
    told = [t.sentence for t in pair.blue.told if isinstance(t, Heard)]
    assert told[-1] == f"{GREEN} answers {ref}: the traffic is theirs (OURS). It had answered UNKNOWN."


def test_what_nobody_answered_is_told_of_once_stays_open_for_ever_and_becomes_nothing_by_itself() -> None:
    pair = Pair()
    ref = ask(pair)
    kept = {name: end.store.head for name, end in pair.ends.items()}
    for step in (RULES.ack_urgent_ms, 60_000, DAY, 10 * DAY):
        pair.later(step)
        pair.tick()
    for name in MEMBERS:
        told = [t for t in pair.ends[name].told if isinstance(t, Overdue)]
        assert [(t.ref, t.what, t.member, t.level) for t in told] == [(ref, "UNANSWERED", "GREEN", Level.RING)]
        assert "unknown" in told[0].sentence
        assert pair.ends[name].store.head == kept[name], "silence writes nothing"
    shown = view(pair, ref)
    assert (shown["whose"], shown["answers"], shown["waits_for"]) == (["UNKNOWN"], [], ["GREEN"])


def test_calls_about_it_are_counted_and_are_no_answer() -> None:
    pair = Pair()
    ref = ask(pair)
    for n in range(3):
        pair.blue.step(ev.LogVoice(pair.ch, BLUE, "telephone", "nobody", 0, ref, "NO_ANSWER"), pair.now)
        pair.later(1_000 + n)
    pair.settle()
    shown = view(pair, ref)
    assert (shown["attempts"], shown["whose"], shown["waits_for"]) == (3, ["UNKNOWN"], ["GREEN"])


@pytest.mark.parametrize("whose", ["NOT_OURS", "THEIRS", "NO", "", "ours", None])
def test_no_third_answer_can_be_said_or_read(whose: object) -> None:
    said = msgspec.json.encode({"kind": "owner", "of": "a" * 64, "whose": whose})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(said, type=Word)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"command": "owner", "ch": "c", "by": "b", "ref": "r", "whose": whose}, ev.Command)


def test_both_words_are_urgent_and_only_the_question_rings() -> None:
    assert is_urgent(Whose(SEEN, LOW, HIGH, 1))
    assert is_urgent(Owner("a" * 64, "UNKNOWN"))
    pair = Pair()
    answer(pair, ask(pair), "UNKNOWN")
    assert not [t for t in pair.blue.rung if isinstance(t, Heard)]


def test_nobody_answers_their_own_question_nor_what_is_none() -> None:
    pair = Pair()
    ref = ask(pair)
    with pytest.raises(BadInput, match="our own"):
        pair.blue.step(ev.SayWhose(pair.ch, BLUE, ref, "OURS"), pair.now)
    pair.blue.step(ev.SendMessage(pair.ch, BLUE, "good morning"), pair.now)
    pair.settle()
    message = [t for t in pair.blue.told if isinstance(t, Said)][-1].ref
    with pytest.raises(BadInput, match="does not ask"):
        pair.green.step(ev.SayWhose(pair.ch, GREEN, message, "OURS"), pair.now)
    with pytest.raises(BadInput, match="floor"):
        Whose(SEEN, Altitude.flight_level(60), Altitude.flight_level(50), 1)


def test_an_answer_to_what_nobody_asked_or_to_an_own_question_is_not_understood() -> None:
    pair = Pair()
    ask(pair)
    hotline = pair.green.node.lines[pair.ch].board.hotline
    asked = hotline.talks[0].said.entry
    for sender, of in (("GREEN", "a" * 64), ("BLUE", asked)):
        header = Header(1, "owner", pair.ch, "a", sender, f"{sender}/watch-1", "e" * 32, 9, "0" * 64, {}, 1, "0" * 64)
        with pytest.raises(NotUnderstood):
            hotline.take(header, "b" * 64, Owner(of, "OURS"), 1, None)
    assert not hotline.talks[0].answers


def test_each_of_three_members_answers_for_itself_and_one_ours_names_its_owner() -> None:
    world = Several("BLUE", "GREEN", "AMBER")
    world.step("BLUE", ev.AskWhose(world.home, BLUE, SEEN, LOW, HIGH))
    world.settle()
    (talk,) = world.line("AMBER").board.hotline.talks
    world.step("GREEN", ev.SayWhose(world.home, GREEN, talk.ref, "UNKNOWN"))
    world.settle()
    shown = talk_view(world.line("AMBER").board, talk, ("AMBER", "BLUE", "GREEN"), world.now.t_ms, ())
    assert (shown["whose"], shown["waits_for"]) == (["UNKNOWN"], ["AMBER"])
    world.step("AMBER", ev.SayWhose(world.home, "AMBER/watch-1", talk.ref, "OURS"))
    world.settle()
    shown = talk_view(world.line("GREEN").board, world.line("GREEN").board.hotline.talks[0],
                      ("AMBER", "BLUE", "GREEN"), world.now.t_ms, ())  # fmt: skip
    assert shown["whose"] == ["AMBER"]


def test_after_a_start_a_question_of_today_that_waits_for_us_rings_again_and_one_of_last_week_does_not() -> None:
    pair = Pair()
    ref = ask(pair)
    pair.later(1_000)
    pair.green.rung.clear()
    pair.green.restart(pair.now)
    assert [t.ref for t in pair.green.rung if isinstance(t, Overdue)] == [ref]
    pair.later(MESSAGE_LIVES_MS)
    pair.green.rung.clear()
    pair.green.restart(pair.now)
    assert [t.ref for t in pair.green.rung if isinstance(t, Overdue)] == []
