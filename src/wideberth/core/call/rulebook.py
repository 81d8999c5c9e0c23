# SPDX-License-Identifier: Apache-2.0
"""What a board asks of the versions of an agreement."""

from __future__ import annotations

from typing import Any, Protocol

from wideberth.core.say.rules import Rules


class RuleBook(Protocol):
    def rules_of(self, agr: str) -> Rules | None:
        """None: that version is not here."""
        ...

    def rules_at(self, t_ms: int) -> Rules: ...

    def at(self, t_ms: int) -> tuple[Any, str]:
        """The agreement in force at a time, and its hash."""
        ...

    def newer(self, one: str, other: str) -> str:
        """Of two versions that are here the later one, by their hashes."""
        ...

    def speaks_for(self, agr: str, party: str) -> tuple[str, ...]:
        """The members of a coalition whose presence a party gives notice of, by that version (domain.md A6)."""
        ...
