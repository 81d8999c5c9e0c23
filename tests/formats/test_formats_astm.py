# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from volumes_of_any_kind import volumes

from wideberth.core.say.geodesy import distance_m
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.errors import BadInput
from wideberth.formats import astm


def plain(**changes: Any) -> dict[str, Any]:
    room: dict[str, Any] = {
        "outline_circle": {"center": {"lat": 34.123, "lng": -118.456}, "radius": {"value": 300.183, "units": "M"}},
        "altitude_lower": {"value": 19.5, "reference": "W84", "units": "M"},
        "altitude_upper": {"value": 120, "reference": "W84", "units": "M"},
    }
    whole: dict[str, Any] = {
        "volume": room,
        "time_start": {"value": "1985-04-12T23:20:50.520Z", "format": "RFC3339"},
        "time_end": {"value": "1985-04-12T23:40:50.520Z", "format": "RFC3339"},
    }
    for path, value in changes.items():
        at, *keys = path.split("__")
        target = whole
        for key in [at, *keys][:-1]:
            target = target[key]
        last = [at, *keys][-1]
        if value is None:
            target.pop(last, None)
        else:
            target[last] = value
    return whole


def test_the_standards_own_examples_are_read_exactly() -> None:
    got = astm.from_json(plain())
    assert got == Volume4D(
        Circle(Point.at("34.123", "-118.456"), 300_183), Altitude(19_500, VerticalRef.W84),
        Altitude(120_000, VerticalRef.W84), 482_196_050_520, 482_197_250_520,
    )  # fmt: skip
    assert astm.to_json(got) == plain()


def test_an_absent_altitude_is_unbounded_both_ways() -> None:
    got = astm.from_json(plain(volume__altitude_lower=None, volume__altitude_upper=None))
    assert (got.lower.ref, got.upper.ref) == (VerticalRef.SFC, VerticalRef.UNL)
    assert set(astm.to_json(got)["volume"]) == {"outline_circle"}


def test_times_finer_than_a_millisecond_make_the_window_longer_never_shorter() -> None:
    got = astm.from_json(
        plain(time_start__value="2020-01-01T00:00:00.000999Z", time_end__value="2020-01-01T00:00:01.000001Z")
    )
    assert (got.start_ms % 1000, got.end_ms % 1000) == (0, 1)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"volume": None}, "volume"),
        ({"volume__outline_circle": None}, "outline_circle or outline_polygon is missing"),
        ({"volume__outline_sphere": {}}, "outline_sphere"),
        ({"surprise": 1}, "surprise"),
        ({"volume__outline_circle__radius__units": "FT"}, r"\$.volume.outline_circle.radius.units"),
        ({"volume__outline_circle__radius__value": "wide"}, r"\$.volume.outline_circle.radius.value"),
        ({"volume__outline_circle__radius__value": -3}, "radius"),
        ({"volume__outline_circle__radius__value": 0}, "radius"),
        ({"volume__outline_circle__center__lat": 91}, "outline_circle.center: latitude"),
        ({"volume__outline_circle__center__lng": 180.5}, "outline_circle.center: longitude"),
        ({"volume__outline_circle__center": {"lat": 1}}, r"lng"),
        ({"volume__altitude_lower__reference": "SFC"}, r"\$.volume.altitude_lower.reference"),
        ({"volume__altitude_lower__reference": "AMSL"}, "altitude_lower.reference.*x_wideberth"),
        ({"volume__altitude_lower__units": "FT"}, r"\$.volume.altitude_lower.units"),
        ({"volume__altitude_lower__value": 200}, "floor must not be above"),
        ({"volume__outline_polygon": {"vertices": [{"lat": 0, "lng": 0}]}}, "exactly one"),
        ({"time_start": None}, "time_start is missing"),
        ({"time_end__value": "1985-04-12T23:40:50.52"}, "time_end.value.*no zone"),
        ({"time_end__value": "1985-04-12T23:20:50.520Z"}, "must end after it starts"),
        ({"time_end__format": "ISO"}, r"\$.time_end.format"),
        ({"volume__x_wideberth": {"outline_orbit": {}}}, "outline_orbit"),
    ],
)
def test_what_is_unknown_or_impossible_is_refused_with_its_path(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(BadInput, match=path) as caught:
        astm.from_json(plain(**changes), where="volumes[3]")
    assert caught.value.sentence.startswith("volumes[3]")
    with pytest.raises(BadInput, match=path):
        astm.decode(json.dumps(plain(**changes)))


def test_text_that_is_not_json_is_refused() -> None:
    for text in (b"", b"{", b"[]", b'{"volume": NaN}', b"\xff"):
        with pytest.raises(BadInput):
            astm.decode(text)


def test_a_closed_ring_is_opened() -> None:
    ring = [{"lat": 0, "lng": 0}, {"lat": 0, "lng": 1}, {"lat": 1, "lng": 1}, {"lat": 0, "lng": 0}]
    got = astm.from_json(plain(volume__outline_circle=None, volume__outline_polygon={"vertices": ring}))
    assert got.shape == Polygon.of((0, 0), (0, 1), (1, 1))


@given(volumes())
@settings(max_examples=300)
def test_a_round_trip_keeps_every_integer(volume: Volume4D) -> None:
    assert astm.decode(astm.encode(volume)) == volume
    assert astm.from_json(json.loads(json.dumps(astm.to_json(volume)))) == volume


@given(volumes())
@settings(max_examples=200)
def test_a_tool_that_knows_only_the_standard_reads_something_that_encloses(volume: Volume4D) -> None:
    """Drop our key: exactly one outline is left, altitudes are W84 in bounds or absent, and nothing got smaller."""
    written = astm.to_json(volume)
    written["volume"].pop(astm.EXTENSION, None)
    got = astm.from_json(written)
    assert len({"outline_circle", "outline_polygon"} & set(written["volume"])) == 1
    for which in ("altitude_lower", "altitude_upper"):
        if which in written["volume"]:
            assert -8_000 <= written["volume"][which]["value"] <= 100_000
    assert got.lower in (volume.lower, Altitude.surface())
    assert got.upper in (volume.upper, Altitude.unlimited())
    assert (got.start_ms, got.end_ms) == (volume.start_ms, volume.end_ms)
    if isinstance(volume.shape, Corridor):
        assert isinstance(got.shape, Circle)
        farthest = max(distance_m(got.shape.centre, p) for p in volume.shape.route)
        assert got.shape.radius_mm >= min(farthest * 1000 + volume.shape.half_width_mm, 20_000_000_000)
    else:
        assert got.shape == volume.shape


keys = st.sampled_from(["volume", "outline_circle", "time_start", "value"])
leaves = st.none() | st.booleans() | st.floats() | st.text(max_size=5)


@given(st.recursive(leaves, lambda x: st.lists(x, max_size=3) | st.dictionaries(keys, x, max_size=3)))
def test_no_json_at_all_breaks_the_reader(value: Any) -> None:
    with pytest.raises(BadInput):
        astm.from_json(value)


@given(st.integers(-180 * 10**9, 180 * 10**9), st.integers(1, 20_000_000_000))
def test_decimals_become_the_integers_that_they_name(ndeg: int, mm: int) -> None:
    assert astm._scaled(float(f"{ndeg}e-9"), 10**9) == ndeg
    assert astm._scaled(float(f"{mm}e-3"), 1_000) == mm
