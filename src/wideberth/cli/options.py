# SPDX-License-Identifier: Apache-2.0
"""The options that say where, how high, when and what: declared once, taken by every verb that makes a draft.

    @verb(app, "give")
    @takes_draft()
    def give(draft: dict[str, Any], refines: Annotated[str, …] = "") -> None:

`takes_draft` puts the options of a draft into the verb's signature and hands them over as one dictionary, with only
what was given. Nothing is judged here: `web/drafts.py` reads a draft, at the node, so that a useless one can be kept.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from wideberth.errors import BadInput, NotFound

# The lists of `say/words.py`, which is not imported here because `--help` must come at once; a test compares them.
TYPES: Final = (
    "AREA_ACTIVITY, TRANSIT, STATIC_SITE, MOVEMENT, HAZARD, EXERCISE, PRESENCE, CAUTION_AREA, "
    "UNANNOUNCED_TRAFFIC, ACCIDENT, HOLD_OFF, DISTRESS"
)  # fmt: skip
HAZARDS: Final = (
    "CREWED_AIRCRAFT, UNCREWED_AIRCRAFT, FALLING_OBJECTS, SURFACE_TRAFFIC, GROUND_TRAFFIC, BRIGHT_LIGHT, "
    "RADIO_INTERFERENCE, FIRE_AND_SMOKE, PEOPLE_PRESENT, UNSPECIFIED"
)
WORKS: Final = (
    "HOSPITAL, SHELTER, SCHOOL, WAREHOUSE, OFFICE, WATER_AND_POWER, STAFF, FOOD, NON_FOOD, CARGO, MEDICAL, "
    "EVACUATION, MIGRANTS, OTHER"
)  # fmt: skip
_TIME: Final = '"2030-01-01T10:00Z", "011000Z JAN 30", "10:00Z" (the next one), "+15m" or "now"'
_ALTITUDE: Final = '"SFC", "FL300", "5000ft AMSL", "300m AGL", "1500m W84", "UNL"'

# field of the draft: (options, help)
_PLACE: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "circle": (("--circle",), 'Centre: "36.20N 37.15E", DMS or MGRS; also "36.20,37.15,10km".'),
    "radius": (
        ("--radius",),
        "Radius of the circle, of an orbit's turns, or round what moves, with its unit: 10km, 5nm.",
    ),
    "inner": (("--inner",), "With --circle and --sector: only what is farther from the centre than this."),
    "polygon": (("--polygon",), 'Corners: "lat lng; lat lng; lat lng; …".'),
    "corridor": (("--corridor",), 'Waypoints: "lat lng; lat lng; …".'),
    "half_width": (("--half-width",), "Half width of the corridor, with its unit."),
    "orbit": (
        ("--orbit",),
        'A racetrack: "anchor; inbound course; leg; R or L", or the ends of its middle line; with --radius.',
    ),
    "polyarc": (
        ("--polyarc",),
        'Corners as of a polygon, with "arc cw CENTRE" or "arc ccw CENTRE" between two of them.',
    ),
    "moving": (("--moving",), 'What the area moves with: where it starts, or its route "lat lng; lat lng; …".'),
    "speed": (("--speed",), "Its speed: 15kt, 28km/h, 8m/s; none: it lies still."),
    "course": (("--course",), "Its true course at the start, degrees; none: not told, so anywhere within its speed."),
    "sector": (
        ("--sector",),
        "Only this part of the circle, or side of what moves: true bearings 135-225, or a compass word (S is 135-225).",
    ),
    "margin": (("--margin",), "How far it may be beside its course and time, or beside its orbit."),
    "slices": (("--slices",), "Into how many volumes the time is cut; default: one an hour, at most 6."),
    "days": (("--days",), "The window comes again: daily, or MO,WE (UTC); with --last."),
    "last": (("--last",), "Until when it comes again, as --from."),
    "low": (("--low", "--floor"), f"How low it reaches: {_ALTITUDE}."),
    "high": (("--high", "--ceiling"), "How high it reaches, as --low."),
    "from": (("--from",), f"When it begins: {_TIME}. A time needs its zone."),
    "until": (("--until",), "When it ends, as --from."),
}
_NOTICE: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "type": (("--type",), f"One of {TYPES}."),
    "hazard": (("--hazard",), f"The danger to others: one of {HAZARDS}."),
    "contact": (("--contact",), "How to reach your watch; default: the contact on your card."),
    "place_name": (("--place-name",), "A name beside the place; never instead of it."),
    "text": (("--text",), "A short clarification."),
    "precedence": (("--precedence",), "FLASH, IMMEDIATE, PRIORITY or ROUTINE; raised by itself when late."),
    "priority": (("--priority",), "DISTRESS, MEDICAL, HUMANITARIAN or ROUTINE."),
    "covers": (("--covers",), "Whose presence it is about, where we speak for several: ALFA,BRAVO."),
    "release": (("--release",), "How far a copy may travel: MEMBERS, INQUIRY or PUBLIC; default: the agreement's."),
    "scale": (("--scale",), "How many move in it at once: ONE, FEW or MANY."),
    "expires": (("--expires",), "When the notice stops holding; default: when the activity ends."),
}
_PROTECT: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "organisation": (("--organisation",), "Whose site or movement it is."),
    "work": (("--work",), f"What it is: one of {WORKS}."),
    "contacts": (("--contacts",), "Whom else to call, beside --contact: several after semicolons."),
    "marking": (("--marking",), "How it is marked."),
    "vehicles": (("--vehicles",), "Its vehicles, after semicolons; never who is in them."),
    "photo": (("--photo",), "A picture of the roof marking: only its SHA-256 goes out."),
    "address": (("--address",), "The place in words; compared with the pin where that can be."),
    "check_in": (("--check-in",), "How often a movement checks in: 30m."),
    "waypoints": (("--waypoints",), 'Where and when it checks in: "41.2N 38.6W at 18:30Z = bridge; …".'),
    "urgency": (("--urgency",), "ROUTINE, EMERGENCY or IMMEDIATE, with --why-urgent."),
    "why_urgent": (("--why-urgent",), "Why it is urgent."),
}
_FILE_HELP: Final = "Volumes from a file: ASTM F3548-21 Volume4D JSON or GeoJSON; - reads the standard input."


def takes_draft(*, notice: bool = True, protect: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options of a place and window (and of a notice, and of those to protect); they reach the verb as its
    argument `draft`."""
    fields = {**(_NOTICE if notice else {}), **(_PROTECT if protect else {}), **_PLACE}

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())
        kept = [p for p in own if p.name != "draft"]
        more = [
            inspect.Parameter(
                _name(field),
                inspect.Parameter.KEYWORD_ONLY,
                default="",
                annotation=Annotated[str, typer.Option(*flags, help=text, show_default=False)],
            )
            for field, (flags, text) in fields.items()
        ]
        file = inspect.Parameter(
            "volumes_file",
            inspect.Parameter.KEYWORD_ONLY,
            default="",
            annotation=Annotated[str, typer.Option("--volumes", help=_FILE_HELP, show_default=False)],
        )

        @wraps(function)
        def run(**given: Any) -> None:
            draft: dict[str, Any] = {f: given.pop(_name(f)) for f in fields}
            draft = {field: value for field, value in draft.items() if value}
            if path := given.pop("volumes_file"):
                draft["volumes"] = read_json(path)
            function(draft=draft, **given)

        # Typer reads the signature and the annotations of what it is given.
        run.__signature__ = inspect.Signature([*kept, *more, file])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in (*kept, *more, file)}
        return run

    return decorate


