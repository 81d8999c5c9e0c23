# SPDX-License-Identifier: Apache-2.0
"""How fast a line really is, from what got through and how long that took; and what follows from it for the next post.

Measured is the whole exchange, bytes there and back over the time from the first to the last: what loss, other traffic
and a slow peer leave of a line. So it understates a good line after small exchanges, and mends itself with the next,
which may be larger: up it goes by halves, down at once, for a thin line taken for a good one costs most.
"""

from __future__ import annotations

from typing import Final

from wideberth.core.limits import KIB

# A routine delivery should be over in this time, or in half of it where it can be packed well: it is cut where
# something urgent needs the line, and then said again.
ROUTINE_S: Final = 12.0
# Some ten frames, which packed are 5 kB: on a thin line it is the losses that take the time, less so the bytes.
ROUTINE_BYTES_MIN: Final = 16 * KIB
# Slower than this, a delivery and an urgent one are in each other's way for seconds.
THIN_BYTES_S: Final = 4000
# What is assumed of a line of which nothing is known, when it comes to giving up.
SLOWEST_BYTES_S: Final = 250
# How many times what it should take something may take: losses come in runs.
TIMES: Final = 4


class Pace:
    """Of one line, in both directions."""

    def __init__(self) -> None:
        self.bytes_s: float | None = None

    def exchanged(self, size: int, seconds: float) -> None:
        """So many bytes, there and back together, in this time."""
        new = size / max(seconds, 0.001)
        self.bytes_s = new if self.bytes_s is None else min(new, (self.bytes_s + new) / 2)

    def kept_up(self, said_s: float, seconds: float) -> None:
        """What was said in pieces, over `said_s`, was answered after `seconds`: how long it took says little of a line
        that was given it slowly, but whether there was anything to wait for does."""
        if self.bytes_s is None:
            return
        if seconds <= 1.15 * said_s + 0.5:
            self.bytes_s *= 2
        elif seconds > 2 * said_s + 1:
            self.bytes_s /= 2

    def no_more_than(self, size: int, seconds: float) -> None:
        """An exchange with so much to say did not come to its end in this time."""
        if self.bytes_s is not None:
            self.bytes_s = min(self.bytes_s, size / max(seconds, 0.001))

    @property
    def thin(self) -> bool:
        """Known to be so slow that only one thing should be said at a time."""
        return self.bytes_s is not None and self.bytes_s < THIN_BYTES_S

    def routine_bytes(self, most: int) -> int:
        """How large the next routine delivery should be."""
        if self.bytes_s is None:
            return min(most, ROUTINE_BYTES_MIN)
        return max(ROUTINE_BYTES_MIN, min(most, round(self.bytes_s * ROUTINE_S)))

    @property
    def routine_bytes_s(self) -> float | None:
        """How fast to say what is not urgent: half as fast as things got through so far, with losses and answers, so
        that the line is nearly empty when something urgent comes. None: as fast as it goes."""
        return max(self.bytes_s / 2, SLOWEST_BYTES_S) if self.bytes_s is not None and self.thin else None

    def more_s(self, size: int) -> float:
        """How much longer than on a good line to wait for an exchange in which we say `size` bytes."""
        return TIMES * size / self.bytes_s if self.bytes_s is not None else size / SLOWEST_BYTES_S
