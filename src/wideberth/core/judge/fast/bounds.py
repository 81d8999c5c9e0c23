# SPDX-License-Identifier: Apache-2.0
"""A box round every volume, outward, in eight 32-bit numbers (`T_LO` … `Z_HI`).

Latitude is in 1e-7 degree. Longitude is where the box begins and how wide it is, eastward, in 2^-32 of a full turn
(0.93 cm on the equator): differences then wrap by themselves, and the antimeridian is an ordinary place. Height is in
mm above mean sea level, at the least or the greatest that it may mean (judge/vertical.py). Time is shifted right by as
many bits as the span of all windows needs.

Why the box holds the volume (φ latitude, λ longitude, s metres along; M, N the radii of curvature of WGS-84, each at
least b²/a = 6,335,439 m for M and a for N, each at most a²/b):

- An edge is a geodesic, and λ' = sin α / (N cos φ) keeps its sign along it (Clairaut), so λ stays between the ends.
- φ' = cos α / M and α' = sin α tan φ / N, hence |φ''| <= tan|φ| / (N M) + |dM/dφ| / M³, with |dM/dφ| <= 0.0102 M. A
  curve leaves its chord by at most max|φ''| L² / 8, and L is at most the length of the line that is straight in (φ, λ).
- What lies within r of a point lies within r / M of its latitude and, as |λ'| <= 1 / (a cos φ) on the way there, within
  r / (a cos φ) of its longitude, with the greatest |φ| that can be reached.
- Near a pole (89°), or where a ring winds round one, the box goes to the pole and all the way round; a ring that
  might fill more than its corners show gets the whole Earth.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numba import njit

from wideberth.core.judge.columns import RING, Columns
from wideberth.core.judge.vertical import GEOID_MM, GROUND_MM
from wideberth.core.say.geodesy import A_M, B_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

T_LO, T_HI, LAT_LO, LAT_HI, LNG_LO, LNG_WIDE, Z_LO, Z_HI = range(8)
BOX: Final = 8

TURN: Final = 1 << 32
MASK: Final = TURN - 1
LAT_UNITS: Final = 10_000_000  # to a degree
_UNITS_PER_NDEG: Final = 0.01

_M_LEAST_M: Final = B_M * B_M / A_M * (1 - 1e-12)
_RADIUS_GREATEST_M: Final = A_M * A_M / B_M * (1 + 1e-12)
_RAD_PER_NDEG: Final = math.pi / 180e9
_FULL_NDEG: Final = 360 * 10**9
_HALF_NDEG: Final = 180 * 10**9
_POLAR_NDEG: Final = 89 * 10**9
_STEEP_NDEG: Final = 170 * 10**9
_WIDE_NDEG: Final = 150 * 10**9
_LOW_NDEG: Final = 45 * 10**9

# Divisions are slow, and these are constants: what they are rounded by is far below the unit that is added outward.
_NDEG_PER_M: Final = 1 / (_M_LEAST_M * _RAD_PER_NDEG) * (1 + 1e-12)
_NDEG_PER_ASIDE_M: Final = 1 / (A_M * _RAD_PER_NDEG) * (1 + 1e-12)
_NDEG_PER_RAD: Final = 1 / _RAD_PER_NDEG * (1 + 1e-12)
_BEND_BY_TANGENT: Final = 1 / (A_M * _M_LEAST_M) * (1 + 1e-12)
_BEND_AT_LEAST: Final = 0.0102 / _M_LEAST_M**2
_EIGHTH_PER_SQUARE: Final = (_RAD_PER_NDEG * _RADIUS_GREATEST_M) ** 2 / 8 * (1 + 1e-12)
_HALF_LENGTH: Final = math.sqrt(8) / 2 * _NDEG_PER_M

# Cosine and tangent by hundredths of a degree: the least cosine and the greatest tangent of each, with a neighbour's
# width to spare, because a product may fall on the wrong side of a border.
_CELLS_PER_NDEG: Final = 1e-7
_COS_LEAST: Final = np.cos(np.radians((np.arange(9001) + 2) / 100)) - 1e-12
_COS_GREATEST: Final = np.cos(np.radians(np.maximum(np.arange(9001) - 1, 0) / 100)) + 1e-12
_TAN_GREATEST: Final = np.tan(np.radians(np.minimum((np.arange(9001) + 2) / 100, 89.99))) + 1e-12

_Z_END: Final = 2_100_000_000  # beyond 2,100 km everything is alike
_ABOVE_SEA_LO: Final = np.array([0, -GEOID_MM[1], 0, GROUND_MM[0], GROUND_MM[0], 2 * _Z_END], dtype=np.int64)
_ABOVE_SEA_HI: Final = np.array([0, -GEOID_MM[0], 0, GROUND_MM[1], GROUND_MM[1], 2 * _Z_END], dtype=np.int64)
_FL: Final = 2


@njit(cache=True, nogil=True)
def _clip(z: int) -> int:
    return min(max(z, -_Z_END), _Z_END)


@njit(cache=True, nogil=True)
def spine_box(
    lat_ndeg: Any, lng_ndeg: Any, begin: int, end: int, ring: bool, reach_m: float
) -> tuple[float, float, float, float]:
    """South, north, west in ndeg, and the width eastward in ndeg (360° for all round), of a grown spine; outward."""
    first = before = south = north = lat_ndeg[begin]
    start = behind = here = west = east = lng_ndeg[begin]
    rise = turn = 0  # of the steepest and of the broadest edge: one as both is no shorter than any
    for k in range(begin + 1, end):
        lat, lng = lat_ndeg[k], lng_ndeg[k]
        rise = max(rise, abs(lat - before))
        south, north = min(south, lat), max(north, lat)
        step = lng - behind
        if abs(step) > _HALF_NDEG:
            step += -_FULL_NDEG if step > 0 else _FULL_NDEG
        turn = max(turn, abs(step))
        here += step
        west, east = min(west, here), max(east, here)
        before, behind = lat, lng
    if ring:
        rise = max(rise, abs(first - before))
        step = start - behind
        if abs(step) > _HALF_NDEG:
            step += -_FULL_NDEG if step > 0 else _FULL_NDEG
        turn = max(turn, abs(step))
        here += step
    steep = turn > _STEEP_NDEG
    near = 0 if south <= 0 <= north else min(abs(south), abs(north))
    across = _COS_GREATEST[int(near * _CELLS_PER_NDEG)] * turn
    square = across * across + float(rise) * float(rise)
    winds = ring and here != start
    # L² / 8 in radians², times the greatest radius squared: metres².
    eighth = square * _EIGHTH_PER_SQUARE
    far = float(max(abs(south), abs(north)))
    farther = far + math.sqrt(eighth) * _HALF_LENGTH
    grown = reach_m * _NDEG_PER_M
    bulge = 0.0
    if farther < _POLAR_NDEG:
        bend = _TAN_GREATEST[int(farther * _CELLS_PER_NDEG)] * _BEND_BY_TANGENT + _BEND_AT_LEAST
        bulge = bend * eighth * _NDEG_PER_RAD + 1.0
    top = far + bulge + grown
    if steep or winds or farther >= _POLAR_NDEG or top >= _POLAR_NDEG:
        low = -90e9
        high = 90e9
        sure = not ring or min(abs(south), abs(north)) > _LOW_NDEG
        # Within one hemisphere an edge's latitude is convex towards the pole: the other limit is reached at a corner.
        if sure and south > 0:
            low = max(south - grown - 1.0, -90e9)
        elif sure and north < 0:
            high = min(north + grown + 1.0, 90e9)
        return low, high, -180e9, 360e9
    if ring and (east - west > _WIDE_NDEG or north - south > _WIDE_NDEG * 0.8):
        return -90e9, 90e9, -180e9, 360e9
    aside = 0.0
    if grown > 0.0:
        aside = reach_m * _NDEG_PER_ASIDE_M / _COS_LEAST[int(top * _CELLS_PER_NDEG)] + 1.0
    return south - bulge - grown, north + bulge + grown, west - aside, min(east - west + 2 * aside, 360e9)


@njit(cache=True, nogil=True)
def put_place(box: Any, south: float, north: float, west: float, wide: float) -> None:
    """Latitude and longitude into a box, rounded outward."""
    box[LAT_LO] = max(math.floor(south * _UNITS_PER_NDEG) - 1, -900_000_000)
    box[LAT_HI] = min(math.ceil(north * _UNITS_PER_NDEG) + 1, 900_000_000)
    low = math.floor(west * (TURN / _FULL_NDEG)) - 1
    width = math.ceil(wide * (TURN / _FULL_NDEG)) + 3
    box[LNG_LO] = np.int32(np.uint32(low & MASK))
    box[LNG_WIDE] = np.int32(np.uint32(min(width, MASK)))


@njit(cache=True, nogil=True)
def put_height(box: Any, low_mm: int, low_ref: int, high_mm: int, high_ref: int, margin_mm: int, one: bool) -> None:
    """The band into a box. `one`: all heights wear one reference, so that they compare as they are."""
    if one:
        box[Z_LO] = _clip(low_mm)
        box[Z_HI] = _clip(high_mm)
        return
    a = low_mm + _ABOVE_SEA_LO[low_ref] - (margin_mm if low_ref == _FL else 0)
    b = high_mm + _ABOVE_SEA_LO[high_ref] - (margin_mm if high_ref == _FL else 0)
    c = low_mm + _ABOVE_SEA_HI[low_ref] + (margin_mm if low_ref == _FL else 0)
    d = high_mm + _ABOVE_SEA_HI[high_ref] + (margin_mm if high_ref == _FL else 0)
    box[Z_LO] = _clip(min(a, b))
    box[Z_HI] = _clip(max(c, d))


@njit(cache=True, nogil=True)
def _boxes(
    start_ms: Any, end_ms: Any, low_mm: Any, high_mm: Any, low_ref: Any, high_ref: Any, kind: Any, first: Any,
    lat_ndeg: Any, lng_ndeg: Any, reach_mm: Any,
    grow_m: float, rise_mm: int, late_ms: int, margin_mm: int, epoch_ms: int, shift: int, one: bool, boxes: Any,
) -> None:  # fmt: skip
    for i in range(len(start_ms)):
        box = boxes[i]
        box[T_LO] = (start_ms[i] - epoch_ms) >> shift
        box[T_HI] = -((epoch_ms - end_ms[i] - late_ms) >> shift)
        south, north, west, wide = spine_box(
            lat_ndeg, lng_ndeg, first[i], first[i + 1], kind[i] == RING, reach_mm[i] / 1000 + grow_m
        )
        put_place(box, south, north, west, wide)
        put_height(box, low_mm[i], low_ref[i], high_mm[i], high_ref[i], margin_mm, one)
        # Whole millimetres: nearer than the minimum is at most one less than it.
        box[Z_HI] = _clip(box[Z_HI] + max(rise_mm - 1, 0))


class Boxes(NamedTuple):
    """`box` (n, 8): two volumes can only conflict when their boxes meet. `sure_of_time`, `sure_of_height`: where they
    do, the clause of time, or that of height, surely holds."""

    box: NDArray[np.int32]
    sure_of_time: bool
    sure_of_height: bool


def boxes_of(columns: Columns, *, horizontal_mm: int, vertical_mm: int, time_ms: int, margin_mm: int) -> Boxes:
    """A box for each volume under these minima: half of the horizontal one is added all round each, the whole of the
    vertical one above, the whole of that in time after."""
    n = len(columns)
    boxes = np.empty((n, BOX), dtype=np.int32)
    if n == 0:
        return Boxes(boxes, False, False)
    epoch = int(columns.start_ms.min())
    span = int(columns.end_ms.max()) + time_ms - epoch
    shift = max(0, span.bit_length() - 30)
    ref = int(columns.low_ref[0])
    one = bool((columns.low_ref == ref).all() and (columns.high_ref == ref).all())
    grow_m = horizontal_mm / 2000 + 0.01
    _boxes(
        columns.start_ms, columns.end_ms, columns.low_mm, columns.high_mm, columns.low_ref, columns.high_ref,
        columns.kind, columns.first, columns.lat_ndeg, columns.lng_ndeg, columns.reach_mm,
        grow_m, vertical_mm, time_ms, margin_mm, epoch, shift, one, boxes,
    )  # fmt: skip
    within = bool(boxes[:, Z_LO].min() > -_Z_END and boxes[:, Z_HI].max() < _Z_END)
    return Boxes(boxes, shift == 0, one and within and vertical_mm > 0)
