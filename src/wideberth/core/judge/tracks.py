# SPDX-License-Identifier: Apache-2.0
"""Two live tracks, one of them our own: when and how near they come, and for how long inside the minima.

    found = approach(ours, theirs, RULE_OF_THREES, now_ms=now, look_ahead_ms=300_000)

A state says where something was at a time, how fast it moved, and how well that is known. From there it is taken to run
on along the geodesic of WGS-84 on its course, with constant speed on the ground and a constant rate of climb
(docs/tracks.md). What is not known only widens: with position errors e and velocity errors u the pair is inside while

    distance < h + e_a + e_b + (u_a + u_b) * (time since each was seen)        and the same in height,

so more error never ends a conflict. The distance is proved to 1 mm (`judge/search.py`): it is Lipschitz with the sum of
both speeds, and its second derivative is at least -k (v_a^2 + v_b^2) tan(k d / 2), the index form of the ellipsoid's
geodesics compared with that of a sphere of curvature k^2.

Only a pair with an own side is predicted (domain.md D7), nothing here is kept, and nothing of it leaves the node.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

import msgspec

from wideberth.core.judge.exposure import TRACK_ERROR_M
from wideberth.core.judge.search import Course, Least, Sample, below, least, union
from wideberth.core.judge.separation import Answer
from wideberth.core.judge.vertical import difference_mm
from wideberth.core.limits import INTEGER_MAX, NAME_CHARS_MAX
from wideberth.core.say import geodesy
from wideberth.core.say.geodesy import B_M
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.errors import BadInput

# Faster than anything that flies in air: a speed above is a slip of units.
SPEED_MMPS_MAX: Final = 3_000_000
# Nobody flies straight on for longer; a search over more would say nothing of use.
LOOK_AHEAD_MS_MAX: Final = 3_600_000
# An age that no officer acts on: what is older is shown as old, and not predicted any more.
AGE_MS_MAX: Final = 3_600_000
# An error larger than this is a slip of units too (a quarter of the way round the Earth; 3 km/s).
ERROR_MM_MAX: Final = 10_000_000_000
# ADS-B and network remote identification renew a state every second or so; after these a person should know.
STALE_MS: Final = 15_000
SILENT_MS: Final = 120_000


class Freshness(StrEnum):
    """How old a state is. SILENT says only that nothing was heard: the track is weighed all the same."""

    FRESH = "FRESH"
    STALE = "STALE"
    SILENT = "SILENT"


class TrackState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where something was at `t_ms` (ms UTC), and how it moved. Never signed and never sent.

    `east_mmps`, `north_mmps`: over ground; at a pole along the parallel and the meridian that the longitude names.
    `up_mmps`: of the altitude on its own reference. `own`: ours; otherwise of anybody else.
    The errors are bounds, not deviations: the truth is within `position_error_mm` on the ground and `height_error_mm`
    in height, and what it does from then on within the rates. The rates also stand for turns that one must expect.
    """

    id: str
    point: Point
    altitude: Altitude
    east_mmps: int
    north_mmps: int
    t_ms: int
    own: bool
    up_mmps: int = 0
    position_error_mm: int = 0
    velocity_error_mmps: int = 0
    height_error_mm: int = 0
    climb_error_mmps: int = 0

    def __post_init__(self) -> None:
        if not 0 < len(self.id) <= NAME_CHARS_MAX:
            raise BadInput(f"a track needs an id of 1 to {NAME_CHARS_MAX} characters", field="id")
        if self.altitude.ref is VerticalRef.UNL:
            raise BadInput(
                "a track is somewhere: give its height as a number with a reference, not UNL", field="altitude"
            )
        if max(abs(self.east_mmps), abs(self.north_mmps), abs(self.up_mmps)) > SPEED_MMPS_MAX:
            raise BadInput("a speed above 3,000 m/s is not one; give millimetres a second", field="speed")
        if not 0 <= self.t_ms <= INTEGER_MAX:
            raise BadInput("the time of a track is in milliseconds since 1970, UTC", field="t_ms")
        errors = (self.position_error_mm, self.height_error_mm, self.velocity_error_mmps, self.climb_error_mmps)
        if min(errors) < 0 or max(errors[:2]) > ERROR_MM_MAX or max(errors[2:]) > SPEED_MMPS_MAX:
            raise BadInput("errors of a track are bounds: 0 or more, in millimetres or mm a second", field="error")

    @classmethod
    def on_course(
        cls, name: str, point: Point, altitude: Altitude, *,
        course_degrees: float, speed_mmps: int, t_ms: int, own: bool, up_mmps: int = 0,
        position_error_mm: int = 0, velocity_error_mmps: int = 0, height_error_mm: int = 0, climb_error_mmps: int = 0,
    ) -> TrackState:  # fmt: skip
        """From a course, degrees clockwise from true north, and a ground speed; rounded to mm/s. `name` is the id."""
        if not math.isfinite(course_degrees):
            raise BadInput("a course is a number of degrees from true north", field="course")
        turn = math.radians(course_degrees)
        east, north = round(speed_mmps * math.sin(turn)), round(speed_mmps * math.cos(turn))
        return cls(
            name, point, altitude, east, north, t_ms, own, up_mmps, position_error_mm, velocity_error_mmps,
            height_error_mm, climb_error_mmps,
        )  # fmt: skip

    @property
    def speed_mps(self) -> float:
        """Over ground, m/s."""
        return math.hypot(self.east_mmps, self.north_mmps) / 1000

    def freshness(self, now_ms: int, *, stale_ms: int = STALE_MS, silent_ms: int = SILENT_MS) -> Freshness:
        """By our clock. A state from the future is as suspect as one from as long ago."""
        age = abs(now_ms - self.t_ms)
        return Freshness.FRESH if age < stale_ms else Freshness.STALE if age < silent_ms else Freshness.SILENT


