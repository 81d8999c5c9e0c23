# SPDX-License-Identifier: Apache-2.0
"""The predicate. Volumes a and b conflict under minima (h, v, t) if and only if all three hold:

    time        a.start < b.end + t  and  b.start < a.end + t        (windows are half-open)
    vertical    gap < v, or v = 0 and the bands overlap
    horizontal  distance < h, or h = 0 and the areas meet

Equality separates. Time and height are integers and exact. The horizontal distance has a stated error of about a
millimetre; within it the answer is *too close to call*, which everybody acts on as a conflict (design.md §5).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from wideberth.core.judge.horizontal import least_distance
from wideberth.core.judge.vertical import bands_apart, vertical_gap
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Volume4D


class Answer(StrEnum):
    """Three answers; the last is acted on as a conflict (design.md §5)."""

    SEPARATE = "separate"
    CONFLICT = "conflict"
    TOO_CLOSE_TO_CALL = "too_close_to_call"


class Verdict(msgspec.Struct, frozen=True):
    """What was found, and why.

    `horizontal_mm`: least distance between the areas, 0 when they meet; `None` when time or height already separates
    and it was not asked for. The true one is within `error_mm`. `vertical_mm`: least possible gap between the bands,
    negative where they may overlap; `widened_mm` of it stand for references that cannot be compared exactly.
    `time_overlap_ms`: negative by the gap when the windows do not overlap; `start_ms`…`end_ms` is that span.
    `here`, `there`: nearest points on the first and the second volume. `rule`: minima and clause.
    """

    answer: Answer
    rule: str
    horizontal_mm: int | None
    vertical_mm: int
    time_overlap_ms: int
    start_ms: int
    end_ms: int
    error_mm: int = 0
    widened_mm: int = 0
    here: Point | None = None
    there: Point | None = None

    @property
    def open(self) -> bool:
        """Whether this is to be acted on: a conflict, or too close to call."""
        return self.answer is not Answer.SEPARATE


def judge(
    a: Volume4D, b: Volume4D, minima: SeparationMinima, *, pressure_margin_mm: int = 610_000, measure: bool = False
) -> Verdict:
    """Weigh two volumes. With `measure` the horizontal distance is found even where time or height separates."""
    latest_start, earliest_end = max(a.start_ms, b.start_ms), min(a.end_ms, b.end_ms)
    gap = vertical_gap(a, b, pressure_margin_mm)
    clause = ""
    if not (a.start_ms < b.end_ms + minima.time_ms and b.start_ms < a.end_ms + minima.time_ms):
        clause = "time"
    elif bands_apart(a, b, gap, minima.vertical_mm):
        clause = "vertical"
    answer, here, there = Answer.SEPARATE, None, None
    horizontal_mm, error_mm = None, 0
    if measure or not clause:
        apart = least_distance(a.shape, b.shape)
        horizontal_mm, error_mm, here, there = apart.least_mm, apart.error_mm, apart.here, apart.there
        if not clause:
            answer = _weigh(apart.gap_m, apart.error_m, apart.meet, minima.horizontal_mm / 1000)
            clause = "horizontal" if answer is Answer.SEPARATE else "time, vertical and horizontal"
    return Verdict(
        answer, f"{minima.name}: {clause}", horizontal_mm, gap.mm, earliest_end - latest_start,
        min(latest_start, earliest_end), max(latest_start, earliest_end), error_mm, gap.widened_mm, here, there,
    )  # fmt: skip


def _weigh(gap_m: float, error_m: float, meet: bool, minimum_m: float) -> Answer:
    if meet or gap_m + error_m < minimum_m:
        return Answer.CONFLICT
    return Answer.SEPARATE if gap_m - error_m >= minimum_m else Answer.TOO_CLOSE_TO_CALL
