# SPDX-License-Identifier: Apache-2.0
"""Calls made off this system: who called whom, how often anybody answered, and how far up the fallback ladder.

Logged by whoever was there (domain.md B8, F4), so they are one side's word. A rate is answered calls in whole per cent
of all, downward; it says nothing about why.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from wideberth.core.call.linelog import LineLog, about
from wideberth.core.call.lines import NO_CHECKS, LineState, PairState
from wideberth.core.say.rules import Fallback, Rules
from wideberth.core.say.words import VoiceContact


class Calls(msgspec.Struct, frozen=True):
    """What one member logged of its calls to another. `rate_percent` is None where nobody called."""

    attempts: int = 0
    answered: int = 0
    refused: int = 0

    @property
    def rate_percent(self) -> int | None:
        return self.answered * 100 // self.attempts if self.attempts else None


def calls(log: LineLog, members: tuple[str, ...]) -> dict[tuple[str, str], Calls]:
    """By (who called, who was called)."""
    found: dict[tuple[str, str], Calls] = {}
    for item in log.items:
        if isinstance(item.what, VoiceContact):
            key = item.author, about(item, members)
            before = found.get(key, Calls())
            found[key] = Calls(
                before.attempts + 1,
                before.answered + (item.what.outcome == "ANSWERED"),
                before.refused + (item.what.outcome == "REFUSED"),
            )
    return found


def contacts_view(log: LineLog, members: tuple[str, ...]) -> dict[str, Any]:
    """`contacts`: every logged call, the oldest first; `rates`: by caller and called. Plain data."""
    listed = [
        {
            "by": i.by, "author": i.author, "party": about(i, members), "at_ms": i.what.at_ms, "logged_ms": i.t_ms,
            "medium": i.what.medium, "frequency": i.what.frequency, "outcome": i.what.outcome,
            "rung": i.what.rung.value if i.what.rung else "", "answer": i.what.answer, "of": i.what.of,
            "entry": i.entry, "code_checked": i.what.code_checked,
        }
        for i in log.items if isinstance(i.what, VoiceContact)
    ]  # fmt: skip
    rates = [
        {"from": caller, "to": called, **rate_view(each)}
        for (caller, called), each in sorted(calls(log, members).items())
    ]
    return {"contacts": sorted(listed, key=lambda c: (c["at_ms"], c["entry"])), "rates": rates}


def rate_view(found: Calls) -> dict[str, Any]:
    return {**msgspec.to_builtins(found), "rate_percent": found.rate_percent}


class Rung(msgspec.Struct, frozen=True):
    """The next rung of the ladder: its place in the agreed order, from 0, and how it is reached."""

    at: int
    fallback: Fallback


def next_rung(
    log: LineLog, us: str, peer: str, members: tuple[str, ...], state: PairState, rules: Rules
) -> Rung | None:
    """What to try now that the line to a peer is silent: the first agreed rung that we have not logged since the line
    was last open. None: the line is not silent, or every rung was tried, or none was agreed."""
    if state.checks is not LineState.SILENT or state.state in NO_CHECKS:
        return None
    tried = Counter(
        item.what.rung
        for item in log.items
        if isinstance(item.what, VoiceContact) and item.author == us and about(item, members) == peer
        and item.what.at_ms >= state.shut_ms
    )  # fmt: skip
    for at, fallback in enumerate(rules.fallback):
        if not tried[fallback.kind]:
            return Rung(at, fallback)
        tried[fallback.kind] -= 1
    return None
