# SPDX-License-Identifier: Apache-2.0
"""Traffic was seen: is it yours? The answer is OURS or UNKNOWN; there is no third."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from wideberth.cli.options import HAZARDS, show_utc_first, time_ms
from wideberth.cli.session import here
from wideberth.cli.verbs import group, verb
from wideberth.cli.words import one_of

app = group("Traffic that was seen: ask whose it is, answer, look at.")

# The list of the core, which is not imported here because `--help` must come at once; a test compares them.
ANSWERS: Final = ("OURS", "UNKNOWN")

Language = Annotated[str, typer.Option("--language", help="The language of the text; default: the first of ours.")]


@verb(app, "ask")
def ask(
    at: Annotated[str, typer.Option("--at", help='Where it was seen: "36.20N 37.15E", DMS or MGRS.')],
    text: Annotated[str, typer.Argument(help="A few words, or none.")] = "",
    low: Annotated[str, typer.Option("--low", help="How low it may be, as of a notice.")] = "SFC",
    high: Annotated[str, typer.Option("--high", help="How high it may be, as of a notice.")] = "UNL",
    seen: Annotated[str, typer.Option("--seen", help='When it was seen: "now", "-3m", "09:40Z".')] = "now",
    hazard: Annotated[str, typer.Option("--hazard", help=f"What it is: one of {HAZARDS}.")] = "UNSPECIFIED",
    language: Language = "",
) -> None:
    """Ask everybody on the line whether that traffic is theirs. It rings there, and stays open until it is answered."""
    from wideberth.core.say.coordinates import parse_altitude, parse_point

    show_utc_first(seen)
    place = parse_point(at, field="at")
    band = {
        name: {"mm": height.mm, "ref": height.ref.value}
        for name, height in (
            ("lower", parse_altitude(low, field="low")), ("upper", parse_altitude(high, field="high"))
        )
    }  # fmt: skip
    _say(
        "whose", point=[place.lat_ndeg, place.lng_ndeg], **band, text=text, language=language,
        at_ms=0 if seen == "now" else time_ms(seen, field="seen"),
        hazard=one_of(hazard, "hazard", tuple(HAZARDS.split(", "))),
    )  # fmt: skip


@verb(app, "answer")
def answer(
    ref: Annotated[str, typer.Argument(help="The question, such as WHS-48210937-H.", show_default=False)],
    whose: Annotated[str, typer.Argument(help="OURS or UNKNOWN.", show_default=False)],
    text: Annotated[str, typer.Option("--text", help="A few words.")] = "",
    language: Language = "",
) -> None:
    """The traffic is yours, or you do not know whose it is. A later answer holds; the earlier one stays visible."""
    _say("owner", ref=ref, whose=one_of(whose, "whose", ANSWERS), text=text, language=language)


@verb(app, "list")
def list_(everything: Annotated[bool, typer.Option("--all", help="Also what was answered days ago.")] = False) -> None:
    """What was asked, what was answered, and how often somebody was called about it."""
    from wideberth.cli import show, talk_show

    def render(found: list[dict[str, Any]]) -> None:
        for each in found:
            talk_show.one(each)
        if not found:
            show.say("Nobody asked whose something is.")

    asked = here().client().get("/v1/messages", line=here().line, all=1 if everything else "")
    show.rows([each for each in asked if each["kind"] == "whose"], render)


@verb(app, "show")
def show_(
    ref: Annotated[str, typer.Argument(help="The question, such as WHS-48210937-H.", show_default=False)],
) -> None:
    """One question, with every answer to it."""
    from wideberth.cli import show, talk_show

    show.result(here().client().get(f"/v1/messages/{ref}", line=here().line), talk_show.one)


def _say(command: str, **fields: Any) -> None:
    from wideberth.cli import show

    show.result(here().say(command, **fields), show.said)
