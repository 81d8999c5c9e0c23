# SPDX-License-Identifier: Apache-2.0
"""The kernel that looks: which volumes in the picture may one operation's volumes meet?

Windows and heights are compared exactly, as `core/judge/vertical.py` and `separation.py` define them; place by the
boxes of `bounds.py`, grown by the minimum, outward only. What is found goes to `weighing.py`.
"""

from __future__ import annotations

from typing import Any, Final

from wideberth.core.judge.fast.heights import least_difference
from wideberth.core.judge.live.compiled import kernel
from wideberth.core.judge.live.grid import cube_shift, key_of, low32, places, slot_at, slot_shift
from wideberth.core.judge.live.layout import (
    BIAS_CM,
    BLOCK,
    ENTRIES,
    SCALES,
    SLOT_MASK,
    TIMES,
)

_FARTHEST: Final = BIAS_CM - 1


@kernel
def bands_apart(a: Any, b: Any, minimum_mm: int, margin_mm: int) -> bool:
    """Whether two records' bands are separate; as `vertical.bands_apart`, with the ends put in order first."""
    a_low, a_low_ref, a_high, a_high_ref = a[5], a[7] & 7, a[6], (a[7] >> 3) & 7
    b_low, b_low_ref, b_high, b_high_ref = b[5], b[7] & 7, b[6], (b[7] >> 3) & 7
    flat = (a_low == a_high and a_low_ref == a_high_ref) or (b_low == b_high and b_low_ref == b_high_ref)
    if a_low_ref != a_high_ref and least_difference(a_low, a_low_ref, a_high, a_high_ref, margin_mm) > 0:
        a_low, a_low_ref, a_high, a_high_ref = a_high, a_high_ref, a_low, a_low_ref
    if b_low_ref != b_high_ref and least_difference(b_low, b_low_ref, b_high, b_high_ref, margin_mm) > 0:
        b_low, b_low_ref, b_high, b_high_ref = b_high, b_high_ref, b_low, b_low_ref
    gap = max(
        least_difference(a_low, a_low_ref, b_high, b_high_ref, margin_mm),
        least_difference(b_low, b_low_ref, a_high, a_high_ref, margin_mm),
    )
    if minimum_mm > 0:
        return gap >= minimum_mm
    return gap > 0 or (gap == 0 and not flat)


@kernel
def _boxes_apart(a: Any, b: Any) -> bool:
    for axis in range(3):  # noqa: SIM110 - numba does not know any()
        if low32(a[axis]) > b[axis] >> 32 or low32(b[axis]) > a[axis] >> 32:
            return True
    return False


@kernel
def _first_place(record: Any, reach: Any, time_shift: int, cube: int, i: int, j: int, k: int, slot: int) -> bool:
    """Whether this is the first cell that the record and the look have in common: so each is found once."""
    first: bool = (
        i == max(reach[0], (low32(record[0]) + BIAS_CM) >> cube)
        and j == max(reach[2], (low32(record[1]) + BIAS_CM) >> cube)
        and k == max(reach[4], (low32(record[2]) + BIAS_CM) >> cube)
        and slot == max(reach[6], record[3] >> time_shift)
    )
    return first


@kernel
def grow(row: Any, horizontal_mm: int, time_ms: int, grown: Any) -> None:
    """A row with its box and its window grown by the minima, rounded outward."""
    by = min((horizontal_mm + 9) // 10 + 1, 2 * _FARTHEST)
    for axis in range(3):
        low, high = max(-_FARTHEST, low32(row[axis]) - by), min(_FARTHEST, (row[axis] >> 32) + by)
        grown[axis] = (high << 32) | (low & 0xFFFFFFFF)
    grown[3], grown[4] = max(0, row[3] - time_ms), row[4] + time_ms
    grown[5], grown[6], grown[7] = row[5], row[6], row[7]


@kernel
def _meets(record: Any, grown: Any, owner: int, vertical_mm: int, margin_mm: int) -> bool:
    """Whether a record may meet the grown row: windows, boxes, then bands. Never one of the same operation."""
    if record[3] >= grown[4] or record[4] <= grown[3] or _boxes_apart(record, grown):
        return False
    if record[7] >> 32 == owner:
        return False
    apart: bool = bands_apart(record, grown, vertical_mm, margin_mm)
    return not apart


@kernel
def look(
    records: Any, taken: int, table: Any, blocks: Any, book: Any, rows: Any, owner: int,
    horizontal_mm: int, vertical_mm: int, time_ms: int, margin_mm: int, work: Any, out: Any,
) -> int:  # fmt: skip
    """Which records may meet which of the rows. `taken`: how many records are in use, from the first on. `owner`: the
    first record of an operation that is left out, or -1. `work`: int64[2, 8], scratch. `out`: int64[n, 2] gets the
    record and the row. The answer is how many there are, also when `out` has not room for all of them."""
    found = 0
    reach, grown = work[0], work[1]
    room = out.shape[0]
    for n in range(rows.shape[0]):
        grow(rows[n], horizontal_mm, time_ms, grown)
        if _too_wide(grown, book, taken, reach):
            for record in range(taken):
                if _meets(records[record], grown, owner, vertical_mm, margin_mm):
                    if found < room:
                        out[found, 0], out[found, 1] = record, n
                    found += 1
            continue
        for scale in range(SCALES):
            for time in range(TIMES):
                if book[ENTRIES + scale * TIMES + time] == 0:
                    continue
                places(grown, scale, time, reach)
                t, s = slot_shift(time), cube_shift(scale)
                for i in range(reach[0], reach[1] + 1):
                    for j in range(reach[2], reach[3] + 1):
                        for k in range(reach[4], reach[5] + 1):
                            for slot in range(reach[6], reach[7] + 1):
                                at = slot_at(table, key_of(scale, time, i, j, k, slot))
                                if table[at, 0] == -1:
                                    continue
                                filled, block = table[at, 1] >> 32, table[at, 1] & 0xFFFFFFFF
                                filled = (filled - 1) % BLOCK + 1
                                while block >= 0:
                                    for place in range(filled):
                                        record = blocks[block, place]
                                        if _meets(
                                            records[record], grown, owner, vertical_mm, margin_mm
                                        ) and _first_place(records[record], reach, t, s, i, j, k, slot):
                                            if found < room:
                                                out[found, 0], out[found, 1] = record, n
                                            found += 1
                                    block, filled = blocks[block, BLOCK], BLOCK
    return found


@kernel
def _too_wide(grown: Any, book: Any, taken: int, reach: Any) -> bool:
    """Whether looking at every record is less work than at every cell that the look reaches."""
    cells = 0
    most = 64 + taken // 4  # a cell costs a miss of the cache, a record in passing costs little
    for scale in range(SCALES):
        for time in range(TIMES):
            if book[ENTRIES + scale * TIMES + time] == 0:
                continue
            places(grown, scale, time, reach)
            slots = reach[7] - reach[6] + 1
            if slots > SLOT_MASK:  # it would come round to the same slot again
                return True
            cells += (reach[1] - reach[0] + 1) * (reach[3] - reach[2] + 1) * (reach[5] - reach[4] + 1) * slots
            if cells > most:
                return True
    return False
