# SPDX-License-Identifier: Apache-2.0
"""Where a reported aircraft stands to the rings and the stack of an incident (domain.md L4).

    stand(area, position).advice        NONE, CALL_IN or NO_COMM

    inside the outer ring without contact      CALL_IN    an advisory: it should have called
    inside the inner ring without contact      NO_COMM    an alert
    in contact, or outside both                NONE

The circle of where it may be (`error_mm`) decides: when any of it is inside, it is inside. Heights above ground and
above sea are compared by the height of the ground that the area gives, with its margin; without one, a height above
ground and one above sea are taken to meet, as is an unknown height with every block. Ends of a block belong to it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from wideberth.core.judge.vertical import difference_mm, same_scale
from wideberth.core.say.geodesy import distance_mm
from wideberth.core.say.place import Altitude, VerticalRef
from wideberth.core.say.rings import Position, RingArea


class Ring(StrEnum):
    """Which ring it is inside of."""

    OUTSIDE = "OUTSIDE"
    CALL_IN = "CALL_IN"
    NO_COMM = "NO_COMM"


class Advice(StrEnum):
    NONE = "NONE"
    CALL_IN = "CALL_IN"
    NO_COMM = "NO_COMM"


class Standing(msgspec.Struct, frozen=True):
    """`distance_mm` from the centre as reported; `blocks` are those whose heights it may be in, inside the inner
    ring."""

    ring: Ring
    advice: Advice
    distance_mm: int
    blocks: tuple[str, ...]


def stand(area: RingArea, position: Position, pressure_margin_mm: int) -> Standing:
    """`pressure_margin_mm`: how far a flight level may be from the height above sea of the same number."""
    distance = distance_mm(area.centre, position.point)
    nearest = max(0, distance - position.error_mm)
    ring = Ring.OUTSIDE
    if nearest <= area.no_comm_mm:
        ring = Ring.NO_COMM
    elif nearest <= area.call_in_mm:
        ring = Ring.CALL_IN
    blocks: tuple[str, ...] = ()
    if ring is Ring.NO_COMM:
        blocks = tuple(
            block.name
            for block in area.blocks
            if _within(area, position.altitude, block.lower, block.upper, pressure_margin_mm)
        )
    advice = Advice.NONE if position.in_contact or ring is Ring.OUTSIDE else Advice(ring.value)
    return Standing(ring, advice, distance, blocks)


def _within(area: RingArea, at: Altitude | None, lower: Altitude, upper: Altitude, margin_mm: int) -> bool:
    """Whether a height may lie between two others, ends included."""
    if at is None:
        return True
    return _least(area, at, upper, margin_mm) <= 0 and _least(area, lower, at, margin_mm) <= 0


def _least(area: RingArea, upper: Altitude, lower: Altitude, margin_mm: int) -> int:
    """The least that `upper` may be above `lower`."""
    if same_scale(upper, lower) or area.ground_mm is None:
        return difference_mm(upper, lower, margin_mm)[0]
    slack = sum(area.ground_margin_mm for each in (upper, lower) if _of_ground(each))
    return difference_mm(_above_sea(area, upper), _above_sea(area, lower), margin_mm)[0] - slack


def _of_ground(altitude: Altitude) -> bool:
    return altitude.ref in (VerticalRef.AGL, VerticalRef.SFC)


def _above_sea(area: RingArea, altitude: Altitude) -> Altitude:
    if not _of_ground(altitude) or area.ground_mm is None:
        return altitude
    return Altitude(area.ground_mm + altitude.mm, VerticalRef.AMSL)
