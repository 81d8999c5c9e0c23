# SPDX-License-Identifier: Apache-2.0
"""`drill`: a scenario rehearsed between real nodes with injected faults, and a scored after-action."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def drill(
    name: Annotated[str, typer.Argument(help="SC1, SC2, …; or `list`.")],
    fault: Annotated[list[str] | None, typer.Option("--fault", help="Inject this fault as well.")] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", help="Leave this fault of the scenario out.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the after-action to this file too: text, or JSON for .json.")
    ] = None,
    keep: Annotated[Path | None, typer.Option("--keep", help="A new folder to keep the nodes' folders in.")] = None,
    note_in: Annotated[
        Path | None, typer.Option("--for", help="Note in this node's folder that the drill was done, for `ready`.")
    ] = None,
) -> None:
    """Rehearse a scenario between real nodes on this machine: exit code 1 when a check failed. Needs no network."""
    from wideberth.cli import show
    from wideberth.cli.exits import FOUND
    from wideberth.drill import report, run

    if name == "list":
        show.rows(run.listed(), lambda drills: show.say(*(text for each in drills for text in report.described(each))))
        return
    chosen = run.find(name)
    run.look_first(out, note_in)
    with show.bar(chosen.name) as step_done:
        found = run.play(chosen, with_=fault or (), without=without or (), keep=keep, step_done=step_done)
    show.result(report.as_data(found), lambda _: report.shown(found, show.console()))
    if out is not None:
        report.write(found, out)
    if note_in is not None:
        run.note(found, note_in)
    if not found.ok:
        raise typer.Exit(FOUND)
