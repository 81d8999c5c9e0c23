# SPDX-License-Identifier: Apache-2.0
"""The numbers that the people of the trade gave, each at its edge: D4, D5, D9, D10 and D14 of domain.md."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.judge import zones
from wideberth.core.judge.exposure import expose
from wideberth.core.judge.separation import Answer, judge
from wideberth.core.judge.zones import Where, Zone
from wideberth.core.say.geodesy import bearing_degrees, point_towards
from wideberth.core.say.minima import RULE_OF_THREES, SeparationMinima
from wideberth.core.say.notice import check_terms
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.ring import flaw
from wideberth.core.say.rules import Rules
from wideberth.core.say.units import feet, nautical_miles
from wideberth.core.say.volume import Circle, Corridor, Leg, Polygon, Shape, Track, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms
from wideberth.errors import BadInput
from wideberth.formats import geojson

HERE = Point.at("33.51", "38.62")
KM = 1_000_000


def block(shape: Shape, low_ft: float = 0, high_ft: float = 10_000, ref: VerticalRef = VerticalRef.AMSL) -> Volume4D:
    return Volume4D(shape, Altitude.feet(low_ft, ref), Altitude.feet(high_ft, ref), 0, 3_600_000)


# --- D4: under the rule of threes 2.9 NM conflict and 3.1 do not; 3,001 ft do not ---

ROUND = Circle(HERE, 20 * KM)


def east_of_it(gap_nm: float, kind: str) -> Shape:
    """Another area whose nearest place is that far east of the first one's rim."""
    near = point_towards(HERE, 90, 20_000 + nautical_miles(gap_nm) / 1000)
    if kind == "circle":
        return Circle(point_towards(HERE, 90, 30_000 + nautical_miles(gap_nm) / 1000), 10 * KM)
    if kind == "corridor":
        middle = point_towards(HERE, 90, 25_000 + nautical_miles(gap_nm) / 1000)
        return Corridor((middle, point_towards(middle, 90, 50_000)), 5 * KM)
    return Polygon((near, point_towards(near, 60, 50_000), point_towards(near, 120, 50_000)))


@pytest.mark.parametrize("kind", ["circle", "corridor", "polygon"])
@pytest.mark.parametrize(
    ("gap_nm", "answer"),
    [(2.9, Answer.CONFLICT), (2.9999, Answer.CONFLICT), (3.0001, Answer.SEPARATE), (3.1, Answer.SEPARATE)],
)
def test_d4_two_point_nine_miles_conflict_and_three_point_one_do_not(kind: str, gap_nm: float, answer: Answer) -> None:
    found = judge(block(ROUND), block(east_of_it(gap_nm, kind)), RULE_OF_THREES)
    assert found.answer is answer
    assert found.horizontal_mm == pytest.approx(nautical_miles(gap_nm), abs=2)


@pytest.mark.parametrize(
    ("gap_ft", "answer"), [(2_999, Answer.CONFLICT), (3_000, Answer.SEPARATE), (3_001, Answer.SEPARATE)]
)
@pytest.mark.parametrize("ref", [VerticalRef.AMSL, VerticalRef.FL, VerticalRef.AGL, VerticalRef.W84])
def test_d4_three_thousand_and_one_feet_do_not_conflict_on_the_same_place(
    gap_ft: int, answer: Answer, ref: VerticalRef
) -> None:
    above = block(ROUND, 10_000 + gap_ft, 20_000 + gap_ft, ref)
    found = judge(block(ROUND, ref=ref), above, RULE_OF_THREES)
    assert (found.answer, found.vertical_mm) == (answer, feet(gap_ft))


def test_d4_height_and_distance_must_both_be_short() -> None:
    """2.9 miles and 3,001 feet: one of the two is enough to be separate. An *or* would be an alarm for everybody."""
    near = east_of_it(2.9, "circle")
    assert judge(block(ROUND), block(near, 13_001, 20_000), RULE_OF_THREES).answer is Answer.SEPARATE
    assert judge(block(ROUND), block(near, 12_999, 20_000), RULE_OF_THREES).answer is Answer.CONFLICT


# --- D5: a river line, a band of 10 km, a circle of 55 km ---

