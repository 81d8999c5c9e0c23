# SPDX-License-Identifier: Apache-2.0
"""How far a peer's clock seems to be from ours, from entries and their receipts (domain.md I2). For people: it orders
nothing and decides nothing.

    sent     our clock when we signed the entry          T the peer's clock, signed in its receipt
    heard    our clock when the receipt came

The peer signed between `sent` and `heard`, so its clock is ahead of ours by T − (sent + heard) / 2, give or take half
of heard − sent. (The symmetric-path estimate of NTP, RFC 5905 §8, with two of its four times equal.) A hostile network
can widen that bound, never move the truth out of it.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

# The best of the last exchanges counts: old enough to smooth a slow moment, young enough to follow a drifting clock.
_KEPT: Final = 32


class Offset(msgspec.Struct, frozen=True):
    """The peer's clock minus ours, in ms, ± `bound_ms`; found at our time `at_ms`."""

    offset_ms: int
    bound_ms: int
    at_ms: int


class PeerClock:
    def __init__(self) -> None:
        self._seen: deque[Offset] = deque(maxlen=_KEPT)

    def exchanged(self, sent_ms: int, peer_ms: int, heard_ms: int) -> None:
        """One entry and its receipt. Ignored when our own clock went backward in between."""
        if heard_ms >= sent_ms:
            self._seen.append(Offset(peer_ms - (sent_ms + heard_ms) // 2, (heard_ms - sent_ms + 1) // 2, heard_ms))

    def measured(self, offset: Offset) -> None:
        """The four times of a line check: the tightest estimate there is."""
        self._seen.append(offset)

    @property
    def offset(self) -> Offset | None:
        """The tightest recent estimate; None before the first exchange."""
        return min(self._seen, key=lambda o: o.bound_ms, default=None)
