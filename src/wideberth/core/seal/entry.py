# SPDX-License-Identifier: Apache-2.0
"""An entry: a signed header that owns a place in a strand, and a salted body that travels beside it.

    header  {"agr","body_sha256","by","ch","epoch","from","prev","seen","seq","t_ms","type","v"}   signed by the node
    body    {"body": {"said": {...}, "sig": {...}}, "salt": "..."}                                  bound by its hash

The body can be shown alone or withheld, and the chain still verifies. What a person says is `said`, signed by that
post's key inside the body (`sig`); the node owns header and place. A remark, an epoch or a card by the node itself has
no `sig` of a person unless a supervisor's is asked for.

Reading is in steps, and each names its fault: size, spelling, signature here; the place in `carry/strand.py`. A body is
never a reason to refuse an entry: `open_body` returns what it says, or an `Unread` that says why not.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from wideberth.core.limits import FRAME_BYTES_MAX, HEADER_BYTES_MAX, INTEGER_MAX, MEMBERS_MAX
from wideberth.core.say.words import Place, Word
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.envelope import ENTRY, STATEMENT, Envelope, Signature
from wideberth.core.seal.keys import Signer, Verifier, b64, key_id, unb64
from wideberth.core.seal.party import Card, Keys
from wideberth.errors import BadInput, BadSignature, Malformed, Oversized, Stranger

NO_PREV: Final = "0" * 64
SALT_BYTES: Final = 16
EPOCH_BYTES: Final = 16


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """Twelve facts about a place in a strand. `sender` is written `from` (a Python keyword).

    `seen` maps each other member heard so far to the place of its newest entry that the author durably holds.
    `t_ms` is the author's claim about the time: testimony, never order.
    """

    v: int
    type: str
    ch: str
    agr: str
    sender: str
    by: str
    epoch: str
    seq: int
    prev: str
    seen: dict[str, Place]
    t_ms: int
    body_sha256: str


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement: who (post), in which channel, when by its claim, what. These bytes are what the post's key signs."""

    by: str
    ch: str
    t_ms: int
    what: Word


class _SaidLoose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    by: str
    ch: str
    t_ms: int
    what: msgspec.Raw


class _Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    said: msgspec.Raw
    sig: Signature | None = None


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    body: _Inner
    salt: str


class Entry(msgspec.Struct, frozen=True):
    """A header whose signature verified, with its hash and the bytes as sent."""

    header: Header
    hash: str
    envelope: bytes
    body: bytes

    @property
    def place(self) -> Place:
        return Place(self.header.epoch, self.header.seq, self.hash)


class Unread(msgspec.Struct, frozen=True):
    """A body that is kept but has no effect: UNREADABLE (not text we can parse) or NOT_UNDERSTOOD (breaks a rule).
    `unsigned`: the post that it names did not sign it for this place, so no person said it."""

    fault: Literal["UNREADABLE", "NOT_UNDERSTOOD"]
    text: str
    unsigned: bool = False


_ENVELOPES: Final = msgspec.json.Decoder(Envelope)
_HEADERS: Final = msgspec.json.Decoder(Header)
_BODIES: Final = msgspec.json.Decoder(_Body)
_SAID: Final = msgspec.json.Decoder(Said)
_SAID_LOOSE: Final = msgspec.json.Decoder(_SaidLoose)
_HEX: Final = frozenset("0123456789abcdef")


def is_hash(text: str) -> bool:
    return len(text) == 64 and _HEX.issuperset(text)


def state(by: str, ch: str, t_ms: int, what: Word, signer: Signer | None) -> tuple[bytes, Signature | None]:
    """Write a statement and sign it with the post's key (None: the node itself speaks)."""
    said = canonical.encode(Said(by, ch, t_ms, what))
    if signer is None:
        return said, None
    return said, Signature(key_id(signer.public), b64(signer.sign(envelope.pae(STATEMENT, said))))


def pack_body(said: bytes, sig: Signature | None, salt: bytes) -> bytes:
    """The canonical `{body, salt}` that the header binds by its hash."""
    return canonical.encode(_Body(_Inner(msgspec.Raw(said), sig), b64(salt)))


