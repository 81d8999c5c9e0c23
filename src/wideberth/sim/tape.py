# SPDX-License-Identifier: Apache-2.0
"""What happened, line by line: the same seed writes the same tape, on every machine and under every hash seed."""

from __future__ import annotations

import hashlib


class Tape:
    """Lines `(ms since the beginning, who, what)`; `step` is the number of the newest."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, str, str]] = []

    @property
    def step(self) -> int:
        return len(self._lines)

    def note(self, at_ms: int, who: str, what: str) -> None:
        self._lines.append((at_ms, who, what))

    def lines(self, last: int | None = None) -> list[str]:
        """For people; the newest `last` ones, or all."""
        first = 0 if last is None else max(0, len(self._lines) - last)
        return [
            f"{n:6d} {at_ms / 1000:10.3f} s  {who:8s} {what}"
            for n, (at_ms, who, what) in enumerate(self._lines[first:], first + 1)
        ]

    def digest(self) -> str:
        """Hex BLAKE2 of the whole tape."""
        return hashlib.blake2b("\n".join(map(repr, self._lines)).encode(), digest_size=16).hexdigest()
