# SPDX-License-Identifier: Apache-2.0
import pytest

from wideberth.core.judge.vertical import NO_BOUND_MM, bands_apart, vertical_gap
from wideberth.core.say.place import Altitude, VerticalRef
from wideberth.core.say.units import feet
from wideberth.core.say.volume import Circle, Volume4D

SHAPE = Circle.at(lat=0, lng=0, radius_m=1)
AMSL, AGL, W84 = VerticalRef.AMSL, VerticalRef.AGL, VerticalRef.W84


def band(lower: Altitude, upper: Altitude) -> Volume4D:
    return Volume4D(SHAPE, lower, upper, 0, 1)


def ft(lower: float, upper: float, ref: VerticalRef = AMSL) -> Volume4D:
    return band(Altitude.feet(lower, ref), Altitude.feet(upper, ref))


def fl(lower: float, upper: float) -> Volume4D:
    return band(Altitude.flight_level(lower), Altitude.flight_level(upper))


def test_the_same_reference_is_compared_exactly() -> None:
    gap = vertical_gap(ft(0, 1000), ft(4000, 5000), 610_000)
    assert gap == (feet(3000), 0)
    assert bands_apart(ft(0, 1000), ft(4000, 5000), gap, feet(3000)), "equality separates"
    assert not bands_apart(ft(0, 1000), ft(4000, 5000), gap, feet(3000) + 1)


def test_a_flight_level_against_an_altitude_is_widened_by_the_pressure_margin() -> None:
    gap = vertical_gap(fl(100, 110), ft(7000, 8000), 610_000)
    assert gap.mm == feet(2000) - 610_000 < 0, "FL100 may be lower than 8,000 ft"
    assert gap.widened_mm == 1_220_000
    assert vertical_gap(fl(100, 110), ft(7000, 8000), 0).mm == feet(2000)


def test_an_ellipsoidal_height_against_an_altitude_is_widened_by_the_geoid() -> None:
    # In the south of India a height of 0 m W84 is 107 m above the sea; in New Guinea 86 m below it.
    def metres(low: int, ref: VerticalRef) -> Volume4D:
        return band(Altitude.metres(low, ref), Altitude.metres(low + 100, ref))

    above = vertical_gap(metres(200, W84), metres(0, AMSL), 0)
    below = vertical_gap(metres(0, W84), metres(200, AMSL), 0)
    assert above.mm <= 100_000 - 86_000
    assert below.mm <= 100_000 - 107_000


def test_ground_is_somewhere_between_the_dead_sea_and_everest() -> None:
    drone = band(Altitude.surface(), Altitude.feet(400, AGL))
    assert vertical_gap(drone, ft(20_000, 25_000), 0).mm < 0, "over Everest a drone is at 29,400 ft"
    assert vertical_gap(drone, ft(40_000, 45_000), 0).mm > 0
    assert vertical_gap(drone, ft(500, 600, AGL), 0).mm == feet(100), "both above ground: exact"


def test_unlimited_reaches_everything_above_and_nothing_below() -> None:
    high = band(Altitude.flight_level(300), Altitude.unlimited())
    assert vertical_gap(high, ft(40_000, 900_000), 0).mm < 0
    assert vertical_gap(high, ft(0, 1000), 0).mm > 0
    assert abs(vertical_gap(high, high, 0).mm) <= NO_BOUND_MM


def test_blocks_that_only_touch_do_not_overlap_but_a_level_on_the_edge_of_a_block_is_in_it() -> None:
    low, high, level = ft(1000, 2000), ft(2000, 3000), ft(2000, 2000)
    assert bands_apart(low, high, vertical_gap(low, high, 0), 0)
    for block in (low, high, level):
        assert not bands_apart(level, block, vertical_gap(level, block, 0), 0)


@pytest.mark.parametrize("ref", [AMSL, AGL, W84])
def test_a_band_whose_ends_wear_different_references_is_never_narrower_than_either_reading(ref: VerticalRef) -> None:
    odd = band(Altitude.metres(5000, ref), Altitude.metres(100, AMSL if ref is not AMSL else W84))
    inside = band(Altitude.metres(2000, AMSL), Altitude.metres(2100, AMSL))
    assert vertical_gap(odd, inside, 0).mm <= 0


def test_from_the_surface_to_a_level_is_not_lifted_by_mountains() -> None:
    block = band(Altitude.surface(), Altitude.flight_level(200))
    assert vertical_gap(block, fl(240, 300), 610_000).mm == feet(4000)
    assert vertical_gap(block, ft(20_500, 30_000), 0).mm == feet(500)
