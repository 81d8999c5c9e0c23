# SPDX-License-Identifier: Apache-2.0
"""The record side of a node: `step(event, now) -> Batch`. It routes and merges, and decides nothing itself.

    node = Node("BLUE", signers, verifier, entropy, recall=store.entry)
    for record in store.load():
        node.load(record)
    batch = node.step(event, now)       # the shell: ring, store, send, tell, do, wake (core/batch.py)

Everything a peer sends is parsed on this side, so nothing here may import plans, tracks or the judge; what is heard is
fed one way to the inner side (`core/inner.py`) through `Batch.do`. No batch depends on own plans, in content or time.

`step` raises a `Fault` of ours (or the world's) only for a command that cannot be carried out, and then nothing has
changed. What a peer does wrong never raises: it is told as `FaultSeen`, and the node goes on. If the shell fails to
store a batch the node must be built anew from the store: what is in memory is ahead of the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import msgspec

from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now
from wideberth.core.carry.channel import Channel
from wideberth.core.effects import Effects
from wideberth.core.feed import Feed
from wideberth.core.line import Line
from wideberth.core.line_keys import change_card, revoke_key
from wideberth.core.mechanism import Mechanism
from wideberth.core.records import EntryRecord, Record, SettingRecord, SidecarRecord
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import Agreement, Versions, agreement_hash, lines_of, read_agreement
from wideberth.core.seal.capabilities import Entropy, Recall, Signers
from wideberth.core.seal.keys import Verifier
from wideberth.core.seal.party import Card, read_card
from wideberth.core.seal.succession import Succession
from wideberth.core.tells import Disk, FaultSeen, Level, LineOpened
from wideberth.errors import BadInput, Fault, NotFound, Stranger

# A clock that is disciplined goes back by less; what is more was set by somebody.
SET_BACK_MS: Final = 1_000
# Entries that may not be in the store yet; beyond it one that is gets forgotten.
FRESH_KEPT: Final = 256


class Node:
    """One party's record side. `recall` reads an entry from the store (for proofs of equivocation)."""

    def __init__(self, party: str, signers: Signers, verifier: Verifier, entropy: Entropy, recall: Recall) -> None:
        self.party = party
        self.lines: dict[str, Line] = {}
        self.mechanisms: dict[str, Mechanism] = {}
        self.pending: dict[str, tuple[Agreement, dict[str, Card]]] = {}
        self.disk_low = False
        self._latest_ms = 0
        self._signers = signers
        self._verifier = verifier
        self._entropy = entropy
        self._stored = recall
        self._fresh: dict[str, EntryRecord] = {}
        self._epochs: dict[str, str] = {}
        self._cards: dict[str, dict[str, Card]] = {}
        self._card_envelopes: dict[str, list[bytes]] = {}
        self._restored: dict[str, str] = {}

    def step(self, event: ev.Event, now: Now) -> Batch:
        """Raises Fault (ours, the world's) for a command that cannot be carried out."""
        out = Effects()
        match event:
            case ev.Arrived():
                self._arrived(event, now, out)
            case ev.Tick():
                for line in self.lines.values():
                    line.tick(now, out)
            case ev.Reached():
                for line in self.lines.values():
                    line.reached(event.peer, now, out)
            case ev.Showed():
                self._line(event.ch).showed(event.author, event.seq, now, out)
            case ev.DiskState():
                self.disk_low = event.low
                out.tell.append(Disk(event.low, event.sentence, Level.RING if event.low else Level.NOTE))
            case ev.OpenLine():
                self._open(event, now, out)
            case ev.ChangeCard():
                change_card(event, self.party, self.lines.values(), self._verifier, now, out)
            case ev.RevokeKey():
                revoke_key(event, self.lines.values(), now, out)
            case ev.Resume():
                self._line(event.ch).recovery.resume(event.by, now, out)
            case ev.CheckLines():
                for line in self.lines.values():
                    for peer in line.channel.peers:
                        line.witness.check_line(peer, now, out)
            case ev.SignCheckpoints():
                for line in self.lines.values():
                    line.witness.checkpoint(now, out)
            case ev.CompareHeads():
                for line in self.lines.values():
                    for peer in line.channel.peers:
                        line.recovery.ask(peer, now, out)
            case (
                ev.ProposeVersion() | ev.SignVersion() | ev.Suspend() | ev.Reinstate() | ev.Leave() | ev.DeclareReady()
            ):  # fmt: skip
                # What concerns the mechanism itself is said on one line, wherever it is asked for.
                self._line(event.ch).mechanism.home.command(event, now, self.disk_low, out)
            case _:
                self._line(event.ch).command(event, now, self.disk_low, out)
        while out.agreed:
            self._agreed(*out.agreed.pop(0), now, out)
        if not isinstance(event, ev.DiskState):  # of which shells pass on what is told, and no ring
            self._go_along(now, out)  # last: a command that is refused changes nothing
        self._remember(out)
        return self._batch(out, now)

    def _go_along(self, now: Now, out: Effects) -> None:
        """What expired by a clock that was ahead, and is live again by the one that was set right, rings again."""
        back_ms = self._latest_ms - now.t_ms
        if back_ms > SET_BACK_MS:
            for line in self.lines.values():
                out.ring.extend(line.unanswered(now, "this node's clock was set back"))
        if back_ms < 0 or back_ms > SET_BACK_MS:
            self._latest_ms = now.t_ms

    def _batch(self, out: Effects, now: Now) -> Batch:
        """Whoever may not know our newest cards yet gets them with everything else."""
        out.send = [
            msgspec.structs.replace(send, sidecars=(*cards, *send.sidecars))
            if (line := self.lines.get(send.ch)) and (cards := line.channel.cards_for(send.to, urgent=send.urgent > 0))
            else send
            for send in out.send
        ]
        return out.batch(self.wake_ms(now))

    def _recall(self, hash_: str) -> EntryRecord | None:
        return self._fresh.get(hash_) or self._stored(hash_)

    def _remember(self, out: Effects) -> None:
        """A shell writes the batches of many steps together: until then the store cannot say what is in them."""
        self._fresh.update((r.hash, r) for r in out.store if isinstance(r, EntryRecord))
        while len(self._fresh) > FRESH_KEPT and self._stored(oldest := next(iter(self._fresh))) is not None:
            del self._fresh[oldest]

    def load(self, record: Record) -> None:
        """Fold one stored record in; call with every record, in the order of the store, before the first step."""
        match record:
            case SettingRecord():
                if record.value and record.key.startswith("resume/"):
                    self._restored[record.key.removeprefix("resume/")] = record.value.decode()
                elif record.key.startswith("epoch/"):
                    self._epochs[record.key.removeprefix("epoch/")] = record.value.decode()
            case SidecarRecord(kind="card") if record.ch in self.lines:
                with suppress(Stranger):  # of a member of the mechanism who is not on this line
                    self.lines[record.ch].keys.whose(record.envelope).learn(record.envelope)
            case SidecarRecord(kind="card"):
                card = read_card(record.envelope, self._verifier)
                self._cards.setdefault(record.ch, {})[card.party] = card
                self._card_envelopes.setdefault(record.ch, []).append(record.envelope)
            case SidecarRecord(kind="pending"):
                agreement, _, _ = read_agreement(record.envelope, self._verifier, complete=False)
                self.pending[record.ch] = (agreement, self._cards.get(record.ch, {}))
            case SidecarRecord(kind="agreement"):
                agreement, _, _ = read_agreement(record.envelope, self._verifier)
                self.pending.pop(record.ch, None)
                if agreement.version == 1 and record.ch not in self.lines:
                    self._add_line(record.ch, agreement, record.envelope, self._cards.get(record.ch, {}))
                else:
                    self._add_version(record.ch, agreement, record.envelope)
            case SidecarRecord() if record.ch in self.lines:
                self.lines[record.ch].reload_sidecar(record)
            case EntryRecord():
                self._line(record.ch).reload(record)
            case _:
                pass

    def started(self, now: Now) -> Batch:
        """After the last `load`: what is not receipted is due, what is live must be weighed."""
        out = Effects()
        for line in self.lines.values():
            line.reloaded(self._epochs.get(line.channel.ch, ""))
        for ch, by in self._restored.items():
            if ch in self.lines:
                self.lines[ch].recovery.restored(by, now, out)
        for line in self.lines.values():
            for outbox in line.channel.outboxes.values():
                outbox.waiting(line.channel.newest, now.mono_ms)
            # A node that starts does not know whether somebody put an old copy back: it asks.
            for peer in line.channel.peers:
                if not line.recovery.waiting:
                    line.recovery.ask(peer, now, out)
        for line in self.lines.values():
            out.ring.extend(line.unanswered(now))
        out.do.extend(self.live(now))
        return self._batch(out, now)

    def live(self, now: Now) -> Iterator[Feed]:
        """Everything live on every line, for an inner side that starts."""
        for line in self.lines.values():
            for thread in line.board:
                if thread.live(now.t_ms):
                    yield from line.feed(thread, now.t_ms)

    def wake_ms(self, now: Now) -> int | None:
        return min((w for line in self.lines.values() if (w := line.wake_ms(now)) is not None), default=None)

    def card_of(self, ch: str, party: str) -> Card | None:
        """For the link: whom to seal to, where to deliver."""
        line = self.lines.get(ch)
        cards = line.channel.cards if line else self.pending[ch][1] if ch in self.pending else {}
        return cards.get(party)

    # --- lines open ---

    def _line(self, ch: str) -> Line:
        line = self.lines.get(ch)
        if line is None:
            if ch in self.pending:
                raise NotFound("this line waits for the other side's signature; nothing can be said on it yet", ch=ch)
            raise NotFound("this node has no such line; `status` lists them", ch=ch)
        return line

    def _open(self, event: ev.OpenLine, now: Now, out: Effects) -> None:
        agreement, sealed, _ = read_agreement(event.agreement, self._verifier, complete=False)
        if agreement.version != 1:
            raise BadInput("a mechanism is founded by version 1 of its agreement", field="agreement")
        ours = lines_of(Versions(agreement), self.party)
        if self.lines.keys() & ours.keys():
            raise BadInput("this line is open already", field="agreement")
        us = agreement.member(self.party)
        if us is None or not us.root:
            raise BadInput(f"{self.party} is not a member of this agreement", field="agreement")
        cards = self._checked_cards(agreement, event.cards)
        complete = len(sealed.signatures) >= sum(1 for m in agreement.members if m.root)
        if complete:
            read_agreement(event.agreement, self._verifier)
        for ch in ours:
            self._card_envelopes[ch] = list(event.cards)
            for envelope in event.cards:
                key = canonical.sha256(envelope)
                out.store.append(SidecarRecord(ch, "card", self.party, key, envelope, now.t_ms))
        key = canonical.sha256(event.agreement)
        if complete:
            self._opened(agreement, event.agreement, cards, now, out)
            return
        for ch in ours:
            self.pending[ch] = (agreement, cards)
            self._cards[ch] = cards
            out.store.append(SidecarRecord(ch, "pending", self.party, key, event.agreement, now.t_ms))

    def _checked_cards(self, agreement: Agreement, envelopes: tuple[bytes, ...]) -> dict[str, Card]:
        cards: dict[str, Card] = {}
        for envelope in envelopes:
            card = read_card(envelope, self._verifier)
            member = agreement.member(card.party)
            if member is None or member.root != card.root:
                raise Stranger(f"the card of {card.party} is not of a member of this agreement")
            cards[card.party] = card
        missing = [m.party for m in agreement.members if m.root and m.party not in cards]
        if missing:
            raise BadInput(f"the card of {', '.join(missing)} is missing", field="cards")
        if self._signers.key(cards[self.party].node) is None:
            raise BadInput("our own card does not certify this node's key; run `doctor`", field="cards")
        return cards

    def _opened(self, agreement: Agreement, envelope: bytes, cards: dict[str, Card], now: Now, out: Effects) -> None:
        """Every root signed: each line of ours in it opens, and our strand on it begins."""
        key = canonical.sha256(envelope)
        for ch in lines_of(Versions(agreement), self.party):
            line = self._add_line(ch, agreement, envelope, cards)
            self.pending.pop(ch, None)
            out.store.append(SidecarRecord(ch, "agreement", self.party, key, envelope, now.t_ms))
            out.tell.append(LineOpened(ch, agreement.mechanism, line.channel.peers))
        for line in self.mechanisms[agreement_hash(agreement)].lines.values():
            line.open_epoch("FOUNDING", "", now, out)

    def _add_line(self, ch: str, founding: Agreement, envelope: bytes, cards: dict[str, Card]) -> Line:
        hash_ = agreement_hash(founding)
        mechanism = self.mechanisms.get(hash_)
        if mechanism is None:
            mechanism = self.mechanisms[hash_] = Mechanism(Versions(founding), cards)
            mechanism.card_envelopes = tuple(self._card_envelopes.get(ch, ()))
            mechanism.envelopes[hash_] = envelope
        return self._line_of(mechanism, ch)

    def _line_of(self, mechanism: Mechanism, ch: str) -> Line:
        terms = lines_of(mechanism.versions, self.party)[ch]
        # A line that opens later begins with the first cards as well, so that it begins alike for every member.
        keys = {p: Succession(c, self._verifier) for p, c in mechanism.cards.items() if p in terms.members}
        for other in mechanism.lines.values():
            for party in keys.keys() & other.channel.keys.keys():
                newest = other.channel.keys[party].newest
                if newest.card.version > keys[party].newest.card.version:
                    keys[party].learn(newest.envelope)
        channel = Channel(self.party, mechanism.versions, terms, keys, mechanism.envelopes)
        line = Line(channel, mechanism, self._signers, self._verifier, self._entropy, self._recall)
        self.lines[ch] = mechanism.lines[ch] = line
        return line

    def _agreed(self, agreement: Agreement, envelope: bytes, now: Now, out: Effects) -> None:
        """A later version: it is kept with every line, lines that it opens begin, and what waited for it is judged."""
        mechanism = next(m for m in self.mechanisms.values() if m.versions.follows(agreement))
        key = canonical.sha256(envelope)
        for ch in lines_of(mechanism.versions, self.party):
            out.store.append(SidecarRecord(ch, "agreement", self.party, key, envelope, now.t_ms))
            if ch not in self.lines:
                line = self._line_of(mechanism, ch)
                for other in (*mechanism.envelopes.values(), *mechanism.card_envelopes):
                    kind = "card" if other in mechanism.card_envelopes else "agreement"
                    if other != envelope:
                        out.store.append(SidecarRecord(ch, kind, self.party, canonical.sha256(other), other, now.t_ms))
                out.tell.append(LineOpened(ch, agreement.mechanism, line.channel.peers))
                line.open_epoch("FOUNDING", "", now, out)
        for line in mechanism.lines.values():
            line.judge_waiting(now, out)

    def _add_version(self, ch: str, agreement: Agreement, envelope: bytes) -> None:
        """A later version out of our own store; a line that it opened has it as its first record."""
        found = (m for m in self.mechanisms.values() if m.versions.follows(agreement))
        mechanism = next(found, None)
        if mechanism is not None:
            mechanism.add(agreement, envelope)
            if ch not in self.lines and ch in lines_of(mechanism.versions, self.party):
                self._line_of(mechanism, ch)

    # --- peers ---

    def _arrived(self, event: ev.Arrived, now: Now, out: Effects) -> None:
        if event.ch in self.pending:
            self._countersigned(event, now, out)
        if event.ch not in self.lines:
            self._newly_agreed(event, now, out)
        line = self.lines.get(event.ch)
        if line is None:
            fault = Stranger("a delivery came for a line that this node does not have", ch=event.ch[:64])
            out.tell.append(FaultSeen(fault.name, fault.whose, fault.sentence, event.ch[:64], event.peer[:40]))
            return
        line.arrived(event, now, self.disk_low, out)

    def _newly_agreed(self, event: ev.Arrived, now: Now, out: Effects) -> None:
        """A line that a later version opened, which a peer knew before us: the version comes with its delivery."""
        for envelope in event.sidecars:
            try:
                agreement, _, _ = read_agreement(envelope, self._verifier)
                mechanism = next((m for m in self.mechanisms.values() if m.versions.follows(agreement)), None)
                if mechanism is not None:
                    mechanism.add(agreement, envelope, out)
            except Fault:
                continue  # another kind of sidecar, or a version that does not follow
        while out.agreed:
            self._agreed(*out.agreed.pop(0), now, out)

    def _countersigned(self, event: ev.Arrived, now: Now, out: Effects) -> None:
        """The agreement that we signed comes back with every signature: the line opens."""
        for envelope in event.sidecars:
            try:
                agreement, _, _ = read_agreement(envelope, self._verifier)
            except Fault:
                continue  # another kind of sidecar; it is read again, and judged, once the line is open
            if event.ch in lines_of(Versions(agreement), self.party):
                _, cards = self.pending[event.ch]
                self._opened(agreement, envelope, cards, now, out)
                return
