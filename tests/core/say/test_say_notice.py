# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wideberth.core.say import instant, notice
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.rules import NamedPlace, Rules
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Precedence, Terms
from wideberth.errors import BadInput

LATAKIA = NamedPlace("Latakia", Point.at("35.53", "35.78"), 30_000_000)
RULES = Rules(area=Polygon.of((34.5, 34.0), (34.5, 37.5), (37.0, 37.5), (37.0, 34.0)), gazetteer=(LATAKIA,))
SAID = instant.parse("2018-09-17T18:38:50Z")
START = instant.parse("2018-09-17T18:40:00Z")
END = instant.parse("2018-09-17T19:10:00Z")
FIRST = Circle.at(lat="36.20", lng="37.15", radius_km=10)
CORRECTED = Circle.at(lat="35.53", lng="35.78", radius_km=10)
EARLY = START - RULES.lead_ms
DAY = instant.MS_PER_DAY


def room(shape: Shape = FIRST, start_ms: int = START, end_ms: int = END) -> Volume4D:
    return Volume4D(shape, Altitude.surface(), Altitude.flight_level(300), start_ms, end_ms)


def terms(*volumes: Volume4D, **changes: Any) -> Terms:
    given_volumes = volumes or (room(),)
    fields: dict[str, Any] = {
        "type": NoticeType.AREA_ACTIVITY, "hazard": Hazard.CREWED_AIRCRAFT, "contact": "BLUE watch, line 1",
        "volumes": given_volumes, "expires_ms": max(v.end_ms for v in given_volumes),
    }  # fmt: skip
    return Terms(**(fields | changes))


def rules_broken(said: Terms, *, now_ms: int = EARLY, rules: Rules = RULES) -> list[tuple[str, bool]]:
    return [(flaw.rule, flaw.fatal) for flaw in notice.check_terms(said, rules, now_ms=now_ms)]


def test_a_complete_notice_on_time_has_no_flaw() -> None:
    assert notice.check_terms(terms(), RULES, now_ms=EARLY) == []


def test_sc1_a_notice_seventy_seconds_ahead_is_late_by_530_seconds_and_not_stopped() -> None:
    flaws = notice.check_terms(terms(), RULES, now_ms=SAID)
    assert [(f.rule, f.fatal) for f in flaws] == [("C3", False)]
    assert "LATE by 8m50s" in flaws[0].sentence
    assert notice.lead(terms(), RULES, SAID) == notice.Lead(70_000, 530_000, True)
    assert notice.lead(terms(), RULES, SAID + 1_000).shortfall_ms == 531_000  # as delivered, a second later
    assert notice.precedence_for(terms(), RULES, SAID) is Precedence.IMMEDIATE


def test_sc1_the_correction_moves_the_place_by_144_kilometres() -> None:
    moved = notice.shift(terms(), terms(room(CORRECTED)))
    assert round(moved.place_mm / 1e6) == 144
    assert (moved.start_ms, moved.end_ms) == (0, 0)
    assert notice.shift(terms(room(CORRECTED)), terms()).place_mm == moved.place_mm


def test_lead_time_exactly_as_agreed_is_not_late() -> None:
    assert notice.lead(terms(), RULES, START - 600_000) == notice.Lead(600_000, 0, False)
    assert notice.lead(terms(), RULES, START - 599_999) == notice.Lead(599_999, 1, True)
    assert notice.lead(terms(), RULES, START + 5_000) == notice.Lead(-5_000, 605_000, True)


@given(st.sampled_from(list(Precedence)), st.sampled_from(list(NoticeType)), st.integers(-DAY, DAY))
def test_precedence_is_only_ever_raised(asked: Precedence, kind: NoticeType, ahead_ms: int) -> None:
    order = ["ROUTINE", "PRIORITY", "IMMEDIATE", "FLASH"]
    said = terms(precedence=asked, type=kind)
    got = notice.precedence_for(said, RULES, START - ahead_ms)
    assert order.index(got) >= order.index(asked)
    if kind in notice.AT_ONCE:
        least = "IMMEDIATE" if kind is NoticeType.UNANNOUNCED_TRAFFIC else "FLASH"
        assert got == max(least, asked, key=order.index)
    elif ahead_ms < RULES.lead_ms and kind is not NoticeType.PRESENCE:
        assert order.index(got) >= order.index("IMMEDIATE")
    else:
        assert got is asked


