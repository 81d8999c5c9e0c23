# SPDX-License-Identifier: Apache-2.0
"""How two parties who share nothing get from a first file to a countersigned agreement (more: `seal/founding.py`).

    1  inviter    invite   {card, offer}                        offer signed by the inviter's root
    2  acceptor   reply    {card, agreement}                    the agreement, signed by the acceptor's root
    3  inviter    countersigns; the agreement travels to the acceptor with the first delivery, and the line opens

Between 1 and 2, and between 2 and 3, each officer hears the other side read its fingerprint words over a telephone
(`wideberth/fingerprint.py`). The words name the root key; whoever changed a card on the way cannot have the same words.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.say.rules import Mode, Rules
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.agreement import Agreement, LineTerms, Member, countersign, read_agreement, sign_agreement
from wideberth.core.seal.envelope import INVITE, Envelope
from wideberth.core.seal.keys import Signer, Verifier
from wideberth.core.seal.party import Card, read_card
from wideberth.errors import BadInput, Malformed


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything of the agreement but the acceptor. `to` is the party meant, by name."""

    v: int
    to: str
    mechanism: str
    mode: Mode
    lines: tuple[LineTerms, ...]
    rules: Rules
    from_ms: int
    nonce: str
    clauses: tuple[str, ...] = ()


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="invite", tag_field="wideberth"):
    card: Envelope
    offer: Envelope


class ReplyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="reply", tag_field="wideberth"):
    card: Envelope
    agreement: Envelope


_OFFERS: Final = msgspec.json.Decoder(Offer)


def make_invite(card: Envelope, offer: Offer, root: Signer) -> Invite:
    return Invite(card, envelope.seal(INVITE, canonical.encode(offer), root))


def read_invite(invite: Invite, verifier: Verifier) -> tuple[Card, Offer]:
    """The inviter's card and offer, both signed by the root on the card. Whose root it is, only the words can tell."""
    card = read_card(invite.card.encoded(), verifier)
    sealed, payload = envelope.read(invite.offer.encoded(), INVITE)
    offer = canonical.read(payload, _OFFERS, "offer")
    if offer.v != 1:
        raise Malformed(f"offer: version {offer.v} of the format is not known here")
    envelope.check(sealed, payload, card.root, verifier, f"offer of {card.party}")
    return card, offer


def agreement_of(offer: Offer, inviter: Card, acceptor: Card) -> Agreement:
    if inviter.party == acceptor.party:
        raise BadInput("two members of a line need two names; choose another with `init --party`", field="party")
    members = sorted((Member(c.party, c.root) for c in (inviter, acceptor)), key=lambda m: m.party)
    return Agreement(
        v=1, mechanism=offer.mechanism, version=1, mode=offer.mode, members=tuple(members), lines=offer.lines,
        rules=offer.rules, from_ms=offer.from_ms, nonce=offer.nonce, clauses=offer.clauses,
    )  # fmt: skip


def accept_invite(invite: Invite, card: Envelope, root: Signer, verifier: Verifier) -> ReplyFile:
    """The acceptor signs. Call only after the words were compared. Raises BadInput when the offer is for another."""
    inviter, offer = read_invite(invite, verifier)
    mine = read_card(card.encoded(), verifier, root=root.public)
    if offer.to != mine.party:
        raise BadInput(f"this invitation is for {offer.to}, not for {mine.party}", field="invite")
    return ReplyFile(card, sign_agreement(agreement_of(offer, inviter, mine), root))


def accept_reply(reply: ReplyFile, invite: Invite, root: Signer, verifier: Verifier) -> tuple[Card, Envelope]:
    """The inviter checks that the reply is to this very invitation, and countersigns. Returns the other side's card and
    the complete agreement."""
    mine, offer = read_invite(invite, verifier)
    theirs = read_card(reply.card.encoded(), verifier)
    agreement, sealed, payload = read_agreement(reply.agreement.encoded(), verifier, complete=False)
    if theirs.party != offer.to:
        raise BadInput(f"the invitation was for {offer.to}; this reply is from {theirs.party}", field="reply")
    if canonical.encode(agreement) != canonical.encode(agreement_of(offer, mine, theirs)):
        raise BadInput("this reply changes what was offered; nothing was signed", field="reply")
    complete = countersign(sealed, payload, root)
    read_agreement(complete.encoded(), verifier)
    return theirs, complete
