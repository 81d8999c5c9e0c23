# SPDX-License-Identifier: Apache-2.0
"""The live set at native speed: operations in and out one by one, and which of them one operation meets.

    from wideberth.core.judge import live

    picture = live.live_picture()
    one = live.ready("op-1", volumes)                   # once: bounds and columns of this operation
    picture.meets(one, minima)                          # who is met: (key, their volume, our volume, answer)
    picture.add(one)
    picture.remove("op-1")
    picture.expire(now_ms)                              # what is over goes

Nothing here is imported by the command line for small work: numba (extra `fast`) is loaded with this package's kernels
alone, and they compile on first use. Without numba the same questions go to `core/judge/picture.py`, slower, with the
same answers (`slow.py`). Like the rest of the core it reads no clock and does no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wideberth.core.judge.fast import available
from wideberth.core.judge.live.slow import SlowPicture, SlowReady
from wideberth.core.judge.live.values import Meeting, Prepared
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.volume import Volume4D
from wideberth.errors import BadInput

__all__ = ["LivePicture", "Meeting", "Prepared", "SlowPicture", "live_picture", "ready"]


class LivePicture(Protocol):
    """What both pictures can do. Raises BadInput for a key that is there already."""

    def __len__(self) -> int: ...
    def __contains__(self, key: str) -> bool: ...
    def add(self, one: Prepared) -> None: ...
    def remove(self, key: str) -> None: ...
    def expire(self, now_ms: int) -> list[str]: ...
    def meets(self, one: Prepared, minima: SeparationMinima, *, pressure_margin_mm: int = 610_000) -> list[Meeting]: ...


def live_picture(*, fast: bool | None = None) -> LivePicture:
    """An empty picture: native where the extra `fast` is installed (or as `fast` says), else in plain Python."""
    if available() if fast is None else fast:
        from wideberth.core.judge.live.arrays import NativePicture

        return NativePicture()
    return SlowPicture()


def ready(key: str, volumes: Sequence[Volume4D], *, fast: bool | None = None) -> Prepared:
    """Make an operation ready for a picture of the same kind. Raises BadInput when it has no volumes."""
    if not volumes:
        raise BadInput("an operation needs at least one volume", field="volumes")
    if available() if fast is None else fast:
        from wideberth.core.judge.live.prepared import Ready

        return Ready.of(key, tuple(volumes))
    return SlowReady(key, tuple(volumes))
