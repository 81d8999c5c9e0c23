# SPDX-License-Identifier: Apache-2.0
"""The last mile: which own units must have a notice, and which do (domain.md E5, E5b, E6).

A notice that reached the desk and not the crew has reached nobody. Units whose area meets it are called at once, again
before it becomes active, and when something comes near; each confirms by itself or by voice through an officer.

    WAITING --CONFIRMED--> RELAYED          the unit says that it has it
    WAITING --BY_VOICE--> VOICED            an officer told it over the telephone or radio
    WAITING --STARTED--> OVERDUE            it began, and the unit has not confirmed; later confirmations still count

Which unit is missing stays at home; what the other side may be told is the count, and only when an officer says it.
Units are named here and nowhere in anything that leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from wideberth.errors import BadInput, NotFound


class Relay(StrEnum):
    WAITING = "WAITING"
    RELAYED = "RELAYED"
    VOICED = "VOICED"
    OVERDUE = "OVERDUE"


class Confirm(StrEnum):
    """STARTED is the only one that time causes."""

    CONFIRMED = "CONFIRMED"
    BY_VOICE = "BY_VOICE"
    STARTED = "STARTED"


MOVES: Final[dict[tuple[Relay, Confirm], Relay]] = {
    (Relay.WAITING, Confirm.CONFIRMED): Relay.RELAYED,
    (Relay.WAITING, Confirm.BY_VOICE): Relay.VOICED,
    (Relay.WAITING, Confirm.STARTED): Relay.OVERDUE,
    (Relay.RELAYED, Confirm.CONFIRMED): Relay.RELAYED,
    (Relay.RELAYED, Confirm.BY_VOICE): Relay.RELAYED,
    (Relay.VOICED, Confirm.CONFIRMED): Relay.RELAYED,
    (Relay.VOICED, Confirm.BY_VOICE): Relay.VOICED,
    (Relay.OVERDUE, Confirm.CONFIRMED): Relay.RELAYED,
    (Relay.OVERDUE, Confirm.BY_VOICE): Relay.VOICED,
}
HAVE_IT: Final = frozenset({Relay.RELAYED, Relay.VOICED})
# Called again this long before the start (domain.md E6).
BEFORE_MS: Final = 900_000
# What begins at once leaves its units this long to confirm before the desk is told that some have not.
CONFIRM_MS: Final = 120_000


class Call(msgspec.Struct, frozen=True):
    """A unit is called about a notice. `why`: NEW, ACTIVATION (it begins soon), STARTED, APPROACH. `supervisor`: its
    supervisor and ours are called too."""

    at_ms: int
    key: str
    unit: str
    why: str
    supervisor: bool = False


class Confirmation(msgspec.Struct, frozen=True):
    """What a unit's line in the log says. `by` is the post or officer who entered it."""

    at_ms: int
    key: str
    entry: str
    unit: str
    state: Relay
    by: str


class Distribution(msgspec.Struct):
    """One notice in one exact version: `entry` is the hash that confirmations bind to. `wake` is the desk's own
    reference, which units are woken up with, and `urgency` how. `look_ms`: when the desk looks who is missing, of what
    had begun when it came (0: it has)."""

    key: str
    entry: str
    start_ms: int
    end_ms: int
    units: dict[str, Relay]
    called: set[str] = set()
    wake: str = ""
    urgency: str = "OTHER"
    look_ms: int = 0

    @property
    def relayed(self) -> int:
        return sum(state in HAVE_IT for state in self.units.values())

    @property
    def missing(self) -> list[str]:
        return [unit for unit, state in self.units.items() if state not in HAVE_IT]


class Relays:
    """Every live notice that meets an own unit's area. Pure."""

    def __init__(self) -> None:
        self.live: dict[str, Distribution] = {}

    def distribute(
        self, key: str, entry: str, units: Iterable[str], start_ms: int, end_ms: int, now_ms: int
    ) -> list[Call]:
        """A notice, or a new version of it, meets these units' areas: each is called at once.

        A new version voids what was confirmed: what a unit has is the version before. The same version again calls
        only units that it did not meet before (their area changed).
        """
        found = self.live.get(key)
        names = dict.fromkeys(units)
        if found is not None and found.entry == entry:
            fresh = [name for name in names if name not in found.units]
            found.units |= dict.fromkeys(fresh, Relay.WAITING)
            return [Call(now_ms, key, name, "NEW") for name in fresh]
        self.live[key] = Distribution(key, entry, start_ms, end_ms, dict.fromkeys(names, Relay.WAITING))
        calls = [Call(now_ms, key, name, "NEW") for name in names]
        return calls + self.tick(now_ms)

    def confirmed(self, key: str, unit: str, by: str, now_ms: int, *, voice: bool = False) -> Confirmation:
        """A unit has it. Raises NotFound, BadInput."""
        found = self.live.get(key)
        if found is None:
            raise NotFound(f"no live notice {key} meets the area of an own unit", key=key)
        state = found.units.get(unit)
        if state is None:
            raise BadInput(f"{key} does not meet the area of {unit}; it meets {', '.join(found.units)}", field="unit")
        found.units[unit] = MOVES[state, Confirm.BY_VOICE if voice else Confirm.CONFIRMED]
        return Confirmation(now_ms, key, found.entry, unit, found.units[unit], by)

    def approached(self, key: str, now_ms: int) -> list[Call]:
        """Something comes near what the notice warns of: who has not confirmed is called, once."""
        found = self.live.get(key)
        return self._call(found, "APPROACH", now_ms) if found is not None else []

    def over(self, key: str) -> None:
        """Cancelled, finished, expired."""
        self.live.pop(key, None)

    def tick(self, now_ms: int) -> list[Call]:
        """Before the start, and at it, whoever has not confirmed is called again, with the supervisor."""
        calls: list[Call] = []
        for found in list(self.live.values()):
            if now_ms >= found.end_ms:
                self.over(found.key)
            elif now_ms >= found.start_ms:
                if "STARTED" not in found.called:
                    late = found.missing
                    for unit in late:
                        if (found.units[unit], Confirm.STARTED) in MOVES:
                            found.units[unit] = MOVES[found.units[unit], Confirm.STARTED]
                calls += self._call(found, "STARTED", now_ms, supervisor=True)
            elif now_ms >= found.start_ms - BEFORE_MS:
                calls += self._call(found, "ACTIVATION", now_ms, supervisor=True)
        return calls

    def wake_ms(self) -> int | None:
        """When the next call is due, ms UTC."""
        due = []
        for found in self.live.values():
            times = {"ACTIVATION": found.start_ms - BEFORE_MS, "STARTED": found.start_ms}
            if found.missing and "STARTED" not in found.called:
                due += [at for why, at in times.items() if why not in found.called]
            due.append(found.end_ms)
        return min(due, default=None)

    def _call(self, found: Distribution, why: str, now_ms: int, *, supervisor: bool = False) -> list[Call]:
        if why in found.called:
            return []
        found.called.add(why)
        return [Call(now_ms, found.key, unit, why, supervisor) for unit in found.missing]
