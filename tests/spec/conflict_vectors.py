# SPDX-License-Identifier: Apache-2.0
"""Makes spec/vectors/conflict-check.json: pairs of volumes, and what the conflict check says of them (spec/11).

`python tests/spec/conflict_vectors.py` writes it anew after a change that is meant; say so in CHANGELOG.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from wideberth.core.judge.separation import judge
from wideberth.core.say import arcs
from wideberth.core.say.geodesy import bearing_degrees, point_towards
from wideberth.core.say.minima import FAA_SUA, RULE_OF_THREES, UTM_OVERLAP, SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.units import nautical_miles
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D

SPEC = Path(__file__).resolve().parents[2] / "spec"
VECTOR = SPEC / "vectors" / "conflict-check.json"
MARGIN_MM = 610_000
HERE = Point.at("36.2", "37.15")
KM = 1_000_000
AMSL, AGL, FL, W84 = VerticalRef.AMSL, VerticalRef.AGL, VerticalRef.FL, VerticalRef.W84
CENTIMETRE = SeparationMinima("CENTIMETRE", 10, 1)


class Pair(NamedTuple):
    name: str
    a: Volume4D
    b: Volume4D
    minima: SeparationMinima
    margin_mm: int = MARGIN_MM


def block(
    shape: Shape, low: Altitude | None = None, high: Altitude | None = None, start_ms: int = 0, end_ms: int = 3_600_000
) -> Volume4D:
    return Volume4D(
        shape, low or Altitude.surface(), high or Altitude.feet(10_000, AMSL), 1_900_000_000_000 + start_ms,
        1_900_000_000_000 + end_ms,
    )  # fmt: skip


def away(bearing: float, metres: float, start: Point = HERE) -> Point:
    return point_towards(start, bearing, metres)


def pairs() -> Iterator[Pair]:
    yield from _times()
    yield from _heights()
    yield from _places()
    yield from _edges()
    yield from _odd_places()


def _times() -> Iterator[Pair]:
    disc = Circle(HERE, 10 * KM)
    first = block(disc)
    for name, start_ms in (("touch", 3_600_000), ("share a millisecond", 3_599_999), ("are apart", 7_200_000)):
        yield Pair(f"windows {name}", first, block(disc, start_ms=start_ms, end_ms=9_000_000), RULE_OF_THREES)
    later = SeparationMinima("TEN_SECONDS", 1, 1, 10_000)
    for off_ms in (9_999, 10_000):
        after = block(disc, start_ms=3_600_000 + off_ms, end_ms=9_000_000)
        yield Pair(f"a time minimum of 10 s, {off_ms} ms after", first, after, later)


def _heights() -> Iterator[Pair]:
    disc = Circle(HERE, 10 * KM)

    def pair(name: str, low: Altitude, high: Altitude, over: Altitude, top: Altitude, minima: SeparationMinima) -> Pair:
        return Pair(f"heights: {name}", block(disc, low, high), block(disc, over, top), minima)

    ground, high = Altitude.surface(), Altitude.unlimited()
    for gap_ft in (2_999, 3_000, 3_001):
        yield pair(f"{gap_ft:,} ft", ground, Altitude.feet(10_000, AMSL), Altitude.feet(10_000 + gap_ft, AMSL),
                   Altitude.feet(20_000, AMSL), RULE_OF_THREES)  # fmt: skip
    fl100, fl200, fl300 = (Altitude.flight_level(level) for level in (100, 200, 300))
    yield pair("blocks that touch", fl100, fl200, fl200, fl300, UTM_OVERLAP)
    yield pair("a level on the edge of a block", fl100, fl200, fl200, fl200, UTM_OVERLAP)
    yield pair("two equal levels", fl200, fl200, fl200, fl200, UTM_OVERLAP)
    for metres in (609, 610, 611):
        over = Altitude(fl100.mm + metres * 1000, AMSL)
        yield pair(f"FL100 under {metres} m more above the sea", ground, fl100, over, high, UTM_OVERLAP)
    for metres in (89, 90, 91, 109, 110, 111):
        up, down = Altitude.metres(1_000, AMSL), Altitude.metres(1_000 + metres, W84)
        yield pair(f"sea under ellipsoid by {metres} m", ground, up, down, high, UTM_OVERLAP)
        yield pair(f"ellipsoid under sea by {metres} m", Altitude.metres(0, W84), Altitude.metres(1_000, W84),
                   Altitude.metres(1_000 + metres, AMSL), high, UTM_OVERLAP)  # fmt: skip
    yield pair("ground against sea", ground, Altitude.metres(100, AGL), Altitude.metres(9_101, AMSL), high, UTM_OVERLAP)
    yield pair("ground against sea, nearer", ground, Altitude.metres(100, AGL), Altitude.metres(9_099, AMSL), high,
               UTM_OVERLAP)  # fmt: skip
    yield pair("surface is 0 above ground", ground, Altitude(0, AGL), Altitude.metres(100, AGL), high,
               SeparationMinima("H", 0, 100_000))  # fmt: skip
    yield pair("ground against a level", ground, Altitude.metres(120, AGL), fl300, high, FAA_SUA)
    yield pair("floor surely above its top is turned", Altitude.flight_level(300), Altitude.metres(1_000, AMSL),
               Altitude.metres(5_000, AMSL), Altitude.metres(6_000, AMSL), UTM_OVERLAP)  # fmt: skip
    over = Altitude(fl100.mm + 900_000, AMSL)
    yield Pair("heights: a margin of its own", block(disc, ground, fl100), block(disc, over, high), UTM_OVERLAP, KM)


def _places() -> Iterator[Pair]:
    disc = Circle(HERE, 20 * KM)
    for miles in (2.9, 3.0, 3.1):
        gap_m = nautical_miles(miles) / 1000
        near = away(90, 20_000 + gap_m)
        others: dict[str, Shape] = {
            "disc": Circle(away(90, 30_000 + gap_m), 10 * KM),
            "ring": Polygon((near, away(60, 50_000, near), away(120, 50_000, near))),
            "corridor": Corridor((away(90, 25_000 + gap_m), away(90, 80_000)), 5 * KM),
        }
        for kind, other in others.items():
            yield Pair(f"a disc and a {kind} {miles} NM apart", block(disc), block(other), RULE_OF_THREES)
    for off_mm in (-12, -9, -1, 1, 9, 12):
        other = Circle(away(77, 30_000 + off_mm / 1000), 10 * KM)
        yield Pair(f"discs {off_mm} mm apart", block(disc), block(other), UTM_OVERLAP)
        yield Pair(f"discs {off_mm} mm apart, 1 cm asked", block(disc), block(other), CENTIMETRE)
    yield Pair("a disc in a disc", block(disc), block(Circle(away(10, 5_000), KM)), RULE_OF_THREES)
    way = Corridor((away(200, 40_000), HERE, away(100, 60_000)), 2 * KM)
    for metres in (2_000, 2_000.02, 7_000):
        beside = away(330, metres)  # outside the bend, where only its corner is near
        yield Pair(f"the outside of a bend, {metres} m off", block(way), block(Circle(beside, 1)), UTM_OVERLAP)
    across = Corridor((away(45, 30_000), away(225, 30_000)), 1_000)
    yield Pair("corridors that cross without a corner near", block(way), block(across), UTM_OVERLAP)
    part = arcs.sector(HERE, 30, 120, 18_520_000)
    yield Pair("a sector, a place on its rim", block(part), block(Circle(away(75, 18_520), 1)), UTM_OVERLAP)
    yield Pair("a sector, a place outside its side", block(part), block(Circle(away(29, 9_000), KM // 10)), UTM_OVERLAP)


def _edges() -> Iterator[Pair]:
    a, b = HERE, away(80, 50_000)
    wall = Polygon((a, b, away(140, 40_000)))
    for part in (0.02, 0.5, 0.9):
        at = away(bearing_degrees(a, b), 50_000 * part, a)
        out = bearing_degrees(at, b) - 90
        for off_mm in (-12, -9, 9, 12):
            tip = away(out, off_mm / 1000, at)
            spike = Polygon((tip, away(out - 3, 20_000, tip), away(out + 4, 20_000, tip)))
            yield Pair(f"a tip {off_mm} mm off an edge of 50 km, at {part}", block(wall), block(spike), UTM_OVERLAP)
    yield Pair("one ring twice", block(wall), block(wall), UTM_OVERLAP)
    neighbour = Polygon((b, a, away(20, 40_000)))
    yield Pair("rings with a common edge", block(wall), block(neighbour), UTM_OVERLAP)
    sliver = Polygon((away(95, 2_000), away(95, 42_000), away(95.000001, 42_000)))
    yield Pair("a sliver of a millimetre through a ring", block(wall), block(sliver), UTM_OVERLAP)
    far = [away(turn, 40_000) for turn in (0, 90, 180, 270)]
    notched = Polygon((*far, away(315, 6_000)))
    for bearing, metres in ((315, 15_000), (315, 6_500), (315, 5_000), (300, 30_000)):
        bead = Circle(away(bearing, metres), 100_000)
        yield Pair(
            f"a bead in a notch, {metres} m from the middle at {bearing}", block(notched), block(bead), UTM_OVERLAP
        )
    yield Pair(
        "a ring in a ring", block(notched), block(Polygon((away(90, 900), away(210, 900), away(330, 900)))), UTM_OVERLAP
    )
    # Along a parallel of 60° the shortest way of 5° of longitude runs 2.6 km north of the parallel.
    north = Polygon.of((60, 10), (60, 15), (59, 15), (59, 10))
    for lat in ("60.01", "60.02", "60.03"):
        bead = Circle(Point.at(lat, "12.5"), 1_000)
        yield Pair(f"on the bulge of a geodesic edge, {lat} N", block(north), block(bead), UTM_OVERLAP)


def _odd_places() -> Iterator[Pair]:
    for lat in (0, 60, "-89.9"):
        west, east = Circle(Point.at(lat, "179.99"), KM), Circle(Point.at(lat, "-179.99"), KM)
        yield Pair(f"across the antimeridian at {lat}", block(west), block(east), RULE_OF_THREES)
    seam = Polygon.of((-1, 179), (-1, -179), (1, -179), (1, 179))
    yield Pair(
        "a ring across the antimeridian, a place in it",
        block(seam),
        block(Circle(Point.at(0, 180), 1_000)),
        UTM_OVERLAP,
    )
    yield Pair(
        "a ring across the antimeridian, its other side",
        block(seam),
        block(Circle(Point.at(0, "178.9"), KM)),
        UTM_OVERLAP,
    )
    cap = Polygon.of((89, 0), (89, 120), (89, -120))
    yield Pair("a ring round the pole, the pole", block(cap), block(Circle(Point.at(90, 77), 1_000)), UTM_OVERLAP)
    yield Pair(
        "a ring round the pole, beyond its edge", block(cap), block(Circle(Point.at("89.4", 60), KM)), RULE_OF_THREES
    )
    over = Corridor((Point.at("89.9", 20), Point.at("89.9", -160)), KM)
    yield Pair("a way over the pole", block(over), block(Circle(Point.at(90, 0), 1_000)), UTM_OVERLAP)
    yield Pair(
        "two names of one pole", block(Circle(Point.at(-90, 0), KM)), block(Circle(Point.at(-90, 90), KM)), UTM_OVERLAP
    )


def told(pair: Pair) -> dict[str, Any]:
    found = judge(pair.a, pair.b, pair.minima, pressure_margin_mm=pair.margin_mm, measure=True)
    return {
        "name": pair.name,
        "a": msgspec.to_builtins(pair.a),
        "b": msgspec.to_builtins(pair.b),
        "horizontal_mm": pair.minima.horizontal_mm,
        "vertical_mm": pair.minima.vertical_mm,
        "time_ms": pair.minima.time_ms,
        "pressure_margin_mm": pair.margin_mm,
        "expected": {
            "answer": found.answer.value,
            "distance_mm": found.horizontal_mm,
            "error_mm": found.error_mm,
            "gap_mm": found.vertical_mm,
            "widened_mm": found.widened_mm,
            "overlap_ms": found.time_overlap_ms,
        },
    }


def build() -> list[dict[str, Any]]:
    return [told(pair) for pair in pairs()]


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(each, sort_keys=True, separators=(",", ":")) for each in build())
    VECTOR.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    sys.stdout.write(f"wrote {VECTOR}\n")
