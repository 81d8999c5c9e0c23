# SPDX-License-Identifier: Apache-2.0
"""The Earth in cells: rows of equal height, and in each as many columns as fit round it. Boxes go into hashed buckets.

No cell is special: columns count modulo their number, and a row at a pole has one. A box is entered in every cell that
it covers, with one 64-bit number: the cell (row, column) in the high half and the number of the box in the low one.
What is empty costs nothing, and two cells in one bucket cost a comparison, never a wrong answer.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from wideberth.core.judge.fast.bounds import LAT_HI, LAT_LO, LAT_UNITS, LNG_LO, LNG_WIDE, MASK

SOUTH: Final = 90 * LAT_UNITS
METRES_PER_UNIT: Final = 0.0111
# Narrower rows than a kilometre would have more columns than a cell's number has room for.
ROW_LEAST: Final = int(1_000 / METRES_PER_UNIT)
ROW_GREATEST: Final = 2 * SOUTH + 1
COLUMN_BITS: Final = 16


@njit(cache=True, nogil=True)
def columns_of(row_height: int, south: int, north: int) -> Any:
    """How many columns each row has: about as wide as the row is high, at its middle. Rows that no box between the
    latitudes `south` and `north` reaches are left at one."""
    rows = 2 * SOUTH // row_height + 1
    counts = np.ones(rows, dtype=np.int64)
    around = 360.0 * LAT_UNITS / row_height
    for r in range((south + SOUTH) // row_height, (north + SOUTH) // row_height + 1):
        lat = min(max(((r + 0.5) * row_height - SOUTH) / LAT_UNITS, -90.0), 90.0)
        counts[r] = max(1, int(around * np.cos(np.radians(lat))))
    return counts


@njit(cache=True, nogil=True)
def cells_covered(box: Any, row_height: int, counts: Any, most: int) -> int:
    """How many cells a box covers; counting stops beyond `most`."""
    low = box[LNG_LO] & MASK
    wide = box[LNG_WIDE] & MASK
    total = 0
    for r in range((box[LAT_LO] + SOUTH) // row_height, (box[LAT_HI] + SOUTH) // row_height + 1):
        n = counts[r]
        total += min(((low + wide) * n >> 32) - (low * n >> 32) + 1, n)
        if total > most:
            break
    return int(total)


@njit(cache=True, nogil=True)
def bucket_of(cell: int, bits: int) -> int:
    return ((cell * 2_654_435_761) & MASK) >> (32 - bits)


@njit(cache=True, nogil=True)
def count(
    boxes: Any, level: Any, here: int, below: bool, row_height: int, counts: Any, bits: int, filled: Any
) -> Any:  # fmt: skip
    """Where each bucket begins, for the boxes of level `here`, or (`below`) for those of finer ones in the buckets that
    `filled` has entries in."""
    begins = np.zeros((1 << bits) + 1, dtype=np.int64)
    for i in range(len(boxes)):
        if (level[i] < 0 or level[i] >= here) if below else (level[i] != here):
            continue
        box = boxes[i]
        low = box[LNG_LO] & MASK
        wide = box[LNG_WIDE] & MASK
        for r in range((box[LAT_LO] + SOUTH) // row_height, (box[LAT_HI] + SOUTH) // row_height + 1):
            n = counts[r]
            column = low * n >> 32
            for _ in range(min(((low + wide) * n >> 32) - column + 1, n)):
                b = bucket_of(r << COLUMN_BITS | column, bits)
                if not below or filled[b + 1] > filled[b]:
                    begins[b + 1] += 1
                column = column + 1 if column + 1 < n else 0
    for b in range(1 << bits):
        begins[b + 1] += begins[b]
    return begins


@njit(cache=True, nogil=True)
def fill(
    boxes: Any, level: Any, here: int, below: bool, row_height: int, counts: Any, bits: int, begins: Any, filled: Any,
    entries: Any,
) -> None:  # fmt: skip
    """The entries that `count` counted, in each bucket in the order of the boxes."""
    place = begins[:-1].copy()
    for i in range(len(boxes)):
        if (level[i] < 0 or level[i] >= here) if below else (level[i] != here):
            continue
        box = boxes[i]
        low = box[LNG_LO] & MASK
        wide = box[LNG_WIDE] & MASK
        for r in range((box[LAT_LO] + SOUTH) // row_height, (box[LAT_HI] + SOUTH) // row_height + 1):
            n = counts[r]
            column = low * n >> 32
            for _ in range(min(((low + wide) * n >> 32) - column + 1, n)):
                cell = r << COLUMN_BITS | column
                b = bucket_of(cell, bits)
                if not below or filled[b + 1] > filled[b]:
                    entries[place[b]] = cell << 32 | i
                    place[b] += 1
                column = column + 1 if column + 1 < n else 0
