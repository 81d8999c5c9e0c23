# SPDX-License-Identifier: Apache-2.0
"""The live picture as it changes: zones and lines (D5), tracks, thresholds that time alone crosses (G5), silence."""

from __future__ import annotations

import msgspec
import pytest

from tests.core.test_unitwatch import weigh
from tests.pair import T0
from wideberth.core.batch import Now
from wideberth.core.feed import Forget
from wideberth.core.inner import PlanDropped, PlanGiven, Tick
from wideberth.core.judge.tracks import TrackState
from wideberth.core.judge.zones import Zone
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.plan import Plan
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Circle, Corridor, Leg, Shape, Track, Volume4D
from wideberth.core.scene import Event, Scene
from wideberth.core.scene_words import (
    TRACKS_MAX,
    Met,
    Parted,
    SceneTell,
    Standing,
    TrackGone,
    TrackSeen,
    ZoneDropped,
    ZoneGiven,
)
from wideberth.core.tells import Level
from wideberth.errors import BadInput, NotFound

MINUTE, HOUR = 60_000, 3_600_000
GARRISON = Point.at("33.51", "38.62")
ZONE = Standing(Zone("55", "clause 7", Circle(GARRISON, 55_000_000)), Mode.EXERCISE)
FL = Altitude.flight_level


def standing(name: str, shape: Shape, upper: Altitude | None = None) -> Standing:
    return Standing(Zone(name, "", shape, upper=upper or Altitude.unlimited()), Mode.EXERCISE)


def tell(scene: Scene, event: Event, at_ms: int = T0) -> tuple[SceneTell, ...]:
    return scene.step(event, Now(at_ms, 0))


def told(tells: tuple[SceneTell, ...]) -> list[tuple[str, str, str]]:
    """Change or PARTED, and the two keys."""
    return [(t.change if isinstance(t, Met) else "PARTED", t.one.key, t.other.key) for t in tells]


def track(
    name: str = "F1", at: Point = GARRISON, *, t_ms: int = T0, own: bool = True, course: float = 0.0,
    mmps: int = 0, altitude: Altitude | None = None, error_mm: int = 0,
) -> TrackSeen:  # fmt: skip
    state = TrackState.on_course(
        name, at, altitude or FL(200), course_degrees=course, speed_mmps=mmps, t_ms=t_ms, own=own,
        position_error_mm=error_mm,
    )  # fmt: skip
    return TrackSeen(Mode.EXERCISE, state)


def plan(at: Point, *, start: int = HOUR, name: str = "p") -> PlanGiven:
    volume = Volume4D(Circle(at, 1_000_000), FL(100), FL(110), T0 + start, T0 + start + HOUR)
    return PlanGiven(Plan(name, f"flight {name}", Mode.EXERCISE, (volume,)))


@pytest.mark.parametrize(("km", "inside"), [(54.9, True), (55.1, False)])
def test_d5_a_point_at_54_9_km_is_inside_the_circle_and_at_55_1_is_not(km: float, inside: bool) -> None:
    for bearing in (0, 77, 200):
        scene = Scene()
        tell(scene, ZoneGiven(ZONE))
        tells = tell(scene, track(at=point_towards(GARRISON, bearing, km * 1000)))
        assert told(tells) == ([("APPEARED", "track F1", "zone 55")] if inside else [])


@pytest.mark.parametrize(("km", "inside"), [(9.9, True), (10.1, False)])
def test_d5_a_river_line_has_a_band_of_ten_kilometres_on_each_side(km: float, inside: bool) -> None:
    river = Corridor.along(("35.0", "40.0"), ("35.0", "40.4"), ("35.2", "40.8"), half_width_km=10)
    scene = Scene()
    tell(scene, ZoneGiven(standing("river", river)))
    # The middle of the first piece lies a little north of the parallel; 0.1 km is far more than that.
    for bearing in (0, 180):
        found = tell(scene, track(at=point_towards(Point.at("35.0", "40.2"), bearing, km * 1000)))
        assert (("APPEARED", "track F1", "zone river") in told(found)) == inside
        if inside:
            tell(scene, TrackGone("F1"))


