# SPDX-License-Identifier: Apache-2.0
"""An operation made ready once: its volumes as rows with their boxes, and the corners of their shapes (`layout.py`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wideberth.core.judge.columns import LINE, POINT, REFS, RING, Columns
from wideberth.core.judge.live.bounds import put_boxes
from wideberth.core.judge.live.layout import COUNT_SHIFT
from wideberth.core.say import geodesy
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput

Words = NDArray[np.int64]

_REF_CODE: Final = {ref: code for code, ref in enumerate(REFS)}


class Ready(NamedTuple):
    """`rows` int64[n, 12] and `corners` int64[m, 2], as in `layout.py`; nothing changes them. `end_ms`: when the last
    volume ends."""

    key: str
    rows: Words
    corners: Words
    end_ms: int

    @classmethod
    def of(cls, key: str, volumes: tuple[Volume4D, ...]) -> Ready:
        """From typed volumes, at least one."""
        points: list[Point] = []
        rows = []
        for volume in volumes:
            shape, lower, upper = volume.shape, volume.lower, volume.upper
            spine = geodesy.spine(shape)
            refs = _REF_CODE[lower.ref] | _REF_CODE[upper.ref] << 3
            rows.append(
                (0, 0, 0, volume.start_ms, volume.end_ms, lower.mm, upper.mm, refs,
                 _kind(shape), len(points), len(spine), geodesy.reach_mm(shape))
            )  # fmt: skip
            points += spine
        corners = np.array([(p.lat_ndeg, p.lng_ndeg) for p in points], np.int64)
        ready = cls(key, np.array(rows, np.int64), corners, max(v.end_ms for v in volumes))
        ready.rows[0, 7] |= len(rows) << COUNT_SHIFT
        put_boxes(ready.rows, ready.corners)
        return ready

    @property
    def volumes(self) -> tuple[Volume4D, ...]:
        """The volumes again, exactly."""
        return tuple(self.volume(n) for n in range(len(self.rows)))

    def volume(self, n: int) -> Volume4D:
        return volume_of(self.rows[n, :8], self.rows[n, 8:], self.corners)


def volume_of(record: Words, spine: Words, corners: Words) -> Volume4D:
    """A typed volume from its record, its spine and the corners that it counts in."""
    _, _, _, start_ms, end_ms, low_mm, high_mm, refs = record.tolist()
    kind, first, count, reach_mm = spine.tolist()
    points = tuple(Point(lat, lng) for lat, lng in corners[first : first + count].tolist())
    shape: Shape
    if kind == POINT:
        shape = Circle(points[0], reach_mm)
    else:
        shape = Corridor(points, reach_mm) if kind == LINE else Polygon(points)
    lower, upper = Altitude(low_mm, REFS[refs & 7]), Altitude(high_mm, REFS[refs >> 3 & 7])
    return Volume4D(shape, lower, upper, start_ms, end_ms)


def _kind(shape: Shape) -> int:
    if isinstance(shape, Circle):
        return POINT
    return RING if isinstance(shape, Polygon) else LINE


def each(columns: Columns, keys: Sequence[str]) -> Iterator[Ready]:
    """The operations of columns, made ready in one go; `keys` by `columns.op`, whose volumes lie together and ascend.

    Raises BadInput for columns that do not fit."""
    columns.checked()
    op, first = columns.op, columns.first
    if np.any(op[1:] < op[:-1]) or (len(op) and (op[0] < 0 or op[-1] >= len(keys))):
        raise BadInput("operations must come in ascending order, and each have a key", field="op")
    refs = columns.low_ref.astype(np.int64) | columns.high_ref.astype(np.int64) << 3
    nothing = np.zeros(len(op), np.int64)
    rows = np.column_stack(
        (nothing, nothing, nothing, columns.start_ms, columns.end_ms, columns.low_mm, columns.high_mm, refs,
         columns.kind, first[:-1], np.diff(first), columns.reach_mm)
    )  # fmt: skip
    corners = np.column_stack((columns.lat_ndeg, columns.lng_ndeg))
    put_boxes(rows, corners)
    numbers, begins = np.unique(op, return_index=True)
    ends = np.append(begins[1:], len(op))
    for number, begin, end in zip(numbers.tolist(), begins.tolist(), ends.tolist(), strict=True):
        own = rows[begin:end].copy()
        own[0, 7] |= (end - begin) << COUNT_SHIFT
        own[:, 9] -= first[begin]
        yield Ready(keys[number], own, corners[first[begin] : first[end]].copy(), int(own[:, 4].max()))
