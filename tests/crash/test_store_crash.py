# SPDX-License-Identifier: Apache-2.0
"""kill -9 a real process that appends, at random moments, again and again. What it printed must be there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from appending_child import AUTHORS, CH, batch, places

from wideberth.core.records import EntryRecord, SettingRecord, SidecarRecord
from wideberth.store.sqlite import SqliteStore

CHILD = Path(__file__).with_name("appending_child.py")


def kill_while_appending(path: Path, seed: int, after_s: float) -> int:
    """Run a child, kill it `after_s` seconds after it opened the store. Returns the newest head that it printed."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(path), str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        opened = child.stdout.readline()
        timer = threading.Timer(after_s, child.kill)
        timer.start()
        said, wrong = child.communicate(timeout=20)
        timer.cancel()
    assert opened.startswith(b"open "), wrong.decode()
    assert child.returncode == -signal.SIGKILL, wrong.decode()
    whole = [line for line in said.splitlines(keepends=True) if line.endswith(b"\n")]
    return int(whole[-1]) if whole else int(opened.split()[1])


def assert_whole(path: Path, acknowledged: int) -> int:
    """Everything that was acknowledged is there, once, in order, and nothing is half there. Returns the head."""
    store = SqliteStore(path)
    try:
        assert store.head in (acknowledged, acknowledged + 1), "one batch may be durable and not yet told"
        kept = list(store.load())
        expected = [r for number in range(1, store.head + 1) for r in batch(number) if not isinstance(r, SettingRecord)]
        assert kept == [*([SettingRecord("newest", b"%d" % store.head)] if store.head else []), *expected]
        for author in AUTHORS:
            last = places(store.head, author).stop - 1 if store.head else 0
            assert [e.seq for e in store.strand(CH, author, "e1", 0, 2**53)] == list(range(1, last + 1))
        assert len(store.sidecars(CH, "stored")) == store.head
        return store.head
    finally:
        store.close()


def rounds(folder: Path, many: int, seed: int) -> tuple[int, int]:
    """Returns (batches acknowledged in all, rounds that ended with work under way)."""
    dice = random.Random(seed)
    total = busy = 0
    path = folder / "node.db"
    head = 0
    for number in range(many):
        if number % 10 == 0:  # a young store, and one that was killed often
            path = folder / f"node{number}.db"
            head = 0
        acknowledged = kill_while_appending(path, seed=seed + number, after_s=dice.choice((0.0, 0.01, 0.05, 0.15)))
        assert acknowledged >= head
        total += acknowledged - head
        busy += acknowledged > head
        head = assert_whole(path, acknowledged)
    return total, busy


def test_twenty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    total, busy = rounds(tmp_path, 20, seed=1)
    assert total > 100
    assert busy >= 5, "most children must have been killed at work, or this shows nothing"


@pytest.mark.chaos
def test_two_hundred_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    total, busy = rounds(tmp_path, 200, seed=random.SystemRandom().randrange(2**32))
    assert total > 1_000
    assert busy >= 50


def test_the_check_itself_notices_a_lost_and_a_doubled_batch(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    store = SqliteStore(path)
    for number in (1, 2, 3):
        store.append(batch(number), number - 1)
    store.close()
    assert assert_whole(path, 3) == 3
    assert assert_whole(path, 2) == 3
    with pytest.raises(AssertionError, match="durable and not yet told"):
        assert_whole(path, 4)
    store = SqliteStore(path)
    store.append([r for r in batch(5) if isinstance(r, (EntryRecord, SidecarRecord))], 3)
    store.close()
    with pytest.raises(AssertionError):
        assert_whole(path, 4)
