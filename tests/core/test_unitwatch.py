# SPDX-License-Identifier: Apache-2.0
"""Which own units a live notice meets: at once, anew with every version and every change of the units, and no more when
it is over."""

from __future__ import annotations

import msgspec
import pytest

from tests.pair import RULES, T0
from wideberth.core.batch import Now
from wideberth.core.feed import Forget, Weigh
from wideberth.core.say.place import Altitude
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Precedence
from wideberth.core.unitwatch import UnitsGiven, UnitWatch
from wideberth.core.warned import UnitsMet
from wideberth.errors import BadInput
from wideberth.formats.units import read_units

HOUR = 3_600_000
NOW = Now(T0, 0)

FILE = """
[[units]]
name = "U1"
circle = "36.20,37.15"
radius = "2km"
high = "2000ft AMSL"
pages = ["https://hook.example/u1"]
supervisor = "Operations"
supervisor_pages = ["tel:+999 555 0102"]

[[units]]
name = "U2"
polygon = "36.1,37.0; 36.1,37.2; 36.3,37.2; 36.3,37.0"

[[units]]
name = "U3"
areas = [{circle = "35.0,35.0", radius = "5km"}, {corridor = "35.2,35.0; 35.4,35.2", half_width = "1nm"}]
"""


def weigh(lat: float = 36.2, lng: float = 37.15, *, version: int = 1, radius_km: float = 10, **more: object) -> Weigh:
    volume = Volume4D(
        Circle.at(lat=lat, lng=lng, radius_km=radius_km), Altitude.surface(), Altitude.flight_level(100),
        T0 + HOUR, T0 + 2 * HOUR,
    )  # fmt: skip
    made = Weigh(
        "c", Mode.EXERCISE, "BLU-0001-E", version, f"{version}" * 64, "BLUE", False, (volume,), T0 + 2 * HOUR,
        Precedence.FLASH, RULES, "Coast", ("BLUE",),
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def watch(text: str = FILE) -> UnitWatch:
    made = UnitWatch()
    assert made.step(UnitsGiven(read_units(text)), NOW) == ()
    return made


def met(tells: tuple[UnitsMet, ...]) -> list[tuple[str, ...]]:
    return [tell.units for tell in tells]


def test_the_units_whose_areas_meet_a_notice_are_named_with_how_to_reach_them() -> None:
    (tell,) = watch().step(weigh(), NOW)
    assert tell.units == ("U1", "U2")
    assert tell.pages["U1"] == ("https://hook.example/u1",)
    assert tell.supervisors == {"U1": ("Operations", "tel:+999 555 0102")}
    assert (tell.start_ms, tell.end_ms, tell.precedence) == (T0 + HOUR, T0 + 2 * HOUR, "FLASH")


def test_what_meets_no_unit_is_not_told_and_the_same_is_not_told_twice() -> None:
    made = watch()
    assert made.step(weigh(35.9, 34.5), NOW) == ()
    assert len(made.step(weigh(), NOW)) == 1
    assert made.step(weigh(), NOW) == ()


def test_a_new_version_is_told_anew_and_one_that_moved_away_meets_nobody() -> None:
    made = watch()
    made.step(weigh(), NOW)
    (second,) = made.step(weigh(version=2), NOW)
    assert second.entry == "2" * 64
    assert met(made.step(weigh(35.0, 35.0, version=3), NOW)) == [("U3",)]
    assert met(made.step(weigh(35.9, 34.5, version=4), NOW)) == [()]


def test_a_notice_that_is_over_or_our_own_meets_nobody() -> None:
    made = watch()
    made.step(weigh(), NOW)
    assert met(made.step(Forget("c", "BLU-0001-E"), NOW)) == [()]
    assert made.step(Forget("c", "BLU-0001-E"), NOW) == ()
    assert made.step(weigh(by_us=True), NOW) == ()
    assert made.step(weigh(expires_ms=T0), NOW) == ()


def test_units_that_come_or_go_are_weighed_against_what_is_live() -> None:
    made = watch("")
    assert made.step(weigh(), NOW) == ()
    assert met(made.step(UnitsGiven(read_units(FILE)), NOW)) == [("U1", "U2")]
    fewer = tuple(unit for unit in read_units(FILE) if unit.name != "U1")
    assert met(made.step(UnitsGiven(fewer), NOW)) == [("U2",)]
    assert met(made.step(UnitsGiven(()), NOW)) == [()]


def test_a_unit_below_the_notice_is_not_met() -> None:
    high = Volume4D(
        Circle.at(lat=36.2, lng=37.15, radius_km=5), Altitude.flight_level(250), Altitude.flight_level(300),
        T0 + HOUR, T0 + 2 * HOUR,
    )  # fmt: skip
    (tell,) = watch().step(weigh(volumes=(high,)), NOW)
    assert tell.units == ("U2",), "U1 reaches 2,000 feet only"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[units]]\nname = 'U1'", "U1, area 1 has a circle"),
        ("[[units]]\nname = 'U1'\ncircle = '36,37'", "radius"),
        ("[[units]]\nname = 'U1'\ncircle = 'there'\nradius = '1km'", "not a place"),
        ("[[units]]\nname = 'U1'\ncircle = '36,37'\nradius = '1km'\naim = 'x'", "there is no aim"),
        ("[[units]]\ncircle = '36,37'\nradius = '1km'", "has a name"),
        ("[[units]]\nname = 'U1'\npolygon = '36,37; 37,38; 36,38; 37,37'", "U1, area 1"),
        ("[[units]]\nname = 'U1'\ncircle = '36,37'\nradius = '1km'\nlow = 'FL300'\nhigh = 'FL100'", "units 1"),
        ("needs_clearance = true", "safety message"),
        ("[[people]]", "there is no 'people'"),
        ("=", "TOML"),
    ],
)
def test_a_file_of_units_that_cannot_be_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read_units(text)


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="U2 is there twice"):
        read_units(FILE.replace('"U1"', '"U2"'))
