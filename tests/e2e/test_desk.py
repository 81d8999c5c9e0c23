# SPDX-License-Identifier: Apache-2.0
"""Nobody waits on one man, between real nodes on a hand clock (domain.md B6, F23, SC2): the ladder climbs to the second
person, the supervisor and the phone script; a pager that is broken, a restart and a desk that cannot write change
nothing about that."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cli.cliworld import wideberth
from tests.e2e.hooks import Hooks, furnish
from tests.e2e.nodes import NodeProcess, Two, until
from wideberth.core.say import instant, reference
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.desk import handover
from wideberth.errors import BadInput, BadSignature, NotFound
from wideberth.keyset import post_use

DAY = "2030-01-01"
START = f"{DAY}T12:00:00Z"
BEGIN = f"{DAY}T12:00:02Z"  # the line opens with the second tick of the clocks


def items(node: NodeProcess) -> list[dict[str, Any]]:
    return list(node.get("/v1/desk")["items"])


def the_item(node: NodeProcess, urgency: str = "FLASH") -> dict[str, Any]:
    """The one item of that urgency, once there is one."""
    found = until(lambda: [i for i in items(node) if i["urgency"] == urgency], f"an item that is {urgency}")
    assert len(found) == 1
    return dict(found[0])


def rung(node: NodeProcess, how: str, item: str) -> list[str]:
    """Who was called in that way so far."""
    return [who for t in node.told("rung", how=how, item=item) for who in t["people"]]


def after(two: Two, seconds: float) -> None:
    """Both clocks that long after the story began."""
    two.clock(instant.parse(BEGIN) + round(seconds * 1000))


def public_of(node: NodeProcess, post: str) -> str:
    """The public half of a post's key, as its folder has it."""
    file = node.home.keys.current(post_use(post))
    assert file is not None
    return node.home.keys.facts(file).public


def log_of(node: NodeProcess, item: str) -> list[dict[str, Any]]:
    return list(node.get("/v1/desk/log", item=item))


def test_an_alert_that_nobody_takes_climbs_to_the_second_person_the_supervisor_and_the_phone_script() -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        green = two.green
        furnish(green, hooks)
        two.blue.command("alert", ch=two.ch)
        item = the_item(green)["item"]
        assert reference.check(item) == item
        until(lambda: hooks.woken("W1"), "W1 is woken up at once")
        green.waits_for("rung", how="PHONE_CARD", item=item)
        after(two, 30)
        until(lambda: hooks.woken("S1"), "the supervisor is woken up at 30 s")
        after(two, 59)
        green.told_up_to_now()
        assert "W2" not in rung(green, "RING", item)
        after(two, 61)
        until(lambda: hooks.woken("W2"), "the second person has it by 61 s")
        after(two, 120)
        until(lambda: hooks.woken("L1"), "everybody is called at 120 s")
        assert not green.told("rung", how="PHONE_SCRIPT", item=item)
        after(two, 180)
        script = green.waits_for("rung", how="PHONE_SCRIPT", item=item)
        assert any(reference.spell(item) in line for line in script["lines"])
        assert any("555 0101" in line for line in script["lines"]), "and whom to call"
        assert {"W1", "W2", "S1", "L1"} <= set(script["people"])
        # What a wake-up says, to whoever sees it: a reference and an urgency.
        assert {frozenset(call.said.items()) for call in hooks.calls} == {
            frozenset({("reference", item), ("urgency", "FLASH")})
        }
        rungs = [line["note"] for line in log_of(green, item) if line["event"] == "RUNG"]
        assert [re.sub(r"^rung \d: ", "", note) for note in rungs] == [
            "ON_SHIFT RING", "ON_SHIFT PHONE_CARD", "SUPERVISOR RING", "BACKUPS RING", "EVERYBODY RING",
            "EVERYBODY PHONE_SCRIPT",
        ]  # fmt: skip
        after(two, 600)
        before = len(rung(green, "RING", item))
        until(lambda: len(rung(green, "RING", item)) > before or before, "it goes on ringing")


