# SPDX-License-Identifier: Apache-2.0
"""A draft: what an officer has written so far, as plain JSON that may lack things or hold nonsense.

    {"type": "AREA_ACTIVITY", "hazard": "CREWED_AIRCRAFT", "circle": "36.20N 37.15E", "radius": "10km",
     "low": "SFC", "high": "FL300", "from": "+15m", "until": "2030-01-01T11:00Z"}

`terms_of` makes the terms of a notice from it, or says every field that is missing or cannot be used at once (domain.md
C2, C4). It is the one reading of drafts for the command line, the console and programs; the rules of a complete notice
are the core's (`say/notice.py`).

Times may be written as in `say/instant.py`, and as `09:40Z`: the next such time, where up to an hour ago still counts
as today's. `settled` makes times absolute, so that a draft which is sent later still means what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from wideberth.config import HOLDOFF
from wideberth.core.limits import ALERT_LIVES_MS
from wideberth.core.say import instant, notice
from wideberth.core.say.coordinates import parse_altitude, parse_distance, parse_point
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.plan import Plan
from wideberth.core.say.ring import must_be_simple
from wideberth.core.say.rules import Mode, Rules
from wideberth.core.say.volume import Circle, Corridor, Leg, Polygon, Shape, Track, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Onward, Precedence, Priority, Scale, Terms
from wideberth.errors import BadInput

SHAPES: Final = ("circle", "polygon", "corridor")
PLACE: Final = (*SHAPES, "radius", "half_width", "volumes")
WINDOW: Final = ("from", "until")
BAND: Final = ("low", "high")
PLAIN: Final = ("contact", "place_name", "text")
CHOICES: Final[dict[str, type[NoticeType | Hazard | Precedence | Priority | Onward | Scale]]] = {
    "type": NoticeType,
    "hazard": Hazard,
    "precedence": Precedence,
    "priority": Priority,
    "release": Onward,
    "scale": Scale,
}
FIELDS: Final = (*CHOICES, *PLAIN, "covers", "expires", *PLACE, *WINDOW, *BAND)

# What the core calls a field, where a draft has two for it.
_OURS: Final = {"altitude": "low", "window": "until"}
# A clock time a little in the past is an activity that has just begun, not tomorrow's.
_JUST_NOW_MS: Final = 3_600_000
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):?([0-5]\d)Z", re.ASCII)

T = TypeVar("T")


class _Reading:
    """Collects what is wrong, so that the officer hears of everything in one go."""

    def __init__(self, draft: Mapping[str, Any]) -> None:
        self.draft = draft
        self.wrong: dict[str, str] = {}

    def given(self, field: str) -> bool:
        return self.draft.get(field) not in (None, "", [])

    def text(self, field: str) -> str:
        value = self.draft.get(field)
        return value.strip() if isinstance(value, str) else ""

    def missing(self, field: str, sentence: str) -> None:
        self.wrong.setdefault(field, sentence)

    def take(self, field: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except BadInput as fault:
            nearer = _OURS.get(fault.details.get("field", ""), fault.details.get("field"))
            self.wrong.setdefault(nearer if nearer in FIELDS else field, fault.sentence)
            return None

    def complain(self) -> None:
        if self.wrong:
            raise BadInput(
                " ".join(f"{field}: {sentence.rstrip('.')}." for field, sentence in self.wrong.items())
                + " Nothing was signed or sent.",
                field=next(iter(self.wrong)),
                fields=list(self.wrong),
                problems=dict(self.wrong),
            )


def terms_of(
    draft: Mapping[str, Any], *, now_ms: int, contact: str, rules: Rules, base: Terms | None = None,
    holdoff: str = HOLDOFF,
) -> Terms:  # fmt: skip
    """The terms that the draft means. `contact` is the watch's own, from the settings, and so is `holdoff`: until when
    a hold-off stands that does not say so. `base`: the terms that a revision starts from. Raises: BadInput with `field`
    (the first), `fields` (all) and a sentence for each."""
    reading = _Reading(draft)
    if strange := [k for k in draft if k not in FIELDS]:
        reading.missing(strange[0], f"there is no such field; there are {', '.join(FIELDS)}")
    chosen = {field: _choice(reading, field, kind) for field, kind in CHOICES.items()}
    if chosen["type"] in _SHORT and base is None:
        return _short(reading, chosen, now_ms, contact, rules, holdoff)
    for field, why in (("type", "say what kind of notice it is"), ("hazard", "say what the danger to others is")):
        if chosen[field] is None and base is None:
            reading.missing(field, f"{why}: one of {', '.join(CHOICES[field].__members__)}")
    if base is None and not contact and not reading.given("contact"):
        reading.missing("contact", "say how to reach your watch, or set `contact` in config.toml")
    volumes = volumes_of(draft, now_ms=now_ms, reading=reading, base=base.volumes if base else ())
    expires = _time(reading, "expires", now_ms) if reading.given("expires") else None
    reading.complain()
    assert volumes
    plain: dict[str, Any] = {field: reading.text(field) for field in PLAIN if reading.given(field)}
    if reading.given("covers"):
        plain["covers"] = tuple(name.strip() for name in reading.text("covers").split(",") if name.strip())
    ends_ms = max(v.end_ms for v in volumes)
    if base is not None:
        fresh = {k: v for k, v in chosen.items() if v is not None} | plain
        if expires is not None:
            fresh["expires_ms"] = expires
        elif volumes != base.volumes:
            fresh["expires_ms"] = ends_ms if base.expires_ms == base.ends_ms else max(ends_ms, base.expires_ms)
        return msgspec.structs.replace(base, volumes=volumes, **fresh)
    known: dict[str, Any] = {k: v for k, v in chosen.items() if v is not None}
    return Terms(**{"contact": contact, **known, **plain}, volumes=volumes, expires_ms=expires or ends_ms)


def of_distress(draft: Mapping[str, Any]) -> bool:
    return str(draft.get("type", "")).strip().upper() == NoticeType.DISTRESS


def has_place(draft: Mapping[str, Any]) -> bool:
    """Whether anything at all is said about the place."""
    return any(draft.get(field) for field in (*SHAPES, "volumes"))


def said_in(draft: Mapping[str, Any], *, contact: str) -> set[str]:
    """What a draft says, by the names of `core/say/complete.py`, whether or not it can be read. A corner or waypoint of
    a polygon or corridor is a place; a circle needs its radius as well, and a corridor its width, to have an extent."""
    given = {field for field in FIELDS if draft.get(field) not in (None, "", [])}
    said = {name for field, name in _SAID.items() if field in given}
    if {"radius", "half_width", "polygon"} & given or str(draft.get("circle", "")).count(",") == 2:
        said.add("extent")
    if set(BAND) <= given:
        said.add("vertical")
    if contact:
        said.add("contact")
    if "volumes" in given:
        said |= {"area", "extent", "vertical", "start", "end"}
    return said


_SAID: Final = {
    "type": "kind", "hazard": "hazard", "scale": "scale", "contact": "contact", "circle": "area", "polygon": "area",
    "corridor": "area", "from": "start", "until": "end",
}  # fmt: skip


def volumes_of(
    draft: Mapping[str, Any], *, now_ms: int, reading: _Reading | None = None, base: tuple[Volume4D, ...] = ()
) -> tuple[Volume4D, ...]:
    """The volumes of a draft: as written out in `volumes`, or one from a shape, a band and a window. With `base`, what
    is not given stays. Raises: BadInput; with `reading` it only notes what is wrong, and the result may be empty."""
    alone = reading is None
    reading = reading or _Reading(draft)
    found = _volumes(reading, now_ms, base)
    if alone:
        reading.complain()
    return found or ()


def settled(draft: Mapping[str, Any], *, now_ms: int) -> dict[str, Any]:
    """The same draft with `+15m`, `now` and `09:40Z` written out; what cannot be read stays as it is."""
    kept = dict(draft)
    reading = _Reading(kept)
    start = None
    for field in (*WINDOW, "expires"):
        if reading.text(field):
            t_ms = _time(reading, field, now_ms if field == "from" else start or now_ms, relative_to=now_ms)
            if t_ms is not None:
                kept[field] = instant.show(t_ms)
                start = t_ms if field == "from" else start
    return kept


def plan_of(body: Mapping[str, Any], *, id_: str, label: str, mode: Mode, now_ms: int) -> Plan:
    """An own plan: the place and window of a draft, or `track`, a list of `{"at", "altitude", "time"}` in the same
    words. Raises: BadInput."""
    if body.get("track"):
        if others := [k for k in body if k != "track" and body[k]]:
            raise BadInput(f"a plan is a track or volumes: leave out {', '.join(others)}", field="track")
        return Plan(id_, label, mode, track=_track(body["track"], now_ms))
    if strange := [k for k in body if k not in (*PLACE, *WINDOW, *BAND)]:
        raise BadInput(f"{strange[0]}: a plan has no such field; it has place, height and time only", field=strange[0])
    volumes = volumes_of(body, now_ms=now_ms)
    for n, volume in enumerate(volumes, 1):
        must_be_simple(volume.shape, f"volume {n} of the plan")
    return Plan(id_, label, mode, volumes)


def _track(value: Any, now_ms: int) -> Track:
    if not isinstance(value, list):
        raise BadInput('a track is a list of {"at", "altitude", "time"}', field="track")
    legs: list[Leg] = []
    for n, each in enumerate(value, 1):
        if not isinstance(each, dict) or set(each) != {"at", "altitude", "time"}:
            raise BadInput(f"track[{n}] must have exactly `at`, `altitude` and `time`", field="track")
        if not all(isinstance(v, str) for v in each.values()):
            raise BadInput(f'track[{n}]: write all three as texts, such as "FL100"', field="track")
        after_ms = legs[-1].t_ms if legs else None
        legs.append(
            Leg(
                parse_point(each["at"], field=f"track[{n}].at"),
                parse_altitude(each["altitude"], field=f"track[{n}].altitude"),
                time_of(each["time"], now_ms=now_ms, field=f"track[{n}].time", after_ms=after_ms),
            )
        )
    return Track(tuple(legs))


def time_of(text: str, *, now_ms: int, field: str, after_ms: int | None = None, up: bool = False) -> int:
    """One time: everything that `instant.parse` reads, and `09:40Z`: the next one after `after_ms` where that is given,
    else after an hour ago. Raises: BadInput."""
    match = _CLOCK.fullmatch(text.strip().upper())
    if match is None:
        t_ms = instant.parse(text, now_ms=now_ms, up=up, field=field)
        # What counts from now goes to the whole second, outward, so that it can be read over a telephone.
        counted = text.strip()[:1] in ("+", "-") or text.strip().lower() == "now"
        return t_ms if not counted else -(-t_ms // 1000) * 1000 if up else t_ms // 1000 * 1000
    earliest = now_ms - _JUST_NOW_MS if after_ms is None else after_ms + 1
    day = earliest - earliest % instant.MS_PER_DAY
    t_ms = day + int(match[1]) * instant.MS_PER_HOUR + int(match[2]) * instant.MS_PER_MINUTE
    return t_ms if t_ms >= earliest else t_ms + instant.MS_PER_DAY


def _choice(reading: _Reading, field: str, kind: type[Any]) -> Any:
    if not reading.given(field):
        return None
    word = reading.text(field).upper().replace("-", "_").replace(" ", "_")
    if word not in kind.__members__:
        reading.missing(field, f"{reading.draft[field]!r} is none of {', '.join(kind.__members__)}")
        return None
    return kind[word]


def _time(reading: _Reading, field: str, after_ms: int, *, relative_to: int | None = None) -> int | None:
    now_ms = after_ms if relative_to is None else relative_to
    later = None if field == "from" else after_ms
    return reading.take(
        field,
        lambda: time_of(reading.text(field), now_ms=now_ms, field=field, after_ms=later, up=field != "from"),
    )


def _volumes(reading: _Reading, now_ms: int, base: tuple[Volume4D, ...]) -> tuple[Volume4D, ...] | None:
    shape = _shape(reading)
    start = _time(reading, "from", now_ms) if reading.given("from") else None
    end = None
    if reading.given("until"):
        end = _time(reading, "until", now_ms if start is None else start, relative_to=now_ms)
    low, high = (_altitude(reading, field) for field in BAND)
    if reading.given("volumes"):
        beside = {_GEOJSON_NAMES[f]: reading.text(f) for f in BAND if reading.given(f)}
        beside |= {_GEOJSON_NAMES[f]: instant.show(t) for f, t in (("from", start), ("until", end)) if t is not None}
        return reading.take("volumes", lambda: _written_out(reading, beside))
    if base:
        if shape is None:
            shape = _resized(reading, base)
        return reading.take("volumes", lambda: _changed(base, shape, low, high, start, end))
    if shape is None and not set(SHAPES) & set(reading.wrong):
        named = f" {reading.text('place_name')!r} is a name, and a name is not a location;" if reading.given(
            "place_name") else ""  # fmt: skip
        reading.missing(
            "circle", f"there is no place.{named} give `circle` with `radius`, `polygon`, `corridor` or `volumes`"
        )
    for field, why in (
        ("low", 'say how low it reaches, such as "SFC"'), ("high", 'say how high it reaches, such as "FL300"'),
        ("from", 'say when it begins, such as "2030-01-01T10:00Z" or "+15m"'), ("until", "say when it ends"),
    ):  # fmt: skip
        if not reading.given(field):
            reading.missing(field, why)
    if shape is None or low is None or high is None or start is None or end is None:
        return None
    made = reading.take("until", lambda: Volume4D(shape, low, high, start, end))
    return (made,) if made else None


def _shape(reading: _Reading) -> Shape | None:
    given = [field for field in SHAPES if reading.given(field)]
    if len(given) + reading.given("volumes") > 1:
        reading.missing(given[-1], "give one shape only; for several volumes, write them into a file (`volumes`)")
        return None
    if not given:
        return None
    (field,) = given
    return reading.take(field, lambda: {"circle": _circle, "polygon": _polygon, "corridor": _corridor}[field](reading))


def _circle(reading: _Reading) -> Shape:
    place, radius = reading.text("circle"), reading.text("radius")
    if not radius and place.count(",") == 2:  # "41.20,-38.60,7nm"
        place, _, radius = place.rpartition(",")
    point = parse_point(place, field="circle")
    if not radius:
        raise BadInput('a circle needs a radius with its unit, such as "10km" or "5nm"', field="radius")
    return Circle(point, parse_distance(radius, field="radius"))


def points_of(text: str, *, field: str) -> tuple[Point, ...]:
    """`"lat lng; lat lng; …"`. Raises: BadInput."""
    return tuple(parse_point(part, field=field) for part in text.split(";") if part.strip())


def _polygon(reading: _Reading) -> Shape:
    corners = points_of(reading.text("polygon"), field="polygon")
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners = corners[:-1]
    return Polygon(corners)


def _corridor(reading: _Reading) -> Shape:
    if not reading.given("half_width"):
        raise BadInput('a corridor needs a half width with its unit, such as "2km"', field="half_width")
    route = points_of(reading.text("corridor"), field="corridor")
    return Corridor(route, parse_distance(reading.text("half_width"), field="half_width"))


def _altitude(reading: _Reading, field: str) -> Altitude | None:
    if not reading.given(field):
        return None
    return reading.take(field, lambda: parse_altitude(reading.text(field), field=field))


def _resized(reading: _Reading, base: tuple[Volume4D, ...]) -> Shape | None:
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


def _short(
    reading: _Reading, chosen: Mapping[str, Any], now_ms: int, contact: str, rules: Rules, holdoff: str
) -> Terms:  # fmt: skip
    """Three fields: kind, place, until; the rest is configuration (C10). A hold-off and distress need only the place
    (G1, G8)."""
    type_ = chosen["type"]
    distress = type_ is NoticeType.DISTRESS
    place: Point | Shape | None
    if reading.given("circle") and not reading.given("radius") and reading.text("circle").count(",") != 2:
        place = reading.take("circle", lambda: parse_point(reading.text("circle"), field="circle"))
    else:
        place = _shape(reading)
    if place is None and not set(SHAPES) & set(reading.wrong):
        reading.missing("circle", 'say where: --at "36.20N 37.15E"')
    until = None
    if reading.given("until"):
        until = _time(reading, "until", now_ms)
    elif distress:
        until = now_ms + ALERT_LIVES_MS  # as long as an ALERT without a place
    elif type_ is NoticeType.HOLD_OFF:
        until = time_of(holdoff, now_ms=now_ms, field="until", up=True)
    else:
        reading.missing("until", 'say until when others should stay away, such as "+6h"')
    for field in ("from", *BAND, "half_width", "expires", "volumes"):
        if field in reading.draft and reading.given(field) and field != "half_width":
            reading.missing(field, f"{_SHORT[type_]} has kind, place and until, from now; the rest is filled in")
    reading.complain()
    assert place is not None
    assert until is not None
    form = notice.ShortForm(
        contact=reading.text("contact") or contact or _NO_CONTACT,
        # Of distress the place may be exact: it is said so that people are found.
        radius_mm=(0 if distress else rules.least_radius_mm) or _ACCIDENT_RADIUS_MM,
        lower=Altitude.surface(),
        upper=Altitude.unlimited(),
        priority=Priority.DISTRESS if distress else chosen["priority"] or Priority.ROUTINE,
    )
    kind = chosen["hazard"] or (Hazard.UNSPECIFIED if type_ is NoticeType.ACCIDENT else Hazard.PEOPLE_PRESENT)
    terms = notice.accident(kind, place, until, form, now_ms=now_ms, type_=type_)
    return msgspec.structs.replace(terms, **{f: reading.text(f) for f in ("place_name", "text") if reading.given(f)})


# What is given in the short form.
_SHORT: Final = {
    NoticeType.ACCIDENT: "an accident notice",
    NoticeType.HOLD_OFF: "a hold-off",
    NoticeType.DISTRESS: "a distress notice",
}
# An accident does not wait for a setting that somebody forgot.
_NO_CONTACT: Final = "the number that you have for our watch"
# Where an agreement has no least area: room for those who come to help.
_ACCIDENT_RADIUS_MM: Final = 5_000_000


def _written_out(reading: _Reading, written: Mapping[str, str]) -> tuple[Volume4D, ...]:
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
