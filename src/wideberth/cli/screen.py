# SPDX-License-Identifier: Apache-2.0
"""`screen`: which operations in these files come too close? Needs no node, no network, no set-up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb

if TYPE_CHECKING:
    from wideberth.core.judge.screen import Meeting
    from wideberth.core.say.minima import SeparationMinima

# The fields of a line of JSON, as in the design; programs elsewhere read them.
FIELDS: Final = (
    "a", "b", "verdict", "horizontal_m", "vertical_m", "time_overlap_s", "start", "end", "rule",
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add it to the top of the command line."""
    verb(app, "screen")(screen)


def screen(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="JSON, JSON Lines, GeoJSON or Parquet; - is the standard input."),
    ],
    minima: Annotated[str, typer.Option("--minima", help="RULE_OF_THREES, FAA_SUA or UTM_OVERLAP.")] = "",
    horizontal: Annotated[str, typer.Option("--horizontal", help="Least distance, with its unit: 50m, 3nm.")] = "",
    vertical: Annotated[str, typer.Option("--vertical", help="Least height between, with its unit: 15m, 1000ft.")] = "",
    time: Annotated[str, typer.Option("--time", help="Least time between, with its unit: 0s, 5m (minutes).")] = "",
    pressure_margin: Annotated[
        str, typer.Option("--pressure-margin", help="How far a flight level may be from the same height above the sea.")
    ] = "610m",
    against: Annotated[
        list[str] | None,
        typer.Option("--against", metavar="FILE", help="Compare with what is in this file only; may be given again."),
    ] = None,
    svg: Annotated[str, typer.Option("--svg", metavar="FOLDER", help="A picture of each pair, in a new folder.")] = "",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when a pair was found.")] = False,
) -> None:
    """Compare the volumes in files; a sentence for each pair that comes too close, or a line of JSON with --json."""
    import msgspec

    from wideberth.cli import show
    from wideberth.cli.exits import FOUND
    from wideberth.cli.screen_files import Screening
    from wideberth.core.judge.explain import explain
    from wideberth.core.judge.fast import available
    from wideberth.core.say.coordinates import parse_distance

    rule = minima_of(minima, horizontal, vertical, time)
    margin_mm = parse_distance(pressure_margin, field="pressure-margin")
    pictures = Pictures(svg, rule) if svg else None
    found = 0
    sentences: list[str] = []
    with show.bar("reading") as told:
        screening = Screening(files, against or [], told)
        columns = screening.large and available()
        for meeting in screening.meetings(rule, pressure_margin_mm=margin_mm, columns=columns):
            found += 1
            if here().json:
                row = msgspec.to_builtins(meeting.finding)
                print(show.as_json({name: value for name, value in row.items() if name in FIELDS}), flush=True)
            else:  # told when the bar is gone
                sentences.append(explain(meeting.verdict, meeting.a.id, meeting.b.id, rule))
            if pictures is not None:
                pictures.add(meeting)
    show.say(*sentences)
    among = f"{screening.operations} operations"
    if against:
        among += f" against {screening.held_against}"
    summary = f"{found} pair(s) of {among} come too close under {rule.name}." + (
        " Two notices that do not conflict can still both be wrong." if not found else ""
    )
    if here().json:
        show.note(summary)
    else:
        show.say(summary)
    show.note(f"{screening.volumes:,} volumes, {'in columns' if columns else 'one by one'}{_memory()}.")
    if screening.large and not columns:
        show.note(
            "Files as large as these are compared many times faster with the extra: pip install 'wideberth[fast]'"
        )
    if pictures is not None:
        show.note(f"{found} picture(s) in {svg}.")
    if found and exit_code:
        raise typer.Exit(FOUND)


def _memory() -> str:
    """How much memory this process had at the most, in words; nothing where the system does not say (Linux does)."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    kib = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), "")
    return f"; {int(kib) * 1024 / 1e6:,.0f} MB of memory at the most" if kib.isdigit() else ""


class Pictures:
    """A folder with a picture of each pair: its number, and the names of both."""

    def __init__(self, folder: str, minima: SeparationMinima) -> None:
        """Raises BadInput when the folder cannot be made, or has pictures already: they would be taken for these."""
        from wideberth.errors import BadInput

        self._folder, self._minima, self._count = Path(folder), minima, 0
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            taken = any(self._folder.glob("*.svg"))
        except OSError as why:
            raise BadInput(f"--svg: {folder} cannot be used as a folder: {why.strerror}", field="svg") from None
        if taken:
            raise BadInput(f"--svg: there are pictures in {folder} already; give a new folder", field="svg")

    def add(self, meeting: Meeting) -> None:
        from wideberth.cli import show
        from wideberth.core.judge.draw import Drawn, few, picture
        from wideberth.core.judge.explain import explain

        a, b, verdict, a_volume, b_volume = meeting
        self._count += 1
        one, other = show.plain(a.id), show.plain(b.id)
        # Colours tell two things apart here; neither of them is "own".
        things = [Drawn(one, few(a.volumes, a_volume), own=False), Drawn(other, few(b.volumes, b_volume), own=True)]
        title = explain(verdict, one, other, self._minima)
        drawn = picture(title, things, mark=verdict.here, mark_ms=verdict.start_ms)
        name = "-".join([f"{self._count:04}", *(_IN_A_NAME.sub("_", id_)[:60] for id_ in (a.id, b.id))])
        (self._folder / f"{name}.svg").write_text(drawn, encoding="utf-8")


# What is not plainly a letter, a digit, a dot, a dash or a line below could mean something to a file system.
_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9._-]")


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
