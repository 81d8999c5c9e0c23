# SPDX-License-Identifier: Apache-2.0
"""Separation minima and the public presets of domain.md §1.4.

Two volumes conflict under minima (h, v, t) when they are closer than h horizontally *and* closer than v vertically
*and* closer than t in time. The *and* matters: an *or* between height and distance is the likeliest mistake of all.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.limits import NAME_CHARS_MAX
from wideberth.core.say import units
from wideberth.errors import BadInput


class SeparationMinima(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Least distances. `exposure_ms` is a limit on time inside both, for tracks (0: none)."""

    name: str
    horizontal_mm: int
    vertical_mm: int
    time_ms: int = 0
    exposure_ms: int = 0

    def __post_init__(self) -> None:
        if min(self.horizontal_mm, self.vertical_mm, self.time_ms, self.exposure_ms) < 0:
            raise BadInput("separation minima are not negative", field="minima")
        if not 0 < len(self.name) <= NAME_CHARS_MAX:
            raise BadInput("separation minima need a short name", field="minima")


RULE_OF_THREES: Final = SeparationMinima("RULE_OF_THREES", units.nautical_miles(3), units.feet(3000), 0, 180_000)
FAA_SUA: Final = SeparationMinima("FAA_SUA", units.nautical_miles(3), units.feet(500))
UTM_OVERLAP: Final = SeparationMinima("UTM_OVERLAP", 0, 0)

PRESETS: Final = {m.name: m for m in (RULE_OF_THREES, FAA_SUA, UTM_OVERLAP)}
