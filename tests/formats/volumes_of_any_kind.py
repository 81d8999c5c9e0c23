# SPDX-License-Identifier: Apache-2.0
"""Volumes for property tests: every shape, every reference, anywhere on Earth, any time that has a spelling."""

from __future__ import annotations

from hypothesis import strategies as st

from wideberth.core.say.instant import LAST_MS
from wideberth.core.say.place import (
    ALTITUDE_MM_MAX,
    ALTITUDE_MM_MIN,
    LAT_NDEG_MAX,
    LNG_NDEG_MAX,
    Altitude,
    Point,
    VerticalRef,
)
from wideberth.core.say.volume import LENGTH_MM_MAX, Circle, Corridor, Polygon, Shape, Volume4D

points = st.builds(Point, st.integers(-LAT_NDEG_MAX, LAT_NDEG_MAX), st.integers(-LNG_NDEG_MAX, LNG_NDEG_MAX))
lengths_mm = st.integers(1, LENGTH_MM_MAX) | st.integers(1, 20_000_000)
routes = st.lists(points, min_size=2, max_size=8).map(tuple)
rings = st.lists(points, min_size=3, max_size=8, unique=True).map(tuple)
shapes: st.SearchStrategy[Shape] = st.one_of(
    st.builds(Circle, points, lengths_mm), st.builds(Polygon, rings), st.builds(Corridor, routes, lengths_mm)
)


@st.composite
def volumes(draw: st.DrawFn) -> Volume4D:
    numbers = st.integers(ALTITUDE_MM_MIN, ALTITUDE_MM_MAX) | st.integers(-400_000, 30_000_000)
    refs = st.sampled_from([VerticalRef.W84, VerticalRef.AMSL, VerticalRef.AGL, VerticalRef.FL])
    lower = draw(st.just(Altitude.surface()) | st.builds(Altitude, numbers, refs))
    upper = draw(st.just(Altitude.unlimited()) | st.builds(Altitude, numbers, refs))
    if lower.ref is upper.ref and lower.mm > upper.mm:
        lower, upper = upper, lower
    start_ms = draw(st.integers(0, LAST_MS - 1))
    end_ms = draw(st.integers(start_ms + 1, LAST_MS))
    return Volume4D(draw(shapes), lower, upper, start_ms, end_ms)
