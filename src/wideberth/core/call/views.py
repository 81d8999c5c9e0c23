# SPDX-License-Identifier: Apache-2.0
"""The board as plain data for screens, programs and tests. Every view says what it is true of: whose observation, when.

`shared` is the part that both ends must render alike from the same entries; clocks of this node, and what only this
node observed, stay outside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from wideberth.core.call.activity import lost_view, total
from wideberth.core.call.board import LADDER, Board, Thread, Version
from wideberth.core.call.care import state_view
from wideberth.core.call.ladders import STANDING, Rung, Standing, walk
from wideberth.core.call.mustanswer import answers_view
from wideberth.core.call.presence import said_otherwise
from wideberth.core.call.sentences import describe
from wideberth.core.call.talkviews import questions_about
from wideberth.core.say import codes, complete, instant, notice
from wideberth.core.say.words import CARED_FOR, RECEIPT_ONLY, SCOPE, VoiceContact


def version_view(board: Board, thread: Thread, version: Version, members: tuple[str, ...]) -> dict[str, Any]:
    """One version with its ladder, member by member."""
    view: dict[str, Any] = {
        "version": version.number,
        "kind": version.kind,
        "entry": version.entry,
        "by": version.by,
        "given_ms": version.t_ms,
        "given": instant.show(version.t_ms),
        "says": describe(version),
        "terms": msgspec.to_builtins(version.terms) if version.terms is not None else None,
        "text": version.text,
        "ladder": {m: ladder_view(thread, version, m) for m in members if m != thread.author},
    }
    if version.terms is not None:
        view["complete"] = complete.view(complete.of_terms(version.terms, board.rules_of(version)))
        view["standing_text"] = version.terms.standing_text
        view["lead_given"] = msgspec.to_builtins(notice.lead(version.terms, board.rules_of(version), version.t_ms))
    return view


def ladder_view(thread: Thread, version: Version, member: str) -> list[dict[str, Any]]:
    """The rungs of one member for one exact version, in the order of the ladder, then by time."""
    rungs = [{"step": "SENT", "by": version.by, "t_ms": version.t_ms, "entry": version.entry, "facts": {}}]
    order = {step: i for i, step in enumerate(LADDER)}
    steps = sorted(thread.steps_of(version.entry, member), key=lambda s: (order.get(s.step, 99), s.t_ms, s.entry))
    for step in steps:
        facts = {k: v for k, v in step.facts.items() if k not in ("of", "stale", "skipped", "upto")}
        rungs.append({"step": step.step, "by": step.by, "t_ms": step.t_ms, "entry": step.entry, "facts": facts})
    return rungs


def usable(thread: Thread, version: Version, member: str) -> str:
    """The member's standing on one version in one word: the table of `ladders.py`, walked in its strand's order."""
    return walk(STANDING, Standing.SENT, (Rung(s.step) for s in thread.steps_of(version.entry, member))).value


def thread_view(
    board: Board, thread: Thread, members: tuple[str, ...], at_ms: int, *, here: bool = True
) -> dict[str, Any]:
    """A notice or an ALERT, whole: all versions, reports, and its life at a time. `here`: also what our clock says."""
    return {
        "ch": thread.ch,
        "author": thread.author,
        "ref": thread.ref,
        "kind": thread.kind,
        "life": thread.life(at_ms).value,
        "at_ms": at_ms,
        "version": thread.newest.number,
        "precedence": thread.precedence.value,
        "refines": thread.refines,
        "refined_by": thread.refined_by,
        "reports": [{"state": s, "at_ms": t, "by": by} for s, t, by in thread.activity.reports],
        **lost(thread, at_ms),
        "standing": {m: usable(thread, thread.newest, m) for m in members if m != thread.author},
        "versions": [{**version_view(board, thread, v, members), "codes": codes_view(v)} for v in thread.versions],
        "must_answer": answers_view(board, thread, members, at_ms),
        "calls": calls_view(board, thread),
        "questions": questions_about(board, [v.entry for v in thread.versions], here=here),
        "said_otherwise": said_otherwise(board, thread),
        "care": state_view(thread, board.rules_of(thread.newest), at_ms),
        "standing_text": thread.terms.standing_text if thread.terms is not None else "",
        "receipt_only": RECEIPT_ONLY,
        "scope": SCOPE,
    }


def lost(thread: Thread, at_ms: int) -> dict[str, Any]:
    """Suspensions of a notice and the time lost by them (domain.md G4)."""
    terms, finished_ms = thread.terms, thread.finished_ms
    over = [finished_ms] if finished_ms is not None else []
    over += [thread.cancelled.t_ms] if thread.cancelled is not None else []
    over += [min(terms.expires_ms, terms.ends_ms)] if terms is not None else []
    return lost_view(thread.activity, terms, min((at_ms, *over)), live=thread.live(at_ms))


def time_lost(board: Board, at_ms: int) -> dict[str, Any]:
    """Every notice of a channel that was ever suspended, by author and reference, and all of them together."""
    found = [
        {"author": thread.author, "ref": thread.ref, **lost(thread, at_ms)}
        for thread in sorted(board, key=lambda t: (t.author, t.ref)) if thread.activity.suspensions
    ]  # fmt: skip
    return {"notices": found, **total(each["lost_ms"] for each in found)}


def codes_view(version: Version) -> dict[str, str]:
    """What is said over a telephone to show that one has this version before one (say/codes.py)."""
    return {"challenge": codes.challenge(version.entry), "response": codes.response(version.entry)}


def calls_view(board: Board, thread: Thread) -> list[dict[str, Any]]:
    """Calls that were logged about this notice: one side's word, and never a rung of the ladder."""
    found = [
        {
            "by": item.by, "version": version.number, "at_ms": call.at_ms, "medium": call.medium, "party": call.party,
            "outcome": call.outcome, "answer": call.answer, "code_checked": call.code_checked, "entry": item.entry,
        }
        for version in thread.versions for item in board.lines.calls.get(version.entry, ())
        if isinstance(call := item.what, VoiceContact)
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each["at_ms"], each["entry"]))


def mark_break_glass(view: Any, is_glass: Callable[[str], bool]) -> None:
    """Wherever a break-glass post spoke: `"break_glass": true` beside `"by"`."""
    if isinstance(view, dict):
        by = view.get("by")
        if isinstance(by, str) and is_glass(by):
            view["break_glass"] = True
        for inner in view.values():
            mark_break_glass(inner, is_glass)
    elif isinstance(view, list):
        for inner in view:
            mark_break_glass(inner, is_glass)


def listed(board: Board, thread: Thread, members: tuple[str, ...], at_ms: int, us: str) -> dict[str, Any]:
    """As `thread_view`, for lists: another party's protected sites and movements keep their places out of every list
    (domain.md M4); one at a time, by reference, an officer sees them."""
    view = thread_view(board, thread, members, at_ms)
    terms = thread.terms
    if thread.author != us and terms is not None and terms.type in CARED_FOR:
        for version in view["versions"]:
            version["terms"] = None
            version["says"] = f"{terms.type}: shown one at a time, by its reference"
        if view["care"] is not None:
            view["care"]["told"] = []  # where it was heard of
    return view


def shared(board: Board, members: tuple[str, ...], at_ms: int) -> list[dict[str, Any]]:
    """What every member's node must render alike from the same entries and receipts, by author and reference."""
    threads = sorted(board.threads.values(), key=lambda t: (t.author, t.ref))
    return [thread_view(board, t, members, at_ms, here=False) for t in threads]
