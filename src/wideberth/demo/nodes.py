# SPDX-License-Identifier: Apache-2.0
"""Two real nodes for the demo: folders, the joining of the two, processes, and what each of them tells.

    pair = Pair(folder, clock_ms)      # makes both folders and joins them by invitation, reply and fingerprint words
    with pair: …                       # both processes are up inside, and down afterwards, whatever happened

Each node is `wideberth up` in a process of its own, with SQLite in its folder and TLS on a loopback port; the demo
talks to it over the node's local socket, as every other program does. Times of arrival are this process's monotonic
clock, in nanoseconds; `t_ms` is UTC by the nodes' clocks, which the demo sets by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from wideberth import home, join
from wideberth.cli.client import Client
from wideberth.config import Config
from wideberth.core.records import EntryRecord
from wideberth.core.say import instant
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.demo.ports import free_port
from wideberth.errors import BadInput, Fault, Misuse, Worlds
from wideberth.store.sqlite import SqliteStore

# Nothing here takes as much as a second; a step that has not happened by then is not going to.
WAIT_S: Final = 20.0
# Interpreters start and load their libraries, two for each node; on a busy machine that takes many seconds.
UP_S: Final = 60.0
# A drill's clock stands still, and with it the timers that repeat what was lost: it is moved on after this long.
_NUDGE_S: Final = 2.0
_STOP_S: Final = 5.0
# sun_path of sockaddr_un is 104 bytes on BSDs and macOS, 108 on Linux.
_SOCKET_PATH_MAX: Final = 100


class Seen(msgspec.Struct, frozen=True):
    """One tell of one node as it reached us. `first`: it rang before the node had stored it."""

    node: str
    n: int
    at_ns: int
    at_ms: int
    first: bool
    tell: dict[str, Any]


class Joining(msgspec.Struct, frozen=True):
    """What the two officers read to each other before anything was signed."""

    words: dict[str, str]
    files: tuple[str, ...]


class RunningNode:
    """One `wideberth up` as a child process, and the thread that listens to it."""

    def __init__(self, party: str, folder: Path, clock_ms: int, heard: Callable[[Seen], None]) -> None:
        self.party = party
        self.folder = folder
        self.client = Client(folder / home.SOCKET_NAME)
        self.port = 0
        self.ended = ""
        self._heard = heard
        self._log = folder / "up.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "wideberth.demo.leash", "up", "--json", "--dir", str(folder),
                 "--clock", instant.show(clock_ms)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which stops its nodes in order
            )  # fmt: skip
        self.up = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        try:
            line = self.process.stdout.readline()
            if line:
                self.port = int(json.loads(line)["port"])
                # From the very first tell: nothing that happened between up and now is lost.
                for told in self.client.stream("/v1/watch", since=0):
                    self.up.set()
                    if "tell" in told:
                        self._heard(Seen(self.party, told["n"], time.monotonic_ns(), told["at_ms"],
                                         told["first"], told["tell"]))  # fmt: skip
            self.ended = "it stopped"
        except (Fault, OSError, ValueError) as why:
            self.ended = str(why)
        finally:
            self.up.set()

    def check(self) -> None:
        """Raises Worlds when the node is no longer there to be listened to."""
        if not self.ended or self._stopping:
            return
        with contextlib.suppress(OSError):
            log = self._log.read_text("utf-8", "replace").strip()
            raise Worlds(f"the node of {self.party} ended: {self.ended}. {log[-600:]}")

    def let_go(self) -> None:
        """Ask it to stop. Never raises, never waits."""
        self._stopping = True
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()

    def wait(self) -> bool:
        """Whether it stopped by itself; it is gone either way."""
        try:
            self.process.wait(_STOP_S)
            clean = True
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            clean = False
        if self.process.stdout is not None:
            self._thread.join(_STOP_S)
            self.process.stdout.close()
        return clean


class Nodes(ABC):
    """Nodes on this machine. `folder` is new or empty; their own folders are made in it, named after the parties."""

    def __init__(self, folder: Path, parties: tuple[str, ...], clock_ms: int) -> None:
        self.parties = parties
        self.t_ms = clock_ms
        self.nudge_s = _NUDGE_S
        self.folders = {party: folder / party.lower() for party in parties}
        for path in self.folders.values():
            if len(os.fsencode(path.absolute() / home.SOCKET_NAME)) > _SOCKET_PATH_MAX:
                raise BadInput(f"{path} is too long a path for a Unix socket; name a shorter folder", field="keep")
        self.nodes: dict[str, RunningNode] = {}
        self.seen: list[Seen] = []
        self._runs: dict[str, int] = {}  # where in `seen` a node that was started again begins anew
        self._news = threading.Condition()

    # --- meeting ---

    def _homes(
        self, contacts: dict[str, str], now_ms: int, posts: tuple[str, ...] = ("watch-1", "supervisor"),
        public_urls: dict[str, str] | None = None,
    ) -> dict[str, home.Home]:  # fmt: skip
        return {
            party: home.create(
                self.folders[party],
                Config(party=party, listen=f"127.0.0.1:{free_port()}", posts=posts, contact=contacts[party],
                       public_url=(public_urls or {}).get(party, "")),
                entropy=os.urandom, now_ms=now_ms,
            )
            for party in self.parties
        }  # fmt: skip

    def _invite(
        self, homes: dict[str, home.Home], one: str, two: str, mechanism: str, rules: Rules, now_ms: int
    ) -> tuple[str, str]:
        """As two officers do: files carried by hand, words compared by telephone (here: read from the other folder).
        Returns the names of both files."""
        invitation = self.folders[one] / f"invite-{two}.json"
        invitation.write_bytes(
            join.invite(
                homes[one], to=two, mechanism=mechanism, purpose=Purpose.FLIGHT_SAFETY, mode=Mode.EXERCISE,
                rules=rules, now_ms=now_ms, entropy=os.urandom,
            )
        )  # fmt: skip
        joined = join.accept(homes[two], invitation.read_bytes(), join.words(homes[one]))
        if joined.write is None:
            raise Misuse("accepting an invitation gave no reply")
        reply = self.folders[two] / f"reply-{two}.json"
        reply.write_bytes(joined.write)
        if not join.accept(homes[one], reply.read_bytes(), join.words(homes[two])).complete:
            raise Misuse("the agreement is not complete after the reply")
        return invitation.name, reply.name

    # --- running ---

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _start(self) -> None:
        for party in self.parties:
            self._begin(party)
        deadline = time.monotonic() + UP_S
        for node in self.nodes.values():
            self._is_up(node, deadline)
        self._opened()

    def _begin(self, party: str) -> RunningNode:
        node = self.nodes[party] = RunningNode(party, self.folders[party], self.clock_of(party), self._heard)
        return node

    def _is_up(self, node: RunningNode, deadline: float) -> None:
        if not node.up.wait(max(0.0, deadline - time.monotonic())):
            raise Worlds(f"the node of {node.party} did not come up within {UP_S:g} s; see {node.folder}/up.log")
        node.check()

    def down(self, party: str) -> None:
        """Stop one node, as its operator would."""
        node = self.nodes.pop(party)
        node.let_go()
        node.wait()

    def up(self, party: str) -> None:
        """Start a node again that was stopped. Raises Worlds."""
        self._runs[party] = len(self.seen)
        self._is_up(self._begin(party), time.monotonic() + UP_S)

    @abstractmethod
    def _opened(self) -> None:
        """Wait until every line is open."""

    def stop(self) -> list[str]:
        """Both down, always. Returns the parties whose node had to be killed."""
        for node in self.nodes.values():
            node.let_go()
        return [party for party, node in self.nodes.items() if not node.wait()]

    # --- listening ---

    def _heard(self, seen: Seen) -> None:
        with self._news:
            self.seen.append(seen)
            self._news.notify_all()

    def until(self, what: str, happened: Callable[[], Any], *, within_s: float = 0.0) -> Any:
        """Wait (`WAIT_S` unless told otherwise) until `happened()` is true, and return what it gave.

        It is asked anew whenever a node tells anything. Raises Worlds when it does not happen, and says `what` was
        waited for.
        """
        within_s = within_s or WAIT_S
        deadline = time.monotonic() + within_s
        nudge = time.monotonic() + self.nudge_s
        while True:
            with self._news:
                n = len(self.seen)
            found = happened()
            if found:
                return found
            for node in self.nodes.values():
                node.check()
            if time.monotonic() > deadline:
                raise Worlds(f"waited {within_s:g} s in vain until {what}")
            if time.monotonic() > nudge:
                self.set_clocks(self.t_ms + 1_000)
                nudge = time.monotonic() + self.nudge_s
            with self._news:
                # A receipt that is not told still comes: look again after a moment at the latest.
                if len(self.seen) == n:
                    self._news.wait(0.05)

    def first(self, since: int, node: str, **wanted: Any) -> Seen | None:
        """The first tell of `node` from place `since` on with these fields (`first` included)."""
        for seen in self.seen[since:]:
            have = {**seen.tell, "first": seen.first}
            if seen.node == node and all(have.get(k) == v for k, v in wanted.items()):
                return seen
        return None

    def clock_of(self, party: str) -> int:
        """What the clock of this party's node says, ms UTC."""
        return self.t_ms

    def set_clocks(self, t_ms: int) -> None:
        self.t_ms = t_ms
        for party, node in self.nodes.items():
            node.client.post("/v1/clock", {"t_ms": self.clock_of(party)})

    def catch_up(self) -> None:
        """Wait until what both nodes have told so far has reached us."""
        for party, node in self.nodes.items():
            told = int(node.client.get("/v1/status")["told"])
            self.until(f"{party}'s node has told all it has to tell", partial(self._has_told, party, told))

    def _has_told(self, party: str, n: int) -> bool:
        began = self._runs.get(party, 0)
        return next((s.n for s in reversed(self.seen[began:]) if s.node == party), 0) >= n


