# SPDX-License-Identifier: Apache-2.0
"""The picture in arrays: the side of it that owns them, gives them room, and speaks Python.

One call into a kernel for each look, each operation in and each operation out. Arrays grow by half; when an operation
does not fit, the kernel says so before it has changed anything. When three quarters of the room stand empty, everything
is filed anew in smaller arrays, so that what was held once costs nothing later.
"""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from wideberth.core.judge.fast.flatmap import CONFLICT, SEPARATE
from wideberth.core.judge.live.grid import insert, rehash, remove
from wideberth.core.judge.live.layout import BOOK, COUNT_MASK, COUNT_SHIFT, FREE_BLOCK
from wideberth.core.judge.live.look import look
from wideberth.core.judge.live.prepared import Ready, Words, volume_of
from wideberth.core.judge.live.slow import Ends, check_new, in_order
from wideberth.core.judge.live.values import Meeting, Prepared
from wideberth.core.judge.live.weighing import weigh_found
from wideberth.core.judge.separation import Answer, judge
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.volume import Volume4D
from wideberth.errors import Misuse

_T = TypeVar("_T", bound=np.generic)

_ROOM: Final = 64  # volumes at the start


class Runs:
    """Which rows of an array are in use: runs of rows that lie together, used again by their length."""

    def __init__(self) -> None:
        self.used = 0
        self.taken = 0  # rows ever used: all that are in use lie below
        self._free: dict[int, list[int]] = {}

    def take(self, count: int) -> int:
        """The first of so many rows that are not in use."""
        self.used += count
        runs = self._free.get(count)
        if runs:
            return runs.pop()
        self.taken += count
        return self.taken - count

    def give(self, first: int, count: int) -> None:
        self.used -= count
        self._free.setdefault(count, []).append(first)

    def wasteful(self, least: int) -> bool:
        """Whether three quarters stand empty."""
        return self.taken > least and self.used * 4 < self.taken


