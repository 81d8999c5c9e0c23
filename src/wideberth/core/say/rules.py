# SPDX-License-Identifier: Apache-2.0
"""The numbers of an agreement: what both sides signed about how they warn each other.

Domain.md A3, C3, C8, E3, E8, J3.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from wideberth.core.limits import HORIZON_MS_DEFAULT
from wideberth.core.say.minima import RULE_OF_THREES, SeparationMinima
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Shape
from wideberth.errors import BadInput


class Mode(StrEnum):
    """Real, and the three that are not. A channel has exactly one; nothing crosses (domain.md B12)."""

    REAL = "REAL"
    EXERCISE = "EXERCISE"
    TEST = "TEST"
    SIMULATED = "SIMULATED"


class Purpose(StrEnum):
    """What a channel is for. Purposes are not mixed on one line (domain.md B1)."""

    FLIGHT_SAFETY = "FLIGHT_SAFETY"
    GROUND = "GROUND"
    SEA = "SEA"
    HUMANITARIAN = "HUMANITARIAN"
    WORKING_GROUP = "WORKING_GROUP"


class NamedPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the agreement's own gazetteer. A name is never a location; it is checked against one."""

    name: str
    point: Point
    near_mm: int


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Times in ms, lengths in mm. Defaults are those of domain.md §5 and §8, for whoever drafts: what is signed spells
    every number out, so that changing a default can never change what somebody signed.

    `area` is the whole area of the mechanism. `least_radius_mm` is the least declared area, as the radius of a circle
    (J3; 10 km for armed forces; 0 switches it off). Read-back tolerance: `readback_permille` of the area's diameter,
    never less than `readback_least_mm`; `readback_site_mm` for STATIC_SITE; `readback_time_ms` for times.
    """

    area: Shape
    minima: SeparationMinima = RULE_OF_THREES
    lead_ms: int = 600_000
    horizon_ms: int = HORIZON_MS_DEFAULT
    least_radius_mm: int = 10_000_000
    pressure_margin_mm: int = 610_000
    ack_urgent_ms: int = 120_000
    ack_priority_ms: int = 600_000
    ack_routine_ms: int = 3_600_000
    readback_ms: int = 300_000
    readback_permille: int = 100
    readback_least_mm: int = 500_000
    readback_site_mm: int = 100_000
    readback_time_ms: int = 60_000
    remind_before_ms: int = 900_000
    gazetteer: tuple[NamedPlace, ...] = ()
    not_covered: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        numbers = (
            self.lead_ms, self.horizon_ms, self.least_radius_mm, self.pressure_margin_mm, self.ack_urgent_ms,
            self.ack_priority_ms, self.ack_routine_ms, self.readback_ms, self.readback_permille,
            self.readback_least_mm, self.readback_site_mm, self.readback_time_ms, self.remind_before_ms,
        )  # fmt: skip
        if min(numbers) < 0:
            raise BadInput("an agreement's numbers are not negative", field="rules")
