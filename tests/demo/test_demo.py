# SPDX-License-Identifier: Apache-2.0
"""The demo as a user runs it: a process of its own, with two nodes below it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from wideberth.core.say import instant
from wideberth.core.say.words import SCOPE
from wideberth.demo import stories as st
from wideberth.demo.run import play

WIDEBERTH = [sys.executable, "-c", "from wideberth.cli.main import run; run()"]
COMMAND = [*WIDEBERTH, "demo", "--fast", "--json"]
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads the kernel's list of processes")
PRIVATE = ("morning-patrol", "morning patrol", "return-flight", "return flight")


def processes_below(pid: int) -> set[int]:
    """All descendants of a process, by the kernel's list."""
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            try:
                children = {int(c) for c in task.read_text().split()}
            except OSError:
                continue
            waiting += children - found
            found |= children
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def gone_within(pids: set[int], seconds: float) -> set[int]:
    """Those that are still there afterwards."""
    deadline = time.monotonic() + seconds
    while (left := {p for p in pids if alive(p)}) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Both stories, played once; what was printed, line by line."""
    folder = tmp_path_factory.mktemp("d")
    done = subprocess.run([*COMMAND, "--keep", str(folder / "kept")], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, (done.stdout[-3000:] + done.stderr[-3000:]).decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def tells(told: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in told if line["event"] == "tell" and line["tell"]["tell"] == kind]


def test_everything_that_the_stories_expect_really_happened(told: list[dict[str, Any]]) -> None:
    summary = told[-1]
    assert summary["event"] == "summary"
    assert summary["ok"] is True
    assert summary["failed"] == []
    assert summary["counts"] == {
        "notices": 4, "alerts": 1, "versions": 6, "late": 2, "read_back": 6, "mismatches": 1,
        "exposures": 3, "eased": 3,
    }  # fmt: skip
    assert summary["took_s"] < 15


def test_both_folders_hold_the_same_two_strands(told: list[dict[str, Any]]) -> None:
    strands = told[-1]["strands"]
    assert strands.keys() == {"BLUE", "GREEN"}
    assert all(strand["same"] and strand["entries"] > 10 for strand in strands.values())
    assert strands["BLUE"]["head"] != strands["GREEN"]["head"]


def test_lead_is_given_and_delivered_and_short_only_in_the_late_warning(told: list[dict[str, Any]]) -> None:
    leads = {(x["ref"], x["version"]): x for x in told[-1]["lead_times"]}
    assert len(leads) == 6
    late = {key: x["given_s"] for key, x in leads.items() if x["late"]}
    # 16:21:10 and 16:22:04 for something that begins at 16:24:00; ten minutes are agreed.
    assert sorted(late.values()) == [116, 170]
    assert len({ref for ref, _ in late}) == 1
    # The drill's clocks stand still while a message crosses, unless it takes seconds.
    assert all(0 <= x["given_s"] - x["delivered_s"] <= 20 for x in leads.values())


def test_an_alert_rings_before_it_is_on_record(told: list[dict[str, Any]]) -> None:
    heard = [x for x in tells(told, "heard") if x["tell"]["kind"] == "alert"]
    assert [x["first"] for x in heard] == [True, False]
    assert {x["node"] for x in heard} == {"GREEN"}
    assert len(told[-1]["to_ring_ms"]) == 3


def test_own_plans_are_told_on_their_owners_side_only(told: list[dict[str, Any]]) -> None:
    private = [x for x in told if x.get("private")]
    assert {x["node"] for x in private} == {"GREEN"}
    assert len(tells(told, "exposed")) == 3
    ours = [json.dumps(x) for x in told if x.get("node") == "BLUE"]
    assert ours
    assert not [line for line in ours if any(name in line for name in PRIVATE)]


def test_the_kept_folders_are_nodes_that_start_again(told: list[dict[str, Any]], tmp_path: Path) -> None:
    hint = next(line for x in told if x["event"] == "closing" for line in x["text"] if "wideberth up" in line)
    folder, clock = hint.split("--dir ")[1].strip(), hint.split("--clock ")[1].split()[0]
    node = subprocess.Popen(
        [sys.executable, "-m", "wideberth.demo.leash", "up", "--json", "--clock", clock, "--dir", folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert node.stdout is not None
        assert json.loads(node.stdout.readline())["lines"] == 1
        listed = subprocess.run(
            [*WIDEBERTH, "notice", "list", "--all", "--json", "--dir", folder],
            capture_output=True,
            check=True,
            timeout=30,
        )
        assert len(listed.stdout.splitlines()) == 5
    finally:
        node.communicate(timeout=20)
    assert node.returncode == 0


def _until_it_tells(demo: subprocess.Popen[bytes]) -> set[int]:
    assert demo.stdout is not None
    while line := demo.stdout.readline():
        if json.loads(line)["event"] == "tell":
            return processes_below(demo.pid)
    raise AssertionError("the demo ended before anything was told")


@needs_proc
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_demo_that_is_stopped_leaves_no_process_behind(
    number: signal.Signals, code: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("k")
    with subprocess.Popen(
        [*COMMAND, "--story", "routine"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(folder)},
    ) as demo:  # fmt: skip
        try:
            children = _until_it_tells(demo)
            # Two nodes, and the inner process of each.
            assert len(children) == 4
            demo.send_signal(number)
            demo.communicate(timeout=20)
        finally:
            demo.kill()
    assert demo.returncode == code
    assert gone_within(children, 10) == set()
    if number is signal.SIGINT:
        assert list(folder.iterdir()) == []


def test_three_parties_and_two_lines_that_nothing_crosses() -> None:
    done = subprocess.run([*COMMAND, "--story", "triangle"], capture_output=True, timeout=90, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, told[-1]
    assert told[-1]["ok"] is True
    crossed = tells(told, "crossed")
    assert crossed[0]["node"] == "GREEN"
    assert crossed[0]["tell"]["kind"] == "TRIANGLE"
    assert {x["node"] for x in crossed} <= {"GREEN", "AMBER"}
    heard = {x["tell"]["kind"] for x in tells(told, "heard") if x["node"] == "AMBER"}
    assert heard == {"notice", "epoch"} or heard == {"notice"}, "AMBER hears of no suspension and no distress"
    assert [x["named"] for x in told if x.get("event") == "measured" and "named" in x] == [[], []]
    marked = [x for x in tells(told, "heard") if x["tell"].get("facts", {}).get("outside")]
    assert {x["tell"]["kind"] for x in marked} >= {"amend", "alert"}


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    done = subprocess.run([*COMMAND, "--keep", str(tmp_path)], capture_output=True, timeout=30, check=False)
    assert done.returncode == 3
    assert b"not an empty folder" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_people_read_whose_screen_it_is_and_what_is_private(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert play(story="routine", fast=True) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "05:50:00Z GREEN RINGS, seen on GREEN's side only: Our plan morning patrol" in out
    assert "GREEN/watch-1 acknowledges BLU-0001-E version 1. This records receipt only." in out
    assert "the same bytes in both folders" in out
    assert SCOPE in out
    assert "wideberth demo --keep DIR" in out


def test_what_did_not_happen_is_said_and_fails_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan that really meets nothing, where the story expects a meeting: the nodes decide, not the story."""
    far = (("40.55 -39.5", "2000ft AMSL", "09:05Z"), ("40.52 -39.4", "2000ft AMSL", "09:52Z"))
    steps = tuple(
        msgspec.structs.replace(s, legs=far) if isinstance(s, st.OwnPlan) else s for s in st.ROUTINE.steps[:5]
    )
    monkeypatch.setitem(st.STORIES, "routine", msgspec.structs.replace(st.ROUTINE, steps=steps))
    monkeypatch.setattr("wideberth.demo.nodes.WAIT_S", 2.0)
    assert play(story="routine", fast=True, as_json=True) == 1
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["ok"] is False
    assert "morning-patrol meets BLU-0002-P" in summary["failed"][0]


def test_every_time_and_place_of_the_stories_is_well_formed_and_in_order() -> None:
    for story in st.STORIES.values():
        times = [instant.parse(f"{st.DAY}T{step.at}Z") for step in story.steps]
        assert times == sorted(set(times))
        assert {step.who for step in story.steps} <= set(st.PARTIES)
