# SPDX-License-Identifier: Apache-2.0
"""One writer at a time: an advisory lock on a file beside the database.

The lock is `flock`: the kernel drops it when the process ends, however it ends, so a crash leaves nothing to clean up.
A forked child would inherit it and keep it beyond its parent's death, so children give their copy back at once.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path

from wideberth.errors import StoreBroken

_held: weakref.WeakSet[WriterLock] = weakref.WeakSet()


class WriterLock:
    """Held from construction to `release()`. Raises StoreBroken when another store holds it, in any process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as why:
            raise StoreBroken(
                f"The lock file {path} cannot be opened ({why.strerror}). See that the folder exists and that this "
                "user may write there.",
                path=str(path),
                errno=why.errno,
            ) from why
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as why:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            self.release()
            raise StoreBroken(
                f"Another process (pid {holder}) is writing to this store. One node has one writer: "
                "use the node that is running, or stop it first.",
                path=str(path),
                pid=holder,
            ) from why
        _held.add(self)
        self._note_holder()

    def _note_holder(self) -> None:
        """The pid is only for the sentence above; on a full disk it may be missing, and the lock holds all the same."""
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode("ascii"), 0)
        except OSError:
            return

    def release(self) -> None:
        """Idempotent. The file stays: removing it would let two writers lock two different files of one name."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        _held.discard(self)


def _let_go_in_child() -> None:
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_let_go_in_child)
