# SPDX-License-Identifier: Apache-2.0
"""The full audit from the command line: over the processors of this machine, with a bar on the standard error."""

from __future__ import annotations

import os
import sys
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
    """A `map` over several processes that keeps the order and never holds more than a few batches.

    Plain `map` where there is one processor or little to do. What a process that was ended from outside had in hand,
    and all that is left, is done here: slower, and with the same findings.
    """
    processes = min(_PROCESSES_MAX, _processors())
    if records < _ALONE or processes == 1:
        yield map
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # Spawned, not forked: a fork would share the open database with its parent.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_ready) as pool:
        # The processes start and import while the file is read through.
        pool.submit(_ready)

        def spread(work: Callable[[Batch], list[Seen]], batches: Iterable[Batch]) -> Iterable[list[Seen]]:
            waiting: deque[tuple[Batch, Future[list[Seen]] | None]] = deque()

            def first() -> list[Seen]:
                batch, given = waiting.popleft()
                try:
                    return given.result() if given is not None else work(batch)
                except BrokenProcessPool:
                    return work(batch)

            for batch in batches:
                try:
                    waiting.append((batch, pool.submit(work, batch)))
                except BrokenProcessPool:
                    waiting.append((batch, None))
                if len(waiting) > 3 * processes:
                    yield first()
            while waiting:
                yield first()

        yield spread


def _processors() -> int:
    """Those that this process may use; what a container or `taskset` leaves of the machine's."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ready() -> None:
    import wideberth.audit_records  # noqa: F401


def audited(path: Path, *, party: str = "", root: str = "", since_checkpoint: bool = False) -> Report:
    """Audit the record at `path`, beside a running node too. Raises NotFound, StoreBroken."""
    from wideberth.audit import audit, last_cosigned
    from wideberth.cli import show
    from wideberth.store.reader import Reader

    with Reader(path) as reader:
        total = sum(reader.counts()) + len(reader.settings())
        done = 0
        with spreading(total) as spread, show.bar("auditing") as tell:

            def progress(more: int) -> None:
                nonlocal done
                done += more
                tell(done, total)

            reader.check()
            anchors = {}
            if since_checkpoint:
                anchors = last_cosigned([*reader.sidecars("card"), *reader.sidecars("checkpoint")])
            return audit(reader.load(), party=party, root=root, anchors=anchors, spread=spread, progress=progress)
