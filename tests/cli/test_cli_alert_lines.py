# SPDX-License-Identifier: Apache-2.0
"""An ALERT of a party on two lines for flight safety goes out on both: nobody is asked which (domain.md C17, A10)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cli.cliworld import AREA, T0_MS, World
from wideberth import join
from wideberth.core.say.rules import Mode, Purpose, Rules


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("two"))
    blue, alone = made.services["BLUE"].home, made.services["ALONE"].home
    invite = join.invite(
        blue, to="ALONE", mechanism="Coast", purpose=Purpose.FLIGHT_SAFETY, mode=Mode.EXERCISE, rules=Rules(area=AREA),
        now_ms=T0_MS, entropy=os.urandom,
    )  # fmt: skip
    reply = join.accept(alone, invite, join.words(blue)).write
    assert reply is not None
    join.accept(blue, reply, join.words(alone))
    for name in ("BLUE", "ALONE"):
        made.client(name).post("/v1/lines", {})
    made.set_clock(T0_MS + 1_000)
    made.until(lambda: made.services["ALONE"].node.lines and len(made.services["BLUE"].node.lines) == 2)
    yield made
    made.close()


def test_it_rings_at_everybody_and_says_so(world: World) -> None:
    said = world.do("BLUE", "alert", "turning", "back", "--json")
    assert said.code == 0, said.err
    (answer,) = said.data
    refs = {answer["ref"]: answer["told_to"], **{each["ref"]: each["told_to"] for each in answer["also"]}}
    assert sorted(refs.values()) == [["ALONE"], ["GREEN"]]
    assert answer["failed"] == []
    for ref, (told,) in refs.items():
        assert world.heard(told, ref)["kind"] == "alert"
    shown = world.do("BLUE", "alert")
    assert shown.out.count("ALERT raised") == 2
    assert "as well" in shown.out


def test_with_a_line_it_goes_to_that_one_only(world: World) -> None:
    said = world.do("BLUE", "alert", "--line", "Coast", "--json")
    assert said.code == 0, said.err
    assert "also" not in said.data[0]
    assert said.data[0]["told_to"] == ["ALONE"]


def test_what_is_not_an_alert_still_asks_which_line(world: World) -> None:
    said = world.do("BLUE", "nil", "--until", "+8h")
    assert said.code == 3
    assert "say which line" in said.err
