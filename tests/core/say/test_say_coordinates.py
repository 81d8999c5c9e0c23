# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.say import coordinates
from wideberth.core.say.geodesy import distance_mm
from wideberth.core.say.place import (
    ALTITUDE_MM_MAX,
    ALTITUDE_MM_MIN,
    LAT_NDEG_MAX,
    LNG_NDEG_MAX,
    Altitude,
    Point,
    VerticalRef,
)
from wideberth.errors import BadInput

HERE = Point.at("36.2", "37.15")
points = st.builds(Point, st.integers(-LAT_NDEG_MAX, LAT_NDEG_MAX), st.integers(-LNG_NDEG_MAX, LNG_NDEG_MAX))


@pytest.mark.parametrize(
    "text",
    [
        "36.20 37.15", "36.20, 37.15", "36.2;37.15", "+36.20 +37.15", "36.20N 37.15E", "N36.20 E37.15",
        "N 36.20, E 37.15", "37.15E 36.20N", "E37.15N36.20", "36.2n37.15e", "36.2° 37.15°",
        "36°12'00\"N 37°09'00\"E", "36° 12′ 00″ N, 37° 9′ 0″ E", "36º12’00”N 037º09’00”E", "36°12'00'' 37°09'00''",
        "36 12 00 N 37 09 00 E", "36-12-00N 037-09-00E", "36 12 37 09", "36 12 00 37 09 00", "36°12'N 37°9'E",
        "N36 12.000 E037 09.000", "361200N0370900E", "361200N 0370900E", "N361200E0370900", "3612N03709E",
        "361200.00N0370900.0E", "36.20 37.15 WGS84", "WGS-84 36.20N 37.15E", " 36.20\u00a037.15 ",
    ],
)  # fmt: skip
def test_one_place_has_many_spellings(text: str) -> None:
    assert coordinates.parse_point(text) == HERE


@pytest.mark.parametrize(
    ("text", "lat", "lng"),
    [
        ("-33.5 -70.1", "-33.5", "-70.1"),
        ("-33.5, +70.1", "-33.5", "70.1"),
        ("S36.2 W37", "-36.2", "-37"),
        ("S42 36 37 W070 30 00", "-42.610277778", "-70.5"),
        ("36°12.5'N 37°09.25'W", "36.208333333", "-37.154166667"),
        ("-0°30' 0°30'", "-0.5", "0.5"),
        ("90N 180W", "90", "-180"),
        ("0N 0E", "0", "0"),
        ("-36°12' -37°09'", "-36.2", "-37.15"),
        ("-36 12 -37 09", "-36.2", "-37.15"),
        ("+36.2-37.15", "36.2", "-37.15"),
    ],
)
def test_hemispheres_and_parts_of_degrees_are_kept(text: str, lat: str, lng: str) -> None:
    assert coordinates.parse_point(text) == Point.at(lat, lng)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("36.2", "not a place"),
        ("north", "not a place"),
        ("", "not a place"),
        ("36,20 37,15", "not a place"),
        ("36.2N 37.1", "one number only"),
        ("S42 36 37", "one number only"),
        ("36.2N 37.1N", "one of N and S"),
        ("-36.2N 37E", "use one of them"),
        ("36N 37E 5", "before or after"),
        ("36.5°12'N 37E", "only the last part"),
        ("36 61 00 N 37 0 0 E", "less than 60"),
        ("366000N0370000E", "less than 60"),
        ("36 12 00 37 09", "two ways"),
        ("36.2-37.15", "minus sign or a dash"),
        ("361200 0370900", "hemisphere letter"),
        ("136.5 37", "swap them"),
        ("91N 37E", "latitude"),
        ("36N 181E", "longitude"),
        ("36.20 37.15 ED50", "ED50"),
        ("36.20N 37.15E Pulkovo 1942", "Pulkovo 1942; convert"),
        ("NAD27 36.20N 37.15E", "NAD27; convert"),
        ("36.20 37.15 EPSG:28409", "EPSG:28409; convert"),
        ("36.20 37.15 Ain el Abd", "not a place"),
        ("37SCA", "square"),
        ("37SCA33", "square"),
        ("37SCA336", "odd number"),
        ("61SCA33670771", "not a"),
        ("37IIA33670771", "not a place"),
        ("37SAA33670771", "not a grid square"),
    ],
)
def test_a_place_that_could_be_read_two_ways_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        coordinates.parse_point(text)


@given(points)
def test_the_exact_spelling_is_read_back_exactly(point: Point) -> None:
    assert coordinates.parse_point(coordinates.show_decimal(point)) == point


@given(points)
@settings(max_examples=150)
def test_degrees_minutes_and_seconds_stay_within_half_of_their_last_digit(point: Point) -> None:
    # Half a tenth of a second is 1.6 m at most in each direction; compact is whole seconds.
    assert distance_mm(point, coordinates.parse_point(coordinates.show_dms(point))) <= 2_200
    assert distance_mm(point, coordinates.parse_point(coordinates.show_compact(point))) <= 22_000
    assert distance_mm(point, coordinates.parse_point(coordinates.show_dms(point, decimals=4))) <= 3


