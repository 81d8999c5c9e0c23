# SPDX-License-Identifier: Apache-2.0
"""Which boxes meet? A grid of latitude rows, swept in time; every meeting pair once, no matter how they are spread.

The Earth is cut into rows of equal height, and each row into as many columns as fit round it, so cells are about as
wide everywhere and no cell is special: columns count modulo their number. A box is put into every cell that it covers,
in the order of its first moment; in a cell each is held against those that begin before it ends. Cells live in hashed
buckets, so what is empty costs nothing, and two cells in one bucket cost a comparison, never a wrong answer.

A pair that shares several cells is told in one of them: in the row of the later southern edge, in the column of the
western edge of what both cover.

The whole goes in slabs of time, so that the entries of one stay in the processor's caches.

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

# An entry in a bucket: its box, with the longitudes counted from the western edge of the cell (`WEST`, `EAST`), and
# whose it is, which box, in which cell.
WEST, EAST = LNG_LO, LNG_WIDE
OWNER, VOLUME, CELL = 8, 9, 10
ENTRY: Final = 12
_FAR: Final = (1 << 31) - 1
# So many entries are held against one at a time.
_LANES: Final = 16

CELLS_MAX: Final = 256
SLAB: Final = 200_000
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
def _radix(keys: Any, spare: Any, shift: int, bits: int) -> None:
    """One stable pass of a radix sort of `keys` into `spare`."""
    places = np.zeros((1 << bits) + 1, dtype=np.int64)
    mask = (1 << bits) - 1
    for k in range(len(keys)):
        places[((keys[k] >> shift) & mask) + 1] += 1
    for d in range(1 << bits):
        places[d + 1] += places[d]
    for k in range(len(keys)):
        d = (keys[k] >> shift) & mask
        spare[places[d]] = keys[k]
        places[d] += 1


def by_time(boxes: NDArray[np.int32]) -> NDArray[np.int32]:
    """The numbers of the boxes in the order of their first moment, and of their number where that is the same."""
    keys = boxes[:, T_LO].astype(np.int64)
    bits = -(-max(int(keys.max()).bit_length(), 2) // 2)
    keys = (keys << 32) | np.arange(len(boxes))
    spare = np.empty_like(keys)
    _radix(keys, spare, 32, bits)
    _radix(spare, keys, 32 + bits, bits)
    return keys.astype(np.int32)  # the low half


@njit(cache=True, nogil=True)
def _bucket(cell: int, bits: int) -> int:
    return ((cell * 2_654_435_761) & MASK) >> (32 - bits)


@njit(cache=True, nogil=True)
def _count(
    boxes: Any, level: Any, here: int, below: bool, row_height: int, counts: Any, firsts: Any, bits: int, filled: Any
) -> Any:  # fmt: skip
    """Where each bucket begins, for the boxes of this level, or for those of finer ones where `filled` has entries."""
    begins = np.zeros((1 << bits) + 1, dtype=np.int64)
    for i in range(len(boxes)):
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
    boxes: Any, op: Any, level: Any, here: int, below: bool, row_height: int, counts: Any, firsts: Any, bits: int,
    begins: Any, filled: Any, entries: Any,
) -> None:  # fmt: skip
    place = begins[:-1].copy()
    for i in range(len(boxes)):
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
                b = _bucket(cell, bits)
                if below and filled[b + 1] == filled[b]:
                    column += 1
                    continue
                entry = entries[place[b]]
                place[b] += 1
                for c in range(8):
                    entry[c] = box[c]
                # What counts is what two boxes share in this column: where it is narrower than a quarter turn, and a
                # box no wider than half of one, plain numbers from its edge on say that. Else everything is near.
                entry[WEST], entry[EAST] = -_FAR, _FAR
                if n > 4 and wide < _FAR:
                    edge = (((column if column < n else column - n) << 32) + n - 1) // n
                    west = ((low - edge + (1 << 31)) & MASK) - (1 << 31)
                    entry[WEST] = west
                    entry[EAST] = min(west + wide, _FAR)
                entry[OWNER] = op[i]
                entry[VOLUME] = i
                entry[CELL] = cell
                column += 1


@njit(cache=True, nogil=True)
def _meet(a: Any, b: Any) -> bool:
    """Whether two entries of one cell, near in time, meet in place."""
    return bool(
        (a[LAT_LO] <= b[LAT_HI])
        & (b[LAT_LO] <= a[LAT_HI])
        & (a[Z_LO] <= b[Z_HI])
        & (b[Z_LO] <= a[Z_HI])
        & (a[WEST] <= b[EAST])
        & (b[WEST] <= a[EAST])
        & (a[CELL] == b[CELL])
        & (a[OWNER] != b[OWNER])
    )


@njit(cache=True, nogil=True)
def _told_here(one: Any, two: Any, cell: int, row_height: int, counts: Any, firsts: Any) -> bool:
    """Whether this is the cell in which two boxes that meet are told. `one` is the same whichever cell asks."""
    if ((two[LNG_LO] - one[LNG_LO]) & MASK) <= (one[LNG_WIDE] & MASK):
        edge = two[LNG_LO] & MASK
    else:
        edge = one[LNG_LO] & MASK
    r = (max(one[LAT_LO], two[LAT_LO]) + _SOUTH) // row_height
    return bool(firsts[r] + (edge * counts[r] >> 32) == cell)


@njit(cache=True, nogil=True)
def _told(boxes: Any, a: Any, b: Any, row_height: int, counts: Any, firsts: Any, pairs: Any, found: int) -> Any:
    """The pairs with this one, when it is told in this cell."""
    i, j = min(a[VOLUME], b[VOLUME]), max(a[VOLUME], b[VOLUME])
    if not _told_here(boxes[i], boxes[j], a[CELL], row_height, counts, firsts):
        return pairs, found
    if found == len(pairs):
        wider = np.empty((2 * found, 2), dtype=np.int32)
        for k in range(found):  # a slice here would take seconds to compile
            wider[k, 0] = pairs[k, 0]
            wider[k, 1] = pairs[k, 1]
        pairs = wider
    pairs[found, 0] = i
    pairs[found, 1] = j
    return pairs, found + 1


@njit(cache=True, nogil=True)
def _within(
    boxes: Any, entries: Any, begins: Any, old: int, row_height: int, counts: Any, firsts: Any, pairs: Any, found: int
) -> Any:
    """Pairs of one level, but those of the first `old` boxes with each other."""
    most = 0
    for b in range(len(begins) - 1):
        most = max(most, begins[b + 1] - begins[b])
    room = most + 2 * _LANES
    lanes = np.empty((9, room), dtype=np.int32)
    t_lo, lat_lo, lat_hi, z_lo, z_hi = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4]
    west, east, owner, cell = lanes[5], lanes[6], lanes[7], lanes[8]
    for b in range(len(begins) - 1):
        begin = begins[b]
        n = begins[b + 1] - begin
        if n < 2:
            continue
        # Column by column, so that many are compared at once; what comes after the last begins too late to meet any.
        new = 0
        for k in range(n):
            e = entries[begin + k]
            t_lo[k], lat_lo[k], lat_hi[k], z_lo[k], z_hi[k] = e[T_LO], e[LAT_LO], e[LAT_HI], e[Z_LO], e[Z_HI]
            west[k], east[k], owner[k], cell[k] = e[WEST], e[EAST], e[OWNER], e[CELL]
            if e[VOLUME] < old:
                new = k + 1
        for k in range(n, n + _LANES):
            t_lo[k] = _FAR
            cell[k] = -1
        for i in range(n - 1):
            a = entries[begin + i]
            until, south, north, low, high = a[T_HI], a[LAT_LO], a[LAT_HI], a[Z_LO], a[Z_HI]
            left, right, whose, where = a[WEST], a[EAST], a[OWNER], a[CELL]
            j = max(i + 1, new)
            while t_lo[j] < until:
                hits = 0
                for k in range(j, j + _LANES):
                    hits += (
                        (t_lo[k] < until)
                        & (lat_lo[k] <= north)
                        & (lat_hi[k] >= south)
                        & (z_lo[k] <= high)
                        & (z_hi[k] >= low)
                        & (west[k] <= right)
                        & (east[k] >= left)
                        & (cell[k] == where)
                        & (owner[k] != whose)
                    )
                if hits:
                    for k in range(j, min(j + _LANES, n)):
                        other = entries[begin + k]
                        if other[T_LO] < until and _meet(a, other):
                            pairs, found = _told(boxes, a, other, row_height, counts, firsts, pairs, found)
                j += _LANES
                if j >= n:
                    break
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
    boxes: Any, wide: Any, wide_begins: Any, small: Any, small_begins: Any, old: int, row_height: int, counts: Any,
    firsts: Any, pairs: Any, found: int,
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
                    if a[VOLUME] < old and other[VOLUME] < old:
                        continue
                    if _meet(a, other):
                        pairs, found = _told(boxes, a, other, row_height, counts, firsts, pairs, found)
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


class _Room:
    """Entries for one slab after the other, in the same memory: numpy's own, which may lie in large pages."""

    def __init__(self) -> None:
        self._entries = np.empty((0, ENTRY), dtype=np.int32)

    def of(self, count: int) -> NDArray[np.int32]:
        if count > len(self._entries):
            self._entries = np.empty((count + count // 4, ENTRY), dtype=np.int32)
        return self._entries


def _slab(
    boxes: NDArray[np.int32], op: NDArray[np.int32], old: int, row_height: int, room: tuple[_Room, _Room]
) -> NDArray[np.int32]:
    """Pairs of boxes in the order of time, but those of the first `old` with each other."""
    # Plain Python between the kernels: called from one another they would all be compiled twice.
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
            begins = _count(boxes, level, here, False, *grid, bits, nothing)
            entries = room[0].of(total)
            _fill(boxes, op, level, here, False, *grid, bits, begins, nothing, entries)
            pairs, found = _within(boxes, entries, begins, old, *grid, pairs, found)
            if here:
                under = _count(boxes, level, here, True, *grid, bits, begins)
                small = room[1].of(int(under[-1]))
                _fill(boxes, op, level, here, True, *grid, bits, under, begins, small)
                pairs, found = _across(boxes, entries, begins, small, under, old, *grid, pairs, found)
        here += 1
        row_height = min(row_height * LEVEL_FACTOR, _ROW_GREATEST)
    return pairs[:found]


@njit(cache=True, nogil=True)
def _cost(boxes: Any, moments: Any, row_height: int, counts: Any, firsts: Any) -> float:
    """What a grid would cost, in entries, going by the boxes that are there at some moments: a comparison costs about
    an eighth of an entry."""
    entries = meetings = 0
    for m in range(len(moments)):
        moment = moments[m]
        held = np.zeros(1 << 14, dtype=np.int32)
        for i in range(len(boxes)):
            box = boxes[i]
            if box[T_LO] > moment:
                break
            if box[T_HI] <= moment:
                continue
            low = box[LNG_LO] & MASK
            wide = box[LNG_WIDE] & MASK
            south, north = (box[LAT_LO] + _SOUTH) // row_height, (box[LAT_HI] + _SOUTH) // row_height
            if (north - south + 1) ** 2 > CELLS_MAX:
                continue
            for r in range(south, north + 1):
                n = counts[r]
                column = low * n >> 32
                for _ in range(min(((low + wide) * n >> 32) - column + 1, CELLS_MAX)):
                    b = _bucket(firsts[r] + (column if column < n else column - n), 14)
                    meetings += held[b]
                    held[b] += 1
                    entries += 1
                    column += 1
    return entries + meetings / 8.0


def row_height_for(boxes: NDArray[np.int32]) -> int:
    """The cheapest of some heights of rows, in units of latitude, for boxes in the order of their first moment.

    Small cells are entered often, large ones hold much that does not meet: what is better depends on the crowd.
    """
    moments = boxes[[len(boxes) // 4, len(boxes) // 2, 3 * len(boxes) // 4], T_LO]
    sample = boxes[:: max(1, len(boxes) // 4096)]
    usual = float(np.median(sample[:, LAT_HI].astype(np.int64) - sample[:, LAT_LO]))
    best, cheapest = _ROW_GREATEST, np.inf
    for share in (0.7, 1.0, 1.5, 2.2, 3.3, 5.0, 7.5):
        row_height = int(min(max(share * usual, _ROW_LEAST), _ROW_GREATEST))
        counts = columns_of(row_height)
        cost = _cost(boxes, moments, row_height, counts, firsts_of(counts))
        if cost < cheapest:
            best, cheapest = row_height, cost
    return best


def meeting(boxes: NDArray[np.int32], op: NDArray[np.int32], row_height: int = 0) -> NDArray[np.int32]:
    """Every pair of boxes of different owners that meet in space, height and time, once: (k, 2) numbers of boxes."""
    if len(boxes) < 2:
        return np.empty((0, 2), dtype=np.int32)
    order = by_time(boxes)
    boxes, op = boxes[order], op[order]
    row_height = row_height or row_height_for(boxes)
    room = _Room(), _Room()
    found = []
    lasting = np.empty(0, dtype=np.int64)
    begin = 0
    while begin < len(boxes):
        # A slab of time, which the caches hold; what lasts from before it comes along, and never outweighs it.
        end = begin + max(SLAB, 2 * len(lasting))
        here = np.concatenate((lasting, np.arange(begin, min(end, len(boxes)))))
        pairs = _slab(boxes[here], op[here], len(lasting), row_height, room)
        found.append(order[here[pairs]])
        if end < len(boxes):
            lasting = here[boxes[here, T_HI] > boxes[end, T_LO]]
        begin = end
    return np.concatenate(found)


assert TURN == MASK + 1
