# SPDX-License-Identifier: Apache-2.0
"""The full audit from the command line: over the processors of this machine, with a bar on the standard error."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wideberth.audit import Report, Spread
    from wideberth.audit_records import Batch, Seen

# Below this many records a second process costs more than it saves.
_ALONE: Final = 4_000
_PROCESSES_MAX: Final = 4


@contextmanager
def spreading(records: int) -> Generator[Spread, None, None]:
    """A `map` over several processes that keeps the order and never holds more than a few batches."""
    processes = min(_PROCESSES_MAX, os.cpu_count() or 1)
    if records < _ALONE or processes == 1:
        yield map
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, not forked: a fork would share the open database with its parent.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:

        def spread(work: Callable[[Batch], list[Seen]], batches: Iterable[Batch]) -> Iterable[list[Seen]]:
            waiting: deque[Future[list[Seen]]] = deque()
            for batch in batches:
                waiting.append(pool.submit(work, batch))
                if len(waiting) > 3 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        yield spread


def audited(path: Path, *, party: str = "", root: str = "", since_checkpoint: bool = False, bar: bool = True) -> Report:
    """Audit the record at `path`, beside a running node too. Raises NotFound, StoreBroken."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from wideberth.audit import audit, last_cosigned
    from wideberth.cli import show
    from wideberth.store.reader import Reader

    with Reader(path, check=True) as reader:
        total = sum(reader.counts()) + len(reader.settings())
        anchors = {}
        if since_checkpoint:
            anchors = last_cosigned([*reader.sidecars("card"), *reader.sidecars("checkpoint")])
        columns = (TextColumn("auditing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with (
            spreading(total) as spread,
            Progress(*columns, console=show.console(stderr=True), transient=True, disable=not bar) as shown,
        ):
            task = shown.add_task("audit", total=total)
            return audit(
                reader.load(), party=party, root=root, anchors=anchors, spread=spread,
                progress=lambda n: shown.advance(task, n),
            )  # fmt: skip
