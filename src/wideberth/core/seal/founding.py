# SPDX-License-Identifier: Apache-2.0
"""How more than two parties who share nothing get to one agreement that all of them signed.

    1  founder   founding    {card, founding}        every seat, line and number; signed by the founder's root
    2  each      joining     {card, joining}         its card, and the hash of the founding that it would join
    3  founder   charter     {agreement, cards}      when every card is there: the agreement, signed by the founder
    4  each      signature   {agreement}             the same agreement with its own signature
    5  founder   merges; the whole agreement travels with the first deliveries, and every line opens

Before the founder takes a joining in it compares that party's twelve words, and before a member signs the charter it
compares those of every other member: nobody signs a list with a name on it whose key they have not heard. Two parties
need none of this (`seal/invite.py`). No file carries a secret, and each can be made again from what is on file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from wideberth.core.limits import FRAME_BYTES_MAX
from wideberth.core.say.rules import Mode, Rules
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.agreement import (
    Agreement,
    LineTerms,
    Member,
    parse_agreement,
    read_agreement,
    sign_agreement,
)
from wideberth.core.seal.comparing import differences
from wideberth.core.seal.envelope import AGREEMENT, FOUNDING, JOINING, Envelope
from wideberth.core.seal.invite import Invite, ReplyFile
from wideberth.core.seal.keys import Signer, Verifier, b64, key_id
from wideberth.core.seal.party import Card, check_party_name, read_card
from wideberth.errors import BadInput, BadSignature, Malformed, Oversized

# 16 cards of at most 12 kB each, and the agreement.
FILE_BYTES_MAX: Final = 8 * FRAME_BYTES_MAX
NONCE_CHARS: Final = 32


class Seat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member to be. `by_voice`: it has no node, and is told by telephone. `speaks_for`: as `Member` has it."""

    party: str
    by_voice: bool = False
    speaks_for: tuple[str, ...] = ()


class Founding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything of the agreement but the keys. Seats stand in order of their names, the founder's among them."""

    v: int
    mechanism: str
    mode: Mode
    seats: tuple[Seat, ...]
    lines: tuple[LineTerms, ...]
    rules: Rules
    from_ms: int
    nonce: str
    clauses: tuple[str, ...] = ()

    def seat(self, party: str) -> Seat | None:
        return next((seat for seat in self.seats if seat.party == party), None)

    @property
    def with_nodes(self) -> tuple[str, ...]:
        """Who must show a card, and sign."""
        return tuple(seat.party for seat in self.seats if not seat.by_voice)


class Joining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party would join the founding with this hash. It has agreed to nothing yet."""

    v: int
    founding: str
    party: str


class FoundingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="founding", tag_field="wideberth"):
    card: Envelope
    founding: Envelope


class JoiningFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="joining", tag_field="wideberth"):
    card: Envelope
    joining: Envelope


class CharterFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="charter", tag_field="wideberth"):
    """The agreement with the founder's signature, and the cards of all, in order of their names."""

    agreement: Envelope
    cards: tuple[Envelope, ...]


class SignatureFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="signature", tag_field="wideberth"):
    agreement: Envelope


MeetingFile = Invite | ReplyFile | FoundingFile | JoiningFile | CharterFile | SignatureFile

_FILES: Final[msgspec.json.Decoder[MeetingFile]] = msgspec.json.Decoder(MeetingFile)
_FOUNDINGS: Final = msgspec.json.Decoder(Founding)
_JOININGS: Final = msgspec.json.Decoder(Joining)


def parse_file(data: bytes) -> MeetingFile:
    """Any file of a meeting, of two parties or more. Nothing is believed yet. Raises Oversized, Malformed."""
    if len(data) > FILE_BYTES_MAX:
        raise Oversized("this is too long for a file that parties meet by")
    try:
        return _FILES.decode(data)
    except (msgspec.DecodeError, ValueError) as fault:
        raise Malformed(f"this is not an invitation, reply, charter or signature of wideberth ({fault})") from None


# --- 1: the founder says who, what and how ---


def make_founding(card: Envelope, founding: Founding, root: Signer) -> FoundingFile:
    return FoundingFile(card, envelope.seal(FOUNDING, canonical.encode(founding), root))


def check_founding(founding: Founding, founder: str) -> None:
    """Raises BadInput or Malformed unless an agreement can come of it, whatever the keys will be."""
    if founding.v != 1:
        raise Malformed(f"founding: version {founding.v} of the format is not known here")
    if len(founding.nonce) != NONCE_CHARS or not founding.nonce.isalnum():
        raise Malformed("founding: the nonce is 32 hex digits")
    for seat in founding.seats:
        check_party_name(seat.party)
    if founder not in founding.with_nodes:
        raise Malformed(f"founding: {founder} founds a mechanism in which it has no seat")
    stand_in = {party: b64(hashlib.sha256(party.encode()).digest()) for party in founding.with_nodes}
    agreement_of(founding, stand_in)


def read_founding(file: FoundingFile, verifier: Verifier) -> tuple[Card, Founding, str]:
    """The founder's card, what it would found, and the hash of that; whose card it is only the words can tell."""
    card = read_card(file.card.encoded(), verifier)
    sealed, payload = envelope.read(file.founding.encoded(), FOUNDING)
    founding = canonical.read(payload, _FOUNDINGS, "founding")
    check_founding(founding, card.party)
    envelope.check(sealed, payload, card.root, verifier, f"founding by {card.party}")
    return card, founding, canonical.sha256(payload)


# --- 2: a party would join ---


