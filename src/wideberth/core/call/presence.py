# SPDX-License-Identifier: Apache-2.0
"""What a party said of its own presence at other times, beside what it says now (domain.md C11 as amended).

A party says that it is present, as of a time and until one, or it says nothing. That it is gone cannot be said: it
would be read as leave to shoot. So a later word never replaces an earlier one in silence: both are shown, with who said
them.
"""

from __future__ import annotations

from typing import Any

from wideberth.core.call.board import Board, Thread
from wideberth.core.say import instant
from wideberth.core.say.words import NilReturn, NoticeType


def said_otherwise(board: Board, thread: Thread) -> list[dict[str, Any]]:
    """Earlier versions that said another place or time, and words that nothing was planned while it says that somebody
    is there; by time, then entry. Empty for what is no PRESENCE."""
    terms = thread.terms
    if terms is None or terms.type is not NoticeType.PRESENCE:
        return []
    found = [
        {
            "by": version.by, "given_ms": version.t_ms, "entry": version.entry, "version": version.number,
            "says": f"present as of {instant.show(version.terms.starts_ms)} until "
            f"{instant.show(min(version.terms.ends_ms, version.terms.expires_ms))}",
        }
        for version in thread.versions
        if version.terms is not None and (thread.cancelled or version.terms.volumes != terms.volumes)
    ]  # fmt: skip
    found += [
        {
            "by": author, "given_ms": t_ms, "entry": entry, "version": 0,
            "says": f"nothing planned until {instant.show(what.until_ms)}",
        }
        for author, entry, t_ms, what in board.words
        if isinstance(what, NilReturn) and author == thread.author
        and what.until_ms > terms.starts_ms and t_ms < terms.ends_ms
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each["given_ms"], each["entry"]))
