# SPDX-License-Identifier: Apache-2.0
"""A piece of space during a piece of time.

A `Volume4D` is a shape on the WGS-84 ellipsoid, a vertical band between two altitudes that each wear their reference,
and a half-open window `[start_ms, end_ms)` in milliseconds UTC: back-to-back volumes never overlap.
Edges of polygons and legs of corridors are geodesics (as in ASTM F3548-21: shortest paths).
"""

from __future__ import annotations

import msgspec

from wideberth.core.limits import CORNERS_PER_SHAPE_MAX, INTEGER_MAX
from wideberth.core.say import units
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.units import Number
from wideberth.errors import BadInput

# Half of the Earth's girth is 20,004 km: nothing on the surface is farther.
LENGTH_MM_MAX = 20_000_000_000


class Circle(msgspec.Struct, frozen=True, tag="circle", tag_field="kind", forbid_unknown_fields=True):
    """All points within `radius_mm` (geodesic) of the centre: a true disc, never a polygon."""

    centre: Point
    radius_mm: int

    def __post_init__(self) -> None:
        if not 0 < self.radius_mm <= LENGTH_MM_MAX:
            raise BadInput("a circle's radius must be positive, and less than half way round the Earth", field="radius")

    @classmethod
    def at(cls, *, lat: Number, lng: Number, radius_m: Number | None = None, radius_km: Number | None = None,
           radius_nm: Number | None = None) -> Circle:  # fmt: skip
        """Centre in degrees, radius in exactly one unit: metres, kilometres or nautical miles."""
        mm = units.one_length_mm("radius", radius_m=radius_m, radius_km=radius_km, radius_nm=radius_nm)
        return cls(Point.at(lat, lng), mm)


class Polygon(msgspec.Struct, frozen=True, tag="polygon", tag_field="kind", forbid_unknown_fields=True):
    """The area inside a simple ring of geodesic edges, either direction round, the smaller side of the Earth.

    The ring is open: the last corner is not the first one again. Holes and crossings are refused (`say/notice.py`).
    """

    corners: tuple[Point, ...]

    def __post_init__(self) -> None:
        if not 3 <= len(self.corners) <= CORNERS_PER_SHAPE_MAX:
            raise BadInput(f"a polygon has 3 to {CORNERS_PER_SHAPE_MAX} corners, not {len(self.corners)}", field="area")
        if self.corners[0] == self.corners[-1]:
            raise BadInput("a polygon's ring is given open: leave out the repeated last corner", field="area")

    @classmethod
    def of(cls, *corners: tuple[Number, Number]) -> Polygon:
        """From `(lat, lng)` pairs in degrees; a repeated last corner is dropped."""
        points = [Point.at(lat, lng) for lat, lng in corners]
        if len(points) > 1 and points[0] == points[-1]:
            points.pop()
        return cls(tuple(points))


class Corridor(msgspec.Struct, frozen=True, tag="corridor", tag_field="kind", forbid_unknown_fields=True):
    """All points within `half_width_mm` (geodesic) of a route of geodesic legs; the ends are round."""

    route: tuple[Point, ...]
    half_width_mm: int

    def __post_init__(self) -> None:
        if not 2 <= len(self.route) <= CORNERS_PER_SHAPE_MAX:
            raise BadInput(
                f"a corridor has 2 to {CORNERS_PER_SHAPE_MAX} waypoints, not {len(self.route)}", field="area"
            )
        if not 0 < self.half_width_mm <= LENGTH_MM_MAX:
            raise BadInput("a corridor's half width must be positive", field="width")

    @classmethod
    def along(cls, *route: tuple[Number, Number], half_width_m: Number | None = None,
              half_width_km: Number | None = None, half_width_nm: Number | None = None) -> Corridor:  # fmt: skip
        mm = units.one_length_mm("half width", half_width_m=half_width_m, half_width_km=half_width_km,
                                 half_width_nm=half_width_nm)  # fmt: skip
        return cls(tuple(Point.at(lat, lng) for lat, lng in route), mm)


Shape = Circle | Polygon | Corridor


def check_band(lower: Altitude, upper: Altitude) -> None:
    """Raises BadInput unless the two may be the floor and the top of a vertical band."""
    if lower.ref is VerticalRef.UNL or upper.ref is VerticalRef.SFC:
        raise BadInput("a band goes up: SFC may be its floor only, UNL its top only", field="altitude")
    if lower.ref == upper.ref and lower.mm > upper.mm:
        raise BadInput("a band's floor must not be above its top", field="altitude")


class Volume4D(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shape, a band and a half-open window."""

    shape: Shape
    lower: Altitude
    upper: Altitude
    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        if not 0 <= self.start_ms < self.end_ms <= INTEGER_MAX:
            raise BadInput("a volume must end after it starts", field="window")
        check_band(self.lower, self.upper)


class Leg(msgspec.Struct, frozen=True, array_like=True):
    """A timed point of a track: where, how high, when. On the wire: `[point, altitude, t_ms]`."""

    point: Point
    altitude: Altitude
    t_ms: int


class Track(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An own side's planned movement: timed points joined by straight legs, uniform speed on each.

    Tracks are own plans. They live on the inner side and never leave the node.
    """

    legs: tuple[Leg, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.legs) <= CORNERS_PER_SHAPE_MAX:
            raise BadInput("a track has at least two timed points", field="track")
        if any(a.t_ms >= b.t_ms for a, b in zip(self.legs, self.legs[1:], strict=False)):
            raise BadInput("a track's times must increase", field="track")
