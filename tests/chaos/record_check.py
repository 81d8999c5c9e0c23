# SPDX-License-Identifier: Apache-2.0
"""Holds the disks of stopped nodes to what was promised, from outside: every signature and every chain anew.

Nothing here asks a node. It reads records through the store, checks them with `core/seal`, and compares the disks with
each other, with what the officers were answered, and with what earlier looks at the same disks showed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wideberth.core.records import EntryRecord, SidecarRecord
from wideberth.core.say.words import Alert, NoticeVersion
from wideberth.core.seal import entry as entries
from wideberth.core.seal import receipt as receipts
from wideberth.core.seal.entry import Unread
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.party import Card, Keys, read_card
from wideberth.errors import Fault
from wideberth.store.sqlite import SqliteStore

Place = tuple[str, str, str, int]  # ch, author, epoch, seq


class Disk:
    """What one node's file holds."""

    def __init__(self, party: str, path: Path) -> None:
        self.party = party
        store = SqliteStore(path)
        try:
            store.audit()
            records = list(store.load())
        finally:
            store.close()
        self.entries = [r for r in records if isinstance(r, EntryRecord)]
        self.sidecars = [r for r in records if isinstance(r, SidecarRecord)]
        self.hashes = {r.hash for r in self.entries}

    def strand(self, author: str) -> list[EntryRecord]:
        return [r for r in self.entries if r.author == author]

    def unreceipted(self) -> int:
        """How many own entries no receipt on this disk covers."""
        own = len(self.strand(self.party))
        covered = [receipts.read(s.envelope)[0] for s in self.sidecars if s.kind == "stored" and s.author != self.party]
        return own - max((r.seq for r in covered), default=0)


class Witness:
    """Remembers every place that it ever saw signed, so that no two looks may differ."""

    def __init__(self, roots: Mapping[str, str]) -> None:
        self._roots = roots
        self._verifier = Ed25519Verifier()
        self._signed: dict[Place, tuple[str, bytes, bytes]] = {}

    def look(self, disk: Disk, answered: Iterable[Mapping[str, Any]]) -> list[str]:
        """What is wrong with one disk by itself. `answered`: what its node had answered to its officers by then."""
        wrong = [f"{disk.party} lost {a['kind']} {a['ref']}, which it had answered" for a in answered
                 if a["entry"] not in disk.hashes]  # fmt: skip
        wrong += [f"{disk.party} keeps a proof of equivocation by {s.author}" for s in disk.sidecars
                  if s.kind == "equivocation"]  # fmt: skip
        try:
            cards = self._cards(disk)
            for author in sorted({r.author for r in disk.entries}):
                wrong += self._strand(disk, author, cards[author])
            wrong += self._receipts(disk, cards)
        except (Fault, KeyError) as fault:
            wrong.append(f"{disk.party}'s record cannot be verified: {fault!r}")
        return wrong

    def compare(self, disks: Mapping[str, Disk]) -> list[str]:
        """What is wrong between disks of nodes at rest: both copies of every strand, byte for byte."""
        wrong = []
        blue, green = disks.values()
        for author in disks:
            ours, theirs = ([(r.epoch, r.seq, r.hash, r.prev, r.type, r.envelope, r.body) for r in d.strand(author)]
                            for d in (blue, green))  # fmt: skip
            if ours != theirs:
                wrong.append(f"the copies of {author}'s strand differ: {len(ours)} and {len(theirs)} entries")
        wrong += [f"{disk.party} is at rest with {disk.unreceipted()} entries that nobody receipted"
                  for disk in disks.values() if disk.unreceipted()]  # fmt: skip
        return wrong

    def _cards(self, disk: Disk) -> dict[str, Card]:
        cards = [read_card(s.envelope, self._verifier) for s in disk.sidecars if s.kind == "card"]
        for card in cards:
            assert card.root == self._roots[card.party], "a card of another root than the one that was compared"
        return {card.party: card for card in cards}

    def _strand(self, disk: Disk, author: str, card: Card) -> list[str]:
        wrong = []
        strand = disk.strand(author)
        if [r.seq for r in strand] != list(range(1, len(strand) + 1)):
            wrong.append(f"{disk.party} holds {author}'s strand with gaps or repeats")
        said_once: Counter[str] = Counter()
        prev = entries.NO_PREV
        for record in strand:
            entry, sealed, payload = entries.read(record.envelope, record.body)
            header = entry.header
            entries.check(entry, sealed, payload, card, self._verifier)
            place = (header.ch, header.sender, header.epoch, header.seq)
            if place != (record.ch, record.author, record.epoch, record.seq) or entry.hash != record.hash:
                wrong.append(f"{disk.party} filed entry {record.seq} of {author} under a wrong name")
            if header.prev != prev:
                wrong.append(f"{disk.party}: entry {record.seq} of {author} does not follow the one before")
            prev = entry.hash
            first = self._signed.setdefault(place, (entry.hash, record.envelope, record.body))
            if first[0] != entry.hash:
                wrong.append(f"{author} signed two headers for place {header.seq}")
            elif first != (entry.hash, record.envelope, record.body):
                wrong.append(f"entry {header.seq} of {author} was kept in two spellings")
            said = entries.open_body(entry, Keys(card), self._verifier)
            if isinstance(said, Unread):
                wrong.append(f"entry {header.seq} of {author} cannot be understood: {said.text}")
            elif isinstance(said.what, Alert):
                said_once[said.what.text] += 1
            elif isinstance(said.what, NoticeVersion):
                said_once[said.what.terms.text] += 1
        wrong += [f"{author} said {text!r} {n} times" for text, n in said_once.items() if n > 1]
        return wrong

    def _receipts(self, disk: Disk, cards: Mapping[str, Card]) -> list[str]:
        wrong = []
        for sidecar in disk.sidecars:
            if sidecar.kind not in ("stored", "shown"):
                continue
            receipt, sealed, payload = receipts.read(sidecar.envelope)
            receipts.check(receipt, sealed, payload, cards[receipt.sender].node, self._verifier)
            # A receipt stands for ever: the strand that it is about must hold exactly that head, here and at the peer.
            strand = disk.strand(receipt.of)
            if receipt.seq > len(strand) or strand[receipt.seq - 1].hash != receipt.head:
                wrong.append(f"{disk.party} has lost what {receipt.sender} receipted: entry {receipt.seq}")
        return wrong
