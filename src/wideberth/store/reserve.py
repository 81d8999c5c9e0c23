# SPDX-License-Identifier: Apache-2.0
"""Disk kept back for urgent entries (design.md §3): a file of real blocks, let go when the disk is full.

    reserve = Reserve.beside(Path("node.db"))
    reserve.restore()                     at start, and now and then after a release: True when it is held
    if reserve.low(): …                   refuse routine entries, and say so
    reserve.append_urgent(store, records, store.head)

The order is meant: routine entries stop while there still is some room, so that what fills the last of it is seldom us;
the reserve is for the case that others fill the disk.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wideberth.core.records import Record
from wideberth.errors import StoreBroken, StoreFull
from wideberth.store.contract import Store
from wideberth.store.ground import free_bytes

MIB: Final = 1024 * 1024

# A thousand urgent entries of routine size (4 kB), written once to the log and once to the database.
RESERVE_BYTES: Final = 8 * MIB

# Routine entries stop here: room for a full log (4 MiB), the database that it is folded into (4 MiB), and as much again
# for what was already under way.
FLOOR_BYTES: Final = 16 * MIB

_CHUNK_BYTES: Final = MIB


class Reserve:
    """`size_bytes` kept in a file at `path`; routine entries should stop below `floor_bytes` of free room."""

    def __init__(self, path: Path, *, size_bytes: int = RESERVE_BYTES, floor_bytes: int = FLOOR_BYTES) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self.floor_bytes = floor_bytes

    @classmethod
    def beside(cls, database: Path, *, size_bytes: int = RESERVE_BYTES, floor_bytes: int = FLOOR_BYTES) -> Reserve:
        """The reserve of this database: on the same disk, or it would keep room where none is needed."""
        path = database.with_name(database.name + ".reserve")
        return cls(path, size_bytes=size_bytes, floor_bytes=floor_bytes)

    @property
    def held(self) -> bool:
        """True when the whole reserve is there to be released."""
        try:
            return self.path.stat().st_size >= self.size_bytes
        except OSError:
            return False

    def low(self) -> bool:
        """True when routine entries should be refused: too little free room, or the reserve itself was needed.

        Where the room cannot be asked, the answer is no: an append still fails cleanly when there is none.
        """
        free = free_bytes(self.path.parent)
        return 0 <= free < self.floor_bytes or not self.held

    def release(self) -> int:
        """Give the room to the record. Returns the bytes let go, 0 when there was nothing held.

        The file is emptied, not removed: to restore it on a nearly full disk no new name is needed.
        """
        try:
            size = self.path.stat().st_size
            if size:
                fd = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
                try:
                    os.ftruncate(fd, 0)
                    os.fsync(fd)  # some file systems hand freed blocks out again only after this
                finally:
                    os.close(fd)
        except FileNotFoundError:
            return 0
        except OSError as why:
            raise self._unusable(why) from why
        return size

    def restore(self) -> bool:
        """Hold the room again if that leaves the floor free. True when it is held. Raises StoreBroken.

        The blocks are written with bytes that do not compress: a file system may give an empty or a regular file no
        blocks at all. Several MiB are written; call it off the loop.
        """
        if self.held:
            return True
        free = free_bytes(self.path.parent)
        if 0 <= free < self.size_bytes + self.floor_bytes:
            return False
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError as why:
            if why.errno in _NO_ROOM:
                return False
            raise self._unusable(why) from why
        try:
            _fill(fd, self.size_bytes)
        except OSError as why:
            os.ftruncate(fd, 0)  # half a reserve is none, and the room is wanted
            if why.errno in _NO_ROOM:
                return False
            raise self._unusable(why) from why
        finally:
            os.close(fd)
        return True

    def append_urgent(self, store: Store, records: Sequence[Record], expect_head: int) -> int:
        """Append; when the disk is full, release the reserve and append once more. As `Store.append` otherwise."""
        try:
            return store.append(records, expect_head)
        except StoreFull:
            if self.release() == 0:
                raise
        return store.append(records, expect_head)

    def _unusable(self, why: OSError) -> StoreBroken:
        return StoreBroken(
            f"The reserve for urgent entries, {self.path}, cannot be used ({why.strerror}). See that this user may "
            "write there, and check the disk.",
            path=str(self.path),
            errno=why.errno,
        )


_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def _fill(fd: int, size_bytes: int) -> None:
    left = size_bytes
    while left:
        left -= os.write(fd, os.urandom(min(left, _CHUNK_BYTES)))
    os.fsync(fd)
