# SPDX-License-Identifier: Apache-2.0
"""Points and altitudes. The horizontal datum is WGS-84, always; a height always wears its reference."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from wideberth.core.say import units
from wideberth.core.say.units import NDEG_PER_DEGREE, Number
from wideberth.errors import BadInput

LAT_NDEG_MAX = 90 * NDEG_PER_DEGREE
LNG_NDEG_MAX = 180 * NDEG_PER_DEGREE
# From below the Dead Sea's shore to geostationary orbit and beyond: an altitude outside is a slip of units.
ALTITUDE_MM_MIN = -1_000_000
ALTITUDE_MM_MAX = 100_000_000_000


class Point(msgspec.Struct, frozen=True, array_like=True):
    """A place on the WGS-84 ellipsoid, in 1e-9 degree. On the wire: `[lat_ndeg, lng_ndeg]`.

    Latitude −90…90°, longitude −180…180°; both −180 and 180 name the antimeridian.
    """

    lat_ndeg: int
    lng_ndeg: int

    def __post_init__(self) -> None:
        if not -LAT_NDEG_MAX <= self.lat_ndeg <= LAT_NDEG_MAX:
            raise BadInput(f"latitude {self.lat:.6f}° is outside −90…90", field="latitude")
        if not -LNG_NDEG_MAX <= self.lng_ndeg <= LNG_NDEG_MAX:
            raise BadInput(f"longitude {self.lng:.6f}° is outside −180…180", field="longitude")

    @classmethod
    def at(cls, lat: Number, lng: Number) -> Point:
        """From degrees, north and east positive."""
        return cls(units.degrees_to_ndeg(lat, "latitude"), units.degrees_to_ndeg(lng, "longitude"))

    @property
    def lat(self) -> float:
        """Degrees north, for display and for geodesy; never signed."""
        return self.lat_ndeg / NDEG_PER_DEGREE

    @property
    def lng(self) -> float:
        """Degrees east, for display and for geodesy; never signed."""
        return self.lng_ndeg / NDEG_PER_DEGREE


class VerticalRef(StrEnum):
    """What a height is measured from. Different references are never silently equated (design.md §4)."""

    W84 = "W84"  # height above the WGS-84 ellipsoid
    AMSL = "AMSL"  # above mean sea level (a geoid)
    AGL = "AGL"  # above ground
    FL = "FL"  # flight level: pressure altitude on 1013.25 hPa; FL100 is 10,000 ft
    SFC = "SFC"  # the surface itself, no number
    UNL = "UNL"  # unlimited, no number


class Altitude(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A height in millimetres above `ref`. `SFC` and `UNL` carry 0."""

    mm: int
    ref: VerticalRef

    def __post_init__(self) -> None:
        if self.ref in (VerticalRef.SFC, VerticalRef.UNL):
            if self.mm != 0:
                raise BadInput(f"{self.ref} takes no number", field="altitude")
        elif not ALTITUDE_MM_MIN <= self.mm <= ALTITUDE_MM_MAX:
            raise BadInput(f"an altitude of {self.mm / 1000:,.0f} m is not one; check the unit", field="altitude")

    @classmethod
    def feet(cls, value: Number, ref: VerticalRef) -> Altitude:
        return cls(units.feet(value), ref)

    @classmethod
    def metres(cls, value: Number, ref: VerticalRef) -> Altitude:
        return cls(units.metres(value), ref)

    @classmethod
    def flight_level(cls, level: Number) -> Altitude:
        """FL100 is 10,000 ft of pressure altitude."""
        return cls(units.whole(units.decimal(level, "flight level") * 100 * units.MM_PER_FOOT), VerticalRef.FL)

    @classmethod
    def surface(cls) -> Altitude:
        return cls(0, VerticalRef.SFC)

    @classmethod
    def unlimited(cls) -> Altitude:
        return cls(0, VerticalRef.UNL)

    def __str__(self) -> str:
        if self.ref in (VerticalRef.SFC, VerticalRef.UNL):
            return self.ref.value
        feet = self.mm / 304.8
        if self.ref is VerticalRef.FL:
            return f"FL{feet / 100:03.0f}"
        return f"{feet:,.0f} ft {self.ref.value}"
