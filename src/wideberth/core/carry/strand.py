# SPDX-License-Identifier: Apache-2.0
"""One author's chain in one channel: append, never rewrite.

A place is (epoch, seq). What arrives for a place is one of:

    NEXT        continues the strand
    REPEAT      we hold exactly this already
    GAP         something before it is missing: it waits; the author repeats what we have not receipted
    otherwise   `Equivocation` (another signed header for a place that we hold) or `OutOfPlace` (does not chain)

Epochs: the first entry of an epoch is its opening (type `epoch`). Here an author has one epoch, its founding one; how a
strand goes on in another epoch after a restore is the business of the restore protocol (spec/3 §5).
"""

from __future__ import annotations

from enum import Enum

from wideberth.core.say.words import Place
from wideberth.core.seal.entry import NO_PREV, Entry, Header
from wideberth.errors import OutOfPlace


class Fit(Enum):
    NEXT = "next"
    REPEAT = "repeat"
    GAP = "gap"
    FORK = "fork"


class Strand:
    """What this node durably holds of one author's strand (or is about to, in the batch being written)."""

    def __init__(self, author: str) -> None:
        self.author = author
        self.epoch = ""
        self._hashes: list[str] = []

    @property
    def seq(self) -> int:
        """Of the newest entry held; 0 when there is none."""
        return len(self._hashes)

    @property
    def head(self) -> str:
        """Hash of the newest entry held; 64 zeros when there is none."""
        return self._hashes[-1] if self._hashes else NO_PREV

    @property
    def place(self) -> Place | None:
        return Place(self.epoch, self.seq, self.head) if self._hashes else None

    def hash_at(self, seq: int) -> str:
        return self._hashes[seq - 1]

    def holds(self, place: Place) -> bool:
        """Whether exactly this place is held."""
        return place.epoch == self.epoch and 1 <= place.seq <= self.seq and self._hashes[place.seq - 1] == place.hash

    def fit(self, entry: Entry) -> Fit:
        """Where an entry by this author stands against what is held. The signature has been checked.

        FORK: another hash for a place that we hold; the caller has the first envelope and makes the proof.
        Raises: OutOfPlace.
        """
        header = entry.header
        if not self._hashes:
            if header.seq != 1:
                return Fit.GAP
            if header.type != "epoch":
                raise OutOfPlace(f"the strand of {self.author} does not begin with the opening of an epoch")
            return Fit.NEXT
        if header.epoch != self.epoch:
            raise OutOfPlace(
                f"{self.author} speaks in epoch {header.epoch[:8]}, but the one that we know is {self.epoch[:8]}; "
                "ask them whether they restored a backup"
            )
        if header.seq <= self.seq:
            return Fit.REPEAT if self._hashes[header.seq - 1] == entry.hash else Fit.FORK
        if header.seq > self.seq + 1:
            return Fit.GAP
        if header.prev != self.head:
            raise OutOfPlace(
                f"entry {header.seq} of {self.author} does not follow entry {self.seq} as we hold it",
                seq=header.seq,
                prev=header.prev,
                head=self.head,
            )
        return Fit.NEXT

    def append(self, header: Header, hash_: str) -> None:
        """Take the next entry. Everything was checked; from here nothing can fail."""
        if not self._hashes:
            self.epoch = header.epoch
        assert header.epoch == self.epoch
        assert header.seq == self.seq + 1
        assert header.prev == self.head
        self._hashes.append(hash_)
