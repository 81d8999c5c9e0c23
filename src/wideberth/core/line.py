# SPDX-License-Identifier: Apache-2.0
"""One line: a channel and its board together, and the effects of everything that happens on it.

`Line` decides what to store, send and tell; `node.py` routes events to lines and merges their effects into a `Batch`.
It parses a peer's bytes, so it knows nothing of plans, tracks or verdicts: it only feeds the inner side.
"""

from __future__ import annotations

from typing import Any

import msgspec

from wideberth.core import events as ev
from wideberth.core.batch import Now, Send
from wideberth.core.call import sentences, speak
from wideberth.core.call.board import Board, Change, NotUnderstood, Thread, Version
from wideberth.core.call.deadlines import URGENT, Deadlines, overdue
from wideberth.core.carry.channel import Channel
from wideberth.core.carry.strand import Fit
from wideberth.core.effects import Effects, entry_record, fault_tell, is_urgent, receipt_record
from wideberth.core.feed import Feed, Forget, Weigh
from wideberth.core.limits import ALERT_LIVES_MS
from wideberth.core.records import EntryRecord, SidecarRecord
from wideberth.core.say import notice
from wideberth.core.say.place import Altitude
from wideberth.core.say.volume import Volume4D
from wideberth.core.say.words import (
    EpochOpened,
    NodeRemark,
    Notice,
    NoticeVersion,
    Precedence,
    Word,
)
from wideberth.core.seal import canonical
from wideberth.core.seal import entry as entries
from wideberth.core.seal.capabilities import Entropy, Recall, Signers
from wideberth.core.seal.entry import EPOCH_BYTES, SALT_BYTES, Entry, Header, Said, Unread
from wideberth.core.seal.keys import Signer, Verifier
from wideberth.core.seal.receipt import Receipt
from wideberth.core.tells import Climbed, Delivered, FaultSeen, Heard, Level, Overdue
from wideberth.core.tells import Said as SaidTell
from wideberth.errors import BadInput, Equivocation, Fault, NotFound, StoreFull


