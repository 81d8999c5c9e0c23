# SPDX-License-Identifier: Apache-2.0
"""From what an officer commands about the line itself to the word that will be signed, or the reason why not."""

from __future__ import annotations

from typing import Any, Final

from wideberth.core import events as ev
from wideberth.core.call.board import Board, Thread
from wideberth.core.call.linelog import LineItem, LineSaid
from wideberth.core.call.statements import check_place
from wideberth.core.say import codes
from wideberth.core.say.scan import scan
from wideberth.core.say.standing import LineCheck, LineCheckAnswer, LineWord, Statement
from wideberth.core.say.words import VoiceContact
from wideberth.core.seal.agreement import LineTerms, Versions
from wideberth.core.seal.capabilities import Entropy
from wideberth.errors import BadInput, NotFound

NONCE_BYTES: Final = 16


def line_word(
    command: ev.LineCommand, board: Board, versions: Versions, terms: LineTerms, entropy: Entropy, now_ms: int
) -> tuple[LineSaid | Statement, dict[str, Any]]:
    """The word, and facts for the officer. Raises BadInput or NotFound; nothing has changed then."""
    match command:
        case ev.LogVoice():
            what = _contact(command, board, terms, now_ms)
            return what, {**_warned(command.answer), **_called(command, what, board, terms)}
        case ev.AskCheck():
            return LineCheck(entropy(NONCE_BYTES).hex(), command.text), _warned(command.text)
        case ev.AnswerCheck():
            asked = _asked(command, board, terms)
            nonce = asked.what.nonce if isinstance(asked.what, LineCheck) else ""
            return LineCheckAnswer(asked.entry, nonce, command.text), _warned(command.text)
        case ev.SayOfLine():
            return LineWord(command.state, command.text), _warned(command.text)
        case ev.PostStatement():
            check_place(versions, terms, board.us)
            return Statement(command.text, command.language, command.about), _warned(command.text)


def _called(command: ev.LogVoice, what: VoiceContact, board: Board, terms: LineTerms) -> dict[str, Any]:
    """Whom a logged call was with, what came of it, and the reference of what it was about."""
    others = [m for m in terms.members if m != board.us]
    called = what.party or (others[0] if len(others) == 1 else "")
    found = (board.find(command.ref) or board.hotline.find(command.ref)) if command.ref else None
    about = {"about": found.ref} if found is not None else {}
    checked = {"code_checked": True} if what.code_checked else {}
    return {"outcome": what.outcome, "called": called, **about, **checked}


def _warned(text: str) -> dict[str, Any]:
    found = [finding.sentence for finding in scan(text)]
    return {"warnings": found} if found else {}


def _contact(command: ev.LogVoice, board: Board, terms: LineTerms, now_ms: int) -> VoiceContact:
    thread = board.find(command.ref) if command.ref else None
    if command.ref and thread is None and board.hotline.find(command.ref) is None:
        raise NotFound(f"there is no notice and no message {command.ref} on this line", ref=command.ref)
    others = [m for m in terms.members if m != board.us]
    if command.party and command.party not in others:
        raise BadInput(f"{command.party} is not on this line; there are {', '.join(others)}", field="party")
    if not command.party and len(others) > 1:
        raise BadInput(f"say who was called (`--party`): {', '.join(others)}", field="party")
    talk = board.hotline.find(command.ref) if command.ref and thread is None else None
    of = thread.newest.entry if thread else talk.said.entry if talk else ""
    if command.code:
        _check_code(command, thread)
    return VoiceContact(
        of, command.medium, command.answer, command.at_ms or now_ms, command.outcome, command.party,
        command.frequency, command.rung, bool(command.code),
    )  # fmt: skip


def _check_code(command: ev.LogVoice, thread: Thread | None) -> None:
    """Raises BadInput unless the code that was heard is the response code of the newest version."""
    if thread is None:
        raise BadInput("a check code is of one notice: name it with `--ref`", field="ref")
    if command.outcome != "ANSWERED":
        raise BadInput("nobody answered, so nobody gave a code; leave it out", field="code")
    if codes.mistyped(command.code):
        raise BadInput(
            f"{command.code!r} was misheard or mistyped: it is no check code. Ask for it again, spelled. Nothing was "
            "logged",
            field="code",
        )
    held = next((v for v in reversed(thread.versions) if codes.answers(v.entry, command.code)), None)
    if held is thread.newest:
        return
    if held is not None:
        raise BadInput(
            f"that is the code of version {held.number} of {thread.ref}, and version {thread.newest.number} holds: who "
            "answered has the old one before them. Tell them, or log the call without the code",
            field="code",
        )
    raise BadInput(
        f"that is not the response code of {thread.ref}: who answered does not have it before them. End the call, and "
        "call back on the agreed number; log it without the code",
        field="code",
    )


def _asked(command: ev.AnswerCheck, board: Board, terms: LineTerms) -> LineItem:
    """The check that is meant: the newest of its asker that we have not answered."""
    if command.of:
        named = board.lines.check(command.of)
        if named is None:
            raise NotFound(
                "there is no such line check on this line; `linecheck list` shows those that wait", of=command.of
            )
        if named.author == board.us:
            raise BadInput("nobody answers a line check of their own; the other side must", field="of")
        return named
    others = [m for m in terms.members if m != board.us and command.party in ("", m)]
    if not others:
        raise BadInput(f"{command.party} is not another member of this line", field="party")
    waiting = {m: asked for m in others if (asked := board.lines.unanswered(m, board.us))}
    if not waiting:
        raise NotFound(f"no line check of {' or '.join(others)} waits for an answer; `linecheck ask` asks one")
    if len(waiting) > 1:
        raise BadInput(f"say whose line check you answer: {', '.join(waiting)}", field="party")
    (asked,) = waiting.values()
    return asked[-1]
