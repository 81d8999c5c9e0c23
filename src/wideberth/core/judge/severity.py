# SPDX-License-Identifier: Apache-2.0
"""How grave a meeting is, as a total order (domain.md D11 and its amendment): which one to look at first.

    sorted(found, key=lambda each: severity(...).order(each.id))      the gravest first

Four things count, in this order, each as a number of its own and never as a sum:

1. the time left until it begins, in classes: begun; less than 5 minutes; 15 minutes; an hour; more;
2. depth: the lesser of the shares of the two minima that are undercut, in ‰ (1000: areas and bands both meet);
3. how long it lasts inside the minima, in ms;
4. the share of the smaller of the two volumes, in time times height, that lies inside the other, in ‰.

What is equal in all four is ordered by beginning, and then by id, so the order is total and the same on every node that
has the same clock. Who or how many are there is no part of it. `too_close_to_call` counts like a conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from wideberth.core.judge.vertical import NO_BOUND_MM, vertical_gap
from wideberth.core.say import instant
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import VerticalRef
from wideberth.core.say.volume import Volume4D

# The same thresholds at which what comes nearer is told again (core/nearing.py).
LEFT_MS: Final = (0, 300_000, 900_000, 3_600_000)
LEFT_NAMES: Final = ("begun", "less than 5 min left", "less than 15 min left", "less than an hour left",
                     "more than an hour left")  # fmt: skip

Order = tuple[int, int, int, int, int, str]


class Severity(msgspec.Struct, frozen=True):
    """`left`: the class of the time left, 0 for begun. `left_ms`: negative by how long ago it began."""

    left: int
    left_ms: int
    depth_permille: int
    inside_ms: int
    share_permille: int
    start_ms: int

    def order(self, id_: str) -> Order:
        """Smaller is graver. No two with different ids are equal."""
        return self.left, -self.depth_permille, -self.inside_ms, -self.share_permille, self.start_ms, id_

    @property
    def sentence(self) -> str:
        return (
            f"{LEFT_NAMES[self.left]}; {self.depth_permille / 10:.0f} % deep; "
            f"{instant.show_span(self.inside_ms // 1000 * 1000)} inside; "
            f"{self.share_permille / 10:.0f} % of the smaller one"
        )


def severity(
    *, depth_permille: int, share_permille: int, inside_ms: int, start_ms: int, now_ms: int
) -> Severity:  # fmt: skip
    """At a time. Lengths in ms, times in ms UTC."""
    left_ms = start_ms - now_ms
    left = next((n for n, limit in enumerate(LEFT_MS) if left_ms <= limit), len(LEFT_MS))
    return Severity(left, left_ms, depth_permille, inside_ms, share_permille, start_ms)


def depth_permille(minima: SeparationMinima, horizontal_mm: int, vertical_mm: int) -> int:
    """The lesser of two shares: how much of the horizontal and how much of the vertical minimum is undercut.

    `horizontal_mm`: between the areas, 0 when they meet; `vertical_mm`: negative where bands overlap (`Verdict`).
    """
    return min(_undercut(horizontal_mm, minima.horizontal_mm), _undercut(max(0, vertical_mm), minima.vertical_mm))


def _undercut(apart: int, minimum: int) -> int:
    if apart <= 0:
        return 1000
    return max(0, 1000 * (minimum - apart) // minimum) if minimum else 0


def share_permille(one: Sequence[Volume4D], other: Sequence[Volume4D], *, pressure_margin_mm: int = 610_000) -> int:
    """The greatest share, over all pairs of volumes, of the smaller one that lies inside the other: time times height.

    Area is left out: for whoever is in there it matters that the areas are too near, and `depth` says how near. A band
    without limit is as high as the other one. Integers throughout.
    """
    return max((_share(a, b, pressure_margin_mm) for a in one for b in other), default=0)


def _share(a: Volume4D, b: Volume4D, margin_mm: int) -> int:
    together_ms = min(a.end_ms, b.end_ms) - max(a.start_ms, b.start_ms)
    gap_mm = vertical_gap(a, b, margin_mm).mm
    if together_ms <= 0 or gap_mm > 0:
        return 0
    shorter_ms = min(a.end_ms - a.start_ms, b.end_ms - b.start_ms)
    thinner_mm = min(_thick(a), _thick(b))
    high = 1000 if thinner_mm <= 0 else min(1000, 1000 * -gap_mm // thinner_mm)
    return high * together_ms // shorter_ms


def _thick(volume: Volume4D) -> int:
    """Of references that differ the numbers are all there is; without a limit: more than any."""
    if volume.upper.ref is VerticalRef.UNL:
        return NO_BOUND_MM
    return max(0, volume.upper.mm - volume.lower.mm)
