# SPDX-License-Identifier: Apache-2.0
"""How long it takes to append to a tree, to make a bundle, and to audit a whole channel.

    python benchmarks/bench_evidence.py [--entries 100000] [--bundle 1000]

The channel is of two parties with real keys; every entry carries a notice that its post signed, as a routine one does.
Making a bundle includes verifying it. An audit checks everything that the standalone verifier checks.
"""

from __future__ import annotations

import argparse
import hashlib
import time

import msgspec

from wideberth import evidence
from wideberth.core.records import EntryRecord, SidecarRecord
from wideberth.core.say.place import Altitude
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import EpochOpened, Hazard, Notice, NoticeType, Place, Terms
from wideberth.core.seal import bundle
from wideberth.core.seal import entry as entries
from wideberth.core.seal import receipt as receipts
from wideberth.core.seal.agreement import Agreement, Member, agreement_hash, channel_id, one_line, sign_agreement
from wideberth.core.seal.entry import NO_PREV, Header
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.core.seal.merkle import Frontier
from wideberth.core.seal.party import Card, Post, sign_card
from wideberth.core.seal.receipt import Receipt
from wideberth.verifier import verify

T0 = 1_900_000_000_000


def key(name: str) -> Ed25519Signer:
    return Ed25519Signer(hashlib.sha256(name.encode()).digest())


def channel(count: int) -> bundle.Kept:
    """`count` entries, half by each, a receipt for every 100."""
    parties = ("BLUE", "GREEN")
    centre = Circle.at(lat=36, lng=36, radius_km=10)
    members = tuple(Member(p, key(p + "root").public) for p in parties)
    lines = one_line(Purpose.FLIGHT_SAFETY, [m.party for m in members])
    agreement = Agreement(1, "Bench", 1, Mode.TEST, members, lines, Rules(centre), T0, "ab" * 16)
    ch, agr = channel_id(agreement), agreement_hash(agreement)
    kept = bundle.Kept(ch)

    def beside(kind: str, author: str, envelope: bytes) -> None:
        kept.take(SidecarRecord(ch, kind, author, hashlib.sha256(envelope).hexdigest(), envelope, T0))

    beside("agreement", "BLUE", sign_agreement(agreement, *(key(p + "root") for p in parties)).encoded())
    for p in parties:
        card = Card(1, p, key(p + "root").public, 1, key(p + "node").public, "x25519:none", f"https://{p}.invalid",
                    "", "", {"watch-1": Post(key(p + "post").public, False)})  # fmt: skip
        beside("card", p, sign_card(card, key(p + "root")).encoded())
    volume = Volume4D(centre, Altitude.surface(), Altitude.flight_level(300), T0, T0 + 60_000)
    terms = Terms(NoticeType.AREA_ACTIVITY, Hazard.CREWED_AIRCRAFT, "watch room", (volume,), T0 + 60_000)
    heads: dict[str, Place] = {}
    for n in range(count):
        p = parties[n % 2]
        other = parties[1 - n % 2]
        seq = n // 2 + 1
        post = "node" if seq == 1 else "watch-1"
        what = EpochOpened("FOUNDING", None, {}) if seq == 1 else Notice(f"{p[:3]}-{seq:06}-K", terms)
        by = f"{p}/{post}"
        said, sig = entries.state(by, ch, T0 + n, what, None if seq == 1 else key(p + "post"))
        body = entries.pack_body(said, sig, bytes(16))
        seen = {other: heads[other]} if other in heads else {}
        header = Header(1, entries.kind_of(what), ch, agr, p, by, f"{n % 2:032x}", seq,
                        heads[p].hash if p in heads else NO_PREV, seen, T0 + n,
                        hashlib.sha256(body).hexdigest())  # fmt: skip
        made = entries.seal(header, body, key(p + "node"))
        heads[p] = made.place
        kept.take(
            EntryRecord(ch, p, header.epoch, seq, made.hash, header.prev, header.type, made.envelope, body, T0 + n)
        )
        if seq % 100 == 0:
            held = Receipt(1, "stored", ch, other, p, header.epoch, seq, made.hash, T0 + n)
            beside("stored", other, receipts.seal(held, key(other + "node")))
    return kept


def made(kept: bundle.Kept) -> tuple[bytes, float]:
    begun = time.perf_counter()
    data = evidence.make(kept, party="BLUE", node=key("BLUEnode"), t_ms=T0, selection=bundle.whole_channel())
    return data, time.perf_counter() - begun


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--entries", type=int, default=100_000)
    wanted.add_argument("--bundle", type=int, default=1_000)
    options = wanted.parse_args()

    frontier, leaf = Frontier(), bytes(32)
    begun = time.perf_counter()
    for _ in range(200_000):
        frontier.append(leaf)
    print(f"append to a tree      {(time.perf_counter() - begun) / 0.2:8.2f} µs")
    begun = time.perf_counter()
    for _ in range(10_000):
        frontier.root()
    print(f"its root              {(time.perf_counter() - begun) / 0.01:8.2f} µs")

    small = channel(options.bundle)
    data, took = made(small)
    print(f"bundle of {options.bundle:>7,}     {took:8.2f} s   {len(data) / 1e6:8.2f} MB")
    notice = small.strands[("BLUE", "0" * 32)][-1]
    begun = time.perf_counter()
    one = evidence.make(small, party="BLUE", node=key("BLUEnode"), t_ms=T0, selection=bundle.one_entry(notice.hash))
    print(f"one entry out of it   {time.perf_counter() - begun:8.2f} s   {len(one) / 1e6:8.2f} MB")

    big = channel(options.entries)
    data, took = made(big)
    print(f"bundle of {options.entries:>7,}     {took:8.2f} s   {len(data) / 1e6:8.2f} MB")
    begun = time.perf_counter()
    verdict = verify.judged(data)
    took = time.perf_counter() - begun
    assert verdict["verdict"] == "integrity only", msgspec.json.encode(verdict)[:300]
    print(f"audit of {options.entries:>8,}     {took:8.2f} s   {took / options.entries * 1e6:8.1f} µs per entry")


if __name__ == "__main__":
    main()
