# SPDX-License-Identifier: Apache-2.0
"""Unannounced traffic, and what was lost by it (domain.md G4, SC7): suspended, restored, minutes counted; a suspended
notice stays a warning."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.pair import RULES, Pair
from wideberth.core import events as ev
from wideberth.core.call import views
from wideberth.core.feed import Forget, Weigh
from wideberth.core.preview import preview
from wideberth.core.say.notice import ShortForm, accident, check_terms, precedence_for
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.words import Hazard, NoticeType, Precedence, Terms, Word
from wideberth.core.tells import FaultSeen, Heard, Said
from wideberth.errors import BadInput

MINUTE = 60_000
BLUE, GREEN = "BLUE/watch-1", "GREEN/watch-1"
FORM = ShortForm("+999 555 0110", 2_000_000, Altitude.surface(), Altitude.unlimited())


def give(pair: Pair, **more: Any) -> str:
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, pair.terms(start_ms=0, last_ms=60 * MINUTE, **more)), pair.now)
    pair.settle()
    ref: str = [t for t in pair.blue.told if isinstance(t, Said)][-1].ref
    return ref


def sighting(pair: Pair) -> Terms:
    return accident(
        Hazard.UNCREWED_AIRCRAFT, Point.at(36.2, 37.15), pair.now.t_ms + 30 * MINUTE, FORM, now_ms=pair.now.t_ms,
        type_=NoticeType.UNANNOUNCED_TRAFFIC,
    )  # fmt: skip


def see(pair: Pair) -> str:
    pair.green.step(ev.GiveNotice(pair.ch, GREEN, sighting(pair)), pair.now)
    pair.settle()
    ref: str = [t for t in pair.green.told if isinstance(t, Said)][-1].ref
    return ref


def report(pair: Pair, ref: str, state: Any, why: str = "", at_ms: int = 0) -> None:
    pair.blue.step(ev.Report(pair.ch, BLUE, ref, state, at_ms, why), pair.now)
    pair.settle()


def view(pair: Pair, ref: str) -> dict[str, Any]:
    """What both sides show of the time lost, seen to be the same."""
    shown = []
    for end in pair.ends.values():
        board = end.node.lines[pair.ch].board
        thread = board.find(ref)
        assert thread is not None
        shown.append((views.lost(thread, pair.now.t_ms), thread.life(pair.now.t_ms)))
    assert shown[0] == shown[1]
    return {**shown[0][0], "life": shown[0][1]}


def test_a_sighting_is_urgent_needs_no_lead_and_no_least_area_and_accuses_nobody() -> None:
    pair = Pair()
    assert [f for f in check_terms(sighting(pair), RULES, now_ms=pair.now.t_ms) if f.fatal] == []
    assert precedence_for(sighting(pair), RULES, pair.now.t_ms) is Precedence.IMMEDIATE
    ref = see(pair)
    (rung,) = [t for t in pair.blue.rung if isinstance(t, Heard)]
    assert rung.sentence.startswith(
        f"UNANNOUNCED TRAFFIC seen by GREEN: {ref}. Somebody outside the mechanism, who may"
    )
    assert not any(word in rung.sentence.lower() for word in ("violat", "intru", "breach", "late"))


def test_twenty_two_minutes_between_suspension_and_restoration_are_lost_and_both_sides_say_so() -> None:
    pair = Pair()
    ref, other = give(pair), give(pair)
    pair.later(5 * MINUTE)
    seen = see(pair)
    report(pair, ref, "SUSPENDED", seen)
    pair.later(22 * MINUTE)
    assert (view(pair, ref)["suspended"], view(pair, ref)["lost_min"]) == (True, 22)
    report(pair, ref, "RESTORED")
    pair.later(10 * MINUTE)
    report(pair, other, "SUSPENDED")
    pair.later(90_000)
    report(pair, other, "RESTORED")
    shown = view(pair, ref)
    assert (shown["suspended"], shown["lost_ms"], shown["lost_min"]) == (False, 22 * MINUTE, 22)
    for end in pair.ends.values():
        lost = views.time_lost(end.node.lines[pair.ch].board, pair.now.t_ms)
        assert [(each["ref"], each["lost_min"]) for each in lost["notices"]] == [(ref, 22), (other, 1)]
        assert (lost["lost_ms"], lost["lost_min"]) == (22 * MINUTE + 90_000, 23)


def test_a_suspended_notice_stays_a_warning() -> None:
    pair = Pair()
    ref = give(pair)
    before = list(pair.green.fed)
    report(pair, ref, "SUSPENDED", see(pair))
    assert view(pair, ref)["life"] == "ACTIVE"
    fed = pair.green.fed[len(before) :]
    assert not [f for f in fed if isinstance(f, Forget)]
    assert [f.ref for f in before if isinstance(f, Weigh)] == [ref], "it is weighed since it was given"
    told = [t.sentence for t in pair.green.told if isinstance(t, Heard) and t.kind == "report"]
    assert told[-1].endswith("The notice stays in force as a warning.")


def test_only_time_inside_the_windows_of_the_notice_is_lost() -> None:
    pair = Pair()
    ref = give(pair)
    report(pair, ref, "SUSPENDED", at_ms=pair.now.t_ms - 10 * MINUTE)
    pair.later(2 * 60 * MINUTE)
    shown = view(pair, ref)
    assert (shown["life"], shown["lost_min"], shown["suspended"]) == ("EXPIRED", 60, False)


def test_what_is_finished_early_loses_nothing_more() -> None:
    pair = Pair()
    ref = give(pair)
    report(pair, ref, "SUSPENDED")
    pair.later(7 * MINUTE)
    report(pair, ref, "FINISHED")
    pair.later(7 * MINUTE)
    assert view(pair, ref)["lost_min"] == 7


def test_a_suspension_goes_on_in_a_new_version() -> None:
    pair = Pair()
    ref = give(pair)
    report(pair, ref, "SUSPENDED")
    pair.later(5 * MINUTE)
    thread = pair.blue.node.lines[pair.ch].board.find(ref)
    assert thread is not None
    assert thread.terms is not None
    pair.blue.step(ev.Extend(pair.ch, BLUE, ref, thread.terms.ends_ms + MINUTE), pair.now)
    pair.settle()
    assert view(pair, ref)["suspended"]
    report(pair, ref, "RESTORED")
    assert view(pair, ref)["lost_min"] == 5


@pytest.mark.parametrize(
    ("before", "state", "why"),
    [
        ((), "RESTORED", ""),
        (("SUSPENDED",), "SUSPENDED", ""),
        (("SUSPENDED", "RESTORED"), "RESTORED", ""),
        (("FINISHED",), "SUSPENDED", ""),
        ((), "SUSPENDED", "itself"),
    ],
)
def test_what_makes_no_sense_is_not_said(before: tuple[str, ...], state: str, why: str) -> None:
    pair = Pair()
    ref = give(pair)
    for each in before:
        report(pair, ref, each)
    head = pair.blue.store.head
    with pytest.raises(BadInput):
        report(pair, ref, state, ref if why else "")
    assert pair.blue.store.head == head


def test_a_restoration_before_the_suspension_is_not_said() -> None:
    pair = Pair()
    ref = give(pair)
    report(pair, ref, "SUSPENDED")
    with pytest.raises(BadInput, match="suspended later"):
        report(pair, ref, "RESTORED", at_ms=pair.now.t_ms - 1)


def test_only_a_suspension_has_a_reason() -> None:
    said = {"kind": "report", "ref": "r", "of": "a" * 64, "state": "FINISHED", "at_ms": 1, "why": "b" * 64}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(said, Word)


def test_what_a_suspension_is_because_of_is_the_exact_version_that_it_names_whatever_came_of_it() -> None:
    """GREEN makes another kind of notice of its sighting before it hears that BLUE suspended because of it."""
    pair = Pair()
    ref = give(pair)
    seen = see(pair)
    thread = pair.green.node.lines[pair.ch].board.find(seen)
    assert thread is not None
    assert thread.terms is not None
    other = msgspec.structs.replace(thread.terms, type=NoticeType.ACCIDENT, precedence=Precedence.FLASH)
    pair.green.step(ev.Revise(pair.ch, GREEN, seen, "amend", other), pair.now)
    report(pair, ref, "SUSPENDED", seen)
    assert view(pair, ref)["suspended"]
    assert not [t for end in pair.ends.values() for t in end.told if isinstance(t, FaultSeen)]


def test_a_suspension_because_of_a_sighting_can_be_previewed() -> None:
    pair = Pair()
    ref = give(pair)
    seen = see(pair)
    shown = preview(pair.blue.node.lines, ev.Report(pair.ch, BLUE, ref, "SUSPENDED", 0, seen), pair.now)
    assert f"because of unannounced traffic ({seen})" in shown.sentence