GARRISON = Zone("garrison", "clause 7", Circle(HERE, 55 * KM))
BANKS = (Point.at("36.8", "38.0"), Point.at("36.0", "38.3"), Point.at("35.9", "39.0"), Point.at("35.3", "40.2"))
RIVER = zones.along_line("river line", "clause 4", BANKS, 10 * KM)


@pytest.mark.parametrize("bearing", range(0, 360, 15))
@pytest.mark.parametrize(
    ("km", "where"), [(54.9, Where.INSIDE), (54.99999, Where.INSIDE), (55.00001, Where.OUTSIDE), (55.1, Where.OUTSIDE)]
)
def test_d5_a_point_at_54_9_km_is_inside_and_one_at_55_1_is_not(bearing: int, km: float, where: Where) -> None:
    """A 64-gon in place of the circle would lose 66 m at the middle of each of its sides."""
    found = zones.at(GARRISON, point_towards(HERE, bearing, km * 1000))
    assert found.where is where
    assert found.outside_mm == pytest.approx(max(0, round((km - 55) * KM)), abs=2)


def test_d5_on_the_very_edge_it_is_too_close_to_call_and_acted_on_as_inside() -> None:
    found = zones.at(GARRISON, point_towards(HERE, 33, 55_000))
    assert found.where is Where.TOO_CLOSE_TO_CALL
    assert found.acted_on
    assert found.error_mm <= 2


def test_d5_thirty_four_miles_and_55_km_are_not_one_circle() -> None:
    miles = Zone("garrison", "clause 7", Circle.at(lat="33.51", lng="38.62", radius_m="54717.696"))
    between = point_towards(HERE, 200, 54_900)
    assert zones.at(miles, between).where is Where.OUTSIDE
    assert zones.at(GARRISON, between).where is Where.INSIDE


@pytest.mark.parametrize("side", [-90, 90])
@pytest.mark.parametrize(("km", "where"), [(9.9, Where.INSIDE), (9.9999, Where.INSIDE), (10.1, Where.OUTSIDE)])
def test_d5_the_band_beside_a_river_is_as_wide_on_both_banks(side: int, km: float, where: Where) -> None:
    middle = point_towards(BANKS[2], _heading(BANKS[2], BANKS[3]), 60_000)
    beside = point_towards(middle, _heading(middle, BANKS[3]) + side, km * 1000)
    assert zones.at(RIVER, beside).where is where
    assert zones.at(RIVER, middle).where is Where.INSIDE


def test_d5_heights_count_where_they_are_known() -> None:
    low = zones.along_line("river line", "clause 4", BANKS, KM, upper=Altitude.metres(1000, VerticalRef.AGL))
    over = BANKS[1]
    assert zones.at(low, over).where is Where.INSIDE, "an unknown height meets every band"
    assert zones.at(low, over, altitude=Altitude.metres(1000, VerticalRef.AGL)).where is Where.INSIDE
    assert zones.at(low, over, altitude=Altitude.metres(1001, VerticalRef.AGL)).where is Where.OUTSIDE
    # 1,001 m above the sea may be below 1,000 m above ground; 30,000 m cannot.
    assert zones.at(low, over, altitude=Altitude.metres(1001, VerticalRef.AMSL)).where is Where.INSIDE
    assert zones.at(low, over, altitude=Altitude.metres(30_000, VerticalRef.AMSL)).where is Where.OUTSIDE


def test_d5_a_volume_that_reaches_into_a_zone_is_found_whatever_its_time() -> None:
    far = point_towards(HERE, 90, 65_000)
    assert zones.of_volume(GARRISON, block(Circle(far, 10 * KM + 10))).where is Where.INSIDE
    assert zones.of_volume(GARRISON, block(Circle(far, 10 * KM - 10))).where is Where.OUTSIDE
    above = Zone("garrison", "clause 9", GARRISON.shape, upper=Altitude.feet(5_000, VerticalRef.AMSL))
    assert zones.of_volume(above, block(ROUND, 5_001, 9_000)).where is Where.OUTSIDE
    assert zones.of_volume(above, block(ROUND, 5_000, 9_000)).where is Where.INSIDE


