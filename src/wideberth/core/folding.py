# SPDX-License-Identifier: Apache-2.0
"""From entries to the board, in an order that makes it come out the same on every node.

What is said binds to exact entries by their hashes, so strands may interleave as they like, as long as each author's
entries fold in the order of its strand. Three cases need care:

* An entry answers one that has not reached this node (three members, one slow line). It waits until everything that its
  author had seen is here, and is judged then.
* It was told to wait, and what its author said later of the same matter went before it. What it waited for comes in the
  end, and then the order is wrong: the board is folded anew.
* An author has orphans, or two epochs after one place (restores). What it said in one may clash with what it said in
  the other, having forgotten it. Then the board is folded anew, in causal order with ties by author, epoch and seq, so
  that every node lets the same one stand.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from wideberth.core.call.accord import Accord, AccordWord
from wideberth.core.call.board import Board, Change
from wideberth.core.call.fault import NotUnderstood
from wideberth.core.carry.channel import Channel
from wideberth.core.records import EntryRecord
from wideberth.core.say.rules import Purpose
from wideberth.core.say.words import Word
from wideberth.core.seal import entry as entries
from wideberth.core.seal.capabilities import Recall
from wideberth.core.seal.entry import Entry, Header, Said, Unread
from wideberth.core.seal.keys import Verifier

# The fields of words that name another entry by its hash.
_CITES = ("of", "refines", "why", "one", "other", "amended")


class _AlreadyChecked:
    """Our own store holds only what was verified when it came; a full audit is a command of its own."""

    def verify(self, public: str, message: bytes, signature: bytes) -> bool:
        return True


class Heard(msgspec.Struct, frozen=True):
    """An understood entry, ready to be folded."""

    header: Header
    hash: str
    what: Word
    stored_ms: int


class _Again(msgspec.Struct, frozen=True):
    """A stored entry and the hashes of what it must come after, beside the entry before it."""

    hash: str
    heard: Heard | None
    after: tuple[str, ...]


class Fold:
    """The board of one channel and what waits to get onto it."""

    def __init__(self, channel: Channel, recall: Recall, verifier: Verifier) -> None:
        self.channel = channel
        self._recall = recall
        self._verifier = verifier
        self._waiting: dict[str, Heard] = {}
        self._known: set[str] = set()
        # Filled when a board is folded anew for the first time: it will be again.
        self._parsed_once: dict[str, _Again] = {}
        # What waited, and was settled when the board was folded anew: its effects are still to come.
        self._settled: list[Heard] = []
        # What came late, or waited, and what it did when the board was folded anew last.
        self._outcomes: dict[str, Change | NotUnderstood | None] = {}
        # What waits while something was folded that comes after it and is of the same matter.
        self._overtaken: set[str] = set()
        # One of those was folded after all: until the board is folded anew, the order is not that of the strands.
        self.disordered = False
        # What was cited, and not here, when the board was folded anew: it may change the order.
        self.missing: set[str] = set()
        # What `entries.open_body` could not open when it came. Its signatures are not checked again in `read`.
        self.unread: set[str] = set()
        self.board = self._fresh()

    def _fresh(self) -> Board:
        versions = self.channel.versions
        accord = Accord(versions, self._verifier) if self.channel.home else None
        positions = self.channel.terms.purpose is Purpose.WORKING_GROUP
        return Board(self.channel.ch, versions, self.channel.us, accord, positions=positions)

    def take(self, heard: Heard) -> Change | None:
        """Fold one entry in. None: it waits for what its author had seen. Raises NotUnderstood."""
        try:
            change = self.board.apply(heard.header, heard.hash, heard.what, heard.stored_ms)
        except NotUnderstood:
            if self._can_be_judged(heard):
                raise
            self._waiting[heard.hash] = heard
            return None
        self.went(heard)
        return change

    def went(self, heard: Heard) -> None:
        """An entry is on the board, before whatever waits."""
        for hash_, other in self._waiting.items():
            if hash_ != heard.hash and _of_one_matter(heard, other) and self._follows(heard, other):
                self._overtaken.add(hash_)

    def released(self) -> list[tuple[Heard, Change | NotUnderstood]]:
        """What waited and can be judged now, after something else came. Where `disordered` is true then, the board must
        be folded anew, and the outcomes are those of that."""
        if not self._waiting and not self._settled:
            self._known.clear()
            return []
        done: list[tuple[Heard, Change | NotUnderstood]] = [(h, self.outcome_of(h.hash)) for h in self._settled]
        self._settled.clear()
        # One can be what another waits for: as long as any of them fits.
        flaws: dict[str, NotUnderstood] = {}
        fits = True
        while fits:
            fits = False
            for hash_, heard in list(self._waiting.items()):
                try:
                    done.append((heard, self.board.apply(heard.header, heard.hash, heard.what, heard.stored_ms)))
                except NotUnderstood as why:
                    flaws[hash_] = why
                else:
                    del self._waiting[hash_]
                    self.disordered = self.disordered or hash_ in self._overtaken
                    self.went(heard)
                    fits = True
        held_up = self._held_up()
        free = [hash_ for hash_ in self._waiting if hash_ not in held_up]
        # What does not fit may only come too late: in its own place, before what overtook it, it can.
        self.disordered = self.disordered or not self._overtaken.isdisjoint(free)
        done += [(self._waiting.pop(hash_), flaws[hash_]) for hash_ in free]
        # What waits again only because the board was folded anew had its effects before.
        known, self._known = self._known, self._known & self._waiting.keys()
        return [(heard, outcome) for heard, outcome in done if heard.hash not in known]

    def outcome_of(self, hash_: str) -> Change | NotUnderstood:
        """What an entry that came late did when the board was folded anew; it does not wait."""
        return self._outcomes.get(hash_) or Change("word")

    def _complete(self, header: Header) -> bool:
        """Whether everything that the author had seen is here: of others, of ours, which we may have lost, and the
        version of the agreement that it was signed under."""
        if self.channel.versions.of(header.agr) is None:
            return False
        strands = self.channel.strands
        return all(strands[party].holds(place) for party, place in header.seen.items() if party in strands)

    def _can_be_judged(self, heard: Heard) -> bool:
        """Everything that its author had seen is here, and none of it waits itself."""
        return self._complete(heard.header) and not any(self._follows(heard, other) for other in self._waiting.values())

    def _held_up(self) -> set[str]:
        """What waits for something that is not here, or for something that does."""
        found = {hash_ for hash_, heard in self._waiting.items() if not self._complete(heard.header)}
        grown = True
        while grown:
            more = {
                hash_ for hash_, heard in self._waiting.items()
                if hash_ not in found and any(self._follows(heard, self._waiting[other]) for other in found)
            }  # fmt: skip
            grown = bool(more)
            found |= more
        return found

    def _follows(self, heard: Heard, other: Heard) -> bool:
        """Whether the author had said or seen the other one before. `seen` names a place in one epoch: it stands for
        what leads there, and for nothing in an epoch beside it."""
        header, before = heard.header, other.header
        if header.sender == before.sender:
            epoch, last = header.epoch, header.seq - 1
        else:
            place = header.seen.get(before.sender)
            if place is None:
                return False
            epoch, last = place.epoch, place.seq
        strand = self.channel.strands[before.sender]
        while epoch != before.epoch:
            began = strand.before(epoch)
            if began is None:
                return False
            epoch, last = began.epoch, began.seq
        return before.seq <= last

    def waits(self, hash_: str) -> bool:
        return hash_ in self._waiting

    def anew(self, fresh: dict[str, EntryRecord], late: Collection[str] = ()) -> None:
        """Fold everything again, in causal order, ties by author, epoch and seq.

        `fresh` are entries of the batch being written, which the store does not have yet; `late` those that were not
        folded before.
        """

        def recall(hash_: str) -> EntryRecord | None:
            return fresh.get(hash_) or self._recall(hash_)

        old = self.board
        self.board = self._fresh()
        self.board.knew_shown(old)
        before, self._waiting = self._waiting, {}
        strands = self.channel.strands
        done: set[str] = set()
        self.missing.clear()
        self._overtaken.clear()
        self.disordered = False
        self._outcomes = dict.fromkeys((*late, *before))
        # The next entry of every chain, by (author, epoch): its seq, and what it says.
        heads: dict[tuple[str, str], tuple[int, _Again]] = {}
        held = {strand.hash_at(*place) for strand in strands.values() for place in strand.log}

        def advance(author: str, epoch: str, seq: int) -> None:
            heads.pop((author, epoch), None)
            if seq <= strands[author].length(epoch):
                heads[author, epoch] = (seq, self._parsed(strands[author].hash_at(epoch, seq), recall))

        def ready(again: _Again) -> bool:
            return all(hash_ in done or hash_ not in held for hash_ in again.after)

        for author, strand in strands.items():
            for epoch in strand.epochs:
                advance(author, epoch, 1)
        while heads:
            # Causal order; ties by author, epoch, seq (design.md §1). Citations in a ring are a lie: go on, not wait.
            free = [key for key, (_, again) in heads.items() if ready(again)]
            author, epoch = min(free or heads)
            seq, again = heads[author, epoch]
            done.add(again.hash)
            self.missing.update(hash_ for hash_ in again.after if hash_ not in held)
            self._again(again)
            advance(author, epoch, seq + 1)
        self._settled += [h for hash_, h in before.items() if hash_ not in self._waiting and hash_ not in self._known]
        self._known |= self._waiting.keys() - before.keys() - set(late)
        old.hand_over(self.board)

    def _parsed(self, hash_: str, recall: Recall) -> _Again:
        again = self._parsed_once.get(hash_)
        if again is None:
            record = recall(hash_)
            assert record is not None, "what a strand holds is in the store or in the batch"
            entry, heard = entries.reread(record.envelope, record.body, hash_), self.read(record)
            what = heard.what if heard is not None else None
            after = [place.hash for place in entry.header.seen.values()]
            # An orphan is answered by naming it; `seen` names the newest epoch only.
            after += [cited for name in _CITES if (cited := getattr(what, name, ""))]
            if (before := entries.opening_in(entry).predecessor) is not None:
                after.append(before.hash)
            again = self._parsed_once[hash_] = _Again(hash_, heard, tuple(after))
        return again

    def _again(self, again: _Again) -> None:
        heard = again.heard
        if heard is None:
            return
        outcome: Change | NotUnderstood
        try:
            outcome = self.board.apply(heard.header, heard.hash, heard.what, heard.stored_ms)
        except NotUnderstood as why:
            if not self._can_be_judged(heard):
                self._waiting[heard.hash] = heard
                return
            outcome = why
        else:
            self.went(heard)
        if heard.hash in self._outcomes:
            self._outcomes[heard.hash] = outcome

    def read(self, record: EntryRecord) -> Heard | None:
        """A stored entry as it was understood when it came; None when it had no effect."""
        if record.hash in self.unread:
            return None
        entry = entries.reread(record.envelope, record.body, record.hash)
        return self.understood(entry, entries.reopen(entry), record.stored_ms)

    def understood(self, entry: Entry, said: Said | Unread, stored_ms: int) -> Heard | None:
        """Ready to be folded, or None when it has no effect; what could not be opened is remembered."""
        if isinstance(said, Unread):
            self.unread.add(entry.hash)
            return None
        if entry.header.sender != self.channel.us and self.channel.false_citation(entry.header):
            return None
        return Heard(entry.header, entry.hash, said.what, stored_ms)


def _of_one_matter(one: Heard, other: Heard) -> bool:
    """Whether their order can be told from the board: both are about one notice, or about the agreement."""
    if isinstance(one.what, AccordWord) or isinstance(other.what, AccordWord):
        return isinstance(one.what, AccordWord) and isinstance(other.what, AccordWord)
    return bool(_named(one) & _named(other))


def _named(heard: Heard) -> set[str]:
    return {name for field in ("ref", "of") if (name := getattr(heard.what, field, ""))}


ALREADY_CHECKED = _AlreadyChecked()
