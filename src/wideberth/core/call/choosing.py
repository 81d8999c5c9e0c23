# SPDX-License-Identifier: Apache-2.0
"""Which line is meant: by its purpose, its mechanism, its id, or by being the only one that it can be.

    choose(lines, "", Purpose.FLIGHT_SAFETY)      the only line, or the only one for flight safety
    choose(lines, "GROUND")                       the only one with that purpose
    choose(lines, "Coast/GROUND")                 that of a mechanism; "Coast/" leaves the purpose open
    choose(lines, "9d92a0")                       by the beginning of its id

Nothing is guessed: where two could be meant the fault lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from wideberth.core.say.rules import Purpose
from wideberth.errors import BadInput, NotFound

# Fewer digits of an id than these could be a name as well.
ID_CHARS_LEAST: Final = 4


class Choice(msgspec.Struct, frozen=True):
    """One line; `founding` is the hash of its mechanism's founding agreement."""

    ch: str
    mechanism: str
    founding: str
    purpose: Purpose
    members: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.mechanism}/{self.purpose.value} ({', '.join(self.members)}; {self.ch[:8]})"


def named(lines: Iterable[Choice], name: str) -> list[Choice]:
    """Every line that a name can mean; all of them for none. Raises NotFound when it means nothing here."""
    listed = list(lines)
    if not name:
        return listed
    mechanism, slash, purpose = name.rpartition("/")
    for fits in (
        lambda c: c.mechanism == name,
        lambda c: c.purpose.value == _word(name),
        lambda c: bool(slash) and _is_of(c, mechanism) and (not purpose or _is_line(c, purpose)),
        lambda c: len(name) >= ID_CHARS_LEAST and c.ch.startswith(name.lower()),
    ):
        if found := [choice for choice in listed if fits(choice)]:
            return found
    known = f"there are {'; '.join(map(str, listed))}" if listed else "this node has no open line yet"
    raise NotFound(f"no line is called {name!r}; {known}", line=name)


def choose(lines: Iterable[Choice], name: str, prefer: Purpose | None = None) -> Choice:
    """One line. `prefer`: its purpose, where the name leaves several. Raises NotFound, BadInput with all of them."""
    found = named(lines, name)
    usual = [choice for choice in found if choice.purpose is prefer]
    if len(found) != 1 and len(usual) != 1:
        if not found:
            raise NotFound("this node has no open line yet")
        raise BadInput(
            f"say which line with --line (and --mechanism): {'; '.join(map(str, found))}",
            field="line",
            lines=[f"{choice.mechanism}/{choice.purpose.value}" for choice in found],
        )
    return found[0] if len(found) == 1 else usual[0]


def choose_mechanism(lines: Sequence[Choice], name: str) -> str:
    """The founding hash of the mechanism that a name means. Raises NotFound, BadInput with all of them."""
    found = [c for c in lines if name and c.founding.startswith(name.lower())] or named(lines, name)
    ids = {choice.founding: choice.mechanism for choice in found}
    if not ids:
        raise NotFound("this node has no open line yet")
    if len(ids) > 1:
        listed = "; ".join(f"{mechanism} ({founding[:8]})" for founding, mechanism in ids.items())
        raise BadInput(f"say which mechanism with --mechanism: {listed}", field="mechanism")
    return next(iter(ids))


def _word(name: str) -> str:
    return name.strip().upper().replace("-", "_")


def _is_of(choice: Choice, name: str) -> bool:
    return choice.mechanism == name or (len(name) >= ID_CHARS_LEAST and choice.founding.startswith(name.lower()))


def _is_line(choice: Choice, name: str) -> bool:
    by_id = len(name) >= ID_CHARS_LEAST and choice.ch.startswith(name.lower())
    return choice.purpose.value == _word(name) or by_id
