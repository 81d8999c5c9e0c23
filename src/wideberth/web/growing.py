# SPDX-License-Identifier: Apache-2.0
"""How a notice grows when its activity went off its nominal course, from what an officer typed (domain.md G7).

    {"until": "+30m"}                                all that ended last ends later
    {"radius": "20km"}, {"half_width": "5nm"}        circles, corridors are that wide
    {"low": "SFC", "high": "FL300"}                  the band is that high
    {"circle": "41.4N 38.1W", "radius": "10km"}      one volume more, from now; SFC to UNL where no band is given

Nothing is taken away; that it only grew is checked by the core (`say/growth.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from wideberth.core.say import instant
from wideberth.core.say.coordinates import parse_altitude, parse_distance
from wideberth.core.say.volume import Circle, Corridor, Shape, Volume4D
from wideberth.core.say.words import Cause, Hazard, Terms
from wideberth.errors import BadInput
from wideberth.web import drafts
from wideberth.web.reading import SHAPES

FIELDS: Final = (*SHAPES, "radius", "half_width", "low", "high", "until", "hazard", "text")


def grown_terms(draft: Mapping[str, Any], base: Terms, *, now_ms: int) -> Terms:
    """The terms of the off-nominal version. Raises: BadInput."""
    given = {field: str(value).strip() for field, value in draft.items() if value}
    if strange := [field for field in given if field not in FIELDS]:
        raise BadInput(f"{strange[0]}: what went off-nominal grows by {', '.join(FIELDS)}", field=strange[0])
    if not given.keys() - {"hazard", "text"}:
        raise BadInput("say how far it may reach now: --until, --radius, --high or another place", field="until")
    until = drafts.time_of(given["until"], now_ms=now_ms, field="until", up=True) if "until" in given else None
    if drafts.has_place(given):
        volumes = (*base.volumes, *_added(given, base, until, now_ms))
    else:
        volumes = tuple(_wider(volume, given, until, base.ends_ms) for volume in base.volumes)
    ends_ms = max(v.end_ms for v in volumes)
    fresh: dict[str, Any] = {"text": given["text"]} if "text" in given else {}
    if "hazard" in given:
        fresh["hazard"] = _hazard(given["hazard"])
    return msgspec.structs.replace(base, volumes=volumes, expires_ms=max(base.expires_ms, ends_ms), **fresh)


def cause_of(text: str) -> Cause:
    """Raises: BadInput."""
    word = text.upper().replace("-", "_").replace(" ", "_")
    if word not in Cause.__members__:
        raise BadInput(f"the cause is one of {', '.join(Cause.__members__)}, not {text!r}", field="cause")
    return Cause[word]


def _added(given: Mapping[str, str], base: Terms, until: int | None, now_ms: int) -> tuple[Volume4D, ...]:
    place = {field: given[field] for field in (*SHAPES, "radius", "half_width") if field in given}
    band = {"low": given.get("low", "SFC"), "high": given.get("high", "UNL")}
    window = {"from": "now", "until": instant.show(base.ends_ms if until is None else until)}
    return drafts.volumes_of({**place, **band, **window}, now_ms=now_ms)


def _wider(volume: Volume4D, given: Mapping[str, str], until: int | None, last_ms: int) -> Volume4D:
    fresh: dict[str, Any] = {"shape": _shape(volume.shape, given)}
    if until is not None and volume.end_ms == last_ms:
        fresh["end_ms"] = until
    for field, name in (("low", "lower"), ("high", "upper")):
        if field in given:
            fresh[name] = parse_altitude(given[field], field=field)
    return msgspec.structs.replace(volume, **fresh)


def _shape(shape: Shape, given: Mapping[str, str]) -> Shape:
    if "radius" in given and isinstance(shape, Circle):
        return msgspec.structs.replace(shape, radius_mm=parse_distance(given["radius"], field="radius"))
    if "half_width" in given and isinstance(shape, Corridor):
        return msgspec.structs.replace(shape, half_width_mm=parse_distance(given["half_width"], field="half_width"))
    return shape


def _hazard(text: str) -> Hazard:
    word = text.upper().replace("-", "_").replace(" ", "_")
    if word not in Hazard.__members__:
        raise BadInput(f"{text!r} is none of {', '.join(Hazard.__members__)}", field="hazard")
    return Hazard[word]
