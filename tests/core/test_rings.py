# SPDX-License-Identifier: Apache-2.0
"""Rings over time: what is told of a reported aircraft, how often, and what an old report says (domain.md L4, G5)."""

from __future__ import annotations

import pytest

from wideberth.core.batch import Now
from wideberth.core.desk.causes import cause, end
from wideberth.core.rings import AREAS_MAX, STALE_MS, AreaDropped, AreaGiven, Reported, Rings, RingsBatch
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.rings import Block, Position, RingArea
from wideberth.core.say.rules import Mode
from wideberth.core.tells import Level
from wideberth.errors import BadInput, NotFound

FIRE = Point.at(34, -118)
LOW = Block("helicopters", Altitude.surface(), Altitude.feet(1000, VerticalRef.AGL))
HIGH = Block("tankers", Altitude.feet(1000, VerticalRef.AGL), Altitude.feet(2000, VerticalRef.AGL))
AREA = RingArea("ridge", FIRE, Mode.EXERCISE, blocks=(LOW, HIGH))
NOW = 1_000_000_000


@pytest.fixture
def rings() -> Rings:
    made = Rings()
    made.step(AreaGiven(AREA), Now(NOW, 0))
    return made


def report(
    rings: Rings, nm: float, *, t_ms: int = NOW, feet: int | None = 300, contact: bool = False, gone: bool = False
) -> RingsBatch:
    high = None if feet is None else Altitude.feet(feet, VerticalRef.AGL)
    position = Position("drone", point_towards(FIRE, 90, nm * 1852), t_ms, high, contact)
    return rings.step(Reported("ridge", position, gone), Now(t_ms, 0))


def told(batch: RingsBatch) -> list[tuple[str, Level]]:
    return [(tell.advice, tell.level) for tell in batch.tell]


def test_each_ring_is_told_once_as_it_is_crossed_and_once_when_it_is_over(rings: Rings) -> None:
    assert told(report(rings, 13)) == []
    assert told(report(rings, 11)) == [("CALL_IN", Level.NOTE)]
    assert told(report(rings, 10)) == []
    (alert,) = report(rings, 2.1).tell
    assert (alert.advice, alert.level, alert.blocks) == ("NO_COMM", Level.RING, ("helicopters",))
    assert "EXERCISE: drone was 2.1 NM from ridge at 300 ft AGL" in alert.sentence
    assert "is unknown" in alert.sentence
    assert told(report(rings, 2.0)) == []
    assert told(report(rings, 2.0, contact=True)) == [("NONE", Level.NOTE)]
    assert told(report(rings, 1.0, contact=True)) == []


def test_another_block_of_the_stack_rings_again(rings: Rings) -> None:
    assert told(report(rings, 2.0)) == [("NO_COMM", Level.RING)]
    (higher,) = report(rings, 2.0, feet=1500).tell
    assert (higher.level, higher.blocks) == (Level.RING, ("tankers",))


def test_who_leaves_or_has_called_in_is_over_and_nothing_is_said_of_leave(rings: Rings) -> None:
    report(rings, 2.0)
    assert [t.sentence for t in report(rings, 13).tell] == ["EXERCISE: drone at ridge: it is outside the rings."]
    report(rings, 2.0)
    assert [t.sentence for t in report(rings, 2.0, gone=True).tell] == ["EXERCISE: drone at ridge: it has left."]
    assert rings.view(NOW)[0]["aircraft"] == []


def test_an_old_report_says_nothing_about_now_and_time_alone_does_nothing_else(rings: Rings) -> None:
    report(rings, 2.0)
    for later, known in ((STALE_MS, "REPORTED"), (STALE_MS + 1, "UNKNOWN")):
        (row,) = rings.view(NOW + later)[0]["aircraft"]
        assert (row["known"], row["advice"], row["age_ms"]) == (known, "NO_COMM", later)


def test_a_report_out_of_order_or_of_the_future_is_refused_and_changes_nothing(rings: Rings) -> None:
    report(rings, 2.0)
    with pytest.raises(BadInput, match="reported later"):
        report(rings, 13, t_ms=NOW - 1)
    ahead = Position("ghost", FIRE, NOW + STALE_MS + 1)
    with pytest.raises(BadInput, match="in the future"):
        rings.step(Reported("ridge", ahead), Now(NOW, 0))
    assert [row["aircraft"] for row in rings.view(NOW)[0]["aircraft"]] == ["drone"]


def test_larger_rings_are_weighed_again_at_once(rings: Rings) -> None:
    report(rings, 8)
    wider = RingArea("ridge", FIRE, Mode.EXERCISE, no_comm_mm=9 * 1_852_000)
    assert told(rings.step(AreaGiven(wider), Now(NOW, 0))) == [("NO_COMM", Level.RING)]


def test_dropping_the_rings_ends_their_alerts_and_forgets_everything(rings: Rings) -> None:
    report(rings, 2.0)
    batch = rings.step(AreaDropped("ridge"), Now(NOW, 0))
    assert told(batch) == [("NONE", Level.NOTE)]
    assert [(record.id, record.json) for record in batch.keep] == [("ridge", b"")]
    assert rings.view(NOW) == []
    with pytest.raises(NotFound):
        rings.step(AreaDropped("ridge"), Now(NOW, 0))


def test_what_is_kept_is_the_same_after_a_restart(rings: Rings) -> None:
    kept = report(rings, 2.0).keep
    again = Rings.load(kept)
    assert again.view(NOW) == rings.view(NOW)
    assert told(report(again, 2.0)) == [], "what rang before the restart does not ring anew by itself"


def test_there_is_an_end_to_how_many_there_are(rings: Rings) -> None:
    for n in range(AREAS_MAX - 1):
        rings.step(AreaGiven(RingArea(f"r{n}", FIRE, Mode.REAL)), Now(NOW, 0))
    with pytest.raises(BadInput, match="drop those"):
        rings.step(AreaGiven(RingArea("more", FIRE, Mode.REAL)), Now(NOW, 0))


def test_at_the_desk_an_alert_rings_until_it_has_called_in(rings: Rings) -> None:
    plain = [{"tell": "ring", **{f: getattr(t, f) for f in t.__struct_fields__}, "level": t.level.value}
             for batch in (report(rings, 2.0), report(rings, 2.0, contact=True)) for t in batch.tell]  # fmt: skip
    rang = cause(plain[0])
    assert rang is not None
    assert (rang.name, rang.inside) == ("drone at ridge", True)
    over = end(plain[1])
    assert over is not None
    assert over.covers(rang.key)
    assert cause(plain[1]) is None
