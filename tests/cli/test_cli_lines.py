# SPDX-License-Identifier: Apache-2.0
"""The line itself from the command line: checks, words, calls, distress; between two real nodes."""

import pytest

from tests.cli.cliworld import T0_MS, World


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A world of its own: states of a line outlast a test."""
    made = World(tmp_path_factory.mktemp("w"))
    yield made
    made.close()


def state(world, name="BLUE"):
    (line,) = world.do(name, "linecheck", "list", "--json").data
    return line


def held(world, name, n):
    """Until that side holds so many entries of the other."""
    world.until(lambda: world.client(name).get("/v1/status")["lines"][0]["peers"][0]["held"] >= n)


def said(world, name):
    return world.client(name).get("/v1/status")["lines"][0]["seq"]


def test_a_check_is_asked_shown_and_answered(world):
    asked = world.do("BLUE", "linecheck", "ask", "--text", "change of watch")
    assert asked.code == 0, asked.err
    assert "Line check asked" in asked.out
    held(world, "GREEN", said(world, "BLUE"))
    shown = world.do("GREEN", "linecheck", "list")
    assert "answer with `wideberth linecheck answer`" in shown.out
    assert "answer with `wideberth linecheck answer`" in world.do("GREEN", "status").out
    answered = world.do("GREEN", "linecheck", "answer")
    assert "Line check answered" in answered.out
    held(world, "BLUE", said(world, "GREEN"))
    for name, peer in (("BLUE", "GREEN"), ("GREEN", "BLUE")):
        line = state(world, name)
        assert (line["state"], line["peers"][peer]["answered_ms"]) == ("OPEN", T0_MS)
        assert line["peers"][peer]["we_asked"] == line["peers"][peer]["asked_us"] == []
    assert "linecheck ask" in world.do("GREEN", "linecheck", "answer").err


def test_words_about_the_line_are_seen_on_both_sides_and_stop_nothing(world):
    for verb, expected in (("refuse", "REFUSED"), ("suspend", "SUSPENDED"), ("close", "CLOSED")):
        assert world.do("GREEN", "line", verb, "--text", "as ordered").code == 0
        held(world, "BLUE", said(world, "GREEN"))
        assert state(world)["state"] == state(world, "GREEN")["state"] == expected
        told = world.do("BLUE", "alert", "turning back")
        assert told.code == 0
        assert f"the line with GREEN is {expected} since" in told.err
    assert "CLOSED since" in world.do("BLUE", "watch").out
    world.do("GREEN", "line", "reopen")
    held(world, "BLUE", said(world, "GREEN"))
    assert state(world)["state"] == "OPEN"


def test_calls_are_listed_with_the_response_rate(world):
    for _ in range(3):
        call = ("voice", "no reply", "--by", "guard radio", "--outcome", "no_answer", "--frequency", "243.000 MHz")
        assert world.do("BLUE", *call).code == 0
    shown = world.do("BLUE", "contacts")
    assert "243.000 MHz" in shown.out
    assert "3 calls logged, 0 answered: response rate 0 %" in shown.out
    assert "response rate 0 %" in world.do("BLUE", "status").out
    (line,) = world.do("BLUE", "contacts", "--json").data
    assert [c["outcome"] for c in line["contacts"]] == ["NO_ANSWER"] * 3


@pytest.mark.parametrize(
    ("args", "kind"),
    [
        ((), "alert"),
        (("--at", "unknown"), "alert"),
        (("two", "people", "in", "the", "water", "--at", "41.5N 38.2W"), "notice"),
        (("--at", "the second bridge"), "alert"),
    ],
)
def test_distress_goes_out_whatever_is_given(world, args, kind):
    given = world.do("BLUE", "distress", *args, "--json")
    assert given.code == 0, given.err
    assert given.data[-1]["kind"] == kind
    heard = world.heard("GREEN", given.data[-1]["ref"])
    assert heard["precedence"] == "FLASH"
    if kind == "notice":
        terms = world.client("GREEN").get(f"/v1/notices/{heard['ref']}")["versions"][0]["terms"]
        assert (terms["type"], terms["priority"], terms["hazard"]) == ("DISTRESS", "DISTRESS", "PEOPLE_PRESENT")
    if "the second bridge" in args:
        assert "the second bridge" in heard["versions"][0]["text"]


def test_a_program_may_give_a_draft_of_distress_without_a_place(world):
    given = world.client("BLUE").post("/v1/notices", {"type": "DISTRESS", "text": "engine fire", "by": "watch-1"})
    assert given["kind"] == "alert"
    assert world.heard("GREEN", given["ref"])["versions"][0]["text"] == "engine fire"


def test_statements_are_listed(world):
    assert "No statement was posted." in world.do("BLUE", "statement", "list").out
