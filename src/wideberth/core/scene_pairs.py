# SPDX-License-Identifier: Apache-2.0
"""One pair of the live picture, weighed, compared with what was told of it before, and put into words (`scene.py`)."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from wideberth.core.judge.explain import apart_in_height, distance, rule, span
from wideberth.core.judge.exposure import Plan4D, expose
from wideberth.core.judge.outline import xyz
from wideberth.core.judge.separation import Answer
from wideberth.core.judge.tracks import Approach, TrackState
from wideberth.core.nearing import BEFORE_MS
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import ALTITUDE_MM_MAX, ALTITUDE_MM_MIN, Altitude, VerticalRef
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import LENGTH_MM_MAX, Circle, Volume4D
from wideberth.core.scene_words import Change, Met, Parted, Which
from wideberth.core.tells import Level

# Two minutes to turn, one to say so, half of one to act; and when it begins.
TRACK_BEFORE_MS: Final = (120_000, 60_000, 30_000, 0)

Pair = tuple[Which, Which]

_SURER: Final = (Answer.CONFLICT.value, Answer.TOO_CLOSE_TO_CALL.value)
_TRACKS: Final = ("TRACK", "OWN_TRACK")
_NOTICES: Final = ("NOTICE", "OWN_NOTICE")


class Bound(msgspec.Struct, frozen=True):
    """A zone or a notice: what something else may come into, under its own minima."""

    which: Which
    mode: Mode
    volumes: tuple[Volume4D, ...]
    minima: SeparationMinima
    margin_mm: int
    until_ms: int


class Mover(msgspec.Struct, frozen=True):
    """A plan or a notice, to be held against zones. `volumes` are for an index; `shape` is what is weighed."""

    which: Which
    mode: Mode
    shape: Plan4D
    volumes: tuple[Volume4D, ...]


class Numbers(msgspec.Struct, frozen=True):
    """What was found of a pair that meets; as in `Met`."""

    answer: str
    rule: str
    horizontal_mm: int
    vertical_mm: int
    start_ms: int
    end_ms: int
    inside_ms: int
    sentence: str


def held(which: Which, shape: Plan4D, bound: Bound) -> Numbers | None:
    """A plan, a notice or the spot of a track against a zone or a notice. None: they keep apart."""
    found = expose(shape, bound.volumes, bound.minima, pressure_margin_mm=bound.margin_mm)
    if not found.open:
        return None
    start_ms, end_ms, horizontal_mm = found.inside[0][0], found.inside[-1][1], found.horizontal_mm or 0
    near = "in its area" if horizontal_mm == 0 else f"{distance(horizontal_mm)} from its area"
    said = (
        f"{_first(which)} {_OPENING[found.answer]} {bound.which.name} under {rule(bound.minima)}: {near}; "
        f"{apart_in_height(found.vertical_mm)}"
    )
    if which.kind not in _TRACKS:
        said += f"; {span(start_ms, end_ms)}"
    return Numbers(
        found.answer.value, found.rule, horizontal_mm, found.vertical_mm, start_ms, end_ms, found.inside_ms, f"{said}."
    )


_OPENING: Final = {Answer.CONFLICT: "meets", Answer.TOO_CLOSE_TO_CALL: "is too close to call with"}


def of_approach(pair: Pair, found: Approach, minima: SeparationMinima) -> Numbers:
    """Two tracks that come inside the minima."""
    start_ms, end_ms = found.inside[0][0], found.inside[-1][1]
    limit = ", longer than the limit" if found.breaches_limit else ""
    said = (
        f"{_first(pair[0])} and {pair[1].name} come inside {rule(minima)} if both go on as last seen: "
        f"{span(start_ms, end_ms)}{limit}; {distance(found.horizontal_mm)} apart on the ground at the nearest; "
        f"{apart_in_height(found.vertical_mm)} then."
    )
    return Numbers(
        found.answer.value, minima.name, found.horizontal_mm, found.vertical_mm, start_ms, end_ms, found.inside_ms, said
    )


def _first(which: Which) -> str:
    return which.name[0].upper() + which.name[1:]


def spot(state: TrackState, now_ms: int) -> Volume4D:
    """Where a track is now as far as it was seen: the circle and the heights of its errors, grown since then by what is
    not known of its velocity. It is not run on: others' tracks are not predicted (domain.md D7)."""
    age_ms = abs(now_ms - state.t_ms)
    across = state.position_error_mm + -(-state.velocity_error_mmps * age_ms // 1000)
    up = state.height_error_mm + -(-state.climb_error_mmps * age_ms // 1000)
    ref = VerticalRef.AGL if state.altitude.ref is VerticalRef.SFC else state.altitude.ref
    low = Altitude(max(ALTITUDE_MM_MIN, state.altitude.mm - up), ref)
    high = Altitude(min(ALTITUDE_MM_MAX, state.altitude.mm + up), ref)
    return Volume4D(Circle(state.point, min(LENGTH_MM_MAX, max(1, across))), low, high, now_ms, now_ms + 1)


def too_far(a: TrackState, b: TrackState, minima: SeparationMinima, now_ms: int, look_ahead_ms: int) -> bool:
    """Whether two tracks surely stay apart on the ground until the end of the look-ahead: a chord is never longer than
    the way on the surface, and neither gets farther than its greatest speed takes it."""
    reach_mm = minima.horizontal_mm + 1000
    for state in (a, b):
        lasts_ms = abs(now_ms - state.t_ms) + look_ahead_ms
        reach_mm += state.position_error_mm
        reach_mm += math.ceil((state.speed_mps * 1000 + state.velocity_error_mmps) * lasts_ms / 1000)
    return math.dist(xyz(a.point), xyz(b.point)) * 1000 > reach_mm


def before_ms(pair: Pair) -> tuple[int, ...]:
    """The thresholds of a pair: how long before it begins own people are told again."""
    return TRACK_BEFORE_MS if tracked(pair) else BEFORE_MS


def tracked(pair: Pair) -> bool:
    return pair[0].kind in _TRACKS or pair[1].kind in _TRACKS


def rings(pair: Pair) -> bool:
    """Whether an officer is called. A notice in a standing zone is only noted: its author means to be there."""
    return pair[0].kind not in _NOTICES


def change(before: Numbers, now: Numbers) -> tuple[Change, bool]:
    """How it changed, and whether the answer became surer. Worse in anything is GREW: an officer who looked at the old
    numbers must look again."""
    pairs = (
        (_SURER.index(now.answer), _SURER.index(before.answer)),
        (now.horizontal_mm, before.horizontal_mm),
        (now.vertical_mm, before.vertical_mm),
        (now.start_ms, before.start_ms),
        (-now.inside_ms, -before.inside_ms),
    )
    surer = pairs[0][0] < pairs[0][1]
    if any(one < two for one, two in pairs):
        return "GREW", surer
    return ("EASED" if any(one > two for one, two in pairs) else "CHANGED"), surer


def met(
    pair: Pair, mode: Mode, numbers: Numbers, what: Change, level: Level, *, nearer_ms: int = -1, sentence: str = ""
) -> Met:
    """What is told of a pair."""
    return Met(
        mode, *pair, what, numbers.answer, numbers.rule, numbers.horizontal_mm, numbers.vertical_mm,
        numbers.start_ms, numbers.end_ms, numbers.inside_ms, sentence or numbers.sentence, nearer_ms, level,
    )  # fmt: skip


def parted(pair: Pair, mode: Mode, why: str) -> Parted:
    return Parted(mode, *pair, f"{_first(pair[0])} and {pair[1].name} no longer meet: {why}.")
