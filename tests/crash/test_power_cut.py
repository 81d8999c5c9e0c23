# SPDX-License-Identifier: Apache-2.0
"""The power goes at every write and sync of the real store: what was acknowledged is there, nothing is half there.

The same run with weaker switches loses batches: so the harness can see.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from appending_child import batch
from vfs import Op, Recorder, cuts

from wideberth.core.records import SettingRecord
from wideberth.errors import StoreBroken
from wideberth.store.sqlite import SqliteStore

BATCHES = 16


class NormalStore(SqliteStore):
    _synchronous: ClassVar[str] = "NORMAL"


class CarelessStore(SqliteStore):
    _synchronous: ClassVar[str] = "OFF"


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """In memory where that is possible: thousands of stores are opened, and no real sync is wanted."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


def record(kind: type[SqliteStore], folder: Path) -> list[Op]:
    """What a store asks of its disk from its first opening to its last closing, with checkpoints in between."""
    recorder = Recorder()
    try:
        head = 0
        for until in (BATCHES // 2, BATCHES):
            store = kind(folder / "node.db", checkpoint_pages=20, vfs=recorder.name)
            while head < until:
                head = store.append(batch(head + 1), head)
                recorder.told(head)
            store.close()
        return recorder.log
    finally:
        recorder.unregister()


def after_cuts(log: list[Op], folder: Path, *, tears: int, seed: int = 1, every: int = 1) -> dict[str, int]:
    """Open the store on each disk. Counts: cuts, lost (acknowledged batches missing), broken (cannot be opened)."""
    kept = [[r for r in batch(number) if not isinstance(r, SettingRecord)] for number in range(1, BATCHES + 1)]
    seen = {"cuts": 0, "lost": 0, "broken": 0, "further": 0}
    for cut in cuts(log, tears=tears, seed=seed, every=every):
        cut.write_to(folder)
        seen["cuts"] += 1
        try:
            store = SqliteStore(folder / "node.db")
        except StoreBroken:
            seen["broken"] += 1
            continue
        head = store.head
        assert head <= cut.told + 1
        expected = [record for records in kept[:head] for record in records]
        if list(store.load()) != [*([SettingRecord("newest", b"%d" % head)] if head else []), *expected]:
            seen["broken"] += 1
        elif head < cut.told:
            seen["lost"] += 1
        elif head > cut.told:
            seen["further"] += 1
        store.close()
    return seen


def test_a_power_cut_at_any_write_or_sync_loses_nothing_that_was_acknowledged(
    tmp_path: Path, quick_folder: Path
) -> None:
    log = record(SqliteStore, tmp_path)
    assert {op.kind for op in log} == {"write", "sync", "truncate", "delete", "told"}
    seen = after_cuts(log, quick_folder, tears=3)
    print(seen)
    assert seen["cuts"] > 2_000
    assert (seen["lost"], seen["broken"]) == (0, 0)
    assert seen["further"] > 0, "some cuts fall between the sync and the word"


def test_the_harness_sees_what_weaker_switches_lose(tmp_path: Path, quick_folder: Path) -> None:
    seen = after_cuts(record(NormalStore, tmp_path), quick_folder, tears=3, every=7)
    print(seen)
    assert seen["lost"] > 20


def test_the_harness_sees_a_store_that_never_syncs(tmp_path: Path, quick_folder: Path) -> None:
    seen = after_cuts(record(CarelessStore, tmp_path), quick_folder, tears=3, every=7)
    print(seen)
    assert seen["lost"] > 0
    assert seen["broken"] > 0


@pytest.mark.chaos
def test_fifty_thousand_power_cuts(tmp_path: Path, quick_folder: Path) -> None:
    log = record(SqliteStore, tmp_path)
    tears = 50_000 // len(log) + 1
    seen = after_cuts(log, quick_folder, tears=tears, seed=2)
    print(seen)
    assert seen["cuts"] > 50_000
    assert (seen["lost"], seen["broken"]) == (0, 0)
