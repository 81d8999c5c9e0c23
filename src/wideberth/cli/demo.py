# SPDX-License-Identifier: Apache-2.0
"""`demo`: two real nodes on this machine, and a day between them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wideberth.cli.session import here


def demo(
    fast: Annotated[bool, typer.Option("--fast", help="No pauses for reading.")] = False,
    keep: Annotated[Path | None, typer.Option("--keep", help="A new folder to keep both nodes' folders in.")] = None,
    story: Annotated[
        str, typer.Option("--story", help="routine, late-warning, or triangle (three parties); default: the first two.")
    ] = "",
) -> None:
    """Two real nodes on this machine, and a day between them. Touches nothing else, and needs no network."""
    from wideberth.demo.run import play

    code = play(story=story, fast=fast, as_json=here().json, keep=keep)
    if code:
        raise typer.Exit(code)
