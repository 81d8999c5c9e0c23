# SPDX-License-Identifier: Apache-2.0
"""The numbers of an agreement: what both sides signed about how they warn each other.

Domain.md A3, B2, B4, C3, C5, C8, E3, E8, J2, J3, K2-K4, K7, Q3.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from wideberth.core.limits import HORIZON_MS_DEFAULT, NAME_CHARS_MAX, PRINTED_LIST_MAX
from wideberth.core.say.minima import RULE_OF_THREES, SeparationMinima
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Shape
from wideberth.core.say.words import FallbackKind, NoticeType, Onward
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


class WhoMoves(StrEnum):
    """How it is settled whose notice is asked to give way, tried in the agreed order (domain.md Q3 as amended)."""

    PRIORITY = "PRIORITY"
    FILED_FIRST = "FILED_FIRST"
    LOT = "LOT"


class Fallback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rung: of what kind, and how it is reached (a number, a frequency, an office)."""

    kind: FallbackKind
    how: str


class LeadFor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lead time of its own for one kind of notice."""

    type: NoticeType
    lead_ms: int


class NamedPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the agreement's own gazetteer. A name is never a location; it is checked against one."""

    name: str
    point: Point
    near_mm: int


# Every four hours (domain.md §8, B2), for whoever drafts.
CHECK_TIMES_MS: Final = tuple(hour * 3_600_000 for hour in range(0, 24, 4))
_DAY_MS: Final = 86_400_000


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Times in ms, lengths in mm. Defaults are those of domain.md §5 and §8, for whoever drafts: what is signed spells
    every number out, so that changing a default can never change what somebody signed.

    `area` is the whole area of the mechanism. `least_radius_mm` is the least declared area, as the radius of a circle
    (J3; 10 km for armed forces; 0 switches it off). Read-back tolerance: `readback_permille` of the area's diameter,
    never less than `readback_least_mm`; `readback_site_mm` for STATIC_SITE; `readback_time_ms` for times.

    A person answers a line check at each of `check_times_ms` (after midnight UTC, ascending), within `check_grace_ms`,
    and is asked once more `check_before_ms` before a notice becomes active (B2). `cap_km2_h` bounds, per notice, area
    times hours that count towards FILED_FIRST (Q3; 0: no bound). `suspend_notice_ms` is how long before it takes
    effect a suspension or an exit is given notice of (A5).

    A notice that says less than `least_complete_permille` is flagged (C5). For those to protect: a site or movement
    that is an emergency needs `emergency_lead_ms` only (K7); a site may stand for `site_horizon_ms` and is confirmed
    anew every `confirm_ms` (K3); a check-in is overdue `check_in_grace_ms` after its time (K4); a place that differs by
    more than `pin_mm` from what is known of it is asked about (K2).
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
    leads: tuple[LeadFor, ...] = ()
    check_times_ms: tuple[int, ...] = CHECK_TIMES_MS
    check_grace_ms: int = 1_200_000
    check_before_ms: int = 900_000
    fallback: tuple[Fallback, ...] = ()
    frequencies: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    who_moves: tuple[WhoMoves, ...] = (WhoMoves.PRIORITY, WhoMoves.FILED_FIRST, WhoMoves.LOT)
    cap_km2_h: int = 0
    suspend_notice_ms: int = 0
    review_ms: int = 31_536_000_000
    onward: Onward = Onward.MEMBERS
    least_complete_permille: int = 800
    emergency_lead_ms: int = 86_400_000
    site_horizon_ms: int = 31_622_400_000
    confirm_ms: int = 2_592_000_000
    check_in_grace_ms: int = 900_000
    pin_mm: int = 200_000

    def __post_init__(self) -> None:
        numbers = (
            self.lead_ms, self.horizon_ms, self.least_radius_mm, self.pressure_margin_mm, self.ack_urgent_ms,
            self.ack_priority_ms, self.ack_routine_ms, self.readback_ms, self.readback_permille,
            self.readback_least_mm, self.readback_site_mm, self.readback_time_ms, self.remind_before_ms,
            self.check_grace_ms, self.check_before_ms, self.cap_km2_h, self.suspend_notice_ms, self.review_ms,
            self.least_complete_permille, self.emergency_lead_ms, self.site_horizon_ms, self.confirm_ms,
            self.check_in_grace_ms, self.pin_mm, *(lead.lead_ms for lead in self.leads),
        )  # fmt: skip
        if min(numbers) < 0:
            raise BadInput("an agreement's numbers are not negative", field="rules")
        if self.least_complete_permille > 1_000:
            raise BadInput("a notice can say 100 % at most", field="least_complete_permille")
        times = self.check_times_ms
        if list(times) != sorted(set(times)) or not all(0 <= t < _DAY_MS for t in times):
            raise BadInput("line-check times are ms after midnight UTC, ascending, each once", field="check_times_ms")
        if len({lead.type for lead in self.leads}) != len(self.leads):
            raise BadInput("a kind of notice has one lead time", field="leads")
        if not self.languages or not self.who_moves or len(set(self.who_moves)) != len(self.who_moves):
            raise BadInput("an agreement names its languages, and who moves, each once", field="rules")
        lists = (self.gazetteer, self.not_covered, self.fallback, self.frequencies, self.vocabulary, self.languages,
                 self.check_times_ms)  # fmt: skip
        texts = (*self.not_covered, *self.frequencies, *self.vocabulary, *self.languages,
                 *(rung.how for rung in self.fallback), *(place.name for place in self.gazetteer))  # fmt: skip
        if max(map(len, lists)) > PRINTED_LIST_MAX or max(map(len, texts), default=0) > NAME_CHARS_MAX:
            raise BadInput(
                f"an agreement's lists have at most {PRINTED_LIST_MAX} lines of {NAME_CHARS_MAX} characters",
                field="rules",
            )

    def lead_for(self, type_: NoticeType) -> int:
        """The agreed lead time of a kind of notice, ms."""
        return next((lead.lead_ms for lead in self.leads if lead.type is type_), self.lead_ms)
