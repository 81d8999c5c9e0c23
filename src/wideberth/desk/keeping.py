# SPDX-License-Identifier: Apache-2.0
"""What the desk remembers over a restart, in `desk.db`: its log, what is open, and every hand-over. It never leaves.

The log is only ever added to. `kept` holds what is open now, as JSON, under its key (`core/desk/desk.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import apsw
import msgspec

from wideberth.core.desk.escalation import Logged
from wideberth.store.beside import Beside

NUMBER: Final = "number"
_LINE: Final = "at_ms, item, event, person, state, note"


class DeskStore(Beside):
    """See `store/beside.py`. Raises StoreBroken and StoreFull."""

    APPLICATION_ID = 0x57424431  # "WBD1"
    TABLES = """
CREATE TABLE log (n INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, item TEXT NOT NULL, event TEXT NOT NULL,
    person TEXT NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL) STRICT;
CREATE INDEX log_of_item ON log (item, n);
CREATE TABLE kept (key TEXT PRIMARY KEY, json BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE handovers (n INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, json BLOB NOT NULL) STRICT;
"""
    HOLDS = "notes of the desk"
    DAMAGED = "Move the file away: the desk begins anew, and what is live in the record rings again."

    def keep(self, log: Iterable[Logged], kept: Mapping[str, bytes], number: int) -> None:
        """Lines, what is open (empty: no more) and the newest number, all durable, or none."""

        def write(db: apsw.Connection) -> None:
            db.executemany(
                f"INSERT INTO log ({_LINE}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - names are ours
                [(at.at_ms, at.item, str(at.event), at.person, str(at.state), at.note) for at in log],
            )
            for key, value in kept.items():
                if value:
                    db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, value))
                else:
                    db.execute("DELETE FROM kept WHERE key = ?", (key,))
            db.execute("INSERT OR REPLACE INTO numbers VALUES (?, ?)", (NUMBER, number))

        self.write(write)

    def kept(self) -> dict[str, bytes]:
        """What was open."""
        return dict(self.rows("SELECT key, json FROM kept ORDER BY key"))

    def number(self) -> int:
        """Of the newest item so far."""
        found = self.rows("SELECT value FROM numbers WHERE name = ?", (NUMBER,))
        return int(found[0][0]) if found else 0

    def log(self, item: str = "", last: int = 200) -> list[Logged]:
        """The newest lines, oldest first; of one item or of all."""
        where = "WHERE item = ?1" if item else ""
        rows = self.rows(
            f"SELECT {_LINE} FROM log {where} ORDER BY n DESC LIMIT {int(last)}",  # noqa: S608 - names are ours
            (item,) if item else (),
        )
        return [Logged(*row) for row in reversed(rows)]

    def keep_handover(self, at_ms: int, handover: Mapping[str, Any]) -> int:
        """A hand-over in full; its number."""
        self.write(
            lambda db: db.execute("INSERT INTO handovers (at_ms, json) VALUES (?, ?)",
                                  (at_ms, msgspec.json.encode(handover)))
        )  # fmt: skip
        return int(self.rows("SELECT max(n) FROM handovers")[0][0])

    def countersigned(self, n: int, handover: Mapping[str, Any]) -> None:
        """The same hand-over, with the second signature."""
        self.write(
            lambda db: db.execute("UPDATE handovers SET json = ? WHERE n = ?", (msgspec.json.encode(handover), n))
        )

    def handovers(self, last: int = 20) -> list[dict[str, Any]]:
        """The newest, oldest first, each with its number `n`."""
        rows = self.rows(f"SELECT n, json FROM handovers ORDER BY n DESC LIMIT {int(last)}")  # noqa: S608
        return [{"n": n, **msgspec.json.decode(data)} for n, data in reversed(rows)]
