# SPDX-License-Identifier: Apache-2.0
"""The horizontal clause on a flat map with a proved error: separate, conflict, or not decided here.

The map is the orthographic one: points of the ellipsoid are dropped onto the plane that touches it at O, between the
two volumes. With x, y the images of X, Y, D a radius about O that holds everything, k = 1 / (b²/a) the greatest normal
curvature of WGS-84, m = kD / √(1 − k²D²) and q = √(1 + m²):

    |xy| <= d(X, Y) <= q |xy|                                                                     (1)

Left: a projection shortens, and a chord is no longer than the way on the surface. Right: the surface is a graph over
the disc, its normal turns by at most k a metre, so its slope is at most m; lift the straight piece xy.

An edge is a geodesic: a curve of unit speed whose acceleration is normal to the surface and at most k, so that its
image is accelerated by at most k sin(angle of the normals) <= k² D. It therefore leaves the straight piece between the
images of its ends by at most

    β = k² D L² / 8,   L <= q |pq|                                                                (2)

(And it stays in the disc: by (1) it lies in an ellipse round p and q that is wider than |pq| by less than m |pq|; D is
taken 6 % larger than the farthest corner, and no map is used with kD > 0.05, some 300 km.) So the distance d between
two spines and the distance δ of their straightened images satisfy, filled or not (judge/horizontal.py, docs),

    δ − β_a − β_b  <=  d  <=  q (δ + β_a + β_b)                                                   (3)

which decides all but a band round the minimum that is millimetres wide for volumes of a few kilometres. A pair in the
band, and whatever the map is too small for, goes to the exact predicate. Rounding: coordinates are below 6.4e6 m in
double precision, 1e-9 m each; `_ROUNDING_M` covers every sum of them. `_AGREE_M` is the band of the exact predicate,
so that a verdict given here is one that it could have given.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit

from wideberth.core.judge.fast.heights import apart_in_height
from wideberth.core.say.geodesy import A_M, B_M, E2

SEPARATE: Final = 0
CONFLICT: Final = 1
UNDECIDED: Final = 2

_K: Final = A_M / (B_M * B_M) * (1 + 1e-12)
_RAD_PER_NDEG: Final = math.pi / 180e9
_AGREE_M: Final = 0.002
_ROUNDING_M: Final = 1e-6
_KD_MOST: Final = 0.05
# Below this angle (radians) the first terms of the series of sine and cosine are exact in double precision.
_SMALL: Final = 0.02


@njit(cache=True, nogil=True)
def _sine(x: float) -> float:
    s = x * x
    return x * (1 - s / 6 * (1 - s / 20 * (1 - s / 42)))


@njit(cache=True, nogil=True)
def _cosine(x: float) -> float:
    s = x * x
    return 1 - s / 2 * (1 - s / 12 * (1 - s / 30 * (1 - s / 56)))


@njit(cache=True, nogil=True)
def _drop(
    lat_ndeg: Any, lng_ndeg: Any, begin: int, end: int, lat0: float, lng0: float, out: Any
) -> float:  # fmt: skip
    """The images of some vertices, metres east and north of O; the square of the farthest's distance from it."""
    sine0, cosine0 = math.sin(lat0), math.cos(lat0)
    n0 = A_M / math.sqrt(1 - E2 * sine0 * sine0)
    x0, z0 = n0 * cosine0, n0 * (1 - E2) * sine0
    far = 0.0
    for k in range(begin, end):
        turn = lng_ndeg[k] * _RAD_PER_NDEG - lng0
        if turn > math.pi:
            turn -= 2 * math.pi
        elif turn < -math.pi:
            turn += 2 * math.pi
        rise = lat_ndeg[k] * _RAD_PER_NDEG - lat0
        if abs(turn) < _SMALL and abs(rise) < _SMALL:
            sine_turn, cosine_turn = _sine(turn), _cosine(turn)
            sine_rise, cosine_rise = _sine(rise), _cosine(rise)
        else:
            sine_turn, cosine_turn = math.sin(turn), math.cos(turn)
            sine_rise, cosine_rise = math.sin(rise), math.cos(rise)
        sine = sine0 * cosine_rise + cosine0 * sine_rise
        cosine = cosine0 * cosine_rise - sine0 * sine_rise
        n = A_M / math.sqrt(1 - E2 * sine * sine)
        out_east = n * cosine * sine_turn
        x = n * cosine * cosine_turn - x0
        z = n * (1 - E2) * sine - z0
        north = z * cosine0 - x * sine0
        up = x * cosine0 + z * sine0
        out[k - begin, 0] = out_east
        out[k - begin, 1] = north
        square = out_east * out_east + north * north
        # Beyond the horizon of O the image folds back: the way down says so.
        if up < -0.01 * A_M:
            square = 1e20
        far = max(far, square)
    return far


