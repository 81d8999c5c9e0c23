# SPDX-License-Identifier: Apache-2.0
"""Which boxes meet? Every cell of the grid is swept in time; every meeting pair is told once, however they are spread.

Boxes are entered in the order of their first moment, so in a cell each is held against those that begin before it ends,
sixteen at a time. A pair that shares several cells is told in one of them: in the row of the later southern edge, in
the column of the western edge of what both cover. The whole goes in slabs of time, so that what is at work stays in the
processor's caches.

A box that would cover more than `CELLS_MAX` cells goes to a coarser grid (`LEVEL_FACTOR` times as wide), where it meets
its like in the same way; whatever is smaller is looked up there by its own moment, in the buckets that hold such a box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit

from wideberth.core.judge.fast.bounds import LAT_HI, LAT_LO, LNG_LO, LNG_WIDE, MASK, T_HI, T_LO, Z_HI, Z_LO
from wideberth.core.judge.fast.grid import (
    COLUMN_BITS,
    ROW_GREATEST,
    ROW_LEAST,
    SOUTH,
    bucket_of,
    cells_covered,
    columns_of,
    count,
    fill,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELLS_MAX: Final = 256
LEVEL_FACTOR: Final = 8
SLAB: Final = 100_000
_BUCKETS_LEAST, _BUCKETS_MOST = 10, 20

# What a bucket holds, unpacked, a row for each of these; longitudes are counted from the western edge of the cell.
_T_LO, _T_HI, _SOUTH, _NORTH, _LOW, _HIGH, _WEST, _EAST, _OWNER, _CELL, _BOX = range(11)
_ROWS: Final = 11
_FAR: Final = (1 << 31) - 1
# So many entries are held against one at a time.
_LANES: Final = 16


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
def _unpack(boxes: Any, op: Any, entries: Any, begin: int, end: int, counts: Any, to: Any) -> None:
    """A bucket's entries, side by side, and after them some that begin too late to meet anything."""
    last, n, edge = -1, 0, 0
    for k in range(end - begin):
        entry = entries[begin + k]
        i, cell = entry & MASK, entry >> 32
        if cell != last:  # mostly there is one in a bucket
            last, n = cell, counts[cell >> COLUMN_BITS]
            # Up to a unit west of the true edge: what begins in this column begins no farther west.
            edge = ((cell & ((1 << COLUMN_BITS) - 1)) << 32) // n
        box = boxes[i]
        to[_T_LO, k], to[_T_HI, k], to[_LOW, k], to[_HIGH, k] = box[T_LO], box[T_HI], box[Z_LO], box[Z_HI]
        to[_SOUTH, k], to[_NORTH, k], to[_OWNER, k], to[_CELL, k] = box[LAT_LO], box[LAT_HI], op[i], cell
        to[_BOX, k] = i
        # What counts is what two boxes share in this column: where it is narrower than a quarter turn, and a box no
        # wider than half of one, plain numbers from its edge on say that. Else everything is near.
        to[_WEST, k], to[_EAST, k] = -_FAR, _FAR
        wide = box[LNG_WIDE] & MASK
        if n > 4 and wide < _FAR:
            west = (((box[LNG_LO] & MASK) - edge + (1 << 31)) & MASK) - (1 << 31)
            to[_WEST, k] = west
            to[_EAST, k] = min(west + wide, _FAR)
    for k in range(end - begin, end - begin + _LANES):
        to[_T_LO, k] = _FAR
        to[_CELL, k] = -1


@njit(cache=True, nogil=True)
def _is_told_in(a: Any, b: Any, cell: int, row_height: int, counts: Any) -> bool:
    """Whether two boxes that seem to meet do so in longitude, and are told in this cell. `a` is the same whichever cell
    asks."""
    if ((b[LNG_LO] - a[LNG_LO]) & MASK) <= (a[LNG_WIDE] & MASK):
        edge = b[LNG_LO] & MASK
    elif ((a[LNG_LO] - b[LNG_LO]) & MASK) <= (b[LNG_WIDE] & MASK):
        edge = a[LNG_LO] & MASK
    else:
        return False
    r = (max(a[LAT_LO], b[LAT_LO]) + SOUTH) // row_height
    return bool((r << COLUMN_BITS | (edge * counts[r] >> 32)) == cell)


