# SPDX-License-Identifier: Apache-2.0
"""Who is on watch: the roster file of a node, shown and checked. It needs no running node, and nothing of it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_NAME = "roster.toml"


def roster(
    file: Annotated[
        Path | None, typer.Argument(help="Another file; default: roster.toml in the node's folder.")
    ] = None,
    at: Annotated[str, typer.Option("--at", help="Who is on watch then; default: now.")] = "now",
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How far ahead to look for gaps.")] = 30,
) -> None:
    """Show who is on watch and who stands behind them, and where nobody is: exit code 1 if there is a gap."""
    from wideberth.cli import show
    from wideberth.cli.exits import FOUND
    from wideberth.cli.session import here
    from wideberth.clock import SystemClock
    from wideberth.core.desk.people import DAY_MS
    from wideberth.core.say import instant
    from wideberth.errors import NotFound
    from wideberth.formats.roster import read_roster

    path = file or here().folder / _NAME
    if not path.is_file():
        raise NotFound(f"there is no roster {path}; docs/watch.md shows what one looks like", field="file")
    now_ms = SystemClock().now().t_ms
    at_ms = instant.parse(at, now_ms=now_ms, field="at")
    end_ms = at_ms + days * DAY_MS
    found = read_roster(path.read_text(encoding="utf-8"), at_ms, end_ms)
    gaps = found.gaps(at_ms, end_ms)
    data: dict[str, Any] = {
        "at_ms": at_ms,
        "on_shift": [p.name for p in found.on_shift(at_ms)],
        "backups": [p.name for p in found.backups(at_ms)],
        "supervisors": [p.name for p in found.supervisors(at_ms)],
        "days": days,
        "gaps": [{"from_ms": a, "until_ms": b} for a, b in gaps],
    }

    def lines(_: Any) -> None:
        show.say(f"On watch at {instant.show(at_ms)}: {', '.join(data['on_shift']) or 'NOBODY'}")
        show.say(f"Behind them: {', '.join(data['backups']) or 'nobody'}")
        show.say(f"Supervisors: {', '.join(data['supervisors']) or 'NONE'}")
        if not gaps:
            show.say(f"Somebody is on watch at every moment of the next {days} days.")
        for a, b in gaps:
            show.say(f"NOBODY from {instant.show(a)} until {instant.show(b)} ({instant.show_span(b - a)})")

    show.result(data, lines)
    if gaps:
        raise typer.Exit(FOUND)
