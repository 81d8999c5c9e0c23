# SPDX-License-Identifier: Apache-2.0
"""What one peer has not receipted yet, and when to say it again.

The resend pointer follows the peer's last signed head, never a guess. New entries are sent at once while the window has
room; a timer repeats from the pointer with a growing pause; a sign of life from the peer shortens the pause, but never
below one second between repeats (two nodes that answered each other's repeats at once would never be at rest: found by
simulation). Urgent entries go first, and ignore the window.
"""

from __future__ import annotations

from typing import Final

from wideberth.core.limits import RESEND_FIRST_MS, RESEND_MOST_MS

# In flight at most: one delivery's worth of routine frames.
WINDOW_FRAMES: Final = 100


class Outbox:
    """Places of our own strand (by seq) that one peer must still receipt."""

    def __init__(self) -> None:
        self.receipted = 0
        self.due_mono_ms: int | None = None
        self._sent = 0
        self._urgent: list[int] = []
        self._ahead: set[int] = set()
        self._pause_ms = RESEND_FIRST_MS
        self._last_send_mono_ms: int | None = None

    @property
    def urgent_waits(self) -> bool:
        """Whether something urgent is not receipted."""
        return bool(self._urgent)

    def wrote(self, seq: int, *, urgent: bool) -> None:
        """We appended an entry."""
        if urgent:
            self._urgent.append(seq)

    def fresh(self, newest: int, mono_ms: int) -> tuple[list[int], list[int]]:
        """What to send now: urgent ones not sent yet, and the next of the window. Either may be empty."""
        last = max(self._sent, min(newest, self.receipted + WINDOW_FRAMES))
        first = [n for n in self._urgent if n > self._sent and n not in self._ahead]
        rest = [n for n in range(self._sent + 1, last + 1) if n not in first and n not in self._ahead]
        self._ahead.update(n for n in first if n > last)
        self._sent = last
        if first or rest:
            # A repeat that is due stays due: on a busy line every new word would push it away for ever, and an entry
            # that the peer lost would never come (found by killing a peer under traffic).
            due = self.due_mono_ms
            self._sent_at(mono_ms)
            if due is not None:
                self.due_mono_ms = due
        return first, rest

    def repeat(self, newest: int, mono_ms: int) -> tuple[list[int], list[int]]:
        """The timer rang: say it again from the pointer, urgent ones apart, with a longer pause next time."""
        if self.receipted >= newest:
            self.due_mono_ms = None
            return [], []
        last = min(newest, self.receipted + WINDOW_FRAMES)
        self._sent = last
        self._ahead = {n for n in self._urgent if n > last}
        first = list(self._urgent)
        self._sent_at(mono_ms)
        self._pause_ms = min(2 * self._pause_ms, RESEND_MOST_MS)
        return first, [n for n in range(self.receipted + 1, last + 1) if n not in first]

    def receipt(self, seq: int, newest: int) -> None:
        """The peer signed that it holds our strand up to `seq`."""
        if seq <= self.receipted:
            return
        self.receipted = seq
        self._sent = max(self._sent, seq)
        self._pause_ms = RESEND_FIRST_MS
        self._urgent = [n for n in self._urgent if n > seq]
        self._ahead = {n for n in self._ahead if n > seq}
        if self.receipted >= newest:
            self.due_mono_ms = None
        elif self._last_send_mono_ms is not None:
            self.due_mono_ms = self._last_send_mono_ms + self._pause_ms

    def rewind(self) -> None:
        """The peer may hold less than it once receipted: begin again from the start, or from what it signs it holds."""
        self.receipted = 0
        self._sent = 0
        self._ahead.clear()

    def alive(self, newest: int, mono_ms: int) -> None:
        """The peer was heard. If something waits, repeat it soon instead of after a long pause."""
        if self.receipted < newest and self._pause_ms > RESEND_FIRST_MS:
            self._pause_ms = RESEND_FIRST_MS
            last = self._last_send_mono_ms if self._last_send_mono_ms is not None else mono_ms
            self.due_mono_ms = max(mono_ms, last + RESEND_FIRST_MS)

    def calm(self, seqs: list[int]) -> None:
        """These are superseded: they wait their turn like everything else."""
        self._urgent = [n for n in self._urgent if n not in seqs]

    def waiting(self, newest: int, mono_ms: int) -> None:
        """After a start: what is not receipted is due at once."""
        if self.receipted < newest:
            self.due_mono_ms = mono_ms

    def _sent_at(self, mono_ms: int) -> None:
        self._last_send_mono_ms = mono_ms
        self.due_mono_ms = mono_ms + self._pause_ms
