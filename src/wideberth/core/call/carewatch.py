# SPDX-License-Identifier: Apache-2.0
"""What one node tells its officers about sites and movements when time has passed: stale, overdue (domain.md K3, K4).

The same is told at both ends: by whoever filed it, and by whoever was told of it. It means *unknown*, never more.
"""

from __future__ import annotations

from typing import Final

from wideberth.core.call.board import Board
from wideberth.core.call.care import dues
from wideberth.core.call.thread import Thread
from wideberth.core.say.instant import show, show_span
from wideberth.core.say.words import Terms
from wideberth.core.tells import Level, Overdue, Tell

# What is overdue for longer than this when a node first looks was told by others before: it is shown, and not rung.
OLD_MS: Final = 86_400_000


class CareWatch:
    """What was told is kept in memory only; after a start the newest of each is told once more."""

    def __init__(self, ch: str, us: str) -> None:
        self._ch, self._us = ch, us
        self._board: Board | None = None
        self._count = -1
        self._next_ms: int | None = None
        self._told: set[tuple[str, str, int]] = set()

    def tell(self, board: Board, now_ms: int) -> list[Tell]:
        """What is due and was not told yet. Costs nothing where nothing was said and no time is up."""
        if not self._is_old(board) and (self._next_ms is None or now_ms < self._next_ms):
            return []
        self._board, self._count = board, board.cared_count
        told: list[Tell] = []
        times: list[int] = []
        for thread in board.cared:
            for when_ms, what, due_ms in dues(thread, board.rules_of(thread.newest)):
                mark = (thread.newest.entry, what, due_ms)
                if when_ms > now_ms:
                    times.append(when_ms)
                elif mark not in self._told and self._concerns(thread, what, now_ms):
                    self._told.add(mark)
                    told.append(self._overdue(thread, what, due_ms, now_ms))
        self._next_ms = min(times, default=None)
        return told

    def next_ms(self, board: Board, now_ms: int) -> int | None:
        """When `tell` has something to look at again."""
        return now_ms if self._is_old(board) and board.cared else self._next_ms

    def _is_old(self, board: Board) -> bool:
        return self._board is not board or self._count != board.cared_count

    def _concerns(self, thread: Thread, what: str, now_ms: int) -> bool:
        """A site that expired is over. A movement that never came to its end is not, however late it is."""
        return what == "OVERDUE" or thread.live(now_ms)

    def _overdue(self, thread: Thread, what: str, due_ms: int, now_ms: int) -> Overdue:
        terms = thread.terms
        assert terms is not None
        if what == "STALE":
            sentence = _stale(thread, due_ms, thread.author == self._us)
            return Overdue(self._ch, thread.ref, thread.newest.number, "OVERDUE", thread.author, sentence, Level.NOTE)
        level = Level.RING if now_ms - due_ms < OLD_MS else Level.NOTE
        sentence = _missing(thread, terms, due_ms, now_ms, thread.author == self._us)
        return Overdue(self._ch, thread.ref, thread.newest.number, "OVERDUE", thread.author, sentence, level)


def _stale(thread: Thread, due_ms: int, ours: bool) -> str:
    head = f"{thread.ref} of {thread.author} is STALE: that it is there was to be confirmed by {show(due_ms)}."
    if ours:
        return f"{head} Look, then `protect confirm {thread.ref}`, correct it, or `protect withdraw {thread.ref}`."
    return f"{head} Treat it as being there; ask {thread.author}."


def _missing(thread: Thread, terms: Terms, due_ms: int, now_ms: int, ours: bool) -> str:
    late = show_span((now_ms - due_ms) // 60_000 * 60_000)
    contacts = "; ".join((terms.contact, *(terms.protected.contacts if terms.protected is not None else ())))
    head = (
        f"{thread.ref} of {thread.author} is OVERDUE: the check-in due at {show(due_ms)}, {late} ago, is missing. Why "
        f"is not known. Call: {contacts}."
    )
    if ours:
        return f"{head} Then log what you hear (`protect checkin {thread.ref}`), or ask for a hold-off round it."
    return f"{head} Tell every unit near its way that it is still out there, and answer {thread.author}."
