# SPDX-License-Identifier: Apache-2.0
"""Read-back: the receiver repeats place and time in their own form, and both ends compare (domain.md E3, F2).

On 17 September 2016 a place was passed 9 km wrong and nobody repeated it. The comparison is the same pure function at
both ends. A mismatch is a report to both, and nothing else: the receiver reads again.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.say.coordinates import show_distance
from wideberth.core.say.geodesy import diameter_mm, distance_mm, middle
from wideberth.core.say.instant import show_span
from wideberth.core.say.place import Point
from wideberth.core.say.rules import Rules
from wideberth.core.say.words import NoticeType, Terms

PERMILLE: Final = 1_000


class Comparison(msgspec.Struct, frozen=True):
    """`off_mm`: how far the point read is from the middle of the first volume. `off_ms`: the larger difference of the
    two times. `ok` only when both are within tolerance (equality is within)."""

    ok: bool
    off_mm: int
    tolerance_mm: int
    off_ms: int
    tolerance_ms: int
    sentence: str


def tolerance_mm(terms: Terms, rules: Rules) -> int:
    """A static site: `readback_site_mm` (100 m). Else `readback_permille` (10 %) of the first volume's diameter, at
    least `readback_least_mm` (500 m)."""
    if terms.type is NoticeType.STATIC_SITE:
        return rules.readback_site_mm
    share = diameter_mm(terms.volumes[0].shape) * rules.readback_permille // PERMILLE
    return max(share, rules.readback_least_mm)


def compare(terms: Terms, rules: Rules, point: Point, start_ms: int, end_ms: int) -> Comparison:
    """The point against the middle of the first volume; the times against the notice's first start and last end."""
    off_mm = distance_mm(point, middle(terms.volumes[0].shape))
    within_mm = tolerance_mm(terms, rules)
    off_ms = max(abs(start_ms - terms.starts_ms), abs(end_ms - terms.ends_ms))
    within_ms = rules.readback_time_ms
    wrong = []
    if off_mm > within_mm:
        wrong.append(
            f"the place read back is {_roughly(off_mm)} off; at most {show_distance(within_mm)} is allowed for"
        )
    if off_ms > within_ms:
        wrong.append(f"the time read back is {show_span(off_ms)} off; at most {show_span(within_ms)} is allowed for")
    if wrong:
        sentence = "MISMATCH: " + ", and ".join(wrong) + ". Read the notice again and repeat it."
    else:
        sentence = f"Read back: place within {_roughly(off_mm)}, times within {show_span(off_ms)}."
    return Comparison(not wrong, off_mm, within_mm, off_ms, within_ms, sentence)


def _roughly(mm: int) -> str:
    return f"{mm / 1_000_000:.1f} km" if mm >= 1_000_000 else f"{-(-mm // 1_000)} m"
