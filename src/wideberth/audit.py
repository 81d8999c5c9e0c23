# SPDX-License-Identifier: Apache-2.0
"""The full audit of a record: every signature, chain, body hash, receipt and checkpoint, without believing the node.

    report = audit(store.load(), party="BLUE", root=root)
    report.wrong        what is not as it was signed, each named by its entry

Pure over an iterator of records in the order of the store. Checking single records (`audit_records.look`) is handed to
`spread`: `map`, or something like it over several processes; its results come in the order of its input.

What it shows: nothing here was changed, filed elsewhere or taken out of the middle of a strand. What was cut off at the
end shows by a receipt or checkpoint that is about more, here or at a peer; nothing else can show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from wideberth.audit_records import Anchor, Batch, Cards, Chain, Seen, look
from wideberth.core.records import EntryRecord, Record, SidecarRecord
from wideberth.core.say.words import Place
from wideberth.core.seal import checkpoint, note
from wideberth.core.seal import entry as entries
from wideberth.core.seal.agreement import Agreement, channel_id, read_agreement
from wideberth.core.seal.entry import NO_PREV, Said
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.merkle import Tree
from wideberth.core.seal.party import Keys, read_card
from wideberth.core.seal.succession import Succession
from wideberth.errors import Fault

Spread = Callable[[Callable[[Batch], list[Seen]], Iterable[Batch]], Iterable[list[Seen]]]

# Records handed out at a time: about 15 ms of work, 300 kB.
AT_ONCE: Final = 200
# More findings than anybody reads; the rest is counted.
FINDINGS_MAX: Final = 1_000

_KEYS: Final = ("card", "agreement", "pending")
_KEY_WORDS: Final = ("card", "revoke", "epoch")
_VERIFIER: Final = Ed25519Verifier()


class Finding(msgspec.Struct, frozen=True):
    """`where` names the record: line, party, epoch and entry. `says`: what is the matter."""

    where: str
    says: str


class Cosigned(msgspec.Struct, frozen=True):
    """The largest checkpoint of one epoch that somebody else cosigned, and whose root is that of the record."""

    ch: str
    author: str
    epoch: str
    size: int
    by: tuple[str, ...]


class Report(msgspec.Struct, frozen=True):
    """`trusted`: entries whose signatures were not looked at, because a cosigned checkpoint covers them. `wrong` and
    `notes` hold at most FINDINGS_MAX; `more` were left out."""

    entries: int
    sidecars: int
    trusted: int
    wrong: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    more: int
    cosigned: tuple[Cosigned, ...]


def audit(
    records: Iterable[Record], *, party: str = "", root: str = "", anchors: dict[Chain, Anchor] | None = None,
    spread: Spread = map, progress: Callable[[int], None] = lambda _: None,
) -> Report:  # fmt: skip
    """Everything. `party`, `root`: whose record it must be, if known. `anchors`: as `last_cosigned` gives them.

    `progress` is told how many records were done since it was called last.
    """
    work = _Audit(party, root, anchors or {})
    for seen in spread(look, work.batches(records)):
        for each in seen:
            work.put(each)
        progress(len(seen))
    return work.report()


def last_cosigned(sidecars: Iterable[SidecarRecord]) -> dict[Chain, Anchor]:
    """Of every strand's epoch the newest checkpoint that verifies and that another party cosigned.

    `sidecars`: those of kinds card and checkpoint, in the order of the store. That its root is that of the record is
    for `audit` to find.
    """
    cards: Cards = {}
    found: dict[Chain, list[tuple[int, SidecarRecord]]] = {}
    for record in sidecars:
        try:
            if record.kind == "card":
                card = read_card(record.envelope, _VERIFIER)
                cards[record.ch, card.party] = (card, *cards.get((record.ch, card.party), ()))
            elif record.kind == checkpoint.KIND:
                head, _ = checkpoint.read(record.envelope)
                found.setdefault((head.ch, head.author, head.epoch), []).append((head.size, record))
        except Fault:
            continue  # the audit itself names it
    anchors = {}
    for chain, notes in found.items():
        for size, record in sorted(notes, key=lambda n: -n[0]):
            if _good(record, cards):
                anchors[chain] = Anchor(size, record.stored_ms)
                break
    return anchors


def _good(record: SidecarRecord, cards: Cards) -> bool:
    head, signed = checkpoint.read(record.envelope)
    keys = {p: tuple(c.node for c in held) for (ch, p), held in cards.items() if ch == head.ch}
    others = {p: k for p, k in keys.items() if p != head.author}
    if not any(note.find(signed, p, note.COSIGNATURE, k) for p, k in others.items()):
        return False
    try:
        checkpoint.check_author(head, signed, keys.get(head.author, ()), _VERIFIER)
        return bool(checkpoint.cosigners(head, signed, others, _VERIFIER))
    except Fault:
        return False


def _about_keys(record: Record) -> bool:
    return isinstance(record, SidecarRecord) and record.kind in _KEYS


class _Chain:
    """One epoch of one author, as it grows."""

    def __init__(self) -> None:
        self.hashes: list[str] = []
        self.tree: Tree | None = Tree()

    def append(self, hash_: str) -> None:
        self.hashes.append(hash_)
        if self.tree is not None:
            self.tree.append(bytes.fromhex(hash_))

    def holds(self, place: Place) -> bool:
        return 1 <= place.seq <= len(self.hashes) and self.hashes[place.seq - 1] == place.hash


class _Audit:
    def __init__(self, party: str, root: str, anchors: dict[Chain, Anchor]) -> None:
        self._party, self._root, self._anchors = party, root, anchors
        self._agreements: dict[str, Agreement] = {}
        self._successions: dict[tuple[str, str], Succession] = {}
        self._now: dict[Chain, Keys] = {}
        self._chains: dict[Chain, _Chain] = {}
        self._cosigned: dict[Chain, Cosigned] = {}
        self._wrong: list[Finding] = []
        self._notes: list[Finding] = []
        self._more = self._entries = self._sidecars = self._trusted = 0

    # --- whose keys hold, and what is handed out ---

    def batches(self, records: Iterable[Record]) -> Iterator[Batch]:
        """Batches in order; what says whose keys hold is read before what comes after it."""
        waiting: list[Record] = []
        for record in records:
            key_word = isinstance(record, EntryRecord) and record.type in _KEY_WORDS
            if waiting and (key_word or len(waiting) >= AT_ONCE or _about_keys(record)):
                yield self._batch(waiting)
                waiting = []
            if isinstance(record, SidecarRecord) and _about_keys(record):
                self._keys(record)
            waiting.append(record)
            if key_word and isinstance(record, EntryRecord):
                after = self._key_word(record)
                yield self._batch(waiting)
                waiting = []
                after()
        if waiting:
            yield self._batch(waiting)

    def _batch(self, records: list[Record]) -> Batch:
        cards = {key: keys.cards for key, keys in self._successions.items()}
        return Batch(records, cards, dict(self._now), self._anchors)

    def _key_word(self, record: EntryRecord) -> Callable[[], None]:
        """An entry that may say which keys hold: at its own place where it opens an epoch, else from the next one on.
        What is returned is to be done once the entry itself is handed out."""
        chain, keys = (record.ch, record.author, record.epoch), self._successions.get((record.ch, record.author))
        try:
            entry, _, _ = entries.read(record.envelope, record.body)
        except Fault:
            return lambda: None  # it is named by `look`
        if keys is None:
            return lambda: None
        at = keys.at(record.epoch, record.seq)
        if record.seq == 1:
            at = keys.at_opening(entries.opening_in(entry))
        if at is None:
            return lambda: None
        self._now[chain] = at
        said = entries.open_body(entry, at, _VERIFIER)
        why = keys.take(entry, said.what if isinstance(said, Said) else None)
        if why:
            where = self._where(Seen("entry", record.ch, record.author, Place(record.epoch, record.seq, record.hash)))
            self._find(self._notes, where, f"NOT_UNDERSTOOD: {why}")

        def after() -> None:
            self._now[chain] = keys.at(record.epoch, record.seq + 1) or at

        return after

    def _keys(self, record: SidecarRecord) -> None:
        try:
            if record.kind == "card":
                card = read_card(record.envelope, _VERIFIER)
                key = (record.ch, card.party)
                if key in self._successions and record.ch in self._agreements:
                    self._successions[key].learn(record.envelope)
                else:
                    self._successions[key] = Succession(card, _VERIFIER)
                return
            agreement, _, _ = read_agreement(record.envelope, _VERIFIER, complete=record.kind == "agreement")
        except Fault as fault:
            self._find(self._wrong, f"{record.kind} on line {record.ch[:12]}", fault.sentence)
            return
        where = f"{record.kind} {agreement.mechanism}"
        founding = {channel_id(agreement, line) for line in agreement.lines}
        if agreement.version == 1 and record.ch not in founding:
            self._find(self._wrong, where, "it is filed under another line than its own")
        self._agreements[record.ch] = agreement
        for member in agreement.members:
            held = self._successions.get((record.ch, member.party))
            if held is not None and held.first.root != member.root:
                self._find(self._wrong, where, f"the card of {member.party} is of another root key than was agreed")
                del self._successions[record.ch, member.party]
        us = agreement.member(self._party)
        if self._party and (us is None or (self._root and us.root != self._root)):
            self._find(self._wrong, where, f"it does not name {self._party} with the root key of this folder")

    # --- putting together ---

    def put(self, seen: Seen) -> None:
        if seen.kind == "setting":
            return
        where = self._where(seen)
        for sentence in seen.wrong:
            self._find(self._wrong, where, sentence)
        if seen.note:
            self._find(self._notes, where, seen.note)
        if seen.kind == "entry":
            self._entries += 1
            self._entry(seen, where)
            return
        self._sidecars += 1
        if seen.place is None or seen.wrong:
            return
        if seen.kind in ("stored", "shown"):
            if not self._chain(seen.ch, seen.of, seen.place.epoch).holds(seen.place):
                self._find(self._wrong, where, f"it is about entry {seen.place.seq} of {seen.of}, which is not here")
        elif seen.kind == checkpoint.KIND:
            self._checkpoint(seen, where)
        elif seen.kind == "split":
            self._find(
                self._notes, where, f"{seen.author} signed it over other entries than it sent here: a split view"
            )

    def _entry(self, seen: Seen, where: str) -> None:
        assert seen.place is not None
        place = seen.place
        anchor = self._anchors.get((seen.ch, seen.author, place.epoch))
        self._trusted += anchor is not None and place.seq <= anchor.size
        chain = self._chain(seen.ch, seen.author, place.epoch)
        have = len(chain.hashes)
        if place.seq != have + 1:
            missing = f"entries {have + 1} to {place.seq - 1} before it are missing"
            twice = f"it stands after entry {have}: out of order, or twice"
            self._find(self._wrong, where, missing if place.seq > have else twice)
            chain.tree = None  # roots cannot be compared any more
            chain.hashes += [""] * (place.seq - 1 - have)
            if place.seq <= have:
                return
        elif seen.prev != (chain.hashes[-1] if have else NO_PREV):
            self._find(self._wrong, where, f"it does not follow entry {place.seq - 1} as it stands here")
        chain.append(place.hash)
        if place.seq == 1 and seen.type != "epoch":
            self._find(self._wrong, where, "an epoch begins with its opening, and this is none")
        if seen.opens is not None and not self._chain(seen.ch, seen.author, seen.opens.epoch).holds(seen.opens):
            self._find(
                self._wrong, where, f"it opens an epoch after entry {seen.opens.seq} of another, which is not here"
            )

    def _checkpoint(self, seen: Seen, where: str) -> None:
        assert seen.place is not None
        key = (seen.ch, seen.author, seen.place.epoch)
        chain, size = self._chain(*key), seen.place.seq
        if size > len(chain.hashes):
            self._find(self._wrong, where, f"it covers {size} entries, and only {len(chain.hashes)} are here before it")
        elif chain.tree is None:
            self._find(self._wrong, where, "it cannot be compared, because entries are missing")
        elif chain.tree.root(size).hex() != seen.place.hash:
            self._find(self._wrong, where, "its root is not that of the entries here")
        elif seen.cosigners and (key not in self._cosigned or self._cosigned[key].size <= size):
            before = self._cosigned.get(key)
            by = set(seen.cosigners) | (set(before.by) if before is not None and before.size == size else set())
            self._cosigned[key] = Cosigned(*key, size, tuple(sorted(by)))

    def _chain(self, ch: str, author: str, epoch: str) -> _Chain:
        return self._chains.setdefault((ch, author, epoch), _Chain())

    # --- words ---

    def _where(self, seen: Seen) -> str:
        agreement = self._agreements.get(seen.ch)
        line = agreement.mechanism if agreement is not None else seen.ch[:12]
        if seen.place is None:
            return f"{line}, {seen.kind} of {seen.author}"
        at = f"epoch {seen.place.epoch[:8]}, entry {seen.place.seq}"
        match seen.kind:
            case "entry":
                return f"{line}, {seen.author}, {at}"
            case "stored" | "shown":
                return f"{line}, receipt ({seen.kind}) of {seen.author} for {seen.of}, {at}"
            case _:
                return f"{line}, checkpoint of {seen.author}, {at}"

    def _find(self, into: list[Finding], where: str, says: str) -> None:
        if len(into) >= FINDINGS_MAX:
            self._more += 1
            return
        into.append(Finding(where, says))

    def report(self) -> Report:
        for chain, anchor in self._anchors.items():
            reached = self._cosigned.get(chain)
            if reached is None or reached.size < anchor.size:
                says = "the cosigned checkpoint that this audit started from is not borne out: audit everything"
                self._find(self._wrong, f"{chain[1]}, epoch {chain[2][:8]}, checkpoint {anchor.size}", says)
        cosigned = tuple(self._cosigned[key] for key in sorted(self._cosigned))
        return Report(
            self._entries, self._sidecars, self._trusted, tuple(self._wrong), tuple(self._notes), self._more, cosigned
        )
