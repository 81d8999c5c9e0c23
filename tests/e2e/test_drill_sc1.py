# SPDX-License-Identifier: Apache-2.0
"""`wideberth drill SC1` as a user runs it: real nodes, every check, the after-action, and a fault that costs points."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cliworld import wideberth

CHECKED = {"B3", "C3", "C4", "C7", "C17", "D6", "E3", "G6", "I2", "I5", "J4", "M2"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("drill")
    (folder / "node").mkdir()
    (folder / "node" / "config.toml").write_text('party = "BLUE"\n')
    said = wideberth("drill", "sc1", "--json", "--out", str(folder / "after.txt"), "--for", str(folder / "node"))
    assert said.code == 0, said.out + said.err
    return json.loads(said.out), folder


def test_every_check_of_the_late_and_vague_notice_passes(played: tuple[dict[str, Any], Path]) -> None:
    report, _ = played
    assert [check for check in report["checks"] if not check["passed"]] == []
    assert {check["id"] for check in report["checks"]} == CHECKED
    assert (report["ok"], report["passed"]) == (True, report["of"])
    assert report["of"] >= 20


def test_the_timeline_has_what_both_sides_did_and_were_told(played: tuple[dict[str, Any], Path]) -> None:
    lines = played[0]["timeline"]
    assert {line["party"] for line in lines} == {"BLUE", "GREEN"}
    (alert,) = [line for line in lines if line["text"].startswith("RINGS: ALERT from BLUE")]
    assert (alert["party"], alert["at"]) == ("GREEN", "2018-09-17T18:38:10Z")
    (pressed,) = [line for line in lines if line["text"] == "presses the one key that needs no field"]
    assert pressed["did"]
    assert lines.index(pressed) < lines.index(alert)


def test_the_after_action_is_a_file_and_the_drill_is_noted(played: tuple[dict[str, Any], Path]) -> None:
    report, folder = played
    text = (folder / "after.txt").read_text("utf-8")
    assert f"Score: {report['of']} of {report['of']}" in text
    assert report["scope"][:30] in text
    noted = json.loads((folder / "node" / "drill.noted").read_text())
    assert (noted["drill"], noted["passed"], noted["of"]) == ("SC1", report["of"], report["of"])


def test_faults_that_nobody_answers_lower_the_score_and_say_what_to_train() -> None:
    said = wideberth("drill", "SC1", "--json", "--fault", "no-alert", "--fault", "no-second-reading")
    assert said.code == 1, said.out + said.err
    report = json.loads(said.out)
    failed = [(check["id"], check["seen"]) for check in report["checks"] if not check["passed"]]
    assert failed == [("C17", "never"), ("C17", "no meeting was found"), ("E3", "MISMATCH and MISMATCH")]
    assert report["passed"] == report["of"] - 3
    assert "read it again" in " ".join(report["train"])


def test_a_drill_or_a_fault_that_is_not_there_is_said_with_those_that_are() -> None:
    assert "SC1" in wideberth("drill", "SC99").err
    said = wideberth("drill", "SC1", "--fault", "rain")
    assert said.code == 3
    assert "no-alert" in said.err


def test_the_list_names_every_drill_with_its_faults() -> None:
    listed = [json.loads(line) for line in wideberth("drill", "list", "--json").out.splitlines()]
    assert {"name", "title", "source", "parties", "faults"} == listed[0].keys()
    assert "SC1" in [each["name"] for each in listed]


def test_with_the_mediator_down_what_is_said_goes_directly() -> None:
    report = json.loads(wideberth("drill", "SC1", "--json", "--fault", "mediator-down").out)
    assert [check for check in report["checks"] if not check["passed"]] == []
    (way,) = [check["seen"] for check in report["checks"] if check["id"] == "A7"]
    assert way == "WORKS direct, WORKS direct"


def test_with_a_third_of_all_deliveries_lost_no_check_fails() -> None:
    """N1. The weather's dice are seeded; what is lost is repeated in time."""
    said = wideberth("drill", "SC1", "--json", "--fault", "lost-deliveries")
    report = json.loads(said.out)
    assert [check for check in report["checks"] if not check["passed"]] == []
    (lost,) = [check["seen"] for check in report["checks"] if check["id"] == "N1"]
    assert int(lost.split()[0]) > 0
