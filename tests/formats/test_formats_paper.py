# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from volumes_of_any_kind import volumes

from wideberth.core.say import arcs, coordinates, instant, reference
from wideberth.core.say.instant import LAST_MS
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.protect import STANDING, Protected, Urgency, Waypoint, Work
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.core.say.words import RECEIPT_ONLY, SCOPE, Hazard, NoticeType, Onward, Precedence, Priority, Scale, Terms
from wideberth.errors import BadInput
from wideberth.formats import paper
from wideberth.formats.paper import Sheet

START, END = instant.parse("2018-09-17T18:40:00Z"), instant.parse("2018-09-17T19:10:00Z")
ROOM = Volume4D(
    Circle.at(lat="35.53", lng="35.78", radius_km=10), Altitude.surface(), Altitude.flight_level(300), START, END
)
TERMS = Terms(NoticeType.AREA_ACTIVITY, Hazard.CREWED_AIRCRAFT, "BLUE watch, line 1", (ROOM,), END,
              place_name="Latakia", text="Delayed by weather")  # fmt: skip
REF = reference.make("BLUE", 42)
KINDS = ("phone", "form", "mail")


def sheet(terms: Terms = TERMS, **changes: Any) -> Sheet:
    fields: dict[str, Any] = {
        "ref": REF, "version": 1, "mechanism": "BLUE-GREEN", "mode": Mode.REAL, "sender": "BLUE",
        "given_ms": START - 70_000,
    }  # fmt: skip
    return Sheet(terms, **(fields | changes))


def written(kind: str, on: Sheet) -> str:
    if kind == "phone":
        return paper.phone_script(on)
    if kind == "form":
        return paper.printed_form(on)
    mail = paper.email(on)
    return mail.subject + "\n" + mail.text


