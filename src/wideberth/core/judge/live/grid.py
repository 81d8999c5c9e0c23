# SPDX-License-Identifier: Apache-2.0
"""The kernels that file volumes and find them again. What the arrays are stands in `layout.py`.

Nothing degrades by deletion: a cell whose last entry goes is closed up by moving what was probed past it (Knuth, The
Art of Computer Programming 6.4, algorithm R), so there are no tombstones; blocks and records are used again.
"""

from __future__ import annotations

from typing import Any

from wideberth.core.judge.live.compiled import kernel
from wideberth.core.judge.live.layout import (
    BIAS_CM,
    BLOCK,
    BLOCKS,
    BLOCKS_USED,
    CELLS,
    CUBE_SHIFT,
    CUBE_SHIFT_MOST,
    CUBE_STEP,
    ENTRIES,
    FOREVER_SHIFT,
    FREE_BLOCK,
    SCALES,
    SLOT_MASK,
    SLOT_SHIFT,
    SLOT_STEP,
    TIMES,
    WORDS,
)


@kernel
def low32(word: int) -> int:
    return (word << 32) >> 32


@kernel
def cube_shift(scale: int) -> int:
    return min(CUBE_SHIFT_MOST, CUBE_SHIFT + CUBE_STEP * scale)


@kernel
def slot_shift(time: int) -> int:
    return FOREVER_SHIFT if time == TIMES - 1 else SLOT_SHIFT + SLOT_STEP * time


@kernel
def scale_of(row: Any) -> int:
    """The finest scale whose cubes are wider than the box."""
    wide = 0
    for axis in range(3):
        wide = max(wide, (row[axis] >> 32) - low32(row[axis]))
    scale = 0
    while scale < SCALES - 1 and (wide >> cube_shift(scale)) > 0:
        scale += 1
    return scale


@kernel
def time_of(row: Any) -> int:
    """The finest time scale whose slots are longer than the window."""
    lasts = row[4] - row[3]
    time = 0
    while time < TIMES - 1 and (lasts >> slot_shift(time)) > 0:
        time += 1
    return time


@kernel
def key_of(scale: int, time: int, i: int, j: int, k: int, slot: int) -> int:
    """One word for a cell: 3 + 3 + 3 x 13 + 18 bits, never negative."""
    return (((scale * 8 + time) << 13 | i) << 13 | j) << 31 | k << 18 | (slot & SLOT_MASK)


@kernel
def home_of(key: int, mask: int) -> int:
    """Where a key would like to lie. Multiplicative hashing; the multiplier is 2^64 over the golden ratio."""
    mixed = key * -7046029254386353131
    return ((mixed >> 29) ^ (mixed >> 43)) & mask


@kernel
def slot_at(table: Any, key: int) -> int:
    """Where the key lies, or the empty place where it would be put."""
    mask = table.shape[0] - 1
    at = home_of(key, mask)
    while table[at, 0] != key and table[at, 0] != -1:
        at = (at + 1) & mask
    return at


@kernel
def _take_block(blocks: Any, book: Any) -> int:
    book[BLOCKS_USED] += 1
    block: int = book[FREE_BLOCK]
    if block >= 0:
        book[FREE_BLOCK] = blocks[block, BLOCK]
        return block
    block = book[BLOCKS]
    book[BLOCKS] += 1
    return block


@kernel
def _put(table: Any, blocks: Any, book: Any, key: int, record: int) -> None:
    at = slot_at(table, key)
    if table[at, 0] == -1:
        block = _take_block(blocks, book)
        blocks[block, BLOCK] = -1
        blocks[block, 0] = record
        table[at, 0] = key
        table[at, 1] = 1 << 32 | block
        book[CELLS] += 1
        return
    count, block = table[at, 1] >> 32, table[at, 1] & 0xFFFFFFFF
    within = count % BLOCK  # the head block is the one that is not full
    if within == 0:
        fresh = _take_block(blocks, book)
        blocks[fresh, BLOCK] = block
        block = fresh
    blocks[block, within] = record
    table[at, 1] = (count + 1) << 32 | block


@kernel
def _close_up(table: Any, at: int) -> None:
    """Take a cell out of the table; what was probed past it moves back."""
    mask = table.shape[0] - 1
    hole = at
    while True:
        at = (at + 1) & mask
        if table[at, 0] == -1:
            break
        home = home_of(table[at, 0], mask)
        # It may move unless its home lies after the hole, up to where it is.
        if ((at - home) & mask) >= ((at - hole) & mask):
            table[hole, 0], table[hole, 1] = table[at, 0], table[at, 1]
            hole = at
    table[hole, 0] = -1


