# SPDX-License-Identifier: Apache-2.0
"""States of many tracks in Earth-centred metres, and filed by cubes of space; see `judge/pairs.py` for the reasons.

A record (`WAY` … `RADIUS`) is what `pairs.lifted` makes of one state. The cubes are numbered along z first, so that
three neighbours in z are one run of the sorted order. What is empty costs nothing, and no place on Earth is special.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit

from wideberth.core.judge import tangent
from wideberth.core.judge.tangent import CURVATURE

# Metres, seconds: place now (0 to 2), velocity (3 to 5), way, past, reach, its growth, height, climb, its room, its
# growth.
WAY, PAST, REACH, GROWS, HEIGHT, CLIMB, ROOM, ROOM_GROWS = range(6, 14)
RECORD: Final = 14
# A ball that holds the track until the end: middle (0 to 2) and radius.
RADIUS: Final = 3
BALL: Final = 4
_RAD_PER_NDEG: Final = math.pi / 180e9

_lift = njit(cache=True, nogil=True)(tangent.lift)


@njit(cache=True, nogil=True)
def lift_all(
    lat_ndeg: Any, lng_ndeg: Any, alt_mm: Any, east_mmps: Any, north_mmps: Any, up_mmps: Any, t_ms: Any,
    position_error_mm: Any, velocity_error_mmps: Any, height_error_mm: Any, climb_error_mmps: Any,
    now_ms: int, until: float, records: Any, balls: Any,
) -> None:  # fmt: skip
    """A record and a ball for each state, from `now_ms` to `until` seconds later."""
    half = until / 2
    for i in range(len(lat_ndeg)):
        east, north = east_mmps[i] / 1000, north_mmps[i] / 1000
        x, y, z, vx, vy, vz = _lift(lat_ndeg[i] * _RAD_PER_NDEG, lng_ndeg[i] * _RAD_PER_NDEG, east, north)
        age = (now_ms - t_ms[i]) / 1000
        speed = math.sqrt(east * east + north * north)
        o, ball = records[i], balls[i]
        o[0], o[1], o[2] = x + vx * age, y + vy * age, z + vz * age
        o[3], o[4], o[5] = vx, vy, vz
        way = speed * (abs(age) + until)
        grows = velocity_error_mmps[i] / 1000
        reach = position_error_mm[i] / 1000 + grows * abs(age)
        o[WAY], o[PAST], o[REACH], o[GROWS] = way, speed * abs(age), reach, grows
        climb = up_mmps[i] / 1000
        o[HEIGHT], o[CLIMB] = alt_mm[i] / 1000 + climb * age, climb
        room_grows = climb_error_mmps[i] / 1000
        o[ROOM], o[ROOM_GROWS] = height_error_mm[i] / 1000 + room_grows * abs(age), room_grows
        ball[0], ball[1], ball[2] = o[0] + vx * half, o[1] + vy * half, o[2] + vz * half
        ball[RADIUS] = speed * half + CURVATURE * way * way / 2 + reach + grows * until + 0.005


# What the sweep looks at first, in single precision: the least and the greatest x, y, z and height until the end.
LOOKS: Final = 8


@njit(cache=True, nogil=True)
def first_looks(
    records: Any, low: Any, ref: Any, above_sea: Any, horizontal: float, room: float, until: float
) -> Any:  # fmt: skip
    """(LOOKS, n), outward: a box round the way of each, grown by half of the minima and by what is not known, so that
    two that come inside the minima have boxes that meet. Places are less `low`; heights are above mean sea level, or
    as they are when all wear one reference."""
    found = np.empty((LOOKS, len(records)), dtype=np.float32)
    for i in range(len(records)):
        o = records[i]
        # The Earth falls away below the tangent by k way^2 / 2.
        grown = horizontal / 2 + o[REACH] + o[GROWS] * until + CURVATURE * o[WAY] * o[WAY] / 2 + 0.005
        for axis in range(3):
            here = o[axis] - low[axis]
            there = here + o[3 + axis] * until
            # Half a unit in the last place of single precision is 6e-8 of the number; two are compared.
            hair = 2e-7 * max(abs(here), abs(there)) + grown
            found[2 * axis, i] = min(here, there) - hair
            found[2 * axis + 1, i] = max(here, there) + hair
        end = o[HEIGHT] + o[CLIMB] * until
        wider = room / 2 + o[ROOM] + o[ROOM_GROWS] * until + 0.001
        under = min(o[HEIGHT], end) - wider + above_sea[ref[i], 0]
        over = max(o[HEIGHT], end) + wider + above_sea[ref[i], 1]
        found[6, i] = under - abs(under) * 2e-7
        found[7, i] = over + abs(over) * 2e-7
    return found


@njit(cache=True, nogil=True)
def cube_keys(balls: Any, chosen: Any, side: float) -> Any:
    """For each chosen ball the number of the cube that holds its middle; `ny, nz` of the numbering
    `(ix ny + iy) nz + iz`, with an empty cube on every side so that neighbours never wrap; the lowest corner."""
    low = np.full(3, 1e300)
    high = np.full(3, -1e300)
    for i in chosen:
        for axis in range(3):
            low[axis] = min(low[axis], balls[i, axis])
            high[axis] = max(high[axis], balls[i, axis])
    keys = np.empty(len(chosen), dtype=np.int64)
    ny = int((high[1] - low[1]) / side) + 3
    nz = int((high[2] - low[2]) / side) + 3
    for k in range(len(chosen)):
        i = chosen[k]
        ix = int((balls[i, 0] - low[0]) / side) + 1
        iy = int((balls[i, 1] - low[1]) / side) + 1
        iz = int((balls[i, 2] - low[2]) / side) + 1
        keys[k] = (ix * ny + iy) * nz + iz
    return keys, ny, nz, low


@njit(cache=True, nogil=True)
def by_key(keys: Any) -> Any:
    """Places in ascending order of the keys (radix sort by 11 bits, stable)."""
    n = len(keys)
    order = np.arange(n)
    spare = np.empty_like(order)
    most = 0
    for k in range(n):
        most = max(most, keys[k])
    shift = 0
    while most >> shift:
        places = np.zeros(2049, dtype=np.int64)
        for k in range(n):
            places[((keys[k] >> shift) & 2047) + 1] += 1
        for d in range(2048):
            places[d + 1] += places[d]
        for k in range(n):
            d = (keys[order[k]] >> shift) & 2047
            spare[places[d]] = order[k]
            places[d] += 1
        order, spare = spare, order
        shift += 11
    return order
