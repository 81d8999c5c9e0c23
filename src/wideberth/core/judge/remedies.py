# SPDX-License-Identifier: Apache-2.0
"""The smallest changes of one notice or plan that keep it apart from others (domain.md Q2, Q4).

    for tried in remedies(mine, theirs, minima, now_ms=now_ms):
        tried.remedy            # Found, or None and `why`

Each is looked for by its own arithmetic and then put before the predicate itself (`judge`): with the change every pair
is separate, and with one step less some pair is not. What fails either is not offered. Steps: 1 s; one flight level
(100 ft) where a floor or top is one, else 1 m; 1 m aside; 1 m of reach.

- LATER, EARLIER, HIGHER, LOWER move everything. Of one pair, the shifts that meet are an interval (a window or a band
  passes by), so going from interval to interval finds the least shift of all.
- ASIDE moves everything along one of eight bearings, the first of them away from the other side. Along a bearing the
  boundary is found by halving; where a ring has bays a smaller one may exist, and the one found is a boundary all the
  same. Every point moves along its own geodesic; what comes of it is what is judged.
- SHRINK takes reach (a radius, a half width) from each volume that meets, each by its own least; rings have none.
- SPLIT leaves out the time in which a volume meets the others: what is left is the part before and the part after.

Nothing is sent, kept or told here; and a plan's remedies never leave the node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from wideberth.core.judge.explain import clock, distance, height, span
from wideberth.core.judge.separation import judge
from wideberth.core.judge.vertical import bands_apart, vertical_gap
from wideberth.core.limits import VOLUMES_PER_NOTICE_MAX
from wideberth.core.say import geodesy, instant
from wideberth.core.say.conflict import How
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput, Fault

TIME_STEP_MS: Final = 1_000
LEVEL_STEP_MM: Final = 30_480
LENGTH_STEP_MM: Final = 1_000
# Beyond these nobody calls it a change of the same thing.
SHIFT_MS_MAX: Final = 86_400_000
LEVEL_MM_MAX: Final = 20_000_000
ASIDE_MM_MAX: Final = 500_000_000
# How much is measured at most, for each kind of change: about a second of work. A pair of shapes counts as the product
# of their corners, and as ten for itself: 100 circles against 100 are in it, and one ring of 500 against another.
MEASURED_MAX: Final = 260_000
_EACH: Final = 10

_BEARINGS: Final = tuple(range(0, 360, 45))
_FIXED: Final = (VerticalRef.SFC, VerticalRef.UNL)

Volumes = tuple[Volume4D, ...]


class Found(msgspec.Struct, frozen=True):
    """A change that was checked: `volumes` is everything as it would be.

    `size`: ms for LATER, EARLIER and SPLIT (the time left out), mm for the rest (SHRINK: the most of any volume).
    `bearing_deg`: of ASIDE, from true north. `sentence`: what would be different, in words.
    """

    how: How
    size: int
    volumes: Volumes
    sentence: str
    bearing_deg: int | None = None


class Tried(msgspec.Struct, frozen=True):
    """One kind of change: what was found, or in `why` why there is none."""

    how: How
    remedy: Found | None
    why: str = ""


class _None(Exception):
    """There is no such change; the text says why."""


def remedies(
    mine: Volumes, theirs: Volumes, minima: SeparationMinima, *,
    pressure_margin_mm: int = 610_000, not_before_ms: int = 0, least_radius_mm: int = 0,
) -> tuple[Tried, ...]:  # fmt: skip
    """Every kind of change of `mine`, in the order of `How`. Empty when nothing meets.

    EARLIER begins nothing before `not_before_ms`. SHRINK leaves no area below that of a circle of `least_radius_mm`.
    """
    work = _Work(mine, theirs, minima, pressure_margin_mm, not_before_ms, least_radius_mm)
    if not work.meets(mine):
        return ()
    return tuple(_tried(how, work) for how in How)


def remedy(
    how: How, mine: Volumes, theirs: Volumes, minima: SeparationMinima, *,
    pressure_margin_mm: int = 610_000, not_before_ms: int = 0, least_radius_mm: int = 0,
) -> Tried:  # fmt: skip
    """One kind of change. Raises BadInput when nothing meets."""
    work = _Work(mine, theirs, minima, pressure_margin_mm, not_before_ms, least_radius_mm)
    if not work.meets(mine):
        raise BadInput("these two keep apart: there is nothing to propose", field="ref")
    return _tried(how, work)


def _tried(how: How, work: _Work) -> Tried:
    work.measured = 0
    try:
        found, less = _WAYS[how](work)
        if work.meets(found.volumes) or not all(work.meets(one) for one in less):
            raise _None("what was found did not stand up to the check")
    except _None as why:
        return Tried(how, None, str(why))
    except Fault as why:
        return Tried(how, None, why.sentence)
    return Tried(how, found)


class _Work:
    """One pair of lists, with what does not change from try to try kept."""

    def __init__(
        self, mine: Volumes, theirs: Volumes, minima: SeparationMinima, margin_mm: int, not_before_ms: int,
        least_radius_mm: int,
    ) -> None:  # fmt: skip
        self.mine, self.theirs, self.minima, self.margin_mm = mine, theirs, minima, margin_mm
        self.not_before_ms, self.least_radius_mm = not_before_ms, least_radius_mm
        self.measured = 0
        self._near: dict[tuple[Shape, Shape], bool] = {}

    def meets(self, volumes: Volumes) -> bool:
        """By the predicate itself, whole."""
        return any(self.open(a, b) for a in volumes for b in self.theirs)

    def open(self, a: Volume4D, b: Volume4D) -> bool:
        return judge(a, b, self.minima, pressure_margin_mm=self.margin_mm).open

    def in_time(self, a: Volume4D, b: Volume4D) -> bool:
        t = self.minima.time_ms
        return a.start_ms < b.end_ms + t and b.start_ms < a.end_ms + t

    def in_height(self, a: Volume4D, b: Volume4D) -> bool:
        return not bands_apart(a, b, vertical_gap(a, b, self.margin_mm), self.minima.vertical_mm)

    def in_place(self, a: Shape, b: Shape) -> bool:
        """Time and height put aside: both for ever, at every height."""
        near = self._near.get((a, b))
        if near is None:
            self.measured += _EACH + len(geodesy.spine(a)) * len(geodesy.spine(b))
            if self.measured > MEASURED_MAX:
                raise _None("there are too many volumes to work it out here")
            near = self._near[a, b] = self.open(_always(a), _always(b))
        return near

    def pairs(self, *tests: Callable[[Volume4D, Volume4D], bool]) -> list[tuple[int, int]]:
        """Indices of pairs of which all tests hold."""
        return [
            (i, j) for i, a in enumerate(self.mine) for j, b in enumerate(self.theirs)
            if all(test(a, b) for test in tests)
        ]  # fmt: skip

    def places_meet(self, a: Volume4D, b: Volume4D) -> bool:
        return self.in_place(a.shape, b.shape)


def _always(shape: Shape) -> Volume4D:
    return Volume4D(shape, Altitude.surface(), Altitude.unlimited(), 0, 1)


def _pass_by(holds: Callable[[int, int, int], bool], pairs: Sequence[tuple[int, int]], most: int) -> int:
    """The least number of steps at which no pair meets. `holds(i, j, n)`: that pair meets when moved by n steps."""
    n = 0
    while (stuck := next(((i, j) for i, j in pairs if holds(i, j, n)), None)) is not None:
        low, stride = n, 1
        while holds(*stuck, low + stride):
            low, stride = low + stride, stride * 2
            if low > most:
                raise _None("it would have to move too far")
        high = low + stride
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if holds(*stuck, middle) else (low, middle)
        n = high
    if n > most:
        raise _None("it would have to move too far")
    return n


# --- time ---


def _shifted(volumes: Volumes, by_ms: int) -> Volumes:
    return tuple(
        msgspec.structs.replace(v, start_ms=v.start_ms + by_ms, end_ms=v.end_ms + by_ms) for v in volumes
    )  # fmt: skip


def _in_time(work: _Work, sign: int) -> tuple[Found, list[Volumes]]:
    pairs = work.pairs(work.in_height, work.places_meet)
    most = SHIFT_MS_MAX // TIME_STEP_MS
    first_ms = min(v.start_ms for v in work.mine)
    if sign < 0:
        room = (first_ms - work.not_before_ms) // TIME_STEP_MS
        if room <= 0:
            raise _None("there is no time to begin earlier")
        most = min(most, room)
    t_ms = work.minima.time_ms

    def holds(i: int, j: int, n: int) -> bool:
        a, b, by_ms = work.mine[i], work.theirs[j], sign * n * TIME_STEP_MS
        return a.start_ms + by_ms < b.end_ms + t_ms and b.start_ms < a.end_ms + by_ms + t_ms

    steps = _pass_by(holds, pairs, most)
    by_ms = steps * TIME_STEP_MS
    volumes = _shifted(work.mine, sign * by_ms)
    ends_ms = max(v.end_ms for v in volumes)
    word = "later" if sign > 0 else "earlier"
    sentence = (
        f"{instant.show_span(by_ms)} {word}: {span(first_ms + sign * by_ms, ends_ms)}. One second less would not do."
    )
    found = Found(How.LATER if sign > 0 else How.EARLIER, by_ms, volumes, sentence)
    return found, [_shifted(work.mine, sign * (by_ms - TIME_STEP_MS))]


# --- height ---


def _lifted(volumes: Volumes, by_mm: int) -> Volumes:
    return tuple(
        msgspec.structs.replace(v, lower=_up(v.lower, by_mm), upper=_up(v.upper, by_mm)) for v in volumes
    )  # fmt: skip


def _up(altitude: Altitude, by_mm: int) -> Altitude:
    if not by_mm or altitude.ref is VerticalRef.UNL:
        return altitude
    if altitude.ref is VerticalRef.SFC:
        return Altitude(by_mm, VerticalRef.AGL)  # SFC is 0 AGL
    return Altitude(altitude.mm + by_mm, altitude.ref)


def _in_height(work: _Work, sign: int) -> tuple[Found, list[Volumes]]:
    ends = [end for v in work.mine for end in (v.lower, v.upper)]
    if sign < 0 and any(end.ref in _FIXED for end in ends):
        raise _None("it reaches down to the surface or up without limit: it cannot be lower")
    step_mm = LEVEL_STEP_MM if any(end.ref is VerticalRef.FL for end in ends) else LENGTH_STEP_MM
    pairs = work.pairs(work.in_time, work.places_meet)
    most = LEVEL_MM_MAX // step_mm
    if sign < 0:
        # Below the surface nobody flies; above the ellipsoid or the sea 0 is taken for it.
        most = min(most, max(0, min(v.lower.mm for v in work.mine)) // step_mm)

    def holds(i: int, j: int, n: int) -> bool:
        (moved,) = _lifted((work.mine[i],), sign * n * step_mm)
        return work.in_height(moved, work.theirs[j])

    steps = _pass_by(holds, pairs, most)
    by_mm = steps * step_mm
    volumes = _lifted(work.mine, sign * by_mm)
    bands = ", ".join(dict.fromkeys(f"{v.lower} to {v.upper}" for v in volumes))
    word = "higher" if sign > 0 else "lower"
    less = "One flight level" if step_mm == LEVEL_STEP_MM else "One metre"
    found = Found(How.HIGHER if sign > 0 else How.LOWER, by_mm, volumes,
                  f"{height(by_mm)} {word}: {bands}. {less} less would not do.")  # fmt: skip
    return found, [_lifted(work.mine, sign * (by_mm - step_mm))]


# --- place ---


def _carried(shape: Shape, bearing_deg: int, by_mm: int) -> Shape:
    def to(point: Point) -> Point:
        return geodesy.point_towards(point, bearing_deg, by_mm / 1000)

    match shape:
        case Circle(centre, radius_mm):
            return Circle(to(centre), radius_mm)
        case Corridor(route, half_width_mm):
            return Corridor(tuple(map(to, route)), half_width_mm)
        case Polygon(corners):
            return Polygon(tuple(map(to, corners)))


def _aside(work: _Work) -> tuple[Found, list[Volumes]]:
    """Of the eight bearings the one on which the least is enough; a bearing is only followed if it beats the best."""
    pairs = work.pairs(work.in_time, work.in_height)

    def holds(bearing: int, n: int) -> bool:
        carried: dict[int, Shape] = {}
        for i, j in pairs:
            if i not in carried:
                carried[i] = _carried(work.mine[i].shape, bearing, n * LENGTH_STEP_MM)
            if work.in_place(carried[i], work.theirs[j].shape):
                return True
        return False

    i, j = work.pairs(work.in_time, work.in_height, work.places_meet)[0]
    here, there = geodesy.middle(work.mine[i].shape), geodesy.middle(work.theirs[j].shape)
    away = round((geodesy.bearing_degrees(there, here) if here != there else 0) / 45) * 45 % 360
    best: tuple[int, int] | None = None
    most = ASIDE_MM_MAX // LENGTH_STEP_MM
    for bearing in sorted(_BEARINGS, key=lambda b: abs((b - away + 180) % 360 - 180)):
        if best is not None and holds(bearing, best[1] - 1):
            continue
        low, high = 0, 1 if best is None else best[1] - 1
        while best is None and holds(bearing, high):
            low, high = high, high * 2
            if low > most:
                break
        if low > most or high <= low:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if holds(bearing, middle) else (low, middle)
        best = bearing, high
    if best is None or best[1] > most:
        raise _None("it would have to move too far")
    bearing, steps = best
    by_mm = steps * LENGTH_STEP_MM
    volumes, less = (
        tuple(msgspec.structs.replace(v, shape=_carried(v.shape, bearing, mm)) for v in work.mine)
        for mm in (by_mm, by_mm - LENGTH_STEP_MM)
    )
    sentence = f"{distance(by_mm)} aside, to {bearing:03d}° true. One metre less would not do."
    found = Found(How.ASIDE, by_mm, volumes, sentence, bearing)
    return found, [less]


# --- less of it ---


def _narrower(volume: Volume4D, by_mm: int) -> Volume4D:
    match volume.shape:
        case Circle(centre, radius_mm):
            return msgspec.structs.replace(volume, shape=Circle(centre, radius_mm - by_mm))
        case Corridor(route, half_width_mm):
            return msgspec.structs.replace(volume, shape=Corridor(route, half_width_mm - by_mm))
        case Polygon():
            raise _None("an area of corners has no radius to take from")


def _shrink(work: _Work) -> tuple[Found, list[Volumes]]:
    meeting = work.pairs(work.in_time, work.in_height, work.places_meet)
    by: dict[int, int] = {}
    for i in dict.fromkeys(i for i, _ in meeting):
        mine, others = work.mine[i], [work.theirs[j] for k, j in meeting if k == i]
        reach_mm = geodesy.reach_mm(mine.shape)

        def holds(n: int, mine: Volume4D = mine, others: list[Volume4D] = others) -> bool:
            shape = _narrower(mine, n * LENGTH_STEP_MM).shape
            return any(work.in_place(shape, other.shape) for other in others)

        low, high = 0, (reach_mm - 1) // LENGTH_STEP_MM
        _narrower(mine, 0)
        if high <= 0 or holds(high):
            raise _None("however small, it would still meet the other")
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if holds(middle) else (low, middle)
        by[i] = high * LENGTH_STEP_MM
        left = _narrower(mine, by[i]).shape
        if work.least_radius_mm and geodesy.area_m2(left) < geodesy.area_m2(Circle(Point(0, 0), work.least_radius_mm)):
            raise _None("it would be smaller than the least area that was signed for")

    def less_by(steps: dict[int, int]) -> Volumes:
        return tuple(_narrower(v, steps[i]) if i in steps else v for i, v in enumerate(work.mine))

    sizes = ", ".join(
        f"{distance(geodesy.reach_mm(work.mine[i].shape))} becomes "
        f"{distance(geodesy.reach_mm(work.mine[i].shape) - mm)}" for i, mm in by.items()
    )  # fmt: skip
    found = Found(How.SHRINK, max(by.values()), less_by(by), f"smaller: {sizes}. One metre less would not do.")
    return found, [less_by({**by, i: mm - LENGTH_STEP_MM}) for i, mm in by.items()]


def _split(work: _Work) -> tuple[Found, list[Volumes]]:
    """Cuts are put on whole seconds of each volume's own clock, outward. One second less, at the edge of one cut, is
    checked for every edge that lies inside a window."""
    meeting = work.pairs(work.in_time, work.in_height, work.places_meet)
    t_ms = work.minima.time_ms
    cuts: dict[int, list[tuple[int, int]]] = {}
    for i in dict.fromkeys(i for i, _ in meeting):
        mine = work.mine[i]
        spans = sorted((work.theirs[j].start_ms - t_ms, work.theirs[j].end_ms + t_ms) for k, j in meeting if k == i)
        whole: list[tuple[int, int]] = []
        for start, end in spans:
            start = mine.start_ms + (start - mine.start_ms) // TIME_STEP_MS * TIME_STEP_MS
            end = mine.start_ms - (mine.start_ms - end) // TIME_STEP_MS * TIME_STEP_MS
            if whole and start <= whole[-1][1]:
                whole[-1] = whole[-1][0], max(end, whole[-1][1])
            else:
                whole.append((start, end))
        cuts[i] = whole
    volumes = _without(work.mine, cuts)
    if not volumes:
        raise _None("the other is there all the time: nothing would be left")
    if len(volumes) > VOLUMES_PER_NOTICE_MAX:
        raise _None("it would fall into too many parts")
    less = []
    for i, whole in cuts.items():
        mine = work.mine[i]
        for n, (start, end) in enumerate(whole):
            if start > mine.start_ms:
                less.append(_without(work.mine, {**cuts, i: _with(whole, n, (start + TIME_STEP_MS, end))}))
            if end < mine.end_ms:
                less.append(_without(work.mine, {**cuts, i: _with(whole, n, (start, end - TIME_STEP_MS))}))
    lost = sum(
        min(end, work.mine[i].end_ms) - max(start, work.mine[i].start_ms)
        for i, whole in cuts.items() for start, end in whole
    )  # fmt: skip
    parts = "; ".join(dict.fromkeys(span(v.start_ms, v.end_ms) for v in volumes[:4]))
    more = f" and {len(volumes) - 4} more" if len(volumes) > 4 else ""
    first = min(max(start, work.mine[i].start_ms) for i, whole in cuts.items() for start, _ in whole)
    found = Found(How.SPLIT, lost, volumes,
                  f"{instant.show_span(lost)} left out, from {clock(first)} on: {parts}{more}. "
                  "One second less would not do.")  # fmt: skip
    return found, less


def _with(whole: list[tuple[int, int]], n: int, cut: tuple[int, int]) -> list[tuple[int, int]]:
    return [*whole[:n], cut, *whole[n + 1 :]]


def _without(volumes: Volumes, cuts: dict[int, list[tuple[int, int]]]) -> Volumes:
    """What is left of each volume between the cuts, which are in order and apart."""
    left: list[Volume4D] = []
    for i, v in enumerate(volumes):
        edges = [v.start_ms, *(t for cut in cuts.get(i, ()) for t in cut), v.end_ms]
        for n, (start, end) in enumerate(pairwise(edges)):
            start, end = max(start, v.start_ms), min(end, v.end_ms)
            if n % 2 == 0 and start < end:
                left.append(msgspec.structs.replace(v, start_ms=start, end_ms=end))
    return tuple(left)


_WAYS: Final[dict[How, Callable[[_Work], tuple[Found, list[Volumes]]]]] = {
    How.LATER: lambda work: _in_time(work, 1),
    How.EARLIER: lambda work: _in_time(work, -1),
    How.HIGHER: lambda work: _in_height(work, 1),
    How.LOWER: lambda work: _in_height(work, -1),
    How.ASIDE: _aside,
    How.SHRINK: _shrink,
    How.SPLIT: _split,
}
