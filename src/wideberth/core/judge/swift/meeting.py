# SPDX-License-Identifier: Apache-2.0
"""Which pairs of many tracks come inside the minima: the sweep over the sorted cubes, and `tangent.meet`, compiled.

    found = approaches(TrackColumns.of(states), RULE_OF_THREES, now_ms=now, look_ahead_ms=300_000)

A cube is as wide as two tracks can need (`pairs.py`), so a track meets those of its own cube and 13 of the 26 round it;
in sorted order these are runs, and each run's beginning only moves on. Tracks that need much more than most others (a
jet among drones) are kept out of the cubes, and looked up in as many as they reach. What the plane leaves open is
decided by `tracks.approach`, so the pairs are those of `pairs.approaches`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit

from wideberth.core.judge import tangent
from wideberth.core.judge.columns import REFS
from wideberth.core.judge.separation import Answer
from wideberth.core.judge.swift.lifted import (
    BALL,
    CLIMB,
    GROWS,
    HEIGHT,
    LOOKS,
    PAST,
    RADIUS,
    REACH,
    RECORD,
    ROOM,
    ROOM_GROWS,
    WAY,
    by_key,
    cube_keys,
    first_looks,
    lift_all,
)
from wideberth.core.judge.tangent import OPEN, SEPARATE, STRETCH
from wideberth.core.judge.track_columns import TrackColumns
from wideberth.core.judge.tracks import AGE_MS_MAX, approach, check_times
from wideberth.core.judge.vertical import difference_mm
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, VerticalRef
from wideberth.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFLICT: Final = 1
TOO_CLOSE: Final = 2

# Columns of what the kernel tells of a pair: seconds from now and metres.
_CLOSEST, _METRES, _ENTERS, _LEAVES, _ERROR = range(5)
_GAP: Final = 5
# So many pairs are gathered before they are weighed together.
_NEAR: Final = 4096
# How many tracks a cube should hold, where they are sparse.
_USUAL: Final = 8

_meet = njit(cache=True, nogil=True)(tangent.meet)


@dataclass(frozen=True, eq=False)
class Approaches:
    """Pairs of tracks that come inside the minima; k of them, ascending, the smaller number first. Times ms UTC.

    `answers`: CONFLICT or TOO_CLOSE (acted on as a conflict). `closest_at_ms`, `horizontal_mm`: when they are nearest
    on the ground and how near, within `error_mm`. `enters_ms` … `leaves_ms`: when they are inside; outward.
    `breaches`: inside for longer than the minima's exposure limit. `exact`: how many pairs the exact search decided.
    """

    pairs: NDArray[np.int64]
    answers: NDArray[np.int8]
    closest_at_ms: NDArray[np.int64]
    horizontal_mm: NDArray[np.int64]
    error_mm: NDArray[np.int64]
    enters_ms: NDArray[np.int64]
    leaves_ms: NDArray[np.int64]
    breaches: NDArray[np.bool_]
    exact: int

    def __len__(self) -> int:
        return len(self.pairs)


def approaches(
    tracks: TrackColumns, minima: SeparationMinima, *,
    now_ms: int, look_ahead_ms: int, pressure_margin_mm: int = 610_000,
) -> Approaches:  # fmt: skip
    """Every pair with an own side that comes inside the minima. Raises BadInput for columns or times out of range."""
    check_times((), now_ms, look_ahead_ms)
    tracks.checked()
    n = len(tracks)
    if n and (tracks.t_ms.min() < now_ms - AGE_MS_MAX or tracks.t_ms.max() > now_ms + AGE_MS_MAX):
        raise BadInput("a track was last seen more than an hour from now; show it as silent", field="t_ms")
    until = look_ahead_ms / 1000
    records, balls = np.empty((n, RECORD)), np.empty((n, BALL))
    lift_all(
        tracks.lat_ndeg, tracks.lng_ndeg, tracks.alt_mm, tracks.east_mmps, tracks.north_mmps, tracks.up_mmps,
        tracks.t_ms, tracks.position_error_mm, tracks.velocity_error_mmps, tracks.height_error_mm,
        tracks.climb_error_mmps, now_ms, until, records, balls,
    )  # fmt: skip
    pairs, told, answers = _candidates(records, balls, tracks, minima, until, pressure_margin_mm)
    return _settled(pairs, told, answers, tracks, minima, now_ms, look_ahead_ms, pressure_margin_mm)


def _candidates(
    records: Any, balls: Any, tracks: TrackColumns, minima: SeparationMinima, until: float, margin_mm: int
) -> tuple[Any, Any, Any]:
    n = len(records)
    horizontal = minima.horizontal_mm / 1000
    inner, wide, side = _split(balls[:, RADIUS], horizontal)
    keys, ny, nz, low = cube_keys(balls, inner, side)
    order = by_key(keys)
    # Cubes may be wider than they need be: with a few tracks in each, less time goes into finding the next cube.
    filled = 1 + np.count_nonzero(np.diff(keys[order]))
    if len(inner) < _USUAL * filled:
        side *= min(4.0, (_USUAL * filled / len(inner)) ** 0.5) if len(inner) else 1.0
        keys, ny, nz, low = cube_keys(balls, inner, side)
        order = by_key(keys)
    keys = keys[order]
    # Neighbours in space become neighbours in memory: what is far apart there costs more than all arithmetic.
    names = np.concatenate((inner[order], wide))
    records, own, ref = records[names], tracks.own[names], tracks.ref[names]
    height = minima.vertical_mm / 1000
    shifts = _shifts(margin_mm)
    # Heights of one reference compare as they are; those of several at what they may mean above mean sea level.
    above_sea = np.zeros_like(shifts[0]) if n == 0 or (ref == ref[0]).all() else shifts[0]  # REFS[0] is AMSL
    looks = first_looks(records, low, ref, above_sea, horizontal, max(height, 0.001), until)
    rules = (shifts, horizontal, height, until)
    room = 4 * n + 1024
    while True:
        out = np.empty((room, 2), dtype=np.int64), np.empty((room, _GAP)), np.empty(room, dtype=np.int8)
        count = _sweep(records, looks, keys, ny, nz, own, ref, *rules, *out)
        if len(wide):
            count = _far_and_wide(records, balls[wide], looks, keys, ny, nz, low, side, own, ref, *rules, *out, count)
        if count <= room:
            pairs, told, answers = (each[:count] for each in out)
            return np.sort(names[pairs], axis=1), told, answers
        room = count


def _split(radius: Any, horizontal: float) -> tuple[Any, Any, float]:
    """Which tracks go into cubes, which are too wide for them, and how wide the cubes are."""
    everyone = np.arange(len(radius))
    if not len(radius):
        return everyone, everyone, 1.0
    most = float(radius.max())
    usual = float(np.partition(radius, len(radius) * 49 // 50)[len(radius) * 49 // 50])
    if most > 2 * usual + horizontal:
        most = usual
    narrow = radius <= most
    return everyone[narrow], everyone[~narrow], 2 * most + horizontal + 1.0


def _shifts(margin_mm: int) -> NDArray[np.float64]:
    """For each two references the least and greatest of (height on the second less height on the first), m, beyond
    the difference of the numbers."""
    found = np.zeros((len(REFS), len(REFS), 2))
    for i, one in enumerate(REFS):
        for j, other in enumerate(REFS):
            if VerticalRef.UNL not in (one, other):
                found[i, j] = difference_mm(Altitude(0, other), Altitude(0, one), margin_mm)
    return found / 1000


@njit(cache=True, nogil=True)
def _weigh(
    records: Any, near: Any, close: int, ref: Any, shifts: Any, horizontal: float, height: float, until: float,
    pairs: Any, told: Any, answers: Any, count: int,
) -> int:  # fmt: skip
    """Weigh the first `close` pairs of `near`, and write down what is not separate, the smaller number first.

    Returns the count of pairs so far, also of those that found no room.
    """
    for k in range(close):
        i, j = min(near[k, 0], near[k, 1]), max(near[k, 0], near[k, 1])
        a, b = records[i], records[j]
        rise = b[HEIGHT] - a[HEIGHT]
        room = height + a[ROOM] + b[ROOM]
        answer, closest, metres, enters, leaves, error = _meet(
            b[0] - a[0], b[1] - a[1], b[2] - a[2], b[3] - a[3], b[4] - a[4], b[5] - a[5],
            a[0] + b[0], a[1] + b[1], (a[2] + b[2]) * STRETCH, a[WAY], b[WAY], max(a[PAST], b[PAST]),
            horizontal + a[REACH] + b[REACH], a[GROWS] + b[GROWS],
            rise + shifts[ref[i], ref[j], 0], rise + shifts[ref[i], ref[j], 1], b[CLIMB] - a[CLIMB],
            room if room > 0.0 else 0.001, a[ROOM_GROWS] + b[ROOM_GROWS], until,
        )  # fmt: skip
        if answer != SEPARATE:
            if count < len(pairs):
                pairs[count, 0], pairs[count, 1] = i, j
                told[count, 0], told[count, 1], told[count, 2], told[count, 3] = closest, metres, enters, leaves
                told[count, 4] = error
                answers[count] = answer
            count += 1
    return count


@njit(cache=True, nogil=True)
def _sweep(
    records: Any, looks: Any, keys: Any, ny: int, nz: int, own: Any, ref: Any,
    shifts: Any, horizontal: float, height: float, until: float, pairs: Any, told: Any, answers: Any,
) -> int:  # fmt: skip
    """All pairs in neighbouring cubes, of the tracks that `keys` puts in order. Returns how many there are.

    What is round a cube is copied together first: one plain loop over it then takes sixteen tracks at a time.
    """
    n = len(keys)
    ours = own.view(np.uint8)
    # Beginnings of the runs (iy + 1), (ix + 1, iy - 1), (ix + 1, iy), (ix + 1, iy + 1), three cubes high.
    steps = (nz, (ny - 1) * nz, ny * nz, (ny + 1) * nz)
    starts, ends = np.zeros(5, dtype=np.int64), np.zeros(5, dtype=np.int64)
    room = 1024
    round_it, who, meets = np.empty((LOOKS, room), dtype=np.float32), np.empty(room, np.int64), np.empty(room, np.uint8)
    eights = meets.view(np.uint64)
    near = np.empty((_NEAR, 2), dtype=np.int64)
    close = count = begin = 0
    while begin < n:
        key = keys[begin]
        end = begin + 1
        while end < n and keys[end] == key:
            end += 1
        total = 0
        for run in range(5):
            if run == 0:  # the cube itself, and the next one above it
                starts[0], ends[0], last = begin, max(ends[0], end), key + 1
            else:
                last = key + steps[run - 1] + 1
                while starts[run] < n and keys[starts[run]] < last - 2:
                    starts[run] += 1
                ends[run] = max(ends[run], starts[run])
            while ends[run] < n and keys[ends[run]] <= last:
                ends[run] += 1
            first, many = starts[run], ends[run] - starts[run]
            if total + many + 8 > room:
                room = 2 * (total + many + 8)
                more, more_who = np.empty((LOOKS, room), dtype=np.float32), np.empty(room, np.int64)
                more[:, :total] = round_it[:, :total]
                more_who[:total] = who[:total]
                round_it, who, meets = more, more_who, np.empty((room + 7) // 8 * 8, np.uint8)
                eights = meets.view(np.uint64)
            for field in range(LOOKS):
                for k in range(many):
                    round_it[field, total + k] = looks[field, first + k]
            for k in range(many):
                who[total + k] = first + k
            total += many
        words = (total + 7) // 8
        meets[total : words * 8] = 0
        for p in range(end - begin):
            a0, a1, b0, b1 = round_it[0, p], round_it[1, p], round_it[2, p], round_it[3, p]
            c0, c1, under, over = round_it[4, p], round_it[5, p], round_it[6, p], round_it[7, p]
            for q in range(total):
                meets[q] = (
                    (round_it[0, q] <= a1) & (round_it[1, q] >= a0) & (round_it[2, q] <= b1) & (round_it[3, q] >= b0)
                    & (round_it[4, q] <= c1) & (round_it[5, q] >= c0) & (round_it[6, q] <= over)
                    & (round_it[7, q] >= under)
                )  # fmt: skip
            for word in range(p // 8, words):
                if eights[word]:
                    for q in range(max(word * 8, p + 1), word * 8 + 8):
                        if meets[q] and (ours[begin + p] | ours[who[q]]):
                            near[close, 0], near[close, 1] = begin + p, who[q]
                            close += 1
                            if close == _NEAR:
                                count = _weigh(
                                    records, near, close, ref, shifts, horizontal, height, until,
                                    pairs, told, answers, count,
                                )  # fmt: skip
                                close = 0
        begin = end
    return _weigh(records, near, close, ref, shifts, horizontal, height, until, pairs, told, answers, count)


@njit(cache=True, nogil=True)
def _far_and_wide(
    records: Any, balls: Any, looks: Any, keys: Any, ny: int, nz: int, low: Any, side: float, own: Any, ref: Any,
    shifts: Any, horizontal: float, height: float, until: float, pairs: Any, told: Any, answers: Any, count: int,
) -> int:  # fmt: skip
    """All pairs of one of those beyond `keys` (too wide for the cubes) with any other. Returns the count so far."""
    narrow = len(keys)
    near = np.empty((_NEAR, 2), dtype=np.int64)
    close = 0
    # Lines of cubes that the track reaches, along z; with more lines than tracks, all tracks count as one line. The
    # others that are too wide are the last line.
    for i in range(narrow, len(records)):
        middle, reach = balls[i - narrow, :RADIUS] - low, balls[i - narrow, RADIUS] + side
        first = np.floor((middle - reach) / side).astype(np.int64) + 1
        last = np.floor((middle + reach) / side).astype(np.int64) + 1
        top = keys[narrow - 1] // (ny * nz) if narrow else -1
        first, last = np.maximum(first, 1), np.minimum(last, np.array([top, ny - 2, nz - 2]))
        across, deep = max(last[0] - first[0] + 1, 0), max(last[1] - first[1] + 1, 0)
        lines = across * deep if last[2] >= first[2] else 0
        every = lines > narrow
        if every:
            lines = 1
        for line in range(lines + 1):
            at, beyond = 0, narrow
            if line == lines:
                at, beyond = i + 1, len(records)
            elif not every:
                key = ((first[0] + line // deep) * ny + first[1] + line % deep) * nz
                at, beyond = np.searchsorted(keys, key + first[2]), np.searchsorted(keys, key + last[2] + 1)
            for j in range(at, beyond):
                if not (own[i] or own[j]):
                    continue
                meets = True
                for axis in range(0, LOOKS, 2):
                    meets = meets and looks[axis, i] <= looks[axis + 1, j] and looks[axis + 1, i] >= looks[axis, j]
                if meets:
                    near[close, 0], near[close, 1] = i, j
                    close += 1
                    if close == _NEAR:
                        count = _weigh(
                            records, near, close, ref, shifts, horizontal, height, until, pairs, told, answers, count
                        )
                        close = 0
    return _weigh(records, near, close, ref, shifts, horizontal, height, until, pairs, told, answers, count)


def _settled(
    pairs: Any, told: Any, answers: Any, tracks: TrackColumns, minima: SeparationMinima, now_ms: int,
    look_ahead_ms: int, margin_mm: int,
) -> Approaches:  # fmt: skip
    """What the plane left open is asked of the exact search; then whole numbers, in order."""
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs, told, answers = pairs[order], told[order], answers[order]
    with np.errstate(invalid="ignore"):
        closest = now_ms + np.rint(told[:, _CLOSEST] * 1000).astype(np.int64)
        metres = np.rint(told[:, _METRES] * 1000).astype(np.int64)
        error = np.ceil(np.where(np.isfinite(told[:, _ERROR]), told[:, _ERROR], 0.0) * 1000).astype(np.int64) + 1
        enters = now_ms + np.floor(told[:, _ENTERS] * 1000).astype(np.int64)
        leaves = now_ms + np.ceil(told[:, _LEAVES] * 1000).astype(np.int64)
    total = leaves - enters
    verdicts = np.full(len(pairs), CONFLICT, dtype=np.int8)
    left = np.ones(len(pairs), dtype=np.bool_)
    asked = np.flatnonzero(answers == OPEN)
    for k in asked:
        a, b = (tracks.state(int(i)) for i in pairs[k])
        found = approach(a, b, minima, now_ms=now_ms, look_ahead_ms=look_ahead_ms, pressure_margin_mm=margin_mm)
        left[k] = found.open
        if found.open:
            verdicts[k] = CONFLICT if found.answer is Answer.CONFLICT else TOO_CLOSE
            closest[k], metres[k], error[k] = found.closest_at_ms, found.horizontal_mm, found.error_mm
            enters[k], leaves[k], total[k] = found.inside[0][0], found.inside[-1][1], found.inside_ms
    breaches = (total > minima.exposure_ms) & (minima.exposure_ms > 0)
    return Approaches(
        pairs[left], verdicts[left], closest[left], metres[left], error[left], enters[left], leaves[left],
        breaches[left], len(asked),
    )  # fmt: skip
