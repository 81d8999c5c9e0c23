# SPDX-License-Identifier: Apache-2.0
"""Many updates of tracks against many volumes: does each move as was said, and whose volumes is it in?

    index = Following(columns, UTM_OVERLAP)               # once
    found = index.weigh(tracks, op, before=found)         # for each batch of updates

The answers are those of `conformance.conform` and `conformance.within`. A volume's corners are dropped onto the plane
that touches the ellipsoid below the track; by `fast/flatmap.py` (1) to (3), with O the track's place, D the farthest
corner with 6 % more, and L the longest edge, the distance δ on that map and the true one d satisfy
δ − β <= d <= q (δ + β). What this leaves open is put to the exact search. So how far outside something is, is told to
2 mm in 2 km, 0.2 m in 20 km and 12 m in 100 km.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit

from wideberth.core.judge.columns import POINT, RING, Columns
from wideberth.core.judge.conformance import Standing, conform, within
from wideberth.core.judge.fast.bounds import LAT_HI, LAT_LO, LNG_LO, LNG_WIDE, MASK, T_HI, T_LO, TURN
from wideberth.core.judge.fast.heights import least_difference
from wideberth.core.judge.separation import Answer
from wideberth.core.judge.swift.volumes import SOUTH, Index, bucket
from wideberth.core.judge.tangent import CURVATURE
from wideberth.core.judge.track_columns import TrackColumns
from wideberth.core.say.geodesy import A_M, E2
from wideberth.core.say.minima import SeparationMinima
from wideberth.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOMINAL, UNSURE, OUTSIDE, ALONE = range(4)
STANDINGS: Final = (Standing.NOMINAL, Standing.UNSURE, Standing.OUTSIDE)
CONFLICT: Final = 1
TOO_CLOSE: Final = 2
_ASK: Final = 9

_RAD_PER_NDEG: Final = math.pi / 180e9
_KD_MOST: Final = 0.05
# The exact search's own millimetre, with room for its slack and for rounding here.
_AGREE_M: Final = 0.002
_FULL_NDEG: Final = 360 * 10**9


@dataclass(frozen=True, eq=False)
class Followed:
    """For each of m updates: `standing` (NOMINAL, UNSURE, OUTSIDE, or ALONE: it follows no plan), `volume` (−1 when
    ALONE), and how far outside, as in `conformance.Conformance`; `since_ms`, `nominal_ms`: −1 for none.
    `entries` (k, 2): update and volume of another operation that it is in, by the minima; `answers` (k): CONFLICT or
    TOO_CLOSE. `exact`: how many questions the exact search answered."""

    standing: NDArray[np.int8]
    volume: NDArray[np.int64]
    horizontal_mm: NDArray[np.int64]
    vertical_mm: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    since_ms: NDArray[np.int64]
    nominal_ms: NDArray[np.int64]
    entries: NDArray[np.int64]
    answers: NDArray[np.int8]
    exact: int


@njit(cache=True, nogil=True)
def _depth(
    place: Any, kind: int, corners: Any, begin: int, end: int, reach: float
) -> tuple[float, float]:  # fmt: skip
    """How far the track's place lies outside a shape, m, negative by its depth inside; and the error of that.

    `place`: x, y, z of the track on the ellipsoid, then the east and the north there (3 each).
    """
    count = end - begin
    least = 1e300
    farthest = longest = 0.0
    turns = 0
    # The first edge leads from the last corner; it counts for rings alone.
    ax = ay = 0.0
    for k in range(-1 if kind == RING else 0, count):
        at = begin + (count - 1 if k < 0 else k)
        dx, dy, dz = corners[at, 0] - place[0], corners[at, 1] - place[1], corners[at, 2] - place[2]
        bx = dx * place[3] + dy * place[4] + dz * place[5]
        by = dx * place[6] + dy * place[7] + dz * place[8]
        squared = dx * dx + dy * dy + dz * dz  # of the chord, so that what is beyond the horizon is seen to be far
        farthest = max(farthest, squared)
        if kind == POINT:
            least = bx * bx + by * by
        elif k >= 0 and (k > 0 or kind == RING):
            ex, ey = bx - ax, by - ay
            edge = ex * ex + ey * ey
            longest = max(longest, edge)
            t = min(max(-(ax * ex + ay * ey) / edge, 0.0), 1.0) if edge > 0.0 else 0.0
            px, py = ax + t * ex, ay + t * ey
            least = min(least, px * px + py * py)
            side = ex * -ay + ey * ax
            if ay <= 0.0:
                if by > 0.0 and side > 0.0:
                    turns += 1
            elif by <= 0.0 and side < 0.0:
                turns -= 1
        ax, ay = bx, by
    kd = CURVATURE * math.sqrt(farthest) * 1.06
    if kd > _KD_MOST:
        return math.sqrt(farthest), math.inf
    slope = kd * kd / (1.0 - kd * kd)
    stretch = math.sqrt(1.0 + slope)
    bend = CURVATURE * kd * longest * stretch * stretch / 8.0
    metres = math.sqrt(least)
    error = _AGREE_M + bend + (stretch - 1.0) * (metres + bend)
    if kind == RING:
        return (-metres if turns else metres), error
    return metres - reach, error


@njit(cache=True, nogil=True)
def _heights(bands: Any, v: int, z: int, ref: int, margin_mm: int) -> tuple[int, int]:
    """How far a height is outside a band, mm: the least and the greatest that it may be."""
    low, low_ref, high, high_ref = bands[v, 0], bands[v, 1], bands[v, 2], bands[v, 3]
    least = max(least_difference(low, low_ref, z, ref, margin_mm), least_difference(z, ref, high, high_ref, margin_mm))
    most = max(-least_difference(z, ref, low, low_ref, margin_mm), -least_difference(high, high_ref, z, ref, margin_mm))
    return least, most


@njit(cache=True, nogil=True)
def _follow(
    lat_ndeg: Any, lng_ndeg: Any, alt_mm: Any, ref: Any, t_ms: Any, position_error_mm: Any, height_error_mm: Any,
    op: Any,
    op_first: Any, by_op: Any, v_op: Any, start_ms: Any, end_ms: Any, kind: Any, first: Any, reach_mm: Any,
    corners: Any, bands: Any, boxes: Any, level: Any, levels: Any, rows: Any, row_columns: Any, mask: int,
    places: Any, entries: Any,
    epoch_ms: int, shift: int, margin_mm: int, horizontal_m: float, vertical_mm: int, late_ms: int,
    standing: Any, volume: Any, outside: Any, told: Any, answers: Any,
) -> int:  # fmt: skip
    """Fill `standing` (_ASK where the exact search must be asked), `volume`, `outside` (m, 3: on the ground in m, in
    height in mm, in time in ms), and the entries. Returns how many entries there are, also those without room."""
    count = 0
    place = np.empty(9)
    for u in range(len(lat_ndeg)):
        lat, lng = lat_ndeg[u] * _RAD_PER_NDEG, lng_ndeg[u] * _RAD_PER_NDEG
        sine, cosine, so, co = math.sin(lat), math.cos(lat), math.sin(lng), math.cos(lng)
        n = A_M / math.sqrt(1.0 - E2 * sine * sine)
        place[0], place[1], place[2] = n * cosine * co, n * cosine * so, n * (1.0 - E2) * sine
        place[3], place[4], place[5] = -so, co, 0.0
        place[6], place[7], place[8] = -sine * co, -sine * so, cosine
        t, z, error_m = t_ms[u], alt_mm[u], position_error_mm[u] / 1000
        mine = op[u]
        standing[u], volume[u] = ALONE, -1
        best = (9, 0.0, 0.0, 0.0)
        ask = False
        if 0 <= mine < len(op_first) - 1:
            # Only volumes whose window is open matter, or else those whose window is nearest.
            soonest = 1 << 62
            for k in range(op_first[mine], op_first[mine + 1]):
                v = by_op[k]
                soonest = min(soonest, max(start_ms[v] - t, t - end_ms[v] + 1, 0))
            for k in range(op_first[mine], op_first[mine + 1]):
                v = by_op[k]
                if max(start_ms[v] - t, t - end_ms[v] + 1, 0) > soonest:
                    continue
                early = -soonest if t < start_ms[v] else soonest
                shallow, deep = _heights(bands, v, z, ref[u], margin_mm)
                metres, error = _depth(place, kind[v], corners, first[v], first[v + 1], reach_mm[v] / 1000)
                order = OUTSIDE
                if early == 0 and shallow <= height_error_mm[u]:
                    # Where the map's error and the rim of what is not known meet, only the exact search can tell.
                    if abs(metres - error_m) <= error or abs(metres + error_m) <= error:
                        ask = True
                    if metres <= error_m:
                        sure = deep + height_error_mm[u] <= 0 and metres + error_m <= 0.0
                        order = NOMINAL if sure else UNSURE
                if math.isinf(error):
                    ask = True
                up = max(shallow, 0) / 1000
                away = math.sqrt(max(metres, 0.0) ** 2 + up * up)
                rank = (order, float(abs(early)), away, metres)
                if rank < best:
                    best = rank
                    standing[u], volume[u] = order, v
                    outside[u, 0], outside[u, 1], outside[u, 2] = metres, float(shallow), float(early)
            if ask:
                standing[u] = _ASK
        # Whose volumes is it in? What its box leaves out cannot hold it.
        slot_t = (t - epoch_ms) >> shift
        lat_unit, lng_unit = lat_ndeg[u] // 100, int(lng_ndeg[u] * (TURN / _FULL_NDEG)) & MASK
        grown = horizontal_m + error_m
        for g in range(len(levels)):
            row = (lat_unit + SOUTH) // levels[g, 1]
            column = lng_unit * row_columns[rows[g] + row] >> 32
            b = bucket(levels[g, 0], row, column, slot_t // levels[g, 2], mask)
            for k in range(places[b], places[b + 1]):
                v = entries[k]
                box = boxes[v]
                if (
                    slot_t < box[T_LO] or slot_t > box[T_HI]
                    or lat_unit < box[LAT_LO] or lat_unit > box[LAT_HI]
                    or ((lng_unit - (box[LNG_LO] & MASK)) & MASK) > (box[LNG_WIDE] & MASK)
                    or level[v] != levels[g, 0]
                    or (k > places[b] and entries[k - 1] == v)  # two of its cells in one bucket
                    or v_op[v] == mine
                    or t < start_ms[v] - late_ms or t >= end_ms[v] + late_ms
                ):  # fmt: skip
                    continue
                shallow, _ = _heights(bands, v, z, ref[u], margin_mm)
                shallow -= height_error_mm[u]
                if shallow >= vertical_mm and not (vertical_mm == 0 and shallow <= 0):
                    continue
                metres, error = _depth(place, kind[v], corners, first[v], first[v + 1], reach_mm[v] / 1000)
                if metres - error >= grown and (grown > 0.0 or metres - error > 0.0):
                    continue
                if count < len(told):
                    told[count, 0], told[count, 1] = u, v
                    answers[count] = CONFLICT if metres + error < grown else _ASK
                count += 1
    return count


class Following:
    """Volumes of operations made ready; see the head of the file. Raises BadInput for columns that do not fit.

    `position_error_mm`: the greatest that a track may bring along; the index reaches so much farther.
    """

    def __init__(
        self, columns: Columns, minima: SeparationMinima, *,
        position_error_mm: int = 0, pressure_margin_mm: int = 610_000,
    ) -> None:  # fmt: skip
        self._columns, self._minima, self._margin_mm = columns.checked(), minima, pressure_margin_mm
        self._most_mm = position_error_mm
        self.index = Index(columns, minima.horizontal_mm + position_error_mm, minima.time_ms, pressure_margin_mm)

    def weigh(self, tracks: TrackColumns, op: NDArray[np.int32], *, before: Followed | None = None) -> Followed:
        """Weigh a batch of updates. `op` (m): whose plan each follows, −1 for none. `before`: what was found for the
        same tracks, in the same order, by their last updates. Raises BadInput for columns that do not fit."""
        m = len(tracks.checked())
        if len(op) != m or (before is not None and len(before.standing) != m):
            raise BadInput("give an operation, and what was found before, for each track", field="op")
        if m and int(tracks.position_error_mm.max()) > self._most_mm:
            raise BadInput("a track is known less well than the index was made for", field="position_error_mm")
        standing, volume = np.empty(m, dtype=np.int8), np.empty(m, dtype=np.int64)
        outside = np.zeros((m, 3))
        room = 2 * m + 1024
        while True:
            entries, answers = np.empty((room, 2), dtype=np.int64), np.empty(room, dtype=np.int8)
            count = self._follow(tracks, op, standing, volume, outside, entries, answers)
            if count <= room:
                break
            room = count
        entries, answers, exact = self._entered(tracks, entries[:count], answers[:count])
        asked = np.flatnonzero(standing == _ASK)
        for u in asked:
            self._ask(tracks, int(u), int(op[u]), standing, volume, outside)
        return self._told(tracks, standing, volume, outside, entries, answers, exact + len(asked), before)

    def _follow(
        self, tracks: TrackColumns, op: Any, standing: Any, volume: Any, outside: Any, entries: Any, answers: Any
    ) -> int:
        i, c = self.index, self._columns
        return int(
            _follow(
                tracks.lat_ndeg, tracks.lng_ndeg, tracks.alt_mm, tracks.ref, tracks.t_ms, tracks.position_error_mm,
                tracks.height_error_mm, op, i.op_first, i.by_op, c.op, c.start_ms, c.end_ms, c.kind, c.first,
                c.reach_mm, i.corners, i.bands, i.boxes, i.level, i.levels, i.rows, i.row_columns, i.mask, i.places,
                i.entries, i.epoch_ms, i.shift, self._margin_mm, self._minima.horizontal_mm / 1000,
                self._minima.vertical_mm, self._minima.time_ms, standing, volume, outside, entries, answers,
            )
        )  # fmt: skip

    def _entered(self, tracks: TrackColumns, entries: Any, answers: Any) -> tuple[Any, Any, int]:
        """The entries in order; what the map left open is put to the exact search."""
        order = np.lexsort((entries[:, 1], entries[:, 0]))
        entries, answers = entries[order], answers[order]
        asked = np.flatnonzero(answers == _ASK)
        left = np.ones(len(entries), dtype=np.bool_)
        for k in asked:
            u, v = (int(each) for each in entries[k])
            found = within(tracks.state(u), self._columns.volume(v), self._minima, pressure_margin_mm=self._margin_mm)
            left[k] = found is not Answer.SEPARATE
            answers[k] = CONFLICT if found is Answer.CONFLICT else TOO_CLOSE
        return entries[left], answers[left], len(asked)

    def _ask(self, tracks: TrackColumns, u: int, op: int, standing: Any, volume: Any, outside: Any) -> None:
        own = self.index.by_op[self.index.op_first[op] : self.index.op_first[op + 1]]
        found = conform(
            tracks.state(u), [self._columns.volume(int(v)) for v in own], pressure_margin_mm=self._margin_mm
        )
        standing[u], volume[u] = STANDINGS.index(found.standing), own[found.volume]
        outside[u] = found.horizontal_mm / 1000, found.vertical_mm, found.time_ms

    def _told(
        self, tracks: TrackColumns, standing: Any, volume: Any, outside: Any, entries: Any, answers: Any, exact: int,
        before: Followed | None,
    ) -> Followed:  # fmt: skip
        none = np.full(len(standing), -1, dtype=np.int64)
        nominal, off = standing == NOMINAL, (standing == UNSURE) | (standing == OUTSIDE)
        since = none if before is None else before.since_ms
        last = none if before is None else before.nominal_ms
        whole = np.maximum(0.0, outside)
        return Followed(
            standing, volume, np.rint(whole[:, 0] * 1000).astype(np.int64), whole[:, 1].astype(np.int64),
            outside[:, 2].astype(np.int64), np.where(off, np.where(since >= 0, since, tracks.t_ms), -1),
            np.where(nominal, tracks.t_ms, last), entries, answers, exact,
        )  # fmt: skip
