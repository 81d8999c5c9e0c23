# SPDX-License-Identifier: Apache-2.0
"""One node at work: the real core in the real order of effects, with a power switch between every two of them.

It does what `runtime.py` does, without an event loop: events queue up; a round takes those that wait, steps the core
once for each, rings, makes one write of everything they want kept, and when that is durable sends, then tells. `doom`
counts down the points at which the power may go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now, Send
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord, Record, SettingRecord
from wideberth.core.recovery import NODE_ITSELF, setting_key
from wideberth.core.seal.keys import Verifier
from wideberth.core.tells import Tell
from wideberth.errors import Fault, StoreFull
from wideberth.sim.clock import SimClock
from wideberth.sim.dice import Dice
from wideberth.sim.disk import RESERVE_BYTES, Disk
from wideberth.sim.network import Frames, Parcel
from wideberth.sim.parties import SUPERVISOR, Keys
from wideberth.sim.tape import Tape
from wideberth.sim.watchroom import WatchRoom
from wideberth.store.memory import MemoryStore

# As in `runtime.py`: events of one write at most, and the longest that an alarm is trusted.
TOGETHER: Final = 128
ALARM_MOST_MS: Final = 60_000


class PowerCut(Exception):
    """The machine is off, this instant."""


class Watcher(Protocol):
    """Looks on from outside (`promises.py`). Raises `Broken`."""

    def stepped(self, site: Site, event: ev.Event, tainted: bool, batch: Batch, now: Now) -> None: ...
    def refused(self, site: Site, event: ev.Event, fault: Fault) -> None: ...
    def fell(self, site: Site, event: ev.Event, why: Exception) -> None: ...
    def sent(self, site: Site, parcel: Parcel) -> None: ...
    def told(self, site: Site, tell: Tell) -> None: ...
    def crashed(self, site: Site) -> None: ...
    def restored(self, site: Site, marked: bool) -> None: ...


class Site:
    """`world_ms()` is the time of the world; `later(ms, act)` plans; `post` is the wire."""

    def __init__(
        self, keys: Keys, verifier: Verifier, clock: SimClock, dice: Dice, tape: Tape, watcher: Watcher,
        world_ms: Callable[[], int], later: Callable[[int, Callable[[], None]], None],
        post: Callable[[Parcel], None],
    ) -> None:  # fmt: skip
        self.keys = keys
        self.party = keys.party
        self.clock = clock
        self.disk = Disk()
        self.up = True
        self.doom: int | None = None
        self.lost_writes = 0
        self.verifier = verifier
        self._dice = dice
        self._tape = tape
        self.watcher = watcher
        self.world_ms = world_ms
        self.later = later
        self._post = post
        self._queue: deque[tuple[ev.Event, bool]] = deque()
        self._planned = False
        self.life = 0
        self._alarm = 0
        self._told_low = False
        # Its people, where anybody looks after them (`World`).
        self.room: WatchRoom | None = None
        self.node = self.build()

    # --- what the world does to it ---

    def now(self) -> Now:
        return self.clock.now(self.world_ms())

    def submit(self, event: ev.Event, *, tainted: bool = False) -> None:
        if not self.up:
            return
        self._queue.append((event, tainted))
        self._plan(self._dice.between(0, 12))

    def crash(self) -> None:
        """Power off: memory is gone, and what was not synced, but for what happened to reach the disk."""
        self._off()
        lost = self.disk.power_cut(self._dice.between(0, 1))
        self.lost_writes += 1 if lost else 0
        self._note(f"CRASH{', a write under way is lost' if lost else ''}")
        self.watcher.crashed(self)

    def _off(self) -> None:
        if self.room is not None:
            self.room.off()
        self.up = False
        self.doom = None
        self.life += 1
        self._queue.clear()
        self._planned = False

    def put_back(self, backup: MemoryStore, *, marked: bool, by_hand: bool = False) -> None:
        """Off, and an old copy in the place of the record. `marked`: the node knows when it starts, by `wideberth
        restore`, or (`by_hand`) by the mark beside the record. Else the whole folder was put back, mark and all."""
        self._off()
        self.disk.put_back(backup)
        if marked:
            by = NODE_ITSELF if by_hand else f"{self.party}/{SUPERVISOR}".encode()
            told = [r.key for r in self.disk.load() if isinstance(r, SettingRecord) and r.value]
            keys = [key for key in map(setting_key, self.node.lines) if not (by_hand and key in told)]
            self.disk.append([SettingRecord(key, by) for key in keys])
            self.disk.sync()
        how = ("" if not by_hand else ", by hand") if marked else ", and it is not told"
        self._note(f"its record is PUT BACK to a backup{how}")
        self.watcher.restored(self, marked)

    def start(self) -> None:
        """Power on: the node is built from its disk."""
        self.clock.reboot(self.world_ms())
        self.node = self.build()
        self.up = True
        self._told_low = False
        self._note("starts")
        now = self.now()
        begun = self.node.started(now)
        self.watcher.stepped(self, ev.Tick(), False, begun, now)
        if self.room is not None:
            self.room.on()
        self._tell_room(begun.ring, first=True)
        self._set_alarm(begun.wake, now)
        for send in begun.send:
            self.send(send, {})

    def build(self) -> Node:
        node = Node(self.party, self.keys, self.verifier, self._dice.octets, self.disk.entry)
        for record in self.disk.load():
            node.load(record)
        return node

    # --- a round ---

    def _plan(self, in_ms: int) -> None:
        if not self._planned:
            self._planned = True
            life = self.life
            self.later(in_ms, lambda: self._round(life))

    def _round(self, life: int) -> None:
        if life != self.life or not self.up:
            return
        self._planned = False
        together = [self._queue.popleft() for _ in range(min(TOGETHER, len(self._queue)))]
        try:
            self._watch_disk()
            stepped = [(event, batch) for event, tainted in together if (batch := self._step(event, tainted))]
            try:
                self.effects(stepped)
            except StoreFull as full:
                self._after_full(together, full)
        except PowerCut:
            self.crash()
            self.on_crash()
            return
        if self._queue:
            self._plan(1)

    def on_crash(self) -> None:
        """The world plans when the machine comes back."""

    def _step(self, event: ev.Event, tainted: bool) -> Batch | None:
        now = self.now()
        try:
            batch = self.node.step(event, now)
        except Fault as fault:
            self._note(f"refuses {type(event).__name__}: {fault.name}")
            self.watcher.refused(self, event, fault)
            return None
        except Exception as why:  # whatever it is, an honest node that falls over is a finding
            self.watcher.fell(self, event, why)
            raise
        self.watcher.stepped(self, event, tainted, batch, now)
        self._tell_room(batch.ring, first=True)
        self._set_alarm(batch.wake, now)
        return batch

    def _tell_room(self, tells: Iterable[Tell], *, first: bool = False) -> None:
        if self.room is not None:
            for tell in tells:
                self.room.told(tell, first=first)

    def effects(self, stepped: list[tuple[ev.Event, Batch]]) -> None:
        """Store, then send, then tell. Raises StoreFull: nothing of it was written, sent or told."""
        records = [record for _, batch in stepped for record in batch.store]
        self.cut()
        if records:
            self.keep(records)
        self.cut()
        fresh = {r.hash: r for r in records if isinstance(r, EntryRecord)}
        for _, batch in stepped:
            for send in batch.send:
                self.send(send, fresh)
        self.cut()
        for _, batch in stepped:
            for tell in batch.tell:
                self.watcher.told(self, tell)
            self._tell_room(batch.tell)
        self.cut()

    def keep(self, records: list[Record]) -> None:
        """One write; durable when this returns."""
        self.disk.append(records)
        self.cut()
        self.disk.sync()

    def send(self, send: Send, fresh: dict[str, EntryRecord]) -> None:
        frames: list[tuple[bytes, bytes]] = []
        for hash_ in send.frames:
            record = fresh.get(hash_) or self.disk.entry(hash_)
            assert record is not None, f"the core wants entry {hash_[:12]} sent, which was never stored"
            frames.append((record.envelope, record.body))
        self._note(
            f"sends {send.to} {len(frames)} frames ({send.urgent} urgent), {len(send.sidecars)} sidecars"
            f" {' '.join(h[:8] for h in send.frames[:4])}"
        )
        if send.urgent and send.urgent < len(frames):
            # The line sends what is urgent apart (`link/client.py`).
            self._give(send, tuple(frames[: send.urgent]), send.sidecars)
            self._give(send, tuple(frames[send.urgent :]), ())
        else:
            self._give(send, tuple(frames), send.sidecars)

    def _give(self, send: Send, frames: Frames, sidecars: tuple[bytes, ...]) -> None:
        parcel = Parcel(send.ch, self.party, send.to, frames, sidecars)
        self.watcher.sent(self, parcel)
        self._post(parcel)
        self.cut()

    def cut(self) -> None:
        """A point at which the power may go."""
        if self.doom is not None:
            self.doom -= 1
            if self.doom < 0:
                raise PowerCut

    # --- a full disk: as `runtime.py` goes about it ---

    def _watch_disk(self) -> None:
        if self.disk.low != self._told_low:
            self._told_low = self.disk.low
            self._disk_state(self.disk.low)

    def _disk_state(self, low: bool) -> None:
        for tell in self.node.step(ev.DiskState(low, "low" if low else "room"), self.now()).tell:
            self.watcher.told(self, tell)

    def _after_full(self, together: list[tuple[ev.Event, bool]], full: StoreFull) -> None:
        self._note(f"{full.name}: starts anew from its disk")
        self.disk.release()
        self._rebuilt()
        for event, tainted in together:
            batch = self._step(event, tainted)
            if batch is None:
                continue
            try:
                self.effects([(event, batch)])
            except StoreFull:
                self._note(f"{full.name} again (reserve of {RESERVE_BYTES} bytes used up)")
                self._rebuilt()

    def _rebuilt(self) -> None:
        self.node = self.build()
        now = self.now()
        self._set_alarm(self.node.started(now).wake, now)
        self.watcher.crashed(self)
        self._told_low = True
        self._disk_state(True)

    # --- time ---

    def _set_alarm(self, wake: int | None, now: Now) -> None:
        """One alarm per node, a level: the newest replaces the last."""
        self._alarm += 1
        if wake is None:
            return
        life, alarm = self.life, self._alarm
        self.later(min(ALARM_MOST_MS, max(0, wake - now.mono_ms)), lambda: self._ring(life, alarm))

    def disarm(self) -> None:
        """No alarm until the next event."""
        self._alarm += 1

    def _ring(self, life: int, alarm: int) -> None:
        if life == self.life and alarm == self._alarm:
            self.submit(ev.Tick())

    def _note(self, what: str) -> None:
        self._tape.note(self.world_ms(), self.party, what)
