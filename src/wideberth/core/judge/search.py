# SPDX-License-Identifier: Apache-2.0
"""Least value, and the times below a threshold, of a distance along a path: proved, never sampled.

A distance f(t) comes with two certificates: it is `speed`-Lipschitz, and f(t) + `bow` t^2 / 2 is convex. Between two
evaluated times a < b, w = b - a, with slopes f'a, f'b, therefore

    f >= (f(a) + f(b) - speed w) / 2                                                        Lipschitz
    f >= max of the two lines  f(a) + (f'a - bow w/2)(t - a),  f(b) + (f'b + bow w/2)(t - b)

The second holds because q(t) = bow (t - a)(t - b) / 2 is at most 0 between a and b and f + q is convex there. It is
quadratic in w, so bisection ends after a few dozen evaluations; a dip between two evaluations cannot be missed.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import NamedTuple


class Sample(NamedTuple):
    """The distance at a time: metres, and its slope in m/s; `None` where there is no slope (at 0, or not known)."""

    t: float
    metres: float
    slope: float | None


class Course(NamedTuple):
    """A distance over time, with its certificates: `speed` in m/s, `bow` in m/s^2 (`None`: only Lipschitz)."""

    at: Callable[[float], Sample]
    speed: float
    bow: float | None


class Least(NamedTuple):
    """The least metres found, when, and by how much the true least can be smaller."""

    metres: float
    t: float
    slack: float


def lower_bound(course: Course, a: Sample, b: Sample) -> float:
    """No value between `a` and `b` is below this."""
    w = b.t - a.t
    bound = (a.metres + b.metres - course.speed * w) / 2
    if course.bow is not None and a.slope is not None and b.slope is not None:
        down, up = a.slope - course.bow * w / 2, b.slope + course.bow * w / 2
        if down >= 0:
            tangents = a.metres
        elif up <= 0:
            tangents = b.metres
        else:  # where the two lines meet
            t = (b.metres - a.metres - up * w) / (down - up)
            tangents = a.metres + down * min(max(t, 0.0), w)
        bound = max(bound, tangents)
    return max(bound, 0.0)


# More than any course of a real plan needs; a search that is stopped says so by its slack.
EVALUATIONS_MAX = 20_000


def least(courses: list[Course], start: float, end: float, good_m: float = 0.001) -> Least:
    """The least over all courses on [start, end], to `good_m`, by best-first branch and bound."""
    best = Least(float("inf"), start, 0.0)
    ties = itertools.count()
    heap: list[tuple[float, int, Course, Sample, Sample]] = []

    def look(course: Course, t: float) -> Sample:
        nonlocal best
        sample = course.at(t)
        if sample.metres < best.metres:
            best = Least(sample.metres, t, 0.0)
        return sample

    def push(course: Course, a: Sample, b: Sample) -> None:
        heapq.heappush(heap, (lower_bound(course, a, b), next(ties), course, a, b))

    for course in courses:
        push(course, look(course, start), look(course, end))
    evaluations = 0
    while heap:
        bound, _, course, a, b = heapq.heappop(heap)
        if bound >= best.metres - good_m or evaluations >= EVALUATIONS_MAX or b.t - a.t < 1e-9:
            return Least(best.metres, best.t, max(0.0, best.metres - bound))
        evaluations += 1
        middle = look(course, _split(course, a, b))
        push(course, a, middle)
        push(course, middle, b)
    return best


def _split(course: Course, a: Sample, b: Sample) -> float:
    """Where the tangents meet, kept away from the ends; else the middle."""
    w = b.t - a.t
    if a.slope is not None and b.slope is not None and a.slope < 0 < b.slope:
        t = a.t + (b.metres - a.metres - b.slope * w) / (a.slope - b.slope)
        return min(max(t, a.t + 0.1 * w), b.t - 0.1 * w)
    return (a.t + b.t) / 2


def below(course: Course, start: float, end: float, threshold: float, fine_s: float = 0.0005) -> list[list[float]]:
    """Times in [start, end] at which the distance is under the threshold, as ascending intervals.

    Outward: what is undecided at `fine_s` counts as under. No time under the threshold is left out.
    """
    found: list[list[float]] = []

    def add(a: float, b: float) -> None:
        if found and a <= found[-1][1]:
            found[-1][1] = max(found[-1][1], b)
        else:
            found.append([a, b])

    stack = [(course.at(start), course.at(end))]
    while stack:
        a, b = stack.pop()
        w = b.t - a.t
        if min(a.metres, b.metres) >= threshold and lower_bound(course, a, b) >= threshold:
            continue
        if (a.metres + b.metres + course.speed * w) / 2 < threshold or w <= fine_s:
            add(a.t, b.t)
            continue
        middle = course.at((a.t + b.t) / 2)
        stack.append((middle, b))
        stack.append((a, middle))
    return found


def union(intervals: list[list[float]]) -> list[list[float]]:
    """The same times as ascending, separate intervals."""
    merged: list[list[float]] = []
    for a, b in sorted(intervals):
        if merged and a <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], b)
        else:
            merged.append([a, b])
    return merged
