# SPDX-License-Identifier: Apache-2.0
"""What a drill is made of, as values: mechanisms, timed steps, faults that can be injected, and checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from wideberth.core.say.rules import Purpose, Rules
from wideberth.core.seal.agreement import LineTerms

if TYPE_CHECKING:
    from wideberth.drill.scene import Scene


class Mechanism(msgspec.Struct, frozen=True):
    """Who signs it, its numbers, and its lines; without `lines` it has one, for flight safety, of all members."""

    name: str
    members: tuple[str, ...]
    rules: Rules
    lines: tuple[LineTerms, ...] = ()

    def terms(self) -> tuple[LineTerms, ...]:
        return self.lines or (LineTerms(Purpose.FLIGHT_SAFETY, tuple(sorted(self.members))),)


# A fault of the link that every drill can have: about a third of all deliveries, or the replies to them, are lost.
LOST: Final = "lost-deliveries"
LOSS: Final = 0.3


class Mishap(msgspec.Struct, frozen=True):
    """A fault that can be injected. `usual`: it belongs to the scenario, and is left out only on request."""

    name: str
    says: str
    usual: bool = False


class Step(msgspec.Struct, frozen=True):
    """`who` does it at `at`: a time of the drill's day (`18:38:50`), or a whole instant. `only`, `unless`: the name of
    a fault with which, or without which, it is done."""

    at: str
    who: str
    does: str
    act: Callable[[Scene], None]
    only: str = ""
    unless: str = ""


class Check(msgspec.Struct, frozen=True):
    """One requirement, looked at. `id` is the feature of domain.md (E8, B6); `seen` is what the nodes told or hold,
    `train` what to train when it did not pass."""

    id: str
    what: str
    expected: str
    seen: str
    passed: bool
    train: str = ""


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario. `day` is UTC, `begins` the time, as of a step, at which the clocks are first set.

    `before` puts files into the folders before the nodes start (a roster, units); `afterwards` looks at what the nodes
    kept when they are down.
    """

    name: str
    title: str
    source: str
    opens: str
    day: str
    begins: str
    parties: tuple[str, ...]
    mechanisms: tuple[Mechanism, ...]
    steps: tuple[Step, ...]
    mishaps: tuple[Mishap, ...] = ()
    before: Callable[[Scene], None] | None = None
    afterwards: Callable[[Scene], None] | None = None
