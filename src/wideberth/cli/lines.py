# SPDX-License-Identifier: Apache-2.0
"""The line itself: check it, say something about it, log what went beside it, post a statement of position."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import group, verb

checks = group("Line checks by people: is somebody there? At the agreed times, and before a notice becomes active.")
line = group("Your side's word about a line. Urgent and distress words pass in every state.")
statements = group("Statements of position. They change nothing.")

Text = Annotated[str, typer.Option("--text", help="A few words, recorded with it.")]


def add_to(app: typer.Typer) -> None:
    """Add the groups and `contacts` to the top of the command line."""
    app.add_typer(checks, name="linecheck")
    app.add_typer(line, name="line")
    app.add_typer(statements, name="statement")
    verb(app, "contacts")(contacts)


@verb(checks, "ask")
def ask(text: Text = "") -> None:
    """Ask whether a person is there. Ask again after 5 and after 15 minutes if nobody answers."""
    _say("check", text=text)


@verb(checks, "answer")
def answer(
    party: Annotated[str, typer.Argument(help="Whose check; not needed where one waits.", show_default=False)] = "",
    of: Annotated[str, typer.Option("--of", help="The hash of one exact check; default: the newest.")] = "",
    text: Text = "",
) -> None:
    """A person is here: answer the other side's newest line check."""
    _say("checked", party=party, of=of, text=text)


@verb(checks, "list")
def list_() -> None:
    """The state of every line, since when, and the checks that wait for an answer."""
    from wideberth.cli import line_show, show

    show.rows(here().client().get("/v1/line", line=here().line), line_show.states)


@verb(line, "refuse")
def refuse(text: Text = "") -> None:
    """Say that your side refuses to talk on this line. Warnings still pass, both ways."""
    _say("line", state="REFUSED", text=text)


@verb(line, "suspend")
def suspend(text: Text = "") -> None:
    """Say that your side takes this line out of use for a while: no check is due meanwhile. Warnings still pass."""
    _say("line", state="SUSPENDED", text=text)


@verb(line, "reopen")
def reopen(text: Text = "") -> None:
    """Say that your side is back on this line."""
    _say("line", state="OPEN", text=text)


@verb(line, "close")
def close(text: Text = "") -> None:
    """Say that your side closes this line. Warnings still pass, both ways; the agreement stays what it is."""
    _say("line", state="CLOSED", text=text)


@verb(statements, "post")
def post(
    text: Annotated[str, typer.Argument(help="What your side states.", show_default=False)],
    language: Annotated[str, typer.Option("--language", help="The language it is in, as a BCP 47 tag.")] = "en",
    about: Annotated[list[str] | None, typer.Option("--about", help="The hash of an entry it is about.")] = None,
) -> None:
    """Post a statement of position on a working group's line. It changes nothing."""
    _say("statement", text=text, language=language, about=about or [])


@verb(statements, "list")
def statement_list() -> None:
    """Every statement, whole."""
    from wideberth.cli import line_show, show

    show.rows(here().client().get("/v1/statements", line=here().line), line_show.statements)


def contacts() -> None:
    """Calls logged with `voice`, and how often anybody answered."""
    from wideberth.cli import line_show, show

    show.rows(here().client().get("/v1/contacts", line=here().line), line_show.contacts)


def _say(command: str, **fields: Any) -> None:
    from wideberth.cli import show

    show.result(here().say(command, **fields), show.said)
