# SPDX-License-Identifier: Apache-2.0
"""A shape with arcs, drawn with straight ways: it holds all of the true shape and hardly more (domain.md D1).

The true arcs are walked with `geographiclib`; whether a place lies within the drawn ring is asked of the conflict
check.
"""

from __future__ import annotations

import math

from geographiclib.geodesic import Geodesic
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wideberth.core.judge.outline import inside, outline
from wideberth.core.say.arcs import AREA_MORE, Arc, polyarc, racetrack, sector, sector_of
from wideberth.core.say.geodesy import area_m2, point_towards
from wideberth.core.say.place import Point
from wideberth.core.say.ring import flaw
from wideberth.core.say.volume import Polygon

WGS84 = Geodesic.WGS84
_PLACE = Geodesic.LATITUDE | Geodesic.LONGITUDE
LngLat = tuple[float, float]

anywhere = st.one_of(
    st.builds(Point, st.integers(-90 * 10**9, 90 * 10**9), st.integers(-180 * 10**9, 180 * 10**9)),
    st.sampled_from([Point.at(90, 5), Point.at(-90, 0), Point.at(0, 180), Point.at(89.99, -180), Point.at(-17, 180)]),
)
degrees = st.integers(0, 360)
radii_mm = st.integers(100_000, 300_000_000)


def walked(
    centre: Point, first: float, turn: float, metres: float, last_metres: float | None = None, step: float = 1.0
) -> list[LngLat]:
    """Places on the true arc, `step` degrees apart; from one distance evenly to the other where two are given."""
    count = math.ceil(abs(turn) / step)
    more = 0.0 if last_metres is None else last_metres - metres
    ends = (
        WGS84.Direct(centre.lat, centre.lng, first + turn * k / count, metres + more * k / count, _PLACE)
        for k in range(count + 1)
    )
    return [(end["lon2"], end["lat2"]) for end in ends]


def area_of(ring: list[LngLat]) -> float:
    polygon = WGS84.Polygon()
    for lng, lat in ring:
        polygon.AddPoint(lat, lng)
    return abs(float(polygon.Compute()[2]))


def holds_all(drawn: Polygon, places: list[LngLat]) -> bool:
    edges = outline(drawn).edges
    return all(inside(p, edges) for p in places)


@given(anywhere, degrees, degrees, radii_mm, st.sampled_from((0, 0, 0.3, 0.8)))
@settings(max_examples=40, deadline=None)
def test_a_sector_holds_its_arcs_and_sides_and_is_hardly_larger(
    centre: Point, first: int, last: int, radius_mm: int, part: float
) -> None:
    assume(first % 360 != last % 360)
    inner_mm = round(radius_mm * part)
    drawn = sector(centre, first, last, radius_mm, inner_mm)
    assert flaw(drawn) is None
    turn = (last - first) % 360
    rim = walked(centre, first, turn, radius_mm / 1000)
    inner = walked(centre, last, -turn, inner_mm / 1000) if inner_mm else [(centre.lng, centre.lat)]
    sides = [
        p for b in (first, last) for k in (0.01, 0.5, 0.99)
        for p in walked(centre, b, 0.1, (inner_mm + (radius_mm - inner_mm) * k) / 1000)[:1]
    ]  # fmt: skip
    assert holds_all(drawn, rim + sides + (inner if inner_mm else []))
    if radius_mm - inner_mm >= 100_000:
        assert 1 <= area_m2(drawn) / area_of(rim + inner) <= 1 + AREA_MORE
    if not inner_mm:
        found = sector_of(drawn)
        assert found is not None
        assert (found.centre, found.first, found.last, found.radius_mm) == (centre, first % 360, last % 360, radius_mm)


