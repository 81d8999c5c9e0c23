# SPDX-License-Identifier: Apache-2.0
"""The desk of this node: what rings, who has it, and what was done. Nothing of it is ever sent to anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import group, verb

Item = Annotated[str, typer.Argument(help="Its reference, such as DSK-0001-C, or the notice's.", show_default=False)]
Who = Annotated[str, typer.Option("--person", help="Who you are on the roster; default: who speaks with the post.")]


handovers = group("Hand the watch over: everything that is open, signed by who goes and by who comes.")


def add_to(app: typer.Typer) -> None:
    """Add them to the top of the command line."""
    app.add_typer(handovers, name="handover")
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


@verb(handovers, "give")
def give(
    to: Annotated[str, typer.Argument(help="The post that takes over, such as watch-2.", show_default=False)],
    note: Annotated[str, typer.Option("--note", help="A few words for who comes.")] = "",
) -> None:
    """Sign everything that is open, for another post to countersign. Nothing can be left out."""
    from wideberth.cli import show

    body = {"by": here().by(), "to": to, "note": note}
    show.result(here().client().post("/v1/desk/handover", body), lambda found: _handovers([found]))


@verb(handovers, "accept")
def accept(
    number: Annotated[str, typer.Argument(help="Which one; default: the newest offered to your post.")] = "",
) -> None:
    """Countersign what is open and take the watch; a line check is asked on every line, for a person to answer."""
    from wideberth.cli import show

    def lines(found: dict[str, Any]) -> None:
        _handovers([found])
        for check in found["line_checks"]:
            show.say(f"line check on {check['ch'][:8]}: {check['said']}")

    show.result(here().client().post("/v1/desk/handover/accept", {"by": here().by(), "n": number}), lines)


@verb(handovers, "list")
def list_(last: Annotated[int, typer.Option("--last", min=1, max=5000, help="How many.")] = 20) -> None:
    """Show hand-overs, and what was open at each."""
    from wideberth.cli import show

    show.rows(here().client().get("/v1/desk/handovers", last=last), _handovers)


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


def _handovers(found: list[dict[str, Any]]) -> None:
    from wideberth.cli import show

    for each in found:
        told = each["handover"]
        state = "countersigned" if each["state"] == "TAKEN" else "NOT COUNTERSIGNED YET"
        show.say(f"{each['n']}  {show.utc(told['t_ms'])}  {told['by']} to {told['to']}: {state}")
        if told["note"]:
            show.say(f"    “{told['note']}”")
        for item in told["items"]:
            owner = item["owner"] or "nobody"
            show.say(f"    {item['item']} {item['urgency']} {item['about']}, {owner} has it: {item['sentence']}")
        for unit in told["units"]:
            show.say(f"    {unit}")
        if not told["items"] and not told["units"]:
            show.say("    nothing is open")


def _log(lines: list[dict[str, Any]]) -> None:
    from wideberth.cli import show

    for line in lines:
        who = f" {line['person']}" if line["person"] else ""
        note = f": {line['note']}" if line.get("note") else ""
        show.say(f"{show.utc(line['at_ms'])}  {line['item']}  {line['event']}{who}{note}")
