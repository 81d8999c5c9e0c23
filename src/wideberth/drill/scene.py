# SPDX-License-Identifier: Apache-2.0
"""What the steps of a drill are written in: what officers do through their node's socket, and what is looked for.

    def late(s: Scene) -> None:
        s.kept["v1"] = s.give("BLUE", circle="36.20N 37.15E", …)
        rang = s.told("GREEN", "heard", entry=s.kept["v1"]["entry"], first=True)
        s.check("C3", "the late notice is delivered at once", "rings at GREEN", rang is not None, shown(rang))

Every time in a check is a node's own clock, or this machine's monotonic one where real seconds matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from wideberth.core.say import instant
from wideberth.demo.nodes import Seen
from wideberth.drill.model import Check, Drill
from wideberth.drill.world import World
from wideberth.errors import Fault, NotFound, Worlds

# What should come and does not is not going to: nothing here takes as much as a second on a quiet machine.
WAIT_S: Final = 8.0
SECOND: Final = 1_000
MINUTE: Final = 60_000


class Did:
    """What an officer did, for the timeline: at whose clock, and when by this machine's monotonic clock."""

    __slots__ = ("at_ms", "at_ns", "text", "who")

    def __init__(self, who: str, text: str, at_ms: int, at_ns: int) -> None:
        self.who, self.text, self.at_ms, self.at_ns = who, text, at_ms, at_ns


class Kept(dict[str, Any]):
    """What one step keeps for the next. What is not there was not brought about, and whoever builds on it fails."""

    def __missing__(self, key: str) -> Any:
        raise NotFound(f"an earlier step did not bring about {key!r}")


class Scene:
    """One run of a drill. `faults` are the names of what is injected; `kept` is what one step keeps for the next."""

    def __init__(self, drill: Drill, world: World, faults: frozenset[str], report: Callable[[Check], None]) -> None:
        self.drill = drill
        self.world = world
        self.faults = faults
        self.kept = Kept()
        self.checks: list[Check] = []
        self.did: list[Did] = []
        self.began = len(world.seen)  # where in `world.seen` the first step begins
        self._report = report

    # --- time ---

    def ms(self, at: str) -> int:
        """`18:38:50` of the drill's day, or a whole instant, in ms UTC."""
        return instant.parse(at if "T" in at else f"{self.drill.day}T{at}Z")

    def clock(self, at: str | int) -> None:
        """Move every clock to this time; never back. Whatever the time alone brings about was told afterwards."""
        t_ms = self.ms(at) if isinstance(at, str) else at
        if t_ms > self.world.t_ms:
            self.world.set_clocks(t_ms)
        self.world.catch_up()

    def pass_to(self, at: str | int, *, step_ms: int = SECOND) -> None:
        """Let time pass in small steps, so that what is due is told when it is due."""
        end = self.ms(at) if isinstance(at, str) else at
        while self.world.t_ms < end:
            self.clock(min(end, self.world.t_ms + step_ms))

    @property
    def now_ms(self) -> int:
        return self.world.t_ms

    # --- what officers do ---

    def get(self, who: str, path: str, **query: str | int) -> Any:
        return self.world.nodes[who].client.get(path, **query)

    def post(self, who: str, path: str, body: Any = None) -> Any:
        return self.world.nodes[who].client.post(path, body)

    def say(self, who: str, command: str, *, by: str = "watch-1", **fields: Any) -> dict[str, Any]:
        """A command of an officer, through the node's socket; then everything that is up holds it."""
        answer: dict[str, Any] = self.post(who, "/v1/commands", {"command": command, "by": by, **fields})
        self.settle()
        return answer

    def give(self, who: str, *, by: str = "watch-1", **draft: Any) -> dict[str, Any]:
        """A notice, or with `ref` and `how` a new version."""
        answer: dict[str, Any] = self.post(who, "/v1/notices", {"by": by, **draft})
        self.settle()
        return answer

    def notice(self, who: str, ref: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(who, f"/v1/notices/{ref}")
        return found

    def note(self, who: str, text: str) -> None:
        """A line of the timeline that no node tells."""
        clock = self.world.clock_of(who) if who in self.world.parties else self.world.t_ms
        self.did.append(Did(who, text, clock, time.monotonic_ns()))

    def settle(self) -> None:
        """Until all that are up hold everything, know it, and have told their people."""
        self.world.until("all nodes that are up hold everything and know it", self.world.settled)
        self.world.catch_up()

    # --- what is looked for ---

    def told(self, who: str, tell: str, *, since: int = 0, **wanted: Any) -> list[Seen]:
        """Everything of that kind that a node told its people so far, with these fields (`first` included)."""
        return [
            seen
            for seen in self.world.seen[since:]
            if seen.node == who
            and seen.tell["tell"] == tell
            and all({**seen.tell, "first": seen.first}.get(k) == v for k, v in wanted.items())
        ]

    def waits(self, what: str, happened: Callable[[], Any], *, within_s: float = WAIT_S) -> Any:
        """What `happened` gives once it is true; None when it does not come, which some check will say."""
        try:
            return self.world.until(what, happened, within_s=within_s)
        except Worlds:
            for node in self.world.nodes.values():
                node.check()  # a node that died is no finding of a drill
            return None

    def comes(self, who: str, tell: str, *, since: int = 0, **wanted: Any) -> Seen | None:
        """The first such tell, waited for."""
        found: list[Seen] | None = self.waits(
            f"{who} is told {tell}", lambda: self.told(who, tell, since=since, **wanted)
        )
        return found[0] if found else None

    def refusal(self, who: str, path: str, body: dict[str, Any]) -> Fault | None:
        """Why the node refuses to do this; None when it did it."""
        try:
            self.post(who, path, body)
        except Worlds:
            raise
        except Fault as fault:
            return fault
        return None

    # --- the score ---

    def check(self, id_: str, what: str, expected: object, seen: object, passed: object, train: str = "") -> bool:
        """Look at one requirement; `passed` decides, `seen` is shown."""
        found = Check(id_, what, words(expected), words(seen), bool(passed), train)
        self.checks.append(found)
        self._report(found)
        return found.passed

    def same(self, id_: str, what: str, expected: object, seen: object, train: str = "") -> bool:
        """As `check`, where what is seen must be exactly what is expected."""
        return self.check(id_, what, expected, seen, expected == seen, train)


def hms(t_ms: int | None) -> str:
    """`18:38:50Z`."""
    return f"{instant.show(t_ms - t_ms % 1000)[11:]}" if t_ms is not None else "never"


def rung(view: dict[str, Any], member: str, step: str, version: int = 0) -> dict[str, Any] | None:
    """A rung of a member's ladder for one version (default: the newest) of a notice as its view shows it."""
    versions = view["versions"]
    ladder = versions[version - 1 if version else -1]["ladder"].get(member, [])
    return next((dict(each) for each in ladder if each["step"] == step), None)


def when(seen: Seen | None) -> str:
    """When something was told, by the clock of whoever was told."""
    return f"at {hms(seen.at_ms)}" if seen is not None else "never"


def words(value: object) -> str:
    """A list, or names with values, as people write them."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {words(each)}" for name, each in sorted(value.items()))
    if isinstance(value, list | tuple):
        between = "; " if any(isinstance(each, list | tuple) for each in value) else ", "
        return between.join(words(each) for each in value) or "none"
    return str(value)
