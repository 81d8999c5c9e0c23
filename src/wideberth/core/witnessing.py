# SPDX-License-Identifier: Apache-2.0
"""What machines sign for each other about one line, beside the strands: line checks and checkpoints.

Line check (`seal/linecheck.py`): four times and the heads of all strands, signed by both. It bounds what the clocks
differ by, and finds a record that was put back, a peer that lost entries, and a fork shown to two peers: whenever heads
do not fit together the two compare notes in full (`recovery.py`).

Checkpoint (`seal/checkpoint.py`): the Merkle root of our own strand, cosigned by each peer with its time once the peer
found the same root over its own copy. A root that differs is a split view: somebody was shown another strand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from wideberth.core.batch import Now, Send
from wideberth.core.carry.clocks import Offset
from wideberth.core.effects import Effects
from wideberth.core.folding import ALREADY_CHECKED
from wideberth.core.records import SidecarRecord
from wideberth.core.say.words import Place
from wideberth.core.seal import canonical, checkpoint, linecheck
from wideberth.core.seal.capabilities import Entropy
from wideberth.core.seal.checkpoint import Checkpoint
from wideberth.core.seal.keys import Verifier
from wideberth.core.seal.linecheck import LineAnswer, LineAsk, LineClose, LineMessage
from wideberth.core.seal.merkle import Tree
from wideberth.core.seal.note import Note
from wideberth.core.tells import FaultSeen, Level
from wideberth.errors import Malformed, Stranger

if TYPE_CHECKING:
    from wideberth.core.line import Line

# Domain.md §8, B2: clocks that differ by more, whatever the bound says, are told to people.
CLOCK_ALARM_MS: Final = 2_000
# The same bound tells a slow line: a check that cannot rule such a difference out has not done its work.
# A checkpoint is due after so many entries, or when the shell's minute is over (design.md §3).
CHECKPOINT_ENTRIES: Final = 1_000

LINE_CHECKS: Final = frozenset({linecheck.ASK, linecheck.ANSWER, linecheck.CLOSE})


class Checked(msgspec.Struct, frozen=True):
    """The newest line check with a peer: when, whether all heads were the same, whether they show a loss or a fork."""

    at_ms: int
    same: bool
    misfit: bool
    offset: Offset | None = None


class Witness:
    """`checked`: by peer. `cosigned`: how far a peer cosigned each epoch of our own strand."""

    def __init__(self, line: Line, entropy: Entropy) -> None:
        self._line = line
        self._entropy = entropy
        self._asks: dict[str, LineAsk] = {}
        self._answers: dict[str, LineAnswer] = {}
        self._trees: dict[tuple[str, str], Tree] = {}
        self._checkpointed: dict[str, int] = {}
        self._alarmed: set[str] = set()
        self._slow: set[str] = set()
        self.checked: dict[str, Checked] = {}
        self.cosigned: dict[tuple[str, str], int] = {}

    # --- line checks ---

    def check_line(self, peer: str, now: Now, out: Effects) -> None:
        """Begin an exchange with one peer."""
        channel = self._line.channel
        nonce = self._entropy(linecheck.NONCE_BYTES).hex()
        ask = LineAsk(1, channel.ch, channel.us, peer, nonce, now.t_ms, self._heads())
        self._asks[peer] = ask
        self.checked.pop(peer, None)
        self._say(peer, ask, now, out, keep=False)

    def _heads(self) -> dict[str, Place]:
        places = {party: strand.place for party, strand in self._line.channel.strands.items()}
        return {party: place for party, place in places.items() if place is not None}

    def heard_check(self, envelope: bytes, now: Now, out: Effects) -> None:
        """One of the three messages. Raises Oversized, Malformed, Stranger, BadSignature."""
        channel = self._line.channel
        message, sealed, payload = linecheck.read(envelope)
        peer = message.sender
        if message.ch != channel.ch or peer not in channel.peers or message.to != channel.us:
            raise Stranger("this line check is for another channel, or from nobody who belongs here", ch=message.ch)
        channel.node_check(peer, lambda key: linecheck.check(message, sealed, payload, key, self._line.verifier))
        match message:
            case LineAsk():
                answer = linecheck.answer_to(message, now.t_ms, now.t_ms, self._heads())
                self._answers[peer] = answer
                self._say(peer, answer, now, out, keep=True)
                self._compare(peer, message.heads, now, out)
            case LineAnswer():
                ask = self._asks.pop(peer, None)
                if ask is None or not linecheck.answers(ask, message):
                    return  # late, or a replay
                self._keep(envelope, now, out)
                close = linecheck.close_of(message, now.t_ms)
                self._say(peer, close, now, out, keep=True)
                self._compare(peer, message.heads, now, out)
                self._clock(peer, close, 1, now, out)
            case LineClose():
                given = self._answers.pop(peer, None)
                if given is None or not linecheck.closes(given, message):
                    return
                self._keep(envelope, now, out)
                self._clock(peer, message, -1, now, out)

    def _say(self, peer: str, message: LineMessage, now: Now, out: Effects, *, keep: bool) -> None:
        envelope = linecheck.seal(message, self._line.keys.beside)
        if keep:
            self._keep(envelope, now, out)
        out.send.append(Send(peer, self._line.channel.ch, (), (envelope,)))

    def _keep(self, envelope: bytes, now: Now, out: Effects) -> None:
        out.store.append(linecheck.sidecar(envelope, now.t_ms))

    def _clock(self, peer: str, close: LineClose, sign: int, now: Now, out: Effects) -> None:
        """What the four times say; `sign` −1 on the answerer's side."""
        found = linecheck.estimate(close.t1_ms, close.t2_ms, close.t3_ms, close.t4_ms)
        if found is None:
            return
        offset = Offset(sign * found.offset_ms, found.bound_ms, now.t_ms)
        self._line.channel.clocks[peer].measured(offset)
        if (checked := self.checked.get(peer)) is not None:
            self.checked[peer] = msgspec.structs.replace(checked, offset=offset)
        self._slow_or_not(peer, offset, out)
        if abs(offset.offset_ms) - offset.bound_ms <= CLOCK_ALARM_MS:
            self._alarmed.discard(peer)
        elif peer not in self._alarmed:
            self._alarmed.add(peer)
            sentence = (
                f"the clocks of {peer} and of this node differ by {offset.offset_ms / 1000:+.1f} s, give or take "
                f"{offset.bound_ms / 1000:.1f} s. Check both against a time source; order is not affected"
            )
            out.tell.append(
                FaultSeen("ClocksApart", "world", sentence, self._line.channel.ch, peer, level=Level.RING)
            )  # fmt: skip

    def _slow_or_not(self, peer: str, offset: Offset, out: Effects) -> None:
        """A check that took so long on its way that it cannot see what it is for is told, once until it is better."""
        if offset.bound_ms <= CLOCK_ALARM_MS:
            self._slow.discard(peer)
        elif peer not in self._slow:
            self._slow.add(peer)
            sentence = (
                f"a line check with {peer} spent {2 * offset.bound_ms / 1000:.1f} s on its way: the line is slow, or "
                f"somebody on it delays what passes. Clocks can be compared to {offset.bound_ms / 1000:.1f} s only, "
                "and warnings come late; use another way or the telephone for what is urgent"
            )
            out.tell.append(FaultSeen("LineSlow", "world", sentence, self._line.channel.ch, peer))

    def _compare(self, peer: str, heads: dict[str, Place], now: Now, out: Effects) -> None:
        """Whenever heads do not fit together the two compare notes in full."""
        channel = self._line.channel
        misfit = any(self._misfit(peer, author, heads.get(author)) for author in channel.strands)
        self.checked[peer] = Checked(now.t_ms, heads == self._heads(), misfit)
        # These heads name the newest epoch of each strand only: where somebody was restored, the others count as well.
        if misfit or any(len(strand.epochs) > 1 for strand in channel.strands.values()):
            self._line.recovery.ask(peer, now, out)

    def _misfit(self, peer: str, author: str, theirs: Place | None) -> bool:
        """Whether what the peer holds of an author shows a loss or a fork, rather than something on its way."""
        channel = self._line.channel
        strand = channel.strands[author]
        if theirs is None:
            return author == channel.us and bool(channel.held_by(peer, channel.own.epoch))
        if theirs.seq <= strand.length(theirs.epoch) and not strand.holds(theirs):
            return True  # a fork
        if author == channel.us:
            return theirs.seq < channel.held_by(peer, theirs.epoch) or channel.beyond_us(theirs)
        if author == peer:
            return theirs.seq < strand.length(theirs.epoch)  # the peer holds less of its own than we do
        # A third member's: what the peer has and we lack may be on its way to us from its author, or be withheld.
        return theirs.seq > strand.length(theirs.epoch)

    # --- checkpoints ---

    def checkpoint(self, now: Now, out: Effects) -> None:
        """Sign the roots of our own epochs that grew since the last time, and send them to be cosigned."""
        channel = self._line.channel
        for epoch in channel.own.epochs:
            size = channel.own.length(epoch)
            if size <= self._checkpointed.get(epoch, 0):
                continue
            self._checkpointed[epoch] = size
            root = self._tree(channel.us, epoch).root(size)
            data = checkpoint.seal(Checkpoint(channel.ch, channel.us, epoch, size, root), self._line.keys.beside)
            out.store.append(checkpoint.sidecar(data, now.t_ms))
            for peer in channel.peers:
                self._send_note(peer, data, out)

    def checkpoint_due(self) -> bool:
        """Whether a thousand entries came since the last one."""
        own = self._line.channel.own
        return own.length(own.epoch) - self._checkpointed.get(own.epoch, 0) >= CHECKPOINT_ENTRIES

    def _cosigned(self, found: Checkpoint, data: bytes, verifier: Verifier, *, stored: bool = False) -> bool:
        """Note who cosigned a checkpoint of ours; whether anybody did. Raises BadSignature. One that is stored may be
        cosigned with a node key that was replaced since."""
        channel = self._line.channel
        keys = {peer: channel.keys[peer].node_keys[: None if stored else 1] for peer in channel.peers}
        cosigners = checkpoint.cosigners(found, checkpoint.read(data)[1], keys, verifier)
        for each in cosigners:
            key = each.party, found.epoch
            self.cosigned[key] = max(found.size, self.cosigned.get(key, 0))
        return bool(cosigners)

    def reload(self, record: SidecarRecord) -> None:
        """A checkpoint of our own out of the store: what was signed needs no second signature."""
        if record.kind == checkpoint.KIND and record.author == self._line.channel.us:
            found, _ = checkpoint.read(record.envelope)
            self._checkpointed[found.epoch] = max(found.size, self._checkpointed.get(found.epoch, 0))
            self._cosigned(found, record.envelope, ALREADY_CHECKED, stored=True)

    def heard_note(self, data: bytes, now: Now, out: Effects) -> None:
        """A checkpoint to cosign, or ours with a cosignature. Raises Oversized, Malformed, Stranger, BadSignature."""
        channel = self._line.channel
        found, signed = checkpoint.read(data)
        if found.ch != channel.ch or found.author not in channel.strands:
            raise Stranger("this checkpoint is of another channel, or of nobody who belongs here", ch=found.ch)
        strand = channel.strands[found.author]
        self._check_author(found, signed)
        if found.size > strand.length(found.epoch):
            return  # its entries are still on their way; the author sends another one
        if self._tree(found.author, found.epoch).root(found.size) != found.root:
            self._split(found, data, now, out)
            return
        if found.author == channel.us:
            if self._cosigned(found, data, self._line.verifier):
                out.store.append(checkpoint.sidecar(data, now.t_ms))
            return
        cosigned = checkpoint.cosign(data, channel.us, self._line.keys.beside, now.t_ms // 1000)
        out.store.append(checkpoint.sidecar(cosigned, now.t_ms))
        self._send_note(found.author, cosigned, out)

    def _check_author(self, found: Checkpoint, signed: Note) -> None:
        """Raises BadSignature, Outdated."""
        verifier = self._line.verifier
        if found.author == self._line.channel.us:  # ours, cosigned; we may have another node key by now
            checkpoint.check_author(found, signed, self._line.keys.own.node_keys, verifier)
        else:
            self._line.channel.node_check(
                found.author, lambda key: checkpoint.check_author(found, signed, (key,), verifier)
            )

    def _split(self, found: Checkpoint, data: bytes, now: Now, out: Effects) -> None:
        key = canonical.sha256(data)
        if key in self._line.rung:
            return
        self._line.rung.add(key)
        out.store.append(SidecarRecord(found.ch, "split", found.author, key, data, now.t_ms))
        sentence = (
            f"{found.author} signed a checkpoint over {found.size} entries that is not over the entries it sent here: "
            "somebody was shown another strand. It is kept as proof; entries are compared now"
        )
        out.tell.append(FaultSeen("SplitView", "theirs", sentence, found.ch, found.author, level=Level.RING))
        for peer in self._line.channel.peers:
            self._line.recovery.ask(peer, now, out)

    def _send_note(self, peer: str, data: bytes, out: Effects) -> None:
        """A note is plain text; deliveries carry JSON, so it travels as a JSON string."""
        out.send.append(Send(peer, self._line.channel.ch, (), (msgspec.json.encode(data.decode("utf-8")),)))

    def _tree(self, author: str, epoch: str) -> Tree:
        """Grown from the strand when asked for; 64 bytes an entry."""
        tree = self._trees.setdefault((author, epoch), Tree())
        strand = self._line.channel.strands[author]
        for seq in range(tree.size + 1, strand.length(epoch) + 1):
            tree.append(bytes.fromhex(strand.hash_at(epoch, seq)))
        return tree


def note_in(sidecar: bytes) -> bytes:
    """The checkpoint in a sidecar that is a JSON string. Raises Malformed."""
    try:
        return msgspec.json.decode(sidecar, type=str).encode("utf-8")
    except (msgspec.DecodeError, UnicodeError) as fault:
        raise Malformed(f"checkpoint: {fault}") from None