def _name(field: str) -> str:
    return f"draft_{field}"


def read_json(path: str) -> Any:
    """A JSON file, or the standard input for `-`. Raises: NotFound, BadInput."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
        return json.loads(text)
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", field="file") from None
    except OSError as why:
        raise BadInput(f"{path} cannot be read: {why.strerror}", field="file") from None
    except (ValueError, RecursionError) as why:
        raise BadInput(f"{path} is not JSON: {why}", field="file") from None


def now_of_node() -> int:
    """The node's clock, which relative times count from; this machine's when the node is not up."""
    from wideberth.cli.session import here
    from wideberth.errors import Unreachable

    try:
        return int(here().client().get("/v1/status")["t_ms"])
    except (Unreachable, NotFound):
        import time

        return time.time_ns() // 1_000_000


def time_ms(text: str, *, field: str, up: bool = False, after_ms: int | None = None, now_ms: int | None = None) -> int:
    """One time of a command, by the node's clock. Raises: BadInput."""
    from wideberth.web.drafts import time_of

    if now_ms is None:
        now_ms = now_of_node()
    return time_of(text, now_ms=now_ms, field=field, after_ms=after_ms, up=up)


def show_utc_first(*texts: str, yes: bool = False) -> None:
    """A time in another zone is shown in UTC before anything is sent, and an officer at a terminal may stop there
    (domain.md D3)."""
    from wideberth.cli import show
    from wideberth.core.say.instant import parse

    elsewhere = []
    for text in texts:
        shifted = text[-6:-5] in ("+", "-") or text[-5:-4] in ("+", "-")
        if not shifted or text[:1] in ("+", "-"):
            continue
        try:
            elsewhere.append(f"{text} is {show.utc(parse(text))}")
        except BadInput:
            continue  # the node says what is wrong with it, and keeps the draft
    if not elsewhere:
        return
    show.note(*elsewhere)
    if not yes and sys.stdin.isatty() and not typer.confirm("Send it so?", default=True, err=True):
        raise BadInput("stopped by you; nothing was signed or sent", field="time")
