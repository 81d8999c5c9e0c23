# SPDX-License-Identifier: Apache-2.0
"""The horizontal distance against two slow references that share no code with it: shapely on a map re-centred at the
contact, with edges densified along the geodesic, for 10,000 pairs; and dense sampling by `geographiclib` for a few.
"""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from pyproj import Geod

from wideberth.core.judge.horizontal import least_distance
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Point
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape

WGS84 = Geod(ellps="WGS84")
PIECES = 8
FRACTIONS = np.arange(PIECES) / PIECES

# Where mistakes live: the poles, the antimeridian, Greenwich, the equator, and the middle of nowhere.
PLACES = [
    (90, 0),
    (-90, 33),
    (89.9, 179),
    (0, 180),
    (12, -180),
    (-45, 179.95),
    (0, 0),
    (47, 8),
    (-33.3, 151.2),
    (71, -8),
]


def random_shape(rng: random.Random, near: Point, spread_m: float) -> Shape:
    centre = point_towards(near, rng.uniform(0, 360), rng.uniform(0, spread_m))
    size = spread_m * 10 ** rng.uniform(-1.5, -0.2)
    kind = rng.choice("cprr")
    if kind == "c":
        return Circle(centre, max(1, round(size * 1000)))
    if kind == "p":  # a star-shaped ring is simple, and seldom convex
        count = rng.randint(3, 7)
        turns = sorted(rng.uniform(0, 360) for _ in range(count))
        if max((b - a) % 360 for a, b in zip(turns, turns[1:] + turns[:1], strict=True)) > 175:
            turns = [360 * i / count for i in range(count)]
        return Polygon(tuple(point_towards(centre, turn, size * rng.uniform(0.3, 1)) for turn in turns))
    route = [centre]
    for _ in range(rng.randint(1, 3)):
        route.append(point_towards(route[-1], rng.uniform(0, 360), size * rng.uniform(0.3, 1)))
    return Corridor(tuple(route), max(1, round(size * 100)))


def skeleton(shape: Shape) -> tuple[np.ndarray, np.ndarray, float]:
    """Longitudes and latitudes of the spine, edges densified along the geodesic, and the reach in metres."""
    if isinstance(shape, Circle):
        return np.array([shape.centre.lng]), np.array([shape.centre.lat]), shape.radius_mm / 1000
    ring = shape.corners if isinstance(shape, Polygon) else shape.route
    points = [*ring, ring[0]] if isinstance(shape, Polygon) else list(ring)
    lng, lat = np.array([p.lng for p in points]), np.array([p.lat for p in points])
    azimuth, _, metres = WGS84.inv(lng[:-1], lat[:-1], lng[1:], lat[1:])
    out = np.outer(metres, FRACTIONS).ravel()
    lngs, lats, _ = WGS84.fwd(np.repeat(lng[:-1], PIECES), np.repeat(lat[:-1], PIECES), np.repeat(azimuth, PIECES), out)
    reach = shape.half_width_mm / 1000 if isinstance(shape, Corridor) else 0.0
    return np.append(lngs, lng[-1]), np.append(lats, lat[-1]), reach


def on_map(spine: tuple[np.ndarray, np.ndarray, float], shape: Shape, lng: float, lat: float) -> shapely.Geometry:
    lngs, lats, _ = spine
    azimuth, _, metres = WGS84.inv(np.full_like(lngs, lng), np.full_like(lats, lat), lngs, lats)
    turn = np.radians(azimuth)
    flat = np.column_stack([metres * np.sin(turn), metres * np.cos(turn)])
    if isinstance(shape, Circle):
        return shapely.Point(flat[0])
    return shapely.Polygon(flat[:-1]) if isinstance(shape, Polygon) else shapely.LineString(flat)


def slow_distance(a: Shape, b: Shape, near: Point) -> float:
    spines = skeleton(a), skeleton(b)
    lng, lat = near.lng, near.lat
    metres = 0.0
    for _ in range(3):
        one, other = on_map(spines[0], a, lng, lat), on_map(spines[1], b, lng, lat)
        metres = float(shapely.distance(one, other))
        if metres == 0.0:
            break
        (x, y), (u, v) = shapely.shortest_line(one, other).coords
        east, north = (x + u) / 2, (y + v) / 2
        lng, lat, _ = WGS84.fwd(lng, lat, math.degrees(math.atan2(east, north)), math.hypot(east, north))
    return metres - spines[0][2] - spines[1][2]


def test_ten_thousand_random_pairs_agree_with_shapely_at_the_contact() -> None:
    rng = random.Random("ten thousand pairs")
    met = overlapping = 0
    for number in range(10_000):
        lat, lng = PLACES[number % len(PLACES)] if number % 2 else (rng.uniform(-90, 90), rng.uniform(-180, 180))
        near, spread = Point.at(lat, lng), 10 ** rng.uniform(2, 4.3)
        a, b = random_shape(rng, near, spread), random_shape(rng, near, spread)
        found, slow = least_distance(a, b), slow_distance(a, b, near)
        # What the reference leaves: its map stretches by (d/R)^2/6 at the contact, its pieces bend by d L^2/(12 R^2).
        core = slow + skeleton(a)[2] + skeleton(b)[2]
        piece = 2 * spread / PIECES
        allowed = found.error_m + 0.0005 + core**3 / 6 / 6.35e6**2 + (core + piece) * piece**2 / 12 / 6.35e6**2
        if found.meet:
            met += 1
            assert slow <= allowed, (number, a, b)
        else:
            overlapping += slow < 0
            assert abs(found.gap_m - slow) <= allowed, (number, a, b, found, slow)
    assert met > 200
    assert overlapping > 500


@pytest.mark.parametrize("number", range(24))
def test_no_two_sampled_points_are_nearer_than_the_least_distance(number: int) -> None:
    rng = random.Random(f"sampled {number}")
    near = Point.at(*PLACES[number % len(PLACES)])
    a, b = random_shape(rng, near, 30_000), random_shape(rng, near, 30_000)
    found = least_distance(a, b)

    def samples(shape: Shape) -> tuple[list[tuple[float, float]], float]:
        lngs, lats, _ = skeleton(shape)
        out, step = [(lats[0], lngs[0])], 0.0
        for i in range(len(lngs) - 1):
            way = Geodesic.WGS84.InverseLine(lats[i], lngs[i], lats[i + 1], lngs[i + 1])
            step = max(step, way.s13 / 2)
            for part in (0.5, 1.0):
                end = way.Position(way.s13 * part)
                out.append((end["lat2"], end["lon2"]))
        return out, step

    points_a, step_a = samples(a)
    points_b, step_b = samples(b)
    nearest = min(Geodesic.WGS84.Inverse(*p, *q)["s12"] for p in points_a[::2] for q in points_b[::2])
    reach = skeleton(a)[2] + skeleton(b)[2]
    assert found.gap_m - found.error_m <= nearest - reach
    if not found.meet:
        assert found.gap_m >= nearest - reach - 2 * (step_a + step_b)
