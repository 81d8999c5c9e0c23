# SPDX-License-Identifier: Apache-2.0
"""How the native picture lies in memory. All of it is numpy arrays of integers; the sizes are the kernels' contract.

    records  int64[n, 8]   one volume in one cache line (64 bytes), see below
    spines   int64[n, 4]   kind, first corner, number of corners, reach in mm; read only for a pair that is close
    corners  int64[m, 2]   latitude and longitude in 1e-9 degree
    table    int64[c, 2]   open addressing, c a power of two: key of a cell (-1: empty), then count << 32 | head block
    blocks   int32[b, 8]   seven record numbers and, last, the next block of the same cell (-1: none)
    book     int64[64]     counters, and how many entries each pair of scales has

A record's words: 0 to 2 are low and high (int32 each) of x, y and z in cm; 3 start_ms; 4 end_ms; 5 and 6 low and high
in mm; 7 the operation's first record, shifted by 32, then its number of volumes (23 bits, in the first record), then
the codes of both heights' references (3 bits each; places in `columns.REFS`). An unused record ends before it begins,
so no look can meet it.

What is asked about comes as `rows`, int64[n, 12]: a record's eight words, with 0 for the operation's first record, and
the four of its spine, with corners counted from 0.

A volume is filed under cubes and slots that are wider than it is: on each axis two cubes at most, and two slots. Cubes
grow eightfold from one scale to the next, slots sixteenfold; what lasts longer than the widest slot is filed in one for
ever. Slots are counted modulo 2^18 (some nine years of the finest): what falls together by that is told apart by its
window. Both steps are wide because every pair of scales that holds anything costs every look a probe.
"""

from __future__ import annotations

from typing import Final

SCALES: Final = 5
CUBE_SHIFT: Final = 19  # 2^19 cm = 5.2 km, for drones' volumes; then 42 km, 336 km, 2,684 km
CUBE_STEP: Final = 3
CUBE_SHIFT_MOST: Final = 30  # 2^30 cm, wider than the Earth's radius: at most two on an axis
TIMES: Final = 5
SLOT_SHIFT: Final = 20  # 2^20 ms = 17 min; then 4.7 h, 3.1 days, 50 days
SLOT_STEP: Final = 4
FOREVER_SHIFT: Final = 62  # one slot holds all times

BIAS_CM: Final = 1 << 30  # makes every coordinate positive
SLOT_MASK: Final = (1 << 18) - 1

BLOCK: Final = 7

# Places in `book`.
CELLS: Final = 0  # cells in use
FREE_BLOCK: Final = 1  # head of the list of unused blocks, linked by their last word; -1: none
BLOCKS: Final = 2  # blocks taken from the array so far
BLOCKS_USED: Final = 3  # and how many of them are in use
ENTRIES: Final = 8  # from here on: entries at (scale, time), SCALES x TIMES of them
BOOK: Final = 64

WORDS: Final = 8  # of a record
ROW: Final = 12  # and with its spine
COUNT_SHIFT: Final = 6
COUNT_MASK: Final = (1 << 23) - 1
