# SPDX-License-Identifier: Apache-2.0
"""Rings by the command line on a running node: set, report, list, drop; and nothing of it on the line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.cliworld import Outcome, World
from tests.cli.cliworld import wideberth as run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("w"))
    yield made
    made.close()


def rings(world: World, *args: str) -> Outcome:
    folder: Path = world.path / "blue"
    return run("--dir", str(folder), "rings", *args)


def test_an_aircraft_without_contact_inside_the_inner_ring_is_an_alert_and_nothing_leaves(world: World) -> None:
    before = world.services["BLUE"].status()["lines"][0]["seq"]
    made = rings(world, "set", "ridge", "--at", "34.0N 118.0W", "--ground", "1900ft",
                 "--block", "helicopters; SFC; 1000ft AGL", "--block", "tankers; 1000ft AGL; 2000ft AGL")  # fmt: skip
    assert made.code == 0, made.err
    seen = rings(world, "report", "ridge", "drone", "--at", "34.0350N 118.0W", "--altitude", "300ft AGL")
    assert seen.code == 0, seen.err
    assert "2.1 NM, inside the inner ring. ALERT: inside without contact. Its height may meet: helicopters." in seen.out
    far = rings(world, "report", "ridge", "medevac", "--at", "34.2167N 118.0W", "--contact", "--json")
    assert (far.data[0]["ring"], far.data[0]["advice"]) == ("OUTSIDE", "NONE")
    listed = rings(world, "list", "--json").data[0]
    assert listed["area"]["mode"] == "EXERCISE", "that of its lines"
    assert [row["aircraft"] for row in listed["aircraft"]] == ["drone", "medevac"]
    assert "NO_COMM" in rings(world, "list").out
    assert "off the list" in rings(world, "report", "ridge", "drone", "--at", "34.0350N 118.0W", "--gone").out
    assert rings(world, "drop", "ridge").code == 0
    assert rings(world, "list", "--json").data == []
    assert world.services["BLUE"].status()["lines"][0]["seq"] == before


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("set", "r", "--at", "34N 118W", "--no-comm", "7"), "no unit"),
        (("set", "r", "--at", "34N 118W", "--block", "helicopters"), "three parts"),
        (("report", "nowhere", "drone", "--at", "34N 118W"), "there are no rings"),
    ],
)
def test_what_cannot_be_used_is_said(world: World, args: tuple[str, ...], says: str) -> None:
    said = rings(world, *args)
    assert said.code in (3, 4)
    assert says in said.err
