# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from wideberth.core.inner import Inner
from wideberth.core.say.place import Altitude
from wideberth.core.say.plan import DraftRecord, Plan, PlanRecord
from wideberth.core.say.rings import RingRecord
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.errors import BadInput, Misuse, StoreBroken
from wideberth.store.plans import PlanStore

VOLUME = Volume4D(Circle.at(lat=36, lng=36, radius_km=10), Altitude.surface(), Altitude.flight_level(300), 0, 1000)


def plan(id_: str, label: str = "a plan") -> Plan:
    return Plan(id_, label, Mode.EXERCISE, (VOLUME,))


def test_what_was_kept_is_there_after_reopening_in_the_order_given(tmp_path: Path) -> None:
    store = PlanStore(tmp_path / "plans.db")
    store.keep([PlanRecord.of(plan("b")), PlanRecord.of(plan("a"))])
    store.keep([PlanRecord.of(plan("b", "newer"))])
    store.keep_draft(DraftRecord("d1", b"{}"))
    store.close()
    again = PlanStore(tmp_path / "plans.db")
    assert [record.read() for record in again.plans()] == [plan("a"), plan("b", "newer")]
    assert again.drafts() == [DraftRecord("d1", b"{}")]
    assert [p.label for p in Inner.load(again.plans()).plans()] == ["a plan", "newer"]
    again.close()


def test_a_dropped_plan_is_gone_from_the_file_too(tmp_path: Path) -> None:
    store = PlanStore(tmp_path / "plans.db")
    store.keep([PlanRecord("a", b"A-WORD-THAT-MUST-GO")])
    store.keep([PlanRecord("a", b"")])
    store.keep_draft(DraftRecord("d", b"x"))
    store.keep_draft(DraftRecord("d", b""))
    assert store.plans() == []
    assert store.drafts() == []
    store.close()
    for file in tmp_path.iterdir():
        assert b"A-WORD-THAT-MUST-GO" not in file.read_bytes(), file


def test_all_of_a_batch_is_kept_or_none(tmp_path: Path) -> None:
    store = PlanStore(tmp_path / "plans.db")
    with pytest.raises(TypeError):
        store.keep([PlanRecord.of(plan("a")), PlanRecord("b", object())])  # type: ignore[arg-type]
    assert store.plans() == []
    store.close()


def test_a_process_killed_after_keep_loses_nothing(tmp_path: Path) -> None:
    code = (
        "import os, sys; from wideberth.store.plans import PlanStore; from wideberth.core.say.plan import PlanRecord;"
        "store = PlanStore(sys.argv[1]); store.keep([PlanRecord('a', b'kept')]); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "plans.db")], check=False)
    assert done.returncode == -9
    store = PlanStore(tmp_path / "plans.db")
    assert store.plans() == [PlanRecord("a", b"kept")]
    store.close()


def test_only_one_writer_and_only_its_owner_may_read(tmp_path: Path) -> None:
    store = PlanStore(tmp_path / "plans.db")
    assert stat.S_IMODE(os.stat(store.path).st_mode) == 0o600
    with pytest.raises(StoreBroken):
        PlanStore(tmp_path / "plans.db")
    store.close()
    store.close()
    with pytest.raises(Misuse):
        store.plans()


def test_a_strange_or_damaged_file_is_refused(tmp_path: Path) -> None:
    other = apsw.Connection(str(tmp_path / "other.db"))
    other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(StoreBroken, match="not a store of plans"):
        PlanStore(tmp_path / "other.db")
    (tmp_path / "noise.db").write_bytes(b"noise " * 4096)
    with pytest.raises(StoreBroken):
        PlanStore(tmp_path / "noise.db")


def test_a_record_that_is_no_plan_stops_loading_with_a_sentence() -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        Inner.load([PlanRecord("a", b"{")])
    with pytest.raises(BadInput, match="either volumes or a track"):
        Plan("a", "b", Mode.REAL)


def test_a_store_from_before_there_were_rings_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "plans.db"
    with contextlib.closing(PlanStore(path)) as store:
        store.keep([PlanRecord("a", b"{}")])
    db = apsw.Connection(str(path))
    db.execute("DROP TABLE rings")
    db.close()
    with contextlib.closing(PlanStore(path)) as store:
        store.keep_rings([RingRecord("ridge", b"{}")])
        assert store.rings() == [RingRecord("ridge", b"{}")]
        assert [record.id for record in store.plans()] == ["a"]
        store.keep_rings([RingRecord("ridge", b"")])
        assert store.rings() == []
