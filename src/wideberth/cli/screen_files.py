# SPDX-License-Identifier: Apache-2.0
"""The files of `screen`: how large they are, and which of the two ways they are read and compared.

Small files, and whatever comes through a pipe, are taken one by one: findings come as the operations are read, and
neither numpy nor numba is loaded. Large files go into columns (the extra `fast`). Both give the same findings in the
same order, so which way it went shows in nothing but the time.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from wideberth.errors import BadInput, NotFound

if TYPE_CHECKING:
    from wideberth.core.judge.screen import Meeting
    from wideberth.core.say.minima import SeparationMinima
    from wideberth.formats.operations import Operation

# From here on columns are faster, what it takes to load them included: some 1,500 operations of JSON Lines.
LARGE_BYTES: Final = 4 * 1024 * 1024
# A row of Parquet is a volume; as JSON it would be about as long as this.
_ROW_BYTES: Final = 500
# The bar moves that often.
_TOLD_BYTES: Final = 256 * 1024

Told = Callable[[int, int], None]


class Source(NamedTuple):
    """One file; `size` is 0 where it is not known, as through a pipe."""

    name: str
    size: int
    parquet: bool

    @property
    def said(self) -> str:
        return "standard input" if self.name == "-" else self.name


class Screening:
    """What is compared: `files` among themselves, or with what is in `against`. `told` hears of bytes read, of all."""

    def __init__(self, files: list[str], against: list[str], told: Told) -> None:
        if [*files, *against].count("-") > 1:
            raise BadInput("the standard input can be read once; give - once", field="file")
        self._files, self._against = [_source(f) for f in files], [_source(f) for f in against]
        everything = [*self._files, *self._against]
        self._told, self._read, self._total = told, 0, sum(s.size for s in everything)
        known = all(s.size for s in everything)
        self.large = known and sum(_json_bytes(s) for s in everything) > LARGE_BYTES
        self.operations = self.held_against = self.volumes = 0

    def meetings(self, minima: SeparationMinima, *, pressure_margin_mm: int, columns: bool) -> Iterator[Meeting]:
        """Every conflicting pair; `columns` is how. Raises BadInput, NotFound."""
        if columns:
            return self._many(minima, pressure_margin_mm)
        return self._one_by_one(minima, pressure_margin_mm)

    def _one_by_one(self, minima: SeparationMinima, margin_mm: int) -> Iterator[Meeting]:
        from wideberth.core.judge.screen import meetings

        against = self._counted(self._against, held=True) if self._against else None
        ours = self._counted(self._files, held=False)
        return meetings(ours, minima, pressure_margin_mm=margin_mm, against=against)

    def _counted(self, sources: list[Source], *, held: bool) -> Iterator[Operation]:
        from wideberth.formats.operations import unique

        def all_placed() -> Iterator[tuple[str, Operation]]:
            from wideberth.formats import operations, parquet

            for source in sources:
                if source.parquet:
                    yield from parquet.placed(source.name, progress=self._rows(source))
                else:
                    with _opened(source) as file:
                        yield from operations.placed(self._lines(file), source.said)

        for operation in unique(all_placed()):
            self._count(1, len(operation.volumes), held=held)
            yield operation

    def _many(self, minima: SeparationMinima, margin_mm: int) -> Iterator[Meeting]:
        from wideberth.formats.filling import Filling

        filling = Filling()
        for source in self._files:
            self._fill(filling, source)
        if self._against:
            filling.against()
            for source in self._against:
                self._fill(filling, source)
        many = filling.done()
        ours = len(many.ids) if many.first_against is None else many.first_against
        self._count(ours, len(many.columns), held=False)
        self._count(len(many.ids) - ours, 0, held=True)
        return many.meetings(minima, pressure_margin_mm=margin_mm)

    def _fill(self, filling: object, source: Source) -> None:
        from wideberth.formats import many, parquet
        from wideberth.formats.filling import Filling

        assert isinstance(filling, Filling)
        if source.parquet:
            parquet.fill(filling, source.name, progress=self._rows(source))
        else:
            with _opened(source) as file:
                many.fill(filling, self._lines(file), source.said)

    def _count(self, operations: int, volumes: int, *, held: bool) -> None:
        self.volumes += volumes
        if held:
            self.held_against += operations
        else:
            self.operations += operations

    def _lines(self, file: IO[bytes]) -> Iterator[bytes]:
        untold = 0
        for line in file:
            untold += len(line)
            if untold > _TOLD_BYTES:
                self._tell(untold)
                untold = 0
            yield line
        self._tell(untold)

    def _rows(self, source: Source) -> Callable[[int], None]:
        from wideberth.formats import parquet

        rows, before = max(1, parquet.rows(source.name)), 0

        def tell(row: int) -> None:
            nonlocal before
            now = source.size * row // rows
            self._tell(now - before)
            before = now

        return tell

    def _tell(self, more: int) -> None:
        self._read += more
        if self._total:
            self._told(self._read, self._total)


def _source(name: str) -> Source:
    if name == "-":
        try:
            held = os.fstat(sys.stdin.fileno())
        except (OSError, ValueError):  # a test's, or closed
            return Source(name, 0, parquet=False)
        return Source(name, held.st_size if stat.S_ISREG(held.st_mode) else 0, parquet=False)
    from wideberth.formats.parquet import is_parquet

    with _opened(Source(name, 0, parquet=False)) as file:
        held = os.fstat(file.fileno())
        if not stat.S_ISREG(held.st_mode):  # a named pipe: its first bytes cannot be read twice
            return Source(name, 0, parquet=False)
        return Source(name, held.st_size, parquet=is_parquet(file.read(4)))


def _json_bytes(source: Source) -> int:
    if not source.parquet:
        return source.size
    from wideberth.formats import parquet

    return parquet.rows(source.name) * _ROW_BYTES


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    """Raises NotFound, BadInput."""
    if source.name == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(source.name).open("rb") as file:
            yield file
    except FileNotFoundError:
        raise NotFound(f"there is no file {source.name}", field="file") from None
    except OSError as why:
        raise BadInput(f"{source.name} cannot be read: {why.strerror}", field="file") from None