@njit(cache=True, nogil=True)
def _wider(pairs: Any) -> Any:
    wider = np.empty((2 * len(pairs), 2), dtype=np.int32)
    for k in range(len(pairs)):  # a slice here would take seconds to compile
        wider[k, 0] = pairs[k, 0]
        wider[k, 1] = pairs[k, 1]
    return wider


@njit(cache=True, nogil=True)
def _against(
    boxes: Any, a: Any, i: int, b: Any, j: int, end: int, row_height: int, counts: Any, pairs: Any, found: int
) -> int:  # fmt: skip
    """Put into `pairs` those of entry `i` of `a` with the entries of `b` from `j` on, up to the first that begins after
    it ends. How many there are in all; -1 when there was no room, and then it is to be asked again."""
    until, south, north, low, high = a[_T_HI, i], a[_SOUTH, i], a[_NORTH, i], a[_LOW, i], a[_HIGH, i]
    west, east, owner, cell = a[_WEST, i], a[_EAST, i], a[_OWNER, i], a[_CELL, i]
    while j < end and b[_T_LO, j] < until:
        hits = 0
        # Without branches, for what each part will say cannot be guessed; this becomes one comparison of sixteen.
        # The place has no sign, so that it is not looked at for being below 0.
        for k in range(np.uint64(j), np.uint64(j + _LANES)):
            hits += (
                (b[_T_LO, k] < until)
                & (b[_SOUTH, k] <= north)
                & (b[_NORTH, k] >= south)
                & (b[_LOW, k] <= high)
                & (b[_HIGH, k] >= low)
                & (b[_WEST, k] <= east)
                & (b[_EAST, k] >= west)
                & (b[_CELL, k] == cell)
                & (b[_OWNER, k] != owner)
            )
        if hits:
            if found + _LANES > len(pairs):
                return -1
            for k in range(j, min(j + _LANES, end)):
                if (
                    b[_T_LO, k] < until
                    and b[_SOUTH, k] <= north
                    and b[_NORTH, k] >= south
                    and b[_LOW, k] <= high
                    and b[_HIGH, k] >= low
                    and b[_WEST, k] <= east
                    and b[_EAST, k] >= west
                    and b[_CELL, k] == cell
                    and b[_OWNER, k] != owner
                ):
                    one, two = min(a[_BOX, i], b[_BOX, k]), max(a[_BOX, i], b[_BOX, k])
                    if _is_told_in(boxes[one], boxes[two], cell, row_height, counts):
                        pairs[found, 0] = one
                        pairs[found, 1] = two
                        found += 1
        j += _LANES
    return found


@njit(cache=True, nogil=True)
def _most(begins: Any) -> int:
    most = 0
    for b in range(len(begins) - 1):
        most = max(most, begins[b + 1] - begins[b])
    return int(most) + 2 * _LANES


@njit(cache=True, nogil=True)
def _within(
    boxes: Any, op: Any, entries: Any, begins: Any, old: int, row_height: int, counts: Any, pairs: Any, found: int
) -> Any:  # fmt: skip
    """Pairs of one level, but those of the first `old` boxes with each other."""
    lanes = np.empty((_ROWS, _most(begins)), dtype=np.int32)
    for b in range(len(begins) - 1):
        n = begins[b + 1] - begins[b]
        if n < 2:
            continue
        _unpack(boxes, op, entries, begins[b], begins[b + 1], counts, lanes)
        new = 0
        while new < n and lanes[_BOX, new] < old:
            new += 1
        for i in range(n - 1):
            more = _against(boxes, lanes, i, lanes, max(i + 1, new), n, row_height, counts, pairs, found)
            while more < 0:
                pairs = _wider(pairs)
                more = _against(boxes, lanes, i, lanes, max(i + 1, new), n, row_height, counts, pairs, found)
            found = more
    return pairs, found


