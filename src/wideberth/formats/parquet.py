# SPDX-License-Identifier: Apache-2.0
"""Operations in Parquet files, for screening; the extra `parquet` (pyarrow) is needed. One row is one volume:

    id         text             the operation; its rows stand together
    start_ms   whole number     the window [start_ms, end_ms), milliseconds since 1970-01-01T00:00:00Z
    end_ms     whole number
    low_mm     whole number     the floor in millimetres, 0 for SFC
    low_ref    text             AMSL, W84, FL, AGL or SFC; FL: millimetres of pressure altitude, FL100 is 3,048,000
    high_mm    whole number     the top, 0 for UNL
    high_ref   text             AMSL, W84, FL, AGL or UNL
    kind       text             circle, corridor or polygon
    reach_mm   whole number     a circle's radius, a corridor's half width, 0 for a polygon
    lat_ndeg   list of whole numbers    WGS-84, 1e-9 degree: the centre, the route, or the corners in order,
    lng_ndeg   list of whole numbers    the first corner not again at the end

These are our own integers, so nothing is rounded. No value may be missing, and other columns are refused: a column that
somebody relied on and nobody read would be worse than none. Edges and legs are geodesics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final

from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.ring import must_be_simple
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.errors import BadInput
from wideberth.formats.operations import Operation, unique

if TYPE_CHECKING:
    from wideberth.core.judge.columns import Columns
    from wideberth.formats.filling import Filling

NUMBERS: Final = ("start_ms", "end_ms", "low_mm", "high_mm", "reach_mm")
TEXTS: Final = ("id", "low_ref", "high_ref", "kind")
LISTS: Final = ("lat_ndeg", "lng_ndeg")
KINDS: Final = ("circle", "corridor", "polygon")  # places: the codes of judge/columns.py

# Rows in memory at once, beside the columns.
_BATCH_ROWS: Final = 32_768

Progress = Callable[[int], None]


def is_parquet(head: bytes) -> bool:
    """Whether a file begins as Parquet files do."""
    return head[:4] == b"PAR1"


def rows(path: str) -> int:
    """How many volumes are in the file. Raises BadInput."""
    return int(_opened(path).metadata.num_rows)


def read(path: str, *, progress: Progress | None = None) -> Iterator[Operation]:
    """Operations in the order of the file. Raises BadInput that names the row, counted from 1."""
    return unique(placed(path, progress=progress))


def placed(path: str, *, progress: Progress | None = None) -> Iterator[tuple[str, Operation]]:
    """As `read`, each with its place in words, and names not compared."""

    def volumes() -> Iterator[tuple[str, int, Volume4D]]:
        row = 0
        for batch in _batches(path, progress):
            for given in batch.to_pylist():
                row += 1
                yield given["id"], row, _volume(given, f"{path}, row {row}")

    for id_, group in groupby(volumes(), key=lambda item: item[0]):
        members = list(group)
        yield f"{path}, row {members[0][1]}", Operation(id_, tuple(volume for _, _, volume in members))


def _volume(given: dict[str, Any], where: str) -> Volume4D:
    try:
        lats, lngs = given["lat_ndeg"], given["lng_ndeg"]
        if len(lats) != len(lngs):
            raise BadInput(f"{len(lats)} latitudes and {len(lngs)} longitudes", field="lat_ndeg")
        points = tuple(Point(lat, lng) for lat, lng in zip(lats, lngs, strict=True))
        low = Altitude(given["low_mm"], _ref(given["low_ref"], "low_ref"))
        high = Altitude(given["high_mm"], _ref(given["high_ref"], "high_ref"))
        shape = _shape(given["kind"], points, given["reach_mm"])
        must_be_simple(shape, "lat_ndeg, lng_ndeg")
        return Volume4D(shape, low, high, given["start_ms"], given["end_ms"])
    except BadInput as fault:
        raise BadInput(f"{where}: {fault.sentence}", **(fault.details | {"field": where})) from None


def _shape(kind: str, points: tuple[Point, ...], reach_mm: int) -> Shape:
    if kind == "circle":
        if len(points) != 1:
            raise BadInput(f"a circle has one position, its centre, not {len(points)}", field="lat_ndeg")
        return Circle(points[0], reach_mm)
    if kind == "corridor":
        return Corridor(points, reach_mm)
    if kind != "polygon":
        raise BadInput(f"there is no kind {kind!r}; there are {', '.join(KINDS)}", field="kind")
    if reach_mm:
        raise BadInput("a polygon has no reach: reach_mm must be 0", field="reach_mm")
    return Polygon(points)


def _ref(text: str, column: str) -> VerticalRef:
    try:
        return VerticalRef(text)
    except ValueError:
        refs = ", ".join(VerticalRef)
        raise BadInput(f"{column}: there is no reference {text!r}; there are {refs}", field=column) from None


def fill(filling: Filling, path: str, *, progress: Progress | None = None) -> None:
    """Everything in the file into columns. Raises BadInput as `read` does."""
    import numpy as np

    from wideberth.formats.filling import not_volumes

    filling.file(path)
    row, open_id, open_rows, open_at = 0, None, 0, 0
    for batch in _batches(path, progress):
        columns, odd = _columns(batch)
        for i in np.flatnonzero(odd if odd.any() else not_volumes(columns)).tolist():
            _volume(batch.slice(i, 1).to_pylist()[0], f"{path}, row {row + i + 1}")  # says what is wrong
            raise AssertionError(f"row {row + i + 1} is a volume, and the columns say that it is none")
        ids = batch.column("id")
        changes = np.flatnonzero(_changes(ids)) + 1
        begins = [0, *changes.tolist(), len(columns)]
        for begin, end in pairwise(begins):
            id_ = ids[begin].as_py()
            if id_ == open_id:
                open_rows += end - begin
                continue
            if open_id is not None:
                filling.name(open_id, open_rows, where=f"{path}, row {open_at}")
            open_id, open_rows, open_at = id_, end - begin, row + begin + 1
        filling.take(columns)
        row += len(columns)
    if open_id is not None:
        filling.name(open_id, open_rows, where=f"{path}, row {open_at}")


def _changes(ids: Any) -> Any:
    """Where a row's id differs from the next one's."""
    import pyarrow.compute as pc

    return pc.not_equal(ids.slice(0, len(ids) - 1), ids.slice(1)).to_numpy(zero_copy_only=False)


def _columns(batch: Any) -> tuple[Columns, Any]:
    """The columns of some rows; and which rows have lists or words that do not fit (their columns hold a stand-in)."""
    import numpy as np
    import pyarrow.compute as pc

    from wideberth.core.judge.columns import REFS, Columns

    def code(name: str, words: tuple[str, ...]) -> Any:
        table = pc.index_in(batch.column(name), value_set=_array(words))
        return pc.fill_null(table, -1).to_numpy(zero_copy_only=False).astype(np.int8)

    number = {name: batch.column(name).to_numpy(zero_copy_only=False).astype(np.int64) for name in NUMBERS}
    lats, lngs = batch.column("lat_ndeg"), batch.column("lng_ndeg")
    sizes = pc.list_value_length(lats).to_numpy(zero_copy_only=False).astype(np.int64)
    other = pc.list_value_length(lngs).to_numpy(zero_copy_only=False).astype(np.int64)
    kind, low, high = code("kind", KINDS), code("low_ref", tuple(REFS)), code("high_ref", tuple(REFS))
    odd = (kind < 0) | (low < 0) | (high < 0) | (sizes != other) | (sizes == 0)
    if odd.any():  # one fault ends the reading, so the rest need not be right
        count = len(batch)
        stand_in = np.zeros(count, np.int64)
        return Columns(stand_in.astype(np.int32), stand_in, stand_in + 1, stand_in, stand_in, low * 0, low * 0,
                       low * 0, np.arange(count + 1), stand_in, stand_in, stand_in + 1), odd  # fmt: skip
    first = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=first[1:])
    lat, lng = (np.asarray(column.flatten()).astype(np.int64) for column in (lats, lngs))
    op = np.zeros(len(sizes), np.int32)
    return Columns(op, number["start_ms"], number["end_ms"], number["low_mm"], number["high_mm"], low, high, kind,
                   first, lat, lng, number["reach_mm"]), odd  # fmt: skip


def _array(words: tuple[str, ...]) -> Any:
    import pyarrow as pa

    return pa.array([str(word) for word in words])


def _batches(path: str, progress: Progress | None) -> Iterator[Any]:
    """Record batches with our columns and types. Raises BadInput for what is missing, unknown, empty or of no use."""
    import pyarrow as pa

    file = _opened(path)
    if not file.metadata.num_rows:
        raise BadInput(f"{path}: is empty; nothing to screen", field="file")
    schema = _schema()
    given = file.schema_arrow.names
    for name in schema.names:
        if name not in given:
            raise BadInput(f"{path}: the column {name} is missing; there must be {', '.join(schema.names)}", field=name)
    for name in given:
        if name not in schema.names:
            raise BadInput(f"{path}: there is a column {name} that nobody here would read; take it out", field=name)
    row = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=schema.names):
        batch = batch.select(schema.names)
        for name in schema.names:
            _whole_column(batch.column(name), path, name, row)
        try:
            yield batch.cast(schema)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as why:
            raise BadInput(f"{path}: a column is of the wrong type: {why}", field="file") from None
        row += len(batch)
        if progress is not None:
            progress(row)


def _whole_column(column: Any, path: str, name: str, row: int) -> None:
    """Raises BadInput for a value that is missing, in the column or in a list."""
    import pyarrow as pa

    missing = column.null_count
    at = next(i for i in range(len(column)) if not column[i].is_valid) if missing else 0
    if not missing and pa.types.is_list(column.type) and column.flatten().null_count:
        missing, at = 1, next(i for i in range(len(column)) if None in column[i].as_py())
    if missing:
        raise BadInput(f"{path}, row {row + at + 1}: {name} is missing", field=name)


def _opened(path: str) -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise BadInput(
            f"{path} is a Parquet file, and pyarrow is not installed: install the extra `parquet`, as in "
            "pip install 'wideberth[parquet]'",
            field="file",
        ) from None
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as why:
        raise BadInput(f"{path} cannot be read as Parquet: {why}", field="file") from None


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema([
        ("id", pa.string()), ("start_ms", pa.int64()), ("end_ms", pa.int64()), ("low_mm", pa.int64()),
        ("low_ref", pa.string()), ("high_mm", pa.int64()), ("high_ref", pa.string()), ("kind", pa.string()),
        ("reach_mm", pa.int64()), ("lat_ndeg", pa.list_(pa.int64())), ("lng_ndeg", pa.list_(pa.int64())),
    ])  # fmt: skip


def write(path: str, columns: Columns, ids: list[str]) -> None:
    """Columns as such a file; for tests, benchmarks and whoever keeps operations so."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from wideberth.core.judge.columns import REFS

    def words(codes: Any, names: tuple[str, ...]) -> Any:
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), _array(names)).cast(pa.string())

    first = pa.array(columns.first.astype(np.int32))
    lists = {name: pa.ListArray.from_arrays(first, pa.array(getattr(columns, name))) for name in LISTS}
    values = {name: pa.array(getattr(columns, name)) for name in NUMBERS}
    values |= lists | {
        "id": words(columns.op, tuple(ids)),
        "low_ref": words(columns.low_ref, tuple(REFS)),
        "high_ref": words(columns.high_ref, tuple(REFS)),
        "kind": words(columns.kind, KINDS),
    }
    schema = _schema()
    pq.write_table(pa.table([values[name] for name in schema.names], schema=schema), path)
