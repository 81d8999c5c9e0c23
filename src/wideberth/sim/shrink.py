# SPDX-License-Identifier: Apache-2.0
"""A smaller world that still breaks the same promise: shorter, with fewer kinds of faults, and its tape.

    found = shrink(4711, Shape())       # Shrunk, or None when the seed breaks nothing

Weather is handed to the world in place of the one that the seed draws; everything else is thrown with the same dice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from wideberth.sim.dice import Dice
from wideberth.sim.weather import MINUTE, Weather
from wideberth.sim.world import Outcome, Shape, World

_CHANCES: Final = ("lost", "repeated", "delayed", "overtaken", "corrupted")
_TRIES_MOST: Final = 60


class Shrunk(msgspec.Struct, frozen=True):
    """`before` and `after` are numbers of steps on the tape."""

    seed: int
    weather: Weather
    outcome: Outcome
    before: int
    after: int
    tries: int


def shrink(seed: int, shape: Shape, progress: Callable[[str], None] | None = None) -> Shrunk | None:
    """Smaller and smaller, as long as the same promise breaks."""
    weather = Weather.drawn(Dice(seed).apart("weather"))
    first = best = World(seed, shape=shape).run()
    if not first.broken:
        return None
    tries, smaller = 0, True
    while smaller and tries < _TRIES_MOST:
        smaller = False
        for candidate in _smaller(weather):
            tries += 1
            outcome = World(seed, shape=shape, weather=candidate).run()
            if outcome.broken == first.broken and outcome.step < best.step:
                weather, best, smaller = candidate, outcome, True
                if progress is not None:
                    progress(f"{best.broken} breaks after {best.step} steps")
                break
            if tries >= _TRIES_MOST:
                break
    return Shrunk(seed, weather, best, first.step, best.step, tries)


def _smaller(weather: Weather) -> Iterator[Weather]:
    """One thing less each, the largest steps first."""
    new = msgspec.structs.replace
    if weather.lasts_ms > MINUTE:
        yield new(weather, lasts_ms=weather.lasts_ms // 2)
        yield new(weather, lasts_ms=weather.lasts_ms * 4 // 5)
    for kind, weight in weather.storms:
        rest = tuple((k, w) for k, w in weather.storms if k != kind)
        if weight and any(w for _, w in rest):
            yield new(weather, storms=rest)
    for name in _CHANCES:
        if getattr(weather, name):
            yield new(weather, **{name: 0.0})
    if weather.burst > 1:
        yield new(weather, burst=1)
    if weather.storm_ms < 4 * MINUTE:
        yield new(weather, storm_ms=2 * weather.storm_ms)
