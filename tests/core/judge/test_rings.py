# SPDX-License-Identifier: Apache-2.0
"""Rings and stack of domain.md SC7 (L4): 34.00 N 118.00 W, ground assumed at 1,900 ft."""

from __future__ import annotations

import pytest

from wideberth.core.judge.rings import Advice, Ring, Standing, stand
from wideberth.core.say import units
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.rings import MM_PER_NM, Block, Position, RingArea
from wideberth.core.say.rules import Mode
from wideberth.errors import BadInput

FIRE = Point.at(34, -118)


def agl(feet: int) -> Altitude:
    return Altitude.feet(feet, VerticalRef.AGL)


def amsl(feet: int) -> Altitude:
    return Altitude.feet(feet, VerticalRef.AMSL)


STACK = (
    Block("helicopters", Altitude.surface(), agl(1000)),
    Block("tankers", agl(1000), agl(2000)),
    Block("lead", agl(2500), agl(2500)),
)
AREA = RingArea("ridge", FIRE, Mode.EXERCISE, ground_mm=units.feet(1900), blocks=STACK)


def at(nm: float, altitude: Altitude | None = None, *, contact: bool = False, error_nm: float = 0) -> Standing:
    point = point_towards(FIRE, 40.0, nm * 1852)
    return stand(AREA, Position("N1", point, 0, altitude, contact, round(error_nm * MM_PER_NM)), 610_000)


@pytest.mark.parametrize(
    ("nm", "ring", "advice"),
    [(13, Ring.OUTSIDE, Advice.NONE), (11.9, Ring.CALL_IN, Advice.CALL_IN), (7.1, Ring.CALL_IN, Advice.CALL_IN),
     (6.9, Ring.NO_COMM, Advice.NO_COMM), (0, Ring.NO_COMM, Advice.NO_COMM)],
)  # fmt: skip
def test_twelve_miles_is_an_advisory_and_seven_an_alert_without_contact(nm: float, ring: Ring, advice: Advice) -> None:
    found = at(nm)
    assert (found.ring, found.advice) == (ring, advice)
    assert found.distance_mm == pytest.approx(nm * MM_PER_NM, abs=2)


@pytest.mark.parametrize("nm", [11.9, 6.9, 0.5])
def test_whoever_has_called_in_needs_no_advice_anywhere(nm: float) -> None:
    assert at(nm, contact=True).advice is Advice.NONE


def test_the_ring_itself_belongs_to_it() -> None:
    assert stand(AREA, Position("N1", FIRE, 0), 0).ring is Ring.NO_COMM
    edge = RingArea("r", FIRE, Mode.REAL, no_comm_mm=(exact := at(7).distance_mm))
    point = point_towards(FIRE, 40.0, 7 * 1852)
    assert stand(edge, Position("N1", point, 0), 0).ring is Ring.NO_COMM
    inside = RingArea("r", FIRE, Mode.REAL, no_comm_mm=exact - 1)
    assert stand(inside, Position("N1", point, 0), 0).ring is Ring.CALL_IN


@pytest.mark.parametrize(("error_nm", "ring"), [(0, Ring.OUTSIDE), (0.9, Ring.OUTSIDE), (1.1, Ring.CALL_IN)])
def test_how_far_off_it_may_be_only_widens(error_nm: float, ring: Ring) -> None:
    assert at(13, error_nm=error_nm).ring is ring


def test_a_drone_at_300_ft_above_ground_meets_the_helicopters_and_not_the_tankers() -> None:
    """Domain.md SC7. 2,200 ft above the sea is the same height over ground at 1,900 ft."""
    assert at(2.1, agl(300)).blocks == ("helicopters",)
    assert at(2.1, amsl(2200)).blocks == ("helicopters",)


def test_heights_above_ground_and_sea_are_compared_by_the_height_of_the_ground() -> None:
    assert at(2.1, amsl(3400)).blocks == ("tankers",)  # 1,500 ft above ground
    assert at(2.1, amsl(300)).blocks == (), "300 ft above the sea is far below this ground"


def test_a_margin_of_the_ground_widens_and_no_ground_at_all_meets_everything() -> None:
    uneven = RingArea("ridge", FIRE, Mode.REAL, units.feet(1900), units.feet(300), blocks=STACK)
    drone = Position("N1", FIRE, 0, amsl(2800))
    assert stand(AREA, drone, 0).blocks == ("helicopters",)
    assert stand(uneven, drone, 0).blocks == ("helicopters", "tankers")
    assert stand(RingArea("ridge", FIRE, Mode.REAL, blocks=STACK), drone, 0).blocks == (
        "helicopters",
        "tankers",
        "lead",
    )


def test_an_unknown_height_may_be_in_every_block_and_outside_the_inner_ring_none_is_named() -> None:
    assert at(2.1).blocks == ("helicopters", "tankers", "lead")
    assert at(8, agl(300)).blocks == ()


def test_both_ends_of_a_block_belong_to_it() -> None:
    assert at(1, agl(1000)).blocks == ("helicopters", "tankers")
    assert at(1, agl(2500)).blocks == ("lead",)
    assert at(1, agl(2501)).blocks == ()


def test_a_flight_level_has_its_pressure_margin() -> None:
    assert at(1, Altitude.flight_level(60)).blocks == ("lead",)  # 6,000 ft less 2,000 ft is 4,000 ft, 2,100 over ground
    assert at(1, Altitude.flight_level(99)).blocks == ()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: RingArea("", FIRE, Mode.REAL),
        lambda: RingArea("r", FIRE, Mode.REAL, call_in_mm=MM_PER_NM, no_comm_mm=2 * MM_PER_NM),
        lambda: RingArea("r", FIRE, Mode.REAL, call_in_mm=201 * MM_PER_NM),
        lambda: RingArea("r", FIRE, Mode.REAL, ground_margin_mm=-1),
        lambda: RingArea("r", FIRE, Mode.REAL, blocks=(STACK[0], STACK[0])),
        lambda: Block("", agl(0), agl(1)),
        lambda: Block("b", agl(2), agl(1)),
        lambda: Position("", FIRE, 0),
        lambda: Position("N1", FIRE, 0, error_mm=-1),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    with pytest.raises(BadInput):
        wrong()  # type: ignore[operator]
