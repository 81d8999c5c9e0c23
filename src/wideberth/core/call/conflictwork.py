# SPDX-License-Identifier: Apache-2.0
"""From what an officer commands about two notices that meet to the word that will be signed, or the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wideberth.core.call.board import Board, Thread, Version
from wideberth.core.call.speak import canonical
from wideberth.core.call.talkwork import warned
from wideberth.core.say.commands import ConflictCommand, ProposeRemedy, RecordOutcome
from wideberth.core.say.conflict import ConflictWord, Outcome, Remedy, in_order
from wideberth.core.say.ring import must_be_simple
from wideberth.errors import BadInput, NotFound

Side = tuple[Thread, Version]


def conflict_word(
    command: ConflictCommand, board: Board, languages: Sequence[str]
) -> tuple[ConflictWord, dict[str, Any]]:  # fmt: skip
    """The word, and facts for the officer (warnings). `languages` are ours, the first one the usual one.

    Raises BadInput or NotFound; nothing has changed then.
    """
    language = command.language or languages[0]
    sides = _side(board, command.ref, "ref"), _side(board, command.other, "other")
    authors = [thread.author for thread, _ in sides]
    if authors[0] == authors[1]:
        raise BadInput(f"both notices are of {authors[0]}: this is for two notices of two authors", field="other")
    if board.us not in authors:
        raise BadInput(f"neither notice is ours: {authors[0]} and {authors[1]} settle it", field="ref")
    one, other = in_order(sides[0][1].entry, sides[1][1].entry)
    facts = warned(language, command.text) if command.text else {}
    match command:
        case ProposeRemedy():
            moves = _side(board, command.moves, "moves")
            moving = next((v.entry for _, v in sides if v.entry == moves[1].entry), None)
            if moving is None:
                raise BadInput(f"{moves[0].ref} is neither of the two", field="moves")
            stale = [thread.ref for thread, version in sides if thread.newest.entry != version.entry]
            if stale:
                raise BadInput(f"{stale[0]} has a newer version: look at the conflict again", field="ref")
            for volume in command.volumes:
                must_be_simple(volume.shape, "volumes")
            return Remedy(one, other, moving, command.how, command.volumes, command.text, language), facts
        case RecordOutcome():
            amended = _amended(board, sides, command) if command.outcome == "RESOLVED_BY_AMEND" else ""
            if command.amended and not amended:
                raise BadInput("only RESOLVED_BY_AMEND names the notice that was amended", field="amended")
            return Outcome(one, other, command.outcome, amended, command.text, language), facts


def _side(board: Board, ref: str, field: str) -> Side:
    thread = board.find(ref) or board.find(canonical(ref))
    if thread is None:
        raise NotFound(f"there is no notice {ref} on this line; `conflicts` lists what meets", ref=ref)
    version = thread.version(ref) or next((v for v in reversed(thread.versions) if v.terms is not None), None)
    if version is None or version.terms is None:
        raise BadInput(f"{thread.ref} has no volumes of its own yet", field=field)
    return thread, version


def _amended(board: Board, sides: tuple[Side, Side], command: RecordOutcome) -> str:
    """The later version that resolved it, by its entry."""
    named = _side(board, command.amended, "amended")[0] if command.amended else None
    later = [
        thread for thread, version in sides
        if thread.newest.number > version.number and named in (None, thread)
    ]  # fmt: skip
    if not later:
        raise BadInput(
            "neither notice has a later version than those that met: name the versions by their hashes, as "
            "`conflicts --all` shows them, or record another outcome", field="amended",
        )  # fmt: skip
    if len(later) > 1:
        raise BadInput(f"both have a newer version; say which resolved it: {later[0].ref} or {later[1].ref}",
                       field="amended")  # fmt: skip
    return later[0].newest.entry
