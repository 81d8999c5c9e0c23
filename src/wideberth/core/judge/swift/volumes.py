# SPDX-License-Identifier: Apache-2.0
"""Many volumes made ready for many tracks: their vertices in Earth-centred metres, and an index of place and time.

The Earth is cut into rows of latitude, each into as many columns as fit round it, and time into slots. Columns count
modulo their number, so no place is special (as in `fast/sweep.py`). A volume goes into each cell that its box covers
(`fast/bounds.py`, outward), in hashed buckets: what is empty costs nothing. A box that would cover more than
`CELLS_MAX` cells goes to a level whose cells are `FACTOR` times as wide and as long, and a track looks into every level
in use.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit

from wideberth.core.judge.columns import RING, Columns
from wideberth.core.judge.fast.bounds import (
    BOX,
    LAT_HI,
    LAT_LO,
    LAT_UNITS,
    LNG_LO,
    LNG_WIDE,
    MASK,
    T_HI,
    T_LO,
    put_place,
    spine_box,
)  # fmt: skip
from wideberth.core.judge.fast.heights import least_difference
from wideberth.core.say.geodesy import A_M, E2

CELLS_MAX: Final = 64
FACTOR: Final = 4
LEVELS: Final = 8
SOUTH: Final = 90 * LAT_UNITS
_ROW_LEAST: Final = 50_000  # 555 m
_ROW_GREATEST: Final = 2 * SOUTH + 1
_RAD_PER_NDEG: Final = math.pi / 180e9


@njit(cache=True, nogil=True)
def _columns_of(row_height: int) -> Any:
    """How many columns each row has: about as wide as the row is high, at its middle."""
    counts = np.empty(2 * SOUTH // row_height + 1, dtype=np.int64)
    for r in range(len(counts)):
        lat = min(max(((r + 0.5) * row_height - SOUTH) / LAT_UNITS, -90.0), 90.0)
        counts[r] = max(1, int(360.0 * LAT_UNITS / row_height * math.cos(math.radians(lat))))
    return counts


@njit(cache=True, nogil=True)
def _boxes(
    start_ms: Any, end_ms: Any, kind: Any, first: Any, lat_ndeg: Any, lng_ndeg: Any, reach_mm: Any,
    grown_m: float, late_ms: int, epoch_ms: int, shift: int, boxes: Any,
) -> None:  # fmt: skip
    """Latitude, longitude and time of each volume, grown by the minima, outward."""
    for i in range(len(start_ms)):
        box = boxes[i]
        box[T_LO] = (start_ms[i] - late_ms - epoch_ms) >> shift
        box[T_HI] = (end_ms[i] + late_ms - epoch_ms) >> shift
        south, north, west, wide = spine_box(
            lat_ndeg, lng_ndeg, first[i], first[i + 1], kind[i] == RING, reach_mm[i] / 1000 + grown_m
        )
        put_place(box, south, north, west, wide)


@njit(cache=True, nogil=True)
def bucket(level: int, row: int, column: int, slot: int, mask: int) -> int:
    """The bucket of a cell: two cells may share one, which costs a comparison and never an answer."""
    mixed = row * 73_856_093 ^ column * 19_349_663 ^ slot * 83_492_791 ^ level * 40_503
    return int((mixed ^ (mixed >> 15)) & mask)


@njit(cache=True, nogil=True)
def _cells(box: Any, row_height: int, slot_length: int, counts: Any) -> int:
    """How many cells of a level a box covers; counting stops beyond `CELLS_MAX`."""
    low, wide = box[LNG_LO] & MASK, box[LNG_WIDE] & MASK
    slots = box[T_HI] // slot_length - box[T_LO] // slot_length + 1
    total = 0
    for r in range((box[LAT_LO] + SOUTH) // row_height, (box[LAT_HI] + SOUTH) // row_height + 1):
        n = counts[r]
        total += min(((low + wide) * n >> 32) - (low * n >> 32) + 1, n) * slots
        if total > CELLS_MAX:
            break
    return int(total)


@njit(cache=True, nogil=True)
def _levels(boxes: Any, here: int, row_height: int, slot_length: int, counts: Any, level: Any) -> None:
    """Put each box that has no level yet into this one, if it fits or there is no wider one."""
    for i in range(len(boxes)):
        if level[i] < 0 and (here == LEVELS - 1 or _cells(boxes[i], row_height, slot_length, counts) <= CELLS_MAX):
            level[i] = here


@njit(cache=True, nogil=True)
def _fill(
    boxes: Any, here: int, row_height: int, slot_length: int, counts: Any, level: Any, mask: int, places: Any, out: Any
) -> None:
    """Count the entries of each bucket (`out` empty), or write them where `places` says."""
    for i in range(len(boxes)):
        if level[i] != here:
            continue
        box = boxes[i]
        low, wide = box[LNG_LO] & MASK, box[LNG_WIDE] & MASK
        for r in range((box[LAT_LO] + SOUTH) // row_height, (box[LAT_HI] + SOUTH) // row_height + 1):
            n = counts[r]
            first = low * n >> 32
            for c in range(first, first + min(((low + wide) * n >> 32) - first + 1, n)):
                for slot in range(box[T_LO] // slot_length, box[T_HI] // slot_length + 1):
                    b = bucket(here, r, c % n, slot, mask)
                    if len(out):
                        out[places[b]] = i
                    places[b] += 1


@njit(cache=True, nogil=True)
def _corners(lat_ndeg: Any, lng_ndeg: Any, out: Any) -> None:
    for k in range(len(lat_ndeg)):
        lat, lng = lat_ndeg[k] * _RAD_PER_NDEG, lng_ndeg[k] * _RAD_PER_NDEG
        sine, cosine = math.sin(lat), math.cos(lat)
        n = A_M / math.sqrt(1.0 - E2 * sine * sine)
        out[k, 0], out[k, 1] = n * cosine * math.cos(lng), n * cosine * math.sin(lng)
        out[k, 2] = n * (1.0 - E2) * sine


@njit(cache=True, nogil=True)
def _bands(low_mm: Any, low_ref: Any, high_mm: Any, high_ref: Any, margin_mm: int, out: Any) -> None:
    """Floor and top of each, with their references, as `ends_in_order` has them."""
    for i in range(len(low_mm)):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = low_mm[i], low_ref[i], high_mm[i], high_ref[i]
        if low_ref[i] != high_ref[i] and (
            least_difference(low_mm[i], low_ref[i], high_mm[i], high_ref[i], margin_mm) > 0
        ):
            out[i, 0], out[i, 1], out[i, 2], out[i, 3] = high_mm[i], high_ref[i], low_mm[i], low_ref[i]


class Index:
    """Arrays that the kernels of `following.py` read. `levels` (k, 3): level, height of a row, length of a slot."""

    def __init__(self, columns: Columns, horizontal_mm: int, time_ms: int, margin_mm: int) -> None:
        n = len(columns)
        self.corners = np.empty((len(columns.lat_ndeg), 3))
        _corners(columns.lat_ndeg, columns.lng_ndeg, self.corners)
        self.bands = np.empty((n, 4), dtype=np.int64)
        _bands(columns.low_mm, columns.low_ref, columns.high_mm, columns.high_ref, margin_mm, self.bands)
        # Whose volumes are which: `by_op[op_first[o]:op_first[o + 1]]`, ascending.
        self.by_op = np.argsort(columns.op, kind="stable")
        ops = int(columns.op.max()) + 1 if n else 0
        self.op_first = np.searchsorted(columns.op[self.by_op], np.arange(ops + 1))
        self.epoch_ms = int(columns.start_ms.min()) - time_ms if n else 0
        span = (int(columns.end_ms.max()) + time_ms - self.epoch_ms) if n else 0
        self.shift = max(0, span.bit_length() - 30)
        boxes = np.zeros((n, BOX), dtype=np.int32)
        _boxes(
            columns.start_ms, columns.end_ms, columns.kind, columns.first, columns.lat_ndeg, columns.lng_ndeg,
            columns.reach_mm, horizontal_mm / 1000 + 0.01, time_ms, self.epoch_ms, self.shift, boxes,
        )  # fmt: skip
        self.boxes = boxes
        self._file(boxes)

    def _file(self, boxes: Any) -> None:
        n = len(boxes)
        level = np.full(n, -1, dtype=np.int8)
        row, slot = _ROW_GREATEST, 1
        if n:
            row = int(np.clip(np.median(boxes[:, LAT_HI] - boxes[:, LAT_LO]), _ROW_LEAST, _ROW_GREATEST))
            slot = max(1, int(np.median(boxes[:, T_HI] - boxes[:, T_LO])))
        grids = []
        for here in range(LEVELS):
            height, length = min(row * FACTOR**here, _ROW_GREATEST), min(slot * FACTOR**here, 1 << 31)
            counts = _columns_of(height)
            _levels(boxes, here, height, length, counts, level)
            if (level == here).any():
                grids.append((here, height, length, counts))
        self.level = level
        self.levels = np.array([grid[:3] for grid in grids], dtype=np.int64).reshape(-1, 3)
        self.counts = [grid[3] for grid in grids]
        self.rows = np.cumsum([0, *(len(c) for c in self.counts)])
        self.row_columns = np.concatenate(self.counts) if grids else np.empty(0, dtype=np.int64)
        self.mask = (1 << max(4, (4 * n).bit_length() - 1)) - 1
        self.places = np.zeros(self.mask + 2, dtype=np.int64)
        for grid in grids:
            _fill(boxes, *grid, level, self.mask, self.places, np.empty(0, dtype=np.int32))
        self.places = np.concatenate(([0], np.cumsum(self.places)))[: self.mask + 2]
        self.entries = np.empty(int(self.places[-1]), dtype=np.int32)
        nexts = self.places.copy()
        for grid in grids:
            _fill(boxes, *grid, level, self.mask, nexts, self.entries)

    @property
    def bytes(self) -> int:
        """What the index and the arrays beside the columns take."""
        held = (self.corners, self.bands, self.by_op, self.op_first, self.boxes, self.places, self.entries)
        return sum(int(array.nbytes) for array in held) + int(self.row_columns.nbytes)
