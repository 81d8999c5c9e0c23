# SPDX-License-Identifier: Apache-2.0
"""What one node tells its officers when two notices that were spoken of meet, and it begins unsettled (domain.md Q5).

It rings, and holds nothing up. Worked out from the record alone: from the windows of two notices and from what their
authors recorded. Only where both recorded that they go on with the risk known is nobody called; what one side recorded
says nothing for the other, and silence says nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from wideberth.core.call.board import Board
from wideberth.core.call.dialogue import Clash, Dialogue
from wideberth.core.call.ladders import Settled
from wideberth.core.say import instant
from wideberth.core.tells import Level, Overdue, Tell

UNRESOLVED = "UNRESOLVED"


class ClashWatch:
    """What was told is kept in memory only; after a start it is told once more while it lasts."""

    def __init__(self, ch: str, us: str) -> None:
        self._ch, self._us = ch, us
        self._dialogue: Dialogue | None = None
        self._count = -1
        self._told: set[str] = set()
        self._next_ms: int | None = None

    def tell(self, board: Board, now_ms: int) -> Iterator[Tell]:
        """What has begun and was not told yet. Costs nothing where nothing was said and no time is up."""
        if not self._is_old(board.dialogue) and (self._next_ms is None or now_ms < self._next_ms):
            return
        self._dialogue, self._count = board.dialogue, board.dialogue.count
        times: list[int] = []
        for clash in board.dialogue:
            span = clash.together
            if span is None or now_ms >= span[1] or self._us not in clash.authors or clash.id in self._told:
                continue
            if now_ms < span[0]:
                times.append(span[0])
            elif unsettled(clash, now_ms):
                self._told.add(clash.id)
                yield self._overdue(clash, span[0])
        self._next_ms = min(times, default=None)

    def next_ms(self, board: Board, now_ms: int) -> int | None:
        """When `tell` has something to look at again."""
        return now_ms if self._is_old(board.dialogue) and board.dialogue.count else self._next_ms

    def _is_old(self, dialogue: Dialogue) -> bool:
        return self._dialogue is not dialogue or self._count != dialogue.count

    def _overdue(self, clash: Clash, begun_ms: int) -> Overdue:
        refs = " and ".join(f"{thread.ref} of {thread.author}" for thread, _ in clash.sides)
        said = ", ".join(f"{author} {clash.outcome(author)}" for author in sorted(clash.authors))
        sentence = (
            f"UNRESOLVED: {refs} are both open since {instant.show(begun_ms)} ({clash.ref}; {said}). Talk to each "
            "other now, by telephone if need be, and record what comes of it. Nothing is held up by this."
        )
        member = (
            self._us if clash.outcome(self._us) is Settled.OPEN else next(a for a in clash.authors if a != self._us)
        )
        return Overdue(self._ch, clash.ref, 0, UNRESOLVED, member, sentence, Level.RING)


def unsettled(clash: Clash, at_ms: int) -> bool:
    """Whether both versions still hold, and not both authors recorded that they go on with the risk known."""
    return clash.stands(at_ms) and any(clash.outcome(author) is not Settled.ACCEPTED_RISK for author in clash.authors)
