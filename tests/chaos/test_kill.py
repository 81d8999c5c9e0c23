# SPDX-License-Identifier: Apache-2.0
"""kill -9 of real nodes under traffic, at random instants: nothing that was promised is lost, doubled or unsaid.

Two processes with TLS between them and SQLite under them; officers on both sides give notices, amend, alert and
acknowledge over the local sockets while either node, or both, or one that is just starting, is killed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from chaosworld import PARTIES, NodeProcess, Officer, make_homes
from record_check import Disk, Witness

from wideberth.core.seal.keys import Ed25519Signer
from wideberth.errors import Fault

OFFICERS_PER_NODE = 2
# Twice the longest pause between two repeats (30 s): a node that found its peer dead for long may wait that out.
REST_S = 60.0
# What the other node may be told while its peer is dead; anything else is a broken promise.
HARMLESS = frozenset({"Unreachable"})


class Chaos:
    """Two nodes under traffic. `wrong` gathers what the witness finds."""

    def __init__(self, folder: Path, seed: int, mutant: str = "") -> None:
        self.dice = random.Random(seed)
        homes = make_homes(folder)
        self.nodes = {p: NodeProcess(homes[p], mutant) for p in PARTIES}
        self.witness = Witness({p: Ed25519Signer(homes[p].root_seed()).public for p in PARTIES})
        self.wrong: list[str] = []
        self.kills = 0
        self.in_flight: list[int] = []
        self.unreceipted: list[int] = []
        self.officers = [
            Officer(self.nodes[p], seed * 1000 + 10 * n + k)
            for n, p in enumerate(PARTIES) for k in range(OFFICERS_PER_NODE)
        ]  # fmt: skip

    def start(self, *parties: str) -> None:
        for party in parties:
            self.nodes[party].spawn()
        for party in parties:
            self.nodes[party].wait_up()

    def answered(self, party: str) -> list[dict[str, Any]]:
        return [a for o in self.officers if o.node.party == party for a in list(o.answered)]

    def round(self) -> None:
        """A while of traffic, a kill at a random instant, a look at the dead disk, and on."""
        if self.dice.random() < 0.6:
            self._until_it_flows()
        time.sleep(self.dice.uniform(0.0, 0.3))
        victims = PARTIES if self.dice.random() < 0.2 else (self.dice.choice(PARTIES),)
        for party in victims:
            self.in_flight.append(sum(1 for o in self.officers if o.node.party == party and o.open_since))
            if (last_words := self.nodes[party].kill()) is not None:
                self.wrong.append(f"{party} had ended by itself: {last_words}")
        self._bury(*victims)
        if self.dice.random() < 0.3:
            # Dead before it is up: in the imports, while it reads its record, or just as it begins to repeat.
            party = self.dice.choice(victims)
            self.nodes[party].spawn()
            time.sleep(self.dice.uniform(0.0, 1.2))
            self.nodes[party].kill()
            self._bury(party)
        self.start(*victims)

    def _bury(self, *parties: str) -> None:
        for party in parties:
            self.nodes[party].bury()
            self._look(party)
        self.kills += len(parties)

    def _until_it_flows(self) -> None:
        """Most kills should meet a line that is busy, not one that still repeats what an earlier kill cost."""
        end = time.monotonic() + 3
        while time.monotonic() < end:
            with suppress(Fault):
                if max(outstanding for _, outstanding, _ in self._heads().values()) < 10:
                    return
            time.sleep(0.05)

    def _look(self, party: str) -> None:
        answered = self.answered(party)  # before the disk is read: what is answered later need not be on it
        disk = Disk(party, self.nodes[party].home.record_path)
        self.unreceipted.append(disk.unreceipted())
        self.wrong += self.witness.look(disk, answered)

    def settle(self) -> None:
        """Officers leave, the nodes come to rest, stop, and both disks are held to each other."""
        for officer in self.officers:
            officer.leave()
        for officer in self.officers:
            if officer.is_alive():
                officer.join(15)
        end = time.monotonic() + REST_S
        while not self._at_rest():
            if time.monotonic() > end:
                links = {p: n.client.get("/v1/status")["lines"][0]["peers"] for p, n in self.nodes.items()}
                self.wrong.append(f"the nodes never came to rest: {self._heads()} {links}")
                break
            time.sleep(0.05)
        for node in self.nodes.values():
            node.stop()
        disks = {p: Disk(p, self.nodes[p].home.record_path) for p in PARTIES}
        for party, disk in disks.items():
            self.wrong += self.witness.look(disk, self.answered(party))
        self.wrong += self.witness.compare(disks)
        for party, node in self.nodes.items():
            self.wrong += [
                f"{party} told {f['fault']}: {f['sentence']}" for f in node.faults if f["fault"] not in HARMLESS
            ]
        self.wrong += [bug for officer in self.officers for bug in officer.bugs]
        self.disks = disks

    def _heads(self) -> dict[str, tuple[int, int, int]]:
        """By party: own newest entry, how much of it is outstanding, newest entry held of the peer."""
        heads = {}
        for party, node in self.nodes.items():
            lines = node.client.get("/v1/status")["lines"]  # none: the countersigned agreement is still on its way
            peer = lines[0]["peers"][0] if lines else {}
            heads[party] = (lines[0]["seq"], peer["outstanding"], peer["held"]) if lines else (0, 99, 0)
        return heads

    def _at_rest(self) -> bool:
        try:
            blue, green = self._heads().values()
        except Fault:
            return False
        return blue[1] == green[1] == 0 and blue[0] == green[2] and green[0] == blue[2]

    def report(self) -> str:
        said = sum(len(self.answered(p)) for p in PARTIES)
        stored = {h for p in PARTIES for h in (r.hash for r in self.disks[p].strand(p) if r.type != "epoch")}
        unanswered = stored - {a["entry"] for p in PARTIES for a in self.answered(p)}
        met = f"{sum(map(bool, self.in_flight))} of {len(self.in_flight)} kills met one"
        return (
            f"{self.kills} kills, {said} commands answered, {len(stored)} entries; at a kill of a running node "
            f"{sum(self.in_flight)} commands in flight ({met}), {len(unanswered)} durable though never answered; "
            f"{sum(map(bool, self.unreceipted))} of {len(self.unreceipted)} dead disks held entries without a receipt"
        )


@contextmanager
def chaos(folder: Path, seed: int, mutant: str = "") -> Iterator[Chaos]:
    world = Chaos(folder, seed, mutant)
    try:
        world.start(*PARTIES)
        for officer in world.officers:
            officer.start()
        yield world
    finally:
        for officer in world.officers:
            officer.leave()
        for node in world.nodes.values():
            node.end()


def run(folder: Path, rounds: int, seed: int) -> Chaos:
    with chaos(folder, seed) as world:
        for _ in range(rounds):
            world.round()
        world.settle()
    print(f"seed {seed}: {world.report()}")
    assert not world.wrong, f"seed {seed}: " + "\n".join(world.wrong[:20])
    return world


def test_twenty_kills_of_nodes_under_traffic_break_no_promise(tmp_path: Path) -> None:
    with chaos(tmp_path, seed=20) as world:
        while world.kills < 20:
            world.round()
        world.settle()
    print(world.report())
    assert not world.wrong, "\n".join(world.wrong[:20])
    assert min(len(world.answered(p)) for p in PARTIES) > 50, "there was hardly any traffic"
    assert sum(map(bool, world.in_flight)) >= 4, "the kills hit nodes that had nothing to do"


def test_a_node_that_sends_before_it_stores_is_convicted(tmp_path: Path) -> None:
    with chaos(tmp_path, seed=3, mutant="send-before-store") as world:
        while world.kills < 40 and not any("two headers" in w or "equivocation" in w for w in world.wrong):
            world.round()
    print(f"{world.kills} kills; " + "; ".join(sorted(set(world.wrong))[:6]))
    assert any("had answered" in w for w in world.wrong), "the officers' answers were not durable, and nobody saw it"
    assert any("two headers" in w or "equivocation" in w for w in world.wrong), "it signed a place twice, unseen"


@pytest.mark.chaos
def test_two_hundred_kills_of_nodes_under_traffic_break_no_promise(tmp_path: Path) -> None:
    kills, seed = 0, random.SystemRandom().randrange(2**32)
    while kills < 200:
        kills += run(tmp_path / str(seed), 20, seed).kills
        seed += 1
