# SPDX-License-Identifier: Apache-2.0
"""The watch officer's terminal: rings until somebody owns it, says when the node is gone, comes back."""

import json
import subprocess
import sys

import pytest

from tests.cli.cliworld import World
from tests.cli.terminal import Terminal
from wideberth.cli.alarm import Alarm
from wideberth.cli.watch import sentence_of
from wideberth.core.desk.causes import level

CH = "c0" * 32
HEARD = {"tell": "heard", "ch": CH, "author": "BLUE", "entry": "e1", "kind": "alert", "by": "BLUE/watch-1", "t_ms": 1,
         "at_ms": 2, "sentence": "ALERT from BLUE", "ref": "ALERT-1", "recorded": False, "level": "RING"}  # fmt: skip
OVERDUE = {
    "tell": "overdue",
    "ch": CH,
    "ref": "BLU-1",
    "version": 1,
    "what": "UNDELIVERED",
    "member": "GREEN",
    "sentence": "x",
}
EXPOSED = {"tell": "exposed", "ch": CH, "ref": "BLU-1", "version": 1, "plan": "survey", "sentence": "x"}


def test_a_ring_begins_once_however_often_it_is_repeated():
    alarm = Alarm()
    assert alarm.take(HEARD)
    assert not alarm.take(HEARD)
    assert alarm.ringing == ("ALERT-1",)


def test_a_key_silences_what_rings_and_not_what_comes_later():
    alarm = Alarm()
    alarm.take(HEARD)
    alarm.own()
    assert alarm.ringing == ()
    assert not alarm.take(HEARD)
    assert alarm.take({**HEARD, "entry": "e2", "ref": "ALERT-2"})


def test_an_answer_from_any_terminal_ends_the_ring_of_that_notice_only():
    alarm = Alarm()
    alarm.take(HEARD)
    alarm.take({**HEARD, "entry": "e2", "ref": "ALERT-2"})
    alarm.take({"tell": "said", "ch": CH, "entry": "a", "kind": "ack", "by": "GREEN/watch-1", "ref": "ALERT-1"})
    assert alarm.ringing == ("ALERT-2",)


def test_an_acknowledgement_does_not_silence_an_exposure_of_an_own_plan():
    alarm = Alarm()
    alarm.take(OVERDUE)
    alarm.take(EXPOSED)
    alarm.take({"tell": "said", "ch": CH, "entry": "a", "kind": "ack", "by": "GREEN/watch-1", "ref": "BLU-1"})
    assert alarm.ringing == ("BLU-1",)
    alarm.take({"tell": "eased", "ch": CH, "ref": "BLU-1", "plan": "survey", "sentence": "gone"})
    assert alarm.ringing == ()
    assert alarm.take(EXPOSED)


def test_an_exposure_that_came_back_rings_again_although_it_was_owned():
    alarm = Alarm()
    alarm.take(EXPOSED)
    alarm.own()
    alarm.take({"tell": "eased", "ch": CH, "ref": "BLU-1", "plan": "survey", "sentence": "gone"})
    assert alarm.take(EXPOSED)


CROSSED = {
    "tell": "crossed", "kind": "TRIANGLE", "change": "APPEARED", "sentence": "they meet",
    "known_to": "known to us alone",
    "one": {"ch": CH, "mechanism": "NORTH", "author": "WEST", "ref": "WES-1", "version": 1},
    "other": {"ch": "d" * 64, "mechanism": "SOUTH", "author": "EAST", "ref": "EAS-1", "version": 1},
}  # fmt: skip


def test_a_crossing_rings_once_again_when_it_grew_and_not_when_it_eased():
    alarm = Alarm()
    assert alarm.take(CROSSED)
    assert alarm.ringing == ("WES-1 with EAS-1",)
    alarm.take({"tell": "said", "ch": CH, "entry": "a", "kind": "ack", "by": "HUB/watch-1", "ref": "WES-1"})
    assert alarm.ringing, "an acknowledgement of one notice does not answer the clash of two"
    alarm.own()
    assert not alarm.take(CROSSED)
    assert not alarm.take({**CROSSED, "change": "EASED", "level": "NOTE"})
    assert alarm.take({**CROSSED, "change": "GREW"})
    alarm.take({"tell": "uncrossed", "one": CROSSED["one"], "other": CROSSED["other"], "sentence": "over"})
    assert alarm.ringing == ()
    assert alarm.take(CROSSED), "one that came back is a new one"


def test_a_cancelled_notice_of_either_line_ends_the_ring_of_its_crossing():
    for ch, ref in ((CH, "WES-1"), ("d" * 64, "EAS-1")):
        alarm = Alarm()
        alarm.take(CROSSED)
        alarm.take({**HEARD, "ch": ch, "kind": "cancel", "ref": ref, "level": "NOTE", "recorded": True})
        assert alarm.ringing == ()


def test_every_warning_says_who_knows_of_it():
    nobody = "Not covered: whoever is outside the mechanism; the agreement names nobody."
    assert sentence_of(CROSSED) == f"TRIANGLE [known to us alone] they meet {nobody}"
    assert sentence_of({**CROSSED, "change": "GREW"}) == f"TRIANGLE GREW [known to us alone] they meet {nobody}"
    assert sentence_of(EXPOSED) == f"EXPOSURE [known to us alone] x {nobody}"


