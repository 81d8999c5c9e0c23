# SPDX-License-Identifier: Apache-2.0
"""What was said about a line itself, collected: checks asked and answered, members' words, outages, logged contacts.

The log of a cut is the same in whatever order the strands interleave. What it means for the line is in `lines.py`.
"""

from __future__ import annotations

import msgspec

from wideberth.core.say.standing import LineCheck, LineCheckAnswer, LineWord
from wideberth.core.say.words import EpochOpened, Outage, VoiceContact
from wideberth.core.seal.entry import Header

LineSaid = LineCheck | LineCheckAnswer | LineWord | Outage | VoiceContact


class LineItem(msgspec.Struct, frozen=True):
    """One line word as its author gave it; `t_ms` is the author's claim."""

    author: str
    by: str
    entry: str
    epoch: str
    seq: int
    t_ms: int
    what: LineSaid


class Answered(msgspec.Struct, frozen=True):
    """A check that one member asked and another answered."""

    ask: LineItem
    answer: LineItem

    @property
    def first_ms(self) -> int:
        return min(self.ask.t_ms, self.answer.t_ms)

    @property
    def last_ms(self) -> int:
        return max(self.ask.t_ms, self.answer.t_ms)

    def of(self, member: str) -> LineItem:
        return self.ask if self.ask.author == member else self.answer


class LineLog:
    """Every line word of one channel. The order in which the strands interleave does not matter."""

    def __init__(self) -> None:
        # Grows with every word: whoever keeps something worked out from the log sees that it is old.
        self.count = 0
        self.items: list[LineItem] = []
        self.answered: list[Answered] = []
        # Logged contacts by the entry that they were about.
        self.calls: dict[str, list[LineItem]] = {}
        self._checks: dict[str, LineItem] = {}
        self._epochs: dict[str, list[str]] = {}
        self._opened_ms: dict[str, int] = {}

    def opened(self, header: Header, what: EpochOpened) -> None:
        """A member's strand begins, or goes on in a new epoch."""
        self.count += 1
        self._epochs.setdefault(header.sender, []).append(header.epoch)
        if what.predecessor is None:
            self._opened_ms.setdefault(header.sender, header.t_ms)

    def take(self, header: Header, entry: str, what: LineSaid) -> str:
        """Fold one word in. Returns why it has no effect, and then nothing has changed; empty when it has."""
        item = LineItem(header.sender, header.by, entry, header.epoch, header.seq, header.t_ms, what)
        if isinstance(what, LineCheckAnswer):
            ask = self._checks.get(what.of)
            if ask is None:
                return "it answers a line check that is not here"
            if ask.author == item.author:
                return "nobody answers a line check of their own"
            if getattr(ask.what, "nonce", "") != what.nonce:
                return "it answers a line check with another nonce than was asked"
            self.answered.append(Answered(ask, item))
        elif isinstance(what, LineCheck):
            self._checks[entry] = item
        elif isinstance(what, VoiceContact) and what.of:
            self.calls.setdefault(what.of, []).append(item)
        self.items.append(item)
        self.count += 1
        return ""

    def order(self, item: LineItem) -> tuple[int, int]:
        """The place of a word in its author's strand, epochs counted in the order in which they were opened."""
        epochs = self._epochs.get(item.author, [])
        return (epochs.index(item.epoch) if item.epoch in epochs else len(epochs)), item.seq

    def opened_ms(self, *members: str) -> int | None:
        """When the first of these began its strand: every root had signed by then. None: nobody has."""
        return min((t for m in members if (t := self._opened_ms.get(m)) is not None), default=None)

    def check(self, entry: str) -> LineItem | None:
        return self._checks.get(entry)

    def unanswered(self, of: str, by: str) -> list[LineItem]:
        """Checks that `of` asked after the newest one that `by` answered, oldest first."""
        done = [self.order(a.ask) for a in self.answered if a.ask.author == of and a.answer.author == by]
        newest = max(done, default=(-1, 0))
        asked = [i for i in self._checks.values() if i.author == of and self.order(i) > newest]
        return sorted(asked, key=self.order)


def about(item: LineItem, members: tuple[str, ...]) -> str:
    """Whom a logged contact was with; in a channel of two it need not be said."""
    assert isinstance(item.what, VoiceContact)
    others = [m for m in members if m != item.author]
    return item.what.party or (others[0] if len(others) == 1 else "")
