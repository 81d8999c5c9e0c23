# SPDX-License-Identifier: Apache-2.0
"""Two notices that meet, on one line or on two (domain.md A10): what own officers are told, and when anew."""

import html
import random
from typing import Any

import msgspec
import pytest

from tests.core.test_inner import AREA, FAR, HERE, HOUR, plan, run, volume, weigh
from wideberth.core.batch import Now
from wideberth.core.feed import Forget, Weigh
from wideberth.core.inner import Inner, PlanGiven, Tick
from wideberth.core.judge.exposure import expose
from wideberth.core.say.coordinates import show_decimal
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.rules import Mode, Rules
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.tells import Level
from wideberth.core.warned import Crossed, Uncrossed

WIDE = SeparationMinima("WIDE_AND_THIN", 10_000_000, 300_000)  # 10 km, 300 m
TALL = SeparationMinima("NARROW_AND_TALL", 3_000_000, 2_000_000)  # 3 km, 2,000 m


def west(version: int = 1, at: Point = HERE, **given: Any) -> Weigh:
    values = {"ch": "x", "author": "WEST", "mechanism": "NORTH", "others": ("WEST",)}
    return weigh("WES-1", version, at, **(values | given))


def east(version: int = 1, at: Point = HERE, **given: Any) -> Weigh:
    values = {"ch": "y", "author": "EAST", "mechanism": "SOUTH", "others": ("EAST",)}
    return weigh("EAS-1", version, at, **(values | given))


def away(km: float) -> Point:
    """So far to the east that two areas of 10 km radius have this gap between them, for numbers above -20."""
    return point_towards(HERE, 90, round((km + 20) * 1000))


def w84(metres: float) -> Altitude:
    return Altitude.metres(metres, VerticalRef.W84)


def test_notices_of_two_mechanisms_that_clash_warn_our_own_officer_with_both() -> None:
    for order in (1, -1):
        inner = Inner()
        (tell,) = run(inner, *[west(), east(at=away(2))][::order])
        assert isinstance(tell, Crossed)
        assert (tell.kind, tell.change, tell.answer, tell.level) == ("TRIANGLE", "APPEARED", "conflict", Level.RING)
        assert (tell.one.mechanism, tell.one.author, tell.one.ref) == ("NORTH", "WEST", "WES-1")
        assert (tell.other.mechanism, tell.other.author, tell.other.ref) == ("SOUTH", "EAST", "EAS-1")
        assert abs(tell.horizontal_mm - 2_000_000) < 20
        assert (tell.start_ms, tell.end_ms) == (HOUR, 2 * HOUR)
        assert tell.known_to == "known to us alone"
        for word in ("WEST's notice WES-1 (NORTH)", "EAST's notice EAS-1 (SOUTH)", "RULE_OF_THREES", "1.08 NM"):
            assert word in tell.sentence, tell.sentence
        assert tell.svg.startswith("<svg")
        assert tell.not_covered == ("non-party air defence in the area",)
        assert inner.crossings() == (tell,)
        assert inner.exposures() == ()


def test_a_meeting_is_explained_with_clause_place_severity_and_a_picture_that_says_it_too() -> None:
    (tell,) = run(Inner(), west(), east(at=away(2)))
    assert isinstance(tell, Crossed)
    assert tell.rules[0].endswith("RULE_OF_THREES: time, vertical and horizontal")
    assert tell.closest is not None
    assert f"nearest at {show_decimal(tell.closest)}" in tell.sentence
    assert f"<desc>{html.escape(tell.sentence)}</desc>" in tell.svg
    # 2 km of 5,556 m are left, so 640 permille are undercut; the bands are the same, and so are the windows.
    assert (tell.depth_permille, tell.share_permille) == (640, 1000)
    assert (tell.one.entry, tell.other.entry) == (west().entry, east().entry)


def test_it_is_told_once_and_again_only_when_it_changes() -> None:
    inner = Inner()
    run(inner, west(), east(at=away(2)))
    assert run(inner, west(), east(at=away(2)), Tick()) == []
    (grew,) = run(inner, east(2, away(1)))
    assert (grew.change, grew.level, grew.other.version) == ("GREW", Level.RING, 2)
    (eased,) = run(inner, east(3, away(3)))
    assert (eased.change, eased.level) == ("EASED", Level.NOTE)
    (same,) = run(inner, west(2))
    assert (same.change, same.level, same.one.version) == ("CHANGED", Level.NOTE, 2)
    (longer,) = run(inner, east(4, volumes=(volume(away(3), end=3 * HOUR),)), west(2))
    assert longer.change == "CHANGED", "it overlaps no longer than before"
    (longer,) = run(inner, west(3, volumes=(volume(end=3 * HOUR),), expires_ms=4 * HOUR))
    assert (longer.change, longer.inside_ms) == ("GREW", 2 * HOUR)
    (gone,) = run(inner, east(5, FAR))
    assert isinstance(gone, Uncrossed)
    assert gone.level is Level.NOTE
    assert "that of EAST moved" in gone.sentence
    assert inner.crossings() == ()


@pytest.mark.parametrize("end", [Forget("x", "WES-1"), Forget("y", "EAS-1")])
def test_it_is_over_when_either_notice_is(end: Forget) -> None:
    inner = Inner()
    run(inner, west(), east())
    (gone,) = run(inner, end)
    assert isinstance(gone, Uncrossed)
    assert "is over" in gone.sentence
    assert run(inner, end) == []


def test_it_is_over_when_one_expires_and_back_when_the_clock_was_ahead() -> None:
    inner = Inner()
    run(inner, west(), east(expires_ms=2 * HOUR))
    (gone,) = run(inner, Tick(), t_ms=2 * HOUR)
    assert "that of EAST expired" in gone.sentence
    (back,) = run(inner, Tick(), t_ms=HOUR)
    assert isinstance(back, Crossed)


