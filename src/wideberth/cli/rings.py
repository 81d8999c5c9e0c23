# SPDX-License-Identifier: Apache-2.0
"""`rings`: where to call in round an incident, and who has not. Entered by own people; nothing of it leaves."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import group, verb

app = group("Call-in rings and the altitude stack round an incident. Nothing about them ever leaves this machine.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Your name for the incident.", show_default=False)]
At = Annotated[str, typer.Option("--at", help="A place, in any form.")]


@verb(app, "set")
def set_(
    name: Name,
    at: At,
    ground: Annotated[str, typer.Option("--ground", help="How high the ground is above sea level: 1900ft.")] = "",
    ground_margin: Annotated[str, typer.Option("--ground-margin", help="By how much it differs: 300ft.")] = "",
    call_in: Annotated[str, typer.Option("--call-in", help="The outer ring; default 12nm.")] = "",
    no_comm: Annotated[str, typer.Option("--no-comm", help="The inner ring; default 7nm.")] = "",
    block: Annotated[
        list[str] | None, typer.Option("--block", help='Who keeps where: "tankers; 1000ft AGL; 2000ft AGL"; repeat.')
    ] = None,
    mode: Annotated[str, typer.Option("--mode", help="REAL, EXERCISE, TEST or SIMULATED; default: your lines'.")] = "",
) -> None:
    """Set rings round a place, or change those of the same name."""
    from wideberth.cli import show

    body: dict[str, Any] = {
        "id": name, "at": at, "ground": ground, "ground_margin": ground_margin, "call_in": call_in,
        "no_comm": no_comm, "mode": mode, "blocks": [_block(n, text) for n, text in enumerate(block or [], 1)],
    }  # fmt: skip
    made = here().client().post("/v1/rings", body)
    show.result(made, lambda _: show.say(f"{name}: the rings are set. `rings report` says who was seen where."))


@verb(app, "report")
def report(
    name: Name,
    aircraft: Annotated[str, typer.Argument(help="Its call sign, or a name of your own.", show_default=False)],
    at: At,
    altitude: Annotated[str, typer.Option("--altitude", help="How high: 300ft AGL; not known: leave it out.")] = "",
    contact: Annotated[bool, typer.Option("--contact", help="It has called in, and answers.")] = False,
    error: Annotated[str, typer.Option("--error", help="How far off the place may be: 500m.")] = "",
    time: Annotated[str, typer.Option("--time", help="When it was there; default: now.")] = "",
    gone: Annotated[bool, typer.Option("--gone", help="It has left or landed: take it off the list.")] = False,
) -> None:
    """Enter where an aircraft was reported, and whether it has called in."""
    from wideberth.cli import show

    body = {
        "aircraft": aircraft, "at": at, "altitude": altitude, "contact": contact, "error": error, "time": time,
        "gone": gone,
    }  # fmt: skip
    show.result(here().client().post(f"/v1/rings/{name}/positions", body), _stands)


@verb(app, "list")
def list_() -> None:
    """Every incident, and who was reported round it: nearest first."""
    from wideberth.cli import show

    show.rows(here().client().get("/v1/rings"), _incidents)


@verb(app, "drop")
def drop(name: Name) -> None:
    """The incident is over: forget its rings and everything that was reported."""
    from wideberth.cli import show

    show.result(here().client().delete(f"/v1/rings/{name}"), lambda _: show.say(f"{name} is forgotten."))


def _block(n: int, text: str) -> dict[str, str]:
    from wideberth.errors import BadInput

    parts = [part.strip() for part in text.split(";")]
    if len(parts) != 3:
        raise BadInput(f'block {n} is "who; from; to", three parts with semicolons, not {text!r}', field="block")
    return dict(zip(("name", "low", "high"), parts, strict=True))


def _stands(row: dict[str, Any]) -> None:
    from wideberth.cli import show

    if not row:
        show.say("It is off the list.")
        return
    advice = {"CALL_IN": "It should have called in.", "NO_COMM": "ALERT: inside without contact."}
    blocks = f" Its height may meet: {', '.join(row['blocks'])}." if row["blocks"] else ""
    style = "bold red" if row["advice"] == "NO_COMM" else ""
    show.say(f"{_where(row)}. {advice.get(row['advice'], 'Nothing to do.')}{blocks}", style=style)


def _incidents(found: list[dict[str, Any]]) -> None:
    from wideberth.cli import show

    if not found:
        show.say("No rings. `rings set` makes them; they never leave this machine.")
    for each in found:
        area = each["area"]
        show.table(
            ("aircraft", "where", "height", "contact", "advice", "may meet", "as of"),
            [(r["aircraft"], _where(r), r["altitude"] or "unknown", "yes" if r["in_contact"] else "NO",
              "" if r["advice"] == "NONE" else r["advice"], ", ".join(r["blocks"]),
              show.utc(r["t_ms"]) + (" (UNKNOWN now)" if r["known"] == "UNKNOWN" else "")) for r in each["aircraft"]],
            title=f"{area['id']} ({area['mode']})",
        )  # fmt: skip


def _where(row: dict[str, Any]) -> str:
    ring = {"CALL_IN": "inside the outer ring", "NO_COMM": "inside the inner ring"}.get(row["ring"], "outside")
    return f"{row['distance_mm'] / 1_852_000:.1f} NM, {ring}"
