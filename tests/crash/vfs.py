# SPDX-License-Identifier: Apache-2.0
"""Power cuts under the real SQLite: record what it asks of the disk, then show it every disk that a cut could leave.

A disk promises only this: what was written before a sync of the same file that returned is there. Of what was written
after it, any 512-byte sector may be there or not, in any combination. `Recorder` is an APSW VFS that notes each write,
truncation, sync and deletion while the product runs on it unchanged. `cuts` walks through that log and yields, for each
point, disks that keep a random choice of the un-synced sectors.

Not modelled: a folder that forgets a new file's name, and a disk that lies about a sync. Sectors not being written stay
whole (SQLite asks for no more: sqlite.org/psow.html).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

import apsw

SECTOR_BYTES = 512

_names = count(1)


class Op(NamedTuple):
    """`kind`: write, truncate, sync, delete, or told (the product said "done" with `value`)."""

    kind: str
    file: str = ""
    offset: int = 0
    data: bytes = b""
    value: int = 0


class Recorder(apsw.VFS):
    """Files are real, so that locks and shared memory are the real ones; syncs are noted and not carried out."""

    def __init__(self) -> None:
        self.name = f"recorder{next(_names)}"
        self.log: list[Op] = []
        super().__init__(self.name, base="")

    def told(self, value: int) -> None:
        """From here on the product must not lose what `value` stands for."""
        self.log.append(Op("told", value=value))

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _RecordedFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self.log.append(Op("delete", Path(filename).name, value=int(syncdir)))


class _RecordedFile(apsw.VFSFile):
    def __init__(self, recorder: Recorder, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._file = Path(path).name if path else ""  # "": a temporary file, gone after a cut anyway
        self._log = recorder.log
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        if self._file:
            self._log.append(Op("write", self._file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        if self._file:
            self._log.append(Op("truncate", self._file, newsize))

    def xSync(self, flags: int) -> None:
        if self._file:
            self._log.append(Op("sync", self._file))


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    unsynced: list[Op] = field(default_factory=list)


class Cut(NamedTuple):
    """A disk after a cut. `point`: operations before it; `told`: the newest value told before it."""

    point: int
    told: int
    files: dict[str, bytes]

    def write_to(self, folder: Path) -> None:
        for old in folder.iterdir():
            old.unlink()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def cuts(log: list[Op], *, tears: int, seed: int, every: int = 1) -> Iterator[Cut]:
    """For each `every`-th operation: `tears` disks with other un-synced sectors surviving (none, all, some)."""
    dice = random.Random(seed)
    disk: dict[str, _File] = {}
    told = 0
    for point, op in enumerate(log):
        if point % every == 0:
            for tear in range(tears):
                share = (0.0, 1.0, 0.5, 0.9, 0.1)[tear % 5]
                yield Cut(point, told, {name: _torn(file, share, dice) for name, file in disk.items()})
        match op.kind:
            case "told":
                told = op.value
            case "sync":
                file = disk.setdefault(op.file, _File())
                for waiting in file.unsynced:
                    _apply(file.durable, waiting)
                file.unsynced.clear()
            case "delete":
                disk.pop(op.file, None)
            case _:
                disk.setdefault(op.file, _File()).unsynced.append(op)
    yield Cut(len(log), told, {name: _torn(file, 0.0, dice) for name, file in disk.items()})


def _torn(file: _File, share: float, dice: random.Random) -> bytes:
    content = bytearray(file.durable)
    for op in file.unsynced:
        for piece in _sectors(op):
            if share == 1.0 or (share and dice.random() < share):
                _apply(content, piece)
    return bytes(content)


def _sectors(op: Op) -> Iterator[Op]:
    if op.kind == "truncate":
        yield op
        return
    at = 0
    while at < len(op.data):
        end = min(len(op.data), at + SECTOR_BYTES - (op.offset + at) % SECTOR_BYTES)
        yield Op("write", op.file, op.offset + at, op.data[at:end])
        at = end


def _apply(content: bytearray, op: Op) -> None:
    if op.kind == "truncate":
        del content[op.offset :]
        content.extend(bytes(op.offset - len(content)))
        return
    end = op.offset + len(op.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[op.offset : end] = op.data
