# SPDX-License-Identifier: Apache-2.0
"""By which ways this node says things to a peer: directly, by way of a mediator, or the one and then the other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wideberth.cli.verbs import group, verb

app = group("Ways to a peer: directly, or by way of a mediator that both sides know.")


@verb(app, "list")
def list_() -> None:
    """The mediators that this node knows, and the ways that were set."""
    from wideberth.cli import show
    from wideberth.cli.session import here
    from wideberth.ways import load_ways
    from wideberth.web.relaying import shown

    show.result(shown(load_ways(_folder(here().folder))), _listed)


@verb(app, "trust")
def trust(
    file: Annotated[Path, typer.Argument(help="The card of a mediator, as `mediate card` writes it.")],
    words: Annotated[str, typer.Option(help="The twelve words that THEY read to you; asked for if not given.")] = "",
) -> None:
    """Take in a mediator's card, after comparing its words over a telephone. It may then hand over what peers send."""
    from wideberth import ways
    from wideberth.cli import show
    from wideberth.cli.session import here
    from wideberth.errors import NotFound

    folder = _folder(here().folder)
    if not file.is_file():
        raise NotFound(f"there is no file {file}", field="file")
    data = file.read_bytes()
    seen = ways.look(data)
    heard = words
    if not heard:
        contact = seen["contact"] or "no contact given"
        typer.echo(f"Card of the mediator {seen['mediator']} ({contact}), {seen['url']}", err=True)
        heard = typer.prompt("Call them, on a number that you know, and type the twelve words that they read", err=True)
    card = ways.trust(folder, data, heard)
    _tell_node()
    show.tell(
        {"mediator": card.mediator, "url": card.url},
        f"{card.mediator} is known. What peers send by way of it is taken; to send by it yourself: "
        f"`wideberth way set PEER direct {card.mediator}`, which tries the direct line first.",
    )


@verb(app, "set")
def set_(
    peer: Annotated[str, typer.Argument(help="The peer, such as GREEN.")],
    ways: Annotated[
        list[str] | None, typer.Argument(help="`direct` or mediators, in the order to try; none: directly.")
    ] = None,
) -> None:
    """From now on go to a peer by these ways, in this order; with --line on that line only."""
    from wideberth import ways as book
    from wideberth.cli import show
    from wideberth.cli.session import here

    session = here()
    folder = _folder(session.folder)
    ch = _line() if session.line else ""
    chosen = list(ways or ())
    book.set_ways(folder, peer, chosen, ch)
    running = _tell_node()
    how = ", then ".join(chosen) or "direct"
    show.tell(
        {"peer": peer, "line": ch, "ways": chosen or ["direct"], "running": running},
        f"To {peer}{' on this line' if ch else ''}: {how}." + ("" if running else " It holds from the next start."),
    )


@verb(app, "proofs")
def proofs() -> None:
    """What a mediator or a sender spoiled on the way, with the signatures that prove it."""
    from wideberth.cli import show
    from wideberth.cli.session import here

    show.rows(here().client().get("/v1/spoiled"), _proofs)


def _listed(data: dict[str, Any]) -> None:
    from wideberth.cli import show

    if not data["mediators"]:
        show.say("No mediator is known here; `way trust FILE` takes one's card in.")
    for each in data["mediators"]:
        show.say(f"{each['mediator']}  {each['url']}  {each['contact']}".rstrip(), f"  {each['words']}")
    for key, ways in data["ways"].items():
        ch, _, peer = key.rpartition("/")
        show.say(f"To {peer}{f' on line {ch[:12]}' if ch else ''}: {', then '.join(ways)}")
    show.say("Every other peer is reached directly.")


def _proofs(found: list[dict[str, Any]]) -> None:
    from wideberth.cli import show

    if not found:
        show.say("Nothing was spoiled on the way, as far as this node saw.")
    for each in found:
        show.say(
            f"{show.utc(each['at_ms'])}  by {each['by']}: line {each['ch'][:12]}, delivery "
            f"{each['shows']['sha256'][:12]}, proof {each['proof'][:12]} (--json shows it whole)"
        )


def _folder(folder: Path) -> Path:
    from wideberth.cli.session import CONFIG_NAME
    from wideberth.errors import NotFound

    if not (folder / CONFIG_NAME).is_file():
        raise NotFound(f"there is no node folder {folder}; make one with `wideberth init`", field="dir")
    return folder


def _line() -> str:
    """The id of the line that --line names, by the running node."""
    from wideberth.cli.session import here
    from wideberth.errors import NotFound

    name = here().line
    lines = here().client().get("/v1/status")["lines"]
    found = [line["ch"] for line in lines if line["mechanism"] == name or line["ch"].startswith(name.lower())]
    if len(found) != 1:
        raise NotFound(f"{len(found) or 'no'} lines are called {name!r}; `status` lists them", line=name)
    return str(found[0])


def _tell_node() -> bool:
    """A running node takes it in at once. Returns whether one is running."""
    from wideberth.cli.session import here
    from wideberth.errors import Unreachable

    try:
        here().client().post("/v1/ways", {})
    except Unreachable:
        return False
    return True
