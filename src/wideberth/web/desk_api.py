# SPDX-License-Identifier: Apache-2.0
"""The desk, over the node's local socket, as core/desk/views.py shows it.

GET    /v1/desk                        who is on watch, what is open with its owner and timers, what units have
GET    /v1/desk/log?item=&last=        what was written down, oldest first
POST   /v1/desk/take                   {"item", "person" or "by"}: own it
POST   /v1/desk/hand-on                the same: let it go, and it rings from the first rung
POST   /v1/desk/done                   the same, with "note": what no word on the line answers was seen to
POST   /v1/desk/relay                  {"ref", "unit", "person" or "by", "how"}: that unit has it; how: UNIT or VOICE
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from starlette.requests import Request

from wideberth.core.desk.desk import Desk, DeskBatch
from wideberth.core.desk.views import desk_view, item_view, relay_view
from wideberth.desk.room import Room
from wideberth.errors import BadInput

Route = tuple[str, str, Callable[[Request], Awaitable[Any]]]
ReadObject = Callable[[Request], Awaitable[dict[str, Any]]]
LOG_MOST = 5_000


class Desked(Protocol):
    """What these routes need of a running node."""

    @property
    def room(self) -> Room: ...

    def now_ms(self) -> int: ...


def desk_table(service: Desked, read: ReadObject) -> tuple[Route, ...]:
    """Rows for the table of `local_api.py`; `read` gives a request's JSON object."""
    room = service.room

    async def view(_: Request) -> Any:
        return desk_view(room.desk, service.now_ms())

    async def log(request: Request) -> Any:
        name, last = request.query_params.get("item", ""), request.query_params.get("last", "200")
        if not (last.isascii() and last.isdecimal() and 0 < int(last) <= LOG_MOST):
            raise BadInput(f"`last` is 1 to {LOG_MOST} lines", field="last")
        item = name.upper()
        lines = await room.read(lambda store: store.log(item, int(last)))
        return msgspec.to_builtins(lines)

    def change(work: Callable[[Desk, dict[str, str], int], DeskBatch]) -> Callable[[Request], Awaitable[Any]]:
        async def handler(request: Request) -> Any:
            body = _texts(await read(request))
            body["person"] = _person(room, body)
            key = room.desk.find(body.get("item", "")).key
            await room.do(lambda desk, now_ms: work(desk, body, now_ms))
            return item_view(room.desk.items[key], service.now_ms())

        return handler

    async def relay(request: Request) -> Any:
        body = _texts(await read(request))
        if (how := body.get("how", "UNIT")) not in ("UNIT", "VOICE"):
            raise BadInput("`how` is UNIT or VOICE", field="how")
        who, ref, unit = _person(room, body), body.get("ref", ""), body.get("unit", "")
        key = room.desk.distribution(ref).key
        await room.do(lambda desk, now_ms: desk.confirmed(key, unit, who, now_ms, voice=how == "VOICE"))
        return relay_view(room.desk.relays.live[key], service.now_ms())

    return (
        ("GET", "/v1/desk", view),
        ("POST", "/v1/desk/relay", relay),
        ("GET", "/v1/desk/log", log),
        ("POST", "/v1/desk/take", change(lambda desk, b, now_ms: desk.taken(b["item"], b["person"], now_ms))),
        ("POST", "/v1/desk/hand-on", change(lambda desk, b, now_ms: desk.handed_on(b["item"], b["person"], now_ms))),
        (
            "POST",
            "/v1/desk/done",
            change(lambda desk, b, now_ms: desk.done(b["item"], b["person"], b.get("note", ""), now_ms)),
        ),
    )


def _texts(body: dict[str, Any]) -> dict[str, str]:
    if wrong := [name for name, value in body.items() if not isinstance(value, str)]:
        raise BadInput(f"`{wrong[0]}` must be a text", field=wrong[0])
    return body


def _person(room: Room, body: dict[str, str]) -> str:
    """Raises BadInput where nobody on the roster speaks with that post."""
    who = room.person(body.get("person", ""), body.get("by", ""))
    if not who:
        raise BadInput(
            f"nobody on the roster speaks with {body.get('by') or 'that post'}: say who you are with --person",
            field="person",
        )
    return who
