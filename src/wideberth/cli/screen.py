# SPDX-License-Identifier: Apache-2.0
"""`screen`: which operations in these files come too close? Needs no node, no network, no set-up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb

if TYPE_CHECKING:
    from wideberth.core.say.minima import SeparationMinima
    from wideberth.formats.operations import Operation

# The fields of a line of JSON, as in the design; programs elsewhere read them.
FIELDS: Final = (
    "a", "b", "verdict", "horizontal_m", "vertical_m", "time_overlap_s", "start", "end", "rule",
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add it to the top of the command line."""
    verb(app, "screen")(screen)


def screen(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="JSON, JSON Lines or GeoJSON; - is the standard input.")
    ],
    minima: Annotated[str, typer.Option("--minima", help="RULE_OF_THREES, FAA_SUA or UTM_OVERLAP.")] = "",
    horizontal: Annotated[str, typer.Option("--horizontal", help="Least distance, with its unit: 50m, 3nm.")] = "",
    vertical: Annotated[str, typer.Option("--vertical", help="Least height between, with its unit: 15m, 1000ft.")] = "",
    time: Annotated[str, typer.Option("--time", help="Least time between, with its unit: 0s, 5m (minutes).")] = "",
    pressure_margin: Annotated[
        str, typer.Option("--pressure-margin", help="How far a flight level may be from the same height above the sea.")
    ] = "610m",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when a pair was found.")] = False,
) -> None:
    """Compare the volumes in files; one line for each pair that comes too close."""
    import msgspec

    from wideberth.cli import show
    from wideberth.cli.exits import FOUND
    from wideberth.core.judge.screen import screen as pairs
    from wideberth.core.say.coordinates import parse_distance

    rule = minima_of(minima, horizontal, vertical, time)
    margin_mm = parse_distance(pressure_margin, field="pressure-margin")
    operations = _Counted(_read(files))
    found = 0
    rows: list[dict[str, Any]] = []
    for finding in pairs(operations, rule, pressure_margin_mm=margin_mm):
        found += 1
        row = {name: value for name, value in msgspec.to_builtins(finding).items() if name in FIELDS}
        if here().json:
            print(show.as_json(row), flush=True)
        else:
            rows.append(row)
    if not here().json:
        if rows:
            show.table(FIELDS, [tuple(row.values()) for row in rows])
        show.say(
            f"{found} pair(s) of {operations.count} operations come too close under {rule.name}."
            + (" Two notices that do not conflict can still both be wrong." if not found else "")
        )
    if found and exit_code:
        raise typer.Exit(FOUND)


def minima_of(name: str, horizontal: str, vertical: str, time: str) -> SeparationMinima:
    """A preset by its name, or minima written out; units are required. Raises: BadInput."""
    from wideberth.core.say.coordinates import parse_distance
    from wideberth.core.say.instant import parse_span
    from wideberth.core.say.minima import PRESETS, SeparationMinima
    from wideberth.errors import BadInput

    if name and (horizontal or vertical or time):
        raise BadInput("give --minima NAME, or --horizontal, --vertical and --time; not both", field="minima")
    if name:
        if name.upper() not in PRESETS:
            raise BadInput(f"there are no minima {name!r}; there are {', '.join(PRESETS)}", field="minima")
        return PRESETS[name.upper()]
    if not (horizontal and vertical):
        raise BadInput(
            f"say what too close means: --minima {'|'.join(PRESETS)}, or --horizontal 50m --vertical 15m --time 0s",
            field="minima",
        )
    return SeparationMinima(
        f"{horizontal}/{vertical}/{time or '0s'}",
        parse_distance(horizontal, field="horizontal"),
        parse_distance(vertical, field="vertical"),
        parse_span(time, field="time") if time else 0,
    )


class _Counted:
    """Operations as they pass, and how many there were."""

    def __init__(self, operations: Iterator[Operation]) -> None:
        self._operations = operations
        self.count = 0

    def __iter__(self) -> Iterator[Operation]:
        for operation in self._operations:
            self.count += 1
            yield operation


def _read(files: list[str]) -> Iterator[Operation]:
    from wideberth.errors import BadInput, NotFound
    from wideberth.formats.operations import read

    for name in files:
        if name == "-":
            yield from read(sys.stdin.buffer, "standard input")
            continue
        try:
            with Path(name).open("rb") as file:
                yield from read(file, name)
        except FileNotFoundError:
            raise NotFound(f"there is no file {name}", field="file") from None
        except OSError as why:
            raise BadInput(f"{name} cannot be read: {why.strerror}", field="file") from None