@njit(cache=True, nogil=True)
def _after(begins: Any, end: int, moment: int, strictly: bool) -> int:
    """The first entry that begins at `moment` or later (`strictly`: later)."""
    begin = 0
    while begin < end:
        middle = (begin + end) // 2
        if begins[middle] < moment or (strictly and begins[middle] == moment):
            begin = middle + 1
        else:
            end = middle
    return begin


@njit(cache=True, nogil=True)
def _across(
    boxes: Any, op: Any, wide: Any, wide_begins: Any, small: Any, small_begins: Any, old: int, row_height: int,
    counts: Any, pairs: Any, found: int,
) -> Any:  # fmt: skip
    """Pairs of this level's boxes with smaller ones, but of old with old: whichever begins later is looked up in the
    other's window."""
    large = np.empty((_ROWS, _most(wide_begins)), dtype=np.int32)
    little = np.empty((_ROWS, _most(small_begins)), dtype=np.int32)
    for b in range(len(wide_begins) - 1):
        n, m = wide_begins[b + 1] - wide_begins[b], small_begins[b + 1] - small_begins[b]
        if n == 0 or m == 0:
            continue
        _unpack(boxes, op, wide, wide_begins[b], wide_begins[b + 1], counts, large)
        _unpack(boxes, op, small, small_begins[b], small_begins[b + 1], counts, little)
        new_large = new_little = 0
        while new_large < n and large[_BOX, new_large] < old:
            new_large += 1
        while new_little < m and little[_BOX, new_little] < old:
            new_little += 1
        for i in range(n):
            j = _after(little[_T_LO], m, large[_T_LO, i], False)
            if i < new_large:
                j = max(j, new_little)
            more = _against(boxes, large, i, little, j, m, row_height, counts, pairs, found)
            while more < 0:
                pairs = _wider(pairs)
                more = _against(boxes, large, i, little, j, m, row_height, counts, pairs, found)
            found = more
        for i in range(m):
            j = _after(large[_T_LO], n, little[_T_LO, i], True)
            if i < new_little:
                j = max(j, new_large)
            more = _against(boxes, little, i, large, j, n, row_height, counts, pairs, found)
            while more < 0:
                pairs = _wider(pairs)
                more = _against(boxes, little, i, large, j, n, row_height, counts, pairs, found)
            found = more
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


