# SPDX-License-Identifier: Apache-2.0
"""Where a node's time comes from: the system's clock, or one that a test or a drill sets by hand.

A REAL line never runs on a clock set by hand (`runtime.py` refuses it).
"""

from __future__ import annotations

import time
from typing import Protocol

from wideberth.core.batch import Now
from wideberth.errors import BadInput


class Clock(Protocol):
    @property
    def by_hand(self) -> bool: ...

    def now(self) -> Now: ...


class SystemClock:
    """UTC from the operating system, and its monotonic clock for timers."""

    by_hand = False

    def now(self) -> Now:
        return Now(time.time_ns() // 1_000_000, time.monotonic_ns() // 1_000_000)


class HandClock:
    """Stands still until it is set. Setting it forward moves the timers with it; backward only the claimed time."""

    by_hand = True

    def __init__(self, t_ms: int) -> None:
        self._now = Now(t_ms, 0)

    def now(self) -> Now:
        return self._now

    def set(self, t_ms: int) -> None:
        if t_ms < 0:
            raise BadInput("a time before 1970 is not one", field="t_ms")
        self._now = Now(t_ms, self._now.mono_ms + max(0, t_ms - self._now.t_ms))
