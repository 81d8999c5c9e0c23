# SPDX-License-Identifier: Apache-2.0
"""The seeded workload of the conflict benchmarks: N operations over 300 by 300 km and 24 hours, as numpy columns.

    python benchmarks/workload.py [OPERATIONS ...] [--kind managed|raw]      prints what is in it

* Drones: 1 to 10 volumes along a way with bends, each 0.5 to 5 km long and 60 to 200 m wide, bands of 30 to 120 m,
  12 to 25 m/s; a tenth are one single disc. Half of them start from 400 hubs; 70 % start about 13:00.
* At most 500 corridors (lines with a reach) of legs of 13 to 40 km; at most 100 zones of 1 to 8 km for 1 to 6 hours.
* `raw` is all of that as it falls. `managed` is what is left when operations are admitted one after the other and
  whatever conflicts with an admitted one is turned away, and then one in 200 is put beside another on purpose.

Conflict here: not more than 50 m apart, less than 15 m of height between, windows that overlap, another operation.

Everything is made in planar metres, which the peers get for free; `lat_ndeg` and `lng_ndeg` are the same places on
WGS-84 (azimuth and distance from 47° N 8.5° E, by the geodesic). A plane and an ellipsoid differ: about 0.2 mm in a
metre at the rim, and half a metre in the middle of a 40 km edge. So pairs within a centimetre or so of 50 m may differ.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numba import njit

LAT, LNG = 47.0, 8.5
WIDE_M: Final = 300_000.0
DAY_S: Final = 86_400.0
HUBS: Final = 400
H_M, V_MM = 50.0, 15_000
POINT, LINE, RING = 0, 1, 2
VERSION: Final = 1  # of this generator, in the name of what is cached
# 2030-06-03T00:00:00Z
EPOCH_MS: Final = 1_906_675_200_000


class Planar(NamedTuple):
    """Volumes in columns. `first[i]:first[i + 1]` are the vertices of volume i; metres from the middle, east and north.

    Kind 0 is a point with a reach (a disc), 1 a line with a reach, 2 a filled ring. Volumes of one operation are
    together, and operations are numbered from 0 in order.
    """

    op: Any
    start_ms: Any
    end_ms: Any
    low_mm: Any
    high_mm: Any
    kind: Any
    first: Any
    reach_m: Any
    x: Any
    y: Any

    @property
    def volumes(self) -> int:
        return len(self.op)

    @property
    def operations(self) -> int:
        return int(self.op[-1]) + 1 if len(self.op) else 0


class Workload(NamedTuple):
    """The same volumes on the plane and on WGS-84 (1e-9 degree)."""

    planar: Planar
    lat_ndeg: Any
    lng_ndeg: Any
    reach_mm: Any


def workload(operations: int, kind: str = "managed", seed: int = 1) -> Workload:
    """Made once and kept in the temporary directory; the first time, 1,000,000 operations take 2.5 minutes and 6 GB."""
    kept = Path(tempfile.gettempdir()) / f"wideberth-workload-{VERSION}-{kind}-{operations}-{seed}.npz"
    if not kept.exists():
        planar = _managed(operations, seed) if kind == "managed" else _raw(operations, np.random.default_rng(seed))
        lat_ndeg, lng_ndeg = on_wgs84(planar.x, planar.y)
        part = kept.with_suffix(f".{os.getpid()}.npz")
        np.savez(part, **planar._asdict(), lat_ndeg=lat_ndeg, lng_ndeg=lng_ndeg)
        part.replace(kept)
    with np.load(kept) as held:
        planar = Planar(*(held[name] for name in Planar._fields))
        return Workload(planar, held["lat_ndeg"], held["lng_ndeg"], np.rint(planar.reach_m * 1000).astype(np.int64))


def on_wgs84(x: Any, y: Any) -> tuple[Any, Any]:
    """Metres east and north to 1e-9 degree, in pieces, for memory."""
    from pyproj import Geod

    geod, lat, lng = Geod(ellps="WGS84"), np.empty(len(x), np.int64), np.empty(len(x), np.int64)
    for i in range(0, len(x), 1 << 20):
        cut = slice(i, i + (1 << 20))
        azimuth, metres = np.degrees(np.arctan2(x[cut], y[cut])), np.hypot(x[cut], y[cut])
        east, north, _ = geod.fwd(np.full(len(metres), LNG), np.full(len(metres), LAT), azimuth, metres)
        lat[cut], lng[cut] = np.rint(np.asarray(north) * 1e9), np.rint(np.asarray(east) * 1e9)
    return lat, lng


def take(p: Planar, keep: Any) -> Planar:
    """These volumes in this order, operations numbered anew in the order in which they come."""
    op, counts = p.op[keep], np.diff(p.first)[keep]
    first = np.zeros(len(keep) + 1, np.int64)
    np.cumsum(counts, out=first[1:])
    vertices = np.arange(first[-1]) - np.repeat(first[:-1], counts) + np.repeat(p.first[:-1][keep], counts)
    starts = np.ones(len(op), bool)
    starts[1:] = op[1:] != op[:-1]
    return Planar(
        (np.cumsum(starts) - 1).astype(np.int32), p.start_ms[keep], p.end_ms[keep], p.low_mm[keep], p.high_mm[keep],
        p.kind[keep], first, p.reach_m[keep], p.x[vertices], p.y[vertices],
    )  # fmt: skip


def operations_of(p: Planar, wanted: Any) -> Planar:
    """The volumes of these operations, in the order given."""
    begins = np.searchsorted(p.op, np.arange(p.operations + 1))
    counts = np.diff(begins)[wanted]
    ends = np.cumsum(counts)
    return take(p, np.arange(ends[-1]) - np.repeat(ends - counts, counts) + np.repeat(begins[:-1][wanted], counts))


def joined(a: Planar, b: Planar) -> Planar:
    both = [np.concatenate(pair) for pair in zip(a, b, strict=True)]
    return Planar(*both)._replace(
        op=np.concatenate([a.op, b.op + np.int32(a.operations)]),
        first=np.concatenate([a.first, b.first[1:] + a.first[-1]]),
    )


def boxes(p: Planar, grow_m: float = 0.0) -> tuple[Any, Any, Any, Any]:
    """West, south, east, north of each volume, grown."""
    reach, at = p.reach_m + grow_m, p.first[:-1]
    low, high = np.minimum.reduceat, np.maximum.reduceat
    return low(p.x, at) - reach, low(p.y, at) - reach, high(p.x, at) + reach, high(p.y, at) + reach


def geometries(p: Planar) -> Any:
    """The spines as shapely objects: with `reach_m` added to the distance, discs and corridors are exact."""
    made = np.empty(p.volumes, object)
    xy = np.column_stack([p.x, p.y])
    counts = np.diff(p.first)
    which = np.flatnonzero(p.kind == POINT)
    made[which] = shapely.points(xy[p.first[:-1][which]])
    for kind, build in ((LINE, shapely.linestrings), (RING, _polygons)):
        for count in np.unique(counts[p.kind == kind]):
            which = np.flatnonzero((p.kind == kind) & (counts == count))
            made[which] = build(xy[p.first[:-1][which][:, None] + np.arange(count)])
    return made


def _polygons(corners: Any) -> Any:
    return shapely.polygons(np.concatenate([corners, corners[:, :1]], axis=1))


# --- what flies ---


def _raw(count: int, rng: Any) -> Planar:
    corridors, zones = min(500, count // 100), min(100, count // 200)
    drones = count - corridors - zones
    p = joined(joined(_drones(drones, rng), _corridors(corridors, rng)), _zones(zones, rng))
    return operations_of(p, rng.permutation(count))


def _starts(count: int, rng: Any) -> tuple[Any, Any, Any]:
    hubs = np.random.default_rng(400).uniform(-WIDE_M / 2, WIDE_M / 2, (HUBS, 2))
    at = rng.uniform(-WIDE_M / 2, WIDE_M / 2, (count, 2))
    from_hub = rng.random(count) < 0.5
    at[from_hub] = hubs[rng.integers(0, HUBS, from_hub.sum())] + rng.normal(0, 1_500, (from_hub.sum(), 2))
    midday = rng.normal(13 * 3600, 2.5 * 3600, count)
    return at[:, 0], at[:, 1], np.where(rng.random(count) < 0.7, midday % DAY_S, rng.uniform(0, DAY_S, count))


def _drones(count: int, rng: Any) -> Planar:
    x, y, t = _starts(count, rng)
    single = rng.random(count) < 0.1
    parts = np.where(single, 1, rng.integers(1, 11, count))
    op = np.repeat(np.arange(count), parts)
    n = len(op)
    ends = np.cumsum(parts)
    begins = ends - parts
    length = rng.uniform(500, 5_000, n)
    bend = rng.uniform(-0.6, 0.6, n)
    bend[begins] = rng.uniform(0, 2 * np.pi, count)
    heading = _within(bend, begins, parts)
    dx, dy = np.sin(heading) * length, np.cos(heading) * length
    east = np.repeat(x, parts) + _within(dx, begins, parts) - dx
    north = np.repeat(y, parts) + _within(dy, begins, parts) - dy
    seconds = length / np.repeat(rng.uniform(12, 25, count), parts)
    enters = np.repeat(t, parts) + _within(seconds, begins, parts) - seconds
    start_s, end_s = enters - 20, enters + seconds + 40
    width, thick = np.repeat(rng.uniform(60, 200, count), parts), np.repeat(rng.uniform(30, 120, count), parts)
    low = np.repeat(rng.uniform(430, 1_200, count), parts) + rng.uniform(-10, 10, n)
    disc = np.repeat(single, parts)
    end_s = np.where(disc, start_s + rng.uniform(300, 1_800, n), end_s)
    eight = (~disc) & (rng.random(n) < 0.3)
    counts = np.where(disc, 1, np.where(eight, 8, 4))
    first = np.zeros(n + 1, np.int64)
    np.cumsum(counts, out=first[1:])
    px, py = np.empty(first[-1]), np.empty(first[-1])
    px[first[:-1][disc]], py[first[:-1][disc]] = east[disc], north[disc]
    half = width / 2
    for which, corners in ((~disc & ~eight, _FOUR), (eight, _EIGHT)):
        at = first[:-1][which]
        ux, uy, h, l = np.sin(heading[which]), np.cos(heading[which]), half[which], length[which]  # noqa: E741
        for k, (along_h, along_l, side) in enumerate(corners):
            s, d = along_h * h + along_l * l, side * h
            px[at + k], py[at + k] = east[which] + ux * s - uy * d, north[which] + uy * s + ux * d
    reach = np.where(disc, rng.uniform(60, 400, n), 0.0)
    kind = np.where(disc, POINT, RING)
    return _columns(op, start_s, end_s, low, low + thick, kind, first, reach, px, py)


# Corners round a way of length l and half width h: (times h along, times l along, times h to the left).
_FOUR: Final = ((-1, 0, -1), (1, 1, -1), (1, 1, 1), (-1, 0, 1))
_EIGHT: Final = (
    (-0.4, 0, -1), (0.4, 1, -1), (1, 1, -0.4), (1, 1, 0.4), (0.4, 1, 1), (-0.4, 0, 1), (-1, 0, 0.4), (-1, 0, -0.4),
)  # fmt: skip


def _within(steps: Any, begins: Any, parts: Any) -> Any:
    """Running sums that begin anew with each operation."""
    total = np.cumsum(steps)
    return total - np.repeat(total[begins] - steps[begins], parts)


def _corridors(count: int, rng: Any) -> Planar:
    """Each leg is a volume: a line of two points with a reach, flown at 50 to 80 m/s."""
    parts = rng.integers(2, 7, count)
    op = np.repeat(np.arange(count), parts)
    n, begins = len(op), np.cumsum(parts) - parts
    length, heading = rng.uniform(13_000, 40_000, n), np.repeat(rng.uniform(0, 2 * np.pi, count), parts)
    heading = heading + rng.uniform(-0.3, 0.3, n)
    dx, dy = np.sin(heading) * length, np.cos(heading) * length
    east = np.repeat(rng.uniform(-WIDE_M / 2, WIDE_M / 2, count), parts) + _within(dx, begins, parts) - dx
    north = np.repeat(rng.uniform(-WIDE_M / 2, WIDE_M / 2, count), parts) + _within(dy, begins, parts) - dy
    seconds = length / np.repeat(rng.uniform(50, 80, count), parts)
    enters = np.repeat(rng.uniform(0, DAY_S, count), parts) + _within(seconds, begins, parts) - seconds
    low = np.repeat(rng.uniform(500, 900, count), parts)
    px, py = np.column_stack([east, east + dx]).ravel(), np.column_stack([north, north + dy]).ravel()
    reach = np.repeat(rng.uniform(150, 500, count), parts)
    return _columns(op, enters - 30, enters + seconds + 60, low, low + 100, np.full(n, LINE),
                    np.arange(n + 1, dtype=np.int64) * 2, reach, px, py)  # fmt: skip


def _zones(count: int, rng: Any) -> Planar:
    """Rings of 32 corners."""
    angle = -np.arange(32) * 2 * np.pi / 32
    middle, radius = rng.uniform(-WIDE_M / 2, WIDE_M / 2, (count, 2)), rng.uniform(1_000, 8_000, count)
    px = middle[:, :1] + radius[:, None] * np.sin(angle)
    py = middle[:, 1:] + radius[:, None] * np.cos(angle)
    start_s = rng.uniform(0, DAY_S, count)
    low = rng.uniform(400, 800, count)
    return _columns(np.arange(count), start_s, start_s + rng.uniform(3_600, 21_600, count), low,
                    low + rng.uniform(100, 400, count), np.full(count, RING), np.arange(count + 1, dtype=np.int64) * 32,
                    np.zeros(count), px.ravel(), py.ravel())  # fmt: skip


def _columns(op: Any, start_s: Any, end_s: Any, low_m: Any, high_m: Any, kind: Any, first: Any, reach_m: Any,
             px: Any, py: Any) -> Planar:  # fmt: skip
    def ms(seconds: Any) -> Any:
        return EPOCH_MS + np.rint(seconds * 1000).astype(np.int64)

    def mm(metres: Any) -> Any:
        return np.rint(metres * 1000).astype(np.int64)

    reach_m = np.rint(reach_m * 1000) / 1000  # whole millimetres, as a volume says them
    return Planar(op.astype(np.int32), ms(start_s), ms(end_s), mm(low_m), mm(high_m), kind.astype(np.int8),
                  first, reach_m, px, py)  # fmt: skip


# --- who is admitted ---


def _managed(count: int, seed: int) -> Planar:
    """Rounds of newcomers are put behind those admitted; one that meets anybody admitted before it is turned away."""
    rng = np.random.default_rng(seed)
    planted = max(1, count // 200)
    wanted, admitted, grow = count - planted, None, 1.15
    while admitted is None or admitted.operations < wanted:
        have = admitted.operations if admitted is not None else 0
        fresh = _raw(max(int((wanted - have) * grow), 200), rng)
        if have:  # standing corridors and zones come with the first round only
            fresh = operations_of(fresh, np.unique(fresh.op[(fresh.kind == POINT) | _short(fresh)]))
        crowd = fresh if admitted is None else joined(admitted, fresh)
        kept = _first_come(operation_pairs(crowd, *conflicts(crowd)), crowd.operations)
        grow = min(6.0, 1.1 * (crowd.operations - have) / max(1, int(kept[have:].sum())))
        admitted = operations_of(crowd, np.flatnonzero(kept)[:wanted])
    beside = operations_of(admitted, rng.choice(wanted, planted, replace=False))
    shift = rng.uniform(-30, 30, (planted, 2))
    of_vertex = np.repeat(beside.op, np.diff(beside.first))
    late_ms = rng.integers(-20_000, 20_000, planted)[beside.op]
    beside = beside._replace(x=beside.x + shift[of_vertex, 0], y=beside.y + shift[of_vertex, 1],
                             start_ms=beside.start_ms + late_ms, end_ms=beside.end_ms + late_ms)  # fmt: skip
    return operations_of(joined(admitted, beside), rng.permutation(count))


def _short(p: Planar) -> Any:
    return (p.kind == RING) & (np.diff(p.first) <= 8)


def _first_come(pairs: Any, count: int) -> Any:
    kept = np.ones(count, np.bool_)
    _turn_away(pairs[np.argsort(pairs[:, 1], kind="stable")], kept)
    return kept


@njit(cache=True)
def _turn_away(pairs: Any, kept: Any) -> None:
    """Pairs (earlier, later), by the later one."""
    for k in range(len(pairs)):
        if kept[pairs[k, 0]]:
            kept[pairs[k, 1]] = False


# --- a reference of the benchmark's own: a plain grid, then shapely ---


def conflicts(p: Planar) -> tuple[Any, Any]:
    """Conflicting pairs of volumes (i < j) on the plane: boxes by a grid, then shapely's distance."""
    i, j = box_pairs(p)
    near = np.empty(len(i), bool)
    used, at = np.unique(np.concatenate([i, j]), return_inverse=True)
    shapes = geometries(take(p, used))
    for cut in range(0, len(i), 1 << 20):
        k = slice(cut, cut + (1 << 20))
        a, b = at[: len(i)][k], at[len(i) :][k]
        near[k] = shapely.dwithin(shapes[a], shapes[b], H_M + p.reach_m[i[k]] + p.reach_m[j[k]])
    return i[near], j[near]


