# SPDX-License-Identifier: Apache-2.0
"""The hotline between two and three real cores: what is said, read back, translated, asked, answered, and not."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from tests.pair import Pair
from tests.several import Several
from wideberth.core import events as ev
from wideberth.core.call.talkviews import questions_about, talk_view
from wideberth.core.call.views import shared
from wideberth.core.limits import MESSAGE_LIVES_MS
from wideberth.core.say import codes
from wideberth.core.say.talk import Question, Reply
from wideberth.core.say.tongue import END, ISOLATE
from wideberth.core.say.words import Precedence
from wideberth.core.tells import FaultSeen, Heard, Overdue, Said
from wideberth.errors import BadInput, NotFound

BLUE, GREEN = "BLUE/watch-1", "GREEN/watch-1"
MEMBERS = ("BLUE", "GREEN")
HEBREW = "שני כלי טיס חוזרים"


def send(pair: Pair, name: str = "BLUE", text: str = "two aircraft are coming back", **more: Any) -> Said:
    end = pair.ends[name]
    end.step(ev.SendMessage(pair.ch, f"{name}/watch-1", "" if "phrase" in more else text, **more), pair.now)
    return [t for t in end.told if isinstance(t, Said)][-1]


def give(pair: Pair, name: str = "BLUE", **more: Any) -> str:
    end = pair.ends[name]
    end.step(ev.GiveNotice(pair.ch, f"{name}/watch-1", pair.terms(**more)), pair.now)
    pair.settle()
    return [t for t in end.told if isinstance(t, Said)][-1].ref


def view(pair: Pair, name: str, ref: str, *languages: str) -> dict[str, Any]:
    board = pair.ends[name].node.lines[pair.ch].board
    talk = board.hotline.find(ref)
    assert talk is not None
    return talk_view(board, talk, MEMBERS, pair.now.t_ms, languages)


def standing(pair: Pair, ref: str) -> list[str]:
    """Of GREEN on a message of BLUE, as each side sees it."""
    return [view(pair, name, ref)["standing"]["GREEN"] for name in MEMBERS]


def overdue(pair: Pair, name: str) -> list[tuple[str, str, str]]:
    return [(t.ref, t.what, t.member) for t in pair.ends[name].told if isinstance(t, Overdue)]


def rings(pair: Pair, name: str = "GREEN") -> list[str]:
    return [t.ref for t in pair.ends[name].rung if isinstance(t, Heard | Overdue)]


def pass_time(pair: Pair, ms: int) -> None:
    pair.later(ms)
    pair.tick()


# --- what is said ---


def test_a_message_is_heard_in_its_own_words_and_climbs_to_read_back() -> None:
    pair = Pair()
    said = send(pair, text=HEBREW, language="he")
    assert view(pair, "BLUE", said.ref)["standing"] == {"GREEN": "SENT"}
    pair.settle()
    assert standing(pair, said.ref) == ["DELIVERED", "DELIVERED"]
    (heard,) = [t for t in pair.green.told if isinstance(t, Heard)]
    assert (heard.ref, heard.kind) == (said.ref, "message")
    assert f"ROUTINE message {said.ref} from {BLUE}: {ISOLATE}{HEBREW}{END} (he)" == heard.sentence
    assert not pair.green.rung
    (text,) = view(pair, "GREEN", said.ref)["texts"]
    assert (text["text"], text["language"], text["direction"], text["source"]) == (HEBREW, "he", "rtl", "AUTHOR")
    place = pair.green.node.lines[pair.ch].channel.strands["BLUE"].seq
    pair.green.step(ev.Showed(pair.ch, "BLUE", place), pair.now)
    pair.settle()
    assert standing(pair, said.ref) == ["SEEN", "SEEN"]
    pair.green.step(ev.HearAs(pair.ch, GREEN, said.ref, "two of yours return", "en"), pair.now)
    pair.settle()
    assert standing(pair, said.ref) == ["READ_BACK", "READ_BACK"]
    for name in MEMBERS:
        (back,) = view(pair, name, said.ref)["read_backs"]
        assert (back["text"], back["by"], back["language"]) == ("two of yours return", GREEN, "en")


def test_a_reference_survives_a_telephone() -> None:
    pair = Pair()
    said = send(pair)
    pair.settle()
    letters = said.ref.replace("-", "").lower()
    pair.green.step(ev.HearAs(pair.ch, GREEN, f"{letters[:3]} {letters[3:11]} {letters[11]}", "yes"), pair.now)
    wrong = said.ref[:5] + ("1" if said.ref[5] != "1" else "2") + said.ref[6:]
    with pytest.raises(NotFound):
        pair.green.step(ev.HearAs(pair.ch, GREEN, wrong, "yes"), pair.now)


def test_a_translation_stands_beside_the_text_and_names_who_made_it() -> None:
    pair = Pair()
    said = send(pair, text=HEBREW, language="he")
    pair.settle()
    pair.green.step(ev.Translate(pair.ch, GREEN, said.ref, "Deux avions reviennent", "fr", "linguist-7"), pair.now)
    pair.blue.step(ev.Translate(pair.ch, BLUE, said.ref, "Два самолёта возвращаются", "ru"), pair.now)
    pair.settle()
    views = [view(pair, name, said.ref)["texts"] for name in MEMBERS]
    assert views[0] == views[1]
    assert [(t["source"], t["language"], t.get("by"), t.get("translator", "")) for t in views[0]] == [
        ("AUTHOR", "he", BLUE, ""), ("TRANSLATION", "ru", BLUE, ""), ("TRANSLATION", "fr", GREEN, "linguist-7"),
    ]  # fmt: skip
    assert standing(pair, said.ref)[0] == "DELIVERED", "who translated has not read it back"


def test_a_phrase_is_read_by_each_side_in_its_own_language_and_marked_where_nobody_reviewed_it() -> None:
    pair = Pair()
    ref = give(pair)
    said = send(pair, phrase="how_long", values={"ref": ref})
    pair.settle()
    texts = view(pair, "GREEN", said.ref, "he-IL", "fr", "xx")["texts"]
    assert [(t["language"], t["direction"], t["reviewed"]) for t in texts] == [
        ("en", "ltr", True), ("he", "rtl", False), ("fr", "ltr", False)
    ]  # fmt: skip
    assert texts[0]["text"] == f"How long will {ref} last?"
    assert all(ref in t["text"] for t in texts)
    with pytest.raises(BadInput, match="needs ref"):
        send(pair, phrase="how_long")
    with pytest.raises(BadInput, match="no phrase"):
        send(pair, phrase="please_approve")
    with pytest.raises(BadInput, match="each side reads it"):
        pair.green.step(ev.Translate(pair.ch, GREEN, said.ref, "Combien de temps?", "fr"), pair.now)


def test_a_text_that_keyboards_spell_in_two_characters_is_signed_in_one_and_understood() -> None:
    pair = Pair()
    decomposed = unicodedata.normalize("NFD", "Où êtes-vous?")
    said = send(pair, text=decomposed, language="fr", precedence=Precedence.FLASH)
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE, 0, decomposed), pair.now)
    pair.settle()
    assert not list(pair.green.tells(FaultSeen))
    assert view(pair, "GREEN", said.ref)["texts"][0]["text"] == "Où êtes-vous?"
    assert len(rings(pair)) == 2


def test_an_officer_is_warned_of_words_that_do_not_belong_and_of_a_language_that_does_not_fit() -> None:
    pair = Pair()
    warnings = send(pair, text="Target at the bridge", language="en").facts["warnings"]
    assert any("aimed at" in w for w in warnings)
    assert any("say unknown" in w for w in send(pair, text="That is not ours.").facts["warnings"])
    assert any("Hebrew" in w for w in send(pair, text=HEBREW, language="en").facts["warnings"])
    assert "warnings" not in send(pair, text=HEBREW, language="he").facts
    assert "warnings" not in send(pair, phrase="say_again").facts


@pytest.mark.parametrize(
    "more",
    [
        {"text": " "}, {"text": "x" * 281}, {"language": "no tag!"}, {"values": {"a": "b"}},
        {"phrase": "how_long", "values": {"ref": "x" * 81}},
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_and_nothing_is_signed(more: dict[str, Any]) -> None:
    pair = Pair()
    before = pair.blue.store.head
    with pytest.raises(BadInput):
        send(pair, **more)
    assert pair.blue.store.head == before


def test_nobody_reads_back_their_own_and_nobody_translates_what_is_not_there() -> None:
    pair = Pair()
    said = send(pair)
    with pytest.raises(BadInput, match="the other side reads it back"):
        pair.blue.step(ev.HearAs(pair.ch, BLUE, said.ref, "x"), pair.now)
    with pytest.raises(NotFound):
        pair.blue.step(ev.Translate(pair.ch, BLUE, "MSG-12345678-A", "x", "en"), pair.now)
    with pytest.raises(NotFound):
        send(pair, reply_to="MSG-12345678-A")
    with pytest.raises(NotFound):
        send(pair, about="BLU-0009-A")


# --- urgent ones ---


@pytest.mark.parametrize("precedence", list(Precedence))
def test_only_flash_and_immediate_ring(precedence: Precedence) -> None:
    pair = Pair()
    said = send(pair, precedence=precedence)
    pair.settle()
    urgent = precedence in (Precedence.FLASH, Precedence.IMMEDIATE)
    assert rings(pair) == ([said.ref] if urgent else [])
    assert [t.recorded for t in pair.green.told if isinstance(t, Heard)] == [True]


def test_a_flash_message_overtakes_a_backlog_and_a_gap_and_rings_before_it_is_stored() -> None:
    pair = Pair()
    for n in range(120):
        send(pair, text=f"routine {n}")
    said = send(pair, precedence=Precedence.FLASH)
    late = [delivery for delivery in pair.blue.out if not delivery.urgent]
    (first,) = (delivery for delivery in pair.blue.out if delivery.urgent)
    pair.blue.out.clear()
    batch = pair.arrive(first, pair.blue)
    assert [t.ref for t in batch.ring if isinstance(t, Heard)] == [said.ref]
    assert not batch.store, "it waits behind the gap, and rang all the same"
    assert not batch.ring[0].recorded  # type: ignore[union-attr]
    for delivery in late:
        pair.arrive(delivery, pair.blue)
    pair.settle()
    pass_time(pair, 31_000)
    pair.settle()
    assert rings(pair) == [said.ref], "once"
    assert standing(pair, said.ref) == ["DELIVERED", "DELIVERED"]


def test_after_an_outage_only_what_is_unanswered_and_of_this_day_rings() -> None:
    pair = Pair()
    old = send(pair, precedence=Precedence.FLASH, text="of yesterday")
    pair.blue.out.clear()
    pair.later(MESSAGE_LIVES_MS - 60_000)
    fresh = send(pair, precedence=Precedence.FLASH, text="of today")
    pair.blue.out.clear()
    pass_time(pair, 60_000)
    pair.settle()
    assert {old.ref, fresh.ref} == {t.ref for t in pair.green.told if isinstance(t, Heard)}
    assert rings(pair) == [fresh.ref]


def test_after_a_start_what_waits_for_us_rings_again_and_what_was_answered_does_not() -> None:
    pair = Pair()
    waiting, read, answered = (send(pair, text=text, precedence=Precedence.FLASH) for text in "abc")
    pair.settle()
    pair.green.step(ev.HearAs(pair.ch, GREEN, read.ref, "we have it"), pair.now)
    send(pair, "GREEN", "on our way", reply_to=answered.ref)
    pair.settle()
    pair.green.rung.clear()
    pair.green.restart(pair.now)
    assert rings(pair) == [waiting.ref]
    assert standing(pair, answered.ref) == ["ANSWERED", "ANSWERED"]
    assert view(pair, "BLUE", answered.ref)["replies"] != []
    pair.later(MESSAGE_LIVES_MS)
    pair.green.rung.clear()
    pair.green.restart(pair.now)
    assert rings(pair) == []


def test_after_a_start_an_urgent_message_of_ours_still_goes_first() -> None:
    pair = Pair()
    send(pair, precedence=Precedence.FLASH)
    for n in range(3):
        send(pair, text=f"routine {n}")
    pair.blue.out.clear()
    pair.blue.restart(pair.now)
    pair.blue.out.clear()
    pass_time(pair, 1_000)
    (delivery,) = [s for s in pair.blue.out if s.frames]
    assert delivery.urgent == 1


def test_an_urgent_message_that_nobody_answers_is_overdue_on_both_sides_and_means_unknown() -> None:
    pair = Pair()
    said = send(pair, precedence=Precedence.FLASH)
    pair.settle()
    wakes = [end.node.wake_ms(pair.now) for end in pair.ends.values()]
    assert all(w is not None and w - pair.now.mono_ms <= 120_000 for w in wakes)
    pass_time(pair, 119_999)
    assert overdue(pair, "BLUE") == overdue(pair, "GREEN") == []
    pass_time(pair, 1)
    expected = [(said.ref, "UNANSWERED", "GREEN")]
    assert (overdue(pair, "BLUE"), overdue(pair, "GREEN")) == (expected, expected)
    (told,) = pair.blue.tells(Overdue)
    assert "Silence means nothing but unknown" in told.sentence  # type: ignore[union-attr]
    pass_time(pair, 600_000)
    assert overdue(pair, "BLUE") == expected, "told once"


def test_an_urgent_message_without_a_receipt_is_treated_as_not_delivered() -> None:
    pair = Pair()
    said = send(pair, precedence=Precedence.FLASH)
    routine = send(pair)
    pair.blue.out.clear()
    pass_time(pair, 30_000)
    assert overdue(pair, "BLUE") == [(said.ref, "UNDELIVERED", "GREEN")]
    pair.blue.out.clear()
    pass_time(pair, 30_000)
    assert overdue(pair, "BLUE")[1:] == [(routine.ref, "UNDELIVERED", "GREEN")]


@pytest.mark.parametrize("how", ["read back", "answered"])
def test_what_was_read_back_or_answered_is_never_overdue(how: str) -> None:
    pair = Pair()
    said = send(pair, precedence=Precedence.FLASH)
    pair.settle()
    if how == "answered":
        send(pair, "GREEN", reply_to=said.ref)
    else:
        pair.green.step(ev.HearAs(pair.ch, GREEN, said.ref, "two return"), pair.now)
    pair.settle()
    pass_time(pair, 3_600_000)
    assert overdue(pair, "BLUE") == overdue(pair, "GREEN") == []


# --- questions ---


def ask(pair: Pair, ref: str, *questions: Question, **more: Any) -> Said:
    pair.green.step(ev.AskAbout(pair.ch, GREEN, ref, questions, **more), pair.now)
    pair.settle()
    return [t for t in pair.green.told if isinstance(t, Said)][-1]


def test_questions_about_a_notice_are_answered_one_by_one_and_the_time_is_measured() -> None:
    pair = Pair()
    ref = give(pair)
    asked = ask(pair, ref, Question.DURATION, Question.STILL_ACTIVE, text="for our log")
    assert asked.ref.startswith("ASK-")
    pair.later(42_000)
    pair.blue.step(ev.AnswerAsked(pair.ch, BLUE, ref, (Reply(Question.DURATION, "until 11:00Z"),)), pair.now)
    pair.later(5_000)  # on its way
    pair.settle()
    for name in MEMBERS:
        board = pair.ends[name].node.lines[pair.ch].board
        thread = board.find(ref)
        assert thread is not None
        (shown,) = questions_about(board, [v.entry for v in thread.versions])
        first, second = shown["questions"]
        assert (first["question"], second["question"]) == ("DURATION", "STILL_ACTIVE")
        (answer,) = first["answers"]
        assert (answer["text"], answer["by"], answer["after_ms"]) == ("until 11:00Z", BLUE, 42_000)
        assert second["answers"] == []
        assert thread.newest.number == 1, "an answer changes no notice"
    boards = [pair.ends[name].node.lines[pair.ch].board for name in MEMBERS]
    alike = [shared(board, MEMBERS, pair.now.t_ms) for board in boards]
    assert alike[0] == alike[1]
    assert alike[0][0]["questions"] != []


def test_only_the_author_of_a_notice_answers_and_only_what_was_asked() -> None:
    pair = Pair()
    ref = give(pair)
    asked = ask(pair, ref, Question.IDENTITY)
    extent = (Reply(Question.EXTENT, "10 km"),)
    with pytest.raises(BadInput, match="nobody asked for EXTENT"):
        pair.blue.step(ev.AnswerAsked(pair.ch, BLUE, asked.ref, extent), pair.now)
    with pytest.raises(BadInput, match="no question about a notice of ours"):
        pair.green.step(ev.AnswerAsked(pair.ch, GREEN, asked.ref, extent), pair.now)
    with pytest.raises(BadInput, match="the other side asks"):
        pair.blue.step(ev.AskAbout(pair.ch, BLUE, ref, (Question.IDENTITY,)), pair.now)
    with pytest.raises(BadInput, match="each once"):
        pair.green.step(ev.AskAbout(pair.ch, GREEN, ref, (Question.IDENTITY,) * 2), pair.now)
    ask(pair, ref, Question.DURATION)
    with pytest.raises(BadInput, match="say which question"):
        pair.blue.step(ev.AnswerAsked(pair.ch, BLUE, ref, extent), pair.now)


def test_a_read_back_of_a_question_is_no_answer() -> None:
    pair = Pair()
    asked = ask(pair, give(pair), Question.EXTENT)
    pair.blue.step(ev.HearAs(pair.ch, BLUE, asked.ref, "how far it reaches"), pair.now)
    send(pair, "BLUE", "one moment", reply_to=asked.ref)
    pair.settle()
    assert view(pair, "GREEN", asked.ref)["waits_for"] == ["BLUE"]
    pass_time(pair, 3_600_000)
    assert (asked.ref, "UNANSWERED", "BLUE") in overdue(pair, "GREEN")


def test_a_question_is_overdue_by_the_urgency_of_its_notice() -> None:
    pair = Pair()
    asked = ask(pair, give(pair, precedence=Precedence.FLASH), Question.EXTENT)
    pass_time(pair, 120_000)
    mine = [t for t in overdue(pair, "BLUE") if t[0] == asked.ref]
    assert mine == [(asked.ref, "UNANSWERED", "BLUE")]
    assert (asked.ref, "UNANSWERED", "BLUE") in overdue(pair, "GREEN")


# --- check codes over a telephone ---


def voice(pair: Pair, code: str, ref: str, **more: Any) -> Said:
    pair.blue.step(ev.LogVoice(pair.ch, BLUE, "telephone", "they have it", ref=ref, code=code, **more), pair.now)
    return [t for t in pair.blue.told if isinstance(t, Said)][-1]


def test_a_call_with_the_right_response_code_is_logged_so_and_is_no_acknowledgement() -> None:
    pair = Pair()
    ref = give(pair)
    board = pair.green.node.lines[pair.ch].board
    thread = board.find(ref)
    assert thread is not None
    voice(pair, codes.response(thread.newest.entry).replace("-", " ").lower(), ref)
    pair.settle()
    (contact,) = [i.what for i in board.lines.items]
    assert contact.code_checked  # type: ignore[union-attr]
    heard = [t for t in pair.green.told if isinstance(t, Heard)][-1]
    assert "Acknowledged by voice, code checked" in heard.sentence
    assert {s.step for s in thread.steps} == {"DELIVERED"}


def test_a_code_that_was_misheard_is_asked_for_again_and_a_wrong_one_is_said() -> None:
    pair = Pair()
    ref = give(pair)
    thread = pair.blue.node.lines[pair.ch].board.find(ref)
    assert thread is not None
    right = codes.response(thread.newest.entry)
    for code, said in (
        (right[:-1], "misheard"),
        ("A" + right[1:] if right[0] != "A" else "B" + right[1:], "misheard"),
        (codes.challenge(thread.newest.entry), "does not have it"),
        (codes.response("ab" * 32), "does not have it"),
    ):
        with pytest.raises(BadInput, match=said):
            voice(pair, code, ref)
    with pytest.raises(BadInput, match="of one notice"):
        voice(pair, right, "")
    with pytest.raises(BadInput, match="nobody answered"):
        voice(pair, right, ref, outcome="NO_ANSWER")
    pair.blue.step(ev.Extend(pair.ch, BLUE, ref, thread.terms.ends_ms + 60_000), pair.now)  # type: ignore[union-attr]
    with pytest.raises(BadInput, match="the code of version 1"):
        voice(pair, right, ref)
    assert not [t for t in pair.blue.told if isinstance(t, Said) and t.kind == "voice"]


# --- three members ---


def test_three_members_see_one_conversation_in_one_causal_order_whatever_came_first() -> None:
    world = Several("AMBER", "BLUE", "GREEN")

    def say(name: str, text: str, reply_to: str = "") -> str:
        world.step(name, ev.SendMessage(world.home, f"{name}/watch-1", text, reply_to=reply_to))
        return [t for t in world.ends[name].told if isinstance(t, Said)][-1].ref

    first = say("GREEN", "one")
    world.settle("BLUE", "GREEN")  # AMBER's wires are down
    second = say("BLUE", "two", first)
    alone = say("AMBER", "apart")
    world.settle("AMBER", "BLUE")  # AMBER gets the answer before the message that it answers
    assert [t.ref for t in world.line("AMBER").board.hotline] == [alone, second]
    world.settle()
    world.repeat()
    world.repeat()
    orders = {tuple(t.ref for t in world.line(name).board.hotline) for name in world.ends}
    assert orders == {(alone, first, second)}
    for name in world.ends:
        line = world.line(name)
        shown = [
            {**talk_view(line.board, talk, tuple(world.ends), world.now.t_ms, ("fr",)), "standing": None}
            for talk in line.board.hotline
        ]
        assert shown[2]["reply_to_ref"] == first
        assert shown[1]["replies"] == [second]
