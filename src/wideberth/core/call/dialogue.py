# SPDX-License-Identifier: Apache-2.0
"""What was said of two notices that meet (domain.md Q1, Q2, Q5): proposals, and what became of it by each author.

A clash has the same id at both ends: the hash of the two versions, of the later of the two versions of the agreement
that they were given under, and of the rule in it. No verdict is in it and none is needed here: that the two meet is
found elsewhere, by whoever holds both (docs/decisions/0011), and whoever says a word of it says that it is open.

A pure fold, like the board's: every word names the exact versions. Nothing here changes a notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from wideberth.core.call.fault import NotUnderstood
from wideberth.core.call.hotline import reference_of
from wideberth.core.call.ladders import SETTLED, Settled, Settling, walk
from wideberth.core.call.rulebook import RuleBook
from wideberth.core.call.thread import Thread, Version
from wideberth.core.say.conflict import ConflictWord, Outcome, Remedy
from wideberth.core.say.rules import Rules
from wideberth.core.seal import canonical
from wideberth.core.seal.entry import Header

# What the reference of a clash begins with.
CLASH: Final = "CNF"


class Told(msgspec.Struct, frozen=True):
    """One word as its author gave it. `t_ms` is the author's claim, `stored_ms` our clock."""

    author: str
    by: str
    entry: str
    t_ms: int
    stored_ms: int
    what: ConflictWord


def conflict_id(one: str, other: str, agr: str, rules: Rules) -> str:
    """Of two versions, by their hashes in either order. The rule is what decides: minima and pressure margin."""
    minima = rules.minima
    return canonical.sha256(
        canonical.encode(
            {
                "agr": agr,
                "notices": sorted((one, other)),
                "rule": {
                    "minima": minima.name,
                    "horizontal_mm": minima.horizontal_mm,
                    "vertical_mm": minima.vertical_mm,
                    "time_ms": minima.time_ms,
                    "pressure_margin_mm": rules.pressure_margin_mm,
                },
            }
        )
    )


class Clash:
    """Two exact versions of notices of two authors, in order of their hashes, and what was said of them."""

    def __init__(self, id_: str, agr: str, rules: Rules, one: tuple[Thread, Version], other: tuple[Thread, Version]):
        self.id = id_
        self.ref = reference_of(CLASH, id_)
        self.agr = agr
        self.rules = rules
        self.sides = (one, other)
        self.remedies: list[Told] = []
        self.outcomes: list[Told] = []

    @property
    def authors(self) -> tuple[str, str]:
        return self.sides[0][0].author, self.sides[1][0].author

    @cached_property
    def together(self) -> tuple[int, int] | None:
        """The first and the last moment in which windows of both are open, the time minimum counted; None for never.

        Whole numbers of the two notices, so it is the same at both ends.
        """
        t_ms, spans = self.rules.minima.time_ms, []
        (_, a), (_, b) = self.sides
        for v in a.terms.volumes if a.terms else ():
            for w in b.terms.volumes if b.terms else ():
                start, end = max(v.start_ms, w.start_ms - t_ms), min(v.end_ms, w.end_ms + t_ms)
                if start < end:
                    spans.append((start, end))
        return (min(s for s, _ in spans), max(e for _, e in spans)) if spans else None

    def stands(self, at_ms: int) -> bool:
        """Whether both versions are the ones that hold, and live."""
        return all(thread.newest.entry == version.entry and thread.live(at_ms) for thread, version in self.sides)

    def outcome(self, author: str, at_ms: int | None = None) -> Settled:
        """What an author recorded last; with a time, EXPIRED once that is over and nothing was recorded."""
        said = [Settling(t.what.outcome) for t in self.outcomes if t.author == author and isinstance(t.what, Outcome)]
        span = self.together
        if at_ms is not None and (span is None or at_ms >= span[1]):
            said.append(Settling.PASSED)
        state: Settled = walk(SETTLED, Settled.OPEN, said)
        return state


class Dialogue:
    """The clashes of one channel of which anything was said, and a way to name any other."""

    def __init__(self, versions: RuleBook) -> None:
        # Grows with every word: whoever keeps something worked out sees that it is old.
        self.count = 0
        self._versions = versions
        self._clashes: dict[str, Clash] = {}
        self._by_ref: dict[str, list[Clash]] = {}

    def of(self, one: tuple[Thread, Version], other: tuple[Thread, Version]) -> Clash:
        """The clash of two versions, whether anything was said of it or not."""
        first, second = (one, other) if one[1].entry < other[1].entry else (other, one)
        agr = self._versions.newer(first[1].agr, second[1].agr)
        rules = self._versions.rules_of(agr)
        assert rules is not None, "what was folded was under a version that is here"
        id_ = conflict_id(first[1].entry, second[1].entry, agr, rules)
        return self._clashes.get(id_) or Clash(id_, agr, rules, first, second)

    def find(self, ref_or_id: str) -> Clash | None:
        """One that something was said of. None too where two have that reference; their ids tell them apart."""
        found = self._by_ref.get(ref_or_id, ())
        return self._clashes.get(ref_or_id) or (found[0] if len(found) == 1 else None)

    def __iter__(self) -> Iterator[Clash]:
        return iter(self._clashes.values())

    def take(
        self, header: Header, entry: str, what: ConflictWord, stored_ms: int, one: Thread | None, other: Thread | None
    ) -> tuple[Clash, dict[str, Any]]:
        """Fold a word in. `one`, `other`: the notices that it names. Raises NotUnderstood, and then nothing changed."""
        clash = self.of(_side(one, what.one), _side(other, what.other))
        if clash.authors[0] == clash.authors[1]:
            raise NotUnderstood("two notices of one author are its own affair")
        if header.sender not in clash.authors:
            raise NotUnderstood("only the authors of the two notices speak of their clash")
        facts: dict[str, Any] = {"clash": clash.id, "refs": [thread.ref for thread, _ in clash.sides]}
        match what:
            case Remedy():
                facts |= {"moves": next(t.ref for t, v in clash.sides if v.entry == what.moves), "how": what.how.value}
            case Outcome():
                before = clash.outcome(header.sender)
                facts |= {"outcome": what.outcome, "before": "" if before is Settled.OPEN else before.value}
                if what.amended:
                    facts["amended"] = _later(clash.sides, what.amended)
        told = Told(header.sender, header.by, entry, header.t_ms, stored_ms, what)
        (clash.remedies if isinstance(what, Remedy) else clash.outcomes).append(told)
        if clash.id not in self._clashes:
            self._clashes[clash.id] = clash
            self._by_ref.setdefault(clash.ref, []).append(clash)
        self.count += 1
        return clash, facts


def _side(thread: Thread | None, entry: str) -> tuple[Thread, Version]:
    version = thread.version(entry) if thread is not None else None
    if thread is None or version is None or version.terms is None:
        raise NotUnderstood("it is about a notice in a version that is not here")
    return thread, version


def _later(sides: Sequence[tuple[Thread, Version]], entry: str) -> str:
    """`GRE-0001-A version 2`, for a version that came after the one that clashed."""
    for thread, version in sides:
        amended = thread.version(entry)
        if amended is not None and amended.number > version.number:
            return f"{thread.ref} version {amended.number}"
    raise NotUnderstood("it names as the resolution what is no later version of either notice")
