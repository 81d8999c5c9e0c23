# SPDX-License-Identifier: Apache-2.0
"""Who is on watch, when, and who stands behind them (domain.md B10). It stays at home: outside, only posts appear.

    roster = Roster(people, shifts)
    roster.on_shift(now_ms)                         # the officers, first named first
    roster.gaps(now_ms, now_ms + 30 * DAY_MS)       # [(from, to)] without a watch officer

Times are ms UTC; shifts are half-open, `[start_ms, end_ms)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from wideberth.core.limits import NAME_CHARS_MAX
from wideberth.errors import BadInput

DAY_MS: Final = 86_400_000


class Role(StrEnum):
    """What somebody does at the desk. An observer sees and says nothing."""

    WATCH_OFFICER = "WATCH_OFFICER"
    SUPERVISOR = "SUPERVISOR"
    LINGUIST = "LINGUIST"
    UNIT_LIAISON = "UNIT_LIAISON"
    OBSERVER = "OBSERVER"


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`name` is what the desk calls them; `post` the post on the card that they speak with (empty: they do not speak).
    `languages` are BCP 47 tags; `unit` is whose liaison they are; `pages` are addresses to wake them up by."""

    name: str
    role: Role
    post: str = ""
    languages: tuple[str, ...] = ("en",)
    unit: str = ""
    pages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= NAME_CHARS_MAX:
            raise BadInput("a person on the roster has a name", field="name")
        if self.role is Role.UNIT_LIAISON and not self.unit:
            raise BadInput(f"{self.name} is a unit's liaison: name the unit", field="unit")
        if self.role is Role.OBSERVER and self.post:
            raise BadInput(f"{self.name} is an observer, who sees and says nothing: no post", field="post")


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`backup`: asked only when who is on shift does not answer."""

    person: str
    start_ms: int
    end_ms: int
    backup: bool = False

    def __post_init__(self) -> None:
        if not self.start_ms < self.end_ms:
            raise BadInput(f"the shift of {self.person} must end after it starts", field="end_ms")


class Roster:
    """People by name, and their shifts. Raises BadInput for a shift of somebody unknown."""

    def __init__(self, people: Iterable[Person] = (), shifts: Iterable[Shift] = ()) -> None:
        self.people: dict[str, Person] = {}
        for person in people:
            if person.name in self.people:
                raise BadInput(f"{person.name} is on the roster twice", field="people")
            self.people[person.name] = person
        self.shifts = sorted(shifts, key=lambda s: (s.start_ms, s.end_ms, s.person))
        for shift in self.shifts:
            if shift.person not in self.people:
                raise BadInput(f"there is no {shift.person} on the roster; they cannot have a shift", field="shifts")

    def _at(self, at_ms: int, role: Role, *, backup: bool = False) -> list[Person]:
        names = [s.person for s in self.shifts if s.start_ms <= at_ms < s.end_ms and s.backup is backup]
        return [p for name in dict.fromkeys(names) if (p := self.people[name]).role is role]

    def on_shift(self, at_ms: int) -> list[Person]:
        """The watch officers whose shift it is, in the order in which their shifts began."""
        return self._at(at_ms, Role.WATCH_OFFICER)

    def backups(self, at_ms: int) -> list[Person]:
        return self._at(at_ms, Role.WATCH_OFFICER, backup=True)

    def supervisors(self, at_ms: int) -> list[Person]:
        """On shift; when none is, every supervisor: somebody can always be reached."""
        return self._at(at_ms, Role.SUPERVISOR) or [p for p in self.people.values() if p.role is Role.SUPERVISOR]

    def linguists(self, at_ms: int, language: str) -> list[Person]:
        """Who is on shift and speaks a language (by its primary subtag), linguists first."""
        return [
            p
            for role in (Role.LINGUIST, Role.WATCH_OFFICER, Role.SUPERVISOR)
            for p in self._at(at_ms, role)
            if any(_primary(tag) == _primary(language) for tag in p.languages)
        ]

    def speaking(self, post: str, at_ms: int) -> str:
        """Who speaks with a post: whoever of them is on shift, else the first; empty for nobody."""
        names = [p.name for p in self.people.values() if p.post == post and post]
        on = {s.person for s in self.shifts if s.start_ms <= at_ms < s.end_ms}
        return next((name for name in names if name in on), names[0] if names else "")

    def liaisons(self, unit: str) -> list[Person]:
        return [p for p in self.people.values() if p.role is Role.UNIT_LIAISON and p.unit == unit]

    def everybody(self) -> list[Person]:
        """Whoever may own an alarm: all but observers and units' liaisons."""
        return [p for p in self.people.values() if p.role not in (Role.OBSERVER, Role.UNIT_LIAISON)]

    def gaps(self, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
        """Half-open spans in which nobody is on watch (a backup is not)."""
        gaps: list[tuple[int, int]] = []
        covered_ms = from_ms
        for shift in self.shifts:
            if shift.backup or self.people[shift.person].role is not Role.WATCH_OFFICER or shift.end_ms <= covered_ms:
                continue
            if shift.start_ms >= to_ms:
                break
            if shift.start_ms > covered_ms:
                gaps.append((covered_ms, shift.start_ms))
            covered_ms = max(covered_ms, shift.end_ms)
        if covered_ms < to_ms:
            gaps.append((covered_ms, to_ms))
        return gaps


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()
