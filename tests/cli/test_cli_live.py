# SPDX-License-Identifier: Apache-2.0
"""Live safety from the command line, between two real nodes: hold-off, is it yours, a sighting; the ALERT key; how few
keys an accident takes."""

import time

from tests.cli.cliworld import T0_MS, World
from tests.cli.terminal import Terminal
from wideberth.cli import whose
from wideberth.cli.alarm import Alarm
from wideberth.core.say.coordinates import parse_point, show_mgrs

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


def test_traffic_that_was_seen_is_asked_about_and_answered_ours_or_unknown(world):
    said = world.do("BLUE", "whose", "ask", "--at", "41.3N 38.4W", "--high", "1500ft AGL", "--seen", "-3m", "--hazard",
                    "uncrewed-aircraft", "no lights", "--json")  # fmt: skip
    assert said.code == 0, said.err
    ref = said.data[0]["ref"]
    world.until(lambda: ref in world.do("GREEN", "whose", "list").out)
    shown = world.do("GREEN", "watch").out
    assert f"{ref} IS IT YOURS? from BLUE/watch-1" in shown
    assert "whose: UNKNOWN  (waits for GREEN)" in shown
    wrong = world.do("GREEN", "whose", "answer", ref, "not-ours")
    assert wrong.code == 3
    assert "OURS, UNKNOWN" in wrong.err
    assert world.do("GREEN", "whose", "answer", ref, "unknown").code == 0
    assert world.do("GREEN", "whose", "answer", ref, "ours").code == 0
    assert world.do("BLUE", "voice", "they look into it", "--ref", ref).code == 0
    world.until(lambda: "OURS" in world.do("BLUE", "whose", "show", ref).out)
    seen = world.do("BLUE", "whose", "show", ref).out
    assert all(words in seen for words in ("whose: GREEN", "answered UNKNOWN", "answered OURS", "calls about it: 1"))


def test_a_running_node_tells_again_what_comes_nearer_and_sends_nothing_for_it(tmp_path):
    world = World(tmp_path)
    try:
        ref = world.give("--from", "09:50Z", "--until", "11:00Z")
        plan = ("--circle", "41.20N 38.60W", "--radius", "5km", "--low", "SFC", "--high", "2000ft AMSL")
        added = world.do("GREEN", "plan", "add", "--id", "survey", *plan, "--from", "09:50Z", "--until", "10:50Z")
        assert added.code == 0, added.err
        held = world.client("BLUE").get("/v1/status")["lines"][0]["peers"][0]["held"]
        for minutes in (10, 36, 46, 51):
            world.set_clock(T0_MS + minutes * 60_000)
        told, end = [], time.monotonic() + 60
        for line in world.client("GREEN").stream("/v1/watch", since=0):  # it has a heartbeat
            assert time.monotonic() < end, told
            if line.get("tell", {}).get("tell") == "nearer":
                told.append((line["tell"]["ref"], line["tell"]["plan"], line["tell"]["before_ms"]))
                if line["tell"]["before_ms"] == 0:
                    break
        assert told == [(ref, "survey", 900_000), (ref, "survey", 300_000), (ref, "survey", 0)]
        assert world.client("BLUE").get("/v1/status")["lines"][0]["peers"][0]["held"] == held
    finally:
        world.close()


def test_the_answers_of_the_command_line_are_those_of_the_core():
    from typing import get_args, get_type_hints

    from wideberth.core.say.live import Owner

    assert get_args(get_type_hints(Owner)["whose"]) == whose.ANSWERS


def test_an_answer_of_the_other_side_ends_what_rang_about_our_question():
    late = {**TOLD, "ref": "WHS-1", "what": "UNANSWERED", "member": "GREEN"}
    alarm = Alarm()
    assert alarm.take(late)
    alarm.take({"tell": "heard", "ch": "c", "author": "GREEN", "entry": "a", "kind": "owner", "by": "GREEN/watch-1",
                "ref": "WHS-1", "facts": {"answers": "WHS-1", "whose": "UNKNOWN"}})  # fmt: skip
    assert alarm.ringing == ()


def test_what_a_sighting_cost_is_counted_on_both_sides(world):
    ref = world.give("--from", "now", "--until", "+3h")
    seen = world.do("GREEN", "sighting", "--at", "41.2N 38.6W", "--kind", "uncrewed-aircraft", "--json")
    assert seen.code == 0, seen.err
    world.heard("BLUE", seen.data[0]["ref"])
    told = world.do("BLUE", "notice", "suspend", ref, "--at", "2031-05-14T08:30:00Z", "--why", seen.data[0]["ref"])
    assert told.code == 0, told.err
    assert "it is suspended, and stays a warning" in world.do("BLUE", "notice", "show", ref).out
    again = world.do("BLUE", "notice", "suspend", ref)
    assert again.code == 3
    assert "is suspended already" in again.err
    assert world.do("BLUE", "notice", "restore", ref).code == 0
    world.until(
        lambda: "SUSPENDED 2031-05-14T08:30:00Z to 2031-05-14T09:00:00Z" in world.do("GREEN", "notice", "lost").out
    )
    assert "0 min lost in all" in world.do("GREEN", "notice", "lost").out, "it had not begun before nine"


def said_alerts(world):
    """What BLUE's node told of its own ALERTs, from the beginning of its run."""
    told = []
    for line in world.client("BLUE").stream("/v1/watch", since=0):
        if "tell" not in line:
            if line.get("watch") == "start" or told:
                continue
            break
        tell = line["tell"]
        told.append(tell)
        if tell["tell"] == "said" and tell["kind"] == "alert":
            return tell
    return None


