# SPDX-License-Identifier: Apache-2.0
"""Times as people write them, to and from milliseconds UTC (domain.md D3).

    parse("2018-09-17T18:38:50Z")           1_537_209_530_000
    parse("2018-09-17T21:38:50+03:00")      the same instant
    parse("171838Z SEP 18")                 a military date-time group
    parse("+15m", now_ms=…)                 from now
    show(1_537_209_530_000)                 "2018-09-17T18:38:50Z"

A time without a zone is refused: on 17 September 2018 one hour of local time stood between two accounts of one event.
Nothing here reads the clock; what is relative needs `now_ms`.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Final

from wideberth.errors import BadInput

MS_PER_SECOND: Final = 1_000
MS_PER_MINUTE: Final = 60_000
MS_PER_HOUR: Final = 3_600_000
MS_PER_DAY: Final = 86_400_000

# The last millisecond that a four-digit year can name; after it RFC 3339 has no spelling.
LAST_MS: Final = 253_402_300_799_999

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_RFC3339: Final = re.compile(
    r"(?P<y>\d{4})-(?P<mo>\d\d)-(?P<d>\d\d)[Tt ]"
    r"(?P<h>\d\d):(?P<mi>\d\d)(?::(?P<s>\d\d)(?:\.(?P<f>\d{1,18}))?)? ?(?P<z>.*)",
    re.ASCII,
)
_OFFSET: Final = re.compile(r"(?P<sign>[+-])(?P<h>\d\d):?(?P<m>\d\d)", re.ASCII)
_GROUP: Final = re.compile(
    r"(?P<d>\d\d)(?P<h>\d\d)(?P<mi>\d\d)(?P<z>[A-Z]?) ?(?P<mo>[A-Z]{3}) ?(?P<y>\d\d|\d{4})", re.ASCII
)
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

_HOW: Final = 'write UTC like "2018-09-17T18:38:50Z", or with an offset like "2018-09-17T21:38:50+03:00"'
_UNITS_MS: Final = {"d": MS_PER_DAY, "h": MS_PER_HOUR, "m": MS_PER_MINUTE, "s": MS_PER_SECOND, "ms": 1}
_SPAN_PART: Final = re.compile(r"(?P<n>\d{1,12}(?:\.\d{1,9})?) ?(?P<u>ms|min|[dhms])", re.ASCII | re.IGNORECASE)


def parse(text: str, *, now_ms: int | None = None, up: bool = False, field: str = "time") -> int:
    """Milliseconds UTC. Fractions finer than a millisecond are rounded down, or up with `up` (for the end of a window,
    so that rounding never makes a window shorter).

    `now` and `+15m` are understood when `now_ms` is given. Raises BadInput with a sentence; details name `field`.
    """
    text = text.strip()
    if text.lower() == "now" or text[:1] in ("+", "-"):
        return _relative(text, now_ms, field)
    match = _RFC3339.fullmatch(text)
    if match is not None:
        return _rfc3339(match, text, up, field)
    match = _GROUP.fullmatch(text.upper())
    if match is not None:
        return _group(match, text, field)
    raise BadInput(f"{text!r} is not a time: {_HOW}", field=field)


def show(t_ms: int) -> str:
    """RFC 3339 in UTC; milliseconds only where there are some.

    Never fails: a number from a peer that has no such spelling is shown as what it is.
    """
    if not 0 <= t_ms <= LAST_MS:
        return f"{t_ms} ms after 1970-01-01T00:00:00Z"
    whole = _EPOCH + dt.timedelta(milliseconds=t_ms)
    ms = t_ms % MS_PER_SECOND
    return whole.strftime("%Y-%m-%dT%H:%M:%S") + (f".{ms:03d}Z" if ms else "Z")


def parse_span(text: str, *, field: str = "duration") -> int:
    """`"10m"`, `"600s"`, `"2h"`, `"1h30m"`, `"1.5h"`, `"250ms"`, `"1d"` to milliseconds. `m` is minutes.

    Units fall from large to small, each at most once, so that a slip such as `5m1h` is seen.
    """
    rest, total, allowed = text.strip(), Decimal(0), list(_UNITS_MS)
    if rest.isascii() and rest.isdigit():
        raise BadInput(f'{field}: {text!r} has no unit; write "10m", "600s" or "1h30m"', field=field)
    while rest:
        match = _SPAN_PART.match(rest)
        unit = match["u"].lower().replace("min", "m") if match else ""
        if match is None or unit not in allowed:
            raise BadInput(f'{field}: {text!r} is not a duration; write "10m", "600s", "2h" or "1h30m"', field=field)
        total += Decimal(match["n"]) * _UNITS_MS[unit]
        allowed = allowed[allowed.index(unit) + 1 :]
        rest = rest[match.end() :].lstrip()
    if not text.strip() or total != int(total):
        raise BadInput(f"{field}: {text!r} is not a whole number of milliseconds", field=field)
    return int(total)


def show_span(span_ms: int) -> str:
    """The shortest spelling that `parse_span` reads back: `5400000` is `"1h30m"`. Negative spans wear a minus."""
    if span_ms == 0:
        return "0s"
    sign, rest, parts = ("-" if span_ms < 0 else ""), abs(span_ms), []
    for unit, size in _UNITS_MS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts)


def _relative(text: str, now_ms: int | None, field: str) -> int:
    if now_ms is None:
        raise BadInput(f"{text!r} counts from now, and there is no now here: {_HOW}", field=field)
    if text.lower() == "now":
        return now_ms
    span = parse_span(text[1:], field=field)
    return now_ms + (span if text[0] == "+" else -span)


def _rfc3339(match: re.Match[str], text: str, up: bool, field: str) -> int:
    zone = match["z"]
    offset = _OFFSET.fullmatch(zone)
    if zone == "":
        raise BadInput(f"{text!r} has no zone, so it could be any of 24 hours: {_HOW}", field=field)
    if zone not in ("Z", "z") and offset is None:
        raise BadInput(f"{zone!r} is not a zone that every reader knows alike: {_HOW}", field=field)
    minutes = 0
    if offset is not None:
        if zone.startswith("-") and int(offset["h"]) == int(offset["m"]) == 0:
            # RFC 3339 §4.3: -00:00 says that the local offset is unknown.
            raise BadInput(f"{text!r} says that its zone is unknown (-00:00): {_HOW}", field=field)
        if int(offset["h"]) > 23 or int(offset["m"]) > 59:
            raise BadInput(f"{zone!r} is not an offset from UTC: {_HOW}", field=field)
        minutes = (int(offset["h"]) * 60 + int(offset["m"])) * (-1 if offset["sign"] == "-" else 1)
    second = int(match["s"] or 0)
    if second == 60:
        raise BadInput(f"{text!r} is a leap second, which has no number here: use the next second", field=field)
    parts = (int(match["y"]), int(match["mo"]), int(match["d"]), int(match["h"]), int(match["mi"]), second)
    digits = (match["f"] or "").ljust(3, "0")
    ms = int(digits[:3]) + (up and digits[3:].strip("0") != "")
    return _checked(_from_parts(parts, text, field) - minutes * MS_PER_MINUTE + ms, text, field)


def _group(match: re.Match[str], text: str, field: str) -> int:
    """A date-time group: day, hour, minute, zone letter, month, year. Only Z is taken; J means local time."""
    if match["z"] != "Z":
        raise BadInput(f'{text!r} is not in zone Z: write UTC, like "171838Z SEP 18"', field=field)
    if match["mo"] not in _MONTHS:
        raise BadInput(f"{match['mo']!r} is not a month: one of {', '.join(_MONTHS)}", field=field)
    year = int(match["y"]) + (2000 if len(match["y"]) == 2 else 0)
    parts = (year, _MONTHS.index(match["mo"]) + 1, int(match["d"]), int(match["h"]), int(match["mi"]), 0)
    return _checked(_from_parts(parts, text, field), text, field)


def _from_parts(parts: tuple[int, int, int, int, int, int], text: str, field: str) -> int:
    year, month, day, hour, minute, second = parts
    try:
        at = dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
    except ValueError as error:
        raise BadInput(f"{text!r} is not a time: {error}", field=field) from None
    return (at - _EPOCH) // dt.timedelta(milliseconds=1)


def _checked(t_ms: int, text: str, field: str) -> int:
    if not 0 <= t_ms <= LAST_MS:
        raise BadInput(f"{text!r} lies before 1970 or after 9999: check the year", field=field)
    return t_ms