@kernel
def _take(table: Any, blocks: Any, book: Any, key: int, record: int) -> bool:
    at = slot_at(table, key)
    if table[at, 0] == -1:
        return False
    count, head = table[at, 1] >> 32, table[at, 1] & 0xFFFFFFFF
    last = (count - 1) % BLOCK
    block, filled = head, last + 1
    while block >= 0:
        for place in range(filled):
            if blocks[block, place] == record:
                blocks[block, place] = blocks[head, last]
                if last == 0:
                    following = blocks[head, BLOCK]
                    blocks[head, BLOCK] = book[FREE_BLOCK]
                    book[FREE_BLOCK] = head
                    book[BLOCKS_USED] -= 1
                    head = following
                if count == 1:
                    book[CELLS] -= 1
                    _close_up(table, at)
                else:
                    table[at, 1] = (count - 1) << 32 | head
                return True
        block, filled = blocks[block, BLOCK], BLOCK
    return False


@kernel
def places(row: Any, scale: int, time: int, out: Any) -> None:
    """The cubes and slots that a box and a window reach, first and last on each axis: int64[8]."""
    s, t = cube_shift(scale), slot_shift(time)
    for axis in range(3):
        out[2 * axis] = (low32(row[axis]) + BIAS_CM) >> s
        out[2 * axis + 1] = ((row[axis] >> 32) + BIAS_CM) >> s
    out[6], out[7] = row[3] >> t, (row[4] - 1) >> t


@kernel
def cells_needed(rows: Any, reach: Any) -> int:
    """How many entries these volumes make."""
    needed = 0
    for n in range(rows.shape[0]):
        places(rows[n], scale_of(rows[n]), time_of(rows[n]), reach)
        needed += (
            (reach[1] - reach[0] + 1)
            * (reach[3] - reach[2] + 1)
            * (reach[5] - reach[4] + 1)
            * (reach[7] - reach[6] + 1)
        )
    return needed


@kernel
def insert(
    records: Any, spines: Any, corners: Any, table: Any, blocks: Any, book: Any,
    rows: Any, own_corners: Any, first: int, corner: int, reach: Any,
) -> int:  # fmt: skip
    """Put an operation into the records from `first` on and its corners from `corner` on, and file it. 0: done; 1: the
    table is too small, 2: the blocks are too few; then nothing has changed."""
    needed = cells_needed(rows, reach)
    if (book[CELLS] + needed) * 5 > table.shape[0] * 3:
        return 1
    if book[BLOCKS_USED] + needed > blocks.shape[0]:
        return 2
    for n in range(rows.shape[0]):
        record = first + n
        for word in range(WORDS):
            records[record, word] = rows[n, word]
        records[record, 7] |= first << 32
        for word in range(4):
            spines[record, word] = rows[n, WORDS + word]
        spines[record, 1] += corner
        _file(table, blocks, book, rows[n], record, reach, True)
    for m in range(own_corners.shape[0]):
        corners[corner + m, 0], corners[corner + m, 1] = own_corners[m, 0], own_corners[m, 1]
    return 0


@kernel
def _file(table: Any, blocks: Any, book: Any, row: Any, record: int, reach: Any, into: bool) -> int:
    """Put a record's number into its cells, or take it out of them. How many cells had it wrong: 0."""
    scale, time = scale_of(row), time_of(row)
    places(row, scale, time, reach)
    entries, missing = 0, 0
    for i in range(reach[0], reach[1] + 1):
        for j in range(reach[2], reach[3] + 1):
            for k in range(reach[4], reach[5] + 1):
                for slot in range(reach[6], reach[7] + 1):
                    key = key_of(scale, time, i, j, k, slot)
                    entries += 1
                    if into:
                        _put(table, blocks, book, key, record)
                    elif not _take(table, blocks, book, key, record):
                        missing += 1
    book[ENTRIES + scale * TIMES + time] += entries if into else -entries
    return missing


@kernel
def remove(records: Any, table: Any, blocks: Any, book: Any, first: int, count: int, reach: Any) -> int:
    """Take records out. The answer is how many entries were not where they should be: 0."""
    missing = 0
    for record in range(first, first + count):
        missing += _file(table, blocks, book, records[record], record, reach, False)
        records[record, 3], records[record, 4] = 1, 0
    return missing


@kernel
def rehash(table: Any, wider: Any) -> None:
    """Move all cells into another table; its keys are all -1."""
    for at in range(table.shape[0]):
        if table[at, 0] != -1:
            to = slot_at(wider, table[at, 0])
            wider[to, 0], wider[to, 1] = table[at, 0], table[at, 1]
