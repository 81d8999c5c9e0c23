# SPDX-License-Identifier: Apache-2.0
"""Many times at once: RFC 3339 in UTC to whole milliseconds, by column. Numpy is needed (the extra `fast`).

The two spellings that programs write, `2018-09-17T18:38:50Z` and `2018-09-17T18:38:50.250Z`, are read by their digits;
every other one by `say/instant.py`, one by one.
"""

from __future__ import annotations

from typing import Any, Final

from wideberth.core.say import instant
from wideberth.errors import BadInput

_DIGITS: Final = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18)
_SIGNS: Final = ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"))


def times_ms(texts: list[str], *, up: bool) -> tuple[Any, Any]:
    """Milliseconds UTC, int64, and which texts are no times. `up` as for `instant.parse`."""
    import numpy as np

    ms, left = np.zeros(len(texts), np.int64), np.ones(len(texts), bool)
    for width in (20, 24):
        which = [i for i, text in enumerate(texts) if len(text) == width and text.isascii()]
        if which:
            at = np.array(which)
            found, plain = _plain("".join([texts[i] for i in which]), width)
            ms[at[plain]] = found[plain]
            left[at[plain]] = False
    for i in np.flatnonzero(left):
        try:
            ms[i] = instant.parse(texts[i], up=up)
            left[i] = False
        except BadInput:
            continue
    return ms, left


def _plain(text: str, width: int) -> tuple[Any, Any]:
    """Of texts of one width in a row: milliseconds, and which of them are plainly times of 1970 to 9999."""
    import numpy as np

    signs = np.frombuffer(text.encode("ascii"), np.uint8).reshape(-1, width)
    digits = signs - np.uint8(ord("0"))  # whatever is no digit is above 9, or wraps round to it
    numbers = digits.astype(np.int64)
    places = [*_DIGITS, *((20, 21, 22) if width == 24 else ())]
    marks = [*_SIGNS, (width - 1, "Z"), *(((19, "."),) if width == 24 else ())]
    plain = (digits[:, places] <= 9).all(axis=1)
    for place, mark in marks:
        plain &= signs[:, place] == ord(mark)

    def two(place: int) -> Any:
        return numbers[:, place] * 10 + numbers[:, place + 1]

    year, month, day = two(0) * 100 + two(2), two(5), two(8)
    hour, minute, second = two(11), two(14), two(17)
    plain &= (year >= 1970) & (month >= 1) & (month <= 12) & (day >= 1) & (hour <= 23) & (minute <= 59) & (second <= 59)
    months = np.where(plain, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    days = (months + 1).astype("datetime64[D]").astype(np.int64) - first
    plain &= day <= days
    whole = (((first + day - 1) * 24 + hour) * 60 + minute) * 60 + second
    part = (numbers[:, 20] * 100 + numbers[:, 21] * 10 + numbers[:, 22]) if width == 24 else 0
    return whole * 1000 + part, plain
