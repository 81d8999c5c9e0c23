# SPDX-License-Identifier: Apache-2.0
"""Own plans and unsaid drafts, in a SQLite file of their own. Nothing that reads a peer's bytes may import this."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import apsw

from wideberth.core.say.plan import DraftRecord, PlanRecord
from wideberth.core.say.rings import RingRecord
from wideberth.store.beside import Beside

APPLICATION_ID: Final = 0x57425032  # "WBP2"


class PlanStore(Beside):
    """See `beside.py`. Raises StoreBroken and StoreFull."""

    APPLICATION_ID = APPLICATION_ID
    TABLES = """
CREATE TABLE plans (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, plan BLOB NOT NULL) STRICT;
CREATE TABLE drafts (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, json BLOB NOT NULL) STRICT;
"""
    LATER = """
CREATE TABLE IF NOT EXISTS rings (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, json BLOB NOT NULL)
STRICT;
"""
    HOLDS = "plans"
    DAMAGED = "Restore the file from a backup, or move it away and give the plans again."

    def keep(self, records: Iterable[PlanRecord]) -> None:
        """All of them, durable, or none. A record with empty bytes deletes the plan; a known id is replaced."""
        self._replace("plans", "plan", [(record.id, record.plan) for record in records])

    def plans(self) -> list[PlanRecord]:
        """Every plan kept, in the order in which they were last given."""
        return [PlanRecord(*row) for row in self.rows("SELECT id, plan FROM plans ORDER BY n")]

    def keep_draft(self, draft: DraftRecord) -> None:
        """As `keep`, for a notice that is not said yet."""
        self._replace("drafts", "json", [(draft.id, draft.json)])

    def drafts(self) -> list[DraftRecord]:
        return [DraftRecord(*row) for row in self.rows("SELECT id, json FROM drafts ORDER BY n")]

    def keep_rings(self, records: Iterable[RingRecord]) -> None:
        """As `keep`, for rings round incidents."""
        self._replace("rings", "json", [(record.id, record.json) for record in records])

    def rings(self) -> list[RingRecord]:
        return [RingRecord(*row) for row in self.rows("SELECT id, json FROM rings ORDER BY n")]

    def _replace(self, table: str, column: str, rows: list[tuple[str, bytes]]) -> None:
        def write(db: apsw.Connection) -> None:
            for id_, value in rows:
                db.execute(f"DELETE FROM {table} WHERE id = ?", (id_,))  # noqa: S608 - names are ours
                if value:
                    db.execute(f"INSERT INTO {table} (id, {column}) VALUES (?, ?)", (id_, value))  # noqa: S608

        self.write(write)