def _slab(
    boxes: NDArray[np.int32], op: NDArray[np.int32], old: int, row_height: int, ends: tuple[int, int]
) -> NDArray[np.int32]:  # fmt: skip
    """Pairs of boxes in the order of time, but those of the first `old` with each other. `ends`: their southernmost and
    northernmost latitude."""
    # Plain Python between the kernels: called from one another they would all be compiled twice.
    level = np.full(len(boxes), -1, dtype=np.int8)
    pairs = np.empty((1024, 2), dtype=np.int32)
    nothing = np.zeros(1, dtype=np.int64)
    found, here, left = 0, 0, len(boxes)
    while left:
        counts = columns_of(row_height, *ends)
        total, left = _settle(boxes, row_height, counts, level, here, row_height >= ROW_GREATEST)
        if total:
            bits = min(max((total // 8).bit_length(), _BUCKETS_LEAST), _BUCKETS_MOST)
            begins = count(boxes, level, here, False, row_height, counts, bits, nothing)
            entries = np.empty(total, dtype=np.int64)
            fill(boxes, level, here, False, row_height, counts, bits, begins, nothing, entries)
            pairs, found = _within(boxes, op, entries, begins, old, row_height, counts, pairs, found)
            if here:
                under = count(boxes, level, here, True, row_height, counts, bits, begins)
                small = np.empty(int(under[-1]), dtype=np.int64)
                fill(boxes, level, here, True, row_height, counts, bits, under, begins, small)
                pairs, found = _across(
                    boxes, op, entries, begins, small, under, old, row_height, counts, pairs, found
                )  # fmt: skip
        here += 1
        row_height = min(row_height * LEVEL_FACTOR, ROW_GREATEST)
    return pairs[:found]


@njit(cache=True, nogil=True)
def _cost(boxes: Any, row_height: int, counts: Any) -> float:
    """What a grid would cost for boxes that are there at one moment, in entries: a comparison costs about a sixteenth
    of one."""
    entries = meetings = 0
    held = np.zeros(1 << 12, dtype=np.int32)
    for i in range(len(boxes)):
        box = boxes[i]
        low = box[LNG_LO] & MASK
        wide = box[LNG_WIDE] & MASK
        south, north = (box[LAT_LO] + SOUTH) // row_height, (box[LAT_HI] + SOUTH) // row_height
        if (north - south + 1) ** 2 > CELLS_MAX:
            continue
        for r in range(south, north + 1):
            n = counts[r]
            column = low * n >> 32
            for _ in range(min(((low + wide) * n >> 32) - column + 1, CELLS_MAX)):
                b = bucket_of(r << COLUMN_BITS | (column if column < n else column - n), 12)
                meetings += held[b]
                held[b] += 1
                entries += 1
                column += 1
    return entries + meetings / 16.0


def row_height_for(boxes: NDArray[np.int32], order: NDArray[np.int32], ends: tuple[int, int]) -> int:
    """The cheapest of some heights of rows, in units of latitude; `order` is that of the boxes' first moments.

    Small cells are entered often, large ones hold much that does not meet: what is better depends on the crowd, and
    that is looked at in three moments.
    """
    sample = boxes[:: max(1, len(boxes) // 4096)]
    usual = float(np.median(sample[:, LAT_HI].astype(np.int64) - sample[:, LAT_LO]))
    crowds = []
    for at in (len(boxes) // 4, len(boxes) // 2, 3 * len(boxes) // 4):
        moment = boxes[order[at], T_LO]
        crowds.append(boxes[(boxes[:, T_LO] <= moment) & (boxes[:, T_HI] > moment)])
    best, cheapest = ROW_GREATEST, np.inf
    for share in (0.7, 1.0, 1.5, 2.2, 3.3, 5.0, 7.5):
        row_height = int(min(max(share * usual, ROW_LEAST), ROW_GREATEST))
        counts = columns_of(row_height, *ends)
        cost = sum(_cost(crowd, row_height, counts) for crowd in crowds)
        if cost < cheapest:
            best, cheapest = row_height, cost
    return best


def meeting(boxes: NDArray[np.int32], op: NDArray[np.int32], row_height: int = 0) -> NDArray[np.int32]:
    """Every pair of boxes of different owners that meet in space, height and time, once: (k, 2) numbers of boxes."""
    if len(boxes) < 2:
        return np.empty((0, 2), dtype=np.int32)
    order = by_time(boxes)
    ends = int(boxes[:, LAT_LO].min()), int(boxes[:, LAT_HI].max())
    row_height = row_height or row_height_for(boxes, order, ends)
    found = []
    lasting = order[:0]
    begin = 0
    while begin < len(order):
        # What lasts from before a slab comes along, and never outweighs it.
        end = begin + max(SLAB, 2 * len(lasting))
        here = np.concatenate((lasting, order[begin:end]))
        slab = boxes[here]
        found.append(here[_slab(slab, op[here], len(lasting), row_height, ends)])
        if end < len(order):
            lasting = here[slab[:, T_HI] > boxes[order[end], T_LO]]
        begin = end
    return np.concatenate(found)
