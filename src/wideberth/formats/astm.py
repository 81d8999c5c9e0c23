# SPDX-License-Identifier: Apache-2.0
"""ASTM F3548-21 `Volume4D` as JSON, both ways (domain.md L1, design.md §4).

    {"volume": {"outline_circle": {"center": {"lat": 36.2, "lng": 37.15},
                                   "radius": {"value": 10000, "units": "M"}},
                "altitude_lower": {"value": 300, "reference": "W84", "units": "M"},
                "altitude_upper": {"value": 900, "reference": "W84", "units": "M"}},
     "time_start": {"value": "2018-09-17T18:40:00Z", "format": "RFC3339"},
     "time_end":   {"value": "2018-09-17T19:10:00Z", "format": "RFC3339"}}

The standard leaves both altitudes optional; absent means unbounded, which is our `SFC` below and `UNL` above. What it
has no word for stands under one key of our own, `x_wideberth`, inside `volume`:

    "x_wideberth": {"outline_corridor": {"route": [{"lat": …, "lng": …}, …],
                                         "half_width": {"value": 5000, "units": "M"}},
                    "altitude_lower": {"value": 3048, "reference": "FL", "units": "M"},
                    "altitude_upper": {…}}

with the references AMSL, AGL and FL, and W84 for heights beyond the standard's bounds.

A tool that does not know the key still reads something safe, because what stands in the standard's own fields then only
encloses: a corridor comes with a circle round all of it, and a height with another reference is left unbounded there.
When the key is read back it holds over them. Unknown fields, units and references are refused with their path.

Numbers are metres and degrees, as the shortest decimals that name our integers exactly, so a round trip is exact.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal

import msgspec

from wideberth.core.say import instant
from wideberth.core.say.geodesy import distance_mm, middle
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.units import NDEG_PER_DEGREE, decimal, whole
from wideberth.core.say.volume import LENGTH_MM_MAX, Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput

EXTENSION: Final = "x_wideberth"
MM: Final = 1_000  # in a metre

# The standard's own bounds on an altitude's value, in metres.
ALTITUDE_M_MIN: Final = -8_000
ALTITUDE_M_MAX: Final = 100_000


class _Json(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Written and read as JSON; the field names are the standard's."""


class LatLngPoint(_Json, frozen=True):
    lat: float
    lng: float


class Length(_Json, frozen=True):
    value: float
    units: Literal["M"]


class AstmAltitude(_Json, frozen=True):
    value: float
    reference: Literal["W84", "AMSL", "AGL", "FL"]
    units: Literal["M"]


class AstmCircle(_Json, frozen=True):
    center: LatLngPoint
    radius: Length


class AstmPolygon(_Json, frozen=True):
    vertices: list[LatLngPoint]


class AstmCorridor(_Json, frozen=True):
    """Ours: the standard has no word for it."""

    route: list[LatLngPoint]
    half_width: Length


class Extension(_Json, frozen=True):
    outline_corridor: AstmCorridor | None = None
    altitude_lower: AstmAltitude | None = None
    altitude_upper: AstmAltitude | None = None
    release: str = ""


class AstmVolume3D(_Json, frozen=True):
    outline_circle: AstmCircle | None = None
    outline_polygon: AstmPolygon | None = None
    altitude_lower: AstmAltitude | None = None
    altitude_upper: AstmAltitude | None = None
    x_wideberth: Extension | None = None


class AstmTime(_Json, frozen=True):
    value: str
    format: Literal["RFC3339"]


class AstmVolume4D(_Json, frozen=True):
    """The wire shape; `volume_of` makes the value of it."""

    volume: AstmVolume3D
    time_start: AstmTime | None = None
    time_end: AstmTime | None = None


_DECODER: Final = msgspec.json.Decoder(AstmVolume4D)


def decode(text: bytes | str, *, where: str = "volume") -> Volume4D:
    """From JSON text. Raises BadInput that names the path inside `where`."""
    try:
        read = _DECODER.decode(text)
    except msgspec.DecodeError as error:
        raise BadInput(f"{where}: {error}", field=where) from None
    return volume_of(read, where=where)


def encode(volume: Volume4D) -> bytes:
    """To compact JSON."""
    return msgspec.json.encode(json_of(volume))


def from_json(value: Any, *, where: str = "volume") -> Volume4D:
    """From parsed JSON (dicts and lists). Raises BadInput that names the path inside `where`."""
    try:
        read = msgspec.convert(value, AstmVolume4D)
    except msgspec.ValidationError as error:
        raise BadInput(f"{where}: {error}", field=where) from None
    return volume_of(read, where=where)


def to_json(volume: Volume4D, *, release: str = "") -> dict[str, Any]:
    """To plain dicts and lists. `release` is the sentence how far a copy may travel (domain.md J2), under our key."""
    built: dict[str, Any] = msgspec.to_builtins(json_of(volume, release=release))
    return built


def volume_of(read: AstmVolume4D, *, where: str = "volume") -> Volume4D:
    """The value that a wire shape names. Times finer than a millisecond are rounded outward."""
    path = f"{where}.volume"
    own = read.volume.x_wideberth or Extension()
    try:
        shape = _shape(read.volume, own, path)
        lower = _altitude(
            own.altitude_lower or read.volume.altitude_lower, own.altitude_lower is not None, path, "lower"
        )
        upper = _altitude(
            own.altitude_upper or read.volume.altitude_upper, own.altitude_upper is not None, path, "upper"
        )
        start_ms, end_ms = _time(read.time_start, where, "time_start"), _time(read.time_end, where, "time_end")
        return Volume4D(shape, lower, upper, start_ms, end_ms)
    except BadInput as fault:
        if fault.sentence.startswith(where):
            raise
        raise BadInput(f"{where}: {fault.sentence}", **(fault.details | {"field": where})) from None


