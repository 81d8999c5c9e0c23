# SPDX-License-Identifier: Apache-2.0
"""GeoJSON (RFC 7946) features as volumes, both ways (domain.md L1).

    {"type": "Feature", "id": "A1",
     "geometry": {"type": "Polygon", "coordinates": [[[37.0, 36.0], …]]},
     "properties": {"lower": "SFC", "upper": "FL300",
                    "start": "2018-09-17T18:40:00Z", "end": "2018-09-17T19:10:00Z"}}

    Point        with "radius": "10km"           a circle
    LineString   with "half_width": "5nm"        a corridor
    Polygon, MultiPolygon                        one volume per polygon; holes are refused

Lengths and heights are texts that carry their unit and reference, as in `say/coordinates.py`: a bare number is refused.

Between two positions GeoJSON draws a straight line in longitude and latitude (RFC 7946 §3.1.1); our edges are
geodesics, and over 300 km along a parallel the two are a kilometre apart. So corners are added on reading until they
agree to 1 m, unless the property `"edges"` says `"geodesic"`, which is what we write. An edge over more than 180
degrees of longitude is taken across the antimeridian.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, Final

from wideberth.core.limits import CORNERS_PER_SHAPE_MAX
from wideberth.core.say import coordinates, instant
from wideberth.core.say.geodesy import bearing_degrees, distance_mm
from wideberth.core.say.place import Point
from wideberth.core.say.units import NDEG_PER_DEGREE, decimal, whole
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput

# How far a drawn line and our geodesic may be apart after reading.
EDGE_MM_MOST: Final = 1_000

_WGS84_NAMES: Final = ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "OGC:CRS84", "EPSG:4326")
_NEEDED: Final = ("lower", "upper", "start", "end")


def features(value: Any, *, where: str = "GeoJSON") -> list[tuple[str, list[Volume4D]]]:
    """`(id, volumes)` for each Feature of a Feature or FeatureCollection; the id is empty where none is given.

    Raises BadInput that names the feature and the property.
    """
    _datum(value, where)
    if not isinstance(value, dict) or value.get("type") not in ("Feature", "FeatureCollection"):
        raise BadInput(f"{where}: neither a GeoJSON Feature nor a FeatureCollection", field=where)
    if value["type"] == "Feature":
        return [_feature(value, where)]
    members = value.get("features")
    if not isinstance(members, list):
        raise BadInput(f"{where}.features is missing", field=where)
    return [_feature(member, f"{where}.features[{i}]") for i, member in enumerate(members)]


def feature(volume: Volume4D, *, id_: str | None = None, release: str = "") -> dict[str, Any]:
    """One volume as a Feature. Corners are ours, exactly, marked `"edges": "geodesic"`. `release` is the sentence how
    far a copy may travel (domain.md J2), among the properties."""
    if volume.end_ms > instant.LAST_MS:
        raise BadInput("a time after the year 9999 cannot be written here; end the volume sooner", field="end")
    shape, properties = volume.shape, {}
    geometry: dict[str, Any]
    if isinstance(shape, Circle):
        geometry = {"type": "Point", "coordinates": _position(shape.centre)}
        properties["radius"] = coordinates.show_distance(shape.radius_mm)
    elif isinstance(shape, Polygon):
        ring = [_position(p) for p in (*shape.corners, shape.corners[0])]
        geometry, properties["edges"] = {"type": "Polygon", "coordinates": [ring]}, "geodesic"
    else:
        geometry = {"type": "LineString", "coordinates": [_position(p) for p in shape.route]}
        properties |= {"half_width": coordinates.show_distance(shape.half_width_mm), "edges": "geodesic"}
    properties |= {
        "lower": coordinates.show_altitude(volume.lower),
        "upper": coordinates.show_altitude(volume.upper),
        "start": instant.show(volume.start_ms),
        "end": instant.show(volume.end_ms),
    }
    if release:
        properties["release"] = release
    made: dict[str, Any] = {"type": "Feature", "geometry": geometry, "properties": properties}
    return made if id_ is None else made | {"id": id_}


def collection(volumes: list[tuple[str, Volume4D]], *, release: str = "") -> dict[str, Any]:
    """A FeatureCollection of `(id, volume)`; `release` stands on the whole and on each."""
    made = {
        "type": "FeatureCollection",
        "features": [feature(volume, id_=id_, release=release) for id_, volume in volumes],
    }
    return made | {"release": release} if release else made


def _feature(value: Any, where: str) -> tuple[str, list[Volume4D]]:
    if not isinstance(value, dict) or value.get("type") != "Feature":
        raise BadInput(f"{where} is not a Feature", field=where)
    _datum(value, where)
    properties, geometry = value.get("properties"), value.get("geometry")
    if not isinstance(geometry, dict):
        raise BadInput(f"{where}.geometry is missing: a place name or an empty geometry is not a location", field=where)
    if not isinstance(properties, dict):
        raise BadInput(f"{where}.properties is missing: it carries heights and times", field=where)
    texts = {}
    for name in _NEEDED:
        text = properties.get(name)
        if not isinstance(text, str):
            how = (
                '"FL300", "5000ft AMSL", "300 m AGL", "SFC" or "UNL"'
                if name in ("lower", "upper")
                else "RFC 3339 in UTC"
            )
            raise BadInput(f"{where}.properties.{name} must be a text: {how}", field=f"{where}.properties.{name}")
        texts[name] = text
    lower = coordinates.parse_altitude(texts["lower"], field=f"{where}.properties.lower")
    upper = coordinates.parse_altitude(texts["upper"], field=f"{where}.properties.upper")
    start_ms = instant.parse(texts["start"], field=f"{where}.properties.start")
    end_ms = instant.parse(texts["end"], up=True, field=f"{where}.properties.end")
    try:
        shapes = _shapes(geometry, properties, where)
        made = [Volume4D(shape, lower, upper, start_ms, end_ms) for shape in shapes]
    except BadInput as fault:
        if fault.sentence.startswith(where):
            raise
        raise BadInput(f"{where}: {fault.sentence}", **(fault.details | {"field": where})) from None
    id_ = value.get("id", properties.get("id", ""))
    return str(id_), made


def _shapes(geometry: dict[str, Any], properties: dict[str, Any], where: str) -> list[Shape]:
    kind, given = geometry.get("type"), geometry.get("coordinates")
    edges = properties.get("edges", "straight")
    if edges not in ("geodesic", "straight"):
        raise BadInput(f'{where}.properties.edges is "geodesic" or "straight", not {edges!r}', field=where)
    path = f"{where}.geometry.coordinates"
    if kind == "Point":
        return [Circle(_point(given, path), _length(properties, "radius", where))]
    if kind == "LineString":
        route = [_point(p, f"{path}[{i}]") for i, p in enumerate(_list(given, path))]
        if edges == "straight":
            route = _densified(route, path)
        return [Corridor(tuple(route), _length(properties, "half_width", where))]
    if kind == "Polygon":
        return [_polygon(given, edges, path)]
    if kind == "MultiPolygon":
        return [_polygon(part, edges, f"{path}[{i}]") for i, part in enumerate(_list(given, path))]
    raise BadInput(
        f"{where}.geometry: {kind!r} is not taken; use Point, LineString, Polygon or MultiPolygon", field=where
    )


def _polygon(given: Any, edges: str, path: str) -> Polygon:
    rings = _list(given, path)
    if len(rings) > 1:
        raise BadInput(
            f"{path}: a polygon with a hole is not taken; give parts without holes, or the whole", field=path
        )
    ring = [_point(p, f"{path}[0][{i}]") for i, p in enumerate(_list(rings[0] if rings else None, f"{path}[0]"))]
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise BadInput(f"{path}[0]: a GeoJSON ring has at least four positions, and ends where it began", field=path)
    if edges == "straight":
        ring = _densified(ring, path)
    return Polygon(tuple(ring[:-1]))


def _densified(line: list[Point], path: str) -> list[Point]:
    """The same line, straight in longitude and latitude, with points added so that geodesics follow it to 1 m."""
    made = line[:1]
    for a, b in itertools.pairwise(line):
        if len(made) > CORNERS_PER_SHAPE_MAX:
            break
        made += [_between(a, b, i, parts) for parts in [_parts(a, b)] for i in range(1, parts)] + [b]
    if len(made) > CORNERS_PER_SHAPE_MAX:
        most = CORNERS_PER_SHAPE_MAX
        raise BadInput(
            f"{path}: its lines are so long that following them takes more than {most} corners; split it, or set "
            'the property "edges" to "geodesic" if shortest ways were meant',
            field=path,
        )
    return made


def _parts(a: Point, b: Point) -> int:
    """Into how many equal parts a drawn line must go. The gap falls with the square of the length; measured, not
    trusted: the parts are doubled until every part's middle is within the limit."""
    if a == b:
        return 1
    parts = max(1, math.ceil(math.sqrt(_gap_mm(a, b, 0, 1) / EDGE_MM_MOST)))
    while parts <= CORNERS_PER_SHAPE_MAX and max(_gap_mm(a, b, i, parts) for i in range(parts)) > EDGE_MM_MOST:
        parts *= 2
    return parts


