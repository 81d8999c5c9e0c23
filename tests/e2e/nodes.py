# SPDX-License-Identifier: Apache-2.0
"""Real nodes for end-to-end tests: folders with keys, child processes, hand-set clocks, and what they tell.

with Two(clock="2030-01-01T18:30:00Z") as two:
    two.clock("18:38:50")                       # both clocks together
    two.blue.post("/v1/commands", {...})        # through the node's own socket, as a user's tools do
    two.settle()                                # until both hold and receipted everything
    two.green.heard("notice")
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from wideberth import founding, home, join
from wideberth.cli.client import Client
from wideberth.config import Config
from wideberth.core.records import EntryRecord, Record
from wideberth.core.say import instant
from wideberth.core.say.place import Point
from wideberth.core.say.rules import Mode, NamedPlace, Purpose, Rules
from wideberth.core.say.volume import Polygon
from wideberth.demo.ports import free_port
from wideberth.drill.weather import Weather
from wideberth.errors import Fault
from wideberth.store.sqlite import SqliteStore

CHILD = Path(__file__).with_name("node_child.py")
# The console script of the package, wherever it is installed.
COMMAND = "from wideberth.cli.main import run; run()"
# Only a test that fails waits as long; a machine may be many times slower than the one it was written on.
PATIENCE_S = 60.0

# The eastern Mediterranean box of domain.md SC1, with its agreement's defaults.
RULES = Rules(
    area=Polygon.of((34.5, 34.0), (34.5, 37.5), (37.0, 37.5), (37.0, 34.0)),
    gazetteer=(NamedPlace("Cape Amal", Point.at(35.5, 35.8), 30_000_000),),
    not_covered=("non-party air defence in the area",),
)


def until(holds: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """The first true answer of `holds`; fails with `what` did not happen."""
    end = time.monotonic() + patience_s
    while not (answer := holds()):
        if time.monotonic() > end:
            raise AssertionError(f"this did not happen within {patience_s:.0f} s: {what}")
        time.sleep(0.005)
    return answer


class NodeProcess:
    """One node: its folder, its process while it runs, a client on its socket, and everything that it told so far."""

    def __init__(
        self, folder: Path, *, tap: Path | None = None, seed: str = "", restore_s: float = 0, bug: str = ""
    ) -> None:  # fmt: skip
        self.folder = folder
        self.tap = tap
        self.seed = seed
        self.restore_s = restore_s
        self.bug = bug
        self.home = home.load(folder)
        self.party = self.home.config.party
        self.client = Client(self.home.socket_path)
        self.tells: list[dict[str, Any]] = []
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._err: Path = folder.with_name(folder.name + ".err")

    # --- life ---

    def start(self, clock: str = "") -> NodeProcess:
        """Returns once it printed that it is up; raises with what it said when it does not come up."""
        self.begin(clock)
        return self.is_up()

    def is_up(self) -> NodeProcess:
        """The second half of `start`: several nodes can begin together."""
        up = self.said_up()
        if up is None:
            raise AssertionError(f"{self.party} did not come up: {self.said_at_the_end()}")
        self.port = up["port"]
        watching = threading.Event()
        self._watcher = threading.Thread(target=self._watch, args=(watching,), daemon=True)
        self._watcher.start()
        assert watching.wait(PATIENCE_S)
        return self

    def begin(self, clock: str = "") -> None:
        if self.tap or self.seed or self.restore_s or self.bug:
            command = [sys.executable, str(CHILD), "--dir", str(self.folder), "--clock", clock]
            command += ["--tap", str(self.tap)] if self.tap else []
            command += ["--seed", self.seed] if self.seed else []
            command += ["--bug", self.bug] if self.bug else []
            command += ["--restore-s", str(self.restore_s)] if self.restore_s else []
        else:
            command = [sys.executable, "-c", COMMAND, "--dir", str(self.folder), "--json", "up"]
            command += ["--clock", clock] if clock else []
        with self._err.open("ab") as err:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, start_new_session=True)

    def said_up(self) -> dict[str, Any] | None:
        """What it printed when it was up, or None when it ended instead."""
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self.kill()
            return None
        return dict(json.loads(line))

    def said_at_the_end(self) -> str:
        return self._err.read_text(errors="replace")[-2000:]

    def forget_what_it_said(self) -> None:
        self._err.unlink()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def inner_pid(self) -> int:
        """The process that holds this node's own plans."""
        (inner,) = [c for c in self._children() if b"wideberth.inner" in Path(f"/proc/{c}/cmdline").read_bytes()]
        return inner

    def stop(self) -> None:
        """As an operator stops it: SIGTERM, and it ends in order."""
        if self.running:
            assert self._process is not None
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(PATIENCE_S) == 0, self.said_at_the_end()
        self._ended()

    def ends(self) -> int:
        """Wait until it ends by itself; its exit status."""
        assert self._process is not None
        status = self._process.wait(PATIENCE_S)
        self._ended()
        return status

    def kill(self) -> None:
        """As the power fails: SIGKILL."""
        if self.running:
            assert self._process is not None
            children = self._children()
            self._process.kill()
            self._process.wait(PATIENCE_S)
            # Its inner process ends by itself when its input ends.
            until(lambda: not any(Path(f"/proc/{c}").exists() for c in children), "the inner process ends")
        self._ended()

    def _children(self) -> list[int]:
        return [int(c) for c in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def _ended(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        if self._watcher is not None:
            self._watcher.join(PATIENCE_S)
            self._watcher = None

    def _watch(self, watching: threading.Event) -> None:
        with contextlib.suppress(Fault):
            for item in self.client.stream("/v1/watch", since=0):
                watching.set()
                if "tell" in item:
                    self.tells.append({**item["tell"], "at_ms": item["at_ms"], "first": item["first"], "n": item["n"]})

    # --- what people and programs do ---

    def get(self, path: str, **query: str | int) -> Any:
        return self.client.get(path, **query)

    def post(self, path: str, body: Any = None) -> Any:
        return self.client.post(path, body)

    def command(self, command: str, **fields: Any) -> dict[str, Any]:
        return dict(self.post("/v1/commands", {"command": command, "by": "watch-1", **fields}))

    def give(self, **draft: Any) -> dict[str, Any]:
        """A notice from a draft; what is not named is a routine area activity of the usual height."""
        usual = {
            "type": "AREA_ACTIVITY", "hazard": "CREWED_AIRCRAFT", "low": "SFC", "high": "FL300", "by": "watch-1"
        }  # fmt: skip
        if "ref" in draft:
            usual = {"by": "watch-1"}
        return dict(self.post("/v1/notices", {**usual, **draft}))

    def notice(self, ref: str) -> dict[str, Any]:
        return dict(self.get(f"/v1/notices/{ref}"))

    def status(self) -> dict[str, Any]:
        return dict(self.get("/v1/status"))

    @property
    def line(self) -> dict[str, Any]:
        return dict(self.status()["lines"][0])

    def told(self, tell: str, **fields: Any) -> list[dict[str, Any]]:
        """Everything told of that kind so far, with these fields."""
        return [t for t in tuple(self.tells) if t["tell"] == tell and all(t.get(k) == v for k, v in fields.items())]

    def rings(self) -> list[dict[str, Any]]:
        """What rang before it was recorded, in order: urgent words of the other side."""
        return [t for t in tuple(self.tells) if t["first"]]

    def waits_for(self, tell: str, **fields: Any) -> dict[str, Any]:
        """The newest tell of that kind with these fields, once there is one."""
        return dict(until(lambda: self.told(tell, **fields), f"{self.party} tells {tell} with {fields}")[-1])

    def told_up_to_now(self) -> None:
        """Wait until the watcher has read everything that the node told."""
        newest = self.status()["told"]
        if newest:
            until(lambda: self.tells and self.tells[-1]["n"] >= newest, f"{self.party} tells everything")

    def outbound(self) -> list[dict[str, Any]]:
        """What the tap wrote down, in order."""
        assert self.tap is not None
        return [json.loads(line) for line in self.tap.read_text(encoding="utf-8").splitlines()]

    # --- after it has stopped ---

    def records(self) -> list[Record]:
        assert not self.running
        store = SqliteStore(self.home.record_path)
        try:
            return list(store.load())
        finally:
            store.close()

    def strands(self) -> dict[str, list[tuple[int, bytes, bytes]]]:
        """Author to (place, envelope, body), in the order in which they are stored."""
        found: dict[str, list[tuple[int, bytes, bytes]]] = {}
        for record in self.records():
            if isinstance(record, EntryRecord):
                found.setdefault(record.author, []).append((record.seq, record.envelope, record.body))
        return found


class Two:
    """BLUE and GREEN with a line, each in a folder of its own, with weather between them where asked for."""

    def __init__(
        self, *, clock: str = "2030-01-01T18:30:00Z", mode: Mode = Mode.SIMULATED, rules: Rules = RULES,
        tap: bool = False, seed: str = "", weather: bool = False, at: Path | None = None,
        folders: dict[str, Path] | None = None,
    ) -> None:  # fmt: skip
        self._clock = clock
        # A Unix socket's path is short; pytest's own folders are not.
        self._root = Path(tempfile.mkdtemp(prefix="wb-"))
        self.ports = {party: free_port() for party in ("BLUE", "GREEN")}
        self.weather: dict[str, Weather] = {}
        public = {party: free_port() if weather else port for party, port in self.ports.items()}
        now_ms = instant.parse(clock) if clock else time.time_ns() // 1_000_000
        homes = {}
        for party in ("BLUE", "GREEN"):
            folder = (folders or {}).get(party, self._root / party.lower())
            homes[party] = make_home(folder, party, self.ports[party], public[party], now_ms)
        self.ch = meet(homes["BLUE"], homes["GREEN"], mode, rules, now_ms)
        if weather:
            # The weather in front of a party is what its peer's deliveries to it go through.
            self.weather = {p: Weather(public[p], self.ports[p], seed=i) for i, p in enumerate(self.ports)}
        self._began = clock
        self._tapped, self._seed = tap, seed
        self._folders = {p: each.path for p, each in homes.items()}
        self._take_seats()

    def _take_seats(self) -> None:
        self.blue, self.green = (
            NodeProcess(
                self._folders[p],
                tap=self._root / f"{p.lower()}.tap" if self._tapped else None,
                seed=f"{self._seed}/{p}" if self._seed else "",
            )
            for p in ("BLUE", "GREEN")
        )

    @contextlib.contextmanager
    def afresh(self) -> Iterator[Two]:
        """The same two folders, keys, ports and clock as if nothing had happened yet: to live one story again."""
        kept = self._root / "as-it-was"
        if not kept.exists():
            for party, folder in self._folders.items():
                shutil.copytree(folder, kept / party)
        for party, folder in self._folders.items():
            shutil.rmtree(folder)
            shutil.copytree(kept / party, folder)
        for tap in self._root.glob("*.tap"):
            tap.unlink()
        self._clock = self._began
        self._take_seats()
        try:
            self._begin()
            yield self
        finally:
            for node in self.nodes:
                node.stop()

    @property
    def nodes(self) -> tuple[NodeProcess, NodeProcess]:
        return self.green, self.blue

    def __enter__(self) -> Two:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        if self._seed:
            # One after the other: whether the first delivery finds the peer up must not differ from run to run.
            for node in self.nodes:
                node.start(self._clock)
        else:
            for node in self.nodes:
                node.begin(self._clock)
            for node in self.nodes:
                node.is_up()
            if self._clock:
                # On hand-set clocks nothing is repeated until the clocks are moved.
                self.later(2)
        until(lambda: all(n.status()["lines"] for n in self.nodes), "the line opens on both sides")
        self.settle()

    def __exit__(self, *_: object) -> None:
        for weather in self.weather.values():
            weather.stop()
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self._root, ignore_errors=True)

    # --- time ---

    def clock(self, at: str | int) -> int:
        """Move both clocks together: `18:38:50` of the day, a whole instant, or milliseconds. Returns them."""
        text = f"{self._clock[:11]}{at}Z" if isinstance(at, str) and len(at) == 8 else at
        t_ms = instant.parse(text) if isinstance(text, str) else text
        for node in self.nodes:
            if node.running:
                node.post("/v1/clock", {"t_ms": t_ms})
        self._clock = instant.show(t_ms)
        return t_ms

    @property
    def now_ms(self) -> int:
        return instant.parse(self._clock)

    def later(self, seconds: float) -> int:
        return self.clock(self.now_ms + round(seconds * 1000))

    def restart(self, node: NodeProcess) -> None:
        """After `stop` or `kill`: up again, at the clock of now."""
        node.start(self._clock)

    def later_until(self, holds: Callable[[], Any], what: str, *, step_s: float = 30, most: int = 200) -> int:
        """Let time pass on both clocks until something holds; returns in how many steps."""
        for steps in range(most):
            end = time.monotonic() + 0.15  # what the last step set off has this long to happen
            while time.monotonic() < end:
                if holds():
                    return steps
                time.sleep(0.01)
            self.later(step_s)
        raise AssertionError(f"this did not happen within {most} steps of {step_s:.0f} s: {what}")

    # --- rest ---

    def settled(self) -> bool:
        lines = [node.line for node in self.nodes]
        heads = {node.party: line["seq"] for node, line in zip(self.nodes, lines, strict=True)}
        return all(
            peer["outstanding"] == 0 and peer["held"] == heads[peer["party"]]
            for line in lines
            for peer in line["peers"]
        )

    def settle(self) -> None:
        """Until each side holds everything of the other, has its receipts, and has told its people."""
        until(self.settled, "both sides hold everything and know it")
        for node in self.nodes:
            node.told_up_to_now()


def make_home(folder: Path, party: str, port: int, public_port: int, now_ms: int) -> home.Home:
    config = Config(
        party=party, listen=f"127.0.0.1:{port}", public_url=f"https://127.0.0.1:{public_port}",
        posts=("watch-1", "supervisor"), contact=f"{party} watch room 100",
    )  # fmt: skip
    return home.create(folder, config, entropy=os.urandom, now_ms=now_ms)


def meet(
    ours: home.Home, theirs: home.Home, mode: Mode, rules: Rules, now_ms: int, name: str = "Coast",
    own: join.OwnKeys | None = None,
) -> str:  # fmt: skip
    """Invitation, acceptance, countersignature: files in both folders, as the command line leaves them."""
    invitation = join.invite(
        ours, to=theirs.config.party, mechanism=name, purpose=Purpose.FLIGHT_SAFETY, mode=mode, rules=rules,
        now_ms=now_ms, entropy=os.urandom, own=own,
    )  # fmt: skip
    accepted = join.accept(theirs, invitation, founding.words_in(invitation))
    assert accepted.write is not None
    joined = join.accept(ours, accepted.write, join.words(theirs))
    assert joined.complete
    return joined.ch


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process that stands still while this lasts."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