def test_d5_what_is_no_zone_is_refused() -> None:
    with pytest.raises(BadInput, match="name"):
        Zone("", "clause 1", ROUND)
    with pytest.raises(BadInput, match="goes up"):
        Zone("z", "clause 1", ROUND, Altitude.unlimited(), Altitude.surface())
    with pytest.raises(BadInput, match="not negative"):
        zones.at(GARRISON, HERE, error_mm=-1)


def _heading(a: Point, b: Point) -> float:
    return bearing_degrees(a, b)


# --- D9: the antimeridian, the poles, and rings that are none ---


@pytest.mark.parametrize("lat", [0, 60, -89.9])
def test_d9_two_sides_of_the_antimeridian_are_neighbours(lat: float) -> None:
    west, east = Point.at(lat, "179.999"), Point.at(lat, "-179.999")
    a, b = block(Circle(west, KM)), block(Circle(east, KM))
    assert judge(a, b, RULE_OF_THREES).answer is Answer.CONFLICT
    across = Polygon.of((-1, 179), (-1, -179), (1, -179), (1, 179))
    assert judge(block(across), block(Circle(Point.at(0, 180), 1000)), RULE_OF_THREES).horizontal_mm == 0
    assert judge(block(across), block(Circle(Point.at(0, 0), 1000)), RULE_OF_THREES).answer is Answer.SEPARATE


def test_d9_a_ring_round_a_pole_holds_the_pole_and_every_longitude_is_there() -> None:
    ring = Polygon.of((89, 0), (89, 120), (89, -120))
    for lng in (0, 77, -180):
        assert judge(block(ring), block(Circle(Point.at(90, lng), 1000)), RULE_OF_THREES).horizontal_mm == 0
    one, other = block(Circle(Point.at("89.99", 0), KM)), block(Circle(Point.at("89.99", 180), KM))
    assert judge(one, other, RULE_OF_THREES, measure=True).horizontal_mm == pytest.approx(233_881, abs=200_000)


@pytest.mark.parametrize(
    ("ring", "words"),
    [
        ([(36, 37), (37, 38), (36, 38), (37, 37)], "cross or touch"),
        ([(36, 37), (37, 37), (36, 37), (36, 38)], "same place"),
        ([(36, 37), (36, 39), (36, 38), (37, 38)], "cross or touch"),
        ([(0, 0), (0, 2), (0, 1)], "folds back"),
    ],
)
def test_d9_a_ring_that_crosses_itself_is_refused_with_what_to_do(ring: list[tuple[int, int]], words: str) -> None:
    assert words in (flaw(Polygon.of(*ring)) or "")


def test_d9_a_polygon_with_a_hole_is_refused_and_not_filled_in_silence() -> None:
    outer, inner = ([[lng, lat] for lng, lat in ring] for ring in (
        ((37, 36), (38, 36), (38, 37), (37, 37), (37, 36)), ((37.4, 36.4), (37.6, 36.4), (37.5, 36.6), (37.4, 36.4)),
    ))  # fmt: skip
    given_ = {
        "type": "Feature", "id": "A1", "geometry": {"type": "Polygon", "coordinates": [outer, inner]},
        "properties": {"lower": "SFC", "upper": "FL300", "start": "2031-05-14T10:00Z", "end": "2031-05-14T11:00Z"},
    }  # fmt: skip
    with pytest.raises(BadInput, match="parts without holes") as told:
        geojson.features(given_)
    assert told.value.details["field"] == "GeoJSON.geometry.coordinates"
    whole = {**given_, "geometry": {"type": "Polygon", "coordinates": [outer]}}
    assert len(geojson.features(whole)) == 1


@pytest.mark.parametrize(
    ("lat", "lng", "suspected"),
    [("36.2", "37.4", False), ("37.4", "36.2", False), ("38.6", "33.5", True), (20, 20, False)],
)
def test_d9_latitude_and_longitude_the_wrong_way_round_are_suspected_aloud(lat: str, lng: str, suspected: bool) -> None:
    """Where the area of the agreement is known: outside it as given, inside it swapped. Told, and never refused."""
    rules = Rules(area=Polygon.of((33, 36), (33, 40), (38, 40), (38, 36)), least_radius_mm=0)
    volume = Volume4D(
        Circle(Point.at(lat, lng), 5 * KM), Altitude.surface(), Altitude.unlimited(), 3_600_000, 7_200_000
    )
    terms = Terms(NoticeType.AREA_ACTIVITY, Hazard.CREWED_AIRCRAFT, "+999 1", (volume,), 7_200_000)
    told = [flaw_ for flaw_ in check_terms(terms, rules, now_ms=0) if "swapped" in flaw_.sentence]
    assert bool(told) is suspected
    assert not any(flaw_.fatal for flaw_ in told)


