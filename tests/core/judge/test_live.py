# SPDX-License-Identifier: Apache-2.0
"""The live picture, native and plain, against each other and against every pair judged by itself."""

import random
from collections.abc import Iterable

import pytest
from tests.core.judge.livecases import DAY, HOUR, MINIMA, PLACES, operation, volume

from wideberth.core.judge import live
from wideberth.core.judge.separation import judge
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Polygon, Volume4D
from wideberth.errors import BadInput

BOTH = pytest.mark.parametrize("fast", [True, False], ids=["native", "plain"])
AREAS = MINIMA[1]


def flat(shape: Circle | Polygon, start: int = 0, end: int = HOUR) -> Volume4D:
    return Volume4D(shape, Altitude.metres(0, VerticalRef.AMSL), Altitude.metres(100, VerticalRef.AMSL), start, end)


def truth(
    kept: dict[str, tuple[Volume4D, ...]], asked: Iterable[Volume4D], minima: SeparationMinima
) -> set[tuple[str, int, int]]:
    return {
        (key, theirs, ours)
        for ours, a in enumerate(asked)
        for key, volumes in kept.items()
        for theirs, b in enumerate(volumes)
        if judge(b, a, minima).open
    }


@BOTH
@pytest.mark.parametrize("place", PLACES)
def test_after_any_comings_and_goings_it_finds_what_every_pair_by_itself_shows(place: str, fast: bool) -> None:
    rng, picture, kept = random.Random(place), live.live_picture(fast=fast), {}
    met = 0
    for turn in range(240):
        if kept and rng.random() < 0.35:
            gone = rng.choice(list(kept))
            picture.remove(gone)
            del kept[gone]
        else:
            kept[f"op{turn}"] = operation(rng, PLACES[place], 300_000)
            picture.add(live.ready(f"op{turn}", kept[f"op{turn}"], fast=fast))
        assert len(picture) == sum(map(len, kept.values()))
        if turn % 12 == 0:
            minima = rng.choice(MINIMA)
            asked = operation(rng, PLACES[place], 300_000)
            found = picture.meets(live.ready("asked", asked, fast=fast), minima)
            assert len(found) == len(set(found)), "each pair once"
            shown = {(m.key, m.theirs, m.ours) for m in found}
            assert shown == truth(kept, asked, minima)
            met += len(shown)
    assert met > 30


def test_native_and_plain_give_the_same_answers_in_the_same_order() -> None:
    rng = random.Random(7)
    near = PLACES["the coast"]
    ops = {f"op{i}": operation(rng, near, 60_000) for i in range(150)}
    pictures = [live.live_picture(fast=fast) for fast in (True, False)]
    for key, volumes in ops.items():
        for picture, fast in zip(pictures, (True, False), strict=True):
            picture.add(live.ready(key, volumes, fast=fast))
    seen = 0
    for key, volumes in ops.items():
        native, plain = (
            picture.meets(live.ready(key, volumes, fast=fast), MINIMA[0])
            for picture, fast in zip(pictures, (True, False), strict=True)
        )
        assert native == plain
        assert all(m.key != key for m in native), "an operation is never held against itself"
        seen += len(native)
    assert seen > 100


@BOTH
def test_what_is_over_goes_at_its_last_instant_and_not_before(fast: bool) -> None:
    picture = live.live_picture(fast=fast)
    disc = Circle(PLACES["the coast"], 1_000_000)
    picture.add(live.ready("soon", (flat(disc), flat(disc, HOUR, 2 * HOUR)), fast=fast))
    picture.add(live.ready("later", (flat(disc, 0, 3 * HOUR),), fast=fast))
    asked = live.ready("asked", (flat(disc, 0, DAY),), fast=fast)
    assert picture.expire(2 * HOUR - 1) == []
    assert [m.key for m in picture.meets(asked, AREAS)] == ["later", "soon", "soon"]
    assert picture.expire(2 * HOUR) == ["soon"]
    assert [m.key for m in picture.meets(asked, AREAS)] == ["later"]
    picture.remove("later")
    picture.add(live.ready("later", (flat(disc, 0, 5 * HOUR),), fast=fast))
    assert picture.expire(3 * HOUR) == [], "what was taken out and given anew lives by its new end"
    assert picture.expire(DAY) == ["later"]
    assert len(picture) == 0


@BOTH
def test_a_key_that_is_there_is_refused_and_nothing_changes(fast: bool) -> None:
    picture = live.live_picture(fast=fast)
    disc = Circle(PLACES["the coast"], 1_000_000)
    picture.add(live.ready("one", (flat(disc),), fast=fast))
    with pytest.raises(BadInput, match="take it out first"):
        picture.add(live.ready("one", (flat(disc), flat(disc)), fast=fast))
    assert len(picture) == 1
    picture.remove("nobody")
    assert len(picture) == 1
    with pytest.raises(BadInput, match="at least one volume"):
        live.ready("none", (), fast=fast)


