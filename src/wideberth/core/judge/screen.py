# SPDX-License-Identifier: Apache-2.0
"""All operations against all others: one finding for each pair of operations that conflict.

    for finding in screen(operations, RULE_OF_THREES):
        print(msgspec.json.encode(finding).decode())

Candidate pairs come from the index (`judge/picture.py`, outward only); the predicate decides (`judge/separation.py`).
Volumes of one operation are not held against each other. Operations are taken one by one, so findings come as they
are read, and each pair is looked at once, in the order of the input: `a` came before `b`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from wideberth.core.judge.picture import Picture
from wideberth.core.judge.separation import Answer, Verdict, judge
from wideberth.core.say import instant
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.volume import Volume4D
from wideberth.errors import BadInput


class Named4D(Protocol):
    """Anything with a name and volumes: an operation, a plan of volumes."""

    @property
    def id(self) -> str: ...
    @property
    def volumes(self) -> tuple[Volume4D, ...]: ...


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


def screen(
    operations: Iterable[Named4D], minima: SeparationMinima, *, pressure_margin_mm: int = 610_000
) -> Iterator[Finding]:
    """Every conflicting pair, once. Raises BadInput when an id comes twice."""
    seen = Picture()
    for operation in operations:
        if operation.id in seen:
            raise BadInput(f"the id {operation.id!r} comes twice; ids of operations are unique", field="id")
        worst: dict[str, tuple[tuple[int, int, int, int], Verdict, int, int]] = {}
        for number, volume in enumerate(operation.volumes):
            for other, other_number, candidate in seen.near(volume, minima, pressure_margin_mm=pressure_margin_mm):
                verdict = judge(candidate, volume, minima, pressure_margin_mm=pressure_margin_mm)
                if verdict.open:
                    badness = _badness(verdict)
                    if other not in worst or badness < worst[other][0]:
                        worst[other] = (badness, verdict, other_number, number)
        for other, (_, verdict, other_number, number) in worst.items():
            yield _finding(other, operation.id, verdict, other_number, number)
        seen.add(operation.id, operation.volumes)


def _badness(verdict: Verdict) -> tuple[int, int, int, int]:
    """Smaller is worse."""
    return (
        0 if verdict.answer is Answer.CONFLICT else 1,
        verdict.horizontal_mm or 0,
        max(0, verdict.vertical_mm),
        -verdict.time_overlap_ms,
    )


def _finding(a: str, b: str, verdict: Verdict, a_volume: int, b_volume: int) -> Finding:
    return Finding(
        a=a,
        b=b,
        verdict=verdict.answer.value,
        horizontal_m=(verdict.horizontal_mm or 0) / 1000,
        vertical_m=max(0, verdict.vertical_mm) / 1000,
        time_overlap_s=verdict.time_overlap_ms / 1000,
        start=instant.show(verdict.start_ms),
        end=instant.show(verdict.end_ms),
        rule=verdict.rule,
        a_volume=a_volume,
        b_volume=b_volume,
    )
