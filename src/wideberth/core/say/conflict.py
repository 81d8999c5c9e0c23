# SPDX-License-Identifier: Apache-2.0
"""Words about two notices that meet (domain.md Q1, Q2, Q5): how they could be kept apart, and what became of it.

Both name the two exact versions by their hashes, the smaller hash first. A proposal changes nothing until the owner of
the notice that it names gives a new version; no word takes one up or turns it down, and silence about it says nothing.
What became of a conflict each of the two authors records for itself; the two may differ, and both are shown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

from wideberth.core.limits import TEXT_CHARS_MAX, VOLUMES_PER_NOTICE_MAX
from wideberth.core.say.base import WordBase, short
from wideberth.core.say.tongue import check_tag
from wideberth.core.say.volume import Volume4D
from wideberth.errors import BadInput

_HASH_CHARS: Final = 64
_HEX: Final = frozenset("0123456789abcdef")


class How(StrEnum):
    """In which way a notice could make room (domain.md Q2). To hold is to begin LATER; to go another way is ASIDE."""

    LATER = "LATER"
    EARLIER = "EARLIER"
    HIGHER = "HIGHER"
    LOWER = "LOWER"
    ASIDE = "ASIDE"
    SHRINK = "SHRINK"
    SPLIT = "SPLIT"


class Remedy(WordBase, frozen=True, tag="remedy"):
    """A person's proposal: with these `volumes` the notice `moves` (one of the two) would keep apart from the other."""

    one: str
    other: str
    moves: str
    how: How
    volumes: tuple[Volume4D, ...]
    text: str = ""
    language: str = "en"

    def __post_init__(self) -> None:
        check_pair(self.one, self.other)
        if self.moves not in (self.one, self.other):
            raise BadInput("a proposal is about one of the two notices that meet", field="moves")
        if not 1 <= len(self.volumes) <= VOLUMES_PER_NOTICE_MAX:
            raise BadInput(f"a proposal has 1 to {VOLUMES_PER_NOTICE_MAX} volumes", field="volumes")
        short(self.text, TEXT_CHARS_MAX, "text")
        check_tag(self.language)


class Outcome(WordBase, frozen=True, tag="outcome"):
    """What became of the meeting of two versions, by one of their two authors and for itself alone.

    `amended`: of RESOLVED_BY_AMEND the hash of the later version of either notice by which they keep apart.
    ACCEPTED_RISK: the speaker knows of it and goes on; it says nothing for the other side.
    """

    one: str
    other: str
    outcome: Literal["RESOLVED_BY_AMEND", "ACCEPTED_RISK", "UNRESOLVED", "EXPIRED"]
    amended: str = ""
    text: str = ""
    language: str = "en"

    def __post_init__(self) -> None:
        check_pair(self.one, self.other)
        if bool(self.amended) != (self.outcome == "RESOLVED_BY_AMEND"):
            raise BadInput("RESOLVED_BY_AMEND, and it alone, names the version by which it was resolved",
                           field="amended")  # fmt: skip
        if self.amended and not _is_hash(self.amended):
            raise BadInput("a version is named by its hash, 64 hex digits", field="amended")
        short(self.text, TEXT_CHARS_MAX, "text")
        check_tag(self.language)


ConflictWord = Remedy | Outcome


def check_pair(one: str, other: str) -> None:
    """Raises BadInput unless these are two hashes, the smaller first: one pair has one spelling."""
    if not (_is_hash(one) and _is_hash(other) and one < other):
        raise BadInput("name two versions of notices by their hashes, the smaller first", field="one")


def _is_hash(text: str) -> bool:
    return len(text) == _HASH_CHARS and _HEX.issuperset(text)


def in_order(one: str, other: str) -> tuple[str, str]:
    """The two hashes as they stand in every word about the pair."""
    return (one, other) if one < other else (other, one)
