# SPDX-License-Identifier: Apache-2.0
"""Speeds, courses and sectors as people write them: `15kt`, `120`, `S`, `135-225`. Bearings are true, in degrees."""

from __future__ import annotations

import re
from typing import Final

from wideberth.core.say import units
from wideberth.core.say.units import NDEG_PER_DEGREE
from wideberth.errors import BadInput

# Millimetres in an hour, exact: a knot is a nautical mile an hour.
_SPEEDS: Final = {
    "kt": 1_852_000, "kn": 1_852_000, "kts": 1_852_000, "km/h": 1_000_000, "kmh": 1_000_000, "m/s": 3_600_000,
}  # fmt: skip
_SPEED: Final = re.compile(r"(\d+(?:\.\d+)?) *(kts?|kn|km/?h|m/s)", re.ASCII | re.IGNORECASE)
_COMPASS: Final = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
# A compass word is the eighth of a circle to both sides of it: south is from south-east to south-west.
_TO_EACH_SIDE: Final = 45
# Faster than anything that an area moves with; above it the unit is wrong.
_SPEED_MM_H_MAX: Final = 2_000 * 1_852_000


def parse_speed(text: str, *, field: str = "speed") -> int:
    """Millimetres in an hour, exact for knots, km/h and m/s. Raises BadInput."""
    match = _SPEED.fullmatch(text.strip())
    if match is None:
        raise BadInput(f'{field}: {text!r} is not a speed; write it like "15kt", "28km/h" or "8m/s"', field=field)
    mm_h = units.whole(units.decimal(match[1], field) * _SPEEDS[match[2].lower()])
    if mm_h > _SPEED_MM_H_MAX:
        raise BadInput(f"{field}: {text!r} is faster than an area moves; check the unit", field=field)
    return mm_h


def parse_course(text: str, *, field: str = "course") -> int:
    """A true bearing of 0 to 360 degrees, in 1e-9 degree. Raises BadInput."""
    bare = text.strip().removesuffix("°").strip()
    try:
        ndeg = units.degrees_to_ndeg(bare, field)
    except BadInput:
        ndeg = -1
    if not 0 <= ndeg <= 360 * NDEG_PER_DEGREE:
        raise BadInput(f"{field}: {text!r} is not a true bearing, 0 to 360 degrees", field=field)
    return ndeg


def parse_sector(text: str, *, field: str = "sector") -> tuple[int, int]:
    """`"135-225"`, clockwise from the first to the second, or a compass word: `S` is 135 to 225. Raises BadInput."""
    word = text.strip().upper()
    if word in _COMPASS:
        middle = _COMPASS.index(word) * 45
        return (middle - _TO_EACH_SIDE) % 360, (middle + _TO_EACH_SIDE) % 360
    first, dash, last = word.partition("-")
    if not dash or not all(part.strip().isascii() and part.strip().isdecimal() for part in (first, last)):
        raise BadInput(
            f"{field}: {text!r} is not a sector; write two bearings, such as 135-225, or one of {', '.join(_COMPASS)}",
            field=field,
        )
    return int(first), int(last)
