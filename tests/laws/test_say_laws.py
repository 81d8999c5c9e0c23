# SPDX-License-Identifier: Apache-2.0
"""Laws of what can be said: they hold for every notice that a peer could sign, however odd."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.limits import INTEGER_MAX
from wideberth.core.say import notice, readback, ring
from wideberth.core.say.geodesy import distance_mm, middle, point_towards
from wideberth.core.say.place import LAT_NDEG_MAX, LNG_NDEG_MAX, Altitude, Point
from wideberth.core.say.rules import NamedPlace, Rules
from wideberth.core.say.volume import LENGTH_MM_MAX, Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Precedence, Terms

points = st.builds(Point, st.integers(-LAT_NDEG_MAX, LAT_NDEG_MAX), st.integers(-LNG_NDEG_MAX, LNG_NDEG_MAX))
lengths_mm = st.integers(1, 50_000_000) | st.integers(1, LENGTH_MM_MAX)
rings = st.lists(points, min_size=3, max_size=7).map(tuple).filter(lambda ring: ring[0] != ring[-1])
shapes: st.SearchStrategy[Shape] = st.one_of(
    st.builds(Circle, points, lengths_mm),
    st.builds(Polygon, rings),
    st.builds(Corridor, st.lists(points, min_size=2, max_size=5).map(tuple), lengths_mm),
)
instants_ms = st.integers(0, 2**41) | st.integers(0, INTEGER_MAX - 1)
NAMES = ("", "Latakia", "somewhere")


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    rooms = []
    for _ in range(draw(st.integers(1, 3))):
        start_ms = draw(instants_ms)
        end_ms = draw(st.integers(start_ms + 1, INTEGER_MAX))
        rooms.append(Volume4D(draw(shapes), Altitude.surface(), Altitude.unlimited(), start_ms, end_ms))
    return Terms(
        draw(st.sampled_from(NoticeType)), draw(st.sampled_from(Hazard)), "watch", tuple(rooms), draw(instants_ms),
        precedence=draw(st.sampled_from(Precedence)), place_name=draw(st.sampled_from(NAMES)),
        text=draw(st.text(max_size=40)),
    )  # fmt: skip


agreements = st.builds(
    Rules,
    area=shapes,
    lead_ms=st.integers(0, 10**9),
    least_radius_mm=st.sampled_from([0, 10_000_000]),
    gazetteer=st.builds(lambda p: (NamedPlace("Latakia", p, 10_000_000),), points),
)


@given(any_terms(), agreements, instants_ms)
@settings(max_examples=150, deadline=None)
def test_every_notice_can_be_checked_and_every_flaw_is_a_sentence(terms: Terms, rules: Rules, now_ms: int) -> None:
    flaws = notice.check_terms(terms, rules, now_ms=now_ms)
    assert all(f.sentence and f.field and f.rule for f in flaws)
    assert flaws == notice.check_terms(terms, rules, now_ms=now_ms)


@given(any_terms(), agreements, instants_ms, st.integers(0, 10**9))
@settings(max_examples=100, deadline=None)
def test_waiting_never_makes_a_notice_earlier_or_less_urgent(
    terms: Terms, rules: Rules, at_ms: int, wait_ms: int
) -> None:
    order = (Precedence.ROUTINE, Precedence.PRIORITY, Precedence.IMMEDIATE, Precedence.FLASH)
    first, second = notice.lead(terms, rules, at_ms), notice.lead(terms, rules, at_ms + wait_ms)
    assert first.lead_ms - second.lead_ms == wait_ms
    assert second.shortfall_ms >= first.shortfall_ms
    asked_ms = notice.agreed_lead(terms, rules)
    assert first.late == (first.shortfall_ms > 0) == (asked_ms is not None and first.lead_ms < asked_ms)
    assert asked_ms in (None, rules.lead_for(terms.type)) or terms.protected is not None
    urgency = [order.index(notice.precedence_for(terms, rules, t)) for t in (at_ms, at_ms + wait_ms)]
    assert urgency == sorted(urgency)


@given(any_terms(), agreements, instants_ms)
@settings(max_examples=100, deadline=None)
def test_late_alone_is_never_fatal(terms: Terms, rules: Rules, now_ms: int) -> None:
    flaws = notice.check_terms(terms, rules, now_ms=now_ms)
    assert not [f for f in flaws if f.fatal and f.rule in ("C3", "M1")]
    fatal = {(f.field, f.sentence) for f in flaws if f.fatal}
    on_time = msgspec.structs.replace(rules, lead_ms=0)
    assert fatal == {(f.field, f.sentence) for f in notice.check_terms(terms, on_time, now_ms=now_ms) if f.fatal}


@given(any_terms(), any_terms(), st.sampled_from(["amend", "correct", "extend", "cancel"]), instants_ms)
@settings(max_examples=100, deadline=None)
def test_every_pair_of_versions_can_be_compared(
    before: Terms, after: Terms, kind: notice.Revision, now_ms: int
) -> None:
    notice.check_revision(kind, before, after, now_ms=now_ms)
    there, back = notice.shift(before, after), notice.shift(after, before)
    assert there.place_mm == back.place_mm
    assert (there.start_ms, there.end_ms) == (-back.start_ms, -back.end_ms)
    assert notice.shift(before, before) == notice.Shift(0, 0, 0)


@given(
    any_terms(), agreements, st.floats(0, 360), st.floats(0, 1_000_000), st.integers(0, 10**6), st.integers(0, 10**6)
)
@settings(max_examples=100, deadline=None)
def test_reading_back_further_off_never_turns_a_mismatch_into_a_match(
    terms: Terms, rules: Rules, bearing: float, metres: float, early_ms: int, more_ms: int
) -> None:
    centre = middle(terms.volumes[0].shape)
    near, far = point_towards(centre, bearing, metres / 2), point_towards(centre, bearing, metres)
    times = (max(0, terms.starts_ms - early_ms), terms.ends_ms)
    nearer = readback.compare(terms, rules, near, *times)
    farther = readback.compare(terms, rules, far, max(0, times[0] - more_ms), times[1])
    assert nearer.ok or not farther.ok
    assert farther.off_mm == distance_mm(centre, far)


@given(shapes, points)
@settings(max_examples=200, deadline=None)
def test_a_point_is_beside_a_shape_or_in_it(shape: Shape, point: Point) -> None:
    assert (ring.beside_mm(shape, point) == 0) >= ring.covers(shape, point)
