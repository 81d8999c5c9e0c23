# SPDX-License-Identifier: Apache-2.0
"""Two real nodes with their sockets, on clocks set by hand, in a loop of their own; the command line against them."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from wideberth import home, join
from wideberth.cli.client import Client
from wideberth.cli.main import app
from wideberth.clock import HandClock
from wideberth.config import Config
from wideberth.core.say.instant import parse
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.volume import Polygon
from wideberth.demo.ports import free_port
from wideberth.service import Service

T0 = "2031-05-14T09:00:00Z"
T0_MS = parse(T0)
AREA = Polygon.of((40, -40), (40, -37), (43, -37), (43, -40))
NOTICE = ("--type", "AREA_ACTIVITY", "--hazard", "CREWED_AIRCRAFT", "--circle", "41.20,-38.60,7nm", "--low", "SFC",
          "--high", "5000ft AMSL")  # fmt: skip
WINDOW = ("--from", "2031-05-14T09:40Z", "--until", "2031-05-14T11:00Z")


@dataclass
class Outcome:
    """`out` and `err` as printed; `data`: the JSON lines of `out`."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def wideberth(*args: str, stdin: str | None = None) -> Outcome:
    """One command, as it would be typed."""
    result = CliRunner().invoke(app, list(args), input=stdin, env={"COLUMNS": "200", "WIDEBERTH_DIR": None})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


class World:
    """BLUE and GREEN with an EXERCISE line between them; ALONE has no line and no peer."""

    supervisors: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        homes = {name: self._home(name) for name in ("BLUE", "GREEN", "ALONE")}
        blue, green = homes["BLUE"], homes["GREEN"]
        invite = join.invite(
            blue, to="GREEN", mechanism="Cape", purpose=Purpose.FLIGHT_SAFETY, mode=Mode.EXERCISE,
            rules=Rules(area=AREA), now_ms=T0_MS, entropy=os.urandom,
        )  # fmt: skip
        reply = join.accept(green, invite, join.words(blue)).write
        assert reply is not None
        join.accept(blue, reply, join.words(green))
        self.services = {name: Service(homes[name], HandClock(T0_MS - 60_000)) for name in homes}
        self.run(_all(service.start() for service in self.services.values()))
        self.set_clock(T0_MS)  # what was not receipted is sent again
        self.until(lambda: self.services["GREEN"].node.lines)

    def _home(self, name: str) -> home.Home:
        posts = ("watch-1",) if name == "GREEN" else ("watch-1", "watch-2")
        posts = (*posts, *self.supervisors)
        port = free_port()
        config = Config(party=name, listen=f"127.0.0.1:{port}", posts=posts, contact="+999 555 0110")
        # TLS believes the system's clock, whatever the drill's says.
        made = home.create(self.path / name.lower(), config, entropy=os.urandom, now_ms=time.time_ns() // 1_000_000)
        join.own_card(made)
        return made

    def set_clock(self, t_ms: int) -> None:
        for name in self.services:
            self.client(name).post("/v1/clock", {"t_ms": t_ms})

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def until(self, what: Callable[[], Any], seconds: float = 5.0) -> Any:
        """What a peer hears comes over real sockets; look often, give up late."""
        end = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.01)
        return found

    def folder(self, name: str) -> Path:
        return self.path / name.lower()

    def client(self, name: str) -> Client:
        return Client(self.folder(name) / "node.sock")

    def do(self, name: str, *args: str, stdin: str | None = None) -> Outcome:
        return wideberth("--dir", str(self.folder(name)), *args, stdin=stdin)

    def heard(self, name: str, ref: str) -> dict[str, Any]:
        """A notice as this side sees it, once it is there."""

        def look() -> dict[str, Any] | None:
            return next((n for n in self.client(name).get("/v1/notices", all=1) if n["ref"] == ref), None)

        found: dict[str, Any] = self.until(look)
        return found

    def give(self, *more: str) -> str:
        """A fresh notice of BLUE that GREEN has heard; its reference."""
        given = self.do("BLUE", "notice", "give", *NOTICE, *WINDOW, *more, "--json")
        assert given.code == 0, given.err
        ref: str = given.data[0]["ref"]
        self.heard("GREEN", ref)
        return ref

    def close(self) -> None:
        self.run(_all(service.stop() for service in self.services.values()))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


class Group(World):
    """Any number of parties with nothing between them yet: folders, and nodes once they are started."""

    supervisors = ("supervisor",)

    def __init__(self, path: Path, names: tuple[str, ...], **_: Any) -> None:
        self.path = path
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.services = {}
        self.homes = {name: self._home(name) for name in names}
        self._now_ms = T0_MS

    def start(self) -> None:
        """Every node, on hand-set clocks; returns when all that was founded is open everywhere."""
        self.services = {name: Service(made, HandClock(T0_MS - 60_000)) for name, made in self.homes.items()}
        self.run(_all(service.start() for service in self.services.values()))
        self.set_clock(T0_MS)
        self.until(lambda: all(s.node.lines and not s.node.pending for s in self.services.values()), 20)

    def tick(self) -> None:
        """A second later on every clock."""
        self._now_ms += 1_000
        self.set_clock(self._now_ms)

    def check(self, name: str) -> None:
        """The line checks of a party with every peer, answered."""
        found = self.client(name).post("/v1/check", {})
        assert all(each["checked"] and each["checked"]["offset"] for each in found), found


async def _all(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    await asyncio.gather(*coroutines)