def test_whoever_takes_it_ends_the_ringing_and_an_answer_on_the_line_closes_it() -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        green = two.green
        furnish(green, hooks)
        ref = two.blue.command("alert", ch=two.ch)["ref"]
        item = the_item(green)["item"]
        until(lambda: hooks.woken("W1"), "W1 is woken up at once")
        with pytest.raises(BadInput, match="not on the roster"):
            green.post("/v1/desk/take", {"item": item, "person": "nobody"})
        took = green.post("/v1/desk/take", {"item": item.lower(), "person": "W2"})
        assert (took["owner"], took["state"]) == ("W2", "OWNED")
        after(two, 110)
        two.settle()
        assert not hooks.woken("S1")
        with pytest.raises(BadInput, match="acknowledge it"):
            green.post("/v1/desk/done", {"item": item, "person": "W2"})
        given = green.post("/v1/desk/hand-on", {"item": item, "person": "W2"})
        assert (given["owner"], given["state"], given["rung"]) == ("", "RINGING", 2)
        green.command("ack", ref=ref, ch=two.ch)
        until(lambda: not items(green), "an acknowledgement answers it")
        hands = [
            (line["event"], line["person"]) for line in log_of(green, item) if line["event"] not in ("RUNG", "PAGED")
        ]
        assert hands == [("RANG", ""), ("TAKEN", "W2"), ("HANDED_ON", "W2"), ("ANSWERED", "W1")]
        with pytest.raises(NotFound):
            green.post("/v1/desk/take", {"item": reference.make("DSK", 9999), "person": "W1"})


def test_broken_pagers_call_the_next_at_once_and_the_phone_script_still_comes_at_180_seconds() -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        green = two.green
        furnish(green, hooks)
        hooks.broken |= {"W1", "W2", "S1", "L1"}
        two.blue.command("alert", ch=two.ch)
        item = the_item(green)["item"]
        for name in ("W1", "S1", "W2", "L1"):
            until(lambda name=name: hooks.woken(name), f"{name} is called at once, for the one before has failed")
        until(
            lambda: sum(line["event"] == "FAILED" for line in log_of(green, item)) >= 4, "every failure is written down"
        )
        assert any("the hook answered 500" in line["note"] for line in log_of(green, item))
        after(two, 179)
        green.told_up_to_now()
        assert not green.told("rung", how="PHONE_SCRIPT", item=item)
        after(two, 180)
        script = green.waits_for("rung", how="PHONE_SCRIPT", item=item)
        assert any(reference.spell(item) in line for line in script["lines"])


def test_a_restart_in_the_middle_goes_on_where_it_was() -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        green = two.green
        furnish(green, hooks)
        two.blue.command("alert", ch=two.ch)
        first = the_item(green)["item"]
        two.blue.command("message", ch=two.ch, text="say if you read this", precedence="IMMEDIATE")
        second = the_item(green, "URGENT")["item"]
        green.post("/v1/desk/take", {"item": second, "person": "W2"})
        after(two, 31)
        until(lambda: the_item(green)["rung"] == 3, "the supervisor's rung is climbed")
        until(lambda: len(hooks.woken("S1")) == 1, "the supervisor is woken up")
        green.kill()
        two.restart(green)
        assert the_item(green)["item"] == first
        assert the_item(green)["rung"] == 3, "no rung is climbed twice"
        owned = the_item(green, "URGENT")
        assert (owned["item"], owned["owner"]) == (second, "W2")
        after(two, 60)
        until(lambda: "W2" in rung(green, "RING", first), "and the next one in its time")
        assert len(hooks.woken("S1")) == 1


def test_what_was_answered_in_the_instant_of_the_end_is_closed_afterwards_and_the_desk_may_be_lost_altogether() -> None:
    with Two(clock=START) as two:
        green = two.green
        ref = two.blue.command("alert", ch=two.ch)["ref"]
        item = the_item(green)["item"]
        green.kill()
        for file in green.folder.glob("desk.db*"):
            file.unlink()
        two.restart(green)
        assert the_item(green, "URGENT")["about"] == ref, "what is live and unanswered in the record rings again"
        green.command("ack", ref=ref, ch=two.ch)
        until(lambda: not items(green), "and is answered as ever")
        assert item


def test_a_desk_that_cannot_write_is_told_of_and_stops_neither_the_node_nor_the_calls() -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        green = two.green
        green.stop()
        (green.folder / "desk.db").write_bytes(b"something else altogether" * 400)
        furnish(green, hooks)
        two.restart(green)
        assert "desk" in green.waits_for("fault", fault="DeskBroken")["sentence"]
        two.blue.command("alert", ch=two.ch)
        the_item(green)
        until(lambda: hooks.woken("W1"), "people are called all the same")
        after(two, 60)
        until(lambda: hooks.woken("W2"), "and the ladder climbs")


def test_a_roster_that_cannot_be_used_is_told_of_and_the_one_before_holds_on() -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        green = two.green
        furnish(green, hooks)
        two.blue.command("message", ch=two.ch, text="one", precedence="FLASH")
        the_item(green)
        (green.folder / "roster.toml").write_text(
            "[[people]]\nname = 'W1'\nrole = 'WATCH_OFFICER'\nneeds_approval = true\n"
        )
        after(two, 10)
        fault = green.waits_for("fault", fault="BadInput")
        assert "any officer on watch may send" in fault["sentence"], "B5 holds for every file of the folder"
        after(two, 60)
        until(lambda: hooks.woken("W2"), "the people of before are still called")