@pytest.mark.parametrize(
    ("said", "now_ms", "broken"),
    [
        (terms(hazard=Hazard.UNSPECIFIED), EARLY, ("C2", False)),
        (terms(type=NoticeType.HAZARD, hazard=Hazard.UNSPECIFIED), EARLY, ("C2", True)),
        (terms(expires_ms=END - 1), EARLY, ("C8", True)),
        (terms(), START - 31 * DAY, ("C8", True)),
        (terms(expires_ms=START + 31 * DAY), EARLY, ("C8", True)),
        (terms(room(Circle.at(lat="36.2", lng="37.15", radius_m=300))), EARLY, ("J3", True)),
        (terms(room(Corridor.along((35, 35), (35, "35.01"), half_width_m=500))), EARLY, ("J3", True)),
        (terms(room(Polygon.of((35, 35), (35, 35.05), (35.05, 35.05)))), EARLY, ("J3", True)),
        (terms(room(Polygon.of((35, 35), (36, 36), (35, 36), (36, 35)))), EARLY, ("D9", True)),
        (terms(room(Circle.at(lat="37.2", lng="36.2", radius_km=10))), EARLY, ("D9", False)),
        (terms(room(Circle.at(lat="10", lng="10", radius_km=10))), EARLY, ("C2", False)),
        (terms(room(Polygon.of((36.5, 35), (36.5, 36), (38, 36), (38, 35)))), EARLY, ("C2", False)),
        (terms(place_name="Latakia"), EARLY, ("C4", True)),
        (terms(place_name="somewhere north"), EARLY, ("C4", False)),
        (terms(text="aim point at the depot"), EARLY, ("M1", False)),
        (terms(contact="SIGINT desk"), EARLY, ("M1", False)),
    ],
)
def test_each_rule_is_broken_by_itself(said: Terms, now_ms: int, broken: tuple[str, bool]) -> None:
    assert rules_broken(said, now_ms=now_ms) == [broken]


def test_every_flaw_is_a_sentence_for_an_officer_and_the_fatal_ones_come_first() -> None:
    said = terms(
        room(Circle.at(lat=10, lng=10, radius_m=300)),
        room(Polygon.of((35, 37), ("35.4", "37.4"), (35, "37.4"), ("35.4", 37))),
        expires_ms=START - 1, text="target", place_name="Latakia", hazard=Hazard.UNSPECIFIED,
    )  # fmt: skip
    flaws = notice.check_terms(said, RULES, now_ms=END)
    assert {f.rule for f in flaws} == {"C2", "C3", "C4", "C8", "D9", "J3", "M1"}
    assert [f.fatal for f in flaws] == sorted((f.fatal for f in flaws), reverse=True)
    assert all(len(f.sentence) > 20 and f.field for f in flaws)


def test_a_notice_that_is_wholly_past_says_nothing() -> None:
    assert {f.rule for f in notice.check_terms(terms(), RULES, now_ms=END) if f.fatal} == {"C8"}


def test_a_swapped_place_is_suspected_only_when_swapping_helps() -> None:
    (flaw,) = notice.check_terms(terms(room(Circle.at(lat="37.2", lng="35.5", radius_km=10))), RULES, now_ms=EARLY)
    assert "35.5N 37.2E" in flaw.sentence
    assert "swapped" in flaw.sentence


def test_a_place_name_near_its_geometry_is_fine_however_it_is_written() -> None:
    assert rules_broken(terms(room(CORRECTED), place_name="  LATAKIA ")) == []
    beside = point_towards(LATAKIA.point, 90, 39_000)
    assert rules_broken(terms(room(Circle(beside, 10_000_000)), place_name="Latakia")) == []  # 29 km from its edge
    beyond = point_towards(LATAKIA.point, 90, 41_000)
    assert rules_broken(terms(room(Circle(beyond, 10_000_000)), place_name="Latakia")) == [("C4", True)]


def test_the_least_area_counts_area_not_shape_and_spares_sites_and_accidents() -> None:
    tiny = room(Circle.at(lat="36.2", lng="37.15", radius_m=300))
    assert rules_broken(terms(room(Circle.at(lat="36.2", lng="37.15", radius_m=10_000)))) == []
    assert rules_broken(terms(room(Circle.at(lat="36.2", lng="37.15", radius_m=9_999)))) == [("J3", True)]
    assert rules_broken(terms(room(Corridor.along((35, 35), (35, 36), half_width_km=2)))) == []
    for kind in (NoticeType.STATIC_SITE, NoticeType.MOVEMENT, NoticeType.ACCIDENT):
        assert rules_broken(terms(tiny, type=kind)) == []
    assert rules_broken(terms(tiny), rules=msgspec.structs.replace(RULES, least_radius_mm=0)) == []


def test_growing_makes_a_small_circle_sendable_and_leaves_the_rest() -> None:
    small = terms(room(Circle.at(lat="36.2", lng="37.15", radius_m=300)), room())
    grown = notice.grown(small, RULES)
    assert rules_broken(grown) == []
    assert grown.volumes[1] == small.volumes[1]
    site = terms(*small.volumes, type=NoticeType.STATIC_SITE)
    assert notice.grown(site, RULES) is site


