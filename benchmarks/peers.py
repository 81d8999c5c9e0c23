# SPDX-License-Identifier: Apache-2.0
"""What others offer for finding conflicts among many volumes, each at its best that we know, for the benchmarks.

All of them get planar metres and finished geometry objects for free; the boxes, grown by half the minimum, are made in
their time, as ours are in ours. Each ends with the same exact step, shapely's `dwithin` between spines, so that every
method can give the same pairs: points and lines with a reach are not turned into polygons. What differs is how
candidates are found:

    sliced      shapely STRtree for each slice of time: boxes, then height and time
    strtree     one shapely STRtree of boxes, then height and time
    rtree       libspatialindex by `rtree`, four dimensions, one query for each volume
    sqlite      SQLite's R*Tree in four dimensions, a self-join
    numpy       every box against every box, sorted by time, in blocks
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import apsw
import numpy as np
import shapely
from workload import H_M, V_MM, Planar, boxes, geometries, operation_pairs

SLICE_MS: Final = 1_200_000  # the best of 5, 10, 20, 30, 40 and 60 minutes here at 100,000 operations
_ROWS: Final = 20_000  # of one bulk query, for memory


class Ready(NamedTuple):
    """Columns, and the spines as objects: given, not timed."""

    p: Planar
    start: Any  # ms from the first start
    end: Any
    shapes: Any

    @classmethod
    def of(cls, p: Planar) -> Ready:
        first = p.start_ms.min()
        return cls(p, p.start_ms - first, p.end_ms - first, geometries(p))

    def rectangles(self) -> Any:
        return shapely.box(*boxes(self.p, H_M / 2))


def sliced(r: Ready) -> Any:
    """Pairs of operations. A pair is taken in the slice in which the later of the two starts."""
    rectangles = r.rectangles()
    first, last = r.start // SLICE_MS, (r.end - 1) // SLICE_MS
    counts = last - first + 1
    who = np.repeat(np.arange(r.p.volumes), counts)
    slot = np.repeat(first, counts) + np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.argsort(slot, kind="stable")
    who, slot = who[order], slot[order]
    cuts = np.flatnonzero(np.diff(slot)) + 1

    def candidates() -> Iterator[tuple[Any, Any]]:
        for members, s in zip(np.split(who, cuts), slot[np.concatenate([[0], cuts])], strict=True):
            given = rectangles[members]
            a, b = shapely.STRtree(given).query(given)
            a, b = members[a], members[b]
            once = (a < b) & (np.maximum(first[a], first[b]) == s)
            yield _in_height_and_time(r, a[once], b[once])

    return _exact(r, candidates())


def strtree(r: Ready) -> Any:
    rectangles = r.rectangles()
    tree = shapely.STRtree(rectangles)

    def candidates() -> Iterator[tuple[Any, Any]]:
        for cut in range(0, r.p.volumes, _ROWS):
            a, b = tree.query(rectangles[cut : cut + _ROWS])
            a = a + cut
            once = a < b
            yield _in_height_and_time(r, a[once], b[once])

    return _exact(r, candidates())


def rtree(r: Ready) -> Any:
    mins, maxs = _four(r)
    tree = _rtree(mins, maxs)

    def candidates() -> Iterator[tuple[Any, Any]]:
        for cut in range(0, r.p.volumes, _ROWS):
            found, counts = tree.intersection_v(mins[cut : cut + _ROWS], maxs[cut : cut + _ROWS])
            a, b = np.repeat(np.arange(cut, cut + len(counts)), counts.astype(np.int64)), found
            once = a < b
            yield _in_height_and_time(r, a[once], b[once])

    return _exact(r, candidates())


def _four(r: Ready) -> tuple[Any, Any]:
    """Metres, metres, metres, seconds. Half of the vertical minimum is added on both sides, as to the boxes."""
    grow = V_MM / 2
    west, south, east, north = boxes(r.p, H_M / 2)
    mins = np.column_stack([west, south, (r.p.low_mm - grow) / 1000, r.start / 1000])
    maxs = np.column_stack([east, north, (r.p.high_mm + grow) / 1000, r.end / 1000])
    return mins, maxs


def _rtree(mins: Any, maxs: Any) -> Any:
    from rtree import index  # the extra `bench`

    return index.Index((np.arange(len(mins)), mins, maxs), properties=index.Property(dimension=4))


def sqlite(r: Ready) -> Any:
    db = sqlite_of(r)
    rows = np.array(
        list(
            db.execute(
                "select a.id, b.id from v as a join v as b on a.west <= b.east and a.east >= b.west "
                "and a.south <= b.north and a.north >= b.south and a.low <= b.high and a.high >= b.low "
                "and a.start <= b.stop and a.stop >= b.start where a.id < b.id"
            )
        ),
        np.int64,
    ).reshape(-1, 2)
    return _exact(r, iter([_in_height_and_time(r, rows[:, 0], rows[:, 1])]))


def sqlite_of(r: Ready) -> apsw.Connection:
    """The R*Tree keeps 32-bit floats and rounds them outward."""
    mins, maxs = _four(r)
    db = apsw.Connection(":memory:")
    db.execute("create virtual table v using rtree(id, west, east, south, north, low, high, start, stop)")
    rows = np.empty((len(mins), 8))
    rows[:, 0::2], rows[:, 1::2] = mins, maxs
    with db:
        db.executemany("insert into v values (?,?,?,?,?,?,?,?,?)", ((i, *row) for i, row in enumerate(rows.tolist())))
    return db


def brute(r: Ready) -> Any:
    """In blocks of 512 by start: whoever starts after the block's last end cannot matter to it."""
    order = np.argsort(r.start, kind="stable")
    columns = [c[order] for c in (r.start, r.end, r.p.low_mm, r.p.high_mm, *boxes(r.p, H_M / 2))]

    def candidates() -> Iterator[tuple[Any, Any]]:
        start = columns[0]
        for cut in range(0, len(order), 512):
            rows = [c[cut : cut + 512, None] for c in columns]
            till = int(np.searchsorted(start, rows[1].max()))
            s, e, lo, hi, w, so, ea, no = (c[None, cut:till] for c in columns)
            rs, re, rlo, rhi, rw, rso, rea, rno = rows
            near = (s < re) & (rs < e) & (lo - rhi < V_MM) & (rlo - hi < V_MM)
            near &= (w <= rea) & (rw <= ea) & (so <= rno) & (rso <= no)
            a, b = np.nonzero(near)
            once = a < b
            a, b = order[cut + a[once]], order[cut + b[once]]
            other = r.p.op[a] != r.p.op[b]
            yield a[other], b[other]

    return _exact(r, candidates())


def _in_height_and_time(r: Ready, a: Any, b: Any) -> tuple[Any, Any]:
    p = r.p
    keep = (p.op[a] != p.op[b]) & (r.start[a] < r.end[b]) & (r.start[b] < r.end[a])
    keep &= (p.low_mm[a] - p.high_mm[b] < V_MM) & (p.low_mm[b] - p.high_mm[a] < V_MM)
    return a[keep], b[keep]


def _exact(r: Ready, candidates: Iterator[tuple[Any, Any]]) -> Any:
    found = list(candidates)
    a, b = np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])
    near = shapely.dwithin(r.shapes[a], r.shapes[b], H_M + r.p.reach_m[a] + r.p.reach_m[b])
    return operation_pairs(r.p, a[near], b[near])


BATCH: Final[dict[str, tuple[str, Callable[[Ready], Any]]]] = {
    "sliced": ("shapely STRtree per time slice", sliced),
    "strtree": ("shapely STRtree, then height and time", strtree),
    "rtree": ("rtree 4D, a query each", rtree),
    "sqlite": ("SQLite R*Tree 4D, self-join", sqlite),
    "numpy": ("numpy, boxes all against all", brute),
}
