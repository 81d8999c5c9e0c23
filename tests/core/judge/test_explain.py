# SPDX-License-Identifier: Apache-2.0
import re
import xml.etree.ElementTree as ET

import pytest
from test_exposure import RETURN, leg, notice, z

from wideberth.core.judge.draw import Drawn, picture
from wideberth.core.judge.explain import explain, explain_exposure
from wideberth.core.judge.exposure import expose
from wideberth.core.judge.separation import judge
from wideberth.core.say.minima import RULE_OF_THREES, UTM_OVERLAP
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Track, Volume4D

CIRCLE = Circle.at(lat=35.53, lng=35.78, radius_km=10)


def test_the_exposure_of_sc1_in_one_sentence() -> None:
    found = expose(RETURN, [notice(CIRCLE)], RULE_OF_THREES)
    sentence = explain_exposure(found, "plan RETURN", "BLUE", "BL-17", RULE_OF_THREES)
    assert sentence.startswith(
        "Our plan RETURN meets BLUE's notice BL-17 under RULE_OF_THREES (3.00 NM (5.56 km), 3,000 ft)"
    )
    for part in (
        "inside its area, 5.31 NM (9.84 km) from its centre",
        "from 2018-09-17 18:44:",
        "to 18:54:",
        "the limit of 3m",
    ):
        assert part in sentence, sentence
    assert sentence.count("\n") == 0


def test_a_verdict_names_both_the_rule_and_every_number() -> None:
    there = Volume4D(
        Circle.at(lat=35.75, lng=35.78, radius_km=10), Altitude.flight_level(320), Altitude.flight_level(400),
        z(18, 0), z(19, 0),
    )  # fmt: skip
    found = judge(notice(CIRCLE), there, RULE_OF_THREES)
    sentence = explain(found, "BL-1", "GR-2", RULE_OF_THREES)
    for part in (
        "BL-1 and GR-2 conflict under RULE_OF_THREES", "2.38 NM (4.41 km) apart on the ground",
        "2,000 ft apart in height", "from 2018-09-17 18:40:00Z to 19:00:00Z",
    ):  # fmt: skip
        assert part in sentence, sentence
    separate = explain(
        judge(notice(CIRCLE), notice(CIRCLE, z(19, 20), z(19, 30)), RULE_OF_THREES), "a", "b", RULE_OF_THREES
    )
    assert "time separates them" in separate


def test_a_widened_height_says_that_it_was() -> None:
    amsl = Volume4D(
        CIRCLE, Altitude.feet(33_000, VerticalRef.AMSL), Altitude.feet(34_000, VerticalRef.AMSL), z(18, 40), z(19, 0)
    )
    assert "different references" in explain(judge(notice(CIRCLE), amsl, RULE_OF_THREES), "a", "b", RULE_OF_THREES)


@pytest.mark.parametrize(
    "shape",
    [
        CIRCLE,
        Polygon.of((60, 179), (60, -179), (61, 180)),
        Polygon.of(*[(80, lng) for lng in range(-180, 180, 40)]),
        Corridor.along((35, 35), (36, 36), (35, 37), half_width_nm=2),
    ],
)
def test_a_picture_is_well_formed_and_stands_alone(shape: Circle | Polygon | Corridor) -> None:
    track = Track((leg(35, 35, z(18, 0)), leg(36, 36, z(19, 0))))
    label = '<script>alert("x")</script> & Söhne'
    svg = picture(
        label,
        [Drawn(label, (notice(shape),), own=False), Drawn("own", track, own=True)],
        mark=Point.at(35.5, 35.5),
        mark_ms=z(18, 30),
    )
    root = ET.fromstring(svg)
    texts = "".join(root.itertext())
    assert label[:80] in texts
    assert "<script" not in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    numbers = [float(n) for n in re.findall(r'(?:points|x|y|cx|cy)="([-\d.]+)', svg)]
    assert numbers
    assert all(abs(n) < 2000 for n in numbers)


def test_two_times_never_shared_are_said_so() -> None:
    found = expose(RETURN, [notice(CIRCLE, z(20, 0), z(21, 0))], UTM_OVERLAP)
    assert "never share a moment" in explain_exposure(found, "plan A", "BLUE", "BL-1", UTM_OVERLAP)
