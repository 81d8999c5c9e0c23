# SPDX-License-Identifier: Apache-2.0
"""The keys of one line: with which of our own we sign, and what changes when a member's keys change.

Which key must sign a place is said by the card that holds there (`seal/succession.py`), never by what lies in a
folder. So there is no moment at which keys are swapped: the entry that carries our new card is signed with the old node
key, and what comes after it with the new one. After a crash the record says which of the two it is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.call import sentences
from wideberth.core.effects import Effects, fault_tell
from wideberth.core.records import SidecarRecord
from wideberth.core.say.standing import CardChanged, KeyRevoked
from wideberth.core.seal import canonical
from wideberth.core.seal.capabilities import Signers
from wideberth.core.seal.entry import Entry, Opening, Said, Unread
from wideberth.core.seal.keys import Signer, Verifier, key_id
from wideberth.core.seal.party import Card, Keys, read_card
from wideberth.core.seal.succession import KnownCard, Succession
from wideberth.core.tells import GlassBroken, KeysChanged
from wideberth.errors import BadInput, Fault, NotFound, Theirs

if TYPE_CHECKING:
    from wideberth.core.line import Line


class LineKeys:
    def __init__(self, line: Line, signers: Signers) -> None:
        self._line = line
        self._signers = signers

    # --- with which we sign ---

    @property
    def own(self) -> Succession:
        return self._line.channel.succession(self._line.channel.us)

    @property
    def beside(self) -> Signer:
        """Who signs what stands beside the strands: the newest node key of ours that is here."""
        held = (self._signers.key(node) for node in self.own.node_keys)
        return next((signer for signer in held if signer is not None), self._signers.node)

    def next(self, *, opening: bool = False) -> tuple[Keys, str]:
        """The keys for the next place of our strand, and the card that it must carry for them to hold, if it opens an
        epoch; a line that waits for its restore opens one before it says anything else."""
        strand, own = self._line.channel.own, self.own
        if not opening and not self._line.recovery.waiting:
            return own.at(strand.epoch, strand.seq + 1) or Keys(own.first), ""
        at = own.at_opening(Opening(strand.place)) or Keys(own.first)
        newest = own.newest
        if newest.card.version > at.card.version and self._signers.key(newest.card.node) is not None:
            return Keys(newest.card, at.revoked), newest.envelope.decode()
        return at, ""

    @property
    def can_sign(self) -> bool:
        """Whether the node key that our next place must be signed with is here."""
        return self._signers.key(self.next()[0].card.node) is not None

    def node(self, keys: Keys) -> Signer:
        """Raises BadInput."""
        signer = self._signers.key(keys.card.node)
        if signer is None:
            raise BadInput(
                f"the node key on card {keys.card.version} of {keys.card.party} is not here, so nothing can be "
                "signed on this line. Bring it back; if it is lost, have the root certify another one, and put the "
                "record back: docs/keys.md",
                field="keys",
            )
        return signer

    def post(self, by: str, keys: Keys | None = None) -> Signer:
        """The key that a post of ours must sign with at our next place. Raises NotFound, BadInput."""
        keys = keys or self.next()[0]
        party, _, name = by.partition("/")
        post = keys.card.posts.get(name) if party == self._line.channel.us else None
        if post is not None and post.key in keys.revoked:
            raise BadInput(
                f"the key of {by} was revoked at entry {keys.revoked[post.key]}: nothing can be said with it any more. "
                "Another post speaks, or the root certifies another key for this one",
                field="by",
            )
        signer = self._signers.key(post.key) if post is not None else None
        if signer is None:
            raise NotFound(f"{by} is not a post of this node; `status` lists them", post=by)
        return signer

    def glass(self, entry: Entry, out: Effects) -> dict[str, bool]:
        """A break-glass post of ours spoke: told aloud at home. What the entry's own tell says of it."""
        by, kind, channel = entry.header.by, entry.header.type, self._line.channel
        if not channel.break_glass(by):
            return {}
        out.tell.append(GlassBroken(channel.ch, by, kind, entry.hash, sentences.glass_broken(by, kind)))
        return {"break_glass": True}

    # --- ours change ---

    def has(self, envelope: bytes) -> bool:
        """Whether this card holds on this line already, or will with the epoch that is to be opened."""
        return self.own.knows(envelope) and (self._line.recovery.waiting or self.own.newest.card is self.own.certified)

    def check_change(self, card: Card, by: str) -> None:
        """Raises BadInput, NotFound."""
        at = self.next()[0].card
        if card.version <= at.version:
            raise BadInput(f"card {at.version} holds already, and this is card {card.version}", field="card")
        if self._signers.key(card.node) is None:
            raise BadInput(
                "this card certifies a node key that is not here: what comes after it could not be signed. Put the key "
                "into the folder first",
                field="card",
            )
        if not self._line.recovery.waiting:
            self.node(self.next()[0])
        if by:
            self.post(by)

    def change_card(self, envelope: bytes, by: str, now: Now, out: Effects) -> None:
        """Our own new card holds after this entry; on a line that waits for its restore, from the epoch on that will be
        opened. Raises BadInput, NotFound."""
        if self._line.recovery.waiting:
            self.heard(envelope, self._line.channel.us, now, out)
            return
        name = by.partition("/")[2] or "node"
        self._line.write(CardChanged(envelope.decode()), name, self.post(by) if by else None, now, out)

    def revocation(self, post: str, text: str) -> KeyRevoked | None:
        """None where there is no such post, or its key was taken out before."""
        keys, _ = self.next()
        found = keys.card.posts.get(post)
        return None if found is None or found.key in keys.revoked else KeyRevoked(post, found.key, text)

    def check_revoker(self, by: str) -> None:
        """Raises BadInput, NotFound."""
        self.post(by)
        if not self.next()[0].post(by).supervisor:
            raise BadInput(f"{by} is not a supervisor's post; a supervisor revokes: --as supervisor", field="by")

    def revoke(self, word: KeyRevoked, by: str, now: Now, out: Effects) -> None:
        """Waits for no restore to end, as nothing that is urgent does. Raises BadInput, NotFound."""
        self._line.recovery.before_writing(True, now, out)
        self._line.write(word, by.partition("/")[2], self.post(by), now, out)

    # --- anybody's change ---

    def take(
        self, entry: Entry, said: Said | Unread, now: Now | None = None, out: Effects | None = None
    ) -> Said | Unread:
        """Before an entry takes its place: what it says about keys holds from the next place on. Returns what it says,
        or why it has no effect. Without `out`: out of our own store."""
        keys = self._line.channel.succession(entry.header.sender)
        before = keys.known
        why = keys.take(entry, said.what if isinstance(said, Said) else None)
        self._learnt(before, keys, now, out)
        return Unread("NOT_UNDERSTOOD", why) if why else said

    def heard(self, envelope: bytes, peer: str, now: Now, out: Effects) -> None:
        """A card that came beside the strands: what is signed with its keys can be checked from now on."""
        channel = self._line.channel
        if any(keys.knows(envelope) for keys in channel.keys.values()):
            return
        try:
            keys = self.whose(envelope)
            before = keys.known
            keys.learn(envelope)
        except Fault as fault:
            out.tell.append(fault_tell(fault, channel.ch, peer))
            return
        self._learnt(before, keys, now, out)

    def whose(self, envelope: bytes) -> Succession:
        """Raises Theirs: no card, or of nobody on this line."""
        return self._line.channel.succession(read_card(envelope, self._line.verifier).party)

    def _learnt(
        self, before: tuple[KnownCard, ...], keys: Succession, now: Now | None, out: Effects | None
    ) -> None:  # fmt: skip
        """Cards that were not known before are kept, and whoever delivers is told of the newest."""
        if keys.known is before or now is None or out is None:
            return
        ch, newest = self._line.channel.ch, keys.newest
        for known in keys.known:
            if known not in before:
                key = canonical.sha256(known.envelope)
                out.store.append(SidecarRecord(ch, "card", known.card.party, key, known.envelope, now.t_ms))
        if newest is not before[-1]:
            out.tell.append(KeysChanged(ch, newest.card.party, newest.card.version))
            if keys is self.own and newest.card.node != before[-1].card.node:
                self._forget_receipts()

    def reloaded(self) -> None:
        """After the last record."""
        if len(self.own.node_keys) > 1:
            self._forget_receipts()

    def _forget_receipts(self) -> None:
        """What we signed with a replaced node key counts no more at a peer: it is signed anew when asked for."""
        for inbox in self._line.channel.inboxes.values():
            inbox.keep_signed_by(key_id(self.beside.public))


