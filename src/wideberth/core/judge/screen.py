# SPDX-License-Identifier: Apache-2.0
"""All operations against all others: one finding for each pair of operations that conflict.

    for finding in screen(operations, RULE_OF_THREES):
        print(msgspec.json.encode(finding).decode())

Candidate pairs come from the index (`judge/picture.py`, outward only); the predicate decides (`judge/separation.py`).
Volumes of one operation are not held against each other. Operations are taken one by one, so findings come as they
are read, and each pair is looked at once: `a` came before `b`. Pairs come in the order of `b`, and for one `b` in the
order of `a`.

With `against` only pairs across the two sets are looked for: `a` is one of the operations, `b` one of those that they
are held against, in this order. The sets have their names apart: an id in both names two operations.

For files with many thousands of operations see `judge/screen_many.py`, which finds the same, faster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from wideberth.core.judge.columns import Named4D
from wideberth.core.judge.picture import Picture
from wideberth.core.judge.separation import Answer, Verdict, judge
from wideberth.core.say import instant
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.volume import Volume4D
from wideberth.errors import BadInput


class Operation(msgspec.Struct, frozen=True):
    """A flight, a plan or a notice to be screened."""

    id: str
    volumes: tuple[Volume4D, ...]


class Finding(msgspec.Struct, frozen=True):
    """A pair that conflicts, ready for JSON (design.md §8). Metres and seconds; times are RFC 3339 in UTC.

    The numbers are those of the worst pair of volumes: a conflict before too close to call, then the nearest on the
    ground, then in height, then the longest together. `horizontal_m` is 0 when the areas meet, `vertical_m` when the
    bands may overlap; `time_overlap_s` is negative by the gap when only the minimum in time makes it a conflict.
    """

    a: str
    b: str
    verdict: str
    horizontal_m: float
    vertical_m: float
    time_overlap_s: float
    start: str
    end: str
    rule: str
    a_volume: int
    b_volume: int


class Meeting(NamedTuple):
    """Two operations that conflict, and the verdict on their worst pair of volumes, by number."""

    a: Named4D
    b: Named4D
    verdict: Verdict
    a_volume: int
    b_volume: int

    @property
    def finding(self) -> Finding:
        verdict = self.verdict
        return Finding(
            a=self.a.id,
            b=self.b.id,
            verdict=verdict.answer.value,
            horizontal_m=(verdict.horizontal_mm or 0) / 1000,
            vertical_m=max(0, verdict.vertical_mm) / 1000,
            time_overlap_s=verdict.time_overlap_ms / 1000,
            start=instant.show(verdict.start_ms),
            end=instant.show(verdict.end_ms),
            rule=verdict.rule,
            a_volume=self.a_volume,
            b_volume=self.b_volume,
        )


def screen(
    operations: Iterable[Named4D],
    minima: SeparationMinima,
    *,
    pressure_margin_mm: int = 610_000,
    against: Iterable[Named4D] | None = None,
) -> Iterator[Finding]:
    """Every conflicting pair, once. Raises BadInput when an id comes twice in one set."""
    for meeting in meetings(operations, minima, pressure_margin_mm=pressure_margin_mm, against=against):
        yield meeting.finding


def meetings(
    operations: Iterable[Named4D],
    minima: SeparationMinima,
    *,
    pressure_margin_mm: int = 610_000,
    against: Iterable[Named4D] | None = None,
) -> Iterator[Meeting]:
    """As `screen`, with the operations themselves and the whole verdict."""
    seen = _Seen()
    if against is not None:
        for operation in against:
            seen.add(operation)
    names: set[str] = set()
    for operation in operations:
        if against is not None:
            new_name(operation.id, names)
        worst: dict[int, Weighed] = {}
        for number, volume in enumerate(operation.volumes):
            near = seen.picture.near(volume, minima, pressure_margin_mm=pressure_margin_mm)
            for other, other_number, candidate in near:
                a, b = (other_number, candidate), (number, volume)
                weighed = _weigh(*((a, b) if against is None else (b, a)), minima, pressure_margin_mm)
                if weighed.verdict.open:
                    place = seen.places[other]
                    worst[place] = weighed.worse(worst.get(place))
        for place, weighed in sorted(worst.items()):
            there = seen.operations[place]
            pair = (there, operation) if against is None else (operation, there)
            yield Meeting(*pair, weighed.verdict, weighed.a_volume, weighed.b_volume)
        if against is None:
            seen.add(operation)


def _weigh(
    a: tuple[int, Volume4D], b: tuple[int, Volume4D], minima: SeparationMinima, pressure_margin_mm: int
) -> Weighed:
    """Two volumes, each with its number."""
    return Weighed.of(judge(a[1], b[1], minima, pressure_margin_mm=pressure_margin_mm), a[0], b[0])


class _Seen:
    """Operations that later ones are held against, in the index, by name and by place in the order."""

    def __init__(self) -> None:
        self.picture = Picture()
        self.places: dict[str, int] = {}
        self.operations: list[Named4D] = []

    def add(self, operation: Named4D) -> None:
        new_name(operation.id, self.places)
        self.picture.add(operation.id, operation.volumes)
        self.places[operation.id] = len(self.operations)
        self.operations.append(operation)


def new_name(id_: str, names: set[str] | dict[str, int]) -> None:
    """Raises BadInput when the id is among the names already; adds it to a set."""
    if id_ in names:
        raise BadInput(f"the id {id_!r} comes twice; ids of operations are unique", field="id")
    if isinstance(names, set):
        names.add(id_)


class Weighed(NamedTuple):
    """A verdict on a pair of volumes, and how bad it is: smaller is worse. Of equally bad ones the first counts."""

    badness: tuple[int, int, int, int, int, int]
    verdict: Verdict
    a_volume: int
    b_volume: int

    @classmethod
    def of(cls, verdict: Verdict, a_volume: int, b_volume: int) -> Weighed:
        badness = (
            0 if verdict.answer is Answer.CONFLICT else 1,
            verdict.horizontal_mm or 0,
            max(0, verdict.vertical_mm),
            -verdict.time_overlap_ms,
            a_volume,
            b_volume,
        )
        return cls(badness, verdict, a_volume, b_volume)

    def worse(self, other: Weighed | None) -> Weighed:
        return self if other is None or self.badness < other.badness else other
