# SPDX-License-Identifier: Apache-2.0
"""Which keys of one party hold at which place of its strand (docs/decisions/0008).

A line begins with the cards at its opening. An entry that carries a card (`card`, or the opening of an epoch) makes
that card hold from a place on; a `revoke` takes one post's key out from the next place on. Nothing reaches back, so
whoever holds the same entries judges each of them by the same keys.

    keys = succession.at(epoch, seq)       a card, and what was taken out of it
    why = succession.take(header, what)    fold one entry in; why it cannot hold, if it is about keys and breaks a rule

Beside the strand a card may come before its entry does, so that what is signed already with the new node key can be
checked. `newest` is the newest of all that are known: where to deliver, what to seal to, who signs receipts now.
"""

from __future__ import annotations

import msgspec

from wideberth.core.say.standing import CardChanged, KeyRevoked
from wideberth.core.say.words import Place, Word
from wideberth.core.seal.entry import Entry, Header, Opening, opening_in
from wideberth.core.seal.keys import Verifier
from wideberth.core.seal.party import Card, Keys, read_card
from wideberth.errors import Fault, Stranger


class KnownCard(msgspec.Struct, frozen=True):
    """A card and the envelope that its root signed (empty for the first one, which need not be shown again)."""

    card: Card
    envelope: bytes


