# SPDX-License-Identifier: Apache-2.0
"""Which boxes meet? A grid of latitude rows, swept in time; every meeting pair once, no matter how they are spread.

The Earth is cut into rows of equal height, and each row into as many columns as fit round it, so cells are about as
wide everywhere and no cell is special: columns count modulo their number. A box is put into every cell that it covers,
in the order of its first moment; in a cell each is held against those that begin before it ends. Cells live in hashed
buckets, so what is empty costs nothing, and two cells in one bucket cost a comparison, never a wrong answer.

A pair that shares several cells is told in one of them: in the row of the later southern edge, in the column of the
western edge of what both cover.

A box that would cover more than `CELLS_MAX` cells goes to a coarser grid (`LEVEL_FACTOR` times as wide), where it meets
its like in the same way; whatever is smaller is looked up there by its own moment, in the buckets that hold such a box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit

from wideberth.core.judge.fast.bounds import (
    LAT_HI,
    LAT_LO,
    LAT_UNITS,
    LNG_LO,
    LNG_WIDE,
    MASK,
    T_HI,
    T_LO,
    TURN,
    Z_HI,
    Z_LO,
)  # fmt: skip

if TYPE_CHECKING:
    from numpy.typing import NDArray

# An entry in a bucket: its box, and whose it is, which volume, in which cell.
OWNER, VOLUME, CELL = 8, 9, 10
ENTRY: Final = 12

CELLS_MAX: Final = 64
LEVEL_FACTOR: Final = 8
_SOUTH: Final = 90 * LAT_UNITS
_METRES_PER_UNIT: Final = 0.0111
CELL_METRES_LEAST: Final = 1_000.0
_ROW_LEAST: Final = int(CELL_METRES_LEAST / _METRES_PER_UNIT)
_ROW_GREATEST: Final = 2 * _SOUTH + 1
_BUCKETS_LEAST, _BUCKETS_MOST = 10, 20


@njit(cache=True, nogil=True)
def columns_of(row_height: int) -> Any:
    """How many columns each row has: about as wide as the row is high, at its middle."""
    rows = 2 * _SOUTH // row_height + 1
    counts = np.empty(rows, dtype=np.int64)
    around = 360.0 * LAT_UNITS / row_height
    for r in range(rows):
        lat = min(max(((r + 0.5) * row_height - _SOUTH) / LAT_UNITS, -90.0), 90.0)
        counts[r] = max(1, int(around * np.cos(np.radians(lat))))
    return counts


@njit(cache=True, nogil=True)
def firsts_of(counts: Any) -> Any:
    firsts = np.empty(len(counts), dtype=np.int64)
    total = 0
    for r in range(len(counts)):
        firsts[r] = total
        total += counts[r]
    return firsts


@njit(cache=True, nogil=True)
def cells_covered(box: Any, row_height: int, counts: Any, most: int) -> int:
    """How many cells a box covers; counting stops beyond `most`."""
    low = box[LNG_LO] & MASK
    wide = box[LNG_WIDE] & MASK
    total = 0
    for r in range((box[LAT_LO] + _SOUTH) // row_height, (box[LAT_HI] + _SOUTH) // row_height + 1):
        n = counts[r]
        total += min(((low + wide) * n >> 32) - (low * n >> 32) + 1, n)
        if total > most:
            break
    return int(total)


@njit(cache=True, nogil=True)
def by_time(boxes: Any) -> Any:
    """The numbers of the boxes in the order of their first moment (radix sort, stable)."""
    n = len(boxes)
    order, spare = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    for i in range(n):
        order[i] = i
    for digit in range(3):
        shift = 11 * digit
        places = np.zeros(2049, dtype=np.int64)
        for i in range(n):
            places[((boxes[i, T_LO] >> shift) & 2047) + 1] += 1
        for d in range(2048):
            places[d + 1] += places[d]
        for k in range(n):
            i = order[k]
            d = (boxes[i, T_LO] >> shift) & 2047
            spare[places[d]] = i
            places[d] += 1
        order, spare = spare, order
    return order


@njit(cache=True, nogil=True)
def _bucket(cell: int, bits: int) -> int:
    return ((cell * 2_654_435_761) & MASK) >> (32 - bits)


@njit(cache=True, nogil=True)
def _count(
    boxes: Any, order: Any, level: Any, here: int, below: bool, row_height: int, counts: Any, firsts: Any, bits: int,
    filled: Any,
) -> Any:  # fmt: skip
    """Where each bucket begins, for the boxes of this level, or for those of finer ones where `filled` has entries."""
    begins = np.zeros((1 << bits) + 1, dtype=np.int64)
    for k in range(len(order)):
        i = order[k]
        if (level[i] >= here) if below else (level[i] != here):
            continue
        box = boxes[i]
        low = box[LNG_LO] & MASK
        wide = box[LNG_WIDE] & MASK
        for r in range((box[LAT_LO] + _SOUTH) // row_height, (box[LAT_HI] + _SOUTH) // row_height + 1):
            n = counts[r]
            column = low * n >> 32
            for _ in range(min(((low + wide) * n >> 32) - column + 1, n)):
                b = _bucket(firsts[r] + (column if column < n else column - n), bits)
                if not below or filled[b + 1] > filled[b]:
                    begins[b + 1] += 1
                column += 1
    for b in range(1 << bits):
        begins[b + 1] += begins[b]
    return begins


@njit(cache=True, nogil=True)
def _fill(
    boxes: Any, order: Any, op: Any, level: Any, here: int, below: bool, row_height: int, counts: Any, firsts: Any,
    bits: int, begins: Any, filled: Any,
) -> Any:  # fmt: skip
    entries = np.empty((begins[-1], ENTRY), dtype=np.int32)
    place = begins[:-1].copy()
    for k in range(len(order)):
        i = order[k]
        if (level[i] >= here) if below else (level[i] != here):
            continue
        box = boxes[i]
        low = box[LNG_LO] & MASK
        wide = box[LNG_WIDE] & MASK
        for r in range((box[LAT_LO] + _SOUTH) // row_height, (box[LAT_HI] + _SOUTH) // row_height + 1):
            n = counts[r]
            column = low * n >> 32
            for _ in range(min(((low + wide) * n >> 32) - column + 1, n)):
                cell = firsts[r] + (column if column < n else column - n)
                column += 1
                b = _bucket(cell, bits)
                if below and filled[b + 1] == filled[b]:
                    continue
                entry = entries[place[b]]
                place[b] += 1
                for c in range(8):
                    entry[c] = box[c]
                entry[OWNER] = op[i]
                entry[VOLUME] = i
                entry[CELL] = cell
    return entries


@njit(cache=True, nogil=True)
def _meet(a: Any, b: Any, row_height: int, counts: Any, firsts: Any) -> bool:
    """Whether two entries of a bucket, near in time, meet in place, and this is the cell to say so."""
    if a[LAT_LO] > b[LAT_HI] or b[LAT_LO] > a[LAT_HI] or a[OWNER] == b[OWNER]:
        return False
    if a[Z_LO] > b[Z_HI] or b[Z_LO] > a[Z_HI] or a[CELL] != b[CELL]:
        return False
    if ((b[LNG_LO] - a[LNG_LO]) & MASK) <= (a[LNG_WIDE] & MASK):
        west = b[LNG_LO] & MASK
    elif ((a[LNG_LO] - b[LNG_LO]) & MASK) <= (b[LNG_WIDE] & MASK):
        west = a[LNG_LO] & MASK
    else:
        return False
    r = (max(a[LAT_LO], b[LAT_LO]) + _SOUTH) // row_height
    return bool(firsts[r] + (west * counts[r] >> 32) == a[CELL])


@njit(cache=True, nogil=True)
def _grown(pairs: Any) -> Any:
    wider = np.empty((2 * len(pairs), 2), dtype=np.int32)
    for k in range(len(pairs)):  # a slice here would take seconds to compile
        wider[k, 0] = pairs[k, 0]
        wider[k, 1] = pairs[k, 1]
    return wider


@njit(cache=True, nogil=True)
def _within(entries: Any, begins: Any, row_height: int, counts: Any, firsts: Any, pairs: Any, found: int) -> Any:
    """Pairs of one level."""
    for b in range(len(begins) - 1):
        end = begins[b + 1]
        for i in range(begins[b], end - 1):
            a = entries[i]
            until = a[T_HI]
            for j in range(i + 1, end):
                other = entries[j]
                if other[T_LO] >= until:
                    break
                if _meet(a, other, row_height, counts, firsts):
                    if found == len(pairs):
                        pairs = _grown(pairs)
                    pairs[found, 0] = a[VOLUME]
                    pairs[found, 1] = other[VOLUME]
                    found += 1
    return pairs, found


@njit(cache=True, nogil=True)
def _after(entries: Any, begin: int, end: int, moment: int, strictly: bool) -> int:
    """The first entry from `begin` that begins at `moment` or later (`strictly`: later)."""
    while begin < end:
        middle = (begin + end) // 2
        t = entries[middle, T_LO]
        if t < moment or (strictly and t == moment):
            begin = middle + 1
        else:
            end = middle
    return begin


@njit(cache=True, nogil=True)
def _across(
    wide: Any, wide_begins: Any, small: Any, small_begins: Any, row_height: int, counts: Any, firsts: Any, pairs: Any,
    found: int,
) -> Any:  # fmt: skip
    """Pairs of this level's boxes with smaller ones: whichever begins later is looked up in the other's window."""
    for b in range(len(wide_begins) - 1):
        w0, w1, s0, s1 = wide_begins[b], wide_begins[b + 1], small_begins[b], small_begins[b + 1]
        if w0 == w1 or s0 == s1:
            continue
        for turn in range(2):
            one, o0, o1 = (wide, w0, w1) if turn == 0 else (small, s0, s1)
            two, t0, t1 = (small, s0, s1) if turn == 0 else (wide, w0, w1)
            for i in range(o0, o1):
                a = one[i]
                until = a[T_HI]
                for j in range(_after(two, t0, t1, a[T_LO], turn == 1), t1):
                    other = two[j]
                    if other[T_LO] >= until:
                        break
                    if _meet(a, other, row_height, counts, firsts):
                        if found == len(pairs):
                            pairs = _grown(pairs)
                        pairs[found, 0] = a[VOLUME]
                        pairs[found, 1] = other[VOLUME]
                        found += 1
    return pairs, found


@njit(cache=True, nogil=True)
def _settle(boxes: Any, row_height: int, counts: Any, level: Any, here: int, last: bool) -> Any:
    """Give this level to the boxes that have none and fit. How many cells those cover, and how many do not fit."""
    total = left = 0
    for i in range(len(boxes)):
        if level[i] < 0:
            covered = cells_covered(boxes[i], row_height, counts, CELLS_MAX)
            if last or covered <= CELLS_MAX:
                level[i] = here
                total += covered
            else:
                left += 1
    return total, left


def _sweep(boxes: NDArray[np.int32], op: NDArray[np.int32], row_height: int) -> NDArray[np.int32]:
    # Plain Python between the kernels: called from one another they would all be compiled twice.
    order = by_time(boxes)
    level = np.full(len(boxes), -1, dtype=np.int8)
    pairs = np.empty((1024, 2), dtype=np.int32)
    nothing = np.zeros(1, dtype=np.int64)
    found, here, left = 0, 0, len(boxes)
    while left:
        counts = columns_of(row_height)
        firsts = firsts_of(counts)
        total, left = _settle(boxes, row_height, counts, level, here, row_height >= _ROW_GREATEST)
        if total:
            bits = min(max((total // 8).bit_length(), _BUCKETS_LEAST), _BUCKETS_MOST)
            grid = (row_height, counts, firsts)
            begins = _count(boxes, order, level, here, False, *grid, bits, nothing)
            entries = _fill(boxes, order, op, level, here, False, *grid, bits, begins, nothing)
            pairs, found = _within(entries, begins, *grid, pairs, found)
            if here:
                under = _count(boxes, order, level, here, True, *grid, bits, begins)
                small = _fill(boxes, order, op, level, here, True, *grid, bits, under, begins)
                pairs, found = _across(entries, begins, small, under, *grid, pairs, found)
        here += 1
        row_height = min(row_height * LEVEL_FACTOR, _ROW_GREATEST)
    return pairs[:found]


def row_height_for(boxes: NDArray[np.int32]) -> int:
    """A row about as high as most boxes, in units of latitude."""
    sample = boxes[:: max(1, len(boxes) // 4096)]
    high = np.median(sample[:, LAT_HI].astype(np.int64) - sample[:, LAT_LO])
    return int(min(max(1.5 * high, _ROW_LEAST), _ROW_GREATEST))


def meeting(boxes: NDArray[np.int32], op: NDArray[np.int32], row_height: int = 0) -> NDArray[np.int32]:
    """Every pair of boxes of different owners that meet in space, height and time, once: (k, 2) numbers of boxes."""
    if len(boxes) < 2:
        return np.empty((0, 2), dtype=np.int32)
    return _sweep(boxes, op, row_height or row_height_for(boxes))


assert TURN == MASK + 1
