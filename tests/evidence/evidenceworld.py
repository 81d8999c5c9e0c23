# SPDX-License-Identifier: Apache-2.0
"""A day between BLUE and GREEN for the tests of evidence: real cores, real keys, checkpoints and line checks beside."""

from __future__ import annotations

import msgspec
from dertoken import token
from tests.pair import RULES, End, Pair

from wideberth import evidence
from wideberth.core import events as ev
from wideberth.core.records import EntryRecord, SidecarRecord
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.core.say.words import Place
from wideberth.core.seal import bundle, canonical, checkpoint, heads, linecheck
from wideberth.core.seal.checkpoint import Checkpoint
from wideberth.core.seal.heads import Heads
from wideberth.core.seal.keys import b64
from wideberth.core.seal.linecheck import LineAsk
from wideberth.core.seal.merkle import Tree


class Day:
    """BLUE gives a notice, GREEN answers, BLUE corrects it; then line checks, checkpoints, time stamps and a fence."""

    def __init__(self, seed: str = "") -> None:
        self.pair = pair = Pair(seed=seed, rules=msgspec.structs.replace(RULES, least_radius_mm=0))
        self.ch = pair.ch
        start = pair.now.t_ms + 3_600_000
        low, high = Altitude.metres(50, VerticalRef.AGL), Altitude.feet(5000, VerticalRef.AMSL)
        volumes = (
            Volume4D(Circle.at(lat=36.2, lng=36.15, radius_km=10), Altitude.surface(), high, start, start + 900_000),
            Volume4D(Polygon.of((36, 36), (36, "36.3"), ("35.8", "36.1")), low, high, start, start + 900_000),
            Volume4D(Corridor.along((36, 36), ("36.2", 37), half_width_km=2), low, Altitude.unlimited(), start,
                     start + 900_000),
        )  # fmt: skip
        self.terms = pair.terms(volumes=volumes, expires_ms=start + 900_000, text="two <engines> & \u00e9")
        self.say(pair.blue, ev.GiveNotice(self.ch, "BLUE/watch-1", self.terms))
        self.notice = self.newest("BLUE")
        self.ref = bundle.what_of(self.notice)["ref"]
        self.say(pair.green, ev.Acknowledge(self.ch, "GREEN/watch-1", self.ref))
        self.say(pair.green, ev.ReadBackAs(self.ch, "GREEN/watch-1", self.ref, "36.2 north 36.15 east",
                                           Point.at(36.2, 36.15), start, start + 900_000))  # fmt: skip
        self.say(pair.blue, ev.Revise(self.ch, "BLUE/watch-1", self.ref, "correct",
                                      msgspec.structs.replace(self.terms, volumes=volumes[:2])))  # fmt: skip
        self.say(pair.green, ev.SayNil(self.ch, "GREEN/watch-1", start))
        self.line_check()
        self.checkpoints()
        self.fence()

    def say(self, end: End, command: ev.Event) -> None:
        self.pair.later(20_000)
        end.step(command, self.pair.now)
        self.pair.later(700)
        self.pair.settle()

    def entries(self, party: str) -> list[EntryRecord]:
        found = [r for r in self.pair.blue.store.load() if isinstance(r, EntryRecord) and r.author == party]
        return sorted(found, key=lambda r: r.seq)

    def newest(self, party: str) -> EntryRecord:
        return self.entries(party)[-1]

    def line_check(self) -> None:
        blue, green, t = self.pair.blue, self.pair.green, self.pair.now.t_ms
        ask = LineAsk(1, self.ch, "BLUE", "GREEN", "0a" * 16, t, {})
        answer = linecheck.answer_to(ask, t + 90_020, t + 90_025, {})
        sent = [(ask, blue), (answer, green), (linecheck.close_of(answer, t + 44), blue)]
        for message, end in sent:
            self.keep(linecheck.sidecar(linecheck.seal(message, end.keys.node), t))

    def checkpoints(self) -> None:
        """BLUE's author signs at every size, GREEN cosigns all but the newest."""
        for party, author, peer in (("BLUE", self.pair.blue, "GREEN"), ("GREEN", self.pair.green, "BLUE")):
            strand = self.entries(party)
            tree = Tree(bytes.fromhex(r.hash) for r in strand)
            for size in range(1, tree.size):
                head = Checkpoint(self.ch, party, strand[0].epoch, size, tree.root(size))
                note = checkpoint.seal(head, author.keys.node)
                other = self.pair.ends[peer].keys.node
                note = checkpoint.cosign(note, peer, other, self.pair.now.t_ms // 1000)
                self.keep(checkpoint.sidecar(note, self.pair.now.t_ms))
                if party == "BLUE":
                    self.stamp(head)

    def stamp(self, head: Checkpoint) -> None:
        envelope = msgspec.json.encode(b64(token(head.text(), null=head.size % 2 == 0)))
        self.keep(SidecarRecord(self.ch, "stamp", head.author, canonical.sha256(envelope), envelope, 1))

    def fence(self) -> None:
        """What GREEN answered when BLUE's record had been put back."""
        held = {party: tuple(self.places(party)[-1:]) for party in ("BLUE", "GREEN")}
        said = Heads(1, self.ch, "GREEN", "0b" * 16, "0c" * 16, False, held, self.pair.now.t_ms)
        envelope = heads.seal(said, self.pair.green.keys.node)
        self.keep(SidecarRecord(self.ch, "fence", "GREEN", canonical.sha256(envelope), envelope, 1))

    def places(self, party: str) -> list[Place]:
        return [Place(r.epoch, r.seq, r.hash) for r in self.entries(party)]

    def split(self, size: int = 3) -> bytes:
        """GREEN's checkpoint over a strand of which BLUE got another version, as BLUE keeps it."""
        here = self.places("GREEN")
        head = Checkpoint(self.ch, "GREEN", here[0].epoch, size, Tree([bytes(32)] * size).root())
        note = checkpoint.seal(head, self.pair.green.keys.node)
        self.keep(SidecarRecord(self.ch, "split", "GREEN", canonical.sha256(note), note, 1))
        return note

    def keep(self, record: object) -> None:
        for end in self.pair.ends.values():
            end.store.append([record], end.store.head)  # type: ignore[list-item]

    def kept(self, party: str = "BLUE") -> bundle.Kept:
        return evidence.collect(self.pair.ends[party].store.load(), self.ch)

    def bundle(self, selection: bundle.Selection | None = None, *, party: str = "BLUE", **more: object) -> bytes:
        selection = selection or bundle.whole_channel()
        node = self.pair.ends[party].keys.node
        options = {"with_verifier": False, **more}
        return evidence.make(self.kept(party), party=party, node=node, t_ms=self.pair.now.t_ms, selection=selection,
                             **options)  # type: ignore[arg-type] # fmt: skip