def join_founding(file: FoundingFile, card: Envelope, root: Signer, verifier: Verifier) -> JoiningFile:
    """Call only after the founder's words were compared. Raises BadInput when there is no seat for us."""
    _, founding, digest = read_founding(file, verifier)
    mine = read_card(card.encoded(), verifier, root=root.public)
    if mine.party not in founding.with_nodes:
        names = ", ".join(seat.party for seat in founding.seats)
        raise BadInput(f"there is no seat for {mine.party} in this mechanism; it is for {names}", field="file")
    return JoiningFile(card, envelope.seal(JOINING, canonical.encode(Joining(1, digest, mine.party)), root))


def read_joining(file: JoiningFile, verifier: Verifier) -> tuple[Card, str]:
    """The card of who would join, and the hash of the founding meant. Raises as `read_founding`."""
    card = read_card(file.card.encoded(), verifier)
    sealed, payload = envelope.read(file.joining.encoded(), JOINING)
    joining = canonical.read(payload, _JOININGS, "joining")
    if joining.v != 1:
        raise Malformed(f"joining: version {joining.v} of the format is not known here")
    envelope.check(sealed, payload, card.root, verifier, f"joining of {card.party}")
    if joining.party != card.party:
        raise Malformed(f"joining: it is of {joining.party}, and the card of {card.party}")
    return card, joining.founding


# --- 3: every key is known ---


def agreement_of(founding: Founding, roots: Mapping[str, str]) -> Agreement:
    """What everybody will sign: it follows from the founding and the keys. Raises Malformed, BadInput."""
    return Agreement(
        v=1, mechanism=founding.mechanism, version=1, mode=founding.mode,
        members=tuple(Member(s.party, "" if s.by_voice else roots[s.party], s.speaks_for) for s in founding.seats),
        lines=founding.lines, rules=founding.rules, from_ms=founding.from_ms, nonce=founding.nonce,
        clauses=founding.clauses,
    )  # fmt: skip


def make_charter(founding: Founding, cards: Iterable[tuple[Card, Envelope]], root: Signer) -> CharterFile:
    """With the card of everybody that has a node, the founder's own too."""
    listed = sorted(cards, key=lambda each: each[0].party)
    agreement = agreement_of(founding, {card.party: card.root for card, _ in listed})
    return CharterFile(sign_agreement(agreement, root), tuple(sealed for _, sealed in listed))


def read_charter(file: CharterFile, founding: Founding, founder: Card, verifier: Verifier) -> dict[str, Card]:
    """The card of every member that has a node, by name. Whose they are only the words can tell.

    Raises BadInput that names every difference when the agreement is not what the founding says, and when a card is
    missing or of another key; BadSignature, Malformed.
    """
    cards = {card.party: card for card in (read_card(each.encoded(), verifier) for each in file.cards)}
    if sorted(cards) != sorted(founding.with_nodes) or len(cards) != len(file.cards):
        raise BadInput(
            f"this charter has cards of {', '.join(sorted(cards))}; there are seats with nodes for "
            f"{', '.join(founding.with_nodes)}. Nothing was signed",
            field="file",
        )
    if cards[founder.party].root != founder.root:
        raise BadInput(
            f"the key of {founder.party} in this charter is not the one whose words you compared. Nothing was signed",
            field="file",
        )
    agreement, sealed, payload = read_agreement(file.agreement.encoded(), verifier, complete=False)
    wanted = agreement_of(founding, {party: card.root for party, card in cards.items()})
    if canonical.encode(agreement) != canonical.encode(wanted):
        found = "; ".join(map(str, differences(wanted, agreement))) or "it follows another version"
        raise BadInput(f"this charter changes what was offered: {found}. Nothing was signed", field="file")
    envelope.check(sealed, payload, founder.root, verifier, f"charter, signature of {founder.party}")
    return cards


# --- 4 and 5: everybody signs ---


def sign_charter(file: CharterFile, root: Signer) -> SignatureFile:
    """Call only after `read_charter`, and after everybody's words were compared."""
    return SignatureFile(envelope.seal(AGREEMENT, file.agreement.payload_bytes(), root))


def merge(whole: Envelope, file: SignatureFile, verifier: Verifier) -> tuple[Envelope, tuple[str, ...]]:
    """The agreement with the members' signatures of the file added, and whose they are; nothing else of it is taken.

    Raises BadInput when it is over another agreement, naming every difference; BadSignature when it is nobody's.
    """
    agreement, sealed, theirs = read_agreement(file.agreement.encoded(), verifier, complete=False)
    if theirs != whole.payload_bytes():
        found = "; ".join(map(str, differences(parse_agreement(whole.payload_bytes()), agreement)))
        raise BadInput(
            f"what they signed is not what was sent to them: {found or 'it is of another founding'}. Nothing was taken",
            field="file",
        )
    names = signed_by(sealed, verifier)
    ids = {key_id(m.root) for m in agreement.members if m.party in names}
    both = {s.keyid: s for s in (*whole.signatures, *(s for s in sealed.signatures if s.keyid in ids))}
    return Envelope(whole.payload, whole.payloadType, tuple(both[k] for k in sorted(both))), names


def signed_by(whole: Envelope, verifier: Verifier) -> tuple[str, ...]:
    """The members whose signatures stand on it and verify, in order of their names."""
    payload = whole.payload_bytes()
    found = []
    for member in parse_agreement(payload).members:
        try:
            if member.root:
                envelope.check(whole, payload, member.root, verifier, member.party)
                found.append(member.party)
        except BadSignature:
            continue
    return tuple(found)
