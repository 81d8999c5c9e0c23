# SPDX-License-Identifier: Apache-2.0
"""Running a node in the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import resource
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wideberth import home
from wideberth.clock import Clock, HandClock, SystemClock
from wideberth.core.say import instant
from wideberth.core.say.words import SCOPE


def run_node(directory: Path, clock_at: str, as_json: bool) -> None:
    """Until a signal or `stop`. Prints one line when it is up. Raises Fault, also what made the node stop by itself."""
    loaded = home.load(directory)
    _unlocked_while_loading(loaded)
    # A core dump would hold every key of this node.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    clock: Clock = HandClock(instant.parse(clock_at)) if clock_at else SystemClock()
    run = asyncio.run
    with contextlib.suppress(ImportError):
        import uvloop

        run = uvloop.run
    try:
        run(_serve(loaded, clock, as_json))
    finally:
        if loaded.opener.vault is not None:
            loaded.opener.vault.forget()


def _unlocked_while_loading(loaded: home.Home) -> None:
    """Stretching a passphrase takes half a second and holds no lock of the interpreter; loading the servers takes as
    long. Where nobody has to be asked, both at once. Raises: BadInput, NotFound."""
    from wideberth.cli import passphrase

    if not passphrase.is_given():
        passphrase.unlock(loaded)  # asks, and a person can stop it from the keyboard
        return
    with ThreadPoolExecutor(1) as pool:
        unlocking = pool.submit(passphrase.unlock, loaded)
        importlib.import_module("wideberth.service")
        unlocking.result()


async def _serve(loaded: home.Home, clock: Clock, as_json: bool) -> None:
    from wideberth.service import Service

    service = Service(loaded, clock)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, service.stopping.set)
    async with service:
        lines = len(service.node.lines)
        if as_json:
            told = json.dumps({"up": True, "party": loaded.config.party, "port": service.peer_port, "lines": lines})
        else:
            told = (
                f"{loaded.config.party} is up: peers on port {service.peer_port}, {lines} line(s) open. "
                f"Watch with `wideberth watch --follow --dir {loaded.path}`.\n{SCOPE}"
            )
        sys.stdout.write(told + "\n")
        sys.stdout.flush()
        await service.stopping.wait()
    if service.failed is not None:
        raise service.failed