def json_of(volume: Volume4D, *, release: str = "") -> AstmVolume4D:
    """The wire shape of a value. Raises BadInput for a time after the year 9999, which RFC 3339 cannot name."""
    if volume.end_ms > instant.LAST_MS:
        raise BadInput("a time after the year 9999 cannot be written here; end the volume sooner", field="time_end")
    circle, polygon, corridor = None, None, None
    if isinstance(volume.shape, Circle):
        circle = AstmCircle(_lat_lng(volume.shape.centre), Length(_m(volume.shape.radius_mm), "M"))
    elif isinstance(volume.shape, Polygon):
        polygon = AstmPolygon([_lat_lng(p) for p in volume.shape.corners])
    else:
        route = [_lat_lng(p) for p in volume.shape.route]
        corridor = AstmCorridor(route, Length(_m(volume.shape.half_width_mm), "M"))
        circle = _round(volume.shape)
    lower, own_lower = _split(volume.lower)
    upper, own_upper = _split(volume.upper)
    own = Extension(corridor, own_lower, own_upper, release)
    room = AstmVolume3D(circle, polygon, lower, upper, own if own != Extension() else None)
    times = (AstmTime(instant.show(t), "RFC3339") for t in (volume.start_ms, volume.end_ms))
    return AstmVolume4D(room, *times)


def _shape(room: AstmVolume3D, own: Extension, path: str) -> Shape:
    if room.outline_circle is not None and room.outline_polygon is not None:
        raise BadInput(f"{path}: give exactly one of outline_circle and outline_polygon", field=path)
    if own.outline_corridor is not None:
        route = tuple(_point(p, f"{path}.{EXTENSION}.outline_corridor.route[{i}]")
                      for i, p in enumerate(own.outline_corridor.route))  # fmt: skip
        return Corridor(route, _scaled(own.outline_corridor.half_width.value, MM))
    if room.outline_circle is not None:
        centre = _point(room.outline_circle.center, f"{path}.outline_circle.center")
        return Circle(centre, _scaled(room.outline_circle.radius.value, MM))
    if room.outline_polygon is not None:
        corners = [_point(p, f"{path}.outline_polygon.vertices[{i}]")
                   for i, p in enumerate(room.outline_polygon.vertices)]  # fmt: skip
        # The standard forbids the repeated first vertex, but many tools close their rings; it changes nothing.
        if len(corners) > 3 and corners[0] == corners[-1]:
            corners.pop()
        return Polygon(tuple(corners))
    raise BadInput(f"{path}: outline_circle or outline_polygon is missing", field=path)


def _altitude(given: AstmAltitude | None, ours: bool, path: str, which: str) -> Altitude:
    if given is None:
        return Altitude.surface() if which == "lower" else Altitude.unlimited()
    if not ours and given.reference != "W84":
        raise BadInput(
            f"{path}.altitude_{which}.reference: {given.reference!r} is not the standard's W84; "
            f"other references stand under {EXTENSION}.altitude_{which}",
            field=path,
        )
    return Altitude(_scaled(given.value, MM), VerticalRef(given.reference))


def _split(altitude: Altitude) -> tuple[AstmAltitude | None, AstmAltitude | None]:
    """(for the standard's field, for ours)."""
    if altitude.ref is VerticalRef.SFC or altitude.ref is VerticalRef.UNL:
        return None, None
    written = msgspec.convert(
        {"value": _m(altitude.mm), "reference": altitude.ref.value, "units": "M"}, AstmAltitude, strict=True
    )
    within = ALTITUDE_M_MIN <= written.value <= ALTITUDE_M_MAX
    return (written, None) if altitude.ref is VerticalRef.W84 and within else (None, written)


def _time(given: AstmTime | None, where: str, which: str) -> int:
    if given is None:
        raise BadInput(f"{where}.{which} is missing: a volume without both times warns of nothing", field=where)
    path = f"{where}.{which}.value"
    try:
        return instant.parse(given.value, up=which == "time_end", field=path)
    except BadInput as fault:
        raise BadInput(f"{path}: {fault.sentence}", field=path) from None


def _point(given: LatLngPoint, path: str) -> Point:
    try:
        return Point(_scaled(given.lat, NDEG_PER_DEGREE), _scaled(given.lng, NDEG_PER_DEGREE))
    except BadInput as fault:
        raise BadInput(f"{path}: {fault.sentence}", field=path) from None


def _scaled(value: float, scale: int) -> int:
    """The nearest integer to value × scale. Numbers with as many decimals as the scale come out exactly, as in decimal:
    below 10**12 the product's rounding error is under 0.0001."""
    product = value * scale
    if -1e12 < product < 1e12:
        return round(product)
    return whole(decimal(value, "number") * scale)


def _round(corridor: Corridor) -> AstmCircle:
    """A circle that encloses a corridor, rounded up. Its legs stay inside, because a geodesic disc that is smaller than
    a quarter of the Earth is convex; a longer corridor gets a circle round the whole Earth."""
    centre = middle(corridor)
    radius_mm = max(distance_mm(centre, p) for p in corridor.route) + corridor.half_width_mm + 1
    if radius_mm > 9_000_000_000:
        radius_mm = LENGTH_MM_MAX
    return AstmCircle(_lat_lng(centre), Length(math.ceil(radius_mm / 1000), "M"))


def _lat_lng(point: Point) -> LatLngPoint:
    return LatLngPoint(point.lat_ndeg / NDEG_PER_DEGREE, point.lng_ndeg / NDEG_PER_DEGREE)


def _m(mm: int) -> float:
    return mm / MM
