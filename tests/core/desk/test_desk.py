# SPDX-License-Identifier: Apache-2.0
"""What a node tells becomes alarms at its desk, and what people say ends them (domain.md B6, E8, N9, SC2)."""

from __future__ import annotations

import pytest

from tests.core.desk.room import BLUE, GREEN, Room, roster
from tests.core.desk.test_people import T0, W1
from tests.pair import Pair
from wideberth.core import events as ev
from wideberth.core.desk.desk import OPEN_MOST, Desk
from wideberth.core.desk.escalation import How, Item, State, Urgency
from wideberth.core.say import reference
from wideberth.core.say.place import Point
from wideberth.core.say.words import Precedence
from wideberth.core.tells import Disk, FaultSeen, Heard, Level, LinkState, Tell
from wideberth.core.warned import Eased, Exposed, Nearer, UnitsMet, Warned
from wideberth.errors import BadInput, NotFound

MINUTE, HOUR = 60_000, 3_600_000


def room() -> Room:
    return Room(Pair())


def the_item(made: Room) -> Item:
    (item,) = made.desk.items.values()
    return item


def alert(made: Room) -> str:
    made.do(ev.RaiseAlert(made.pair.ch, BLUE), by="BLUE")
    return next(t.ref for t in made.pair.green.node.lines[made.pair.ch].board if t.author == "BLUE")


def give(made: Room, precedence: Precedence = Precedence.IMMEDIATE, **more: object) -> str:
    terms = made.pair.terms(precedence=precedence, **more)
    made.do(ev.GiveNotice(made.pair.ch, BLUE, terms), by="BLUE")
    return [t.ref for t in made.pair.green.node.lines[made.pair.ch].board if t.author == "BLUE"][-1]


