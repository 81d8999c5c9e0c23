# SPDX-License-Identifier: Apache-2.0
"""One line: a channel and its board together, and the effects of everything that happens on it.

`Line` decides what to store, send and tell; `node.py` routes events to lines and merges their effects into a `Batch`.
It parses a peer's bytes, so it knows nothing of plans, tracks or verdicts: it only feeds the inner side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wideberth.core import events as ev
from wideberth.core.batch import Now, Send
from wideberth.core.call import speak
from wideberth.core.call.agreeing import agreement_word
from wideberth.core.call.board import Board, Change, Thread, Version
from wideberth.core.call.conflictwork import conflict_word
from wideberth.core.call.deadlines import CHECK_BEFORE, URGENT, Deadlines, loud, overdue
from wideberth.core.call.fault import NotUnderstood
from wideberth.core.call.linewatch import LineWatch
from wideberth.core.call.linework import line_word
from wideberth.core.call.talkwork import talk_word
from wideberth.core.carry.channel import Channel
from wideberth.core.effects import Effects, entry_record, fault_tell, is_urgent, receipt_record
from wideberth.core.feed import Feed, Forget, Weigh
from wideberth.core.folding import Fold
from wideberth.core.folding import Heard as ToFold
from wideberth.core.hearing import Hearing
from wideberth.core.limits import ALERT_LIVES_MS
from wideberth.core.line_keys import LineKeys
from wideberth.core.mechanism import Mechanism
from wideberth.core.records import EntryRecord, SidecarRecord
from wideberth.core.recovery import Reason, Recovery
from wideberth.core.say.base import composed
from wideberth.core.say.place import Altitude
from wideberth.core.say.volume import Volume4D
from wideberth.core.say.words import EpochOpened, NodeRemark, Place, Precedence, Word
from wideberth.core.seal import entry as entries
from wideberth.core.seal.agreement import read_agreement
from wideberth.core.seal.capabilities import Entropy, Recall, Signers
from wideberth.core.seal.entry import EPOCH_BYTES, SALT_BYTES, Entry, Said, Unread
from wideberth.core.seal.envelope import AGREEMENT, CARD, HEADS, payload_type
from wideberth.core.seal.keys import Signer, Verifier
from wideberth.core.seal.receipt import Receipt
from wideberth.core.tells import Climbed, Delivered, Level, Overdue
from wideberth.core.tells import Said as SaidTell
from wideberth.core.witnessing import LINE_CHECKS, Witness, note_in
from wideberth.errors import BadInput, Fault, NotFound, StoreFull


class Line:
    def __init__(
        self, channel: Channel, mechanism: Mechanism, signers: Signers, verifier: Verifier, entropy: Entropy,
        recall: Recall,
    ) -> None:  # fmt: skip
        self.channel = channel
        self.mechanism = mechanism
        self.fold = Fold(channel, recall, verifier)
        self.deadlines = Deadlines()
        self.watch = LineWatch(channel.ch, channel.us, channel.peers, channel.versions, channel.terms)
        self.recovery = Recovery(self, entropy)
        self.witness = Witness(self, entropy)
        self.verifier = verifier
        self.recall = recall
        self.rung: set[str] = set()
        # Where an author signed two entries for one place of an epoch: the first such place that we hold.
        self.forks: dict[tuple[str, str], int] = {}
        self.passed_on: set[tuple[str, Place]] = set()  # to whom our half of which of them went
        self._tangled = False
        self.keys = LineKeys(self, signers)
        self._entropy = entropy

    @property
    def board(self) -> Board:
        return self.fold.board

    # --- own people speak ---

    def open_epoch(self, reason: Reason, by: str, now: Now, out: Effects) -> None:
        """A new epoch of our own strand: a random id, its predecessor, and what each member answered that it holds.

        `by` is the supervisor's post that has it opened, or empty where the node must do so by itself.
        """
        name = by.partition("/")[2] or "node"
        fences = {peer: self.recovery.fence(peer) for peer in self.channel.peers}
        keys, card = self.keys.next(opening=True)
        opening = EpochOpened(reason, self.channel.own.place, fences, card)
        signer = self.keys.post(by, keys) if by else None
        self.write(opening, name, signer, now, out, epoch=self._entropy(EPOCH_BYTES).hex())

    def command(self, command: ev.Command, now: Now, disk_low: bool, out: Effects) -> None:
        """Raises BadInput, NotFound or StoreFull; nothing has changed then."""
        self._command(command, now, disk_low, out)
        out.tell.extend(self.watch.tell(self.board, now.t_ms))

    def _command(self, command: ev.Command, now: Now, disk_low: bool, out: Effects) -> None:
        post = self.keys.post(command.by)
        what, facts = self.word_for(command, now, self._entropy)
        if disk_low and not is_urgent(what):
            raise StoreFull(
                "the disk of this node is full: routine entries are refused until there is room. "
                "ALERT and urgent notices still go out."
            )
        distress = speak.in_distress(what, self.board)
        self.mechanism.check_may_say(what, self.channel.us, now.t_ms, distress=distress)
        # After a restore nothing is said in an epoch whose end we do not know; what is urgent never waits for that.
        self.recovery.before_writing(is_urgent(what), now, out)
        name = command.by.partition("/")[2]
        if not self.recovery.opened_just_now:
            self.write(what, name, post, now, out, facts=facts)
            return
        try:
            # The board may be another one now, with what came back.
            what, facts = self.word_for(command, now, self._entropy)
            self.write(what, name, post, now, out, facts=facts)
        except Fault as fault:
            # The epoch is open and must be stored: it is too late to refuse the whole step.
            out.tell.append(fault_tell(fault, self.channel.ch, self.channel.us, Level.RING))

    def word_for(self, command: ev.Command, now: Now, entropy: Entropy) -> tuple[Word, dict[str, Any]]:
        """The word, and facts for the officer. Raises BadInput or NotFound; nothing changes either way."""
        command = composed(command)
        if isinstance(command, ev.TalkCommand):
            return talk_word(command, self.board, self.channel.cards[self.channel.us].languages, now.t_ms)
        if isinstance(command, ev.ConflictCommand):
            return conflict_word(command, self.board, self.channel.cards[self.channel.us].languages)
        if isinstance(command, ev.LineCommand):
            return line_word(command, self.board, self.channel.versions, self.channel.terms, entropy, now.t_ms)
        if not isinstance(command, ev.AgreementCommand):
            what, facts = speak.word_for(command, self.board, now.t_ms)
            return what, self.watch.warned(facts, self.board, now.t_ms)
        supervisor = self.keys.next()[0].post(command.by).supervisor
        return agreement_word(command, self.mechanism.accord, self.channel.us, now.t_ms, supervisor=supervisor)

    def write(
        self, what: Word, post: str, signer: Signer | None, now: Now, out: Effects, *,
        epoch: str = "", facts: dict[str, Any] | None = None,
    ) -> Entry:  # fmt: skip
        """Sign a word and give it the next place of our strand. Everything is checked before anything changes."""
        channel = self.channel
        by = f"{channel.us}/{post}"
        said, sig = entries.state(by, channel.ch, now.t_ms, what, signer)
        body = entries.pack_body(said, sig, self._entropy(SALT_BYTES))
        kind = entries.kind_of(what)
        header = channel.header(kind, by, now.t_ms, body, epoch=epoch)
        entry = entries.seal(header, body, self.keys.node(self.keys.next(opening=bool(epoch))[0]))
        if why := channel.succession(channel.us).flaw(header.epoch, header.seq, by, what):
            raise BadInput(f"this cannot be said: {why}")
        try:
            change = self.board.apply(entry.header, entry.hash, what, now.t_ms)
        except NotUnderstood as why:
            raise BadInput(f"this cannot be said: {why}") from None
        self.fold.went(ToFold(entry.header, entry.hash, what, now.t_ms))
        self.keys.take(entry, Said(by, channel.ch, now.t_ms, what), now, out)
        channel.wrote(entry, urgent=is_urgent(what), opens=entries.opening_in(entry).predecessor)
        out.store.append(entry_record(entry, now.t_ms))
        if not channel.own.linear:
            self.fold.anew({r.hash: r for r in out.store if isinstance(r, EntryRecord)})
        for peer in channel.peers:
            self.send_fresh(peer, now, out)
        told = {**(facts or {}), **change.facts}
        if change.step is not None:
            told["step"] = change.step.step
            told.update(change.step.facts)
        if outside := self.mechanism.outside(channel.us, now.t_ms, entry.header.agr):
            told["outside"] = outside
        if change.what in ("version", "talk") and channel.by_voice:
            told["by_voice"] = list(channel.by_voice)
        told.update(self.keys.glass(entry, out))
        number = change.version.number if change.version else 0
        out.tell.append(SaidTell(channel.ch, entry.hash, kind, by, change.ref, number, told))
        self.follow(change, now, out)
        if self.witness.checkpoint_due():
            self.witness.checkpoint(now, out)
        return entry

    # --- a peer is heard ---

    def arrived(self, event: ev.Arrived, now: Now, disk_low: bool, out: Effects) -> None:
        """One delivery: agreements and cards, frames, then the other sidecars. What waited for the peer is sent on; a
        pause gets shorter."""
        for envelope in event.sidecars:
            if payload_type(envelope) == AGREEMENT:
                self._agreement(envelope, event.peer, out)
            elif payload_type(envelope) == CARD:
                self.keys.heard(envelope, event.peer, now, out)
        Hearing(self, event, now, out).run(disk_low)
        for envelope in event.sidecars:
            if payload_type(envelope) in (AGREEMENT, CARD):
                continue
            try:
                self._sidecar(envelope, now, out)
            except Fault as fault:
                out.tell.append(fault_tell(fault, self.channel.ch, event.peer))
        outbox = self.channel.outboxes.get(event.peer)
        if outbox is not None:
            outbox.alive(self.channel.newest, now.mono_ms)
            self.send_fresh(event.peer, now, out)
        out.tell.extend(self.watch.tell(self.board, now.t_ms))

    def judge_waiting(self, now: Now, out: Effects) -> None:
        """A version of the agreement came: entries that were signed under it can be judged now."""
        Hearing(self, ev.Arrived(self.channel.ch, self.channel.us), now, out).run(disk_low=False)

    def remark(self, remark: NodeRemark, now: Now, out: Effects) -> None:
        """Said by the node itself, and only where it knows the end of its own strand."""
        if not self.recovery.unsure and self.keys.can_sign:
            self.write(remark, "node", None, now, out)

    def _sidecar(self, envelope: bytes, now: Now, out: Effects) -> None:
        kind = payload_type(envelope)
        if kind == HEADS:
            self.recovery.heard(envelope, now, out)
        elif kind in LINE_CHECKS:
            self.witness.heard_check(envelope, now, out)
        elif envelope.startswith(b'"'):
            self.witness.heard_note(note_in(envelope), now, out)
        else:
            self._receipt(envelope, now, out)

    def _agreement(self, envelope: bytes, peer: str, out: Effects) -> None:
        """A version that came as a whole, with the first delivery that was signed under it."""
        if envelope in self.channel.agreement_envelopes.values():
            return
        try:
            agreement, _, _ = read_agreement(envelope, self.verifier)
            self.mechanism.add(agreement, envelope, out)
        except Fault as fault:
            out.tell.append(fault_tell(fault, self.channel.ch, peer))

    # --- receipts ---

    def _receipt(self, envelope: bytes, now: Now, out: Effects) -> None:
        receipt = self.channel.read_receipt(envelope, self.verifier)
        if self.channel.beyond_us(Place(receipt.epoch, receipt.seq, receipt.head)):
            self.recovery.suspect(receipt.sender, now, out)
            return
        if not self.note_receipt(receipt, now.mono_ms):
            return
        if receipt.level == "stored":
            self.channel.compare_clocks(receipt, now.t_ms)
        out.store.append(receipt_record(receipt, envelope, now.t_ms))
        out.tell.append(Delivered(receipt.ch, receipt.sender, receipt.level, receipt.epoch, receipt.seq, receipt.t_ms))
        self.send_fresh(receipt.sender, now, out)

    def note_receipt(self, receipt: Receipt, mono_ms: int) -> bool:
        """Fold a peer's verified receipt in. Returns whether it says anything new."""
        channel, us = self.channel, self.channel.us
        before = channel.held_by(receipt.sender, receipt.epoch)
        if receipt.level == "stored":
            channel.receipted(receipt)
        new = channel.held_by(receipt.sender, receipt.epoch) > before
        # Cumulative: it covers everything before; the earliest covering time holds, so stop at the first known one.
        for seq in range(receipt.seq, 0, -1):
            change = self.board.received(
                us, receipt.epoch, seq, receipt.sender, receipt.level, receipt.t_ms, receipt.seq
            )
            if change is not None:
                new = True
            elif seq <= before and self.board.is_shown(us, receipt.epoch, seq):
                break
        return new

    def showed(self, author: str, seq: int, now: Now, out: Effects) -> None:
        """Our machine showed a peer's entries of its current epoch to a person: say so, as a machine's claim."""
        strand, us = self.channel.strands.get(author), self.channel.us
        if strand is None or author == us or not 1 <= seq <= strand.seq:
            raise NotFound(f"there is no entry {seq} of {author} on this line")
        # Every version up to there is shown, not only the newest: mark them all before asking whether any is new.
        marked = [
            self.board.received(author, strand.epoch, n, us, "shown", now.t_ms, seq)
            for n in range(seq, self.board.shown_up_to(author, strand.epoch), -1)
        ]
        if not any(marked):
            return
        self.board.note_shown(author, strand.epoch, seq, now.t_ms)
        receipt, envelope = self.channel.shown_receipt(author, seq, now.t_ms, self.keys.beside)
        out.store.append(receipt_record(receipt, envelope, now.t_ms))
        out.send.append(Send(author, self.channel.ch, (), (envelope,)))

    # --- sending and time ---

    def send_fresh(self, peer: str, now: Now, out: Effects) -> None:
        self._send(peer, *self.channel.outboxes[peer].fresh(self.channel.newest, now.mono_ms), out)

    def _send(self, peer: str, urgent: list[int], rest: list[int], out: Effects) -> None:
        if not urgent and not rest:
            return
        sidecars = self.channel.agreements_for(peer)
        out.send.append(Send(peer, self.channel.ch, self.channel.hashes(urgent + rest), sidecars, len(urgent)))

    def reached(self, peer: str, now: Now, out: Effects) -> None:
        outbox = self.channel.outboxes.get(peer)
        if outbox is not None:
            outbox.alive(self.channel.newest, now.mono_ms)

    def got_back(self, entry: Entry, said: Said | Unread) -> None:
        """A peer hands back an entry of our own that this node has lost."""
        current, after = self.channel.own.epoch, entries.opening_in(entry).predecessor
        self.channel.wrote(entry, urgent=False, opens=after)
        self.recovery.got_back(entry.header.epoch, after, current)

    def tick(self, now: Now, out: Effects) -> None:
        self.recovery.tick(now, out)
        out.tell.extend(self.watch.tell(self.board, now.t_ms))
        for peer, outbox in self.channel.outboxes.items():
            if outbox.due_mono_ms is not None and outbox.due_mono_ms <= now.mono_ms:
                self._send(peer, *outbox.repeat(self.channel.newest, now.mono_ms), out)
        while (due := self.deadlines.pop(now.t_ms)) is not None:
            thread = self.board.threads.get((due.author, due.ref))
            if thread is None:
                continue
            if due.what == CHECK_BEFORE:
                out.tell.extend(self.watch.before(self.board, thread, now.t_ms))
                continue
            sentence = overdue(due, thread, self.channel.us)
            if due.what == "EXPIRED" and thread.newest.entry == due.entry:
                out.do.append(Forget(self.channel.ch, thread.ref))
            if sentence and (due.what == "EXPIRED" or thread.live(now.t_ms)):
                out.tell.append(
                    Overdue(self.channel.ch, due.ref, thread.newest.number, due.what, due.member, sentence,
                            Level.RING if loud(due, thread) else Level.NOTE, due.again, thread.over_ms)
                )  # fmt: skip
                self.deadlines.again(due, thread, now.t_ms)

    def wake_ms(self, now: Now) -> int | None:
        """Monotonic time of the next thing due."""
        due = [o.due_mono_ms for o in self.channel.outboxes.values() if o.due_mono_ms is not None]
        if self.recovery.due_mono_ms is not None:
            due.append(self.recovery.due_mono_ms)
        if self.deadlines.next_ms is not None:
            due.append(now.mono_ms + max(0, self.deadlines.next_ms - now.t_ms))
        if (look_ms := self.watch.next_ms(self.board, now.t_ms)) is not None:
            due.append(now.mono_ms + max(0, look_ms - now.t_ms))
        return min(due, default=None)

    # --- what follows from a change ---

    def follow(self, change: Change, now: Now, out: Effects) -> None:
        thread, version = change.thread, change.version
        if change.signed is not None:
            self.mechanism.take_in(change.signed, self.verifier, out)
        if thread is None:
            return
        if change.step is not None and version is not None:
            step, us = change.step, self.channel.us
            # A mismatch is news at both ends; that it is not usable, to who gave it.
            rings = step.step == "MISMATCH" or (step.step == "INSUFFICIENT" and step.member != us)
            out.tell.append(
                Climbed(self.channel.ch, thread.ref, version.number, step.member, step.step, step.by, step.t_ms,
                        step.entry, step.facts, Level.RING if rings else Level.QUIET)
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
        versions = list(thread.versions[:-1])
        alert = self.board.find(thread.refines) if thread.refines else None
        versions += alert.versions if alert else []
        old = [self.channel.own.number(v.epoch, v.seq) for v in versions]
        for outbox in self.channel.outboxes.values():
            outbox.calm(old)

    def expect(self, thread: Thread, version: Version) -> None:
        if version.kind != "cancel":
            self.deadlines.expect(thread, version, self.board.rules_of(version), self.channel.us, self.channel.peers)

    def feed(self, thread: Thread, at_ms: int) -> list[Feed]:
        """What the inner side should weigh, or forget, now that this thread changed."""
        rules = self.board.rules_of(thread.newest)
        feed: list[Feed] = []
        if thread.refines:
            alert = self.board.find(thread.refines)
            if alert is not None:
                feed.append(Forget(self.channel.ch, alert.ref))
        if not thread.live(at_ms):
            return [*feed, Forget(self.channel.ch, thread.ref)]
        version, terms = thread.newest, thread.terms
        if terms is not None:
            volumes, expires, precedence = terms.volumes, terms.expires_ms, terms.urgency
        else:
            # An ALERT covers the whole area of the mechanism, at every height, until a notice makes it precise.
            expires, precedence = version.t_ms + ALERT_LIVES_MS, Precedence.FLASH
            volumes = (Volume4D(rules.area, Altitude.surface(), Altitude.unlimited(), version.t_ms, expires),)
        feed.append(
            Weigh(
                self.channel.ch, self.channel.agreement.mode, thread.ref, version.number, version.entry, thread.author,
                thread.author == self.channel.us, volumes, expires, precedence, rules,
                self.channel.agreement.mechanism, (*self.channel.peers, *self.channel.by_voice),
            )
        )  # fmt: skip
        return feed

    # --- start ---

    def reload(self, record: EntryRecord) -> None:
        """Fold a stored entry in again, exactly as when it came; nothing is sent or told.

        A peer's node signs what its posts have not: whether a post did is not in the store, so it is checked again.
        """
        entry = entries.reread(record.envelope, record.body, record.hash)
        ours = record.author == self.channel.us
        if ours:
            said = entries.reopen(entry)
        else:
            self.rung.add(record.hash)  # what is urgent rang before it was stored
            keys = self.channel.keys_at(entry)
            assert keys is not None, "what stands before it in its strand stands before it in the store"
            said = entries.open_body(entry, keys, self.verifier)
        said = self.keys.take(entry, said)
        if ours:
            self.channel.wrote(entry, urgent=False, opens=entries.opening_in(entry).predecessor)
        else:
            self.channel.link(entry, entries.opening_in(entry).predecessor)
        heard = self.fold.understood(entry, said, record.stored_ms)
        if heard is None:
            return
        if not self.channel.strands[record.author].linear:
            self._tangled = True  # folded anew once, when everything is loaded
            return
        try:
            change = self.fold.take(heard)
        except NotUnderstood:
            return
        self._reloaded(heard, change)
        self._release()

    def _release(self) -> None:
        for later, outcome in self.fold.released():
            if isinstance(outcome, Change):
                self._reloaded(later, outcome)
        self._tangled = self._tangled or self.fold.disordered

    def _reloaded(self, heard: ToFold, change: Change | None) -> None:
        header, us = heard.header, self.channel.us
        if header.sender != us:
            self.board.received(header.sender, header.epoch, header.seq, us, "stored", heard.stored_ms, header.seq)
        if change is not None and header.sender == us and is_urgent(heard.what):
            n = self.channel.own.number(header.epoch, header.seq)
            for outbox in self.channel.outboxes.values():
                outbox.wrote(n, urgent=True)
        if change is None or change.what != "version" or change.thread is None or change.version is None:
            return
        self.expect(change.thread, change.version)
        self._calm(change.thread)

    def unanswered(self, now: Now, why: str = "this node has started anew") -> Iterator[Overdue]:
        """What is urgent, live, and not answered by us rings again: who heard it before may be gone, or it was over by
        a clock that was wrong."""
        us = self.channel.us
        yield from self.watch.talk.unanswered(self.board, now.t_ms, why)
        for thread in self.board:
            urgent = thread.precedence in URGENT and thread.author != us and thread.live(now.t_ms)
            if urgent and all(
                s.step in ("DELIVERED", "SEEN", "MISMATCH") for s in thread.steps_of(thread.newest.entry, us)
            ):
                yield Overdue(
                    self.channel.ch, thread.ref, thread.newest.number, "UNACKNOWLEDGED", us,
                    f"{why}; {thread.ref} of {thread.author} is live and not acknowledged here",
                    until_ms=thread.over_ms,
                )  # fmt: skip

    def reloaded(self, epoch: str) -> None:
        """After the last record: the epoch that we write in, and strands that do not fold as they grow.

        `epoch` is the one that this node opened last, empty for the founding one. Another of ours may stand behind it
        in the store: one that this node had forgotten, and that a peer handed back.
        """
        own = self.channel.own
        own.epoch = epoch or next(iter(own.epochs), "")
        self.keys.reloaded()
        self._release()  # what waited for a version of the agreement, which is no entry
        if self._tangled:
            self._tangled = False
            self.fold.anew({})
            self.fold.released()  # whatever is settled now was told when it was
            for thread in self.board:
                self.expect(thread, thread.newest)

    def reload_sidecar(self, record: SidecarRecord) -> None:
        self.witness.reload(record)
        if record.kind not in ("stored", "shown"):
            return
        receipt, us = self.channel.parse_receipt(record.envelope), self.channel.us
        if receipt.sender != us:
            self.note_receipt(receipt, 0)
        elif receipt.level == "stored":
            self.channel.inboxes[receipt.of].gave(receipt.epoch, receipt.seq, record.envelope)
        else:
            for seq in range(receipt.seq, self.board.shown_up_to(receipt.of, receipt.epoch), -1):
                self.board.received(receipt.of, receipt.epoch, seq, us, "shown", receipt.t_ms, receipt.seq)
            self.board.note_shown(receipt.of, receipt.epoch, receipt.seq, receipt.t_ms)
