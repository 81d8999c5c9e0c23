# SPDX-License-Identifier: Apache-2.0
"""The `wideberth` command: which verbs there are, and the options that all of them take.

Modules here import nothing heavy at their top, so that `wideberth --help` comes at once (under 0.5 s); every verb
imports what it needs when it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wideberth.cli import (
    agreement,
    alert,
    answer,
    conflicts,
    demo,
    desk,
    doctor,
    drill,
    evidence,
    fingerprint,
    join,
    keep,
    keys,
    lines,
    mediate,
    message,
    notice,
    paper,
    plan,
    protect,
    rings,
    roster,
    screen,
    sim,
    status,
    watch,
    way,
    whose,
    words,
)
from wideberth.cli.session import FOLDER, Session, begin, chosen
from wideberth.cli.verbs import EVERYWHERE, Root, verb

app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog=EVERYWHERE,
    help="Two parties that do not trust each other warn each other of volumes of space and time. "
    "Safety only: no cooperation, no consent, no permission.",
)


@app.callback()
def everywhere(
    folder: Annotated[Path, typer.Option("--dir", help="The node's folder.", envvar="WIDEBERTH_DIR")] = Path(FOLDER),
    line: Annotated[
        str,
        typer.Option(
            "--line", help="Which line: its purpose, its mechanism's name, or its id.", envvar="WIDEBERTH_LINE"
        ),
    ] = "",
    mechanism: Annotated[
        str, typer.Option("--mechanism", help="Which mechanism: its name, or its id.", envvar="WIDEBERTH_MECHANISM")
    ] = "",
    post: Annotated[
        str, typer.Option("--as", help="Which post speaks; default: the first one.", envvar="WIDEBERTH_POST")
    ] = "",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    passphrase: Annotated[
        Path | None,
        typer.Option("--passphrase-file", help="Its first line opens the keys.", envvar="WIDEBERTH_PASSPHRASE_FILE"),
    ] = None,
    root_key: Annotated[
        Path | None, typer.Option(help="The root key, if it is kept elsewhere.", envvar="WIDEBERTH_ROOT_KEY")
    ] = None,
    root_passphrase: Annotated[
        Path | None,
        typer.Option(
            "--root-passphrase-file", help="Its first line opens the root key.", envvar="WIDEBERTH_ROOT_PASSPHRASE_FILE"
        ),
    ] = None,
    post_passphrase: Annotated[
        Path | None, typer.Option("--post-passphrase-file", help="Its first line opens a break-glass post's key.")
    ] = None,
    new_passphrase: Annotated[
        Path | None, typer.Option("--new-passphrase-file", help="For `keys passphrase`: its first line is the new one.")
    ] = None,
) -> None:
    speaks_on = chosen(line, mechanism)
    begin(
        Session(folder, speaks_on, post, json_, passphrase, root_key, root_passphrase, post_passphrase, new_passphrase)
    )  # fmt: skip


# A node and its lines.
for _name, _function in (("init", join.init), ("invite", join.invite), ("accept", join.accept), ("up", join.up)):
    verb(app, _name)(_function)
agreement.add_to(app)
status.add_to(app)
doctor.add_to(app)
keep.add_to(app)
app.add_typer(keys.app, name="keys")
fingerprint.add_to(app)
evidence.add_to(app)
app.add_typer(way.app, name="way")
app.add_typer(mediate.app, name="mediate")
verb(app, "roster")(roster.roster)
verb(app, "demo")(demo.demo)
verb(app, "drill")(drill.drill)
verb(app, "sim")(sim.sim)

# The watch.
watch.add_to(app)
desk.add_to(app)
conflicts.add_to(app)
alert.add_to(app)
answer.add_to(app)
words.add_to(app)
lines.add_to(app)
paper.add_to(notice.app)
message.add_to_notice(notice.app)
app.add_typer(notice.app, name="notice")
app.add_typer(protect.app, name="protect")
app.add_typer(message.app, name="message")
app.add_typer(whose.app, name="whose")
verb(app, "phrases")(message.phrases)

# Own plans, and files.
app.add_typer(plan.app, name="plan")
app.add_typer(rings.app, name="rings")
screen.add_to(app)


def run() -> None:
    """The entry point."""
    app()
