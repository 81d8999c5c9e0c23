# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.say import instant, readback
from wideberth.core.say.geodesy import distance_mm, middle, point_towards
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.rules import Rules
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms

RULES = Rules(area=Polygon.of((34.5, 34.0), (34.5, 37.5), (37.0, 37.5), (37.0, 34.0)))
START, END = instant.parse("2018-09-17T18:40:00Z"), instant.parse("2018-09-17T19:10:00Z")
CENTRE = Point.at("35.53", "35.78")


def said(shape: Shape, kind: NoticeType = NoticeType.AREA_ACTIVITY) -> Terms:
    room = Volume4D(shape, Altitude.surface(), Altitude.flight_level(300), START, END)
    return Terms(kind, Hazard.CREWED_AIRCRAFT, "watch", (room,), END)


SC1 = said(Circle(CENTRE, 10_000_000))


def test_sc1_a_place_read_back_3_8_km_off_is_a_mismatch_and_the_second_reading_is_right() -> None:
    first = readback.compare(SC1, RULES, Point.at("35.5", "35.8"), START, END)
    assert not first.ok
    assert round(first.off_mm / 1e5) == 38
    assert first.tolerance_mm == 2_000_000
    assert first.sentence.startswith("MISMATCH: the place read back is 3.8 km off")
    second = readback.compare(SC1, RULES, CENTRE, START, END)
    assert second.ok
    assert (second.off_mm, second.off_ms) == (0, 0)


@pytest.mark.parametrize(
    ("terms", "tolerance_mm"),
    [
        (SC1, 2_000_000),
        (said(Circle(CENTRE, 1_000_000)), 500_000),
        (said(Circle(CENTRE, 10_000_000), NoticeType.STATIC_SITE), 100_000),
        (said(Circle(CENTRE, 2_500_000)), 500_000),
        (said(Circle(CENTRE, 2_600_000)), 520_000),
    ],
)
def test_tolerance_follows_the_kind_and_the_size(terms: Terms, tolerance_mm: int) -> None:
    assert readback.tolerance_mm(terms, RULES) == tolerance_mm


@given(st.floats(0, 4_000), st.floats(0, 360))
@settings(max_examples=60)
def test_the_edge_of_the_tolerance_is_where_it_is_said_to_be(metres: float, bearing: float) -> None:
    point = point_towards(CENTRE, bearing, metres)
    got = readback.compare(SC1, RULES, point, START, END)
    assert got.ok == (distance_mm(CENTRE, point) <= 2_000_000)


@pytest.mark.parametrize(
    ("off_ms", "ok"), [(0, True), (60_000, True), (60_001, False), (-60_000, True), (-60_001, False)]
)
def test_a_minute_is_within_and_more_is_not(off_ms: int, ok: bool) -> None:
    assert readback.compare(SC1, RULES, CENTRE, START + off_ms, END).ok is ok
    assert readback.compare(SC1, RULES, CENTRE, START, END + off_ms).ok is ok


def test_an_hour_of_local_time_is_named_in_the_sentence() -> None:
    got = readback.compare(SC1, RULES, CENTRE, START + 3_600_000, END + 3_600_000)
    assert "1h off" in got.sentence
    assert got.off_ms == 3_600_000


@pytest.mark.parametrize("shape", [Polygon.of((35, 35), (35, 36), (36, 36), (36, 35)),
                                   Corridor.along((35, 35), (35, 36), half_width_km=5),
                                   Polygon.of((10, 179), (10, -179), (11, -179), (11, 179))])  # fmt: skip
def test_the_middle_of_any_shape_reads_back(shape: Shape) -> None:
    assert readback.compare(said(shape), RULES, middle(shape), START, END).ok
