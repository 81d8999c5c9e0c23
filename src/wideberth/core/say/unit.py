# SPDX-License-Identifier: Apache-2.0
"""An own unit, where it is, and how it is reached (domain.md E5). It never leaves the node: the other side sees counts.

Which units there are, and where, is known to the inner side only; the desk hears of those that a live notice meets.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.limits import NAME_CHARS_MAX, PRINTED_LIST_MAX
from wideberth.core.say.place import Altitude
from wideberth.core.say.volume import Shape, Volume4D, check_band
from wideberth.errors import BadInput

# A unit's area holds at all times, until it is given anew: from 1970 to the end of year 9999.
_ALWAYS: Final = (0, 253_402_300_799_000)


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`areas` are its shapes, between `lower` and `upper`; `pages` wake it up, and `supervisor_pages` its `supervisor`,
    who is called as well before a start."""

    name: str
    areas: tuple[Shape, ...]
    lower: Altitude
    upper: Altitude
    pages: tuple[str, ...] = ()
    supervisor: str = ""
    supervisor_pages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= NAME_CHARS_MAX or not self.name.isprintable():
            raise BadInput("a unit has a name", field="name")
        if not 1 <= len(self.areas) <= PRINTED_LIST_MAX:
            raise BadInput(f"{self.name} has 1 to {PRINTED_LIST_MAX} areas", field="areas")
        check_band(self.lower, self.upper)

    @property
    def volumes(self) -> tuple[Volume4D, ...]:
        """Its areas at all times."""
        return tuple(Volume4D(shape, self.lower, self.upper, *_ALWAYS) for shape in self.areas)