def test_an_accident_needs_three_fields_and_goes_as_flash() -> None:
    form = notice.ShortForm("BLUE watch, line 1", 5_000_000, Altitude.surface(), Altitude.unlimited())
    said = notice.accident(Hazard.FALLING_OBJECTS, Point.at(36, 36), SAID + 3_600_000, form, now_ms=SAID)
    assert notice.check_terms(said, RULES, now_ms=SAID) == []
    assert notice.precedence_for(said, RULES, SAID) is said.precedence is Precedence.FLASH
    assert (said.starts_ms, said.ends_ms, said.expires_ms) == (SAID, SAID + 3_600_000, SAID + 3_600_000)
    with pytest.raises(BadInput, match="end after it starts"):
        notice.accident(Hazard.FALLING_OBJECTS, Point.at(36, 36), SAID, form, now_ms=SAID)


def later(said: Terms, by_ms: int, *, expires_ms: int | None = None) -> Terms:
    volumes = tuple(msgspec.structs.replace(v, end_ms=v.end_ms + by_ms) for v in said.volumes)
    return msgspec.structs.replace(
        said, volumes=volumes, expires_ms=said.expires_ms + by_ms if expires_ms is None else expires_ms
    )


HIGHER = terms(Volume4D(FIRST, Altitude.surface(), Altitude.feet(40_000, VerticalRef.AMSL), START, END))
TWO = terms(room(), room(CORRECTED))


@pytest.mark.parametrize(
    ("kind", "before", "after", "broken"),
    [
        ("amend", terms(), terms(text="delayed"), []),
        ("amend", terms(), HIGHER, []),
        ("amend", terms(), terms(room(CORRECTED)), [("C7", False)]),
        ("amend", terms(), terms(), [("C6", True)]),
        ("amend", terms(), None, [("C6", True)]),
        ("correct", terms(), terms(room(CORRECTED)), []),
        ("correct", terms(), terms(room(FIRST, START + 60_000)), []),
        ("correct", terms(), HIGHER, []),
        ("correct", terms(), terms(text="delayed"), [("C7", True)]),
        ("extend", terms(), later(terms(), 60_000), []),
        ("extend", terms(), later(terms(), 0, expires_ms=END + 60_000), []),
        ("extend", terms(), later(terms(), -60_000), [("C6", True)]),
        ("extend", terms(), later(terms(), 60_000, expires_ms=END - 1), [("C6", True)]),
        ("extend", terms(), terms(room(FIRST, START - 60_000)), [("C6", True)]),
        ("extend", terms(), later(terms(text="more"), 60_000), [("C6", True)]),
        ("extend", terms(), later(terms(room(CORRECTED)), 60_000), [("C6", True)]),
        ("extend", terms(), later(TWO, 60_000), [("C6", True)]),
        ("cancel", terms(), None, []),
    ],
)
def test_what_may_follow_what(
    kind: notice.Revision, before: Terms, after: Terms | None, broken: list[tuple[str, bool]]
) -> None:
    flaws = notice.check_revision(kind, before, after, now_ms=EARLY)
    assert [(f.rule, f.fatal) for f in flaws] == broken


@pytest.mark.parametrize("kind", ["amend", "correct", "extend", "cancel"])
def test_a_cancelled_notice_cannot_be_revised_and_an_expired_one_not_revived(kind: notice.Revision) -> None:
    after = later(terms(room(CORRECTED)), DAY)
    (flaw,) = notice.check_revision(kind, terms(), after, now_ms=EARLY, cancelled=True)
    assert flaw.fatal
    assert "cancelled" in flaw.sentence
    (flaw,) = notice.check_revision(kind, terms(), after, now_ms=END)
    assert "expired" in flaw.sentence
    assert flaw.fatal == (kind != "cancel")


def test_one_volume_of_many_that_jumps_is_seen() -> None:
    jumped = terms(room(), room(Circle.at(lat="35.53", lng="36.78", radius_km=10)))
    assert notice.shift(TWO, jumped).place_mm > 80_000_000
    assert notice.shift(TWO, terms(*reversed(TWO.volumes))).place_mm == 0
    assert notice.shift(TWO, terms()).place_mm > 100_000_000


def test_an_area_over_the_antimeridian_is_an_ordinary_area() -> None:
    pacific = Rules(area=Polygon.of((-20, 175), (-20, -175), (-10, -175), (-10, 175)))
    said = terms(room(Polygon.of((-15, "179.5"), (-15, "-179.5"), (-14, "-179.5"), (-14, "179.5"))))
    assert rules_broken(said, rules=pacific) == []
    assert rules_broken(terms(room(Circle.at(lat=-15, lng=-170, radius_km=10))), rules=pacific) == [("C2", False)]