class Approach(msgspec.Struct, frozen=True):
    """How two tracks come together from now to the end of the look-ahead. Lengths in mm, times in ms UTC.

    `closest_at_ms`, `horizontal_mm`: when the two are nearest on the ground, the first time if several, and how near,
    to `error_mm`, if both run on exactly as last seen; `vertical_mm`: the least possible gap in height then. `inside`:
    when the minima, grown by what is not known, are broken in distance and height at once; rounded outward. `answer` is
    CONFLICT when they surely are. `entry_in_ms`: from now to the first of these times, 0 when it is now.
    """

    a: str
    b: str
    answer: Answer
    closest_at_ms: int
    horizontal_mm: int
    vertical_mm: int
    error_mm: int
    inside: tuple[tuple[int, int], ...]
    inside_ms: int
    entry_in_ms: int | None
    breaches_limit: bool
    a_is: Freshness
    b_is: Freshness

    @property
    def open(self) -> bool:
        """Whether this is to be acted on: a conflict, or too close to call."""
        return self.answer is not Answer.SEPARATE


class Ahead:
    """A state run on along its geodesic. Times are seconds from `now_ms`."""

    def __init__(self, state: TrackState, now_ms: int) -> None:
        self.speed = state.speed_mps
        self.age = (now_ms - state.t_ms) / 1000
        self._azimuth = math.degrees(math.atan2(state.east_mmps, state.north_mmps)) if self.speed else 0.0
        self._lng, self._lat = state.point.lng, state.point.lat

    def place(self, t: float) -> tuple[float, float, float]:
        """Longitude, latitude and course, degrees, at a time."""
        if not self.speed:
            return self._lng, self._lat, self._azimuth
        lng, lat, back = geodesy.geod().fwd(self._lng, self._lat, self._azimuth, self.speed * (t + self.age))
        return lng, lat, back + 180.0


def check_times(states: tuple[TrackState, ...], now_ms: int, look_ahead_ms: int) -> None:
    """Raises BadInput for a look-ahead or an age that no prediction is made for."""
    if not 0 < look_ahead_ms <= LOOK_AHEAD_MS_MAX:
        raise BadInput("look ahead for more than 0 s and at most one hour", field="look_ahead_ms")
    for state in states:
        if abs(now_ms - state.t_ms) > AGE_MS_MAX:
            raise BadInput(
                f"track {state.id!r} was last seen more than an hour from now; show it as silent", field="t_ms"
            )


def approach(
    a: TrackState, b: TrackState, minima: SeparationMinima, *,
    now_ms: int, look_ahead_ms: int, pressure_margin_mm: int = 610_000,
) -> Approach:  # fmt: skip
    """Weigh two tracks from `now_ms` on. Raises BadInput when neither is own, or for times out of range."""
    if not (a.own or b.own):
        raise BadInput("tracks are predicted only in pairs of which one is our own (domain.md D7)", field="own")
    check_times((a, b), now_ms, look_ahead_ms)
    until = look_ahead_ms / 1000
    one, other = Ahead(a, now_ms), Ahead(b, now_ms)
    course = _course(one, other, until)
    nearest = least([course], 0.0, until)
    begin = course.at(0.0)
    if begin.metres <= nearest.metres + 0.001:  # side by side, or parting: now, whatever the last nanometre says
        nearest = Least(begin.metres, 0.0, nearest.slack)
    error_m = TRACK_ERROR_M + nearest.slack
    span = height_span(a, b, minima, now_ms, until, pressure_margin_mm)
    reach, grows = reach_m(a, b, minima, now_ms)
    spans: list[list[float]] = []
    sure = False
    if span is not None:
        spans, sure = _inside(course, *span, reach, grows)
    times = tuple((now_ms + math.floor(x * 1000), now_ms + math.ceil(y * 1000)) for x, y in spans)
    total = sum(y - x for x, y in times)
    answer = Answer.SEPARATE if not spans else Answer.CONFLICT if sure else Answer.TOO_CLOSE_TO_CALL
    return Approach(
        a.id, b.id, answer, now_ms + round(nearest.t * 1000), round(nearest.metres * 1000),
        _gap_mm(a, b, now_ms, nearest.t, pressure_margin_mm), math.ceil(error_m * 1000) + 1, times, total,
        times[0][0] - now_ms if times else None, 0 < minima.exposure_ms < total,
        a.freshness(now_ms), b.freshness(now_ms),
    )  # fmt: skip


