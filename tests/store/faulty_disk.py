# SPDX-License-Identifier: Apache-2.0
"""A disk that fails on purpose: an APSW VFS over the real one, so that the real SQLite meets a real error code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import apsw

_names = count(1)


class FaultyDisk(apsw.VFS):
    """Counts writes and syncs of every file; from the `at`-th call of `kind` on, `times` calls fail with `code`."""

    def __init__(self) -> None:
        self.name = f"faulty{next(_names)}"
        self.calls = {"write": 0, "sync": 0}
        self._kind = ""
        self._at = 0
        self._times = 0
        self._code = 0
        self.hits = 0
        super().__init__(self.name, base="")

    def arm(self, kind: str, at: int, code: int, times: int = 1) -> None:
        """Counting starts anew: `at` = 1 is the next call."""
        self.calls = {"write": 0, "sync": 0}
        self._kind, self._at, self._code, self._times, self.hits = kind, at, code, times, 0

    def mend(self) -> None:
        self._kind = ""

    def meet(self, kind: str) -> None:
        self.calls[kind] += 1
        if kind == self._kind and self._at <= self.calls[kind] < self._at + self._times:
            self.hits += 1
            raise apsw.exception_for(self._code)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.meet("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.meet("sync")
        super().xSync(flags)


@contextmanager
def faulty_disk() -> Iterator[FaultyDisk]:
    disk = FaultyDisk()
    try:
        yield disk
    finally:
        disk.unregister()
