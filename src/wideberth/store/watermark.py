# SPDX-License-Identifier: Apache-2.0
"""A mark beside the record that says how far it had come, so that an older copy in its place is noticed at the start.

    mark = Watermark.beside(Path("node.db"))
    older = mark.is_older(store)            before anything is stored
    mark.begin(store, os.urandom(16).hex()) from here on: this start
    store.stored = mark.note

The mark holds the random id of the node's newest start, which is in the record as a setting as well, and the number of
batches stored since. A backup does not hold the mark, and a copy of the database file alone does not. So a record of
another start, or one with fewer batches, is not the one that this node left. The number is written after a batch is
durable and is itself not synced: after a power cut it can be behind, never ahead, so it never accuses a sound record.

What it cannot notice: a copy of the whole folder, mark and all, or the snapshot of a machine. Only peers can tell then.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from wideberth.core.records import SettingRecord
from wideberth.errors import StoreFull
from wideberth.store.contract import Store

START_KEY: Final = "start"
_NEVER: Final = "-" * 32
_HEAD_AT: Final = 2 * (len(_NEVER) + 1)
_HEAD_DIGITS: Final = 20
_BYTES: Final = _HEAD_AT + _HEAD_DIGITS + 1


class Watermark:
    """`path`: the mark. One line of fixed width: the start, the start before it while the two change, and the head."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1

    @classmethod
    def beside(cls, database: Path) -> Watermark:
        return cls(database.with_name(database.name + ".mark"))

    def is_older(self, store: Store) -> bool:
        """Whether the record is another one than was here last, or has lost batches. False where no node has run yet
        that makes marks."""
        setting, mark = store.setting(START_KEY), self._read()
        start = setting.value.decode("ascii", "replace") if setting is not None else _NEVER
        if mark is None:
            return start != _NEVER
        return start not in mark[:2] or store.head < mark[2]

    def begin(self, store: Store, start: str) -> None:
        """A new start, in the mark and in the record. `start`: 32 hex digits, never used before. Raises: StoreBroken.

        The mark names both starts until the record has the new one, so that a crash between the two accuses nobody. On
        a full disk it stays like that; the next start tries again.
        """
        setting = store.setting(START_KEY)
        before = setting.value.decode("ascii", "replace") if setting is not None else _NEVER
        self._open()
        self._write(start, before, store.head)
        try:
            store.append([SettingRecord(START_KEY, start.encode())], store.head)
        except StoreFull:
            return
        self._write(start, start, store.head)

    def note(self, head: int) -> None:
        """The record has come so far, durably. A failing disk leaves the mark behind, which is harmless."""
        if self._fd >= 0:
            try:
                os.pwrite(self._fd, f"{head:0{_HEAD_DIGITS}d}".encode(), _HEAD_AT)
            except OSError:
                return

    def close(self) -> None:
        """Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        self.close()
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, start: str, before: str, head: int) -> None:
        os.pwrite(self._fd, f"{start} {before} {head:0{_HEAD_DIGITS}d}\n".encode(), 0)
        os.fsync(self._fd)

    def _read(self) -> tuple[str, str, int] | None:
        """None: there is none, or nobody can say what it was."""
        try:
            text = self.path.read_bytes().decode("ascii")
            start, before, head = text.split()
            return (start, before, int(head)) if len(text) == _BYTES else None
        except (OSError, ValueError):
            return None