texts = st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "Zs", "Zl", "Cc")), max_size=40)
any_terms = st.builds(
    lambda *a, **k: Terms(*a, **k),
    st.sampled_from(NoticeType), st.sampled_from(Hazard), texts.map(lambda t: "watch " + t),
    st.lists(volumes(), min_size=1, max_size=3).map(tuple), st.integers(0, LAST_MS),
    precedence=st.sampled_from(Precedence), priority=st.sampled_from(Priority), place_name=texts, text=texts,
    scale=st.sampled_from((None, *Scale)),
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", list(Mode))
def test_every_paper_carries_scope_receipt_check_number_and_mode(kind: str, mode: Mode) -> None:
    text = written(kind, sheet(mode=mode))
    assert SCOPE in text
    assert RECEIPT_ONLY in text
    assert REF in text
    number = paper.content_check(TERMS)
    assert (reference.spell(number) if kind == "phone" else number) in text
    assert ("not real" in text.lower()) == (mode is not Mode.REAL)
    if mode is not Mode.REAL:
        assert mode.value in text.splitlines()[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_paper_says_every_field(kind: str) -> None:
    text = written(kind, sheet())
    for said in ("BLUE-GREEN", "BLUE watch, line 1", "Latakia", "Delayed by weather"):
        assert said in text
    spoken = ("three five decimal five three degrees north, three five decimal seven eight degrees east",
              "one zero kilometres", "the surface", "flight level three zero zero", "one eight four zero U T C",
              "one niner one zero U T C", "area activity", "crewed aircraft", "routine")  # fmt: skip
    printed = ("35.53N 35.78E", "radius 10 km", "SFC", "FL300", "2018-09-17T18:40:00Z", "2018-09-17T19:10:00Z",
               "AREA_ACTIVITY", "CREWED_AIRCRAFT", "ROUTINE")  # fmt: skip
    for said in spoken if kind == "phone" else printed:
        assert said in text


def test_the_phone_script_is_numbered_and_spells_the_reference() -> None:
    lines = paper.phone_script(sheet(version=12, step="CORRECTION")).splitlines()
    assert [line.split(".")[0] for line in lines] == [str(n) for n in range(1, len(lines) + 1)]
    assert all(line.endswith((".", "!", "?")) for line in lines)
    whole = " ".join(lines)
    assert "Bravo Lima Uniform, zero zero four two, Mike" in whole
    assert "Version one two." in whole
    assert "what was said before was wrong" in whole


def test_the_subject_is_one_line_and_says_how_urgent() -> None:
    mail = paper.email(
        sheet(msgspec.structs.replace(TERMS, precedence=Precedence.FLASH), mode=Mode.EXERCISE, ref="X\r\nBcc: y")
    )
    assert mail.subject == "[EXERCISE, NOT REAL] FLASH NOTICE X Bcc: y version 1 from 2018-09-17T18:40:00Z"


@given(any_terms)
@settings(max_examples=150, deadline=None)
def test_a_form_keyed_in_again_gives_the_same_content_and_number(terms: Terms) -> None:
    form = paper.printed_form(sheet(terms))
    again = paper.read_form(form)
    assert paper.content_check(again) == paper.content_check(terms)
    assert again.volumes == terms.volumes
    assert again == msgspec.structs.replace(
        terms, **{f: " ".join(getattr(terms, f).split()) for f in ("contact", "place_name", "text")}
    )
    assert paper.read_form(paper.email(sheet(terms)).text) == again


AID = Protected(
    "AID", Work.HOSPITAL, ("desk 1", "desk 2"), "red roof mark", ("white van 12", "truck"), "ab" * 32, "2 Hill Road",
    1_800_000, (Waypoint(Point.at(35, 35), START), Waypoint(Point.at(35, 36), START + 5, "the bridge")),
    Urgency.EMERGENCY, "flood",
)  # fmt: skip
POINT = Point.at("35.530000001", "35.78")
ROUTE = ((35, 35), (36, 36))
CHANGED: list[dict[str, Any]] = [
    {"type": NoticeType.HAZARD},
    {"hazard": Hazard.UNCREWED_AIRCRAFT},
    {"contact": "BLUE watch, line 2"},
    {"expires_ms": END + 1},
    {"precedence": Precedence.PRIORITY},
    {"priority": Priority.MEDICAL},
    {"place_name": "Latakia port"},
    {"text": ""},
    {"covers": ("ALFA",)},
    {"release": Onward.INQUIRY},
    {"scale": Scale.FEW},
    {"type": NoticeType.STATIC_SITE, "protected": AID},
    *({"type": NoticeType.STATIC_SITE, "protected": msgspec.structs.replace(AID, **change)} for change in (
        {"organisation": "AID TWO"}, {"work": Work.SHELTER}, {"contacts": ("desk 2",)}, {"marking": ""},
        {"vehicles": ()}, {"photo": "cd" * 32}, {"address": "1 Hill Road"}, {"check_in_ms": 3_600_000},
        {"waypoints": AID.waypoints[:1]}, {"why_urgent": "flood, and no power"}, {"urgency": Urgency.IMMEDIATE},
        {"waypoints": (Waypoint(Point.at(35, 35), START + 1), *AID.waypoints[1:])},
    )),
    {"volumes": (ROOM, ROOM)},
    *(
        {"volumes": (msgspec.structs.replace(ROOM, **change),)}
        for change in (
            {"start_ms": START + 1}, {"end_ms": END + 1}, {"lower": Altitude(0, VerticalRef.AGL)},
            {"upper": Altitude.flight_level(301)}, {"upper": Altitude(9_144_000, VerticalRef.AMSL)},
            {"shape": Circle(POINT, 10_000_000)}, {"shape": Circle(Point.at("35.53", "35.780000001"), 10_000_000)},
            {"shape": Circle.at(lat="35.53", lng="35.78", radius_m="10000.001")},
            {"shape": Polygon.of((35, 35), (36, 36), (35, 36))}, {"shape": Polygon.of((36, 36), (35, 35), (35, 36))},
            {"shape": Corridor.along(*ROUTE, half_width_km=1)},
            {"shape": Corridor.along(*ROUTE[::-1], half_width_km=1)},
        )
    ),
]  # fmt: skip


def test_the_check_number_changes_when_any_field_changes() -> None:
    numbers = [paper.content_check(TERMS), *(paper.content_check(msgspec.structs.replace(TERMS, **c)) for c in CHANGED)]
    assert len(set(numbers)) == len(CHANGED) + 1
    touched = {name for change in CHANGED for name in change}
    assert touched == set(Terms.__struct_fields__)


@pytest.mark.parametrize("kind", KINDS)
def test_every_paper_of_those_to_protect_carries_the_standing_text_and_who_they_are(kind: str) -> None:
    site = msgspec.structs.replace(TERMS, type=NoticeType.MOVEMENT, protected=AID)
    text = written(kind, sheet(site))
    for said in (STANDING, "AID", "red roof mark", "white van 12", "desk 2", "2 Hill Road", "flood", "the bridge"):
        assert said in text
    assert STANDING in written(kind, sheet(msgspec.structs.replace(TERMS, priority=Priority.HUMANITARIAN)))
    assert STANDING not in written(kind, sheet())


def test_a_form_of_those_to_protect_is_keyed_in_again() -> None:
    site = msgspec.structs.replace(TERMS, type=NoticeType.MOVEMENT, protected=AID)
    assert paper.read_form(paper.printed_form(sheet(site))) == site
    bare = msgspec.structs.replace(site, protected=Protected("AID", Work.OTHER))
    assert paper.read_form(paper.printed_form(sheet(bare))) == bare


def test_a_form_carries_whom_it_covers_and_how_far_it_may_travel() -> None:
    terms = msgspec.structs.replace(TERMS, covers=("ALFA", "BRAVO"), release=Onward.INQUIRY)
    made = msgspec.structs.replace(
        sheet(terms), release="Not for release beyond BLUE and GREEN.", outside="outside the agreement: suspended"
    )
    form = paper.printed_form(made)
    assert paper.read_form(form) == terms
    for text in (form, paper.phone_script(made), paper.email(made).text):
        assert "Not for release beyond BLUE and GREEN." in text
        assert "outside the agreement: suspended" in text
        assert "ALFA" in text
        assert "BRAVO" in text


def test_the_check_number_is_fixed_for_ever() -> None:
    """A form from last year must still check; a change of this vector is a change of the format."""
    assert paper.content_check(TERMS) == "1603 3334"
    assert paper.content_check(msgspec.structs.replace(TERMS, text=" Delayed\n by  weather ")) == "1603 3334"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("35.53N", "35.54N", "check number"),
        ("FL300", "FL030", "check number"),
        ("18:40:00Z", "18:41:00Z", "check number"),
        ("radius 10 km", "radius 10 NM", "check number"),
        ("radius 10 km", "radius 10", "no unit"),
        ("AREA_ACTIVITY", "AREA", "not in its list"),
        ("18:40:00Z", "18:40:00", "no zone"),
        ("FLOOR:", "FLOR:", "FLOOR once"),
        ("CENTRE:", "CENTER:", "CENTRE once"),
        ("VOLUME: ", "VOL: ", "before any VOLUME"),
        ("HAZARD: ", "HAZZARD: ", "HAZARD is missing"),
        ("PRIORITY: ", "KIND: ", "KIND stands twice"),
        ("CIRCLE:", "BALL:", "needs CIRCLE"),
    ],
)
def test_a_slip_on_the_form_is_found(old: str, new: str, says: str) -> None:
    form = paper.printed_form(sheet())
    assert old in form
    with pytest.raises(BadInput, match=says):
        paper.read_form(form.replace(old, new))


