# SPDX-License-Identifier: Apache-2.0
"""Before anything is sent: what the members of the line would see, and whether a text names what belongs elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from wideberth.cli.session import here
from wideberth.errors import BadInput, Fault

Preview = Annotated[
    bool, typer.Option("--preview", help="Show what the line's members would see; send and change nothing.")
]

# What is written freely; without any of it there is nothing to look through, and no question is asked of the node.
_FREE: Final = ("text", "place_name", "contact", "answer", "as_read", "values", "replies", "translator")
# Commands that may wait for a look; whatever is not named here (alert, distress, …) goes out at once.
_MAY_WAIT: Final = frozenset(
    {"cancel", "insufficient", "objection", "refused", "outage", "voice", "readback", "statement", "line"}
    | {"message", "translation", "heardas", "ask", "answer", "remedy", "outcome"}
)
_AT_ONCE: Final = ("FLASH", "IMMEDIATE")
# Where the place of a notice is looked at once more before it goes out (domain.md K2).
_CARED_FOR: Final = ("STATIC_SITE", "MOVEMENT")
# Said to whoever files a site or a movement (domain.md M4 as amended).
_BEYOND: Final = "What they do with it on machines of their own is beyond any guard."
_SHORT: Final = ("UNANNOUNCED_TRAFFIC", "ACCIDENT", "HOLD_OFF", "DISTRESS")


def post(path: str, body: dict[str, Any], *, preview: bool = False, yes: bool = False) -> dict[str, Any]:
    """Send a command or a draft, or only preview it. Raises the node's Fault."""
    client = here().client()
    if not preview:
        _names_first(body, yes=yes)
        if path == "/v1/notices":
            _audience_first(body)
    answer: dict[str, Any] = client.post("/v1/preview" if preview else path, body)
    return answer


def result(answer: dict[str, Any], *, preview: bool = False) -> None:
    """What became of it, or what would."""
    from wideberth.cli import show

    show.result(answer, _show if preview else show.said)


def _names_first(body: Mapping[str, Any], *, yes: bool) -> None:
    """A name of another line in a text is said before it goes out. Nothing urgent ever waits for that, and nothing
    waits where nobody sits at a terminal. Raises BadInput when the officer stops it there."""
    urgent = _is_urgent(body)
    worth = any(body.get(f) for f in _FREE) or body.get("type") in _CARED_FOR or bool(body.get("how"))
    if urgent or ("command" in body and body["command"] not in _MAY_WAIT) or not worth:
        return
    from wideberth.cli import show

    try:
        seen = here().client().post("/v1/preview", dict(body))
    except Fault:
        return  # what is wrong with it is said when it is sent
    found = [*seen["names"], *seen["look_again"]]
    if not found or seen["urgent"]:
        return
    show.note(*(f"Before it is sent: {name}." for name in found), style="bold yellow")
    if not yes and sys.stdin.isatty() and not typer.confirm("Send it all the same?", default=False, err=True):
        raise BadInput("stopped by you; nothing was signed or sent", field="text")


def _is_urgent(body: Mapping[str, Any]) -> bool:
    return (
        body.get("type") in _SHORT
        or body.get("how") == "offnominal"
        or any(str(body.get(field, "")).upper() in _AT_ONCE for field in ("precedence", "urgency"))
    )


def _audience_first(body: Mapping[str, Any]) -> None:
    """Who will be told, and how far a copy may travel, before it goes out (domain.md J1). What is urgent goes first."""
    if _is_urgent(body) or body.get("ref") or here().json:
        return  # a new version goes to whom the first went to; programs read it in the answer
    from wideberth.cli import show

    try:
        seen = here().client().get("/v1/audience", line=body.get("line", ""))
    except Fault:
        return  # what is wrong with it is said when it is sent
    voice = f" To be called, having no node: {', '.join(seen['by_voice'])}." if seen["by_voice"] else ""
    show.note(
        f"Will be told to: {', '.join(seen['members'])} ({seen['mechanism']}, {seen['purpose']}).{voice}",
        f"{seen['release']}",
        *([_BEYOND] if body.get("type") in _CARED_FOR else []),
    )


def _show(seen: Mapping[str, Any]) -> None:
    from wideberth.cli import board, show

    mode = "" if seen["mode"] == "REAL" else f" [{seen['mode']}]"
    show.say("PREVIEW. Nothing was signed, sent or changed.", style="bold")
    show.say(
        f"Line {seen['mechanism']}{mode}. It would be seen by {' and '.join(seen['audience']) or 'nobody'}, all of it."
    )
    if seen["by_voice"]:
        show.say(f"To be called, having no node: {', '.join(seen['by_voice'])}.")
    show.say(f"Entry of {seen['frame_bytes']:,} bytes{', urgent: it rings at once' if seen['urgent'] else ''}.")
    show.say(seen["release"])
    if seen["outside"]:
        show.say(f"It would be marked as outside the agreement: {seen['outside']}.")
    show.say("", "What their watch would be told:", f"  {seen['sentence']}")
    if seen["view"]:
        show.say("", "What they can look up:")
        board.version(seen["view"])
    show.say("", "The words, as they would be signed:", f"  {show.as_json(seen['says'])}")
    show.say("What goes with them:", f"  {show.as_json(seen['header'])}")
    show.note(*(f"Note: {each}" for each in seen["warnings"]), style="yellow")
    show.note(*(f"Look again: {each}." for each in seen["names"]), style="bold yellow")
