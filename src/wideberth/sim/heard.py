# SPDX-License-Identifier: Apache-2.0
"""Whether alarms are heard, seen from outside: by the board of the node, by whom the desk calls, and by the world's
clock.

heard       an urgent word of a peer that is live and not answered keeps ringing until somebody owns it: somebody is
            called at once, everybody who may own it within two minutes, and somebody again every three at most
unknown     time alone makes nobody answer, and nothing stand otherwise than as unknown: OVERDUE, EXPIRED, SILENT, or
            DEGRADED, and never a rung of the ladder
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from wideberth.core import events as ev
from wideberth.core.batch import Batch
from wideberth.core.call import views
from wideberth.core.call.deadlines import URGENT
from wideberth.core.desk.escalation import Item, Page, State
from wideberth.core.line import Line
from wideberth.core.records import EntryRecord
from wideberth.core.tells import Climbed, LineChanged, Overdue
from wideberth.sim.dice import Dice
from wideberth.sim.site import Site
from wideberth.sim.watchroom import LOOK_MS, WatchRoom
from wideberth.sim.weather import DAY, HOUR, MINUTE, SECOND

# From the ladders of domain.md §8: called at once, and everybody by two minutes. The longest pause is one of three:
# where every pager fails at once everybody is called within seconds, and then comes the script at 180 s. The desk looks
# every five seconds, and a tell reaches it within a second.
AT_ONCE_MS: Final = LOOK_MS + SECOND
EVERYBODY_MS: Final = 2 * MINUTE + LOOK_MS + SECOND
PAUSE_MS: Final = 3 * MINUTE + LOOK_MS + SECOND
# What becomes more urgent, or is handed on, begins a ladder anew; nothing does so again and again.
ANEW_MOST: Final = 3
# What nobody did in time is called one of these (core/tells.py), and a line that time alone made doubtful one of those.
OVERDUE: Final = frozenset({
    "UNDELIVERED", "UNACKNOWLEDGED", "NOT_READ_BACK", "UNANSWERED", "ENDING_SOON", "EXPIRED", "NO_CHECK_IN",
    "STALE", "OVERDUE", "CHECK_BEFORE",
})  # fmt: skip
LINES: Final = frozenset({"DEGRADED", "SILENT"})
UNKNOWN: Final = frozenset({*OVERDUE, *LINES, "UNKNOWN", "OVERDUE", "EXPIRED", "OVER", "STALE"})

_DECLARED: Final = frozenset({"REFUSED", "SUSPENDED", "CLOSED"})
# Rungs that no person climbed, and one that has to be climbed again.
_BY_MACHINE: Final = frozenset({"DELIVERED", "SEEN", "MISMATCH"})

Fail = Callable[[str, str], Exception]


class _Duty:
    """One urgent word of a peer that waits at one node, and is nobody's. World time in ms."""

    def __init__(self, at_ms: int) -> None:
        self.since_ms = at_ms
        self.anew = 0