def called(made: Room, since_ms: int = T0) -> dict[tuple[str, How], int]:
    """Who was called, how, and how many seconds after."""
    return {(p.person, p.how): (p.at_ms - since_ms) // 1000 for p in reversed(made.pages)}


# --- a real node's words ---


def test_an_alert_climbs_the_flash_ladder_until_the_phone_script() -> None:
    made = room()
    ref = alert(made)
    item = the_item(made)
    assert (item.urgency, item.state, item.name) == (Urgency.FLASH, State.RINGING, ref)
    assert reference.check(item.key) == item.key
    made.later(180_000)
    times = called(made)
    assert times["W1", How.RING] == 0
    assert times["W1", How.PHONE_CARD] == 0
    assert times["S1", How.RING] == 30
    assert times["W2", How.RING] == 60
    assert times["L1", How.RING] == 120
    assert times["W1", How.PHONE_SCRIPT] == 180
    made.later(120_000)
    assert {p.at_ms - T0 for p in made.pages if p.rung == 0} == {240_000, 300_000}, "and it goes on ringing"


def test_a_notice_of_immediate_precedence_is_urgent_and_a_routine_one_rings_nobody() -> None:
    made = room()
    give(made)
    assert the_item(made).urgency is Urgency.URGENT
    quiet = room()
    give(quiet, Precedence.ROUTINE)
    assert quiet.desk.items == {}
    quiet.later(HOUR)
    assert [i.urgency for i in quiet.desk.items.values()] == [Urgency.OTHER], "an hour without an answer is paged"


def test_what_our_officer_answers_is_answered_by_the_person_of_that_post() -> None:
    made = room()
    ref = alert(made)
    made.do(ev.Acknowledge(made.pair.ch, GREEN, ref))
    assert the_item(made).state is State.ANSWERED
    assert [(line.event, line.person) for line in made.log][-1] == ("ANSWERED", "W1")
    before = len(made.pages)
    made.later(HOUR)
    assert len(made.pages) == before
    assert made.desk.open() == []


def test_a_read_back_that_differs_rings_at_both_ends_until_it_is_read_back_right() -> None:
    made = room()
    ref = give(made)
    terms = made.pair.green.node.lines[made.pair.ch].board.find(ref).terms  # type: ignore[union-attr]
    window = (terms.starts_ms, terms.ends_ms)  # type: ignore[union-attr]
    made.do(ev.ReadBackAs(made.pair.ch, GREEN, ref, "elsewhere", Point.at(35.0, 36.0), *window))
    assert the_item(made).state is State.RINGING
    assert any(key.startswith("climbed") for key in the_item(made).causes)
    made.do(ev.ReadBackAs(made.pair.ch, GREEN, ref, "there", Point.at(36.2, 37.15), *window))
    assert the_item(made).state is State.ANSWERED


def test_what_we_find_insufficient_is_answered_here_and_rings_where_it_was_given() -> None:
    made = room()
    ref = give(made)
    made.do(ev.FindInsufficient(made.pair.ch, GREEN, ref, ("area",)))
    assert the_item(made).state is State.ANSWERED
    ours = room()
    terms = ours.pair.terms(precedence=Precedence.IMMEDIATE)
    ours.do(ev.GiveNotice(ours.pair.ch, GREEN, terms))
    name = [t.ref for t in ours.pair.blue.node.lines[ours.pair.ch].board if t.author == "GREEN"][-1]
    ours.do(ev.FindInsufficient(ours.pair.ch, BLUE, name, ("area",)), by="BLUE")
    assert (the_item(ours).name, the_item(ours).state) == (name, State.RINGING)
    ours.do(ev.Revise(ours.pair.ch, GREEN, name, "amend", ours.pair.terms(lat=36.3, precedence=Precedence.IMMEDIATE)))
    assert ours.desk.open() == [], "a new version is the answer to that"


def test_a_cancelled_notice_is_over_and_a_new_one_has_another_reference() -> None:
    made = room()
    ref = give(made)
    first = the_item(made).key
    made.do(ev.Cancel(made.pair.ch, BLUE, ref), by="BLUE")
    assert made.desk.items == {}
    give(made)
    assert the_item(made).key != first


def test_a_new_version_is_heard_by_the_owner_and_makes_no_second_item() -> None:
    made = room()
    ref = give(made)
    made.take(made.desk.taken(ref, "W2", made.pair.now.t_ms))
    pages = len(made.pages)
    terms = made.pair.terms(precedence=Precedence.IMMEDIATE, lat=36.3)
    made.do(ev.Revise(made.pair.ch, BLUE, ref, "amend", terms), by="BLUE")
    assert (the_item(made).state, the_item(made).owner) == (State.OWNED, "W2")
    assert [p.person for p in made.pages[pages:]] == ["W2"]


def test_an_owner_who_does_not_answer_in_time_is_told_on_and_everybody_hears_it() -> None:
    made = room()
    ref = alert(made)
    made.take(made.desk.taken(ref, "W1", made.pair.now.t_ms))
    made.later(119_000)
    assert the_item(made).state is State.OWNED
    pages = len(made.pages)
    made.later(1_000)
    assert (the_item(made).state, the_item(made).owner) == (State.OVERDUE, "W1")
    assert {p.person for p in made.pages[pages:]} == {"W1", "W2", "S1", "L1"}


def test_a_notice_that_makes_an_alert_precise_is_the_same_item_with_the_same_owner() -> None:
    made = room()
    ref = alert(made)
    made.take(made.desk.taken(ref, "W2", made.pair.now.t_ms))
    key = the_item(made).key
    terms = made.pair.terms(precedence=Precedence.FLASH)
    made.do(ev.GiveNotice(made.pair.ch, BLUE, terms, refines=ref), by="BLUE")
    item = the_item(made)
    assert (item.key, item.owner, item.state) == (key, "W2", State.OWNED)
    made.do(ev.Acknowledge(made.pair.ch, GREEN, item.name))
    assert item.state is State.ANSWERED


def test_an_alert_that_became_a_routine_notice_is_over() -> None:
    made = room()
    ref = alert(made)
    made.do(ev.GiveNotice(made.pair.ch, BLUE, made.pair.terms(), refines=ref), by="BLUE")
    assert made.desk.items == {}


def test_an_alert_of_yesterday_is_over() -> None:
    made = room()
    key = the_item(made).key if alert(made) else ""
    made.later(86_400_000)
    assert key not in made.desk.items
    assert [line.note for line in made.log if line.item == key][-1] == "its time is over"
    assert [line.event for line in made.log if line.item == key][-1] == "EXPIRED"


def test_our_own_word_that_nobody_answers_rings_until_a_call_is_logged() -> None:
    made = room()
    made.pair.green.step(ev.RaiseAlert(made.pair.ch, GREEN), made.pair.now)
    made.hear()
    made.later(30_000)
    item = the_item(made)
    assert item.urgency is Urgency.URGENT
    assert "no receipt" in item.sentence
    made.take(made.desk.taken(item.key, "W1", made.pair.now.t_ms))
    call = ev.LogVoice(made.pair.ch, GREEN, "telephone", "we hear you", ref=item.name)
    made.do(ev.LogVoice(made.pair.ch, GREEN, "telephone", "", ref=item.name, outcome="NO_ANSWER"))
    assert item.state is State.OWNED
    made.do(call)
    assert item.state is State.ANSWERED


def test_after_a_restart_owned_is_owned_and_what_rings_climbs_on() -> None:
    made = room()
    owned = alert(made)
    made.take(made.desk.taken(owned, "W1", made.pair.now.t_ms))
    ringing = give(made)
    made.later(35_000)
    rung = made.desk.find(ringing).rung
    number = made.desk.number
    made.restart()
    assert (made.desk.find(owned).state, made.desk.find(owned).owner) == (State.OWNED, "W1")
    assert (made.desk.find(ringing).state, made.desk.find(ringing).rung) == (State.RINGING, rung)
    pages = len(made.pages)
    made.later(25_000)
    assert [(p.person, p.how) for p in made.pages[pages:]] == [("W2", How.RING)]
    assert made.desk.number == number, "and what is known got no second reference"


def test_what_ended_while_the_desk_was_down_is_closed_when_it_is_back() -> None:
    made = room()
    one, other = alert(made), give(made)
    became = {one: "ANSWERED", other: "OVER"}
    made.take(made.desk.settle(lambda item: became[item.name], lambda _: True, made.pair.now.t_ms))
    assert [i.name for i in made.desk.items.values()] == [one]
    assert made.desk.open() == []


# --- tells by hand ---


def desk(*tells: Tell | Warned) -> Desk:
    made = Desk("GREEN", roster(W1))
    for tell in tells:
        made.told(tell, T0)
    return made


def exposed(plan: str) -> Exposed:
    return Exposed("c", "BLU-0001-E", 1, "BLUE", plan, "conflict", "r", 0, 0, T0, T0 + HOUR, T0, None, (), "they meet")


def test_all_own_plans_that_one_notice_meets_are_one_item_which_is_over_with_the_last() -> None:
    made = desk(exposed("survey"), exposed("ferry"))
    (item,) = made.items.values()
    assert item.inside
    made.told(Eased("c", "BLU-0001-E", "survey", "gone"), T0)
    assert item.state is State.RINGING
    made.told(Eased("c", "BLU-0001-E", "ferry", "gone"), T0)
    assert made.items == {}


def test_an_exposure_is_seen_to_by_its_owner_and_not_by_an_acknowledgement() -> None:
    made = desk(exposed("survey"))
    (item,) = made.items.values()
    with pytest.raises(BadInput, match="take it first"):
        made.done(item.key, "W1", "moved", T0)
    made.taken(item.key, "W1", T0)
    made.done(item.key, "W1", "the survey was moved", T0)
    assert item.state is State.ANSWERED


def test_what_waits_for_an_answer_is_not_just_done() -> None:
    made = room()
    ref = alert(made)
    made.desk.taken(ref, "W1", made.pair.now.t_ms)
    with pytest.raises(BadInput, match="acknowledge it"):
        made.desk.done(ref, "W1", "", made.pair.now.t_ms)


def test_a_fault_a_full_disk_and_a_line_that_is_out_are_each_one_item() -> None:
    out = LinkState("c", "BLUE", "NOT_RELAYED", "", "out", level=Level.RING)
    made = desk(out, out, Disk(True, "full"), FaultSeen("SplitView", "theirs", "x", "c", "BLUE", level=Level.RING))
    assert len(made.items) == 3
    made.told(LinkState("c", "BLUE", "WORKS", "direct", "back"), T0)
    made.told(Disk(False, "room", Level.NOTE), T0)
    (left,) = made.items.values()
    assert left.name == "fault"


def test_an_item_is_found_by_its_reference_its_notice_and_never_by_a_slip() -> None:
    made = room()
    ref = alert(made)
    item = the_item(made)
    assert made.desk.find(item.key.lower()) is item
    assert made.desk.find(item.key.replace("-", " ")) is item
    assert made.desk.find(ref) is item
    wrong = item.key[:-1] + ("A" if item.key[-1] != "A" else "B")
    with pytest.raises(BadInput, match="check letter"):
        made.desk.find(wrong)
    with pytest.raises(NotFound):
        made.desk.find("nothing")


def test_a_page_that_fails_calls_the_next_rung_at_once_and_the_phone_script_keeps_its_time() -> None:
    made = room()
    alert(made)
    (first,) = [p for p in made.pages if p.how is How.RING]
    batch = made.take(made.desk.failed(first, "the pager does not answer", T0 + 1_000))
    assert [(p.person, p.at_ms - T0) for p in batch.pages if p.how is How.RING] == [("S1", 1_000)]
    assert made.take(made.desk.failed(first, "again", T0 + 1_100)).pages == (), "one failure, one rung"
    for page in batch.pages:
        made.take(made.desk.failed(page, "none of them answers", T0 + 2_000))
    made.later(180_000)
    times = called(made)
    assert times["W2", How.RING] == 2
    assert times["W1", How.PHONE_SCRIPT] == 180
    assert sum(line.event == "FAILED" for line in made.log) == 3


# --- to the last unit ---


def met(*units: str, entry: str = "a" * 64, start_ms: int = T0 + HOUR) -> UnitsMet:
    return UnitsMet("c", "BLU-0001-E", 1, entry, "BLUE", units, start_ms, start_ms + HOUR, "it meets them")


def test_units_are_called_at_once_and_what_is_missing_rings_before_the_start_and_at_it() -> None:
    made = desk()
    batch = made.told(met("U1", "U2", "U3"), T0)
    assert [(c.unit, c.why) for c in batch.calls] == [("U1", "NEW"), ("U2", "NEW"), ("U3", "NEW")]
    made.confirmed("BLU-0001-E", "U1", "W1", T0)
    made.confirmed("blu 0001 e", "U2", "W1", T0, voice=True)
    assert made.items == {}
    assert made.wake_ms() == T0 + 45 * MINUTE
    batch = made.tick(T0 + 45 * MINUTE)
    assert [(c.unit, c.supervisor) for c in batch.calls] == [("U3", True)]
    (item,) = made.items.values()
    assert "NOT FULLY RELAYED: 2/3 units have it, missing U3" in item.sentence
    made.tick(T0 + HOUR)
    assert "has begun" in item.sentence
    made.confirmed("BLU-0001-E", "U3", "W1", T0 + HOUR)
    assert item.state is State.ANSWERED


def test_an_own_plan_near_the_notice_calls_the_units_that_have_not_confirmed() -> None:
    made = desk(met("U1", "U2"))
    made.confirmed("BLU-0001-E", "U1", "W1", T0)
    assert [(c.unit, c.why) for c in made.told(exposed("survey"), T0).calls] == [("U2", "APPROACH")]


def test_a_notice_that_meets_no_unit_any_more_is_followed_no_longer() -> None:
    made = desk(met("U1"))
    made.tick(T0 + HOUR)
    assert len(made.items) == 1
    made.told(met(entry="b" * 64), T0 + HOUR)
    assert made.items == {}
    with pytest.raises(NotFound, match="meets the area"):
        made.confirmed("BLU-0001-E", "U1", "W1", T0)


def test_what_begins_at_once_leaves_its_units_two_minutes_before_the_desk_rings() -> None:
    made = desk()
    batch = made.told(met("U1", "U2", start_ms=T0), T0)
    assert {c.why for c in batch.calls} == {"NEW", "STARTED"}
    assert made.items == {}
    assert made.wake_ms() == T0 + 2 * MINUTE
    made.confirmed("BLU-0001-E", "U1", "W1", T0)
    made.tick(T0 + 2 * MINUTE)
    (item,) = made.items.values()
    assert "1/2 units have it, missing U2" in item.sentence


def test_a_unit_that_no_pager_reached_rings_until_it_has_it() -> None:
    made = desk(met("U1", "U2"))
    (key,) = made.relays.live
    made.unreached(key, "U1", "no pager took it", T0)
    (item,) = made.items.values()
    assert "relay BLU-0001-E U1 --by-voice" in item.sentence
    made.confirmed("BLU-0001-E", "U2", "W1", T0)
    assert item.state is State.RINGING
    made.confirmed("BLU-0001-E", "U1", "W1", T0, voice=True)
    assert item.state is State.ANSWERED
    assert made.unreached(key, "U1", "late news", T0).log == ()


def test_whatever_the_inner_side_found_is_marked_and_nothing_else_is() -> None:
    """By it the shell decides what may call people outside (docs/decisions/0009)."""
    near = Nearer("c", "BLU-0001-E", 900_000, T0, T0 + HOUR, "it begins in 15 min", "survey")
    (item,) = desk(near).items.values()
    assert item.inside
    assert all(page.inside for page in desk().told(near, T0).pages)
    (item,) = desk(Disk(True, "full")).items.values()
    assert not item.inside
    made = room()
    alert(made)
    assert not any(page.inside for page in made.pages)


def test_a_line_that_floods_is_one_more_item_and_buries_no_other_line() -> None:
    def rings(ch: str, n: int) -> Heard:
        return Heard(
            ch, "BLUE", f"{n:064x}", "notice", BLUE, T0, T0, "x", f"BLU-{n}", 1, False, {}, Level.RING, "FLASH"
        )

    made = desk()
    for n in range(OPEN_MOST + 50):
        made.told(rings("c", n), T0, first=True)
    assert len(made.items) == OPEN_MOST + 1
    (more,) = [item for item in made.items.values() if item.group.startswith("flood")]
    assert "look at the board" in more.sentence
    made.told(rings("d", 1), T0, first=True)
    assert any(item.group == "word|d|BLU-1" for item in made.items.values())
    made.taken(more.key, "W1", T0)
    made.done(more.key, "W1", "asked by telephone", T0)
    assert more.state is State.ANSWERED
