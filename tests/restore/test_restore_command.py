# SPDX-License-Identifier: Apache-2.0
"""`backup` and `restore` on folders: what is refused, what is kept, what is written. The drills are in tests/e2e."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.cli.cliworld import wideberth
from tests.e2e.nodes import RULES, make_home, meet
from wideberth import join
from wideberth.cli import audit_view
from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord, SettingRecord
from wideberth.core.recovery import NODE_ITSELF, setting_key
from wideberth.core.say.rules import Mode
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.errors import BadInput, NotFound, StoreBroken
from wideberth.home import Home
from wideberth.restore import look_into, open_record, own_root, put_back, supervisor
from wideberth.service import HomeSigners
from wideberth.store.sqlite import SqliteStore

NOW_MS = 1_900_000_000_000
AGAIN = {"by": "supervisor", "reason": "the disk died", "now_ms": NOW_MS + 1}


def live(home: Home, joined: Home | None = None) -> SqliteStore:
    """The node's line opened in its record, as `up` does it. `joined`: whose folder has all signatures."""
    store = SqliteStore(home.record_path)
    node = Node(home.config.party, HomeSigners(home), Ed25519Verifier(), os.urandom, store.entry)
    for _, agreement, cards in join.lines_on_file(joined or home):
        batch = node.step(ev.OpenLine(agreement, cards), Now(NOW_MS, 0))
        store.append(batch.store, store.head)
    return store


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Home, Home]:
    blue, green = (make_home(tmp_path / p.lower(), p, 1, 1, NOW_MS) for p in ("BLUE", "GREEN"))
    meet(blue, green, Mode.EXERCISE, RULES, NOW_MS)
    return blue, green


@pytest.fixture
def blue(homes: tuple[Home, Home]) -> Home:
    return homes[0]


@pytest.fixture
def copy(blue: Home, tmp_path: Path) -> Path:
    store = live(blue)
    store.backup(tmp_path / "copy.db")
    store.append([SettingRecord("later", b"x")], store.head)
    store.close()
    return tmp_path / "copy.db"


def test_a_backup_is_put_in_place_and_the_record_that_was_there_is_kept(blue: Home, copy: Path) -> None:
    done = put_back(blue, copy, **AGAIN)  # type: ignore[arg-type]
    assert done.by == "BLUE/supervisor"
    assert done.aside is not None
    old, new = SqliteStore(done.aside), SqliteStore(blue.record_path)
    assert old.setting("later") is not None
    assert new.setting("later") is None
    (line,) = done.found.lines
    marked = new.setting(setting_key(line.ch))
    assert marked is not None
    assert marked.value == b"BLUE/supervisor"
    note = new.setting(f"restored/{AGAIN['now_ms']}")
    assert note is not None
    assert json.loads(note.value)["reason"] == "the disk died"
    assert [r for r in new.load() if isinstance(r, EntryRecord)] == [
        r for r in old.load() if isinstance(r, EntryRecord)
    ]
    assert stat.S_IMODE(blue.record_path.stat().st_mode) == 0o600
    for store in (old, new):
        store.close()
    assert not [p.name for p in blue.path.iterdir() if p.name.startswith(".restore")]
    assert copy.exists()


def test_a_log_that_could_not_be_folded_goes_with_its_record_and_never_meets_the_new_one(
    blue: Home, copy: Path
) -> None:  # fmt: skip
    blue.record_path.write_bytes(b"not a database any more" * 300)
    wal = blue.record_path.with_name("record.db-wal")
    wal.write_bytes(b"a log that belongs to it")
    done = put_back(blue, copy, **AGAIN)  # type: ignore[arg-type]
    assert done.aside is not None
    assert done.aside.read_bytes().startswith(b"not a database")
    assert done.aside.with_name(done.aside.name + "-log").read_bytes() == b"a log that belongs to it"
    assert not wal.exists()
    store = SqliteStore(blue.record_path)
    store.audit()
    store.close()


def test_on_a_new_disk_there_is_nothing_to_keep(blue: Home, copy: Path) -> None:
    blue.record_path.unlink()
    assert put_back(blue, copy, **AGAIN).aside is None  # type: ignore[arg-type]


def test_a_node_that_runs_is_left_alone(blue: Home, copy: Path) -> None:
    store = SqliteStore(blue.record_path)
    with pytest.raises(StoreBroken, match="the node runs"):
        put_back(blue, copy, **AGAIN)  # type: ignore[arg-type]
    assert store.setting("later") is not None
    store.close()


@pytest.mark.parametrize("by", ["", "watch-1", "BLUE/watch-1", "nobody", "GREEN/supervisor"])
def test_only_a_supervisor_has_a_record_put_back(blue: Home, copy: Path, by: str) -> None:
    before = blue.record_path.read_bytes()
    with pytest.raises((BadInput, NotFound)):
        put_back(blue, copy, by=by, reason="x", now_ms=NOW_MS)
    assert blue.record_path.read_bytes() == before