def operation_pairs(p: Planar, i: Any, j: Any) -> Any:
    """Each pair of operations once, the earlier first."""
    both = np.sort(np.column_stack([p.op[i], p.op[j]]).astype(np.int64), axis=1)
    return np.unique(both[:, 0] << 32 | both[:, 1])[:, None] >> np.array([32, 0]) & 0xFFFFFFFF


def box_pairs(p: Planar) -> tuple[Any, Any]:
    """Pairs of volumes (i < j) of two operations whose boxes, windows and bands come near enough."""
    west, south, east, north = boxes(p, H_M / 2)
    return _grid_join(p.op, p.start_ms - p.start_ms.min(), p.end_ms - p.start_ms.min(), p.low_mm, p.high_mm,
                      west - west.min(), south - south.min(), east - west.min(), north - south.min())  # fmt: skip


_CELL_M, _SLOT_MS = 3_000.0, 600_000


@njit(cache=True)
def _grid_join(op: Any, start: Any, end: Any, low: Any, high: Any, west: Any, south: Any, east: Any, north: Any) -> Any:
    n, total = len(op), 0
    for i in range(n):
        wide = int(east[i] // _CELL_M) - int(west[i] // _CELL_M) + 1
        tall = int(north[i] // _CELL_M) - int(south[i] // _CELL_M) + 1
        total += wide * tall * ((end[i] - 1) // _SLOT_MS - start[i] // _SLOT_MS + 1)
    keys, who = np.empty(total, np.int64), np.empty(total, np.int32)
    k = 0
    for i in range(n):
        for cx in range(int(west[i] // _CELL_M), int(east[i] // _CELL_M) + 1):
            for cy in range(int(south[i] // _CELL_M), int(north[i] // _CELL_M) + 1):
                for ct in range(start[i] // _SLOT_MS, (end[i] - 1) // _SLOT_MS + 1):
                    keys[k], who[k] = (cx << 40) | (cy << 20) | ct, i
                    k += 1
    order = np.argsort(keys)
    found_i, found_j = [np.int32(0) for _ in range(0)], [np.int32(0) for _ in range(0)]
    k = 0
    while k < total:
        key, stop = keys[order[k]], k + 1
        while stop < total and keys[order[stop]] == key:
            stop += 1
        cx, cy, ct = key >> 40, (key >> 20) & 0xFFFFF, key & 0xFFFFF
        for a in range(k, stop):
            i = who[order[a]]
            for b in range(a + 1, stop):
                j = who[order[b]]
                if op[i] == op[j] or start[i] >= end[j] or start[j] >= end[i]:
                    continue
                if low[i] - high[j] >= V_MM or low[j] - high[i] >= V_MM:
                    continue
                if west[i] > east[j] or west[j] > east[i] or south[i] > north[j] or south[j] > north[i]:
                    continue
                # Told once, in the cell where both begin to be together.
                if (int(max(west[i], west[j]) // _CELL_M) == cx and int(max(south[i], south[j]) // _CELL_M) == cy
                        and max(start[i], start[j]) // _SLOT_MS == ct):  # fmt: skip
                    found_i.append(min(i, j))
                    found_j.append(max(i, j))
        k = stop
    return np.array(found_i), np.array(found_j)


def main() -> None:
    parser = argparse.ArgumentParser(description="What is in the workload.")
    parser.add_argument("operations", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--kind", choices=("managed", "raw"), default="managed")
    given = parser.parse_args()
    head = ("operations", "volumes", "vertices", "box pairs", "pairs", "in conflict", "made in")
    print("".join(f"{name:>12}" for name in head))
    for count in given.operations:
        began = time.process_time()
        p = workload(count, given.kind).planar
        made = time.process_time() - began
        pairs = operation_pairs(p, *conflicts(p))
        print(f"{p.operations:>12,}{p.volumes:>12,}{len(p.x):>12,}{len(box_pairs(p)[0]):>12,}{len(pairs):>12,}"
              f"{len(np.unique(pairs)) / p.operations:>12.2%}{made:>11.1f}s")  # fmt: skip


if __name__ == "__main__":
    main()
