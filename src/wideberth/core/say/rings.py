# SPDX-License-Identifier: Apache-2.0
"""Rings round an incident, as crews of one incident agree on them: where to call in, and where not to go without.

The pattern is the wildfire community's Fire Traffic Area (NWCG PMS 515): at 12 NM an aircraft calls in, 7 NM it does
not cross without communications, and inside users keep to blocks of altitude. It is a procedure among participants, not
a restriction by an authority: whoever has legal access and takes no part does nothing wrong (domain.md L4, SC7).

Own people enter all of this, positions too, as they were reported to them. It never leaves the node.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.limits import NAME_CHARS_MAX, PRINTED_LIST_MAX
from wideberth.core.say.base import short
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.rules import Mode
from wideberth.errors import BadInput

MM_PER_NM: Final = 1_852_000
CALL_IN_MM: Final = 12 * MM_PER_NM
NO_COMM_MM: Final = 7 * MM_PER_NM
# The larger of two rings is no larger than an air traffic sector; beyond that it is a slip of units.
_RING_MM_MAX: Final = 200 * MM_PER_NM


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who keeps between which heights, ends included."""

    name: str
    lower: Altitude
    upper: Altitude

    def __post_init__(self) -> None:
        if not self.name:
            raise BadInput("a block has a name: who keeps to it", field="blocks")
        short(self.name, NAME_CHARS_MAX, "name of a block")
        if self.lower.ref is self.upper.ref and self.lower.mm > self.upper.mm:
            raise BadInput(f"the block {self.name} must not end below its floor", field="blocks")


class RingArea(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Two rings round `centre`, and the stack inside.

    `ground_mm` is the height of the ground above mean sea level, `ground_margin_mm` by how much it differs inside the
    rings: so that heights above ground and above sea can be compared. Without it they cannot, and are taken to meet.
    """

    id: str
    centre: Point
    mode: Mode
    ground_mm: int | None = None
    ground_margin_mm: int = 0
    call_in_mm: int = CALL_IN_MM
    no_comm_mm: int = NO_COMM_MM
    blocks: tuple[Block, ...] = ()

    def __post_init__(self) -> None:
        if not self.id:
            raise BadInput("rings need a name of their own", field="id")
        short(self.id, NAME_CHARS_MAX, "name of the rings")
        if not 0 < self.no_comm_mm <= self.call_in_mm <= _RING_MM_MAX:
            raise BadInput("the inner ring is not larger than the outer one, and neither is over 200 NM", field="rings")
        if self.ground_margin_mm < 0:
            raise BadInput("how much the ground differs is not negative", field="ground")
        names = [block.name for block in self.blocks]
        if len(names) > PRINTED_LIST_MAX or len(set(names)) != len(names):
            raise BadInput(f"a stack has at most {PRINTED_LIST_MAX} blocks, each named once", field="blocks")


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where an aircraft was at `t_ms`, as somebody reported it; `error_mm` is how far off that may be.

    `in_contact`: it has called in, and answers. `altitude` None: nobody knows how high.
    """

    aircraft: str
    point: Point
    t_ms: int
    altitude: Altitude | None = None
    in_contact: bool = False
    error_mm: int = 0

    def __post_init__(self) -> None:
        if not self.aircraft:
            raise BadInput("say which aircraft: a call sign, or a name of your own for it", field="aircraft")
        short(self.aircraft, NAME_CHARS_MAX, "aircraft")
        if self.error_mm < 0:
            raise BadInput("how far off a position may be is not negative", field="error")


class RingRecord(msgspec.Struct, frozen=True):
    """Rings with what was reported round them, as they are kept: JSON. Empty bytes: dropped."""

    id: str
    json: bytes
