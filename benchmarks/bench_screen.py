# SPDX-License-Identifier: Apache-2.0
"""`wideberth screen` end to end: a cold process for each file, from reading to the last line written.

    python benchmarks/bench_screen.py [OPERATIONS ...] [--times 3] [--form jsonl|parquet] [--keep FOLDER]

Files are the seeded workload (workload.py). Wall time, because people wait for it, with the CPU time of the process
beside it, and the peak of its memory; medians. The first run at a size where the compiled kernels are used may compile
them; numba keeps them, and it is run once before.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bench_conflicts import columns_of
from workload import POINT, RING, Workload, workload

from wideberth.core.say import instant


class Run(NamedTuple):
    wall_s: float
    cpu_s: float
    found: int
    told: str


def write_json_lines(w: Workload, path: Path) -> None:
    """ASTM volumes, one operation a line; in pieces, so that a million operations need little memory."""
    p = w.planar
    begins = np.searchsorted(p.op, np.arange(p.operations + 1)).tolist()
    first, kind = p.first.tolist(), p.kind.tolist()
    low, high, reach = p.low_mm.tolist(), p.high_mm.tolist(), w.reach_mm.tolist()
    start, end = p.start_ms.tolist(), p.end_ms.tolist()

    def volume(i: int) -> str:
        lat, lng = w.lat_ndeg[first[i] : first[i + 1]].tolist(), w.lng_ndeg[first[i] : first[i + 1]].tolist()
        points = [f'{{"lat":{a / 1e9},"lng":{o / 1e9}}}' for a, o in zip(lat, lng, strict=True)]
        own, length = "", f'{{"value":{reach[i] / 1000},"units":"M"}}'
        if kind[i] == RING:
            outline = f'"outline_polygon":{{"vertices":[{",".join(points)}]}}'
        elif kind[i] == POINT:
            outline = f'"outline_circle":{{"center":{points[0]},"radius":{length}}}'
        else:  # the circle round it is for readers who do not know corridors; ours does not look at it
            outline = f'"outline_circle":{{"center":{points[0]},"radius":{{"value":99999,"units":"M"}}}}'
            corridor = f'{{"route":[{",".join(points)}],"half_width":{length}}}'
            own = f',"x_wideberth":{{"outline_corridor":{corridor}}}'
        band = ",".join(
            f'"altitude_{which}":{{"value":{mm / 1000},"reference":"W84","units":"M"}}'
            for which, mm in (("lower", low[i]), ("upper", high[i]))
        )
        times = ",".join(
            f'"time_{which}":{{"value":"{instant.show(ms)}","format":"RFC3339"}}'
            for which, ms in (("start", start[i]), ("end", end[i]))
        )
        return f'{{"volume":{{{outline},{band}{own}}},{times}}}'

    with path.open("w") as file:
        for op in range(p.operations):
            volumes = ",".join(volume(i) for i in range(begins[op], begins[op + 1]))
            file.write(f'{{"id":"op{op}","volumes":[{volumes}]}}\n')


def run(path: Path) -> Run:
    """One cold process."""
    code = "from wideberth.cli.main import run; run()"
    arguments = [sys.executable, "-c", code, "screen", str(path), "--horizontal", "50m", "--vertical", "15m", "--json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ran = subprocess.run(arguments, capture_output=True, check=True)
    wall_s, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall_s, cpu_s, ran.stdout.count(b"\n"), ran.stderr.decode().strip().replace("\n", " "))


def main() -> None:
    parser = argparse.ArgumentParser(description="`wideberth screen`, cold, end to end.")
    parser.add_argument("operations", nargs="*", type=int, default=[20, 1_000, 10_000, 100_000])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--form", choices=("jsonl", "parquet"), default="jsonl")
    parser.add_argument("--keep", type=Path, help="a folder for the files, to use them again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for count in given.operations:
            path = (given.keep or Path(scratch)) / f"{count}.{given.form}"
            w = workload(count)
            if not path.exists():
                _write(w, path)
            run(path)
            runs = [run(path) for _ in range(given.times)]
            wall_s, cpu_s = (
                statistics.median(column) for column in ([r.wall_s for r in runs], [r.cpu_s for r in runs])
            )
            size_mb, load = path.stat().st_size / 1e6, os.getloadavg()[0]
            print(f"{count:>9,} operations, {w.planar.volumes:>9,} volumes, {size_mb:8.1f} MB: {wall_s:7.2f} s wall, "
                  f"{cpu_s:7.2f} s CPU, {runs[0].found:,} pairs, load {load:.1f}")  # fmt: skip
            print(f"{'':>10}{runs[0].told}", flush=True)


def _write(w: Workload, path: Path) -> None:
    if path.suffix == ".jsonl":
        write_json_lines(w, path)
    else:
        from wideberth.formats import parquet

        parquet.write(str(path), columns_of(w), [f"op{i}" for i in range(w.planar.operations)])


if __name__ == "__main__":
    main()
