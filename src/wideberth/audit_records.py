# SPDX-License-Identifier: Apache-2.0
"""One record at a time: what can be checked of it without the others. Signatures are the dear part of an audit, and
batches of records can be looked at side by side, in processes of their own.

`look(batch)` gives one `Seen` for each record; `audit.py` puts them together.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from wideberth.core.records import EntryRecord, SettingRecord, SidecarRecord
from wideberth.core.say.words import Place
from wideberth.core.seal import canonical, checkpoint, envelope, heads, linecheck, mediation
from wideberth.core.seal import entry as entries
from wideberth.core.seal import receipt as receipts
from wideberth.core.seal.entry import Header, Unread
from wideberth.core.seal.keys import Ed25519Verifier, unb64
from wideberth.core.seal.party import Card, Keys
from wideberth.errors import BadSignature, Fault, Malformed, Stranger

Cards = dict[tuple[str, str], tuple[Card, ...]]  # by channel and party: every one, the newest first
Chain = tuple[str, str, str]  # channel, author, epoch


class Anchor(msgspec.Struct, frozen=True):
    """A cosigned checkpoint to start from: what it covers is bound by its root, and its signatures are not looked at
    again. `stored_ms`: when it was stored."""

    size: int
    stored_ms: int


class Batch(msgspec.Struct, frozen=True):
    """Some records in the order of the store, and whose keys hold for them: `keys` for the entries of a chain, `cards`
    for what stands beside the strands."""

    records: list[EntryRecord | SidecarRecord | SettingRecord]
    cards: Cards
    keys: dict[Chain, Keys]
    anchors: dict[Chain, Anchor]


class Seen(msgspec.Struct, frozen=True):
    """What one record is by its own bytes, and what is wrong with it by itself.

    `place` of an entry: its own. Of a receipt: what it is about (`of`). Of a checkpoint: size, with its root as hash.
    `opens`: the predecessor that an opening of an epoch names. `note` is no fault, but worth showing.
    """

    kind: str
    ch: str
    author: str
    place: Place | None = None
    of: str = ""
    prev: str = ""
    type: str = ""
    opens: Place | None = None
    cosigners: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    note: str = ""


_VERIFIER: Final = Ed25519Verifier()
_HEADERS: Final = msgspec.json.Decoder(Header)


def look(batch: Batch) -> list[Seen]:
    """One `Seen` for each record. Never raises on what a record holds."""
    return [_seen(r, batch) for r in batch.records]


def _seen(record: EntryRecord | SidecarRecord | SettingRecord, batch: Batch) -> Seen:
    if isinstance(record, EntryRecord):
        return _entry(record, batch)
    if isinstance(record, SettingRecord):
        return Seen("setting", "", "")
    try:
        seen = _sidecar(record, batch)
    except Fault as fault:
        seen = Seen(record.kind, record.ch, record.author, wrong=(fault.sentence,))
    if record.key != canonical.sha256(record.envelope):
        seen = msgspec.structs.replace(seen, wrong=(*seen.wrong, "it is not filed under its own hash"))
    return seen


def _cards(batch: Batch, ch: str, party: str) -> tuple[Card, ...]:
    cards = batch.cards.get((ch, party))
    if not cards:
        raise Stranger(f"no card of {party} in this record says which keys are theirs")
    return cards


def _by_node(batch: Batch, ch: str, party: str, check: Callable[[str], None]) -> None:
    """What stands beside the strands is signed with a node key of its time: with any that a card of the party has."""
    *before, last = dict.fromkeys(card.node for card in _cards(batch, ch, party))
    for key in before:
        with suppress(BadSignature):
            return check(key)
    return check(last)


def _entry(record: EntryRecord, batch: Batch) -> Seen:
    hash_, prev = record.hash, record.prev
    anchor = batch.anchors.get((record.ch, record.author, record.epoch))
    covered = anchor is not None and record.seq <= anchor.size
    wrong, opens, note = [], None, ""
    try:
        entry, sealed, payload = entries.read(record.envelope, record.body)
        h = entry.header
        filed = (record.ch, record.author, record.epoch, record.seq, record.hash, record.prev, record.type)
        if filed != (h.ch, h.sender, h.epoch, h.seq, entry.hash, h.prev, h.type):
            wrong.append("it is filed under another place, type or hash than its header says")
            hash_, prev = entry.hash, h.prev
        first = Keys(_cards(batch, record.ch, record.author)[-1])
        keys = batch.keys.get((record.ch, record.author, record.epoch), first)
        if not covered:
            entries.check(entry, sealed, payload, keys.card, _VERIFIER)
        if not covered or h.type == "epoch":
            said = entries.open_body(entry, keys, _VERIFIER)
            if isinstance(said, Unread):
                note = f"{said.fault}: {said.text}"
            opens = entries.opening_in(entry).predecessor
    except Fault as fault:
        wrong.append(fault.sentence)
    place = Place(record.epoch, record.seq, hash_)
    return Seen(
        "entry", record.ch, record.author, place, "", prev, record.type, opens=opens, wrong=tuple(wrong), note=note
    )


def _sidecar(record: SidecarRecord, batch: Batch) -> Seen:
    plain = Seen(record.kind, record.ch, record.author)
    match record.kind:
        case "stored" | "shown":
            return _receipt(record, batch)
        case checkpoint.KIND | "split":
            return _checkpoint(record, batch)
        case linecheck.KIND:
            message, sealed, payload = linecheck.read(record.envelope)
            if not _before(record, batch):
                _by_node(
                    batch, message.ch, message.sender,
                    lambda key: linecheck.check(message, sealed, payload, key, _VERIFIER),
                )  # fmt: skip
        case "fence":
            fence, sealed, payload = heads.read(record.envelope)
            _by_node(batch, fence.ch, fence.sender, lambda key: heads.check(fence, sealed, payload, key, _VERIFIER))
        case "equivocation":
            return msgspec.structs.replace(plain, note=_proof(record, batch))
        case "stamp":
            _stamp(record)
        case mediation.KEPT_STAMP | mediation.KEPT_PROOF:
            _of_mediator(record)
        case "card" | "agreement" | "pending":
            pass  # these say whose keys hold: `audit.py` reads them first
        case _:
            return msgspec.structs.replace(plain, note=f"sidecars of kind {record.kind!r} are not known here")
    return plain


def _before(record: SidecarRecord, batch: Batch) -> bool:
    """Stored before every checkpoint of its line that the audit starts from."""
    times = [a.stored_ms for (ch, _, _), a in batch.anchors.items() if ch == record.ch]
    return bool(times) and record.stored_ms < min(times)


def _receipt(record: SidecarRecord, batch: Batch) -> Seen:
    receipt, sealed, payload = receipts.read(record.envelope)
    anchor = batch.anchors.get((receipt.ch, receipt.of, receipt.epoch))
    if anchor is None or receipt.seq > anchor.size:
        _by_node(
            batch, receipt.ch, receipt.sender, lambda key: receipts.check(receipt, sealed, payload, key, _VERIFIER)
        )
    place = Place(receipt.epoch, receipt.seq, receipt.head)
    if (receipt.ch, receipt.sender, receipt.level) != (record.ch, record.author, record.kind):
        raise Malformed("it is filed under another line, party or level than it says")
    return Seen(record.kind, receipt.ch, receipt.sender, place, of=receipt.of)


def _checkpoint(record: SidecarRecord, batch: Batch) -> Seen:
    found, signed = checkpoint.read(record.envelope)
    anchor = batch.anchors.get((found.ch, found.author, found.epoch))
    place = Place(found.epoch, found.size, found.root.hex())
    seen = Seen(record.kind, found.ch, found.author, place)
    if anchor is not None and found.size < anchor.size:
        return seen
    keys = {p: tuple(c.node for c in cards) for (ch, p), cards in batch.cards.items() if ch == found.ch}
    _cards(batch, found.ch, found.author)
    checkpoint.check_author(found, signed, keys[found.author], _VERIFIER)
    names = tuple(c.party for c in checkpoint.cosigners(found, signed, keys, _VERIFIER) if c.party != found.author)
    return msgspec.structs.replace(seen, cosigners=names)


def _stamp(record: SidecarRecord) -> None:
    """Spelling only: whose word it is, the roots say, and those are not in the record (`stamps.check_token`)."""
    try:
        token = unb64(msgspec.json.decode(record.envelope, type=str), "stamp")
    except msgspec.DecodeError as why:
        raise Malformed(f"a time stamp that cannot be read: {why}") from None
    if not token.startswith(b"\x30"):
        raise Malformed("it is kept as a time stamp, and is no DER")


def _of_mediator(record: SidecarRecord) -> None:
    """Spelling and place only: whose key it is, the mediator's card says, and that is not in the record."""
    if canonical.sha256(record.envelope) != record.key:
        raise Malformed("what a mediator signed is filed under another hash than its own")
    if record.kind == mediation.KEPT_STAMP and mediation.stamped_by(record.envelope) != record.author:
        raise Malformed("a stamp is filed under another mediator than it says")


def _proof(record: SidecarRecord, batch: Batch) -> str:
    """Two different headers for one place, both signed. Raises Malformed, BadSignature when it is no such proof."""
    try:
        proof = msgspec.json.decode(record.envelope, type=dict[str, msgspec.Raw])
        sealed = [envelope.read(bytes(proof[name]), envelope.ENTRY) for name in ("first", "second")]
        one, two = (_HEADERS.decode(payload) for _, payload in sealed)
    except (msgspec.DecodeError, KeyError) as why:
        raise Malformed(f"a proof of equivocation that cannot be read: {why}") from None
    for each, payload in sealed:
        _by_node(
            batch, one.ch, one.sender, partial(envelope.check, each, payload, verifier=_VERIFIER, what="equivocation")
        )
    places = {(h.ch, h.sender, h.epoch, h.seq) for h in (one, two)}
    if len(places) != 1 or sealed[0][1] == sealed[1][1]:
        raise Malformed("it is kept as a proof of equivocation, and proves none")
    return f"proves that {one.sender} signed two different entries for place {one.seq} of epoch {one.epoch[:8]}"