def _gap_mm(a: Point, b: Point, i: int, parts: int) -> int:
    """How far the middle of part `i` of the drawn line lies beside the geodesic between the part's ends."""
    p, q = _between(a, b, i, parts), _between(a, b, i + 1, parts)
    middle = _between(a, b, 2 * i + 1, 2 * parts)
    if p in (q, middle):
        return 0
    turn = math.radians(bearing_degrees(p, middle) - bearing_degrees(p, q))
    return round(abs(math.sin(turn)) * distance_mm(p, middle))


def _between(a: Point, b: Point, i: int, parts: int) -> Point:
    turn = b.lng_ndeg - a.lng_ndeg
    whole_turn = 360 * NDEG_PER_DEGREE
    if abs(turn) > whole_turn // 2:
        turn -= whole_turn if turn > 0 else -whole_turn
    lng = a.lng_ndeg + turn * i // parts
    lng = (lng + whole_turn // 2) % whole_turn - whole_turn // 2 if abs(lng) > whole_turn // 2 else lng
    return Point(a.lat_ndeg + (b.lat_ndeg - a.lat_ndeg) * i // parts, lng)


def _datum(value: Any, where: str) -> None:
    """GeoJSON of before 2016 could name another reference system; WGS-84 is the only one now (RFC 7946 §4)."""
    crs = value.get("crs") if isinstance(value, dict) else None
    if crs is None:
        return
    name = (
        crs.get("properties", {}).get("name")
        if isinstance(crs, dict) and isinstance(crs.get("properties"), dict)
        else crs
    )
    if name not in _WGS84_NAMES:
        raise BadInput(f"{where}.crs is {name!r}; convert the positions to WGS-84 first and leave crs out", field=where)


def _length(properties: dict[str, Any], name: str, where: str) -> int:
    text = properties.get(name)
    if not isinstance(text, str):
        raise BadInput(f'{where}.properties.{name} must be a text with its unit, like "10km"', field=where)
    return coordinates.parse_distance(text, field=f"{where}.properties.{name}")


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(f"{path} is not a list", field=path)
    return value


def _point(value: Any, path: str) -> Point:
    numbers = _list(value, path)
    if not 2 <= len(numbers) <= 3 or any(isinstance(n, bool) or not isinstance(n, (int, float)) for n in numbers):
        raise BadInput(f"{path} is not a position: [longitude, latitude]", field=path)
    if len(numbers) == 3 and numbers[2] != 0:
        raise BadInput(f"{path} carries a height; heights stand in the properties lower and upper", field=path)
    try:
        lng, lat = (whole(decimal(n, "position") * NDEG_PER_DEGREE) for n in numbers[:2])
        return Point(lat, lng)
    except BadInput as fault:
        raise BadInput(f"{path}: {fault.sentence}; GeoJSON puts longitude first", field=path) from None


def _position(point: Point) -> list[float]:
    return [point.lng_ndeg / NDEG_PER_DEGREE, point.lat_ndeg / NDEG_PER_DEGREE]
