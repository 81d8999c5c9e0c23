# SPDX-License-Identifier: Apache-2.0
"""How far a copy may travel, in the one sentence that stands on every copy (domain.md J2). A mark, not a lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from wideberth.core.say.words import Onward

# From the narrowest to the widest.
_ORDER: Final = (Onward.MEMBERS, Onward.INQUIRY, Onward.PUBLIC)


def sentence(onward: Onward, members: Sequence[str]) -> str:
    """`Not for release beyond BLUE and GREEN.`"""
    names = " and ".join([", ".join(members[:-1]), members[-1]]) if len(members) > 1 else "".join(members)
    match onward:
        case Onward.MEMBERS:
            return f"Not for release beyond {names}."
        case Onward.INQUIRY:
            return f"Not for release beyond {names}, except to an inquiry."
        case Onward.PUBLIC:
            return f"May be passed on to anybody; first told to {names}."


def narrowest(marks: Iterable[Onward]) -> Onward:
    """What holds for a copy with several things in it. PUBLIC for nothing."""
    return min(marks, key=_ORDER.index, default=Onward.PUBLIC)
