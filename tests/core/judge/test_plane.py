# SPDX-License-Identifier: Apache-2.0
"""The flat map may skip only what cannot matter, and the search along an edge must end where the minimum is. Both show
on shapes of thousands of kilometres, where the map is far from true."""

import itertools
import random

import pytest
from geographiclib.geodesic import Geodesic

from wideberth.core.judge import plane
from wideberth.core.judge.edges import crossing, point_to_edge
from wideberth.core.judge.horizontal import least_distance
from wideberth.core.judge.outline import edge, outline
from wideberth.core.say import geodesy
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Corridor


def ring(rng: random.Random, near: Point, spread_m: float, size_m: float) -> Corridor:
    centre = point_towards(near, rng.uniform(0, 360), rng.uniform(0, spread_m))
    return Corridor(tuple(point_towards(centre, 360 * i / 6, size_m * rng.uniform(0.2, 1)) for i in range(7)), 1)


@pytest.mark.parametrize("seed", range(120))
def test_nothing_that_the_map_skips_is_nearer_or_crosses(seed: int) -> None:
    rng = random.Random(seed)
    near = Point.at(rng.uniform(-90, 90), rng.uniform(-180, 180))
    size = 10 ** rng.uniform(4.5, 6.2)
    a, b = ring(rng, near, 1.6 * size, size), ring(rng, near, 1.6 * size, size)
    one, other = outline(a), outline(b)
    found = least_distance(a, b)
    if any(crossing(e, f) for e in one.edges for f in other.edges):
        assert found.meet
        return
    truth = min(
        point_to_edge(p, e).metres
        for points, edges in ((one.points, other.edges), (other.points, one.edges))
        for p in points
        for e in edges
    )
    assert found.gap_m + one.reach + other.reach == pytest.approx(truth, abs=1e-4)


@pytest.mark.parametrize("seed", range(40))
def test_the_maps_bounds_hold(seed: int) -> None:
    rng = random.Random(seed)
    centre = Point.at(rng.uniform(-90, 90), rng.uniform(-180, 180))
    far = 10 ** rng.uniform(3, 6.6)
    frame = plane.Frame((centre.lng, centre.lat))
    places = [point_towards(centre, rng.uniform(0, 360), rng.uniform(0, far)) for _ in range(6)]
    flat = [frame.flat((p.lng, p.lat)) for p in places]
    for (p, x), (q, y) in itertools.combinations(zip(places, flat, strict=True), 2):
        true, on_map = geodesy.distance_m(p, q), ((x[0] - y[0]) ** 2 + (x[1] - y[1]) ** 2) ** 0.5
        assert frame.shrink * on_map <= true + 1e-3
        assert true <= on_map + 1e-3
        line = plane.Line(x, y, frame.shrink)
        way = Geodesic.WGS84.InverseLine(p.lat, p.lng, q.lat, q.lng)
        for i in range(1, 8):
            end = way.Position(way.s13 * i / 8)
            assert line.from_point(frame.flat((end["lon2"], end["lat2"]))) <= line.bend + 1e-3


@pytest.mark.parametrize("seed", range(40))
def test_a_point_is_as_far_from_an_edge_as_a_golden_section_search_says(seed: int) -> None:
    rng = random.Random(seed)
    p = Point.at(rng.uniform(-90, 90), rng.uniform(-180, 180))
    far = 10 ** rng.uniform(2, 6.4)
    foot = point_towards(p, rng.uniform(0, 360), far)
    heading = rng.uniform(0, 360)
    a, b = (point_towards(foot, heading + turn, far * rng.uniform(0.2, 2) * 0.7) for turn in (0, 180))
    found = point_to_edge((p.lng, p.lat), edge((a.lng, a.lat), (b.lng, b.lat)))
    way = Geodesic.WGS84.InverseLine(a.lat, a.lng, b.lat, b.lng)

    def metres(s: float) -> float:
        end = way.Position(s)
        return float(Geodesic.WGS84.Inverse(end["lat2"], end["lon2"], p.lat, p.lng)["s12"])

    low, high, golden = 0.0, way.s13, 0.6180339887498949
    for _ in range(70):
        one, other = high - golden * (high - low), low + golden * (high - low)
        if metres(one) < metres(other):
            high = other
        else:
            low = one
    truth = min(metres(0), metres(way.s13), metres((low + high) / 2))
    assert found.metres == pytest.approx(truth, abs=2e-5)
    assert found.slack <= 2e-5
