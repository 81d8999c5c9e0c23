# SPDX-License-Identifier: Apache-2.0
"""One record at a time: what can be checked of it without the others. Signatures are the dear part of an audit, and
batches of records can be looked at side by side, in processes of their own.

`look(batch)` gives one `Seen` for each record; `audit.py` puts them together.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.records import EntryRecord, SettingRecord, SidecarRecord
from wideberth.core.say.words import EpochOpened, Place
from wideberth.core.seal import canonical, checkpoint, envelope, heads, linecheck
from wideberth.core.seal import entry as entries
from wideberth.core.seal import receipt as receipts
from wideberth.core.seal.entry import Header, Unread
from wideberth.core.seal.keys import Ed25519Verifier, unb64
from wideberth.core.seal.party import Card
from wideberth.errors import Fault, Malformed, Stranger

Cards = dict[tuple[str, str], Card]  # by channel and party
Chain = tuple[str, str, str]  # channel, author, epoch


class Anchor(msgspec.Struct, frozen=True):
    """A cosigned checkpoint to start from: what it covers is bound by its root, and its signatures are not looked at
    again. `stored_ms`: when it was stored."""

    size: int
    stored_ms: int


class Batch(msgspec.Struct, frozen=True):
    """Some records in the order of the store, and the cards that hold for them."""

    records: list[EntryRecord | SidecarRecord | SettingRecord]
    cards: Cards
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


def _card(batch: Batch, ch: str, party: str) -> Card:
    card = batch.cards.get((ch, party))
    if card is None:
        raise Stranger(f"no card of {party} in this record says which keys are theirs")
    return card


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
        card = _card(batch, record.ch, record.author)
        if not covered:
            entries.check(entry, sealed, payload, card, _VERIFIER)
        if not covered or h.type == "epoch":
            said = entries.open_body(entry, card, _VERIFIER)
            if isinstance(said, Unread):
                note = f"{said.fault}: {said.text}"
            elif isinstance(said.what, EpochOpened):
                opens = said.what.predecessor
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
                linecheck.check(message, sealed, payload, _card(batch, message.ch, message.sender).node, _VERIFIER)
        case "fence":
            fence, sealed, payload = heads.read(record.envelope)
            heads.check(fence, sealed, payload, _card(batch, fence.ch, fence.sender).node, _VERIFIER)
        case "equivocation":
            return msgspec.structs.replace(plain, note=_proof(record, batch))
        case "stamp":
            _stamp(record)
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
        receipts.check(receipt, sealed, payload, _card(batch, receipt.ch, receipt.sender).node, _VERIFIER)
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
    checkpoint.check_author(found, signed, (_card(batch, found.ch, found.author).node,), _VERIFIER)
    keys = {party: (card.node,) for (ch, party), card in batch.cards.items() if ch == found.ch}
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


def _proof(record: SidecarRecord, batch: Batch) -> str:
    """Two different headers for one place, both signed. Raises Malformed, BadSignature when it is no such proof."""
    try:
        proof = msgspec.json.decode(record.envelope, type=dict[str, msgspec.Raw])
        sealed = [envelope.read(bytes(proof[name]), envelope.ENTRY) for name in ("first", "second")]
        one, two = (_HEADERS.decode(payload) for _, payload in sealed)
    except (msgspec.DecodeError, KeyError) as why:
        raise Malformed(f"a proof of equivocation that cannot be read: {why}") from None
    for each, payload in sealed:
        envelope.check(each, payload, _card(batch, one.ch, one.sender).node, _VERIFIER, "equivocation")
    places = {(h.ch, h.sender, h.epoch, h.seq) for h in (one, two)}
    if len(places) != 1 or sealed[0][1] == sealed[1][1]:
        raise Malformed("it is kept as a proof of equivocation, and proves none")
    return f"proves that {one.sender} signed two different entries for place {one.seq} of epoch {one.epoch[:8]}"
