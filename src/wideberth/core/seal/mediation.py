# SPDX-License-Identifier: Apache-2.0
"""What is signed about a sealed delivery that a mediator passes on, and what follows when it is not what was sent.

A mediator (a neutral host) relays sealed deliveries and stamps them with its time. It holds no key that opens one. Two
short statements travel with each delivery, beside the seal:

    Slip    by the sender's node: "these bytes, of this hash, are mine, for this recipient"
    Stamp   by the mediator: "I had these bytes with this slip at `received_ms` and passed them on at `passed_ms`"

A mediator stamps only what its slip covers: that is its one duty. So the two together say who changed something:

    stamp over these bytes, slip over others, or forged      the mediator: it signed for bytes it should have refused
    stamp and slip over these bytes, and they do not open    the sender: it signed bytes that nobody can open
    stamp over other bytes, or with another slip             nobody: whoever saw a stamp can send it along

A slip under a key that the reader does not know is neither: the sender may have a newer card, which travels inside.
Then the delivery is opened all the same (what is in it is signed as well), and if that fails nobody is named.

The first two are `Spoiled`, and slip and stamp are a proof that needs no third thing. A stamp binds the slip's bytes as
sent, so a sender cannot put another slip under a stamp to accuse the mediator; the slip of an answer names the delivery
that it answers, so an old answer cannot be passed off for a new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from wideberth.core.limits import INTEGER_MAX, NAME_CHARS_MAX
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.entry import is_hash
from wideberth.core.seal.keys import Signer, Verifier, key_id, unb64
from wideberth.core.seal.party import check_party_name
from wideberth.errors import BadSignature, Fault, Malformed, Spoiled, Stranger, Theirs

SLIP: Final = "application/vnd.wideberth.slip+json"
STAMP: Final = "application/vnd.wideberth.relay-stamp+json"
MEDIATOR: Final = "application/vnd.wideberth.mediator+json"
REACH: Final = "application/vnd.wideberth.reach+json"

# Kinds of sidecars: a mediator's stamp that a node keeps, and a proof of who spoiled a delivery.
KEPT_STAMP: Final = "relay-stamp"
KEPT_PROOF: Final = "spoiled"

_WHY_CHARS_MAX: Final = 80
_URL_CHARS_MAX: Final = 256
_PEM_CHARS_MAX: Final = 4096


class _Passage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"sender": "from"}):
    """What both statements are about: `sha256`, in hex, of the sealed bytes, in `ch` from `sender` to `to`."""

    v: int
    ch: str
    sender: str
    to: str
    sha256: str

    def __post_init__(self) -> None:
        if self.v != 1 or not is_hash(self.ch) or not is_hash(self.sha256):
            raise Malformed("this is not a slip or stamp of version 1")


class Slip(_Passage, frozen=True):
    """The sender's node signs it at its clock `t_ms`. `answers`: the hash of the delivery this goes back for, or ""."""

    t_ms: int
    answers: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.t_ms <= INTEGER_MAX or not (self.answers == "" or is_hash(self.answers)):
            raise Malformed("this is not a slip of version 1")


class Stamp(_Passage, frozen=True):
    """The mediator signs it at its clock, ms UTC. `slip`: SHA-256 of the slip's envelope as sent.

    `passed_ms` is when it handed the bytes over, 0 if it did not. `why` is empty, or says in capitals why no answer of
    the recipient's comes with it: UNREACHABLE, NO_ANSWER, REFUSED with what the recipient said, BAD_ANSWER.
    """

    mediator: str
    slip: str
    received_ms: int
    passed_ms: int
    why: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_mediator_name(self.mediator)
        times = 0 <= self.received_ms <= INTEGER_MAX and 0 <= self.passed_ms <= INTEGER_MAX
        if not times or not is_hash(self.slip) or len(self.why) > _WHY_CHARS_MAX or not self.why.isascii():
            raise Malformed("this is not a stamp of version 1")


class MediatorCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a mediator shows: signed by its own key, which *is* the mediator. Those who use it pin `tls_pem`."""

    v: int
    mediator: str
    key: str
    url: str
    tls_sha256: str
    tls_pem: str
    contact: str = ""

    def __post_init__(self) -> None:
        check_mediator_name(self.mediator)
        unb64(self.key, "mediator's key", 32)
        long = len(self.url) > _URL_CHARS_MAX or len(self.tls_pem) > _PEM_CHARS_MAX
        if self.v != 1 or long or len(self.contact) > NAME_CHARS_MAX:
            raise Malformed("this is not a mediator's card of version 1")


class Reach(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """A member's node asks whether the mediator gets through to another's now. It moves nothing and is not stamped."""

    v: int
    sender: str
    to: str


_SLIPS: Final = msgspec.json.Decoder(Slip)
_STAMPS: Final = msgspec.json.Decoder(Stamp)
_CARDS: Final = msgspec.json.Decoder(MediatorCard)
_REACHES: Final = msgspec.json.Decoder(Reach)


class Handed(msgspec.Struct, frozen=True):
    """A delivery as a mediator handed it over, after `check_handed`: bytes as sent, and what slip and stamp say.

    `vouched` is False where the slip is under a key that we do not know for the sender.
    """

    sealed: bytes
    slip_envelope: bytes
    stamp_envelope: bytes
    slip: Slip
    stamp: Stamp
    vouched: bool = True

    def by_sender(self, fault: Fault) -> Theirs:
        """These bytes cannot be used, as `fault` says: what to tell of whoever signed for them."""
        if not self.vouched:
            return BadSignature(
                f"a delivery that {self.stamp.mediator} handed over as of {self.slip.sender} cannot be used "
                f"({fault.sentence}), and it is signed with a key of {self.slip.sender} that this node does not know: "
                "a newer card's, or made up on the way. Nobody can be named for it; use the telephone",
                mediator=self.stamp.mediator,
                reason="slip",
            )
        return Spoiled(
            f"{self.slip.sender} signed a delivery that cannot be used ({fault.sentence}). {self.stamp.mediator} "
            f"passed on what {self.slip.sender} signed; its signature is kept as proof",
            by=self.slip.sender,
            proof=proof(self.slip.sender, self.sealed, self.slip_envelope, self.stamp_envelope),
            mediator=self.stamp.mediator,
        )


@contextmanager
def answered_for(handed: Handed | None) -> Iterator[None]:
    """Around the opening of a delivery. What breaks the protocol in one that came through a mediator is the fault of
    whoever signed for these bytes: the sender. Strangers are not: a key that is gone here accuses nobody."""
    try:
        yield
    except Theirs as fault:
        if handed is None or isinstance(fault, Stranger):
            raise
        raise handed.by_sender(fault) from None


# --- writing ---


def sign_slip(slip: Slip, node: Signer) -> bytes:
    """The envelope as sent."""
    return envelope.seal(SLIP, canonical.encode(slip), node).encoded()


def sign_stamp(stamp: Stamp, mediator: Signer) -> bytes:
    """The envelope as sent."""
    return envelope.seal(STAMP, canonical.encode(stamp), mediator).encoded()


def sign_mediator(card: MediatorCard, key: Signer) -> bytes:
    """The envelope as shown to parties."""
    return envelope.seal(MEDIATOR, canonical.encode(card), key).encoded()


def sign_reach(sender: str, to: str, node: Signer) -> bytes:
    """The envelope as sent."""
    return envelope.seal(REACH, canonical.encode(Reach(1, sender, to)), node).encoded()


def proof(by: str, sealed: bytes, slip: bytes, stamp: bytes) -> bytes:
    """Who spoiled a delivery, with the two signed statements that show it; the bytes themselves only as their hash."""
    value: dict[str, Any] = {
        "by": by, "sha256": canonical.sha256(sealed), "slip": msgspec.Raw(slip), "stamp": msgspec.Raw(stamp), "v": 1
    }  # fmt: skip
    return canonical.encode(value)


# --- reading ---


def read_mediator(data: bytes, verifier: Verifier) -> MediatorCard:
    """A card that its own key signed. Raises: Oversized, Malformed, BadSignature."""
    sealed, payload = envelope.read(data, MEDIATOR)
    card = canonical.read(payload, _CARDS, "mediator's card")
    envelope.check(sealed, payload, card.key, verifier, f"card of the mediator {card.mediator}")
    return card


def read_reach(data: bytes) -> Reach:
    """Who asks for whom; believe it after `check_reach`. Raises: Oversized, Malformed."""
    return canonical.read(envelope.read(data, REACH)[1], _REACHES, "reach")


def check_reach(data: bytes, node_keys: Sequence[str], verifier: Verifier) -> None:
    """Raises: Oversized, Malformed, BadSignature unless one of these keys signed it."""
    sealed, payload = envelope.read(data, REACH)
    named = {signature.keyid for signature in sealed.signatures}
    key = next((key for key in node_keys if key_id(key) in named), node_keys[0])
    envelope.check(sealed, payload, key, verifier, "reach")


def read_stamp(data: bytes, card: MediatorCard, verifier: Verifier) -> Stamp:
    """A stamp by this mediator. Raises: Oversized, Malformed, Stranger, BadSignature."""
    sealed, payload = envelope.read(data, STAMP)
    stamp = canonical.read(payload, _STAMPS, "stamp")
    if stamp.mediator != card.mediator:
        raise Stranger(f"this stamp is of another mediator than {card.mediator}")
    envelope.check(sealed, payload, card.key, verifier, f"stamp of {card.mediator}")
    return stamp


def stamped_by(data: bytes) -> str:
    """Which mediator a stamp names. Nothing is believed yet. Raises: Oversized, Malformed."""
    return canonical.read(envelope.read(data, STAMP)[1], _STAMPS, "stamp").mediator


def admit(
    slip: bytes, sealed: bytes, way: tuple[str, str, str], node_keys: Sequence[str], verifier: Verifier
) -> tuple[Slip, bool]:
    """A mediator's one duty: the slip is over these very bytes, in `way` (ch, from, to), and by the sender's node,
    whose keys, now and before, are `node_keys`.

    Returns the slip, and whether it is by one of them: False where it names a key that is none of these. Raises:
    Oversized, Malformed, BadSignature.
    """
    signed, payload = envelope.read(slip, SLIP)
    found = canonical.read(payload, _SLIPS, "slip")
    if (found.ch, found.sender, found.to) != way or found.sha256 != canonical.sha256(sealed):
        raise BadSignature("the slip of this delivery is over other bytes, or for another recipient")
    named = {signature.keyid for signature in signed.signatures}
    for key in node_keys:
        if key_id(key) in named:
            envelope.check(signed, payload, key, verifier, f"slip of {found.sender}")
            return found, True
    return found, False


def check_stamp(data: bytes, card: MediatorCard, slip: bytes, sealed: bytes, verifier: Verifier) -> Stamp:
    """The mediator's stamp over exactly these bytes with exactly this slip.

    Raises: Oversized, Malformed, Stranger, BadSignature. None of them proves anything against the mediator: whoever saw
    a stamp can send it along with something else.
    """
    stamp = read_stamp(data, card, verifier)
    if stamp.sha256 != canonical.sha256(sealed) or stamp.slip != canonical.sha256(slip):
        raise BadSignature(
            f"a delivery came with a stamp of {card.mediator} that is over other bytes: it was changed after it was "
            "stamped, by the mediator or by somebody else who saw the stamp. It was not taken; nothing proves by whom",
            mediator=card.mediator,
            reason="stamp",
        )
    return stamp


def check_handed(
    slip: bytes,
    stamp: bytes,
    sealed: bytes,
    card: MediatorCard,
    node_keys: Sequence[str],
    verifier: Verifier,
    *,
    answers: str = "",
) -> Handed:
    """What a mediator handed over, by the rule of the module. `node_keys`: those of the node that must have sent it.

    `answers`: the hash of our delivery, where this must be the answer to it. Raises: Spoiled, naming the mediator, with
    the proof; and what `check_stamp` raises.
    """
    stamped = check_stamp(stamp, card, slip, sealed, verifier)
    way = (stamped.ch, stamped.sender, stamped.to)
    try:
        found, vouched = admit(slip, sealed, way, node_keys, verifier)
    except Fault as fault:
        raise _by_mediator(stamped, slip, stamp, sealed, str(fault)) from None
    if found.answers != answers:
        raise Malformed(
            f"{card.mediator} handed over what {stamped.sender} signed for another purpose: an old answer as the "
            "answer to this delivery, or an answer as a delivery. It was not taken",
            mediator=card.mediator,
            reason="answer",
        )
    return Handed(sealed, slip, stamp, found, stamped, vouched)


def _by_mediator(stamped: Stamp, slip: bytes, stamp: bytes, sealed: bytes, why: str) -> Spoiled:
    return Spoiled(
        f"{stamped.mediator} stamped and handed over, as of {stamped.sender}, what {stamped.sender} did not sign: "
        f"{why}. It was not taken. {stamped.mediator}'s own stamp is kept as proof. Use the telephone, and another way "
        f"than {stamped.mediator} (`wideberth way set`)",
        by=stamped.mediator,
        proof=proof(stamped.mediator, sealed, slip, stamp),
        mediator=stamped.mediator,
    )


def check_mediator_name(name: str) -> None:
    """Named as parties are. Raises: BadInput."""
    check_party_name(name)
