# SPDX-License-Identifier: Apache-2.0
"""What a mediator keeps: every stamp that it gave, and nothing of what was in the deliveries.

Nothing is ever deleted by the program; stop it and move `log.db` away to begin a new one. What cannot be written (a
full disk) is counted and said, and never holds a delivery up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import apsw
import msgspec

from wideberth.core.seal.mediation import Stamp
from wideberth.errors import StoreBroken

# Stamps wait at most this long for others to be written with them, seconds.
_TOGETHER_S: Final = 0.05
_WAITING_MAX: Final = 100_000

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS stamps (
    n           INTEGER PRIMARY KEY,
    ch          TEXT NOT NULL,
    sender      TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    passed_ms   INTEGER NOT NULL,
    why         TEXT NOT NULL,
    envelope    BLOB NOT NULL
) STRICT"""


class Row(msgspec.Struct, frozen=True):
    """One stamp; `envelope` as it was signed and sent."""

    n: int
    ch: str
    sender: str
    recipient: str
    sha256: str
    received_ms: int
    passed_ms: int
    why: str
    envelope: bytes


class StampLog:
    """Stamps in; a task writes them, many in one transaction. `complain` is told when some could not be written."""

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._waiting: list[tuple[Stamp, bytes]] = []
        self._some = asyncio.Event()
        self._ended = False
        try:
            self._db = apsw.Connection(str(path))
            self._db.pragma("journal_mode", "wal")
            self._db.pragma("synchronous", "full")
            self._db.execute(_SCHEMA)
        except apsw.Error as why:
            raise StoreBroken(f"the mediator's log {path} cannot be opened: {why}") from None
        path.chmod(0o600)

    def add(self, stamp: Stamp, envelope: bytes) -> None:
        """Never waits, never fails."""
        if len(self._waiting) < _WAITING_MAX:
            self._waiting.append((stamp, envelope))
            self._some.set()

    async def run(self) -> None:
        """Write until `end`, then what still waits."""
        while not self._ended or self._waiting:
            await self._some.wait()
            if not self._ended:
                await asyncio.sleep(_TOGETHER_S)
                self._some.clear()
            taken, self._waiting = self._waiting, []
            await asyncio.to_thread(self._write, taken)
        self._db.close()

    def end(self) -> None:
        """Let `run` end once everything is written."""
        self._ended = True
        self._some.set()

    def _write(self, stamps: list[tuple[Stamp, bytes]]) -> None:
        rows = [(s.ch, s.sender, s.to, s.sha256, s.received_ms, s.passed_ms, s.why, envelope) for s, envelope in stamps]
        try:
            with self._db:
                self._db.executemany(
                    "INSERT INTO stamps (ch, sender, recipient, sha256, received_ms, passed_ms, why, envelope) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    rows,
                )
        except apsw.Error as why:
            self._complain(f"{len(rows)} stamps could not be written to the log: {why}. Deliveries go on")


def read_log(path: Path, *, sha256: str = "", party: str = "", newest: int = 100) -> Iterator[Row]:
    """The newest stamps, oldest of them first: all, of one delivery, or from or to one party. Beside a running mediator
    too. Raises: StoreBroken."""
    if not path.is_file():
        return
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            found = db.execute(
                "SELECT * FROM stamps WHERE (?1 = '' OR sha256 = ?1) AND (?2 = '' OR ?2 IN (sender, recipient)) "
                "ORDER BY n DESC LIMIT ?3",
                (sha256, party, newest),
            ).fetchall()
        finally:
            db.close()
    except apsw.Error as why:
        raise StoreBroken(f"the mediator's log {path} cannot be read: {why}") from None
    for row in reversed(found):
        yield Row(*row)
