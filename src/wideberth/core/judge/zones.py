# SPDX-License-Identifier: Apache-2.0
"""Standing lines and zones: is a place, or a volume, inside one? (domain.md D5, D14)

    river = along_line("river line", "clause 4", route, 10_000_000)       a band of 10 km to either side of a line
    ring  = Zone("garrison", "clause 7", Circle(centre, 55_000_000))      a circle of 55 km
    at(ring, point, error_mm=200_000)                                     Finding: INSIDE, 12.4 km deep

A zone holds its edge, has no window, and reaches from `lower` to `upper`. The distance is the geodesic one of the
conflict check (docs/conflict-check.md), with its error; within that the answer is TOO_CLOSE_TO_CALL, which is acted on
as inside. An unknown height meets every band. How far off a position may be (`error_mm`) only ever widens: whatever is
inside with a small error is inside with a large one. OUTSIDE says where something is, and nothing about what it may do.

Both sides compute this alone, for own people. Nothing of it is a word that is sent.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from wideberth.core.judge.horizontal import Apart, least_distance
from wideberth.core.judge.vertical import VerticalGap, ends_in_order, gap_between
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.volume import Circle, Corridor, Shape, Volume4D, check_band
from wideberth.errors import BadInput


class Where(StrEnum):
    INSIDE = "INSIDE"
    OUTSIDE = "OUTSIDE"
    TOO_CLOSE_TO_CALL = "TOO_CLOSE_TO_CALL"


class Zone(msgspec.Struct, frozen=True):
    """A standing area under a clause of the agreement. `shape` is all of it: a band beside a line is a corridor."""

    name: str
    clause: str
    shape: Shape
    lower: Altitude = Altitude.surface()
    upper: Altitude = Altitude.unlimited()

    def __post_init__(self) -> None:
        if not self.name:
            raise BadInput("a zone has a name", field="name")
        check_band(self.lower, self.upper)


class Finding(msgspec.Struct, frozen=True):
    """`outside_mm`: how far from the zone's edge, 0 inside; the truth is within `error_mm`. `vertical_mm`: least
    possible gap between the bands, negative where they may overlap, None where a height is not known."""

    zone: Zone
    where: Where
    outside_mm: int
    error_mm: int
    vertical_mm: int | None

    @property
    def acted_on(self) -> bool:
        """Whether to act on it as on being inside."""
        return self.where is not Where.OUTSIDE


def along_line(
    name: str, clause: str, route: tuple[Point, ...], band_mm: int, *,
    lower: Altitude | None = None, upper: Altitude | None = None,
) -> Zone:  # fmt: skip
    """The band of `band_mm` to either side of a line, such as a river's, with round ends."""
    return Zone(name, clause, Corridor(route, band_mm), lower or Altitude.surface(), upper or Altitude.unlimited())


def at(
    zone: Zone, point: Point, *, altitude: Altitude | None = None, error_mm: int = 0, pressure_margin_mm: int = 610_000
) -> Finding:
    """Where a position stands that may be off by `error_mm` on the ground. `altitude` None: nobody knows how high."""
    if error_mm < 0:
        raise BadInput("how far off a position may be is not negative", field="error")
    # The smallest circle that there is stands for a point; its millimetre is taken off again.
    apart = least_distance(zone.shape, Circle(point, error_mm + 1))
    gap = None
    if altitude is not None:
        ends = _ends(zone, pressure_margin_mm)
        gap = gap_between((altitude,), (altitude,), (ends[0],), (ends[1],), pressure_margin_mm)
    return _finding(zone, apart, gap, 0.001)


def of_volume(zone: Zone, volume: Volume4D, *, pressure_margin_mm: int = 610_000) -> Finding:
    """Whether a volume reaches into a zone, whatever its window."""
    floor, top = ends_in_order(volume, pressure_margin_mm)
    ends = _ends(zone, pressure_margin_mm)
    gap = gap_between((floor,), (top,), (ends[0],), (ends[1],), pressure_margin_mm)
    return _finding(zone, least_distance(zone.shape, volume.shape), gap, 0.0)


def _ends(zone: Zone, margin_mm: int) -> tuple[Altitude, Altitude]:
    return ends_in_order(Volume4D(zone.shape, zone.lower, zone.upper, 0, 1), margin_mm)


def _finding(zone: Zone, apart: Apart, gap: VerticalGap | None, added_m: float) -> Finding:
    """Ends of a band belong to it, as does the edge of the area: only a gap that is sure is outside."""
    gap_m = apart.gap_m + added_m
    if gap is not None and gap.mm > 0:
        where = Where.OUTSIDE
    elif apart.meet or gap_m + apart.error_m < 0:
        where = Where.INSIDE
    else:
        where = Where.OUTSIDE if gap_m - apart.error_m > 0 else Where.TOO_CLOSE_TO_CALL
    outside_mm = 0 if apart.meet else max(0, round(gap_m * 1000))
    return Finding(zone, where, outside_mm, apart.error_mm, None if gap is None else gap.mm)
