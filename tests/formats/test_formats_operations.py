# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from volumes_of_any_kind import volumes

from wideberth.core.say import ring
from wideberth.core.say.place import Altitude
from wideberth.core.say.volume import Circle, Polygon, Volume4D
from wideberth.errors import BadInput
from wideberth.formats import astm, geojson, operations
from wideberth.formats.operations import Operation

VOLUME = Volume4D(Circle.at(lat=36, lng=37, radius_km=1), Altitude.surface(), Altitude.unlimited(), 1_000, 2_000)
A, B = Operation("a", (VOLUME,)), Operation("b", (VOLUME, VOLUME))
LINES = operations.encode(A) + operations.encode(B)


def read(text: bytes | str) -> list[Operation]:
    raw = text.encode() if isinstance(text, str) else text
    return list(operations.read(io.BytesIO(raw), "plans"))


def plain(operation: Operation) -> dict[str, Any]:
    return {"id": operation.id, "volumes": [astm.to_json(v) for v in operation.volumes]}


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        b"\n" + LINES.replace(b"\n", b"\r\n\r\n"),
        b"\xef\xbb\xbf" + LINES,
        json.dumps([plain(A), plain(B)]),
        json.dumps([plain(A), plain(B)], indent=2),
        json.dumps({"type": "FeatureCollection", "features": [
            geojson.feature(v, id_=o.id) for o in (A, B) for v in o.volumes]}),
        json.dumps({"type": "FeatureCollection", "features": [
            geojson.feature(v, id_=o.id) for o in (A, B) for v in o.volumes]}, indent=1),
    ],
)  # fmt: skip
def test_one_set_of_operations_has_many_files(text: bytes | str) -> None:
    assert read(text) == [A, B]


def test_a_single_operation_is_read_in_one_line_or_many() -> None:
    assert read(operations.encode(A)) == read(json.dumps(plain(A), indent=4)) == [A]
    features = [json.dumps(geojson.feature(VOLUME, id_=i)) for i in "xy"]
    assert [o.id for o in read("\n".join(features))] == ["x", "y"]
    assert read(json.dumps({"id": 7, "volumes": [astm.to_json(VOLUME)]}))[0].id == "7"


def test_json_lines_are_streamed_not_gathered() -> None:
    """The third line is never asked for before the first two operations are out."""

    def lines() -> Any:
        yield operations.encode(A)
        yield operations.encode(B)
        raise AssertionError("read too far")

    stream = operations.read(lines(), "plans")
    assert next(stream) == A
    assert next(stream) == B


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "plans: is empty"),
        (" \n\n", "plans: is empty"),
        (LINES + b'{"id": "c"}\n', r"plans, line 3: .*volumes"),
        (LINES + b"{]\n", r"plans, line 3"),
        (LINES + operations.encode(A), r"plans, line 3: the id 'a' was used before, at plans, line 1"),
        (LINES + b'{"id": "c", "volumes": []}\n', r"plans, line 3: 'c' has no volumes"),
        (LINES + b'{"id": "c", "volumes": [{"volume": {}}]}\n', r"line 3: volumes\[0\].volume: outline"),
        (b"{oops}\n" + LINES, r"plans, line 1"),
        (b'{"id": "c", "volumes": [], "colour": 1}\n' + LINES, r"line 1.*colour"),
        (json.dumps([plain(A), {"id": 3}]), r"plans, \[1\]: .*volumes"),
        ('{\n "id": "a",\n "volumes": [\n  oops ]\n}', r"plans, line 4"),
        (json.dumps({"type": "FeatureCollection", "features": [geojson.feature(VOLUME)]}), "no id"),
        (json.dumps({"type": "Feature", "id": "x", "geometry": None}), "not a location"),
        ('"text"', "plans: "),
        ("3\n4\n", "plans"),
    ],
)
def test_every_fault_names_the_file_and_the_line_or_the_path(text: bytes | str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read(text)


def test_a_piece_that_is_too_large_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "DOCUMENT_BYTES_MAX", 100)
    for text in (LINES, json.dumps([plain(A)], indent=1)):
        with pytest.raises(BadInput, match="JSON Lines"):
            read(text)


def _simple(volume: Volume4D) -> bool:
    return not isinstance(volume.shape, Polygon) or ring.flaw(volume.shape) is None


@given(st.lists(st.lists(volumes().filter(_simple), min_size=1, max_size=3).map(tuple), min_size=1, max_size=5))
@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_a_round_trip_keeps_every_operation(several: list[tuple[Volume4D, ...]]) -> None:
    given_operations = [Operation(f"op {i}", v) for i, v in enumerate(several)]
    assert read(b"".join(operations.encode(o) for o in given_operations)) == given_operations


def test_a_ring_that_crosses_itself_is_refused_with_its_operation_and_edges_named() -> None:
    corners = [{"lat": 0, "lng": 0}, {"lat": 1, "lng": 1}, {"lat": 0, "lng": 1}, {"lat": 1, "lng": 0}]
    height = {"value": 0, "reference": "W84", "units": "M"}
    times = [{"value": f"2030-01-01T1{n}:00:00Z", "format": "RFC3339"} for n in range(2)]
    volume = {
        "volume": {
            "outline_polygon": {"vertices": corners}, "altitude_lower": height, "altitude_upper": {**height, "value": 9}
        },
        "time_start": times[0], "time_end": times[1],
    }  # fmt: skip
    document = json.dumps({"id": "bow", "volumes": [volume]}).encode()
    with pytest.raises(BadInput, match=r"bow.*1–2 and 3–4 cross"):
        list(operations.read([document], "file.json"))
