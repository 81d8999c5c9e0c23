# SPDX-License-Identifier: Apache-2.0
"""Ways and mediators, over the node's local socket.

POST   /v1/ways      take in what the folder says now (`ways.py`); answers with mediators and ways
GET    /v1/spoiled   what mediators or senders spoiled, with the proof of each, oldest first
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from starlette.requests import Request

from wideberth.core.records import SidecarRecord
from wideberth.fingerprint import fingerprint_words
from wideberth.ways import WayBook

Route = tuple[str, str, Callable[[Request], Awaitable[Any]]]


class Relaying(Protocol):
    """What these routes need of a running node."""

    def reload_ways(self) -> WayBook: ...

    def spoiled(self) -> list[SidecarRecord]: ...


def ways_table(service: Relaying) -> tuple[Route, ...]:
    """Rows for the table of `local_api.py`."""

    async def ways(request: Request) -> Any:
        return shown(service.reload_ways())

    async def spoiled(request: Request) -> Any:
        return [
            {"ch": r.ch, "by": r.author, "proof": r.key, "at_ms": r.stored_ms, "shows": msgspec.json.decode(r.envelope)}
            for r in service.spoiled()
        ]

    return (("POST", "/v1/ways", ways), ("GET", "/v1/spoiled", spoiled))


def shown(book: WayBook) -> dict[str, Any]:
    """Plain data for people and programs."""
    return {
        "mediators": [
            {"mediator": card.mediator, "url": card.url, "contact": card.contact, "words": fingerprint_words(card.key)}
            for card in book.mediators.values()
        ],
        "ways": {key: list(ways) for key, ways in sorted(book.ways.items())},
    }
