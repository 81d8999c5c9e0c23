# SPDX-License-Identifier: Apache-2.0
"""Reading the fields of a draft: what was given, what is missing or cannot be used, and times as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from wideberth.core.say import instant
from wideberth.core.say.coordinates import parse_altitude
from wideberth.core.say.place import Altitude
from wideberth.core.say.words import Hazard, NoticeType, Onward, Precedence, Priority, Scale
from wideberth.errors import BadInput

SHAPES: Final = ("circle", "polygon", "corridor", "orbit", "polyarc", "moving")
MOVES: Final = ("speed", "course", "sector", "margin", "slices")
AGAIN: Final = ("days", "last")
PLACE: Final = (*SHAPES, "radius", "inner", "half_width", *MOVES, *AGAIN, "volumes")
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
# Of a site or movement (web/protecting.py).
PROTECT: Final = (
    "organisation", "work", "contacts", "marking", "vehicles", "photo", "address", "check_in", "waypoints", "urgency",
    "why_urgent",
)  # fmt: skip
FIELDS: Final = (*CHOICES, *PLAIN, *PROTECT, "covers", "expires", *PLACE, *WINDOW, *BAND)

# What the core calls a field, where a draft has two for it.
_OURS: Final = {"altitude": "low", "window": "until"}
# A clock time a little in the past is an activity that has just begun, not tomorrow's.
_JUST_NOW_MS: Final = 3_600_000
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):?([0-5]\d)Z", re.ASCII)

T = TypeVar("T")


class Reading:
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


def time_in(reading: Reading, field: str, after_ms: int, *, relative_to: int | None = None) -> int | None:
    now_ms = after_ms if relative_to is None else relative_to
    later = None if field == "from" else after_ms
    return reading.take(
        field,
        lambda: time_of(reading.text(field), now_ms=now_ms, field=field, after_ms=later, up=field != "from"),
    )


def altitude_in(reading: Reading, field: str) -> Altitude | None:
    if not reading.given(field):
        return None
    return reading.take(field, lambda: parse_altitude(reading.text(field), field=field))
