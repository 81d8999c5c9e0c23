# SPDX-License-Identifier: Apache-2.0
"""All operations against all others, beside peers, on one seeded workload in one run (workload.py, peers.py).

    python benchmarks/bench_conflicts.py [OPERATIONS ...] [--all] [--markdown] [--plot FILE.svg] [--budget 60]

CPU time of one core, medians; columns in memory to pairs out, boxes included. Every method must give the same pairs of
operations as the workload's own plain grid; where one differs, the pairs are printed with the geodesic distance. A
method whose next size would take longer than the budget is left out, and a line says so. What it costs to make columns
or geometry objects from typed objects stands apart: nobody's time holds it.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from peers import BATCH, Ready
from workload import H_M, V_MM, Planar, Workload, conflicts, geometries, operation_pairs, workload

from wideberth.core.judge.batch import conflicts as ours
from wideberth.core.judge.columns import REFS, Columns
from wideberth.core.judge.separation import judge
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import VerticalRef

MINIMA = SeparationMinima("50 m / 15 m", round(H_M * 1000), V_MM)
OURS = "wideberth"


class Row(NamedTuple):
    """`seconds` is a median of CPU time; `said` replaces it where there is none, or says what is odd about it."""

    method: str
    operations: int
    volumes: int
    seconds: float | None
    said: str = ""


def columns_of(w: Workload) -> Columns:
    p, w84 = w.planar, REFS.index(VerticalRef.W84)
    ref = np.full(p.volumes, w84, np.int8)
    return Columns(p.op, p.start_ms, p.end_ms, p.low_mm, p.high_mm, ref, ref, p.kind, p.first,
                   w.lat_ndeg, w.lng_ndeg, w.reach_mm)  # fmt: skip


def median(work: Callable[[], Any], most_s: float = 10.0) -> tuple[float, Any]:
    """Median CPU seconds: up to 9 repeats, fewer when one is long, and the last result."""
    took: list[float] = []
    while not took or (len(took) < 9 and sum(took) + took[-1] < most_s):
        began = time.process_time()
        result = work()
        took.append(time.process_time() - began)
    return statistics.median(took), result


def one_size(count: int, budget_s: float, before: dict[str, tuple[int, float]], peers: list[str]) -> list[Row]:
    """Ours and these peers at one size. `before`: the last volumes and seconds of each, for the budget; kept up."""
    w = workload(count)
    p, truth = w.planar, operation_pairs(w.planar, *conflicts(w.planar))
    rows, columns = [], columns_of(w)
    ours(columns_of(workload(1_000)), MINIMA)  # compiled, or read from numba's cache
    seconds, found = median(lambda: ours(columns, MINIMA))
    rows.append(Row(OURS, count, p.volumes, seconds))
    before[OURS] = (p.volumes, seconds)
    print(
        f"\n{count:,} operations, {p.volumes:,} volumes, {len(truth):,} pairs of operations in conflict; "
        f"{OURS} weighed {found.weighed:,} pairs of volumes, {found.exact:,} exactly"
    )
    tell(rows[-1], seconds)
    differences(OURS, found.operations(), truth, columns)
    ready = None
    for key in peers:
        name, method = BATCH[key]
        volumes, last = before.get(key, (p.volumes, 0.0))
        guess = last * (p.volumes / volumes) ** (2.0 if key in ("numpy", "strtree") else 1.25)
        if guess > budget_s:
            if key == "numpy":
                rows.append(Row(name, count, p.volumes, None, f"≈ {told(guess)}, extrapolated"))
            else:
                rows.append(Row(name, count, p.volumes, None, f"left out: would take about {told(guess)}"))
            tell(rows[-1], seconds)
            continue
        ready = ready or Ready.of(p)
        try:
            took, pairs = median(lambda method=method, ready=ready: method(ready), min(10.0, budget_s))  # type: ignore[misc]
        except ImportError as why:
            print(f"  {name:<38} is not installed ({why.name}; extra `bench`)")
            continue
        before[key] = (p.volumes, took)
        rows.append(Row(name, count, p.volumes, took))
        tell(rows[-1], seconds)
        differences(name, pairs, truth, columns)
    return rows


def differences(name: str, pairs: Any, truth: Any, columns: Columns) -> None:
    """Same set or not; if not, which pairs, and how far apart on the ellipsoid."""
    got, wanted = {tuple(x) for x in pairs.tolist()}, {tuple(x) for x in truth.tolist()}
    for sign, odd in (("only", got - wanted), ("not", wanted - got)):
        for a, b in sorted(odd)[:5]:
            volumes = [[columns.volume(int(i)) for i in np.flatnonzero(columns.op == op)] for op in (a, b)]
            near = [judge(u, v, MINIMA) for u in volumes[0] for v in volumes[1]]
            least = min((v.horizontal_mm for v in near if v.horizontal_mm is not None), default=None)
            says = ", ".join(sorted({v.answer.value for v in near if v.open})) or "separate"
            print(f"      {name}: {sign} {a}-{b}; exactly: {says}, least {least} mm")
        if len(odd) > 5:
            print(f"      {name}: {sign} {len(odd) - 5} more")


def told(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 7_200 else f"{seconds / 3600:.3g} h"


def tell(row: Row, ours_s: float) -> None:
    figure = row.said or f"{told(row.seconds or 0):>9}  {(row.seconds or 0) / ours_s:>8.1f} x"
    print(f"  {row.method:<38} {figure}", flush=True)


def making(count: int) -> Row:
    """From typed objects to columns (ours), and from planar columns to geometry objects (shapely's)."""
    w = workload(count)
    columns = columns_of(w)
    volumes = [columns.volume(i) for i in range(len(columns))]
    op = columns.op.tolist()
    mine, made = median(lambda: Columns.of_volumes(volumes, op), 3.0)
    assert np.array_equal(made.lat_ndeg, columns.lat_ndeg)
    theirs, _ = median(lambda: geometries(w.planar), 3.0)
    said = f"{told(mine)} from typed objects to columns; {told(theirs)} from planar columns to shapely's objects"
    return Row("apart", count, len(columns), mine, said)


def memory(count: int) -> str:
    """In a fresh process: the peak while pairs are found, above what stood before."""
    code = f"import bench_conflicts as b; b.memory_here({count})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         cwd=Path(__file__).parent, env=os.environ)  # fmt: skip
    return ran.stdout.strip()


def memory_here(count: int) -> None:
    ours(columns_of(workload(1_000)), MINIMA)
    w = workload(count)
    columns = columns_of(w)
    p: Planar = w.planar
    held = sum(getattr(columns, name).nbytes for name in columns.__dataclass_fields__)
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak begins anew, after numba's own
    before = _peak()
    ours(columns, MINIMA)
    peak = _peak()
    print(
        f"{count:,} operations: columns {held / p.volumes:.0f} B a volume; at the peak "
        f"{(peak - before) / p.volumes:.0f} B a volume more; the whole process {peak / 2**30:.2f} GiB"
    )


def _peak() -> int:
    """The most that this process has had in memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def markdown(rows: list[Row]) -> str:
    sizes = sorted({r.operations for r in rows})
    volumes = {r.operations: r.volumes for r in rows}
    heads = " | ".join(f"{s:,} operations, {volumes[s]:,} volumes" for s in sizes)
    lines = [f"| CPU time of one core, median | {heads} | grows as |", "|---" * (len(sizes) + 2) + "|"]
    mine = {r.operations: r.seconds for r in rows if r.method == OURS}
    for method in dict.fromkeys(r.method for r in rows):
        cells = []
        for size in sizes:
            row = next((r for r in rows if r.method == method and r.operations == size), None)
            if row is None or row.seconds is None:
                cells.append(row.said if row else "")
            else:
                ratio = f" ({row.seconds / (mine[size] or 1):.1f} ×)" if method != OURS else ""
                cells.append(told(row.seconds) + ratio)
        lines.append(f"| {method} | " + " | ".join(cells) + f" | {growth(rows, method)} |")
    return "\n".join(lines)


def growth(rows: list[Row], method: str) -> str:
    """The slope between the largest two sizes that ran, on a log-log scale."""
    ran = [(r.volumes, r.seconds) for r in rows if r.method == method and r.seconds]
    if len(ran) < 2:
        return "–"
    (n, s), (m, t) = ran[-2:]
    return f"n^{math.log(t / s) / math.log(m / n):.2f}"


def plot(rows: list[Row], path: str) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "wideberth", "svg.fonttype": "none"}  # the same figures give the same file
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5))
    for method in dict.fromkeys(r.method for r in rows):
        ran = [(r.volumes, r.seconds) for r in rows if r.method == method and r.seconds]
        axes.loglog(*zip(*ran, strict=True), marker="o", label=method, linewidth=2.5 if method == OURS else 1)
    axes.set_xlabel("volumes")
    axes.set_ylabel("CPU seconds of one core, all against all")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description="Batch conflict detection beside peers.")
    parser.add_argument("operations", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--all", action="store_true", help="1,000,000 operations as well")
    parser.add_argument("--markdown", action="store_true", help="the table of docs/performance.md at the end")
    parser.add_argument("--plot", metavar="FILE.svg")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds that one method may take at one size")
    parser.add_argument("--peers", nargs="*", choices=tuple(BATCH), default=list(BATCH), help="these only; or none")
    given = parser.parse_args()
    sizes = [*given.operations, *([1_000_000] if given.all else [])]
    before: dict[str, tuple[int, float]] = {}
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    rows = [row for size in sizes for row in one_size(size, given.budget, before, given.peers)]
    print(f"\nload {os.getloadavg()[0]:.1f}\n")
    for size in sizes:
        if size <= 100_000:
            print(f"{size:,} operations: {making(size).said}")
    for size in sizes:
        print(memory(size))
    if given.markdown:
        print("\n" + markdown(rows))
    if given.plot:
        plot(rows, given.plot)


if __name__ == "__main__":
    main()
