# SPDX-License-Identifier: Apache-2.0
"""A copy of a record while it is being written: SQLite's online backup (sqlite.org/backup.html), into one new file.

The copy is made on the connection that writes, a few pages at a time, and the writer has its turn in between. What it
writes meanwhile goes into the copy as well, so that the copy is the record as of the moment when it was finished. It is
read through and synced before it gets its name; under that name there is a whole copy or nothing.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from wideberth.errors import BadInput, StoreBroken, StoreFull
from wideberth.store import ground

# 1 MiB: some milliseconds in which nothing can be stored.
PAGES_AT_ONCE: Final = 256


def copy_to(source: apsw.Connection, path: Path, turn: threading.RLock) -> None:
    """Copy the record behind `source` to the new file `path`, 0600. `turn` is held while pages are read.

    Raises: BadInput when there is something at `path`, StoreFull, StoreBroken.
    """
    draft = path.with_name(f".{path.name}.part")
    if os.path.lexists(path):
        raise BadInput(f"{path} is already there and is not written over; name a new file", field="file")
    try:
        with suppress(FileNotFoundError):
            draft.unlink()  # of a copy that was cut short
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            _copy(source, draft, turn)
            _name(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _sync(path.parent)
    except FileExistsError:
        raise BadInput(f"{path} is already there and is not written over; name a new file", field="file") from None
    except (apsw.Error, OSError) as why:
        raise _fault(why, path) from why


def _copy(source: apsw.Connection, draft: Path, turn: threading.RLock) -> None:
    copy = apsw.Connection(str(draft))
    try:
        copy.pragma("synchronous", "OFF")  # synced once, at the end
        with turn:
            backup = copy.backup("main", source, "main")
        try:
            while not backup.done:
                with turn:
                    backup.step(PAGES_AT_ONCE)
        finally:
            with turn:
                backup.close(True)
        # One file that can be read from a disk that cannot be written to; the store switches its log on again.
        copy.pragma("journal_mode", "DELETE")
        ground.check(copy, draft, full=False)
    finally:
        copy.close(force=True)
    _sync(draft)


def _name(draft: Path, path: Path) -> None:
    """Never over another file, however it came there meanwhile; where the disk knows no links, by renaming."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(path):
            raise FileExistsError from None
        os.rename(draft, path)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _fault(why: Exception, path: Path) -> StoreFull | StoreBroken:
    if isinstance(ground.in_words(why, None, path), StoreFull):
        return StoreFull(
            f"No room for the copy {path}; none was made. Make room there, or name a file on another disk.",
            path=str(path),
        )
    return StoreBroken(
        f"The copy {path} could not be made ({why}). Nothing is there under that name. See that the folder exists and "
        "can be written to, or name a file on another disk.",
        path=str(path),
    )
