# SPDX-License-Identifier: Apache-2.0
"""From what an officer commands about the line itself to the word that will be signed, or the reason why not."""

from __future__ import annotations

from typing import Any, Final

from wideberth.core import events as ev
from wideberth.core.call.board import Board
from wideberth.core.call.linelog import LineItem, LineSaid
from wideberth.core.call.statements import check_place
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
            return _contact(command, board, terms, now_ms), _warned(command.answer)
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


def _warned(text: str) -> dict[str, Any]:
    found = [finding.sentence for finding in scan(text)]
    return {"warnings": found} if found else {}


def _contact(command: ev.LogVoice, board: Board, terms: LineTerms, now_ms: int) -> VoiceContact:
    thread = board.find(command.ref) if command.ref else None
    if command.ref and thread is None:
        raise NotFound(f"there is no notice {command.ref} on this line", ref=command.ref)
    others = [m for m in terms.members if m != board.us]
    if command.party and command.party not in others:
        raise BadInput(f"{command.party} is not on this line; there are {', '.join(others)}", field="party")
    if not command.party and len(others) > 1:
        raise BadInput(f"say who was called (`--party`): {', '.join(others)}", field="party")
    return VoiceContact(
        thread.newest.entry if thread else "", command.medium, command.answer, command.at_ms or now_ms,
        command.outcome, command.party, command.frequency, command.rung,
    )  # fmt: skip


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
