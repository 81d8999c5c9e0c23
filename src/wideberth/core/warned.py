# SPDX-License-Identifier: Apache-2.0
"""What the inner side tells own officers, and nobody else: where own plans meet notices, and notices meet each other.

These stand apart from `core/tells.py` so that no module of the record side can even name one: what a warning says, and
that there is one, cannot get into anything that leaves (domain.md A10, J4; `tests/architecture/test_layers.py`).
Distances are in mm, times in ms UTC. `answer` is `conflict` or `too_close_to_call` (acted on as a conflict).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wideberth.core.say.place import Point
from wideberth.core.tells import Level

Change = Literal["APPEARED", "GREW", "EASED", "CHANGED"]


class _Warned(msgspec.Struct, frozen=True, tag_field="tell", omit_defaults=True):
    pass


class Exposed(_Warned, frozen=True, tag="exposed"):
    """An own plan meets a notice (domain.md D6, D12). Local: no identifier of it leaves, and it never causes traffic.

    `inside` lists the half-open intervals in which the plan is inside the minima. `change` is against what was told of
    this plan and notice before, as of a `Crossed`. `depth_permille`, `share_permille`: of its severity
    (judge/severity.py); the share of a track is that of the notice's window.
    """

    ch: str
    ref: str
    version: int
    author: str
    plan: str
    answer: str
    rule: str
    horizontal_mm: int
    vertical_mm: int
    start_ms: int
    end_ms: int
    closest_at_ms: int
    closest: Point | None
    inside: tuple[tuple[int, int], ...]
    sentence: str
    svg: str = ""
    not_covered: tuple[str, ...] = ()
    level: Level = Level.RING
    change: Change = "APPEARED"
    depth_permille: int = 0
    share_permille: int = 0


class Nearer(_Warned, frozen=True, tag="nearer"):
    """An exposure or a crossing that was told comes nearer, without any new message (domain.md G5): told once for each
    threshold. `before_ms`: how long before it begins (0: it has begun). `plan` is ours; or `other_ch` and `other_ref`
    are the other notice."""

    ch: str
    ref: str
    before_ms: int
    start_ms: int
    end_ms: int
    sentence: str
    plan: str = ""
    other_ch: str = ""
    other_ref: str = ""
    not_covered: tuple[str, ...] = ()
    level: Level = Level.RING


class Eased(_Warned, frozen=True, tag="eased"):
    """An exposure told earlier no longer holds (the notice moved, ended or was cancelled, or the plan changed)."""

    ch: str
    ref: str
    plan: str
    sentence: str
    level: Level = Level.NOTE


class Side(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of two notices that meet: on which line of which mechanism, whose, and in which version (`entry`: hash)."""

    ch: str
    mechanism: str
    author: str
    ref: str
    version: int
    by_us: bool = False
    entry: str = ""


class Crossed(_Warned, frozen=True, tag="crossed"):
    """Two live notices of different authors meet under the minima of either one's agreement (domain.md A10, D4).

    `kind` is TRIANGLE when they stand on two lines that have nobody in common but us, so that nobody else holds both;
    CROSSING when somebody else does, as on one line. `known_to` says it in words. `rules` names each agreement whose
    minima are undercut, with what held; the numbers are those of the first. `change` is against what was told of this
    pair before: GREW when any number became worse, EASED when some became better and none worse. Neither of the two is
    ever told.
    """

    kind: Literal["TRIANGLE", "CROSSING"]
    one: Side
    other: Side
    change: Change
    answer: str
    rules: tuple[str, ...]
    horizontal_mm: int
    vertical_mm: int
    start_ms: int
    end_ms: int
    inside_ms: int
    closest_at_ms: int
    closest: Point | None
    known_to: str
    sentence: str
    svg: str = ""
    not_covered: tuple[str, ...] = ()
    level: Level = Level.RING
    depth_permille: int = 0
    share_permille: int = 0


class Uncrossed(_Warned, frozen=True, tag="uncrossed"):
    """Two notices that met no longer do: one of them moved, ended, expired or was cancelled."""

    one: Side
    other: Side
    sentence: str
    level: Level = Level.NOTE


class UnitsMet(_Warned, frozen=True, tag="units"):
    """The areas of these own units meet a live notice (domain.md E5); none: they no longer do. Local, as an exposure.

    `entry` is the exact version; `start_ms` to `end_ms` is when it is active, half-open. `pages` are the addresses of
    each unit, `supervisors` the name of each one's supervisor, followed by addresses.
    """

    ch: str
    ref: str
    version: int
    entry: str
    author: str
    units: tuple[str, ...]
    start_ms: int
    end_ms: int
    sentence: str
    pages: dict[str, tuple[str, ...]] = {}
    supervisors: dict[str, tuple[str, ...]] = {}
    precedence: str = ""
    level: Level = Level.NOTE


class RingWarning(_Warned, frozen=True, tag="ring"):
    """What is so with an aircraft round an incident (domain.md L4), as own people reported it; told when it changes.

    `advice` is CALL_IN (a note), NO_COMM (it rings) or NONE (it is over). `blocks` are those of the stack whose heights
    it may be in, `t_ms` when it was there.
    """

    area: str
    aircraft: str
    ring: str
    advice: str
    distance_mm: int
    blocks: tuple[str, ...]
    t_ms: int
    sentence: str
    level: Level = Level.NOTE


Warned = Exposed | Nearer | Eased | Crossed | Uncrossed | UnitsMet | RingWarning
