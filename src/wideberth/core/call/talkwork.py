# SPDX-License-Identifier: Apache-2.0
"""From what an officer commands on the hotline to the word that will be signed, or the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wideberth.core import events as ev
from wideberth.core.call.board import Board, Thread
from wideberth.core.call.hotline import Talk
from wideberth.core.call.speak import canonical
from wideberth.core.say import phrases, tongue
from wideberth.core.say.live import Owner, Whose
from wideberth.core.say.scan import scan
from wideberth.core.say.talk import Clarification, ClarificationAnswer, HeardAs, Message, TalkWord, Translation
from wideberth.errors import BadInput, NotFound


def talk_word(
    command: ev.TalkCommand, board: Board, languages: Sequence[str], now_ms: int
) -> tuple[TalkWord, dict[str, Any]]:  # fmt: skip
    """The word, and facts for the officer (warnings). `languages` are ours, the first one the usual one.

    Raises BadInput or NotFound; nothing has changed then.
    """
    language = command.language or languages[0]
    match command:
        case ev.SendMessage():
            reply_to = _talk(board, command.reply_to).said.entry if command.reply_to else ""
            about = _thread(board, command.about).newest.entry if command.about else ""
            texts = (command.text, *command.values.values())
            if command.phrase:
                phrases.say(command.phrase, "en", **command.values)
                language = "en"  # of a text, and there is none
            return (
                Message(
                    command.precedence, command.text, language, command.phrase, dict(command.values), reply_to, about
                ),
                warned(language, *texts),
            )  # fmt: skip
        case ev.Translate():
            talk = _talk(board, command.ref)
            message = talk.message
            if message is not None and message.phrase:
                raise BadInput(
                    f"{talk.ref} is a phrase of the book: each side reads it in its own language", field="ref"
                )
            translated = Translation(talk.said.entry, language, command.text, command.translator)
            return translated, warned(language, command.text)
        case ev.HearAs():
            talk = _talk(board, command.ref)
            if talk.author == board.us:
                raise BadInput(f"{talk.ref} is our own; the other side reads it back", field="ref")
            return HeardAs(talk.said.entry, command.text, language), warned(language, command.text)
        case ev.AskAbout():
            thread = _thread(board, command.of or command.ref)
            if thread.author == board.us:
                raise BadInput(f"{thread.ref} is our own; the other side asks about it", field="ref")
            of = command.of or thread.newest.entry
            return Clarification(of, command.questions, command.text, language), warned(language, command.text)
        case ev.AskWhose():
            seen_ms = command.at_ms or now_ms
            asked = Whose(
                command.point, command.lower, command.upper, seen_ms, command.hazard, command.text, language
            )  # fmt: skip
            return asked, warned(language, command.text)
        case ev.SayWhose():
            talk = _talk(board, command.ref)
            if talk.whose is None:
                raise BadInput(f"{talk.ref} does not ask whose something is", field="ref")
            if talk.author == board.us:
                raise BadInput(f"{talk.ref} is our own question; the other side answers it", field="ref")
            return Owner(talk.said.entry, command.whose, command.text, language), warned(language, command.text)
        case ev.AnswerAsked():
            of = _asked(board, command.ref).said.entry
            texts = tuple(reply.text for reply in command.replies)
            return ClarificationAnswer(of, command.replies, language), warned(language, *texts)


def warned(language: str, *texts: str) -> dict[str, Any]:
    """Warnings about free text; none of them holds anything back."""
    found = [finding.sentence for text in texts for finding in scan(text)]
    if texts and (other := tongue.other_script(texts[0], language)):
        found.append(f"this is marked as {language!r} and written in {other.capitalize()} letters: name its language")
    return {"warnings": found} if found else {}


def _talk(board: Board, ref: str) -> Talk:
    talk = board.hotline.find(ref) or board.hotline.find(canonical(ref))
    if talk is None:
        raise NotFound(f"there is no message {ref} on this line; `message list --all` shows them", ref=ref)
    return talk


def _thread(board: Board, ref: str) -> Thread:
    thread = board.find(ref) or board.find(canonical(ref))
    if thread is None:
        raise NotFound(f"there is no notice {ref} on this line; `notice list` shows them", ref=ref)
    return thread


def _asked(board: Board, ref: str) -> Talk:
    """The question that is meant, to us: by its own reference, or the only one about that notice that waits."""
    ours = [talk for talk in board.hotline if talk.notice == board.us]
    named = board.hotline.find(ref) or board.hotline.find(canonical(ref))
    if named is not None:
        if named not in ours:
            raise BadInput(f"{named.ref} is no question about a notice of ours", field="ref")
        return named
    thread = _thread(board, ref)
    waiting = [t for t in ours if not t.answers and thread.version(t.about) is not None]
    if not waiting:
        raise NotFound(f"no question about {thread.ref} waits for an answer", ref=ref)
    if len(waiting) > 1:
        raise BadInput(f"say which question you answer: {', '.join(t.ref for t in waiting)}", field="ref")
    return waiting[0]
