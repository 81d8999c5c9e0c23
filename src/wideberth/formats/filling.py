# SPDX-License-Identifier: Apache-2.0
"""Columns of operations while they are read from files, with the names and the places of what is in them.

Both readers of many operations (`many.py`, `parquet.py`) put what they read in here and ask `not_volumes` first. Numpy
is needed; it comes with the extra `fast`.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

from wideberth.core.judge.columns import POINT, REFS, RING, Columns
from wideberth.core.judge.screen_many import Many
from wideberth.core.limits import CORNERS_PER_SHAPE_MAX, INTEGER_MAX
from wideberth.core.say.place import ALTITUDE_MM_MAX, ALTITUDE_MM_MIN, LAT_NDEG_MAX, LNG_NDEG_MAX, VerticalRef
from wideberth.core.say.ring import flaw
from wideberth.core.say.volume import LENGTH_MM_MAX, Polygon
from wideberth.errors import BadInput
from wideberth.formats.convex import surely_simple
from wideberth.formats.operations import Operation, somewhere, twice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SFC, _UNL = REFS.index(VerticalRef.SFC), REFS.index(VerticalRef.UNL)

_KINDS: Final = {
    "start_ms": "int64", "end_ms": "int64", "low_mm": "int64", "high_mm": "int64", "low_ref": "int8",
    "high_ref": "int8", "kind": "int8", "first": "int64", "lat_ndeg": "int64", "lng_ndeg": "int64",
    "reach_mm": "int64",
}  # fmt: skip


class Filling:
    """Columns that grow, and the names and places of the operations in them."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.first_against: int | None = None
        self._volumes = array("q")  # of each operation
        self._pieces: list[Columns] = []
        self._numbers: dict[str, int] = {}
        self._lines = array("q")
        self._files: list[tuple[int, str]] = []
        self._places: dict[int, str] = {}

    def file(self, name: str) -> None:
        """What comes now is from this file."""
        self._files.append((len(self.ids), name))

    def against(self) -> None:
        """What comes now is what all before is held against; its names are its own."""
        self.first_against = len(self.ids)
        self._numbers.clear()

    def name(self, id_: str, volumes: int, *, line: int = 0, where: str = "") -> None:
        """The next operation, from a line of the file or from a place in words. Raises BadInput: nowhere, or twice."""
        number = len(self.ids)
        self._lines.append(line)
        if where:
            self._places[number] = where
        if not volumes:
            somewhere(id_, volumes, self._where(number))
        first = self._numbers.setdefault(id_, number)
        if first != number:
            raise twice(id_, self._where(number), self._where(first))
        self.ids.append(id_)
        self._volumes.append(volumes)

    def take(self, columns: Columns) -> None:
        """The volumes of the operations that were named since; `op` of these columns is not looked at."""
        self._pieces.append(columns)

    def operation(self, operation: Operation, *, line: int = 0, where: str = "") -> None:
        """One operation as a typed object."""
        self.name(operation.id, len(operation.volumes), line=line, where=where)
        self.take(Columns.of_volumes(list(operation.volumes)))

    def done(self) -> Many:
        """All of it. Pieces are given up one column after the other, so that little stands in memory twice."""
        import numpy as np

        pieces = [vars(piece) for piece in self._pieces]
        self._pieces = []
        for piece in pieces:
            piece["first"] = np.diff(piece["first"])
        whole: dict[str, Any] = {}
        for field, kind in _KINDS.items():
            parts = [piece.pop(field) for piece in pieces]
            whole[field] = np.concatenate(parts) if parts else np.zeros(0, kind)
        counts = whole["first"]
        whole["first"] = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=whole["first"][1:])
        whole["op"] = np.repeat(np.arange(len(self.ids), dtype=np.int32), np.frombuffer(self._volumes, np.int64))
        return Many(Columns(**whole), self.ids, self.first_against)

    def _where(self, number: int) -> str:
        name = next(name for first, name in reversed(self._files) if first <= number)
        return self._places.get(number) or f"{name}, line {self._lines[number]}"


def cut(columns: Columns, begin: int, end: int) -> Columns:
    """Volumes begin … end, as views."""
    vertices = slice(int(columns.first[begin]), int(columns.first[end]))
    cut: dict[str, Any] = {name: getattr(columns, name)[begin:end] for name in ("op", *_KINDS)}
    cut["first"] = columns.first[begin : end + 1] - columns.first[begin]
    return Columns(**cut | {name: getattr(columns, name)[vertices] for name in ("lat_ndeg", "lng_ndeg")})


def not_volumes(columns: Columns) -> NDArray[np.bool_]:
    """Which of these are not volumes that `Volume4D` and `must_be_simple` would take: to be told by them why."""
    import numpy as np

    sizes, kind, reach = np.diff(columns.first), columns.kind, columns.reach_mm
    if not len(kind):
        return np.zeros(0, bool)
    low_ref, high_ref = columns.low_ref, columns.high_ref
    wrong: NDArray[np.bool_] = (columns.start_ms < 0) | (columns.start_ms >= columns.end_ms)
    wrong |= columns.end_ms > INTEGER_MAX
    wrong |= (sizes > CORNERS_PER_SHAPE_MAX) | (sizes < np.array([1, 2, 3])[kind]) | ((kind == POINT) & (sizes != 1))
    wrong |= (reach < 0) | (reach > LENGTH_MM_MAX) | ((kind == RING) != (reach == 0))
    wrong |= (low_ref == _UNL) | (high_ref == _SFC) | ((low_ref == high_ref) & (columns.low_mm > columns.high_mm))
    for mm, ref in ((columns.low_mm, low_ref), (columns.high_mm, high_ref)):
        bare = (ref == _SFC) | (ref == _UNL)
        wrong |= np.where(bare, mm != 0, (mm < ALTITUDE_MM_MIN) | (mm > ALTITUDE_MM_MAX))
    off = (np.abs(columns.lat_ndeg) > LAT_NDEG_MAX) | (np.abs(columns.lng_ndeg) > LNG_NDEG_MAX)
    wrong |= np.logical_or.reduceat(off, columns.first[:-1])
    doubtful = (kind == RING) & ~wrong & ~surely_simple(columns.first, columns.lat_ndeg, columns.lng_ndeg)
    for i in np.flatnonzero(doubtful):
        wrong[i] = not _simple(columns, int(i))
    return wrong


def _simple(columns: Columns, i: int) -> bool:
    try:
        shape = columns.volume(i).shape
    except BadInput:
        return False
    return isinstance(shape, Polygon) and flaw(shape) is None
