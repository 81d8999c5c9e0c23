# SPDX-License-Identifier: Apache-2.0
"""Other words on the line: nothing planned, a planned outage, a call that was made by voice."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from wideberth.cli.options import now_of_node, show_utc_first, time_ms
from wideberth.cli.session import here
from wideberth.cli.verbs import verb


def add_to(app: typer.Typer) -> None:
    """Add them to the top of the command line."""
    for name, function in (("nil", nil), ("outage", outage), ("voice", voice)):
        verb(app, name)(function)


def nil(until: Annotated[str, typer.Option("--until", help='Until when: "+8h", or a UTC time.')]) -> None:
    """Nothing planned until then, as far as you say now."""
    from wideberth.cli import show

    show_utc_first(until)
    show.result(here().say("nil", until_ms=time_ms(until, field="until", up=True)), show.said)


def outage(
    start: Annotated[str, typer.Option("--from", help="When the line goes down.")],
    end: Annotated[str, typer.Option("--until", help="When it is back.")],
    text: Annotated[str, typer.Option("--text", help="A short clarification.")] = "",
) -> None:
    """The line will be down, as planned."""
    from wideberth.cli import show

    show_utc_first(start, end)
    now_ms = now_of_node()
    start_ms = time_ms(start, field="from", now_ms=now_ms)
    end_ms = time_ms(end, field="until", up=True, now_ms=now_ms, after_ms=start_ms)
    show.result(here().say("outage", start_ms=start_ms, end_ms=end_ms, text=text), show.said)


def voice(
    answer: Annotated[str, typer.Argument(help="What was answered, or that nobody did.", show_default=False)],
    medium: Annotated[str, typer.Option("--by", help="How: telephone, guard radio, attaché …")] = "telephone",
    ref: Annotated[str, typer.Option("--ref", help="The notice that it was about, if any.")] = "",
    at: Annotated[str, typer.Option("--at", help="When, if not now; a time needs its zone.")] = "",
    outcome: Annotated[str, typer.Option("--outcome", help="ANSWERED, NO_ANSWER or REFUSED.")] = "ANSWERED",
    party: Annotated[str, typer.Option("--party", help="Who was called, where the line has several others.")] = "",
    frequency: Annotated[str, typer.Option("--frequency", help="The frequency or number, as used.")] = "",
    rung: Annotated[str, typer.Option("--rung", help="The rung of the fallback ladder that this was.")] = "",
    code: Annotated[str, typer.Option("--code", help="The response code that was heard, of the notice --ref.")] = "",
) -> None:
    """Log a call that was made off this system, also one that nobody answered."""
    from wideberth.cli import show
    from wideberth.core.say.words import FallbackKind

    show_utc_first(at)
    at_ms = time_ms(at, field="at") if at else 0
    said: dict[str, Any] = {
        "outcome": one_of(outcome, "outcome", ("ANSWERED", "NO_ANSWER", "REFUSED")),
        "party": party,
        "frequency": frequency,
        "code": code,
        "rung": one_of(rung, "rung", tuple(FallbackKind.__members__)) if rung else None,
    }
    show.result(here().say("voice", medium=medium, answer=answer, at_ms=at_ms, ref=ref, **said), show.said)


def one_of(given: str, field: str, names: tuple[str, ...]) -> str:
    """A word of a short list, however it was typed. Raises: BadInput."""
    from wideberth.errors import BadInput

    word = given.upper().replace("-", "_").replace(" ", "_")
    if word not in names:
        raise BadInput(f"--{field} is one of {', '.join(names)}, not {given!r}", field=field)
    return word