@given(anywhere, degrees, st.integers(20, 340), radii_mm, st.booleans(), st.sampled_from((1.0, 1.0, 0.995, 1.004)))
@settings(max_examples=40, deadline=None)
def test_a_ring_with_an_arc_outward_or_inward_holds_all_of_it(
    centre: Point, first: int, turn: int, radius_mm: int, outward: bool, uneven: float
) -> None:
    """Outward: a disc with a bite cut off straight. Inward: a square with a bay. Ends may be unevenly far."""
    metres = radius_mm / 1000
    a, b = point_towards(centre, first, metres), point_towards(centre, first + turn, metres * uneven)
    places = walked(centre, first, turn, metres, metres * uneven)
    if outward:
        drawn = polyarc((a, Arc(centre, clockwise=True), b))
        assert polyarc((b, Arc(centre, clockwise=False), a)).corners  # the other way round is the same area
        assert holds_all(drawn, places[1:-1])
    else:
        assume(turn <= 180)
        far = [point_towards(centre, first + turn * k, metres * 3) for k in (1.0, 0.5, 0.0)]
        drawn = polyarc((a, Arc(centre, clockwise=True), b, *far))
        assert holds_all(drawn, places[1:-1])
        within = point_towards(centre, first + turn / 2, metres * 0.9)
        assert not inside((within.lng, within.lat), outline(drawn).edges), "the bay stays out"
    # A thin slice of a small disc has a breadth in which a millimetre counts.
    if uneven == 1.0 and metres * (1 - math.cos(math.radians(turn / 2))) >= 100:
        corners = [(p.lng, p.lat) for p in ([] if outward else far)]
        assert (
            1 - 1e-6
            <= area_m2(drawn) / area_of(walked(centre, first, turn, metres, step=0.2) + corners)
            <= 1 + AREA_MORE
        )


@given(anywhere, degrees, st.integers(1_000_000, 100_000_000), st.integers(500_000, 20_000_000), st.booleans())
@settings(max_examples=40, deadline=None)
def test_an_aircraft_that_flies_its_orbit_stays_in_the_racetrack(
    anchor: Point, course: int, leg_mm: int, radius_mm: int, right: bool
) -> None:
    """Inbound on the course to the anchor, half a circle, outbound, half a circle."""
    shape = racetrack(anchor, course, leg_mm, radius_mm, right=right)
    route = [(p.lng, p.lat) for p in shape.route]
    way = WGS84.InverseLine(route[0][1], route[0][0], route[1][1], route[1][0])
    side = 90 if right else -90
    inbound = [WGS84.Direct(anchor.lat, anchor.lng, course + 180, leg_mm / 1000 * k / 10) for k in range(11)]
    flown = [(at["lon2"], at["lat2"]) for at in inbound]
    for (lng, lat), heading in ((route[1], course), (route[0], course + 180)):
        turns = (WGS84.Direct(lat, lng, heading - side + side * k / 9, radius_mm / 1000) for k in range(1, 18))
        flown += [(at["lon2"], at["lat2"]) for at in turns]
    spacing = way.s13 / 40
    points = [way.Position(spacing * k, _PLACE) for k in range(41)]
    for lng, lat in flown:
        nearest = min(WGS84.Inverse(lat, lng, p["lat2"], p["lon2"], Geodesic.DISTANCE)["s12"] for p in points)
        # The nearest place on the line is at most half a spacing from the nearest of those; an end is one of them.
        least = math.sqrt(max(0.0, nearest**2 - (spacing / 2) ** 2))
        assert least * 1000 <= shape.half_width_mm + 1
    assert shape.half_width_mm <= radius_mm + 200 + (leg_mm / 6.3e9) ** 2 * radius_mm


def test_the_parts_of_a_disc_make_the_disc() -> None:
    """Eight sectors of 45 degrees lie side by side: what is on a common side is in both of them."""
    centre = Point.at("36.2", "37.15")
    bearings = range(0, 360, 45)
    parts = {b: outline(sector(centre, b, (b + 45) % 360, 18_520_000)).edges for b in bearings}
    for b in bearings:
        for metres in (100, 9_000, 18_519.999):
            place = walked(centre, b, 1, metres)[0]
            assert inside(place, parts[b])
            assert inside(place, parts[(b - 45) % 360])
