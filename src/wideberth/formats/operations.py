# SPDX-License-Identifier: Apache-2.0
"""Operations for screening: `{"id": …, "volumes": [Volume4D…]}`, as JSON, JSON Lines or GeoJSON, read as a stream.

    with open(path, "rb") as file:
        for operation in read(file, path):
            ...

The form is found from the text: one object per line is JSON Lines and is read line by line; anything else is one
document: an operation, a list of them, or GeoJSON. In GeoJSON each Feature is an operation by its `id`, and features
with one id are one operation. Every fault names the file and the line, or the file and the path.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from wideberth.core.say.ring import must_be_simple
from wideberth.core.say.volume import Volume4D
from wideberth.errors import BadInput
from wideberth.formats import astm, geojson

# One line, or one document, is held in memory whole. 64 MiB holds some 100,000 volumes.
DOCUMENT_BYTES_MAX: Final = 64 * 1024 * 1024


class Operation(msgspec.Struct, frozen=True):
    """A flight, a plan or a notice: something with a name and at least one volume."""

    id: str
    volumes: tuple[Volume4D, ...]


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str | int
    volumes: list[astm.AstmVolume4D]


OPERATION: Final = msgspec.json.Decoder(Wire)
_TYPED: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY: Final = msgspec.json.Decoder()


def read(lines: Iterable[bytes], name: str) -> Iterator[Operation]:
    """Operations in the order of the file. `lines` is an open binary file, or any iterable of lines with their ends.

    Raises BadInput: not readable, an unknown field, no volume, the same id twice; with `name` and line or path.
    """
    return unique(placed(lines, name))


def placed(lines: Iterable[bytes], name: str) -> Iterator[tuple[str, Operation]]:
    """As `read`, each with its place in words, and names not compared."""
    by_line, rest = numbered(lines, name)
    return in_lines(rest, name) if by_line else in_document(rest, name)


def unique(placed: Iterable[tuple[str, Operation]]) -> Iterator[Operation]:
    """Operations without their places. Raises BadInput for one without volumes, and for an id that comes twice."""
    seen: dict[str, str] = {}
    for where, operation in placed:
        somewhere(operation.id, len(operation.volumes), where)
        if operation.id in seen:
            raise twice(operation.id, where, seen[operation.id])
        seen[operation.id] = where
        yield operation


def somewhere(id_: str, volumes: int, where: str) -> None:
    """Raises BadInput for an operation without volumes."""
    if not volumes:
        raise BadInput(f"{where}: {id_!r} has no volumes: it is nowhere", field="volumes")


def twice(id_: str, where: str, first: str) -> BadInput:
    return BadInput(f"{where}: the id {id_!r} was used before, at {first}; ids are unique", field="id")


def encode(operation: Operation) -> bytes:
    """One line of JSON Lines, with its end."""
    return msgspec.json.encode(Wire(operation.id, [astm.json_of(v) for v in operation.volumes])) + b"\n"


def numbered(lines: Iterable[bytes], name: str) -> tuple[bool, Iterator[tuple[int, bytes]]]:
    """Whether this is JSON Lines, and the lines that are not empty, with their numbers. Raises BadInput: none is."""
    counted = ((n, line.removeprefix(b"\xef\xbb\xbf") if n == 1 else line) for n, line in enumerate(lines, 1))
    filled = ((n, line) for n, line in counted if line.strip())
    first = next(filled, None)
    if first is None:
        raise BadInput(f"{name}: is empty; nothing to screen", field="file")
    if first[1].startswith(b"PAR1"):
        raise BadInput(f"{name}: this is a Parquet file; give it by its name", field="file")
    second = next(filled, None)
    rest = itertools.chain([first] if second is None else [first, second], filled)
    return second is not None and _is_whole_object(first[1]), rest


def in_lines(rest: Iterable[tuple[int, bytes]], name: str) -> Iterator[tuple[str, Operation]]:
    """Operations of numbered JSON Lines, each with its place in words."""
    for n, line in rest:
        where = f"{name}, line {n}"
        bounded(len(line), where)
        for operation in in_line(line, where):
            yield where, operation


def _is_whole_object(line: bytes) -> bool:
    """Whether the first line stands alone; a line of a pretty-printed document does not."""
    try:
        return isinstance(_ANY.decode(line), dict)
    except msgspec.DecodeError:
        # A broken first line that opens and closes an object is a broken JSON Lines file, not a document.
        return line.strip().startswith(b"{") and line.strip().endswith(b"}")


def in_document(rest: Iterable[tuple[int, bytes]], name: str) -> Iterator[tuple[str, Operation]]:
    """Operations of one document, from its numbered lines, each with its place in words."""
    parts, size, line_of = [], 0, []
    for n, line in rest:
        line_of.append((size, n))
        size += len(line)
        bounded(size, name)
        parts.append(line)
    text = b"".join(parts)
    try:
        value = _ANY.decode(text)
    except msgspec.DecodeError as error:
        at = _line_of(str(error), line_of)
        raise BadInput(f"{name}, line {at}: {error}", field="file") from None
    if isinstance(value, list):
        for i, member in enumerate(value):
            where = f"{name}, [{i}]"
            yield where, _converted(member, where)
    elif isinstance(value, dict) and value.get("type") in ("Feature", "FeatureCollection"):
        yield from _merged(value, name)
    else:
        yield name, _converted(value, name)


def in_line(line: bytes, where: str) -> list[Operation]:
    """One line: an operation, or a GeoJSON Feature."""
    try:
        wire = OPERATION.decode(line)
    except msgspec.DecodeError as error:
        if _is_geojson(line):
            return [operation for _, operation in _merged(_ANY.decode(line), where)]
        raise BadInput(f"{where}: {error}", field="file") from None
    return [_made(wire, where)]


def _is_geojson(line: bytes) -> bool:
    try:
        return b"Feature" in bytes(_TYPED.decode(line).get("type", msgspec.Raw(b"")))
    except msgspec.DecodeError:
        return False


def _converted(value: Any, where: str) -> Operation:
    try:
        wire = msgspec.convert(value, Wire)
    except msgspec.ValidationError as error:
        raise BadInput(f"{where}: {error}", field="file") from None
    return _made(wire, where)


def _made(wire: Wire, where: str) -> Operation:
    volumes = (astm.volume_of(v, where=f"{where}: volumes[{i}]") for i, v in enumerate(wire.volumes))
    return _simple(Operation(str(wire.id), tuple(volumes)), where)


def _simple(operation: Operation, where: str) -> Operation:
    for i, volume in enumerate(operation.volumes):
        must_be_simple(volume.shape, f"{where}: operation {operation.id}, volume {i}")
    return operation


def _merged(value: Any, where: str) -> Iterator[tuple[str, Operation]]:
    by_id: dict[str, list[Volume4D]] = {}
    for i, (id_, volumes) in enumerate(geojson.features(value, where=where)):
        if not id_:
            raise BadInput(f"{where}: feature {i} has no id; a conflict could not name it", field="id")
        by_id.setdefault(id_, []).extend(volumes)
    for id_, volumes in by_id.items():
        yield where, _simple(Operation(id_, tuple(volumes)), where)


def bounded(size: int, where: str) -> None:
    """Raises BadInput for a line or a document that is too large to be held in memory whole."""
    if size > DOCUMENT_BYTES_MAX:
        most = DOCUMENT_BYTES_MAX // (1024 * 1024)
        raise BadInput(
            f"{where}: more than {most} MiB in one piece; give JSON Lines, one operation a line", field="file"
        )


def _line_of(error: str, line_of: list[tuple[int, int]]) -> int:
    """The decoder says "(byte 123)"; people count lines."""
    _, _, tail = error.rpartition("(byte ")
    at = int(tail.rstrip(")")) if tail.rstrip(")").isdigit() else 0
    return max((n for start, n in line_of if start <= at), default=line_of[-1][1])
