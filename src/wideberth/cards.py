# SPDX-License-Identifier: Apache-2.0
"""Our own cards and keys in a running node: from the folder into the record, and out of the way afterwards.

    cards = OwnCards(home, signers, links, node=…, submit=…, tell=…, now_ms=…)
    cards.read()                       every key of the folder is at hand, to sign and to open with
    await cards.begin()                at start: what was changed while the node was down is said on its lines
    await cards.change(by, card)       `wideberth keys` made a new card: the same now
    with await cards.glass(by, …):     a break-glass post may sign, for one command
    cards.settle()                     where every peer has the newest card, the keys before it are put away

Which key signs which place is decided by the record (docs/decisions/0008); here is only when private keys come to hand
and when they go.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from wideberth.core import events as ev
from wideberth.core.batch import Batch
from wideberth.core.line import Line
from wideberth.core.node import Node
from wideberth.core.seal.envelope import Envelope, seal
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.core.seal.party import Card
from wideberth.core.tells import FaultSeen, Said, Tell
from wideberth.errors import BadInput, Fault, NotFound
from wideberth.home import Home
from wideberth.keyset import TLS, KeySet, post_use, seed_in
from wideberth.link.tls import Identity, present, server_context
from wideberth.links import Links
from wideberth.rekey import settle
from wideberth.signers import HomeSigners

# How often it is looked whether an old key's time has come, seconds.
_TIDY_S: Final = 3_600.0


class OwnCards:
    """`node` gives the core of now; `submit` carries an event out, durably. Everything runs on the loop's thread."""

    def __init__(
        self, home: Home, signers: HomeSigners, links: Links, *, node: Callable[[], Node],
        submit: Callable[[ev.Event], Awaitable[Batch]], tell: Callable[[Tell], None], now_ms: Callable[[], int],
    ) -> None:  # fmt: skip
        self.home: Final = home
        self._signers = signers
        self._links = links
        self._node = node
        self._submit = submit
        self._tell = tell
        self._now_ms = now_ms
        self._tls: ssl.SSLContext | None = None
        self._unsettled = True

    # --- what own people change ---

    def read(self) -> None:
        """Have every key of the folder at hand. Raises: NotFound, BadInput."""
        self.home.read_again()
        self._signers.refresh()
        self._unsettled = True
        for keys in self.home.sets():
            for key in keys.sealing_keys():
                self._links.keys.add_own(key)  # peers seal to it as soon as they have the card

    async def begin(self) -> None:
        """At start: the node itself says each card that is newer than what a line knows. One that cannot be said now is
        told, and the node starts all the same."""
        try:
            for keys in self.home.sets():
                data, card = keys.card_bytes(), keys.card()
                late = [x for x in self.lines_of(keys) if card and x.keys.own.newest.card.version < card.version]
                if data is not None and late:
                    await self._submit(ev.ChangeCard("", data, tuple(line.channel.ch for line in late)))
        except Fault as fault:
            self._tell(FaultSeen("CardNotSaid", fault.whose, f"our new card was not said: {fault.sentence}"))
        self.settle()

    async def change(self, by: str, card: bytes) -> list[dict[str, Any]]:
        """Our root signed a new card, and its keys are in the folder: from now on they hold, on the lines of that set.
        The entries. Raises: BadInput when it is not a card of the folder, Fault."""
        self.read()
        self._links.join()
        found = [keys for keys in self.home.sets() if keys.card_bytes() == card]
        if not found:
            raise BadInput("this card is not the one in the node's folder; `wideberth keys` makes and says one")
        lines = tuple(line.channel.ch for line in self.lines_of(found[0]))
        batch = await self._submit(ev.ChangeCard(by, card, lines)) if lines else Batch()
        self.settle()
        return _entries(batch)

    async def revoke(self, by: str, post: str, text: str, passphrase: str) -> list[dict[str, Any]]:
        """Take the key of a post out of use, on every line; the entries. Raises Fault."""
        with await self.glass(by, passphrase):
            return _entries(await self._submit(ev.RevokeKey(by, post, text)))

    def lines_of(self, keys: KeySet) -> list[Line]:
        """The open lines on which we speak with this set."""
        return [
            line for line in self._node().lines.values()
            if self.home.set_named(line.mechanism.versions.founding.nonce) is keys
        ]  # fmt: skip

    async def sign_as(self, by: str, passphrase: str, payload_type: str, payload: bytes) -> Envelope:
        """Bytes that stay at home, signed with the key of a post of ours. Raises BadInput, NotFound."""
        name = by.rpartition("/")[2]
        cards = [line.keys.next()[0].card for line in self._node().lines.values()]
        publics = [card.posts[name].key for card in cards if name in card.posts]
        with await self.glass(by, passphrase):
            found = [key for public in publics if (key := self._signers.key(public)) is not None]
            signer = found[0] if found else self._signers.post(name)
            if signer is None:
                raise NotFound(f"there is no post {by} whose key is in this folder; `keys list` shows them", post=by)
            return seal(payload_type, payload, signer)

    async def glass(self, by: str, passphrase: str, ch: str = "") -> AbstractContextManager[None]:
        """While it lasts, the post `by` may sign: of itself, unless it is a break-glass post, whose key is opened with
        its own passphrase. `ch`: on this line; empty: on whatever line has such a post.

        Raises: BadInput without the passphrase (details: `break_glass`) or with a wrong one; NotFound.
        """
        name = by.rpartition("/")[2]
        lines = [line for line in self._node().lines.values() if ch in ("", line.channel.ch)]
        posts = [post for line in lines if (post := line.keys.next()[0].card.posts.get(name)) is not None]
        wanted = {post.key for post in posts if post.break_glass}
        if not wanted:
            return nullcontext()
        if not passphrase:
            raise BadInput(
                f"{by} is a break-glass post: its key has a passphrase of its own, in an envelope. Any other post may "
                "speak without one",
                field="post-passphrase",
                break_glass=name,
            )
        for keys in self.home.sets():
            for file in keys.files(post_use(name)):
                if keys.facts(file).public in wanted:
                    text = await asyncio.to_thread(keys.secret_by_passphrase, file, passphrase)
                    return self._signers.lent(Ed25519Signer(seed_in(file, text)))
        raise NotFound(f"the key of {by} is not in this folder; bring keys/ back from the safe place", post=by)

    def waits_for(self, keys: KeySet) -> list[str]:
        """Peers that have not signed yet that they hold our newest card, on any line of this set."""
        card, found = keys.card(), []
        for line in self.lines_of(keys):
            known = line.keys.own.newest.card
            late = card is not None and known.version < card.version
            found += [p for p in line.channel.peers if late or line.channel.cards_for(p)]
        return sorted(set(found))

    async def keep_tidy(self) -> None:
        """For ever: old keys are deleted when their time has come."""
        while True:
            await asyncio.sleep(_TIDY_S)
            self.settle(again=True)

    def settle(self, *, again: bool = False) -> None:
        """Put away what no line needs any more, delete what was put away long ago, and show our new certificate.

        Nothing is looked at, and this costs nothing, while nothing waits to be put away; but with `again`.
        """
        if not self._unsettled and not again:
            return
        try:
            done, self._unsettled = self._settle()
            if done:
                self.read()
                self._links.join()
            if done and self._tls is not None:
                present(self._tls, self.identity())
        except Fault as fault:
            self._tell(FaultSeen(fault.name, fault.whose, fault.sentence))

    def _settle(self) -> tuple[bool, bool]:
        """Whether anything was put away or deleted; whether something waits."""
        now_ms, done, waits = self._now_ms(), False, False
        for keys in self.home.sets():
            if self.waits_for(keys) or any(line.recovery.waiting for line in self.lines_of(keys)):
                waits = True
            else:
                done = bool(settle(keys, now_ms)) or done
            done = bool(keys.prune(now_ms)) or done
        return done, waits

    # --- TLS ---

    def tls(self) -> ssl.SSLContext:
        """What the node listens with; it shows our new certificate from the moment at which every peer knows of it."""
        self._tls = server_context(self.identity())
        return self._tls

    def identity(self) -> Identity:
        """What we show to who calls: the certificate on our card, or the one before it until every peer knows of the
        new one. A peer that does takes both (`links.py`), so nobody is shut out in between."""
        keys = self.home.keys
        now = keys.current(TLS)
        if now is None or not any(self.waits_for(each) for each in self.home.sets()):
            return keys.identity()
        older = next((pin for pin in self._pins() if pin != keys.facts(now).public), "")
        file = next((f for f in keys.files(TLS) if keys.facts(f).public == older), None)
        return keys.identity(file)

    def _pins(self) -> list[str]:
        """Of the certificates on our cards as the lines know them, the newest first."""
        cards: list[Card] = [card for line in self._node().lines.values() for card in line.keys.own.cards]
        return [c.tls_sha256 for c in sorted(cards, key=lambda c: -c.version)]


def _entries(batch: Batch) -> list[dict[str, Any]]:
    said = [t for t in batch.tell if isinstance(t, Said)]
    return [{"ch": t.ch, "entry": t.entry, "kind": t.kind, "by": t.by} for t in said]
