# SPDX-License-Identifier: Apache-2.0
"""Reading into columns takes what reading one by one takes, and refuses the rest in the same words."""

import json
import random

import numpy as np
import pytest

from wideberth.core.judge.columns import Columns
from wideberth.core.say import instant
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.ring import flaw
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.errors import BadInput
from wideberth.formats import astm, geojson, many
from wideberth.formats.filling import Filling
from wideberth.formats.many import fill
from wideberth.formats.operations import Operation, encode, read
from wideberth.formats.times import times_ms

HERE = Point.at(47.4, 8.5)
SQUARE = [(47.0, 8.0), (47.0, 8.1), (47.1, 8.1), (47.1, 8.0)]
HOLLOW = [(47.0, 8.0), (47.0, 8.1), (47.05, 8.05), (47.1, 8.1), (47.1, 8.0)]  # simple, and not convex
BOW_TIE = [(47.0, 8.0), (47.1, 8.1), (47.0, 8.1), (47.1, 8.0)]


def volume(vertices=SQUARE, *, circle=None, start="2030-01-01T10:00:00Z", end="2030-01-01T11:00:00Z", low=100, high=200,
           own=None, **more):  # fmt: skip
    room = {"outline_polygon": {"vertices": [{"lat": a, "lng": o} for a, o in vertices]}} if circle is None else {
        "outline_circle": {"center": {"lat": circle[0], "lng": circle[1]}, "radius": {"value": circle[2], "units": "M"}}
    }  # fmt: skip
    for which, value in (("lower", low), ("upper", high)):
        if value is not None:
            room[f"altitude_{which}"] = {"value": value, "reference": "W84", "units": "M"}
    if own is not None:
        room["x_wideberth"] = own
    times = {"time_start": {"value": start, "format": "RFC3339"}, "time_end": {"value": end, "format": "RFC3339"}}
    return {"volume": room | more, **times}


def line(id_, *volumes):
    return json.dumps({"id": id_, "volumes": volumes}).encode() + b"\n"


def fl(value):
    return {"value": value, "reference": "FL", "units": "M"}


CORRIDOR = {"outline_corridor": {"route": [{"lat": 47, "lng": 8}, {"lat": 47.2, "lng": 8.3}],
                                 "half_width": {"value": 500.5, "units": "M"}}}  # fmt: skip
FEATURE = geojson.feature(Volume4D(Circle(HERE, 5_000), Altitude.surface(), Altitude.unlimited(), 0, 1), id_="drawn")

GOOD = [
    line("square", volume()),
    line("shut", volume([*SQUARE, SQUARE[0]])),
    line("other way round", volume(SQUARE[::-1])),
    line("triangle", volume(SQUARE[:3])),
    line("hollow, between two that are plain", volume(), volume(HOLLOW), volume()),
    line(17, volume(circle=(47, 8, 1234.5678))),
    line("corridor", volume(circle=(47, 8, 50_000), own=CORRIDOR)),
    line("levels", volume(low=None, high=None, own={"altitude_lower": fl(3048), "altitude_upper": fl(6096)})),
    line("one level", volume(high=None, own={"altitude_upper": fl(6096)})),
    line("unbounded", volume(low=None, high=None)),
    line("rare times", volume(start="2030-01-01T12:00:00+02:00", end="2030-01-01T11:00:00.1234Z")),
    line("milliseconds", volume(start="2030-02-28T23:59:59.999Z", end="2030-03-01T00:00:00.001Z")),
    line("many", *[volume(circle=(47, 8 + i / 100, 100 + i)) for i in range(30)]),
    line("poles and the antimeridian", volume(circle=(90, 0, 5)), volume(circle=(-90, 180, 5)),
         volume([(1, 179.9), (1, -179.9), (2, -179.9)])),
    b"  \n",
    json.dumps(FEATURE).encode() + b"\n",
    line("last", volume(low=-999.9999, high=-999.9994)),
]  # fmt: skip