class Line:
    def __init__(
        self, channel: Channel, signers: Signers, verifier: Verifier, entropy: Entropy, recall: Recall
    ) -> None:
        self.channel = channel
        self.board = Board(channel.ch, channel.agreement.rules, channel.us)
        self.deadlines = Deadlines()
        self._signers = signers
        self._verifier = verifier
        self._entropy = entropy
        self._recall = recall
        self._rung: set[str] = set()

    # --- own people speak ---

    def open_epoch(self, now: Now, out: Effects) -> None:
        """The founding epoch of our own strand: a random id, and nothing before it."""
        epoch = self._entropy(EPOCH_BYTES).hex()
        fences = {peer: self.channel.strands[peer].place for peer in self.channel.peers}
        self._write(EpochOpened("FOUNDING", None, fences), "node", None, now, out, epoch=epoch)

    def command(self, command: ev.Command, now: Now, disk_low: bool, out: Effects) -> None:
        """Raises BadInput, NotFound or StoreFull; nothing has changed then."""
        post = self._post(command.by)
        what, facts = speak.word_for(command, self.board, now.t_ms)
        if disk_low and not is_urgent(what):
            raise StoreFull(
                "the disk of this node is full: routine entries are refused until there is room. "
                "ALERT and urgent notices still go out."
            )
        self._write(what, command.by.partition("/")[2], post, now, out, facts=facts)

    def _post(self, by: str) -> Signer:
        party, _, name = by.partition("/")
        signer = self._signers.post(name) if party == self.channel.us else None
        if signer is None:
            raise NotFound(f"{by} is not a post of this node; `status` lists them", post=by)
        return signer

    def _write(
        self, what: Word, post: str, signer: Signer | None, now: Now, out: Effects, *,
        epoch: str = "", facts: dict[str, Any] | None = None,
    ) -> Entry:  # fmt: skip
        """Sign a word and give it the next place of our strand. Everything is checked before anything changes."""
        channel = self.channel
        by = f"{channel.us}/{post}"
        said, sig = entries.state(by, channel.ch, now.t_ms, what, signer)
        body = entries.pack_body(said, sig, self._entropy(SALT_BYTES))
        kind = entries.kind_of(what)
        entry = entries.seal(channel.header(kind, by, now.t_ms, body, epoch=epoch), body, self._signers.node)
        try:
            change = self.board.apply(entry.header, entry.hash, what, now.t_ms)
        except NotUnderstood as why:
            raise BadInput(f"this cannot be said: {why}") from None
        urgent = is_urgent(what)
        channel.wrote(entry, urgent=urgent)
        out.store.append(entry_record(entry, now.t_ms))
        for peer in channel.peers:
            self._send_fresh(peer, now, out)
        told = {**(facts or {}), **change.facts}
        if change.step is not None:
            told["step"] = change.step.step
            told.update(change.step.facts)
        ref = change.thread.ref if change.thread else ""
        number = change.version.number if change.version else 0
        out.tell.append(SaidTell(channel.ch, entry.hash, kind, by, ref, number, told))
        self._follow(change, now, out)
        return entry

    # --- a peer is heard ---

    def arrived(self, event: ev.Arrived, now: Now, disk_low: bool, out: Effects) -> None:
        """Frames and sidecars of one delivery. A fault in one of them never stops the others."""
        rings: list[tuple[Thread | None, Heard]] = []
        grown: set[str] = set()
        repeated: dict[str, set[int]] = {}
        remarks: list[NodeRemark] = []
        kept = self._unsealed(event, out)
        if disk_low:
            # Room is for urgent things only: the chain up to the last urgent one; the rest will be repeated. By place,
            # for a delivery has its urgent ones first, before those that they follow in the strand.
            urgent = ((e.header.sender, e.header.seq) for e, x in kept if isinstance(x, Said) and is_urgent(x.what))
            last = dict(sorted(urgent))
            kept = [(e, x) for e, x in kept if e.header.seq <= last.get(e.header.sender, 0)]
        for entry, said in kept:
            try:
                self._take(entry, said, now, out, rings, grown, repeated, remarks)
            except Fault as fault:
                out.tell.append(fault_tell(fault, self.channel.ch, entry.header.sender))
        # After an outage only what is live and not superseded rings (domain.md B6, design.md §3).
        out.ring.extend(
            heard for thread, heard in rings
            if thread is None or (thread.live(now.t_ms) and thread.newest.entry == heard.entry)
        )  # fmt: skip
        for author in sorted(grown):
            receipt, envelope = self.channel.stored_receipt(author, now.t_ms, self._signers.node)
            out.store.append(receipt_record(receipt, envelope, now.t_ms))
            out.send.append(Send(author, self.channel.ch, (), (envelope,)))
        for author in sorted(repeated.keys() - grown):
            again = {e: None for seq in (min(repeated[author]), max(repeated[author]))
                     for e in self.channel.inboxes[author].receipts_for(seq)}  # fmt: skip
            if again:
                out.send.append(Send(author, self.channel.ch, (), tuple(again)))
        for remark in remarks:
            self._write(remark, "node", None, now, out)
        for envelope in event.sidecars:
            try:
                self._receipt(envelope, now, out)
            except Fault as fault:
                out.tell.append(fault_tell(fault, self.channel.ch, event.peer))
        outbox = self.channel.outboxes.get(event.peer)
        if outbox is not None:
            outbox.alive(self.channel.own.seq, now.mono_ms)
            self._send_fresh(event.peer, now, out)

    def _unsealed(self, event: ev.Arrived, out: Effects) -> list[tuple[Entry, Said | Unread]]:
        kept: list[tuple[Entry, Said | Unread]] = []
        for envelope, body in event.frames:
            try:
                entry = self.channel.unseal(envelope, body, self._verifier)
            except Fault as fault:
                out.tell.append(fault_tell(fault, self.channel.ch, event.peer))
                continue
            kept.append((entry, entries.open_body(entry, self.channel.cards[entry.header.sender], self._verifier)))
        return kept

    def _take(
        self, entry: Entry, said: Said | Unread, now: Now, out: Effects, rings: list[tuple[Thread | None, Heard]],
        grown: set[str], repeated: dict[str, set[int]], remarks: list[NodeRemark],
    ) -> None:  # fmt: skip
        author = entry.header.sender
        inbox = self.channel.inboxes[author]
        match self.channel.fit(entry):
            case Fit.REPEAT:
                repeated.setdefault(author, set()).add(entry.header.seq)
            case Fit.FORK:
                self._fork(entry, now, out)
            case Fit.GAP:
                urgent = isinstance(said, Said) and is_urgent(said.what)
                parked = inbox.parked(entry.header.seq)
                if parked is not None and parked.hash != entry.hash:
                    self._prove(parked.envelope, entry, now, out)
                elif inbox.park(entry, urgent=urgent) and urgent and isinstance(said, Said):
                    self._ring_early(entry, said, now, rings)
            case Fit.NEXT:
                self._link(entry, said, now, out, rings, remarks)
                grown.add(author)
                strand = self.channel.strands[author]
                while (waiting := inbox.take(strand.seq + 1)) is not None:
                    if self.channel.fit(waiting) is not Fit.NEXT:
                        break
                    card = self.channel.cards[author]
                    self._link(waiting, entries.open_body(waiting, card, self._verifier), now, out, rings, remarks)

    def _ring_early(self, entry: Entry, said: Said, now: Now, rings: list[tuple[Thread | None, Heard]]) -> None:
        """An urgent entry overtook a gap: it rings now, and is linked when the gap fills."""
        if entry.hash in self._rung:
            return
        probe = Board(self.board.ch, self.board.rules, self.board.us)
        try:
            what = said.what
            # What it revises or refines may still be in the gap: weighed alone, told as what it is.
            alone = Notice(what.ref, what.terms) if isinstance(what, NoticeVersion) else what
            change = probe.apply(entry.header, entry.hash, alone, now.t_ms)
        except NotUnderstood:
            return
        if change.thread is None or not change.thread.live(now.t_ms):
            return
        if isinstance(what, NoticeVersion) and not isinstance(what, Notice) and change.version is not None:
            named = msgspec.structs.replace(change.version, number=what.version, kind=entry.header.type)
            change = msgspec.structs.replace(change, version=named)
        self._rung.add(entry.hash)
        rings.append((None, self._heard(entry, said, change, now, recorded=False)))

    def _link(
        self, entry: Entry, said: Said | Unread, now: Now, out: Effects, rings: list[tuple[Thread | None, Heard]],
        remarks: list[NodeRemark],
    ) -> None:  # fmt: skip
        """The entry continues its strand: it is kept, whatever its body says."""
        lie = self.channel.false_citation(entry.header)
        self.channel.link(entry)
        out.store.append(entry_record(entry, now.t_ms))
        what = said.what if isinstance(said, Said) else None
        change = Change("word")
        if what is not None:
            try:
                if lie:
                    raise NotUnderstood(lie)
                change = self.board.apply(entry.header, entry.hash, what, now.t_ms)
            except NotUnderstood as why:
                said, what = Unread("NOT_UNDERSTOOD", str(why)), None
        if isinstance(said, Unread):
            author = entry.header.sender
            sentence = f"entry {entry.header.seq} of {author} is kept, but has no effect: {said.text}"
            out.tell.append(
                FaultSeen(said.fault, "theirs", sentence, self.channel.ch, author, {"entry": entry.hash}, Level.NOTE)
            )
            if entry.header.type not in entries.NODE_KINDS:
                remarks.append(NodeRemark(entry.hash, said.fault, said.text[:200]))
            return
        self._own_receipt_time(entry.header, now)
        if change.version is not None and change.what == "version":
            terms = change.version.terms
            if terms is not None:
                change.facts["lead_delivered"] = msgspec.to_builtins(
                    notice.lead(terms, self.board.rules, now.t_ms)
                )  # fmt: skip
        heard = self._heard(entry, said, change, now, recorded=True)
        if is_urgent(said.what) and entry.hash not in self._rung:
            self._rung.add(entry.hash)
            rings.append((change.thread, msgspec.structs.replace(heard, recorded=False, level=Level.RING)))
        if entry.header.type != "epoch":
            out.tell.append(heard)
        self._follow(change, now, out)

    def _heard(self, entry: Entry, said: Said, change: Change, now: Now, *, recorded: bool) -> Heard:
        header = entry.header
        facts = dict(change.facts)
        if change.step is not None:
            facts["step"] = change.step.step
            facts.update(change.step.facts)
        return Heard(
            header.ch, header.sender, entry.hash, header.type, header.by, header.t_ms, now.t_ms,
            sentences.of_change(header.sender, header.by, change, said.what),
            change.thread.ref if change.thread else "",
            change.version.number if change.version else 0,
            recorded, facts, Level.NOTE if recorded else Level.RING,
        )  # fmt: skip

    def _own_receipt_time(self, header: Header, now: Now) -> None:
        """Our side of the ladder: the time that our own `stored` receipt of this batch will carry."""
        self.board.received(header.sender, header.seq, self.channel.us, "stored", now.t_ms)

    def _fork(self, entry: Entry, now: Now, out: Effects) -> None:
        first = self._recall(self.channel.strands[entry.header.sender].hash_at(entry.header.seq))
        if first is not None:
            self._prove(first.envelope, entry, now, out)

    def _prove(self, first: bytes, second: Entry, now: Now, out: Effects) -> None:
        """Two signed headers for one place: kept as a proof that stands alone, told once."""
        header = second.header
        proof = canonical.encode({"first": msgspec.Raw(first), "second": msgspec.Raw(second.envelope)})
        key = canonical.sha256(proof)
        if key in self._rung:
            return
        self._rung.add(key)
        out.store.append(SidecarRecord(header.ch, "equivocation", header.sender, key, proof, now.t_ms))
        fault = Equivocation(
            f"{header.sender} signed two different entries for place {header.seq}. Both are kept as proof.",
            first=first, second=second.envelope, seq=header.seq,
        )  # fmt: skip
        out.tell.append(fault_tell(fault, header.ch, header.sender, Level.RING))

    # --- receipts ---

    def _receipt(self, envelope: bytes, now: Now, out: Effects) -> None:
        if envelope == self.channel.agreement_envelope:
            return
        receipt = self.channel.read_receipt(envelope, self._verifier)
        if not self.note_receipt(receipt, now.mono_ms):
            return
        if receipt.level == "stored":
            self.channel.compare_clocks(receipt, now.t_ms)
        out.store.append(receipt_record(receipt, envelope, now.t_ms))
        out.tell.append(
            Delivered(receipt.ch, receipt.sender, receipt.level, receipt.epoch, receipt.seq, receipt.t_ms)
        )  # fmt: skip
        self._send_fresh(receipt.sender, now, out)

    def note_receipt(self, receipt: Receipt, mono_ms: int) -> bool:
        """Fold a peer's verified receipt in. Returns whether it says anything new."""
        outbox = self.channel.outboxes[receipt.sender]
        before = outbox.receipted
        if receipt.level == "stored":
            outbox.receipt(receipt.seq, self.channel.own.seq)
        new = outbox.receipted > before
        # Cumulative: it covers everything before; the earliest covering time holds, so stop at the first known one.
        for seq in range(receipt.seq, 0, -1):
            change = self.board.received(self.channel.us, seq, receipt.sender, receipt.level, receipt.t_ms)
            if change is not None:
                new = True
            elif seq <= before and self.board.is_version(self.channel.us, seq):
                break
        return new

    def showed(self, author: str, seq: int, now: Now, out: Effects) -> None:
        """Our machine showed a peer's entries to a person: say so, as a machine's claim."""
        strand = self.channel.strands.get(author)
        if strand is None or author == self.channel.us or not 1 <= seq <= strand.seq:
            raise NotFound(f"there is no entry {seq} of {author} on this line")
        # Every version up to there is shown, not only the newest: mark them all before asking whether any is new.
        marked = [
            self.board.received(author, n, self.channel.us, "shown", now.t_ms)
            for n in range(seq, self.board.shown_up_to(author), -1)
        ]
        if not any(marked):
            return
        self.board.note_shown(author, seq)
        receipt, envelope = self.channel.shown_receipt(author, seq, now.t_ms, self._signers.node)
        out.store.append(receipt_record(receipt, envelope, now.t_ms))
        out.send.append(Send(author, self.channel.ch, (), (envelope,)))

    # --- sending and time ---

    def _send_fresh(self, peer: str, now: Now, out: Effects) -> None:
        self._send(peer, *self.channel.outboxes[peer].fresh(self.channel.own.seq, now.mono_ms), out)

    def _send(self, peer: str, urgent: list[int], rest: list[int], out: Effects) -> None:
        if not urgent and not rest:
            return
        outbox = self.channel.outboxes[peer]
        # Until the peer receipts anything it may not have the countersigned agreement yet: it travels along.
        sidecars = (self.channel.agreement_envelope,) if outbox.receipted == 0 else ()
        out.send.append(Send(peer, self.channel.ch, self.channel.hashes(urgent + rest), sidecars, len(urgent)))

    def reached(self, peer: str, now: Now, out: Effects) -> None:
        outbox = self.channel.outboxes.get(peer)
        if outbox is not None:
            outbox.alive(self.channel.own.seq, now.mono_ms)

    def tick(self, now: Now, out: Effects) -> None:
        for peer, outbox in self.channel.outboxes.items():
            if outbox.due_mono_ms is not None and outbox.due_mono_ms <= now.mono_ms:
                self._send(peer, *outbox.repeat(self.channel.own.seq, now.mono_ms), out)
        while (due := self.deadlines.pop(now.t_ms)) is not None:
            thread = self.board.threads.get((due.author, due.ref))
            if thread is None:
                continue
            sentence = overdue(due, thread)
            if due.what == "EXPIRED" and thread.newest.entry == due.entry:
                out.do.append(Forget(self.channel.ch, thread.ref))
            if sentence and (due.what == "EXPIRED" or thread.live(now.t_ms)):
                quiet = due.what in ("EXPIRED", "ENDING_SOON") or thread.precedence not in URGENT
                out.tell.append(
                    Overdue(self.channel.ch, due.ref, thread.newest.number, due.what, due.member, sentence,
                            Level.NOTE if quiet else Level.RING)
                )  # fmt: skip

    def wake_ms(self, now: Now) -> int | None:
        """Monotonic time of the next thing due."""
        due = [o.due_mono_ms for o in self.channel.outboxes.values() if o.due_mono_ms is not None]
        if self.deadlines.next_ms is not None:
            due.append(now.mono_ms + max(0, self.deadlines.next_ms - now.t_ms))
        return min(due, default=None)

    # --- what follows from a change ---

    def _follow(self, change: Change, now: Now, out: Effects) -> None:
        thread, version = change.thread, change.version
        if thread is None:
            return
        if change.step is not None and version is not None:
            step = change.step
            out.tell.append(
                Climbed(self.channel.ch, thread.ref, version.number, step.member, step.step, step.by, step.t_ms,
                        step.entry, step.facts,
                        Level.RING if step.step in ("MISMATCH", "INSUFFICIENT") else Level.QUIET)
            )  # fmt: skip
        elif change.what == "version" and version is not None:
            self.expect(thread, version)
            out.do.extend(self.feed(thread, now.t_ms))
            self._calm(thread)
        elif change.what == "report" and not thread.live(now.t_ms):
            out.do.append(Forget(self.channel.ch, thread.ref))

    def _calm(self, thread: Thread) -> None:
        """What is superseded is no longer urgent: it keeps its place in the strand and does not overtake."""
        if thread.author != self.channel.us:
            return
        old = [v.seq for v in thread.versions[:-1]]
        if thread.refines:
            alert = self.board.find(thread.refines)
            old += [v.seq for v in alert.versions] if alert else []
        for outbox in self.channel.outboxes.values():
            outbox.calm(old)

    def expect(self, thread: Thread, version: Version) -> None:
        if version.kind != "cancel":
            self.deadlines.expect(thread, version, self.board.rules, self.channel.us, self.channel.peers)

    def feed(self, thread: Thread, at_ms: int) -> list[Feed]:
        """What the inner side should weigh, or forget, now that this thread changed."""
        agreement = self.channel.agreement
        feed: list[Feed] = []
        if thread.refines:
            alert = self.board.find(thread.refines)
            if alert is not None:
                feed.append(Forget(self.channel.ch, alert.ref))
        if not thread.live(at_ms):
            return [*feed, Forget(self.channel.ch, thread.ref)]
        version, terms = thread.newest, thread.terms
        if terms is not None:
            volumes, expires, precedence = terms.volumes, terms.expires_ms, terms.precedence
        else:
            # An ALERT covers the whole area of the mechanism, at every height, until a notice makes it precise.
            expires, precedence = version.t_ms + ALERT_LIVES_MS, Precedence.FLASH
            volumes = (
                Volume4D(agreement.rules.area, Altitude.surface(), Altitude.unlimited(), version.t_ms, expires),
            )  # fmt: skip
        feed.append(
            Weigh(self.channel.ch, agreement.mode, thread.ref, version.number, version.entry, thread.author,
                  thread.author == self.channel.us, volumes, expires, precedence, agreement.rules)
        )  # fmt: skip
        return feed

    # --- start ---

    def reload(self, record: EntryRecord) -> None:
        """Fold a stored entry in again, exactly as when it came; nothing is sent or told."""
        entry, _, _ = entries.read(record.envelope, record.body)
        ours = record.author == self.channel.us
        if ours:
            self.channel.wrote(entry, urgent=False)
        else:
            self.channel.link(entry)
        said = entries.open_body(entry, self.channel.cards[record.author], _ALREADY_CHECKED)
        if isinstance(said, Unread) or (not ours and self.channel.false_citation(entry.header)):
            return
        try:
            change = self.board.apply(entry.header, entry.hash, said.what, record.stored_ms)
        except NotUnderstood:
            return
        if not ours:
            self.board.received(record.author, record.seq, self.channel.us, "stored", record.stored_ms)
            self._rung.add(record.hash)
        if change.what == "version" and change.thread is not None and change.version is not None:
            self.expect(change.thread, change.version)
            if ours and is_urgent(said.what):
                for outbox in self.channel.outboxes.values():
                    outbox.wrote(record.seq, urgent=True)
            self._calm(change.thread)

    def reload_sidecar(self, record: SidecarRecord) -> None:
        if record.kind not in ("stored", "shown"):
            return
        receipt = self.channel.parse_receipt(record.envelope)
        if receipt.sender != self.channel.us:
            self.note_receipt(receipt, 0)
        elif receipt.level == "stored":
            self.channel.inboxes[receipt.of].gave(receipt.seq, record.envelope)
        else:
            for seq in range(receipt.seq, self.board.shown_up_to(receipt.of), -1):
                self.board.received(receipt.of, seq, self.channel.us, "shown", receipt.t_ms)
            self.board.note_shown(receipt.of, receipt.seq)


class _AlreadyChecked:
    """Our own store holds only what was verified when it came; a full audit is a command of its own."""

    def verify(self, public: str, message: bytes, signature: bytes) -> bool:
        return True


_ALREADY_CHECKED = _AlreadyChecked()
