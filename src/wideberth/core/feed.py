# SPDX-License-Identifier: Apache-2.0
"""What the record side feeds to the inner side. One way: plans, tracks and verdicts never come back out.

The node (`core/node.py`) hears and keeps; the inner side (`core/inner.py`) holds own plans and weighs what was heard
against them. They share only these values, so that they can run as two processes.
"""

from __future__ import annotations

import msgspec

from wideberth.core.say.rules import Mode, Rules
from wideberth.core.say.volume import Volume4D
from wideberth.core.say.words import Precedence


class Weigh(msgspec.Struct, frozen=True, tag="weigh"):
    """A notice version is live: weigh it. Replaces any earlier version of the same (ch, ref).

    `entry` is the hash of the entry that carries this version; `by_us` when our own officers gave it.
    `mechanism` is the name under which own people know the line's agreement, `others` the line's other members.
    """

    ch: str
    mode: Mode
    ref: str
    version: int
    entry: str
    author: str
    by_us: bool
    volumes: tuple[Volume4D, ...]
    expires_ms: int
    precedence: Precedence
    rules: Rules
    mechanism: str
    others: tuple[str, ...]


class Forget(msgspec.Struct, frozen=True, tag="forget"):
    """A notice is over: cancelled, expired or finished. It can neither cause nor hide a conflict any more."""

    ch: str
    ref: str


Feed = Weigh | Forget
