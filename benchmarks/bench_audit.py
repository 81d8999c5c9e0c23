# SPDX-License-Identifier: Apache-2.0
"""How long a full audit takes: every signature, chain, body, receipt and checkpoint of a record of real entries.

    python benchmarks/bench_audit.py [--entries 100000] [--dir PATH]

The record is BLUE's, with one strand of signed notices in two epochs (a restore in the middle), a receipt for every
ten and a checkpoint, cosigned, for every thousand. What is timed is what `doctor --audit` does, bar included.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from wideberth.cli.audit_view import audited
from wideberth.core.records import EntryRecord, Record, SidecarRecord
from wideberth.core.say.place import Altitude
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import EpochOpened, Hazard, Notice, NoticeType, Place, Terms, Word
from wideberth.core.seal import canonical, checkpoint, receipt
from wideberth.core.seal import entry as entries
from wideberth.core.seal.agreement import Agreement, Member, agreement_hash, channel_id, one_line, sign_agreement
from wideberth.core.seal.checkpoint import Checkpoint
from wideberth.core.seal.entry import NO_PREV, Header
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.core.seal.merkle import Frontier
from wideberth.core.seal.party import Card, Post, sign_card
from wideberth.core.seal.receipt import Receipt
from wideberth.store.sqlite import SqliteStore

T0_MS = 1_900_000_000_000


def key(name: str) -> Ed25519Signer:
    return Ed25519Signer(hashlib.sha256(name.encode()).digest())


def card(party: str) -> Card:
    return Card(
        v=1, party=party, root=key(f"{party} root").public, version=1, node=key(f"{party} node").public,
        sealing="x25519:none", url=f"https://{party.lower()}.invalid", tls_sha256="", tls_pem="",
        posts={name: Post(key(f"{party} post").public, name == "supervisor") for name in ("watch-1", "supervisor")},
    )  # fmt: skip


def terms(n: int) -> Terms:
    shape = Circle.at(lat=30 + n % 997 / 100, lng=40 + n % 991 / 100, radius_km=5)
    volume = Volume4D(shape, Altitude.surface(), Altitude.flight_level(100), T0_MS, T0_MS + 3_600_000)
    contact = "+999 555 0110"
    return Terms(NoticeType.AREA_ACTIVITY, Hazard.CREWED_AIRCRAFT, contact, (volume,), T0_MS + 3_600_000)


def record(count: int) -> Iterator[Record]:
    """A record of `count` entries by BLUE, as BLUE holds it."""
    members = tuple(Member(p, key(f"{p} root").public) for p in ("BLUE", "GREEN"))
    rules = Rules(area=Circle.at(lat=35, lng=45, radius_km=900))
    lines = one_line(Purpose.FLIGHT_SAFETY, [m.party for m in members])
    agreed = Agreement(1, "Bench", 1, Mode.EXERCISE, members, lines, rules, T0_MS, "0a" * 16)
    ch, agr = channel_id(agreed), agreement_hash(agreed)
    for party in ("BLUE", "GREEN"):
        sealed = sign_card(card(party), key(f"{party} root")).encoded()
        yield SidecarRecord(ch, "card", "BLUE", canonical.sha256(sealed), sealed, T0_MS)
    sealed = sign_agreement(agreed, key("BLUE root"), key("GREEN root")).encoded()
    yield SidecarRecord(ch, "agreement", "BLUE", canonical.sha256(sealed), sealed, T0_MS)
    node, post, peer = key("BLUE node"), key("BLUE post"), key("GREEN node")
    before: Place | None = None
    for n_epoch, size in enumerate((count // 2, count - count // 2)):
        epoch, prev, tree = hashlib.sha256(b"%d" % n_epoch).hexdigest()[:32], NO_PREV, Frontier()
        for seq in range(1, size + 1):
            what: Word = Notice(f"BLU-{seq:04}-E", terms(seq))
            by = "BLUE/watch-1"
            if seq == 1:
                by = "BLUE/supervisor"
                what = EpochOpened("RESTORED" if before else "FOUNDING", before, {"GREEN": before})
            t_ms = T0_MS + seq
            body = entries.pack_body(*entries.state(by, ch, t_ms, what, post), os.urandom(16))
            header = Header(
                1, entries.kind_of(what), ch, agr, "BLUE", by, epoch, seq, prev, {}, t_ms, canonical.sha256(body)
            )
            made = entries.seal(header, body, node)
            yield EntryRecord(ch, "BLUE", epoch, seq, made.hash, prev, header.type, made.envelope, made.body, t_ms)
            prev = made.hash
            tree.append(bytes.fromhex(prev))
            if seq % 10 == 0:
                held = Receipt(1, "stored", ch, "GREEN", "BLUE", epoch, seq, prev, t_ms)
                said = receipt.seal(held, peer)
                yield SidecarRecord(ch, "stored", "GREEN", canonical.sha256(said), said, t_ms)
            if seq % 1000 == 0 or seq == size:
                signed = checkpoint.seal(Checkpoint(ch, "BLUE", epoch, seq, tree.root()), node)
                yield checkpoint.sidecar(checkpoint.cosign(signed, "GREEN", peer, t_ms // 1000), t_ms)
        before = Place(epoch, size, prev)


def fill(path: Path, count: int) -> None:
    store = SqliteStore(path)
    batch: list[Record] = []
    for each in record(count):
        batch.append(each)
        if len(batch) == 5_000:
            store.append(batch, store.head)
            batch = []
    store.append(batch, store.head)
    store.close()


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--entries", type=int, default=100_000)
    wanted.add_argument("--dir", default=None)
    options = wanted.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        path = Path(folder) / "record.db"
        begun = time.perf_counter()
        fill(path, options.entries)
        print(f"made in {time.perf_counter() - begun:.1f} s, {path.stat().st_size / 1e6:.0f} MB")
        for since in (False, True):
            begun = time.perf_counter()
            report = audited(path, party="BLUE", root=key("BLUE root").public, since_checkpoint=since)
            took = time.perf_counter() - begun
            assert not report.wrong, report.wrong[:3]
            assert report.entries == options.entries
            name = "since the last cosigned checkpoint" if since else "full"
            print(
                f"{name}: {report.entries} entries and {report.sidecars} sidecars in {took:.1f} s "
                f"({took / report.entries * 1e6:.0f} us an entry), {report.trusted} covered by a checkpoint, "
                f"{len(report.cosigned)} epochs cosigned"
            )
        print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