def change_card(
    event: ev.ChangeCard, party: str, lines: Collection[Line], verifier: Verifier, now: Now, out: Effects
) -> None:  # fmt: skip
    """Our new card on every line of the mechanisms that its root signed for, in one batch. Raises BadInput, NotFound;
    nothing has changed then."""
    try:
        card = read_card(event.card, verifier)
    except Theirs as fault:
        raise BadInput(f"this card cannot be used: {fault.sentence}", field="card") from None
    if card.party != party:
        raise BadInput(f"this is a card of {card.party}, and we are {party}", field="card")
    mine = [line for line in lines if line.keys.own.first.root == card.root]
    mine = [line for line in mine if not event.lines or line.channel.ch in event.lines]
    if not mine:
        raise NotFound("no line of this node was agreed with the root key that signed this card", root=card.root)
    todo = [line for line in mine if not line.keys.has(event.card)]
    for line in todo:
        line.keys.check_change(card, event.by)
    for line in todo:
        line.keys.change_card(event.card, event.by, now, out)


def revoke_key(event: ev.RevokeKey, lines: Collection[Line], now: Now, out: Effects) -> None:
    """The key of a post out of use, on every line on which it has one, in one batch. Raises BadInput, NotFound."""
    name = event.post.rpartition("/")[2]
    todo = [(line, word) for line in lines if (word := line.keys.revocation(name, event.text)) is not None]
    if not todo:
        raise NotFound(f"no post {name} of ours has a key in use on any line; `status` lists them", post=name)
    for line, _ in todo:
        line.keys.check_revoker(event.by)
    for line, word in todo:
        line.keys.revoke(word, event.by, now, out)
