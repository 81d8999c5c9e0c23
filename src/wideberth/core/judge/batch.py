# SPDX-License-Identifier: Apache-2.0
"""Many volumes against each other: which pairs conflict?

    found = conflicts(Columns.of(operations), RULE_OF_THREES)
    found.pairs, found.answers                # volumes, by number; CONFLICT or TOO_CLOSE
    found.operations()                        # pairs of operations, each once

With the extra `fast` compiled kernels do the work (judge/fast): boxes that only err outward, a grid swept in time, and
a flat map with a proved error. What the map does not decide is decided by the exact predicate (judge/separation.py), as
everything is where numba is not installed: the answer is the same, later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wideberth.core.judge.columns import Columns
from wideberth.core.judge.fast import available
from wideberth.core.judge.picture import Picture
from wideberth.core.judge.separation import Answer, judge
from wideberth.core.say.minima import SeparationMinima

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFLICT: Final = 1
TOO_CLOSE: Final = 2


@dataclass(frozen=True, eq=False)
class Found:
    """`pairs` (k, 2): numbers of volumes, the smaller first, in ascending order; each pair once. `answers` (k):
    CONFLICT or TOO_CLOSE (too close to call: acted on as a conflict). `weighed`: how many pairs came from the index;
    `exact`: how many of them the exact predicate decided."""

    pairs: NDArray[np.int64]
    answers: NDArray[np.int8]
    weighed: int
    exact: int
    _op: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.pairs)

    def operations(self) -> NDArray[np.int64]:
        """Pairs of operations that conflict, (k, 2), the smaller first, each once."""
        import numpy as np

        both = np.sort(self._op[self.pairs].astype(np.int64), axis=1)
        found: NDArray[np.int64] = np.unique(both, axis=0)
        return found


def conflicts(
    columns: Columns, minima: SeparationMinima, *, pressure_margin_mm: int = 610_000, compiled: bool | None = None
) -> Found:
    """Every pair of volumes of different operations that conflicts. Raises BadInput for columns that do not fit.

    `compiled`: whether to use the compiled kernels; by default, when they are installed.
    """
    columns.checked()
    if available() if compiled is None else compiled:
        return _compiled(columns, minima, pressure_margin_mm)
    return _plain(columns, minima, pressure_margin_mm)


def _compiled(columns: Columns, minima: SeparationMinima, margin_mm: int) -> Found:
    import numpy as np

    from wideberth.core.judge.fast.bounds import boxes_of
    from wideberth.core.judge.fast.flatmap import SEPARATE, UNDECIDED, weigh_pairs
    from wideberth.core.judge.fast.sweep import meeting

    boxes = boxes_of(
        columns, horizontal_mm=minima.horizontal_mm, vertical_mm=minima.vertical_mm, time_ms=minima.time_ms,
        margin_mm=margin_mm,
    )  # fmt: skip
    pairs = meeting(boxes.box, columns.op)
    answers = np.empty(len(pairs), dtype=np.int8)
    if len(pairs):
        weigh_pairs(
            pairs, boxes.box, columns.start_ms, columns.end_ms, columns.low_mm, columns.low_ref, columns.high_mm,
            columns.high_ref, columns.first, columns.lat_ndeg, columns.lng_ndeg, columns.reach_mm,
            minima.horizontal_mm, minima.vertical_mm, minima.time_ms, margin_mm, boxes.sure_of_time,
            boxes.sure_of_height, answers,
        )  # fmt: skip
    undecided = np.flatnonzero(answers == UNDECIDED)
    for k in undecided:
        i, j = pairs[k]
        answers[k] = _exactly(columns, int(i), int(j), minima, margin_mm)
    left = answers != SEPARATE
    return _ordered(pairs[left], answers[left], len(pairs), len(undecided), columns.op)


def _plain(columns: Columns, minima: SeparationMinima, margin_mm: int) -> Found:
    import numpy as np

    seen = Picture()
    pairs: list[tuple[int, int]] = []
    answers: list[int] = []
    weighed = 0
    for i in range(len(columns)):
        volume, owner = columns.volume(i), columns.op[i]
        for key, _, other in seen.near(volume, minima, pressure_margin_mm=margin_mm):
            j = int(key)
            if columns.op[j] == owner:
                continue
            weighed += 1
            answer = _code(judge(other, volume, minima, pressure_margin_mm=margin_mm).answer)
            if answer:
                pairs.append((j, i))
                answers.append(answer)
        seen.add(str(i), (volume,))
    return _ordered(
        np.array(pairs, dtype=np.int64).reshape(-1, 2), np.array(answers, dtype=np.int8), weighed, weighed, columns.op
    )


def _exactly(columns: Columns, i: int, j: int, minima: SeparationMinima, margin_mm: int) -> int:
    verdict = judge(columns.volume(i), columns.volume(j), minima, pressure_margin_mm=margin_mm)
    return _code(verdict.answer)


def _code(answer: Answer) -> int:
    return {Answer.SEPARATE: 0, Answer.CONFLICT: CONFLICT, Answer.TOO_CLOSE_TO_CALL: TOO_CLOSE}[answer]


def _ordered(
    pairs: NDArray[np.int64], answers: NDArray[np.int8], weighed: int, exact: int, op: NDArray[np.int32]
) -> Found:
    import numpy as np

    pairs = np.sort(pairs.astype(np.int64), axis=1)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return Found(pairs[order], answers[order], weighed, exact, op)