def test_either_agreements_minima_count_and_never_a_mixture_of_both() -> None:
    """5 km apart and 1,000 m apart in height is close by neither; mixed, the two would call it a meeting."""

    def pair(km: float, metres: float) -> list[Any]:
        low = Volume4D(Circle(HERE, 10_000_000), w84(0), w84(1000), HOUR, 2 * HOUR)
        high = Volume4D(
            Circle(away(km), 10_000_000), w84(1000 + metres), w84(9000), HOUR, 2 * HOUR
        )  # fmt: skip
        wide, tall = (Rules(area=AREA, minima=m) for m in (WIDE, TALL))
        return run(Inner(), west(volumes=(low,), rules=wide), east(volumes=(high,), rules=tall))

    assert pair(5, 1000) == []
    (by_wide,) = pair(5, 100)
    assert by_wide.rules == ("NORTH: WIDE_AND_THIN: time, vertical and horizontal",)
    assert "of NORTH" in by_wide.sentence
    (by_tall,) = pair(1, 1000)
    assert by_tall.rules == ("SOUTH: NARROW_AND_TALL: time, vertical and horizontal",)
    (by_both,) = pair(1, 100)
    assert len(by_both.rules) == 2


def test_it_grows_when_the_second_agreement_is_undercut_too() -> None:
    inner = Inner()
    wide, tall = (Rules(area=AREA, minima=m) for m in (WIDE, TALL))
    run(inner, west(rules=wide), east(at=away(5), rules=tall))
    (grew,) = run(inner, east(2, away(1), rules=tall))
    assert (grew.change, len(grew.rules)) == ("GREW", 2)


@pytest.mark.parametrize("mode", [m for m in Mode if m is not Mode.REAL])
def test_what_is_real_never_meets_what_is_not(mode: Mode) -> None:
    inner = Inner()
    assert run(inner, west(), east(mode=mode)) == []
    assert len(run(inner, west(ch="z", mode=mode))) == 1, "among themselves they do"


def test_one_authors_two_notices_are_its_own_affair_and_own_ones_meet_those_of_others() -> None:
    inner = Inner()
    assert run(inner, west(), weigh("WES-2", ch="y", author="WEST", mechanism="SOUTH")) == []
    assert run(Inner(), *(weigh(f"HUB-{n}", ch=ch, author="HUB", by_us=True) for n, ch in enumerate("xy"))) == []
    ours = weigh("HUB-1", ch="y", author="HUB", by_us=True, mechanism="SOUTH", others=("EAST", "WEST"))
    inner = Inner()
    (across,) = run(inner, west(), ours)
    assert across.kind == "CROSSING", "WEST is on both lines, so it holds both"
    inner = Inner()
    across, _, along = run(inner, west(), msgspec.structs.replace(ours, others=("EAST",)), east())
    for tell in (across, along):
        assert (tell.one.by_us, tell.other.by_us) == (False, True), "never our own as the one that is met"
        assert "Our notice" not in tell.sentence.split(" and ")[0]
    assert (across.kind, across.known_to) == ("TRIANGLE", "known to us alone")
    assert along.kind == "CROSSING"


def test_two_authors_on_one_line_are_weighed_against_each_other() -> None:
    both = ("EAST", "WEST")
    (tell,) = run(Inner(), west(others=both), east(ch="x", mechanism="NORTH", others=both))
    assert (tell.kind, len(tell.rules)) == ("CROSSING", 1)
    assert tell.known_to == "known to us alone as a warning; EAST and WEST hold both and may find it too"


def test_an_own_plan_and_a_crossing_are_two_warnings() -> None:
    inner = Inner()
    told = run(inner, PlanGiven(plan()), west(), east())
    assert [type(t).__name__ for t in told] == ["Exposed", "Exposed", "Crossed"]
    assert (len(inner.exposures()), len(inner.crossings())) == (2, 1)


def test_the_index_leaves_no_crossing_out() -> None:
    rng, inner = random.Random(5), Inner(draw=False)
    held: dict[tuple[str, str], Weigh] = {}
    for step in range(160):
        at = point_towards(HERE, rng.uniform(0, 360), rng.uniform(0, 100_000))
        ch, author = rng.choice([("x", "WEST"), ("y", "EAST"), ("y", "NORTH"), ("x", "HUB"), ("y", "HUB")])
        rules = Rules(area=AREA, minima=WIDE if ch == "x" else TALL, pressure_margin_mm=rng.choice([0, 610_000]))
        heard = weigh(
            f"{author}-{ch}-{rng.randint(0, 8)}", step, at, ch=ch, author=author, by_us=author == "HUB", rules=rules,
            volumes=(volume(at, rng.uniform(1, 12), rng.randint(0, HOUR)),),
        )  # fmt: skip
        if rng.random() < 0.15 and held:
            gone = rng.choice(sorted(held))
            del held[gone]
            inner.step(Forget(*gone), Now(0, 0))
        held[ch, heard.ref] = heard
        inner.step(heard, Now(0, 0))
    truth = set()
    for a in held.values():
        for b in held.values():
            if (a.ch, a.ref) < (b.ch, b.ref) and a.author != b.author:
                each = (
                    expose(a.volumes, b.volumes, r.minima, pressure_margin_mm=r.pressure_margin_mm)
                    for r in (a.rules, b.rules)
                )
                if any(exposure.open for exposure in each):
                    truth.add(frozenset({(a.ch, a.ref), (b.ch, b.ref)}))
    assert {frozenset({(c.one.ch, c.one.ref), (c.other.ch, c.other.ref)}) for c in inner.crossings()} == truth
    assert len(truth) > 20
