# SPDX-License-Identifier: Apache-2.0
"""A neutral host: relays sealed deliveries between parties and stamps their times. It needs no node of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wideberth.cli.verbs import group, verb

app = group("Be a mediator: relay sealed deliveries between parties, with a signed time, and read none of them.")

FOLDER = "wideberth-mediator"


@verb(app, "init")
def init(
    name: Annotated[str, typer.Argument(help="The mediator's name, in capitals, such as HOST.")],
    listen: Annotated[str, typer.Option(help="Address and port for the parties' nodes.")] = "127.0.0.1:7450",
    url: Annotated[str, typer.Option(help="Where they find it, https://host:port; default: the listen address.")] = "",
    contact: Annotated[str, typer.Option(help="How to reach its people by voice.")] = "",
) -> None:
    """Make a mediator's folder with fresh keys (default: ./wideberth-mediator)."""
    import os

    from wideberth.cli import show
    from wideberth.clock import SystemClock
    from wideberth.config import split_listen
    from wideberth.errors import BadInput
    from wideberth.mediator import folder

    try:
        split_listen(listen)
    except ValueError as why:
        raise BadInput(f"listen {why}", field="listen") from None
    settings = folder.Settings(name, listen, url or f"https://{listen}", contact)
    made = folder.create(_dir(), settings, entropy=os.urandom, now_ms=SystemClock().now().t_ms)
    spoken = _words(made.card())
    show.tell(
        {"mediator": name, "dir": str(made.path), "card": str(made.path / folder.CARD_NAME), "words": spoken},
        f"Made the mediator {name} in {made.path}. Its words, to be read over a telephone:\n\n    {spoken}\n\n"
        f"Give {made.path / folder.CARD_NAME} to the parties (`way trust`), and take in the card of each "
        "(`mediate add`: the file card.json of their node's folder).",
    )


@verb(app, "add")
def add(
    card: Annotated[Path, typer.Argument(help="A party's card: the file card.json of its node's folder.")],
    words: Annotated[str, typer.Option(help="The twelve words that THEY read to you; asked for if not given.")] = "",
) -> None:
    """Serve one more party, or take in its newer card. A running mediator serves it from its next start."""
    from wideberth.cli import show
    from wideberth.core.seal.keys import Ed25519Verifier
    from wideberth.core.seal.party import read_card
    from wideberth.errors import NotFound
    from wideberth.mediator import folder

    made = folder.load(_dir())
    if not card.is_file():
        raise NotFound(f"there is no file {card}", field="card")
    data = card.read_bytes()
    seen = read_card(data, Ed25519Verifier())
    heard = words
    if not heard:
        typer.echo(f"Card {seen.version} of {seen.party} ({seen.contact or 'no contact given'}), {seen.url}", err=True)
        heard = typer.prompt("Call them, on a number that you know, and type the twelve words that they read", err=True)
    added = made.add(data, heard)
    show.tell(
        {"party": added.party, "version": added.version, "url": added.url},
        f"{added.party} is served, at {added.url}, from the next start of `wideberth mediate up`.",
    )


@verb(app, "card")
def card_() -> None:
    """The mediator's words, where its card is, and whom it serves."""
    from wideberth.cli import show
    from wideberth.mediator import folder

    made = folder.load(_dir())
    members = {name: cards[0].url for name, cards in made.members().items()}
    data = {
        "mediator": made.settings.mediator, "url": made.settings.url, "card": str(made.path / folder.CARD_NAME),
        "words": _words(made.card()), "members": members,
    }  # fmt: skip
    served = "\n".join(f"  {name}  {url}" for name, url in members.items()) or "  nobody yet: `mediate add`"
    show.tell(data, f"{data['mediator']}, {data['url']}, {data['card']}\n    {data['words']}\nServes:\n{served}")


@verb(app, "up")
def up() -> None:
    """Run the mediator until it is stopped (Ctrl-C, SIGTERM)."""
    from wideberth.cli.session import here
    from wideberth.mediator.run import run_mediator

    run_mediator(_dir(), here().json)


@verb(app, "log")
def log(
    delivery: Annotated[str, typer.Option("--delivery", help="Only this delivery: its SHA-256 in hex.")] = "",
    party: Annotated[str, typer.Option("--party", help="Only from or to this party.")] = "",
    newest: Annotated[int, typer.Option("--newest", help="How many at most.", min=1)] = 20,
) -> None:
    """The stamps that were given: who to whom, when it came, when it was passed on, and of what hash."""
    from wideberth.cli import show
    from wideberth.core.seal.keys import b64
    from wideberth.mediator import folder
    from wideberth.mediator.log import read_log

    made = folder.load(_dir())
    found = read_log(made.log_path, sha256=delivery.lower(), party=party, newest=newest)
    rows = [
        {
            "n": r.n, "ch": r.ch, "from": r.sender, "to": r.recipient, "sha256": r.sha256,
            "received_ms": r.received_ms, "passed_ms": r.passed_ms, "why": r.why, "stamp": b64(r.envelope),
        }
        for r in found
    ]  # fmt: skip
    show.rows(rows, _logged)


def _logged(rows: list[dict[str, Any]]) -> None:
    from wideberth.cli import show

    if not rows:
        show.say("No stamp was given yet, or none like that.")
        return
    show.table(
        ("received", "passed on after", "from", "to", "delivery", ""),
        [
            (
                show.utc(r["received_ms"]),
                f"{r['passed_ms'] - r['received_ms']} ms" if r["passed_ms"] else "not",
                r["from"], r["to"], r["sha256"][:16], r["why"],
            )
            for r in rows
        ],
    )  # fmt: skip


def _dir() -> Path:
    from wideberth.cli.session import FOLDER as NODE
    from wideberth.cli.session import here

    return Path(FOLDER) if here().folder == Path(NODE) else here().folder


def _words(card: bytes) -> str:
    from wideberth.ways import look

    return look(card)["words"]
