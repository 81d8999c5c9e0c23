# SPDX-License-Identifier: Apache-2.0
"""The vertical clause of judge/vertical.py on columns, to the same millimetre. Codes are those of `columns.REFS`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from wideberth.core.judge.vertical import GEOID_MM, GROUND_MM, NO_BOUND_MM

_AMSL, _W84, _FL, _AGL, _SFC, _UNL = range(6)
_LEAST: Final = np.array([0, -GEOID_MM[1], 0, GROUND_MM[0], GROUND_MM[0], 0], dtype=np.int64)
_MOST: Final = np.array([0, -GEOID_MM[0], 0, GROUND_MM[1], GROUND_MM[1], 0], dtype=np.int64)


@njit(cache=True, nogil=True)
def least_difference(up_mm: int, up_ref: int, low_mm: int, low_ref: int, margin_mm: int) -> int:
    """The least that `upper - lower` may be, in mm; `vertical.difference_mm`'s first."""
    if up_ref == _UNL or low_ref == _UNL:
        return NO_BOUND_MM * (int(up_ref == _UNL) - int(low_ref == _UNL))
    if up_ref == low_ref or (up_ref >= _AGL and low_ref >= _AGL):
        return up_mm - low_mm
    least = up_mm + _LEAST[up_ref] - (margin_mm if up_ref == _FL else 0)
    most = low_mm + _MOST[low_ref] + (margin_mm if low_ref == _FL else 0)
    return int(least - most)


@njit(cache=True, nogil=True)
def apart_in_height(
    low_mm: Any, low_ref: Any, high_mm: Any, high_ref: Any, i: int, j: int, minimum_mm: int, margin_mm: int
) -> bool:
    """Whether the bands of volumes `i` and `j` are separate under a vertical minimum; `vertical.bands_apart`."""
    li, lri, hi, hri = low_mm[i], low_ref[i], high_mm[i], high_ref[i]
    lj, lrj, hj, hrj = low_mm[j], low_ref[j], high_mm[j], high_ref[j]
    flat_i = li == hi and lri == hri
    flat_j = lj == hj and lrj == hrj
    # A floor that is surely above its top: the two are exchanged.
    if lri != hri and least_difference(li, lri, hi, hri, margin_mm) > 0:
        li, lri, hi, hri = hi, hri, li, lri
    if lrj != hrj and least_difference(lj, lrj, hj, hrj, margin_mm) > 0:
        lj, lrj, hj, hrj = hj, hrj, lj, lrj
    over = least_difference(li, lri, hj, hrj, margin_mm)
    under = least_difference(lj, lrj, hi, hri, margin_mm)
    gap = max(over, under)
    if minimum_mm > 0:
        return gap >= minimum_mm
    return gap > 0 or (gap == 0 and not flat_i and not flat_j)
