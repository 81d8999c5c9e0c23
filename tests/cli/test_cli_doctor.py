# SPDX-License-Identifier: Apache-2.0
"""`doctor` on real folders, whole and broken, beside a running node and without one."""

import os
import shutil
import sqlite3

import pytest

from tests.cli.cliworld import wideberth
from wideberth import home
from wideberth.cli import doctor
from wideberth.config import Config


def findings(folder):
    said = wideberth("--dir", str(folder), "doctor", "--json")
    return said.code, {f["check"]: f for f in said.data}


@pytest.fixture
def folder(tmp_path):
    made = home.create(tmp_path / "n", Config(party="BLUE"), entropy=os.urandom, now_ms=1_790_000_000_000)
    return made.path


def test_beside_a_running_node_everything_is_looked_at(world):
    ref = world.give()
    world.until(lambda: world.client("BLUE").get("/v1/status")["lines"][0]["peers"][0]["outstanding"] == 0)
    code, found = findings(world.folder("BLUE"))
    assert ref
    assert {"SQLite", "clock", "folder", "keys", "root key", "disk", "reserve", "record", "node"} <= found.keys()
    assert found["line Cape, GREEN"]["state"] == "ok"
    assert found["record"]["says"].startswith("sound: ")
    assert {f["check"] for f in found.values() if f["state"] == "wrong"} == set()
    assert code == 0


def test_every_finding_that_is_wrong_says_what_to_do(folder):
    code, found = findings(folder)
    assert code == 1
    assert found["node"]["state"] == "wrong"
    assert "wideberth up" in found["node"]["do"]
    assert all(f["do"] for f in found.values() if f["state"] != "ok")


def test_an_open_folder_is_refused_with_the_command_that_mends_it(folder):
    folder.chmod(0o755)
    code, found = findings(folder)
    assert code == 1
    assert "chmod 700" in found["folder"]["says"]


def test_a_lost_key_is_named(folder):
    (folder / "keys" / "node.seed").unlink()
    code, found = findings(folder)
    assert code == 1
    assert "node's key is missing" in found["keys"]["says"]


def test_a_root_key_that_was_taken_away_is_well(folder):
    assert findings(folder)[1]["root key"]["state"] == "note"
    (folder / "keys" / "root.seed").unlink()
    assert findings(folder)[1]["root key"]["state"] == "ok"


def test_bad_settings_are_named_by_key(folder):
    (folder / "config.toml").write_text('party = "BLUE"\nrequire_approval = true\n')
    code, found = findings(folder)
    assert code == 1
    assert "require_approval" in found["folder"]["says"]


def test_a_record_that_was_changed_by_hand_is_found(world, folder):
    """The file of a running node is copied whole (SQLite's own backup), then one row is taken out of the copy."""
    with sqlite3.connect(f"file:{world.folder('BLUE')}/record.db?mode=ro", uri=True) as source:
        with sqlite3.connect(folder / "record.db") as copy:
            source.backup(copy)
        copy.close()
    source.close()
    assert findings(folder)[1]["record"]["state"] == "ok"
    with sqlite3.connect(folder / "record.db") as copy:
        # The store's own triggers refuse this; whoever means harm takes them away first.
        for (trigger,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            copy.execute(f"DROP TRIGGER {trigger}")
        copy.execute("DELETE FROM entries WHERE rowid = (SELECT max(rowid) FROM entries)")
    copy.close()
    code, found = findings(folder)
    assert code == 1
    assert found["record"]["state"] == "wrong"
    shutil.copy(folder / "config.toml", folder / "record.db")
    assert findings(folder)[1]["record"]["state"] == "wrong"


def test_a_reserve_that_is_gone_is_said(folder):
    (folder / "record.db").touch(0o600)
    code, found = findings(folder)
    assert code == 1
    assert found["reserve"]["state"] == "wrong"


def test_the_kernel_is_asked_about_its_clock(monkeypatch):
    assert doctor.kernel_clock() in (True, False, None)
    for answer, state in ((True, "ok"), (False, "note"), (None, "note")):
        monkeypatch.setattr(doctor, "kernel_clock", lambda answer=answer: answer)
        (found,) = doctor._clock()
        assert found.state == state


def test_a_peer_that_cannot_be_reached_is_wrong_and_says_whom_to_call():
    line = {"mechanism": "Cape"}
    peer = {"party": "GREEN", "link": "it does not answer", "outstanding": 2, "contact": "+999 1"}
    found = doctor._peer(line, peer)
    assert found.state == "wrong"
    assert "+999 1" in found.do
    assert doctor._peer(line, {**peer, "link": "by voice only"}).state == "note"
    assert doctor._peer(line, {**peer, "link": "reachable"}).state == "note"
    assert doctor._peer(line, {**peer, "link": "reachable", "outstanding": 0}).state == "ok"


def test_the_files_of_the_watch_room_are_read_as_the_node_reads_them(tmp_path):
    folder = tmp_path / "node"
    assert wideberth("--dir", str(folder), "init", "BLUE", "--no-passphrase").code == 0
    assert findings(folder)[1]["watch room"]["state"] == "note"
    (folder / "roster.toml").write_text("[[people]]\nname = 'Anna'\nrole = 'WATCH_OFFICER'\n")
    (folder / "units.toml").write_text("[[units]]\nname = 'U1'\n")
    (folder / "desk.toml").write_text("wait_for_supervisor = true\n")
    found = findings(folder)[1]
    assert found["watch room"]["state"] == "ok"
    assert "has a circle" in found["units.toml"]["says"]
    assert "any officer on watch may send" in found["desk.toml"]["says"]
