# SPDX-License-Identifier: Apache-2.0
"""How the node is."""

from __future__ import annotations

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb


def add_to(app: typer.Typer) -> None:
    """Add it to the top of the command line."""
    verb(app, "status")(status)


def status() -> None:
    """Who we are, our lines, what each peer has receipted, whether the links work."""
    from wideberth.cli import board, show

    show.result(here().client().get("/v1/status"), board.status)
