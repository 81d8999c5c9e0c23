# SPDX-License-Identifier: Apache-2.0
"""The agreement of a mechanism: read it, propose another version, sign, suspend, resume, leave, declare ready.

Its state is not the state of any line: while it is suspended the lines stay open, and what is said is delivered and
marked. Everything here is said on the line where the mechanism itself is talked about.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import group, verb

if TYPE_CHECKING:
    from wideberth.core.seal.keys import Signer

app = group("The agreement: show, propose, sign, suspend, resume, leave, declare ready.")

Text = Annotated[str, typer.Option("--text", help="Why, in writing. Without it, it is marked 'no text'.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
From = Annotated[str, typer.Option("--from", help="From when; default: as soon as the agreement allows.")]

_SET_HELP = (
    "A number to change, such as lead=15m; repeat for more. `agreement show` lists every name with its value and unit."
)


def add_to(top: typer.Typer) -> None:
    """Add the group, and the two verbs about all mechanisms."""
    top.add_typer(app, name="agreement")
    verb(top, "mechanism")(mechanism)
    verb(top, "disclosures")(disclosures)


def mechanism() -> None:
    """Every mechanism with the state of its agreement, and every founding under way: who has signed, who is missing."""
    from wideberth import founding, home
    from wideberth.cli import agreed, show
    from wideberth.errors import Unreachable

    try:
        seen = here().client().get("/v1/mechanisms")
    except Unreachable:
        # Files and telephones need no node; what was agreed is in its record.
        seen = {"mechanisms": None, "foundings": founding.foundings(home.load(here().folder))}
    show.result(seen, agreed.mechanisms)


def disclosures() -> None:
    """For each notice of ours: who received which version, and when, by the receipts that they signed."""
    from wideberth.cli import agreed, show

    show.rows(here().client().get("/v1/disclosures", line=here().line), agreed.disclosures)


@verb(app, "show")
def show_(
    version: Annotated[int, typer.Option("--version", help="An earlier version; default: the one in force.")] = 0,
) -> None:
    """Every number of the agreement, in units that people use, with members and lines."""
    from wideberth.cli import agreed, show

    wanted = version or ""
    show.result(
        here().client().get("/v1/mechanisms/agreement", mechanism=here().line, version=wanted), agreed.agreement
    )


@verb(app, "propose")
def propose(
    set_: Annotated[list[str] | None, typer.Option("--set", help=_SET_HELP)] = None,
    rules: Annotated[Path | None, typer.Option("--rules", help="All numbers from a JSON file; --set on top.")] = None,
    add_line: Annotated[
        list[str] | None, typer.Option("--add-line", help="A line to open: GROUND:BLUE,GREEN, or SEA for everybody.")
    ] = None,
    drop_line: Annotated[list[str] | None, typer.Option("--drop-line", help="A line to close, as --add-line.")] = None,
    clause: Annotated[list[str] | None, typer.Option("--clause", help="All clauses anew, one each.")] = None,
    from_: Annotated[str, typer.Option("--from", help="When it begins; default: with the last signature.")] = "",
    counters: Annotated[
        str, typer.Option("--counters", help="The proposal that this answers, and starts from: its hash.")
    ] = "",
    text: Annotated[str, typer.Option("--text", help="A few words about it.")] = "",
) -> None:
    """Propose the next version. It binds nobody until every member's root has signed it."""
    import msgspec

    from wideberth.cli import agreed, show, terms

    client, session = here().client(), here()
    seen = client.get("/v1/mechanisms/agreement", mechanism=session.line)
    everybody = tuple(member["party"] for member in seen["signed"]["members"])

    def lines(given: list[str] | None) -> list[dict[str, Any]]:
        return terms.plain_lines(tuple(terms.line_of(each, everybody) for each in given or ()))

    body: dict[str, Any] = {
        "mechanism": session.line, "by": session.by(), "set": terms.settings_of(set_ or []), "text": text,
        "add_lines": lines(add_line), "drop_lines": lines(drop_line), "counters": counters, "from": from_,
    }  # fmt: skip
    if rules is not None:
        body["rules"] = msgspec.to_builtins(terms.read_rules(rules))
    if clause is not None:
        body["clauses"] = clause
    show.result(client.post("/v1/mechanisms/propose", body), agreed.proposed)


