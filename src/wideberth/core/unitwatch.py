# SPDX-License-Identifier: Apache-2.0
"""Which own units a live notice meets: told to own people, and to nobody else (domain.md E5, A10, J4).

    tells = watch.step(event, now)      # event: UnitsGiven, and Weigh and Forget from the record side

Beside `core/inner.py` on the inner side, and fed by the same feed. A unit is met when its area comes within the agreed
minima of the notice, at any height that may be shared: nearer is safer than later. What is told is only what changed.
Notices of our own are not followed here; who gives one tells its units first.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from wideberth.core.batch import Now
from wideberth.core.feed import Feed, Forget, Weigh
from wideberth.core.judge.exposure import expose
from wideberth.core.judge.picture import Picture
from wideberth.core.say.unit import Unit
from wideberth.core.warned import UnitsMet


class UnitsGiven(msgspec.Struct, frozen=True, tag="units"):
    """All units, as they are now."""

    units: tuple[Unit, ...]


Event = UnitsGiven | Feed
NoticeKey = tuple[str, str]


class UnitWatch:
    """Pure: nothing happens outside `step`."""

    def __init__(self) -> None:
        self._units: dict[str, Unit] = {}
        self._where = Picture()
        self._notices: dict[NoticeKey, Weigh] = {}
        self._told: dict[NoticeKey, UnitsMet] = {}

    def step(self, event: Event, now: Now) -> tuple[UnitsMet, ...]:
        """Take one event."""
        match event:
            case UnitsGiven(units):
                for name in self._units:
                    self._where.remove(name)
                self._units = {unit.name: unit for unit in units}
                for unit in units:
                    self._where.add(unit.name, unit.volumes)
                live = [notice for notice in self._notices.values() if notice.expires_ms > now.t_ms]
                return tuple(tell for notice in live for tell in self._weigh(notice))
            case Weigh():
                if event.by_us or event.expires_ms <= now.t_ms:
                    return self._forget((event.ch, event.ref))
                self._notices[event.ch, event.ref] = event
                return tuple(self._weigh(event))
            case Forget(ch, ref):
                return self._forget((ch, ref))

    def _weigh(self, notice: Weigh) -> Iterable[UnitsMet]:
        key = (notice.ch, notice.ref)
        names = self._met(notice)
        before = self._told.get(key)
        if not names and before is None:
            return
        tell = self._tell(notice, names)
        if tell != before:
            if names:
                self._told[key] = tell
            else:
                del self._told[key]
            yield tell

    def _met(self, notice: Weigh) -> list[str]:
        minima, margin_mm = notice.rules.minima, notice.rules.pressure_margin_mm
        near = {
            name
            for volume in notice.volumes
            for name, _, _ in self._where.near(volume, minima, pressure_margin_mm=margin_mm)
        }
        volumes = notice.volumes
        return sorted(
            name for name in near
            if expose(self._units[name].volumes, volumes, minima, pressure_margin_mm=margin_mm).open
        )  # fmt: skip

    def _tell(self, notice: Weigh, names: list[str]) -> UnitsMet:
        units = [self._units[name] for name in names]
        said = f"meets the areas of own units {', '.join(names)}" if names else "meets no own unit's area any more"
        return UnitsMet(
            notice.ch, notice.ref, notice.version, notice.entry, notice.author, tuple(names),
            min(v.start_ms for v in notice.volumes), max(v.end_ms for v in notice.volumes),
            f"{notice.ref} of {notice.author} {said}.",
            {unit.name: unit.pages for unit in units},
            {unit.name: (unit.supervisor, *unit.supervisor_pages) for unit in units if unit.supervisor},
            notice.precedence.value,
        )  # fmt: skip

    def _forget(self, key: NoticeKey) -> tuple[UnitsMet, ...]:
        notice = self._notices.pop(key, None)
        if self._told.pop(key, None) is None or notice is None:
            return ()
        return (self._tell(notice, []),)
