# SPDX-License-Identifier: Apache-2.0
"""Running a node in the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import signal
import sys
from pathlib import Path

from wideberth import home
from wideberth.clock import Clock, HandClock, SystemClock
from wideberth.core.say import instant
from wideberth.core.say.words import SCOPE
from wideberth.service import Service


def run_node(directory: Path, clock_at: str, as_json: bool) -> None:
    """Until a signal or `stop`. Prints one line when it is up. Raises Fault, also what made the node stop by itself."""
    from wideberth.cli.passphrase import unlock

    loaded = home.load(directory)
    unlock(loaded)
    # A core dump would hold every key of this node.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    clock: Clock = HandClock(instant.parse(clock_at)) if clock_at else SystemClock()
    run = asyncio.run
    with contextlib.suppress(ImportError):
        import uvloop

        run = uvloop.run
    run(_serve(loaded, clock, as_json))


async def _serve(loaded: home.Home, clock: Clock, as_json: bool) -> None:
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
