# SPDX-License-Identifier: Apache-2.0
"""Whether a text that goes to one line names what belongs to another: a party, a mechanism or a notice (domain.md A10).

    names_elsewhere(command, here, lines)   ->  ("this text names EAST, which is not on this line (NORTH)",)

A party on two lines holds what the two do not know of each other, and a person types from memory. It warns its own
officer before anything is sent, never blocks, and is a net with holes: a sentence can hint at anything without a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from wideberth.core import events as ev
from wideberth.core.call.board import Board
from wideberth.core.call.dialogue import CLASH
from wideberth.core.call.hotline import MESSAGE, QUESTION, WHOSE
from wideberth.core.carry.channel import Channel
from wideberth.core.say import reference
from wideberth.core.say.scan import named
from wideberth.errors import BadInput

# What an officer can write freely, in any command or in the terms of a notice. All the rest is numbers and short lists.
_FREE: Final = ("text", "place_name", "contact", "answer", "as_read", "medium", "translator")
_KINDS: Final = {MESSAGE: "message", QUESTION: "message", WHOSE: "message", CLASH: "conflict"}
_REFERENCE: Final = re.compile(r"(?<!\w)(?:[a-z]{3}[- ]?\d{4,8}[- ]?[a-z]|alert-[0-9a-f]{8})(?!\w)", re.IGNORECASE)


class Spoken(msgspec.Struct, frozen=True):
    """One line as far as names go."""

    channel: Channel
    board: Board

    @property
    def parties(self) -> set[str]:
        return set(self.channel.terms.members)

    @property
    def mechanism(self) -> str:
        return self.channel.agreement.mechanism

    def knows(self, ref: str) -> bool:
        """Whether there is a notice, an ALERT, a message, a question or a conflict of that reference."""
        board = self.board
        return any(found is not None for found in (board.find(ref), board.hotline.find(ref), board.dialogue.find(ref)))


def free_texts(command: ev.Command) -> tuple[str, ...]:
    """Everything in a command that a person wrote freely."""
    holders = (command, getattr(command, "terms", None))
    found = [getattr(holder, field, "") for holder in holders for field in _FREE]
    found += getattr(command, "values", {}).values()
    found += (reply.text for reply in getattr(command, "replies", ()))
    return tuple(text for text in found if text)


def names_elsewhere(command: ev.Command, here: Spoken, others: Iterable[Spoken]) -> tuple[str, ...]:
    """A sentence for each name of another line that stands in the command's free text; empty for none."""
    texts = free_texts(command)
    if not texts:
        return ()
    text = "\n".join(texts)
    others = [line for line in others if line.channel.ch != here.channel.ch]
    strange = sorted(set().union(*(line.parties for line in others)) - here.parties)
    mechanisms = sorted({line.mechanism for line in others} - {here.mechanism})
    found = [f"this text names {party}, which is not on this line ({here.mechanism})" for party in named(text, strange)]
    found += [
        f"this text names {name}, a mechanism that the members of {here.mechanism} may not know of"
        for name in named(text, mechanisms)
    ]
    codes = {reference.party_code(party) for party in strange} - {reference.party_code(p) for p in here.parties}
    for match in _REFERENCE.finditer(text):
        ref = _canonical(match[0])
        known_there = any(line.knows(ref) for line in others)
        if ref[: reference.PARTY_LETTERS] in codes or (known_there and not here.knows(ref)):
            kind = _KINDS.get(ref[: reference.PARTY_LETTERS], "notice")
            found.append(f"this text names {ref}, a {kind} of another line than {here.mechanism}")
    return tuple(dict.fromkeys(found))


def _canonical(text: str) -> str:
    """As on the boards; one that was misspelled still shows whose it was meant to be."""
    try:
        return reference.check(text)
    except BadInput:
        return text.upper()
