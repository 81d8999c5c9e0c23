# SPDX-License-Identifier: Apache-2.0
"""Two real cores on an imaginary wire: what one sends, the other gets, when the test says so. Real keys, real rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now, Send
from wideberth.core.node import Node
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.rules import Mode, NamedPlace, Purpose, Rules
from wideberth.core.say.volume import Circle, Polygon, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms
from wideberth.core.seal.agreement import Agreement, LineTerms, Member, channel_id, one_line, sign_agreement
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier, Signer
from wideberth.core.seal.party import Card, Post, sign_card
from wideberth.core.tells import Tell
from wideberth.store.memory import MemoryStore

T0 = 1_900_000_000_000

RULES = Rules(
    area=Polygon.of((34.5, 34.0), (34.5, 37.5), (37.0, 37.5), (37.0, 34.0)),
    gazetteer=(NamedPlace("Cape Amal", Point.at(35.5, 35.8), 30_000_000),),
    not_covered=("non-party air defence in the area",),
)


class Chance:
    """Seeded bytes."""

    def __init__(self, seed: str) -> None:
        self._seed, self._n = seed.encode(), 0

    def __call__(self, n: int) -> bytes:
        self._n += 1
        return hashlib.shake_256(self._seed + self._n.to_bytes(8, "big")).digest(n)


class Keys:
    """One party's private keys, made from its name."""

    def __init__(self, party: str, posts: tuple[str, ...] = ("watch-1", "supervisor")) -> None:
        self.party = party
        self.version = 1
        self.root = self._key("root")
        self._node = self._key("node")
        self._posts = {p: self._key(p) for p in posts}
        # Keys that cards certified before, or will.
        self.others: list[Ed25519Signer] = []

    def _key(self, name: str) -> Ed25519Signer:
        return Ed25519Signer(hashlib.sha256(f"{self.party}/{name}".encode()).digest())

    @property
    def node(self) -> Signer:
        return self._node

    def post(self, name: str) -> Signer | None:
        return self._posts.get(name)

    def key(self, public: str) -> Signer | None:
        return next((s for s in (self._node, *self._posts.values(), *self.others) if s.public == public), None)

    def card(self) -> bytes:
        posts = {n: Post(s.public, n.startswith("supervisor")) for n, s in self._posts.items()}
        card = Card(
            1, self.party, self.root.public, self.version, self._node.public, f"x25519:none{self.version}",
            f"https://{self.party}.invalid", "00" * 32, "", posts,
        )  # fmt: skip
        return sign_card(card, self.root).encoded()

    def renewed(self, *names: str, without: tuple[str, ...] = ()) -> bytes:
        """The next card, with fresh keys for `node` and the posts that are named; the old ones are still here."""
        self.version += 1
        self.others += [self._node, *self._posts.values()]
        for name in names:
            fresh = self._key(f"{name}/{self.version}")
            if name == "node":
                self._node = fresh
            else:
                self._posts[name] = fresh
        for name in without:
            del self._posts[name]
        return self.card()


def agreement_of(
    *parties: Keys, mode: Mode = Mode.EXERCISE, rules: Rules = RULES, lines: tuple[LineTerms, ...] = (),
    name: str = "Coast",
) -> tuple[bytes, str]:  # fmt: skip
    """Countersigned by all; returns it and the id of its home line."""
    members = tuple(sorted((Member(k.party, k.root.public) for k in parties), key=lambda m: m.party))
    agreement = Agreement(
        1,
        name,
        1,
        mode,
        members,
        lines or one_line(Purpose.FLIGHT_SAFETY, (k.party for k in parties)),
        rules,
        T0,
        "ab" * 16,
    )
    return sign_agreement(agreement, *(k.root for k in parties)).encoded(), channel_id(agreement)


class End:
    """One node, its store and everything that it told; time is set by the pair."""

    def __init__(self, keys: Keys, seed: str) -> None:
        self.keys = keys
        self.store = MemoryStore()
        self.chance = Chance(seed + keys.party)
        self.node = self._fresh()
        self.told: list[Tell] = []
        self.rung: list[Tell] = []
        self.out: list[Send] = []
        self.fed: list[object] = []

    def _fresh(self) -> Node:
        return Node(self.keys.party, self.keys, Ed25519Verifier(), self.chance, self.store.entry)

    def step(self, event: ev.Event, now: Now) -> Batch:
        batch = self.node.step(event, now)
        self._carry_out(batch)
        return batch

    def _carry_out(self, batch: Batch) -> None:
        self.rung += batch.ring
        if batch.store:
            self.store.append(batch.store, self.store.head)
        self.out += batch.send
        self.told += batch.tell
        self.fed += batch.do

    def restart(self, now: Now) -> None:
        """The process died and came back: everything but the store is gone."""
        self.node = self._fresh()
        for record in self.store.load():
            self.node.load(record)
        self._carry_out(self.node.started(now))

    def frames(self, send: Send) -> tuple[tuple[bytes, bytes], ...]:
        records = [self.store.entry(h) for h in send.frames]
        return tuple((r.envelope, r.body) for r in records if r is not None)

    def tells(self, kind: type) -> Iterator[Tell]:
        return (t for t in self.told if isinstance(t, kind))


class Pair:
    """BLUE and GREEN with one open line in both directions."""

    def __init__(self, *, mode: Mode = Mode.EXERCISE, rules: Rules = RULES, seed: str = "") -> None:
        self.now = Now(T0, 0)
        keys = Keys("BLUE"), Keys("GREEN")
        self.agreement, self.ch = agreement_of(*keys, mode=mode, rules=rules)
        self.blue, self.green = (End(k, seed) for k in keys)
        self.ends = {"BLUE": self.blue, "GREEN": self.green}
        for end in self.ends.values():
            end.step(ev.OpenLine(self.agreement, tuple(k.card() for k in keys)), self.now)
        self.settle()

    def later(self, ms: int) -> None:
        self.now = Now(self.now.t_ms + ms, self.now.mono_ms + ms)

    def tick(self) -> None:
        for end in self.ends.values():
            end.step(ev.Tick(), self.now)

    def arrive(self, send: Send, author: End) -> Batch:
        event = ev.Arrived(send.ch, author.keys.party, author.frames(send), send.sidecars)
        return self.ends[send.to].step(event, self.now)

    def settle(self, rounds: int = 100) -> None:
        """Deliver everything, until nothing more is said."""
        for _ in range(rounds):
            moved = False
            for end in self.ends.values():
                out, end.out = end.out, []
                for send in out:
                    self.arrive(send, end)
                    moved = True
            if not moved:
                return
        raise AssertionError("the pair never came to rest")

    def terms(self, *, lat: float = 36.2, lng: float = 37.15, radius_km: float = 10, start_ms: int = 3_600_000,
              last_ms: int = 1_800_000, **more: object) -> Terms:  # fmt: skip
        start = self.now.t_ms + start_ms
        volume = Volume4D(
            Circle.at(lat=lat, lng=lng, radius_km=radius_km), Altitude.surface(), Altitude.flight_level(300),
            start, start + last_ms,
        )  # fmt: skip
        terms = Terms(
            NoticeType.AREA_ACTIVITY, Hazard.CREWED_AIRCRAFT, "watch room 100", (volume,), start + last_ms
        )  # fmt: skip
        return msgspec.structs.replace(terms, **more)
