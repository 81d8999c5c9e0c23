# SPDX-License-Identifier: Apache-2.0
"""The parts of the compiled path, each against something that cannot share its mistakes: boxes against points of the
shapes, the sweep against all pairs, the map against the geodesic."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from wideberth.core.judge.columns import Columns
from wideberth.core.judge.fast import available
from wideberth.core.judge.horizontal import least_distance
from wideberth.core.judge.outline import outline
from wideberth.core.say.geodesy import geod, point_towards
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D

pytestmark = pytest.mark.skipif(not available(), reason="needs the extra `fast` (numba and numpy)")

PLACES = [(90, 0), (-90, 33), (89.3, 179), (88.95, 10), (0, 180), (12, -180), (-45, 179.95), (0, 0), (47, 8), (71, -8)]
LOW, HIGH = Altitude(0, VerticalRef.W84), Altitude(100_000, VerticalRef.W84)
TURN = 1 << 32


def random_shape(rng: random.Random, near: Point, spread_m: float) -> Shape:
    centre = point_towards(near, rng.uniform(0, 360), rng.uniform(0, spread_m))
    size = spread_m * 10 ** rng.uniform(-1.5, -0.2)
    kind = rng.choice("cprr")
    if kind == "c":
        return Circle(centre, max(1, round(size * 1000)))
    if kind == "p":
        count = rng.randint(3, 9)
        turns = [360 * (i + rng.uniform(-0.3, 0.3)) / count for i in range(count)]
        return Polygon(tuple(point_towards(centre, turn, size * rng.uniform(0.3, 1)) for turn in turns))
    route = [centre]
    for _ in range(rng.randint(1, 3)):
        route.append(point_towards(route[-1], rng.uniform(0, 360), size * rng.uniform(0.3, 1)))
    return Corridor(tuple(route), max(1, round(size * 100)))


def points_of(shape: Shape, grow_m: float) -> list[tuple[float, float]]:
    """Longitude and latitude of points at the outermost of a shape that is grown by `grow_m`."""
    solver, found = geod(), []
    spine = outline(shape)
    along = [(lng, lat) for lng, lat in spine.points]
    for e in spine.edges:
        along += [solver.fwd(*e.a, e.azimuth, e.length * k / 16)[:2] for k in range(1, 16)]
    for lng, lat in along:
        found += [solver.fwd(lng, lat, turn, spine.reach + grow_m)[:2] for turn in range(0, 360, 15)]
    return found + along


def in_box(box: np.ndarray, lng: float, lat: float) -> bool:
    from wideberth.core.judge.fast.bounds import LAT_HI, LAT_LO, LNG_LO, LNG_WIDE

    if not int(box[LAT_LO]) <= lat * 1e7 <= int(box[LAT_HI]):
        return False
    east = (lng / 360 * TURN - (int(box[LNG_LO]) & (TURN - 1))) % TURN
    return east <= (int(box[LNG_WIDE]) & (TURN - 1)) or abs(lat) > 89.999_999_9


@pytest.mark.parametrize("place", PLACES)
def test_a_box_holds_every_point_of_its_volume_and_of_half_the_minimum_round_it(place: tuple[float, float]) -> None:
    from wideberth.core.judge.fast.bounds import boxes_of

    rng = random.Random(f"box {place}")
    shapes = [random_shape(rng, Point.at(*place), 10 ** rng.uniform(2, 6)) for _ in range(60)]
    columns = Columns.of_volumes([Volume4D(shape, LOW, HIGH, 0, 1000) for shape in shapes])
    boxes = boxes_of(columns, horizontal_mm=10_000_000, vertical_mm=0, time_ms=0, margin_mm=0).box
    tight = boxes_of(columns, horizontal_mm=0, vertical_mm=0, time_ms=0, margin_mm=0).box
    for shape, box, bare in zip(shapes, boxes, tight, strict=True):
        assert all(in_box(box, *p) for p in points_of(shape, 5_000.0)), shape
        assert all(in_box(bare, *p) for p in points_of(shape, 0.0)), shape


def test_a_box_is_not_much_larger_than_it_must_be() -> None:
    """Outward is not enough: the box of a 5 km leg at 47° is within a metre or so of it."""
    from wideberth.core.judge.fast.bounds import LAT_HI, LAT_LO, LNG_WIDE, boxes_of

    west = Point.at(47.0, 8.0)
    shape = Polygon((west, point_towards(west, 90, 5_000), point_towards(west, 89, 5_000)))
    columns = Columns.of_volumes([Volume4D(shape, LOW, HIGH, 0, 1000)])
    box = boxes_of(columns, horizontal_mm=0, vertical_mm=0, time_ms=0, margin_mm=0).box[0]
    high_m = (int(box[LAT_HI]) - int(box[LAT_LO])) / 1e7 * 111_200
    wide_m = (int(box[LNG_WIDE]) & (TURN - 1)) / TURN * 360 * 111_320 * math.cos(math.radians(47))
    assert high_m < 5_000 * math.sin(math.radians(1)) + 4
    assert wide_m < 5_020


def random_boxes(rng: random.Random, count: int, widest: float) -> np.ndarray:
    """Boxes of every size up to `widest` of a turn, some across the antimeridian, some all the way round."""
    from wideberth.core.judge.fast.bounds import BOX

    boxes = np.empty((count, BOX), dtype=np.int32)
    for box in boxes:
        start = rng.randrange(1_000_000)
        south = rng.randrange(-900_000_000, 800_000_000)
        wide = TURN - 1 if rng.random() < 0.01 else int(TURN * widest * rng.random() ** 4)
        west = rng.choice([rng.randrange(TURN), TURN // 2 - wide // 2, 0])
        low = rng.randrange(1_000_000)
        box[:4] = (
            start,
            start + 1 + rng.randrange(200_000),
            south,
            min(south + int(9e8 * rng.random() ** 6), 900_000_000),
        )
        box[4:6] = np.array([west % TURN, wide], dtype=np.uint32).view(np.int32)
        box[6:] = low, low + rng.randrange(300_000)
    return boxes


def all_pairs(boxes: np.ndarray, op: np.ndarray) -> set[tuple[int, int]]:
    t0, t1, s, n, w, e, z0, z1 = boxes.astype(np.int64).T
    w, e = w % TURN, e % TURN
    meet = (t0[:, None] < t1) & (t0 < t1[:, None]) & (s[:, None] <= n) & (s <= n[:, None])
    meet &= (z0[:, None] <= z1) & (z0 <= z1[:, None]) & (op[:, None] != op)
    meet &= ((w - w[:, None]) % TURN <= e[:, None]) | ((w[:, None] - w) % TURN <= e)
    return {(i, j) for i, j in np.argwhere(meet).tolist() if i < j}


@pytest.mark.parametrize(
    ("widest", "slab"), [(0.001, 100_000), (0.05, 100_000), (0.6, 100_000), (0.05, 64), (1.0, 200)]
)
def test_the_sweep_finds_each_meeting_pair_once_in_cells_of_any_size(
    widest: float, slab: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wideberth.core.judge.fast import grid, sweep

    monkeypatch.setattr(sweep, "SLAB", slab)
    rng = random.Random(f"sweep {widest} {slab}")
    boxes = random_boxes(rng, 900, widest)
    op = np.array([rng.randrange(500) for _ in boxes], dtype=np.int32)
    expected = all_pairs(boxes, op)
    assert len(expected) > 100
    for row_height in (0, grid.ROW_LEAST * 50, grid.ROW_LEAST * 1000, 400_000_000, grid.ROW_GREATEST):
        found = [(min(p), max(p)) for p in sweep.meeting(boxes, op, row_height).tolist()]
        assert len(found) == len(set(found))
        assert set(found) == expected


@pytest.mark.parametrize("place", [(47, 8), (0, 180), (-71, 20), (89.9, 40)])
def test_the_map_never_contradicts_the_geodesic(place: tuple[float, float]) -> None:
    """Minima on either side of the true distance, nearer and nearer: inside its band the map must not decide."""
    from wideberth.core.judge.fast.bounds import boxes_of
    from wideberth.core.judge.fast.flatmap import CONFLICT, SEPARATE, UNDECIDED, between, weigh

    rng = random.Random(f"map {place}")
    decided = undecided = 0
    for _ in range(150):
        near, spread = Point.at(*place), 10 ** rng.uniform(2, 5.2)
        pair = [random_shape(rng, near, spread) for _ in range(2)]
        apart = least_distance(*pair)
        if apart.meet or apart.gap_m <= 0:
            continue
        c = Columns.of_volumes([Volume4D(shape, LOW, HIGH, 0, 1000) for shape in pair])
        room = np.empty((16, 2)), np.empty((16, 2))
        wide_mm = round(apart.gap_m * 1000) + 2_000_000  # so that the boxes meet, as those of a pair to weigh do
        boxes = boxes_of(c, horizontal_mm=wide_mm, vertical_mm=1, time_ms=0, margin_mm=0).box
        lat0, lng0 = between(boxes[0], boxes[1])
        for off_m in (1000.0, 10.0, 1.0, 0.1, 0.01, 0.001):
            for sign in (-1, 1):
                minimum_mm = round((apart.gap_m + sign * off_m) * 1000)
                if minimum_mm <= 0:
                    continue
                answer = weigh(
                    c.first, c.lat_ndeg, c.lng_ndeg, c.reach_mm, 0, 1, lat0, lng0, minimum_mm, *room
                )  # fmt: skip
                assert answer in ((SEPARATE, UNDECIDED) if sign < 0 else (CONFLICT, UNDECIDED)), (pair, minimum_mm)
                decided += answer != UNDECIDED
                undecided += answer == UNDECIDED
                if spread < 3_000 and off_m >= 0.1:
                    assert answer != UNDECIDED, (pair, minimum_mm)
    assert decided > 200
    assert undecided > 100
