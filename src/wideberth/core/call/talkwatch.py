# SPDX-License-Identifier: Apache-2.0
"""What one node tells its officers about the hotline when time has passed: not delivered, not answered.

It means *unknown*, never more. A message that nobody answered for a day is not told of again; it stays in the list.
"""

from __future__ import annotations

from collections.abc import Iterator

from wideberth.core.call.board import Board
from wideberth.core.call.deadlines import ROUTINE_UNRECEIPTED_MS, URGENT, acknowledge_within
from wideberth.core.call.hotline import Hotline, Talk
from wideberth.core.limits import URGENT_UNRECEIPTED_MS
from wideberth.core.say.base import Precedence
from wideberth.core.seal.agreement import Versions
from wideberth.core.tells import Level, Overdue, Tell

# (when, what, who has not done it)
_Due = tuple[int, str, str]


class TalkWatch:
    """Looks only at what may still become overdue; what was told is kept in memory only."""

    def __init__(self, ch: str, us: str, peers: tuple[str, ...], versions: Versions) -> None:
        self._ch, self._us, self._peers = ch, us, peers
        self._versions = versions
        self._hotline: Hotline | None = None
        self._count = -1
        self._taken = 0
        self._open: dict[str, Talk] = {}
        self._told: set[tuple[str, str, str]] = set()
        self._next_ms: int | None = None

    def tell(self, board: Board, now_ms: int) -> list[Tell]:
        """What is overdue and was not told yet. Costs nothing where nothing was said and no time is up."""
        hotline = board.hotline
        if self._is_old(hotline):
            self._take(hotline)
        elif self._next_ms is None or now_ms < self._next_ms:
            return []
        told: list[Tell] = []
        times: list[int] = []
        for entry, talk in list(self._open.items()):
            waiting = list(self._due(board, talk, now_ms))
            if not waiting:
                del self._open[entry]
            for at_ms, what, member in waiting:
                if at_ms > now_ms:
                    times.append(at_ms)
                elif (entry, what, member) not in self._told:
                    self._told.add((entry, what, member))
                    told.append(self._overdue(board, talk, what, member))
        self._next_ms = min(times, default=None)
        return told

    def next_ms(self, board: Board, now_ms: int) -> int | None:
        """When `tell` has something to look at again."""
        return now_ms if self._is_old(board.hotline) else self._next_ms

    def unanswered(self, board: Board, now_ms: int, why: str) -> Iterator[Overdue]:
        """What is urgent and waits for us rings again, with the reason why."""
        for talk in board.hotline.talks:
            if talk.precedence in URGENT and talk.waits_for(self._us, now_ms) and talk.lives(now_ms):
                self._told.add((talk.said.entry, "UNANSWERED", self._us))
                yield Overdue(
                    self._ch, talk.ref, 0, "UNANSWERED", self._us,
                    f"{why}; {_kind(talk)} {talk.ref} of {talk.author} is not answered here. Show "
                    "it, then answer it, or read it back", until_ms=talk.over_ms,
                )  # fmt: skip

    def _is_old(self, hotline: Hotline) -> bool:
        return self._hotline is not hotline or self._count != hotline.count

    def _take(self, hotline: Hotline) -> None:
        if self._hotline is not hotline:
            self._taken, self._open = 0, {}
        self._hotline, self._count = hotline, hotline.count
        self._open.update((talk.said.entry, talk) for talk in hotline.talks[self._taken :])
        self._taken = len(hotline.talks)

    def _due(self, board: Board, talk: Talk, now_ms: int) -> Iterator[_Due]:
        """What has not happened yet, and when it is overdue. Nothing any more once a day is over."""
        if not talk.lives(now_ms):
            return
        precedence = precedence_of(board, talk)
        since = talk.said.stored_ms
        if talk.author == self._us:
            wait = URGENT_UNRECEIPTED_MS if precedence in URGENT else ROUTINE_UNRECEIPTED_MS
            for peer in self._peers:
                if talk.standing(peer) == "SENT":
                    yield since + wait, "UNDELIVERED", peer
        if talk.message is not None and precedence not in URGENT:
            return
        rules = self._versions.rules_of(talk.said.agr) or self._versions.rules_at(since)
        for member in self._peers if talk.author == self._us else (self._us,):
            if talk.waits_for(member, now_ms):
                yield since + acknowledge_within(precedence, rules), "UNANSWERED", member

    def _overdue(self, board: Board, talk: Talk, what: str, member: str) -> Overdue:
        urgent = precedence_of(board, talk) in URGENT
        kind = _kind(talk)
        if what == "UNDELIVERED":
            sentence = (
                f"{kind} {talk.ref} has no receipt from {member}: treat it as not delivered and use the telephone. "
                "Log the call with `voice`."
            )
        else:
            whose = "" if talk.author == self._us else f" of {talk.author}"
            sentence = (
                f"{kind} {talk.ref}{whose} is not read back or answered by {member} yet. Silence means nothing but "
                "unknown."
            )
        sentence = sentence[0].upper() + sentence[1:]
        level = Level.RING if urgent else Level.NOTE
        return Overdue(self._ch, talk.ref, 0, what, member, sentence, level, until_ms=talk.over_ms)


def _kind(talk: Talk) -> str:
    if talk.message is not None:
        return f"{talk.precedence} message"
    return "the question whose the traffic is," if talk.whose is not None else "the question"


def precedence_of(board: Board, talk: Talk) -> Precedence:
    """Of a message its own; of a question that of the notice that it is about."""
    thread = board.find(talk.about) if talk.message is None else None
    return thread.precedence if thread is not None else talk.precedence
