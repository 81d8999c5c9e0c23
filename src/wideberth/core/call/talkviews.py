# SPDX-License-Identifier: Apache-2.0
"""The hotline as plain data and in sentences: every text in its own language and direction, translations beside it.

Nothing here depends on who looks, except what is labelled `here`. A peer's words stand in a Unicode isolate, so that a
text that runs the other way turns nothing round but itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from wideberth.core.call.board import Board, Change
from wideberth.core.call.hotline import Hotline, Spoken, Talk
from wideberth.core.say import instant, phrases
from wideberth.core.say.base import Hazard
from wideberth.core.say.coordinates import show_decimal
from wideberth.core.say.live import Owner, Whose
from wideberth.core.say.talk import (
    Clarification,
    ClarificationAnswer,
    HeardAs,
    Message,
    TalkWord,
    Translation,
)
from wideberth.core.say.tongue import direction, isolate, primary
from wideberth.core.say.words import VoiceContact
from wideberth.errors import BadInput


def text_view(text: str, language: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "language": language, "direction": direction(language), **more}


def texts_of(hotline: Hotline, talk: Talk, languages: Sequence[str]) -> list[dict[str, Any]]:
    """What the author wrote first; a phrase in each of these languages that the book has, marked where no speaker of it
    has reviewed it; then translations, by author, the oldest first."""
    what = talk.said.what
    found: list[dict[str, Any]] = []
    if isinstance(what, Message) and what.phrase:
        found += (
            text_view(text, tongue, source="PHRASE_BOOK", reviewed=tongue in phrases.REVIEWED)
            for tongue in dict.fromkeys(("en", *(primary(tag) for tag in languages)))
            if (text := in_book(what, tongue)) is not None
        )
    elif isinstance(what, Message | Clarification | Whose) and what.text:
        found.append(text_view(what.text, what.language, source="AUTHOR", by=talk.said.by))
    found += (
        text_view(
            word.text, word.language, source="TRANSLATION", by=said.by, translator=word.translator, t_ms=said.t_ms,
            entry=said.entry,
        )
        for said in _sorted(hotline, talk.translations) if isinstance(word := said.what, Translation)
    )  # fmt: skip
    return found


def in_book(message: Message, language: str) -> str | None:
    """The phrase in a language of the book; None where our book does not have it so."""
    try:
        return phrases.say(message.phrase, language, **message.values)
    except BadInput:
        return None


def talk_view(board: Board, talk: Talk, members: Sequence[str], at_ms: int, languages: Sequence[str]) -> dict[str, Any]:
    """A message or a question, whole."""
    said, message, hotline = talk.said, talk.message, board.hotline
    others = [m for m in members if m != talk.author]
    about = board.find(talk.about) if talk.about else None
    answered = hotline.find(message.reply_to) if message is not None and message.reply_to else None
    view: dict[str, Any] = {
        "ch": board.ch,
        "kind": "message" if message is not None else "whose" if talk.whose is not None else "ask",
        "ref": talk.ref,
        "entry": said.entry,
        "author": said.author,
        "by": said.by,
        "t_ms": said.t_ms,
        "at_ms": at_ms,
        "precedence": talk.precedence.value,
        "texts": texts_of(hotline, talk, languages),
        "about": talk.about,
        "about_ref": about.ref if about is not None else "",
        "standing": {m: talk.standing(m) for m in others},
        "waits_for": [m for m in others if talk.waits_for(m, at_ms)],
        "read_backs": [
            text_view(word.text, word.language, by=each.by, t_ms=each.t_ms, entry=each.entry)
            for each in _sorted(hotline, talk.read_backs)
            if isinstance(word := each.what, HeardAs)
        ],
    }
    if message is not None:
        replies = [reply.ref for each in _sorted(hotline, talk.replies) if (reply := hotline.find(each.entry))]
        view |= {
            "phrase": message.phrase, "values": dict(message.values), "reply_to": message.reply_to,
            "reply_to_ref": answered.ref if answered is not None else "", "replies": replies,
        }  # fmt: skip
    elif talk.whose is not None:
        view |= whose_view(board, talk, others)
    else:
        view["questions"] = _questions(talk, _sorted(hotline, talk.answers), here=True)
    return view


def whose_view(board: Board, talk: Talk, others: Sequence[str]) -> dict[str, Any]:
    """The traffic that was seen; every answer, the last one of a member holding; and how often somebody was called
    about it. `whose`: the members who said OURS, or UNKNOWN, which it stays until somebody does."""
    seen = talk.whose
    assert seen is not None
    owners = {member: talk.owner(member) for member in others}
    ours = [member for member, said in owners.items() if said == "OURS"]
    calls = [
        {"by": item.by, "at_ms": call.at_ms, "medium": call.medium, "outcome": call.outcome, "answer": call.answer}
        for item in board.lines.calls.get(talk.said.entry, ()) if isinstance(call := item.what, VoiceContact)
    ]  # fmt: skip
    return {
        "seen": {**msgspec.to_builtins(seen), "at": instant.show(seen.at_ms), "says": describe_seen(seen)},
        "whose": ours or ["UNKNOWN"],
        "owners": owners,
        "answers": [
            text_view(word.text, word.language, whose=word.whose, by=each.by, t_ms=each.t_ms, entry=each.entry)
            for each in _sorted(board.hotline, talk.answers) if isinstance(word := each.what, Owner)
        ],
        "calls": sorted(calls, key=lambda call: (call["at_ms"], call["by"])),
        "attempts": len(calls),
    }  # fmt: skip


def describe_seen(seen: Whose) -> str:
    """Where, how high, when, and of what kind."""
    kind = "traffic" if seen.hazard is Hazard.UNSPECIFIED else seen.hazard.value
    return f"{kind} at {show_decimal(seen.point)}, {seen.lower} to {seen.upper}, seen at {instant.show(seen.at_ms)}"


def _sorted(hotline: Hotline, words: list[Spoken]) -> list[Spoken]:
    return sorted(words, key=lambda each: (each.author, hotline.order(each)))


def _questions(talk: Talk, answers: list[Spoken], *, here: bool) -> list[dict[str, Any]]:
    """Each question with its answers. `after_ms`: by what both authors claim; with `here` also `here_after_ms`: by our
    own clock."""
    asked = talk.said.what
    assert isinstance(asked, Clarification)
    found = []
    for question in asked.questions:
        given = [
            text_view(
                reply.text, each.what.language, by=each.by, t_ms=each.t_ms, after_ms=each.t_ms - talk.said.t_ms,
                entry=each.entry, **({"here_after_ms": each.stored_ms - talk.said.stored_ms} if here else {}),
            )
            for each in answers if isinstance(each.what, ClarificationAnswer)
            for reply in each.what.replies if reply.question is question
        ]  # fmt: skip
        found.append({"question": question.value, "answers": given})
    return found


def questions_about(board: Board, entries: Sequence[str], *, here: bool = True) -> list[dict[str, Any]]:
    """The questions about these versions of a notice, for the view of the notice."""
    found = [talk for entry in entries for talk in board.hotline.questions(entry)]
    return [
        {
            "ref": talk.ref, "by": talk.said.by, "t_ms": talk.said.t_ms, "of": talk.about,
            "texts": texts_of(board.hotline, talk, ()),
            "questions": _questions(talk, _sorted(board.hotline, talk.answers), here=here),
        }
        for talk in found
    ]  # fmt: skip


# --- sentences ---


def sentence(by: str, change: Change, what: TalkWord) -> str:
    """One English sentence for what was said; the words themselves as they were written."""
    assert change.talk is not None
    ref, facts = change.talk.ref, change.facts
    match what:
        case Message():
            answers = f" in answer to {facts['answers']}" if facts.get("answers") else ""
            return f"{what.precedence} message {ref} from {by}{answers}: {said_in(what)}"
        case Clarification():
            text = f" {isolate(what.text)} ({what.language})" if what.text else ""
            return f"{by} asks about {facts['notice']} ({ref}): {', '.join(what.questions)}.{text}"
        case Whose():
            text = f" {isolate(what.text)} ({what.language})" if what.text else ""
            return f"IS IT YOURS? {by} asks ({ref}): {describe_seen(what)}.{text} Answer OURS or UNKNOWN."
        case Owner():
            text = f" {isolate(what.text)} ({what.language})" if what.text else ""
            before = f" It had answered {facts['before']}." if facts.get("before") else ""
            told = "the traffic is theirs (OURS)" if what.whose == "OURS" else "they do not know whose it is (UNKNOWN)"
            return f"{by} answers {ref}: {told}.{text}{before}"
        case Translation():
            who = f", translated by {isolate(what.translator)}" if what.translator else ""
            text = f"{isolate(what.text)} ({what.language})"
            return f"Translation of {ref} by {by}{who}: {text}. It stands beside the text."
        case HeardAs():
            return f"{by} reads back {ref}: {isolate(what.text)} ({what.language}). Its author compares."
        case ClarificationAnswer():
            told = "; ".join(f"{r.question}: {isolate(r.text)}" for r in what.replies)
            took = instant.show_span(max(0, facts["after_ms"]))
            return f"{by} answers {ref} after {took}: {told} ({what.language})."


def said_in(message: Message) -> str:
    """The words of a message, with their language: a phrase in English, for this sentence is."""
    if not message.phrase:
        return f"{isolate(message.text)} ({message.language})"
    text = in_book(message, "en")
    if text is None:
        values = ", ".join(f"{name} {value}" for name, value in message.values.items())
        text = f"phrase {message.phrase}, which is not in the book of this node; {values or 'no values'}"
    return f"{isolate(text)} (phrase {message.phrase})"
