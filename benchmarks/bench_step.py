# SPDX-License-Identifier: Apache-2.0
"""One step of the core with 10,000 live volumes about: of the record side, and of the inner side.

    python benchmarks/bench_step.py [--live 10000] [--times 2000]

Record side: `Node.step(Arrived)` with one routine notice in it: read, both signatures checked, put on the board,
receipt signed, sentence for the officers written. Goal of design.md §10: p50 below 300 us. Then giving one, and an
acknowledgement by reference. Inner side: `Inner.step(Weigh)` of one notice against 10,000 others and 1,000 own plans.
Two signature checks and one signature alone are timed in the same run, as the part that no code of ours can shorten.
Times are wall time in one process; the store and the network are not in it.

Last, from the notice in to the conflict told: both steps of each of the fresh notices together, every one of which
meets an own plan (explained and drawn), in CPU time of this thread as well. Goal: p99 below 50 ms.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import statistics
import time
from collections.abc import Callable, Sequence

from nodes import RULES, notices

from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now
from wideberth.core.feed import Weigh
from wideberth.core.inner import Inner, PlanGiven
from wideberth.core.node import Node
from wideberth.core.say.plan import Plan
from wideberth.core.say.rules import Mode, Purpose
from wideberth.core.seal.agreement import Agreement, Member, channel_id, one_line, sign_agreement
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier
from wideberth.core.seal.party import Card, Post, sign_card
from wideberth.core.warned import Exposed
from wideberth.store.memory import MemoryStore

T0 = 1_900_000_000_000


class Keys:
    """One party: root, node and the post `watch-1`."""

    def __init__(self, party: str) -> None:
        self.party = party
        self.root, self.node, self._post = (Ed25519Signer(os.urandom(32)) for _ in range(3))

    def post(self, name: str) -> Ed25519Signer | None:
        return self._post if name == "watch-1" else None

    def key(self, public: str) -> Ed25519Signer | None:
        return next((s for s in (self.node, self._post) if s.public == public), None)

    def card(self) -> bytes:
        posts = {"watch-1": Post(self._post.public, False)}
        card = Card(
            1, self.party, self.root.public, 1, self.node.public, "x25519:none", "https://x.invalid", "00" * 32, "",
            posts,
        )  # fmt: skip
        return sign_card(card, self.root).encoded()


class End:
    """A node with a store in memory."""

    def __init__(self, keys: Keys) -> None:
        self.store = MemoryStore()
        self.node = Node(keys.party, keys, Ed25519Verifier(), os.urandom, self.store.entry)

    def step(self, event: ev.Event, now: Now) -> Batch:
        batch = self.node.step(event, now)
        self.store.append(batch.store, self.store.head)
        return batch


def frames(batches: Sequence[Batch]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((r.envelope, r.body) for b in batches for r in b.store if hasattr(r, "body"))


def show(name: str, times: Sequence[float], goal: str = "") -> None:
    ordered = sorted(times)
    p99 = ordered[int(len(ordered) * 0.99)]
    print(f"{name:58} p50 {statistics.median(ordered) * 1e6:7.0f} us   p99 {p99 * 1e6:7.0f} us{goal}")


def timed(what: Callable[[], object]) -> float:
    begun = time.perf_counter()
    what()
    return time.perf_counter() - begun


def record_side(live: int, times: int) -> tuple[list[Weigh], list[float], list[float]]:
    """What was fed to the inner side; and of the fresh notices, seconds of wall and of CPU time."""
    keys = Keys("BLUE"), Keys("GREEN")
    members = tuple(Member(k.party, k.root.public) for k in keys)
    lines = one_line(Purpose.FLIGHT_SAFETY, [m.party for m in members])
    agreement = Agreement(1, "Coast", 1, Mode.TEST, members, lines, RULES, T0, "ab" * 16)
    sealed, ch = sign_agreement(agreement, *(k.root for k in keys)).encoded(), channel_id(agreement)
    blue, green = (End(k) for k in keys)
    now = Now(T0, 0)
    opened = [end.step(ev.OpenLine(sealed, tuple(k.card() for k in keys)), now) for end in (blue, green)]
    green.step(ev.Arrived(ch, "BLUE", frames(opened[:1])), now)
    source = notices(T0)

    def give() -> Batch:
        return blue.step(ev.GiveNotice(ch, "BLUE/watch-1", next(source)), now)

    feed: list[Weigh] = []
    for _ in range(live // 100):
        heard = green.step(ev.Arrived(ch, "BLUE", frames([give() for _ in range(100)])), now)
        feed += [f for f in heard.do if isinstance(f, Weigh)]
        receipts = tuple(e for s in heard.send for e in s.sidecars)
        blue.step(ev.Arrived(ch, "GREEN", (), receipts), now)
    gc.collect()
    gc.freeze()

    given, arrived, receipted, answered, cpu = [], [], [], [], []
    for _ in range(times):
        events: list[Batch] = []
        command = ev.GiveNotice(ch, "BLUE/watch-1", next(source))
        given.append(timed(lambda: events.append(blue.node.step(command, now))))  # noqa: B023
        blue.store.append(events[0].store, blue.store.head)
        arrival = ev.Arrived(ch, "BLUE", frames(events))
        begun = time.thread_time()
        arrived.append(timed(lambda: events.append(green.node.step(arrival, now))))  # noqa: B023
        cpu.append(time.thread_time() - begun)
        green.store.append(events[1].store, green.store.head)
        feed += [f for f in events[1].do if isinstance(f, Weigh)]
        back = ev.Arrived(ch, "GREEN", (), tuple(e for s in events[1].send for e in s.sidecars))
        receipted.append(timed(lambda: blue.step(back, now)))  # noqa: B023
        ref = next(t.ref for t in events[1].tell if hasattr(t, "sentence"))
        answer = ev.Acknowledge(ch, "GREEN/watch-1", ref)
        answered.append(timed(lambda: green.step(answer, now)))  # noqa: B023
    print(f"record side, from {live:,} live notices on the board to {len(feed):,}")
    show("  a notice arrives", arrived, "   (goal p50 < 300 us)")
    show("  a notice is given", given)
    show("  its receipt comes back", receipted)
    show("  it is acknowledged, by reference", answered)
    message, signer, verifier = os.urandom(700), keys[0].node, Ed25519Verifier()
    signature = signer.sign(message)
    alone = [
        timed(lambda: [verifier.verify(signer.public, message, signature) for _ in range(2)] and signer.sign(message))
        for _ in range(times)
    ]
    show("  two signature checks and one signature alone", alone)
    gc.unfreeze()
    return feed, arrived, cpu


def inner_side(feed: list[Weigh], times: int, arrived: list[float], cpu: list[float]) -> None:
    inner, now = Inner(), Now(T0, 0)
    plans = [
        PlanGiven(Plan(f"plan {n}", f"flight {n}", Mode.TEST, terms.volumes))
        for n, terms in enumerate(itertools.islice(notices(T0 + 900_000), len(feed) - times, len(feed)))
    ]
    for plan in plans:
        inner.step(plan, now)
    fresh, feed = feed[-times:], feed[:-times]
    for weigh in feed:
        inner.step(weigh, now)
    gc.collect()
    gc.freeze()
    took, took_cpu = [], []
    told = 0
    for weigh in fresh:
        begun, begun_cpu = time.perf_counter(), time.thread_time()
        told += any(isinstance(tell, Exposed) for tell in inner.step(weigh, now).tell)
        took_cpu.append(time.thread_time() - begun_cpu)
        took.append(time.perf_counter() - begun)
    print(f"inner side, {len(feed):,} live notices and {len(plans):,} own plans; {told} of {times} notices meet one")
    show("  a notice is weighed", took)
    show("  notice in -> conflict told", [a + b for a, b in zip(arrived, took, strict=True)], "   (goal p99 < 50 ms)")
    show("  the same, CPU time", [a + b for a, b in zip(cpu, took_cpu, strict=True)])
    gc.unfreeze()


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--live", type=int, default=10_000)
    wanted.add_argument("--times", type=int, default=2_000)
    given = wanted.parse_args()
    feed, arrived, cpu = record_side(given.live, given.times)
    inner_side(feed, given.times, arrived, cpu)


if __name__ == "__main__":
    main()
