# SPDX-License-Identifier: Apache-2.0
"""The loop: event in, Batch out; ring, store, then send, then tell.

One writer. Events queue up; each round takes all that wait (up to `TOGETHER`), steps the core once for each, and makes
one transaction of everything they want kept, so that a busy line shares one fsync. Urgent things ring the moment the
core names them. Only when the transaction is durable does anything leave, and only when it has left is anybody told.

What the inner side should weigh (`Batch.do`) goes last, to a process of its own: nothing that leaves this node, nor
when, waits for own plans (domain.md J4).

If the disk is full the core in memory is ahead of the store, so it is built anew from the store; urgent events are then
tried again with the reserve released, routine ones are refused with `StoreFull`. Any other fault of the store stops the
node: a node that guesses what it has signed could sign one place twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from wideberth.clock import Clock
from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now, Send
from wideberth.core.feed import Feed
from wideberth.core.limits import DELIVERY_BYTES_MAX, DELIVERY_FRAMES_MAX
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord, Record
from wideberth.core.tells import FaultSeen, Tell
from wideberth.errors import BadInput, Fault, Misuse, StoreFull
from wideberth.link.delivery import Delivery, Frame
from wideberth.store.contract import Store

# Events of one transaction at most: a bound on how long the first of them waits for the last (about 25 ms).
TOGETHER: Final = 128
# A reply is one delivery; what its JSON and padding add is far below the other half.
REPLY_BYTES_MAX: Final = DELIVERY_BYTES_MAX // 2


class Postman(Protocol):
    """Takes what should go to a peer; never waits, never fails (`link/client.py`)."""

    def offer(self, delivery: Delivery, *, urgent: int = 0) -> None: ...


class DiskGuard(Protocol):
    """Tells whether the disk is low, and holds the reserve for urgent entries (`store/reserve.py`)."""

    def low(self) -> bool: ...

    def release(self) -> object: ...


class _Waiting:
    __slots__ = ("batch", "event", "future", "reply_to")

    def __init__(self, event: ev.Event, future: asyncio.Future[Reply], reply_to: str) -> None:
        self.event = event
        self.future = future
        self.reply_to = reply_to
        self.batch: Batch | None = None


class Reply:
    """What came of one event: its batch, and what goes straight back to the peer that it came from."""

    __slots__ = ("_bytes", "batch", "frames", "sidecars")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.frames: list[Frame] = []
        self.sidecars: list[bytes] = []
        self._bytes = 0

    def add(self, frames: list[Frame], sidecars: Sequence[bytes]) -> None:
        """As much as a delivery may hold; the core repeats the rest, which is not receipted."""
        for sidecar in sidecars:
            if self._bytes + len(sidecar) <= REPLY_BYTES_MAX and len(self.sidecars) < DELIVERY_FRAMES_MAX:
                self.sidecars.append(sidecar)
                self._bytes += len(sidecar)
        for frame in frames:
            if self._bytes + frame.size > REPLY_BYTES_MAX or len(self.frames) >= DELIVERY_FRAMES_MAX:
                return
            self.frames.append(frame)
            self._bytes += frame.size


class Runtime:
    """Owns the node's core and its store. `build` makes a fresh core and folds the store into it.

    `post(ch, peer)` gives the postman for a peer (None: unreachable by this node); `tell` and `feed` take what the core
    says to own people and to the inner side. All are called on the loop's thread.
    """

    def __init__(
        self, build: Callable[[], Node], store: Store, clock: Clock, guard: DiskGuard,
        *, post: Callable[[str, str], Postman | None], tell: Callable[[Tell, bool], None],
        feed: Callable[[Sequence[Feed], Now], None],
    ) -> None:  # fmt: skip
        self._build = build
        self._store = store
        self._clock = clock
        self._guard = guard
        self._post = post
        self._tell = tell
        self._feed = feed
        self._queue: deque[_Waiting] = deque()
        self._wanted = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_mono_ms = 0
        self._wake_mono_ms: int | None = None
        self._disk_low = False
        self.stopped: Fault | None = None
        self.node = build()

    # --- what the rest of the shell calls ---

    async def submit(self, event: ev.Event) -> Batch:
        """Carry an event out; returns when it is durable. Raises the Fault of a command that cannot be."""
        return (await self._enqueue(event, "")).batch

    async def receive(self, delivery: Delivery) -> Delivery:
        """A peer's delivery in; what goes back to that peer at once, once what it receipts is durable."""
        frames = tuple((f.envelope, f.body) for f in delivery.frames)
        event = ev.Arrived(delivery.ch, delivery.sender, frames, delivery.sidecars)
        reply = await self._enqueue(event, delivery.sender)
        return Delivery(delivery.ch, delivery.to, delivery.sender, tuple(reply.frames), tuple(reply.sidecars))

    def poke(self) -> None:
        """The clock was set by hand: look whether something is due."""
        now = self._clock.now()
        if self._wake_mono_ms is not None and self._wake_mono_ms <= now.mono_ms:
            self._background(ev.Tick())

    async def run(self) -> None:
        """Until cancelled, or until the store fails or a bug shows itself (`stopped` says why; it is raised)."""
        self._start()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._queue:
                together = [self._queue.popleft() for _ in range(min(TOGETHER, len(self._queue)))]
                try:
                    self._round(together)
                except Exception as why:
                    # After a bug what is in memory may be half changed; only the store can be believed.
                    fault = why if isinstance(why, Fault) else _bug(why)
                    self.stopped = fault
                    for waiting in (*together, *self._queue):
                        if not waiting.future.done():
                            waiting.future.set_exception(fault)
                    self._queue.clear()
                    raise fault from why
                # Let answers leave and new events come in before the next round.
                await asyncio.sleep(0)

    # --- one round ---

    def _enqueue(self, event: ev.Event, reply_to: str) -> asyncio.Future[Reply]:
        if self.stopped is not None:
            raise self.stopped
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(event, future, reply_to))
        self._wanted.set()
        return future

    def _background(self, event: ev.Event) -> None:
        """An event of the shell's own; nobody waits for it."""
        if self.stopped is None:
            self._enqueue(event, "").add_done_callback(lambda f: f.exception())

    def _start(self) -> None:
        now = self._clock.now()
        for line in self.node.lines.values():
            self.refuse_real_by_hand(line.channel.agreement.mode)
        batch = self.node.started(now)
        for send in batch.send:  # a question to each peer, without frames: whether this record was put back
            postman = self._post(send.ch, send.to)
            if postman is not None:
                postman.offer(Delivery(send.ch, self.node.party, send.to, (), send.sidecars))
        for tell in batch.ring:
            self._tell(tell, True)
        self._feed(batch.do, now)
        self._set_wake(batch.wake, now)

    def refuse_real_by_hand(self, mode: str) -> None:
        """Raises BadInput: a REAL line on a clock set by hand."""
        if self._clock.by_hand and mode == "REAL":
            raise BadInput("a REAL line does not run on a clock that is set by hand", field="clock")

    def _round(self, together: list[_Waiting]) -> None:
        self._watch_disk()
        stepped: list[_Waiting] = []
        for n, waiting in enumerate(together):
            try:
                if self._step(waiting):
                    stepped.append(waiting)
            except Exception as why:
                # A bug. The core may be half changed, so only the store can be believed; what went before is kept, this
                # event alone is lost, and the node goes on: a line must not fall silent for one event.
                self._keep(stepped)
                self._after_bug(waiting, why)
                self._round(together[n + 1 :])
                return
        self._keep(stepped)

    def _keep(self, stepped: list[_Waiting]) -> None:
        records: list[Record] = [r for w in stepped if w.batch is not None for r in w.batch.store]
        if records:
            try:
                self._store.append(records, self._store.head)
            except StoreFull as full:
                self._after_full(stepped, full)
                return
        self._finish(stepped, records)

    def _step(self, waiting: _Waiting) -> bool:
        now = self._clock.now()
        try:
            if isinstance(waiting.event, ev.OpenLine):
                self._refuse_line(waiting.event)
            batch = self.node.step(waiting.event, now)
        except Fault as fault:
            waiting.future.set_exception(fault)
            return False
        waiting.batch = batch
        for tell in batch.ring:
            self._tell(tell, True)
        self._set_wake(batch.wake, now)
        return True

    def _refuse_line(self, event: ev.OpenLine) -> None:
        from wideberth.core.seal.agreement import read_agreement
        from wideberth.core.seal.keys import Ed25519Verifier

        agreement, _, _ = read_agreement(event.agreement, Ed25519Verifier(), complete=False)
        self.refuse_real_by_hand(agreement.mode)

    def _finish(self, stepped: list[_Waiting], records: list[Record]) -> None:
        fresh = {r.hash: r for r in records if isinstance(r, EntryRecord)}
        for waiting in stepped:
            assert waiting.batch is not None
            reply = Reply(waiting.batch)
            for send in waiting.batch.send:
                self._send(send, waiting, reply, fresh)
            if not waiting.future.done():
                waiting.future.set_result(reply)
        feed: list[Feed] = []
        for waiting in stepped:
            assert waiting.batch is not None
            for tell in waiting.batch.tell:
                self._tell(tell, False)
            feed += waiting.batch.do
        if feed:
            self._feed(feed, self._clock.now())  # one message for all of a round

    def _send(self, send: Send, waiting: _Waiting, reply: Reply, fresh: dict[str, EntryRecord]) -> None:
        frames = []
        for hash_ in send.frames:
            record = fresh.get(hash_) or self._store.entry(hash_)
            if record is None:
                raise Misuse(f"the core wants entry {hash_[:12]} sent, which was never stored")
            frames.append(Frame(record.envelope, record.body))
        event = waiting.event
        if isinstance(event, ev.Arrived) and waiting.reply_to == send.to and event.ch == send.ch:
            reply.add(frames, send.sidecars)
            return
        postman = self._post(send.ch, send.to)
        if postman is not None:
            us = self.node.party
            postman.offer(Delivery(send.ch, us, send.to, tuple(frames), send.sidecars), urgent=send.urgent)

    def _after_bug(self, waiting: _Waiting, why: Exception) -> None:
        fault = _bug(why)
        self._rebuild()
        self._tell(FaultSeen(fault.name, fault.whose, fault.sentence, details={"bug": repr(why)[:500]}), True)
        if not waiting.future.done():
            waiting.future.set_exception(fault)

    def _rebuild(self) -> None:
        """A fresh core out of the store. What it would say at a start is said by its timers soon enough."""
        now = self._clock.now()
        self.node = self._build()
        self._set_wake(self.node.started(now).wake, now)
        if self._disk_low:
            self.node.step(ev.DiskState(True, "the disk is low"), now)

    # --- the disk ---

    def _watch_disk(self) -> None:
        low = self._guard.low()
        if low != self._disk_low:
            self._disk_low = low
            sentence = (
                "The disk of this node is nearly full: routine entries are refused, urgent ones still go out. "
                "Make room now."
                if low
                else "The disk of this node has room again."
            )
            batch = self.node.step(ev.DiskState(low, sentence), self._clock.now())
            for tell in batch.tell:
                self._tell(tell, False)

    def _after_full(self, stepped: list[_Waiting], full: StoreFull) -> None:
        """Nothing of the round was written. Start again from what was, with the reserve, one event at a time."""
        self._guard.release()
        self._disk_low = True
        self._rebuild()
        batch = self.node.step(ev.DiskState(True, str(full)), self._clock.now())
        for tell in batch.tell:
            self._tell(tell, False)
        for waiting in stepped:
            if not self._step(waiting):
                continue
            assert waiting.batch is not None
            try:
                if waiting.batch.store:
                    self._store.append(waiting.batch.store, self._store.head)
            except StoreFull as again:
                self._rebuild()
                waiting.future.set_exception(again)
                continue
            self._finish([waiting], list(waiting.batch.store))

    # --- time ---

    def _set_wake(self, wake: int | None, now: Now) -> None:
        """One alarm per node. The newest level replaces the last, but an alarm that is set for sooner stays: it only
        looks once too often, where a new one for every event costs 10 us each."""
        self._wake_mono_ms = wake
        if wake is None or self._clock.by_hand:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            return
        if self._timer is not None:
            if self._timer_mono_ms <= wake:
                return
            self._timer.cancel()
        # A wall clock that is set back would let wall-clock deadlines slip: look again at least once a minute.
        delay_ms = min(60_000, max(0, wake - now.mono_ms))
        self._timer_mono_ms = now.mono_ms + delay_ms
        self._timer = asyncio.get_running_loop().call_later(delay_ms / 1000, self._alarm)

    def _alarm(self) -> None:
        self._timer = None
        self._background(ev.Tick())


def _bug(why: Exception) -> Misuse:
    return Misuse(
        "this is a bug in wideberth: the event that hit it was not carried out, and nothing else is lost. Report the "
        "bug with its details; for what cannot wait use the telephone",
        bug=repr(why)[:500],
    )
