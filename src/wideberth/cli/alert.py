# SPDX-License-Identifier: Apache-2.0
"""When there is no time: `alert` (nothing but the verb), `distress` (a place, if it is known), `accident`,
`holdoff` and `sighting` (a place)."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any, Final

import typer

from wideberth.cli.preview import Preview, result
from wideberth.cli.session import here
from wideberth.cli.verbs import verb
from wideberth.errors import Fault, StoreFull, Unreachable

_LOADED_NS: Final = time.monotonic_ns()


def add_to(app: typer.Typer) -> None:
    """Add them to the top of the command line."""
    verb(app, "alert")(alert)
    verb(app, "distress")(distress)
    verb(app, "accident")(accident)
    verb(app, "holdoff")(holdoff)
    verb(app, "sighting")(sighting)


def alert(
    words: Annotated[list[str] | None, typer.Argument(help="A few words, or none.", show_default=False)] = None,
    preview: Preview = False,
) -> None:
    """Something is about to happen, place unknown. Rings at the other side at once. Needs no field."""
    result(_raise(words, preview=preview), preview=preview)


def _raise(words: list[str] | None, **more: Any) -> dict[str, Any]:
    return raise_alert(" ".join(words or ()), age_ms(), **more)


def raise_alert(text: str, ago_ms: int, **more: Any) -> dict[str, Any]:
    """Raise the ALERT, or say at once why not, with the telephone numbers. `ago_ms`: since the first key."""
    try:
        return here().say("alert", text=text, ago_ms=ago_ms, **more)
    except (Unreachable, StoreFull) as fault:
        numbers = telephones()
        raise type(fault)(" ".join((fault.sentence, *numbers)), **fault.details, telephones=numbers) from None


def distress(
    words: Annotated[list[str] | None, typer.Argument(help="A few words, or none.", show_default=False)] = None,
    at: Annotated[str, typer.Option("--at", help='Where, if it is known: "36.20N 37.15E", DMS or MGRS.')] = "",
    until: Annotated[str, typer.Option("--until", help="Until when others should stay away; default: a day.")] = "",
) -> None:
    """Somebody needs help now. It passes in every state of line and agreement; nothing has to be given."""
    from wideberth.cli import notice, show
    from wideberth.core.limits import TEXT_CHARS_MAX
    from wideberth.errors import BadInput

    if not at or at.lower() == "unknown":
        result(_raise([" ".join(words or ())[:TEXT_CHARS_MAX]], distress=True))
        return
    draft = {"type": "DISTRESS", "circle": at, "until": until, "text": " ".join(words or ())}
    try:
        said = notice.send({field: value for field, value in draft.items() if value}, yes=True)
    except BadInput as why:
        # Nobody waits for a well-written place: it goes out now, with the place as it was written.
        said = _raise([" ".join((*(words or ()), "at", at))[:TEXT_CHARS_MAX]], distress=True)
        show.note(f"Sent at once, without a place that can be drawn on a map: {why.sentence}", style="bold yellow")
    result(said)


def accident(
    at: Annotated[str, typer.Option("--at", help='Where: "36.20N 37.15E", DMS or MGRS.')] = "",
    until: Annotated[str, typer.Option("--until", help='Until when to stay away: "+6h", or a UTC time.')] = "",
    kind: Annotated[str, typer.Option("--kind", help="The danger to others, as --hazard of a notice.")] = "",
) -> None:
    """An accident, in three fields: place, until, kind. At a terminal what is not given is asked for."""
    from wideberth.cli import asking, notice

    at = asking.place(at, "Where")
    until = asking.until(until, "Until when", "+6h")
    kind = asking.hazard(kind)
    draft = {"type": "ACCIDENT", "hazard": kind, "circle": at, "until": until}
    result(notice.send(draft, yes=True))


def holdoff(
    words: Annotated[list[str] | None, typer.Argument(help="A few words, or none.", show_default=False)] = None,
    at: Annotated[str, typer.Option("--at", help='Where your people are: "36.20N 37.15E", DMS or MGRS.')] = "",
    radius: Annotated[str, typer.Option("--radius", help="How far to stay clear; may be coarse.")] = "",
    until: Annotated[str, typer.Option("--until", help="Until when; default: `holdoff` in config.toml.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="The hazard, as of a notice.")] = "PEOPLE_PRESENT",
) -> None:
    """People of yours are there: please stay clear. It rings at once and must be answered; no answer means unknown."""
    from wideberth.cli import asking, notice

    at = asking.place(at, "Where are your people")
    draft = {"type": "HOLD_OFF", "hazard": kind, "circle": at, "radius": radius, "until": until}
    draft["text"] = " ".join(words or ())
    result(notice.send({field: value for field, value in draft.items() if value}, yes=True))


def sighting(
    words: Annotated[list[str] | None, typer.Argument(help="A few words, or none.", show_default=False)] = None,
    at: Annotated[str, typer.Option("--at", help='Where it was seen: "36.20N 37.15E", DMS or MGRS.')] = "",
    radius: Annotated[str, typer.Option("--radius", help="How far round it to take care.")] = "",
    until: Annotated[str, typer.Option("--until", help="Until when; default: half an hour.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="The danger to others, as --hazard of a notice.")] = "UNSPECIFIED",
) -> None:
    """Unannounced traffic: somebody outside the mechanism was seen, who may be there by right. Others are warned."""
    from wideberth.cli import asking, notice

    at = asking.place(at, "Where was it seen")
    draft = {"type": "UNANNOUNCED_TRAFFIC", "hazard": kind, "circle": at, "radius": radius, "until": until}
    draft["text"] = " ".join(words or ())
    result(notice.send({field: value for field, value in draft.items() if value}, yes=True))


def telephones() -> list[str]:
    """`GREEN: +999 …` for every peer whose card lies in the folder: for when the node itself cannot be asked."""
    from wideberth import home, join
    from wideberth.core.seal.keys import Ed25519Verifier
    from wideberth.core.seal.party import read_card

    found: dict[str, str] = {}
    try:
        made = home.load(here().folder)
        for _, _, cards in join.lines_on_file(made):
            for each in cards:
                card = read_card(each, Ed25519Verifier())
                if card.party != made.config.party and card.contact:
                    found[card.party] = f"{card.party}: {card.contact}."
    except Fault:
        return []  # the first fault is the one to be told
    return list(found.values())


def age_ms() -> int:
    """How long ago this process began, which is when the officer pressed the key (domain.md C17)."""
    try:
        with open("/proc/self/stat", "rb") as file:
            # proc(5): field 22, starttime, in clock ticks after boot; field 2 may hold spaces and brackets.
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        return max(0, int((since_boot - ticks / os.sysconf("SC_CLK_TCK")) * 1000))
    except (OSError, ValueError, IndexError, AttributeError):
        return (time.monotonic_ns() - _LOADED_NS) // 1_000_000
