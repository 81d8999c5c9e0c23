# SPDX-License-Identifier: Apache-2.0
"""Chance, from one seed. Everything random in a run is thrown with dice that are handed in; nothing else is random.

Only `random()` and `getrandbits()` are used: Python promises their sequence for a seed on every version and machine.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """`Dice(seed)`; `dice.apart("network")` gives dice of its own: one part's throws do not move another's."""

    def __init__(self, seed: int | str) -> None:
        # A text is hashed by SHA-512 there, never by `hash()`: the same under every PYTHONHASHSEED.
        self._seed = str(seed)
        self._random = random.Random(self._seed)  # noqa: S311  (a simulation must repeat)
        self.unit = self._random.random

    def apart(self, name: str) -> Dice:
        return Dice(f"{self._seed}/{name}")

    def chance(self, p: float) -> bool:
        return self.unit() < p

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.unit() * (high - low + 1))

    def pick(self, among: Sequence[T]) -> T:
        return among[int(self.unit() * len(among))]

    def weighted(self, among: Sequence[tuple[T, float]]) -> T:
        mark = self.unit() * sum(w for _, w in among)
        for value, weight in among:
            mark -= weight
            if mark < 0:
                return value
        return among[-1][0]

    def around(self, mean: int) -> int:
        """A waiting time about `mean`: nothing to twice it, flat; at least 1."""
        return 1 + int(self.unit() * 2 * mean)

    def octets(self, n: int) -> bytes:
        return self._random.getrandbits(8 * n).to_bytes(n, "little")
