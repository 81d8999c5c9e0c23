# SPDX-License-Identifier: Apache-2.0
"""What must be answered: a hold-off, "people of ours are here; please stay clear" (domain.md G1, F3).

Each other member answers it by itself, with what an officer signs of this exact version: an acknowledgement, a
read-back, a relay count, or that it is not usable, objected to or refused. Every one of them shows that a person has
it, and none is ever consent. The agreed number is `ack_urgent_ms`: the answer *is* an acknowledgement, and a second
number for one act could only contradict the first.

    WAITING --ANSWERED--> ANSWERED          an officer of that member signed one of them
    WAITING --OUT_OF_TIME--> OVERDUE        the agreed time is over; it means unknown, and an answer still counts
    WAITING, OVERDUE --OVER--> OVER         no longer required, replaced or expired

Both ends count from the author's signed time, so both show the same; who has not answered is told of once a minute, at
both ends, until it is answered or over.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from wideberth.core.call.board import Board, Thread, Version
from wideberth.core.say import instant
from wideberth.core.say.words import RECEIPT_ONLY, NoticeType

# Told again this often while nobody answers: a person can act on it, and no more than one ring a minute (N9).
AGAIN_MS: Final = 60_000

# What an officer signs of a version that shows that a person has it.
HAVE_IT: Final = frozenset({"ACKNOWLEDGED", "READ_BACK", "MISMATCH", "INSUFFICIENT", "OBJECTED", "REFUSED", "RELAYED"})


class Answer(StrEnum):
    """Where one member stands on what must be answered."""

    WAITING = "WAITING"
    ANSWERED = "ANSWERED"
    OVERDUE = "OVERDUE"
    OVER = "OVER"


class Event(StrEnum):
    """OUT_OF_TIME is the only one that time causes."""

    ANSWERED = "ANSWERED"
    OUT_OF_TIME = "OUT_OF_TIME"
    OVER = "OVER"


MOVES: Final[dict[tuple[Answer, Event], Answer]] = {
    (Answer.WAITING, Event.ANSWERED): Answer.ANSWERED,
    (Answer.WAITING, Event.OUT_OF_TIME): Answer.OVERDUE,
    (Answer.WAITING, Event.OVER): Answer.OVER,
    (Answer.OVERDUE, Event.ANSWERED): Answer.ANSWERED,
    (Answer.OVERDUE, Event.OVER): Answer.OVER,
    (Answer.ANSWERED, Event.ANSWERED): Answer.ANSWERED,
    (Answer.ANSWERED, Event.OVER): Answer.ANSWERED,
    (Answer.OVER, Event.ANSWERED): Answer.ANSWERED,
    (Answer.OVER, Event.OVER): Answer.OVER,
}


def must_answer(thread: Thread) -> bool:
    """Whether a notice is one that every other member must answer."""
    terms = thread.terms
    return terms is not None and terms.type is NoticeType.HOLD_OFF


def answer_by_ms(board: Board, version: Version) -> int:
    """By the author's clock, ms UTC, so that both ends count down to one time."""
    return version.t_ms + board.rules_of(version).ack_urgent_ms


def answer_of(board: Board, thread: Thread, version: Version, member: str, at_ms: int) -> Answer:
    """Where one member stands on one version at a time: the table above, walked."""
    state = Answer.WAITING
    if at_ms >= answer_by_ms(board, version):
        state = MOVES[state, Event.OUT_OF_TIME]
    if version.entry != thread.newest.entry or not thread.live(at_ms):
        state = MOVES[state, Event.OVER]
    if any(s.step in HAVE_IT for s in thread.steps_of(version.entry, member)):
        state = MOVES[state, Event.ANSWERED]
    return state


def answers_view(board: Board, thread: Thread, members: tuple[str, ...], at_ms: int) -> list[dict[str, Any]]:
    """For the newest version of what must be answered, member by member; empty for everything else. `left_ms` counts
    down, and is negative when the time is over. The same at both ends."""
    version = next((v for v in reversed(thread.versions) if v.terms is not None), None)
    if version is None or not must_answer(thread):
        return []
    by_ms = answer_by_ms(board, version)
    found = []
    for member in (m for m in members if m != thread.author):
        given = [s for s in thread.steps_of(version.entry, member) if s.step in HAVE_IT]
        first = min(given, key=lambda s: (s.t_ms, s.entry), default=None)
        found.append(
            {
                "member": member, "state": answer_of(board, thread, version, member, at_ms).value, "by_ms": by_ms,
                "by_time": instant.show(by_ms), "left_ms": by_ms - at_ms, "step": first.step if first else "",
                "answered_ms": first.t_ms if first else None, "means": RECEIPT_ONLY,
            }
        )  # fmt: skip
    return found


def reminder(thread: Thread, member: str, us: str) -> str:
    """For our officers, while somebody has not answered."""
    if thread.author == us:
        return (
            f"HOLD-OFF {thread.ref} is not answered by {member}: whether anybody there has it is unknown. Use the "
            "telephone, and log the call with `voice`."
        )
    return (
        f"HOLD-OFF {thread.ref} of {thread.author} must be answered and is not: people of theirs are there. Say that "
        f"you have it: `ack {thread.ref}`. It records receipt only."
    )
