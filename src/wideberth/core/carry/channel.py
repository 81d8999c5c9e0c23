# SPDX-License-Identifier: Apache-2.0
"""One channel: every member's strand, what came too early, and what each peer still owes us a receipt for.

The channel knows places, signatures and receipts; it does not know what is said. The audience of anything written here
is its members, always.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from wideberth.core.carry.clocks import PeerClock
from wideberth.core.carry.inbox import Inbox
from wideberth.core.carry.outbox import Outbox
from wideberth.core.carry.strand import Fit, Strand
from wideberth.core.say.words import Place
from wideberth.core.seal import entry as entries
from wideberth.core.seal import receipt as receipts
from wideberth.core.seal.agreement import Agreement, LineTerms, Versions, channel_id
from wideberth.core.seal.canonical import sha256
from wideberth.core.seal.entry import Entry, Header
from wideberth.core.seal.keys import Signer, Verifier, key_id
from wideberth.core.seal.party import Card, Keys
from wideberth.core.seal.receipt import Receipt
from wideberth.core.seal.succession import Succession
from wideberth.errors import BadSignature, Outdated, OutOfPlace, Stranger

# Clocks may differ by this much before people are told (domain.md §8, B2); so may the times of two entries.
BACKDATED_MS: Final = 2_000


class Channel:
    """`us` is our own party's name; `keys` has every member that has a node, ourselves included: which keys of it hold
    at which place.

    `versions`, and their `envelopes` by hash as they were signed, are shared by all channels of the mechanism; `terms`
    is what the agreement says of this one.
    """

    def __init__(
        self, us: str, versions: Versions, terms: LineTerms, keys: dict[str, Succession], envelopes: dict[str, bytes]
    ) -> None:
        self.us = us
        self.versions = versions
        self.terms = terms
        self.ch = channel_id(versions.founding, terms)
        self.keys = keys
        self.agreement_envelopes = envelopes
        members = [m for m in versions.founding.members if m.party in terms.members]
        self.peers = tuple(m.party for m in members if m.root and m.party != us)
        # Members that have no node yet: nothing can be sent to them, so their officers are called (domain.md B13).
        self.by_voice = tuple(m.party for m in members if not m.root)
        self.strands = {m.party: Strand(m.party) for m in members if m.root}
        self.own = self.strands[us]
        # Ours too: a peer may hand back what we lost.
        self.inboxes = {party: Inbox() for party in self.strands}
        self.outboxes = {peer: Outbox() for peer in self.peers}
        self.clocks = {peer: PeerClock() for peer in self.peers}
        # What each peer signed that it holds of our own strand, epoch by epoch.
        self._held: dict[str, dict[str, int]] = {peer: {} for peer in self.peers}
        # Our first entry under each version of the agreement, counted over all epochs.
        self._first_under: dict[str, int] = {}
        # Where a card of ours began to hold, by its version, counted likewise.
        self._card_from: dict[int, int] = {}
        self._signed_ms: dict[tuple[str, int], int] = {}

    @property
    def agreement(self) -> Agreement:
        """The newest version: the members, the mode and the name are those of every version."""
        return self.versions.newest

    @property
    def home(self) -> bool:
        """Whether this is the line on which the mechanism itself is talked about."""
        return self.terms == self.versions.founding.home

    @property
    def cards(self) -> dict[str, Card]:
        """Every member's newest card that is known: where to deliver, what to seal to."""
        return {party: keys.newest.card for party, keys in self.keys.items()}

    # --- what we write ---

    def header(self, kind: str, by: str, t_ms: int, body: bytes, *, epoch: str = "") -> Header:
        """The next header of our own strand: cites the newest entry of every other strand that we durably hold.

        `epoch` opens a new one.
        """
        seen = {}
        for party, strand in self.strands.items():
            place = strand.place
            if party != self.us and place is not None:
                seen[party] = place
        return Header(
            v=1, type=kind, ch=self.ch, agr=self.versions.at(t_ms)[1], sender=self.us, by=by,
            epoch=epoch or self.own.epoch, seq=1 if epoch else self.own.seq + 1,
            prev=entries.NO_PREV if epoch else self.own.head, seen=seen, t_ms=t_ms, body_sha256=sha256(body),
        )  # fmt: skip

    def wrote(self, entry: Entry, *, urgent: bool, opens: Place | None = None) -> None:
        """Our own entry takes its place; it will be sent until every peer receipted it."""
        self.own.append(entry.header, entry.hash, opens)
        self._first_under.setdefault(entry.header.agr, self.newest)
        self._card_from.setdefault(self.keys[self.us].certified.version, self.newest)
        self._signed_ms[entry.header.epoch, entry.header.seq] = entry.header.t_ms
        for outbox in self.outboxes.values():
            outbox.wrote(self.newest, urgent=urgent)

    @property
    def newest(self) -> int:
        """How many own entries there are, over all epochs: outboxes count in these."""
        return len(self.own.log)

    def hashes(self, places: list[int]) -> tuple[str, ...]:
        return tuple(self.own.hash_of(n) for n in places)

    def agreements_for(self, peer: str) -> tuple[bytes, ...]:
        """Versions that a peer may not have yet: until it receipts something that we signed under one, that travels
        along."""
        receipted = self.outboxes[peer].receipted
        return tuple(
            self.agreement_envelopes[agr]
            for agr, first in self._first_under.items()
            if receipted < first and agr in self.agreement_envelopes
        )

    @property
    def later_agreements(self) -> tuple[bytes, ...]:
        """Every version after the founding one: they travel with what is handed back, which may be signed under one
        that its author has lost, with the signatures that made it."""
        return tuple(whole for agr, whole in self.agreement_envelopes.items() if agr != self.versions.hash)

    def cards_for(self, peer: str, *, urgent: bool = False) -> tuple[bytes, ...]:
        """Our cards that a peer may not have yet, oldest first: until it receipts the place at which one begins to
        hold, that travels along, so that what is signed with its keys can be checked. With what is `urgent` the newest
        goes always: a peer whose record was put back has forgotten it, and must ring all the same."""
        known = self.keys[self.us].known[1:]
        if not known:
            return ()
        receipted = self.outboxes[peer].receipted
        has = max((version for version, n in self._card_from.items() if n <= receipted), default=0)
        return tuple(k.envelope for k in known if k.card.version > has or (urgent and k is known[-1]))

    # --- what we hear ---

    def succession(self, party: str) -> Succession:
        """Ours included: a peer may hand us back what we lost. Raises Stranger."""
        keys = self.keys.get(party)
        if keys is None:
            raise Stranger(f"{party[:40]!r} is not a member of this channel")
        return keys

    def card_of(self, party: str) -> Card:
        """The newest one that is known. Raises Stranger."""
        return self.succession(party).newest.card

    def node_check(self, party: str, check: Callable[[str], None]) -> None:
        """Check what stands beside the strands under the node key of now. Raises Outdated for one that was replaced
        meanwhile, Stranger, and whatever `check` raises."""
        now, *before = self.succession(party).node_keys
        try:
            check(now)
        except BadSignature:
            for key in before:
                with suppress(BadSignature):
                    check(key)
                    raise Outdated(
                        f"{party} signed something with a node key that it has replaced since; it is not taken, and "
                        "comes again under the new key"
                    ) from None
            raise

    def unseal(self, envelope: bytes, body: bytes, verifier: Verifier) -> tuple[Entry, tuple[Keys, ...]]:
        """Bytes to an entry whose node signature verified, and the keys that hold at its place; where something before
        it is missing, all that may. Raises Oversized, Malformed, Stranger, BadSignature, Outdated."""
        entry, sealed, payload = entries.read(envelope, body)
        header = entry.header
        if header.ch != self.ch:
            raise Stranger("this entry was signed for another channel, mechanism or mode", ch=header.ch)
        keys = self.succession(header.sender)
        held = self.strands[header.sender].length(header.epoch)
        at = self.keys_at(entry)
        may: tuple[Keys, ...] = (at,) if at is not None else ()
        early = header.seq > held + 1 or not held
        if early:
            may += tuple(k for k in keys.might(header.epoch, header.seq) if k not in may)
        signed = {signature.keyid for signature in sealed.signatures}
        named = next((k.card for k in may if key_id(k.card.node) in signed), None)
        if named is None and early and not signed & {key_id(node) for node in keys.node_keys}:
            raise Outdated(
                f"entry {header.seq} of {header.sender} is signed with a node key that is not known here. If its card "
                "is on its way, it comes again",
                seq=header.seq,
            )
        card = named or may[0].card
        entries.check(entry, sealed, payload, card, verifier)
        fitting = tuple(k for k in may if k.card.node == card.node)
        if header.seq > held:
            self._check_vouched(header, fitting[-1])
        return entry, fitting

    @property
    def has_break_glass(self) -> bool:
        """Whether any member has such a post."""
        cards = (card for keys in self.keys.values() for card in keys.cards)
        return any(post.break_glass for card in cards for post in card.posts.values())

    def break_glass(self, by: str) -> bool:
        """Whether `PARTY/post` is a post whose key lies in an envelope, on any card of that party that is known."""
        party, _, name = by.partition("/")
        keys = self.keys.get(party)
        return keys is not None and any(name in c.posts and c.posts[name].break_glass for c in keys.cards)

    def keys_at(self, entry: Entry) -> Keys | None:
        """What holds at the place of an entry, as far as is known; None when the opening before it is not here."""
        header, keys = entry.header, self.succession(entry.header.sender)
        found = keys.at(header.epoch, header.seq)
        return keys.at_opening(entries.opening_in(entry)) if found is None and header.seq == 1 else found

    def checked_again(self, entry: Entry, used: Keys | None, verifier: Verifier) -> Keys:
        """The keys of an entry whose place has come, after those that were `used` while something was missing before
        it (None: not known any more). Raises BadSignature when its node may not sign there."""
        keys = self.keys_at(entry)
        assert keys is not None, "its place has come"
        if keys != used and (used is not None or not self.succession(entry.header.sender).plain):
            again, sealed, payload = entries.read(entry.envelope, entry.body)
            entries.check(again, sealed, payload, keys.card, verifier)
            self._check_vouched(entry.header, keys)
        return keys

    def _check_vouched(self, header: Header, keys: Keys) -> None:
        if self.succession(header.sender).beyond(header.epoch, header.seq, keys.card):
            raise Outdated(
                f"entry {header.seq} of {header.sender} is signed with a node key that {header.sender} has replaced, "
                "and nothing that is signed with the new one vouches for it",
                seq=header.seq,
            )

    def fit(self, entry: Entry, opens: Place | None) -> Fit:
        """Raises OutOfPlace."""
        return self.strands[entry.header.sender].fit(entry, opens)

    def link(self, entry: Entry, opens: Place | None) -> None:
        """Take an entry of another member that fits NEXT. As far as we can know it writes in this epoch, unless this is
        an orphan: of siblings the one that was linked last need not be the one that was opened last."""
        header = entry.header
        strand = self.strands[header.sender]
        strand.append(header, entry.hash, opens)
        if not strand.orphaned(header.epoch, header.seq):
            strand.epoch = header.epoch

    def false_citation(self, header: Header) -> str:
        """Why what a peer's header cites cannot be true here; empty when it can. Kept, but not understood."""
        place = header.seen.get(self.us)
        if place is not None and place.seq <= self.own.length(place.epoch) and not self.own.holds(place):
            return f"it cites entry {place.seq} of our strand with a hash that we never signed"
        return ""

    def backdated(self, header: Header) -> str:
        """Why the time that a peer claims for its next entry cannot be, by what was signed before; empty when it can.

        Call before `link`. Told, never refused: times order nothing, and an honest clock may be set back.
        """
        strand, epoch, sender = self.strands[header.sender], header.epoch, header.sender
        said_ms = strand.time_at(epoch, header.seq - 1) if header.seq > 1 else 0
        if header.t_ms < said_ms - BACKDATED_MS:
            return (
                f"{sender} dates entry {header.seq} {(said_ms - header.t_ms) / 1000:.1f} s before its own entry "
                "before it: its clock was set back, or the time is made up. Order is not affected"
            )
        place, offset = header.seen.get(self.us), self.clocks[sender].offset
        if place is None or offset is None or not self.own.holds(place):
            return ""
        least_ms = self.own.time_at(place.epoch, place.seq) + offset.offset_ms - offset.bound_ms
        if header.t_ms < least_ms - BACKDATED_MS:
            return (
                f"{sender} dates entry {header.seq} {(least_ms - header.t_ms) / 1000:.1f} s before our entry that it "
                "cites was signed, by its own clock: its clock was set back, or the time is made up"
            )
        return ""

    def beyond_us(self, place: Place | None) -> bool:
        """A peer names a place of our own strand that we do not hold: either we lost it, or the peer made it up. Only
        our own signature, shown to us, can tell."""
        return place is not None and place.seq > self.own.length(place.epoch)

    # --- receipts ---

    def stored_receipt(self, author: str, epoch: str, t_ms: int, node: Signer) -> tuple[Receipt, bytes]:
        """Sign that we hold an author's epoch up to its newest entry."""
        strand = self.strands[author]
        seq = strand.length(epoch)
        receipt = self._receipt("stored", author, Place(epoch, seq, strand.hash_at(epoch, seq)), t_ms)
        envelope = receipts.seal(receipt, node)
        self.inboxes[author].gave(epoch, seq, envelope)
        return receipt, envelope

    def shown_receipt(self, author: str, seq: int, t_ms: int, node: Signer) -> tuple[Receipt, bytes]:
        strand = self.strands[author]
        receipt = self._receipt("shown", author, Place(strand.epoch, seq, strand.hash_at(strand.epoch, seq)), t_ms)
        return receipt, receipts.seal(receipt, node)

    def _receipt(self, level: str, author: str, place: Place, t_ms: int) -> Receipt:
        return msgspec.convert(
            {
                "v": 1, "level": level, "ch": self.ch, "from": self.us, "of": author,
                "epoch": place.epoch, "seq": place.seq, "head": place.hash, "t_ms": t_ms,
            },
            Receipt,
        )  # fmt: skip

    def compare_clocks(self, receipt: Receipt, heard_ms: int) -> None:
        """A fresh `stored` receipt: what it says about the peer's clock. Call once per receipt that came just now."""
        sent_ms = self._signed_ms.get((receipt.epoch, receipt.seq))
        if sent_ms is not None:
            self.clocks[receipt.sender].exchanged(sent_ms, receipt.t_ms, heard_ms)
        for epoch, seq in [p for p in self._signed_ms if all(p[1] < h.get(p[0], 0) for h in self._held.values())]:
            del self._signed_ms[epoch, seq]

    def held_by(self, peer: str, epoch: str) -> int:
        """How far a peer signed that it holds our epoch."""
        return self._held[peer].get(epoch, 0)

    def receipted(self, receipt: Receipt) -> None:
        """A verified `stored` receipt: the outbox moves on over everything that is covered now."""
        held = self._held[receipt.sender]
        held[receipt.epoch] = max(receipt.seq, held.get(receipt.epoch, 0))
        self._move_on(receipt.sender)

    def holds_of_us(self, peer: str, heads: tuple[Place, ...]) -> None:
        """The peer signed what it holds of our strand now: less than it once receipted, when it lost its record."""
        self._held[peer] = {p.epoch: p.seq for p in heads if self.own.holds(p)}
        self.outboxes[peer].rewind()
        self._move_on(peer)

    def _move_on(self, peer: str) -> None:
        held, outbox, log = self._held[peer], self.outboxes[peer], self.own.log
        n = outbox.receipted
        while n < len(log) and log[n][1] <= held.get(log[n][0], 0):
            n += 1
        outbox.receipt(n, len(log))

    def parse_receipt(self, envelope: bytes) -> Receipt:
        """A receipt out of our own store, verified when it came."""
        return receipts.read(envelope)[0]

    def read_receipt(self, envelope: bytes, verifier: Verifier) -> Receipt:
        """A peer's receipt of our own strand. Raises Oversized, Malformed, Stranger, BadSignature, OutOfPlace."""
        receipt, sealed, payload = receipts.read(envelope)
        if receipt.ch != self.ch:
            raise Stranger("this receipt was signed for another channel", ch=receipt.ch)
        self.node_check(receipt.sender, lambda key: receipts.check(receipt, sealed, payload, key, verifier))
        if receipt.of != self.us:
            raise OutOfPlace(f"this receipt of {receipt.sender} is about the strand of {receipt.of[:40]}")
        place = Place(receipt.epoch, receipt.seq, receipt.head)
        if not self.own.holds(place) and not self.beyond_us(place):
            raise OutOfPlace(
                f"{receipt.sender} signed a receipt for entry {receipt.seq} of ours with a hash that we never signed",
                seq=receipt.seq,
            )
        return receipt
