# SPDX-License-Identifier: Apache-2.0
"""A running node: folder, store, core, links, the inner process and the two servers, put together in one place.

No rule lives here. It connects: the peer API and the local socket to the runtime, the runtime to a `PeerLine` per peer,
and `Batch.do` to the inner process, which is started as a child and holds own plans in memory of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette

from wideberth import join
from wideberth.bus import Bus
from wideberth.cards import OwnCards
from wideberth.clock import Clock, HandClock
from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.call import views
from wideberth.core.call.board import Thread
from wideberth.core.call.choosing import choose, named
from wideberth.core.call.marks import marked
from wideberth.core.desk.script import Rung
from wideberth.core.feed import Feed
from wideberth.core.line import Line
from wideberth.core.node import Node
from wideberth.core.preview import Preview, named_elsewhere, preview
from wideberth.core.records import SidecarRecord
from wideberth.core.say.geodesy import geod
from wideberth.core.say.rules import Purpose
from wideberth.core.seal import checkpoint
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.mediation import KEPT_PROOF
from wideberth.core.tells import Delivered, FaultSeen, KeysChanged, LineOpened, Said, Tell
from wideberth.core.warned import Warned
from wideberth.desk.after import settle
from wideberth.desk.room import Room
from wideberth.errors import BadInput, Fault, Misuse, NotFound, StoreFull
from wideberth.fingerprint import fingerprint_words
from wideberth.home import Home
from wideberth.inner.client import InnerProcess
from wideberth.link.delivery import Delivery
from wideberth.links import Links
from wideberth.restore import open_record
from wideberth.runtime import Runtime
from wideberth.signers import HomeSigners
from wideberth.stamps import KIND as STAMP
from wideberth.stamps import Stamping, read_roots
from wideberth.store.reserve import Reserve
from wideberth.store.sqlite import SqliteStore
from wideberth.store.watermark import Watermark
from wideberth.ways import WayBook
from wideberth.web import keeping
from wideberth.web.mechanisms import audience_of, choices
from wideberth.web.peer_api import peer_routes
from wideberth.web.readiness import note_backup
from wideberth.web.server import Serving, serve, serve_unix

# How often the reserve is tried again after it was needed, seconds.
_RESTORE_S = 30.0
# The machine line check and the checkpoint (design.md §3: every 30 to 60 s; every minute).
_LINE_CHECK_S = 45.0
_CHECKPOINT_S = 60.0


class Service:
    """`async with Service(home, clock): …`, or `start()` and `stop()`."""

    def __init__(self, home: Home, clock: Clock) -> None:
        self.home = home
        self.clock = clock
        self.bus = Bus()
        self.stopping = asyncio.Event()
        self.failed: Fault | None = None
        self._signers = HomeSigners(home)
        self._links = Links(
            home, clock, node_of=self._signers.node_of, node=lambda: self.node,
            tell=lambda tell: self._tell(tell, False), keep=self._keep_beside,
            soon=lambda event: self._spawn(self._quietly(event)),
        )  # fmt: skip
        self.cards = OwnCards(
            home, self._signers, self._links, node=lambda: self.node, now_ms=lambda: self.clock.now().t_ms,
            submit=lambda event: self.runtime.submit(event), tell=lambda tell: self._tell(tell, False),
        )  # fmt: skip
        config = home.config
        self.room = Room(home.path, config.party, config.posts, clock, self.bus, self._tell_inner, self._contacts)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._servers: list[Serving] = []
        self._store: SqliteStore | None = None
        self._mark: Watermark | None = None
        self._runtime: Runtime | None = None
        self._inner: InnerProcess | None = None
        self._stamping: Stamping | None = None
        self._reserve = Reserve.beside(home.record_path)
        self._repeated: dict[str, int] = {}
        self.peer_port = 0

    # --- life ---

    async def __aenter__(self) -> Service:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Everything up: returns when both servers listen. Raises Fault with what to do."""
        from wideberth.web.local_api import local_routes  # its own module needs this one's name

        # The first use of the geodesics' library costs 0.15 s: pay it now, not when the first warning is on its way.
        await asyncio.to_thread(geod)
        self.room.start()
        inner = InnerProcess(self.home.path / "plans.db", self._tell_inner, self.clock.now)
        starting = asyncio.create_task(inner.start())
        try:
            self._store, self._mark = open_record(self.home.record_path, os.urandom(16).hex())
            self._reserve.restore()
            self.cards.read()
            self._inner = inner
            self._runtime = Runtime(
                self._build, self._store, self.clock, self._reserve,
                post=self._links.postman, tell=self._tell, feed=self._feed,
            )  # fmt: skip
            self._links.reload()
            self._start_stamping()
            self._spawn(self._run())
            self._spawn(self._keep_reserve())
            self._spawn(self.cards.keep_tidy())
            if not self.clock.by_hand:
                self._spawn(self._every(_LINE_CHECK_S, ev.CheckLines()))
                self._spawn(self._every(_CHECKPOINT_S, ev.SignCheckpoints()))
            await self.take_lines()
            await self.cards.begin()
            config = self.home.config
            peer_app = Starlette(routes=peer_routes(self._receive, self._links.keys, self._links.desk))
            peers = await serve(peer_app, host=config.listen_host, port=config.listen_port, tls=self.cards.tls())
            self._servers.append(peers)
            self.peer_port = peers.port
            self._servers.append(await serve_unix(Starlette(routes=local_routes(self)), self.home.socket_path))
            await starting
            self._spawn(settle(self.room, self.node, self.inner, self.now_ms))
        except BaseException:
            starting.cancel()
            await self.stop()
            raise

    async def stop(self) -> None:
        self.stopping.set()
        for server in self._servers:
            await server.stop()
        await self._links.stop()
        await self.room.stop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._inner is not None:
            await self._inner.stop()
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._mark is not None:
            self._mark.close()

    def _build(self) -> Node:
        store = self._opened_store
        node = Node(self.home.config.party, self._signers, Ed25519Verifier(), os.urandom, store.entry)
        for record in store.load():
            node.load(record)
        return node

    @property
    def _opened_store(self) -> SqliteStore:
        if self._store is None:
            raise Misuse("this node is not started")
        return self._store

    @property
    def runtime(self) -> Runtime:
        if self._runtime is None:
            raise Misuse("this node is not started")
        return self._runtime

    @property
    def node(self) -> Node:
        return self.runtime.node

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        try:
            await self.runtime.run()
        except Fault as fault:
            # The record cannot be trusted to take more: say so, and stop.
            self.failed = fault
            self._tell(FaultSeen(fault.name, fault.whose, fault.sentence), True)
            self.stopping.set()

    async def _every(self, seconds: float, event: ev.Event) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._quietly(event)

    def _start_stamping(self) -> None:
        """Time stamps are optional: what is wrong with them is told, and the node starts all the same."""
        config, store = self.home.config, self._opened_store
        if not config.tsa or self.clock.by_hand:
            return  # the time of the world means nothing to a drill
        try:
            roots = read_roots(self.home.tsa_roots())
            stamping = Stamping(
                config.tsa, roots, config.party, self.clock,
                keep=lambda record: self._keep_beside((record,)), tell=self._tell_inner,
            )  # fmt: skip
        except Fault as fault:
            self._tell_inner(FaultSeen("NoStamp", fault.whose, f"no time stamps: {fault.sentence}"))
            return
        for ch in self.node.lines:
            stamping.reload(store.sidecars(ch, checkpoint.KIND), store.sidecars(ch, STAMP))
        self._stamping = stamping
        self._spawn(stamping.run())

    def _keep_beside(self, records: Sequence[SidecarRecord]) -> None:
        """What others signed beside the record. On the loop's thread, so between two rounds of the runtime.

        Raises StoreFull, StoreBroken.
        """
        if self.node.disk_low:
            raise StoreFull("the disk is low, and what room there is belongs to entries")
        store = self._opened_store
        store.append(records, store.head)

    async def _keep_reserve(self) -> None:
        while True:
            await asyncio.sleep(_RESTORE_S)
            with contextlib.suppress(Fault):
                await asyncio.to_thread(self._reserve.restore)

    # --- between runtime, links and inner side ---

    def _tell(self, tell: Tell, first: bool) -> None:
        if isinstance(tell, LineOpened | KeysChanged):
            self._links.join()
        if isinstance(tell, Delivered):
            self.cards.settle()
        if isinstance(tell, FaultSeen) and not self._worth_telling(tell):
            return
        self.bus.publish(tell, self.clock.now().t_ms, first=first)

    def _worth_telling(self, fault: FaultSeen) -> bool:
        """A peer that repeats itself must not fill the screen: one fault is told at its 1st, 10th, 100th … time."""
        key = f"{fault.ch}|{fault.peer}|{fault.fault}|{fault.sentence}"
        if len(self._repeated) > 4096:
            self._repeated.clear()
        n = self._repeated[key] = self._repeated.get(key, 0) + 1
        return str(n) == "1" + "0" * (len(str(n)) - 1)

    def _contacts(self) -> dict[str, str]:
        """How each peer is reached by telephone, as its card says."""
        if self._runtime is None:
            return {}
        cards = [(p, line.channel.cards.get(p)) for line in self.node.lines.values() for p in line.channel.peers]
        return {party: card.contact for party, card in cards if card is not None}

    def _tell_inner(self, tell: Warned | FaultSeen | Rung) -> None:
        self.bus.publish(tell, self.clock.now().t_ms)

    def _feed(self, feed: Sequence[Feed], now: Now) -> None:
        if feed and self._inner is not None:
            self._inner.feed(feed, now)

    async def _receive(self, delivery: Delivery) -> Delivery:
        return await self.runtime.receive(delivery)

    async def _quietly(self, event: ev.Event) -> None:
        with contextlib.suppress(Fault):
            batch = await self.runtime.submit(event)
            if self._stamping is not None and isinstance(event, ev.SignCheckpoints):
                self._stamping.offer(batch.store)

    # --- what own people and programs ask ---

    async def command(self, command: ev.Command, passphrase: str = "") -> dict[str, Any]:
        """Carry out an officer's command; returns once it is durable. `passphrase`: of a break-glass post.

        Raises Fault.
        """
        names = named_elsewhere(self.node.lines, command)
        with await self.cards.glass(command.by, passphrase, command.ch):
            batch = await self.runtime.submit(command)
        # The last one: after a restore an urgent word opens a new epoch first, and that is said as well.
        # A version that opens a line opens epochs after it.
        said = [t for t in batch.tell if isinstance(t, Said) and t.kind != "epoch"][-1]
        facts = said.facts
        if out := (*names, *self._links.warnings(said.ch)):
            facts = {**facts, "warnings": [*facts.get("warnings", ()), *out]}
        return {
            "ch": said.ch, "entry": said.entry, "kind": said.kind, "by": said.by, "ref": said.ref,
            "version": said.version, "facts": facts, "told_to": audience_of(self.node.lines[said.ch])["members"],
        }  # fmt: skip

    def preview(self, command: ev.Command) -> Preview:
        """What the members of its line would see; nothing is signed, sent or changed. Raises Fault."""
        return preview(self.node.lines, command, self.clock.now())

    async def showed(self, ch: str, author: str, seq: int) -> None:
        await self.runtime.submit(ev.Showed(ch, author, seq))

    async def check(self) -> None:
        """Check every line and sign checkpoints now: by command, and for drills, whose clock stands still."""
        await self.runtime.submit(ev.CheckLines())
        batch = await self.runtime.submit(ev.SignCheckpoints())
        if self._stamping is not None:
            self._stamping.offer(batch.store)

    async def resume(self, ch: str, by: str, passphrase: str = "") -> None:
        """After a restore: go on without the peers that do not answer. Raises BadInput."""
        with await self.cards.glass(by, passphrase, ch):
            await self.runtime.submit(ev.Resume(ch, by))

    async def change_card(self, by: str, card: bytes) -> list[dict[str, Any]]:
        """Our root signed a new card, and its keys are in the folder: from now on they hold. Raises Fault."""
        return await self.cards.change(by, card)

    async def revoke_key(self, by: str, post: str, text: str, passphrase: str = "") -> list[dict[str, Any]]:
        """Take the key of a post out of use, on every line. Raises Fault."""
        return await self.cards.revoke(by, post, text, passphrase)

    async def backup(self, path: str) -> dict[str, Any]:
        """A copy of the record in a new file, while the node runs. Raises BadInput, StoreFull, StoreBroken."""
        if not os.path.isabs(path):
            raise BadInput("name the file by its whole path", field="file")
        await asyncio.to_thread(self._opened_store.backup, path)
        await asyncio.to_thread(note_backup, self.home.path, self.now_ms())
        return {"file": path, "bytes": os.stat(path).st_size}

    async def open_line(self, agreement: bytes, cards: tuple[bytes, ...]) -> None:
        await self.runtime.submit(ev.OpenLine(agreement, cards))
        self._links.join()

    async def take_lines(self) -> None:
        """Open what was joined in the folder while the node was down, or by the command line just now."""
        for ch, agreement, cards in join.lines_on_file(self.home):
            if ch in self.node.lines:
                continue
            waiting = self.node.pending.get(ch)
            wanted = sum(1 for m in waiting[0].members if m.root) if waiting is not None else 0
            if len(msgspec.json.decode(agreement)["signatures"]) < wanted:
                continue
            await self.open_line(agreement, cards)

    def reload_ways(self) -> WayBook:
        """Take in mediators and ways from the folder (`ways.py`); links that changed begin anew. Raises Fault."""
        return self._links.reload()

    def spoiled(self) -> list[SidecarRecord]:
        """What mediators or senders spoiled on the way, by line, oldest first."""
        return [r for ch in self.node.lines for r in self._opened_store.sidecars(ch, KEPT_PROOF)]

    async def inner(self, request: Any) -> Any:
        """Ask the inner process about own plans, exposures or drafts (`inner/protocol.py`). Raises Fault."""
        if self._inner is None:
            raise Misuse("this node is not started")
        return await self._inner.ask(request, self.clock.now())

    def set_clock(self, t_ms: int) -> None:
        if not isinstance(self.clock, HandClock):
            raise BadInput("this node runs on the system's clock; only a drill's clock can be set", field="clock")
        self.clock.set(t_ms)
        self.runtime.poke()
        if self._inner is not None:
            self._inner.feed((), self.clock.now())
        self.room.poke()

    def now_ms(self) -> int:
        return self.clock.now().t_ms

    def resolve_line(self, name: str, prefer: Purpose | None = None) -> str:
        """One line by its purpose, its mechanism's name or the start of its id; none need be named where there is one,
        or one for the purpose that is preferred. Raises NotFound, BadInput."""
        if not self.node.lines:
            waiting = " One waits for the other side's signature." if self.node.pending else ""
            raise NotFound(f"this node has no open line yet.{waiting} `invite` or `accept` opens one.")
        return choose(choices(self.node), name, prefer).ch

    def lines_named(self, name: str) -> list[str]:
        """Every line that a name can mean; all of them for none. Raises NotFound."""
        return [choice.ch for choice in named(choices(self.node), name)]

    def _name(self, line: Line) -> str:
        return line.channel.agreement.mechanism

    def notices(self, name: str = "", *, all_: bool = False) -> list[dict[str, Any]]:
        """Every notice and ALERT, newest first; without `all_` only what is live. `name`: of some lines only."""
        at_ms = self.clock.now().t_ms
        lines = [self.node.lines[ch] for ch in self.lines_named(name)]
        us = self.home.config.party
        found = [
            self._marked(line, thread, views.listed(line.board, thread, self._members(line), at_ms, us))
            for line in lines for thread in line.board if all_ or thread.live(at_ms)
        ]  # fmt: skip
        return sorted(found, key=lambda v: -v["versions"][-1]["given_ms"])

    def notice(self, ch: str, ref: str) -> dict[str, Any]:
        line = self.node.lines[ch]
        thread = line.board.find(ref)
        if thread is None:
            raise NotFound(f"there is no notice {ref} on this line; `notice list --all` shows them", ref=ref)
        view = views.thread_view(line.board, thread, self._members(line), self.clock.now().t_ms)
        return self._marked(line, thread, view)

    def _marked(self, line: Line, thread: Thread, view: dict[str, Any]) -> dict[str, Any]:
        agreement, purpose = line.channel.agreement, line.channel.terms.purpose
        view = marked(view, line.board, thread, self._members(line), line.mechanism.outside)
        if line.channel.has_break_glass:
            views.mark_break_glass(view, line.channel.break_glass)
        units = self.room.relay_view(line.channel.ch, thread.ref)
        here = {"mechanism": self._name(line), "mode": agreement.mode.value, "purpose": purpose.value}
        return {**view, **here, **({"units": units} if units else {})}

    @staticmethod
    def _members(line: Line) -> tuple[str, ...]:
        return line.channel.terms.members

    def status(self) -> dict[str, Any]:
        """Who we are, our lines, what each peer still has to receipt, whether the links work, how the disk is."""
        now = self.clock.now()
        return {
            "party": self.home.config.party,
            "words": fingerprint_words(self._root()),
            "posts": [f"{self.home.config.party}/{p}" for p in self.home.config.posts],
            "t_ms": now.t_ms,
            "clock": "by hand" if self.clock.by_hand else "system",
            "disk_low": self.node.disk_low,
            "told": self.bus.newest,
            "port": self.peer_port,
            "lines": [self._line_status(line) for line in self.node.lines.values()],
            "waiting": [
                {"ch": ch, "mechanism": agreement.mechanism, "for": [m.party for m in agreement.members if m.root]}
                for ch, (agreement, _) in self.node.pending.items()
            ],
        }

    def _root(self) -> str:
        """Our root key as our card shows it: the seed itself may be in a safe."""
        for line in self.node.lines.values():
            return line.channel.cards[self.home.config.party].root
        return self.home.keys.root_public()

    def _line_status(self, line: Line) -> dict[str, Any]:
        channel = line.channel
        agreement = channel.agreement
        peers = []
        for member in agreement.members:
            if member.party == channel.us or member.party not in channel.terms.members:
                continue
            outbox = channel.outboxes.get(member.party)
            card = channel.cards.get(member.party)
            clock = channel.clocks[member.party].offset if outbox else None
            peers.append(
                {
                    "party": member.party,
                    **self._links.state(channel.ch, member.party),
                    "receipted": outbox.receipted if outbox else 0,
                    "outstanding": channel.newest - outbox.receipted if outbox else 0,
                    "held": channel.strands[member.party].seq if member.root else 0,
                    "words": fingerprint_words(member.root) if member.root else "",
                    "contact": card.contact if card else "",
                    "clock": msgspec.to_builtins(clock) if clock else None,
                    **keeping.peer_state(line, member.party),
                }
            )
        return {
            "ch": channel.ch,
            "mechanism": agreement.mechanism,
            "purpose": channel.terms.purpose.value,
            "mode": agreement.mode.value,
            "seq": channel.own.seq,
            "head": channel.own.head,
            "peers": peers,
            "rules": msgspec.to_builtins(agreement.rules),
            "stamp": self._stamping.newest(channel.ch) if self._stamping is not None else None,
            **keeping.line_state(line),
            "line": line.watch.view(line.board, self.clock.now().t_ms),
        }
