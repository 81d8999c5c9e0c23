# SPDX-License-Identifier: Apache-2.0
"""A place by bearing and distance, and read-back in the reader's own form: every form gives the same place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from wideberth.core.say.bearing import is_relative, parse_place
from wideberth.core.say.coordinates import show_compact, show_decimal, show_dms, show_mgrs
from wideberth.core.say.geodesy import distance_mm
from wideberth.core.say.place import Point
from wideberth.core.say.rules import NamedPlace
from wideberth.errors import BadInput

CAPE = NamedPlace("Cape Amal", Point.at(35.5, 35.8), 30_000_000)
NAMES = (CAPE, NamedPlace("Port Amal", Point.at(35.1, 35.9), 5_000_000))


@pytest.mark.parametrize(
    "text",
    [
        "045/12nm from Cape Amal", "045/22.224km from cape  amal", "045 22224m from Cape Amal",
        "045°T 12 NM from Cape Amal",
        "bearing 045 distance 12nm from Cape Amal", "045, 12nm of Cape Amal", "045 TRUE / 12nm from 35.5N 35.8E",
        "045.0/12nm from 353000N0354800E", "045/72913.386ft from Cape Amal",
    ],
)  # fmt: skip
def test_every_spelling_and_unit_names_the_same_place(text: str) -> None:
    lng, lat, _ = Geod(ellps="WGS84").fwd(35.8, 35.5, 45, 22_224)
    assert is_relative(text)
    assert distance_mm(parse_place(text, NAMES), Point.at(round(lat, 9), round(lng, 9))) <= 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("045M/12nm from Cape Amal", "true north"),
        ("045 mag 12nm from Cape Amal", "true north"),
        ("45/12nm from Cape Amal", "three digits"),
        ("361/12nm from Cape Amal", "three digits"),
        ("045/12 from Cape Amal", "bearing and a distance"),
        ("north-east 12nm from Cape Amal", "bearing and a distance"),
        ("045/12nm from Cape Nowhere", "Cape Amal, Port Amal"),
        ("045/12parsecs from Cape Amal", "not a unit"),
        ("Cape Amal", "is not a place"),
    ],
)
def test_what_could_be_meant_in_two_ways_is_refused_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse_place(text, NAMES, field="point")


def test_a_name_that_the_agreement_has_twice_is_no_origin() -> None:
    with pytest.raises(BadInput, match="2 places"):
        parse_place("045/12nm from Cape Amal", (CAPE, CAPE))


@given(st.floats(-80, 80), st.floats(-179, 179), st.integers(0, 359), st.integers(1, 400_000))
def test_a_place_read_back_in_any_form_is_within_what_that_form_can_say(
    lat: float, lng: float, bearing: int, metres: int
) -> None:
    """Seconds are 31 m, tenths 3 m, MGRS a metre: all far inside the least tolerance of 100 m."""
    point = Point.at(round(lat, 6), round(lng, 6))
    for shown in (show_decimal(point), show_dms(point), show_compact(point), show_mgrs(point)):
        assert distance_mm(parse_place(shown), point) <= 25_000
    there = parse_place(f"{bearing:03d}/{metres}m from {show_decimal(point)}")
    assert abs(distance_mm(there, point) - metres * 1000) <= 1
