# SPDX-License-Identifier: Apache-2.0
"""A running mediator: its folder, its log and its server, put together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette

from wideberth.clock import Clock, SystemClock
from wideberth.config import split_listen
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.errors import BadInput
from wideberth.link.tls import server_context
from wideberth.mediator import folder
from wideberth.mediator.log import StampLog
from wideberth.mediator.relay import Mediator, Members, mediator_routes
from wideberth.web.server import serve

Make = Callable[..., Mediator]


def run_mediator(path: Path, as_json: bool, make: Make = Mediator) -> None:
    """Until a signal. Prints one line when it is up. Raises Fault."""
    run = asyncio.run
    with contextlib.suppress(ImportError):
        import uvloop

        run = uvloop.run
    run(_serve(path, SystemClock(), as_json, make))


async def _serve(path: Path, clock: Clock, as_json: bool, make: Make) -> None:
    home = folder.load(path)
    cards = home.members()
    if len(cards) < 2:
        raise BadInput("a mediator serves at least two parties; add their cards with `wideberth mediate add`")
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    log = StampLog(home.log_path, _complain)
    writing = asyncio.create_task(log.run())
    members = Members(cards)
    try:
        mediator = make(
            home.settings.mediator, home.signer(), Ed25519Verifier(), members,
            now_ms=lambda: clock.now().t_ms, keep=log.add,
        )  # fmt: skip
        host, port = split_listen(home.settings.listen)
        tls = server_context(home.identity(), [card.tls_pem for each in cards.values() for card in each])
        async with await serve(Starlette(routes=mediator_routes(mediator)), host=host, port=port, tls=tls) as serving:
            _say(as_json, home.settings.mediator, serving.port, sorted(cards))
            await stopping.wait()
    finally:
        members.close()
        log.end()
        await writing


def _say(as_json: bool, name: str, port: int, parties: list[str]) -> None:
    if as_json:
        told = json.dumps({"up": True, "mediator": name, "port": port, "members": parties})
    else:
        told = f"{name} mediates between {', '.join(parties)} on port {port}. It can read nothing of what it relays."
    sys.stdout.write(told + "\n")
    sys.stdout.flush()


def _complain(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
