# SPDX-License-Identifier: Apache-2.0
"""All pairs of live tracks with an own side that come inside the minima: the way without compiled kernels.

    found = approaches(states, RULE_OF_THREES, now_ms=now, look_ahead_ms=300_000)

Each track is filed by where it is half way through the look-ahead, in cubes of Earth-centred space, so that only those
that can meet at all are held against each other; the tangent plane (`tangent.py`) leaves out what is surely separate,
and `tracks.approach` decides and measures the rest. `judge/swift` finds the same pairs natively.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from wideberth.core.judge.tangent import CURVATURE, SEPARATE, STRETCH, lift, meet
from wideberth.core.judge.tracks import Approach, TrackState, approach, check_times, height_m, reach_m
from wideberth.core.say.minima import SeparationMinima

Xyz = tuple[float, float, float]


class Lifted(NamedTuple):
    """A track in Earth-centred metres: where it is now and its velocity, straight on in its tangent plane.

    `way`: how far it goes on the ground from its last known place to the end, `past`: of that before now. `middle` is
    where it is half way through the look-ahead, and until the end it is never farther from there than `radius`, with
    what is not known of its place.
    """

    place: Xyz
    velocity: Xyz
    way: float
    past: float
    middle: Xyz
    radius: float


def lifted(state: TrackState, now_ms: int, until: float) -> Lifted:
    """Take a state to the tangent plane. The radius allows for the Earth's falling away below (docs/tracks.md §3)."""
    x, y, z, vx, vy, vz = lift(
        math.radians(state.point.lat), math.radians(state.point.lng), state.east_mmps / 1000, state.north_mmps / 1000
    )
    age, speed = (now_ms - state.t_ms) / 1000, state.speed_mps
    place = (x + vx * age, y + vy * age, z + vz * age)
    half = until / 2
    way = speed * (abs(age) + until)
    error = (state.position_error_mm + state.velocity_error_mmps * (abs(age) + until)) / 1000
    return Lifted(
        place, (vx, vy, vz), way, speed * abs(age),
        (place[0] + vx * half, place[1] + vy * half, place[2] + vz * half),
        speed * half + CURVATURE * way * way / 2 + error + 0.005,
    )  # fmt: skip


def plane_answer(
    one: Lifted, other: Lifted, a: TrackState, b: TrackState, minima: SeparationMinima,
    now_ms: int, until: float, margin_mm: int,
) -> tuple[int, float, float, float, float, float]:  # fmt: skip
    """`tangent.meet` for one pair."""
    (x, y, z), (ox, oy, oz) = one.place, other.place
    (u, v, w), (ou, ov, ow) = one.velocity, other.velocity
    reach, grows = reach_m(a, b, minima, now_ms)
    return meet(
        ox - x, oy - y, oz - z, ou - u, ov - v, ow - w, x + ox, y + oy, (z + oz) * STRETCH,
        one.way, other.way, max(one.past, other.past), reach, grows, *height_m(a, b, minima, now_ms, margin_mm), until,
    )  # fmt: skip


def approaches(
    states: Sequence[TrackState], minima: SeparationMinima, *,
    now_ms: int, look_ahead_ms: int, pressure_margin_mm: int = 610_000,
) -> list[Approach]:  # fmt: skip
    """Every pair with an own side whose answer is open, measured; in the order of the input, `a` before `b`.

    Raises BadInput for times out of range (`tracks.check_times`).
    """
    check_times(tuple(states), now_ms, look_ahead_ms)
    until = look_ahead_ms / 1000
    flat = [lifted(state, now_ms, until) for state in states]
    found = []
    for i, j in _near(flat, minima.horizontal_mm / 1000):
        a, b = states[i], states[j]
        if not (a.own or b.own):
            continue
        if plane_answer(flat[i], flat[j], a, b, minima, now_ms, until, pressure_margin_mm)[0] == SEPARATE:
            continue
        weighed = approach(
            a, b, minima, now_ms=now_ms, look_ahead_ms=look_ahead_ms, pressure_margin_mm=pressure_margin_mm
        )
        if weighed.open:
            found.append((i, j, weighed))
    return [weighed for _, _, weighed in sorted(found, key=lambda each: each[:2])]


def _near(flat: Sequence[Lifted], horizontal: float) -> Iterator[tuple[int, int]]:
    """Index pairs i < j whose balls come within the minimum of each other: all that can meet, and some more."""
    side = 2 * max((each.radius for each in flat), default=0.0) + horizontal
    cubes: defaultdict[tuple[int, int, int], list[int]] = defaultdict(list)
    for j, each in enumerate(flat):
        x, y, z = (math.floor(c / side) for c in each.middle)
        for i in _of(cubes, x, y, z):
            if math.dist(flat[i].middle, each.middle) <= flat[i].radius + each.radius + horizontal:
                yield i, j
        cubes[x, y, z].append(j)


def _of(cubes: dict[tuple[int, int, int], list[int]], x: int, y: int, z: int) -> Iterable[int]:
    for cube in [(x + i, y + j, z + k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)]:
        yield from cubes.get(cube, ())
