# SPDX-License-Identifier: Apache-2.0
"""What more members on one line cost: bytes an entry, receipts, deliveries, and what machines say to each other.

    python benchmarks/bench_members.py [--members 2 4 8 16] [--entries 1000]

All members are on one channel, each with the real core, real keys and a store in memory; every two have a wire of 20
ms. They take turns to say a thousand things in all, one every 200 ms, half of them notices and half short words, while
timers run as in a node: a line check with every peer every 45 s, a checkpoint every minute. Time is simulated, so the
figures are counts and bytes, the same on every machine. A delivery is counted as it is before it is sealed, padded to
256 bytes; an answer to one rides back with it and is counted as a reply, not as a request.

Fitted is y = a * (N - 1)**k, over the number of *other* members: k of 1 is linear. What is accepted: nothing that one
entry or one link carries grows faster than linearly (k <= 1.05). Exit code 1 if something does.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence

from bench_step import T0, Keys
from nodes import RULES, notices

from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now, Send
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord
from wideberth.core.say.rules import Mode, Purpose
from wideberth.core.seal.agreement import Agreement, Member, channel_id, one_line, sign_agreement
from wideberth.core.seal.envelope import HEADS, payload_type
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.link.delivery import PAD_BYTES
from wideberth.sim.dice import Dice
from wideberth.sim.outside import header_of
from wideberth.sim.parties import NAMES
from wideberth.store.memory import MemoryStore

WIRE_MS = 20
PACE_MS = 200
CHECK_MS, CHECKPOINT_MS = 45_000, 60_000
LINEAR = 1.05


class Seat:
    """One member: a node and its store."""

    def __init__(self, keys: Keys, dice: Dice) -> None:
        self.party = keys.party
        self.store = MemoryStore()
        self.node = Node(keys.party, keys, Ed25519Verifier(), dice.octets, self.store.entry)


class Table:
    """All members of one line, and what passes between them. `sent`: bytes and counts by kind."""

    def __init__(self, members: int) -> None:
        self.now_ms = 0
        self.bytes: Counter[str] = Counter()
        self.count: Counter[str] = Counter()
        self.counting = False
        self._plans: list[tuple[int, int, Callable[[], object]]] = []
        self._n = itertools.count()
        names = sorted(NAMES[:members])
        keys = [Keys(name) for name in names]
        agreement = Agreement(
            1, "Coast", 1, Mode.TEST, tuple(Member(k.party, k.root.public) for k in keys),
            one_line(Purpose.FLIGHT_SAFETY, names), RULES, T0, "ab" * 16,
        )  # fmt: skip
        self.ch = channel_id(agreement)
        self.seats = {k.party: Seat(k, Dice(k.party)) for k in keys}
        opening = ev.OpenLine(
            sign_agreement(agreement, *(k.root for k in keys)).encoded(), tuple(k.card() for k in keys)
        )
        for seat in self.seats.values():
            self.step(seat, opening)
        self.run(until_ms=10_000)

    def later(self, in_ms: int, act: Callable[[], object]) -> None:
        heapq.heappush(self._plans, (self.now_ms + in_ms, next(self._n), act))

    def run(self, *, until_ms: int) -> None:
        while self._plans and self._plans[0][0] <= until_ms:
            self.now_ms, _, act = heapq.heappop(self._plans)
            act()
        self.now_ms = until_ms

    def step(self, seat: Seat, event: ev.Event) -> Batch:
        now = Now(T0 + self.now_ms, self.now_ms)
        batch = seat.node.step(event, now)
        if batch.store:
            seat.store.append(batch.store, seat.store.head)
        if self.counting:
            self.count["entry"] += sum(isinstance(r, EntryRecord) and r.author == seat.party for r in batch.store)
        for send in batch.send:
            answer = isinstance(event, ev.Arrived) and event.peer == send.to
            self._carry(seat, send, "reply" if answer else "request")
        if batch.wake is not None:
            self.later(max(1, batch.wake - self.now_ms), lambda: self._wake(seat))
        return batch

    def _wake(self, seat: Seat) -> None:
        wake = seat.node.wake_ms(Now(T0 + self.now_ms, self.now_ms))
        if wake is not None and wake <= self.now_ms:
            self.step(seat, ev.Tick())

    def _carry(self, seat: Seat, send: Send, how: str) -> None:
        records = [seat.store.entry(h) for h in send.frames]
        frames = tuple((r.envelope, r.body) for r in records if r is not None)
        to = self.seats[send.to]
        if self.counting:
            inside = sum(len(e) + len(b) for e, b in frames) + sum(map(len, send.sidecars))
            self._add(how, -(-inside // PAD_BYTES) * PAD_BYTES)
            for envelope, body in frames:
                self._add("frame", len(envelope) + len(body))
                self._add(header_of(envelope)["type"], len(envelope) + len(body))
            for sidecar in send.sidecars:
                self._add(kind_of(sidecar), len(sidecar))
        arrival = ev.Arrived(send.ch, seat.party, frames, send.sidecars)
        self.later(WIRE_MS, lambda: self.step(to, arrival))

    def _add(self, kind: str, size: int) -> None:
        self.count[kind] += 1
        self.bytes[kind] += size

    def every(self, seat: Seat, ms: int, first_ms: int, event: ev.Event, until_ms: int) -> None:
        for at in range(first_ms, until_ms, ms):
            self.later(at, lambda: self.step(seat, event))


def kind_of(sidecar: bytes) -> str:
    if sidecar.startswith(b'"'):
        return "checkpoint"
    named = payload_type(sidecar)
    return "heads" if named == HEADS else "line check" if "linecheck" in named else "receipt"


def measure(members: int, entries: int) -> dict[str, float]:
    """Per entry, per link and minute; a link is two members."""
    table = Table(members)
    seats = list(table.seats.values())
    lasts_ms = entries * PACE_MS
    source = notices(T0 + 60_000)

    def say(n: int) -> None:
        seat = seats[n % len(seats)]
        by = f"{seat.party}/watch-1"
        word: ev.Event = ev.SayNil(table.ch, by, T0 + table.now_ms + 3_600_000)
        table.step(seat, ev.GiveNotice(table.ch, by, next(source)) if n % 2 else word)

    for n in range(entries):
        table.later(n * PACE_MS, lambda n=n: say(n))  # type: ignore[misc]
    for n, seat in enumerate(seats):
        # Timers of different machines are not in step.
        table.every(seat, CHECK_MS, 5_000 + n * 2_617 % CHECK_MS, ev.CheckLines(), lasts_ms)
        table.every(seat, CHECKPOINT_MS, 9_000 + n * 3_511 % CHECKPOINT_MS, ev.SignCheckpoints(), lasts_ms)
    table.counting = True
    table.run(until_ms=table.now_ms + lasts_ms + 5_000)
    for seat in seats:
        strands = seat.node.lines[table.ch].channel.strands.values()
        assert sum(strand.seq for strand in strands) == entries + members, f"{seat.party} does not hold everything"
    headers = [
        (len(str(header_of(r.envelope)["seen"])), r)
        for r in seats[0].store.load() if isinstance(r, EntryRecord) and r.seq > 1
    ]  # fmt: skip
    links, minutes = members * (members - 1) / 2, lasts_ms / 60_000
    c, b = table.count, table.bytes
    carried = c["frame"]
    return {
        "frame, bytes": b["frame"] / carried,
        "  of a notice": b["notice"] / c["notice"],
        "  of which `seen`": sum(seen for seen, _ in headers) / len(headers),
        "frames sent / frames needed": carried / (entries * (members - 1)),
        "receipts an entry, all members": c["receipt"] / entries,
        "receipts a frame": c["receipt"] / carried,
        "requests a frame": c["request"] / carried,
        "replies a frame": c["reply"] / carried,
        "receipt bytes a link and entry": b["receipt"] / links / entries,
        "line checks, bytes a link and minute": b["line check"] / links / minutes,
        "heads compared, bytes a link and minute": b["heads"] / links / minutes,
        "checkpoints, bytes a link and minute": b["checkpoint"] / links / minutes,
        "all that one node sends, kB an entry": (b["request"] + b["reply"]) / members / entries / 1000,
    }


# What must not grow faster than linearly. What is left out is shown for the reader.
ACCEPTED = (
    "frame, bytes", "  of a notice", "  of which `seen`", "receipts an entry, all members", "receipts a frame",
    "requests a frame", "replies a frame", "receipt bytes a link and entry", "line checks, bytes a link and minute",
    "heads compared, bytes a link and minute", "checkpoints, bytes a link and minute",
    "all that one node sends, kB an entry",
)  # fmt: skip


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """k of y = a * x**k by least squares over logarithms; 0 where there is nothing to fit."""
    pairs = [(math.log(n), math.log(v)) for n, v in zip(sizes, values, strict=True) if v > 0]
    if len(pairs) < 2:
        return 0.0
    mean_x, mean_y = (sum(p[i] for p in pairs) / len(pairs) for i in (0, 1))
    return sum((x - mean_x) * (y - mean_y) for x, y in pairs) / sum((x - mean_x) ** 2 for x, _ in pairs)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--members", type=int, nargs="+", default=[2, 4, 8, 16])
    parser.add_argument("--entries", type=int, default=1000)
    args = parser.parse_args(argv)
    found = [measure(n, args.entries) for n in args.members]
    print(f"{args.entries:,} entries in all; members:{'':21}" + "".join(f"{n:>9}" for n in args.members) + "        k")
    steep = []
    for name in found[0]:
        values = [each[name] for each in found]
        k = exponent([n - 1 for n in args.members], values)
        if name in ACCEPTED and k > LINEAR:
            steep.append(name)
        shown = "".join(f"{v:9.3f}" if v < 10 else f"{v:9,.0f}" for v in values)
        print(f"{name:46}{shown}   {k:+.2f}{'  TOO STEEP' if name in steep else ''}")
    print("nothing grows faster than linearly" if not steep else f"faster than linearly: {', '.join(steep)}")
    return 1 if steep else 0


if __name__ == "__main__":
    sys.exit(main())
