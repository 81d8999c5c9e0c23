# SPDX-License-Identifier: Apache-2.0
"""The live set: which volumes could matter to this one? An index by place and time that only errs outward.

Every volume is indexed by itself, by the ball round its middle that holds it, in Earth-centred coordinates: a chord is
never longer than the geodesic, so the ball holds the whole volume, and neither the poles nor the antimeridian are
special. Space is cut into cubes on several scales, and a ball goes into the scale whose cubes are at least as wide
as it is (eight cubes at most); inside a cube, time is cut in the same way. A plain dictionary holds what is not empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeVar

from wideberth.core.judge.outline import CONVEX_M, Outline, outline
from wideberth.core.judge.vertical import bands_apart, vertical_gap
from wideberth.core.say.geodesy import A_M
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.volume import Volume4D

# Cubes of 16 km hold most declared areas (10 km radius) on the second scale and drones' volumes on the first.
_CUBE_M: Final = 16_000.0
_SCALES: Final = 6  # 16 km, 64 km, 256 km, 1,024 km, 4,096 km, 16,384 km: the last one's cubes hold the Earth in eight
_HOUR_MS: Final = 3_600_000
_TIME_SCALES: Final = (_HOUR_MS, 24 * _HOUR_MS, 24 * 24 * _HOUR_MS)

Cell = tuple[int, int, int]
Slot = tuple[int, int]
_K = TypeVar("_K")


class Kept(NamedTuple):
    """A volume in the picture. `key` is the owner's: a plan or a notice; `number` counts the owner's volumes."""

    key: str
    number: int
    volume: Volume4D
    outline: Outline
    ball_m: float


def ball_m(shape: Outline) -> float:
    """Radius, as a chord, of a ball round the middle that holds the whole shape."""
    radius = shape.radius + shape.reach
    if shape.radius <= CONVEX_M:
        return radius
    return 2 * A_M  # so wide that a ring may fill what its corners do not show: everywhere


def _scale(width_m: float) -> int:
    scale, cube = 0, _CUBE_M
    while cube < width_m and scale < _SCALES - 1:
        scale, cube = scale + 1, cube * 4
    return scale


class Picture:
    """Volumes by owner, with `add`, `remove` and `near`. Everything is in memory and nothing reads a clock."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Kept, ...]] = {}
        self._scales: list[dict[Cell, dict[Slot, list[Kept]]]] = [{} for _ in range(_SCALES)]
        # What lasts longer than the longest slot is kept apart and always looked at.
        self._long: list[dict[Cell, list[Kept]]] = [{} for _ in range(_SCALES)]

    def __len__(self) -> int:
        """How many volumes are in the picture."""
        return sum(map(len, self._kept.values()))

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def add(self, key: str, volumes: tuple[Volume4D, ...]) -> None:
        """Put an owner's volumes in; they replace any that it had."""
        self.remove(key)
        found = []
        for number, volume in enumerate(volumes):
            shape = outline(volume.shape)
            kept = Kept(key, number, volume, shape, ball_m(shape))
            found.append(kept)
            for scale, cell, slot in _places(kept):
                if slot is None:
                    self._long[scale].setdefault(cell, []).append(kept)
                else:
                    self._scales[scale].setdefault(cell, {}).setdefault(slot, []).append(kept)
        self._kept[key] = tuple(found)

    def remove(self, key: str) -> None:
        """Take an owner's volumes out; nothing happens when it has none."""
        for kept in self._kept.pop(key, ()):
            for scale, cell, slot in _places(kept):
                if slot is None:
                    _drop(self._long[scale], cell, kept)
                else:
                    slots = self._scales[scale][cell]
                    _drop(slots, slot, kept)
                    if not slots:
                        del self._scales[scale][cell]

    def volumes(self, key: str) -> tuple[Volume4D, ...]:
        return tuple(kept.volume for kept in self._kept.get(key, ()))

    def near(
        self, volume: Volume4D, minima: SeparationMinima, *, pressure_margin_mm: int = 610_000
    ) -> list[tuple[str, int, Volume4D]]:
        """Every kept volume that may conflict with this one under these minima, as (key, number, volume), once each.

        Windows and bands are compared exactly; place by the enclosing balls, outward.
        """
        shape = outline(volume.shape)
        reach = ball_m(shape) + minima.horizontal_mm / 1000 + 1.0
        start, end = volume.start_ms - minima.time_ms, volume.end_ms + minima.time_ms
        x, y, z = shape.xyz
        found: dict[tuple[str, int], Kept] = {}
        for kept in self._candidates(shape, reach, start, end):
            other = kept.volume
            if other.start_ms >= end or other.end_ms <= start:
                continue
            ox, oy, oz = kept.outline.xyz
            far = reach + kept.ball_m
            if (ox - x) ** 2 + (oy - y) ** 2 + (oz - z) ** 2 > far * far:
                continue
            if (kept.key, kept.number) in found:
                continue
            gap = vertical_gap(volume, other, pressure_margin_mm)
            if not bands_apart(volume, other, gap, minima.vertical_mm):
                found[kept.key, kept.number] = kept
        return [(kept.key, kept.number, kept.volume) for kept in found.values()]

    def _candidates(self, shape: Outline, reach: float, start: int, end: int) -> Iterator[Kept]:
        for scale in range(_SCALES):
            dated, undated = self._scales[scale], self._long[scale]
            if dated:
                for cell in _reached(shape.xyz, reach, scale, dated):
                    slots = dated.get(cell)
                    if slots is not None:
                        yield from _during(slots, start, end)
            if undated:
                for cell in _reached(shape.xyz, reach, scale, undated):
                    yield from undated.get(cell, ())


