# SPDX-License-Identifier: Apache-2.0
"""Own plans: what our side means to do, as volumes or as a timed track. They never leave the inner side.

A plan wears a mode, so that an exercise never rings for real (domain.md B12), and belongs to no channel: every notice
of that mode is weighed against it. `PlanRecord` and `DraftRecord` are what the plans' own store keeps.
"""

from __future__ import annotations

import msgspec

from wideberth.core.limits import NAME_CHARS_MAX, VOLUMES_PER_NOTICE_MAX
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Track, Volume4D
from wideberth.errors import BadInput


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`id` is our own name for it, `label` what a person reads. Either `volumes` or a `track`, never both."""

    id: str
    label: str
    mode: Mode
    volumes: tuple[Volume4D, ...] = ()
    track: Track | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.id) <= NAME_CHARS_MAX or not 0 < len(self.label) <= NAME_CHARS_MAX:
            raise BadInput(f"a plan needs an id and a label of 1 to {NAME_CHARS_MAX} characters", field="plan")
        if (self.track is None) == (not self.volumes):
            raise BadInput("a plan is either volumes or a track: give one of them", field="plan")
        if len(self.volumes) > VOLUMES_PER_NOTICE_MAX:
            raise BadInput(f"a plan has at most {VOLUMES_PER_NOTICE_MAX} volumes; split it", field="volumes")

    @property
    def shape(self) -> Track | tuple[Volume4D, ...]:
        return self.volumes if self.track is None else self.track

    @property
    def starts_ms(self) -> int:
        return self.track.legs[0].t_ms if self.track is not None else min(v.start_ms for v in self.volumes)

    @property
    def ends_ms(self) -> int:
        return self.track.legs[-1].t_ms if self.track is not None else max(v.end_ms for v in self.volumes)


class PlanRecord(msgspec.Struct, frozen=True):
    """A plan as it is kept. `plan` is JSON of `Plan`; empty bytes: the plan with this id was dropped."""

    id: str
    plan: bytes

    @classmethod
    def of(cls, plan: Plan) -> PlanRecord:
        return cls(plan.id, msgspec.json.encode(plan))

    def read(self) -> Plan | None:
        """The plan, or `None` when it was dropped. Raises BadInput when the bytes are not a plan."""
        if not self.plan:
            return None
        try:
            return msgspec.json.decode(self.plan, type=Plan)
        except (msgspec.DecodeError, UnicodeDecodeError) as why:
            raise BadInput(f"the kept plan {self.id!r} cannot be read ({why}); give it again", field="plan") from None


class DraftRecord(msgspec.Struct, frozen=True):
    """A notice that is not said yet: unfinished input of an officer, as JSON. Empty bytes: given up or said."""

    id: str
    json: bytes