BAD = [
    line("bow tie", volume(BOW_TIE)),
    line("two corners", volume(SQUARE[:2])),
    line("nowhere"),
    line("square", volume()),
    line("no corners", volume([])),
    line("off the Earth", volume(circle=(91, 8, 5))),
    line("off the map", volume([(47, 8), (47, 181), (48, 9)])),
    line("far off", volume(circle=(1e300, 8, 5))),
    line("no radius", volume(circle=(47, 8, 0))),
    line("less than nothing", volume(circle=(47, 8, -1))),
    line("a radius of rounding", volume(circle=(47, 8, 0.0001))),
    line("half the Earth", volume(circle=(47, 8, 3e7))),
    line("upside down", volume(low=200, high=100)),
    line("feet?", volume(high=2e8)),
    line("in the Earth", volume(low=-2_000)),
    line("over at once", volume(end="2030-01-01T10:00:00Z")),
    line("no such day", volume(start="2030-02-30T10:00:00Z")),
    line("no such hour", volume(start="2030-02-20T24:00:01Z")),
    line("local time", volume(start="2030-01-01T10:00:00")),
    line("from now", volume(start="now")),
    line("words", volume(start="2030-01-01T1O:00:00Z")),
    line("before 1970", volume(start="1969-12-31T23:59:59Z")),
    line("both", volume(outline_circle={"center": {"lat": 47, "lng": 8}, "radius": {"value": 5, "units": "M"}})),
    line("neither", volume(outline_polygon=None)),
    line("a reference", volume(altitude_lower={"value": 5, "reference": "AMSL", "units": "M"})),
    line("unknown", volume(colour="red")),
    line(
        "a thin line",
        volume(own={"outline_corridor": CORRIDOR["outline_corridor"] | {"route": [{"lat": 1, "lng": 1}]}}),
    ),
    line("no time", {k: v for k, v in volume().items() if k != "time_end"}),
    b'{"id": "broken", \n',
    b"[]\n",
    json.dumps(FEATURE | {"id": ""}).encode() + b"\n",
]


def columns_of(lines, name="some.jsonl"):
    filling = Filling()
    fill(filling, lines, name)
    return filling.done()


def same(one: Columns, other: Columns):
    return all(np.array_equal(getattr(one, f), getattr(other, f)) for f in Columns.__dataclass_fields__)


def sentence(call):
    with pytest.raises(BadInput) as fault:
        call()
    return fault.value.sentence, fault.value.details


@pytest.mark.parametrize("batch", [1, 3, 4_000])
def test_what_is_read_is_the_same(batch, monkeypatch):
    monkeypatch.setattr(many, "_BATCH_LINES", batch)
    operations, filled = list(read(GOOD, "some.jsonl")), columns_of(GOOD)
    assert filled.ids == [o.id for o in operations]
    assert same(filled.columns, Columns.of(operations))
    assert [filled.columns.volume(i) for i in range(len(filled.columns))] == [v for o in operations for v in o.volumes]


@pytest.mark.parametrize("bad", BAD, ids=lambda b: b[:30].decode())
@pytest.mark.parametrize("at", [1, len(GOOD)], ids=["early", "last"])
def test_what_is_refused_is_refused_in_the_same_words(bad, at):
    lines = [*GOOD[:at], bad, *GOOD[at:]]
    assert sentence(lambda: columns_of(lines)) == sentence(lambda: list(read(lines, "some.jsonl")))


@pytest.mark.parametrize("text", [b"", b"\n\n", b"PAR1", b"[]x", b"{}", GOOD[0][:-5] + b"\n" + GOOD[1]])
def test_files_that_are_no_json_lines_are_refused_in_the_same_words(text):
    lines = text.splitlines(keepends=True)
    assert sentence(lambda: columns_of(lines)) == sentence(lambda: list(read(lines, "some.jsonl")))


