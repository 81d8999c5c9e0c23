# SPDX-License-Identifier: Apache-2.0
"""Integers with a unit in the name, and the exact factors between the units that people use.

What is signed is an integer: degrees in 1e-9 (`_ndeg`), lengths in millimetres (`_mm`), times in milliseconds (`_ms`).
All factors here are exact by definition: the international foot is 304.8 mm, the nautical mile 1,852 m, the statute
mile 1,609.344 m. Conversion is decimal, so `3` NM is 5,556,000 mm on every machine.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

from wideberth.errors import BadInput

NDEG_PER_DEGREE: Final = 1_000_000_000
MM_PER_FOOT: Final = Decimal("304.8")
MM_PER_METRE: Final = Decimal(1_000)
MM_PER_KILOMETRE: Final = Decimal(1_000_000)
MM_PER_NAUTICAL_MILE: Final = Decimal(1_852_000)
MM_PER_STATUTE_MILE: Final = Decimal(1_609_344)

Number = int | float | str | Decimal


def decimal(value: Number, what: str) -> Decimal:
    """Read a number exactly. A float is read as its shortest decimal spelling (0.1 is one tenth)."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadInput(f"{what} is not a number: {value!r}", field=what) from None
    if not number.is_finite():
        raise BadInput(f"{what} is not a finite number: {value!r}", field=what)
    return number


def whole(number: Decimal) -> int:
    """The nearest integer, halves to even."""
    return int(number.to_integral_value(rounding=ROUND_HALF_EVEN))


def degrees_to_ndeg(value: Number, what: str) -> int:
    return whole(decimal(value, what) * NDEG_PER_DEGREE)


def feet(value: Number) -> int:
    """International feet to millimetres."""
    return whole(decimal(value, "feet") * MM_PER_FOOT)


def metres(value: Number) -> int:
    return whole(decimal(value, "metres") * MM_PER_METRE)


def kilometres(value: Number) -> int:
    return whole(decimal(value, "kilometres") * MM_PER_KILOMETRE)


def nautical_miles(value: Number) -> int:
    return whole(decimal(value, "nautical miles") * MM_PER_NAUTICAL_MILE)


def statute_miles(value: Number) -> int:
    return whole(decimal(value, "statute miles") * MM_PER_STATUTE_MILE)


def one_length_mm(what: str, **given: Number | None) -> int:
    """Exactly one of `…_mm`, `…_m`, `…_km`, `…_nm`, `…_mi`, `…_ft` must be given; returns millimetres."""
    factors = {
        "mm": Decimal(1), "m": MM_PER_METRE, "km": MM_PER_KILOMETRE,
        "nm": MM_PER_NAUTICAL_MILE, "mi": MM_PER_STATUTE_MILE, "ft": MM_PER_FOOT,
    }  # fmt: skip
    named = {name: value for name, value in given.items() if value is not None}
    if len(named) != 1:
        raise BadInput(f"give the {what} once, with its unit: one of {', '.join(given)}", field=what)
    ((name, value),) = named.items()
    return whole(decimal(value, name) * factors[name.rsplit("_", 1)[-1]])
