# SPDX-License-Identifier: Apache-2.0
"""Two notices that meet, between two real nodes over their sockets: one id at both ends, a proposal that changes
nothing until its owner amends, and an outcome that each side records for itself."""

from typing import get_args, get_type_hints

import msgspec
import pytest

from tests.cli.cliworld import NOTICE, T0_MS, World
from wideberth.cli import conflicts
from wideberth.core.judge.separation import judge
from wideberth.core.say.conflict import How, Outcome
from wideberth.core.say.minima import RULE_OF_THREES
from wideberth.core.say.volume import Volume4D

MINUTE = 60_000


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def give(world, name, *more):
    """A notice, once both have it; its reference."""
    said = world.do(name, "notice", "give", *NOTICE, *more, "--json")
    assert said.code == 0, said.err
    for each in ("BLUE", "GREEN"):
        world.heard(each, said.data[0]["ref"])
    return said.data[0]["ref"]


def meeting(world):
    """GREEN's notice begins while BLUE's, given before it, is open. Returns both references."""
    one = give(world, "BLUE", "--from", "09:40Z", "--until", "10:40Z")
    other = give(world, "GREEN", "--from", "10:10Z", "--until", "11:10Z")
    return one, other


def shared(world, name):
    """What that node has of the one conflict, once its inner side has found it."""
    (view,) = world.until(lambda: [v for v in world.client(name).get("/v1/conflicts") if v["found"]])
    return view


def on_record(world, name, ref):
    return world.client(name).get(f"/v1/conflicts/{ref}")


def volumes(notice):
    return msgspec.convert(notice["versions"][-1]["terms"]["volumes"], list[Volume4D])


def test_both_ends_have_the_same_conflict_and_ask_the_same_side(world):
    one, other = meeting(world)
    views = [shared(world, name) for name in ("BLUE", "GREEN")]
    assert views[0]["id"] == views[1]["id"]
    assert {n["ref"] for n in views[0]["notices"]} == {one, other}
    asked = [view["moves"] for view in views]
    assert asked[0] == asked[1]
    assert (asked[0]["author"], asked[0]["by"]) == ("GREEN", "FILED_FIRST"), "BLUE filed first"
    shown = world.do("GREEN", "conflicts")
    assert shown.code == 0, shown.err
    assert views[0]["conflict"] in shown.out
    assert "By the agreement GREEN is asked to move" in shown.out
    assert "100 % deep; 30m inside" in shown.out
    assert "outcome: BLUE OPEN, GREEN OPEN" in shown.out


def test_the_least_changes_are_shown_for_both_and_stay_on_this_machine(world):
    _, other = meeting(world)
    ref = shared(world, "BLUE")["conflict"]
    held = world.client("BLUE").get("/v1/status")["lines"][0]["peers"][0]["held"]
    seen = world.do("BLUE", "conflicts", ref, "--ways")
    assert seen.code == 0, seen.err
    assert f"{other} (asked to move) LATER   30m later" in seen.out
    assert "there is no time to begin earlier" not in seen.out
    ways = world.do("BLUE", "conflicts", "--ways", "--json").data[0]["ways"]
    assert [w["how"] for w in ways] == [how.value for how in How] * 2
    assert world.client("BLUE").get("/v1/status")["lines"][0]["peers"][0]["held"] == held, "nothing was said"


def test_a_proposal_travels_the_owner_amends_and_both_record_it(world):
    one, other = meeting(world)
    ref = shared(world, "BLUE")["conflict"]
    seen = world.do("BLUE", "propose", ref, "--how", "later", "--text", "half an hour?", "--preview")
    assert seen.code == 0, seen.err
    assert "PREVIEW" in seen.out
    assert "A proposal changes nothing until" in seen.out
    said = world.do("BLUE", "propose", ref, "--how", "later", "--text", "half an hour?")
    assert said.code == 0, said.err
    assert "it changes nothing until its owner amends" in said.out
    proposal = world.until(lambda: on_record(world, "GREEN", ref)["proposals"])[0]
    assert (proposal["author"], proposal["moves"], proposal["how"]) == ("BLUE", other, "LATER")
    assert world.heard("GREEN", other)["version"] == 1, "nothing was changed by it"
    assert "half an hour?" in world.do("GREEN", "conflicts", ref).out

    amended = world.do("GREEN", "notice", "amend", other, "--proposed", ref)
    assert amended.code == 0, amended.err
    world.until(lambda: world.heard("BLUE", other)["version"] == 2)
    for a in volumes(world.heard("BLUE", one)):
        for b in volumes(world.heard("BLUE", other)):
            assert not judge(a, b, RULE_OF_THREES).open
    world.until(lambda: "SPOKEN OF" in world.do("GREEN", "conflicts", "--all").out)

    assert world.do("GREEN", "outcome", ref, "resolved-by-amend").code == 0
    world.until(lambda: on_record(world, "BLUE", ref)["outcomes"]["GREEN"] == "RESOLVED_BY_AMEND")
    assert on_record(world, "BLUE", ref)["outcomes"]["BLUE"] == "OPEN", "one side speaks for itself alone"
    said = world.do("BLUE", "outcome", ref, "RESOLVED_BY_AMEND", "--json")
    assert said.code == 0, said.err
    world.until(lambda: on_record(world, "GREEN", ref)["same_outcome"])
    views = [on_record(world, name, ref) for name in ("BLUE", "GREEN")]
    assert views[0] == views[1]
    assert set(views[0]["outcomes"].values()) == {"RESOLVED_BY_AMEND"}


