# SPDX-License-Identifier: Apache-2.0
"""Restore drills between real processes: what a supervisor does after a disk died, with the commands that exist for it.

After each drill: no place was signed twice, both copies of every strand are the same on both disks, nobody is accused,
orphans are shown to the officer, both boards say the same, and a full audit of both records finds nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cliworld import Outcome, wideberth
from tests.e2e.nodes import NodeProcess, Two
from wideberth.core.records import EntryRecord, SidecarRecord
from wideberth.errors import BadInput

DAY = "2030-01-01"
WINDOW = {"from": f"{DAY}T21:00Z", "until": f"{DAY}T22:00Z"}


def cli(node: NodeProcess, *args: str) -> Outcome:
    return wideberth("--dir", str(node.folder), *args)


def done(node: NodeProcess, *args: str) -> Any:
    said = cli(node, *args, "--json")
    assert said.code == 0, said.err
    return said.data[0]


def give(node: NodeProcess, lat: float) -> str:
    return str(node.give(circle=f"{lat:.2f}N 36.00E", radius="10km", **WINDOW)["ref"])


def put_back(two: Two, node: NodeProcess, file: Path) -> Any:
    """The disk is replaced, the supervisor puts the backup in place, the node starts."""
    node.stop()
    said = done(node, "restore", str(file), "--as", "supervisor", "--reason", "the disk died")
    assert Path(said["aside"]).exists()
    node.tells.clear()
    two.restart(node)
    return said


def recovered(two: Two) -> None:
    """Let time pass until no line waits and both sides hold everything."""

    def whole() -> bool:
        lines = [node.line for node in two.nodes]
        return two.settled() and not any(line["restored"] or line["owed"] for line in lines)

    two.later_until(whole, "the line is whole again")


def board(node: NodeProcess) -> dict[str, Any]:
    """What was said in entries. Receipts stand beside the strands: a restore may lose them."""
    found = {}
    for notice in node.get("/v1/notices", all=1):
        for version in notice["versions"]:
            version["ladder"] = {
                member: [rung for rung in rungs if rung["step"] not in ("DELIVERED", "SEEN")]
                for member, rungs in version["ladder"].items()
            }
        found[notice["ref"]] = notice["versions"]
    return found


def check(two: Two) -> dict[str, int]:
    """At rest and stopped: everything named at the top. Returns how many epochs each author has."""
    boards = [board(node) for node in two.nodes]
    assert boards[0] == boards[1]
    orphans = [sorted((o["author"], o["epoch"], o["seq"]) for o in node.line["orphans"]) for node in two.nodes]
    assert orphans[0] == orphans[1]
    copies, sidecars = [], []
    for node in two.nodes:
        node.stop()
        records = node.records()
        copies.append({(r.author, r.epoch, r.seq): (r.envelope, r.body) for r in records if isinstance(r, EntryRecord)})
        assert len(copies[-1]) == sum(isinstance(r, EntryRecord) for r in records)
        sidecars += [r.kind for r in records if isinstance(r, SidecarRecord)]
        audited = cli(node, "doctor", "--audit")
        assert audited.code == 0, audited.out
    assert copies[0] == copies[1]
    assert not {"equivocation", "split"} & set(sidecars)
    for node in two.nodes:
        assert not [t for t in node.told("fault") if t["fault"] in ("Equivocation", "OutOfPlace", "BadSignature")]
    epochs: dict[str, set[str]] = {}
    for author, epoch, _ in copies[0]:
        epochs.setdefault(author, set()).add(epoch)
    return {author: len(found) for author, found in epochs.items()}


@pytest.fixture
def two() -> Any:
    with Two(clock=f"{DAY}T12:00:00Z") as made:
        yield made


def test_an_old_backup_is_put_back_while_the_peer_is_up(two: Two, tmp_path: Path) -> None:
    kept = give(two.blue, 35.0)
    two.settle()
    done(two.blue, "backup", str(tmp_path / "old.db"))
    after = give(two.blue, 35.4)
    two.settle()
    two.green.command("ack", ref=after)
    two.settle()
    two.blue.kill()  # the power fails
    said = put_back(two, two.blue, tmp_path / "old.db")
    assert said["lines"][0]["waits_for"] == ["GREEN"]
    with pytest.raises(BadInput, match="waits for GREEN"):
        give(two.blue, 35.8)
    assert "waits for GREEN" in cli(two.blue, "status").out
    recovered(two)
    assert {kept, after} <= set(board(two.blue))
    steps = [rung["step"] for rung in board(two.blue)[after][0]["ladder"]["GREEN"]]
    assert "ACKNOWLEDGED" in steps, "what GREEN said after the backup came back too"
    give(two.blue, 35.8)
    recovered(two)
    assert two.blue.line["orphans"] == [], "all came back before the new epoch was opened"
    checked = cli(two.blue, "check")
    assert (checked.code, "equal" in checked.out) == (0, True), checked.out
    assert "cosigned" in checked.out
    assert check(two) == {"BLUE": 2, "GREEN": 1}


def test_a_double_restore_converges(two: Two, tmp_path: Path) -> None:
    done(two.blue, "backup", str(tmp_path / "old.db"))
    first = give(two.blue, 35.0)
    two.settle()
    alerts = []
    for n in range(2):
        two.green.stop()
        put_back(two, two.blue, tmp_path / "old.db")
        alerts.append(two.blue.command("alert", text=f"restore {n}")["ref"])
        assert two.blue.line["owed"] == ["GREEN"]
        two.restart(two.green)
        recovered(two)
    give(two.blue, 35.8)
    recovered(two)
    assert {first, *alerts} <= set(board(two.green))
    for node in two.nodes:
        assert [(o["seq"], o["ref"]) for o in node.line["orphans"]] == [(2, first)]
    assert check(two) == {"BLUE": 3, "GREEN": 1}


def test_a_supervisor_goes_on_without_a_peer_and_the_orphan_is_shown_when_it_comes_back(
    two: Two, tmp_path: Path
) -> None:  # fmt: skip
    done(two.blue, "backup", str(tmp_path / "old.db"))
    forgotten = give(two.blue, 35.0)
    two.settle()
    two.green.stop()
    put_back(two, two.blue, tmp_path / "old.db")
    two.later(60)
    with pytest.raises(BadInput, match="waits for GREEN"):
        give(two.blue, 35.4)
    refused = cli(two.blue, "resume", "--as", "watch-1")
    assert (refused.code, "supervisor" in refused.err) == (3, True)
    assert two.blue.line["restored"] == {"by": "BLUE/supervisor", "waits_for": ["GREEN"]}
    assert done(two.blue, "resume", "--as", "supervisor")["without"] == ["GREEN"]
    again = give(two.blue, 35.4)
    two.restart(two.green)
    recovered(two)
    two.later_until(lambda: two.blue.told("fault", fault="Orphan"), "BLUE is told of the orphan")
    (orphan,) = two.blue.line["orphans"]
    assert (orphan["author"], orphan["seq"], orphan["ref"]) == ("BLUE", 2, forgotten)
    assert forgotten != again, "the forgotten notice keeps its reference"
    for node in two.nodes:
        assert "1 orphans" in cli(node, "status").out
    assert check(two) == {"BLUE": 2, "GREEN": 1}


def test_an_alert_on_a_restored_node_waits_for_nobody(two: Two, tmp_path: Path) -> None:
    done(two.blue, "backup", str(tmp_path / "old.db"))
    give(two.blue, 35.0)
    two.settle()
    put_back(two, two.blue, tmp_path / "old.db")
    assert two.blue.line["restored"], "nobody has answered yet"
    alert = two.blue.command("alert", text="now")
    assert (alert["kind"], alert["ref"][:6]) == ("alert", "ALERT-"), "not the epoch that it opened on the way"
    rung = two.green.waits_for("heard", kind="alert")
    assert rung["entry"] == alert["entry"]
    recovered(two)
    give(two.blue, 35.4)
    recovered(two)
    assert check(two) == {"BLUE": 2, "GREEN": 1}


def by_hand(node: NodeProcess, file: Path) -> None:
    """A copy in the place of the record of a node that is down."""
    for tail in ("", "-wal", "-shm"):
        (node.folder / f"record.db{tail}").unlink(missing_ok=True)
    shutil.copy(file, node.folder / "record.db")


def test_a_folder_copied_by_hand_is_found_by_the_line_check_and_told(tmp_path: Path) -> None:
    with Two(clock=f"{DAY}T12:00:00Z", weather=True) as two:
        done(two.blue, "backup", str(tmp_path / "old.db"))
        shutil.copy(two.blue.folder / "record.db.mark", tmp_path / "old.mark")
        lost = give(two.blue, 35.0)
        two.settle()
        two.blue.stop()
        by_hand(two.blue, tmp_path / "old.db")
        shutil.copy(tmp_path / "old.mark", two.blue.folder / "record.db.mark")
        two.blue.tells.clear()
        for weather in two.weather.values():
            weather.storm()  # what it asks at its start is lost
        two.restart(two.blue)
        assert not two.blue.line["restored"], "nothing told it"
        two.later(5)
        for weather in two.weather.values():
            weather.calm()
        two.later(5)
        checked = cli(two.blue, "check", "--json")
        assert checked.data[0]["peer"] == "GREEN"
        told = two.blue.waits_for("fault", fault="LostTail", whose="ours")
        assert "without `wideberth restore`" in told["sentence"]
        assert told["level"] == "RING"
        assert lost in board(two.blue)
        give(two.blue, 35.4)
        recovered(two)
        assert check(two) == {"BLUE": 2, "GREEN": 1}


def test_a_record_copied_by_hand_is_found_by_its_mark_before_any_peer_is_there(tmp_path: Path) -> None:
    with Two(clock=f"{DAY}T12:00:00Z", weather=True) as two:
        done(two.blue, "backup", str(tmp_path / "old.db"))
        lost = give(two.blue, 35.0)
        two.settle()
        two.blue.stop()
        by_hand(two.blue, tmp_path / "old.db")
        two.blue.tells.clear()
        for weather in two.weather.values():
            weather.storm()
        two.restart(two.blue)
        told = two.blue.waits_for("fault", fault="LostTail", whose="ours")
        assert "older than the one that this node had" in told["sentence"]
        assert told["level"] == "RING"
        assert two.blue.line["restored"], "as after a restore, it asks first"
        with pytest.raises(BadInput, match="waits for GREEN"):
            give(two.blue, 35.4)
        for weather in two.weather.values():
            weather.calm()
        recovered(two)
        assert lost in board(two.blue)
        give(two.blue, 35.4)
        recovered(two)
        assert check(two) == {"BLUE": 2, "GREEN": 1}


def test_a_folder_copied_by_hand_is_found_at_the_start_when_the_peer_is_up(two: Two, tmp_path: Path) -> None:
    done(two.blue, "backup", str(tmp_path / "old.db"))
    shutil.copy(two.blue.folder / "record.db.mark", tmp_path / "old.mark")
    give(two.blue, 35.0)
    two.settle()
    two.blue.stop()
    by_hand(two.blue, tmp_path / "old.db")
    shutil.copy(tmp_path / "old.mark", two.blue.folder / "record.db.mark")
    two.blue.tells.clear()
    two.restart(two.blue)
    two.blue.waits_for("fault", fault="LostTail", whose="ours")
    give(two.blue, 35.4)
    recovered(two)
    assert check(two) == {"BLUE": 2, "GREEN": 1}
