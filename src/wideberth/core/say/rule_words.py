# SPDX-License-Identifier: Apache-2.0
"""The numbers of an agreement as people write and read them: `lead 10m`, `least-radius 10 km`.

    changed(rules, {"lead": "15m", "ack-urgent": "60s"})     rules with two numbers changed
    table(rules)                                             [("lead", "10m", "least time between …"), …]
    differences(before, after)                               [("lead", "10m", "15m")]

Every field of `Rules` has one row here (a test compares), with the name that people use: the field without its unit,
with hyphens. What `show` writes `read` reads back, to the millimetre and the millisecond.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from wideberth.core.say import units
from wideberth.core.say.coordinates import parse_distance, parse_point, show_decimal, show_distance
from wideberth.core.say.instant import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, parse_span, show_span
from wideberth.core.say.minima import PRESETS, SeparationMinima
from wideberth.core.say.rules import Fallback, LeadFor, NamedPlace, Rules, WhoMoves
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape
from wideberth.core.say.words import FallbackKind, NoticeType, Onward
from wideberth.errors import BadInput

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)Z", re.ASCII)
_NOTHING: Final = "none"


class Row(msgspec.Struct, frozen=True):
    """One number of an agreement. `read(text, name)` raises BadInput; `like` is an example of what it reads."""

    field: str
    help: str
    show: Callable[[Any], str]
    read: Callable[[str, str], Any]
    like: str

    @property
    def name(self) -> str:
        return self.field.removesuffix("_ms").removesuffix("_mm").replace("_", "-")


def table(rules: Rules) -> list[tuple[str, str, str]]:
    """Name, value and meaning of every number, in the order in which they are agreed."""
    return [(row.name, row.show(getattr(rules, row.field)), row.help) for row in ROWS]


def differences(before: Rules, after: Rules) -> list[tuple[str, str, str]]:
    """Name, value before, value after, of whatever differs."""
    return [
        (row.name, row.show(getattr(before, row.field)), row.show(getattr(after, row.field)))
        for row in ROWS
        if getattr(before, row.field) != getattr(after, row.field)
    ]


def changed(rules: Rules, given: Mapping[str, str]) -> Rules:
    """The rules with these numbers changed. Raises BadInput with every name that is not known, or the first value that
    cannot be read."""
    by_name = {row.name: row for row in ROWS}
    if unknown := [name for name in given if name not in by_name]:
        raise BadInput(f"an agreement has no {unknown[0]!r}; there are {', '.join(by_name)}", field=unknown[0])
    fresh = {by_name[name].field: by_name[name].read(text.strip(), name) for name, text in given.items()}
    return msgspec.structs.replace(rules, **fresh)


# --- one kind of value after the other ---


def _number(text: str, name: str) -> int:
    bare = text.replace(",", "")
    if not (bare.isascii() and bare.isdecimal() and len(bare) < 16):
        raise BadInput(f"{name}: {text!r} is not a whole number", field=name)
    return int(bare)


def _permille(text: str, name: str) -> int:
    bare = text.removesuffix("%").strip()
    try:
        permille = units.decimal(bare, name) * 10
    except BadInput:
        permille = Decimal(-1)
    if not text.endswith("%") or permille < 0 or permille != int(permille):
        raise BadInput(f'{name}: {text!r} is not a share; write it like "10%" or "2.5%"', field=name)
    return int(permille)


def _parts(text: str, sign: str = ";") -> list[str]:
    return [] if text.lower() == _NOTHING else [part.strip() for part in text.split(sign) if part.strip()]


def _texts(text: str, name: str) -> tuple[str, ...]:
    return tuple(_parts(text))


def _choice(text: str, kind: type[Any], name: str) -> Any:
    word = text.upper().replace("-", "_")
    if word not in kind.__members__:
        raise BadInput(f"{name}: {text!r} is none of {', '.join(kind.__members__)}", field=name)
    return kind[word]


def _pairs(text: str, name: str, like: str) -> Iterable[tuple[str, str]]:
    for part in _parts(text):
        left, equals, right = part.partition("=")
        if not equals or not right.strip():
            raise BadInput(f"{name}: {part!r} is not of the form {like}", field=name)
        yield left.strip(), right.strip()


def _leads(text: str, name: str) -> tuple[LeadFor, ...]:
    return tuple(
        LeadFor(_choice(kind, NoticeType, name), parse_span(span, field=name))
        for kind, span in _pairs(text, name, "TRANSIT=20m")
    )


def _fallback(text: str, name: str) -> tuple[Fallback, ...]:
    return tuple(
        Fallback(_choice(kind, FallbackKind, name), how) for kind, how in _pairs(text, name, "TELEPHONE=+99 555 0110")
    )


def _gazetteer(text: str, name: str) -> tuple[NamedPlace, ...]:
    places = []
    for place, where in _pairs(text, name, '"Cape Amal=41.2 -38.6, 30km"'):
        point, comma, near = where.rpartition(",")
        if not comma:
            raise BadInput(f"{name}: {where!r} needs a place and how far round it, like 41.2 -38.6, 30km", field=name)
        places.append(NamedPlace(place, parse_point(point, field=name), parse_distance(near, field=name)))
    return tuple(places)


def _times(text: str, name: str) -> tuple[int, ...]:
    found = []
    for part in _parts(text, ","):
        match = _CLOCK.fullmatch(part.upper())
        if match is None:
            raise BadInput(f"{name}: {part!r} is not a time of day in UTC; write 04:00Z, 16:00Z", field=name)
        found.append(int(match[1]) * MS_PER_HOUR + int(match[2]) * MS_PER_MINUTE)
    return tuple(sorted(found))


def _show_times(times: tuple[int, ...]) -> str:
    exact = [f"{t // MS_PER_HOUR:02}:{t % MS_PER_HOUR // MS_PER_MINUTE:02}Z" for t in times]
    return ", ".join(exact) or _NOTHING


def _minima(text: str, name: str) -> SeparationMinima:
    if text.upper() in PRESETS:
        return PRESETS[text.upper()]
    parts = [part.strip() for part in text.split("/")]
    if len(parts) not in (2, 3, 4):
        raise BadInput(f"{name}: one of {', '.join(PRESETS)}, or distance/height/time, like 3nm/1000ft/0s", field=name)
    spans = [parse_span(part, field=name) for part in parts[2:]]
    horizontal, vertical = (parse_distance(part, field=name) for part in parts[:2])
    return SeparationMinima("/".join(parts), horizontal, vertical, *spans)


def _show_minima(minima: SeparationMinima) -> str:
    exposure = f"/{show_span(minima.exposure_ms)}" if minima.exposure_ms else ""
    numbers = f"{show_distance(minima.horizontal_mm)}/{show_distance(minima.vertical_mm)}/{show_span(minima.time_ms)}"
    if PRESETS.get(minima.name) == minima:
        return minima.name
    return numbers + exposure


def _area(text: str, name: str) -> Shape:
    try:
        south, west, north, east = (float(x) for x in text.split(","))
    except ValueError:
        raise BadInput(
            "the area is 'south,west,north,east' in degrees, such as 34,33,36,36", field=name
        ) from None  # fmt: skip
    if south >= north or west == east:
        raise BadInput("the area's south must be below its north, and its west differ from its east", field=name)
    return Polygon.of((south, west), (south, east), (north, east), (north, west))


def _show_area(shape: Shape) -> str:
    match shape:
        case Polygon(corners):
            lats, lngs = {c.lat_ndeg for c in corners}, {c.lng_ndeg for c in corners}
            if len(corners) == 4 and len(lats) == len(lngs) == 2 and _area_of(lats, lngs) == shape:
                return _box(lats, lngs)
            return "polygon " + "; ".join(map(show_decimal, corners))
        case Circle(centre, radius_mm):
            return f"circle {show_decimal(centre)}, {show_distance(radius_mm)}"
        case Corridor(route, half_width_mm):
            return f"corridor {'; '.join(map(show_decimal, route))}, {show_distance(half_width_mm)} either side"


def _box(lats: set[int], lngs: set[int]) -> str:
    edges = (min(lats), min(lngs), max(lats), max(lngs))
    return ",".join(f"{Decimal(edge) / units.NDEG_PER_DEGREE:f}" for edge in edges)


def _area_of(lats: set[int], lngs: set[int]) -> Shape:
    return _area(_box(lats, lngs), "area")


def _show_texts(texts: tuple[str, ...]) -> str:
    return "; ".join(texts) or _NOTHING


def _show_gazetteer(places: tuple[NamedPlace, ...]) -> str:
    return _show_texts(tuple(f"{p.name}={show_decimal(p.point)}, {show_distance(p.near_mm)}" for p in places))


def _span(text: str, name: str) -> int:
    return parse_span(text, field=name)


def _length(text: str, name: str) -> int:
    return parse_distance(text, field=name)


def _timed(field: str, help_: str, like: str) -> Row:
    return Row(field, help_, show_span, _span, like)


def _long(field: str, help_: str, like: str) -> Row:
    return Row(field, help_, show_distance, _length, like)


def _listed(field: str, help_: str, like: str) -> Row:
    return Row(field, help_, _show_texts, _texts, like)


ROWS: Final = (
    Row("area", "the whole area of the mechanism: south,west,north,east", _show_area, _area, "34,33,36,36"),
    Row("minima", "what counts as too close: a preset, or distance/height/time", _show_minima, _minima,
        "RULE_OF_THREES"),
    _timed("lead_ms", "least time between a notice and its start", "10m"),
    Row("leads", "lead times of their own, by kind of notice",
        lambda v: _show_texts(tuple(f"{x.type.value}={show_span(x.lead_ms)}" for x in v)), _leads,
        "TRANSIT=20m; MOVEMENT=48h"),
    _timed("horizon_ms", "how far ahead a notice may begin", "30d"),
    _long("least_radius_mm", "least declared area, as a circle's radius", "10km"),
    _long("pressure_margin_mm", "a flight level against a height above the sea: the margin", "610m"),
    _timed("ack_urgent_ms", "an urgent notice is acknowledged within", "60s"),
    _timed("ack_priority_ms", "a PRIORITY notice is acknowledged within", "10m"),
    _timed("ack_routine_ms", "a routine notice is acknowledged within", "1h"),
    _timed("readback_ms", "an urgent notice is read back within", "5m"),
    Row("readback_permille", "a read-back may differ by this share of the area's diameter",
        lambda v: f"{Decimal(v) / 10:f}%", _permille, "10%"),
    _long("readback_least_mm", "and at least by this", "500m"),
    _long("readback_site_mm", "a read-back of a STATIC_SITE may differ by", "100m"),
    _timed("readback_time_ms", "times read back may differ by", "60s"),
    _timed("remind_before_ms", "a reminder this long before the start", "15m"),
    Row("gazetteer", "names of places, to check names against", _show_gazetteer, _gazetteer,
        "Cape Amal=41.2 -38.6, 30km"),
    _listed("not_covered", "who in the area is outside the mechanism", "non-party air defence"),
    Row("check_times_ms", "when people check the line, UTC", _show_times, _times, "04:00Z, 16:00Z"),
    _timed("check_grace_ms", "a line check counts as missed after", "20m"),
    _timed("check_before_ms", "a line check this long before an activity", "15m"),
    Row("fallback", "what is tried when the line is silent, in order",
        lambda v: _show_texts(tuple(f"{x.kind.value}={x.how}" for x in v)), _fallback,
        "TELEPHONE=+99 555 0110; GUARD_RADIO=121.5 MHz"),
    _listed("frequencies", "agreed radio frequencies", "121.5 MHz"),
    _listed("vocabulary", "agreed words and signals", "PAN PAN"),
    _listed("languages", "languages of the line, BCP 47", "en; fr"),
    Row("who_moves", "how it is settled whom a clash asks to give way, in order",
        lambda v: _show_texts(tuple(x.value for x in v)),
        lambda text, name: tuple(_choice(part, WhoMoves, name) for part in _parts(text)),
        "PRIORITY; FILED_FIRST; LOT"),
    Row("cap_km2_h", "area times hours of one notice that count as filed first, km²h; 0: no bound",
        lambda v: f"{v}", _number, "50000"),
    _timed("suspend_notice_ms", "a suspension or an exit is given notice of this long before", "7d"),
    _timed("review_ms", "the agreement is reviewed every", f"{31_536_000_000 // MS_PER_DAY}d"),
    Row("onward", "how far a copy may travel: MEMBERS, INQUIRY or PUBLIC", lambda v: str(v.value),
        lambda text, name: _choice(text, Onward, name), "MEMBERS"),
    Row("least_complete_permille", "a notice that says less than this share of what it can is flagged",
        lambda v: f"{Decimal(v) / 10:f}%", _permille, "80%"),
    _timed("emergency_lead_ms", "least time before a site or movement that is an emergency", "24h"),
    _timed("site_horizon_ms", "how long a STATIC_SITE may stand", "366d"),
    _timed("confirm_ms", "a STATIC_SITE is confirmed anew every", "30d"),
    _timed("check_in_grace_ms", "a check-in of a movement is overdue after", "15m"),
    _long("pin_mm", "a site is asked about that differs by more than this from what is known of it", "200m"),
)  # fmt: skip
NAMES: Final = tuple(row.name for row in ROWS)
