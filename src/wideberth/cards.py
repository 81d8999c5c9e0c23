# SPDX-License-Identifier: Apache-2.0
"""Our own cards, from the node's folder into its record: what `wideberth keys` changed is said on every line.

    cards = OwnCards(home, signers, links.keys, node=…, submit=…)
    cards.read()                at start, and whenever the folder may have changed: all keys that are there are at hand
    await cards.announce()      each line whose mechanism's card is newer than what it knows gets it, in our strand
    cards.settle(now_ms)        where every peer has the newest card: the keys before it are put away (`rekey.settle`)

Which key signs which place is decided by the record (docs/decisions/0008); here is only when private keys come to hand
and when they go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from wideberth.core import events as ev
from wideberth.core.line import Line
from wideberth.core.node import Node
from wideberth.core.seal.party import Card
from wideberth.errors import BadInput
from wideberth.home import Home
from wideberth.keyset import TLS, KeySet
from wideberth.link.keyring import MemoryKeyRing
from wideberth.link.tls import Identity
from wideberth.rekey import settle
from wideberth.signers import HomeSigners


class OwnCards:
    """`node` gives the core of now; `submit` carries an event out, durably. Everything runs on the loop's thread."""

    def __init__(
        self, home: Home, signers: HomeSigners, ring: MemoryKeyRing, *, node: Callable[[], Node],
        submit: Callable[[ev.Event], Awaitable[Any]],
    ) -> None:  # fmt: skip
        self.home: Final = home
        self._signers = signers
        self._ring = ring
        self._node = node
        self._submit = submit
        self._unsettled = True

    def read(self) -> None:
        """Have every key of the folder at hand. Raises: NotFound, BadInput."""
        self.home.read_again()
        self._signers.refresh()
        self._unsettled = True
        for keys in self.home.sets():
            for key in keys.sealing_keys():
                self._ring.add_own(key)

    async def announce(self) -> None:
        """The node itself says each card that is newer than what a line knows. Raises: Fault; what was not said stays
        to be said."""
        for keys in self.home.sets():
            data, card = keys.card_bytes(), keys.card()
            if data is None or card is None:
                continue
            late = [line for line in self.lines_of(keys) if line.keys.own.newest.card.version < card.version]
            if late:
                await self._submit(ev.ChangeCard("", data, tuple(line.channel.ch for line in late)))

    def lines_for(self, card: bytes) -> tuple[str, ...]:
        """Which lines a card of the folder is for. Raises: BadInput when it is not one of the folder."""
        found = [keys for keys in self.home.sets() if keys.card_bytes() == card]
        if not found:
            raise BadInput("this card is not the one in the node's folder; `wideberth keys` makes and says one")
        return tuple(line.channel.ch for line in self.lines_of(found[0]))

    def lines_of(self, keys: KeySet) -> list[Line]:
        """The open lines on which we speak with this set."""
        return [
            line for line in self._node().lines.values()
            if self.home.set_named(line.mechanism.versions.founding.nonce) is keys
        ]  # fmt: skip

    def waits_for(self, keys: KeySet) -> list[str]:
        """Peers that have not signed yet that they hold our newest card, on any line of this set."""
        card, found = keys.card(), []
        for line in self.lines_of(keys):
            known = line.keys.own.newest.card
            late = card is not None and known.version < card.version
            found += [p for p in line.channel.peers if late or line.channel.card_for(p)]
        return sorted(set(found))

    def settle(self, now_ms: int, *, again: bool = False) -> list[str]:
        """Put away what no line needs any more, and delete what was put away long ago; for which uses.

        Nothing is looked at, and this costs nothing, while nothing waits to be put away; but with `again`.
        """
        if not self._unsettled and not again:
            return []
        done, waits = [], False
        for keys in self.home.sets():
            if self.waits_for(keys) or any(line.recovery.waiting for line in self.lines_of(keys)):
                waits = True
            else:
                done += settle(keys, now_ms)
            done += keys.prune(now_ms)
        if done:
            self.read()
        self._unsettled = waits
        return done

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
