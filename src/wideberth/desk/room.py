# SPDX-License-Identifier: Apache-2.0
"""The watch room: drives the pure desk (`core/desk/desk.py`) with what the node tells and with the node's clock.

It hears the node over its bus, like any terminal, and has no other hold on it: nothing here is waited for by the node,
and what fails here is told loudly and stops nothing. What the desk decides is written down (`keeping.py`) before
anybody is called. People come from `roster.toml`, pagers from `desk.toml`; both are read again when they change.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from wideberth.bus import Bus, Told
from wideberth.clock import Clock
from wideberth.core.desk.desk import Desk, DeskBatch
from wideberth.core.desk.escalation import How, Item, Logged, Page
from wideberth.core.desk.people import DAY_MS, Person, Role, Roster, Shift
from wideberth.core.desk.relays import Call, Distribution
from wideberth.core.desk.script import TELEPHONE, Rung, rungs, unit_rungs
from wideberth.core.desk.views import desk_view, relay_view
from wideberth.core.tells import FaultSeen, Level
from wideberth.core.warned import UnitsMet
from wideberth.desk.keeping import DeskStore
from wideberth.desk.pagers import Pagers, Wake
from wideberth.errors import Fault, Misuse
from wideberth.folder import Watched
from wideberth.formats.desk import DeskSettings, read_desk
from wideberth.formats.roster import read_roster

STORE: Final = "desk.db"
ROSTER: Final = "roster.toml"
SETTINGS: Final = "desk.toml"
# Shifts are worked out this far ahead, and anew every day.
_AHEAD_MS: Final = 8 * DAY_MS
# What the desk could not write down is kept for when the disk has room, up to this many lines.
_UNWRITTEN_MAX: Final = 5_000
# How often the files are looked at, and what is due by a clock that was set back.
_LOOK_S: Final = 5.0
# A clock that leaps back and forth, or a slip of ours, must not make the room take the node's processor.
_BREATH_S: Final = 0.02
# Tells of one turn: between two turns the node goes first.
_AT_ONCE: Final = 50
# Somebody who was woken up a moment ago looks at the desk anyway (domain.md N9).
_JUST_WOKEN_MS: Final = 10_000

Tell = Callable[[FaultSeen | Rung], None]
T = TypeVar("T")


class Room:
    """`tell` publishes to own people; `contacts` says how each peer is reached, for the phone card."""

    def __init__(
        self, folder: Path, us: str, posts: tuple[str, ...], clock: Clock, bus: Bus, tell: Tell,
        contacts: Callable[[], dict[str, str]],
    ) -> None:  # fmt: skip
        self._folder, self._us, self._posts = folder, us, posts
        self._clock, self._bus, self._tell, self._contacts = clock, bus, tell, contacts
        self.desk = Desk(us, Roster())
        self.pagers = Pagers(folder, DeskSettings())
        self.store: DeskStore | None = None
        self._roster_file = Watched(folder / ROSTER)
        self._settings_file = Watched(folder / SETTINGS)
        self._read_ms = 0
        self._queue: asyncio.Queue[Told | None] = asyncio.Queue()
        self._turn = asyncio.Lock()
        self._unwritten: list[Logged] = []
        self._untouched: set[str] = set()
        self._broken = ""
        self._writing: asyncio.Future[None] | None = None
        # As the inner side told them, with the notices that meet them.
        self._unit_pages: dict[str, tuple[str, ...]] = {}
        self._supervisors: dict[str, tuple[str, ...]] = {}
        self._woken: dict[tuple[str, str], int] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- life ---

    def start(self) -> None:
        """Before the node tells anything. Whatever is wrong with the desk is told, and the node starts all the same."""
        try:
            self.store = DeskStore(self._folder / STORE)
            self.desk.number = self.store.number()
            kept = self.store.kept()
            items = [msgspec.json.decode(data, type=Item) for key, data in kept.items() if "|" not in key]
            live = [msgspec.json.decode(data, type=Distribution) for key, data in kept.items() if "|" in key]
            self.desk.load(items, live)
        except Fault as fault:
            self._say_broken(fault)
        except msgspec.MsgspecError as why:
            self._say_broken(Misuse(f"what the desk kept cannot be read: {why}. Move {STORE} away"))
        self._spawn(self._listen())
        self._spawn(self._run())

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
        if self.store is not None:
            self.store.close()
            self.store = None

    def poke(self) -> None:
        """The clock was set by hand: look whether something is due."""
        self._queue.put_nowait(None)

    # --- what people do ---

    async def do(self, work: Callable[[Desk, int], DeskBatch]) -> DeskBatch:
        """Carry out what somebody asks of the desk; returns once it is written down. Raises Fault."""
        async with self._turn:
            self._read_files()
            batch = work(self.desk, self._now_ms())
            await self._carry_out(batch)
            return batch

    def person(self, name: str, post: str) -> str:
        """Who acts: by name, or whoever speaks with that post."""
        self._read_files()
        return name or self.desk.roster.speaking(post.rpartition("/")[2], self._now_ms())

    def view(self) -> dict[str, Any]:
        """Everything that is open, now."""
        return desk_view(self.desk, self._now_ms())

    def relay_view(self, ch: str, ref: str) -> dict[str, Any] | None:
        """How far a notice came among own units; None where it meets none. For own people only."""
        found = self.desk.relays.live.get(f"{ch}|{ref}")
        return relay_view(found, self._now_ms()) if found is not None else None

    async def read(self, work: Callable[[DeskStore], T]) -> T:
        """Look something up in what was written down. Raises Fault."""
        async with self._turn:
            if self.store is None:
                raise Misuse(f"the desk has no store: {self._broken or 'it is not started'}")
            return work(self.store)

    async def settle(self, holds: Callable[[Item], str], live: Callable[[str], bool]) -> None:
        """After a start, when the record is read: close what ended while the desk was down (`after.py`)."""

        def work(desk: Desk, now_ms: int) -> DeskBatch:
            return desk.settle(holds, live, now_ms)

        await self.do(work)

    # --- the loop ---

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        """Everything that the node tells, from its first word; cut off for being slow, it asks for what it missed."""
        newest = 0
        while True:
            async for told in self._bus.listen(newest):
                if told.n > newest + 1:
                    missed = told.n - newest - 1
                    sentence = (
                        f"the desk missed {missed} tells: look at the board, and see that somebody has each alarm"
                    )
                    self._tell(FaultSeen("DeskBehind", "ours", sentence, level=Level.RING))
                newest = told.n
                self._queue.put_nowait(told)
            await asyncio.sleep(0)

    async def _run(self) -> None:
        while True:
            try:
                await self._once()
            except Exception as why:  # a bug of the desk is no reason to leave the room empty
                self._say_broken(Misuse("this is a bug in wideberth's desk; report it", bug=repr(why)[:300]))
                await asyncio.sleep(0.5)

    async def _once(self) -> None:
        waiting: list[Told] = []
        with contextlib.suppress(TimeoutError):
            first = await asyncio.wait_for(self._queue.get(), self._wait_s())
            waiting += [first] if first is not None else []
        while not self._queue.empty() and len(waiting) < _AT_ONCE:
            told = self._queue.get_nowait()
            waiting += [told] if told is not None else []
        async with self._turn:
            self._read_files()
            batch = DeskBatch()
            for told in waiting:
                batch += self._hear(told)
            batch += self.desk.tick(self._now_ms())
            await self._carry_out(batch)

    def _hear(self, told: Told) -> DeskBatch:
        """One tell. A bug that one of them hits must not cost the others."""
        if isinstance(told.tell, Rung):
            return DeskBatch()
        if isinstance(told.tell, UnitsMet):
            self._unit_pages |= told.tell.pages
            self._supervisors |= told.tell.supervisors
        try:
            return self.desk.told(told.tell, told.at_ms, first=told.first)
        except Exception as why:
            self._say_broken(Misuse("this is a bug in wideberth's desk; look at the board", bug=repr(why)[:300]))
            return DeskBatch()

    def _wait_s(self) -> float | None:
        if self._clock.by_hand:
            return None
        wake = self.desk.wake_ms()
        return _LOOK_S if wake is None else min(_LOOK_S, max(_BREATH_S, (wake - self._now_ms()) / 1000))

    def _now_ms(self) -> int:
        return self._clock.now().t_ms

    # --- carrying out ---

    async def _carry_out(self, batch: DeskBatch) -> None:
        """Written down first, then people are called: also when it cannot be written down."""
        if batch.log or batch.touched or self._unwritten:
            await self._keep(batch.log, batch.touched)
        for rung in rungs(batch.pages, self.desk.items, self.desk.roster, self._contacts()):
            self._tell(rung)
        for rung in unit_rungs(batch.calls, self.desk.relays.live):
            self._tell(rung)
        for page in batch.pages:
            self._call(page)
        for call in batch.calls:
            self._call_unit(call)

    async def _keep(self, log: tuple[Logged, ...], touched: tuple[str, ...]) -> None:
        self._unwritten = [*self._unwritten, *log][-_UNWRITTEN_MAX:]
        self._untouched |= set(touched)
        if self.store is None:
            return
        kept = {key: self.desk.kept(key) for key in self._untouched}
        data = {key: msgspec.json.encode(value) if value is not None else b"" for key, value in kept.items()}
        try:
            # A write that is under way goes on though whoever asked for it is gone: `stop` waits for it.
            keep = asyncio.to_thread(self.store.keep, self._unwritten, data, self.desk.number)
            self._writing = asyncio.ensure_future(keep)
            await asyncio.shield(self._writing)
        except Fault as fault:
            self._say_broken(fault)
            return
        self._unwritten, self._untouched, self._broken = [], set(), ""

    def _say_broken(self, fault: Fault) -> None:
        """Once, until it works again. The desk goes on in memory, and people are called all the same."""
        if fault.sentence == self._broken:
            return
        self._broken = fault.sentence
        sentence = f"the desk cannot write down what it does, and goes on: {fault.sentence}"
        self._tell(FaultSeen("DeskBroken", fault.whose, sentence, details=dict(fault.details), level=Level.RING))

    # --- calling ---

    def _call(self, page: Page) -> None:
        settings = self.pagers.settings
        item = self.desk.items.get(page.item)
        of_units = item is not None and item.group.startswith("relays|")
        why = "units" if of_units else "plans" if page.inside else "line"
        if page.how is How.PHONE_CARD or not settings.wake or why not in settings.outside:
            return
        person = self.desk.roster.people.get(page.person)
        addresses = _outside(person.pages) if person is not None else []
        if addresses:
            self._spawn(self._wake(page, addresses))

    def _call_unit(self, call: Call) -> None:
        settings = self.pagers.settings
        found = self.desk.relays.live.get(call.key)
        if found is None or not settings.wake or "units" not in settings.outside:
            return
        liaisons = [page for person in self.desk.roster.liaisons(call.unit) for page in person.pages]
        addresses = _outside((*self._unit_pages.get(call.unit, ()), *liaisons))
        above = _outside(self._supervisors.get(call.unit, ())[1:]) if call.supervisor else []
        if addresses or above:
            self._spawn(self._wake_unit(call, Wake(found.wake, found.urgency), addresses, above))

    async def _wake_unit(self, call: Call, wake: Wake, addresses: list[str], above: list[str]) -> None:
        done = await asyncio.gather(*(self._try(address, wake) for address in addresses))
        higher = await asyncio.gather(*(self._try(address, wake) for address in above))
        now_ms = self._now_ms()
        log = [Logged(now_ms, call.key, "PAGED", call.unit, "", note) for _, note in done]
        log += [Logged(now_ms, call.key, "PAGED", self._supervisors[call.unit][0], "", note) for _, note in higher]
        async with self._turn:
            batch = DeskBatch(log=tuple(log))
            if addresses and not any(ok for ok, _ in done):
                batch += self.desk.unreached(call.key, call.unit, "no pager took it", now_ms)
            await self._carry_out(batch)

    async def _wake(self, page: Page, addresses: list[str]) -> None:
        """Every address of one person; the call failed when none of them took it."""
        wake = Wake(page.item, page.urgency.value)
        done = await asyncio.gather(*(self._try(address, wake) for address in addresses))
        now_ms = self._now_ms()
        state = self.desk.items[page.item].state if page.item in self.desk.items else ""
        log = tuple(Logged(now_ms, page.item, "PAGED", page.person, state, note) for _, note in done)
        async with self._turn:
            batch = DeskBatch(log=log)
            if not any(ok for ok, _ in done):
                batch += self.desk.failed(page, f"no pager of {page.person} took it", now_ms)
            await self._carry_out(batch)

    async def _try(self, address: str, wake: Wake) -> tuple[bool, str]:
        """Whether it got out, and what to write down. Addresses may hold secrets: only their kind is written."""
        kind = address.partition(":")[0]
        now_ms = self._clock.now().mono_ms
        if now_ms - self._woken.get((address, wake.urgency), -_JUST_WOKEN_MS) < _JUST_WOKEN_MS:
            return True, f"{kind}: woken up a moment ago"
        self._woken[address, wake.urgency] = now_ms
        try:
            await self.pagers.wake(address, wake)
        except Exception as why:  # a fault of ours, or whatever a pager's library raises
            self._woken.pop((address, wake.urgency), None)
            reason = why.sentence if isinstance(why, Fault) else type(why).__name__
            return False, f"{kind} FAILED: {reason}"
        return True, f"{kind}: taken"

    # --- files ---

    def _read_files(self) -> None:
        """Cheap where nothing changed. A file that cannot be used is told of, and what held before holds on."""
        now_ms = self._now_ms()
        for read in (self._read_settings, self._read_roster):
            try:
                read(now_ms)
            except Fault as fault:
                self._tell(FaultSeen(fault.name, fault.whose, fault.sentence, level=Level.RING))

    def _read_settings(self, _: int) -> None:
        if (text := self._settings_file.changed()) is not None:
            self.pagers.settings = read_desk(text)

    def _read_roster(self, now_ms: int) -> None:
        text = self._roster_file.changed()
        if text is None and self._read_ms <= now_ms <= self._read_ms + DAY_MS:
            return
        if not self._read_ms or not self._roster_file.text:
            self.desk.roster = self._posts_only(now_ms)
        self._read_ms = now_ms
        if self._roster_file.text:
            self.desk.roster = read_roster(self._roster_file.text, now_ms - DAY_MS, now_ms + _AHEAD_MS)

    def _posts_only(self, now_ms: int) -> Roster:
        """Without a roster every post is somebody on watch."""
        people = [
            Person(post, Role.SUPERVISOR if post.startswith("supervisor") else Role.WATCH_OFFICER, post)
            for post in self._posts
        ]
        return Roster(people, [Shift(p.name, now_ms - DAY_MS, now_ms + _AHEAD_MS) for p in people])


def _outside(pages: Iterable[str]) -> list[str]:
    """Those that can be called by a machine, once each."""
    return list(dict.fromkeys(page for page in pages if not page.startswith(TELEPHONE)))