def test_a_cancelled_notice_stops_ringing_in_every_way():
    alarm = Alarm()
    for tell in (OVERDUE, EXPOSED, {**HEARD, "ref": "BLU-1"}):
        alarm.take(tell)
    alarm.take({**HEARD, "entry": "e9", "kind": "cancel", "ref": "BLU-1", "level": "NOTE", "recorded": True})
    assert alarm.ringing == ()


def test_a_full_disk_rings_until_there_is_room():
    alarm = Alarm()
    assert alarm.take({"tell": "disk", "low": True, "sentence": "full", "level": "RING"})
    alarm.take({"tell": "disk", "low": False, "sentence": "room", "level": "NOTE"})
    assert alarm.ringing == ()


def test_an_outage_rings_until_what_we_say_gets_through_again():
    alarm = Alarm()
    out = {"tell": "link", "ch": "c", "peer": "GREEN", "state": "NOT_RELAYED", "sentence": "out", "level": "RING"}
    assert alarm.take(out)
    assert not alarm.take({**out, "sentence": "out, and for another reason"})
    alarm.take({**out, "state": "WORKS", "level": "NOTE"})
    assert alarm.ringing == ()
    assert alarm.take(out)  # the next outage rings again


def test_levels_left_out_of_the_json_are_those_of_the_tells():
    import msgspec

    from wideberth.core import tells, warned

    for kind in (*tells.Tell.__args__, *warned.Warned.__args__):
        config = kind.__struct_config__
        default = dict(zip(reversed(kind.__struct_fields__), reversed(kind.__struct_defaults__), strict=False))["level"]
        assert level({"tell": config.tag}) == default.value, kind
    assert msgspec.to_builtins(tells.Overdue(CH, "r", 1, "X", "m", "s")).get("level") is None


def test_what_only_programs_want_has_no_sentence():
    assert sentence_of({"tell": "delivered", "ch": CH}) == ""
    assert sentence_of(HEARD).startswith("(not yet recorded) ALERT")
    assert sentence_of({**HEARD, "recorded": True}, again=True) == "ALERT-1 is recorded now."


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A world without plans, so that nothing rings but what the test says."""
    made = World(tmp_path_factory.mktemp("quiet"))
    yield made
    made.close()


def test_the_terminal_rings_until_a_key_is_pressed(quiet):
    world = quiet
    terminal = Terminal(world.folder("GREEN"), "watch", "--follow")
    try:
        terminal.until("Parties outside")
        alert = world.do("BLUE", "alert", "turning back", "--json").data[0]["ref"]
        terminal.until("(not yet recorded) ALERT from BLUE")
        terminal.until("\x07")
        terminal.press(" ")
        terminal.until("Heard at this terminal")
        assert "Not acknowledged to anybody yet" in terminal.until(alert)
        assert "\x07" not in terminal.rest(2.3)
    finally:
        terminal.close()


def test_an_answer_from_another_terminal_stops_the_bell(quiet):
    world = quiet
    for notice in world.client("GREEN").get("/v1/notices"):
        world.do("GREEN", "ack", notice["ref"])
    terminal = Terminal(world.folder("GREEN"), "watch", "--follow")
    try:
        terminal.until("Parties outside")
        terminal.press(" ")  # before anything rings: that is no answer to what rings later
        ref = world.do("BLUE", "alert", "--json").data[0]["ref"]
        terminal.until("(not yet recorded)")
        terminal.until("\x07")
        world.heard("GREEN", ref)
        assert world.do("GREEN", "ack", ref).code == 0
        terminal.until(f"ack {ref}")
        assert "\x07" not in terminal.rest(2.3)
    finally:
        terminal.close()


def test_a_terminal_says_when_the_node_is_gone_and_when_it_is_back(quiet):
    """The stream ends with the node; the terminal says so at once, and follows the next run from its start."""
    from wideberth.clock import HandClock
    from wideberth.service import Service

    world = quiet
    terminal = Terminal(world.folder("GREEN"), "watch", "--follow", "--silent")
    try:
        terminal.until("Parties outside")
        terminal.rest(0.3)
        world.run(world.services["GREEN"].stop())
        terminal.until("THE NODE IS NOT ANSWERING")
        alone = world.do("GREEN", "alert")
        assert alone.code == 6
        assert "BLUE: +999 555 0110" in alone.err  # the card lies in the folder, node or no node
        service = Service(world.services["GREEN"].home, HandClock(world.services["GREEN"].clock.now().t_ms))
        world.run(service.start())
        world.services["GREEN"] = service
        terminal.until("The node answers again")
        world.do("GREEN", "nil", "--until", "+1h")
        terminal.until("GREEN/watch-1: nil")
    finally:
        terminal.close()


def test_a_program_gets_json_lines(quiet):
    world = quiet
    child = subprocess.Popen(
        [sys.executable, "-c", "from wideberth.cli.main import run; run()", "--dir", str(world.folder("BLUE")), "watch",
         "--follow", "--json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for line in child.stdout:
            if json.loads(line).get("watch") == "start":
                break
        world.do("BLUE", "nil", "--until", "+1h")
        told = next(t for line in child.stdout if (t := json.loads(line)["tell"])["tell"] == "said")
        assert told["kind"] == "nil"
    finally:
        child.terminate()
        child.wait(5)
