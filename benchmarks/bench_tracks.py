# SPDX-License-Identifier: Apache-2.0
"""Closest approach of all pairs of live tracks in reach, beside both state-based detectors of BlueSky, and conformance
and entry of updates against many volumes, in one run.

    python benchmarks/bench_tracks.py [TRACKS ...] [--beside TRACKS ...] [--numpy TRACKS ...] [--steps K]
                                      [--follow OPERATIONS ...] [--updates M]
        default: 10000 100000 1000000 --beside 10000 --numpy 2000 --steps 5 --follow 100000 --updates 100000

* Drones: 300 by 300 km, 5 to 25 m/s, 30 to 150 m high, 30 % climbing or sinking; 50 m, 15 m, 60 s ahead.
* Airliners: 25 by 40 degrees (35° to 60° N, 10° W to 30° E), 180 to 260 m/s, FL200 to FL400, 30 % climbing or sinking;
  5 NM, 1,000 ft, 300 s ahead. The box is fixed, so density grows with their number.

Every track is own, so every pair counts. CPU seconds of one process for a whole step, columns in to pairs out, median;
the first step, which compiles or loads the kernels, is left out and printed apart. BlueSky holds all pairs against each
other on a flat Earth; a pair that only one side reports is put to the geodesic search, which says who is right.

* Following: the seeded workload (workload.py); each update follows an operation, at a random time of one of its
  volumes, about half of them a little outside of it. In random order over the whole day, so that no cache helps.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from workload import workload

from wideberth.core.judge.columns import REFS, Columns
from wideberth.core.judge.swift.following import Following
from wideberth.core.judge.swift.meeting import Approaches, approaches
from wideberth.core.judge.track_columns import TrackColumns
from wideberth.core.judge.tracks import approach
from wideberth.core.say import units
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import VerticalRef

NOW = 1_800_000_000_000
DRONES = SeparationMinima("DRONES", 50_000, 15_000)
EN_ROUTE = SeparationMinima("EN_ROUTE", units.nautical_miles(5), units.feet(1000))
AMSL, FL = 0, 2
Pairs = set[tuple[int, int]]


def whole(values: Any) -> Any:
    return np.rint(values).astype(np.int64)


def columns(lat: Any, lng: Any, high_m: Any, ref: int, mps: Any, course: Any, up_mps: Any) -> TrackColumns:
    """Tracks, all own, seen now and known exactly; degrees, metres, radians."""
    n, none = len(lat), np.zeros(len(lat), np.int64)
    return TrackColumns(
        whole(lat * 1e9), whole(lng * 1e9), whole(high_m * 1000), np.full(n, ref, np.int8),
        whole(mps * np.sin(course) * 1000), whole(mps * np.cos(course) * 1000), whole(up_mps * 1000),
        np.full(n, NOW), np.ones(n, np.bool_), none, none, none, none,
    )  # fmt: skip


def drones(n: int) -> TrackColumns:
    rng = np.random.default_rng(n)
    lat = 47 + (rng.random(n) - 0.5) * 300 / 111.2
    lng = 8.5 + (rng.random(n) - 0.5) * 300 / (111.3 * np.cos(np.radians(47)))
    up = np.where(rng.random(n) < 0.7, 0, rng.uniform(-3, 3, n))
    return columns(lat, lng, rng.uniform(30, 150, n), AMSL, rng.uniform(5, 25, n), rng.uniform(0, 2 * np.pi, n), up)


def airliners(n: int) -> TrackColumns:
    rng = np.random.default_rng(n)
    high = rng.choice(np.arange(200, 410, 10), n) * 30.48
    up = np.where(rng.random(n) < 0.7, 0, rng.uniform(-10, 10, n))
    return columns(
        rng.uniform(35, 60, n), rng.uniform(-10, 30, n), high, FL, rng.uniform(180, 260, n),
        rng.uniform(0, 2 * np.pi, n), up,
    )  # fmt: skip


def traffic(tracks: TrackColumns) -> SimpleNamespace:
    """The same tracks as BlueSky wants them."""
    east, north = tracks.east_mmps / 1000, tracks.north_mmps / 1000
    return SimpleNamespace(
        lat=tracks.lat_ndeg / 1e9, lon=tracks.lng_ndeg / 1e9, trk=np.degrees(np.arctan2(east, north)),
        gs=np.hypot(east, north), alt=tracks.alt_mm / 1000, vs=tracks.up_mmps / 1000,
        id=[str(i) for i in range(len(east))], ntraf=len(east),
    )  # fmt: skip


def bluesky(detect: Callable[..., Any], tracks: TrackColumns, minima: SeparationMinima, seconds: int) -> Pairs:
    n, own = len(tracks), traffic(tracks)
    found = detect(
        own,
        own,
        np.full(n, minima.horizontal_mm / 1000),
        np.full(n, minima.vertical_mm / 1000),
        np.full(n, float(seconds)),
    )
    return {(min(int(a), int(b)), max(int(a), int(b))) for a, b in found[0]}


def cpu(work: Callable[[], Any], times: int) -> tuple[float, Any]:
    """Median CPU seconds, and the last answer."""
    took, answer = [], None
    for _ in range(times):
        began = time.process_time()
        answer = work()
        took.append(time.process_time() - began)
    return statistics.median(took), answer


def step(tracks: TrackColumns, minima: SeparationMinima, seconds: int) -> Approaches:
    return approaches(tracks, minima, now_ms=NOW, look_ahead_ms=seconds * 1000)


def who_is_right(tracks: TrackColumns, pairs: Pairs, minima: SeparationMinima, seconds: int) -> int:
    """How many of the pairs conflict by the geodesics."""
    return sum(
        approach(tracks.state(i), tracks.state(j), minima, now_ms=NOW, look_ahead_ms=seconds * 1000).open
        for i, j in sorted(pairs)
    )


def beside(name: str, detect: Callable[..., Any], n: int, steps: int, repeats: int) -> None:
    tracks = airliners(n)
    step(tracks, EN_ROUTE, 300)
    ours_s, found = cpu(lambda: step(tracks, EN_ROUTE, 300), steps)
    theirs_s, theirs = cpu(lambda: bluesky(detect, tracks, EN_ROUTE, 300), repeats)
    ours = {(int(i), int(j)) for i, j in found.pairs}
    only_ours, only_theirs = ours - theirs, theirs - ours
    print(
        f"{n:>9,} airliners beside BlueSky, {name}: ours {ours_s * 1e3:8.2f} ms, theirs {theirs_s:8.3f} s, "
        f"ratio {theirs_s / ours_s:6.0f}; in both {len(ours & theirs)}; only ours {len(only_ours)} "
        f"(right in {who_is_right(tracks, only_ours, EN_ROUTE, 300)}), only theirs {len(only_theirs)} "
        f"(right in {who_is_right(tracks, only_theirs, EN_ROUTE, 300)})"
    )


def follow(operations: int, updates: int, steps: int) -> None:
    made = workload(operations)
    p, w84 = made.planar, np.full(made.planar.volumes, REFS.index(VerticalRef.W84), np.int8)
    volumes = Columns(
        p.op, p.start_ms, p.end_ms, p.low_mm, p.high_mm, w84, w84, p.kind, p.first, made.lat_ndeg, made.lng_ndeg,
        made.reach_mm,
    )  # fmt: skip
    rng = np.random.default_rng(operations)
    v, none = rng.integers(0, len(volumes), updates), np.zeros(updates, np.int64)
    corner, along = volumes.first[v], rng.random(updates)
    across = corner + (volumes.first[v + 1] - corner) // 2 - (volumes.kind[v] == 0)
    lat, lng = (c[corner] + (c[across] - c[corner]) * along for c in (volumes.lat_ndeg, volumes.lng_ndeg))
    high = volumes.low_mm[v] + (volumes.high_mm[v] - volumes.low_mm[v]) * rng.uniform(-0.1, 1.1, updates)
    t_ms = volumes.start_ms[v] + (volumes.end_ms[v] - volumes.start_ms[v]) * rng.random(updates)
    tracks = TrackColumns(
        whole(lat + rng.normal(0, 6e4, updates)), whole(lng + rng.normal(0, 6e4, updates)), whole(high),
        w84[:1].repeat(updates), none, none, none, np.floor(t_ms).astype(np.int64),
        np.ones(updates, np.bool_), none, none, none, none,
    )  # fmt: skip
    Following(volumes, DRONES).weigh(tracks, p.op[v])
    built_s, index = cpu(lambda: Following(volumes, DRONES), 1)
    took, found = cpu(lambda: index.weigh(tracks, p.op[v]), steps)
    standings = np.bincount(found.standing, minlength=3)
    print(
        f"{updates:>9,} updates against {len(volumes):,} volumes: {took / updates * 1e6:.2f} us an update "
        f"({standings[0]} nominal, {standings[2]} outside, {len(found.entries)} entries, {found.exact} put to the "
        f"exact search); index {built_s:.2f} s, {index.index.bytes / len(volumes):.0f} bytes a volume; "
        f"load {os.getloadavg()[0]:.1f}"
    )


def special() -> list[tuple[str, TrackColumns]]:
    """Pairs that conflict, and that a detector may miss."""

    def pair(lat: float, a: float, b: float, mps: float, courses: tuple[float, float]) -> TrackColumns:
        two = np.ones(2)
        return columns(lat * two, np.array([a, b]), 10_000 * two, FL, mps * two, np.radians(courses), 0 * two)

    return [
        ("same velocity, already inside", pair(47, 8.5, 8.55, 230, (90, 90))),
        ("both hovering, already inside", pair(47, 8.5, 8.55, 0, (0, 0))),
        ("head-on across the antimeridian", pair(10, 179.8, -179.8, 220, (90, 270))),
        ("head-on elsewhere", pair(10, 19.8, 20.2, 220, (90, 270))),
        ("from both sides over the North Pole", pair(89.7, 0, 180, 220, (0, 0))),
    ]


def main() -> None:
    flags = argparse.ArgumentParser()
    flags.add_argument("tracks", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    flags.add_argument("--beside", type=int, nargs="*", default=[10_000])
    flags.add_argument("--numpy", type=int, nargs="*", default=[2_000])
    flags.add_argument("--steps", type=int, default=5)
    flags.add_argument("--follow", type=int, nargs="*", default=[100_000])
    flags.add_argument("--updates", type=int, default=100_000)
    given = flags.parse_args()
    began = time.process_time()
    step(drones(10), DRONES, 60)
    took = time.process_time() - began
    print(f"load {os.getloadavg()[0]:.1f}; the first step (kernels compiled or loaded): {took:.2f} s")
    for n in given.tracks:
        tracks = drones(n)
        took, found = cpu(lambda tracks=tracks: step(tracks, DRONES, 60), given.steps)  # type: ignore[misc]
        print(
            f"{n:>9,} drones: {took * 1e3:9.2f} ms a step, {len(found)} pairs, {found.exact} asked of the exact search"
        )
    for operations in given.follow:
        follow(operations, given.updates, given.steps)
    if not (given.beside or given.numpy):
        return
    from bluesky.traffic.asas import cstatebased
    from bluesky.traffic.asas.statebased import StateBased

    detectors: dict[str, Callable[..., Any]] = {
        "compiled": cstatebased.detect,
        "numpy": lambda *args: StateBased.detect(None, *args),
    }
    for n in given.beside:
        beside("compiled", detectors["compiled"], n, given.steps, 1)
    for n in given.numpy:
        beside("numpy", detectors["numpy"], n, given.steps, 1)
    print("\npairs that conflict:")
    for name, tracks in special():
        told = {"wideberth": len(step(tracks, EN_ROUTE, 300)) == 1}
        told |= {who: bool(bluesky(detect, tracks, EN_ROUTE, 300)) for who, detect in detectors.items()}
        print(f"  {name:<38}" + "  ".join(f"{who}: {'told' if seen else 'MISSED'}" for who, seen in told.items()))
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
