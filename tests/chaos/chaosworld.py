# SPDX-License-Identifier: Apache-2.0
"""Two real node processes on loopback, officers who talk to them over their sockets, and a hand that pulls plugs.

Everything a command was answered, and everything the nodes told of faults, is written down here, outside the nodes, so
that the checker (`record_check.py`) can hold their disks to it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from wideberth import home, join
from wideberth.cli.client import Client
from wideberth.config import Config
from wideberth.core.say.place import Altitude
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.volume import Circle, Polygon, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms
from wideberth.demo.ports import free_port
from wideberth.errors import Fault, Unreachable

CHILD = Path(__file__).with_name("node_child.py")
PARTIES = ("BLUE", "GREEN")
# Between two commands of one officer, at most: enough to say on two processors, and a record that stays small.
PAUSE_S = 0.04

RULES = Rules(area=Polygon.of((34.5, 34.0), (34.5, 37.5), (37.0, 37.5), (37.0, 34.0)))


def make_homes(folder: Path) -> dict[str, home.Home]:
    """Two folders whose parties have joined on one TEST line, each under a port of its own."""
    now_ms = time.time_ns() // 1_000_000
    homes = {}
    for party in PARTIES:
        config = Config(party=party, listen=f"127.0.0.1:{free_port()}", contact=f"{party} watch room 100")
        homes[party] = home.create(folder / party.lower(), config, entropy=os.urandom, now_ms=now_ms)
    blue, green = (homes[p] for p in PARTIES)
    offer = join.invite(
        blue, to="GREEN", mechanism="Coast", purpose=Purpose.FLIGHT_SAFETY, mode=Mode.TEST, rules=RULES,
        now_ms=now_ms, entropy=os.urandom,
    )  # fmt: skip
    answer = join.accept(green, offer, join.words(blue)).write
    assert answer is not None
    join.accept(blue, answer, join.words(green))
    return homes


class NodeProcess:
    """One node in a process of its own. `faults` collects every fault that it ever told on its watch stream."""

    def __init__(self, node_home: home.Home, mutant: str = "") -> None:
        self.home = node_home
        self.party = node_home.config.party
        self.client = Client(node_home.socket_path, answer_s=10.0)
        self.faults: list[dict[str, Any]] = []
        self._mutant = mutant
        self._log = node_home.path.with_name(f"{self.party}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None

    def spawn(self) -> None:
        """Start it and do not wait."""
        command = [sys.executable, str(CHILD), str(self.home.path), *([self._mutant] if self._mutant else [])]
        # A file, not a pipe: the inner process holds it too, and a kill must not wait for that one's end.
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)

    def wait_up(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"{self.party} did not start: {self._log.read_text()[-2000:]}")
        assert json.loads(line)["up"] is True
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def kill(self) -> str | None:
        """kill -9; returns at once: None, or the last words of a process that had ended by itself."""
        assert self._process is not None
        if self._process.poll() is not None:
            return self._log.read_text()[-2000:]
        self._process.kill()
        return None

    def bury(self) -> None:
        """After `kill`: until the process is gone, and its locks with it."""
        assert self._process is not None
        self._process.wait(10)

    def stop(self) -> None:
        """In order; whatever it still told is collected."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(20) == 0, self._log.read_text()[-2000:]
        if self._watcher is not None:
            self._watcher.join(10)

    def end(self) -> None:
        """Whatever happened: nothing of ours stays behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    def _watch(self) -> None:
        try:
            for line in self.client.stream("/v1/watch", since=0):
                tell = line.get("tell", {})
                if tell.get("tell") == "fault":
                    self.faults.append(tell)
        except Fault:
            return


class Officer(threading.Thread):
    """Says one thing after another at one post until told to stop; writes down what was answered.

    `answered` holds the node's answers; `open_since` is when the command now under way was handed in, 0 for none.
    """

    def __init__(self, node: NodeProcess, seed: int) -> None:
        super().__init__(daemon=True, name=f"officer {seed}")
        self.node = node
        self.answered: list[dict[str, Any]] = []
        self.refused: dict[str, int] = {}
        self.broken = 0
        self.open_since = 0.0
        self._dice = random.Random(seed)
        self._n = 0
        self._leave = threading.Event()
        self._own: list[str] = []
        self._theirs: list[tuple[str, str]] = []
        self.bugs: list[str] = []

    def leave(self) -> None:
        self._leave.set()

    def run(self) -> None:
        say: list[Callable[[], Any]] = [
            *[self._notice] * 5, self._amend, self._amend, self._alert, *[self._acknowledge] * 3
        ]  # fmt: skip
        while not self._leave.is_set():
            if self._dice.random() < 0.1:
                self._look()
            self.open_since = time.perf_counter()
            try:
                answer = self._dice.choice(say)()
            except Unreachable:
                self.broken += 1
                time.sleep(0.01)
                continue
            except Fault as fault:
                self.refused[fault.sentence[:60]] = self.refused.get(fault.sentence[:60], 0) + 1
                if fault.name == "Misuse":
                    self.bugs.append(f"{fault.sentence} {fault.details}")
                continue
            finally:
                self.open_since = 0.0
            if answer is not None:
                self.answered.append(answer)
            time.sleep(self._dice.random() * PAUSE_S)

    def _text(self) -> str:
        """Unlike anything else that is ever said here: what is there twice was carried out twice."""
        self._n += 1
        return f"by {self.name}, number {self._n}"

    def _start_ms(self) -> int:
        """From now: sometimes late, which makes it urgent; else any time within three weeks, so that few meet."""
        return 60_000 if self._dice.random() < 0.1 else self._dice.randrange(1, 500) * 3_600_000

    def _terms(self) -> dict[str, Any]:
        start = time.time_ns() // 1_000_000 + self._start_ms()
        shape = Circle.at(
            lat=self._dice.randrange(348, 367) / 10, lng=self._dice.randrange(343, 372) / 10, radius_km=12
        )
        volume = Volume4D(shape, Altitude.surface(), Altitude.flight_level(200), start, start + 1_800_000)
        terms = Terms(
            NoticeType.AREA_ACTIVITY, Hazard.CREWED_AIRCRAFT, "watch room 100", (volume,), start + 1_800_000,
            text=self._text(),
        )  # fmt: skip
        return cast(dict[str, Any], msgspec.to_builtins(terms))

    def _notice(self) -> Any:
        answer = self._command(command="notice", terms=self._terms())
        self._own = [*self._own[-20:], answer["ref"]]
        return answer

    def _amend(self) -> Any:
        if not self._own:
            return None
        return self._command(command="revise", ref=self._dice.choice(self._own), how="amend", terms=self._terms())

    def _alert(self) -> Any:
        return self._command(command="alert", text=self._text())

    def _acknowledge(self) -> Any:
        if not self._theirs:
            return None
        ref, of = self._dice.choice(self._theirs)
        return self._command(command="ack", ref=ref, of=of)

    def _look(self) -> None:
        try:
            live = self.node.client.get("/v1/notices")
        except Fault:
            return
        heard = [n for n in live if n["author"] != self.node.party]
        self._theirs = [(n["ref"], n["versions"][-1]["entry"]) for n in heard[:20]]

    def _command(self, **command: Any) -> Any:
        return self.node.client.post("/v1/commands", command)
