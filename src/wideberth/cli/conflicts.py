# SPDX-License-Identifier: Apache-2.0
"""What only own people are warned of: notices that meet each other, and own plans that meet a notice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb

if TYPE_CHECKING:
    from wideberth.cli.client import Client

US_ALONE: Final = "known to us alone"
# The status of a node must come although its inner side stands still.
_STATUS_WAITS_S: Final = 3.0


def add_to(app: typer.Typer) -> None:
    """Add it to the top of the command line."""
    verb(app, "conflicts")(conflicts)


def conflicts() -> None:
    """What clashes now, as only own people are told: notices with each other, and own plans with notices."""
    from wideberth.cli import board, show

    show.rows(found(here().client()), board.conflicts)


def found(client: Client) -> list[dict[str, Any]]:
    """Every warning that holds now. `kind` is TRIANGLE, CROSSING or EXPOSURE; `known_to` says who else can know."""
    exposures = ({"kind": "EXPOSURE", "known_to": US_ALONE, **each} for each in client.get("/v1/exposures"))
    return [*client.get("/v1/crossings"), *exposures]


def with_status(client: Client) -> dict[str, Any]:
    """The node's status with `conflicts`; or with `conflicts_unknown` and why, never an empty list for not knowing."""
    from wideberth.errors import Fault

    status: dict[str, Any] = client.get("/v1/status")
    try:
        status["conflicts"] = found(here().client(answer_s=_STATUS_WAITS_S))
    except Fault as fault:
        status["conflicts_unknown"] = fault.sentence
    return status
