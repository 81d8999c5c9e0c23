# SPDX-License-Identifier: Apache-2.0
"""Coming back from a backup without ever signing one place twice.

A restored node has forgotten what it said last. Its peers have not: it asks each of them what they hold
(`seal/heads.py`), they fence what they have, hand back its own entries, and send theirs again. When all have answered,
a new epoch is opened in the supervisor's name: a random id, so no place in it was ever signed before; it names its
predecessor and the fences. Whoever cannot be reached has the fence *unknown*; what they turn out to hold beyond the
predecessor is an orphan: kept, shown, binding.

Nothing urgent waits for that: an ALERT on a restored node opens the epoch at once. The random id makes this safe.

A node that was restored behind its own back finds out when a peer hands back an entry that it does not have, and opens
another epoch in its own name (REPAIRED). Where the entry continues what it wrote in, that is proof, and said loudly.
Any other can be a late orphan; or it is all that the peers still have of a record in which this node wrote on. Nobody
can tell which, so nothing more is signed then in an epoch that this very process did not open.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal

from wideberth.core.batch import Now, Send
from wideberth.core.effects import Effects
from wideberth.core.limits import RESEND_FIRST_MS, RESEND_MOST_MS
from wideberth.core.records import SettingRecord, SidecarRecord
from wideberth.core.say.words import Place
from wideberth.core.seal import canonical
from wideberth.core.seal import heads as heads_
from wideberth.core.seal.capabilities import Entropy
from wideberth.core.seal.entry import Header
from wideberth.core.seal.heads import Heads
from wideberth.core.tells import FaultSeen, Level
from wideberth.errors import BadInput, Stranger

if TYPE_CHECKING:
    from wideberth.core.line import Line

Reason = Literal["FOUNDING", "RESTORED", "REPAIRED"]

# Handed back at a time; whoever lacks more asks again.
_FRAMES_AT_ONCE = 100


# The value of that setting where no supervisor had the record put back, and the node found out when it started.
NODE_ITSELF: Final = b"node"


def setting_key(ch: str) -> str:
    """The setting that says that a line waits to be resumed after a restore; its value is the supervisor's post."""
    return f"resume/{ch}"


def epoch_key(ch: str) -> str:
    """The setting that says which epoch this node opened last on a line, once it opened any after the founding one."""
    return f"epoch/{ch}"


