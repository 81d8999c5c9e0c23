# SPDX-License-Identifier: Apache-2.0
"""Messages, questions, the phrase book and check codes by the command line, between two real nodes."""

from __future__ import annotations

import re

from tests.cli.cliworld import wideberth
from wideberth.cli import message, show
from wideberth.cli.alarm import Alarm
from wideberth.cli.watch import sentence_of
from wideberth.core.say import codes, phrases
from wideberth.core.say.talk import Question
from wideberth.core.say.tongue import END, ISOLATE, isolate
from wideberth.core.say.words import Precedence

HEBREW = "שני כלי טיס חוזרים, 2 אחרים ממתינים"


def sent(world, *args, by="BLUE"):
    said = world.do(by, "message", "send", *args, "--json")
    assert said.code == 0, said.err
    ref = said.data[0]["ref"]
    other = "GREEN" if by == "BLUE" else "BLUE"
    world.until(lambda: ref in [m["ref"] for m in world.client(other).get("/v1/messages", all=1)])
    return ref


def test_the_lists_in_the_help_are_those_of_the_core():
    assert list(message.PRECEDENCES) == list(Precedence.__members__)
    assert list(message.QUESTIONS) == list(Question.__members__)


def test_a_message_is_shown_in_its_own_direction_beside_its_translation(world):
    ref = sent(world, HEBREW, "--language", "he", "--precedence", "priority")
    assert world.do("GREEN", "message", "translate", ref, "Two aircraft return, 2 others wait", "--language", "en",
                    "--translator", "linguist-7").code == 0  # fmt: skip
    assert world.do("GREEN", "message", "readback", ref.lower().replace("-", " "), "two of yours return").code == 0
    out = world.until(lambda: (o := world.do("BLUE", "message", "show", ref).out) and "read back" in o and o)
    assert f"he    {ISOLATE}{HEBREW}{END}" in out
    translated = f"{ISOLATE}Two aircraft return, 2 others wait{END}"
    assert f"en    {translated}  (translation by GREEN/watch-1, {ISOLATE}linguist-7{END})" in out
    assert "GREEN READ_BACK" in out
    listed = {m["ref"]: m for m in world.do("GREEN", "message", "list", "--json").data}
    assert [t["direction"] for t in listed[ref]["texts"]] == ["rtl", "ltr"]
    assert listed[ref]["standing"] == {"GREEN": "READ_BACK"}


def test_what_a_peer_writes_cannot_turn_our_lines_round():
    for evil in ("\u202eevil", "a\u2069b\u202e", "x\u2066y", "x\u2068y\u202b"):
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", isolate(evil)[1:-1]), "nothing ends our isolate early"
        assert not re.search("[\u202a-\u202e\u2066\u2067]", show.plain(f"from BLUE: {evil}"))
    fine = f"from BLUE: {ISOLATE}می\u200cخواهم{END} (fa)"
    assert show.plain(fine) == fine
    assert "\u200c" not in show.plain("BLU\u200c-0001-E"), "outside an isolate it only hides something"
    assert show.plain(f"{END}x{ISOLATE}") == "�x�"
    assert show.plain("\x1b[2Jx") == "�[2Jx"


def test_the_watch_shows_what_waits_for_an_answer_and_that_it_was_shown(world):
    ref = sent(world, "who is on the desk?", "--precedence", "IMMEDIATE")
    out = world.do("GREEN", "watch").out
    assert f"{ref} IMMEDIATE message from BLUE/watch-1" in out
    world.until(lambda: world.client("BLUE").get(f"/v1/messages/{ref}")["standing"] == {"GREEN": "SEEN"})
    assert world.client("BLUE").get(f"/v1/messages/{ref}")["waits_for"] == ["GREEN"], (
        "a machine's claim answers nothing"
    )
    assert ref in [m["message"]["ref"] for m in world.do("GREEN", "watch", "--json").data if "message" in m]
    assert world.do("GREEN", "message", "readback", ref, "you ask who is here").code == 0
    assert ref not in world.do("GREEN", "watch").out


def test_an_answer_names_what_it_answers_and_a_notice(world):
    notice = world.give()
    ref = sent(world, "how far out are you?", "--about", notice)
    reply = sent(world, "two hours", "--reply", ref, by="GREEN")
    shown = world.do("BLUE", "message", "show", ref, "--json").data[0]
    assert (shown["about_ref"], shown["replies"], shown["standing"]) == (notice, [reply], {"GREEN": "ANSWERED"})
    order = [m["ref"] for m in world.client("GREEN").get("/v1/messages", all=1)]
    assert order == [m["ref"] for m in world.client("BLUE").get("/v1/messages", all=1)]
    assert order.index(ref) < order.index(reply)


