# SPDX-License-Identifier: Apache-2.0
"""Statements of position: kept, listed, and without any effect on a notice, a deadline, a line or the agreement.

They belong on a working group's line (domain.md B1, H5). One that comes on another is kept and marked `misplaced`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from wideberth.core.say.rules import Purpose
from wideberth.core.say.standing import Statement
from wideberth.core.seal.agreement import LineTerms, Versions, channel_id
from wideberth.core.seal.entry import Header
from wideberth.errors import BadInput


class Position(msgspec.Struct, frozen=True):
    """A statement as it was made; `t_ms` is its author's claim."""

    author: str
    by: str
    entry: str
    t_ms: int
    said: Statement
    misplaced: bool


class Statements:
    """Those of one line, in the order in which they came. `here`: whether they belong on it."""

    def __init__(self, here: bool) -> None:
        self.here = here
        self.positions: list[Position] = []

    def take(self, header: Header, entry: str, what: Statement) -> dict[str, Any]:
        """Fold one in; facts for people."""
        kept = Position(header.sender, header.by, entry, header.t_ms, what, not self.here)
        self.positions.append(kept)
        return {"language": what.language, "misplaced": kept.misplaced}


def check_place(versions: Versions, terms: LineTerms, us: str) -> None:
    """Raises BadInput, with the right line named, unless statements belong on this one."""
    if terms.purpose is Purpose.WORKING_GROUP:
        return
    lines = [line for line in versions.newest.lines if line.purpose is Purpose.WORKING_GROUP]
    ours = {channel_id(versions.founding, line): line for line in lines if us in line.members}
    wrong = f"this is the {terms.purpose} line, and a statement of position does not belong on it"
    if ours:
        named = " or ".join(f"`--line {ch[:12]}` ({', '.join(line.members)})" for ch, line in ours.items())
        raise BadInput(f"{wrong}: post it on the working group's, {named}", field="line", lines=list(ours))
    if lines:
        raise BadInput(f"{wrong}: it belongs on a working group's line, and we are on none of this mechanism's")
    raise BadInput(
        f"{wrong}. This mechanism has no working group's line: propose a version of the agreement that has a line for "
        "the purpose WORKING_GROUP; it opens when every member has signed it",
        field="line",
    )


def statements_view(statements: Statements) -> list[dict[str, Any]]:
    """Plain data, whole: a statement may be shown to anybody."""
    return [
        {
            "author": p.author, "by": p.by, "entry": p.entry, "t_ms": p.t_ms, "text": p.said.text,
            "language": p.said.language, "about": list(p.said.about), "misplaced": p.misplaced,
        }
        for p in statements.positions
    ]  # fmt: skip
