# SPDX-License-Identifier: Apache-2.0
"""Standing zones and lines, live tracks, and what own people are told of them: the values of `core/scene.py`.

They stand on the inner side: own people give them, nothing here is signed or sent, and no module of the record side may
name them (`tests/architecture/test_layers.py`). Lengths in mm, times in ms UTC.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from wideberth.core.judge.tracks import TrackState
from wideberth.core.judge.zones import Zone
from wideberth.core.limits import INTEGER_MAX, NAME_CHARS_MAX
from wideberth.core.say.minima import UTM_OVERLAP, SeparationMinima
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Volume4D
from wideberth.core.tells import Level
from wideberth.errors import BadInput

# An agreement has a handful of lines and zones, and a watch room cannot follow more tracks than this by sentences.
ZONES_MAX: Final = 256
TRACKS_MAX: Final = 512


class Standing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A zone or line of the agreement (`judge/zones.py`) as it stands in the picture: in which mode, and from
    `start_ms` until `end_ms`, for good unless said. `minima` are asked of what comes near; by default it is met when it
    is entered."""

    zone: Zone
    mode: Mode
    start_ms: int = 0
    end_ms: int = INTEGER_MAX
    minima: SeparationMinima = UTM_OVERLAP
    pressure_margin_mm: int = 610_000

    def __post_init__(self) -> None:
        if len(self.zone.name) > NAME_CHARS_MAX:
            raise BadInput(f"a zone's name has at most {NAME_CHARS_MAX} characters", field="name")
        if self.pressure_margin_mm < 0:
            raise BadInput("a pressure margin is not negative", field="pressure_margin_mm")
        if not 0 <= self.start_ms < self.end_ms <= INTEGER_MAX:
            raise BadInput("a zone must end after it starts", field="window")

    @property
    def volume(self) -> Volume4D:
        return Volume4D(self.zone.shape, self.zone.lower, self.zone.upper, self.start_ms, self.end_ms)


class ZoneGiven(msgspec.Struct, frozen=True, tag="zone"):
    """A new zone, or a new version of one with the same name."""

    standing: Standing


class ZoneDropped(msgspec.Struct, frozen=True, tag="drop-zone"):
    name: str


class TrackSeen(msgspec.Struct, frozen=True, tag="track"):
    """Where something is now, as own sensors or own people say. It replaces what was known of the same id."""

    mode: Mode
    state: TrackState


class TrackGone(msgspec.Struct, frozen=True, tag="drop-track"):
    """Own people took it off the picture: it landed, or was two names for one. Never said because of silence."""

    id: str


Change = Literal["APPEARED", "GREW", "EASED", "CHANGED", "NEARER", "UNKNOWN"]
Kind = Literal["PLAN", "NOTICE", "OWN_NOTICE", "ZONE", "TRACK", "OWN_TRACK"]


class Which(msgspec.Struct, frozen=True, order=True):
    """One of the two that meet; `name` is what people call it."""

    kind: Kind
    key: str
    name: str


class _Told(msgspec.Struct, frozen=True, tag_field="tell", omit_defaults=True):
    pass


class Met(_Told, frozen=True, tag="met"):
    """Two of the picture meet. `change` is against what was told of them before: APPEARED, GREW (worse in any number),
    EASED (better in some and worse in none), CHANGED, NEARER (by time alone: `before_ms` says which threshold before
    `start_ms` was crossed) or UNKNOWN (a track of it was not seen for long: where it is now nobody can say).

    `horizontal_mm` is the least distance between the areas, between two tracks that at the closest approach.
    """

    mode: Mode
    one: Which
    other: Which
    change: Change
    answer: str
    rule: str
    horizontal_mm: int
    vertical_mm: int
    start_ms: int
    end_ms: int
    inside_ms: int
    sentence: str
    before_ms: int = -1
    level: Level = Level.RING


class Parted(_Told, frozen=True, tag="parted"):
    """What was told of two no longer holds, and why: one moved, ended, or was taken away. It says nothing about what
    either does next."""

    mode: Mode
    one: Which
    other: Which
    sentence: str
    level: Level = Level.NOTE


SceneTell = Met | Parted
