# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from volumes_of_any_kind import volumes

from wideberth.core.say import instant
from wideberth.core.say.geodesy import bearing_degrees, distance_m, distance_mm, point_towards
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.errors import BadInput
from wideberth.formats import geojson

START, END = instant.parse("2018-09-17T18:40:00Z"), instant.parse("2018-09-17T19:10:00Z")
BOX = [[36, 35], [37, 35], [37, 36], [36, 36], [36, 35]]


def drawn(kind: str, positions: Any, **changes: Any) -> dict[str, Any]:
    properties = {"lower": "SFC", "upper": "FL300", "start": "2018-09-17T18:40:00Z", "end": "2018-09-17T19:10:00Z"}
    properties |= changes
    kept = {name: value for name, value in properties.items() if value is not None}
    return {"type": "Feature", "id": "A1", "properties": kept, "geometry": {"type": kind, "coordinates": positions}}


def one(feature: dict[str, Any]) -> Volume4D:
    ((id_, (volume,)),) = geojson.features(feature)
    assert id_ == "A1"
    return volume


def test_a_point_with_a_radius_is_a_circle() -> None:
    got = one(drawn("Point", [37.15, 36.2], radius="10km"))
    assert got == Volume4D(
        Circle.at(lat="36.2", lng="37.15", radius_km=10), Altitude.surface(), Altitude.flight_level(300), START, END
    )


def test_a_line_with_a_half_width_is_a_corridor() -> None:
    got = one(drawn("LineString", [[36, 35], [36, 36]], half_width="5nm"))
    assert got.shape == Corridor.along((35, 36), (36, 36), half_width_nm=5)


def test_a_drawn_edge_along_a_parallel_is_followed_to_a_metre() -> None:
    got = one(drawn("Polygon", [BOX])).shape
    assert isinstance(got, Polygon)
    assert {Point.at(35, 36), Point.at(35, 37), Point.at(36, 37), Point.at(36, 36)} <= set(got.corners)
    for a, b in itertools.pairwise([*got.corners, got.corners[0]]):
        half = point_towards(a, bearing_degrees(a, b), distance_m(a, b) / 2)
        straight = Point((a.lat_ndeg + b.lat_ndeg) // 2, (a.lng_ndeg + b.lng_ndeg) // 2)
        if a.lat_ndeg == b.lat_ndeg:
            assert distance_mm(half, straight) <= 1_000
    # Without the added corners a one-degree parallel would be 114 m off.
    assert 20 < len(got.corners) < 40
    assert one(drawn("Polygon", [BOX], edges="geodesic")).shape == Polygon.of((35, 36), (35, 37), (36, 37), (36, 36))


def test_an_edge_over_the_antimeridian_goes_the_short_way() -> None:
    got = one(drawn("Polygon", [[[179.9, 10], [-179.9, 10], [-179.9, 10.1], [179.9, 10.1], [179.9, 10]]])).shape
    assert isinstance(got, Polygon)
    assert all(abs(p.lng) >= 179.9 for p in got.corners)


def test_a_multipolygon_is_one_volume_per_part() -> None:
    ((_, got),) = geojson.features(drawn("MultiPolygon", [[BOX], [[[a + 5, b] for a, b in BOX]]], edges="geodesic"))
    assert len(got) == 2


@pytest.mark.parametrize(
    ("feature", "says"),
    [
        (drawn("Polygon", [BOX, BOX]), "hole"),
        (drawn("Polygon", [BOX[:4]]), "ends where it began"),
        (drawn("Polygon", []), "not a list"),
        (drawn("Point", [37.15, 36.2]), "radius must be a text"),
        (drawn("Point", [37.15, 36.2], radius=10_000), "radius must be a text"),
        (drawn("Point", [37.15, 36.2], radius="10"), "radius.*no unit"),
        (drawn("LineString", [[36, 35], [36, 36]]), "half_width must be"),
        (drawn("MultiPoint", [[36, 35]]), "MultiPoint"),
        (drawn("Point", [37.15, 36.2, 500], radius="10km"), "carries a height"),
        (drawn("Point", [36.2, 137.15], radius="10km"), "longitude first"),
        (drawn("Point", ["37.15", "36.2"], radius="10km"), "not a position"),
        (drawn("Point", [True, 36.2], radius="10km"), "not a position"),
        (drawn("Polygon", [BOX], lower=None), "properties.lower must be a text"),
        (drawn("Polygon", [BOX], upper=3000), "properties.upper must be a text"),
        (drawn("Polygon", [BOX], upper="3000 ft"), "above what"),
        (drawn("Polygon", [BOX], start="2018-09-17T18:40:00"), "no zone"),
        (drawn("Polygon", [BOX], end=None), "properties.end"),
        (drawn("Polygon", [BOX], end="2018-09-17T18:40:00Z"), "must end after"),
        (drawn("Polygon", [BOX], edges="round"), "edges"),
        (drawn("Polygon", [[[-170, 60], [170, 60], [10, 62], [-170, 60]]]), "more than 500 corners"),
        (drawn("Point", None, radius="10km"), "not a list"),
        ({"type": "Feature", "properties": {}, "geometry": None}, "not a location"),
        ({"type": "Feature", "geometry": {}}, "properties is missing"),
        ({"type": "Point", "coordinates": [1, 2]}, "neither"),
        ({"type": "FeatureCollection"}, "features is missing"),
        ({"type": "FeatureCollection", "features": [{"type": "Point"}]}, r"features\[0\] is not a Feature"),
        (drawn("Polygon", [BOX]) | {"crs": {"properties": {"name": "EPSG:28409"}}}, "EPSG:28409"),
        ([], "neither"),
    ],
)
def test_what_could_be_misread_is_refused_with_its_path(feature: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        geojson.features(feature)


@given(volumes())
@settings(max_examples=300)
def test_a_round_trip_keeps_every_integer(volume: Volume4D) -> None:
    ((id_, (got,)),) = geojson.features(json.loads(json.dumps(geojson.feature(volume, id_="x"))))
    assert (id_, got) == ("x", volume)
    assert len(geojson.features(geojson.collection([("a", volume), ("b", volume)]))) == 2