def test_seconds_that_round_up_carry_into_minutes_and_degrees() -> None:
    point = Point.at("36.999999999", "-37.999999999")
    assert coordinates.show_dms(point) == "37°00'00.0\"N 038°00'00.0\"W"
    assert coordinates.show_compact(point) == "370000N0380000W"


# Within a metre south of the equator GEOTRANS rounds the northing into a square that it then refuses to read.
@given(
    st.builds(
        Point, st.integers(-80 * 10**9, -10_000) | st.integers(0, 84 * 10**9), st.integers(-LNG_NDEG_MAX, LNG_NDEG_MAX)
    )
)
@settings(max_examples=150)
def test_a_grid_reference_stays_within_its_square(point: Point) -> None:
    # 10 digits name the south-west corner of a metre; fewer name the middle of their square.
    for digits, most_mm in ((10, 1_600), (8, 8_000), (6, 80_000), (4, 800_000)):
        read = coordinates.parse_point(coordinates.show_mgrs(point, digits=digits))
        # Squares are cut at zone edges, so a middle can lie outside its half square, but never far from it.
        assert distance_mm(point, read) <= most_mm


@pytest.mark.parametrize(
    ("text", "lat", "lng", "near_mm"),
    [
        # Two that everybody knows: the Washington Monument and the White House.
        ("18SUJ2348306479", "38.8895", "-77.0353", 50_000),
        ("18S UJ 23394 07395", "38.8977", "-77.0365", 50_000),
        ("37SCA3367707717", "36.2", "37.15", 1_600),
    ],
)
def test_grid_references_name_known_places(text: str, lat: str, lng: str, near_mm: int) -> None:
    assert distance_mm(coordinates.parse_point(text), Point.at(lat, lng)) <= near_mm


@pytest.mark.parametrize(
    ("text", "mm"),
    [("10km", 10_000_000), ("5.4nm", 10_000_800), ("5.4 NM", 10_000_800), ("300 m", 300_000), ("3000ft", 914_400),
     ("3,000 ft", 914_400), ("1 mi", 1_609_344), ("0.001m", 1), ("3nmi", 5_556_000), ("12 KM", 12_000_000)],
)  # fmt: skip
def test_distances_are_read_with_their_units(text: str, mm: int) -> None:
    assert coordinates.parse_distance(text) == mm


@pytest.mark.parametrize(
    ("text", "says"),
    [("10", "no unit"), ("5M", "metre to some"), ("3,5 km", "not a distance"), ("-3km", "not a distance"),
     ("5 leagues", "not a unit"), ("1e3 m", "not a distance"), ("", "not a distance"), ("٣ km", "not a distance")],
)  # fmt: skip
def test_a_distance_without_a_plain_unit_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        coordinates.parse_distance(text, field="radius")


@given(st.integers(0, 10**13))
def test_distances_are_shown_exactly(mm: int) -> None:
    assert coordinates.parse_distance(coordinates.show_distance(mm)) == mm


@pytest.mark.parametrize(
    ("text", "altitude"),
    [
        ("FL300", Altitude.flight_level(300)),
        ("F045", Altitude.flight_level(45)),
        ("fl 45", Altitude.flight_level(45)),
        ("5000ft AMSL", Altitude.feet(5000, VerticalRef.AMSL)),
        ("5,000 feet MSL", Altitude.feet(5000, VerticalRef.AMSL)),
        ("300 m AGL", Altitude.metres(300, VerticalRef.AGL)),
        ("1500m W84", Altitude.metres(1500, VerticalRef.W84)),
        ("1500 m WGS-84", Altitude.metres(1500, VerticalRef.W84)),
        ("-400m AMSL", Altitude.metres(-400, VerticalRef.AMSL)),
        ("SFC", Altitude.surface()),
        ("gnd", Altitude.surface()),
        ("UNL", Altitude.unlimited()),
    ],
)
def test_altitudes_are_read_with_their_references(text: str, altitude: Altitude) -> None:
    assert coordinates.parse_altitude(text) == altitude


@pytest.mark.parametrize(
    ("text", "says"),
    [("5000 ft", "above what"), ("1500m", "above what"), ("300", "not an altitude"), ("5000ft QNH", "not a reference"),
     ("FL3000", "not an altitude"), ("5000 AMSL", "not an altitude"), ("1,5km AMSL", "not a distance"), ("", "not an")],
)  # fmt: skip
def test_a_height_without_its_reference_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        coordinates.parse_altitude(text, field="lower")


@given(st.integers(ALTITUDE_MM_MIN, ALTITUDE_MM_MAX) | st.integers(-60, 4_000).map(lambda n: n * 15_240),
       st.sampled_from([VerticalRef.AMSL, VerticalRef.AGL, VerticalRef.W84, VerticalRef.FL]))  # fmt: skip
def test_altitudes_are_shown_exactly(mm: int, ref: VerticalRef) -> None:
    altitude = Altitude(mm, ref)
    assert coordinates.parse_altitude(coordinates.show_altitude(altitude)) == altitude


@given(st.text(alphabet="0123456789 .,-+NSEW°'\"/;ABC", max_size=30))
@settings(max_examples=500)
def test_no_text_makes_the_reader_fail_otherwise_than_with_a_sentence(text: str) -> None:
    with contextlib.suppress(BadInput):
        assert isinstance(coordinates.parse_point(text), Point)
