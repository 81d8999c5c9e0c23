# SPDX-License-Identifier: Apache-2.0
"""What stands over a notice whatever it says: who is told, how far it may travel, what is outside the agreement, and
whose presence it is about where its author speaks for several.

Added to the views of `views.py`, by whoever knows the mechanism. None of it is said by anybody: it follows from the
agreement's versions and from what members said about it, so every node that holds the same entries marks alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wideberth.core.call.board import Board, Thread, Version
from wideberth.core.say import release

# Why something that a party said at a time, under a version (its hash), is outside the agreement; empty: it is not.
Outside = Callable[[str, int, str], str]


def marked(
    view: dict[str, Any], board: Board, thread: Thread, members: tuple[str, ...], outside: Outside
) -> dict[str, Any]:
    """A thread's view with `members`, `release`, and for each version and answer what is `outside` the agreement."""
    answers = {step.entry: step for step in thread.steps if step.agr}
    for seen, version in zip(view["versions"], thread.versions, strict=True):
        seen.update(of_version(board, thread.author, version, members))
        seen["outside"] = outside(thread.author, version.t_ms, version.agr)
        for rung in (rung for ladder in seen["ladder"].values() for rung in ladder):
            step = answers.get(rung["entry"])
            if step is not None and (why := outside(step.member, step.t_ms, step.agr)):
                rung["facts"]["outside"] = why
    marks = [(v.terms.release if v.terms else None) or board.rules_of(v).onward for v in thread.versions]
    return {**view, "members": list(members), "release": release.sentence(release.narrowest(marks), members)}


def of_version(board: Board, author: str, version: Version, members: tuple[str, ...]) -> dict[str, Any]:
    """How far it may travel; of a notice by one that speaks for others (domain.md A6): whose presence it is about,
    which of these names the agreement does not have for its author, and whom it leaves out."""
    if version.terms is None:
        return {"release": release.sentence(board.rules_of(version).onward, members)}
    speaks_for, covers = board.versions.speaks_for(version.agr, author), version.terms.covers
    return {
        "release": release.sentence(version.terms.release or board.rules_of(version).onward, members),
        "covers": list(covers),
        "not_in_agreement": [name for name in covers if name not in speaks_for],
        "members_not_covered": [name for name in speaks_for if name not in covers],
    }
