# SPDX-License-Identifier: Apache-2.0
"""One author's strand in one channel: chains of entries, one per epoch; append, never rewrite.

A place is (epoch, seq). What arrives for a place is one of:

    NEXT        continues a chain, or opens an epoch whose predecessor we hold
    REPEAT      we hold exactly this already
    GAP         something before it is missing: it waits; whoever holds it repeats what we have not receipted
    FORK        another signed header for a place that we hold: a proof of equivocation
    otherwise   `OutOfPlace`: it does not chain

Epochs. An author signs in one epoch at a time. After a restore from a backup it opens another one, with a random id, so
it can never sign one place twice, whatever it has forgotten. The opening names its predecessor: the newest place of its
own that the author still knew. Whatever the old epoch holds beyond that place is an *orphan*: signed, kept, binding,
and shown as such. Two openings may name the same old epoch (a double restore); both are kept.

While every epoch begins where the one before it ends, the strand is *linear* and folds as it grows. With orphans or
siblings the board is folded anew, in an order that is the same on every node (`folding.py`).
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
    """What this node durably holds of one author's strand (or is about to, in the batch being written).

    `log` lists every place in the order in which this node stored it: the order in which it is sent on.
    """

    def __init__(self, author: str) -> None:
        self.author = author
        self.epoch = ""
        self.log: list[tuple[str, int]] = []
        self._numbers: dict[tuple[str, int], int] = {}
        self._chains: dict[str, list[str]] = {}
        self._before: dict[str, Place | None] = {}
        self._times: dict[str, list[int]] = {}

    @property
    def seq(self) -> int:
        """Of the newest entry held in the current epoch; 0 when there is none."""
        return len(self._chains.get(self.epoch, ()))

    @property
    def head(self) -> str:
        """Hash of the newest entry held in the current epoch; 64 zeros when there is none."""
        chain = self._chains.get(self.epoch)
        return chain[-1] if chain else NO_PREV

    @property
    def place(self) -> Place | None:
        return Place(self.epoch, self.seq, self.head) if self.seq else None

    @property
    def epochs(self) -> tuple[str, ...]:
        """An epoch after its predecessor's, siblings by id."""
        children: dict[str, list[str]] = {}
        for epoch, before in self._before.items():
            children.setdefault(before.epoch if before else "", []).append(epoch)
        order: list[str] = []
        waiting = sorted(children.get("", ()), reverse=True)
        while waiting:
            epoch = waiting.pop()
            order.append(epoch)
            waiting += sorted(children.get(epoch, ()), reverse=True)
        return tuple(order)

    def heads(self) -> tuple[Place, ...]:
        """The newest place of every epoch, in the order of `epochs`."""
        return tuple(Place(e, len(self._chains[e]), self._chains[e][-1]) for e in self.epochs)

    def length(self, epoch: str) -> int:
        return len(self._chains.get(epoch, ()))

    def hash_at(self, epoch: str, seq: int) -> str:
        return self._chains[epoch][seq - 1]

    def time_at(self, epoch: str, seq: int) -> int:
        """The time that the author claims for a place that is held, ms UTC."""
        return self._times[epoch][seq - 1]

    def hash_of(self, n: int) -> str:
        """Hash of the n-th entry of `log`, counted from 1."""
        return self.hash_at(*self.log[n - 1])

    def number(self, epoch: str, seq: int) -> int:
        """The n of `hash_of` for a place that is held."""
        return self._numbers[epoch, seq]

    def holds(self, place: Place) -> bool:
        """Whether exactly this place is held, in whichever epoch."""
        chain = self._chains.get(place.epoch, ())
        return 1 <= place.seq <= len(chain) and chain[place.seq - 1] == place.hash

    def orphaned(self, epoch: str, seq: int) -> bool:
        """Whether a later epoch abandoned this place."""
        follows = [b for b in self._before.values() if b is not None and b.epoch == epoch]
        return bool(follows) and seq > max(b.seq for b in follows)

    def orphans(self) -> tuple[Place, ...]:
        """Every orphaned place, epoch by epoch."""
        follows = [b for b in self._before.values() if b is not None]
        return tuple(
            Place(epoch, seq, self.hash_at(epoch, seq))
            for epoch in self.epochs if (ends := [b.seq for b in follows if b.epoch == epoch])
            for seq in range(max(ends) + 1, self.length(epoch) + 1)
        )  # fmt: skip

    def before(self, epoch: str) -> Place | None:
        """The predecessor that an epoch's opening named."""
        return self._before.get(epoch)

    @property
    def linear(self) -> bool:
        """Whether every epoch begins where the one before it ends: no orphans, no siblings."""
        following = [b for b in self._before.values() if b is not None]
        ends = {b.epoch: b.seq for b in following}
        return len(ends) == len(following) and all(seq == self.length(epoch) for epoch, seq in ends.items())

    def fit(self, entry: Entry, opens: Place | None) -> Fit:
        """Where an entry by this author stands against what is held. The signature has been checked.

        `opens` is the predecessor that an opening of an epoch names, None when it names none or is no opening.
        Raises: OutOfPlace.
        """
        header = entry.header
        chain = self._chains.get(header.epoch)
        if chain is None:
            return self._fit_opening(header, opens)
        if header.seq <= len(chain):
            return Fit.REPEAT if chain[header.seq - 1] == entry.hash else Fit.FORK
        if header.seq > len(chain) + 1:
            return Fit.GAP
        if header.prev != chain[-1]:
            raise OutOfPlace(
                f"entry {header.seq} of {self.author} does not follow entry {len(chain)} as we hold it",
                seq=header.seq,
                prev=header.prev,
                head=chain[-1],
            )
        return Fit.NEXT

    def _fit_opening(self, header: Header, opens: Place | None) -> Fit:
        if header.seq != 1:
            return Fit.GAP
        if header.type != "epoch":
            raise OutOfPlace(f"an epoch of {self.author} does not begin with its opening")
        if opens is None:
            if self._chains:
                raise OutOfPlace(
                    f"{self.author} opens another founding epoch, as if nothing had been said before; ask them whether "
                    "they lost their record"
                )
            return Fit.NEXT
        if self.holds(opens):
            return Fit.NEXT
        if opens.seq <= self.length(opens.epoch):
            raise OutOfPlace(f"{self.author} opens an epoch after an entry that is not the one we hold at that place")
        return Fit.GAP

    def append(self, header: Header, hash_: str, opens: Place | None = None) -> None:
        """Take the next entry. Everything was checked; from here nothing can fail."""
        chain = self._chains.get(header.epoch)
        if chain is None:
            assert header.seq == 1
            chain = self._chains[header.epoch] = []
            self._before[header.epoch] = opens
            self.epoch = header.epoch
        assert header.seq == len(chain) + 1
        assert header.prev == (chain[-1] if chain else NO_PREV)
        chain.append(hash_)
        self._times.setdefault(header.epoch, []).append(header.t_ms)
        self.log.append((header.epoch, header.seq))
        self._numbers[header.epoch, header.seq] = len(self.log)
