# SPDX-License-Identifier: Apache-2.0
"""The line itself, over the node's local socket: its state, the calls logged beside it, statements of position.

GET    /v1/line?line=                  every line (or one): its state, checks that wait, the next rung, every change
GET    /v1/contacts?line=              calls made off this system, and how often anybody answered
GET    /v1/statements?line=            statements of position
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request

from wideberth.core.call.contacts import contacts_view
from wideberth.core.call.statements import statements_view
from wideberth.core.line import Line
from wideberth.core.node import Node

Route = tuple[str, str, Callable[[Request], Awaitable[Any]]]


class LineKeeper(Protocol):
    """What these routes need of a running node."""

    @property
    def node(self) -> Node: ...

    def lines_named(self, name: str) -> list[str]: ...

    def status(self) -> dict[str, Any]: ...


def line_table(service: LineKeeper) -> tuple[Route, ...]:
    """Rows for the table of `local_api.py`."""

    def asked(request: Request) -> list[Line]:
        name = request.query_params.get("line", "")
        return [service.node.lines[ch] for ch in service.lines_named(name)]

    async def state(request: Request) -> Any:
        at_ms = int(service.status()["t_ms"])
        return [{**named(line), **_with_turns(line, at_ms)} for line in asked(request)]

    async def contacts(request: Request) -> Any:
        return [
            {**named(line), **contacts_view(line.board.lines, line.channel.terms.members)} for line in asked(request)
        ]

    async def statements(request: Request) -> Any:
        return [{**named(line), **each} for line in asked(request) for each in statements_view(line.board.statements)]

    return (("GET", "/v1/line", state), ("GET", "/v1/contacts", contacts), ("GET", "/v1/statements", statements))


def named(line: Line) -> dict[str, Any]:
    channel = line.channel
    return {
        "ch": channel.ch,
        "mechanism": channel.agreement.mechanism,
        "purpose": channel.terms.purpose.value,
        "mode": channel.agreement.mode.value,
    }


def _with_turns(line: Line, at_ms: int) -> dict[str, Any]:
    view = line.watch.view(line.board, at_ms)
    for peer, each in view["peers"].items():
        each["turns"] = line.watch.turns_view(line.board, peer, at_ms)
    return view
