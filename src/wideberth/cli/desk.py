# SPDX-License-Identifier: Apache-2.0
"""The desk of this node: what rings, who has it, and what was done. Nothing of it is ever sent to anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb

Item = Annotated[str, typer.Argument(help="Its reference, such as DSK-0001-C, or the notice's.", show_default=False)]
Who = Annotated[str, typer.Option("--person", help="Who you are on the roster; default: who speaks with the post.")]


def add_to(app: typer.Typer) -> None:
    """Add them to the top of the command line."""
    for name, function in (
        ("desk", desk), ("take", take), ("hand-on", hand_on), ("done", done), ("units", units),
    ):  # fmt: skip
        verb(app, name)(function)


def desk(
    log: Annotated[bool, typer.Option("--log", help="What was written down instead: every rung and hand.")] = False,
    item: Annotated[str, typer.Option("--item", help="Of one item only, with --log.")] = "",
    last: Annotated[int, typer.Option("--last", min=1, max=5000, help="How many lines, with --log.")] = 200,
) -> None:
    """Show what rings and who has it, who is called next and when, and which units a notice has not reached."""
    from wideberth.cli import show

    client = here().client()
    if log:
        show.rows(client.get("/v1/desk/log", item=item, last=last), _log)
    else:
        show.result(client.get("/v1/desk"), _desk)


def take(item: Item, person: Who = "") -> None:
    """Own an alarm: it stops climbing. It asks nobody's leave, and takes it from whoever had it."""
    _change("take", item, person)


def hand_on(item: Item, person: Who = "") -> None:
    """Let an alarm of yours go: it rings again, from the first rung."""
    _change("hand-on", item, person)


def done(
    item: Item,
    note: Annotated[str, typer.Option("--note", help="What was done about it.")] = "",
    person: Who = "",
) -> None:
    """Close an alarm of yours that no word on the line answers: a fault, an exposure, a line that is out."""
    _change("done", item, person, note=note)


def units(
    file: Annotated[Path | None, typer.Argument(help="Another file; default: units.toml in the node's folder.")] = None,
) -> None:
    """Check the file of own units and show what is in it. Needs no running node; nothing of it ever leaves."""
    from wideberth.cli import show
    from wideberth.core.say.coordinates import show_altitude
    from wideberth.errors import NotFound
    from wideberth.formats.units import read_units

    path = file or here().folder / "units.toml"
    if not path.is_file():
        raise NotFound(f"there is no file of units {path}; docs/watch.md shows what one looks like", field="file")
    found = [
        {
            "unit": unit.name, "areas": len(unit.areas), "low": show_altitude(unit.lower),
            "high": show_altitude(unit.upper), "pagers": len(unit.pages), "supervisor": unit.supervisor,
        }
        for unit in read_units(path.read_text(encoding="utf-8"))
    ]  # fmt: skip

    def lines(_: Any) -> None:
        for unit in found:
            pagers = f"{unit['pagers']} pagers" if unit["pagers"] else "no pager: it is told by voice"
            above = f", supervisor {unit['supervisor']}" if unit["supervisor"] else ""
            show.say(f"{unit['unit']}: {unit['areas']} areas, {unit['low']} to {unit['high']}, {pagers}{above}")

    show.result(found, lines)


def _change(what: str, item: str, person: str, **more: str) -> None:
    from wideberth.cli import show

    body = {"item": item, "person": person, "by": "" if person else here().by(), **more}
    show.result(here().client().post(f"/v1/desk/{what}", body), lambda found: _items([found]))


def _desk(view: dict[str, Any]) -> None:
    from wideberth.cli import show

    on = ", ".join(view["on_shift"]) or "NOBODY"
    show.say(f"On watch: {on}. Behind them: {', '.join(view['backups']) or 'nobody'}.")
    if not view["items"]:
        show.say("Nothing is open.")
    _items(view["items"])
    for each in view["relays"]:
        relayed(each)


def relayed(each: dict[str, Any]) -> None:
    """How far one notice came among own units."""
    from wideberth.cli import show

    show.say(f"{each['ref']}: {each['says']}", style="" if each["fully"] else "bold yellow")
    show.say(f"    to tell the other side the count, and no names: {each['count']}")


def _items(items: list[dict[str, Any]]) -> None:
    from wideberth.cli import show

    for item in items:
        owner = f"{item['owner']} has it" if item["owner"] else "NOBODY HAS IT"
        state = "" if item["state"] in ("RINGING", "OWNED") else f" {item['state']}"
        show.say(
            f"{item['item']}  {item['urgency']}{state}  {item['about']}: {owner}, since {show.utc(item['since_ms'])}",
            style="" if item["state"] in ("OWNED", "ANSWERED") else "bold red",
        )
        show.say(f"    {item['sentence']}")
        if due := item["next"]:
            show.say(f"    next: {due['who']} {due['how']} in {show.span(due['in_ms'])}")


def _log(lines: list[dict[str, Any]]) -> None:
    from wideberth.cli import show

    for line in lines:
        who = f" {line['person']}" if line["person"] else ""
        note = f": {line['note']}" if line.get("note") else ""
        show.say(f"{show.utc(line['at_ms'])}  {line['item']}  {line['event']}{who}{note}")
