# SPDX-License-Identifier: Apache-2.0
"""A mediator between BLUE and GREEN, in a process of its own, whose honesty can be changed while it runs.

with ByMediator() as three:
    three.mediator.how("alter")
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.nodes import PATIENCE_S, Two
from wideberth import join, ways
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.mediation import MediatorCard, read_mediator
from wideberth.demo.ports import free_port
from wideberth.mediator import folder

CHILD = Path(__file__).with_name("mediator_child.py")


class MediatorProcess:
    def __init__(self, path: Path, port: int, now_ms: int, name: str = "HOST") -> None:
        settings = folder.Settings(name, f"127.0.0.1:{port}", f"https://127.0.0.1:{port}", "the host, line 300")
        self.home = folder.create(path, settings, entropy=os.urandom, now_ms=now_ms)
        self.name = name
        self._how = path.with_name(path.name + ".how")
        self._how.write_text("")
        self._err = path.with_name(path.name + ".err")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def card(self) -> MediatorCard:
        return read_mediator(self.home.card(), Ed25519Verifier())

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def how(self, how: str) -> None:
        """From the next delivery on."""
        self._how.write_text(how)

    def start(self) -> None:
        command = [sys.executable, str(CHILD), "--dir", str(self.home.path), "--how", str(self._how)]
        with self._err.open("ab") as err:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, start_new_session=True)
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        line = self._process.stdout.readline() if ready else b""
        assert line, self._err.read_text(errors="replace")[-2000:]
        assert json.loads(line)["up"] is True

    def stop(self) -> None:
        """As an operator stops it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(PATIENCE_S) == 0, self._err.read_text(errors="replace")[-2000:]
        self._ended()

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
        self._ended()

    def _ended(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def said(self) -> str:
        return self._err.read_text(errors="replace") if self._err.exists() else ""


class ByMediator(Two):
    """`Two`, whose ways to each other are `ways`, of which HOST is a mediator; on the system's clock where `clock` is
    empty, as here unless asked otherwise."""

    def __init__(self, *, via: tuple[str, ...] = ("HOST",), clock: str = "", **more: Any) -> None:
        super().__init__(clock=clock, **more)
        now_ms = 1_900_000_000_000
        self.mediator = MediatorProcess(self._root / "host", free_port(), now_ms)
        for node in self.nodes:
            theirs = join.own_card(node.home).encoded()
            self.mediator.home.add(theirs, join.words(node.home))
            data = self.mediator.home.card()
            ways.trust(node.folder, data, ways.look(data)["words"])
            other = "GREEN" if node.party == "BLUE" else "BLUE"
            ways.set_ways(node.folder, other, via)

    def _begin(self) -> None:
        self.mediator.start()
        super()._begin()

    def __exit__(self, *args: object) -> None:
        self.mediator.kill()
        super().__exit__(*args)