def test_nobody_outside_is_called_unless_the_settings_say_so_and_never_for_own_plans_alone() -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        green = two.green
        furnish(green, hooks)
        window = {"from": f"{DAY}T13:00:00Z", "until": f"{DAY}T14:00:00Z"}
        place = {"circle": "36.2N 37.15E", "radius": "15km", "low": "SFC", "high": "FL300"}
        green.post("/v1/plans", {"id": "survey", **place, **window})
        two.blue.give(circle="36.2N 37.15E", radius="15km", **window)
        item = until(lambda: [i for i in items(green) if "survey" in i["sentence"]], "the exposure rings at the desk")
        after(two, 180)
        until(lambda: green.told("rung", item=item[0]["item"], how="PHONE_SCRIPT"), "and climbs, at the terminals")
        assert hooks.calls == [], "whoever watches the network learns nothing of own plans"
        (green.folder / "desk.toml").unlink()
        two.blue.command("alert", ch=two.ch)
        the_item(green)
        after(two, 360)
        two.settle()
        assert hooks.calls == []


def test_a_hand_over_lists_everything_that_is_open_and_is_signed_by_who_goes_and_who_comes() -> None:
    with Two(clock=START) as two:
        green = two.green
        two.blue.command("alert", ch=two.ch)
        item = the_item(green)["item"]
        green.post("/v1/desk/take", {"item": item, "by": "GREEN/watch-1"})
        with pytest.raises(BadInput, match="another post"):
            green.post("/v1/desk/handover", {"by": "GREEN/watch-1", "to": "watch-1"})
        with pytest.raises(NotFound, match="no hand-over waits"):
            green.post("/v1/desk/handover/accept", {"by": "GREEN/supervisor"})
        given = green.post("/v1/desk/handover", {"by": "GREEN/watch-1", "to": "supervisor", "note": "quiet so far"})
        assert [i["item"] for i in given["handover"]["items"]] == [item]
        # What comes between the two signatures is not passed over.
        two.blue.command("message", ch=two.ch, text="and another thing", precedence="IMMEDIATE")
        second = the_item(green, "URGENT")["item"]
        with pytest.raises(BadInput, match=second):
            green.post("/v1/desk/handover/accept", {"by": "GREEN/supervisor"})
        green.post("/v1/desk/handover", {"by": "GREEN/watch-1", "to": "supervisor"})
        taken = green.post("/v1/desk/handover/accept", {"by": "GREEN/supervisor"})
        assert {i["item"] for i in taken["handover"]["items"]} == {item, second}
        assert the_item(green)["owner"] == "supervisor", "who comes has what who goes had"
        assert [c["said"] for c in taken["line_checks"]] == ["asked"]
        two.settle()
        assert two.blue.told("heard", kind="check", by="GREEN/supervisor"), "a person asks at every hand-over (B2)"
        publics = {f"GREEN/{name}": public_of(green, name) for name in ("watch-1", "supervisor")}
        handover.check(taken, publics, Ed25519Verifier())
        forged = {**taken, "envelope": {**taken["envelope"], "signatures": taken["envelope"]["signatures"][:1]}}
        with pytest.raises(BadSignature):
            handover.check(forged, publics, Ed25519Verifier())
        green.kill()
        two.restart(green)
        listed = green.get("/v1/desk/handovers")
        assert [h["state"] for h in listed] == ["OFFERED", "TAKEN"], "and it is kept"


def test_the_desk_is_worked_from_the_command_line() -> None:
    with Two(clock=START) as two:
        green = two.green

        def say(*args: str) -> str:
            said = wideberth("--dir", str(green.folder), *args)
            assert said.code == 0, said.err
            return said.out

        assert "Nothing is open." in say("desk")
        two.blue.command("alert", ch=two.ch)
        item = the_item(green)["item"]
        shown = say("desk")
        assert f"{item}  FLASH" in shown
        assert "NOBODY HAS IT" in shown
        assert "next: SUPERVISOR RING in" in shown
        assert "watch-1 has it" in say("take", item, "--as", "watch-1")
        assert "NOBODY HAS IT" in say("hand-on", item)
        say("take", item, "--person", "supervisor")
        log = say("desk", "--log", "--item", item)
        assert [word for word in ("RANG", "RUNG", "TAKEN", "HANDED_ON") if word not in log] == []
        assert f"{item} FLASH" in say("handover", "give", "supervisor", "--as", "watch-1", "--note", "one alert")
        assert "countersigned" in say("handover", "accept", "--as", "supervisor")
        assert "one alert" in say("handover", "list")
