# SPDX-License-Identifier: Apache-2.0
"""The narrow phase for what a look has found: the flat map of `judge/fast/flatmap.py`, on the picture's arrays.

It answers separate, conflict or undecided; what is undecided goes to the exact predicate. Windows and heights were
compared exactly before.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from wideberth.core.judge.fast.flatmap import weigh
from wideberth.core.judge.live.compiled import kernel
from wideberth.core.judge.live.grid import low32
from wideberth.core.say.geodesy import E2

_STEEPER: Final = 1 / (1 - E2)  # (a/b)²


@kernel
def middle(a: Any, b: Any) -> tuple[float, float]:
    """Latitude and longitude (radians) of the middle of what two boxes share, or of the gap between them: any place is
    right, a near one is sharp. Near the surface z (a/b)² over the distance from the axis is the tangent of latitude."""
    x = (max(low32(a[0]), low32(b[0])) + min(a[0] >> 32, b[0] >> 32)) * 0.5
    y = (max(low32(a[1]), low32(b[1])) + min(a[1] >> 32, b[1] >> 32)) * 0.5
    z = (max(low32(a[2]), low32(b[2])) + min(a[2] >> 32, b[2] >> 32)) * 0.5
    return math.atan2(z * _STEEPER, math.hypot(x, y)), math.atan2(y, x)


@kernel
def _copy(spine: Any, corners: Any, n: int, first: Any, lat: Any, lng: Any, reach: Any) -> None:
    reach[n] = spine[3]
    begin = first[n]
    for m in range(spine[2]):
        lat[begin + m], lng[begin + m] = corners[spine[1] + m, 0], corners[spine[1] + m, 1]
    first[n + 1] = begin + spine[2]


@kernel
def weigh_found(
    records: Any, spines: Any, corners: Any, rows: Any, own_corners: Any, horizontal_mm: int, found: Any, answers: Any
) -> None:
    """For each (record, row) of `found`, int64[n, 2]: SEPARATE, CONFLICT or UNDECIDED into `answers`, int8[n]."""
    most = 0
    for f in range(found.shape[0]):
        most = max(most, spines[found[f, 0], 2], rows[found[f, 1], 10])
    reach, first = np.zeros(2, np.int64), np.zeros(3, np.int64)
    lat, lng = np.empty(2 * most, np.int64), np.empty(2 * most, np.int64)
    a, b = np.empty((most, 2)), np.empty((most, 2))
    for f in range(found.shape[0]):
        record, row = found[f, 0], found[f, 1]
        _copy(spines[record], corners, 0, first, lat, lng, reach)
        _copy(rows[row, 8:12], own_corners, 1, first, lat, lng, reach)
        lat0, lng0 = middle(records[record], rows[row])
        answers[f] = weigh(first, lat, lng, reach, 0, 1, lat0, lng0, horizontal_mm, a, b)
