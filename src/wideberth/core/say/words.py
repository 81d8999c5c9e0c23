# SPDX-License-Identifier: Apache-2.0
"""Every kind of thing that can be said, as it is signed. These are receipts, warnings and reports; nothing here
asks for, gives or refuses permission (domain.md M2), and there is no field for a purpose (M1).

Each word is a frozen struct; its `kind` on the wire is also the `type` of the entry that carries it. Rules that need
more than the value itself (lead time, minimum area, horizon, what a version follows) are in `say/notice.py`.
`of` is always the hash of the entry that carries the exact version meant; `ref` is the notice's reference for people.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

import msgspec

from wideberth.core.limits import (
    AS_READ_CHARS_MAX,
    FRAME_BYTES_MAX,
    MEMBERS_MAX,
    NAME_CHARS_MAX,
    TEXT_CHARS_MAX,
    VOLUMES_PER_NOTICE_MAX,
)
from wideberth.core.say.base import Hazard as Hazard
from wideberth.core.say.base import Place as Place
from wideberth.core.say.base import Precedence as Precedence
from wideberth.core.say.base import WordBase, short
from wideberth.core.say.conflict import ConflictWord
from wideberth.core.say.place import Point
from wideberth.core.say.protect import STANDING, CareWord, Protected
from wideberth.core.say.standing import StandingWord
from wideberth.core.say.talk import HASH_CHARS, TalkWord
from wideberth.core.say.volume import Volume4D
from wideberth.errors import BadInput

# What every acknowledgement means, on every screen and export (domain.md E7).
RECEIPT_ONLY: Final = "This records receipt only."

# Domain.md A8 and its amendment in §8.
SCOPE: Final = (
    "Safety only: this mechanism exists to prevent accidents. It is not cooperation, not consent and not permission, "
    "and has no legal effect: none on sovereignty, on any state's claims, or on the rights of the state overflown. "
    "Parties outside the mechanism are not bound and not protected by it."
)


class NoticeType(StrEnum):
    """What kind of presence or activity a notice warns of (domain.md C1, names as amended in §8; G8)."""

    AREA_ACTIVITY = "AREA_ACTIVITY"
    TRANSIT = "TRANSIT"
    STATIC_SITE = "STATIC_SITE"
    MOVEMENT = "MOVEMENT"
    HAZARD = "HAZARD"
    EXERCISE = "EXERCISE"
    PRESENCE = "PRESENCE"
    CAUTION_AREA = "CAUTION_AREA"
    UNANNOUNCED_TRAFFIC = "UNANNOUNCED_TRAFFIC"
    ACCIDENT = "ACCIDENT"
    HOLD_OFF = "HOLD_OFF"
    DISTRESS = "DISTRESS"


class Priority(StrEnum):
    """For the agreement's who-moves rule (domain.md Q3); never a right of way by itself."""

    DISTRESS = "DISTRESS"
    MEDICAL = "MEDICAL"
    HUMANITARIAN = "HUMANITARIAN"
    ROUTINE = "ROUTINE"


# Those to protect (domain.md K1): filed so that they are spared, and looked after for as long as they stand.
CARED_FOR: Final = frozenset({NoticeType.STATIC_SITE, NoticeType.MOVEMENT})


class Scale(StrEnum):
    """How many move in it at once, roughly: what to look out for (domain.md C5). About things, never about people."""

    ONE = "ONE"
    FEW = "FEW"
    MANY = "MANY"


class Cause(StrEnum):
    """Why an activity may reach farther than its notice said. The list is short and closed."""

    OVERRUN = "OVERRUN"
    LOST_LINK = "LOST_LINK"
    LOST_NAVIGATION = "LOST_NAVIGATION"
    EMERGENCY = "EMERGENCY"


class FallbackKind(StrEnum):
    """What to try when the line is silent, in the agreed order (domain.md B4)."""

    ALTERNATE_LINK = "ALTERNATE_LINK"
    TELEPHONE = "TELEPHONE"
    GUARD_RADIO = "GUARD_RADIO"
    MEDIATOR = "MEDIATOR"
    ATTACHE = "ATTACHE"
    PUBLIC_NOTICE = "PUBLIC_NOTICE"


