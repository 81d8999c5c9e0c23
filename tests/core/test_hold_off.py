# SPDX-License-Identifier: Apache-2.0
"""Hold-off (domain.md G1): people of ours are there, please stay clear. It must be answered, and silence is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pair import RULES, Pair
from tests.several import Several
from wideberth.core import events as ev
from wideberth.core.call import mustanswer, views
from wideberth.core.call.mustanswer import MOVES, Answer, Event
from wideberth.core.feed import Weigh
from wideberth.core.say.notice import ShortForm, accident, check_terms, lead
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.words import RECEIPT_ONLY, Hazard, NoticeType, Precedence, Terms
from wideberth.core.tells import Heard, Level, Overdue, Said
from wideberth.errors import BadInput

MINUTE = 60_000
FORM = ShortForm("+999 555 0110", 300_000, Altitude.surface(), Altitude.unlimited())
BLUE, GREEN = "BLUE/watch-1", "GREEN/watch-1"


def terms(pair: Pair, minutes: int = 120, **more: Any) -> Terms:
    place, now_ms = Point.at(35.285, 40.176 - 4), pair.now.t_ms
    made = accident(
        Hazard.PEOPLE_PRESENT, place, now_ms + minutes * MINUTE, FORM, now_ms=now_ms, type_=NoticeType.HOLD_OFF
    )  # fmt: skip
    return made if not more else Terms(**{**{f: getattr(made, f) for f in made.__struct_fields__}, **more})


def hold_off(pair: Pair, minutes: int = 120, **more: Any) -> str:
    pair.green.step(ev.GiveNotice(pair.ch, GREEN, terms(pair, minutes, **more)), pair.now)
    ref: str = [t for t in pair.green.told if isinstance(t, Said)][-1].ref
    pair.settle()
    return ref


def pass_time(pair: Pair, ms: int) -> None:
    pair.later(ms)
    pair.tick()
    pair.settle()


def answers(pair: Pair, ref: str) -> list[dict[str, Any]]:
    """What both ends show of it, seen to be the same."""
    shown = []
    for end in pair.ends.values():
        board = end.node.lines[pair.ch].board
        thread = board.find(ref)
        assert thread is not None
        shown.append(views.thread_view(board, thread, ("BLUE", "GREEN"), pair.now.t_ms)["must_answer"])
    assert shown[0] == shown[1]
    return shown[0]


def reminders(pair: Pair, name: str) -> list[tuple[str, int]]:
    return [(t.member, t.again) for t in pair.ends[name].told if isinstance(t, Overdue) and t.what == "UNACKNOWLEDGED"]


def test_a_hold_off_of_three_hundred_metres_rings_at_once_whatever_the_agreed_lead_and_area() -> None:
    pair = Pair()
    assert [f.rule for f in check_terms(terms(pair), RULES, now_ms=pair.now.t_ms) if f.fatal] == []
    ref = hold_off(pair)
    (rung,) = [t for t in pair.blue.rung if isinstance(t, Heard)]
    assert (rung.ref, rung.level) == (ref, Level.RING)
    assert rung.sentence.startswith(f"HOLD-OFF {ref} from GREEN: people of theirs are there, please stay clear.")
    assert "LATE" not in rung.sentence
    assert not lead(terms(pair), RULES, pair.now.t_ms + 5_000).late
    (weigh,) = [f for f in pair.blue.fed if isinstance(f, Weigh)]
    assert weigh.precedence is Precedence.FLASH


def test_it_is_flash_to_whoever_hears_it_whatever_its_author_signed() -> None:
    pair = Pair()
    line = pair.green.node.lines[pair.ch]
    spoken = terms(pair, precedence=Precedence.ROUTINE)
    from wideberth.core.effects import Effects, is_urgent
    from wideberth.core.say.words import Notice

    line.write(Notice("GRE-0001-X", spoken), "watch-1", line.keys.post(GREEN), pair.now, out := Effects())
    assert is_urgent(Notice("GRE-0001-X", spoken))
    pair.green._carry_out(out.batch(None))
    pair.green.out += [s for s in pair.green.step(ev.Tick(), pair.now).send if s not in pair.green.out]
    pair.settle()
    assert [t.level for t in pair.blue.rung if isinstance(t, Heard)] == [Level.RING]
    assert pair.blue.node.lines[pair.ch].board.threads["GREEN", "GRE-0001-X"].precedence is Precedence.FLASH


def test_the_timer_counts_down_at_both_ends_then_says_overdue_and_an_answer_still_counts() -> None:
    pair = Pair()
    ref = hold_off(pair)
    (waiting,) = answers(pair, ref)
    assert (waiting["member"], waiting["state"], waiting["left_ms"]) == ("BLUE", "WAITING", RULES.ack_urgent_ms)
    pass_time(pair, RULES.ack_urgent_ms - 1)
    assert answers(pair, ref)[0]["left_ms"] == 1
    pass_time(pair, 1)
    assert answers(pair, ref)[0]["state"] == "OVERDUE"
    pass_time(pair, 10 * MINUTE)
    pair.blue.step(ev.Acknowledge(pair.ch, BLUE, ref), pair.now)
    pair.settle()
    (done,) = answers(pair, ref)
    assert (done["state"], done["step"], done["answered_ms"]) == ("ANSWERED", "ACKNOWLEDGED", pair.now.t_ms)
    assert done["means"] == RECEIPT_ONLY


@pytest.mark.parametrize("name", ["BLUE", "GREEN"])
def test_both_sides_are_told_once_a_minute_until_somebody_answers(name: str) -> None:
    pair = Pair()
    ref = hold_off(pair)
    for _ in range(45):
        pass_time(pair, 10_000)
    assert reminders(pair, name) == [("BLUE", n) for n in range(6)], "after 2 minutes, then each minute up to 7:30"
    assert all(t.level is Level.RING for t in pair.ends[name].told if isinstance(t, Overdue) and t.ref == ref)
    pair.blue.step(ev.CountRelays(pair.ch, BLUE, ref, 2, 3), pair.now)
    pair.settle()
    before = reminders(pair, name)
    for _ in range(30):
        pass_time(pair, 10_000)
    assert reminders(pair, name) == before
    assert answers(pair, ref)[0]["step"] == "RELAYED"


def test_a_clock_that_leaps_an_hour_tells_once_and_not_sixty_times() -> None:
    pair = Pair()
    hold_off(pair)
    pass_time(pair, 60 * MINUTE)
    pair.tick()
    assert reminders(pair, "GREEN") == [("BLUE", 0)]
    pass_time(pair, MINUTE)
    assert reminders(pair, "GREEN") == [("BLUE", 0), ("BLUE", 1)]


def test_a_new_version_must_be_answered_anew_and_a_correction_voids_what_was_said() -> None:
    pair = Pair()
    ref = hold_off(pair)
    pair.blue.step(ev.Acknowledge(pair.ch, BLUE, ref), pair.now)
    pair.settle()
    pass_time(pair, MINUTE)
    south = terms(pair, volumes=accident(
        Hazard.PEOPLE_PRESENT, Point.at(35.204, 36.176), pair.now.t_ms + MINUTE * 60, FORM, now_ms=pair.now.t_ms
    ).volumes, expires_ms=pair.now.t_ms + MINUTE * 60)  # fmt: skip
    pair.green.step(ev.Revise(pair.ch, GREEN, ref, "correct", south), pair.now)
    pair.settle()
    (again,) = answers(pair, ref)
    assert (again["state"], again["left_ms"]) == ("WAITING", RULES.ack_urgent_ms)
    pass_time(pair, RULES.ack_urgent_ms)
    assert reminders(pair, "GREEN") == [("BLUE", 0)]


def test_its_author_is_rung_before_it_ends_and_nobody_is_told_of_it_any_more_when_it_is_over() -> None:
    pair = Pair()
    ref = hold_off(pair, minutes=30)
    pass_time(pair, 15 * MINUTE)
    (ending,) = [t for t in pair.green.told if isinstance(t, Overdue) and t.what == "ENDING_SOON"]
    assert ending.level is Level.RING
    pair.green.step(ev.Cancel(pair.ch, GREEN, ref), pair.now)
    pair.settle()
    told = len(reminders(pair, "GREEN"))
    pass_time(pair, 10 * MINUTE)
    assert len(reminders(pair, "GREEN")) == told
    assert answers(pair, ref)[0]["state"] == "OVER"


def test_each_member_of_a_line_of_three_answers_for_itself() -> None:
    world = Several("BLUE", "GREEN", "AMBER")
    made = terms(world)  # type: ignore[arg-type]
    world.ends["GREEN"].step(ev.GiveNotice(world.home, GREEN, made), world.now)
    world.settle()
    board = world.ends["AMBER"].node.lines[world.home].board
    (thread,) = board
    world.ends["AMBER"].step(ev.Acknowledge(world.home, "AMBER/watch-1", thread.ref), world.now)
    world.settle()
    shown = mustanswer.answers_view(board, thread, ("AMBER", "BLUE", "GREEN"), world.now.t_ms)
    assert [(each["member"], each["state"]) for each in shown] == [("AMBER", "ANSWERED"), ("BLUE", "WAITING")]


def test_a_text_about_an_aim_is_warned_of_here_as_everywhere() -> None:
    pair = Pair()
    pair.green.step(ev.GiveNotice(pair.ch, GREEN, terms(pair, text="not the target next to us")), pair.now)
    said = [t for t in pair.green.told if isinstance(t, Said)][-1]
    assert any("target" in warning for warning in said.facts["warnings"])


def test_nobody_answers_a_hold_off_of_their_own() -> None:
    pair = Pair()
    ref = hold_off(pair)
    with pytest.raises(BadInput, match="our own"):
        pair.green.step(ev.Acknowledge(pair.ch, GREEN, ref), pair.now)


def test_every_cell_of_the_table_is_a_move_or_is_named_as_none() -> None:
    none = {(Answer.OVERDUE, Event.OUT_OF_TIME), (Answer.ANSWERED, Event.OUT_OF_TIME), (Answer.OVER, Event.OUT_OF_TIME)}
    assert {(s, e) for s in Answer for e in Event} - set(MOVES) == none
    assert {after for (_, event), after in MOVES.items() if event is Event.OUT_OF_TIME} == {Answer.OVERDUE}