class Succession:
    """Of one party in one channel. `first` is its card at the opening of the line."""

    def __init__(self, first: Card, verifier: Verifier) -> None:
        self.first = first
        self._verifier = verifier
        self.known: tuple[KnownCard, ...] = (KnownCard(first, b""),)  # in order of their versions
        # The newest card that stands in the strand: whose node key no other may pass by any more.
        self.certified = first
        self._begin: dict[str, Keys] = {}
        self._before: dict[str, Place | None] = {}
        self._changes: dict[str, list[tuple[int, Keys]]] = {}
        self._vouched: dict[str, int] = {}
        self._read: dict[str, KnownCard] = {}

    # --- what is known ---

    @property
    def newest(self) -> KnownCard:
        """The newest card that is known, in the strand or beside it."""
        return self.known[-1]

    @property
    def cards(self) -> tuple[Card, ...]:
        """Every card that is known, newest first."""
        return tuple(known.card for known in reversed(self.known))

    @property
    def node_keys(self) -> tuple[str, ...]:
        """Every node key that the party ever had, as far as it is known, the newest first."""
        return tuple(dict.fromkeys(card.node for card in self.cards))

    @property
    def plain(self) -> bool:
        """Whether the first card holds at every place, as nearly always."""
        return len(self.known) == 1 and not self._changes

    def knows(self, envelope: bytes) -> bool:
        return any(known.envelope == envelope for known in self.known)

    def learn(self, envelope: bytes) -> bool:
        """A card that came beside the strand; whether it is one that was not known. Raises what `read_card` raises,
        Stranger."""
        known = self._checked(envelope.decode("utf-8", "replace"))
        if known.card.version < self.first.version or any(k.card.version == known.card.version for k in self.known):
            return False
        self._insert(known)
        return True

    def _insert(self, known: KnownCard) -> None:
        # Behind one of the same version: whoever signs two, of those the one in the strand counts.
        self.known = tuple(sorted([*self.known, known], key=lambda k: k.card.version))

    def _checked(self, text: str) -> KnownCard:
        known = self._read.get(text)
        if known is None:
            envelope = text.encode()
            card = read_card(envelope, self._verifier, root=self.first.root)
            if card.party != self.first.party:
                raise Stranger(f"this card is of {card.party}, not of {self.first.party}")
            known = self._read[text] = KnownCard(card, envelope)
        return known

    # --- places ---

    def at(self, epoch: str, seq: int) -> Keys | None:
        """What holds at a place; None when the opening of its epoch is not here. For a place that is farther than what
        is held: what holds as far as is known."""
        begin = self._begin.get(epoch)
        if begin is None:
            return None
        changes = self._changes.get(epoch, ())
        return next((keys for n, keys in reversed(changes) if n < seq), begin)

    def at_opening(self, opening: Opening) -> Keys | None:
        """What holds at the first place of an epoch; None when its predecessor's epoch is not here."""
        before = opening.predecessor
        begin = Keys(self.first) if before is None else self.at(before.epoch, before.seq + 1)
        if not opening.card:
            return begin
        try:
            card = self._checked(opening.card).card
        except Fault:
            return begin
        if begin is None:
            return Keys(card)  # its place is judged once its predecessor is here
        return Keys(card, begin.revoked) if card.version > begin.card.version else begin

    def might(self, epoch: str, seq: int) -> tuple[Keys, ...]:
        """What may hold at a place behind a gap, the likeliest first: a card may be in the gap."""
        at = self.at(epoch, seq)
        revoked = at.revoked if at is not None else {}
        newer = (c for c in self.cards if at is None or c.version > at.card.version)
        return (*((at,) if at is not None else ()), *(Keys(card, revoked) for card in newer))

    def beyond(self, epoch: str, seq: int, card: Card) -> bool:
        """Whether a place at which this card holds is signed with a node key that was replaced, and nothing vouches for
        it: neither the chain of the newest card, nor what peers signed that they hold when an epoch was opened."""
        replaced = card.version < self.certified.version and card.node != self.certified.node
        return replaced and seq > self._vouched.get(epoch, 0)

    def in_doubt(self, place: Place) -> bool:
        """Whether others may not give us back a place of our own that they hold; also one of an epoch that we lack,
        once any node key was replaced."""
        keys = self.at(place.epoch, place.seq)
        if keys is None:
            return self.certified.node != self.first.node and place.seq > self._vouched.get(place.epoch, 0)
        return self.beyond(place.epoch, place.seq, keys.card)

    def vouched(self, epoch: str, length: int) -> int:
        """How much of an epoch of `length` entries others may still be given."""
        keys = self.at(epoch, length)
        if keys is None or not self.beyond(epoch, length, keys.card):
            return length
        return self._vouched.get(epoch, 0)

    # --- folding ---

    def take(self, entry: Entry, what: Word | None) -> str:
        """Fold an entry in that takes its place now; `what` is None when it is not understood. Returns why it has no
        effect; empty for every entry that is not about keys, or may be."""
        header = entry.header
        if header.seq == 1:
            self._open(header, opening_in(entry))
            return ""
        why = self.flaw(header.epoch, header.seq, header.by, what)
        before = self.at(header.epoch, header.seq)
        if why or before is None:
            return why
        if isinstance(what, CardChanged):
            card = self._checked(what.card).card
            self._change(header, Keys(card, before.revoked))
            if card.version > self.certified.version:
                self._certify(what.card)
                self._vouch(Place(header.epoch, header.seq, header.body_sha256))
        elif isinstance(what, KeyRevoked):
            self._change(header, Keys(before.card, {**before.revoked, what.key: header.seq}))
        return ""

    def flaw(self, epoch: str, seq: int, by: str, what: Word | None) -> str:
        """Why a word about keys can have no effect at a place; empty when it can, and for every other word."""
        keys = self.at(epoch, seq)
        if keys is None:
            return ""
        match what:
            case CardChanged():
                try:
                    card = self._checked(what.card).card
                except Fault as fault:
                    return fault.sentence
                if card.version <= keys.card.version:
                    return f"it is card {card.version}, and card {keys.card.version} holds at this place"
            case KeyRevoked():
                speaker, post = keys.card.posts.get(by.partition("/")[2]), keys.card.posts.get(what.post)
                if speaker is None or not speaker.supervisor:
                    return f"{by} is not a supervisor's post, and takes nobody's key out of use"
                if post is None or post.key != what.key:
                    return f"this is not the key of {what.post} at this place"
                if what.key in keys.revoked:
                    return f"this key was revoked at entry {keys.revoked[what.key]} already"
            case _:
                pass
        return ""

    def _open(self, header: Header, opening: Opening) -> None:
        self._begin[header.epoch] = begin = self.at_opening(opening) or Keys(self.first)
        self._before[header.epoch] = opening.predecessor
        if begin.card.version > self.certified.version:
            self._certify(opening.card)
        if begin.card.node == self.certified.node:
            for place in (opening.predecessor, *opening.fences):
                self._vouch(place)

    def _change(self, header: Header, keys: Keys) -> None:
        self._changes.setdefault(header.epoch, []).append((header.seq, keys))

    def _certify(self, text: str) -> None:
        """A newer card stands in the strand. Where it has another node key, the old one is good for nothing any more
        but for what is vouched for."""
        known = self._checked(text)
        if known not in self.known:
            self._insert(known)
        self.certified = known.card

    def _vouch(self, place: Place | None) -> None:
        """What stands before this place, and the place itself, may still come in under an older node key."""
        while place is not None and self._vouched.get(place.epoch, 0) < place.seq:
            self._vouched[place.epoch] = place.seq
            place = self._before.get(place.epoch)
