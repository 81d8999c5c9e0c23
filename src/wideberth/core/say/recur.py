# SPDX-License-Identifier: Apache-2.0
"""Windows that come again: daily, or on some days of the week, always in UTC (domain.md C9).

A notice carries every window as a volume of its own, so that whoever reads it needs no calendar: what is signed is what
is checked. UTC has no summer time, so nothing shifts when a clock somewhere does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from wideberth.core.limits import VOLUMES_PER_NOTICE_MAX
from wideberth.core.say.volume import Volume4D
from wideberth.errors import BadInput

DAY_MS: Final = 86_400_000
WEEK: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# 1 January 1970 was a Thursday.
_EPOCH_DAY: Final = 3


def weekday(at_ms: int) -> str:
    """`MO` to `SU`, in UTC."""
    return WEEK[(at_ms // DAY_MS + _EPOCH_DAY) % 7]


def repeated(first: Volume4D, until_ms: int, days: Iterable[str] = WEEK) -> tuple[Volume4D, ...]:
    """`first`, and the same window on every later one of `days` that begins before `until_ms`.

    Raises BadInput when a window is longer than a day, no day is named, or there would be more than a notice holds.
    """
    chosen = set(days)
    if not chosen or not chosen <= set(WEEK):
        raise BadInput(f"days are {', '.join(WEEK)}", field="days")
    if first.end_ms - first.start_ms > DAY_MS:
        raise BadInput("a window that comes again every day is at most a day long", field="until")
    volumes = []
    for start_ms in range(first.start_ms, until_ms, DAY_MS):
        if weekday(start_ms) in chosen:
            later_ms = start_ms - first.start_ms
            volumes.append(msgspec.structs.replace(first, start_ms=start_ms, end_ms=first.end_ms + later_ms))
    if not volumes:
        raise BadInput("no window begins on one of those days before the end", field="until")
    if len(volumes) > VOLUMES_PER_NOTICE_MAX:
        raise BadInput(
            f"that is {len(volumes)} windows; a notice holds {VOLUMES_PER_NOTICE_MAX}. Give it for a shorter time and "
            "give the rest later",
            field="until",
        )
    return tuple(volumes)
