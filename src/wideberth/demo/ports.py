# SPDX-License-Identifier: Apache-2.0
"""Loopback ports for nodes that start a moment later.

A port that the kernel picks (port 0) may be given to somebody's outgoing connection before the node listens on it. So
these come from below the range of outgoing connections (Linux: 32768 and up; IANA: 49152 and up), and each process
begins looking at another place of it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Final

from wideberth.errors import Worlds

_FIRST: Final = 12_000
_END: Final = 32_000


def _candidates() -> Iterator[int]:
    start = int.from_bytes(os.urandom(4)) % (_END - _FIRST)
    for n in range(_END - _FIRST):
        yield _FIRST + (start + n) % (_END - _FIRST)


_NEXT: Final = _candidates()


def free_port() -> int:
    """One on which nobody listens now; each is given out once. Raises Worlds when there is none."""
    for port in _NEXT:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Worlds("no port of this machine is free between 12000 and 32000")
