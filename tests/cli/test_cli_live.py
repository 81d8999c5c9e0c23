# SPDX-License-Identifier: Apache-2.0
"""Live safety from the command line, between two real nodes: hold-off."""

from tests.cli.cliworld import T0_MS
from wideberth.cli.alarm import Alarm

TOLD = {"tell": "overdue", "ch": "c", "ref": "GRE-1", "version": 1, "what": "UNACKNOWLEDGED", "member": "BLUE",
        "sentence": "x"}  # fmt: skip


def test_a_hold_off_needs_only_a_place_and_both_sides_see_the_timer_until_it_is_answered(world):
    said = world.do("GREEN", "holdoff", "--at", "41.5N 38.2W", "two", "boats", "--json")
    assert said.code == 0, said.err
    ref = said.data[0]["ref"]
    (terms,) = [v["terms"] for v in world.heard("BLUE", ref)["versions"]]
    assert (terms["type"], terms["hazard"], terms["precedence"]) == ("HOLD_OFF", "PEOPLE_PRESENT", "FLASH")
    assert (terms["text"], terms["volumes"][0]["start_ms"]) == ("two boats", T0_MS)
    assert terms["expires_ms"] == T0_MS + 2 * 3_600_000, "`holdoff` of the settings"
    for name in ("BLUE", "GREEN"):
        assert "BLUE must answer by 2031-05-14T09:02:00Z: 2m left" in world.do(name, "notice", "show", ref).out
        assert "BLUE must answer by" in world.do(name, "watch").out
    assert world.do("BLUE", "ack", ref).code == 0
    world.until(lambda: world.heard("GREEN", ref)["must_answer"][0]["state"] == "ANSWERED")
    shown = world.do("GREEN", "notice", "show", ref).out
    assert "BLUE answered at 2031-05-14T09:00:00Z: ACKNOWLEDGED. This records receipt only." in shown


def test_a_hold_off_takes_a_radius_and_an_end_and_begins_now(world):
    said = world.do("GREEN", "holdoff", "--at", "41.5N 38.2W", "--radius", "300m", "--until", "+40m", "--json")
    assert said.code == 0, said.err
    (terms,) = [v["terms"] for v in world.heard("BLUE", said.data[0]["ref"])["versions"]]
    assert terms["volumes"][0]["shape"]["radius_mm"] == 300_000
    assert terms["expires_ms"] == T0_MS + 40 * 60_000
    later = {"type": "HOLD_OFF", "circle": "41.5N 38.2W", "from": "+1h", "by": "watch-1"}
    seen = world.do("GREEN", "notice", "give", *(x for k, v in later.items() if k != "by" for x in (f"--{k}", v)))
    assert seen.code == 3
    assert "a hold-off has kind, place and until, from now" in seen.err


def test_whoever_heard_a_hold_off_and_did_not_answer_it_is_rung_again():
    alarm = Alarm()
    assert alarm.take(TOLD)
    assert not alarm.take({**TOLD, "again": 1}), "it still rings"
    alarm.own()
    assert not alarm.take(TOLD)
    assert alarm.take({**TOLD, "again": 2})
    alarm.take({"tell": "said", "ch": "c", "entry": "a", "kind": "relay", "by": "BLUE/watch-1", "ref": "GRE-1"})
    assert alarm.ringing == ()
