# SPDX-License-Identifier: Apache-2.0
"""One mechanism at one node: the versions of its agreement, and our lines in it. Nothing crosses to another mechanism."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wideberth.core.seal.agreement import Agreement, Versions, agreement_hash
from wideberth.core.seal.party import Card

if TYPE_CHECKING:
    from wideberth.core.line import Line


class Mechanism:
    """`cards` are the members' first ones; each line keeps those that hold there now."""

    def __init__(self, versions: Versions, cards: dict[str, Card]) -> None:
        self.versions = versions
        self.cards = cards
        self.lines: dict[str, Line] = {}
        self.envelopes: dict[str, bytes] = {}

    @property
    def home(self) -> Line:
        """The line on which the mechanism itself is talked about; every member is on it."""
        return next(line for line in self.lines.values() if line.channel.home)

    def add(self, agreement: Agreement, envelope: bytes) -> bool:
        """A version that every root signed. Whether it was new. Raises BadInput when it does not follow."""
        new = self.versions.add(agreement)
        self.envelopes.setdefault(agreement_hash(agreement), envelope)
        return new
