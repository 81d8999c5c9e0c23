# SPDX-License-Identifier: Apache-2.0
"""The volumes of a draft: a shape by its options, an area that moves, windows that come again, or volumes in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from wideberth.core.say import arcs, instant, recur
from wideberth.core.say.arc_words import parse_orbit, parse_polyarc
from wideberth.core.say.coordinates import parse_distance, parse_point
from wideberth.core.say.courses import parse_course, parse_sector, parse_speed
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.swept import Moving, swept
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput
from wideberth.web.reading import AGAIN, BAND, MOVES, SHAPES, Reading, altitude_in, time_in

# What belongs to some shapes only: a circle with a sector is the part of the disc, or of the ring outside `inner`.
_ONLY_WITH: Final = dict.fromkeys(MOVES, ("moving",)) | {
    "sector": ("moving", "circle"), "margin": ("moving", "orbit"), "inner": ("circle",),
}  # fmt: skip
_HAVE: Final = dict.fromkeys(MOVES, "what moves") | {
    "sector": "what moves or a circle", "margin": "what moves or an orbit", "inner": "a circle",
}  # fmt: skip

# What lies still, and what moves with a reference and is resolved once the times are known.
Area = Shape | Moving


def volumes_in(reading: Reading, now_ms: int, base: tuple[Volume4D, ...]) -> tuple[Volume4D, ...] | None:
    """As `drafts.volumes_of`, noting what is wrong in `reading`. None where the volumes cannot be made of it."""
    area = area_in(reading)
    start = time_in(reading, "from", now_ms) if reading.given("from") else None
    end = None
    if reading.given("until"):
        end = time_in(reading, "until", now_ms if start is None else start, relative_to=now_ms)
    low, high = (altitude_in(reading, field) for field in BAND)
    if reading.given("volumes"):
        beside = {_GEOJSON_NAMES[f]: reading.text(f) for f in BAND if reading.given(f)}
        beside |= {_GEOJSON_NAMES[f]: instant.show(t) for f, t in (("from", start), ("until", end)) if t is not None}
        return reading.take("volumes", lambda: _written_out(reading, beside))
    anew = isinstance(area, Moving) or any(reading.given(field) for field in AGAIN)
    if base and not anew:
        if area is None:
            area = _resized(reading, base)
        shape = area if not isinstance(area, Moving) else None
        return reading.take("volumes", lambda: _changed(base, shape, low, high, start, end))
    if base:
        # What moves, or comes again, is made anew of what is given and of the first volume of the version before.
        area = area or reading.take("volumes", lambda: _only_shape(base))
        low, high, start = low or base[0].lower, high or base[0].upper, base[0].start_ms if start is None else start
        end = (base[-1] if isinstance(area, Moving) else base[0]).end_ms if end is None else end
    elif area is None and not set(SHAPES) & set(reading.wrong):
        named = f" {reading.text('place_name')!r} is a name, and a name is not a location;" if reading.given(
            "place_name") else ""  # fmt: skip
        reading.missing(
            "circle",
            f"there is no place.{named} give `circle` with `radius`, `polygon`, `corridor`, `orbit`, `polyarc`, "
            "`moving` or `volumes`",
        )
    for field, why in () if base else (
        ("low", 'say how low it reaches, such as "SFC"'), ("high", 'say how high it reaches, such as "FL300"'),
        ("from", 'say when it begins, such as "2030-01-01T10:00Z" or "+15m"'), ("until", "say when it ends"),
    ):  # fmt: skip
        if not reading.given(field):
            reading.missing(field, why)
    if area is None or low is None or high is None or start is None or end is None:
        return None
    return _made(reading, area, low, high, start, end, now_ms)


def _made(
    reading: Reading, area: Area, low: Altitude, high: Altitude, start: int, end: int, now_ms: int
) -> tuple[Volume4D, ...] | None:
    """The volumes of one area in one window: one; one for each slice where it moves; one for each time that it comes
    again."""
    again = any(reading.given(field) for field in AGAIN)
    if isinstance(area, Moving):
        if again:
            reading.missing("days", "what moves does not come again in the same place; give each time by itself")
            return None
        slices = reading.take("slices", lambda: _slices(reading))
        return (
            None if slices is None else reading.take("until", lambda: swept(area, low, high, start, end, slices=slices))
        )
    volume = reading.take("until", lambda: Volume4D(area, low, high, start, end))
    if volume is None or not again:
        return (volume,) if volume else None
    last = time_in(reading, "last", start, relative_to=now_ms) if reading.given("last") else None
    if last is None:
        reading.missing("last", 'say until when it comes again, such as "2030-01-10T00:00Z"')
        return None
    word = reading.text("days").upper() or "DAILY"
    days = recur.WEEK if word == "DAILY" else tuple(part.strip() for part in word.split(",") if part.strip())
    return reading.take("last", lambda: recur.repeated(volume, last, days))


def _only_shape(base: tuple[Volume4D, ...]) -> Shape:
    if len({v.shape for v in base}) > 1:
        raise BadInput(f"the notice has {len(base)} places: say which one is meant, as a shape", field="circle")
    return base[0].shape


def _slices(reading: Reading) -> int:
    text = reading.text("slices")
    if text and not (text.isascii() and text.isdecimal() and 0 < int(text) < 1_000):
        raise BadInput("slices are a number, such as 6: into how many volumes the time is cut", field="slices")
    return int(text or 0)


def area_in(reading: Reading) -> Area | None:
    """The place of a draft, of whatever kind; None where there is none, or it cannot be used."""
    given = [field for field in SHAPES if reading.given(field)]
    if len(given) + reading.given("volumes") > 1:
        reading.missing(given[-1], "give one shape only; for several volumes, write them into a file (`volumes`)")
        return None
    if not given:
        return None
    (field,) = given
    readers: dict[str, Callable[[Reading], Area]] = {
        "circle": _circle, "polygon": _polygon, "corridor": _corridor, "orbit": _orbit, "polyarc": _polyarc,
        "moving": _moving,
    }  # fmt: skip
    if stray := [name for name in _ONLY_WITH if reading.given(name) and field not in _ONLY_WITH[name]]:
        fitting = " or ".join(f"`{shape}`" for shape in _ONLY_WITH[stray[0]])
        reading.missing(stray[0], f"only {_HAVE[stray[0]]} has this: give {fitting} instead of `{field}`")
        return None
    return reading.take(field, lambda: readers[field](reading))


def _moving(reading: Reading) -> Area:
    """`moving` is where it starts, or a whole route; beside it `radius`, and maybe `speed`, `course`, `sector`,
    `margin`."""
    if not reading.given("radius"):
        raise BadInput('what moves needs a radius round it with its unit, such as "10km"', field="radius")
    return Moving(
        points_of(reading.text("moving"), field="moving"),
        parse_speed(reading.text("speed")) if reading.given("speed") else 0,
        parse_distance(reading.text("radius"), field="radius"),
        parse_course(reading.text("course")) if reading.given("course") else None,
        parse_sector(reading.text("sector")) if reading.given("sector") else None,
        parse_distance(reading.text("margin"), field="margin") if reading.given("margin") else 0,
    )


def _circle(reading: Reading) -> Shape:
    place, radius = reading.text("circle"), reading.text("radius")
    if not radius and place.count(",") == 2:  # "41.20,-38.60,7nm"
        place, _, radius = place.rpartition(",")
    point = parse_point(place, field="circle")
    if not radius:
        raise BadInput('a circle needs a radius with its unit, such as "10km" or "5nm"', field="radius")
    radius_mm = parse_distance(radius, field="radius")
    inner_mm = parse_distance(reading.text("inner"), field="inner") if reading.given("inner") else 0
    if reading.given("sector"):
        return arcs.sector(point, *parse_sector(reading.text("sector")), radius_mm, inner_mm)
    if inner_mm:
        raise BadInput("a ring all round has a hole, which is not taken: give a `sector` of it, or two", field="sector")
    return Circle(point, radius_mm)


def _orbit(reading: Reading) -> Shape:
    if not reading.given("radius"):
        raise BadInput('an orbit needs the radius of its turns with its unit, such as "3nm"', field="radius")
    margin_mm = parse_distance(reading.text("margin"), field="margin") if reading.given("margin") else 0
    return parse_orbit(reading.text("orbit"), parse_distance(reading.text("radius"), field="radius"), margin_mm)


def _polyarc(reading: Reading) -> Shape:
    return parse_polyarc(reading.text("polyarc"))


def points_of(text: str, *, field: str) -> tuple[Point, ...]:
    """`"lat lng; lat lng; …"`. Raises: BadInput."""
    return tuple(parse_point(part, field=field) for part in text.split(";") if part.strip())


def _polygon(reading: Reading) -> Shape:
    corners = points_of(reading.text("polygon"), field="polygon")
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners = corners[:-1]
    return Polygon(corners)


def _corridor(reading: Reading) -> Shape:
    if not reading.given("half_width"):
        raise BadInput('a corridor needs a half width with its unit, such as "2km"', field="half_width")
    route = points_of(reading.text("corridor"), field="corridor")
    return Corridor(route, parse_distance(reading.text("half_width"), field="half_width"))


def _resized(reading: Reading, base: tuple[Volume4D, ...]) -> Shape | None:
    """A radius or half width alone is for the place of the version before: its one circle, or its one corridor."""
    field = next((name for name in ("radius", "half_width") if reading.given(name)), "")
    if not field:
        return None
    before = base[0].shape if len(base) == 1 else None

    def resized() -> Shape:
        mm = parse_distance(reading.text(field), field=field)
        if field == "radius" and isinstance(before, Circle):
            return Circle(before.centre, mm)
        if field == "half_width" and isinstance(before, Corridor):
            return Corridor(before.route, mm)
        has = "one circle" if field == "radius" else "one corridor"
        raise BadInput(f"the notice is not {has}, so nothing in it has this; give the whole place anew", field=field)

    return reading.take(field, resized)


def _changed(
    base: tuple[Volume4D, ...], shape: Shape | None, low: Altitude | None, high: Altitude | None,
    start: int | None, end: int | None,
) -> tuple[Volume4D, ...]:  # fmt: skip
    """The volumes of the version before with what was given put in; never guessing which one of several is meant."""
    if shape is not None:
        if len(base) > 1:
            raise BadInput(f"the notice has {len(base)} volumes: give them all anew in a file", field="volumes")
        base = (msgspec.structs.replace(base[0], shape=shape),)
    if (start, end) != (None, None) and len({(v.start_ms, v.end_ms) for v in base}) > 1:
        raise BadInput("its volumes have different times: give them all anew in a file", field="volumes")
    fresh = {"lower": low, "upper": high, "start_ms": start, "end_ms": end}
    return tuple(msgspec.structs.replace(v, **{k: x for k, x in fresh.items() if x is not None}) for v in base)


def _written_out(reading: Reading, written: Mapping[str, str]) -> tuple[Volume4D, ...]:
    """ASTM F3548-21 volumes (one, a list, or under `volumes`) or GeoJSON. `written`: the band and window given beside
    them, which complete the properties that a GeoJSON feature lacks."""
    from wideberth.formats import astm, geojson

    value = reading.draft["volumes"]
    if isinstance(value, dict) and value.get("type") in ("Feature", "FeatureCollection"):
        filled = _completed(value, written)
        found = [v for _, volumes in geojson.features(filled, where="volumes") for v in volumes]
    else:
        if written:
            raise BadInput(
                f"heights and times stand in the file itself; leave out {', '.join(written)}", field=next(iter(written))
            )
        if isinstance(value, dict):
            value = value.get("volumes", value)
        listed = value if isinstance(value, list) else [value]
        found = [astm.from_json(each, where=f"volumes[{i}]") for i, each in enumerate(listed, 1)]
    if not found:
        raise BadInput("the file holds no volume", field="volumes")
    return tuple(found)


def _completed(value: dict[str, Any], written: Mapping[str, str]) -> dict[str, Any]:
    """GeoJSON with the properties that are missing taken from the draft."""
    if value.get("type") == "FeatureCollection" and isinstance(value.get("features"), list):
        return {**value, "features": [_completed(f, written) if isinstance(f, dict) else f for f in value["features"]]}
    properties = value.get("properties") or {}
    return {**value, "properties": {**written, **properties}} if isinstance(properties, dict) else value


_GEOJSON_NAMES: Final = {"low": "lower", "high": "upper", "from": "start", "until": "end"}