class Recovery:
    """Of one line. `waiting` while the line was restored and its new epoch is not open yet."""

    def __init__(self, line: Line, entropy: Entropy) -> None:
        self._line = line
        self._entropy = entropy
        self.waiting = False
        self.by = ""
        self.due_mono_ms: int | None = None
        self.opened_just_now = False
        self._repair = False
        # By this very process, whose memory nobody can put back: what turns out to be missing was said before.
        self._opened_here = ""
        self._suspected: set[str] = set()
        self._owed: set[str] = set()
        self._vouched: set[tuple[str, str]] = set()
        self._asked: dict[str, str] = {}
        self._fences: dict[str, tuple[Place, ...]] = {}
        self._pause_ms = RESEND_FIRST_MS

    # --- the restored side ---

    def restored(self, by: str, now: Now, out: Effects) -> None:
        """At start: the record is a backup, and this supervisor's post had it put back. `NODE_ITSELF`: nobody said so;
        the shell saw that the record is older than the one which ran here last."""
        self.waiting, self.by = True, by
        self.due_mono_ms = now.mono_ms
        if by == NODE_ITSELF.decode():
            self.by = ""
            sentence = (
                "this record is older than the one that this node had when it last ran: it was put back from a copy "
                "without `wideberth restore`. Peers are asked what they hold, and routine words wait for that. Find "
                "out who did it"
            )
            out.ring.append(FaultSeen("LostTail", "ours", sentence, self._line.channel.ch, level=Level.RING))

    def missing(self) -> tuple[str, ...]:
        """Peers that have not answered yet, or whose answer has not fully arrived."""
        own = self._line.channel.own
        return tuple(
            p for p in self._line.channel.peers
            if p not in self._fences or not all(own.holds(place) for place in self._fences[p])
        )  # fmt: skip

    def owed(self) -> tuple[str, ...]:
        """Peers without whose answer an epoch was opened, and who are asked on: what they hold may be orphans."""
        return () if self.waiting else tuple(p for p in self.missing() if p in self._owed)

    def fence(self, peer: str) -> Place | None:
        """The newest place of ours that the peer answered it holds; None: unknown. First one that nothing vouches for
        since our node key was replaced: from then on the fence does."""
        known = self._fences.get(peer, ())
        return next(self._unvouched(peer), known[-1] if known else None)

    def resume(self, by: str, now: Now, out: Effects) -> None:
        """A supervisor goes on without the peers that do not answer. Raises BadInput, NotFound."""
        if not self.waiting:
            raise BadInput("this line was not restored; there is nothing to resume", field="line")
        post = self._line.keys.next()[0].card.posts.get(by.removeprefix(f"{self._line.channel.us}/"))
        if post is not None and not post.supervisor:
            raise BadInput(f"{by} is not a supervisor's post; a supervisor goes on: --as supervisor", field="by")
        self._open("RESTORED", by, now, out)

    def before_writing(self, urgent: bool, now: Now, out: Effects) -> None:
        """Before anything is signed. Raises BadInput when it has to wait."""
        self.opened_just_now = False
        if self.waiting and (urgent or not self.missing()):
            self._go_on(now, out)
        elif self.waiting:
            raise BadInput(
                f"this node was restored from a backup and waits for {', '.join(self.missing())} to say what they "
                "hold. ALERT and urgent notices go out at once; a supervisor may go on without: `wideberth resume`",
                field="line",
            )

    def _go_on(self, now: Now, out: Effects) -> None:
        self._open("RESTORED" if self.by else "REPAIRED", self.by, now, out)

    def _open(self, reason: Reason, by: str, now: Now, out: Effects) -> None:
        # Whoever has not answered is asked on: what they hold of us beyond this are orphans that we want to know of.
        owed = set(self.missing())
        # First what can fail: as long as no epoch is open, the line waits, or a place could be signed twice.
        self._line.open_epoch(reason, by, now, out)
        self._owed = owed
        self.waiting = self._repair = False
        self._suspected.clear()
        self.due_mono_ms = now.mono_ms if self._owed else None
        self.opened_just_now = True
        channel = self._line.channel
        self._opened_here = channel.own.epoch
        out.store.append(SettingRecord(setting_key(channel.ch), b""))
        out.store.append(SettingRecord(epoch_key(channel.ch), channel.own.epoch.encode()))

    @property
    def unsure(self) -> bool:
        """Whether the end of our own strand is not known: then nothing may be signed in its epoch."""
        return self.waiting or self._repair

    def suspect(self, peer: str, now: Now, out: Effects) -> None:
        """A peer names a place of ours that we do not have. Ask it to show what it holds; its word alone proves
        nothing."""
        if self.waiting or peer in self._suspected:
            return
        self._suspected.add(peer)
        out.tell.append(
            FaultSeen(
                "LostTail", "world",
                f"{peer} names an entry of ours that this node does not have. Either this record was put back from a "
                "copy, or they are wrong; they are asked to show it",
                self._line.channel.ch, peer, level=Level.NOTE,
            )
        )  # fmt: skip
        self.ask(peer, now, out)

    def handed_back(self, entries: list[tuple[Header, Place | None]], out: Effects) -> None:
        """Entries of ours in one delivery, each with the predecessor that an opening names. Nobody but us can have
        signed those that we lack: what they were said in is another record than this."""
        own = self._line.channel.own
        lost = [(h, after) for h, after in entries if h.seq > own.length(h.epoch)]
        if not lost or self.waiting or own.epoch == self._opened_here:
            return
        self._repair = True
        proof = next((h for h, after in lost if _continues(h.epoch, after, own.epoch)), None)
        if proof is not None:
            sentence = (
                f"a peer holds entry {proof.seq} of ours, which this node had lost: its record was put back from a "
                "copy without `wideberth restore`. A new epoch is opened, so that nothing is signed twice. Find out "
                "who did it"
            )
        else:
            sentence = (
                f"a peer handed back entry {lost[0][0].seq} of another epoch of ours, which this node did not have. "
                "It may be an orphan that came late, or this record was put back from a copy without `wideberth "
                "restore`. A new epoch is opened, so that nothing is signed twice"
            )
        whose: Literal["ours", "world"] = "ours" if proof else "world"
        level = Level.RING if proof else Level.NOTE
        out.tell.append(FaultSeen("LostTail", whose, sentence, self._line.channel.ch, level=level))

    def got_back(self, epoch: str, after: Place | None, current: str) -> None:
        """An entry of ours has taken its place, and we wrote in `current` until then. What does not continue that is an
        orphan: the epoch that we write in is alive."""
        if not self.waiting and not _continues(epoch, after, current):
            self._line.channel.own.epoch = current

    def repair(self, now: Now, out: Effects) -> None:
        """After a delivery: the new epoch is opened in the same batch, before a crash could make us forget again."""
        if self._repair and self._line.keys.can_sign:
            self._open("REPAIRED", "", now, out)

    def tick(self, now: Now, out: Effects) -> None:
        """Ask again whoever has not answered; open the epoch when all have."""
        if self.due_mono_ms is None or self.due_mono_ms > now.mono_ms:
            return
        missing = self.missing()
        if self.waiting and not missing and self._line.keys.can_sign:
            self._go_on(now, out)
            return
        if not self.waiting:
            missing = self.owed()
        if not missing:
            self.due_mono_ms = None
            return
        for peer in missing:
            self.ask(peer, now, out, restored=True)
        self.due_mono_ms = now.mono_ms + self._pause_ms
        self._pause_ms = min(2 * self._pause_ms, RESEND_MOST_MS)

    # --- both sides ---

    def ask(self, peer: str, now: Now, out: Effects, *, restored: bool = False) -> None:
        """Ask a peer what it holds, and say what we hold: after a restore, and as part of the line check."""
        nonce = self._entropy(16).hex()
        self._asked[peer] = nonce
        _, envelope = self._heads(nonce, "", restored, now)
        out.send.append(Send(peer, self._line.channel.ch, (), (envelope,)))

    def _heads(self, nonce: str, answers: str, restored: bool, now: Now) -> tuple[Heads, bytes]:
        channel = self._line.channel
        holds = {p: s.heads() for p, s in channel.strands.items() if s.log}
        heads = Heads(1, channel.ch, channel.us, nonce, answers, restored, holds, now.t_ms)
        return heads, heads_.seal(heads, self._line.keys.beside)

    def heard(self, envelope: bytes, now: Now, out: Effects) -> None:
        """A peer's heads. Raises Oversized, Malformed, Stranger, BadSignature."""
        channel = self._line.channel
        heads, sealed, payload = heads_.read(envelope)
        if heads.ch != channel.ch or heads.sender not in channel.peers:
            raise Stranger("these heads were signed for another channel, or by nobody who belongs here", ch=heads.ch)
        channel.node_check(
            heads.sender, lambda key: heads_.check(heads, sealed, payload, key, self._line.verifier)
        )  # fmt: skip
        peer = heads.sender
        if heads.answers:
            if heads.answers != self._asked.get(peer):
                return  # late, or a replay
            self._fences[peer] = heads.holds.get(channel.us, ())
            if self.waiting and not self.missing() and self._line.keys.can_sign:
                self._go_on(now, out)
            elif peer in self._owed and self._line.keys.can_sign:
                self._vouch(peer, now, out)
            if lacks := self._lacks(heads):
                out.send.append(Send(peer, channel.ch, lacks, channel.later_agreements))
        self._catch_up(heads, now, out)
        if not heads.answers:
            answer, sealed_answer = self._heads(self._entropy(16).hex(), heads.nonce, False, now)
            if heads.restored:
                # The fence: durable before it leaves.
                key = canonical.sha256(sealed_answer)
                out.store.append(SidecarRecord(channel.ch, "fence", answer.sender, key, sealed_answer, now.t_ms))
            # Receipts that a restored peer lost go back to it as well, so that its ladder is whole again.
            receipts = channel.inboxes[peer].newest_receipts() if heads.restored else ()
            lacks = self._lacks(heads)
            # Whoever was restored may hold entries that came late and bare, and not the version they were signed under.
            agreements = channel.later_agreements if lacks or heads.restored else ()
            out.send.append(Send(peer, channel.ch, lacks, (*agreements, sealed_answer, *receipts)))

    def _vouch(self, peer: str, now: Now, out: Effects) -> None:
        """An epoch was opened without the answer of this peer, and it holds words of ours under a node key that was
        lost: one more epoch names them, and only then they come back."""
        place = next(self._unvouched(peer), None)
        if place is not None and (peer, place.epoch) not in self._vouched:
            self._vouched.add((peer, place.epoch))
            self._open("REPAIRED", "", now, out)

    def _unvouched(self, peer: str) -> Iterator[Place]:
        return (place for place in self._fences.get(peer, ()) if self._line.keys.own.in_doubt(place))

    def _catch_up(self, heads: Heads, now: Now, out: Effects) -> None:
        """The peer may hold less of ours than it receipted once: then send it again from there."""
        channel = self._line.channel
        peer, theirs = heads.sender, {p.epoch: p for p in heads.holds.get(channel.us, ())}
        less = any(
            channel.held_by(peer, epoch) > (theirs[epoch].seq if epoch in theirs else 0)
            for epoch in channel.own.epochs
        )  # fmt: skip
        if heads.restored or less:
            channel.holds_of_us(peer, tuple(theirs.values()))
            self._line.send_fresh(peer, now, out)

    def _lacks(self, heads: Heads) -> tuple[str, ...]:
        """Entries of other strands that we hold and the peer does not, its own above all; and, where it holds another
        entry at the same place, ours, so that it can prove the fork."""
        channel = self._line.channel
        wanted: list[str] = []
        for author in (heads.sender, *(p for p in channel.peers if p != heads.sender)):
            strand = channel.strands[author]
            theirs = {p.epoch: p for p in heads.holds.get(author, ())}
            for epoch in strand.epochs:
                have = theirs.get(epoch)
                fork = self._line.forks.get((author, epoch))
                if fork is not None:
                    wanted.append(strand.hash_at(epoch, fork))  # the peer may hold the other one, and go on from there
                length = channel.keys[author].vouched(epoch, strand.length(epoch))
                if have is not None and have.seq <= length and strand.hash_at(epoch, have.seq) != have.hash:
                    wanted.append(strand.hash_at(epoch, have.seq))
                    continue
                first = have.seq if have is not None else 0
                wanted += [strand.hash_at(epoch, n) for n in range(first + 1, length + 1)]
        return tuple(wanted[:_FRAMES_AT_ONCE])


def _continues(epoch: str, after: Place | None, current: str) -> bool:
    return epoch == current or (after is not None and after.epoch == current)
