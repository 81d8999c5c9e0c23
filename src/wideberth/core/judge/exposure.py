# SPDX-License-Identifier: Apache-2.0
"""An own plan against the volumes of a notice: how near, when, and for how long inside the minima (domain.md D6).

Inside means all three at once, as everywhere: in the notice's window (grown by t), in its band (grown by v, strictly)
and nearer to its area than h (or in it, with h = 0). Intervals are rounded outward to whole milliseconds.

`core_mm` is the distance to a circle's *centre* or a corridor's centre line (a polygon's area): that is how people
speak of a circle ("9.8 km from the point"); `horizontal_mm` is the distance to the area, 0 inside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from wideberth.core.judge.horizontal import ERROR_M
from wideberth.core.judge.outline import Outline, inside, outline
from wideberth.core.judge.path import Path
from wideberth.core.judge.search import below, least, union
from wideberth.core.judge.separation import Answer, judge
from wideberth.core.judge.vertical import difference_mm, ends_in_order, gap_between, same_scale
from wideberth.core.say.geodesy import point_at
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Track, Volume4D

# Nearest distances along a track are found to this (search.least), on top of the geometry's own millimetre.
TRACK_ERROR_M: Final = 0.002 + ERROR_M

Plan4D = Track | tuple[Volume4D, ...]


class Exposure(msgspec.Struct, frozen=True):
    """How an own plan lies to a notice. Lengths in mm, times in ms UTC.

    `volume` is the index of the notice's volume that comes nearest; `own` that of the own volume (-1 for a track).
    `answer` is SEPARATE when `inside` is empty. `breaches_limit`: inside for longer than the minima's exposure limit.
    `closest_at_ms` is `None` when plan and notice never share a moment.
    """

    answer: Answer
    rule: str
    volume: int
    own: int
    horizontal_mm: int | None
    core_mm: int | None
    vertical_mm: int
    error_mm: int
    closest_at_ms: int | None
    closest: Point | None
    inside: tuple[tuple[int, int], ...]
    inside_ms: int
    breaches_limit: bool

    @property
    def open(self) -> bool:
        return self.answer is not Answer.SEPARATE


def expose(
    plan: Plan4D, volumes: Sequence[Volume4D], minima: SeparationMinima, *, pressure_margin_mm: int = 610_000
) -> Exposure:
    """Weigh an own plan, a track or volumes, against the volumes of one notice; the nearest meeting is reported."""
    found: list[_Meeting] = []
    if isinstance(plan, Track):
        for start, end in pairwise(plan.legs):
            path = Path(start, end)
            for number, volume in enumerate(volumes):
                meeting = _leg(path, number, volume, minima, pressure_margin_mm)
                if meeting is not None:
                    found.append(meeting)
    else:
        for own, mine in enumerate(plan):
            for number, volume in enumerate(volumes):
                found.append(_pair(own, mine, number, volume, minima, pressure_margin_mm))
    return _told(found, minima)


class _Meeting(msgspec.Struct, frozen=True):
    """One leg or own volume against one volume. `near` orders them: what holds in height too comes first."""

    answer: Answer
    clause: str
    volume: int
    own: int
    gap_m: float
    core_m: float
    vertical_mm: int
    error_m: float
    at_ms: float
    place: Point | None
    inside: tuple[tuple[float, float], ...] = ()

    @property
    def near(self) -> tuple[int, float, float, float]:
        order = (Answer.CONFLICT, Answer.TOO_CLOSE_TO_CALL, Answer.SEPARATE).index(self.answer)
        return order, max(self.gap_m, 0.0), self.core_m, self.at_ms


def _told(found: list[_Meeting], minima: SeparationMinima) -> Exposure:
    if not found:
        return Exposure(
            Answer.SEPARATE, f"{minima.name}: time", -1, -1, None, None, 0, 0, None, None, (), 0, breaches_limit=False
        )  # fmt: skip
    nearest = min(found, key=lambda meeting: meeting.near)
    times = union([list(span) for meeting in found for span in meeting.inside])
    spans = tuple((math.floor(a), math.ceil(b)) for a, b in times)
    total = sum(b - a for a, b in spans)
    known = math.isfinite(nearest.gap_m)
    return Exposure(
        nearest.answer,
        f"{minima.name}: {nearest.clause}",
        nearest.volume,
        nearest.own,
        max(0, round(nearest.gap_m * 1000)) if known else None,
        round(nearest.core_m * 1000) if known else None,
        nearest.vertical_mm,
        math.ceil(nearest.error_m * 1000) + 1,
        round(nearest.at_ms),
        nearest.place,
        spans,
        total,
        breaches_limit=0 < minima.exposure_ms < total,
    )


def _pair(
    own: int, mine: Volume4D, number: int, volume: Volume4D, minima: SeparationMinima, margin_mm: int
) -> _Meeting:
    verdict = judge(mine, volume, minima, pressure_margin_mm=margin_mm)
    gap_m = math.inf if verdict.horizontal_mm is None else verdict.horizontal_mm / 1000
    spans: tuple[tuple[float, float], ...] = ()
    if verdict.open:
        start, end = (
            max(mine.start_ms, volume.start_ms - minima.time_ms),
            min(mine.end_ms, volume.end_ms + minima.time_ms),
        )
        spans = ((start, end),)
    clause = verdict.rule.removeprefix(f"{minima.name}: ")
    return _Meeting(
        verdict.answer, clause, number, own, gap_m, gap_m, verdict.vertical_mm, verdict.error_mm / 1000,
        verdict.start_ms, verdict.here, spans,
    )  # fmt: skip


def _leg(path: Path, number: int, volume: Volume4D, minima: SeparationMinima, margin_mm: int) -> _Meeting | None:
    """One leg against one volume; `None` when they share no moment."""
    origin = path.start.t_ms
    start = max(0.0, (volume.start_ms - minima.time_ms - origin) / 1000)
    end = min(path.seconds, (volume.end_ms + minima.time_ms - origin) / 1000)
    if start >= end:  # half-open, both
        return None
    shape = outline(volume.shape)
    height = _in_height(path, volume, minima, margin_mm, start, end)
    low, high = height if height is not None else (start, end)
    courses, exact = path.courses(shape)
    held = shape.filled and exact and inside(path.place(low), shape.edges)
    nearest = least(courses, low, high)
    core_m, at = (0.0, low) if held else (nearest.metres, nearest.t)
    gap_m = core_m - shape.reach
    error_m = TRACK_ERROR_M + nearest.slack
    spans: list[list[float]] = []
    deep = False
    limit = shape.reach + minima.horizontal_mm / 1000
    if height is not None and (held or core_m < limit + error_m):
        spans, deep = _under(path, shape, low, high, limit + error_m, exact=exact)
    answer, clause = Answer.SEPARATE, "vertical" if height is None else "horizontal"
    if spans:
        sure = exact and (deep or core_m + error_m < limit)
        answer = Answer.CONFLICT if sure else Answer.TOO_CLOSE_TO_CALL
        clause = "time, vertical and horizontal"
    lng, lat = path.place(at)
    return _Meeting(
        answer, clause, number, -1, gap_m, core_m, _gap_at(path, volume, at, margin_mm), error_m,
        origin + at * 1000, point_at(lat, lng), tuple((origin + a * 1000, origin + b * 1000) for a, b in spans),
    )  # fmt: skip


def _under(
    path: Path, shape: Outline, low: float, high: float, threshold: float, *, exact: bool
) -> tuple[list[list[float]], bool]:
    """When the leg is nearer to the spine than the threshold, and whether it is deep inside a ring at any time.

    Between the times near a ring's edges the leg is wholly inside the ring or wholly outside: one look decides.
    """
    courses, _ = path.courses(shape)
    spans = union([span for course in courses for span in below(course, low, high, threshold)])
    if not (shape.filled and exact):
        return spans, False
    starts, ends = [low, *(b for _, b in spans)], [*(a for a, _ in spans), high]
    gaps = [[a, b] for a, b in zip(starts, ends, strict=True) if a < b]
    held = [gap for gap in gaps if inside(path.place((gap[0] + gap[1]) / 2), shape.edges)]
    return union(spans + held), bool(held)


def _in_height(
    path: Path, volume: Volume4D, minima: SeparationMinima, margin_mm: int, start: float, end: float
) -> tuple[float, float] | None:
    """The part of [start, end] in which the leg's height is inside the band grown by v; outward by half a millisecond.

    Height changes evenly along a leg whose ends wear the same reference. With two references the leg is everywhere
    taken as the whole band between them. A climb that only just reaches the grown band stays outside (equality
    separates), unless v = 0: then a level on the edge of a block is in it, as in `bands_apart`.
    """
    a, b = path.start.altitude, path.end.altitude
    v = minima.vertical_mm
    low_end, high_end = ends_in_order(volume, margin_mm)
    if not same_scale(a, b):
        gap = gap_between((a, b), (a, b), (low_end,), (high_end,), margin_mm).mm
        return (start, end) if gap < v or (v == 0 and gap <= 0) else None
    # The least rise above the top is h - top, below the floor floor - h, for heights h on the leg's own scale.
    zero = Altitude(0, a.ref)
    top = v - difference_mm(zero, high_end, margin_mm)[0]
    floor = difference_mm(low_end, zero, margin_mm)[0] - v
    lowest, highest = min(a.mm, b.mm), max(a.mm, b.mm)
    if (highest <= floor or lowest >= top) if v else (highest < floor or lowest > top):
        return None
    if a.mm == b.mm:
        return start, end
    rise = (b.mm - a.mm) / path.seconds
    first, last = sorted(((floor - a.mm) / rise, (top - a.mm) / rise))
    low, high = max(start, first - 0.0005), min(end, last + 0.0005)
    return (low, high) if low < high else None


def _gap_at(path: Path, volume: Volume4D, t: float, margin_mm: int) -> int:
    a, b = path.start.altitude, path.end.altitude
    low_end, high_end = ends_in_order(volume, margin_mm)
    if a == b or not same_scale(a, b):
        return gap_between((a, b), (a, b), (low_end,), (high_end,), margin_mm).mm
    ref = VerticalRef.AGL if a.ref is VerticalRef.SFC else a.ref
    here = Altitude(round(a.mm + (b.mm - a.mm) * t / path.seconds), ref)
    return gap_between((here,), (here,), (low_end,), (high_end,), margin_mm).mm


def place_at(track: Track, t_ms: int) -> Point | None:
    """Where the track is at a time, or `None` before and after it."""
    for start, end in pairwise(track.legs):
        if start.t_ms <= t_ms <= end.t_ms:
            lng, lat = Path(start, end).place((t_ms - start.t_ms) / 1000)
            return point_at(lat, lng)
    return None
