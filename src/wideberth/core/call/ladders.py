# SPDX-License-Identifier: Apache-2.0
"""The ladders of what was said, each a table of moves: the code that shows a state walks these, and the diagrams in
docs/ are drawn from them.

    walk(STANDING, Standing.SENT, events)

Every state has a move for every event; only of `GOING` some cells are a named fault. Time alone (`TIMED`) leads to
EXPIRED, and nowhere else: that a window begins which its author named is the author's word, not a timeout. No state
means that anybody gave leave. What must be answered is in `mustanswer.py`, the checks of a line in
`lines.py`, alarms and units in `core/desk`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, TypeVar

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def walk(moves: Mapping[tuple[S, E], S], state: S, events: Iterable[E]) -> S:
    """The state after these events."""
    for event in events:
        state = moves[state, event]
    return state


def _stays(states: type[S], events: type[E], moves: Mapping[tuple[S, E], S]) -> dict[tuple[S, E], S]:
    """The whole table: what has no move of its own stays as it is."""
    return {(state, event): moves.get((state, event), state) for state in states for event in events}


# --- one version of a notice, as one other member stands to it (domain.md E1) ---


class Standing(StrEnum):
    """How far it came, or what speaks against it."""

    SENT = "SENT"
    DELIVERED = "DELIVERED"
    SEEN = "SEEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    READ_BACK = "READ_BACK"
    RELAYED = "RELAYED"
    MISMATCH = "MISMATCH"
    INSUFFICIENT = "INSUFFICIENT"
    REFUSED = "REFUSED"


class Rung(StrEnum):
    """What was signed of it: the first two by machines, in any order; the rest by an officer."""

    DELIVERED = "DELIVERED"
    SEEN = "SEEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    READ_BACK = "READ_BACK"
    RELAYED = "RELAYED"
    MISMATCH = "MISMATCH"
    INSUFFICIENT = "INSUFFICIENT"
    OBJECTED = "OBJECTED"
    REFUSED = "REFUSED"


_NOT_HEARD: Final = (Standing.SENT, Standing.DELIVERED, Standing.SEEN)
# An objection is on record and changes nothing. A mismatch is lifted by a right read-back only; what was not usable, or
# not taken, by any later word of a person. A machine's word lifts nothing that a person said.
STANDING: Final = _stays(
    Standing, Rung,
    {
        (Standing.SENT, Rung.DELIVERED): Standing.DELIVERED,
        (Standing.SENT, Rung.SEEN): Standing.SEEN,
        (Standing.DELIVERED, Rung.SEEN): Standing.SEEN,
        **{(s, Rung.ACKNOWLEDGED): Standing.ACKNOWLEDGED
           for s in (*_NOT_HEARD, Standing.INSUFFICIENT, Standing.REFUSED)},
        **{(s, Rung.READ_BACK): Standing.READ_BACK for s in Standing if s is not Standing.RELAYED},
        **{(s, Rung.RELAYED): Standing.RELAYED for s in Standing if s is not Standing.MISMATCH},
        **{(s, Rung.MISMATCH): Standing.MISMATCH for s in Standing if s is not Standing.READ_BACK},
        **{(s, Rung.INSUFFICIENT): Standing.INSUFFICIENT for s in Standing},
        **{(s, Rung.REFUSED): Standing.REFUSED for s in Standing},
    },
)  # fmt: skip


# --- a message or a question on the hotline, as one other member stands to it ---


class Heard(StrEnum):
    """How far it came."""

    SENT = "SENT"
    DELIVERED = "DELIVERED"
    SEEN = "SEEN"
    READ_BACK = "READ_BACK"
    ANSWERED = "ANSWERED"


class Said(StrEnum):
    """What was signed of it."""

    DELIVERED = "DELIVERED"
    SEEN = "SEEN"
    READ_BACK = "READ_BACK"
    ANSWERED = "ANSWERED"


HEARD: Final = {
    (state, said): Heard(max(state.value, said.value, key=[h.value for h in Heard].index))
    for state in Heard for said in Said
}  # fmt: skip


# --- whose traffic is that was seen, by one other member's word (domain.md G2) ---


class Whoses(StrEnum):
    """OPEN: the member has said nothing; then what it said last."""

    OPEN = "OPEN"
    OURS = "OURS"
    UNKNOWN = "UNKNOWN"


class WhoseSaid(StrEnum):
    """All that can be said."""

    OURS = "OURS"
    UNKNOWN = "UNKNOWN"


WHOSES: Final = {(state, said): Whoses(said.value) for state in Whoses for said in WhoseSaid}


# --- the life of a notice or an ALERT ---


class Life(StrEnum):
    """A notice is PLANNED or ACTIVE, an ALERT is OPEN, while it lives."""

    OPEN = "OPEN"
    PLANNED = "PLANNED"
    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    REFINED = "REFINED"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"


class Turn(StrEnum):
    """BEGINS: one of the windows that its author named. ENDS is the only one that time alone causes."""

    BEGINS = "BEGINS"
    ENDS = "ENDS"
    REFINED = "REFINED"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"


_OVER: Final = (Life.REFINED, Life.FINISHED, Life.CANCELLED)
LIFE: Final = _stays(
    Life, Turn,
    {
        (Life.PLANNED, Turn.BEGINS): Life.ACTIVE,
        **{(s, Turn.ENDS): Life.EXPIRED for s in (Life.OPEN, Life.PLANNED, Life.ACTIVE)},
        **{(s, Turn.REFINED): Life.REFINED for s in (Life.OPEN, Life.EXPIRED)},
        **{(s, Turn.FINISHED): Life.FINISHED for s in Life if s is not Life.CANCELLED},
        **{(s, Turn.CANCELLED): Life.CANCELLED for s in Life},
    },
)  # fmt: skip
LIVES: Final = frozenset({Life.OPEN, Life.PLANNED, Life.ACTIVE})


# --- an activity that its author interrupts (domain.md G4) ---


class Going(StrEnum):
    """SUSPENDED: the notice stays a warning all the same."""

    GOING = "GOING"
    SUSPENDED = "SUSPENDED"


class Pause(StrEnum):
    """What its author reports."""

    SUSPENDED = "SUSPENDED"
    RESTORED = "RESTORED"


# The only one with faults: a report that makes no sense has no effect (`activity.py`).
GOING: Final = {
    (Going.GOING, Pause.SUSPENDED): Going.SUSPENDED,
    (Going.SUSPENDED, Pause.RESTORED): Going.GOING,
}


# --- the agreement, as it binds one member (domain.md A3 to A5) ---


class Bound(StrEnum):
    """Of the agreement; a line and a relationship have states of their own."""

    DRAFT = "DRAFT"
    IN_FORCE = "IN_FORCE"
    SUSPENDED = "SUSPENDED"
    TERMINATED = "TERMINATED"


class Act(StrEnum):
    """BEGINS at the time that all signed; SUSPENDED while a member's suspension stands; LEFT when it, or all but one,
    has left."""

    BEGINS = "BEGINS"
    SUSPENDED = "SUSPENDED"
    REINSTATED = "REINSTATED"
    LEFT = "LEFT"


BOUND: Final = _stays(
    Bound, Act,
    {
        (Bound.DRAFT, Act.BEGINS): Bound.IN_FORCE,
        (Bound.DRAFT, Act.SUSPENDED): Bound.SUSPENDED,
        (Bound.IN_FORCE, Act.SUSPENDED): Bound.SUSPENDED,
        (Bound.SUSPENDED, Act.REINSTATED): Bound.IN_FORCE,
        **{(s, Act.LEFT): Bound.TERMINATED for s in Bound},
    },
)  # fmt: skip

# --- what became of two notices that meet, by the word of one of their authors (domain.md Q5) ---


class Settled(StrEnum):
    """OPEN: that author has recorded nothing. Only EXPIRED can come of time alone."""

    OPEN = "OPEN"
    RESOLVED_BY_AMEND = "RESOLVED_BY_AMEND"
    ACCEPTED_RISK = "ACCEPTED_RISK"
    UNRESOLVED = "UNRESOLVED"
    EXPIRED = "EXPIRED"


class Settling(StrEnum):
    """What an author records, the last word holding; PASSED when the time in which they meet is over."""

    RESOLVED_BY_AMEND = "RESOLVED_BY_AMEND"
    ACCEPTED_RISK = "ACCEPTED_RISK"
    UNRESOLVED = "UNRESOLVED"
    EXPIRED = "EXPIRED"
    PASSED = "PASSED"


# What nobody recorded is over with its time, and says so; what somebody recorded stays what it was.
SETTLED: Final = _stays(
    Settled, Settling,
    {
        **{(s, said): Settled(said.value) for s in Settled for said in Settling if said is not Settling.PASSED},
        (Settled.OPEN, Settling.PASSED): Settled.EXPIRED,
    },
)  # fmt: skip

# What time alone causes, in all of these.
TIMED: Final[frozenset[StrEnum]] = frozenset({Turn.ENDS, Settling.PASSED})