def seal(header: Header, body: bytes, node: Signer) -> Entry:
    """Sign a header with the node's key. The caller answers for the place.

    Raises: BadInput when it would be longer than a frame may be.
    """
    payload = canonical.encode(header)
    sealed = envelope.seal(ENTRY, payload, node).encoded()
    if len(sealed) + len(body) > FRAME_BYTES_MAX:
        raise BadInput(
            f"this is too long to send: {len(sealed) + len(body)} bytes, at most {FRAME_BYTES_MAX}; use fewer corners"
        )
    return Entry(header, canonical.sha256(payload), sealed, body)


def read(envelope_bytes: bytes, body: bytes) -> tuple[Entry, Envelope, bytes]:
    """Size and spelling. The signature is checked by `check`, once the caller knows whose key it must be.

    Raises: Oversized, Malformed.
    """
    if len(envelope_bytes) + len(body) > FRAME_BYTES_MAX:
        raise Oversized(f"an entry has at most {FRAME_BYTES_MAX} bytes, not {len(envelope_bytes) + len(body)}")
    sealed, payload = envelope.read(envelope_bytes, ENTRY)
    if len(payload) > HEADER_BYTES_MAX:
        raise Oversized(f"a header has at most {HEADER_BYTES_MAX} bytes, not {len(payload)}")
    header = canonical.read(payload, _HEADERS, "header")
    _check_header(header)
    hash_ = canonical.sha256(payload)
    if canonical.sha256(body) != header.body_sha256:
        raise Malformed("the body is not the one that its header binds", entry=hash_)
    return Entry(header, hash_, envelope_bytes, body), sealed, payload


def reread(envelope_bytes: bytes, body: bytes, hash_: str) -> Entry:
    """An entry out of our own store: size, spelling and signature were checked when it came, the bits are compared.

    Raises: Malformed, for what the disk did not give back as it was written.
    """
    try:
        payload = _ENVELOPES.decode(envelope_bytes).payload_bytes()
        header = _HEADERS.decode(payload)
    except (msgspec.DecodeError, ValueError) as fault:
        raise Malformed(f"stored entry {hash_[:12]}: {fault}") from None
    if canonical.sha256(payload) != hash_ or canonical.sha256(body) != header.body_sha256:
        raise Malformed(f"stored entry {hash_[:12]} is not as it was written; run `audit`", entry=hash_)
    return Entry(header, hash_, envelope_bytes, body)


def _check_header(header: Header) -> None:
    if header.v != 1:
        raise Malformed(f"header: version {header.v} of the format is not known here")
    if not 1 <= header.seq <= INTEGER_MAX or not 0 <= header.t_ms <= INTEGER_MAX:
        raise Malformed("header: seq starts at 1, and t_ms is milliseconds UTC")
    if not (is_hash(header.ch) and is_hash(header.agr) and is_hash(header.prev) and is_hash(header.body_sha256)):
        raise Malformed("header: a hash is 64 small hex digits")
    if len(header.epoch) != 2 * EPOCH_BYTES or not _HEX.issuperset(header.epoch):
        raise Malformed(f"header: an epoch is {2 * EPOCH_BYTES} small hex digits")
    if (header.seq == 1) != (header.prev == NO_PREV):
        raise Malformed("header: the first prev of an epoch is 64 zeros, and no other is")
    if len(header.seen) >= MEMBERS_MAX or header.sender in header.seen:
        raise Malformed("header: `seen` names the other members")
    for place in header.seen.values():
        if not is_hash(place.hash) or place.seq < 1 or len(place.epoch) != 2 * EPOCH_BYTES:
            raise Malformed("header: a place in `seen` is [epoch, seq, hash]")
    if len(header.by) > 48 or len(header.type) > 24:
        raise Malformed("header: a name is too long")


def check(entry: Entry, sealed: Envelope, payload: bytes, card: Card, verifier: Verifier) -> None:
    """Raise `BadSignature` unless the sender's node signed this header."""
    envelope.check(sealed, payload, card.node, verifier, f"entry {entry.header.seq} of {entry.header.sender}")


