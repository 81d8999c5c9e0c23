# SPDX-License-Identifier: Apache-2.0
"""What the node and its inner process say to each other: JSON, one line each way, over the child's standard streams.

to the child    {"id": 7, "now": {...}, "ask": {"ask": "plans"}}       id 0: nobody waits for an answer
from the child  {"id": 7, "answer": ...}  or  {"id": 7, "fault": {...}}  or  {"tell": {...}}
"""

from __future__ import annotations

from typing import Any

import msgspec

from wideberth.core.batch import Now
from wideberth.core.feed import Feed
from wideberth.core.say.plan import Plan
from wideberth.core.say.rings import Position, RingArea
from wideberth.core.tells import FaultSeen
from wideberth.core.warned import Warned


class _Ask(msgspec.Struct, frozen=True, tag_field="ask", forbid_unknown_fields=True, omit_defaults=True):
    pass


class Take(_Ask, frozen=True, tag="feed"):
    """What the record side heard; empty when only time went on."""

    feed: tuple[Feed, ...] = ()


class GivePlan(_Ask, frozen=True, tag="give-plan"):
    plan: Plan


class DropPlan(_Ask, frozen=True, tag="drop-plan"):
    id: str


class ListPlans(_Ask, frozen=True, tag="plans"):
    """Answered with a list of plans."""


class ListExposures(_Ask, frozen=True, tag="exposures"):
    """Answered with what holds now, as `Exposed` tells."""


class ListCrossings(_Ask, frozen=True, tag="crossings"):
    """Answered with every two notices that meet now, as `Crossed` tells."""


class KeepDraft(_Ask, frozen=True, tag="keep-draft"):
    """Unfinished input of an officer. An empty `id` makes one; answered with the id."""

    draft: dict[str, Any]
    id: str = ""


class ListDrafts(_Ask, frozen=True, tag="drafts"):
    """Answered with `[{"id", "draft"}]`."""


class DropDraft(_Ask, frozen=True, tag="drop-draft"):
    id: str


class GiveRings(_Ask, frozen=True, tag="give-rings"):
    area: RingArea


class DropRings(_Ask, frozen=True, tag="drop-rings"):
    id: str


class ReportPosition(_Ask, frozen=True, tag="position"):
    """Answered with where it stands to the rings now; with nothing when it is gone."""

    id: str
    position: Position
    gone: bool = False


class ListRings(_Ask, frozen=True, tag="rings"):
    """Answered with every incident and the aircraft reported round it."""


RingAsk = GiveRings | DropRings | ReportPosition | ListRings
Ask = (
    RingAsk
    | Take
    | GivePlan
    | DropPlan
    | ListPlans
    | ListExposures
    | ListCrossings
    | KeepDraft
    | ListDrafts
    | DropDraft
)


class Request(msgspec.Struct, frozen=True):
    id: int
    now: Now
    ask: Ask


class FaultText(msgspec.Struct, frozen=True):
    fault: str
    sentence: str
    details: dict[str, Any]


class Response(msgspec.Struct, frozen=True, omit_defaults=True):
    id: int = 0
    answer: Any = None
    fault: FaultText | None = None
    tell: Warned | FaultSeen | None = None
