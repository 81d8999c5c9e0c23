# SPDX-License-Identifier: Apache-2.0
"""One live track against volumes: does it move as was said, and will it enter?

    now = conform(state, notice.volumes, before=now)       # nominal, or outside: by how much, and since when
    found = entry(state, volume, RULE_OF_THREES, now_ms=now, look_ahead_ms=300_000)

`conform` looks at where a track *was seen*; it predicts nothing, so it may be asked for anybody's track. `entry`
carries the track on (`judge/tracks.py`), so one side, the track or the volume, must be our own (domain.md D7).
Nothing follows from either but what own people are told, and nothing of it leaves the node.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from wideberth.core.judge.edges import point_to_edge
from wideberth.core.judge.exposure import TRACK_ERROR_M
from wideberth.core.judge.horizontal import ERROR_M
from wideberth.core.judge.outline import CONVEX_M, LngLat, Outline, inside, outline
from wideberth.core.judge.path import Path
from wideberth.core.judge.search import Course, Sample, below, least, union
from wideberth.core.judge.separation import Answer
from wideberth.core.judge.tracks import Ahead, Freshness, TrackState, check_times
from wideberth.core.judge.vertical import difference_mm, ends_in_order
from wideberth.core.say import geodesy
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.volume import Volume4D
from wideberth.errors import BadInput


class Standing(StrEnum):
    """NOMINAL: surely inside one of the volumes. OUTSIDE: surely in none. UNSURE: what is not known leaves it open."""

    NOMINAL = "NOMINAL"
    UNSURE = "UNSURE"
    OUTSIDE = "OUTSIDE"


class Conformance(msgspec.Struct, frozen=True):
    """How a track stood to its volumes when it was seen, at `at_ms`.

    `volume`: the one that it was in, or least far from: by time, then in space. `horizontal_mm` and `vertical_mm`: how
    far outside of that one, 0 inside, as measured (the least possible gap, where references differ); `time_ms`: how
    long before its window (negative) or after it (from 1 ms on). `since_ms`: when it was first seen not nominal, of the
    states in a row up to now; `nominal_ms`: when it was last seen nominal. `None`: not so, or never.
    """

    track: str
    at_ms: int
    standing: Standing
    volume: int
    horizontal_mm: int
    vertical_mm: int
    time_ms: int
    since_ms: int | None
    nominal_ms: int | None


def conform(
    state: TrackState, volumes: Sequence[Volume4D], *,
    before: Conformance | None = None, pressure_margin_mm: int = 610_000,
) -> Conformance:  # fmt: skip
    """Weigh one state against the volumes of a plan or a notice; `before` is what was found for the state before it.

    Raises BadInput without volumes, or when `before` is another track's or a later one's.
    """
    if not volumes:
        raise BadInput("conformance needs volumes to conform to", field="volumes")
    if before is not None and (before.track != state.id or before.at_ms > state.t_ms):
        raise BadInput("give the states of one track one after the other, in the order of their times", field="before")
    found = min(
        (_standing(state, number, volume, pressure_margin_mm) for number, volume in enumerate(volumes)),
        key=lambda each: each[0],
    )
    (order, *_), number, horizontal_m, vertical_mm, time_ms = found
    standing = (Standing.NOMINAL, Standing.UNSURE, Standing.OUTSIDE)[int(order)]
    nominal = standing is Standing.NOMINAL
    since = None if nominal else state.t_ms if before is None or before.since_ms is None else before.since_ms
    last = state.t_ms if nominal else before.nominal_ms if before is not None else None
    return Conformance(
        state.id, state.t_ms, standing, number, max(0, round(horizontal_m * 1000)), max(0, vertical_mm), time_ms,
        since, last,
    )  # fmt: skip


_Stood = tuple[tuple[float, ...], int, float, int, int]


def _standing(state: TrackState, number: int, volume: Volume4D, margin_mm: int) -> _Stood:
    """Ordered by standing, then by how far outside: time first, then the straight way in space."""
    time_ms = 0
    if state.t_ms < volume.start_ms:
        time_ms = state.t_ms - volume.start_ms
    elif state.t_ms >= volume.end_ms:  # half-open: the end itself is outside
        time_ms = state.t_ms - volume.end_ms + 1
    floor, top = ends_in_order(volume, margin_mm)
    over, under = difference_mm(floor, state.altitude, margin_mm), difference_mm(state.altitude, top, margin_mm)
    shallow, deep = max(over[0], under[0]), max(over[1], under[1])
    metres, error = depth_m((state.point.lng, state.point.lat), outline(volume.shape))
    error += state.position_error_mm / 1000
    order = 2
    if time_ms == 0 and shallow <= state.height_error_mm and metres <= error:
        order = 0 if deep + state.height_error_mm <= 0 and metres + error <= 0 else 1
    away = math.hypot(max(metres, 0.0), max(shallow, 0) / 1000)
    return (order, abs(time_ms), away, metres, number), number, metres, shallow, time_ms


def depth_m(p: LngLat, shape: Outline) -> tuple[float, float]:
    """How far a point (degrees, longitude first) lies outside a shape, negative by its depth inside; and the error."""
    inverse = geodesy.geod().inv
    middle = inverse(*shape.middle, *p)[2]
    if not shape.edges:
        return middle - shape.reach, ERROR_M
    if shape.radius > CONVEX_M or middle > 2 * CONVEX_M:
        # Of continental size, or on the other side of the Earth: only that it is outside the enclosing disc is known.
        away = middle - shape.radius - shape.reach
        return away, ERROR_M if shape.radius <= CONVEX_M else math.inf
    nearest = [point_to_edge(p, e) for e in shape.edges]
    metres, error = min(n.metres for n in nearest), ERROR_M + max(n.slack for n in nearest)
    if shape.filled and inside(p, shape.edges):
        return -metres, error
    return metres - shape.reach, error


def within(
    state: TrackState, volume: Volume4D, minima: SeparationMinima, *, pressure_margin_mm: int = 610_000
) -> Answer:
    """Whether a track, when it was seen, was inside the minima of a volume (in it, with minima of 0): SEPARATE when it
    was surely not, CONFLICT when its place surely was, errors counted in. Nothing is predicted."""
    if not volume.start_ms - minima.time_ms <= state.t_ms < volume.end_ms + minima.time_ms:
        return Answer.SEPARATE
    floor, top = ends_in_order(volume, pressure_margin_mm)
    shallow = max(
        difference_mm(floor, state.altitude, pressure_margin_mm)[0],
        difference_mm(state.altitude, top, pressure_margin_mm)[0],
    )
    shallow -= state.height_error_mm
    if shallow >= minima.vertical_mm and not (minima.vertical_mm == 0 and shallow <= 0):
        return Answer.SEPARATE
    metres, error = depth_m((state.point.lng, state.point.lat), outline(volume.shape))
    reach = (minima.horizontal_mm + state.position_error_mm) / 1000
    if metres + error < reach:
        return Answer.CONFLICT
    return Answer.SEPARATE if metres - error >= reach > 0 or metres - error > reach else Answer.TOO_CLOSE_TO_CALL


class Entry(msgspec.Struct, frozen=True):
    """How a track comes to a volume from now to the end of the look-ahead. Lengths in mm, times in ms UTC.

    `inside`: when it is inside the minima of the volume (in it, with minima of 0), grown by what is not known, in its
    window; outward. `entry_in_ms`: from now to the first of these times, 0 when it is now. `closest_at_ms`, with
    `horizontal_mm` to the area (0 inside it) within `error_mm`: the nearest on the ground, at any height, while the
    window is open; `None` when it is not open in that time.
    """

    track: str
    answer: Answer
    closest_at_ms: int | None
    horizontal_mm: int | None
    error_mm: int
    inside: tuple[tuple[int, int], ...]
    inside_ms: int
    entry_in_ms: int | None
    breaches_limit: bool
    track_is: Freshness

    @property
    def open(self) -> bool:
        """Whether this is to be acted on: it enters, or that is too close to call."""
        return self.answer is not Answer.SEPARATE


def entry(
    state: TrackState, volume: Volume4D, minima: SeparationMinima, *,
    now_ms: int, look_ahead_ms: int, own_volume: bool = False, pressure_margin_mm: int = 610_000,
) -> Entry:  # fmt: skip
    """Carry a track on and weigh it against one volume. `own_volume`: the volume is of an own plan.

    Raises BadInput when neither the track nor the volume is own, or for times out of range.
    """
    if not (state.own or own_volume):
        raise BadInput("a track is predicted only where it or the volume is our own (domain.md D7)", field="own")
    check_times((state,), now_ms, look_ahead_ms)
    low = max(0.0, (volume.start_ms - minima.time_ms - now_ms) / 1000)
    high = min(look_ahead_ms / 1000, (volume.end_ms + minima.time_ms - now_ms) / 1000)
    fresh = state.freshness(now_ms)
    if low >= high:
        return Entry(state.id, Answer.SEPARATE, None, None, 0, (), 0, None, breaches_limit=False, track_is=fresh)
    ray, shape = Ray(Ahead(state, now_ms), high), outline(volume.shape)
    courses, exact = ray.courses(shape)
    nearest = least(courses, low, high)
    held = shape.filled and exact and inside(ray.place(nearest.t), shape.edges)
    height = _height_span(state, volume, minima, now_ms, (low, high), pressure_margin_mm)
    spans: list[list[float]] = []
    sure = False
    if height is not None:
        old = abs(now_ms - state.t_ms) / 1000
        grows = state.velocity_error_mmps / 1000
        reach = shape.reach + (minima.horizontal_mm + state.position_error_mm) / 1000 + grows * old
        spans, sure = _within(ray, shape, height, reach, grows)
    times = tuple((now_ms + math.floor(a * 1000), now_ms + math.ceil(b * 1000)) for a, b in spans)
    total = sum(b - a for a, b in times)
    answer = Answer.SEPARATE if not spans else Answer.CONFLICT if sure and exact else Answer.TOO_CLOSE_TO_CALL
    gap_m = 0.0 if held else max(0.0, nearest.metres - shape.reach)
    return Entry(
        state.id, answer, now_ms + round(nearest.t * 1000), round(gap_m * 1000),
        math.ceil((TRACK_ERROR_M + nearest.slack) * 1000) + 1, times, total,
        times[0][0] - now_ms if times else None, 0 < minima.exposure_ms < total, fresh,
    )  # fmt: skip


class Ray(Path):
    """A state run on along its geodesic, for the distances of `judge/path.py`. Times are seconds from now."""

    def __init__(self, ahead: Ahead, until: float) -> None:
        self._ahead = ahead
        self.seconds = until
        self.speed = ahead.speed + 1e-9
        self.turning = 0.0  # a geodesic has no covariant acceleration

    def place(self, t: float) -> LngLat:
        lng, lat, _ = self._ahead.place(t)
        return lng, lat

    def _sample(self, t: float, p: LngLat, azimuth: float, metres: float) -> Sample:
        if metres < 0.01:
            return Sample(t, metres, None)
        course = self._ahead.place(t)[2]
        return Sample(t, metres, -self._ahead.speed * math.cos(math.radians(azimuth - course)))


def _height_span(
    state: TrackState, volume: Volume4D, minima: SeparationMinima, now_ms: int, window: tuple[float, float],
    margin_mm: int,
) -> tuple[float, float] | None:  # fmt: skip
    """The part of the window in which the track may be in the band grown by the minimum and by what is not known."""
    floor, top = ends_in_order(volume, margin_mm)
    risen = state.up_mmps * (now_ms - state.t_ms) / 1000
    room = minima.vertical_mm + state.height_error_mm + state.climb_error_mmps * abs(now_ms - state.t_ms) / 1000
    room = room or 1.0  # with a minimum of 0 a level on the edge of a block is in it, as in `bands_apart`
    below_floor = difference_mm(floor, state.altitude, margin_mm)[0] - risen
    above_top = difference_mm(state.altitude, top, margin_mm)[0] + risen
    low, high = window
    for gap, rate in ((below_floor, -state.up_mmps), (above_top, state.up_mmps)):
        # gap + rate t < room + climb_error t
        slope = rate - state.climb_error_mmps
        if slope > 0:
            high = min(high, (room - gap) / slope)
        elif slope < 0:
            low = max(low, (room - gap) / slope)
        elif gap >= room:
            return None
    return (low, high) if low < high else None


def _within(
    ray: Ray, shape: Outline, span: tuple[float, float], reach: float, grows: float
) -> tuple[list[list[float]], bool]:
    """When the distance to the spine is below reach + grows t, or the track inside a ring; and whether it surely is."""
    low, high = span
    ease = grows * high
    courses, exact = ray.courses(shape)
    eased = [_eased(course, grows, ease) for course in courses]
    nearest = least(eased, low, high)
    error = TRACK_ERROR_M + nearest.slack
    limit = reach + ease
    spans: list[list[float]] = []
    # Equality separates, but with a reach of 0 areas that only touch meet: too close to call.
    if nearest.metres - error < limit:
        spans = union([each for course in eased for each in below(course, low, high, limit + error)])
        spans = spans or [[nearest.t, nearest.t]]
    sure = nearest.metres + error < limit
    if not (shape.filled and exact):
        return spans, sure
    # Between the times near the ring's edges the track is wholly inside or wholly outside: one look decides.
    starts, ends = [low, *(b for _, b in spans)], [*(a for a, _ in spans), high]
    gaps = [[a, b] for a, b in zip(starts, ends, strict=True) if a < b]
    held = [gap for gap in gaps if inside(ray.place((gap[0] + gap[1]) / 2), shape.edges)]
    return union(spans + held), sure or bool(held)


def _eased(course: Course, grows: float, ease: float) -> Course:
    """Distance less grows t, and `ease` more so that it is never negative."""

    def at(t: float) -> Sample:
        found = course.at(t)
        return Sample(t, found.metres - grows * t + ease, None if found.slope is None else found.slope - grows)

    return Course(at, course.speed + grows, course.bow)