class NativePicture:
    """Operations by key. Not for two threads at once."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}  # an operation's first record, by its key
        self._ends = Ends()
        self._work = np.empty((2, 8), np.int64)
        self._found = np.empty((256, 2), np.int64)
        self._make_room(_ROOM)

    def _make_room(self, volumes: int) -> None:
        self._runs, self._corner_runs = Runs(), Runs()
        self._records = _unused(volumes)
        self._spines = np.empty((volumes, 4), np.int64)
        self._corners = np.empty((volumes * 4, 2), np.int64)
        self._keys: list[str | None] = [None] * volumes  # by an operation's first record
        self._table = _empty_table(1 << (volumes * 4 - 1).bit_length())
        self._blocks = np.empty((volumes * 2, 8), np.int32)
        self._book = np.zeros(BOOK, np.int64)
        self._book[FREE_BLOCK] = -1

    def __len__(self) -> int:
        """How many volumes are in the picture."""
        return self._runs.used

    def __contains__(self, key: str) -> bool:
        return key in self._first

    def bytes_used(self) -> int:
        """Memory of all arrays, in bytes. Keys come on top: some 300 bytes an operation."""
        held = (self._records, self._spines, self._corners, self._table, self._blocks, self._book)
        return sum(array.nbytes for array in held) + 8 * len(self._keys)

    def add(self, one: Prepared) -> None:
        """Put an operation in. Raises BadInput when its key is there already."""
        ready = _made_for_us(one)
        check_new(ready.key, ready.key in self._first)
        self._put(ready)
        self._ends.holds(ready.key, ready.end_ms)

    def _put(self, one: Ready) -> None:
        count, corners = len(one.rows), len(one.corners)
        self._lengthen(self._runs.taken + count, self._corner_runs.taken + corners)
        first, corner = self._runs.take(count), self._corner_runs.take(corners)
        while lacking := insert(
            self._records, self._spines, self._corners, self._table, self._blocks, self._book,
            one.rows, one.corners, first, corner, self._work[0],
        ):  # fmt: skip
            if lacking == 1:
                wider = _empty_table(len(self._table) * 2)
                rehash(self._table, wider)
                self._table = wider
            else:
                self._blocks = _longer(self._blocks, len(self._blocks) + 16 * count)
        self._first[one.key] = first
        self._keys[first] = one.key

    def _lengthen(self, volumes: int, corners: int) -> None:
        """Room first: the kernels check no bounds, so a row that is taken must exist, also when memory runs out."""
        before = len(self._records)
        if volumes > before:
            records = _longer(self._records, volumes)
            records[before:] = _unused(1)[0]
            self._spines = _longer(self._spines, volumes)
            self._keys += [None] * (len(records) - before)
            self._records = records
        if corners > len(self._corners):
            self._corners = _longer(self._corners, corners)

    def remove(self, key: str) -> None:
        """Take an operation out; nothing happens when it is not there."""
        first = self._first.pop(key, None)
        if first is None:
            return
        count = self._count(first)
        missing = remove(self._records, self._table, self._blocks, self._book, first, count, self._work[0])
        if missing:
            raise Misuse(f"{missing} entries of {key!r} were not where they should be: a bug in the index")
        self._keys[first] = None
        self._runs.give(first, count)
        corner = int(self._spines[first, 1])
        last = first + count - 1
        self._corner_runs.give(corner, int(self._spines[last, 1] + self._spines[last, 2]) - corner)
        self._ends.drop(key)
        if self._runs.wasteful(_ROOM) or self._corner_runs.wasteful(4 * _ROOM):
            self._file_anew()

    def _file_anew(self) -> None:
        kept = [self._taken_back(key, first) for key, first in self._first.items()]
        self._first.clear()
        self._make_room(max(_ROOM, 2 * self._runs.used))
        for one in kept:
            self._put(one)

    def _taken_back(self, key: str, first: int) -> Ready:
        count = self._count(first)
        rows = np.concatenate((self._records[first : first + count], self._spines[first : first + count]), axis=1)
        corner, end = int(rows[0, 9]), int(rows[-1, 9] + rows[-1, 10])
        rows[:, 7] &= 0xFFFFFFFF
        rows[:, 9] -= corner
        return Ready(key, rows, self._corners[corner:end].copy(), int(rows[:, 4].max()))

    def expire(self, now_ms: int) -> list[str]:
        """Take out what is over; the keys, soonest end first."""
        over = self._ends.over(now_ms)
        for key in over:
            self.remove(key)
        return over

    def near(self, one: Prepared, minima: SeparationMinima, *, pressure_margin_mm: int = 610_000) -> Words:
        """Every pair that may meet, as (record, our number), int64[n, 2]: windows and bands exactly, place by boxes.
        It is overwritten by the next question."""
        ready = _made_for_us(one)
        owner = self._first.get(ready.key, -1)
        while True:
            count = look(
                self._records, self._runs.taken, self._table, self._blocks, self._book, ready.rows, owner,
                minima.horizontal_mm, minima.vertical_mm, minima.time_ms, pressure_margin_mm, self._work, self._found,
            )  # fmt: skip
            if count <= len(self._found):
                return self._found[:count]
            self._found = np.empty((2 * count, 2), np.int64)

    def meets(self, one: Prepared, minima: SeparationMinima, *, pressure_margin_mm: int = 610_000) -> list[Meeting]:
        """Every volume in the picture that is not separate from one of this operation's, ordered by our number, key
        and theirs. What has the same key is not held against it."""
        near = self.near(one, minima, pressure_margin_mm=pressure_margin_mm)
        if not len(near):
            return []
        ready = _made_for_us(one)
        answers = np.empty(len(near), np.int8)
        weigh_found(
            self._records, self._spines, self._corners, ready.rows, ready.corners, minima.horizontal_mm, near, answers
        )
        found = []
        for (record, ours), code in zip(near.tolist(), answers.tolist(), strict=True):
            if code == SEPARATE:
                continue
            answer = Answer.CONFLICT
            if code != CONFLICT:
                margin_mm = pressure_margin_mm
                verdict = judge(self._volume(record), ready.volume(ours), minima, pressure_margin_mm=margin_mm)
                answer = verdict.answer
            if answer is not Answer.SEPARATE:
                found.append(self._meeting(record, ours, answer))
        return sorted(found, key=in_order)

    def _meeting(self, record: int, ours: int, answer: Answer) -> Meeting:
        first = int(self._records[record, 7]) >> 32
        key = self._keys[first]
        assert key is not None
        return Meeting(key, record - first, ours, answer)

    def _volume(self, record: int) -> Volume4D:
        return volume_of(self._records[record], self._spines[record], self._corners)

    def _count(self, first: int) -> int:
        return int(self._records[first, 7]) >> COUNT_SHIFT & COUNT_MASK


def _made_for_us(one: Prepared) -> Ready:
    if not isinstance(one, Ready):
        raise Misuse(f"{one.key!r} was made ready for a picture of another kind; see live.ready(fast=...)")
    return one


def _unused(count: int) -> Words:
    """Records that no look can meet: they end before they begin."""
    records = np.zeros((count, 8), np.int64)
    records[:, 3] = 1
    return records


def _empty_table(cells: int) -> Words:
    return np.full((cells, 2), -1, np.int64)


def _longer(array: NDArray[_T], least: int) -> NDArray[_T]:
    """The same rows with room for half as many more, at least `least`."""
    longer = np.empty((max(least, len(array) * 3 // 2), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer
