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

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from wideberth.config import HOLDOFF
from wideberth.core.limits import ALERT_LIVES_MS
from wideberth.core.say import instant, notice
from wideberth.core.say.coordinates import parse_altitude, parse_point
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.plan import Plan
from wideberth.core.say.ring import must_be_simple
from wideberth.core.say.rules import Mode, Rules
from wideberth.core.say.swept import Moving
from wideberth.core.say.volume import Leg, Shape, Track, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Priority, Terms
from wideberth.errors import BadInput
from wideberth.web.places import area_in, volumes_in
from wideberth.web.protecting import protected_in, settled_waypoints
from wideberth.web.reading import (
    AGAIN,
    BAND,
    CHOICES,
    FIELDS,
    MOVES,
    PLACE,
    PLAIN,
    PROTECT,
    SHAPES,
    WINDOW,
    Reading,
    time_in,
)
from wideberth.web.reading import time_of as time_of


def terms_of(
    draft: Mapping[str, Any], *, now_ms: int, contact: str, rules: Rules, base: Terms | None = None,
    holdoff: str = HOLDOFF,
) -> Terms:  # fmt: skip
    """The terms that the draft means. `contact` is the watch's own, from the settings, and so is `holdoff`: until when
    a hold-off stands that does not say so. `base`: the terms that a revision starts from. Raises: BadInput with `field`
    (the first), `fields` (all) and a sentence for each."""
    reading = Reading(draft)
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
    protected = protected_in(reading, now_ms, base.protected if base is not None else None)
    expires = time_in(reading, "expires", now_ms) if reading.given("expires") else None
    reading.complain()
    assert volumes
    plain: dict[str, Any] = {field: reading.text(field) for field in PLAIN if reading.given(field)}
    if reading.given("covers"):
        plain["covers"] = tuple(name.strip() for name in reading.text("covers").split(",") if name.strip())
    if protected is not None:
        plain["protected"] = protected
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
    if {"radius", "half_width", "polygon", "polyarc"} & given or str(draft.get("circle", "")).count(",") == 2:
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
    "corridor": "area", "orbit": "area", "polyarc": "area", "moving": "area", "from": "start", "until": "end",
}  # fmt: skip


def volumes_of(
    draft: Mapping[str, Any], *, now_ms: int, reading: Reading | None = None, base: tuple[Volume4D, ...] = ()
) -> tuple[Volume4D, ...]:
    """The volumes of a draft: as written out in `volumes`, or one from a shape, a band and a window. With `base`, what
    is not given stays. Raises: BadInput; with `reading` it only notes what is wrong, and the result may be empty."""
    alone = reading is None
    reading = reading or Reading(draft)
    found = volumes_in(reading, now_ms, base)
    if alone:
        reading.complain()
    return found or ()


def settled(draft: Mapping[str, Any], *, now_ms: int) -> dict[str, Any]:
    """The same draft with `+15m`, `now` and `09:40Z` written out; what cannot be read stays as it is."""
    kept = dict(draft)
    reading = Reading(kept)
    start = None
    for field in (*WINDOW, "expires", "last"):
        if reading.text(field):
            t_ms = time_in(reading, field, now_ms if field == "from" else start or now_ms, relative_to=now_ms)
            if t_ms is not None:
                kept[field] = instant.show(t_ms)
                start = t_ms if field == "from" else start
    if reading.text("waypoints"):
        kept["waypoints"] = settled_waypoints(reading.text("waypoints"), now_ms)
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


def _choice(reading: Reading, field: str, kind: type[Any]) -> Any:
    if not reading.given(field):
        return None
    word = reading.text(field).upper().replace("-", "_").replace(" ", "_")
    if word not in kind.__members__:
        reading.missing(field, f"{reading.draft[field]!r} is none of {', '.join(kind.__members__)}")
        return None
    return kind[word]


def _short(
    reading: Reading, chosen: Mapping[str, Any], now_ms: int, contact: str, rules: Rules, holdoff: str
) -> Terms:  # fmt: skip
    """Three fields: kind, place, until; the rest is configuration (C10). A hold-off and distress need only the place
    (G1, G8)."""
    type_ = chosen["type"]
    distress = type_ is NoticeType.DISTRESS
    place: Point | Shape | None
    if reading.given("circle") and not reading.given("radius") and reading.text("circle").count(",") != 2:
        place = reading.take("circle", lambda: parse_point(reading.text("circle"), field="circle"))
    else:
        area = area_in(reading)
        if isinstance(area, Moving):
            reading.missing("moving", "here only where it is now is asked: give `circle`")
        place = None if isinstance(area, Moving) else area
    if place is None and not set(SHAPES) & set(reading.wrong):
        reading.missing("circle", 'say where: --at "36.20N 37.15E"')
    until = None
    if reading.given("until"):
        until = time_in(reading, "until", now_ms)
    elif distress:
        until = now_ms + ALERT_LIVES_MS  # as long as an ALERT without a place
    elif type_ is NoticeType.UNANNOUNCED_TRAFFIC:
        until = now_ms + _SIGHTING_MS
    elif type_ is NoticeType.HOLD_OFF:
        until = time_of(holdoff, now_ms=now_ms, field="until", up=True)
    else:
        reading.missing("until", 'say until when others should stay away, such as "+6h"')
    for field in ("from", *BAND, "half_width", "inner", "expires", *MOVES, *AGAIN, *PROTECT, "volumes"):
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
    people = type_ in (NoticeType.HOLD_OFF, NoticeType.DISTRESS)
    kind = chosen["hazard"] or (Hazard.PEOPLE_PRESENT if people else Hazard.UNSPECIFIED)
    terms = notice.accident(kind, place, until, form, now_ms=now_ms, type_=type_)
    return msgspec.structs.replace(terms, **{f: reading.text(f) for f in ("place_name", "text") if reading.given(f)})


# What is given in the short form.
_SHORT: Final = {
    NoticeType.ACCIDENT: "an accident notice",
    NoticeType.HOLD_OFF: "a hold-off",
    NoticeType.UNANNOUNCED_TRAFFIC: "a sighting",
    NoticeType.DISTRESS: "a distress notice",
}
# Whoever was seen may be far away by then; what is still there is seen again.
_SIGHTING_MS: Final = 1_800_000
# An accident does not wait for a setting that somebody forgot.
_NO_CONTACT: Final = "the number that you have for our watch"
# Where an agreement has no least area: room for those who come to help.
_ACCIDENT_RADIUS_MM: Final = 5_000_000
