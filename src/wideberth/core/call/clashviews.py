# SPDX-License-Identifier: Apache-2.0
"""A clash of two notices as plain data and in sentences: who is asked to move, proposals, what became of it.

Nothing here depends on who looks, or on anything but the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from wideberth.core.call.dialogue import Clash, Told
from wideberth.core.call.ladders import Settled
from wideberth.core.call.moves import moves
from wideberth.core.say.conflict import ConflictWord, Remedy
from wideberth.core.say.tongue import isolate

if TYPE_CHECKING:
    from wideberth.core.call.board import Board

# On every view of a proposal.
OPTIONAL: Final = "A proposal changes nothing until the owner of the notice gives a new version of it."

_OUTCOMES: Final = {
    "RESOLVED_BY_AMEND": "they keep apart by {amended}",
    "ACCEPTED_RISK": "it knows of it and goes on",
    "UNRESOLVED": "it is not resolved",
    "EXPIRED": "its time is over",
}


def clash_view(board: Board, clash: Clash, at_ms: int) -> dict[str, Any]:
    """A clash, whole. `outcomes` has what each author recorded last (OPEN: nothing), and `said` everything in order;
    `stands`: both versions are the ones that hold."""
    sides = [
        {"author": thread.author, "ref": thread.ref, "version": version.number, "entry": version.entry}
        for thread, version in clash.sides
    ]
    outcomes = {author: clash.outcome(author, at_ms).value for author in sorted(clash.authors)}
    asked = moves(clash, board)
    span = clash.together
    return {
        "ch": board.ch,
        "id": clash.id,
        "conflict": clash.ref,
        "agr": clash.agr,
        "notices": sides,
        "together_ms": list(span) if span is not None else None,
        "stands": clash.stands(at_ms),
        "rule": {
            "minima": msgspec.to_builtins(clash.rules.minima),
            "pressure_margin_mm": clash.rules.pressure_margin_mm,
            "least_radius_mm": clash.rules.least_radius_mm,
            "lead_ms": clash.rules.lead_ms,
        },
        "moves": {"author": asked.author, "ref": asked.ref, "by": asked.by.value, "sentence": asked.sentence},
        "outcomes": outcomes,
        "same_outcome": len(set(outcomes.values())) == 1,
        "unresolved": clash.stands(at_ms) and set(outcomes.values()) != {Settled.ACCEPTED_RISK.value},
        "proposals": [_told(clash, told) for told in _by_author(clash.remedies)],
        "said": [_told(clash, told) for told in _by_author(clash.outcomes)],
        "optional": OPTIONAL,
    }


def _by_author(said: list[Told]) -> list[Told]:
    """By author, in the order of its strand: the same at both ends, and no clock orders anything."""
    return sorted(said, key=lambda told: told.author)


def _told(clash: Clash, told: Told) -> dict[str, Any]:
    view: dict[str, Any] = {
        "author": told.author, "by": told.by, "entry": told.entry, "t_ms": told.t_ms, "text": told.what.text,
        "language": told.what.language,
    }  # fmt: skip
    if isinstance(told.what, Remedy):
        moving = next(thread for thread, version in clash.sides if version.entry == told.what.moves)
        return view | {
            "moves": moving.ref, "how": told.what.how.value, "volumes": msgspec.to_builtins(told.what.volumes),
        }  # fmt: skip
    return view | {"outcome": told.what.outcome, "amended": told.what.amended}


def sentence(by: str, facts: dict[str, Any], ref: str, what: ConflictWord) -> str:
    """One English sentence for what was said; the words themselves as they were written."""
    text = f" {isolate(what.text)} ({what.language})" if what.text else ""
    pair = " and ".join(facts["refs"])
    if isinstance(what, Remedy):
        return f"{by} proposes for {pair} ({ref}) that {facts['moves']} goes {_HOW[what.how]}.{text} {OPTIONAL}"
    told = _OUTCOMES[what.outcome].format(amended=facts.get("amended", ""))
    before = f" It had recorded {facts['before']}." if facts["before"] else ""
    return f"{by} records of {pair} ({ref}): {what.outcome}, {told}.{text}{before} It speaks for its own side alone."


_HOW: Final = {
    "LATER": "later", "EARLIER": "earlier", "HIGHER": "higher", "LOWER": "lower", "ASIDE": "aside",
    "SHRINK": "smaller", "SPLIT": "apart in two, with the other's time left out",
}  # fmt: skip
