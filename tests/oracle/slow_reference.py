# SPDX-License-Identifier: Apache-2.0
"""A slow reference for the conflict check that shares no code with it (docs/conflict-check.md §12).

    geographiclib   every distance that decides: Karney's algorithms as he wrote them in Python, not the C of `pyproj`
    shapely         whether two areas meet, on a map that projects from the centre of curvature below them: plane
                    sections through it are straight there, and 2 km of a geodesic leave theirs by 0.02 mm at most
    integers        time and height, written down anew from the definition

Brute force: every corner of each spine against every edge of the other, in the order of a bound from straight lines
through the Earth, until no edge left can be nearer. Metres, degrees and whole millimetres; `ERROR_M` is what the
reference itself may be wrong by.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from geographiclib.geodesic import Geodesic

from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.volume import Circle, Polygon, Shape, Volume4D

WGS84: Final = Geodesic.WGS84
ERROR_M: Final = 0.000_05
_A, _E2 = 6_378_137.0, 0.006_694_379_990_141_317  # WGS-84, from f = 1/298.257223563
_CURVATURE_M = 6_335_000.0  # the least radius of curvature, rounded down
_PLACE = Geodesic.LATITUDE | Geodesic.LONGITUDE
# A geodesic leaves any plane through its ends and near the Earth's centre by less than 0.7 m at 100 km, and with the
# square of the length (measured); where two areas are nearer than four times that, edges are cut into pieces.
_LEAVES_M, _PIECE_M = 3.0, 2_000.0
_NO_BOUND = 10**12


class Slow(NamedTuple):
    """`gap_m`: distance of the two areas, negative where grown spines overlap; `meet`: the spines share a point."""

    gap_m: float
    meet: bool


class _Spine:
    def __init__(self, shape: Shape) -> None:
        points: tuple[Point, ...]
        if isinstance(shape, Circle):
            points, self.reach_m = (shape.centre,), shape.radius_mm / 1000
        elif isinstance(shape, Polygon):
            points, self.reach_m = shape.corners, 0.0
        else:
            points, self.reach_m = shape.route, shape.half_width_mm / 1000
        self.filled = isinstance(shape, Polygon)
        self.points = [(p.lat_ndeg / 1e9, p.lng_ndeg / 1e9) for p in points]
        self.xyz = np.array([_xyz(*p) for p in self.points])
        count = len(points)
        self.pairs = [(i, (i + 1) % count) for i in range(count if self.filled else count - 1)]
        starts, ends = [i for i, _ in self.pairs], [j for _, j in self.pairs]
        self.start = self.xyz[starts]
        self.along = self.xyz[ends] - self.start
        self.squared = np.maximum((self.along * self.along).sum(axis=1), 1e-12)
        self._lines: dict[int, Any] = {}

    def line(self, n: int) -> Any:
        """The geodesic of edge `n`, made once."""
        if n not in self._lines:
            i, j = self.pairs[n]
            self._lines[n] = WGS84.InverseLine(*self.points[i], *self.points[j])
        return self._lines[n]

    def cut(self) -> np.ndarray:
        """Its points in Earth-centred metres, with points added along the geodesics, at most 2 km apart."""
        if not self.pairs:
            return self.xyz
        made = []
        for n, (i, _) in enumerate(self.pairs):
            line = self.line(n)
            made.append(self.points[i])
            parts = math.ceil(line.s13 / _PIECE_M)
            for k in range(1, parts):
                at = line.Position(line.s13 * k / parts, _PLACE)
                made.append((at["lat2"], at["lon2"]))
        if not self.filled:
            made.append(self.points[-1])
        return np.array([_xyz(*p) for p in made])


def _xyz(lat: float, lng: float) -> tuple[float, float, float]:
    phi, lam = math.radians(lat), math.radians(lng)
    n = _A / math.sqrt(1 - _E2 * math.sin(phi) ** 2)
    return n * math.cos(phi) * math.cos(lam), n * math.cos(phi) * math.sin(lam), n * (1 - _E2) * math.sin(phi)


@lru_cache(maxsize=16)  # who makes a pair by its distance asks again
def distance(a: Shape, b: Shape) -> Slow:
    """Between two shapes that lie, both together, in a ball of 4,900 km."""
    one, other = _Spine(a), _Spine(b)
    metres = _nearest(one, other)
    meet = metres <= 0.0 or _meet(one, other, metres)
    return Slow((0.0 if meet else metres) - one.reach_m - other.reach_m, meet)


# --- the least distance of corners and edges ---


def _nearest(one: _Spine, other: _Spine) -> float:
    found: list[tuple[float, _Spine, int, _Spine, int]] = []
    for p, e in ((one, other), (other, one)):
        bounds = _bounds(p, e)
        found += [(bounds[i, n], p, i, e, n) for i in range(bounds.shape[0]) for n in range(bounds.shape[1])]
    found.sort(key=lambda each: each[0])
    if not found:  # two points
        return float(WGS84.Inverse(*one.points[0], *other.points[0], Geodesic.DISTANCE)["s12"])
    best = math.inf
    for bound, p, i, e, n in found:
        if bound > best:
            break
        best = min(best, _to_edge(p.points[i], e.line(n)))
    return best


def _bounds(p: _Spine, e: _Spine) -> np.ndarray:
    """Lower bounds of the way from each point to each edge: straight through the Earth to the edge's chord, less what a
    geodesic bulges above its chord c: c²/8r for a short one, under 1.2 times that for half a quarter of the Earth."""
    if not e.pairs:
        return np.empty((len(p.points), 0))
    off = p.xyz[:, None, :] - e.start[None, :, :]
    t = np.clip((off * e.along).sum(axis=2) / e.squared, 0.0, 1.0)
    straight = np.sqrt(((off - t[..., None] * e.along) ** 2).sum(axis=2))
    return straight - np.where(e.squared < 9e10, 1.01, 1.2) * e.squared / (8 * _CURVATURE_M) - 1e-6


def _to_edge(p: tuple[float, float], line: Any) -> float:
    """By the vertex of the parabola through three squares of distances, again and again; no slope is used."""

    def at(t: float) -> float:
        q = line.Position(t, _PLACE)
        return float(WGS84.Inverse(*p, q["lat2"], q["lon2"], Geodesic.DISTANCE)["s12"])

    length = line.s13
    first, last = at(0.0), at(length)
    best = min(first, last)
    if length < 1e-6 or best == 0.0:
        return best
    # In the plane the foot follows from three sides.
    t = (first * first - last * last + length * length) / (2 * length)
    step = min(length / 4, max(1.0, first / 50))
    for _ in range(12):
        t = min(max(t, 0.0), length)
        low, high = max(0.0, t - step), min(length, t + step)
        middle = (low + high) / 2
        half = (high - low) / 2
        f, g, h = at(low) ** 2, at(middle) ** 2, at(high) ** 2
        best = min(best, math.sqrt(min(f, g, h)))
        bend = f - 2 * g + h
        if bend <= 0 or half == 0:
            return best
        foot = middle - half * (h - f) / (2 * bend)
        moved = abs(foot - t)
        t = foot
        if t < 0.0 or t > length:
            if moved < step or t < -length or t > 2 * length:
                return best  # convex, and its bottom lies beyond an end
            continue
        if moved * moved <= 2e-6 * max(best, 1e-6) or moved < 1e-6:
            return min(best, at(t))
        step = max(min(step, 4 * moved), half / 16, 0.5 if length > 4 else length / 8)
    return min(best, at(min(max(t, 0.0), length)))


# --- do the spines share a point? ---


def _meet(one: _Spine, other: _Spine, metres: float) -> bool:
    if not one.pairs and not other.pairs:
        return False
    longest = max(math.sqrt(e.squared.max()) if e.pairs else 0.0 for e in (one, other))
    if metres > 10 + _LEAVES_M * (longest / 100_000) ** 2:
        return _on_map(one.xyz, one, other.xyz, other)
    return _on_map(one.cut(), one, other.cut(), other)


def _on_map(a: np.ndarray, one: _Spine, b: np.ndarray, other: _Spine) -> bool:
    middle = a.mean(axis=0) + b.mean(axis=0)
    middle *= _A / np.linalg.norm(middle)
    up = middle / [1.0, 1.0, 1 - _E2]
    up /= np.linalg.norm(up)
    a, b = (xyz - middle + up * _A for xyz in (a, b))
    east = np.cross(up, [1.0, 0, 0] if abs(up[0]) < 0.8 else [0, 1.0, 0])
    east /= np.linalg.norm(east)
    frame = np.stack([east, np.cross(up, east)])
    shapes = []
    for xyz, spine in ((a, one), (b, other)):
        flat = (xyz @ frame.T) / (xyz @ up)[:, None] * _A
        if spine.filled:
            shapes.append(shapely.Polygon(flat))
        else:
            shapes.append(shapely.LineString(flat) if len(flat) > 1 else shapely.Point(flat[0]))
    return bool(shapely.intersects(*shapes))


# --- the definition, anew ---


def windows_conflict(a: Volume4D, b: Volume4D, minima: SeparationMinima) -> bool:
    """Half-open, each moment of one within t of some moment of the other."""
    later, sooner = (a, b) if a.start_ms >= b.start_ms else (b, a)
    return later.start_ms - sooner.end_ms < minima.time_ms


def bands_conflict(a: Volume4D, b: Volume4D, minima: SeparationMinima, margin_mm: int) -> tuple[bool, int]:
    """Whether the bands are too near under v, and the least gap: of all heights above the sea that each may mean."""
    gaps = [_difference(_ends(p, margin_mm)[0], _ends(q, margin_mm)[1], margin_mm) for p, q in ((a, b), (b, a))]
    gap = max(gaps)
    if minima.vertical_mm:
        return gap < minima.vertical_mm, gap
    flat = a.lower == a.upper or b.lower == b.upper
    return gap < 0 or (gap == 0 and flat), gap


def _ends(v: Volume4D, margin_mm: int) -> tuple[Altitude, Altitude]:
    surely_above = v.lower.ref != v.upper.ref and _difference(v.lower, v.upper, margin_mm) > 0
    return (v.upper, v.lower) if surely_above else (v.lower, v.upper)


def _difference(high: Altitude, low: Altitude, margin_mm: int) -> int:
    """The least that `high` can be above `low`."""
    if "UNL" in (high.ref, low.ref):
        return _NO_BOUND * ((high.ref == "UNL") - (low.ref == "UNL"))
    ground = ("AGL", "SFC")
    if high.ref == low.ref or (high.ref in ground and low.ref in ground):
        return high.mm - low.mm
    below = {"AMSL": 0, "W84": -90_000, "FL": -margin_mm, "AGL": -500_000, "SFC": -500_000}
    above = {"AMSL": 0, "W84": 110_000, "FL": margin_mm, "AGL": 9_000_000, "SFC": 9_000_000}
    return high.mm + below[high.ref] - low.mm - above[low.ref]
