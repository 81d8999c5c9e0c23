# SPDX-License-Identifier: Apache-2.0
"""The audit over several processes finds what it finds in one, in the same order, whatever becomes of the processes."""

from __future__ import annotations

import multiprocessing
import os
from functools import partial
from pathlib import Path

import msgspec
import pytest
from benchmarks.bench_audit import fill, key, record

from wideberth.audit import audit
from wideberth.audit_records import Batch, Seen, look
from wideberth.cli import audit_view
from wideberth.core.records import EntryRecord, Record
from wideberth.store.sqlite import SqliteStore

ENTRIES = 5_000  # enough for a pool
DIES_AT = 2_200


def dies(batch: Batch) -> list[Seen]:
    """What looks at one record is ended from outside when it comes to one batch; in this process it goes through."""
    here = any(isinstance(r, EntryRecord) and r.seq == DIES_AT for r in batch.records)
    if here and multiprocessing.parent_process() is not None:
        os._exit(9)
    return look(batch)


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """With two faults far apart."""
    made = list(record(ENTRIES))
    for at in (1_500, 5_000):
        found = next(n for n in range(at, len(made)) if isinstance(made[n], EntryRecord))
        made[found] = msgspec.structs.replace(made[found], body=b"x")  # type: ignore[type-var]
    return made


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_view, "_processors", lambda: 2)


@pytest.mark.usefixtures("two")
def test_processes_find_the_same_in_the_same_order(records: list[Record]) -> None:
    told: list[int] = []
    with audit_view.spreading(len(records)) as spread:
        assert spread is not map
        assert audit(records, spread=spread, progress=told.append) == audit(records)
    assert sum(told) == len(records)
    assert len(told) > 10


@pytest.mark.usefixtures("two")
def test_a_process_that_is_ended_from_outside_changes_no_finding(records: list[Record]) -> None:
    with audit_view.spreading(len(records)) as spread:
        lost = audit(records, spread=lambda _, batches: spread(dies, batches))
    assert lost == audit(records)
    assert len(lost.wrong) >= 2


def test_one_processor_or_a_short_record_needs_no_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_view, "_processors", lambda: 1)
    with audit_view.spreading(10**6) as spread:
        assert spread is map
    monkeypatch.setattr(audit_view, "_processors", lambda: 2)
    with audit_view.spreading(100) as spread:
        assert spread is map


@pytest.mark.usefixtures("two")
def test_a_changed_byte_on_disk_is_named_by_its_entry(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    fill(path, ENTRIES)
    audited = partial(audit_view.audited, path, party="BLUE", root=key("BLUE root").public)
    assert (audited().wrong, audited().entries) == ((), ENTRIES)
    store = SqliteStore(path)
    strand = [r for r in store.load() if isinstance(r, EntryRecord)]
    store.close()
    bent = strand[3_333]
    data = path.read_bytes()
    at = data.index(bent.body) + len(bent.body) // 2
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    (finding,) = audited().wrong
    assert f"BLUE, epoch {bent.epoch[:8]}, entry {bent.seq}" in finding.where
    assert "not the one that its header binds" in finding.says
