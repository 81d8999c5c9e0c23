# SPDX-License-Identifier: Apache-2.0
"""Backups, and records that are put back to one of them: on one side or on both, twice in a row, with peers out of
reach, with an ALERT in the middle, by a supervisor who does not wait, by hand, and behind the node's own back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from wideberth.core import events as ev
from wideberth.sim.dice import Dice
from wideberth.sim.parties import POSTS, SUPERVISOR
from wideberth.sim.site import Site
from wideberth.sim.weather import SECOND
from wideberth.store.memory import MemoryStore

if TYPE_CHECKING:
    from wideberth.sim.world import World

_BACKUP_MS: Final = 90 * SECOND
_KEPT: Final = 6


class Restores:
    """`befall(site)` is one storm. `behind_back` counts those that the node was not told of."""

    def __init__(self, world: World, dice: Dice) -> None:
        self._world = world
        self._dice = dice
        self._backups: dict[str, list[MemoryStore]] = {}
        self.behind_back = 0
        self._by_hand = dice.apart("by hand")

    def begin(self) -> None:
        if self._world.weather.restores:
            for site in self._world.sites:
                self._next_backup(site)

    def _next_backup(self, site: Site) -> None:
        def take() -> None:
            # A node without its lines needs no backup: it begins anew with an empty record.
            opened = all(c.ch in site.node.lines for c in self._world.charters if site.party in c.members)
            backup = site.disk.backup() if site.up and opened else None
            if backup is not None:
                kept = self._backups.setdefault(site.party, [])
                if len(kept) == _KEPT:
                    del kept[self._dice.between(0, _KEPT - 1)]
                kept.append(backup)
            self._next_backup(site)

        self._world.later(self._dice.around(_BACKUP_MS), take)

    def befall(self, site: Site) -> None:
        dice, world = self._dice, self._world
        others = [s for s in world.sites if s is not site]
        if dice.chance(0.25):
            # On both sides, at once or in the middle of the other's coming back.
            other = dice.pick(others)
            self._later(dice.pick((0, 0, 2, 20)), lambda: self._put_back(other))
        if dice.chance(0.25):
            self._later(dice.between(1, 25), lambda: self._put_back(site))
        if dice.chance(0.3):
            world.cut(site.party, dice.pick(others).party, both=dice.chance(0.5))
        self._put_back(site)

    def _later(self, in_s: int, act: Callable[[], None]) -> None:
        self._world.later(in_s * SECOND, act)

    def _put_back(self, site: Site) -> None:
        dice, kept = self._dice, self._backups.get(site.party)
        if not kept or self._world.kind:
            return
        self._world.hard["restore"] += 1
        marked = dice.chance(0.9)
        self.behind_back += not marked
        was_up = site.up
        site.put_back(dice.pick(kept), marked=marked, by_hand=self._by_hand.chance(0.1))
        if was_up:
            self._world.start_soon(site)
        if marked and dice.chance(0.3):
            # A supervisor who does not wait for whoever does not answer.
            self._later(dice.between(1, 40), lambda: self._resume(site))
        if dice.chance(0.3):
            self._later(dice.between(1, 10), lambda: self._alert(site))

    def _resume(self, site: Site) -> None:
        for ch in site.node.lines:
            site.submit(ev.Resume(ch, f"{site.party}/{SUPERVISOR}"))

    def _alert(self, site: Site) -> None:
        for ch in site.node.lines:
            site.submit(ev.RaiseAlert(ch, f"{site.party}/{self._dice.pick(POSTS)}"))
