# SPDX-License-Identifier: Apache-2.0
"""The few things that the core must be given: keys, chance, and a look at what is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from wideberth.core.records import EntryRecord
from wideberth.core.seal.keys import Signer

# `entropy(n)` returns n bytes. The shell gives the operating system's; the simulator a seeded stream.
Entropy = Callable[[int], bytes]

# `recall(hash)` returns a stored entry or None. A read of what was already made durable, so the core stays a function
# of its events.
Recall = Callable[[str], EntryRecord | None]


class Signers(Protocol):
    """The private keys of one party, behind capabilities. `key` is what decides: which key must sign says the card that
    holds at the place, so old and new ones are here together while keys change (docs/decisions/0008)."""

    @property
    def node(self) -> Signer: ...

    def post(self, name: str) -> Signer | None:
        """The key of a post (`watch-1`), or None when there is no such post at home."""
        ...

    def key(self, public: str) -> Signer | None:
        """The private half of a node's or post's public key, or None when it is not here."""
        ...