# --- D10: no more than three minutes inside both limits ---


def through(inside_s: float, end_ms: int = 86_400_000) -> tuple[Track, Volume4D]:
    """A track straight over the middle of a disc, 2,000 ft above its top, within 3 NM of its rim for that long."""
    room = Volume4D(Circle(HERE, 5 * KM), Altitude.surface(), Altitude.feet(10_000, VerticalRef.AMSL), 0, end_ms)
    start, end = point_towards(HERE, 180, 40_000), point_towards(HERE, 0, 40_000)
    level = Altitude.feet(12_000, VerticalRef.AMSL)
    lasts_ms = round(inside_s * 1000 * 80_000 / (2 * (5_000 + 5_556)))
    return Track((Leg(start, level, 0), Leg(end, level, lasts_ms))), room


@pytest.mark.parametrize(("seconds", "breach"), [(179, False), (181, True)])
def test_d10_181_seconds_inside_both_limits_breach_and_179_do_not(seconds: int, breach: bool) -> None:
    track, room = through(seconds)
    found = expose(track, (room,), RULE_OF_THREES)
    assert found.inside_ms == pytest.approx(seconds * 1000, abs=400)
    assert found.breaches_limit is breach


def test_d10_what_is_over_before_the_limit_is_no_breach_and_three_minutes_are_allowed() -> None:
    """The clock stops with the notice: of 1,000 s inside, a hair less and a hair more than 180 s fall in its window."""
    track, room = through(1_000)
    enters_ms = expose(track, (room,), RULE_OF_THREES).inside[0][0]
    for inside_ms, breach in ((179_995, False), (180_005, True)):
        found = expose(track, (through(1_000, enters_ms + inside_ms)[1],), RULE_OF_THREES)
        assert found.inside_ms == pytest.approx(inside_ms, abs=2)
        assert found.breaches_limit is breach


def test_d10_one_limit_alone_is_no_exposure() -> None:
    track, room = through(600)
    high = Altitude.feet(13_000, VerticalRef.AMSL)
    above = Track(tuple(Leg(leg.point, high, leg.t_ms) for leg in track.legs))
    assert expose(above, (room,), RULE_OF_THREES).inside_ms == 0


# --- D14: uncertainty only ever widens ---


@given(st.floats(0, 360), st.floats(0, 120_000), st.integers(0, 5 * KM))
@settings(max_examples=150, deadline=None)
def test_d14_doubling_the_error_of_a_position_never_takes_it_out_of_a_zone(
    bearing: float, m: float, error: int
) -> None:
    place = point_towards(HERE, bearing, m)
    small, large = (zones.at(GARRISON, place, error_mm=e) for e in (error, 2 * error))
    assert large.acted_on or not small.acted_on
    assert large.outside_mm <= small.outside_mm


@given(st.floats(0, 360), st.floats(0, 60_000), st.integers(0, 3 * KM), st.integers(0, 60_000))
@settings(max_examples=150, deadline=None)
def test_d14_doubling_position_error_and_clock_skew_in_the_minima_never_removes_a_conflict(
    bearing: float, m: float, error_mm: int, skew_ms: int
) -> None:
    """Both sides' errors are added to the distance, both clocks' to the time (docs/conflict-check.md §9)."""

    def wider(times: int) -> SeparationMinima:
        more_mm, more_ms = 2 * times * error_mm, 2 * times * skew_ms
        return SeparationMinima("R", RULE_OF_THREES.horizontal_mm + more_mm, RULE_OF_THREES.vertical_mm, more_ms)

    late = Volume4D(Circle(point_towards(HERE, bearing, m), 10 * KM), Altitude.surface(), Altitude.unlimited(),
                    3_600_000 + skew_ms, 7_200_000 + skew_ms)  # fmt: skip
    if judge(block(ROUND), late, wider(1)).open:
        assert judge(block(ROUND), late, wider(2)).open