def reach_m(a: TrackState, b: TrackState, minima: SeparationMinima, now_ms: int) -> tuple[float, float]:
    """The horizontal minimum with what is not known of both places now, m, and how that grows, m/s."""
    reach = minima.horizontal_mm / 1000
    for state in (a, b):
        reach += (state.position_error_mm + state.velocity_error_mmps * abs(now_ms - state.t_ms) / 1000) / 1000
    return reach, (a.velocity_error_mmps + b.velocity_error_mmps) / 1000


def height_m(
    a: TrackState, b: TrackState, minima: SeparationMinima, now_ms: int, margin_mm: int
) -> tuple[float, float, float, float, float]:
    """`low, high, climb, height, height_grows` of `tangent.meet`: b's height less a's now, m; its rate; the minimum."""
    low, high = difference_mm(b.altitude, a.altitude, margin_mm)
    risen = (b.up_mmps * (now_ms - b.t_ms) - a.up_mmps * (now_ms - a.t_ms)) / 1000
    height = float(minima.vertical_mm)
    for state in (a, b):
        height += state.height_error_mm + state.climb_error_mmps * abs(now_ms - state.t_ms) / 1000
    # Heights are whole millimetres: with a minimum of 0 equal ones meet, and a gap of 1 mm separates.
    height = height or 1.0
    climb, grows = b.up_mmps - a.up_mmps, a.climb_error_mmps + b.climb_error_mmps
    return (low + risen) / 1000, (high + risen) / 1000, climb / 1000, height / 1000, grows / 1000


def height_span(
    a: TrackState, b: TrackState, minima: SeparationMinima, now_ms: int, until: float, margin_mm: int
) -> tuple[float, float] | None:
    """The part of [0, until] in which the heights are nearer than the minimum; the set is one interval, for a distance
    less a growing minimum is convex in time."""
    low, high, climb, height, grows = height_m(a, b, minima, now_ms, margin_mm)
    first, last = 0.0, until
    for slope, room in ((climb - grows, height - low), (-climb - grows, height + high)):
        if slope > 1e-9:
            last = min(last, room / slope)
        elif slope < -1e-9:
            first = max(first, room / slope)
        elif room <= 0:
            return None
    return (first, last) if first < last else None


def _gap_mm(a: TrackState, b: TrackState, now_ms: int, t: float, margin_mm: int) -> int:
    """The least possible gap in height at t seconds from now, without the errors of the states."""
    low, high = difference_mm(b.altitude, a.altitude, margin_mm)
    risen = round((b.up_mmps * (now_ms - b.t_ms) - a.up_mmps * (now_ms - a.t_ms)) / 1000 + (b.up_mmps - a.up_mmps) * t)
    return max(0, low + risen, -(high + risen))


def _course(one: Ahead, other: Ahead, until: float) -> Course:
    inverse = geodesy.geod().inv
    closing = one.speed + other.speed

    def at(t: float) -> Sample:
        lng, lat, heading = one.place(t)
        lng_b, lat_b, heading_b = other.place(t)
        there, back, metres = inverse(lng, lat, lng_b, lat_b)
        if metres < 0.01:  # the direction is noise, and the distance has a kink
            return Sample(t, metres, None)
        slope = -one.speed * math.cos(math.radians(there - heading))
        return Sample(t, metres, slope - other.speed * math.cos(math.radians(back - heading_b)))

    farthest = (at(0.0).metres + at(until).metres + closing * until) / 2
    bow = None
    if farthest < 9_000_000:  # half of it stays below a quarter of the way round
        bow = (one.speed**2 + other.speed**2) * math.tan(farthest / 2 / B_M) / B_M
    # Speeds may be 0; a rounding of the solver must not look like a breach of the certificate.
    return Course(at, closing + 1e-9, bow)


def _inside(course: Course, low: float, high: float, reach: float, grows: float) -> tuple[list[list[float]], bool]:
    """Times in [low, high] at which distance < reach + grows t, outward, and whether there surely is one."""
    ease = grows * high

    def at(t: float) -> Sample:  # distance - grows (t - high), which is never negative
        found = course.at(t)
        return Sample(t, found.metres - grows * t + ease, None if found.slope is None else found.slope - grows)

    eased = Course(at, course.speed + grows, course.bow)
    nearest = least([eased], low, high)
    error = TRACK_ERROR_M + nearest.slack
    limit = reach + ease
    if nearest.metres - error >= limit:
        return [], False
    return union(below(eased, low, high, limit + error)) or [[nearest.t, nearest.t]], nearest.metres + error < limit
