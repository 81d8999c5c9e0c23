# SPDX-License-Identifier: Apache-2.0
"""Whose notice is asked to make room, by the rule that both signed (domain.md Q3 as amended).

    moves(clash, board)     -> Moves(author="GREEN", ref="GRE-0001-A", by="PRIORITY", sentence="…")

Worked out by each end for itself, from nothing but the two notices and the agreement: whole numbers and what was
signed, no clock of ours, no receipt, no plan. It names exactly one of the two, so the ends can neither both be asked to
move nor both be told that the other one is. It asks; it changes nothing, and nobody has to follow it.

The steps of the agreement are taken in its order (`who_moves`), and LOT after them where it is not among them:

PRIORITY     The lower class is asked: DISTRESS, MEDICAL, HUMANITARIAN, ROUTINE. As its author signed it.
FILED_FIRST  The later one is asked. A notice counts as filed when the newest of its claims that matter here was first
             made: those volumes whose windows meet windows of the other, each since the version from which it, or
             one around it, stood without a break. Whoever had seen the other's claim filed after it, whatever the
             clocks say. Nothing counts from before the agreement's horizon ahead of the meeting, and a notice that
             claims more area times time than the agreement's cap is not counted as filed at all: to file early, or to
             file everything, buys nothing.
LOT          By day: of the meeting's first day (UTC) and the version of the agreement follows who is asked on that day,
             whichever notices meet. Nobody can throw it again by giving a notice again.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from wideberth.core.call.board import Board, Thread, Version
from wideberth.core.call.dialogue import Clash
from wideberth.core.say import instant
from wideberth.core.say.claim import KM2_H, claimed
from wideberth.core.say.instant import MS_PER_DAY
from wideberth.core.say.rules import WhoMoves
from wideberth.core.say.volume import Volume4D
from wideberth.core.say.words import NoticeType, Priority, Terms

_CLASSES: Final = list(Priority)

Side = tuple[Thread, Version]


class Moves(msgspec.Struct, frozen=True):
    """Who is asked, with which notice, by which step of the rule, and why in words."""

    author: str
    ref: str
    entry: str
    by: WhoMoves
    sentence: str


def moves(clash: Clash, board: Board) -> Moves:
    """The one of the two that is asked to move."""
    rules, (one, other) = clash.rules, clash.sides
    steps = rules.who_moves if WhoMoves.LOT in rules.who_moves else (*rules.who_moves, WhoMoves.LOT)
    for step in steps:
        match step:
            case WhoMoves.PRIORITY:
                ranks = [_CLASSES.index(priority(_terms(side))) for side in clash.sides]
                if ranks[0] != ranks[1]:
                    asked, stays = (one, other) if ranks[0] > ranks[1] else (other, one)
                    less, more = priority(_terms(asked)), priority(_terms(stays))
                    return _asked(asked, step, f"its priority is {less}, that of {stays[0].ref} is {more}")
            case WhoMoves.FILED_FIRST:
                filed = _filed(clash, board)
                if filed[0] != filed[1]:
                    asked, stays = (one, other) if filed[0] > filed[1] else (other, one)
                    return _asked(asked, step, f"{stays[0].ref} was filed first, as the agreement counts it")
            case WhoMoves.LOT:
                break
    first, second = sorted(clash.authors)
    author = (first, second)[lot(clash.agr, _begins(clash) // MS_PER_DAY, (first, second))]
    asked = clash.sides[clash.authors.index(author)]
    day = instant.show(_begins(clash))[:10]
    return _asked(asked, WhoMoves.LOT, f"nothing else decides it, and on {day} the lot falls on {asked[0].author}")


def priority(terms: Terms) -> Priority:
    """Whoever is in distress is in distress, whatever class was filled in."""
    return Priority.DISTRESS if terms.type is NoticeType.DISTRESS else terms.priority


def _asked(side: Side, by: WhoMoves, why: str) -> Moves:
    thread, version = side
    sentence = f"By the agreement {thread.author} is asked to move {thread.ref}: {why}. It asks, and changes nothing."
    return Moves(thread.author, thread.ref, version.entry, by, sentence)


def _terms(side: Side) -> Terms:
    terms = side[1].terms
    assert terms is not None, "a clash is of two versions with terms"
    return terms


def _begins(clash: Clash) -> int:
    """When the two are first both there; of two that never are, when the earlier one begins."""
    span = clash.together
    return span[0] if span is not None else min(_terms(side).starts_ms for side in clash.sides)


# --- filed first ---


def _filed(clash: Clash, board: Board) -> tuple[int, int]:
    """When each counts as filed, ms UTC by its author's claim; equal where neither comes first."""
    one, other = clash.sides
    first, second = _stood_since(one, other, clash), _stood_since(other, one, clash)
    at = [first.t_ms, second.t_ms]
    if _had_seen(board, second, one[0].author, first):
        at[1] = max(at[1], at[0] + 1)
    elif _had_seen(board, first, other[0].author, second):
        at[0] = max(at[0], at[1] + 1)
    begins_ms, rules = _begins(clash), clash.rules
    at = [max(t_ms, begins_ms - rules.horizon_ms) for t_ms in at]
    if rules.cap_km2_h:
        # Not counted as filed: after everybody who is, whenever that was.
        latest = max(*at, begins_ms) + 1
        over = [claimed(_terms(side).volumes) > rules.cap_km2_h * KM2_H for side in clash.sides]
        at = [latest if beyond else t_ms for t_ms, beyond in zip(at, over, strict=True)]
    return at[0], at[1]


def _stood_since(side: Side, other: Side, clash: Clash) -> Version:
    """The version from which all that matters here stood without a break."""
    thread, version = side
    t_ms = clash.rules.minima.time_ms
    matters = [
        v for v in _terms(side).volumes
        if any(v.start_ms < w.end_ms + t_ms and w.start_ms < v.end_ms + t_ms for w in _terms(other).volumes)
    ] or list(_terms(side).volumes)  # fmt: skip
    since = version
    for earlier in reversed([v for v in thread.versions if v.number < version.number]):
        if earlier.terms is None or not all(any(_holds(w, v) for w in earlier.terms.volumes) for v in matters):
            break
        since = earlier
    return since


def _holds(before: Volume4D, now: Volume4D) -> bool:
    """Whether the claim was made then: the same area and references, a band and a window no smaller."""
    return (
        before.shape == now.shape
        and (before.lower.ref, before.upper.ref) == (now.lower.ref, now.upper.ref)
        and before.lower.mm <= now.lower.mm
        and now.upper.mm <= before.upper.mm
        and before.start_ms <= now.start_ms
        and now.end_ms <= before.end_ms
    )


def _had_seen(board: Board, later: Version, author: str, version: Version) -> bool:
    """Whether whoever gave `later` held that author's version when it was given."""
    place = later.seen.get(author)
    if place is None:
        return False
    at = board.hotline.place_of
    return at(author, version.epoch, version.seq) <= at(author, place.epoch, place.seq)


def lot(agr: str, day: int, authors: tuple[str, str]) -> int:
    """Which of two authors, in order of names, is asked on a day: the last bit of SHA-256 of an ASCII text."""
    return hashlib.sha256(f"wideberth lot {agr} {day} {' '.join(authors)}".encode()).digest()[-1] & 1
