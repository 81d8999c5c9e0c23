# SPDX-License-Identifier: Apache-2.0
"""A notice for a side that has no node, or while the line is down: read aloud, printed, mailed (domain.md B13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb

if TYPE_CHECKING:
    from wideberth.formats.paper import Sheet

Ref = Annotated[str, typer.Argument(help="The notice's reference.", show_default=False)]
Version = Annotated[int, typer.Option("--version", help="An earlier version; default: the newest.")]


def add_to(app: typer.Typer) -> None:
    """Add them to the group `notice`."""
    for name, function in (("script", script), ("form", form), ("mail", mail), ("rekey", rekey)):
        verb(app, name)(function)


def script(ref: Ref, version: Version = 0) -> None:
    """What to read over the telephone, sentence by sentence. Log the answer with `voice`."""
    from wideberth.formats.paper import phone_script

    _print({"ref": ref, "script": phone_script(sheet(ref, version))}, "script")


def form(ref: Ref, version: Version = 0) -> None:
    """A form to print."""
    from wideberth.formats.paper import printed_form

    _print({"ref": ref, "form": printed_form(sheet(ref, version))}, "form")


def mail(ref: Ref, version: Version = 0) -> None:
    """An e-mail: its subject, an empty line, its text."""
    from wideberth.formats.paper import email

    made = email(sheet(ref, version))
    _print({"ref": ref, "subject": made.subject, "text": made.text, "mail": f"{made.subject}\n\n{made.text}"}, "mail")


def rekey(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A form as it was keyed in again; - is the standard input.")
    ],
) -> None:
    """Whether a form that was keyed in again says what the notice said: by its check number."""
    from wideberth.cli import show
    from wideberth.errors import BadInput
    from wideberth.formats.paper import content_check, keyed_form

    terms, stated = keyed_form(_text_of(file))
    number = content_check(terms)
    if stated and stated != number:
        raise BadInput(
            f"the check number of what was keyed in is {number}, and the form says {stated}: something was mistyped; "
            "compare line by line",
            field="CHECK NUMBER",
        )
    import msgspec

    told = "as the form says" if stated else "the form says none: compare it with whoever has the notice"
    show.result(
        {"check": number, "stated": stated, "terms": msgspec.to_builtins(terms)},
        lambda _: show.say(f"Check number {number}, {told}."),
    )


def _text_of(path: str) -> str:
    import sys
    from pathlib import Path

    from wideberth.errors import NotFound

    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise NotFound(f"{path} cannot be read: {why}", field="file") from None


def sheet(ref: str, number: int) -> Sheet:
    """A notice of this node as it goes onto paper. Raises: NotFound, BadInput."""
    import msgspec

    from wideberth.core.say.rules import Mode
    from wideberth.core.say.words import Terms
    from wideberth.errors import BadInput, NotFound
    from wideberth.formats.paper import Sheet

    view = here().client().get(f"/v1/notices/{ref}", line=here().line)
    if view["kind"] == "alert":
        raise BadInput(
            f"{view['ref']} is an ALERT and has no place: say by telephone that something is about to happen",
            field="ref",
        )
    versions = [v for v in view["versions"] if number in (0, v["version"])]
    if not versions:
        raise NotFound(f"{view['ref']} has no version {number}", ref=view["ref"])
    chosen = versions[-1]
    # A cancellation has no terms of its own: the paper shows what is taken back.
    upto = [v for v in view["versions"] if v["version"] <= chosen["version"] and v["terms"]]
    steps: dict[str, Any] = {
        "notice": "NOTICE", "amend": "AMENDMENT", "correct": "CORRECTION", "extend": "EXTENSION",
        "offnominal": "OFF-NOMINAL",
        "cancel": "CANCELLATION",
    }  # fmt: skip
    return Sheet(
        msgspec.convert(upto[-1]["terms"], Terms),
        ref=view["ref"],
        version=chosen["version"],
        mechanism=view["mechanism"],
        mode=Mode(view["mode"]),
        sender=view["author"],
        given_ms=chosen["given_ms"],
        step=steps[chosen["kind"]],
        entry=chosen["entry"],
        release=view["release"],
        outside=chosen["outside"],
    )


def _print(data: dict[str, Any], field: str) -> None:
    from wideberth.cli import show

    show.result({k: v for k, v in data.items() if k != "mail"}, lambda _: show.say(*str(data[field]).splitlines()))
