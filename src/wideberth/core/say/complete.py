# SPDX-License-Identifier: Apache-2.0
"""How much a notice says of what others need to keep clear: a score before it is sent, and what it leaves out (C5).

On 6 December 2025 a warning came 50 minutes ahead and was called insufficient: it named neither coordinates nor heights
nor how far the activity reached (domain.md F14). Being received and being sufficient are two things. Nothing here holds
a notice back: below the agreed score (`least_complete_permille`) it is flagged, for the sender before it goes out and
for whoever gets it, and the names are those that `insufficient --field` uses.

    score = of_terms(terms, rules)          None for what is given at once: an accident, or distress
    score = of_what_is_said({"kind", "start"}, rules)

Only what is said counts, never what is true: a whole score means that nothing is missing, not that it is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from wideberth.core.say.place import VerticalRef
from wideberth.core.say.rules import Rules
from wideberth.core.say.words import Hazard, NoticeType, Precedence, Terms

# What is worth how much, of 1,000, and why. Where, how far and when carry most: without them nobody can keep clear.
WEIGHTS: Final[dict[str, tuple[int, str]]] = {
    "area": (240, "where: without it others can only stay away from everything"),
    "extent": (160, "how far it reaches round the place"),
    "vertical": (140, "between which heights: over or under it may be free"),
    "start": (100, "from when"),
    "end": (100, "until when"),
    "contact": (80, "whom to call when something is not clear"),
    "hazard": (80, "the kind of danger: what to look out for"),
    "scale": (60, "how many move in it at once: one to look out for, or many"),
    "kind": (40, "what kind of notice it is"),
}
WHOLE: Final = 1_000

# These are about what is so already: nobody gives notice of them, and nothing more is asked than is known. Each goes
# with at least this precedence.
AT_ONCE: Final = {
    NoticeType.UNANNOUNCED_TRAFFIC: Precedence.IMMEDIATE,
    NoticeType.ACCIDENT: Precedence.FLASH,
    NoticeType.HOLD_OFF: Precedence.FLASH,
    NoticeType.DISTRESS: Precedence.FLASH,
}

assert sum(weight for weight, _ in WEIGHTS.values()) == WHOLE


class Completeness(msgspec.Struct, frozen=True):
    """`permille` of what a notice can say; `least` as agreed; `missing` in the order of `WEIGHTS`."""

    permille: int
    least: int
    missing: tuple[str, ...]

    @property
    def below(self) -> bool:
        return self.permille < self.least

    @property
    def sentence(self) -> str:
        """For people: `complete to 52 % (80 % agreed); it does not say: area, vertical, extent`."""
        what = f"it does not say: {', '.join(self.missing)}" if self.missing else "nothing is missing"
        return f"complete to {self.permille // 10} % ({self.least // 10} % agreed); {what}"


def of_what_is_said(said: Iterable[str], rules: Rules) -> Completeness:
    """The score of these names of `WEIGHTS`; others count for nothing."""
    there = set(said)
    missing = tuple(name for name in WEIGHTS if name not in there)
    permille = sum(weight for name, (weight, _) in WEIGHTS.items() if name in there)
    return Completeness(permille, rules.least_complete_permille, missing)


def of_terms(terms: Terms, rules: Rules) -> Completeness | None:
    """The score of a notice as it would be signed. The whole area of the mechanism is no place and has no extent; from
    the surface without limit is no height; `UNSPECIFIED` is no kind of danger."""
    if terms.type in AT_ONCE:
        return None
    said = {"kind", "start", "end", "contact"}
    if all(volume.shape != rules.area for volume in terms.volumes):
        said |= {"area", "extent"}
    if not any(v.lower.ref is VerticalRef.SFC and v.upper.ref is VerticalRef.UNL for v in terms.volumes):
        said.add("vertical")
    if terms.hazard is not Hazard.UNSPECIFIED:
        said.add("hazard")
    if terms.scale is not None:
        said.add("scale")
    return of_what_is_said(said, rules)


def view(score: Completeness | None) -> dict[str, Any] | None:
    """As plain data for screens and programs."""
    if score is None:
        return None
    return {
        "permille": score.permille, "least": score.least, "missing": list(score.missing), "below": score.below,
        "sentence": score.sentence,
    }  # fmt: skip
