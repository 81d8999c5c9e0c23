# SPDX-License-Identifier: Apache-2.0
"""What a draft means, and what it says when it means nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wideberth.core.say import arcs, complete
from wideberth.core.say.geodesy import area_m2
from wideberth.core.say.instant import parse, show
from wideberth.core.say.place import Point
from wideberth.core.say.protect import Urgency, Work
from wideberth.core.say.rules import Mode, Rules
from wideberth.core.say.volume import Circle, Corridor, Polygon
from wideberth.core.say.words import Hazard, NoticeType, Precedence
from wideberth.core.seal import canonical
from wideberth.errors import BadInput
from wideberth.formats import astm
from wideberth.web.drafts import FIELDS, plan_of, said_in, settled, terms_of, time_of, volumes_of

NOW = parse("2031-05-14T09:00:30Z")
HOUR = 3_600_000
RULES = Rules(area=Circle.at(lat=41, lng=-38, radius_km=500))
WHOLE = {"type": "HAZARD", "hazard": "FALLING_OBJECTS", "circle": "41N 38W", "radius": "10km", "low": "SFC",
         "high": "FL300", "from": "10:00Z", "until": "11:00Z"}  # fmt: skip


def terms(draft, base=None, contact="+999 1"):
    return terms_of(draft, now_ms=NOW, contact=contact, rules=RULES, base=base)


def refused(draft, **more):
    with pytest.raises(BadInput) as told:
        terms(draft, **more)
    return told.value


def test_a_whole_draft_is_terms_and_the_rest_comes_from_the_settings():
    made = terms(WHOLE)
    assert (made.type, made.hazard, made.contact) == (NoticeType.HAZARD, Hazard.FALLING_OBJECTS, "+999 1")
    (volume,) = made.volumes
    assert volume.shape == Circle.at(lat=41, lng=-38, radius_km=10)
    assert show(volume.start_ms) == "2031-05-14T10:00:00Z"
    assert made.expires_ms == volume.end_ms


@pytest.mark.parametrize("field", [f for f in WHOLE if f not in ("circle", "radius")])
def test_each_missing_field_is_named(field):
    fault = refused({k: v for k, v in WHOLE.items() if k != field})
    assert fault.details["field"] == field
    assert fault.details["fields"] == [field]
    assert "Nothing was signed" in fault.sentence


def test_a_place_name_alone_is_no_place():
    fault = refused({k: v for k, v in WHOLE.items() if k not in ("circle", "radius")} | {"place_name": "north"})
    assert fault.details["fields"] == ["circle"]
    assert "'north' is a name, and a name is not a location" in fault.sentence


def test_a_missing_contact_is_named_unless_it_is_an_accident():
    assert refused(WHOLE, contact="").details["fields"] == ["contact"]
    assert terms({"type": "ACCIDENT", "circle": "41N 38W", "until": "+6h"}, contact="").contact


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"type": "PICNIC"}, "type", "none of AREA_ACTIVITY"),
        ({"radius": "10"}, "radius", "unit"),
        ({"radius": ""}, "radius", "needs a radius"),
        ({"circle": "the bridge"}, "circle", "not a place"),
        ({"low": "300"}, "low", "300"),
        ({"from": "2031-05-14T10:00"}, "from", "no zone"),
        ({"until": "2031-05-14T10:00+99:00"}, "until", "offset"),
        ({"until": "2031-05-14T08:00Z"}, "until", "must end after"),
        ({"low": "UNL"}, "low", "band"),
        ({"polygon": "1N 1E; 2N 2E; 3N 1E"}, "polygon", "one shape only"),
        ({"purpose": "x"}, "purpose", "no such field"),
        ({"expires": "later"}, "expires", "not a time"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_reason(change, field, words):
    fault = refused(WHOLE | change)
    assert field in fault.details["fields"]
    assert words in fault.sentence


def test_everything_wrong_is_said_at_once():
    fault = refused({"circle": "north of the bridge", "from": "soon", "hazard": "WEATHER"})
    assert set(fault.details["fields"]) == {"type", "hazard", "circle", "from", "low", "high", "until"}


@pytest.mark.parametrize("value", [0, 1.5, True, None, [], {}, ["41N 38W"]])
@pytest.mark.parametrize("field", FIELDS)
def test_a_draft_of_any_json_is_read_or_refused(field, value):
    try:
        terms(WHOLE | {field: value})
    except BadInput:
        return


def test_shapes():
    base = {k: v for k, v in WHOLE.items() if k not in ("circle", "radius")}
    ring = terms(base | {"polygon": "41.0N 38.9W; 41.3N 38.9W; 41.3N 38.4W; 41.0N 38.9W"}).volumes[0].shape
    assert isinstance(ring, Polygon)
    assert len(ring.corners) == 3
    way = terms(base | {"corridor": "41.0 -38.9; 41.5 -38.3", "half_width": "6nm"}).volumes[0].shape
    assert isinstance(way, Corridor)
    assert way.half_width_mm == 11_112_000
    assert refused(base | {"corridor": "41.0 -38.9; 41.5 -38.3"}).details["field"] == "half_width"
    assert terms(base | {"circle": "41.20,-38.60,7nm"}).volumes[0].shape == Circle.at(
        lat="41.2", lng="-38.6", radius_nm=7
    )


def test_an_orbit_a_sector_and_a_polyarc_are_typed_and_become_shapes_that_are_signed():
    base = {k: v for k, v in WHOLE.items() if k not in ("circle", "radius")}
    orbit = terms(base | {"orbit": "41.0N 38.9W; 045; 20nm; R", "radius": "3nm", "margin": "1nm"}).volumes[0].shape
    assert isinstance(orbit, Corridor)
    assert 7_408_000 < orbit.half_width_mm < 7_409_000
    ends = terms(base | {"orbit": "41.0N 38.9W; 41.3N 38.5W", "radius": "3nm"}).volumes[0].shape
    assert ends == Corridor.along((41, "-38.9"), ("41.3", "-38.5"), half_width_nm=3)
    part = terms(base | {"circle": "41.0N 38.9W", "radius": "10nm", "sector": "030-120"}).volumes[0].shape
    assert part == arcs.sector(Point.at(41, "-38.9"), 30, 120, 18_520_000)
    ring = terms(base | {"circle": "41.0N 38.9W", "radius": "10nm", "inner": "5nm", "sector": "030-120"})
    assert ring.volumes[0].shape == arcs.sector(Point.at(41, "-38.9"), 30, 120, 18_520_000, 9_260_000)
    bay = terms(base | {"polyarc": "41.0N 38.9W; arc cw 41.0N 38.7W; 41.0N 38.5W; 40.8N 38.7W"}).volumes[0].shape
    assert isinstance(bay, Polygon)
    assert len(bay.corners) > 20


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"orbit": "41N 38W; 42N 38W", "radius": ""}, "radius", "radius of its turns"),
        ({"orbit": "41N 38W; 045; 20nm; X"}, "orbit", "R or L"),
        ({"orbit": "41N 38W; 045; 20nm"}, "orbit", "not an orbit"),
        ({"orbit": "41N 38W; 445; 20nm; L"}, "orbit", "true bearing"),
        ({"circle": "41N 38W", "sector": "30-30"}, "sector", "all round it is a circle"),
        ({"circle": "41N 38W", "inner": "3nm"}, "sector", "has a hole"),
        ({"circle": "41N 38W", "inner": "30nm", "sector": "0-90"}, "inner", "less than its radius"),
        ({"circle": "41N 38W", "inner": "5.5nm", "radius": "5.5nm", "sector": "0-90"}, "inner", "less than its radius"),
        ({"circle": "41N 38W", "radius": "700km", "sector": "0-90"}, "radius", "check the unit"),
        ({"polygon": "41N 38W; 42N 38W; 42N 37W", "sector": "0-90"}, "sector", "`moving` or `circle`"),
        ({"polyarc": "41N 38W; 42N 38W; 42N 37W"}, "polyarc", "give a polygon"),
        ({"polyarc": "arc cw 41N 38W; 42N 38W; 42N 37W"}, "polyarc", "begins with a corner"),
        ({"polyarc": "41N 39W; arc cw 41N 38W; arc cw 41N 38W; 41N 37W"}, "polyarc", "between two arcs"),
        ({"polyarc": "41N 39W; arc 41N 38W; 41N 37W"}, "polyarc", "is not an arc"),
        ({"polyarc": "41N 39W; arc cw 41N 38W; 41N 35W"}, "polyarc", "check the three places"),
    ],
)
def test_what_is_wrong_with_a_shape_with_arcs_is_said(change, field, words):
    base = {k: v for k, v in WHOLE.items() if k != "circle"}
    fault = refused(base | change)
    assert field in fault.details["fields"], fault.sentence
    assert words in fault.sentence


def test_an_accident_takes_three_fields_and_no_more():
    made = terms({"type": "ACCIDENT", "hazard": "FIRE_AND_SMOKE", "circle": "41N 38W", "until": "+6h"})
    assert made.precedence is Precedence.FLASH
    assert made.volumes[0].start_ms == NOW
    assert made.volumes[0].shape.radius_mm == RULES.least_radius_mm
    assert refused({"type": "ACCIDENT"}).details["fields"] == ["circle", "until"]
    assert refused({"type": "ACCIDENT", "circle": "41N 38W", "until": "+6h", "low": "SFC"}).details["fields"] == ["low"]


def test_a_revision_changes_what_is_given_and_nothing_else():
    before = terms(WHOLE | {"text": "first"})
    assert terms({}, base=before) == before
    after = terms({"high": "FL400", "until": "12:00Z"}, base=before)
    assert after.volumes[0].shape == before.volumes[0].shape
    assert after.expires_ms == before.expires_ms + HOUR
    assert (after.text, after.hazard) == ("first", before.hazard)
    longer = terms(WHOLE | {"expires": "13:00Z"})
    assert terms({"until": "10:30Z"}, base=longer).expires_ms == longer.expires_ms


def test_a_revision_never_guesses_which_volume_is_meant():
    one, two = terms(WHOLE).volumes[0], terms(WHOLE | {"from": "12:00Z", "until": "13:00Z"}).volumes[0]
    before = terms({k: WHOLE[k] for k in ("type", "hazard")} | {"volumes": [astm.to_json(one), astm.to_json(two)]})
    assert len(before.volumes) == 2
    for change in ({"circle": "41N 38W", "radius": "20km"}, {"from": "10:30Z"}):
        assert "file" in refused(change, base=before).sentence
    assert [v.upper.mm for v in terms({"high": "UNL"}, base=before).volumes] == [0, 0]


@pytest.mark.parametrize(
    ("text", "after", "shown"),
    [
        ("10:00Z", None, "2031-05-14T10:00:00Z"),
        ("1000z", None, "2031-05-14T10:00:00Z"),
        ("08:30Z", None, "2031-05-14T08:30:00Z"),  # half an hour ago: it has just begun
        ("07:59Z", None, "2031-05-15T07:59:00Z"),  # more than an hour ago: tomorrow's
        ("00:10Z", "2031-05-14T23:50:00Z", "2031-05-15T00:10:00Z"),  # an end is after its beginning
        ("23:50Z", "2031-05-14T23:50:00Z", "2031-05-15T23:50:00Z"),
    ],
)
def test_a_bare_clock_time_is_the_next_one(text, after, shown):
    after_ms = None if after is None else parse(after)
    assert show(time_of(text, now_ms=NOW, field="from", after_ms=after_ms)) == shown


@given(minutes=st.integers(0, 24 * 60 - 1), now=st.integers(0, 10**12))
def test_a_bare_clock_time_is_never_more_than_an_hour_ago_nor_a_day_and_an_hour_ahead(minutes, now):
    t_ms = time_of(f"{minutes // 60:02}:{minutes % 60:02}Z", now_ms=now, field="from")
    assert now - HOUR <= t_ms < now + 23 * HOUR
    assert t_ms % 86_400_000 == minutes * 60_000


def test_what_counts_from_now_goes_outward_to_the_whole_second():
    now = NOW + 250
    assert time_of("+15m", now_ms=now, field="from") == NOW + 900_000
    assert time_of("+15m", now_ms=now, field="until", up=True) == NOW + 901_000
    assert time_of("now", now_ms=now, field="from") == NOW


def test_a_kept_draft_still_means_what_was_meant_and_keeps_what_cannot_be_read():
    kept = settled({"from": "+15m", "until": "10:00Z", "expires": "later", "circle": "north"}, now_ms=NOW)
    assert kept == {"from": "2031-05-14T09:15:30Z", "until": "2031-05-14T10:00:00Z", "expires": "later",
                    "circle": "north"}  # fmt: skip
    assert settled(kept, now_ms=NOW + 5 * HOUR) == kept


def test_geojson_takes_what_it_lacks_from_the_options_and_keeps_what_it_has():
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [-38, 41]},
               "properties": {"radius": "12km", "upper": "FL100"}}  # fmt: skip
    more = {"low": "SFC", "high": "UNL", "from": "10:00Z", "until": "11:00Z"}
    for value in (feature, {"type": "FeatureCollection", "features": [feature]}):
        (volume,) = volumes_of({"volumes": value} | more, now_ms=NOW)
        assert str(volume.upper) == "FL100"
        assert show(volume.end_ms) == "2031-05-14T11:00:00Z"
    with pytest.raises(BadInput, match=r"upper|lower|start"):
        volumes_of({"volumes": feature}, now_ms=NOW)
    with pytest.raises(BadInput, match="no volume"):
        volumes_of({"volumes": {"volumes": []}}, now_ms=NOW)


def test_a_plan_is_volumes_or_a_track():
    where = {k: WHOLE[k] for k in ("circle", "radius", "low", "high", "from", "until")}
    plan = plan_of(where, id_="p", label="p", mode=Mode.TEST, now_ms=NOW)
    assert plan.volumes[0].shape == Circle.at(lat=41, lng=-38, radius_km=10)
    legs = [
        {"at": "41N 38W", "altitude": "FL100", "time": "23:50Z"},
        {"at": "42N 38W", "altitude": "FL100", "time": "00:10Z"},
    ]
    track = plan_of({"track": legs}, id_="p", label="p", mode=Mode.TEST, now_ms=NOW).track
    assert track.legs[1].t_ms - track.legs[0].t_ms == 20 * 60_000


def test_a_radius_alone_resizes_the_circle_that_is_there():
    before = terms(WHOLE)
    assert terms({"radius": "12km"}, base=before).volumes[0].shape == Circle.at(lat=41, lng=-38, radius_km=12)
    ring = terms({k: v for k, v in WHOLE.items() if k not in ("circle", "radius")}
                 | {"polygon": "41.0N 38.9W; 41.3N 38.9W; 41.3N 38.4W"})  # fmt: skip
    assert refused({"radius": "12km"}, base=ring).details["field"] == "radius"
    assert refused({"half_width": "2km"}, base=before).details["field"] == "half_width"
    way = terms({k: v for k, v in WHOLE.items() if k not in ("circle", "radius")}
                | {"corridor": "41.0 -38.9; 41.5 -38.3", "half_width": "6nm"})  # fmt: skip
    assert terms({"half_width": "2km"}, base=way).volumes[0].shape.half_width_mm == 2_000_000
    assert refused({"radius": "12"}, base=before).details["field"] == "radius"


def test_how_much_a_draft_says_is_known_before_it_can_be_signed():
    said = said_in({"type": "TRANSIT", "place_name": "south of the ship", "from": "+15m", "until": "+6h"}, contact="+9")
    assert said == {"kind", "start", "end", "contact"}
    assert said_in(WHOLE, contact="") == {"kind", "hazard", "area", "extent", "vertical", "start", "end"}
    assert said_in({"circle": "41N 38W", "low": "SFC"}, contact="") == {"area"}
    assert said_in({"circle": "41,-38,10km", "scale": "FEW"}, contact="") == {"area", "extent", "scale"}
    assert said_in({"volumes": [1]}, contact="") == {"area", "extent", "vertical", "start", "end"}


# SC6: a 60 km sector south of the ship, SFC to FL300, swept for 6 h at 15 kt.
SHIP = {"type": "TRANSIT", "hazard": "CREWED_AIRCRAFT", "scale": "MANY", "moving": "25.5N 130.5E", "radius": "60km",
        "sector": "S", "speed": "15kt", "low": "SFC", "high": "FL300", "from": "+50m", "until": "+410m"}  # fmt: skip


def test_sc6_a_sector_round_a_ship_becomes_volumes_that_stand_still():
    made = terms(SHIP)
    assert len(made.volumes) == 6
    assert all(isinstance(v.shape, Polygon) for v in made.volumes)
    assert [v.end_ms for v in made.volumes[:-1]] == [v.start_ms for v in made.volumes[1:]]
    assert complete.of_terms(made, RULES).missing == ()
    assert len(canonical.encode(made)) < 4_096
    for first, later in zip(made.volumes, made.volumes[1:], strict=False):
        assert area_m2(later.shape) > area_m2(first.shape), "its course is not told, so it can be ever farther"
    told = terms(SHIP | {"course": "120", "slices": "3"})
    assert len(told.volumes) == 3
    assert area_m2(told.volumes[-1].shape) < area_m2(made.volumes[-1].shape) / 8
    still = terms({k: v for k, v in SHIP.items() if k not in ("speed", "sector")})
    assert [type(v.shape) for v in still.volumes] == [Circle]


def test_a_convoy_moves_along_its_route():
    route = {"moving": "41.0N 38.9W; 41.3N 38.9W; 41.3N 38.4W", "speed": "40km/h", "radius": "10km", "margin": "500m"}
    base = {k: v for k, v in WHOLE.items() if k not in ("circle", "radius")}
    made = terms(base | route | {"until": "12:00Z"})
    assert [type(v.shape) for v in made.volumes] == [Corridor, Corridor]
    assert made.volumes[0].shape.half_width_mm == 10_500_010
    later = terms({"moving": "41.0N 38.9W", "course": "90", "speed": "10kt", "radius": "10km"}, base=made)
    assert (later.starts_ms, later.ends_ms) == (made.starts_ms, made.ends_ms)
    assert later.volumes[0].upper == made.volumes[0].upper


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"radius": ""}, "radius", "needs a radius"),
        ({"speed": "15"}, "speed", "is not a speed"),
        ({"speed": "9000kt"}, "speed", "check the unit"),
        ({"speed": "600kt", "until": "+9h"}, "speed", "5,000 km"),
        ({"course": "361"}, "course", "true bearing"),
        ({"course": "north"}, "course", "true bearing"),
        ({"sector": "135"}, "sector", "two bearings"),
        ({"sector": "90-90"}, "sector", "two different bearings"),
        ({"slices": "0"}, "slices", "a number"),
        ({"slices": "101"}, "slices", "1 to 100"),
        ({"moving": "41N 38W; 42N 38W", "course": "3"}, "course", "has its courses in it"),
        ({"moving": "41N 38W; 42N 38W", "speed": "", "course": ""}, "speed", "needs a speed"),
        ({"circle": "41N 38W"}, "moving", "one shape only"),
        ({"days": "daily", "last": "+9d"}, "days", "does not come again"),
    ],
)
def test_what_is_wrong_with_what_moves_is_said(change, field, words):
    fault = refused(SHIP | change)
    assert field in fault.details["fields"], fault.sentence
    assert words in fault.sentence


def test_only_what_moves_has_a_course():
    assert refused(WHOLE | {"course": "120"}).details["field"] == "course"
    assert refused({"type": "ACCIDENT", "moving": "41N 38W", "radius": "10km", "until": "+6h"}).details["fields"]


def test_a_window_that_comes_again_is_written_out():
    made = terms(WHOLE | {"days": "daily", "last": "2031-05-18T00:00Z"})
    assert [show(v.start_ms) for v in made.volumes] == [f"2031-05-{d}T10:00:00Z" for d in (14, 15, 16, 17)]
    assert made.expires_ms == made.volumes[-1].end_ms
    some = terms(WHOLE | {"days": "we,fr", "last": "2031-05-24T00:00Z"})
    assert [show(v.start_ms)[8:10] for v in some.volumes] == ["14", "16", "21", "23"]
    assert terms(WHOLE | {"last": "2031-05-15T23:00Z"}).volumes[1:], "without days it is daily"
    longer = terms({"days": "daily", "last": "2031-05-20T00:00Z"}, base=made)
    assert len(longer.volumes) == 6
    assert settled(WHOLE | {"days": "daily", "last": "+4d"}, now_ms=NOW)["last"] == "2031-05-18T09:00:30Z"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"days": "daily"}, "until when it comes again"),
        ({"days": "MON", "last": "+9d"}, "days are MO"),
        ({"days": "daily", "last": "+200d"}, "a notice holds 100"),
        ({"days": "daily", "last": "+9d", "until": "2031-05-16T10:00Z"}, "at most a day long"),
        ({"days": "SU", "last": "2031-05-16T10:00Z"}, "no window begins"),
    ],
)
def test_what_cannot_come_again_is_said(change, words):
    assert words in refused(WHOLE | change).sentence


MOVE = {"type": "MOVEMENT", "hazard": "GROUND_TRAFFIC", "circle": "41N 38W", "radius": "1km", "low": "SFC",
        "high": "300m AGL", "from": "10:00Z", "until": "14:00Z", "organisation": "AID", "work": "food"}  # fmt: skip


def test_who_is_to_be_protected_is_read_from_a_draft():
    said = {"vehicles": "truck 1; car 3;", "contacts": "+999 2", "check_in": "30m", "urgency": "emergency",
            "why_urgent": "flood", "waypoints": "41.1N 38W at 11:00Z = bridge; 41.2N 38W at 12:00Z"}  # fmt: skip
    made = terms(MOVE | said)
    who = made.protected
    assert (who.organisation, who.work, who.urgency) == ("AID", Work.FOOD, Urgency.EMERGENCY)
    assert (who.vehicles, who.contacts, who.check_in_ms) == (("truck 1", "car 3"), ("+999 2",), 1_800_000)
    assert [(show(w.at_ms), w.name) for w in who.waypoints] == [
        ("2031-05-14T11:00:00Z", "bridge"), ("2031-05-14T12:00:00Z", ""),
    ]  # fmt: skip
    later = terms({"marking": "red roof", "vehicles": "truck 1"}, base=made)
    assert (later.protected.marking, later.protected.vehicles) == ("red roof", ("truck 1",))
    assert later.protected.waypoints == who.waypoints
    assert terms({"text": "x"}, base=made).protected == who


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"organisation": ""}, "organisation"), ({"work": ""}, "work"), ({"work": "picnic"}, "work"),
        ({"urgency": "IMMEDIATE"}, "why_urgent"), ({"check_in": "soon"}, "check_in"), ({"check_in": "1m"}, "check_in"),
        ({"waypoints": "the bridge"}, "waypoints"), ({"waypoints": "41N 38W at noon"}, "waypoints"),
        ({"photo": "roof.jpg"}, "photo"), ({"vehicles": "; ".join(["van"] * 21)}, "vehicles"),
        ({"organisation": "x" * 81}, "organisation"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_it_is_named(change, field):
    assert refused(MOVE | change).details["fields"] == [field]


def test_an_accident_says_nothing_of_those_to_protect():
    short = {"type": "ACCIDENT", "circle": "41N 38W", "until": "+6h", "organisation": "AID"}
    assert refused(short).details["fields"] == ["organisation"]


def test_waypoints_of_a_kept_draft_still_mean_the_same_times():
    kept = settled(MOVE | {"waypoints": "41.1N 38W at +30m = bridge"}, now_ms=NOW)["waypoints"]
    assert kept == "41.1N 38W at 2031-05-14T09:30:30Z = bridge"
    assert settled({"waypoints": "the bridge"}, now_ms=NOW)["waypoints"] == "the bridge"
