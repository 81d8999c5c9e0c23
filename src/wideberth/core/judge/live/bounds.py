# SPDX-License-Identifier: Apache-2.0
"""A box round a shape in Earth-centred coordinates: whole centimetres, outward, with no special place on the Earth.

Let x be one Earth-centred coordinate. What lies in the box, and why:

1. An edge is a geodesic of length L. As a curve in space its curvature is a normal curvature of the ellipsoid, at most
   k = a/b^2 (along the meridian, on the equator). So x(s) differs from the straight line between its values at the ends
   by at most k s (L - s) / 2 <= k L^2 / 8. With c the chord, L <= 2 asin(k c / 2) / k while L < pi / k, which holds for
   every chord up to `_CHORD_M` (an arc of the central ellipse joins the ends in less than 8,900 km).
2. A reach r adds at most r: a chord is never longer than the geodesic.
3. Inside a filled ring x is greatest on the ring, or where x is greatest on the whole ellipsoid, at the end of an axis.
   A ring of length P lies in the ball of radius P/2 round any of its corners, and so does what it fills (the ball is a
   disc smaller than half of the Earth while P/2 <= `_BALL_M`). An axis that ends in that ball counts as inside.
4. What is longer than these bounds gets a box round the whole Earth.

Rounding in double precision is far below the centimetre that is added.
"""

from __future__ import annotations

import math
from typing import Any, Final

from wideberth.core.judge.columns import RING
from wideberth.core.judge.live.compiled import kernel
from wideberth.core.say.geodesy import A_M, B_M, E2

CURVATURE: Final = A_M / (B_M * B_M)  # 1/m; the greatest normal curvature of WGS-84
_CHORD_M: Final = 8_000_000.0
_BALL_M: Final = 4_900_000.0

# No coordinate of a point on the ellipsoid is beyond this, in cm.
EARTH_CM: Final = 637_813_701


@kernel
def earth_xyz(lat_ndeg: int, lng_ndeg: int) -> tuple[float, float, float]:
    """Earth-centred metres of a point on the ellipsoid, from 1e-9 degree."""
    lat, lng = math.radians(lat_ndeg / 1e9), math.radians(lng_ndeg / 1e9)
    s = math.sin(lat)
    n = A_M / math.sqrt(1 - E2 * s * s)
    r = n * math.cos(lat)
    return r * math.cos(lng), r * math.sin(lng), n * (1 - E2) * s


@kernel
def edge_m(chord_m: float) -> float:
    """An upper bound of the length of a geodesic by its chord, up to `_CHORD_M`."""
    return 2 * math.asin(CURVATURE * chord_m / 2) / CURVATURE


@kernel
def _down_cm(metres: float) -> int:
    return max(-EARTH_CM, math.floor(max(-7e6, metres) * 100) - 1)


@kernel
def _up_cm(metres: float) -> int:
    return min(EARTH_CM, math.ceil(min(7e6, metres) * 100) + 1)


@kernel
def _both(low: int, high: int) -> int:
    return high << 32 | (low & 0xFFFFFFFF)


@kernel
def put_boxes(rows: Any, corners: Any) -> None:
    """Find the boxes of rows from their spines, and put them into their first three words (`layout.py`)."""
    for i in range(rows.shape[0]):
        ring, begin = rows[i, 8] == RING, rows[i, 9]
        end = begin + rows[i, 10]
        x0, y0, z0 = earth_xyz(corners[begin, 0], corners[begin, 1])
        low_x = high_x = x0
        low_y = high_y = y0
        low_z = high_z = z0
        px, py, pz = x0, y0, z0
        sag, length, everywhere = 0.0, 0.0, False
        last = end if ring else end - 1  # a ring comes back to its first corner
        for j in range(begin, last):
            if j + 1 < end:
                x, y, z = earth_xyz(corners[j + 1, 0], corners[j + 1, 1])
            else:
                x, y, z = x0, y0, z0
            chord = math.sqrt((x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2)
            if chord > _CHORD_M:
                everywhere = True
                break
            edge = edge_m(chord)
            sag = max(sag, CURVATURE * edge * edge / 8)
            length += edge
            low_x, high_x = min(low_x, x), max(high_x, x)
            low_y, high_y = min(low_y, y), max(high_y, y)
            low_z, high_z = min(low_z, z), max(high_z, z)
            px, py, pz = x, y, z
        ball = length / 2
        if everywhere or (ring and ball > _BALL_M):
            for axis in range(3):
                rows[i, axis] = _both(-EARTH_CM, EARTH_CM)
            continue
        grown = sag + rows[i, 11] / 1000
        if ring:
            reach2 = (ball + 1.0) ** 2
            ex, ey, ez = x0 * x0, y0 * y0, z0 * z0
            if (x0 - A_M) ** 2 + ey + ez <= reach2:
                high_x = A_M
            if (x0 + A_M) ** 2 + ey + ez <= reach2:
                low_x = -A_M
            if (y0 - A_M) ** 2 + ex + ez <= reach2:
                high_y = A_M
            if (y0 + A_M) ** 2 + ex + ez <= reach2:
                low_y = -A_M
            if (z0 - B_M) ** 2 + ex + ey <= reach2:
                high_z = B_M
            if (z0 + B_M) ** 2 + ex + ey <= reach2:
                low_z = -B_M
        rows[i, 0] = _both(_down_cm(low_x - grown), _up_cm(high_x + grown))
        rows[i, 1] = _both(_down_cm(low_y - grown), _up_cm(high_y + grown))
        rows[i, 2] = _both(_down_cm(low_z - grown), _up_cm(high_z + grown))
