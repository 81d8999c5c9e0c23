# SPDX-License-Identifier: Apache-2.0
"""A node's links: the key ring, a `PeerLine` for each peer of each line, and what people are told about them.

They follow the lines of the core (`join`) and the ways in the node's folder (`reload`, `ways.py`). No rule lives here.
Stamps of mediators are kept together, a moment later (`KEEP_S`): nothing that is urgent waits for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final

from wideberth.clock import Clock
from wideberth.core import events as ev
from wideberth.core.node import Node
from wideberth.core.records import SidecarRecord
from wideberth.core.seal import canonical, mediation
from wideberth.core.seal.keys import Ed25519Verifier, Signer
from wideberth.core.seal.mediation import MediatorCard
from wideberth.core.seal.party import Card
from wideberth.core.tells import FaultSeen, Level, Tell
from wideberth.errors import Fault, Spoiled, Stranger, Unreachable
from wideberth.home import Home
from wideberth.link.client import PeerLine
from wideberth.link.delivery import Delivery
from wideberth.link.desk import Desk
from wideberth.link.keyring import MemoryKeyRing
from wideberth.link.outage import Outage, watch
from wideberth.link.tls import also_trust, client_context
from wideberth.link.way import DIRECT, WITH_ANOTHER, Direct, Mediated, Way, Ways
from wideberth.ways import WayBook, load_ways

# Stamps that come within this time are written in one transaction, seconds. The mediator's log has them as well.
KEEP_S: Final = 0.2


class _Link:
    """One peer of one line. `at`: its address and certificates, as its cards have them."""

    def __init__(
        self, at: tuple[str, ...], line: PeerLine, ways: Ways, outage: Outage, tasks: list[asyncio.Task[None]]
    ) -> None:
        self.at = at
        self.line = line
        self.ways = ways
        self.outage = outage
        self.tasks = tasks


class Links:
    """`node` gives the core of now; `keep` stores what mediators signed and may raise StoreFull or StoreBroken; `soon`
    carries an event out that nobody waits for; `node_of` gives the node's key on a card of ours. All are called on the
    loop's thread."""

    def __init__(
        self, home: Home, clock: Clock, *, node_of: Callable[[Card], Signer], node: Callable[[], Node],
        tell: Callable[[Tell], None], keep: Callable[[Sequence[SidecarRecord]], None], soon: Callable[[ev.Event], None],
    ) -> None:  # fmt: skip
        self.keys = MemoryKeyRing()
        self.desk = Desk(self, Ed25519Verifier(), self._now_ms)
        self._home = home
        self._clock = clock
        self._node_of = node_of
        self._node = node
        self._tell = tell
        self._keep = keep
        self._soon = soon
        self._book = WayBook()
        self._links: dict[tuple[str, str], _Link] = {}
        self._stamps: list[SidecarRecord] = []
        self._keeping: asyncio.TimerHandle | None = None

    # --- life ---

    def join(self) -> None:
        """Key ring and links follow the lines of the core, open or waiting."""
        node, us = self._node(), self._home.config.party
        known = {ch: (line.channel.cards, line.mechanism.versions.founding) for ch, line in node.lines.items()}
        known.update({ch: (cards, agreement) for ch, (agreement, cards) in node.pending.items()})
        for ch, (cards, founding) in known.items():
            own = self._home.set_named(founding.nonce)
            self.keys.join(ch, us, frozenset(key.id for key in own.sealing_keys()))
            for party, card in cards.items():
                if party == us:
                    continue
                self.keys.set_peer(ch, party, card.sealing)
                link = self._links.get((ch, party))
                if link is not None and link.at != self._at(ch, party, card):
                    _cancel(self._links.pop((ch, party)))  # a newer card: it is somewhere else now
                    link = None
                if link is None and (card.url or self._book.of(ch, party) != (DIRECT,)):
                    self._links[ch, party] = self._link(ch, party, card)

    def reload(self) -> WayBook:
        """Take in mediators and ways from the folder; links whose ways changed begin anew. Raises: Fault."""
        before, self._book = self._book, load_ways(self._home.path)
        for (ch, party), link in list(self._links.items()):
            names = self._book.of(ch, party)
            moved = any(before.mediators.get(n) != self._book.mediators.get(n) for n in names)
            if names != link.ways.names or moved:
                _cancel(self._links.pop((ch, party)))
        self.join()
        return self._book

    async def stop(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            self._keep_now()
        links, self._links = list(self._links.values()), {}
        for link in links:
            _cancel(link)
        await asyncio.gather(*(task for link in links for task in link.tasks), return_exceptions=True)

    def _link(self, ch: str, party: str, card: Card) -> _Link:
        us = self._home.config.party
        ways = Ways(self._ways(ch, party, card), partial(self._way_failed, ch, party))
        line = PeerLine(ways, self.keys, on_reply=self._replied, on_change=partial(self._changed, ch, party))
        outage = Outage(
            ch, party, tell=self._tell, urgent=partial(self._urgent_waits, ch, party), now_ms=self._now_ms
        )  # fmt: skip
        work: list[Coroutine[Any, Any, None]] = [line.run()]
        if not self._clock.by_hand:  # on a drill's clock nothing happens by itself
            work.append(watch(line, ways, outage, Delivery(ch, us, party)))
        tasks = [asyncio.create_task(each) for each in work]
        return _Link(self._at(ch, party, card), line, ways, outage, tasks)

    def _at(self, ch: str, party: str, card: Card) -> tuple[str, ...]:
        """Address, and the certificates that are taken for the peer's: the one on its card, and the one before that. A
        peer shows the new one when all of its own peers know it, which may be days later."""
        line = self._node().lines.get(ch)
        cards = line.channel.succession(party).cards if line is not None else (card,)
        return (card.url, *list(dict.fromkeys(c.tls_pem for c in cards))[:2])

    def _context(self, ch: str, party: str, card: Card) -> ssl.SSLContext:
        _, newest, *older = self._at(ch, party, card)
        context = client_context(newest)
        for pem in older:
            also_trust(context, pem)
        return context

    def _ways(self, ch: str, party: str, card: Card) -> list[Way]:
        names = self._book.of(ch, party)
        patience = WITH_ANOTHER if len(names) > 1 else None
        return [
            Direct(card.url, self._context(ch, party, card), patience)
            if name == DIRECT
            else self._mediated(ch, party, self._book.mediators[name], patience is not None)
            for name in names
        ]

    def _mediated(self, ch: str, party: str, card: MediatorCard, another: bool) -> Mediated:
        return Mediated(
            card, client_context(card.tls_pem, self._home.identity()),
            us=self._home.config.party, to=party, node=partial(self.signer, ch), verifier=Ed25519Verifier(),
            peer_keys=partial(self.node_keys, ch, party), now_ms=self._now_ms, keep=self.keep_stamp,
            patience=WITH_ANOTHER if another else None,
        )  # fmt: skip

    # --- what the runtime and the screens ask ---

    def postman(self, ch: str, peer: str) -> PeerLine | None:
        if (ch, peer) not in self._links:
            self.join()  # a line that opens says its first word before anybody is told that it is open
        link = self._links.get((ch, peer))
        return link.line if link else None

    def state(self, ch: str, peer: str) -> dict[str, Any]:
        """`link`: one line for people; `relay`: for programs, None for a peer without a node."""
        link = self._links.get((ch, peer))
        if link is None:
            return {"link": "by voice only", "relay": None}
        return {"link": link.outage.link(), "relay": link.outage.as_json(link.ways)}

    def warnings(self, ch: str) -> list[str]:
        """For whoever says something on this line now: one sentence per peer that it does not reach."""
        return [link.outage.warning for (on, _), link in self._links.items() if on == ch and link.outage.out]

    # --- what a line says ---

    def _replied(self, delivery: Delivery) -> None:
        if delivery.frames or delivery.sidecars:
            frames = tuple((f.envelope, f.body) for f in delivery.frames)
            self._soon(ev.Arrived(delivery.ch, delivery.sender, frames, delivery.sidecars))

    def _changed(self, ch: str, peer: str, fault: Fault | None) -> None:
        link = self._links[ch, peer]
        if fault is None:
            link.outage.works(link.line.way)
            self._soon(ev.Reached(peer))
            return
        link.outage.failed(fault)
        self._way_failed(ch, peer, "", fault)

    def _way_failed(self, ch: str, peer: str, _way: str, fault: Fault) -> None:
        """What is nobody's doing is said by the outage, or is none while another way works."""
        if not isinstance(fault, Unreachable):
            self.told(ch, peer, fault)

    def _urgent_waits(self, ch: str, peer: str) -> bool:
        line = self._node().lines.get(ch)
        outbox = line.channel.outboxes.get(peer) if line is not None else None
        return outbox is not None and outbox.urgent_waits

    # --- mediators: `link/desk.py` ---

    def mediator(self, name: str) -> MediatorCard | None:
        return self._book.mediators.get(name)

    def signer(self, ch: str) -> Signer:
        node, us = self._node(), self._home.config.party
        cards = node.lines[ch].channel.cards if ch in node.lines else node.pending[ch][1]
        return self._node_of(cards[us])

    def node_keys(self, ch: str, party: str) -> tuple[str, ...]:
        node = self._node()
        if ch in node.lines:
            return node.lines[ch].channel.succession(party).node_keys
        cards = node.pending.get(ch, (None, {}))[1]
        if party not in cards:
            raise Stranger("this delivery is of a channel or a party that this node does not know")
        return (cards[party].node,)

    def keep_stamp(self, ch: str, mediator: str, stamp: bytes) -> None:
        kind, key = mediation.KEPT_STAMP, canonical.sha256(stamp)
        self._stamps.append(SidecarRecord(ch, kind, mediator, key, stamp, self._now_ms()))
        if self._keeping is None:
            self._keeping = asyncio.get_running_loop().call_later(KEEP_S, self._keep_now)

    def _keep_now(self) -> None:
        stamps, self._stamps, self._keeping = tuple(self._stamps), [], None
        with contextlib.suppress(Fault):  # testimony, and the mediator has it too: a full disk must not stop the line
            self._keep(stamps)

    def told(self, ch: str, peer: str, fault: Fault) -> None:
        details = {k: v for k, v in fault.details.items() if isinstance(v, str | int | bool)}
        level = Level.NOTE
        if isinstance(fault, Spoiled):
            level, key = Level.RING, canonical.sha256(fault.proof)
            details["proof"] = key
            record = SidecarRecord(ch, mediation.KEPT_PROOF, fault.by, key, fault.proof, self._now_ms())
            with contextlib.suppress(Fault):
                self._keep((record,))
        self._tell(FaultSeen(fault.name, fault.whose, fault.sentence, ch, peer, details, level))

    def _now_ms(self) -> int:
        return self._clock.now().t_ms


def _cancel(link: _Link) -> None:
    for task in link.tasks:
        task.cancel()