@verb(app, "sign")
def sign(
    of: Annotated[str, typer.Argument(metavar="HASH", help="The proposed version, by the start of its hash.")],
    yes: Yes = False,
) -> None:
    """Sign a proposed version with the root key (--root-key FILE, where it is kept elsewhere), after reading what it
    changes. The node gets only the signature."""
    from wideberth.cli import agreed, show
    from wideberth.core.seal.agreement import parse_agreement, sign_agreement

    session = here()
    seen = session.client().get("/v1/mechanisms/proposal", mechanism=session.line, of=of)
    if not yes and not session.json:
        agreed.changes(seen["proposal"])
    _sure("Sign it with the root key?", yes=yes)
    signed = sign_agreement(parse_agreement(seen["payload"].encode("utf-8")), _root(seen)).signatures[0]
    said = session.say(
        "sign", ch=seen["id"], of=seen["proposal"]["agreement"], sig={"keyid": signed.keyid, "sig": signed.sig}
    )
    show.result(said, agreed.signed)


@verb(app, "status")
def status() -> None:
    """The agreement's state and since when, versions, proposals with what they change, suspensions, exits."""
    from wideberth.cli import agreed, show
    from wideberth.core.call.choosing import Choice, choose_mechanism
    from wideberth.core.say.rules import Purpose

    seen = here().client().get("/v1/mechanisms")["mechanisms"]
    choices = [
        Choice(line["ch"], each["mechanism"], each["id"], Purpose(line["purpose"]), tuple(line["members"]))
        for each in seen
        for line in each["lines"]
    ]
    chosen = choose_mechanism(choices, here().line)
    show.result(next(each for each in seen if each["id"] == chosen), agreed.status)


@verb(app, "suspend")
def suspend(text: Text = "", from_: From = "") -> None:
    """Suspend our part of the agreement, as a supervisor. Lines stay open; what is said is delivered, and marked."""
    from wideberth.cli import agreed, show

    show.result(here().say("suspend", text=text, from_ms=_at(from_)), agreed.said)


@verb(app, "resume")
def resume(text: Annotated[str, typer.Option("--text", help="A few words about it.")] = "") -> None:
    """End our own suspension, as a supervisor."""
    from wideberth.cli import agreed, show

    show.result(here().say("reinstate", text=text), agreed.said)


@verb(app, "leave")
def leave(text: Text = "", from_: From = "", yes: Yes = False) -> None:
    """Leave the mechanism for good, as a supervisor. The record stays and verifies; distress passes always."""
    from wideberth.cli import agreed, show

    _sure(
        "Leave this mechanism? Nothing more can be said on its lines but distress, and there is no way back.", yes=yes
    )
    show.result(here().say("leave", text=text, from_ms=_at(from_)), agreed.said)


@verb(app, "ready")
def ready(
    declare: Annotated[bool, typer.Option("--declare", help="Declare us ready under the version in force.")] = False,
    text: Annotated[str, typer.Option("--text", help="Why, if something is red: then a supervisor declares it.")] = "",
) -> None:
    """The readiness checklist; with --declare or --text also declare us ready. A mechanism works before that, too."""
    from wideberth.cli import agreed, exits, show

    session = here()
    if not declare and not text:
        seen = session.client().get("/v1/mechanisms/readiness", mechanism=session.line)
        show.result(seen, agreed.readiness)
        if not all(each["ok"] for each in seen["items"]):
            raise typer.Exit(exits.FOUND)
        return
    body = {"mechanism": session.line, "by": session.by(), "text": text}
    show.result(session.client().post("/v1/mechanisms/ready", body), agreed.declared)


def _root(seen: dict[str, Any]) -> Signer:
    """Our root key in a mechanism, which may have one of its own. Raises NotFound, BadInput."""
    from wideberth import home, join, rekey
    from wideberth.cli import passphrase

    made = home.load(here().folder)
    keys = join.keys_for(made, seen["nonce"])
    if keys.name and rekey.own_root(made, keys):
        passphrase.unlock_set_root(keys, seen["mechanism"])
    else:
        passphrase.unlock_root(made)
    return rekey.root_signer(made, keys)


def _at(text: str) -> int:
    from wideberth.cli.options import time_ms

    return time_ms(text, field="from") if text else 0


def _sure(question: str, *, yes: bool) -> None:
    """Asked where somebody sits at a terminal. Raises BadInput when they say no."""
    from wideberth.errors import BadInput

    if not yes and sys.stdin.isatty() and not typer.confirm(question, default=False, err=True):
        raise BadInput("stopped by you; nothing was signed or sent", field="yes")
