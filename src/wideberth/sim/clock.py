# SPDX-License-Identifier: Apache-2.0
"""A node's two clocks: one that people set, drifts and jumps, and one that only goes on."""

from __future__ import annotations

from typing import Final

from wideberth.core.batch import Now

# 14 May 2031, 08:00 UTC: when every simulated world begins.
BEGIN_MS: Final = 1_936_512_000_000


class SimClock:
    """`mono_ms` of a node starts anywhere, and anew with each start of its machine (a reboot forgets uptime)."""

    def __init__(self, skew_ms: int, drift_ppm: int, mono_ms: int) -> None:
        self.skew_ms = skew_ms
        self._drift_ppm = drift_ppm
        self._mono_ms = mono_ms

    def now(self, world_ms: int) -> Now:
        drift_ms = world_ms * self._drift_ppm // 1_000_000
        return Now(BEGIN_MS + world_ms + self.skew_ms + drift_ms, self._mono_ms + world_ms)

    def jump(self, by_ms: int) -> None:
        """Somebody set the wall clock. Timers go on."""
        self.skew_ms += by_ms

    def reboot(self, world_ms: int) -> None:
        """Uptime starts at zero."""
        self._mono_ms = -world_ms
