# SPDX-License-Identifier: Apache-2.0
"""Own plans. They are compared on this machine and never leave it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from wideberth.cli.options import read_json, show_utc_first, takes_draft
from wideberth.cli.session import here
from wideberth.cli.verbs import group, verb

app = group("Own plans: compared on this machine; nothing about them ever leaves it.")


@verb(app, "add")
@takes_draft(notice=False)
def add(
    draft: dict[str, Any],
    file: Annotated[str, typer.Argument(help="Volumes (ASTM, GeoJSON) or a track, as JSON; - reads stdin.")] = "",
    id_: Annotated[str, typer.Option("--id", help="Your name for it; the same name replaces it.")] = "",
    label: Annotated[str, typer.Option("--label", help="What people read.")] = "",
    mode: Annotated[str, typer.Option("--mode", help="REAL, EXERCISE, TEST or SIMULATED; default: your lines'.")] = "",
    leg: Annotated[
        list[str] | None,
        typer.Option("--leg", help='A point of a track: "36.20N 37.15E; FL100; 2030-01-01T10:00Z"; repeat.'),
    ] = None,
) -> None:
    """Give or replace an own plan: volumes by options or file, or a track."""
    from wideberth.cli import show

    body: dict[str, Any] = {**_read(file), **draft}
    if leg:
        body["track"] = [_leg(n, text) for n, text in enumerate(leg, 1)]
    body |= {name: value for name, value in (("id", id_), ("label", label), ("mode", mode)) if value}
    show_utc_first(*(str(body.get(f, "")) for f in ("from", "until")), yes=True)
    made = here().client().post("/v1/plans", body)
    show.result(made, lambda p: show.say(f"{p['id']} is kept here, and weighed against every notice of its mode."))


@verb(app, "list")
def list_() -> None:
    """The own plans."""
    from wideberth.cli import board, show

    show.rows(here().client().get("/v1/plans"), board.plans)


@verb(app, "drop")
def drop(id_: Annotated[str, typer.Argument(metavar="PLAN", show_default=False)]) -> None:
    """Forget an own plan."""
    from wideberth.cli import show

    show.result(here().client().delete(f"/v1/plans/{id_}"), lambda _: show.say(f"{id_} is forgotten."))


@verb(app, "exposures")
def exposures() -> None:
    """Where own plans meet notices now."""
    from wideberth.cli import board, show

    show.rows(here().client().get("/v1/exposures"), board.exposures)


def _read(file: str) -> dict[str, Any]:
    """A file with `track` (and maybe `id`, `label`, `mode`), or with volumes in any form that a notice takes."""
    if not file:
        return {}
    value = read_json(file)
    if isinstance(value, dict) and {"track", "volumes"} & value.keys() and "volume" not in value:
        return {str(k): v for k, v in value.items()}
    return {"volumes": value}


def _leg(n: int, text: str) -> dict[str, str]:
    from wideberth.errors import BadInput

    parts = [part.strip() for part in text.split(";")]
    if len(parts) != 3:
        raise BadInput(f'leg {n} is "place; altitude; time", three parts with semicolons, not {text!r}', field="leg")
    return dict(zip(("at", "altitude", "time"), parts, strict=True))
