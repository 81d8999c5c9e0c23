# SPDX-License-Identifier: Apache-2.0
"""What the simulator's watch rooms found (promise `heard`): alarms that fell silent, each in its smallest form."""

from __future__ import annotations

import msgspec

from tests.core.desk.room import BLUE, GREEN, Room
from tests.core.desk.test_desk import MINUTE, alert, give, room
from wideberth.core import events as ev
from wideberth.core.batch import Now, Send
from wideberth.core.desk.escalation import RINGS, Item, State
from wideberth.core.say.place import Point
from wideberth.core.say.words import Precedence
from wideberth.core.tells import FaultSeen, Heard, Level, Overdue
from wideberth.desk.after import became


def about(made: Room, ref: str) -> Item:
    (item,) = [item for item in made.desk.items.values() if item.name == ref]
    return item


def refine(made: Room, alert_ref: str, precedence: Precedence) -> str:
    made.do(ev.GiveNotice(made.pair.ch, BLUE, made.pair.terms(precedence=precedence), alert_ref), by="BLUE")
    return [t.ref for t in made.pair.green.node.lines[made.pair.ch].board if t.author == "BLUE"][-1]


def test_a_second_notice_that_makes_an_alert_precise_does_not_silence_the_first() -> None:
    made = room()
    raised = alert(made)
    first = refine(made, raised, Precedence.IMMEDIATE)
    refine(made, raised, Precedence.ROUTINE)
    assert about(made, first).state is State.RINGING


def test_an_answer_to_an_older_version_does_not_silence_the_one_that_holds() -> None:
    made = room()
    ref = give(made)
    board = made.pair.green.node.lines[made.pair.ch].board
    old = board.find(ref).newest.entry  # type: ignore[union-attr]
    made.do(ev.Extend(made.pair.ch, BLUE, ref, board.find(ref).terms.ends_ms + MINUTE), by="BLUE")  # type: ignore[union-attr]
    made.do(ev.Acknowledge(made.pair.ch, GREEN, ref, old))
    assert about(made, ref).state is State.RINGING
    made.do(ev.Acknowledge(made.pair.ch, GREEN, ref))
    assert about(made, ref).state is State.ANSWERED


def test_a_version_that_is_recorded_late_does_not_silence_a_newer_one_that_rang_before_it() -> None:
    made = room()
    give(made)
    (item,) = made.desk.items.values()
    (first,) = [t for t in made.pair.green.told if isinstance(t, Heard) and t.kind == "notice"]
    newer = msgspec.structs.replace(
        first, kind="correct", version=3, entry="3" * 64, recorded=False, level=Level.RING
    )  # fmt: skip
    between = msgspec.structs.replace(
        first, kind="amend", version=2, entry="2" * 64, precedence="ROUTINE", level=Level.NOTE
    )  # fmt: skip
    now_ms = made.pair.now.t_ms
    made.take(made.desk.told(newer, now_ms, first=True))
    made.take(made.desk.told(between, now_ms))
    assert made.desk.items[item.key].state is State.RINGING


def test_a_report_that_an_older_version_is_finished_does_not_silence_the_newer_one() -> None:
    made = room()
    ref = give(made)
    (item,) = made.desk.items.values()
    (told,) = [t for t in made.pair.green.told if isinstance(t, Heard) and t.kind == "notice"]
    report = msgspec.structs.replace(
        told, kind="report", entry="4" * 64, facts={"state": "FINISHED", "ended": False}, level=Level.NOTE
    )  # fmt: skip
    made.take(made.desk.told(report, made.pair.now.t_ms))
    assert made.desk.items[item.key].state is State.RINGING
    made.do(ev.Report(made.pair.ch, BLUE, ref, "FINISHED"), by="BLUE")
    assert item.key not in made.desk.items


def test_a_clock_that_is_set_back_does_not_hold_the_ladder_up() -> None:
    made = room()
    give(made)
    made.later(10_000)
    back_ms = made.pair.now.t_ms - 3_600_000
    made.take(made.desk.tick(back_ms))
    called = {page.person for page in made.desk.tick(back_ms + 21_000).pages}
    assert "S1" in called, "the supervisor, 30 s after it rang by any clock"


def test_a_desk_that_starts_on_a_clock_that_was_set_back_goes_on_calling() -> None:
    made = room()
    give(made)
    made.restart()
    (item,) = made.desk.items.values()
    back_ms = item.since_ms - 3_600_000
    made.desk.tick(back_ms)
    assert "S1" in {page.person for page in made.desk.tick(back_ms + 31_000).pages}