class Ears:
    """The looker of every watch room of one world. `fail(promise, story)` makes what is raised."""

    def __init__(self, world_ms: Callable[[], int], fail: Fail) -> None:
        self._world_ms, self._fail = world_ms, fail
        self._duties: dict[tuple[str, str, str], _Duty] = {}
        # By room and item: when each person was called last, and whether somebody took it.
        self._calls: dict[tuple[str, str], dict[str, int]] = {}
        self._taken: set[tuple[str, str]] = set()
        self._refined: set[tuple[str, str, str]] = set()
        self._latest_ms: dict[str, int] = {}
        self._unaware: set[str] = set()
        self._jumped: set[str] = set()
        self._ahead: set[str] = set()
        # From the first record that is put back in this world on: what it lost may have answered, or made precise, what
        # is live again without it.
        self.put_back = False

    # --- what the rooms do ---

    def called(self, room: WatchRoom, page: Page) -> None:
        self._calls.setdefault((room.party, page.item), {})[page.person] = self._world_ms()
        item = room.desk.items.get(page.item)
        kind, _, rest = item.group.partition("|") if item is not None else ("", "", "")
        ch, _, ref = rest.partition("|")
        duty = self._duties.get((room.party, ch, ref)) if kind == "word" else None
        if duty is not None and page.rung == 1 and duty.since_ms < self._world_ms() and duty.anew < ANEW_MOST:
            duty.since_ms, duty.anew = self._world_ms(), duty.anew + 1

    def owned(self, room: WatchRoom, item: Item) -> None:
        self._taken.add((room.party, item.key))

    def let_go(self, room: WatchRoom, item: Item) -> None:
        self._taken.discard((room.party, item.key))

    def began(self, room: WatchRoom) -> None:
        """The machine was off, or its clock was set back: what waits is counted from now."""
        for (party, _, _), duty in self._duties.items():
            if party == room.party:
                duty.since_ms = self._world_ms()

    def jumped(self, party: str, by_ms: int) -> None:
        """Somebody set a clock. What expired by one that was ahead rings again where the node has stepped by both
        clocks, else only after a restart: from then on that node is not held to `heard`."""
        self._jumped.add(party)
        if by_ms > 0:
            self._ahead.add(party)

    # --- the promises ---

    def check(self, site: Site) -> None:
        """heard: of every alarm of one node that runs."""
        room = site.room
        if room is None or not room.up or not site.up or self.put_back or site.party in self._ahead:
            return
        at_ms = site.now().t_ms
        if at_ms < self._latest_ms.get(site.party, 0) - SECOND:
            # Its clock was set back: what is live again by it rings at its next step, and is counted from there.
            self._unaware.add(site.party)
        self._latest_ms[site.party] = at_ms
        if site.party in self._unaware:
            return
        items = {item.group: item for item in room.desk.items.values()}
        waiting = set()
        for ch, line in site.node.lines.items():
            self._refined |= {(site.party, ch, thread.ref) for thread in line.board if thread.refined_by}
            for ref in _waiting(line, at_ms):
                if (site.party, ch, ref) in self._refined:
                    continue  # what made it precise is lost with a record that was put back
                # Where very much is open on a line, what comes more is one item.
                item = items.get(f"word|{ch}|{ref}") or items.get(f"flood|{ch}")
                if item is None or item.state is not State.OWNED or (site.party, item.key) not in self._taken:
                    waiting.add((site.party, ch, ref))
                    self._is_heard(
                        room, self._duties.setdefault((site.party, ch, ref), _Duty(self._world_ms())), ref, item
                    )
        for key in [key for key in self._duties if key[0] == site.party and key not in waiting]:
            del self._duties[key]

    def _is_heard(self, room: WatchRoom, duty: _Duty, ref: str, item: Item | None) -> None:
        now_ms = self._world_ms()
        waited_ms = now_ms - duty.since_ms
        calls = self._calls.get((room.party, item.key), {}) if item is not None else {}
        what = f"{ref} is live and nobody's at {room.party} for {waited_ms // SECOND} s"
        if waited_ms > AT_ONCE_MS and not calls:
            raise self._fail("heard", f"{what}, and nobody was called")
        if waited_ms <= EVERYBODY_MS:
            return
        missing = [p.name for p in room.roster.everybody() if calls.get(p.name, -1) < duty.since_ms]
        if missing:
            raise self._fail("heard", f"{what}; not called: {missing}")
        silent_ms = now_ms - max(calls.values())
        if silent_ms > PAUSE_MS:
            raise self._fail("heard", f"{what}, and nobody was called for {silent_ms // SECOND} s")

    def stepped(self, site: Site, event: ev.Event, batch: Batch) -> None:
        """unknown: what a node says, and tells its people, when nothing happened but time."""
        if site.party in self._unaware and site.room is not None:
            self._unaware.discard(site.party)
            self.began(site.room)
        if not isinstance(event, ev.Tick):
            return
        for tell in batch.tell:
            if isinstance(tell, Climbed):
                raise self._fail("unknown", f"{site.party} shows {tell.member} at {tell.step} because time went by")
            if isinstance(tell, Overdue) and tell.what not in OVERDUE:
                raise self._fail("unknown", f"{site.party} calls silence {tell.what}")
            # What a member said of the line ends at the time that it named; the checks hold again then.
            by_checks = isinstance(tell, LineChanged) and tell.cause == "CHECKS" and tell.before not in _DECLARED
            # A clock that was set back takes back what time had made of the line.
            right = site.party not in self._jumped
            if isinstance(tell, LineChanged) and by_checks and right and tell.state not in LINES:
                raise self._fail("unknown", f"{site.party} says that silence is a line that is {tell.state}")
        for record in batch.store:
            if isinstance(record, EntryRecord) and record.type not in ("epoch", "remark", "card"):
                raise self._fail("unknown", f"{site.party} says {record.type} by itself because time went by")

    def look_ahead(self, site: Site, dice: Dice) -> None:
        """unknown: the same record, shown now and after a silence of any length."""
        if not site.up:
            return
        at_ms = site.now().t_ms
        later_ms = at_ms + dice.pick((MINUTE, 10 * MINUTE, HOUR, DAY, 40 * DAY))
        for line in site.node.lines.values():
            now, then = _shown(line, at_ms), _shown(line, later_ms)
            for name, value in then.items():
                if value != now.get(name, value) and value not in UNKNOWN:
                    raise self._fail("unknown", f"silence makes {name} {value} at {site.party}; it was {now[name]}")


def _waiting(line: Line, at_ms: int) -> list[str]:
    """Urgent words of peers that are live and that our own people have not answered, by the board."""
    us = line.channel.us
    return [
        thread.ref for thread in line.board
        if thread.author != us and thread.precedence in URGENT and thread.live(at_ms)
        and thread.finished_ms is None and not thread.refined_by
        and all(step.step in _BY_MACHINE for step in thread.steps_of(thread.newest.entry, us))
    ]  # fmt: skip


def _shown(line: Line, at_ms: int) -> Mapping[str, Any]:
    """Where everything stands that silence could be read into."""
    members = line.channel.terms.members
    found: dict[str, Any] = {}
    for thread in line.board:
        for member in members:
            if member != thread.author:
                name = f"{thread.author} {thread.ref}"
                found[f"{name}, answered by {member},"] = views.usable(thread, thread.newest, member)
    for peer, each in line.watch.view(line.board, at_ms)["peers"].items():
        if each["cause"] == "CHECKS":  # not what a member said of the line, from a time that it named
            found[f"the line with {peer}"] = each["state"]
    return found