def test_a_phrase_is_read_in_the_languages_of_the_line(world):
    ref = sent(world, "--phrase", "wait", "--value", "minutes=5")
    out = world.do("GREEN", "message", "show", ref).out
    assert f"en    {ISOLATE}Wait. We call back within 5 minutes.{END}  (phrase book)" in out


def test_the_phrase_book_marks_what_no_speaker_has_reviewed():
    rows = wideberth("phrases", "--json").data
    assert len(rows) == len(phrases.BOOKS) * len(phrases.BOOKS["en"])
    assert {r["language"] for r in rows if r["reviewed"]} == set(phrases.REVIEWED)
    french = wideberth("phrases", "--language", "fr").out
    assert french.count("not yet reviewed by a speaker") == len(phrases.BOOKS["fr"])
    assert "not yet reviewed" not in wideberth("phrases", "--language", "en").out


def test_questions_about_a_notice_and_how_long_the_answer_took(world):
    ref = world.give()
    asked = world.do("GREEN", "notice", "ask", ref, "--question", "extent", "--question", "still active", "--json")
    assert asked.code == 0, asked.err
    question = asked.data[0]["ref"]
    world.until(lambda: question in world.do("BLUE", "notice", "show", ref).out)
    assert "STILL_ACTIVE?  not answered yet" in world.do("BLUE", "notice", "show", ref).out
    assert world.do("BLUE", "notice", "answer", question, "--reply", "extent=7 NM round the cape").code == 0
    shown = world.until(lambda: (o := world.do("GREEN", "notice", "show", ref).out) and "7 NM" in o and o)
    assert "EXTENT?" in shown
    assert f"{ISOLATE}7 NM round the cape{END} (en), by BLUE/watch-1 after" in shown


def test_a_call_with_its_check_code_is_logged_as_voice_and_never_as_an_acknowledgement(world):
    ref = world.give()
    view = world.client("GREEN").get(f"/v1/notices/{ref}")
    both = view["versions"][0]["codes"]
    entry = view["versions"][0]["entry"]
    assert both == {"challenge": codes.challenge(entry), "response": codes.response(entry)}
    script, form = (world.do("BLUE", "notice", kind, ref).out for kind in ("script", "form"))
    aloud, _, aside = script.partition("NOT TO BE READ ALOUD")
    assert both["response"] in aside
    assert both["response"] not in aloud
    assert f"CHECK CODE:   {both['challenge']}\nRESPONSE:     {both['response']}\n" in form
    for shown in (form, world.do("GREEN", "notice", "show", ref).out):
        assert both["challenge"] in shown
        assert both["response"] in shown
    wrong = world.do("BLUE", "voice", "they say they have it", "--ref", ref, "--code", both["response"][:-1])
    assert wrong.code == 3
    assert "misheard" in wrong.err
    right = world.do("BLUE", "voice", "they have it", "--ref", ref, "--code", both["response"].lower())
    assert right.code == 0
    assert "Acknowledged by voice, code checked" in right.out
    shown = world.do("BLUE", "notice", "show", ref).out
    assert "Acknowledged by voice, code checked: version 1, telephone" in shown
    assert "no acknowledgement that the other side signed" in shown
    view = world.heard("BLUE", ref)
    assert view["standing"]["GREEN"] in ("SENT", "DELIVERED", "SEEN")


# --- the alarm ---

CH = "c0" * 32
FLASH = {"tell": "heard", "ch": CH, "author": "BLUE", "entry": "e1", "kind": "message", "by": "BLUE/watch-1", "t_ms": 1,
         "at_ms": 2, "sentence": "FLASH message", "ref": "MSG-1", "recorded": False, "level": "RING"}  # fmt: skip


def test_a_message_rings_until_a_person_of_ours_reads_it_back_or_answers_it():
    for kind, own in (("heardas", "MSG-1"), ("message", "MSG-2")):
        alarm = Alarm()
        assert alarm.take(FLASH)
        said = {"tell": "said", "ch": CH, "entry": "a", "kind": kind, "by": "GREEN/watch-1", "ref": own}
        alarm.take({**said, "facts": {"answers": ""}})
        alarm.take({**said, "kind": "translation", "ref": "MSG-1", "facts": {"language": "en"}})
        assert alarm.ringing == ("MSG-1",), "another message, or a translation, is no answer"
        alarm.take({**said, "facts": {"answers": "MSG-1"}})
        assert alarm.ringing == ()


def test_the_terminal_says_a_message_in_its_own_words():
    told = {**FLASH, "sentence": f"FLASH message MSG-1 from BLUE/watch-1: {ISOLATE}{HEBREW}{END} (he)"}
    assert HEBREW in sentence_of(told)
    assert show.plain(sentence_of(told)).endswith(f"{HEBREW}{END} (he)")