@BOTH
def test_a_shape_that_holds_a_pole_is_met_from_all_sides(fast: bool) -> None:
    picture = live.live_picture(fast=fast)
    cap = Polygon.of((80, 0), (80, 90), (80, 180), (80, -90))
    picture.add(live.ready("cap", (flat(cap),), fast=fast))
    for lat, lng in ((90, 0), (89.9, 45), (84, -135), (81, 180), (84, 10)):
        asked = live.ready("asked", (flat(Circle(Point.at(lat, lng), 1000)),), fast=fast)
        assert [m.key for m in picture.meets(asked, AREAS)] == ["cap"], (lat, lng)
    asked = live.ready("asked", (flat(Circle(Point.at(70, 10), 1000)),), fast=fast)
    assert picture.meets(asked, AREAS) == []


@BOTH
def test_the_bulge_of_a_long_edge_towards_the_pole_is_not_lost(fast: bool) -> None:
    # Both corners lie on 60° N; the geodesic between them comes to 65.6° N (its parallel stays 600 km south of it).
    picture = live.live_picture(fast=fast)
    picture.add(live.ready("long", (flat(Polygon.of((60, -30), (60, 30), (59, 0))),), fast=fast))
    asked = live.ready("asked", (flat(Circle(Point.at(63.2, 0), 1000)),), fast=fast)
    assert [m.key for m in picture.meets(asked, AREAS)] == ["long"]


@BOTH
def test_a_disc_of_half_the_earth_meets_a_speck_and_a_speck_meets_it(fast: bool) -> None:
    speck, half = flat(Circle(Point.at(12, 95), 1)), flat(Circle(Point.at(0, 10), 10_001_000_000))
    for held, asks in ((speck, half), (half, speck)):
        picture = live.live_picture(fast=fast)
        picture.add(live.ready("held", (held,), fast=fast))
        assert [m.key for m in picture.meets(live.ready("asks", (asks,), fast=fast), AREAS)] == ["held"]


@BOTH
def test_a_window_of_a_century_meets_a_minute_far_in_it(fast: bool) -> None:
    disc = Circle(PLACES["the coast"], 1_000_000)
    century, minute = flat(disc, 0, 36_500 * DAY), flat(disc, 30_000 * DAY, 30_000 * DAY + 60_000)
    for held, asks in ((century, minute), (minute, century)):
        picture = live.live_picture(fast=fast)
        picture.add(live.ready("held", (held,), fast=fast))
        picture.add(live.ready("beside", (flat(disc, 40_000 * DAY, 40_001 * DAY),), fast=fast))
        assert [m.key for m in picture.meets(live.ready("asks", (asks,), fast=fast), AREAS)] == ["held"]


def test_slots_that_fall_together_after_nine_years_are_told_apart_by_their_windows() -> None:
    from wideberth.core.judge.live.layout import SLOT_MASK, SLOT_SHIFT

    disc, round_ms = Circle(PLACES["the coast"], 1_000_000), (SLOT_MASK + 1) << SLOT_SHIFT
    picture = live.live_picture(fast=True)
    picture.add(live.ready("now", (flat(disc, HOUR, HOUR + 1000),), fast=True))
    picture.add(live.ready("then", (flat(disc, round_ms + HOUR, round_ms + HOUR + 1000),), fast=True))
    asked = live.ready("asked", (flat(disc, HOUR, HOUR + 500),), fast=True)
    assert [m.key for m in picture.meets(asked, AREAS)] == ["now"]


def test_a_million_seconds_of_comings_and_goings_leave_nothing_behind() -> None:
    rng = random.Random(3)
    from wideberth.core.judge.live.arrays import NativePicture
    from wideberth.core.judge.live.layout import BLOCKS_USED, CELLS, ENTRIES

    picture = NativePicture()
    empty = picture.bytes_used()
    ops = [live.ready(f"op{i}", operation(rng, PLACES["the coast"], 900_000), fast=True) for i in range(400)]
    for _ in range(3):
        for one in ops:
            picture.add(one)  # type: ignore[arg-type]
        full = picture.bytes_used()
        for one in rng.sample(ops, len(ops)):
            picture.remove(one.key)
        assert len(picture) == 0
        assert picture._book[CELLS] == picture._book[BLOCKS_USED] == 0
        assert not picture._book[ENTRIES:].any()
        assert picture.bytes_used() <= empty * 2 < full, "room that stands empty is given back"


def test_more_than_there_is_room_for_is_all_told() -> None:
    disc = Circle(PLACES["the coast"], 1_000_000)
    picture = live.live_picture(fast=True)
    for i in range(700):
        picture.add(live.ready(f"op{i:03}", (flat(disc),), fast=True))
    asked = live.ready("asked", (flat(disc),), fast=True)
    assert [m.key for m in picture.meets(asked, AREAS)] == [f"op{i:03}" for i in range(700)]


def test_without_the_extra_the_plain_picture_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "available", lambda: False)
    picture = live.live_picture()
    assert isinstance(picture, live.SlowPicture)
    rng = random.Random(1)
    picture.add(live.ready("one", (volume(rng, PLACES["the coast"], 1000),)))
    assert len(picture) == 1