class Pair(Nodes):
    """Two nodes with one line. `parties`: who invites, who accepts."""

    def __init__(
        self, folder: Path, parties: tuple[str, str], *, mechanism: str, rules: Rules, clock_ms: int,
        contacts: dict[str, str],
    ) -> None:  # fmt: skip
        super().__init__(folder, parties, clock_ms)
        now_ms = time.time_ns() // 1_000_000
        homes = self._homes(contacts, now_ms)
        files = self._invite(homes, *parties, mechanism, rules, now_ms)
        self.joining = Joining({party: join.words(homes[party]) for party in parties}, files)

    def other(self, party: str) -> str:
        return next(p for p in self.parties if p != party)

    def _opened(self) -> None:
        # The second one's line opens when the first one's signature arrives over the link.
        for party in self.parties:
            self.until(
                f"the line on {party}'s side is open, and what {party} wrote has {self.other(party)}'s receipt",
                partial(self._line_is_open, party),
                within_s=UP_S,
            )

    def _line_is_open(self, party: str) -> bool:
        lines = self.nodes[party].client.get("/v1/status")["lines"]
        return bool(lines) and all(p["outstanding"] == 0 and p["held"] > 0 for p in lines[0]["peers"])

    # --- afterwards, from the files ---

    def strands(self, party: str) -> dict[str, list[EntryRecord]]:
        """Every author's entries as `party` keeps them, in order. The node must be down."""
        store = SqliteStore(self.folders[party] / home.RECORD_NAME)
        try:
            kept: dict[str, list[EntryRecord]] = {p: [] for p in self.parties}
            for record in store.load():
                if isinstance(record, EntryRecord):
                    kept[record.author].append(record)
            return kept
        finally:
            store.close()
