# SPDX-License-Identifier: Apache-2.0
"""The hotline, over the node's local socket: messages and questions, as core/call/talkviews.py shows them; and what
was lost while something was suspended.

GET    /v1/messages?line=&all=1        of every line (or one), in causal order: of the last day and what nobody
                                       answered whose it is, or all
GET    /v1/messages/{ref}?line=        one, by its reference or hash
GET    /v1/places?line=                the names of places that the agreement in force has
GET    /v1/lost?line=                  time lost by suspensions of notices (core/call/views.py), line by line
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request

from wideberth.core.call.hotline import MESSAGE, QUESTION, WHOSE, Talk
from wideberth.core.call.speak import canonical
from wideberth.core.call.talkviews import talk_view
from wideberth.core.call.views import time_lost
from wideberth.core.line import Line
from wideberth.core.node import Node
from wideberth.errors import BadInput, NotFound
from wideberth.web.linework import named

Route = tuple[str, str, Callable[[Request], Awaitable[Any]]]


class Talking(Protocol):
    """What these routes need of a running node."""

    @property
    def node(self) -> Node: ...

    def resolve_line(self, name: str) -> str: ...

    def status(self) -> dict[str, Any]: ...


def talk_table(service: Talking) -> tuple[Route, ...]:
    """Rows for the table of `local_api.py`."""

    def lines(request: Request) -> list[Line]:
        name = request.query_params.get("line", "")
        return [service.node.lines[service.resolve_line(name)]] if name else list(service.node.lines.values())

    async def messages(request: Request) -> Any:
        at_ms, all_ = int(service.status()["t_ms"]), request.query_params.get("all", "") in ("1", "true")
        return [
            _view(line, talk, at_ms)
            for line in lines(request) for talk in line.board.hotline
            if all_ or talk.lives(at_ms) or (talk.whose is not None and _open(line, talk, at_ms))
        ]  # fmt: skip

    async def message(request: Request) -> Any:
        ref = canonical(request.path_params["ref"])
        found = [(line, talk) for line in lines(request) if (talk := line.board.hotline.find(ref))]
        if len(found) > 1:
            raise BadInput(f"{ref} is on more than one line; say which with --line", field="line")
        if not found:
            raise not_found(ref)
        return _view(*found[0], int(service.status()["t_ms"]))

    async def lost(request: Request) -> Any:
        at_ms = int(service.status()["t_ms"])
        return [{**named(line), **time_lost(line.board, at_ms)} for line in lines(request)]

    async def places(request: Request) -> Any:
        return [place for line in lines(request) for place in line.channel.agreement.rules.gazetteer]

    return (
        ("GET", "/v1/places", places),
        ("GET", "/v1/lost", lost),
        ("GET", "/v1/messages", messages),
        ("GET", "/v1/messages/{ref:path}", message),
    )


def _open(line: Line, talk: Talk, at_ms: int) -> bool:
    return any(talk.waits_for(member, at_ms) for member in line.channel.terms.members)


def is_reference(ref: str) -> bool:
    """Whether it is written like the reference of a message or a question."""
    return ref.upper().startswith((MESSAGE, QUESTION, WHOSE))


def not_found(ref: str) -> NotFound:
    return NotFound(f"there is no message {ref} on any line; `message list --all` shows them", ref=ref)


def _view(line: Line, talk: Talk, at_ms: int) -> dict[str, Any]:
    channel = line.channel
    languages = (*channel.cards[channel.us].languages, *channel.agreement.rules.languages)
    return {**named(line), **talk_view(line.board, talk, channel.terms.members, at_ms, languages)}
