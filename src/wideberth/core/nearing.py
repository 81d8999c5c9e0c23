# SPDX-License-Identifier: Apache-2.0
"""Risk that grows by time alone: what was warned of is told again as it comes nearer, once for each threshold, without
any new message from anybody (domain.md G5, F23).

    nearing = Nearing()
    nearing.holds(key, start_ms, end_ms, now_ms)      # this meeting holds now, and was told just so
    nearing.over(key)                                 # it no longer does
    nearing.due(now_ms)                               # [(key, threshold), …] to tell now

What is inside a threshold when it is first told needs no second telling. A clock that leaps over several tells the
nearest; one that is set back repeats nothing, for what was told of a meeting with the same beginning stays told. This
is on the inner side: nothing of it can leave (J4).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

import msgspec

# An hour to plan anew, a quarter to turn, five minutes to call everybody; and when it begins.
BEFORE_MS: Final = (3_600_000, 900_000, 300_000, 0)

K = TypeVar("K", bound=Hashable)


class _Meeting(msgspec.Struct):
    start_ms: int
    end_ms: int
    told: set[int]
    holds: bool = True


class Nearing(Generic[K]):
    """Every meeting of one kind, by its key. Pure."""

    def __init__(self) -> None:
        self._meetings: dict[K, _Meeting] = {}

    def holds(self, key: K, start_ms: int, end_ms: int, now_ms: int) -> None:
        """It was found, or found anew, and is being told now."""
        passed = {before for before in BEFORE_MS if now_ms >= start_ms - before}
        known = self._meetings.get(key)
        if known is not None and known.start_ms == start_ms:
            passed |= known.told
        self._meetings[key] = _Meeting(start_ms, end_ms, passed)

    def over(self, key: K) -> None:
        """It no longer holds. What was told of it is kept, in case the clock is set back."""
        if key in self._meetings:
            self._meetings[key].holds = False

    def forget(self, now_ms: int) -> None:
        """What ended before this time and no longer holds can hold again only as something new."""
        self._meetings = {key: m for key, m in self._meetings.items() if m.holds or m.end_ms > now_ms}

    def due(self, now_ms: int) -> list[tuple[K, int]]:
        """What has come nearer, with the threshold in ms before it begins (0: it has begun)."""
        found = []
        for key, meeting in self._meetings.items():
            if not meeting.holds or now_ms >= meeting.end_ms:
                continue
            fresh = [b for b in BEFORE_MS if b not in meeting.told and now_ms >= meeting.start_ms - b]
            if fresh:
                meeting.told.update(fresh)
                found.append((key, min(fresh)))
        return found

    def next_ms(self) -> int | None:
        """When something will be due next, ms UTC."""
        times = [
            meeting.start_ms - before
            for meeting in self._meetings.values() if meeting.holds
            for before in BEFORE_MS if before not in meeting.told and meeting.start_ms - before < meeting.end_ms
        ]  # fmt: skip
        return min(times, default=None)
