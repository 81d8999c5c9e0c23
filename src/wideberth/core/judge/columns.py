# SPDX-License-Identifier: Apache-2.0
"""Volumes as columns: what a screening of many volumes works on, in whole numbers as on the wire.

    columns = Columns.of(operations)          # from typed objects
    columns = Columns(op=…, start_ms=…, …)    # from arrays that are there already
    columns.volume(17)                        # and back, exactly

A shape is a spine and a reach beyond it (judge/outline.py), so three kinds hold every shape: a point (circle), a line
(corridor) and a filled ring (polygon). Numpy is needed here; it comes with the extra `fast`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Final, Protocol

from wideberth.core.say import geodesy
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Codes = NDArray[np.int8]

POINT: Final = 0
LINE: Final = 1
RING: Final = 2

# The codes of references in `low_ref` and `high_ref` are places in this list.
REFS: Final = (VerticalRef.AMSL, VerticalRef.W84, VerticalRef.FL, VerticalRef.AGL, VerticalRef.SFC, VerticalRef.UNL)
_REF_CODE: Final = {ref: code for code, ref in enumerate(REFS)}


class Named4D(Protocol):
    """Anything with a name and volumes: an operation, a plan of volumes."""

    @property
    def id(self) -> str: ...
    @property
    def volumes(self) -> tuple[Volume4D, ...]: ...


@dataclass(frozen=True, eq=False)
class Columns:
    """n volumes of some operations, with m vertices in all.

    `op` (n): whose the volume is; volumes of one operation are never held against each other. Windows `[start_ms,
    end_ms)`, ms UTC (n). `low_mm`, `high_mm` with `low_ref`, `high_ref` (n), places in `REFS`. `kind` (n): POINT, LINE
    or RING. `first` (n + 1): the vertices of volume i are `first[i]` to `first[i + 1] - 1`. `lat_ndeg`, `lng_ndeg` (m):
    WGS-84, 1e-9 degree, a ring without its first corner again. `reach_mm` (n): radius, half width, or 0.
    """

    op: NDArray[np.int32]
    start_ms: Ints
    end_ms: Ints
    low_mm: Ints
    high_mm: Ints
    low_ref: Codes
    high_ref: Codes
    kind: Codes
    first: Ints
    lat_ndeg: Ints
    lng_ndeg: Ints
    reach_mm: Ints

    def __len__(self) -> int:
        return len(self.op)

    @classmethod
    def of(cls, operations: Iterable[Named4D]) -> Columns:
        """From typed objects; `op` counts the operations as they come."""
        op: list[int] = []
        volumes: list[Volume4D] = []
        for number, operation in enumerate(operations):
            volumes.extend(operation.volumes)
            op.extend([number] * len(operation.volumes))
        return cls.of_volumes(volumes, op)

    @classmethod
    def of_volumes(cls, volumes: list[Volume4D], op: list[int] | None = None) -> Columns:
        """From volumes, and whose each is (each its own operation, unless said)."""
        import numpy as np

        code = _REF_CODE
        spines = [geodesy.spine(volume.shape) for volume in volumes]
        points = list(chain.from_iterable(spines))

        def column(values: Iterable[int], kind: Any = np.int64) -> Any:
            return np.array(list(values), dtype=kind)

        return cls(
            op=column(range(len(volumes)) if op is None else op, np.int32),
            start_ms=column(v.start_ms for v in volumes),
            end_ms=column(v.end_ms for v in volumes),
            low_mm=column(v.lower.mm for v in volumes),
            high_mm=column(v.upper.mm for v in volumes),
            low_ref=column((code[v.lower.ref] for v in volumes), np.int8),
            high_ref=column((code[v.upper.ref] for v in volumes), np.int8),
            kind=column((_kind(v.shape) for v in volumes), np.int8),
            first=column(accumulate(map(len, spines), initial=0)),
            lat_ndeg=column(p.lat_ndeg for p in points),
            lng_ndeg=column(p.lng_ndeg for p in points),
            reach_mm=column(geodesy.reach_mm(v.shape) for v in volumes),
        )

    def checked(self) -> Columns:
        """Itself, when the columns fit together and every value is one that a volume may have. Raises BadInput."""
        import numpy as np

        n, m = len(self.op), len(self.lat_ndeg)
        per_volume = (
            "start_ms", "end_ms", "low_mm", "high_mm", "low_ref", "high_ref", "kind", "reach_mm"
        )  # fmt: skip
        for name in per_volume:
            if len(getattr(self, name)) != n:
                raise BadInput(f"the column {name} has {len(getattr(self, name))} values for {n} volumes", field=name)
        if len(self.first) != n + 1 or len(self.lng_ndeg) != m or (n and (self.first[0] != 0 or self.first[-1] != m)):
            raise BadInput("`first` must lead from 0 to the number of vertices, in one step a volume", field="first")
        if n == 0:
            return self
        corners = np.diff(self.first)
        # Each is computed only while all before it hold, and without what as many values would cost in memory.
        faults: tuple[tuple[str, Callable[[], NDArray[np.bool_]]], ...] = (
            ("kind", lambda: (self.kind < POINT) | (self.kind > RING)),
            ("first", lambda: (corners < self.kind + 1) | ((self.kind == POINT) & (corners != 1))),
            ("start_ms", lambda: (self.start_ms < 0) | (self.start_ms >= self.end_ms)),
            ("reach_mm", lambda: (self.reach_mm < 0) | ((self.kind == RING) != (self.reach_mm == 0))),
            ("low_ref", lambda: (self.low_ref < 0) | (self.low_ref >= _REF_CODE[VerticalRef.UNL])),
            ("high_ref", lambda: (self.high_ref < 0) | (self.high_ref > _REF_CODE[VerticalRef.UNL])),
            ("high_mm", lambda: (self.low_mm > self.high_mm) & (self.low_ref == self.high_ref)),
        )
        for name, find in faults:
            fault = find()
            if fault.any():
                raise BadInput(f"the column {name} is not one of volumes, first at {int(fault.argmax())}", field=name)
        for name, column, most in (("lat_ndeg", self.lat_ndeg, 90 * 10**9), ("lng_ndeg", self.lng_ndeg, 180 * 10**9)):
            if column.min() < -most or column.max() > most:
                at = int((abs(column) > most).argmax())
                raise BadInput(f"the column {name} is not one of degrees, first at {at}", field=name)
        return self

    def volume(self, i: int) -> Volume4D:
        """Volume `i` as a typed object."""
        points = tuple(
            Point(int(self.lat_ndeg[k]), int(self.lng_ndeg[k])) for k in range(self.first[i], self.first[i + 1])
        )
        reach = int(self.reach_mm[i])
        shape: Shape
        if self.kind[i] == POINT:
            shape = Circle(points[0], reach)
        else:
            shape = Corridor(points, reach) if self.kind[i] == LINE else Polygon(points)
        return Volume4D(
            shape,
            Altitude(int(self.low_mm[i]), REFS[self.low_ref[i]]),
            Altitude(int(self.high_mm[i]), REFS[self.high_ref[i]]),
            int(self.start_ms[i]),
            int(self.end_ms[i]),
        )


def _kind(shape: Shape) -> int:
    if isinstance(shape, Circle):
        return POINT
    return RING if isinstance(shape, Polygon) else LINE
