# SPDX-License-Identifier: Apache-2.0
"""What must have happened by when, and what it is called when it has not.

Time alone leads only to UNDELIVERED, UNACKNOWLEDGED, NOT_READ_BACK, ENDING_SOON and EXPIRED: never to consent, never to
a suspicion (domain.md M3). Deadlines are wall-clock times of this node; a clock that jumps makes them early or late,
and changes nothing else.
"""

from __future__ import annotations

import heapq
from typing import Final

import msgspec

from wideberth.core.call.board import Change, Thread, Version
from wideberth.core.call.mustanswer import AGAIN_MS, HAVE_IT, must_answer, reminder
from wideberth.core.limits import URGENT_UNRECEIPTED_MS
from wideberth.core.say.rules import Rules
from wideberth.core.say.words import Precedence

# A routine notice without a receipt for a minute: the line may be down. Shown, not rung.
ROUTINE_UNRECEIPTED_MS: Final = 60_000

# A person is asked for before a notice becomes active (domain.md §8, B2): a prompt, not an answer that is overdue.
CHECK_BEFORE: Final = "CHECK_BEFORE"

URGENT: Final = frozenset({Precedence.FLASH, Precedence.IMMEDIATE})


class Due(msgspec.Struct, frozen=True, order=True):
    """`member` is who has not done it; ourselves for a notice that we have not answered. `again`: how often it was told
    before."""

    at_ms: int
    author: str
    ref: str
    what: str
    member: str
    entry: str
    again: int = 0


class Deadlines:
    """A heap of what is due; entries are checked against the board when their time comes, not before."""

    def __init__(self) -> None:
        self._heap: list[Due] = []

    @property
    def next_ms(self) -> int | None:
        return self._heap[0].at_ms if self._heap else None

    def expect(self, thread: Thread, version: Version, rules: Rules, us: str, peers: tuple[str, ...]) -> None:
        """A version is live: what must follow it, from whom."""
        urgent = thread.precedence in URGENT
        since = version.stored_ms
        ours = thread.author == us
        if ours:
            for peer in peers:
                wait = URGENT_UNRECEIPTED_MS if urgent else ROUTINE_UNRECEIPTED_MS
                self._push(since + wait, thread, version, "UNDELIVERED", peer)
        for member in peers if ours else (us,):
            self._push(since + acknowledge_within(thread.precedence, rules), thread, version, "UNACKNOWLEDGED", member)
            if urgent and version.terms is not None:
                self._push(since + rules.readback_ms, thread, version, "NOT_READ_BACK", member)
        if version.terms is not None:
            ends = min(version.terms.expires_ms, version.terms.ends_ms)
            if ours and ends - rules.remind_before_ms > since:
                self._push(ends - rules.remind_before_ms, thread, version, "ENDING_SOON", us)
            self._push(ends, thread, version, "EXPIRED", us)
            asked = version.terms.starts_ms - rules.check_before_ms
            # A late notice is itself answered within two minutes.
            if version.terms.starts_ms > since and not (urgent and asked <= since):
                self._push(max(since, asked), thread, version, CHECK_BEFORE, us)

    def pop(self, now_ms: int) -> Due | None:
        """The next that is due, or None."""
        if self._heap and self._heap[0].at_ms <= now_ms:
            return heapq.heappop(self._heap)
        return None

    def again(self, due: Due, thread: Thread, now_ms: int) -> None:
        """What must be answered is told again, once a minute: after a clock that leapt as well only once."""
        if due.what == "UNACKNOWLEDGED" and must_answer(thread):
            later = msgspec.structs.replace(due, at_ms=max(due.at_ms, now_ms) + AGAIN_MS, again=due.again + 1)
            heapq.heappush(self._heap, later)

    def _push(self, at_ms: int, thread: Thread, version: Version, what: str, member: str) -> None:
        heapq.heappush(self._heap, Due(at_ms, thread.author, thread.ref, what, member, version.entry))


def acknowledge_within(precedence: Precedence, rules: Rules) -> int:
    """The agreement's deadline for a person's acknowledgement, by urgency (domain.md E8)."""
    if precedence in URGENT:
        return rules.ack_urgent_ms
    return rules.ack_priority_ms if precedence is Precedence.PRIORITY else rules.ack_routine_ms


def loud(due: Due, thread: Thread) -> bool:
    """Whether it rings. A hold-off that ends soon does: nobody should lapse from it while people are still there."""
    if due.what == "ENDING_SOON":
        return must_answer(thread)
    return due.what != "EXPIRED" and thread.precedence in URGENT


def over_ms(change: Change) -> int:
    """When the notice, ALERT, message or question that it is about is over by itself; 0 where it is about none."""
    if change.talk is not None:
        return change.talk.over_ms
    return change.thread.over_ms if change.thread is not None else 0


def overdue(due: Due, thread: Thread, us: str) -> str:
    """The sentence to tell when it has really not happened; empty when it has, or when it no longer matters."""
    if thread.newest.entry != due.entry or thread.cancelled is not None or thread.refined_by:
        return ""
    reached = {s.step for s in thread.steps_of(due.entry, due.member)}
    answered = {"ACKNOWLEDGED", "READ_BACK", "INSUFFICIENT", "OBJECTED", "REFUSED"}
    match due.what:
        case "UNDELIVERED":
            if reached:
                return ""
            return (
                f"{thread.ref} has no receipt from {due.member}: treat it as not delivered and use the telephone. "
                "Log the call with `voice`."
            )
        case "UNACKNOWLEDGED" if must_answer(thread):
            return "" if reached & HAVE_IT else reminder(thread, due.member, us)
        case "UNACKNOWLEDGED":
            if reached & answered:
                return ""
            return f"{thread.ref} is not acknowledged by {due.member} yet. Silence means nothing but unknown."
        case "NOT_READ_BACK":
            if "READ_BACK" in reached:
                return ""
            return f"{due.member} has not read back {thread.ref} correctly yet."
        case "ENDING_SOON":
            return f"{thread.ref} ends soon. Extend it if the activity goes on; report it finished if it does not."
        case _:
            return f"{thread.ref} is over."
