# SPDX-License-Identifier: Apache-2.0
"""What the record side tells own people and programs. Tells stay at home: none of them is ever sent to a peer. What the
inner side tells is in `core/warned.py`.

`level` is how loudly: RING (an alarm that rings until someone owns it), NOTE (shown), QUIET (for programs).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec


class Level(StrEnum):
    RING = "RING"
    NOTE = "NOTE"
    QUIET = "QUIET"


class _Tell(msgspec.Struct, frozen=True, tag_field="tell", omit_defaults=True):
    pass


class Said(_Tell, frozen=True, tag="said"):
    """Our own entry is stored (never told before it is). `flags` such as LATE with its numbers are in `facts`."""

    ch: str
    entry: str
    kind: str
    by: str
    ref: str = ""
    version: int = 0
    facts: dict[str, Any] = {}
    level: Level = Level.NOTE


class Heard(_Tell, frozen=True, tag="heard"):
    """A peer's entry arrived. `recorded` is False only for an urgent one that rings before it is stored.

    `precedence` and `until_ms` (when it is over by itself; 0: not known) are of the notice, message or question that it
    is about; empty where it is about none."""

    ch: str
    author: str
    entry: str
    kind: str
    by: str
    t_ms: int
    at_ms: int
    sentence: str
    ref: str = ""
    version: int = 0
    recorded: bool = True
    facts: dict[str, Any] = {}
    level: Level = Level.NOTE
    precedence: str = ""
    until_ms: int = 0


class Delivered(_Tell, frozen=True, tag="delivered"):
    """A peer signed that it durably holds our strand up to here (`stored`), or that its machine showed it (`shown`)."""

    ch: str
    by: str
    receipt: Literal["stored", "shown"]
    epoch: str
    seq: int
    t_ms: int
    level: Level = Level.QUIET


class Climbed(_Tell, frozen=True, tag="climbed"):
    """One step of the acknowledgement ladder of one version, for one member."""

    ch: str
    ref: str
    version: int
    member: str
    step: str
    by: str
    t_ms: int
    entry: str
    facts: dict[str, Any] = {}
    level: Level = Level.NOTE


class Overdue(_Tell, frozen=True, tag="overdue"):
    """Nobody answered in time. That means *unknown*, never consent. `what`: UNDELIVERED, UNACKNOWLEDGED, NOT_READ_BACK,
    UNANSWERED (a message or a question), ENDING_SOON, EXPIRED. `again`: how often it was told before. `until_ms`: when
    what it is about is over by itself, by the version that holds (0: not known)."""

    ch: str
    ref: str
    version: int
    what: str
    member: str
    sentence: str
    level: Level = Level.RING
    again: int = 0
    until_ms: int = 0


class FaultSeen(_Tell, frozen=True, tag="fault"):
    """Something broke a rule; whose, and what to do. The node goes on."""

    fault: str
    whose: str
    sentence: str
    ch: str = ""
    peer: str = ""
    details: dict[str, Any] = {}
    level: Level = Level.NOTE


class LinkState(_Tell, frozen=True, tag="link"):
    """Whether what we say gets to a peer's node (domain.md B9): told when it does not, when it does again, and when it
    goes another `way` (`direct`, or a mediator's name; empty before the first)."""

    ch: str
    peer: str
    state: Literal["NOT_RELAYED", "WORKS"]
    way: str
    sentence: str
    details: dict[str, str] = {}
    level: Level = Level.NOTE


class CheckDue(_Tell, frozen=True, tag="check_due"):
    """A person should ask, or answer, a line check with these peers: at the agreed time `slot_ms` and again later
    (`prompt` counts from 1); with `ref`, before that notice becomes active at `slot_ms`."""

    ch: str
    peers: tuple[str, ...]
    slot_ms: int
    prompt: int
    sentence: str
    ref: str = ""
    level: Level = Level.NOTE


class CheckMissed(_Tell, frozen=True, tag="check_missed"):
    """Nobody answered by the agreed time `slot_ms`: the newest of `missed` in a row since `first_ms`. It means
    *unknown*."""

    ch: str
    peer: str
    slot_ms: int
    missed: int
    first_ms: int
    sentence: str
    level: Level = Level.NOTE


class LineChanged(_Tell, frozen=True, tag="line"):
    """The line to a peer is in another state since `since_ms` (core/call/lines.py)."""

    ch: str
    peer: str
    state: str
    before: str
    since_ms: int
    cause: str
    reason: str
    sentence: str
    level: Level = Level.NOTE


class FallbackDue(_Tell, frozen=True, tag="fallback"):
    """The line to a peer is silent: the next rung of the agreed ladder, counted from 0, and how it is reached."""

    ch: str
    peer: str
    kind: str
    how: str
    rung: int
    sentence: str
    level: Level = Level.NOTE


class KeysChanged(_Tell, frozen=True, tag="keys"):
    """A newer card of a member is known, ours included: deliver, seal and pin by it from now on."""

    ch: str
    party: str
    version: int
    level: Level = Level.QUIET


class GlassBroken(_Tell, frozen=True, tag="glass"):
    """One of our break-glass posts spoke: the envelope is open, and everybody at home should know why."""

    ch: str
    by: str
    kind: str
    entry: str
    sentence: str
    level: Level = Level.RING


class LineOpened(_Tell, frozen=True, tag="opened"):
    """A channel is in force: every member signed."""

    ch: str
    mechanism: str
    peers: tuple[str, ...]
    level: Level = Level.NOTE


class Disk(_Tell, frozen=True, tag="disk"):
    """The disk is low, or has room again."""

    low: bool
    sentence: str
    level: Level = Level.RING


LineTell = CheckDue | CheckMissed | LineChanged | FallbackDue
Tell = (
    Said | Heard | Delivered | Climbed | Overdue | FaultSeen | LinkState | GlassBroken | LineOpened | KeysChanged | Disk
    | LineTell
)  # fmt: skip
