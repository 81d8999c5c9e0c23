# SPDX-License-Identifier: Apache-2.0
import random
import time

import msgspec
import pytest

from wideberth.core.judge.screen import Finding, Operation, screen
from wideberth.core.judge.separation import judge
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Polygon, Shape, Volume4D
from wideberth.errors import BadInput

UTM = SeparationMinima("50 m / 15 m", 50_000, 15_000)
HUB = Point.at(47.4, 8.5)


def volume(shape: Shape, low_m: float, start: int, seconds: int) -> Volume4D:
    low, high = Altitude.metres(low_m, VerticalRef.W84), Altitude.metres(low_m + 60, VerticalRef.W84)
    return Volume4D(shape, low, high, start, start + seconds * 1000)


def operations(count: int, spread_m: float = 30_000) -> list[Operation]:
    rng, found = random.Random(count), []
    for i in range(count):
        at, heading = point_towards(HUB, rng.uniform(0, 360), rng.uniform(0, spread_m)), rng.uniform(0, 360)
        t, low, volumes = rng.randint(0, 86_400) * 1000, rng.uniform(500, 900), []
        for _ in range(5):
            to = point_towards(at, heading, 1500)
            side = [point_towards(p, heading + turn, 60) for p, turn in ((at, -90), (to, -90), (to, 90), (at, 90))]
            shape: Shape = Polygon(tuple(side)) if rng.random() < 0.9 else Circle(at, 200_000)
            volumes.append(volume(shape, low, t, 120))
            at, t, heading = to, t + 90_000, heading + rng.uniform(-30, 30)
        found.append(Operation(f"op{i}", tuple(volumes)))
    return found


def test_screening_finds_exactly_the_pairs_that_all_against_all_finds() -> None:
    ops = operations(120, 6_000)
    busy = [msgspec.structs.replace(op, volumes=tuple(
        msgspec.structs.replace(v, start_ms=v.start_ms % 2_000_000, end_ms=v.start_ms % 2_000_000 + 120_000)
        for v in op.volumes)) for op in ops]  # fmt: skip
    found = {(f.a, f.b): f for f in screen(busy, UTM)}
    truth = {
        (a.id, b.id)
        for i, b in enumerate(busy)
        for a in busy[:i]
        if any(judge(u, v, UTM).open for u in a.volumes for v in b.volumes)
    }
    assert found.keys() == truth
    assert len(truth) > 20
    for (a, b), finding in found.items():
        u, v = (busy[int(name[2:])].volumes for name in (a, b))
        verdict = judge(u[finding.a_volume], v[finding.b_volume], UTM)
        assert finding.verdict == verdict.answer.value
        assert finding.horizontal_m * 1000 == pytest.approx(verdict.horizontal_mm)
        assert finding.horizontal_m <= 50


def test_an_operations_own_volumes_overlap_and_that_is_no_finding() -> None:
    here = volume(Circle(HUB, 100_000), 500, 0, 60)
    assert list(screen([Operation("a", (here, here))], UTM)) == []
    (finding,) = screen([Operation("a", (here, here)), Operation("b", (here,))], UTM)
    assert finding == Finding(
        "a", "b", "conflict", 0.0, 0.0, 60.0, "1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z",
        "50 m / 15 m: time, vertical and horizontal", 0, 0,
    )  # fmt: skip


def test_of_several_meetings_the_worst_is_reported() -> None:
    near, nearer = (Circle(point_towards(HUB, 0, metres), 10_000) for metres in (60, 30))
    (finding,) = screen(
        [
            Operation("a", (volume(near, 500, 0, 60), volume(nearer, 500, 0, 60))),
            Operation("b", (volume(Circle(HUB, 10_000), 500, 30_000, 60),)),
        ],
        UTM,
    )
    assert (finding.a_volume, finding.horizontal_m) == (1, pytest.approx(10, abs=0.001))
    assert finding.time_overlap_s == 30


def test_the_same_id_twice_is_refused() -> None:
    op = operations(1)[0]
    with pytest.raises(BadInput, match="twice"):
        list(screen([op, op], UTM))


def test_a_thousand_operations_are_screened_in_a_moment() -> None:
    ops = operations(1000)
    began = time.perf_counter()
    findings = list(screen(ops, UTM))
    assert time.perf_counter() - began < 5
    assert len(findings) < 300
