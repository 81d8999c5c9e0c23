# SPDX-License-Identifier: Apache-2.0
"""One delivery of a peer, from its bytes to what is kept, rung, told and answered.

A fault in one frame or sidecar never stops the others. What is well signed and well placed is kept, whatever its body
says; what overtakes a gap waits; what is urgent rings as soon as its signature checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from wideberth.core import events as ev
from wideberth.core.batch import Now, Send
from wideberth.core.call import sentences
from wideberth.core.call.board import Board, Change
from wideberth.core.call.deadlines import over_ms
from wideberth.core.call.fault import NotUnderstood
from wideberth.core.call.talkwatch import precedence_of
from wideberth.core.carry.strand import Fit
from wideberth.core.effects import Effects, entry_record, fault_tell, is_urgent, receipt_record, supersedes
from wideberth.core.folding import Heard as ToFold
from wideberth.core.limits import ALERT_LIVES_MS, FORKS_PASSED_ON_MAX
from wideberth.core.records import EntryRecord, SidecarRecord
from wideberth.core.say import notice
from wideberth.core.say.words import NodeRemark, Notice, NoticeVersion, Place, Precedence
from wideberth.core.seal import canonical
from wideberth.core.seal import entry as entries
from wideberth.core.seal.entry import Entry, Header, Said, Unread
from wideberth.core.seal.party import Keys
from wideberth.core.tells import FaultSeen, Heard, Level
from wideberth.errors import Equivocation, Fault

if TYPE_CHECKING:
    from wideberth.core.line import Line

Frame = tuple[bytes, bytes]

# Two nodes that do not understand each other must not talk about that for ever.
_NO_REMARK: Final = frozenset({"remark", "epoch"})


class Hearing:
    """Works one `Arrived` off; the line is changed as it goes, effects are gathered in `out`."""

    def __init__(self, line: Line, event: ev.Arrived, now: Now, out: Effects) -> None:
        self._line = line
        self._channel = line.channel
        self._event = event
        self._now = now
        self._out = out
        self._rings: list[tuple[Change | None, Heard]] = []
        self._grown: dict[tuple[str, str], None] = {}
        self._repeated: dict[tuple[str, str], set[int]] = {}
        self._remarks: list[NodeRemark] = []
        self._late: list[ToFold] = []
        # What other entries of this delivery revise, cancel, end or refine.
        self._old: set[str] = set()

    def run(self, disk_low: bool) -> None:
        frames = self._event.frames
        while True:
            known = self._cards_known()
            failed = self._take_in(frames, disk_low)
            if not failed or known == self._cards_known():
                break
            frames = tuple(frame for frame, _ in failed)  # a card came in the same delivery; they may be signed by it
        for _, fault in failed:
            self._out.tell.append(fault_tell(fault, self._channel.ch, self._event.peer))
        self._fold_anew()
        self._judge_released()
        self._line.recovery.repair(self._now, self._out)
        self._ring()
        self._answer()
        for remark in self._remarks:
            self._line.remark(remark, self._now, self._out)

    def _cards_known(self) -> int:
        return sum(len(keys.cards) for keys in self._channel.keys.values())

    def _take_in(self, frames: tuple[Frame, ...], disk_low: bool) -> list[tuple[Frame, Fault]]:
        """Returns the frames that were refused by their bytes or their node's signature, and why."""
        kept, failed = self._unsealed(frames)
        own = [(e.header, entries.opening_in(e).predecessor) for e, _, _ in kept if e.header.sender == self._channel.us]
        self._line.recovery.handed_back(own, self._out)
        if disk_low:
            # Room is for urgent things only: take the chain up to the last urgent one, leave the rest to be repeated.
            # By place, for urgent ones come first in a delivery, before those that they follow in the strand.
            last: dict[tuple[str, str], int] = {}
            for entry, said, _ in kept:
                h = entry.header
                if isinstance(said, Said) and is_urgent(said.what):
                    last[h.sender, h.epoch] = max(h.seq, last.get((h.sender, h.epoch), 0))
            kept = [k for k in kept if k[0].header.seq <= last.get((k[0].header.sender, k[0].header.epoch), 0)]
        for entry, said, keys in kept:
            try:
                self._take(entry, said, keys)
            except Fault as fault:
                self._out.tell.append(fault_tell(fault, self._channel.ch, entry.header.sender))
        return failed

    def _unsealed(
        self, frames: tuple[Frame, ...]
    ) -> tuple[list[tuple[Entry, Said | Unread, Keys]], list[tuple[Frame, Fault]]]:
        kept: list[tuple[Entry, Said | Unread, Keys]] = []
        failed: list[tuple[Frame, Fault]] = []
        for frame in frames:
            try:
                entry, may = self._channel.unseal(*frame, self._line.verifier)
            except Fault as fault:
                failed.append((frame, fault))
                continue
            # Where something before it is missing: by the keys under which it says anything.
            read = [(entries.open_body(entry, keys, self._line.verifier), keys) for keys in may]
            said, keys = next((each for each in read if isinstance(each[0], Said)), read[0])
            kept.append((entry, said, keys))
        return kept, failed

    # --- places ---

    def _take(self, entry: Entry, said: Said | Unread, keys: Keys) -> None:
        header = entry.header
        author, inbox = header.sender, self._channel.inboxes[header.sender]
        match self._fits(entry):
            case Fit.REPEAT:
                self._repeated.setdefault((author, header.epoch), set()).add(header.seq)
            case Fit.FORK:
                first = self._line.recall(self._channel.strands[author].hash_at(header.epoch, header.seq))
                if first is not None:
                    self._prove(first.envelope, entry)
                    self._pass_on(header, first.hash)
            case Fit.GAP:
                said = self._early(entry, said)
                urgent = isinstance(said, Said) and is_urgent(said.what)
                parked = inbox.parked(header.epoch, header.seq)
                if parked is not None and parked.hash != entry.hash:
                    self._prove(parked.envelope, entry)
                elif inbox.park(entry, urgent=urgent) and urgent and isinstance(said, Said):
                    self._ring_early(entry, said)
            case Fit.NEXT:
                self._link(entry, self._said_at(entry, said, keys))
                self._unpark(author, header.epoch)

    def _early(self, entry: Entry, said: Said | Unread) -> Said | Unread:
        """What an entry behind a gap says: its card may have come in this very delivery."""
        succession = self._channel.succession(entry.header.sender)
        if isinstance(said, Said) or succession.plain:
            return said
        may = succession.might(entry.header.epoch, entry.header.seq)
        read = (entries.open_body(entry, keys, self._line.verifier) for keys in may)
        return next((each for each in read if isinstance(each, Said)), said)

    def _said_at(self, entry: Entry, said: Said | Unread | None, used: Keys | None) -> Said | Unread:
        """What an entry whose place has come says, by the keys that hold there. `said`: by those that were `used`; None
        where that is not known any more. Raises BadSignature when its node may not sign there."""
        keys = self._channel.checked_again(entry, used, self._line.verifier)
        if said is not None and keys == used:
            return said
        return entries.open_body(entry, keys, self._line.verifier)

    def _fits(self, entry: Entry) -> Fit:
        """Raises OutOfPlace."""
        return self._channel.fit(entry, entries.opening_in(entry).predecessor)

    def _unpark(self, author: str, epoch: str) -> None:
        """What waited for this: the next of the same epoch, and epochs that were opened after it.

        A loop, and each opening is read once: a peer may let a thousand of them wait for one another.
        """
        inbox, strand = self._channel.inboxes[author], self._channel.strands[author]
        after: dict[str, list[Entry]] = {}
        for opened in inbox.openings():
            if (opening := inbox.parked(opened, 1)) is not None:
                predecessor = entries.opening_in(opening).predecessor
                after.setdefault(predecessor.epoch if predecessor else "", []).append(opening)
        grown = [epoch]
        while grown:
            epoch = grown.pop()
            while (waiting := inbox.take(epoch, strand.length(epoch) + 1)) is not None:
                if self._fits(waiting) is not Fit.NEXT:
                    return
                self._link(waiting, self._said_at(waiting, None, None))
            for opening in after.pop(epoch, ()):
                if self._fits(opening) is Fit.NEXT:
                    inbox.take(opening.header.epoch, 1)
                    self._link(opening, self._said_at(opening, None, None))
                    grown.append(opening.header.epoch)

    def _link(self, entry: Entry, said: Said | Unread) -> None:
        """The entry continues its strand: it is kept, whatever its body says."""
        header, strand = entry.header, self._channel.strands[entry.header.sender]
        ours = header.sender == self._channel.us
        said = self._line.keys.take(entry, said, self._now, self._out)
        early = "" if ours else self._channel.backdated(header)
        lie = "" if ours else self._channel.false_citation(header)
        if not ours and self._channel.beyond_us(header.seen.get(self._channel.us)):
            self._line.recovery.suspect(header.sender, self._now, self._out)
        if ours:
            self._line.got_back(entry, said)
        else:
            self._channel.link(entry, entries.opening_in(entry).predecessor)
        self._out.store.append(entry_record(entry, self._now.t_ms))
        self._grown[header.sender, header.epoch] = None
        if early:
            self._out.tell.append(
                FaultSeen("Backdated", "world", early, self._channel.ch, header.sender, {"entry": entry.hash})
            )
        if strand.orphaned(header.epoch, header.seq):
            self._tell_orphan(entry)
        if isinstance(said, Unread):
            self._line.fold.unread.add(entry.hash)
            self._not_understood(header, entry.hash, said)
            if header.type == "alert" and not said.unsigned:
                self._ring_unread(header, entry.hash, said)
            return
        self._old.add(supersedes(said.what))
        if lie:
            self._refused(ToFold(header, entry.hash, said.what, self._now.t_ms), lie)
        elif strand.linear and entry.hash not in self._line.fold.missing:
            self._fold(ToFold(header, entry.hash, said.what, self._now.t_ms))
        else:
            self._late.append(ToFold(header, entry.hash, said.what, self._now.t_ms))

    def _tell_orphan(self, entry: Entry) -> None:
        h = entry.header
        sentence = (
            f"entry {h.seq} of {h.sender} was signed in an epoch that {h.sender} abandoned after a restore. It is an "
            "orphan: kept, and as binding as the rest."
        )
        self._out.tell.append(FaultSeen("Orphan", "world", sentence, h.ch, h.sender, {"entry": entry.hash}, Level.NOTE))

    # --- what it says ---

    def _fold(self, heard: ToFold) -> None:
        try:
            change = self._line.fold.take(heard)
        except NotUnderstood as why:
            self._refused(heard, str(why))
            return
        if change is not None:
            self._folded(heard, change)
            return
        if is_urgent(heard.what):
            self._ring_alone(heard)
        if self._channel.versions.of(heard.header.agr) is None:
            author, seq = heard.header.sender, heard.header.seq
            sentence = (
                f"entry {seq} of {author} is kept and waits: it was signed under a version of the agreement that has "
                "not come here with every signature"
            )
            fault = FaultSeen("Waits", "world", sentence, self._channel.ch, author, {"entry": heard.hash})
            self._out.tell.append(fault)

    def _fold_anew(self) -> None:
        """Orphans came: their place in the fold order is before what was folded already."""
        if not self._late:
            return
        fold = self._line.fold
        late = [heard.hash for heard in self._late]
        fold.anew(self._fresh(), late)
        self._line.mechanism.take_in_complete(self._line.verifier, self._out)
        for heard in self._late:
            if not fold.waits(heard.hash):
                self._judged(heard, fold.outcome_of(heard.hash))
            elif is_urgent(heard.what):
                self._ring_alone(heard)

    def _judge_released(self) -> None:
        """Entries that waited for what another member had said (three members, one slow line)."""
        released = self._line.fold.released()
        if self._line.fold.disordered:
            released = self._in_order([heard for heard, _ in released])
        for heard, outcome in released:
            self._judged(heard, outcome)

    def _in_order(self, came: list[ToFold]) -> list[tuple[ToFold, Change | NotUnderstood]]:
        """What waited was overtaken by what comes after it: everything is folded again, in the order of the strands."""
        fold = self._line.fold
        fold.anew(self._fresh(), [heard.hash for heard in came])
        self._line.mechanism.take_in_complete(self._line.verifier, self._out)
        return [(heard, fold.outcome_of(heard.hash)) for heard in came if not fold.waits(heard.hash)] + fold.released()

    def _fresh(self) -> dict[str, EntryRecord]:
        """Entries of the batch being written."""
        return {r.hash: r for r in self._out.store if isinstance(r, EntryRecord)}

    def _judged(self, heard: ToFold, outcome: Change | NotUnderstood) -> None:
        if isinstance(outcome, NotUnderstood):
            self._refused(heard, str(outcome))
        else:
            self._folded(heard, outcome)

    def _refused(self, heard: ToFold, why: str) -> None:
        """It can be read, and has no effect. A warning is a warning all the same: a person hears of it."""
        self._not_understood(heard.header, heard.hash, Unread("NOT_UNDERSTOOD", why))
        if is_urgent(heard.what) and heard.header.sender != self._channel.us:
            self._ring_alone(heard, why)

    def _not_understood(self, header: Header, hash_: str, unread: Unread) -> None:
        author = header.sender
        sentence = f"entry {header.seq} of {author} is kept, but has no effect: {unread.text}"
        whose = "ours" if author == self._channel.us else "theirs"
        self._out.tell.append(
            FaultSeen(unread.fault, whose, sentence, self._channel.ch, author, {"entry": hash_}, Level.NOTE)
        )
        if header.type not in _NO_REMARK and author != self._channel.us:
            self._remarks.append(NodeRemark(hash_, unread.fault, unread.text[:200]))

    def _folded(self, heard: ToFold, change: Change) -> None:
        header = heard.header
        board, us = self._line.board, self._channel.us
        if header.sender != us:
            # Our side of the ladder: the time that our own `stored` receipt of this batch will carry.
            board.received(header.sender, header.epoch, header.seq, us, "stored", self._now.t_ms, header.seq)
        if change.version is not None and change.what == "version" and change.version.terms is not None:
            lead = notice.lead(change.version.terms, board.rules_of(change.version), self._now.t_ms)
            change.facts["lead_delivered"] = msgspec.to_builtins(lead)
        tell = self._heard(heard, change, recorded=True)
        if is_urgent(heard.what) and heard.hash not in self._line.rung and header.sender != us:
            self._line.rung.add(heard.hash)
            self._rings.append((change, msgspec.structs.replace(tell, recorded=False, level=Level.RING)))
        if header.type != "epoch":
            self._out.tell.append(tell)
        self._line.follow(change, self._now, self._out)

    def _heard(self, heard: ToFold, change: Change, *, recorded: bool) -> Heard:
        header = heard.header
        facts = dict(change.facts)
        if change.step is not None:
            facts["step"] = change.step.step
            facts.update(change.step.facts)
        if outside := self._line.mechanism.outside(header.sender, header.t_ms, header.agr):
            facts["outside"] = outside
        sentence = sentences.of_change(header.sender, header.by, change, heard.what)
        if self._channel.break_glass(header.by):
            facts["break_glass"] = True
            sentence += f" From the BREAK-GLASS post {header.by}."
        return Heard(
            header.ch, header.sender, heard.hash, header.type, header.by, header.t_ms, self._now.t_ms, sentence,
            change.ref,
            change.version.number if change.version else 0,
            recorded, facts, Level.NOTE if recorded else Level.RING,
            self._precedence(change), over_ms(change),
        )  # fmt: skip

    def _precedence(self, change: Change) -> str:
        if change.talk is not None:
            return precedence_of(self._line.board, change.talk).value
        return change.thread.precedence.value if change.thread is not None else ""

    # --- ringing ---

    def _ring_early(self, entry: Entry, said: Said) -> None:
        """An urgent entry overtook a gap: it rings now, and is linked when the gap fills."""
        self._ring_alone(ToFold(entry.header, entry.hash, said.what, self._now.t_ms))

    def _ring_alone(self, heard: ToFold, refused: str = "") -> None:
        """Rung by what it says itself, without the board. `refused`: why it has no effect there."""
        if heard.hash in self._line.rung:
            return
        board = self._line.board
        probe = Board(board.ch, board.versions, board.us)
        try:
            what = heard.what
            # What it revises or refines may still be in the gap.
            alone = Notice(what.ref, what.terms) if isinstance(what, NoticeVersion) else what
            header = heard.header
            if self._channel.versions.of(header.agr) is None:
                # Under a version of the agreement that is still on its way: a warning does not wait for it.
                header = msgspec.structs.replace(header, agr=self._channel.versions.newest_hash)
            change = probe.apply(header, heard.hash, alone, self._now.t_ms)
        except NotUnderstood:
            return
        if not change.rings(heard.hash, self._now.t_ms, self._channel.us):
            return
        if isinstance(what, NoticeVersion) and not isinstance(what, Notice) and change.version is not None:
            # Told as what it is: a new version of one that may still be in the gap.
            named = msgspec.structs.replace(change.version, number=what.version, kind=heard.header.type)
            change = msgspec.structs.replace(change, version=named)
        tell = self._heard(heard, change, recorded=False)
        if refused:
            sentence = sentences.refused(heard.header.sender, refused, change.version)
            tell = msgspec.structs.replace(tell, sentence=sentence, facts={"not_understood": refused})
        self._line.rung.add(heard.hash)
        self._rings.append((None, tell))

    def _ring_unread(self, header: Header, hash_: str, unread: Unread) -> None:
        """An ALERT whose body cannot be read, as of a newer version of this program: its header says that it is one."""
        expired = self._now.t_ms >= header.t_ms + ALERT_LIVES_MS
        if expired or hash_ in self._line.rung or header.sender == self._channel.us:
            return
        self._line.rung.add(hash_)
        sentence = sentences.refused(header.sender, unread.text, None)
        tell = Heard(
            header.ch, header.sender, hash_, header.type, header.by, header.t_ms, self._now.t_ms, sentence,
            recorded=False, facts={"not_understood": unread.text}, level=Level.RING,
            precedence=Precedence.FLASH.value, until_ms=header.t_ms + ALERT_LIVES_MS,
        )  # fmt: skip
        self._rings.append((None, tell))

    def _ring(self) -> None:
        """After an outage only what is live and not superseded rings (domain.md B6, design.md §3)."""
        self._out.ring.extend(
            heard for change, heard in self._rings
            if (heard.entry not in self._old if change is None
                else change.rings(heard.entry, self._now.t_ms, self._channel.us))
        )  # fmt: skip

    # --- answers ---

    def _answer(self) -> None:
        """Receipts: to the author, for what was stored now; for what we held already, the ones that we gave."""
        channel, ch = self._channel, self._channel.ch
        for author, epoch in self._grown:
            if author == channel.us:
                continue
            receipt, envelope = channel.stored_receipt(author, epoch, self._now.t_ms, self._line.keys.beside)
            self._out.store.append(receipt_record(receipt, envelope, self._now.t_ms))
            self._out.send.append(Send(author, ch, (), (envelope,)))
        self._answer_repeats()

    def _answer_repeats(self) -> None:
        channel, ch = self._channel, self._channel.ch
        for (author, epoch), seqs in self._repeated.items():
            if author == channel.us:
                continue
            inbox = channel.inboxes[author]
            again = {e: None for seq in (min(seqs), max(seqs)) for e in inbox.receipts_for(epoch, seq)}
            if not again and (author, epoch) not in self._grown:
                # We held it before our own record was restored: say again that we do.
                receipt, envelope = channel.stored_receipt(author, epoch, self._now.t_ms, self._line.keys.beside)
                self._out.store.append(receipt_record(receipt, envelope, self._now.t_ms))
                again = {envelope: None}
            self._out.send.append(Send(author, ch, (), tuple(again)))

    # --- proof ---

    def _pass_on(self, header: Header, ours: str) -> None:
        """Whoever handed us the other half may hold only that one: give it ours, so that both can prove it. Once for
        each place: of one where the author lied before, it may hold the same half as we."""
        epoch, peer = (header.sender, header.epoch), self._event.peer
        self._line.forks[epoch] = min(header.seq, self._line.forks.get(epoch, header.seq))
        given, passed = (peer, Place(header.epoch, header.seq, ours)), self._line.passed_on
        new = given not in passed and len(passed) < FORKS_PASSED_ON_MAX
        if new and peer in self._channel.peers and peer != header.sender:
            passed.add(given)
            self._out.send.append(Send(peer, self._channel.ch, (ours,)))

    def _prove(self, first: bytes, second: Entry) -> None:
        """Two signed headers for one place: kept as a proof that stands alone, told once."""
        header = second.header
        proof = canonical.encode({"first": msgspec.Raw(first), "second": msgspec.Raw(second.envelope)})
        key = canonical.sha256(proof)
        if key in self._line.rung:
            return
        self._line.rung.add(key)
        self._out.store.append(
            SidecarRecord(header.ch, "equivocation", header.sender, key, proof, self._now.t_ms)
        )  # fmt: skip
        fault = Equivocation(
            f"{header.sender} signed two different entries for place {header.seq}. Both are kept as proof.",
            first=first, second=second.envelope, seq=header.seq,
        )  # fmt: skip
        self._out.tell.append(fault_tell(fault, header.ch, header.sender, Level.RING))