def test_one_key_and_enter_send_an_alert_and_the_key_stamps_when_the_call_was_started(world):
    terminal = Terminal(world.folder("BLUE"), "watch", "--follow", "--silent")
    try:
        terminal.until("then Enter: ALERT.")
        terminal.press("a")
        terminal.until("ALERT: something is about to happen, place unknown. Enter sends it")
        terminal.press("x")
        terminal.until("No ALERT was sent.")
        terminal.press("a")
        terminal.until("Enter sends it")
        time.sleep(1.1)
        terminal.press("\n")
        ref = terminal.until("ALERT sent: ")[:14]
    finally:
        terminal.close()
    assert world.heard("GREEN", ref)["kind"] == "alert"
    tell = said_alerts(world)
    assert tell["ref"] == ref, "only one was sent"
    assert tell["facts"]["started_ms"] <= T0_MS - 1_000


def test_an_accident_takes_three_questions_and_at_most_forty_keys(world):
    keys = "wideberth accident\n"
    terminal = Terminal(world.folder("BLUE"), "accident")
    try:
        for question, typed in (("Where", "41.5N 38.2W\n"), ("Until when", "\n"), ("Danger", "8\n")):
            terminal.until(question)
            terminal.press(typed)
            keys += typed
        terminal.until("given")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()
    assert sum(terminal.text.count(f"{word}") for word in (" [", "MGRS):")) <= 3
    assert len(keys) <= 40, len(keys)
    terms = next(
        n["versions"][0]["terms"] for n in world.client("BLUE").get("/v1/notices")
        if n["versions"][0]["terms"] and n["versions"][0]["terms"]["hazard"] == "FIRE_AND_SMOKE"
        and n["author"] == "BLUE"
    )  # fmt: skip
    assert (terms["type"], terms["expires_ms"]) == ("ACCIDENT", T0_MS + 6 * 3_600_000)


def test_a_place_that_cannot_be_read_is_asked_for_again_and_nobody_is_asked_where_nobody_sits(world):
    terminal = Terminal(world.folder("BLUE"), "accident", "--until", "+1h", "--kind", "GROUND_TRAFFIC")
    try:
        terminal.until("Where")
        terminal.press("in the north\n")
        terminal.until("Error")
        terminal.until("Where")
        terminal.press("41.5N 38.2W\n")
        terminal.until("given")
    finally:
        terminal.close()
    silent = world.do("BLUE", "accident")
    assert silent.code == 3
    assert "--at" in silent.err


def test_what_a_grown_volume_meets_is_told_at_the_other_side_at_once(world):
    ref = world.give("--from", "now", "--until", "+2h")
    plan = ("--circle", "42.4N 38.6W", "--radius", "1km", "--low", "SFC", "--high", "1000ft AMSL")
    added = world.do("GREEN", "plan", "add", "--id", "survey", *plan, "--from", "now", "--until", "+1h")
    assert added.code == 0, added.err
    try:
        meets = [e for e in world.client("GREEN").get("/v1/exposures") if e["ref"] == ref]
        assert not meets, "as given it keeps apart from the plan"
        grown = world.do("BLUE", "notice", "offnominal", ref, "lost-link", "--radius", "150km")
        assert grown.code == 0, grown.err
        world.until(
            lambda: any((e["ref"], e["version"]) == (ref, 2) for e in world.client("GREEN").get("/v1/exposures")),
            seconds=25,  # five are promised, on a machine that has time
        )
        smaller = world.do("BLUE", "notice", "offnominal", ref, "overrun", "--radius", "1km")
        assert smaller.code == 3
        assert "may only grow" in smaller.err
        unsaid = world.do("BLUE", "notice", "offnominal", ref, "bored", "--until", "+4h")
        assert "OVERRUN, LOST_LINK" in unsaid.err
        more = world.do(
            "BLUE", "notice", "offnominal", ref, "emergency", "--circle", "41.4N 38.1W", "--radius", "2km", "--json"
        )
        assert more.code == 0, more.err
        assert len(world.heard("BLUE", ref)["versions"][-1]["terms"]["volumes"]) == 2
    finally:
        world.do("GREEN", "plan", "drop", "survey")


def test_a_place_is_read_back_in_the_readers_own_form_and_received_stays_apart_from_sufficient(world):
    ref = world.give()
    grid = show_mgrs(parse_point("41.20N 38.60W"))
    forms = ("41.20N 38.60W", "41°12'00\"N 38°36'00\"W", grid, "180/12nm from 41.40N 38.60W",
             "360/22.224km from 41.0N 38.60W")  # fmt: skip
    times = ("--from", "09:40Z", "--until", "11:00Z")
    for form in forms:
        said = world.do("GREEN", "readback", ref, "--point", form, *times)
        assert said.code == 0, (form, said.out, said.err)
    wrong = world.do("GREEN", "readback", ref, "--point", "090/12nm from 41.20N 38.60W", *times)
    assert wrong.code == 1
    assert "MISMATCH" in wrong.out
    nowhere = world.do("GREEN", "readback", ref, "--point", "045/12nm from Cape Nowhere", *times)
    assert nowhere.code == 3
    assert "no name of the agreement" in nowhere.err
    other = world.give()
    assert world.do("GREEN", "ack", other).code == 0
    assert world.do("GREEN", "insufficient", other, "--field", "vertical").code == 0
    world.until(lambda: world.heard("BLUE", other)["standing"]["GREEN"] == "INSUFFICIENT")
    rungs = [s["step"] for s in world.heard("BLUE", other)["versions"][0]["ladder"]["GREEN"]]
    assert "ACKNOWLEDGED" in rungs
    assert "INSUFFICIENT" in rungs, "received is one thing, usable another: both are shown"