@njit(cache=True, nogil=True)
def _bend(flat: Any, count: int, ring: bool, per_square: float) -> float:
    """β of the longest edge."""
    longest = 0.0
    for k in range(count if ring else count - 1):
        after = k + 1 if k + 1 < count else 0
        dx, dy = flat[after, 0] - flat[k, 0], flat[after, 1] - flat[k, 1]
        longest = max(longest, dx * dx + dy * dy)
    return longest * per_square


@njit(cache=True, nogil=True)
def _to_piece(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """Square of the distance of p from the piece ab."""
    dx, dy = bx - ax, by - ay
    ux, uy = px - ax, py - ay
    squared = dx * dx + dy * dy
    if squared > 0.0:
        t = (ux * dx + uy * dy) / squared
        t = min(max(t, 0.0), 1.0)
        ux -= t * dx
        uy -= t * dy
    return ux * ux + uy * uy


@njit(cache=True, nogil=True)
def _side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


@njit(cache=True, nogil=True)
def _winds(flat: Any, count: int, px: float, py: float) -> bool:
    """Whether the ring winds round p at all (judge/outline.py: any winding but zero is inside)."""
    turns = 0
    for k in range(count):
        after = k + 1 if k + 1 < count else 0
        ax, ay, bx, by = flat[k, 0], flat[k, 1], flat[after, 0], flat[after, 1]
        if ay <= py:
            if by > py and _side(ax, ay, bx, by, px, py) > 0:
                turns += 1
        elif by <= py and _side(ax, ay, bx, by, px, py) < 0:
            turns -= 1
    return turns != 0


@njit(cache=True, nogil=True)
def _boundary(flat: Any, count: int, ring: bool, px: float, py: float) -> float:
    """Square of the distance of p from the boundary."""
    least = 1e300
    for k in range(count if ring else count - 1):
        after = k + 1 if k + 1 < count else 0
        least = min(least, _to_piece(px, py, flat[k, 0], flat[k, 1], flat[after, 0], flat[after, 1]))
    return least


@njit(cache=True, nogil=True)
def _parted(a: Any, na: int, a_edges: int, b: Any, nb: int, apart: float) -> bool:
    """Whether a line along some edge of `a` leaves all of `b` at least `apart` metres beyond all of `a`."""
    for i in range(a_edges):
        i2 = i + 1 if i + 1 < na else 0
        nx, ny = a[i2, 1] - a[i, 1], a[i, 0] - a[i2, 0]
        low_a = low_b = 1e300
        high_a = high_b = -1e300
        for k in range(na):
            value = a[k, 0] * nx + a[k, 1] * ny
            low_a = min(low_a, value)
            high_a = max(high_a, value)
        for k in range(nb):
            value = b[k, 0] * nx + b[k, 1] * ny
            low_b = min(low_b, value)
            high_b = max(high_b, value)
        gap = max(low_b - high_a, low_a - high_b)
        if gap > 0.0 and gap * gap >= apart * apart * (nx * nx + ny * ny):
            return True
    return False


@njit(cache=True, nogil=True)
def _rank_to_piece(
    px: float, py: float, ax: float, ay: float, dx: float, dy: float, squared: float, near: float, far: float
) -> int:
    """0: p is within √near of the piece from a along (dx, dy); 2: beyond √far; else 1. No root, no division."""
    ux, uy = px - ax, py - ay
    along = ux * dx + uy * dy
    if along <= 0.0:
        square, scale = ux * ux + uy * uy, 1.0
    elif along >= squared:
        ux -= dx
        uy -= dy
        square, scale = ux * ux + uy * uy, 1.0
    else:
        off = ux * dy - uy * dx
        square, scale = off * off, squared
    if square <= near * scale:
        return 0
    return 2 if square >= far * scale else 1


@njit(cache=True, nogil=True)
def _rank(a: Any, na: int, a_edges: int, b: Any, nb: int, b_edges: int, enough: float, apart: float) -> int:
    """0: the boundaries come within `enough` metres (never, when that is not positive); 2: nowhere nearer than
    `apart`; else 1."""
    near = enough * enough if enough > 0.0 else -1.0
    far = apart * apart
    west = south = 1e300
    east = north = -1e300
    for k in range(nb):
        west, east = min(west, b[k, 0]), max(east, b[k, 0])
        south, north = min(south, b[k, 1]), max(north, b[k, 1])
    least = 2
    for i in range(max(a_edges, 1)):
        i2 = i + 1 if i + 1 < na else 0
        ax, ay = a[i, 0], a[i, 1]
        dx, dy = a[i2, 0] - ax, a[i2, 1] - ay
        low_x, high_x = ax + min(dx, 0.0) - apart, ax + max(dx, 0.0) + apart
        low_y, high_y = ay + min(dy, 0.0) - apart, ay + max(dy, 0.0) + apart
        if high_x < west or low_x > east or high_y < south or low_y > north:
            continue
        squared = dx * dx + dy * dy
        for j in range(max(b_edges, 1)):
            j2 = j + 1 if j + 1 < nb else 0
            cx, cy = b[j, 0], b[j, 1]
            ex, ey = b[j2, 0] - cx, b[j2, 1] - cy
            if (
                high_x < cx + min(ex, 0.0)
                or low_x > cx + max(ex, 0.0)
                or high_y < cy + min(ey, 0.0)
                or low_y > cy + max(ey, 0.0)
            ):
                continue
            other = ex * ex + ey * ey
            least = min(least, _rank_to_piece(cx, cy, ax, ay, dx, dy, squared, near, far))
            least = min(least, _rank_to_piece(cx + ex, cy + ey, ax, ay, dx, dy, squared, near, far))
            least = min(least, _rank_to_piece(ax, ay, cx, cy, ex, ey, other, near, far))
            least = min(least, _rank_to_piece(ax + dx, ay + dy, cx, cy, ex, ey, other, near, far))
            one, two = dx * (cy - ay) - dy * (cx - ax), dx * (cy + ey - ay) - dy * (cx + ex - ax)
            three, four = ex * (ay - cy) - ey * (ax - cx), ex * (ay + dy - cy) - ey * (ax + dx - cx)
            if (one > 0) != (two > 0) and (three > 0) != (four > 0):
                least = min(least, 0 if near >= 0.0 else 1)
            if least == 0:
                return 0
    return least


@njit(cache=True, nogil=True)
def _surely_meet(a: Any, na: int, b: Any, nb: int, sure: float) -> bool:
    """Whether two rings overlap by more than `sure` metres: an edge crosses another with all four ends farther from
    the other's line, or a corner lies inside the other ring farther from its boundary."""
    for i in range(na):
        i2 = i + 1 if i + 1 < na else 0
        ax, ay, bx, by = a[i, 0], a[i, 1], a[i2, 0], a[i2, 1]
        e = math.hypot(bx - ax, by - ay)
        for j in range(nb):
            j2 = j + 1 if j + 1 < nb else 0
            cx, cy, dx, dy = b[j, 0], b[j, 1], b[j2, 0], b[j2, 1]
            one, two = _side(ax, ay, bx, by, cx, cy), _side(ax, ay, bx, by, dx, dy)
            if (one > 0) == (two > 0) or min(abs(one), abs(two)) <= sure * e:
                continue
            f = math.hypot(dx - cx, dy - cy)
            three, four = _side(cx, cy, dx, dy, ax, ay), _side(cx, cy, dx, dy, bx, by)
            if (three > 0) != (four > 0) and min(abs(three), abs(four)) > sure * f:
                return True
    for k in range(na):
        if _winds(b, nb, a[k, 0], a[k, 1]) and _boundary(b, nb, True, a[k, 0], a[k, 1]) > sure * sure:
            return True
    for k in range(nb):
        if _winds(a, na, b[k, 0], b[k, 1]) and _boundary(a, na, True, b[k, 0], b[k, 1]) > sure * sure:
            return True
    return False


@njit(cache=True, nogil=True)
def weigh(
    first: Any, lat_ndeg: Any, lng_ndeg: Any, reach_mm: Any, i: int, j: int,
    lat0: float, lng0: float, horizontal_mm: int, a: Any, b: Any,
) -> int:  # fmt: skip
    """Two shapes, on the map about (lat0, lng0), radians. `a` and `b` are room for their vertices."""
    na, nb = first[i + 1] - first[i], first[j + 1] - first[j]
    far = max(
        _drop(lat_ndeg, lng_ndeg, first[i], first[i + 1], lat0, lng0, a),
        _drop(lat_ndeg, lng_ndeg, first[j], first[j + 1], lat0, lng0, b),
    )
    d = 1.06 * math.sqrt(far) + 1.0
    if _K * d > _KD_MOST:
        return UNDECIDED
    m2 = (_K * d) ** 2 / (1 - (_K * d) ** 2)
    q = math.sqrt(1 + m2)
    # Points and lines have a reach, rings have none (`Columns.checked`): one column less to fetch for each pair.
    ring_a, ring_b = reach_mm[i] == 0, reach_mm[j] == 0
    edges_a = na if ring_a else na - 1
    edges_b = nb if ring_b else nb - 1
    per_square = _K * _K * d / 8 * (1 + m2)
    bend = _bend(a, na, ring_a, per_square) if edges_a else 0.0
    bend += _bend(b, nb, ring_b, per_square) if edges_b else 0.0
    bend += _ROUNDING_M
    limit = (horizontal_mm + reach_mm[i] + reach_mm[j]) / 1000
    enough = (limit - _AGREE_M - _ROUNDING_M) / q - bend
    apart = limit + bend + _AGREE_M
    if _parted(a, na, edges_a, b, nb, apart) or _parted(b, nb, edges_b, a, na, apart):
        return SEPARATE
    rank = _rank(a, na, edges_a, b, nb, edges_b, enough, apart)
    if rank == 0:
        return CONFLICT
    held = (ring_b and _winds(b, nb, a[0, 0], a[0, 1])) or (ring_a and _winds(a, na, b[0, 0], b[0, 1]))
    if held and enough > 0.0:
        return CONFLICT
    if not held and rank == 2:
        return SEPARATE
    if enough <= 0.0 and ring_a and ring_b and _surely_meet(a, na, b, nb, 2 * bend + _AGREE_M):
        return CONFLICT
    return UNDECIDED


@njit(cache=True, nogil=True)
def weigh_pairs(
    pairs: Any, boxes: Any, start_ms: Any, end_ms: Any, low_mm: Any, low_ref: Any, high_mm: Any, high_ref: Any,
    first: Any, lat_ndeg: Any, lng_ndeg: Any, reach_mm: Any,
    horizontal_mm: int, vertical_mm: int, time_ms: int, margin_mm: int, sure_of_time: bool, sure_of_height: bool,
    answers: Any,
) -> None:  # fmt: skip
    """The whole predicate for every pair of boxes that meet: SEPARATE, CONFLICT or UNDECIDED into `answers`."""
    most = 0
    for i in range(len(first) - 1):
        most = max(most, first[i + 1] - first[i])
    a, b = np.empty((most, 2)), np.empty((most, 2))
    for k in range(len(pairs)):
        i, j = pairs[k, 0], pairs[k, 1]
        if not sure_of_time and (start_ms[i] >= end_ms[j] + time_ms or start_ms[j] >= end_ms[i] + time_ms):
            answers[k] = SEPARATE
            continue
        if not sure_of_height and apart_in_height(low_mm, low_ref, high_mm, high_ref, i, j, vertical_mm, margin_mm):
            answers[k] = SEPARATE
            continue
        lat0, lng0 = between(boxes[i], boxes[j])
        answers[k] = weigh(
            first, lat_ndeg, lng_ndeg, reach_mm, i, j, lat0, lng0, horizontal_mm, a, b
        )  # fmt: skip


@njit(cache=True, nogil=True)
def between(one: Any, two: Any) -> tuple[float, float]:
    """The middle of what two boxes share, in radians: latitude, longitude. Any place is right; a near one is sharp."""
    south, north = max(one[2], two[2]), min(one[3], two[3])
    lat0 = 0.5 * (float(south) + float(north)) / 1e7 * (math.pi / 180)
    mask = 0xFFFFFFFF
    low, wide = one[4] & mask, one[5] & mask
    low2, wide2 = two[4] & mask, two[5] & mask
    ahead = (low2 - low) & mask
    if ahead <= wide:
        begin, span = low2, min(wide - ahead, wide2)
    else:
        begin, span = low, min(wide2 - ((low - low2) & mask), wide)
    return lat0, (begin + 0.5 * span) / 4294967296.0 * 2 * math.pi