def test_a_track_that_may_be_inside_by_its_error_is_inside() -> None:
    outside = point_towards(GARRISON, 90, 55_100)
    for error_mm, inside in ((0, False), (99_000, False), (101_000, True)):
        scene = Scene()
        tell(scene, ZoneGiven(ZONE))
        assert bool(tell(scene, track(at=outside, error_mm=error_mm))) == inside


def test_own_and_others_tracks_alike_are_told_on_entry_once_and_again_when_they_leave() -> None:
    for own in (True, False):
        scene = Scene()
        tell(scene, ZoneGiven(ZONE))
        assert tell(scene, track(at=point_towards(GARRISON, 90, 60_000), own=own)) == ()
        (entered,) = tell(scene, track(at=point_towards(GARRISON, 90, 54_000), own=own, t_ms=T0 + 30_000), T0 + 30_000)
        assert entered.level is Level.RING
        later = tell(scene, track(at=point_towards(GARRISON, 90, 53_000), own=own, t_ms=T0 + 31_000), T0 + 31_000)
        assert all(t.level is Level.QUIET for t in later), "it has been told"
        gone = tell(scene, track(at=point_towards(GARRISON, 90, 60_000), own=own, t_ms=T0 + 90_000), T0 + 90_000)
        assert told(gone) == [("PARTED", "track F1", "zone 55")]


def test_a_plan_given_before_or_after_the_zone_meets_it_and_a_smaller_zone_ends_it() -> None:
    near = plan(point_towards(GARRISON, 10, 50_000))
    scene, other = Scene(), Scene()
    first = tell(scene, near) + tell(scene, ZoneGiven(ZONE))
    second = tell(other, ZoneGiven(ZONE)) + tell(other, near)
    assert first == second
    (met,) = first
    assert isinstance(met, Met)
    assert (met.change, met.horizontal_mm, met.start_ms, met.end_ms) == ("APPEARED", 0, T0 + HOUR, T0 + 2 * HOUR)
    assert met.sentence.startswith("Our plan flight p meets the zone 55 (clause 7) under ")
    smaller = standing("55", Circle(GARRISON, 40_000_000))
    assert told(tell(scene, ZoneGiven(smaller))) == [("PARTED", "plan p", "zone 55")]
    assert told(tell(scene, ZoneGiven(ZONE))) == [("APPEARED", "plan p", "zone 55")]
    assert told(tell(scene, ZoneDropped("55"))) == [("PARTED", "plan p", "zone 55")]
    assert tell(scene, PlanDropped("p")) == ()


def test_a_timed_track_that_crosses_a_zone_is_told_with_its_times() -> None:
    scene = Scene()
    west, east = (point_towards(GARRISON, b, 110_000) for b in (270, 90))
    legs = (Leg(west, FL(200), T0 + HOUR), Leg(east, FL(200), T0 + HOUR + 1_100_000))
    tell(scene, ZoneGiven(ZONE))
    (met,) = tell(scene, PlanGiven(Plan("t", "transit", Mode.EXERCISE, track=Track(legs))))
    assert isinstance(met, Met)
    assert abs(met.start_ms - (T0 + HOUR + 275_000)) < 2_000
    assert abs(met.end_ms - (T0 + HOUR + 825_000)) < 2_000


def test_what_grows_rings_and_what_eases_is_noted() -> None:
    scene = Scene()
    margin = msgspec.structs.replace(ZONE, minima=SeparationMinima("BORDER", 20_000_000, 0))
    tell(scene, ZoneGiven(margin))
    changes = []
    for km in (65, 60, 70, 200):
        tells = tell(scene, plan(point_towards(GARRISON, 10, km * 1000)))
        changes += [(t.change if isinstance(t, Met) else "PARTED", t.level) for t in tells]
    assert changes == [
        ("APPEARED", Level.RING), ("GREW", Level.RING), ("EASED", Level.NOTE), ("PARTED", Level.NOTE)
    ]  # fmt: skip
    assert tell(scene, plan(point_towards(GARRISON, 10, 200_000))) == (), "nothing changed, nothing is told"


