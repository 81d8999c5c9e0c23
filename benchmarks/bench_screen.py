# SPDX-License-Identifier: Apache-2.0
"""Screening, all against all, beside a naive yardstick of the same run on the same volumes.

    python benchmarks/bench_screen.py [OPERATIONS ...]          default: 300 1000 3000

The yardstick is what one writes in ten minutes with shapely: project to planar metres (given to it for free), circles
as 64-gons, one STRtree, `dwithin`, then filter by time and height. It is planar and its discs are inscribed, so it may
miss what lies within the flattening; pairs that one side alone reports are counted. CPU seconds, minimum of 3.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Callable

import shapely

from wideberth.core.judge.outline import outline
from wideberth.core.judge.screen import Operation, screen
from wideberth.core.say.geodesy import geod, point_towards
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Polygon, Shape, Volume4D

MINIMA = SeparationMinima("50 m / 15 m", 50_000, 15_000)
HUB = Point.at(47.4, 8.5)


def workload(count: int, spread_m: float = 150_000) -> list[Operation]:
    """`count` drone operations of 5 volumes in a disc of 300 km, half of them from 40 hubs, over a day."""
    rng, found = random.Random(count), []
    hubs = [point_towards(HUB, rng.uniform(0, 360), spread_m * math.sqrt(rng.random())) for _ in range(40)]
    for i in range(count):
        if rng.random() < 0.5:
            at = point_towards(rng.choice(hubs), rng.uniform(0, 360), rng.uniform(0, 2_000))
        else:
            at = point_towards(HUB, rng.uniform(0, 360), spread_m * math.sqrt(rng.random()))
        heading, t, low, volumes = (
            rng.uniform(0, 360),
            int(rng.gauss(46_800, 9_000) % 86_400) * 1000,
            rng.uniform(500, 620),
            [],
        )
        for _ in range(5):
            to = point_towards(at, heading, rng.uniform(500, 5_000))
            corners = [point_towards(p, heading + turn, 80) for p, turn in ((at, -90), (to, -90), (to, 90), (at, 90))]
            shape: Shape = Polygon(tuple(corners)) if rng.random() < 0.9 else Circle(at, 300_000)
            lower, upper = Altitude.metres(low, VerticalRef.W84), Altitude.metres(low + 60, VerticalRef.W84)
            volumes.append(Volume4D(shape, lower, upper, t, t + 240_000))
            at, t, heading = to, t + 200_000, heading + rng.uniform(-30, 30)
        found.append(Operation(f"op{i}", tuple(volumes)))
    return found


def planar(shape: Shape) -> shapely.Geometry:
    flat = []
    for lng, lat in outline(shape).points:
        azimuth, _, metres = geod().inv(HUB.lng, HUB.lat, lng, lat)
        flat.append((metres * math.sin(math.radians(azimuth)), metres * math.cos(math.radians(azimuth))))
    return shapely.Polygon(flat) if isinstance(shape, Polygon) else shapely.Point(flat[0]).buffer(outline(shape).reach)


def naive(volumes: list[tuple[str, Volume4D]], shapes: list[shapely.Geometry]) -> set[tuple[str, str]]:
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="dwithin", distance=MINIMA.horizontal_mm / 1000)
    pairs = set()
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        (a, u), (b, v) = volumes[i], volumes[j]
        if i >= j or a == b or u.start_ms >= v.end_ms or v.start_ms >= u.end_ms:
            continue
        if u.lower.mm - v.upper.mm < MINIMA.vertical_mm and v.lower.mm - u.upper.mm < MINIMA.vertical_mm:
            pairs.add((a, b))
    return pairs


def cpu(work: Callable[[], object], repeats: int = 3) -> float:
    took = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def main() -> None:
    print(f"{'operations':>10} {'volumes':>8} {'pairs':>6} {'ours cold':>10} {'ours':>8} {'shapely':>8} {'ratio':>6}")
    for count in [int(a) for a in sys.argv[1:]] or [300, 1000, 3000]:
        operations = workload(count)
        volumes = [(op.id, v) for op in operations for v in op.volumes]
        outline.cache_clear()
        cold = cpu(lambda operations=operations: list(screen(operations, MINIMA)), 1)  # type: ignore[misc]
        ours = cpu(lambda operations=operations: list(screen(operations, MINIMA)))  # type: ignore[misc]
        shapes = [planar(v.shape) for _, v in volumes]
        theirs = cpu(lambda volumes=volumes, shapes=shapes: naive(volumes, shapes))  # type: ignore[misc]
        mine, yours = {(f.a, f.b) for f in screen(operations, MINIMA)}, naive(volumes, shapes)
        print(
            f"{count:>10} {len(volumes):>8} {len(mine):>6} {cold:>9.3f}s {ours:>7.3f}s {theirs:>7.3f}s "
            f"{cold / theirs:>6.2f}  {len(mine - yours)} only ours, {len(yours - mine)} only theirs"
        )


if __name__ == "__main__":
    main()
