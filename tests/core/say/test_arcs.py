# SPDX-License-Identifier: Apache-2.0
"""Each shape's area within 0.1 % of a reference, by number (domain.md D1), and what is refused of a ring with arcs.

The references are those of a sphere-free world: discs and parts of discs on the ellipsoid, summed by `geographiclib`
over 20,000 corners. `pi r²` would be off by less than 2e-6 at 20 km.
"""

from __future__ import annotations

import math

import msgspec
import pytest
from geographiclib.geodesic import Geodesic

from wideberth.core.call.sentences import place
from wideberth.core.judge.outline import inside, outline
from wideberth.core.say.arcs import Arc, polyarc, racetrack, sector
from wideberth.core.say.geodesy import area_m2, point_towards
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput

CENTRE = Point.at("36.2", "37.15")
NM10 = 18_520_000


def disc_m2(radius_m: float, first: float = 0, turn: float = 360) -> float:
    """The part of a disc between two bearings, on the ellipsoid."""
    ring = Geodesic.WGS84.Polygon()
    count = round(turn * 20)
    for k in range(count + 1 if turn < 360 else count):
        at = Geodesic.WGS84.Direct(CENTRE.lat, CENTRE.lng, first + turn * k / count, radius_m)
        ring.AddPoint(at["lat2"], at["lon2"])
    if turn < 360:
        ring.AddPoint(CENTRE.lat, CENTRE.lng)
    return abs(float(ring.Compute()[2]))


QUARTER = disc_m2(18_520, 30, 90)
INNER = disc_m2(9_260, 30, 90)
HALF = disc_m2(18_520, 0, 180)
LEG_M, TURN_M = 37_040, 5_556
A, B = (point_towards(CENTRE, bearing, 18_520) for bearing in (0, 180))
# A box of 1 by 1 degree, by its corners joined with shortest ways.
BOX = ((36, 37), (36, 38), (37, 38), (37, 37))


def box_m2() -> float:
    ring = Geodesic.WGS84.Polygon()
    for lat, lng in BOX:
        ring.AddPoint(lat, lng)
    return abs(float(ring.Compute()[2]))


@pytest.mark.parametrize(
    ("shape", "reference_m2"),
    [
        pytest.param(Circle(CENTRE, NM10), disc_m2(18_520), id="circle"),
        pytest.param(Polygon.of(*BOX), box_m2(), id="polygon"),
        pytest.param(
            Corridor.along((36, 37), ("36.3", 37), half_width_km=5),
            Geodesic.WGS84.Inverse(36, 37, 36.3, 37)["s12"] * 10_000 + math.pi * 5_000**2, id="corridor",
        ),
        pytest.param(
            racetrack(CENTRE, 45, LEG_M * 1000, TURN_M * 1000),
            LEG_M * 2 * TURN_M + math.pi * TURN_M**2, id="orbit",
        ),
        pytest.param(sector(CENTRE, 30, 120, NM10), QUARTER, id="sector"),
        pytest.param(sector(CENTRE, 30, 120, NM10, NM10 // 2), QUARTER - INNER, id="radial arc"),
        pytest.param(sector(CENTRE, 350, 80, NM10), disc_m2(18_520, 350, 90), id="sector across north"),
        pytest.param(polyarc((A, Arc(CENTRE, clockwise=True), B)), HALF, id="polyarc"),
    ],
)  # fmt: skip
def test_the_area_of_each_shape_is_within_a_thousandth_of_the_reference(shape: Shape, reference_m2: float) -> None:
    assert area_m2(shape) == pytest.approx(reference_m2, rel=0.001)


def test_a_signed_sector_is_small() -> None:
    assert len(msgspec.json.encode(sector(CENTRE, 30, 120, NM10))) < 700
    assert len(msgspec.json.encode(sector(CENTRE, 0, 359, NM10, NM10 // 2))) < 6_000


def test_an_aircraft_on_the_rim_is_inside_where_an_inscribed_polygon_would_leave_it_out() -> None:
    rim = [point_towards(CENTRE, 30 + 90 * k / 64, 18_519.99) for k in range(1, 64)]
    inscribed = Polygon((CENTRE, *(point_towards(CENTRE, 30 + 90 * k / 8, 18_520) for k in range(9))))
    drawn = sector(CENTRE, 30, 120, NM10)
    assert all(inside((p.lng, p.lat), outline(drawn).edges) for p in rim)
    assert sum(inside((p.lng, p.lat), outline(inscribed).edges) for p in rim) < 10


def test_the_inbound_leg_of_an_orbit_is_on_its_rim_and_the_side_is_the_right_one() -> None:
    """A right-hand pattern on a course of 090: everything lies south of the inbound leg."""
    shape = racetrack(CENTRE, 90, LEG_M * 1000, TURN_M * 1000)
    assert all(p.lat < CENTRE.lat for p in shape.route)
    left = racetrack(CENTRE, 90, LEG_M * 1000, TURN_M * 1000, right=False, margin_mm=1_000_000)
    assert all(p.lat > CENTRE.lat for p in left.route)
    assert left.half_width_mm - shape.half_width_mm == 1_000_000
    assert shape.half_width_mm - TURN_M * 1000 < 200


@pytest.mark.parametrize("centre", [Point.at(90, 0), Point.at(-90, 77), Point.at(0, 180), Point.at(10, -180)])
def test_a_sector_round_a_pole_or_on_the_antimeridian_is_one_like_any_other(centre: Point) -> None:
    drawn = sector(centre, 300, 60, NM10)
    assert area_m2(drawn) == pytest.approx(disc_m2(18_520, 300, 120), rel=0.01)
    for bearing, within in ((0, True), (299, False), (61, False), (180, False)):
        p = point_towards(centre, bearing, 10_000)
        assert inside((p.lng, p.lat), outline(drawn).edges) is within


def test_a_band_too_thin_for_its_area_is_refused_with_what_to_give_instead() -> None:
    with pytest.raises(BadInput, match="give a corridor") as told:
        sector(CENTRE, 0, 350, 100_000_000, 99_900_000)
    assert told.value.details["field"] == "radius"


def test_a_list_says_a_sector_as_people_do_and_a_ring_by_its_corners() -> None:
    def said(shape: Shape) -> str:
        return place(Volume4D(shape, Altitude.surface(), Altitude.unlimited(), 0, 1))

    assert said(sector(CENTRE, 30, 120, NM10)) == "18.5 km round 36.2000 37.1500, from 030 to 120 true"
    assert said(sector(CENTRE, 30, 120, NM10, NM10 // 2)).startswith("49 corners from")
