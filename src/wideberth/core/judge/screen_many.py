# SPDX-License-Identifier: Apache-2.0
"""`screen` for many operations, from columns: the same findings in the same order, byte for byte.

    many = Many(columns, ids)
    for meeting in many.meetings(RULE_OF_THREES):
        print(msgspec.json.encode(meeting.finding).decode())

`judge/batch.py` says which volumes conflict; the exact predicate is asked again for each of those pairs alone, for the
numbers in the finding. Numpy is needed here; it comes with the extra `fast`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from wideberth.core.judge.batch import conflicts
from wideberth.core.judge.columns import Columns
from wideberth.core.judge.screen import Meeting, Operation, Weighed
from wideberth.core.judge.separation import judge
from wideberth.core.say.minima import SeparationMinima


@dataclass(frozen=True, eq=False)
class Many:
    """Volumes as columns, those of one operation together and operations in their order; `ids[k]` names operation k.

    `first_against`: from this operation on they are what the others are held against; `None` is all against all.
    """

    columns: Columns
    ids: Sequence[str]
    first_against: int | None = None

    def meetings(self, minima: SeparationMinima, *, pressure_margin_mm: int = 610_000) -> Iterator[Meeting]:
        """Every conflicting pair of operations, once, as `screen.meetings` has them."""
        import numpy as np

        columns, cut = self.columns, self.first_against
        found = conflicts(columns, minima, pressure_margin_mm=pressure_margin_mm)
        pairs, op = found.pairs, columns.op
        # Volumes stand in the order of their operations, so the smaller number is the earlier operation's.
        a, b = op[pairs[:, 0]], op[pairs[:, 1]]
        if cut is None:
            order = np.lexsort((pairs[:, 1], pairs[:, 0], a, b))
        else:
            across = np.flatnonzero((a < cut) & (b >= cut))
            order = across[np.lexsort((pairs[across, 1], pairs[across, 0], b[across], a[across]))]
        begins = np.searchsorted(op, np.arange(len(self.ids) + 1)).tolist()
        listed = zip(a[order].tolist(), b[order].tolist(), pairs[order].tolist(), strict=True)
        for (one, other), group in groupby(listed, key=lambda row: row[:2]):
            worst: Weighed | None = None
            for _, _, (i, j) in group:
                verdict = judge(columns.volume(i), columns.volume(j), minima, pressure_margin_mm=pressure_margin_mm)
                worst = Weighed.of(verdict, i - begins[one], j - begins[other]).worse(worst)
            assert worst is not None
            a_whole, b_whole = self._operation(one, begins), self._operation(other, begins)
            yield Meeting(a_whole, b_whole, worst.verdict, worst.a_volume, worst.b_volume)

    def _operation(self, number: int, begins: list[int]) -> Operation:
        volumes = (self.columns.volume(i) for i in range(begins[number], begins[number + 1]))
        return Operation(self.ids[number], tuple(volumes))
