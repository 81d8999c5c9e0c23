# SPDX-License-Identifier: Apache-2.0
"""The process that is killed: a node exactly as `wideberth up` runs it, or one with a seeded fault.

    python node_child.py FOLDER [send-before-store]

The mutant gathers commits in a timer, as an engineer might who looks at the fsync figures only: what leaves the node
(and the officer's answer) no longer waits for the disk. The checker must catch it.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from wideberth.cli.serve import run_node
from wideberth.core.records import EntryRecord, Record
from wideberth.runtime import Runtime

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


def main() -> None:
    if sys.argv[2:] == ["send-before-store"]:
        send_before_store()
    elif sys.argv[2:]:
        raise SystemExit(f"no such mutant: {sys.argv[2]}")
    run_node(Path(sys.argv[1]), "", True)


if __name__ == "__main__":
    main()