def test_g5_time_alone_calls_again_once_for_each_threshold() -> None:
    scene = Scene()
    tell(scene, ZoneGiven(ZONE))
    tell(scene, plan(GARRISON, start=2 * HOUR))
    heard = []
    for minute in range(240):
        tells = tell(scene, Tick(), T0 + minute * MINUTE) + tell(scene, Tick(), T0 + minute * MINUTE + 1)
        heard += [(minute, t.change if isinstance(t, Met) else "PARTED", getattr(t, "before_ms", 0)) for t in tells]
    assert heard == [
        (60, "NEARER", HOUR), (105, "NEARER", 15 * MINUTE), (115, "NEARER", 5 * MINUTE), (120, "NEARER", 0),
        (180, "PARTED", 0),
    ]  # fmt: skip


def test_wake_names_the_next_threshold_and_the_end() -> None:
    scene = Scene()
    assert scene.wake_ms() is None
    tell(scene, ZoneGiven(ZONE))
    tell(scene, plan(GARRISON, start=2 * HOUR))
    wakes = []
    while (wake := scene.wake_ms()) is not None:
        wakes.append((wake - T0) // MINUTE)
        assert tell(scene, Tick(), wake) != ()
    assert wakes == [60, 105, 115, 120, 180]


def test_a_clock_that_was_ahead_and_is_set_right_brings_back_what_was_over() -> None:
    scene = Scene()
    tell(scene, ZoneGiven(ZONE))
    tell(scene, plan(GARRISON))
    assert told(tell(scene, Tick(), T0 + 5 * HOUR))[0] == ("PARTED", "plan p", "zone 55")
    assert ("APPEARED", "plan p", "zone 55") in told(tell(scene, Tick(), T0 + MINUTE))


def test_two_tracks_that_will_meet_are_told_ahead_and_the_thresholds_ring_once_each() -> None:
    scene = Scene(track_minima=SeparationMinima("5 km", 5_000_000, 300_000))
    here = GARRISON
    rung, quiet = [], 0
    for second in range(0, 300, 5):
        now = T0 + second * 1000
        for name, own, bearing in (("OURS", True, 270.0), ("THEIRS", False, 90.0)):
            place = point_towards(here, bearing, 60_000 - 250 * second)  # head on, at 250 m/s each; past each other
            state = track(name, place, own=own, course=bearing + 180, mmps=250_000, t_ms=now)
            for t in tell(scene, state, now):
                if t.level is Level.RING:
                    rung.append((second, t.change if isinstance(t, Met) else "PARTED", getattr(t, "before_ms", -1)))
                quiet += t.level is Level.QUIET
    # 120 km apart, 500 m/s, 5 km: inside from 230 s on; seen ahead from the start.
    assert rung[0][:2] == (0, "APPEARED")
    assert [before for _, change, before in rung if change == "NEARER"] == [120_000, 60_000, 30_000, 0]
    assert [second for second, change, _ in rung if change == "NEARER"] == [110, 170, 200, 230]
    assert len(rung) == 5
    assert quiet > 20, "programs hear every change"


def test_a_pair_without_an_own_side_is_never_predicted() -> None:
    for own in (False, True):
        scene = Scene()
        tell(scene, track("A", GARRISON, own=own, course=90, mmps=200_000))
        found = tell(scene, track("B", point_towards(GARRISON, 90, 20_000), own=False, course=270, mmps=200_000))
        assert bool(found) == own


def test_what_others_do_in_our_announced_area_and_we_in_theirs_is_told_and_nothing_else() -> None:
    spot, high = Point.at("36.2", "37.15"), FL(50)
    at = T0 + HOUR + MINUTE
    for by_us in (True, False):
        for own in (True, False):
            scene = Scene()
            tell(scene, weigh(by_us=by_us), at)
            found = told(tell(scene, track("A", spot, own=own, altitude=high, t_ms=at), at))
            assert found == ([("APPEARED", "track A", "notice c BLU-0001-E")] if own != by_us else [])
            assert told(tell(scene, Forget("c", "BLU-0001-E"), at)) == (
                [("PARTED", "track A", "notice c BLU-0001-E")] if own != by_us else []
            )


def test_a_notice_in_a_zone_is_noted_and_does_not_ring() -> None:
    scene = Scene()
    tell(scene, ZoneGiven(standing("z", Circle(Point.at("36.2", "37.15"), 20_000_000))))
    (met,) = tell(scene, weigh())
    assert (met.level, told((met,))) == (Level.NOTE, [("APPEARED", "notice c BLU-0001-E", "zone z")])
    assert told(tell(scene, Tick(), T0 + HOUR + MINUTE)) == []


def test_an_exercise_never_meets_the_real() -> None:
    scene = Scene()
    tell(scene, ZoneGiven(msgspec.structs.replace(ZONE, mode=Mode.REAL)))
    assert tell(scene, track()) == ()
    assert tell(scene, plan(GARRISON)) == ()


def test_a_track_that_falls_silent_is_unknown_and_never_over() -> None:
    scene = Scene()
    tell(scene, ZoneGiven(ZONE))
    tell(scene, track())
    heard = [t for second in range(0, 3600, 10) for t in tell(scene, Tick(), T0 + second * 1000)]
    loud = [t for t in heard if t.level is not Level.QUIET]
    assert [t.change for t in loud if isinstance(t, Met)] == ["UNKNOWN"]
    assert not any(isinstance(t, Parted) for t in heard)
    assert "where it is now is unknown" in loud[0].sentence
    assert [(a.key, b.key) for a, b in scene.meetings()] == [("track F1", "zone 55")]
    again = tell(scene, track(t_ms=T0 + HOUR), T0 + HOUR)
    assert all(t.level is not Level.RING for t in again), "it is where it was"
    assert told(tell(scene, TrackGone("F1"), T0 + HOUR)) == [("PARTED", "track F1", "zone 55")]


def test_a_track_on_the_very_edge_rings_once_and_not_with_every_tremble() -> None:
    scene = Scene()
    tell(scene, ZoneGiven(ZONE))
    rung = 0
    for second in range(60):
        km = 54.99 if second % 2 else 55.01
        at = T0 + second * 1000
        tells = tell(scene, track(at=point_towards(GARRISON, 90, km * 1000), t_ms=at), at)
        rung += sum(t.level is Level.RING for t in tells)
    assert rung == 1


def test_wrong_input_is_refused_with_what_to_do_and_changes_nothing() -> None:
    scene = Scene()
    with pytest.raises(NotFound, match="no zone nowhere"):
        tell(scene, ZoneDropped("nowhere"))
    with pytest.raises(NotFound, match="no track F9"):
        tell(scene, TrackGone("F9"))
    tell(scene, track(t_ms=T0 + 1000), T0 + 1000)
    with pytest.raises(BadInput, match="seen later already"):
        tell(scene, track(t_ms=T0), T0 + 1000)
    with pytest.raises(BadInput, match="in the future"):
        tell(scene, track(t_ms=T0 + HOUR), T0)
    with pytest.raises(BadInput, match="at most 80 characters"):
        standing("z" * 81, Circle(GARRISON, 1000))
    with pytest.raises(BadInput, match="end after it starts"):
        msgspec.structs.replace(ZONE, start_ms=5, end_ms=5)


def test_more_tracks_than_a_watch_room_can_follow_are_refused() -> None:
    scene = Scene()
    for n in range(TRACKS_MAX):
        tell(scene, track(f"F{n}", own=False))
    with pytest.raises(BadInput, match="take off those"):
        tell(scene, track("one more"))
    tell(scene, track("F1", own=False)), "one that is there already may move"


def test_near_the_pole_and_across_the_antimeridian_it_is_the_same() -> None:
    for centre in (Point.at(90, 0), Point.at("-89.9", 170), Point.at("10", "179.9")):
        scene = Scene()
        tell(scene, ZoneGiven(standing("far", Circle(centre, 55_000_000))))
        for n, bearing in enumerate((0, 90, 180, 270)):
            inside, outside = (point_towards(centre, bearing, m) for m in (54_900, 55_100))
            assert len(tell(scene, track(f"in{n}", inside, own=False))) == 1
            assert tell(scene, track(f"out{n}", outside, own=False)) == ()


def test_a_height_above_the_zone_is_outside() -> None:
    scene = Scene()
    tell(scene, ZoneGiven(standing("55", Circle(GARRISON, 55_000_000), upper=Altitude.feet(10_000, VerticalRef.AMSL))))
    assert tell(scene, track(altitude=Altitude.feet(10_001, VerticalRef.AMSL))) == ()
    assert len(tell(scene, track(altitude=Altitude.feet(9_999, VerticalRef.AMSL)))) == 1