def test_what_is_live_again_by_a_clock_that_was_set_right_rings_again() -> None:
    made = room()
    ref = give(made)
    made.later(10 * 24 * 3_600_000)
    assert not [item for item in made.desk.items.values() if item.name == ref], "it expired"
    early = Now(made.pair.now.t_ms - 10 * 24 * 3_600_000, made.pair.now.mono_ms + 1)
    rung = [t for t in made.pair.green.node.step(ev.Tick(), early).ring if isinstance(t, Overdue)]
    assert [t.ref for t in rung] == [ref]
    assert "clock was set back" in rung[0].sentence


def test_a_read_back_that_was_wrong_is_no_reason_to_be_silent_after_a_restart() -> None:
    made = room()
    ref = give(made)
    terms = made.pair.green.node.lines[made.pair.ch].board.find(ref).terms  # type: ignore[union-attr]
    assert terms is not None
    made.do(ev.ReadBackAs(made.pair.ch, GREEN, ref, "north", Point.at(1, 1), terms.starts_ms, terms.ends_ms))
    made.pair.green.restart(made.pair.now)
    assert ref in {t.ref for t in made.pair.green.rung if isinstance(t, Overdue)}


def extended_behind_a_gap(made: Room, ref: str, last_ms: int) -> list[Send]:
    """GREEN hears of version 2, and not of what BLUE said before it; that is what this returns."""
    pair = made.pair
    ends_ms = pair.blue.node.lines[pair.ch].board.find(ref).terms.ends_ms  # type: ignore[union-attr]
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, pair.terms()), pair.now)
    gap, pair.blue.out = pair.blue.out, []
    pair.blue.step(ev.Extend(pair.ch, BLUE, ref, ends_ms + last_ms), pair.now)
    (extension,), pair.blue.out = pair.blue.out, []
    pair.arrive(extension, pair.blue)
    made.hear()
    thread = pair.green.node.lines[pair.ch].board.find(ref)
    assert thread is not None
    assert thread.newest.number == 1, "it waits for what came before it"
    assert about(made, ref).version == 2, "and rings"
    return gap


def the_rest_arrives(made: Room, gap: list[Send]) -> None:
    for send in gap:
        made.pair.arrive(send, made.pair.blue)
    made.pair.settle()
    made.hear()


def test_an_answer_to_the_version_that_holds_does_not_silence_one_that_rang_and_waits() -> None:
    made = room()
    ref = give(made)
    gap = extended_behind_a_gap(made, ref, MINUTE)
    made.do(ev.Acknowledge(made.pair.ch, GREEN, ref))
    assert about(made, ref).state is State.RINGING
    node, now_ms = made.pair.green.node, made.pair.now.t_ms
    assert became(node, (), (), (), now_ms)(about(made, ref)) == "", "nor does a desk that starts close it"
    the_rest_arrives(made, gap)
    assert about(made, ref).state is State.RINGING
    made.do(ev.Acknowledge(made.pair.ch, GREEN, ref))
    assert about(made, ref).state is State.ANSWERED


def test_the_end_of_a_version_does_not_silence_the_one_that_extends_it_and_waits() -> None:
    made = room()
    ref = give(made)
    gap = extended_behind_a_gap(made, ref, 10 * MINUTE)
    thread = made.pair.green.node.lines[made.pair.ch].board.find(ref)
    assert thread is not None
    made.later(thread.over_ms + MINUTE - made.pair.now.t_ms)
    assert not thread.live(made.pair.now.t_ms)
    assert about(made, ref).state in RINGS
    the_rest_arrives(made, gap)
    assert about(made, ref).state in RINGS, "and by now the board knows it too"


def test_a_version_that_rang_and_came_to_nothing_needs_no_answer_of_its_own() -> None:
    made = room()
    ref = give(made)
    extended_behind_a_gap(made, ref, MINUTE)
    (entry,) = [t.entry for t in made.pair.green.rung if isinstance(t, Heard) and t.version == 2]
    fault = FaultSeen("NOT_UNDERSTOOD", "theirs", "it has no effect", made.pair.ch, "BLUE", {"entry": entry})
    made.take(made.desk.told(fault, made.pair.now.t_ms))
    made.do(ev.Acknowledge(made.pair.ch, GREEN, ref))
    assert about(made, ref).state is State.ANSWERED


def test_an_extension_that_the_desk_was_down_for_does_not_end_with_the_version_before_it() -> None:
    made = room()
    ref = give(made)
    ends_ms = about(made, ref).until_ms
    made.pair.blue.step(ev.Extend(made.pair.ch, BLUE, ref, ends_ms + 10 * MINUTE), made.pair.now)
    made.pair.settle()  # the node has it; the machine goes down before the desk does
    made._heard = (len(made.pair.green.rung), len(made.pair.green.told))
    made.restart()
    assert about(made, ref).until_ms == ends_ms + 10 * MINUTE
    made.later(ends_ms + MINUTE - made.pair.now.t_ms)
    assert about(made, ref).state is State.RINGING
