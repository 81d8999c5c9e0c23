# SPDX-License-Identifier: Apache-2.0
"""Many operations straight into columns: what `operations.read` reads, without a typed object for each volume.

    filling = Filling()
    with open(path, "rb") as file:
        fill(filling, file, path)
    many = filling.done()                    # judge/screen_many.py

Lines are decoded some thousands at a time, and what is plainly a volume is checked and turned into whole numbers by
column. Whatever is not plain (another form, a rare spelling of a time, a fault) is read again by `operations.py`, line
by line: so both read the same, and every fault is told in the same words. Besides the columns, memory holds one batch
of lines. Numpy is needed here; it comes with the extra `fast`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wideberth.core.judge.columns import LINE, POINT, REFS, RING, Columns
from wideberth.core.say.place import ALTITUDE_MM_MAX, LAT_NDEG_MAX, LNG_NDEG_MAX, VerticalRef
from wideberth.core.say.units import NDEG_PER_DEGREE
from wideberth.core.say.volume import LENGTH_MM_MAX
from wideberth.formats import astm
from wideberth.formats.filling import Filling, cut, not_volumes
from wideberth.formats.operations import (
    OPERATION,
    Wire,
    bounded,
    in_document,
    in_line,
    numbered,
)
from wideberth.formats.times import times_ms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# One batch of lines is held in memory twice, as text and decoded.
_BATCH_LINES: Final = 2_048
_BATCH_BYTES: Final = 8 * 1024 * 1024

_CODE: Final = {ref: code for code, ref in enumerate(REFS)}
_SFC, _UNL, _W84 = _CODE[VerticalRef.SFC], _CODE[VerticalRef.UNL], _CODE[VerticalRef.W84]


def fill(filling: Filling, lines: Iterable[bytes], name: str) -> None:
    """Everything in a file of JSON, JSON Lines or GeoJSON. Raises BadInput as `operations.read` does."""
    filling.file(name)
    by_line, rest = numbered(lines, name)
    if by_line:
        for batch in _batches(rest, name):
            _fill_batch(filling, batch, name)
    else:
        for where, operation in in_document(rest, name):
            filling.operation(operation, where=where)


def _batches(rest: Iterator[tuple[int, bytes]], name: str) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    size = 0
    for n, line in rest:
        bounded(len(line), f"{name}, line {n}")
        batch.append((n, line))
        size += len(line)
        if len(batch) >= _BATCH_LINES or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _fill_batch(filling: Filling, batch: list[tuple[int, bytes]], name: str) -> None:
    import numpy as np

    flat = _Flat()
    ids, begins = [], [0]
    slow = np.zeros(len(batch), bool)
    for k, (_, line) in enumerate(batch):
        try:
            wire = OPERATION.decode(line)
            flat.operation(wire)
            ids.append(str(wire.id))
        except (msgspec.DecodeError, _NotPlainError):
            flat.back_to(begins[-1])
            slow[k] = True
            ids.append("")
        begins.append(len(flat.kind))
    columns, odd = flat.columns()
    odd |= not_volumes(columns)
    slow[np.searchsorted(begins, np.flatnonzero(odd), side="right") - 1] = True
    at = 0
    for k in [*np.flatnonzero(slow).tolist(), len(batch)]:
        for i in range(at, k):
            filling.name(ids[i], begins[i + 1] - begins[i], line=batch[i][0])
        if begins[k] > begins[at]:
            filling.take(cut(columns, begins[at], begins[k]))
        if k < len(batch):
            n, line = batch[k]
            for operation in in_line(line, f"{name}, line {n}"):
                filling.operation(operation, line=n)
        at = k + 1


class _NotPlainError(Exception):
    """To be read by `operations.py`."""


class _Flat:
    """The values of decoded volumes, by column, as they were written."""

    def __init__(self) -> None:
        self.kind: list[int] = []
        self.counts: list[int] = []
        self.reach: list[float] = []
        self.low: list[float] = []
        self.low_ref: list[int] = []
        self.high: list[float] = []
        self.high_ref: list[int] = []
        self.start: list[str] = []
        self.end: list[str] = []
        self.lat: list[float] = []
        self.lng: list[float] = []

    def back_to(self, volumes: int) -> None:
        """Forget what came after so many volumes; of the last one some columns may be missing."""
        points = sum(self.counts[volumes:])
        if points:
            del self.lat[-points:], self.lng[-points:]
        for column in (
            self.kind, self.counts, self.reach, self.low, self.low_ref, self.high, self.high_ref, self.start, self.end
        ):  # fmt: skip
            del column[volumes:]

    def operation(self, wire: Wire) -> None:
        for volume in wire.volumes:
            self._volume(volume)

    def _volume(self, given: astm.AstmVolume4D) -> None:
        room, start, end = given.volume, given.time_start, given.time_end
        own, circle, polygon = room.x_wideberth, room.outline_circle, room.outline_polygon
        if start is None or end is None or (circle is not None and polygon is not None):
            raise _NotPlainError
        low, high, low_ref, high_ref, corridor = room.altitude_lower, room.altitude_upper, _W84, _W84, None
        if own is not None:
            corridor = own.outline_corridor
            if own.altitude_lower is not None:
                low, low_ref = own.altitude_lower, _CODE[VerticalRef(own.altitude_lower.reference)]
            if own.altitude_upper is not None:
                high, high_ref = own.altitude_upper, _CODE[VerticalRef(own.altitude_upper.reference)]
        if (low_ref == _W84 and low is not None and low.reference != "W84") or (
            high_ref == _W84 and high is not None and high.reference != "W84"
        ):
            raise _NotPlainError
        if corridor is not None:
            kind, points, reach = LINE, corridor.route, corridor.half_width.value
        elif circle is not None:
            kind, points, reach = POINT, [circle.center], circle.radius.value
        elif polygon is not None:
            kind, points, reach = RING, polygon.vertices, 0.0
        else:
            raise _NotPlainError
        if not points:
            raise _NotPlainError
        self.lat += [p.lat for p in points]
        self.lng += [p.lng for p in points]
        self.kind.append(kind)
        self.counts.append(len(points))
        self.reach.append(reach)
        self.low.append(0.0 if low is None else low.value)
        self.low_ref.append(_SFC if low is None else low_ref)
        self.high.append(0.0 if high is None else high.value)
        self.high_ref.append(_UNL if high is None else high_ref)
        self.start.append(start.value)
        self.end.append(end.value)

    def columns(self) -> tuple[Columns, NDArray[np.bool_]]:
        """In whole numbers, rings opened; and which volumes are out of the range of these numbers. `op` is 0."""
        import numpy as np

        lat, far_lat = _whole(self.lat, NDEG_PER_DEGREE, LAT_NDEG_MAX)
        lng, far_lng = _whole(self.lng, NDEG_PER_DEGREE, LNG_NDEG_MAX)
        reach, odd = _whole(self.reach, astm.MM, LENGTH_MM_MAX)
        low, odd_low = _whole(self.low, astm.MM, ALTITUDE_MM_MAX)
        high, odd_high = _whole(self.high, astm.MM, ALTITUDE_MM_MAX)
        start, odd_start = times_ms(self.start, up=False)
        end, odd_end = times_ms(self.end, up=True)
        odd |= odd_low | odd_high | odd_start | odd_end
        counts, kind = np.array(self.counts, np.int64), np.array(self.kind, np.int8)
        first = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=first[1:])
        if len(counts):
            odd |= np.logical_or.reduceat(far_lat | far_lng, first[:-1])
            # The standard forbids the repeated first vertex, but many tools close their rings (astm.py).
            heads, tails = first[:-1], first[1:] - 1
            shut = (kind == RING) & (counts > 3) & (lat[heads] == lat[tails]) & (lng[heads] == lng[tails])
            if shut.any():
                keep = np.ones(len(lat), bool)
                keep[tails[shut]] = False
                lat, lng = lat[keep], lng[keep]
                np.cumsum(counts - shut, out=first[1:])
        low_ref, high_ref = np.array(self.low_ref, np.int8), np.array(self.high_ref, np.int8)
        op = np.zeros(len(kind), np.int32)
        return Columns(op, start, end, low, high, low_ref, high_ref, kind, first, lat, lng, reach), odd


def _whole(values: list[float], scale: int, most: int) -> tuple[Any, Any]:
    """The nearest whole numbers to value times scale, as `astm.py` has them; and which are beyond the most."""
    import numpy as np

    with np.errstate(over="ignore"):  # then it is beyond
        scaled = np.array(values, np.float64) * scale
    beyond = ~(np.abs(scaled) <= most)
    return np.rint(np.where(beyond, 0.0, scaled)).astype(np.int64), beyond