def test_what_was_amended_before_anybody_said_a_word_can_still_be_recorded(world):
    _, other = meeting(world)
    ref = shared(world, "GREEN")["conflict"]
    assert world.do("GREEN", "notice", "amend", other, "--from", "11:00Z", "--until", "12:00Z").code == 0
    world.until(lambda: not [v for v in world.client("GREEN").get("/v1/conflicts") if v["found"]])
    assert world.do("GREEN", "outcome", ref, "RESOLVED_BY_AMEND").code == 0
    world.until(lambda: on_record(world, "BLUE", ref)["outcomes"]["GREEN"] == "RESOLVED_BY_AMEND")


def test_what_begins_unsettled_rings_at_both_ends(world):
    meeting(world)
    ref = shared(world, "BLUE")["conflict"]
    assert world.do("BLUE", "outcome", ref, "UNRESOLVED").code == 0
    world.until(lambda: on_record(world, "GREEN", ref)["outcomes"]["BLUE"] == "UNRESOLVED")
    world.set_clock(T0_MS + 70 * MINUTE)
    for name in ("BLUE", "GREEN"):
        for line in world.client(name).stream("/v1/watch", since=0):
            tell = line.get("tell", {})
            if tell.get("tell") == "overdue" and tell["what"] == "UNRESOLVED":
                assert tell.get("level", "RING") == "RING"
                assert "Nothing is held up by this." in tell["sentence"]
                break
    assert world.do("GREEN", "conflicts", "--exit-code").code == 1


def test_a_plans_ways_out_are_shown_and_cannot_be_proposed(world):
    ref = give(world, "BLUE", "--from", "09:40Z", "--until", "10:40Z")
    plan = ("--circle", "41.20N 38.60W", "--radius", "5km", "--low", "SFC", "--high", "2000ft AMSL")
    added = world.do("GREEN", "plan", "add", "--id", "survey", *plan, "--from", "09:50Z", "--until", "10:20Z")
    assert added.code == 0, added.err
    world.until(lambda: world.client("GREEN").get("/v1/exposures"))
    held = world.client("BLUE").get("/v1/status")["lines"][0]["peers"][0]["held"]
    (row,) = world.do("GREEN", "conflicts", "--ways", "--json").data
    assert (row["kind"], row["ref"], row["known_to"]) == ("EXPOSURE", ref, "known to us alone")
    assert row["severity"]["says"].startswith("more than an hour left") or "left" in row["severity"]["says"]
    assert {w["of"] for w in row["ways"]} == {"plan survey"}
    assert next(w for w in row["ways"] if w["how"] == "LATER")["size"] == 50 * MINUTE
    refused = world.do("GREEN", "propose", ref, "--how", "later")
    assert refused.code == 4, "a plan has no conflict that anybody else could know"
    assert world.client("BLUE").get("/v1/status")["lines"][0]["peers"][0]["held"] == held


def test_slips_say_what_to_do(world):
    meeting(world)
    ref = shared(world, "BLUE")["conflict"]
    assert world.do("BLUE", "propose", ref, "--how", "sideways").code == 3
    assert world.do("BLUE", "outcome", ref, "agreed").code == 3
    assert world.do("BLUE", "outcome", "CNF-10000000-A", "EXPIRED").code in (3, 4)
    wrong = world.do("BLUE", "propose", ref, "--how", "later", "--moves", "BLU-9999-A")
    assert wrong.code == 3
    assert "neither of the two" in wrong.err
    cannot = world.do("BLUE", "propose", ref, "--how", "lower")
    assert cannot.code == 3
    nothing = world.do("GREEN", "notice", "amend", world.client("BLUE").get("/v1/notices")[1]["ref"], "--proposed", ref)
    assert nothing.code == 3
    assert "nobody has proposed anything" in nothing.err
    assert "it reaches down to the surface" in cannot.err


def test_the_lists_of_the_command_line_are_those_of_the_core():
    assert tuple(How.__members__) == conflicts.WAYS
    assert get_args(get_type_hints(Outcome)["outcome"]) == conflicts.OUTCOMES
