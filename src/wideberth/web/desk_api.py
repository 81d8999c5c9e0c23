# SPDX-License-Identifier: Apache-2.0
"""The desk, over the node's local socket, as core/desk/views.py shows it.

GET    /v1/desk                        who is on watch, what is open with its owner and timers, what units have
GET    /v1/desk/log?item=&last=        what was written down, oldest first
POST   /v1/desk/take                   {"item", "person" or "by"}: own it
POST   /v1/desk/hand-on                the same: let it go, and it rings from the first rung
POST   /v1/desk/done                   the same, with "note": what no word on the line answers was seen to
GET    /v1/desk/handovers?last=        hand-overs, oldest first, with both signatures
POST   /v1/desk/handover               {"by", "to", "note"}: who goes signs everything that is open
POST   /v1/desk/handover/accept        {"by", "n"}: who comes countersigns, has it, and asks a line check on every line
POST   /v1/desk/relay                  {"ref", "unit", "person" or "by", "how"}: that unit has it; how: UNIT or VOICE
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from starlette.requests import Request

from wideberth.cards import OwnCards
from wideberth.core import events as ev
from wideberth.core.desk.desk import Desk, DeskBatch
from wideberth.core.desk.views import desk_view, item_view, relay_view
from wideberth.core.node import Node
from wideberth.core.seal.envelope import Envelope
from wideberth.desk import handover
from wideberth.desk.room import Room
from wideberth.errors import BadInput, Fault
from wideberth.web import keeping

Route = tuple[str, str, Callable[[Request], Awaitable[Any]]]
ReadObject = Callable[[Request], Awaitable[dict[str, Any]]]
LOG_MOST = 5_000


class Desked(Protocol):
    """What these routes need of a running node."""

    @property
    def room(self) -> Room: ...

    @property
    def cards(self) -> OwnCards: ...

    @property
    def node(self) -> Node: ...

    def now_ms(self) -> int: ...

    async def command(self, command: ev.Command, passphrase: str = "") -> dict[str, Any]: ...


def desk_table(service: Desked, read: ReadObject) -> tuple[Route, ...]:
    """Rows for the table of `local_api.py`; `read` gives a request's JSON object."""
    room = service.room

    async def view(_: Request) -> Any:
        return desk_view(room.desk, service.now_ms())

    async def log(request: Request) -> Any:
        item, last = request.query_params.get("item", "").upper(), _last(request, "200")
        lines = await room.read(lambda store: store.log(item, last))
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

    async def handovers(request: Request) -> Any:
        last = _last(request, "20")
        return await room.read(lambda store: store.handovers(last))

    def signer(request: Request) -> handover.Sign:
        passphrase = keeping.post_passphrase(request)

        async def sign(by: str, payload_type: str, payload: bytes) -> Envelope:
            return await service.cards.sign_as(by, passphrase, payload_type, payload)

        return sign

    async def give(request: Request) -> Any:
        body = _texts(await read(request))
        by = body.get("by", "")
        to = body.get("to", "")
        to = to if "/" in to else f"{by.partition('/')[0]}/{to}"
        return await handover.give(room, signer(request), by, to, body.get("note", ""))

    async def accept(request: Request) -> Any:
        body = _texts(await read(request))
        by, number = body.get("by", ""), body.get("n", "") or "0"
        if not (number.isascii() and number.isdecimal()):
            raise BadInput("`n` is the number of a hand-over", field="n")
        taken = await handover.accept(room, signer(request), by, int(number))
        # A person asks at every hand-over whether one is there (domain.md §8, B2): part of this officer's command.
        asked: list[dict[str, str]] = []
        for ch in list(service.node.lines):
            try:
                await service.command(ev.AskCheck(ch, by, "hand-over"), keeping.post_passphrase(request))
                asked.append({"ch": ch, "said": "asked"})
            except Fault as fault:
                asked.append({"ch": ch, "said": fault.sentence})
        return {**taken, "line_checks": asked}

    return (
        ("GET", "/v1/desk/handovers", handovers),
        ("POST", "/v1/desk/handover", give),
        ("POST", "/v1/desk/handover/accept", accept),
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


def _last(request: Request, otherwise: str) -> int:
    last = request.query_params.get("last", otherwise)
    if not (last.isascii() and last.isdecimal() and 0 < int(last) <= LOG_MOST):
        raise BadInput(f"`last` is 1 to {LOG_MOST} lines", field="last")
    return int(last)


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
