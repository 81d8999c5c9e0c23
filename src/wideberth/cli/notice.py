# SPDX-License-Identifier: Apache-2.0
"""Notices: give, change, end, look at, read out."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from wideberth.cli.options import read_json, show_utc_first, takes_draft, time_ms
from wideberth.cli.preview import Preview, post, result
from wideberth.cli.session import here
from wideberth.cli.verbs import group, verb

app = group("Notices: give, change, end, look at, read out.")
drafts = group("What was not complete enough to be signed, and is kept.")
app.add_typer(drafts, name="draft")

Ref = Annotated[str, typer.Argument(help="The notice's reference, such as BLU-0001-E.", show_default=False)]
Text = Annotated[str, typer.Option("--text", help="A short clarification.")]
At = Annotated[str, typer.Option("--at", help="When, if not now; a time needs its zone.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask about times in another zone.")]

# Of `core/say/templates.py`, which is not imported here because `--help` must come at once; a test compares them.
TEMPLATES: Final = "transit, sar, air-drop, drone-survey, live-fire, convoy, medevac"

_ROUTE: Final = ("by", "line")


def send(fields: dict[str, Any], *, yes: bool = False, preview: bool = False, **route: str) -> dict[str, Any]:
    """Send a draft to the node, or preview it; what is missing is named there, and the draft of what was sent kept."""
    show_utc_first(*(str(fields.get(f, "")) for f in ("from", "until", "expires")), yes=yes or preview)
    session = here()
    body = {**fields, "by": session.by(), "line": session.line, **{k: v for k, v in route.items() if v}}
    return post("/v1/notices", body, preview=preview, yes=yes)


@verb(app, "give")
@takes_draft(protect=True)
def give(
    draft: dict[str, Any],
    refines: Annotated[str, typer.Option("--refines", help="An ALERT of ours that this makes precise.")] = "",
    file: Annotated[str, typer.Option("--draft", help="A JSON file with fields; options hold over it.")] = "",
    template: Annotated[str, typer.Option("--template", help=f"Begin from one of {TEMPLATES}.")] = "",
    yes: Yes = False,
    preview: Preview = False,
) -> None:
    """Give a notice. Late ones are flagged and sent; what is missing is named, and the draft kept."""
    if file:
        draft = {**read_json(file), **draft}
    if template:
        draft = _filled(template, draft)
    result(send(draft, yes=yes, preview=preview, refines=refines), preview=preview)


@verb(app, "templates")
def templates() -> None:
    """The templates of `give --template`, and what each asks."""
    from wideberth.cli import show
    from wideberth.core.say.templates import TEMPLATES as FOUND

    def render(found: list[Any]) -> None:
        for each in found:
            show.say(f"{each['name']}: {each['help']}", style="bold")
            for ask in each["asks"]:
                show.say(f"    --{ask['field'].replace('_', '-')}  {ask['question']}: {ask['like']}")

    show.rows(
        [
            {"name": name, "help": each.help, "fixed": each.fixed,
             "asks": [{"field": a.field, "question": a.question, "like": a.like} for a in each.asks]}
            for name, each in FOUND.items()
        ],
        render,
    )  # fmt: skip


def _filled(name: str, draft: dict[str, Any]) -> dict[str, Any]:
    """The draft on the template, with what is missing asked at a terminal. Raises BadInput."""
    import sys

    from wideberth.core.say.templates import TEMPLATES as FOUND
    from wideberth.errors import BadInput

    template = FOUND.get(name)
    if template is None:
        raise BadInput(f"there is no template {name!r}; there are {', '.join(FOUND)}", field="template")
    # A place of another shape, or one that moves, is an answer as well.
    placed = bool({"circle", "polygon", "corridor", "moving", "volumes"} & draft.keys())
    given = {**template.fixed, **draft}
    for ask in template.asks:
        place = ask.field in ("circle", "corridor", "radius", "half_width")
        if ask.field not in given and not (place and placed) and sys.stdin.isatty():
            given[ask.field] = typer.prompt(f"{ask.question} (such as {ask.like})", err=True)
    return given


@verb(app, "amend")
@takes_draft()
def amend(
    draft: dict[str, Any],
    ref: Ref,
    yes: Yes = False,
    preview: Preview = False,
    proposed: Annotated[
        str, typer.Option("--proposed", help="Take the volumes that were proposed last in this conflict (CNF-…).")
    ] = "",
) -> None:
    """A new version with what you give changed; the rest stays."""
    if proposed:
        from wideberth.cli import ways_out
        from wideberth.errors import BadInput

        if draft:
            raise BadInput("with --proposed the volumes are those of the proposal; give the rest in another version",
                           field="proposed")  # fmt: skip
        body = ways_out.as_proposed(here().client(), ref, proposed, here().line)
        result(post("/v1/commands", {**body, "by": here().by()}, preview=preview), preview=preview)
        return
    result(send(draft, yes=yes, preview=preview, ref=ref, how="amend"), preview=preview)


@verb(app, "correct")
@takes_draft()
def correct(draft: dict[str, Any], ref: Ref, yes: Yes = False, preview: Preview = False) -> None:
    """The place or time was wrong: a new version that voids every acknowledgement of the wrong one."""
    result(send(draft, yes=yes, preview=preview, ref=ref, how="correct"), preview=preview)


@verb(app, "offnominal")
@takes_draft()
def offnominal(
    draft: dict[str, Any],
    ref: Ref,
    cause: Annotated[str, typer.Argument(help="OVERRUN, LOST_LINK, LOST_NAVIGATION or EMERGENCY.", show_default=False)],
    preview: Preview = False,
) -> None:
    """It does not go as the notice says: how far it may reach now. It only grows, is urgent, and voids nothing."""
    said = send(draft, yes=True, preview=preview, ref=ref, how="offnominal", cause=cause)
    result(said, preview=preview)


@verb(app, "extend")
def extend(
    ref: Ref,
    until: Annotated[str, typer.Option("--until", help='The later end: UTC, an offset, "10:00Z" or "+30m" from now.')],
    yes: Yes = False,
    preview: Preview = False,
) -> None:
    """The same volumes until later."""
    show_utc_first(until, yes=yes or preview)
    until_ms = time_ms(until, field="until", up=True)
    result(here().say("extend", preview=preview, ref=ref, until_ms=until_ms), preview=preview)


@verb(app, "cancel")
def cancel(ref: Ref, text: Text = "", preview: Preview = False) -> None:
    """Take a notice back."""
    result(here().say("cancel", preview=preview, ref=ref, text=text), preview=preview)


def report(ref: str, state: str, at: str, why: str = "") -> None:
    from wideberth.cli import show

    show_utc_first(at)
    at_ms = time_ms(at, field="at") if at else 0
    show.result(here().say("report", ref=ref, state=state, at_ms=at_ms, why=why), show.said)


@verb(app, "start")
def start(ref: Ref, at: At = "") -> None:
    """Report that the activity began."""
    report(ref, "STARTED", at)


@verb(app, "finish")
def finish(ref: Ref, at: At = "") -> None:
    """Report that the activity is over, possibly early."""
    report(ref, "FINISHED", at)


@verb(app, "suspend")
def suspend(
    ref: Ref,
    at: At = "",
    why: Annotated[str, typer.Option("--why", help="The sighting of unannounced traffic that it is because of.")] = "",
) -> None:
    """Report that the activity is interrupted. The notice stays in force as a warning; the time lost is counted."""
    report(ref, "SUSPENDED", at, why)


@verb(app, "restore")
def restore(ref: Ref, at: At = "") -> None:
    """Report that a suspended activity goes on."""
    report(ref, "RESTORED", at)


@verb(app, "lost")
def lost() -> None:
    """The time lost by suspensions: notice by notice, and in all."""
    from wideberth.cli import board, show

    show.rows(here().client().get("/v1/lost", line=here().line), board.lost)


@verb(app, "show")
def show_(ref: Ref) -> None:
    """Everything about one notice: versions, who has which, by whose clock."""
    from wideberth.cli import board, show

    show.result(here().client().get(f"/v1/notices/{ref}", line=here().line), board.one)


@verb(app, "list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also what is over, and what was replaced.")] = False,
) -> None:
    """The live notices and alerts, of both sides."""
    from wideberth.cli import board, show

    found = here().client().get("/v1/notices", line=here().line, all=1 if everything else "")
    show.rows(found, board.several)


@verb(drafts, "list")
def draft_list() -> None:
    """What is kept."""
    from wideberth.cli import show

    def render(found: list[Any]) -> None:
        show.table(
            ("draft", "says", "how much"),
            [(d["id"], _summary(d["draft"]), d["complete"]["sentence"] if d["complete"] else "") for d in found],
        )
        if not found:
            show.say("No drafts are kept.")

    show.rows(here().client().get("/v1/drafts"), render)


@verb(drafts, "send")
@takes_draft()
def draft_send(
    draft: dict[str, Any],
    id_: Annotated[str, typer.Argument(metavar="DRAFT", show_default=False)],
    yes: Yes = False,
    preview: Preview = False,
) -> None:
    """Send a kept draft, with what was missing given as options."""
    from wideberth.errors import NotFound

    kept = next((d for d in here().client().get("/v1/drafts") if d["id"] == id_), None)
    if kept is None:
        raise NotFound(f"there is no draft {id_}; `notice draft list` shows them", draft=id_)
    was = {k: v for k, v in kept["draft"].items() if k not in _ROUTE and v}
    if {"circle", "polygon", "corridor", "volumes"} & draft.keys():
        was = {k: v for k, v in was.items() if k not in ("circle", "polygon", "corridor", "volumes")}
    line = here().line or kept["draft"].get("line", "")
    result(send({**was, **draft}, yes=yes, preview=preview, draft=id_, line=line), preview=preview)


@verb(drafts, "drop")
def draft_drop(id_: Annotated[str, typer.Argument(metavar="DRAFT", show_default=False)]) -> None:
    """Throw a kept draft away."""
    from wideberth.cli import show

    show.result(here().client().delete(f"/v1/drafts/{id_}"), lambda _: show.say(f"Draft {id_} is gone."))


def _summary(draft: dict[str, Any]) -> str:
    return ", ".join(f"{k} {v if isinstance(v, str) else '(a file)'}" for k, v in draft.items() if k != "line" and v)
