# SPDX-License-Identifier: Apache-2.0
"""A small text file of the node's folder that people edit while the node runs."""

from __future__ import annotations

from pathlib import Path

from wideberth.core.limits import KIB
from wideberth.errors import BadInput

# Longer than any of them may be; what reads them says the exact limit.
_BYTES_MAX = 1024 * KIB


class Watched:
    """`text` is what was read last; empty for a file that is not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: tuple[int, ...] | None = None
        self.text = ""

    def changed(self) -> str | None:
        """Its text when it is another since the last look, or at the first one; else None. Raises BadInput, once."""
        try:
            state = self._path.stat()
            mark: tuple[int, ...] = (state.st_mtime_ns, state.st_size, state.st_ino)
        except OSError:
            mark = ()
        if mark == self._mark:
            return None
        self._mark = mark
        if not mark:
            self.text = ""
            return self.text
        try:
            if state.st_size > _BYTES_MAX:
                raise BadInput(f"{self._path.name} is longer than {_BYTES_MAX} bytes")
            self.text = self._path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as why:
            raise BadInput(f"{self._path.name} cannot be read: {why}") from None
        return self.text
