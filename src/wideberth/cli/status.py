# SPDX-License-Identifier: Apache-2.0
"""How the node is, and how it is stopped."""

from __future__ import annotations

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb


def add_to(app: typer.Typer) -> None:
    """Add both to the top of the command line."""
    verb(app, "status")(status)
    verb(app, "stop")(stop)


def status() -> None:
    """Who we are; each mechanism with its agreement's state and, apart from that, its lines and links; what clashes."""
    from wideberth.cli import board, conflicts, show

    client = here().client()
    show.result({**conflicts.with_status(client), **client.get("/v1/mechanisms")}, board.status)


def stop() -> None:
    """Stop the running node in order. While it is down nobody is warned: tell the other side first (`outage`)."""
    from wideberth.cli import show

    show.result(here().client().post("/v1/stop"), lambda _: show.say("The node is stopping."))
