# SPDX-License-Identifier: Apache-2.0
"""Every number of an agreement can be shown, and read back as it was shown."""

from __future__ import annotations

import msgspec
import pytest
from tests.pair import RULES

from wideberth.core.say.rule_words import ROWS, changed, differences, table
from wideberth.core.say.rules import Rules
from wideberth.core.say.volume import Circle, Corridor
from wideberth.errors import BadInput


def test_every_number_has_a_row_and_none_is_made_up() -> None:
    assert sorted(row.field for row in ROWS) == sorted(Rules.__struct_fields__)
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_is_shown_is_read_back(row) -> None:
    value = row.read(row.like, row.name)
    assert row.read(row.show(value), row.name) == value
    assert row.read(row.show(getattr(RULES, row.field)), row.name) == getattr(RULES, row.field)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lead", "15"), ("lead", "soon"), ("least-radius", "10"), ("readback-permille", "10"),
        ("readback-permille", "x%"),
        ("cap-km2-h", "-1"), ("check-times", "25:00Z"), ("check-times", "04:00"), ("fallback", "TELEPHONE"),
        ("fallback", "PIGEON=loft"), ("leads", "TRANSIT=soon"), ("who-moves", "STRONGEST"), ("onward", "EVERYBODY"),
        ("minima", "THREES"), ("minima", "3nm/1000"), ("gazetteer", "Cape=41.2 -38.6"), ("area", "1,2,3"),
        ("area", "36,33,34,36"), ("who-moves", "LOT;LOT"), ("languages", "none"), ("least", "1m"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(name: str, text: str) -> None:
    with pytest.raises(BadInput):
        changed(RULES, {name: text})


def test_a_difference_names_the_number_in_units_that_people_use() -> None:
    after = changed(RULES, {"lead": "15min", "ack-urgent": "60s", "fallback": "TELEPHONE=+99 1; GUARD_RADIO=121.5"})
    assert differences(RULES, after) == [
        ("lead", "10m", "15m"),
        ("ack-urgent", "2m", "1m"),
        ("fallback", "none", "TELEPHONE=+99 1; GUARD_RADIO=121.5"),
    ]
    assert differences(RULES, RULES) == []
    assert {n: v for n, v, _ in table(after)}["lead"] == "15m"


def test_areas_of_every_shape_can_be_shown() -> None:
    from wideberth.core.say.place import Point

    for shape in (Circle.at(lat=1, lng=2, radius_nm=3), Corridor((Point.at(1, 2), Point.at(2, 3)), 5_000)):
        rows = {n: v for n, v, _ in table(msgspec.structs.replace(RULES, area=shape))}
        assert "1" in rows["area"]
