# SPDX-License-Identifier: Apache-2.0
"""Exit codes: whose fault it is, as a number. `docs/cli.md` shows the same table, and a test compares the two."""

from __future__ import annotations

from typing import Final

from wideberth.errors import Fault, Misuse, NotFound, Ours, StoreFull, Theirs, Worlds

FINE: Final = 0
FOUND: Final = 1
USAGE: Final = 2
OURS: Final = 3
NOT_FOUND: Final = 4
THEIRS: Final = 5
WORLD: Final = 6
STORE_FULL: Final = 7
BUG: Final = 70  # sysexits.h, EX_SOFTWARE
STOPPED: Final = 130  # 128 + SIGINT, as shells count

MEANING: Final = {
    FINE: "done",
    FOUND: "done, and something was found: `doctor` has findings, a read-back differs, `screen --exit-code` or "
    "`conflicts --exit-code` has one, a drill's check failed",
    USAGE: "the command was typed wrongly; nothing was done",
    OURS: "what was given cannot be used; nothing was signed, stored or sent",
    NOT_FOUND: "there is no such notice, line, post, plan, draft or folder here",
    THEIRS: "what the other side sent breaks the protocol",
    WORLD: "the node or a file cannot be reached, or the store cannot be read: use the telephone",
    STORE_FULL: "no room on the disk; nothing was half-written",
    BUG: "a bug in wideberth: please report it",
    STOPPED: "stopped from the keyboard",
}

# The nearest class wins, so that a fault added later exits like its parent.
_CODES: Final[dict[type[Fault], int]] = {
    Ours: OURS,
    Misuse: BUG,
    NotFound: NOT_FOUND,
    Theirs: THEIRS,
    Worlds: WORLD,
    StoreFull: STORE_FULL,
    Fault: BUG,
}


def code_of(fault: Fault) -> int:
    """The exit code for a fault."""
    return next(_CODES[kind] for kind in type(fault).__mro__ if kind in _CODES)
