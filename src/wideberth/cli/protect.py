# SPDX-License-Identifier: Apache-2.0
"""Those to protect: sites and movements, told to the members of a line and to nobody else (domain.md K)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from wideberth.cli.notice import Yes, send
from wideberth.cli.options import show_utc_first, takes_draft, time_ms
from wideberth.cli.preview import Preview, result
from wideberth.cli.session import here
from wideberth.cli.verbs import group, verb

app = group("Those to protect: sites and movements, told to the members of a line.")

Ref = Annotated[str, typer.Argument(help="Its reference, such as AID-0001-X.", show_default=False)]
Text = Annotated[str, typer.Option("--text", help="A few words.")]

# On the ground, and as high as a helicopter that lands there: whoever flies higher is no concern of theirs.
_BAND: Final = {"low": "SFC", "high": "300m AGL"}


@verb(app, "site")
@takes_draft(protect=True)
def site(draft: dict[str, Any], yes: Yes = False, preview: Preview = False) -> None:
    """Tell of a site that stays: a hospital, a shelter, a warehouse. Verify and confirm it later."""
    given = {"type": "STATIC_SITE", "hazard": "PEOPLE_PRESENT", "priority": "HUMANITARIAN", **_BAND, **draft}
    result(send(_photographed(given), yes=yes, preview=preview), preview=preview)


@verb(app, "move")
@takes_draft(protect=True)
def move(draft: dict[str, Any], yes: Yes = False, preview: Preview = False) -> None:
    """Tell of a movement: a convoy, an evacuation. It checks in on its way."""
    given = {"type": "MOVEMENT", "hazard": "GROUND_TRAFFIC", "priority": "HUMANITARIAN", **_BAND, **draft}
    result(send(_photographed(given), yes=yes, preview=preview), preview=preview)


@verb(app, "change")
@takes_draft(protect=True)
def change(
    draft: dict[str, Any],
    ref: Ref,
    wrong: Annotated[bool, typer.Option("--wrong", help="The place or time was wrong: voids answers.")] = False,
    yes: Yes = False,
    preview: Preview = False,
) -> None:
    """A new version with what you give changed; the rest stays. One that moved is to be verified anew."""
    how = "correct" if wrong else "amend"
    result(send(_photographed(draft), yes=yes, preview=preview, ref=ref, how=how), preview=preview)


@verb(app, "verify")
def verify(
    ref: Ref,
    point: Annotated[str, typer.Option("--point", help='Where you found it: "36.20N 37.15E", DMS or MGRS.')],
    text: Text = "",
) -> None:
    """You looked, at another post than the one that gave it (`--as`), and found it here."""
    from wideberth.core.say.coordinates import parse_point

    place = parse_point(point, field="point")
    result(here().say("verified", ref=ref, point=[place.lat_ndeg, place.lng_ndeg], text=text))


@verb(app, "confirm")
def confirm(ref: Ref, text: Text = "") -> None:
    """A site is still there, and still what it was."""
    result(here().say("confirm", ref=ref, text=text))


@verb(app, "checkin")
def checkin(
    ref: Ref,
    at: Annotated[str, typer.Option("--at", help="When it was heard of, if not now; a time needs its zone.")] = "",
    point: Annotated[str, typer.Option("--point", help="Where it was, if that is told.")] = "",
    text: Text = "",
) -> None:
    """A movement was heard of, and goes on."""
    from wideberth.core.say.coordinates import parse_point

    show_utc_first(at)
    more: dict[str, Any] = {"at_ms": time_ms(at, field="at")} if at else {}
    if point:
        place = parse_point(point, field="point")
        more["point"] = [place.lat_ndeg, place.lng_ndeg]
    result(here().say("checkin", ref=ref, text=text, **more))


@verb(app, "withdraw")
def withdraw(ref: Ref, text: Text = "", preview: Preview = False) -> None:
    """Tell no more of it. What was said stays on record, and so does its protection."""
    result(here().say("cancel", preview=preview, ref=ref, text=text), preview=preview)


@verb(app, "list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also what is over or withdrawn.")] = False,
) -> None:
    """Sites and movements, and what is to be done about each. Those of others show no place here."""
    from wideberth.cli import board, show

    found = here().client().get("/v1/notices", line=here().line, all=1 if everything else "")
    show.rows([each for each in found if each["care"] is not None], board.protected)


def _photographed(draft: dict[str, Any]) -> dict[str, Any]:
    """A picture goes out as its SHA-256 and never itself. Raises NotFound."""
    photo = str(draft.get("photo", ""))
    if not photo or (len(photo) == 64 and not Path(photo).exists()):
        return draft
    import hashlib

    from wideberth.errors import NotFound

    try:
        return {**draft, "photo": hashlib.sha256(Path(photo).read_bytes()).hexdigest()}
    except OSError as why:
        raise NotFound(f"{photo} cannot be read: {why.strerror}", field="photo") from None
