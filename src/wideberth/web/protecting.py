# SPDX-License-Identifier: Apache-2.0
"""Who is to be protected, as a draft says it: the fields of a site or a movement beside place and time (domain.md K1).

{"organisation": "AID", "work": "FOOD", "marking": "red roof mark", "vehicles": "truck 1; car 3", "contacts": "+999 1",
 "check_in": "30m", "waypoints": "41.2N 38.6W at 18:30Z = bridge; …", "urgency": "EMERGENCY", "why_urgent": "flood"}
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from wideberth.core.say import instant
from wideberth.core.say.coordinates import parse_point, show_decimal
from wideberth.core.say.instant import parse_span
from wideberth.core.say.protect import Protected, Urgency, Waypoint, Work
from wideberth.errors import BadInput
from wideberth.web.reading import PROTECT, Reading, time_of

_LISTS: Final = ("contacts", "vehicles")
_TEXTS: Final = ("organisation", "marking", "photo", "address", "why_urgent")


def protected_in(reading: Reading, now_ms: int, base: Protected | None = None) -> Protected | None:
    """What the draft says, with what is not given as it was in `base`. None where it says nothing, or what cannot be
    used, which is noted."""
    if not any(reading.given(field) for field in PROTECT):
        return base
    fresh: dict[str, Any] = {field: reading.text(field) for field in _TEXTS if reading.given(field)}
    fresh |= {field: _parts(reading.text(field)) for field in _LISTS if reading.given(field)}
    for field, kind in (("work", Work), ("urgency", Urgency)):
        if reading.given(field):
            fresh[field] = reading.take(field, lambda field=field, kind=kind: _choice(reading, field, kind))  # type: ignore[misc]
    if reading.given("check_in"):
        fresh["check_in_ms"] = reading.take("check_in", lambda: parse_span(reading.text("check_in"), field="check_in"))
    if reading.given("waypoints"):
        fresh["waypoints"] = reading.take("waypoints", lambda: _waypoints(reading.text("waypoints"), now_ms))
    for field, why in (("organisation", "say whose site or movement it is"), ("work", f"one of {', '.join(Work)}")):
        if base is None and not reading.given(field):
            reading.missing(field, why)
    if set(PROTECT) & set(reading.wrong):
        return None
    return reading.take(
        "organisation", lambda: Protected(**fresh) if base is None else msgspec.structs.replace(base, **fresh)
    )


def settled_waypoints(text: str, now_ms: int) -> str:
    """With their times written out, so that a draft which is sent later still means what was meant; what cannot be read
    stays as it is."""
    try:
        found = _waypoints(text, now_ms)
    except BadInput:
        return text
    named = (f" = {w.name}" if w.name else "" for w in found)
    return "; ".join(
        f"{show_decimal(w.point)} at {instant.show(w.at_ms)}{name}" for w, name in zip(found, named, strict=True)
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _choice(reading: Reading, field: str, kind: type[Work | Urgency]) -> Work | Urgency:
    word = reading.text(field).upper().replace("-", "_").replace(" ", "_")
    if word not in kind.__members__:
        raise BadInput(f"{reading.draft[field]!r} is none of {', '.join(kind.__members__)}", field=field)
    return kind[word]


def _waypoints(text: str, now_ms: int) -> tuple[Waypoint, ...]:
    found: list[Waypoint] = []
    for part in _parts(text):
        place, at, rest = part.partition(" at ")
        if not at:
            raise BadInput(f'{part!r} is no place with a time: "41.2N 38.6W at 18:30Z = bridge"', field="waypoints")
        time, _, name = rest.partition("=")
        after_ms = found[-1].at_ms if found else None
        at_ms = time_of(time.strip(), now_ms=now_ms, field="waypoints", after_ms=after_ms)
        found.append(Waypoint(parse_point(place, field="waypoints"), at_ms, name.strip()))
    return tuple(found)
