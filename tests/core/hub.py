# SPDX-License-Identifier: Apache-2.0
"""Three real cores in a triangle: HUB has NORTH with WEST and SOUTH with EAST; those two know nothing of each other."""

from __future__ import annotations

from tests.pair import RULES, T0, End, Keys, Pair, agreement_of
from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.say.rules import Rules


class Hub:
    """`even`: all entropy is the same, so that how much of it one line takes moves nothing on the other. `deaf`: whose
    machine is off."""

    def __init__(self, seed: str = "hub", *, even: bool = False, north: Rules = RULES, south: Rules = RULES) -> None:
        self.now = Now(T0, 0)
        self.deaf: set[str] = set()
        hub, west, east = (Keys(name) for name in ("HUB", "WEST", "EAST"))
        self.ends = {keys.party: End(keys, seed) for keys in (hub, west, east)}
        if even:
            for end in self.ends.values():
                end.node._entropy = lambda n: bytes([7]) * n
        self.hub, self.west, self.east = self.ends.values()
        self.ch: dict[str, str] = {}
        # (ms, ch, sender, to, frames, sidecars)
        self.sent: list[tuple[int, str, str, str, tuple[tuple[bytes, bytes], ...], tuple[bytes, ...]]] = []
        for name, other, rules in (("NORTH", west, north), ("SOUTH", east, south)):
            agreement, self.ch[name] = agreement_of(hub, other, rules=rules, name=name)
            cards = tuple(keys.card() for keys in (hub, other))
            for keys in (hub, other):
                self.ends[keys.party].step(ev.OpenLine(agreement, cards), self.now)
        self.settle()

    def later(self, ms: int) -> None:
        self.now = Now(self.now.t_ms + ms, self.now.mono_ms + ms)

    def settle(self) -> None:
        """Deliver everything, until nothing more is said; `sent` keeps all of it in order."""
        for _ in range(100):
            waiting = [(end, send) for end in self.ends.values() for send in end.out]
            for end in self.ends.values():
                end.out = []
            if not waiting:
                return
            for end, send in waiting:
                frames = end.frames(send)
                if {send.to, end.keys.party} & self.deaf:
                    continue
                self.sent.append((self.now.t_ms, send.ch, end.keys.party, send.to, frames, send.sidecars))
                event = ev.Arrived(send.ch, end.keys.party, frames, send.sidecars)
                self.ends[send.to].step(event, self.now)
        raise AssertionError("the three never came to rest")

    def do(self, who: str, command: ev.Command) -> None:
        self.ends[who].step(command, self.now)
        self.settle()

    def give(self, who: str, line: str, **more: object) -> str:
        """A notice; its reference."""
        self.do(who, ev.GiveNotice(self.ch[line], f"{who}/watch-1", self.terms(**more)))
        return [t.ref for t in self.ends[who].node.lines[self.ch[line]].board if t.author == who][-1]

    # The same places and times as between two.
    terms = Pair.terms
