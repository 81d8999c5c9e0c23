# SPDX-License-Identifier: Apache-2.0
"""Two parties on loopback, with real TLS, real servers and real lines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.applications import Starlette

from wideberth.errors import Fault
from wideberth.link.client import PeerLine
from wideberth.link.delivery import Delivery, Frame
from wideberth.link.keyring import MemoryKeyRing
from wideberth.link.post import Patience
from wideberth.link.sealing import SealingKey
from wideberth.link.tls import Identity, client_context, make_identity, server_context
from wideberth.link.way import Direct, Ways
from wideberth.web.peer_api import peer_routes
from wideberth.web.server import Serving, serve

CH = "c0" * 32
T0_MS = 1_795_000_000_000
IDENTITIES = {name: make_identity(name, T0_MS) for name in ("BLUE", "GREEN", "OTHER")}
QUICK = Patience(connect_s=3, silence_s=3, whole_s=5)


def frame(text: str, size: int = 0) -> Frame:
    return Frame(f'{{"e":"{text}"}}'.encode(), b'{"b":"' + b"x" * size + b'"}')


class Party:
    def __init__(self, name: str) -> None:
        self.name = name
        self.identity: Identity = IDENTITIES[name]
        self.key = SealingKey.generate()
        self.keys = MemoryKeyRing()
        self.keys.add_own(self.key)
        self.keys.join(CH, name)
        self.heard: list[Delivery] = []
        self.replies: asyncio.Queue[Delivery] = asyncio.Queue()
        self.changes: asyncio.Queue[Fault | None] = asyncio.Queue()
        self.answer: Callable[[Delivery], Awaitable[Delivery]] = self.echo

    async def echo(self, delivery: Delivery) -> Delivery:
        """Receipts everything: the texts come back as sidecars."""
        self.heard.append(delivery)
        return Delivery(CH, delivery.to, delivery.sender, sidecars=tuple(f.envelope for f in delivery.frames))

    def knows(self, other: Party) -> None:
        self.keys.set_peer(CH, other.name, other.key.public())

    async def serve(self, *, port: int = 0, clients: list[str] | None = None) -> Serving:
        async def receive(delivery: Delivery) -> Delivery:
            return await self.answer(delivery)

        app = Starlette(routes=peer_routes(receive, self.keys, body_s=2.0))
        return await serve(app, host="127.0.0.1", port=port, tls=server_context(self.identity, clients))

    def to(self, other: str, *frames: Frame, sidecars: tuple[bytes, ...] = ()) -> Delivery:
        return Delivery(CH, self.name, other, frames, sidecars)

    @contextlib.asynccontextmanager
    async def line(self, port: int, pinned: Identity, own: Identity | None = None) -> AsyncIterator[PeerLine]:
        line = PeerLine(
            Ways([Direct(f"https://127.0.0.1:{port}", client_context(pinned.certificate_pem, own), QUICK)]),
            self.keys,
            on_reply=self.replies.put_nowait,
            on_change=self.changes.put_nowait,
        )
        task = asyncio.create_task(line.run())
        try:
            yield line
        finally:
            assert not task.done(), task.result()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()

    async def next_reply(self) -> Delivery:
        return await asyncio.wait_for(self.replies.get(), 10)

    async def next_change(self) -> Fault | None:
        return await asyncio.wait_for(self.changes.get(), 10)


def pair() -> tuple[Party, Party]:
    blue, green = Party("BLUE"), Party("GREEN")
    blue.knows(green)
    green.knows(blue)
    return blue, green