def open_body(entry: Entry, keys: Keys, verifier: Verifier) -> Said | Unread:
    """What the entry says, or why it has no effect. Never raises on a peer's bytes.

    A person's statement must be signed by the post that `by` names, with the key that holds at this place; what the
    node itself says (`NODE_KINDS`) may be signed by the header alone.
    """
    header = entry.header
    try:
        canonical.check(entry.body, "body")
        body = _BODIES.decode(entry.body)
        unb64(body.salt, "salt", SALT_BYTES)
    except (Malformed, msgspec.DecodeError, ValueError) as fault:
        return Unread("UNREADABLE", _brief(fault))
    said_bytes = bytes(body.body.said)
    try:
        said = _SAID.decode(said_bytes)
    except (msgspec.DecodeError, ValueError) as fault:
        try:
            _SAID_LOOSE.decode(said_bytes)
        except (msgspec.DecodeError, ValueError):
            return Unread("UNREADABLE", _brief(fault))
        return Unread("NOT_UNDERSTOOD", _brief(fault))
    kind = kind_of(said.what)
    if (said.ch, said.by, kind) != (header.ch, header.by, header.type):
        return Unread("NOT_UNDERSTOOD", "the statement was made for another channel, post or type", unsigned=True)
    if body.body.sig is None:
        if kind in NODE_KINDS and said.by == f"{header.sender}/node":
            return said
        return Unread("NOT_UNDERSTOOD", "a person's statement must be signed by that person's post", unsigned=True)
    try:
        for key, n in keys.revoked.items():
            if key_id(key) == body.body.sig.keyid:
                raise BadSignature(f"signed with a key that was revoked at entry {n}")
        post = keys.post(said.by)
        message = envelope.pae(STATEMENT, said_bytes)
        if body.body.sig.keyid != key_id(post.key):
            raise BadSignature(f"signed by key {body.body.sig.keyid[:16]}, which is not the key of {said.by}")
        if not verifier.verify(post.key, message, unb64(body.body.sig.sig, "statement", 64)):
            raise BadSignature(f"the signature of {said.by} does not verify")
    except (Stranger, BadSignature, Malformed) as fault:
        return Unread("NOT_UNDERSTOOD", _brief(fault), unsigned=True)
    return said


def reopen(entry: Entry) -> Said | Unread:
    """What an entry says that was understood before: one of ours, or one that `open_body` opened."""
    try:
        return _SAID.decode(_BODIES.decode(entry.body).body.said)
    except (msgspec.DecodeError, ValueError) as fault:
        return Unread("UNREADABLE", _brief(fault))


class Opening(msgspec.Struct, frozen=True):
    """What the first entry of an epoch says about its place and its keys. `card`: a DSSE envelope, or empty."""

    predecessor: Place | None = None
    fences: tuple[Place, ...] = ()
    card: str = ""


def opening_in(entry: Entry) -> Opening:
    """Of an entry that opens an epoch, as far as it can be read; of every other, nothing.

    Who signed the statement is not looked at: which keys hold there stands in it, and its place must not depend on
    that. So this reads loosely, and what is of another form counts as absent (spec/3).
    """
    header = entry.header
    if header.type != "epoch" or header.seq != 1:
        return Opening()
    try:
        canonical.check(entry.body, "body")
        what = msgspec.json.decode(entry.body)["body"]["said"]["what"]
    except (Malformed, msgspec.DecodeError, ValueError, LookupError, TypeError):
        return Opening()
    if not isinstance(what, dict) or what.get("kind") != "epoch":
        return Opening()
    card, fences = what.get("card"), what.get("fences")
    places = [_place(fence) for fence in fences.values()] if isinstance(fences, dict) else []
    return Opening(
        _place(what.get("predecessor")),
        tuple(p for p in places if p is not None),
        card if isinstance(card, str) else "",
    )


def _place(value: object) -> Place | None:
    """`[epoch, seq, hash]` of the form that each has, else None."""
    if not isinstance(value, list) or [type(v) for v in value] != [str, int, str]:
        return None
    place = Place(*value)
    return place if place.seq >= 1 and len(place.epoch) == 2 * EPOCH_BYTES and is_hash(place.hash) else None


# What a node may say in its own name.
NODE_KINDS: Final = frozenset({"remark", "epoch", "card"})


def kind_of(what: Word) -> str:
    """The `kind` on the wire, which is also the entry's type."""
    tag = what.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def _brief(fault: Exception) -> str:
    return "".join(c for c in str(fault) if c.isprintable())[:200]