def test_another_partys_record_and_another_nodes_and_a_damaged_one_are_refused(
    homes: tuple[Home, Home], copy: Path, tmp_path: Path
) -> None:  # fmt: skip
    blue, green = homes
    store = live(green, joined=blue)
    store.backup(tmp_path / "green.db")
    store.close()
    empty = SqliteStore(tmp_path / "empty.db")
    empty.close()
    damaged = bytearray(copy.read_bytes())
    damaged[4096 * 3 : 4096 * 4] = os.urandom(4096)
    (tmp_path / "damaged.db").write_bytes(damaged)
    before = blue.record_path.read_bytes()
    for name, why in (
        ("green.db", BadInput), ("empty.db", BadInput), ("damaged.db", StoreBroken), ("nothing.db", NotFound)
    ):  # fmt: skip
        with pytest.raises(why):
            put_back(blue, tmp_path / name, **AGAIN)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="in place already"):
        put_back(blue, blue.record_path, **AGAIN)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="another party's"):
        look_into(blue, tmp_path / "green.db")
    assert blue.record_path.read_bytes() == before
    seed = blue.path / "keys" / "node.seed"
    seed.write_text("ab" * 32 + "\n")
    with pytest.raises(BadInput, match="another node"):
        look_into(blue, copy)


def test_the_root_key_may_be_in_its_safe_place(blue: Home, copy: Path) -> None:
    root = own_root(blue)
    (blue.path / "keys" / "root.seed").unlink()
    assert own_root(blue) == root
    assert supervisor(blue, look_into(blue, copy), "supervisor") == "BLUE/supervisor"


def test_a_reason_has_to_be_given(blue: Home, copy: Path) -> None:
    with pytest.raises(BadInput, match="say why"):
        put_back(blue, copy, by="supervisor", reason=" ", now_ms=NOW_MS)


def test_the_commands_work_on_a_node_that_is_stopped(blue: Home, copy: Path, tmp_path: Path) -> None:
    made = wideberth("--dir", str(blue.path), "backup", str(tmp_path / "two.db"))
    assert (made.code, "not the keys" in made.out) == (0, True), made.err
    again = wideberth("--dir", str(blue.path), "backup", str(tmp_path / "two.db"))
    assert (again.code, "not written over" in again.err) == (3, True)
    put = wideberth("--dir", str(blue.path), "restore", str(copy), "--as", "supervisor", "--reason", "drill")
    assert put.code == 0, put.err
    for words in ("What happens next", "asks GREEN", "ALERT and urgent notices go out at once", "resume"):
        assert words in put.out
    audited = wideberth("--dir", str(blue.path), "doctor", "--audit")
    assert (audited.code, "all as signed" in audited.out) == (0, True), audited.out
    since = wideberth("--dir", str(blue.path), "doctor", "--since-checkpoint")
    assert since.code == 3


def test_an_audit_of_a_changed_record_names_the_entry_and_exits_with_1(blue: Home, copy: Path) -> None:
    import apsw

    db = apsw.Connection(str(blue.record_path))
    db.execute("DROP TRIGGER entries_stay")
    db.execute("UPDATE entries SET body = CAST(replace(body, 'FOUNDING', 'FOUNDINK') AS BLOB)")
    db.close()
    audited = wideberth("--dir", str(blue.path), "doctor", "--audit")
    assert audited.code == 1
    assert "BLUE, epoch" in audited.out
    assert "entry 1" in audited.out


def test_an_audit_over_several_processes_finds_the_same(
    blue: Home, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    alone = audit_view.audited(copy, party="BLUE", root=own_root(blue))
    monkeypatch.setattr(audit_view, "_ALONE", 0)
    assert audit_view.audited(copy, party="BLUE", root=own_root(blue)) == alone
    assert (alone.entries, alone.wrong) == (1, ())


def opened(home: Home, start: str) -> tuple[str, bytes]:
    """A start of the node, and what it says about its line: the line, and who had the record put back."""
    store, mark = open_record(home.record_path, start)
    ((ch, _, _),) = join.lines_on_file(home)
    marked = store.setting(setting_key(ch))
    mark.close()
    store.close()
    return ch, marked.value if marked is not None else b""


def test_a_record_put_back_by_hand_asks_by_itself_and_a_restore_says_who_did_it(blue: Home, copy: Path) -> None:
    assert opened(blue, "1" * 32)[1] == b"", "nothing was put back"
    assert opened(blue, "2" * 32)[1] == b""
    blue.record_path.write_bytes(copy.read_bytes())
    assert opened(blue, "3" * 32)[1] == NODE_ITSELF
    store = SqliteStore(blue.record_path)
    ((ch, _, _),) = join.lines_on_file(blue)
    store.append([SettingRecord(setting_key(ch), b"")], store.head)
    store.close()
    put_back(blue, copy, **AGAIN)  # type: ignore[arg-type]
    assert opened(blue, "4" * 32)[1] == b"BLUE/supervisor"
