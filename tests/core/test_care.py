# SPDX-License-Identifier: Apache-2.0
"""Those to protect: verified by a second person, confirmed anew, checked in, withdrawn (domain.md K1-K5, K7, SC5)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.pair import RULES, T0, End, Pair
from wideberth.core import events as ev
from wideberth.core.call import care, views
from wideberth.core.feed import Weigh
from wideberth.core.preview import preview
from wideberth.core.say import notice
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.protect import STANDING, CareWord, Protected, Urgency, Waypoint, Work
from wideberth.core.say.rules import LeadFor, Rules
from wideberth.core.say.volume import Circle, Corridor, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Precedence, Priority, Terms
from wideberth.core.tells import Heard, Level, Overdue, Said
from wideberth.errors import BadInput

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
HNS = msgspec.structs.replace(RULES, leads=(LeadFor(NoticeType.MOVEMENT, 48 * HOUR),))
BLUE, BLUE_2, GREEN = "BLUE/watch-1", "BLUE/supervisor", "GREEN/watch-1"
CLINIC = Point.at(35.6, 35.9)
ROUTE = ((35.5, 35.8), (35.55, 35.82), (35.6, 35.9), (35.65, 35.95), (35.7, 36.0))


def site(at: Point = CLINIC, **more: Any) -> Terms:
    volume = Volume4D(
        Circle(at, 150_000),
        Altitude.surface(),
        Altitude.metres(300, VerticalRef.AGL),
        T0 + HOUR,
        T0 + 200 * DAY,
    )
    who = Protected("AID", Work.HOSPITAL, marking="red roof mark", photo="ab" * 32, **more)
    return Terms(NoticeType.STATIC_SITE, Hazard.PEOPLE_PRESENT, "AID desk 200", (volume,), T0 + 200 * DAY,
                 priority=Priority.HUMANITARIAN, protected=who)  # fmt: skip


def movement(start_ms: int = T0 + 52 * HOUR, **more: Any) -> Terms:
    volume = Volume4D(
        Corridor.along(*ROUTE, half_width_m=500), Altitude.surface(), Altitude.metres(300, VerticalRef.AGL),
        start_ms, start_ms + 4 * HOUR,
    )  # fmt: skip
    who = Protected("AID", Work.FOOD, ("field phone 201",), "white, flag", ("truck 1", "truck 2", "car 3"), "cd" * 32,
                    **more)  # fmt: skip
    return Terms(NoticeType.MOVEMENT, Hazard.GROUND_TRAFFIC, "AID desk 200", (volume,), start_ms + 4 * HOUR,
                 priority=Priority.HUMANITARIAN, protected=who)  # fmt: skip


@pytest.fixture
def pair() -> Pair:
    return Pair(rules=HNS, seed="care")


def do(pair: Pair, command: ev.Command) -> Said:
    who = pair.ends[command.by.partition("/")[0]]
    who.step(command, pair.now)
    pair.settle()
    return [t for t in who.told if isinstance(t, Said)][-1]


def give(pair: Pair, terms: Terms) -> str:
    return do(pair, ev.GiveNotice(pair.ch, BLUE, terms)).ref


def seen(pair: Pair, ref: str) -> dict[str, Any]:
    """What both nodes show, which is the same."""
    shown = []
    for end in pair.ends.values():
        board = end.node.lines[pair.ch].board
        thread = board.find(ref)
        assert thread is not None
        shown.append(views.thread_view(board, thread, ("BLUE", "GREEN"), pair.now.t_ms, here=False))
    assert shown[0]["care"] == shown[1]["care"]
    return shown[0]


def states(pair: Pair, ref: str) -> list[str]:
    found: list[str] = seen(pair, ref)["care"]["states"]
    return found


def overdue(end: End) -> list[Overdue]:
    return [t for t in end.told if isinstance(t, Overdue) and t.what == "OVERDUE"]


# --- lead times (SC5, K7) ---


@pytest.mark.parametrize(
    ("hours", "urgency", "late_by"),
    [(52, Urgency.ROUTINE, 0), (30, Urgency.ROUTINE, 18), (25, Urgency.EMERGENCY, 0), (23, Urgency.EMERGENCY, 1),
     (1, Urgency.IMMEDIATE, 0)],
)  # fmt: skip
def test_sc5_two_days_ahead_or_one_for_an_emergency_and_always_delivered(
    pair: Pair, hours: int, urgency: Urgency, late_by: int
) -> None:
    more = {} if urgency is Urgency.ROUTINE else {"urgency": urgency, "why_urgent": "the hospital has no power"}
    said = do(pair, ev.GiveNotice(pair.ch, BLUE, movement(T0 + hours * HOUR, **more)))
    lead = said.facts["lead_given"]
    assert (lead["late"], lead["shortfall_ms"]) == (late_by > 0, late_by * HOUR)
    (version,) = seen(pair, said.ref)["versions"]
    assert "DELIVERED" in {rung["step"] for rung in version["ladder"]["GREEN"]}
    urgent = version["terms"].get("precedence", "ROUTINE")
    assert urgent == ("IMMEDIATE" if late_by or urgency is Urgency.IMMEDIATE else
                      "PRIORITY" if urgency is Urgency.EMERGENCY else "ROUTINE")  # fmt: skip


def test_an_emergency_never_asks_for_more_lead_than_its_kind() -> None:
    urgent = movement(urgency=Urgency.EMERGENCY, why_urgent="flood")
    assert notice.agreed_lead(urgent, Rules(area=RULES.area)) == Rules(area=RULES.area).lead_ms
    assert notice.agreed_lead(urgent, HNS) == 24 * HOUR


@pytest.mark.parametrize(
    "wrong",
    [
        {"urgency": Urgency.EMERGENCY}, {"urgency": Urgency.IMMEDIATE, "why_urgent": " "}, {"photo": "roof.jpg"},
        {"check_in_ms": 60_000}, {"vehicles": ("van",) * 21}, {"contacts": ("1",) * 5}, {"address": "x" * 81},
        {"waypoints": (Waypoint(CLINIC, T0 + 2), Waypoint(CLINIC, T0 + 1))},
    ],
)  # fmt: skip
def test_what_cannot_be_said_of_those_to_protect(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Protected("AID", Work.FOOD, **wrong)
    with pytest.raises(BadInput):
        Protected(" ", Work.FOOD)


def test_only_sites_and_movements_say_who_is_to_be_protected() -> None:
    with pytest.raises(BadInput, match="STATIC_SITE or a MOVEMENT"):
        msgspec.structs.replace(site(), type=NoticeType.AREA_ACTIVITY)


def test_a_site_may_stand_longer_than_an_activity_but_not_for_ever() -> None:
    fatal = [f for f in notice.check_terms(site(), HNS, now_ms=T0) if f.fatal]
    assert fatal == []
    ages = msgspec.structs.replace(site(), expires_ms=T0 + 800 * DAY)
    assert [f.rule for f in notice.check_terms(ages, HNS, now_ms=T0) if f.fatal] == ["C8"]


# --- a second person looked (K2, D8) ---


def test_a_site_is_unverified_until_a_second_post_found_it_there(pair: Pair) -> None:
    ref = give(pair, site())
    assert states(pair, ref) == ["UNVERIFIED"]
    with pytest.raises(BadInput, match="another post"):
        do(pair, ev.VerifyPlace(pair.ch, BLUE, ref, CLINIC))
    elsewhere = point_towards(CLINIC, 90, 900)
    warned = do(pair, ev.VerifyPlace(pair.ch, BLUE_2, ref, elsewhere))
    assert "900" in warned.facts["warnings"][0]
    assert states(pair, ref) == ["PLACE_DIFFERS"]
    assert "PLACE DIFFERS" in [t for t in pair.green.told if isinstance(t, Heard)][-1].sentence
    do(pair, ev.VerifyPlace(pair.ch, BLUE_2, ref, point_towards(CLINIC, 90, 150), "went there"))
    assert states(pair, ref) == ["VERIFIED"]


def test_a_version_is_verified_by_itself_and_one_that_moved_is_to_be_surveyed_anew(pair: Pair) -> None:
    ref = give(pair, site())
    do(pair, ev.VerifyPlace(pair.ch, BLUE_2, ref, CLINIC))
    moved = point_towards(CLINIC, 0, 450)
    said = do(pair, ev.Revise(pair.ch, BLUE, ref, "correct", site(moved)))
    assert any("moves by 450 m" in text for text in said.facts["look_again"])
    assert states(pair, ref) == ["UNVERIFIED", "RESURVEY"]
    do(pair, ev.VerifyPlace(pair.ch, BLUE_2, ref, moved))
    assert states(pair, ref) == ["VERIFIED"]


def test_another_party_verifies_nothing(pair: Pair) -> None:
    ref = give(pair, site())
    with pytest.raises(Exception, match="we have no notice"):
        do(pair, ev.VerifyPlace(pair.ch, GREEN, ref, CLINIC))


@pytest.mark.parametrize(
    ("address", "flag"),
    [
        ("35.6N 35.9E", ""), ("35.605N 35.9E", "one of the two"), ("Cape Amal", "one of the two may be wrong"),
        ("the blue house", "could not be compared"), ("", ""),
    ],
)  # fmt: skip
def test_a_pin_far_from_its_address_is_flagged_and_goes_out(pair: Pair, address: str, flag: str) -> None:
    said = do(pair, ev.GiveNotice(pair.ch, BLUE, site(address=address)))
    assert said.ref
    assert bool(said.facts.get("look_again")) == bool(flag)
    assert flag in " ".join(said.facts.get("look_again", ()))


def test_the_same_site_twice_is_flagged_among_our_own_only(pair: Pair) -> None:
    do(pair, ev.GiveNotice(pair.ch, GREEN, site()))
    assert "look_again" not in do(pair, ev.GiveNotice(pair.ch, BLUE, site())).facts, (
        "others' sites are not looked through"
    )
    twice = do(pair, ev.GiveNotice(pair.ch, BLUE, site(point_towards(CLINIC, 0, 100))))
    assert any("same place" in text for text in twice.facts["look_again"])
    apart = do(pair, ev.GiveNotice(pair.ch, BLUE, site(point_towards(CLINIC, 0, 1_000))))
    assert "look_again" not in apart.facts


# --- confirmed anew (K3) ---


def test_a_site_that_nobody_confirms_turns_stale_at_both_ends_and_stays(pair: Pair) -> None:
    ref = give(pair, site())
    pair.later(HNS.confirm_ms - 1)
    pair.tick()
    assert states(pair, ref) == ["UNVERIFIED"]
    pair.later(1)
    pair.tick()
    assert states(pair, ref) == ["STALE", "UNVERIFIED"]
    for end in pair.ends.values():
        (told,) = overdue(end)
        assert (told.ref, told.member, told.level) == (ref, "BLUE", Level.NOTE)
        assert "STALE" in told.sentence
        assert end.node.lines[pair.ch].board.find(ref).live(pair.now.t_ms)  # type: ignore[union-attr]
    pair.later(DAY)
    pair.tick()
    assert len(overdue(pair.green)) == 1, "told once"
    do(pair, ev.ConfirmSite(pair.ch, BLUE, ref))
    assert states(pair, ref) == ["UNVERIFIED"]
    assert seen(pair, ref)["care"]["confirm_by_ms"] == pair.now.t_ms + HNS.confirm_ms


# --- check-ins (K4) ---


def test_sc5_a_missing_check_in_is_told_at_both_ends_a_quarter_of_an_hour_later(pair: Pair) -> None:
    start = T0 + 52 * HOUR
    ref = give(pair, movement(start, check_in_ms=70 * MINUTE))
    pair.later(52 * HOUR + 70 * MINUTE + 15 * MINUTE)
    pair.tick()
    assert states(pair, ref) == ["UNVERIFIED"]
    pair.later(1)
    pair.tick()
    assert states(pair, ref) == ["OVERDUE", "UNVERIFIED"]
    for end in pair.ends.values():
        (told,) = overdue(end)
        assert told.level is Level.RING
        assert "AID desk 200; field phone 201" in told.sentence
        assert "Why is not known" in told.sentence
    assert "hold-off" in overdue(pair.blue)[0].sentence
    assert "Tell every unit" in overdue(pair.green)[0].sentence
    do(pair, ev.CheckInNow(pair.ch, BLUE, ref, 0, CLINIC, "flat tyre"))
    assert states(pair, ref) == ["UNVERIFIED"]
    assert seen(pair, ref)["care"]["check_in_by_ms"] == pair.now.t_ms + 70 * MINUTE


def test_check_ins_are_looked_for_at_waypoints_and_at_the_end(pair: Pair) -> None:
    start = T0 + 52 * HOUR
    points = tuple(Waypoint(Point.at(*at), start + n * HOUR) for n, at in enumerate(ROUTE[1:4], 1))
    ref = give(pair, movement(start, waypoints=points))

    def due() -> int | None:
        found: int | None = seen(pair, ref)["care"]["check_in_by_ms"]
        return found

    assert due() == start + HOUR
    pair.later(52 * HOUR + 55 * MINUTE)
    do(pair, ev.CheckInNow(pair.ch, BLUE, ref))
    assert due() == start + 2 * HOUR, "five minutes before its waypoint is from there"
    pair.later(2 * HOUR)
    do(pair, ev.CheckInNow(pair.ch, BLUE, ref, pair.now.t_ms - MINUTE))
    assert due() == start + 4 * HOUR
    pair.later(2 * HOUR)
    pair.tick()
    assert states(pair, ref) == ["OVERDUE", "UNVERIFIED"], "it never said that it arrived"
    do(pair, ev.Report(pair.ch, BLUE, ref, "FINISHED"))
    assert due() is None
    assert states(pair, ref) == ["UNVERIFIED"]


def test_nobody_checks_in_from_the_future_and_no_site_checks_in(pair: Pair) -> None:
    where, way = give(pair, site()), give(pair, movement(check_in_ms=HOUR))
    with pytest.raises(BadInput, match="past"):
        do(pair, ev.CheckInNow(pair.ch, BLUE, way, pair.now.t_ms + MINUTE))
    with pytest.raises(BadInput, match="is a site"):
        do(pair, ev.CheckInNow(pair.ch, BLUE, where))
    with pytest.raises(BadInput, match="is a movement"):
        do(pair, ev.ConfirmSite(pair.ch, BLUE, way))
    with pytest.raises(BadInput, match="no site and no movement"):
        do(pair, ev.ConfirmSite(pair.ch, BLUE, give(pair, pair.terms())))


# --- withdrawn (K3) ---


def test_a_site_withdrawn_while_the_other_was_away_never_stands_there_and_the_withdrawal_is_receipted(
    pair: Pair,
) -> None:
    ref = do(pair, ev.GiveNotice(pair.ch, BLUE, site())).ref
    pair.settle()
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, site(point_towards(CLINIC, 0, 5_000))), pair.now)
    second = [t for t in pair.blue.told if isinstance(t, Said)][-1].ref
    for gone in (ref, second):
        pair.blue.step(ev.Cancel(pair.ch, BLUE, gone, "moved out"), pair.now)
    away, pair.blue.out = pair.blue.out, []
    assert away, "it was sent, and nobody was there"
    fed = len(pair.green.fed)
    pair.later(HOUR)
    pair.tick()
    pair.settle()
    assert not [f for f in pair.green.fed[fed:] if isinstance(f, Weigh)], "nothing that was withdrawn is weighed"
    for gone in (ref, second):
        view = seen(pair, gone)
        assert view["life"] == "CANCELLED"
        assert [v["kind"] for v in view["versions"]] == ["notice", "cancel"], "the history stays"
        assert "DELIVERED" in {rung["step"] for rung in view["versions"][1]["ladder"]["GREEN"]}
        assert view["standing_text"] == STANDING
        with pytest.raises(BadInput, match="withdrawn"):
            do(pair, ev.ConfirmSite(pair.ch, BLUE, gone))
        with pytest.raises(BadInput, match="cancelled"):
            do(pair, ev.Revise(pair.ch, BLUE, gone, "amend", site(CLINIC, address="x")))
    pair.later(HNS.confirm_ms)
    before = len(pair.blue.told), len(pair.green.told)
    pair.tick()
    assert not [
        t for e, n in zip(pair.ends.values(), before, strict=True) for t in e.told[n:] if isinstance(t, Overdue)
    ]
    pair.blue.out.clear()
    pair.later(DAY)
    pair.tick()
    assert pair.blue.out == [], "once it is receipted nothing more is sent of it"


# --- the standing text (K5), and what nothing may do (M4, M5) ---


def test_the_standing_text_is_on_every_view_sentence_and_preview(pair: Pair) -> None:
    for terms in (site(), movement(), msgspec.structs.replace(pair.terms(), priority=Priority.HUMANITARIAN)):
        ref = give(pair, terms)
        view = seen(pair, ref)
        assert view["standing_text"] == STANDING
        assert view["versions"][0]["standing_text"] == STANDING
        assert STANDING in [t for t in pair.green.told if isinstance(t, Heard)][-1].sentence
        before = preview(pair.blue.node.lines, ev.GiveNotice(pair.ch, BLUE, terms), pair.now)
        assert STANDING in before.sentence
        assert before.view is not None
        assert before.view["standing_text"] == STANDING
    assert seen(pair, give(pair, pair.terms()))["standing_text"] == ""
    assert not [name for name in Rules.__struct_fields__ if "standing" in name], "no agreement can take it away"


def test_in_a_list_the_sites_of_others_have_no_place_and_no_word_of_where_they_were(pair: Pair) -> None:
    ref = give(pair, movement(check_in_ms=HOUR))
    pair.later(53 * HOUR)
    do(pair, ev.CheckInNow(pair.ch, BLUE, ref, 0, CLINIC, "at the bridge"))
    board = pair.green.node.lines[pair.ch].board
    thread = board.find(ref)
    assert thread is not None
    told = msgspec.json.encode(views.listed(board, thread, ("BLUE", "GREEN"), pair.now.t_ms, "GREEN")).decode()
    for secret in ("bridge", "35.6", "35600000000", "truck", "AID"):
        assert secret not in told
    assert '"states":["UNVERIFIED"]' in told


def test_after_a_start_both_ends_say_what_they_said_before(pair: Pair) -> None:
    ref = give(pair, site())
    do(pair, ev.VerifyPlace(pair.ch, BLUE_2, ref, CLINIC))
    pair.later(DAY)
    do(pair, ev.ConfirmSite(pair.ch, BLUE, ref))
    before = seen(pair, ref)["care"]
    for end in pair.ends.values():
        end.restart(pair.now)
    assert seen(pair, ref)["care"] == before


def test_every_kind_of_word_is_judged_and_none_is_urgent() -> None:
    kinds = {kind.__struct_config__.tag for kind in CareWord.__args__}  # type: ignore[attr-defined]
    assert kinds == {"verified", "confirm", "checkin"}
    assert set(care.WORST) >= {"OVERDUE", "STALE"}
    assert Precedence.ROUTINE is site().precedence
