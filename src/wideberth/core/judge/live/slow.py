# SPDX-License-Identifier: Apache-2.0
"""The live picture without numba: the same questions and answers, by `core/judge/picture.py` and the predicate."""

from __future__ import annotations

import heapq
from typing import NamedTuple

from wideberth.core.judge.live.values import Meeting, Prepared
from wideberth.core.judge.picture import Picture
from wideberth.core.judge.separation import judge
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.volume import Volume4D
from wideberth.errors import BadInput


class SlowReady(NamedTuple):
    """An operation; nothing has to be made ready here."""

    key: str
    volumes: tuple[Volume4D, ...]


class Ends:
    """When each operation is over: its last volume has ended. The window is half-open, so at that instant it is."""

    def __init__(self) -> None:
        self._ends: list[tuple[int, str]] = []
        self._end: dict[str, int] = {}

    def holds(self, key: str, end_ms: int) -> None:
        self._end[key] = end_ms
        heapq.heappush(self._ends, (end_ms, key))

    def drop(self, key: str) -> None:
        del self._end[key]
        if len(self._ends) > 2 * len(self._end) + 64:  # what was taken out by hand must not pile up
            self._ends = sorted((end, key) for key, end in self._end.items())

    def over(self, now_ms: int) -> list[str]:
        """Keys of what is over now, soonest first; they are still held."""
        found: dict[str, None] = {}
        while self._ends and self._ends[0][0] <= now_ms:
            end, key = heapq.heappop(self._ends)
            if self._end.get(key) == end:
                found[key] = None
        return list(found)


class SlowPicture:
    """As `arrays.py`'s picture, in plain Python."""

    def __init__(self) -> None:
        self._picture = Picture()
        self._ends = Ends()

    def __len__(self) -> int:
        """How many volumes are in the picture."""
        return len(self._picture)

    def __contains__(self, key: str) -> bool:
        return key in self._picture

    def add(self, one: Prepared) -> None:
        """Put an operation in. Raises BadInput when its key is there already."""
        check_new(one.key, one.key in self._picture)
        self._picture.add(one.key, one.volumes)
        self._ends.holds(one.key, max(v.end_ms for v in one.volumes))

    def remove(self, key: str) -> None:
        """Take an operation out; nothing happens when it is not there."""
        if key in self._picture:
            self._picture.remove(key)
            self._ends.drop(key)

    def expire(self, now_ms: int) -> list[str]:
        """Take out what is over; the keys, soonest end first."""
        over = self._ends.over(now_ms)
        for key in over:
            self.remove(key)
        return over

    def meets(self, one: Prepared, minima: SeparationMinima, *, pressure_margin_mm: int = 610_000) -> list[Meeting]:
        """Every volume in the picture that is not separate from one of this operation's, ordered by our number, key
        and theirs. What has the same key is not held against it."""
        found = []
        for ours, volume in enumerate(one.volumes):
            for key, theirs, other in self._picture.near(volume, minima, pressure_margin_mm=pressure_margin_mm):
                if key == one.key:
                    continue
                answer = judge(other, volume, minima, pressure_margin_mm=pressure_margin_mm).answer
                if answer != "separate":
                    found.append(Meeting(key, theirs, ours, answer))
        return sorted(found, key=in_order)


def in_order(meeting: Meeting) -> tuple[int, str, int]:
    return meeting.ours, meeting.key, meeting.theirs


def check_new(key: str, known: bool) -> None:
    if known:
        raise BadInput(f"{key!r} is in the picture already; take it out first, or give it another name", field="id")
