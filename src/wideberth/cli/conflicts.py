# SPDX-License-Identifier: Apache-2.0
"""What only own people are warned of: notices that meet each other, and own plans that meet a notice; how they could be
kept apart; and the two words that go on the record, each by a person's command: a proposal, and an outcome.

Ways out are worked out here, in the process of whoever looks, never in the node: so nothing that leaves the node, nor
when, can depend on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from wideberth.cli.preview import Preview
from wideberth.cli.preview import post as send
from wideberth.cli.preview import result as told
from wideberth.cli.session import here
from wideberth.cli.verbs import verb
from wideberth.cli.words import one_of

if TYPE_CHECKING:
    from wideberth.cli.client import Client

US_ALONE: Final = "known to us alone"
# The status of a node must come although its inner side stands still.
_STATUS_WAITS_S: Final = 3.0
# The lists of the core, which is not imported here because `--help` must come at once; a test compares them.
WAYS: Final = ("LATER", "EARLIER", "HIGHER", "LOWER", "ASIDE", "SHRINK", "SPLIT")
OUTCOMES: Final = ("RESOLVED_BY_AMEND", "ACCEPTED_RISK", "UNRESOLVED", "EXPIRED")

Language = Annotated[str, typer.Option("--language", help="The language of the text; default: the first of ours.")]
Text = Annotated[str, typer.Option("--text", help="A few words.")]


def add_to(app: typer.Typer) -> None:
    """Add them to the top of the command line."""
    verb(app, "conflicts")(conflicts)
    verb(app, "propose")(propose)
    verb(app, "outcome")(outcome)


def conflicts(
    ref: Annotated[str, typer.Argument(help="One of them, such as CNF-48210937-H; or none for all.")] = "",
    ways: Annotated[bool, typer.Option("--ways", help="Also the least change that keeps each apart.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also what was spoken of and is past.")] = False,
    svg: Annotated[str, typer.Option("--svg", help="Keep a picture of each in this folder.")] = "",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if there is any.")] = False,
) -> None:
    """What clashes now, the gravest first, as only own people are told: notices with each other, and with own plans."""
    from wideberth.cli import board, conflict_show, exits, show

    client = here().client()
    if ref:
        view = client.get(f"/v1/conflicts/{ref}", line=here().line)
        if ways:
            from wideberth.cli import ways_out

            view = {**view, "ways": ways_out.of_notices(client, view)}

        def render(seen: dict[str, Any]) -> None:
            conflict_show.one(seen)
            conflict_show.ways(seen.get("ways", []))

        show.result(view, render)
        return
    rows = found(client, everything=everything)
    if ways:
        from wideberth.cli import ways_out

        rows = [{**row, "ways": ways_out.of_row(client, row)} for row in rows]
    if svg:
        _keep_pictures(rows, Path(svg))
    show.rows(rows, board.conflicts)
    if exit_code and rows:
        raise typer.Exit(exits.FOUND)


def _keep_pictures(rows: list[dict[str, Any]], folder: Path) -> None:
    """Plan view, and height over time, one file each, numbered as they are listed. Raises Worlds."""
    from wideberth.cli import show
    from wideberth.errors import Worlds

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, row in enumerate(rows, 1):
            if row.get("svg"):
                (folder / f"conflict-{number:03d}.svg").write_text(row["svg"], "utf-8")
    except OSError as why:
        raise Worlds(f"no picture can be kept in {folder}: {why.strerror}") from None
    show.note(f"Pictures are in {folder}. What own plans are in them is for own people.")


def propose(
    ref: Annotated[str, typer.Argument(help="The conflict, such as CNF-48210937-H.", show_default=False)],
    how: Annotated[str, typer.Option("--how", help=f"One of {', '.join(WAYS)}.")],
    moves: Annotated[str, typer.Option("--moves", help="Which notice; default: the one that is asked to move.")] = "",
    text: Text = "",
    language: Language = "",
    preview: Preview = False,
) -> None:
    """Propose to the other side how the two could be kept apart. It changes nothing until the owner amends."""
    from wideberth.cli import ways_out

    way = one_of(how, "how", WAYS)
    client = here().client()
    view = client.get(f"/v1/conflicts/{ref}", line=here().line)
    moving, volumes = ways_out.one_way(client, view, way, moves)
    _say(
        "remedy", view, moves=moving["entry"], how=way, volumes=volumes, text=text, language=language, preview=preview
    )  # fmt: skip


def outcome(
    ref: Annotated[str, typer.Argument(help="The conflict, such as CNF-48210937-H.", show_default=False)],
    what: Annotated[str, typer.Argument(help=f"One of {', '.join(OUTCOMES)}.", show_default=False)],
    amended: Annotated[
        str, typer.Option("--amended", help="Whose newest version resolved it; needed where both have one.")
    ] = "",
    text: Text = "",
    language: Language = "",
    preview: Preview = False,
) -> None:
    """Record what became of it, for your own side alone. The other side records its own; the two may differ."""
    said = one_of(what, "outcome", OUTCOMES)
    view = here().client().get(f"/v1/conflicts/{ref}", line=here().line)
    _say("outcome", view, outcome=said, amended=amended, text=text, language=language, preview=preview)


def _say(command: str, view: dict[str, Any], *, preview: bool, **fields: Any) -> None:
    one, other = (notice["entry"] for notice in view["notices"])
    body = {"command": command, "ch": view["ch"], "by": here().by(), "ref": one, "other": other, **fields}
    told(send("/v1/commands", body, preview=preview), preview=preview)


def found(client: Client, *, everything: bool = False) -> list[dict[str, Any]]:
    """Every warning that holds now, the gravest first. `kind` is TRIANGLE, CROSSING, EXPOSURE or SPOKEN_OF (our check
    finds them apart); `known_to` says who else can know; `shared` is what both ends have of two notices on one line."""
    t_ms = int(client.get("/v1/status")["t_ms"])
    spoken = {
        frozenset(notice["entry"] for notice in view["notices"]): view
        for view in client.get("/v1/conflicts", line=here().line, all=1 if everything else "")
    }
    rows = []
    for each in client.get("/v1/crossings"):
        view = spoken.pop(frozenset((each["one"].get("entry", ""), each["other"].get("entry", ""))), None)
        rows.append(_graded(each, t_ms) | ({"shared": view} if view is not None else {}))
    exposures = client.get("/v1/exposures")
    rows += [_graded({"kind": "EXPOSURE", "known_to": US_ALONE, **each}, t_ms) for each in exposures]
    rows.sort(key=_order)
    return [*rows, *(_spoken_of(view) for view in spoken.values())]


def _graded(row: dict[str, Any], t_ms: int) -> dict[str, Any]:
    from wideberth.core.judge.severity import severity

    inside_ms = row["inside_ms"] if "inside_ms" in row else sum(end - start for start, end in row["inside"])
    grave = severity(
        depth_permille=row.get("depth_permille", 0), share_permille=row.get("share_permille", 0), inside_ms=inside_ms,
        start_ms=row["start_ms"], now_ms=t_ms,
    )  # fmt: skip
    return {**row, "severity": {"order": list(grave.order(_id(row))), "says": grave.sentence}}


def _id(row: dict[str, Any]) -> str:
    if "plan" in row:
        return f"{row['ch']} {row['ref']} {row['plan']}"
    return " ".join(f"{side['ch']} {side['ref']}" for side in (row["one"], row["other"]))


def _order(row: dict[str, Any]) -> list[Any]:
    order: list[Any] = row["severity"]["order"]
    return order


def _spoken_of(view: dict[str, Any]) -> dict[str, Any]:
    pair = " and ".join(f"{n['ref']} of {n['author']}" for n in view["notices"])
    state = "by the check of this node they keep apart" if view["stands"] else "one has a newer version, or is over"
    return {
        "kind": "SPOKEN_OF", "known_to": "on the record of both", "shared": view,
        "sentence": f"SPOKEN OF: {pair}; {state}.",
    }  # fmt: skip


def with_status(client: Client) -> dict[str, Any]:
    """The node's status with `conflicts`; or with `conflicts_unknown` and why, never an empty list for not knowing."""
    from wideberth.errors import Fault

    status: dict[str, Any] = client.get("/v1/status")
    try:
        status["conflicts"] = found(here().client(answer_s=_STATUS_WAITS_S))
    except Fault as fault:
        status["conflicts_unknown"] = fault.sentence
    return status
