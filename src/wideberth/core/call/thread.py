# SPDX-License-Identifier: Apache-2.0
"""One notice, or one ALERT, with its versions, and what everybody did with each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from wideberth.core.call.activity import Activity
from wideberth.core.call.ladders import LIFE, LIVES, Life, Turn, walk
from wideberth.core.limits import ALERT_LIVES_MS
from wideberth.core.say.base import Place
from wideberth.core.say.words import NoticeType, Precedence, Terms

if TYPE_CHECKING:
    from wideberth.core.call.care import Told

LADDER: Final = ("SENT", "DELIVERED", "SEEN", "ACKNOWLEDGED", "READ_BACK", "RELAYED")


class Step(msgspec.Struct, frozen=True):
    """One rung, by one member, for one version. `t_ms` is the claim of whoever signed; `at_ms` our clock; `agr` the
    version of the agreement that a person answered under (empty for what a machine signed)."""

    step: str
    member: str
    by: str
    t_ms: int
    at_ms: int
    entry: str
    facts: dict[str, Any]
    agr: str = ""


class Version(msgspec.Struct, frozen=True):
    """One version as given. `t_ms` is its author's claim, `stored_ms` our clock when it was stored, `seq` its place;
    `agr` names the version of the agreement that it was given under, `seen` what its author held of the others."""

    number: int
    kind: str
    entry: str
    by: str
    epoch: str
    seq: int
    t_ms: int
    stored_ms: int
    terms: Terms | None
    text: str = ""
    agr: str = ""
    seen: dict[str, Place] = {}


class Thread:
    """One notice, or one ALERT, from first word to last."""

    def __init__(self, ch: str, author: str, ref: str, kind: str) -> None:
        self.ch = ch
        self.author = author
        self.ref = ref
        self.kind = kind
        self.versions: list[Version] = []
        self.steps: list[Step] = []
        self.activity = Activity()
        self.cancelled: Version | None = None
        # What was said of a site or movement beside its versions (core/call/care.py).
        self.told: list[Told] = []
        self.refines = ""
        self.refined_by = ""
        self.alert_of_distress = False

    @property
    def distress(self) -> bool:
        """Somebody needs help now: it passes in every state of line and agreement (domain.md G8)."""
        terms = self.terms
        return self.alert_of_distress or (terms is not None and terms.type is NoticeType.DISTRESS)

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    @property
    def terms(self) -> Terms | None:
        """Of the newest version that has any (a cancellation has none, an ALERT never)."""
        return next((v.terms for v in reversed(self.versions) if v.terms is not None), None)

    @property
    def finished_ms(self) -> int | None:
        """A report covers the version that it names. An author that was restored may have forgotten the report, and
        given a newer version beside it: that one goes on, for nobody has said that it is over."""
        return self.activity.finished.get(self.newest.entry)

    def version(self, entry: str) -> Version | None:
        return next((v for v in self.versions if v.entry == entry), None)

    def steps_of(self, entry: str, member: str | None = None) -> list[Step]:
        """The rungs reached for one exact version."""
        return [
            s for s in self.steps if s.facts.get("of") == entry and (member is None or s.member == member)
        ]  # fmt: skip

    def has(self, entry: str, member: str, step: str) -> bool:
        return any(s.step == step for s in self.steps_of(entry, member))

    def life(self, at_ms: int) -> Life:
        """CANCELLED, FINISHED, REFINED, EXPIRED, ACTIVE or PLANNED at a time; for an ALERT: OPEN until refined."""
        terms, turns = self.terms, []
        if terms is not None and any(v.start_ms <= at_ms < v.end_ms for v in terms.volumes):
            turns.append(Turn.BEGINS)
        if at_ms >= self.over_ms:
            turns.append(Turn.ENDS)
        if self.refined_by:
            turns.append(Turn.REFINED)
        if (finished_ms := self.finished_ms) is not None and finished_ms <= at_ms:
            turns.append(Turn.FINISHED)
        if self.cancelled is not None:
            turns.append(Turn.CANCELLED)
        return walk(LIFE, Life.OPEN if terms is None else Life.PLANNED, turns)

    @property
    def over_ms(self) -> int:
        """When it is over by itself, by the newest version: milliseconds UTC."""
        terms = self.terms
        return self.newest.t_ms + ALERT_LIVES_MS if terms is None else min(terms.expires_ms, terms.ends_ms)

    def live(self, at_ms: int) -> bool:
        return self.life(at_ms) in LIVES

    @property
    def precedence(self) -> Precedence:
        terms = self.terms
        return terms.urgency if terms is not None else Precedence.FLASH