class Onward(StrEnum):
    """How far a copy may travel, printed on every copy (domain.md J2). A mark, not a lock: see the threat model."""

    MEMBERS = "MEMBERS"
    INQUIRY = "INQUIRY"
    PUBLIC = "PUBLIC"


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a notice says: where, when, what kind of danger, whom to call (domain.md C2).

    `covers` names the members of a coalition whose presence this notice is about (A6; empty: the speaker's own).
    `release` says how far a copy may travel, where that differs from the agreement (J2). `scale`: how many at once, as
    far as the sender says. `protected` is of sites and movements only (K1).
    """

    type: NoticeType
    hazard: Hazard
    contact: str
    volumes: tuple[Volume4D, ...]
    expires_ms: int
    precedence: Precedence = Precedence.ROUTINE
    priority: Priority = Priority.ROUTINE
    place_name: str = ""
    text: str = ""
    covers: tuple[str, ...] = ()
    release: Onward | None = None
    scale: Scale | None = None
    protected: Protected | None = None

    def __post_init__(self) -> None:
        if self.protected is not None and self.type not in CARED_FOR:
            raise BadInput("only a STATIC_SITE or a MOVEMENT says who is to be protected", field="protected")
        if len(self.covers) > MEMBERS_MAX:
            raise BadInput(f"a notice covers at most {MEMBERS_MAX} members of a coalition", field="covers")
        for name in self.covers:
            short(name, NAME_CHARS_MAX, "covered member")
        if not 1 <= len(self.volumes) <= VOLUMES_PER_NOTICE_MAX:
            raise BadInput(f"a notice has 1 to {VOLUMES_PER_NOTICE_MAX} volumes", field="volumes")
        if not self.contact.strip():
            raise BadInput("a notice needs a contact: how to reach your watch", field="contact")
        short(self.contact, NAME_CHARS_MAX, "contact")
        short(self.place_name, NAME_CHARS_MAX, "place name")
        short(self.text, TEXT_CHARS_MAX, "text")

    @property
    def urgency(self) -> Precedence:
        """How urgent it is to whoever hears it: a hold-off is FLASH, whatever its author wrote (domain.md G1)."""
        return Precedence.FLASH if self.type is NoticeType.HOLD_OFF else self.precedence

    @property
    def standing_text(self) -> str:
        """What stands on every humanitarian notice, view, print and export (K5); empty on others. No setting and no
        agreement takes it away."""
        return STANDING if self.type in CARED_FOR or self.priority is Priority.HUMANITARIAN else ""

    @property
    def starts_ms(self) -> int:
        return min(v.start_ms for v in self.volumes)

    @property
    def ends_ms(self) -> int:
        return max(v.end_ms for v in self.volumes)


class Notice(WordBase, frozen=True, tag="notice"):
    """Version 1 of a notice. `refines` is the hash of the ALERT that it makes precise, or empty."""

    ref: str
    terms: Terms
    refines: str = ""


class Amendment(WordBase, frozen=True, tag="amend"):
    ref: str
    of: str
    version: int
    terms: Terms


class Correction(WordBase, frozen=True, tag="correct"):
    """The earlier location or time was wrong: every earlier acknowledgement is void (domain.md C7)."""

    ref: str
    of: str
    version: int
    terms: Terms


class Extension(WordBase, frozen=True, tag="extend"):
    """Same volumes, later ends."""

    ref: str
    of: str
    version: int
    terms: Terms


class OffNominal(WordBase, frozen=True, tag="offnominal"):
    """The activity went off its nominal course: the notice may reach farther from now on, and never less (domain.md
    G7; `say/growth.py`). It voids nothing that was said of earlier versions."""

    ref: str
    of: str
    version: int
    cause: Cause
    terms: Terms


class Cancellation(WordBase, frozen=True, tag="cancel"):
    ref: str
    of: str
    version: int
    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")


class ActivityReport(WordBase, frozen=True, tag="report"):
    """Started, suspended, restored, or finished (possibly early): a report of its own (domain.md C18, G4).

    `why`: of a suspension, the hash of a version of the sighting (UNANNOUNCED_TRAFFIC) that it is because of, or empty.
    """

    ref: str
    of: str
    state: Literal["STARTED", "SUSPENDED", "RESTORED", "FINISHED"]
    at_ms: int
    why: str = ""

    def __post_init__(self) -> None:
        short(self.why, HASH_CHARS, "why")
        if self.why and self.state != "SUSPENDED":
            raise BadInput("only a suspension says because of which sighting", field="why")


class Acknowledgement(WordBase, frozen=True, tag="ack"):
    """A person has this exact version. This records receipt only."""

    ref: str
    of: str


class Insufficient(WordBase, frozen=True, tag="insufficient"):
    """Received, but not usable as given; names the fields (domain.md E4). The sender's clock keeps running."""

    ref: str
    of: str
    fields: tuple[str, ...]
    text: str = ""

    def __post_init__(self) -> None:
        if not self.fields:
            raise BadInput("say which fields are not usable", field="fields")
        for field in self.fields:
            short(field, NAME_CHARS_MAX, "field")
        short(self.text, TEXT_CHARS_MAX, "text")


class ReadBack(WordBase, frozen=True, tag="readback"):
    """Place and time repeated in the reader's own form. One point stands for the middle of the first volume."""

    ref: str
    of: str
    as_read: str
    point: Point
    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        short(self.as_read, AS_READ_CHARS_MAX, "read-back")


class Objection(WordBase, frozen=True, tag="objection"):
    """Disagreement, recorded. No legal effect, and none on the notice."""

    ref: str
    of: str
    text: str

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")


class Refusal(WordBase, frozen=True, tag="refused"):
    """The other side would not take it. Valid data, with or without a reason (domain.md B7)."""

    ref: str
    of: str
    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")


class RelayCount(WordBase, frozen=True, tag="relay"):
    """How many of the speaker's own units have it; which ones stays at home (domain.md E5 as amended)."""

    ref: str
    of: str
    relayed: int
    units: int

    def __post_init__(self) -> None:
        if not 0 <= self.relayed <= self.units <= 10_000:
            raise BadInput("relayed is at most the number of units", field="relayed")


class Alert(WordBase, frozen=True, tag="alert"):
    """Something is about to happen, place unknown (domain.md C17). Covers the whole area of the mechanism.

    `started_ms` is when the officer pressed the first key. `distress`: somebody needs help now; it passes in every
    state of line and agreement (G8).
    """

    started_ms: int
    text: str = ""
    distress: bool = False

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")


class NilReturn(WordBase, frozen=True, tag="nil"):
    """Nothing planned until then, as far as the speaker says now."""

    until_ms: int


class Outage(WordBase, frozen=True, tag="outage"):
    """The line will be down, as planned."""

    start_ms: int
    end_ms: int
    text: str = ""

    def __post_init__(self) -> None:
        if not self.start_ms < self.end_ms:
            raise BadInput("an outage must end after it starts", field="window")
        short(self.text, TEXT_CHARS_MAX, "text")


class VoiceContact(WordBase, frozen=True, tag="voice"):
    """What was said off this system, entered by the officer who was there (domain.md B8, B13). `of` may be empty.

    `party` is who was called (empty in a channel of two: the other), `frequency` a radio frequency or number as used,
    `rung` the rung of the fallback ladder that this was, if it was one (B4). `code_checked`: whoever answered gave the
    response code of the version `of` (E9; say/codes.py); it is still no acknowledgement that the other side signed.
    """

    of: str
    medium: str
    answer: str
    at_ms: int
    outcome: Literal["ANSWERED", "NO_ANSWER", "REFUSED"] = "ANSWERED"
    party: str = ""
    frequency: str = ""
    rung: FallbackKind | None = None
    code_checked: bool = False

    def __post_init__(self) -> None:
        if self.code_checked and not (self.of and self.outcome == "ANSWERED"):
            raise BadInput("a check code is of one notice, and somebody answered with it", field="code_checked")
        short(self.medium, NAME_CHARS_MAX, "medium")
        short(self.party, NAME_CHARS_MAX, "party")
        short(self.answer, TEXT_CHARS_MAX, "answer")
        short(self.frequency, NAME_CHARS_MAX, "frequency")


class NodeRemark(WordBase, frozen=True, tag="remark"):
    """A node's signed remark on an entry that it keeps but cannot use. No other effect."""

    of: str
    fault: Literal["UNREADABLE", "NOT_UNDERSTOOD"]
    text: str = ""


class EpochOpened(WordBase, frozen=True, tag="epoch"):
    """Entry 1 of every epoch: names its predecessor and each member's fence (`None`: unknown).

    `card` is the author's card as its root signed it, where a newer one holds from this very place on (a DSSE envelope;
    empty: what holds at the predecessor). So a node whose key was lost can be believed again.
    """

    reason: Literal["FOUNDING", "RESTORED", "REPAIRED"]
    predecessor: Place | None
    fences: dict[str, Place | None]
    card: str = ""

    def __post_init__(self) -> None:
        short(self.card, FRAME_BYTES_MAX // 2, "card")


Word = (
    Notice | Amendment | Correction | Extension | OffNominal | Cancellation | ActivityReport
    | Acknowledgement | Insufficient | ReadBack | Objection | Refusal | RelayCount
    | Alert | NilReturn | Outage | VoiceContact | NodeRemark | EpochOpened | StandingWord | TalkWord
    | CareWord | ConflictWord
)  # fmt: skip
NoticeVersion = Notice | Amendment | Correction | Extension | OffNominal