@given(any_terms, st.sampled_from(list(Mode)))
@settings(max_examples=60, deadline=None)
def test_no_notice_is_too_odd_for_paper(terms: Terms, mode: Mode) -> None:
    late = msgspec.structs.replace(terms, expires_ms=2**53 - 1)
    for kind in KINDS:
        assert SCOPE in written(kind, sheet(late, mode=mode, given_ms=2**53 - 1))


def test_places_on_paper_are_the_exact_ones() -> None:
    point = Point.at("-35.123456789", "-179.000000001")
    terms = msgspec.structs.replace(TERMS, volumes=(msgspec.structs.replace(ROOM, shape=Circle(point, 123_456_789)),))
    assert coordinates.show_decimal(point) in paper.printed_form(sheet(terms))
    spoken = paper.phone_script(sheet(terms))
    assert "three five decimal one two three four five six seven eight niner degrees south" in spoken
    assert "one two three four five six decimal seven eight niner metres" in spoken


def test_a_sector_is_read_out_as_people_say_it_and_printed_corner_by_corner() -> None:
    """Whoever draws it again from what was heard has the very same corners; a ring that only looks like one is read."""
    drawn = arcs.sector(Point.at("36.2", "37.15"), 30, 120, 18_520_000)
    terms = msgspec.structs.replace(TERMS, volumes=(msgspec.structs.replace(ROOM, shape=drawn),))
    spoken = paper.phone_script(sheet(terms))
    assert "from zero three zero clockwise to one two zero" in spoken
    assert "one zero nautical miles" in spoken
    assert "Corner" not in spoken
    form = paper.printed_form(sheet(terms))
    assert form.count("CORNER:") == len(drawn.corners)
    assert paper.read_form(form).volumes[0].shape == drawn
    bent = Polygon((*drawn.corners[:-1], Point(drawn.corners[-1].lat_ndeg + 10_000, drawn.corners[-1].lng_ndeg)))
    other = msgspec.structs.replace(TERMS, volumes=(msgspec.structs.replace(ROOM, shape=bent),))
    assert "Corner" in paper.phone_script(sheet(other))