def test_documents_are_taken_as_well():
    whole = [json.loads(g) for g in GOOD[:9]]
    for document in (whole, whole[0], geojson.collection([("a", Volume4D(Circle(HERE, 5), Altitude.surface(),
                                                                        Altitude.unlimited(), 0, 1))])):  # fmt: skip
        lines = json.dumps(document, indent=1).encode().splitlines(keepends=True)
        assert same(columns_of(lines).columns, Columns.of(read(lines, "x")))


def test_a_name_that_comes_in_two_files_is_refused_with_both_places():
    filling = Filling()
    fill(filling, GOOD[:3], "one.jsonl")
    with pytest.raises(BadInput, match=r"two.jsonl, line 2: the id 'shut' was used before, at one.jsonl, line 2"):
        fill(filling, [line("new", volume()), GOOD[1]], "two.jsonl")


def test_no_field_of_the_wire_is_passed_over():
    # Whoever adds one must say in formats/many.py what it means, or that it is not plain.
    assert astm.Extension.__struct_fields__ == ("outline_corridor", "altitude_lower", "altitude_upper", "release")
    assert astm.AstmVolume3D.__struct_fields__ == (
        "outline_circle", "outline_polygon", "altitude_lower", "altitude_upper", "x_wideberth",
    )  # fmt: skip
    assert astm.AstmVolume4D.__struct_fields__ == ("volume", "time_start", "time_end")


def test_random_operations_come_out_as_they_went_in():
    rng, operations = random.Random(3), []
    for i in range(300):
        volumes = []
        for _ in range(rng.randint(1, 5)):
            here, low = point_towards(HERE, rng.uniform(0, 360), rng.uniform(0, 9e6)), rng.randint(-900_000, 10**9)
            turns = sorted(rng.uniform(0, 360) for _ in range(rng.randint(3, 9)))
            ring = tuple(point_towards(here, turn, rng.uniform(50, 90)) for turn in turns)
            other = Corridor(ring[:2], 7)
            ringed = Polygon(ring) if flaw(Polygon(ring)) is None else other
            shape = rng.choice([Circle(here, rng.randint(1, 10**9)), ringed, other])
            ref = rng.choice([VerticalRef.W84, VerticalRef.AMSL, VerticalRef.AGL, VerticalRef.FL])
            band = Altitude(low, ref), rng.choice([Altitude(low + rng.randint(0, 10**6), ref), Altitude.unlimited()])
            start = rng.randint(0, 4 * 10**12)
            volumes.append(Volume4D(shape, *band, start, start + rng.choice([1, 1000, 60_000, 999_999])))
        operations.append(Operation(f"op{i}", tuple(volumes)))
    lines = [encode(operation) for operation in operations]
    assert list(read(lines, "x")) == operations
    assert same(columns_of(lines).columns, Columns.of(operations))


def test_times_are_read_as_one_by_one():
    rng = random.Random(4)
    texts = [instant.show(rng.randint(0, instant.LAST_MS)) for _ in range(2_000)]
    texts += ["2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "2030-01-01T23:59:60Z", "1970-01-01T00:00:00Z",
              "9999-12-31T23:59:59.999Z", "2030-13-01T00:00:00Z", "2030-00-01T00:00:00Z", "2030-01-00T00:00:00Z",
              "2030-01-01t00:00:00Z", "2030-01-01T00:00:00z", "2030-01-01 00:00:00Z", "２030-01-01T00:00:00Z",
              "2030-01-01T00:00:00.12Z", "2030-01-01T00:00:00.0001Z", "171838Z SEP 18", "", "now", "+15m"]  # fmt: skip
    for up in (False, True):
        ms, wrong = times_ms(texts, up=up)
        for i, text in enumerate(texts):
            try:
                assert (ms[i], wrong[i]) == (instant.parse(text, up=up), False), text
            except BadInput:
                assert wrong[i], text
