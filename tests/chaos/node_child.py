# SPDX-License-Identifier: Apache-2.0
"""The process that is killed: a node exactly as `wideberth up` runs it, or one with a seeded fault.

    python node_child.py FOLDER [send-before-store | die-before:N | die-after:N]

`die-…:N` kills the process (SIGKILL, by itself) right before or right after its N-th store call.
The mutant gathers commits in a timer, as an engineer might who looks at the fsync figures only: what leaves the node
(and the officer's answer) no longer waits for the disk. The checker must catch it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wideberth.cli.serve import run_node
from wideberth.core.records import EntryRecord, Record
from wideberth.runtime import Runtime
from wideberth.store.sqlite import SqliteStore

# A tenth of a second: many commands share one fsync, and every benchmark shines.
COMMIT_S = 0.1


def send_before_store() -> None:
    """Everything leaves at once; the disk follows within `COMMIT_S`."""
    waiting: list[Record] = []

    def commit(self: Any) -> None:
        records = list(waiting)
        waiting.clear()
        if records:
            self._store.append(records, self._store.head)

    def round_(self: Any, together: list[Any]) -> None:
        stepped = [w for w in together if self._step(w)]
        records: list[Record] = [r for w in stepped for r in w.batch.store]
        waiting.extend(records)
        self._finish(stepped, [r for r in waiting if isinstance(r, EntryRecord)])
        asyncio.get_running_loop().call_later(COMMIT_S, commit, self)

    Runtime._round = round_  # type: ignore[method-assign]


def die_at(when: str, n: int) -> None:
    append, calls = SqliteStore.append, 0

    def counted(self: SqliteStore, records: Sequence[Record], expect_head: int) -> int:
        nonlocal calls
        calls += 1
        if calls == n and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        head = append(self, records, expect_head)
        if calls == n:
            os.kill(os.getpid(), signal.SIGKILL)
        return head

    SqliteStore.append = counted  # type: ignore[method-assign]


def main() -> None:
    asked = sys.argv[2] if len(sys.argv) > 2 else ""
    if asked == "send-before-store":
        send_before_store()
    elif asked.startswith("die-"):
        when, _, n = asked.removeprefix("die-").partition(":")
        die_at(when, int(n))
    elif sys.argv[2:]:
        raise SystemExit(f"no such mutant: {sys.argv[2]}")
    run_node(Path(sys.argv[1]), "", True)


if __name__ == "__main__":
    main()