def _during(slots: dict[Slot, list[Kept]], start: int, end: int) -> Iterator[Kept]:
    for number, width in enumerate(_TIME_SCALES):
        first, last = start // width, (end - 1) // width
        if last - first >= len(slots):  # a long window over few slots: look at what is there
            for (scale, slot), kept in slots.items():
                if scale == number and first <= slot <= last:
                    yield from kept
        else:
            for slot in range(first, last + 1):
                yield from slots.get((number, slot), ())


def _cells(xyz: tuple[float, float, float], reach: float, scale: int) -> list[range]:
    cube = _CUBE_M * 4**scale
    return [range(math.floor((c - reach) / cube), math.floor((c + reach) / cube) + 1) for c in xyz]


def _reached(xyz: tuple[float, float, float], reach: float, scale: int, filled: dict[Cell, Any]) -> Iterator[Cell]:
    """Cells that a ball reaches, or all that are filled when those are fewer."""
    xs, ys, zs = _cells(xyz, reach, scale)
    if len(xs) * len(ys) * len(zs) > len(filled):
        return iter([c for c in filled if c[0] in xs and c[1] in ys and c[2] in zs])
    return iter([(i, j, k) for i in xs for j in ys for k in zs])


def _places(kept: Kept) -> list[tuple[int, Cell, Slot | None]]:
    """Where a volume is filed: the cubes its ball reaches, times the slots its window reaches."""
    volume = kept.volume
    scale = _scale(2 * kept.ball_m)
    xs, ys, zs = _cells(kept.outline.xyz, kept.ball_m, scale)
    slots: list[Slot | None] = [None]
    for number, width in enumerate(_TIME_SCALES):
        if volume.end_ms - volume.start_ms <= width:
            slots = [(number, slot) for slot in range(volume.start_ms // width, (volume.end_ms - 1) // width + 1)]
            break
    return [(scale, (i, j, k), slot) for i in xs for j in ys for k in zs for slot in slots]


def _drop(lists: dict[_K, list[Kept]], key: _K, kept: Kept) -> None:
    left = [other for other in lists[key] if other is not kept]
    if left:
        lists[key] = left
    else:
        del lists[key]
