# SPDX-License-Identifier: Apache-2.0
"""The live picture: one ready operation checked, put in and taken out, beside SQLite's R*Tree of the same run.

    python benchmarks/bench_live.py [OPERATIONS ...] [--all] [--plain] [--probes 1000]      default: 1000 10000 100000

The workload is that of `workload.py`, managed. Some operations are held back; the rest is the picture. Each one held
back is checked, put in, and in the end taken out again, and each of these is timed alone: microseconds of this thread's
CPU time, p50 / p99, the clock's own cost (printed) included. A ready operation has its columns and boxes; what that
costs is printed apart. Ours answers with what conflicts, by the whole predicate; SQLite only with what meets in four
dimensional boxes of planar metres, which it gets for free, grown by the minima: its exact test would come on top. It
gets one prepared query for each volume, and one transaction for each operation that is put in.

`only ours` and `only planar` count pairs of operations that one side alone finds: the planar yardstick is not geodesic.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

import apsw
import numpy as np
from peers import Ready as Boxes
from peers import _four
from workload import H_M, V_MM, Planar, Workload, conflicts, workload

from wideberth.core.judge import live
from wideberth.core.judge.columns import REFS, Columns
from wideberth.core.judge.live.arrays import NativePicture
from wideberth.core.judge.live.prepared import Ready, each
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import VerticalRef

MINIMA = SeparationMinima("50 m / 15 m", int(H_M * 1000), V_MM)
QUERY = (
    "select id from v where west <= ? and east >= ? and south <= ? and north >= ? and low <= ? and high >= ? "
    "and start <= ? and stop >= ?"
)
INSERT = "insert into v values (?,?,?,?,?,?,?,?,?)"
Timed = tuple[Sequence[float], str]


def columns_of(w: Workload) -> Columns:
    p, refs = w.planar, np.full(w.planar.volumes, REFS.index(VerticalRef.W84), np.int8)
    return Columns(
        p.op.astype(np.int32), p.start_ms, p.end_ms, p.low_mm, p.high_mm, refs, refs, p.kind.astype(np.int8),
        p.first.astype(np.int64), w.lat_ndeg, w.lng_ndeg, w.reach_mm,
    )  # fmt: skip


def timed(work: Callable[[Any], object], items: Sequence[Any]) -> list[float]:
    """Microseconds of CPU for each."""
    took = []
    gc.collect()
    gc.disable()
    for item in items:
        began = time.thread_time_ns()
        work(item)
        took.append((time.thread_time_ns() - began) / 1000)
    gc.enable()
    return took


def shown(times: Sequence[float]) -> str:
    ordered = sorted(times)
    return f"{ordered[len(ordered) // 2]:.1f} / {ordered[int(len(ordered) * 0.99)]:.0f}"


def row(name: str, check: Sequence[float], put: Sequence[float], out: Sequence[float], memory: str) -> None:
    both = [a + b for a, b in zip(check, put, strict=True)]
    cells = (shown(check), shown(put), shown(both), shown(out))
    print(f"{name:<24}" + "".join(f"{cell:>16}" for cell in cells) + f"{memory:>16}", flush=True)


def ours(w: Workload, held: Any, found: set[tuple[int, int]], *, quiet: bool = False) -> list[float]:
    began = time.process_time()
    keys = [str(n) for n in range(w.planar.operations)]
    ready = list(each(columns_of(w), keys))
    bulk = time.process_time() - began
    apart = set(held.tolist())
    picture = NativePicture()
    began = time.process_time()
    for n, one in enumerate(ready):
        if n not in apart:
            picture.add(one)
    filled = time.process_time() - began
    probes = [ready[n] for n in held.tolist()]
    some = [one.volumes for one in (probes or ready)[:100]]
    one_by_one = timed(lambda volumes: Ready.of("x", volumes), some)
    warm = [live.ready(f"warm {n}", volumes, fast=True) for n, volumes in enumerate(some)]
    for one in warm:  # every kernel once, with something found
        picture.meets(one, MINIMA)
        picture.add(one)
    for one in warm:
        picture.remove(one.key)
    if quiet:
        return []
    check, put, answers = [], [], []
    gc.collect()
    gc.disable()
    for one in probes:
        a = time.thread_time_ns()
        met = picture.meets(one, MINIMA)
        b = time.thread_time_ns()
        picture.add(one)
        c = time.thread_time_ns()
        check.append((b - a) / 1000)
        put.append((c - b) / 1000)
        answers.append((one.key, met))
    gc.enable()
    found |= {tuple(sorted((int(key), int(m.key)))) for key, met in answers for m in met}  # type: ignore[misc]
    memory = f"{picture.bytes_used() / len(picture):.0f} B/volume"
    out = timed(lambda one: picture.remove(one.key), probes)
    row("ours", check, put, out, memory)
    volumes = w.planar.volumes
    print(
        f"    {volumes:,} volumes made ready at {bulk / volumes * 1e6:.2f} us each, from typed volumes "
        f"{np.median(one_by_one):.0f} us an operation; put in at {filled / volumes * 1e6:.2f} us a volume"
    )
    return check


def plain(w: Workload, held: Any) -> None:
    volumes = [one.volumes for one in each(columns_of(w), [""] * w.planar.operations)]
    ready = [live.ready(str(n), each_, fast=False) for n, each_ in enumerate(volumes)]
    apart, picture = set(held.tolist()), live.live_picture(fast=False)
    for n, one in enumerate(ready):
        if n not in apart:
            picture.add(one)
    probes = [ready[n] for n in held.tolist()]
    check = timed(lambda one: picture.meets(one, MINIMA), probes)
    put = timed(picture.add, probes)
    row("ours without numba", check, put, timed(lambda one: picture.remove(one.key), probes), "")


def sqlite(p: Planar, held: Any) -> list[float]:
    mins, maxs = _four(Boxes.of(p))
    rows = np.empty((len(mins), 8))
    rows[:, 0::2], rows[:, 1::2] = mins, maxs
    inside = [(n, *values) for n, values in enumerate(rows.tolist())]
    first = np.searchsorted(p.op, np.arange(p.operations + 1))
    apart = np.isin(p.op, held)
    db = apsw.Connection(":memory:")
    db.execute("create virtual table v using rtree(id, west, east, south, north, low, high, start, stop)")
    before = apsw.memory_used()
    with db:
        db.executemany(INSERT, (inside[n] for n in np.flatnonzero(~apart).tolist()))
    memory = f"{(apsw.memory_used() - before) / int((~apart).sum()):.0f} B/volume"
    # The values of a query: greatest west is our east, and so on.
    asked = rows[:, [1, 0, 3, 2, 5, 4, 7, 6]].tolist()
    probes = [range(first[n], first[n + 1]) for n in held.tolist()]

    def check(volumes: range) -> None:
        for n in volumes:
            db.execute(QUERY, asked[n]).fetchall()

    def put(volumes: range) -> None:
        with db:
            db.executemany(INSERT, [inside[n] for n in volumes])

    def take(volumes: range) -> None:
        with db:
            db.executemany("delete from v where id = ?", [(n,) for n in volumes])

    checks, puts = [], []
    for volumes in probes:
        checks += timed_once(check, volumes)
        puts += timed_once(put, volumes)
    row("SQLite R*Tree 4D", checks, puts, timed(take, probes), memory)
    return checks


def timed_once(work: Callable[[range], object], volumes: range) -> list[float]:
    began = time.thread_time_ns()
    work(volumes)
    return [(time.thread_time_ns() - began) / 1000]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("operations", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--all", action="store_true", help="1,000,000 operations as well (some 10 GB)")
    parser.add_argument("--plain", action="store_true", help="the picture without numba as well (slow to fill)")
    parser.add_argument("--probes", type=int, default=1000)
    given = parser.parse_args()
    ours(workload(1000), np.arange(0), set(), quiet=True)  # the kernels are compiled here, or read
    clock = timed(lambda _: None, range(1000))
    print(f"us of CPU, p50 / p99; the clock itself {shown(clock)}")
    for count in given.operations + ([1_000_000] if given.all else []):
        w = workload(count)
        p = w.planar
        held = np.random.default_rng(count).choice(p.operations, min(given.probes, p.operations // 10), replace=False)
        print(f"\n{p.operations:,} operations, {p.volumes:,} volumes, {len(held)} held back")
        print(f"{'':<24}" + "".join(f"{n:>16}" for n in ("check", "put in", "check + put in", "take out", "memory")))
        found: set[tuple[int, int]] = set()
        mine = ours(w, held, found)
        theirs = sqlite(p, held)
        print(f"    check, p50: {np.median(theirs) / np.median(mine):.1f} times ahead of SQLite")
        if given.plain:
            plain(w, held)
        if p.operations <= 100_000:
            i, j = conflicts(p)
            apart = set(held.tolist())
            planar = {
                (a, b) for a, b in np.sort(np.column_stack((p.op[i], p.op[j])), axis=1).tolist()
                if a in apart or b in apart
            }  # fmt: skip
            print(f"    {len(found)} pairs; only ours {len(found - planar)}, only planar {len(planar - found)}")


if __name__ == "__main__":
    main()
