# SPDX-License-Identifier: Apache-2.0
"""Those to protect: what a notice of a site or a movement says beside place and time, and words about it (domain.md K).

Whoever files one chooses who is told: the members of the line. Protection exists with or without it, and `STANDING`
stands on every copy, screen and paper; there is no setting that takes it away (K5). Nothing here counts people, and
nothing orders one site before another (D11, M5).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

from wideberth.core.limits import INTEGER_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX
from wideberth.core.say.base import WordBase, short
from wideberth.core.say.place import Point
from wideberth.errors import BadInput

# Domain.md K5: on every humanitarian notice, view, print and export.
STANDING: Final = (
    "Those named here are protected whether or not anybody is told of them. This is no request for permission; taking "
    "it back, or never giving it, changes nothing of that protection."
)

# A convoy of twenty has a list of its own; a page of contacts is nobody's contact.
VEHICLES_MAX: Final = 20
CONTACTS_MAX: Final = 4
WAYPOINTS_MAX: Final = 50
# A check-in more often than this is a track, and nobody reads it (domain.md J3).
CHECK_IN_MS_MIN: Final = 300_000
CHECK_IN_MS_MAX: Final = 86_400_000

_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Work(StrEnum):
    """What the site or the movement is, of a short closed list (the forms of the notification systems of OCHA, K1)."""

    HOSPITAL = "HOSPITAL"
    SHELTER = "SHELTER"
    SCHOOL = "SCHOOL"
    WAREHOUSE = "WAREHOUSE"
    OFFICE = "OFFICE"
    WATER_AND_POWER = "WATER_AND_POWER"
    STAFF = "STAFF"
    FOOD = "FOOD"
    NON_FOOD = "NON_FOOD"
    CARGO = "CARGO"
    MEDICAL = "MEDICAL"
    EVACUATION = "EVACUATION"
    MIGRANTS = "MIGRANTS"
    OTHER = "OTHER"


class Urgency(StrEnum):
    """Which lead time holds (K7): the agreed one, that of an emergency, or none."""

    ROUTINE = "ROUTINE"
    EMERGENCY = "EMERGENCY"
    IMMEDIATE = "IMMEDIATE"


class Waypoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a movement will be, and when it will check in from there."""

    point: Point
    at_ms: int
    name: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.at_ms <= INTEGER_MAX:
            raise BadInput("a waypoint has a time after 1970", field="waypoints")
        short(self.name, NAME_CHARS_MAX, "waypoint")


class Protected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who it is, how it is marked, whom to call, and how one will know that it goes well.

    `contacts` stand beside the notice's own. `photo` is the SHA-256 of a picture of the roof marking, 64 hex digits:
    the picture itself is never sent. `address` is the place in words, checked against the pin. `check_in_ms`: how often
    a movement checks in, where it does not at `waypoints`. `why_urgent` must be there unless it is ROUTINE.
    """

    organisation: str
    work: Work
    contacts: tuple[str, ...] = ()
    marking: str = ""
    vehicles: tuple[str, ...] = ()
    photo: str = ""
    address: str = ""
    check_in_ms: int = 0
    waypoints: tuple[Waypoint, ...] = ()
    urgency: Urgency = Urgency.ROUTINE
    why_urgent: str = ""

    def __post_init__(self) -> None:
        if not self.organisation.strip():
            raise BadInput("say whose site or movement it is", field="organisation")
        if self.urgency is not Urgency.ROUTINE and not self.why_urgent.strip():
            raise BadInput("an emergency says why it is one", field="why_urgent")
        if len(self.contacts) > CONTACTS_MAX or len(self.vehicles) > VEHICLES_MAX:
            most = f"at most {CONTACTS_MAX} contacts and {VEHICLES_MAX} vehicles"
            raise BadInput(f"{most}; for a longer convoy give several movements", field="vehicles")
        if self.photo and not _SHA256.fullmatch(self.photo):
            raise BadInput("a photo is named by its SHA-256: 64 hex digits", field="photo")
        if self.check_in_ms and not CHECK_IN_MS_MIN <= self.check_in_ms <= CHECK_IN_MS_MAX:
            raise BadInput("a movement checks in every 5 minutes to 24 hours", field="check_in")
        times = [waypoint.at_ms for waypoint in self.waypoints]
        if len(times) > WAYPOINTS_MAX or times != sorted(set(times)):
            raise BadInput(f"at most {WAYPOINTS_MAX} waypoints, each later than the one before", field="waypoints")
        for field, texts in (
            ("organisation", (self.organisation,)), ("marking", (self.marking,)), ("contacts", self.contacts),
            ("vehicles", self.vehicles), ("address", (self.address,)),
        ):  # fmt: skip
            for text in texts:
                short(text, NAME_CHARS_MAX, field)
        short(self.why_urgent, TEXT_CHARS_MAX, "why_urgent")


class Verification(WordBase, frozen=True, tag="verified"):
    """A second post of the same party went and looked: the place of this exact version, as it found it (K2)."""

    ref: str
    of: str
    point: Point
    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")


class Confirmation(WordBase, frozen=True, tag="confirm"):
    """The site of this version is still there and still what it was (K3)."""

    ref: str
    of: str
    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")


class CheckIn(WordBase, frozen=True, tag="checkin"):
    """The movement goes on: when it was heard of last, and where, if that is told (K4)."""

    ref: str
    of: str
    at_ms: int
    point: Point | None = None
    text: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.at_ms <= INTEGER_MAX:
            raise BadInput("a check-in has a time after 1970", field="at_ms")
        short(self.text, TEXT_CHARS_MAX, "text")


CareWord = Verification | Confirmation | CheckIn
