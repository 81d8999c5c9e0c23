# SPDX-License-Identifier: Apache-2.0
"""One newcomer against many: the live picture beside three spatial indexes, in one run.

    python benchmarks/bench_newcomer.py [OPERATIONS ...] [--all] [--probes 500]           default: 1000 10000 100000

`bench_live.py` measures the picture beside SQLite's R*Tree; here rtree (libspatialindex) in four dimensions and
shapely's STRtree in two, with filters for height and time, stand beside both. Microseconds of this thread's CPU time,
p50 / p99. Ours answers with what conflicts, by the whole predicate. The peers answer with what meets in boxes of planar
metres, which they get for free, grown by the minima: their exact test would come on top. An STRtree takes nothing in,
so to put one operation in is to build it anew; once is measured.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import numpy as np
import shapely
from bench_live import ours, row, shown, sqlite, timed, timed_once
from peers import Ready, _four, _in_height_and_time, _rtree
from workload import Planar, workload


def rtree(p: Planar, held: Any) -> None:
    mins, maxs = _four(Ready.of(p))
    first, apart = _first(p), np.isin(p.op, held)
    tree = _rtree(mins[~apart], maxs[~apart])
    both = np.hstack([mins, maxs]).tolist()
    probes = [range(first[n], first[n + 1]) for n in held.tolist()]

    def check(volumes: range) -> None:
        for n in volumes:
            list(tree.intersection(both[n]))

    def put(volumes: range) -> None:
        for n in volumes:
            tree.insert(n, both[n])

    def take(volumes: range) -> None:
        for n in volumes:
            tree.delete(n, both[n])

    checks, puts = [], []
    for volumes in probes:
        checks += timed_once(check, volumes)
        puts += timed_once(put, volumes)
    row("rtree 4D", checks, puts, timed(take, probes), "")


def strtree(p: Planar, held: Any) -> None:
    r = Ready.of(p)
    first, apart = _first(p), np.isin(p.op, held)
    there, rectangles = np.flatnonzero(~apart), r.rectangles()
    began = time.thread_time_ns()
    tree = shapely.STRtree(rectangles[there])
    tree.query(rectangles[0])  # it is built when it is asked first
    built_us = (time.thread_time_ns() - began) / 1000
    probes = [slice(first[n], first[n + 1]) for n in held.tolist()]

    def check(volumes: slice) -> None:
        a, b = tree.query(rectangles[volumes])
        _in_height_and_time(r, a + volumes.start, there[b])

    print(
        f"{'STRtree 2D and filters':<24}{shown(timed(check, probes)):>16}{built_us:>16,.0f}  (built anew)", flush=True
    )


def _first(p: Planar) -> list[int]:
    first: list[int] = np.searchsorted(p.op, np.arange(p.operations + 1)).tolist()
    return first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("operations", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--all", action="store_true", help="1,000,000 operations as well (some 10 GB)")
    parser.add_argument("--probes", type=int, default=500)
    given = parser.parse_args()
    for count in given.operations + ([1_000_000] if given.all else []):
        w = workload(count)
        p = w.planar
        held = np.random.default_rng(count).choice(p.operations, min(given.probes, p.operations // 10), replace=False)
        load = os.getloadavg()[0]
        print(f"\n{p.operations:,} operations, {p.volumes:,} volumes, {len(held)} held back; load {load:.1f}")
        print(f"{'':<24}" + "".join(f"{n:>16}" for n in ("check", "put in", "check + put in", "take out", "memory")))
        ours(w, held, set())
        sqlite(p, held)
        strtree(p, held)
        if count <= 100_000:  # it takes minutes to fill beyond
            try:
                rtree(p, held)
            except ImportError:
                print("rtree is not installed (extra `bench`)")


if __name__ == "__main__":
    main()
