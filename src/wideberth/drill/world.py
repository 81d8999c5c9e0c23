# SPDX-License-Identifier: Apache-2.0
"""The nodes of a drill: as many parties and mechanisms as it has, each node a process with a clock set by hand.

The agreements are signed by every member's root before the nodes start; how parties meet is not what a drill rehearses.
Every line is in mode EXERCISE.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, Final

from wideberth import home, join, ways
from wideberth.core.say.rules import Mode
from wideberth.core.seal.agreement import Agreement, Member, channel_id, sign_agreement
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.demo.nodes import UP_S, Nodes
from wideberth.demo.ports import free_port
from wideberth.drill.hooks import Hooks
from wideberth.drill.model import Mechanism
from wideberth.drill.weather import Weather
from wideberth.link.way import DIRECT
from wideberth.mediator import folder as mediators
from wideberth.rekey import own_card

# The clocks are moved on where nothing happens for so long: not because a machine is slow, only because what was lost
# is repeated in time.
_NUDGE_S: Final = 10.0
_NUDGE_BAD_S: Final = 0.5
HOST: Final = "HOST"
POSTS: Final = ("watch-1", "watch-2", "linguist-1", "supervisor")


class World(Nodes):
    """`chs` are the channel ids of each mechanism, in the order of its lines."""

    def __init__(
        self, folder: Path, parties: tuple[str, ...], mechanisms: tuple[Mechanism, ...], clock_ms: int,
        *, loss: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(folder, parties, clock_ms)
        self.mechanisms = mechanisms
        self.skew_ms: dict[str, int] = {}
        self._hooks: Hooks | None = None
        contacts = {party: f"{party} watch room, line {n}00" for n, party in enumerate(parties, 1)}
        ports = {party: free_port() for party in parties} if loss else {}
        self.homes = self._homes(contacts, clock_ms, POSTS, {p: f"https://127.0.0.1:{n}" for p, n in ports.items()})
        # What a party's peers deliver to it goes through the weather in front of it.
        self._loss = loss
        self.weather = {
            p: Weather(port, self.homes[p].config.listen_port, seed=n) for n, (p, port) in enumerate(ports.items())
        }
        self.chs = {each.name: self._found(each, clock_ms) for each in mechanisms}
        self._lines = {p: sum(p in t.members for m in mechanisms for t in m.terms()) for p in parties}

    def _found(self, mechanism: Mechanism, now_ms: int) -> tuple[str, ...]:
        """Every root signs, and the agreement lies in every folder."""
        members = sorted(mechanism.members)
        roots = {name: Ed25519Signer(self.homes[name].root_seed()) for name in members}
        agreement = Agreement(
            1, mechanism.name, 1, Mode.EXERCISE, tuple(Member(name, roots[name].public) for name in members),
            mechanism.terms(), mechanism.rules, now_ms, os.urandom(16).hex(),
        )  # fmt: skip
        sealed = sign_agreement(agreement, *roots.values())
        cards = tuple(own_card(self.homes[name]) for name in members)
        for name in members:
            join.keep(self.homes[name], sealed, cards, {})
        return tuple(channel_id(agreement, line) for line in agreement.lines)

    # --- a mediator ---

    def by_a_mediator_that_is_down(self, now_ms: int) -> None:
        """Before the nodes start: everybody trusts one, tries it first, and it never comes up."""
        port = free_port()
        settings = mediators.Settings(HOST, f"127.0.0.1:{port}", f"https://127.0.0.1:{port}", "the host, line 900")
        host = mediators.create(self.folders[self.parties[0]].with_name("host"), settings, entropy=os.urandom,
                                now_ms=now_ms)  # fmt: skip
        card = host.card()
        for party, folder in self.folders.items():
            ways.trust(folder, card, ways.look(card)["words"])
            for peer in self.parties:
                if peer != party:
                    ways.set_ways(folder, peer, (HOST, DIRECT))

    # --- pagers ---

    def pager(self) -> Hooks:
        """The pager of this drill, for every party's people; it stops with the nodes."""
        if self._hooks is None:
            self._hooks = Hooks()
            self._hooks.__enter__()
        return self._hooks

    def stop(self) -> list[str]:
        try:
            return super().stop()
        finally:
            for weather in self.weather.values():
                weather.stop()
            if self._hooks is not None:
                self._hooks.__exit__()
                self._hooks = None

    # --- time ---

    def clock_of(self, party: str) -> int:
        return self.t_ms + self.skew_ms.get(party, 0)

    # --- rest ---

    def _opened(self) -> None:
        self.set_clocks(self.t_ms + 2_000)  # who was up first found nobody, and tries again
        for party in self.parties:
            self.until(f"every line on {party}'s side is open", partial(self._is_open, party), within_s=UP_S)
        self.nudge_s = _NUDGE_BAD_S if self.weather else _NUDGE_S
        for weather in self.weather.values():
            weather.loss = self._loss

    def _is_open(self, party: str) -> bool:
        lines = self.lines_of(party)
        return len(lines) == self._lines[party] and all(
            p["outstanding"] == 0 and p["held"] > 0 for line in lines for p in line["peers"]
        )

    def lines_of(self, party: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.nodes[party].client.get("/v1/status")["lines"]
        return found

    def settled(self) -> bool:
        """What every node that is up has said is held, and known to be held, by each of its peers that is up."""
        up = {party: self.lines_of(party) for party in self.nodes}
        heads = {(party, line["ch"]): line["seq"] for party, lines in up.items() for line in lines}
        return all(
            peer["outstanding"] == 0 and peer["held"] == heads[peer["party"], line["ch"]]
            for lines in up.values()
            for line in lines
            for peer in line["peers"]
            if peer["party"] in up
        )

    def record_path(self, party: str) -> Path:
        return self.folders[party] / home.RECORD_NAME
