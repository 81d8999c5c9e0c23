# SPDX-License-Identifier: Apache-2.0
"""The wire between nodes: deliveries that get lost, come twice, late, in the wrong order, or with other bytes in them.

What a sealed delivery would keep out (`link/sealing.py`) is let through here on purpose: the core must stand alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

from wideberth.core.seal.envelope import HEADS
from wideberth.sim.dice import Dice
from wideberth.sim.weather import KIND, MINUTE, SECOND, Weather

Frames = tuple[tuple[bytes, bytes], ...]


_ROUTINE: Final = (b"vnd.wideberth.linecheck-", HEADS.encode())


class Parcel(msgspec.Struct, frozen=True):
    """One delivery on its way. `tainted`: its bytes are not those that were sent. `slip`: what its sender signed, where
    it goes through a mediator."""

    ch: str
    sender: str
    to: str
    frames: Frames
    sidecars: tuple[bytes, ...]
    tainted: bool = False
    slip: bytes = b""

    @property
    def routine(self) -> bool:
        """What timers send whether or not anything happened: line checks, checkpoints, and the comparing of notes that
        may follow. Rest does not count them, but what comes of them."""
        return not self.frames and all(s.startswith(b'"') or any(k in s for k in _ROUTINE) for s in self.sidecars)


class Network:
    """`later(ms, parcel)` plans an arrival. Faults are counted by kind; a delivery may suffer several."""

    def __init__(self, weather: Weather, dice: Dice, later: Callable[[int, Parcel], None]) -> None:
        self.weather = weather
        self.faults: Counter[str] = Counter()
        self.deliveries = 0
        self._dice = dice
        self._later = later
        self._cut: Counter[tuple[str, str]] = Counter()
        # What a sender's link puts beside a delivery before it leaves (`mediators.py`).
        self.signed: Callable[[Parcel], Parcel] = lambda parcel: parcel

    def cut(self, sender: str, to: str) -> None:
        """Nothing gets through from one to the other; cuts add up."""
        self._cut[sender, to] += 1

    def mend(self, sender: str, to: str) -> bool:
        """Take one cut away. Returns whether the way is open again."""
        self._cut[sender, to] -= 1
        return self._cut[sender, to] == 0

    def be_kind(self) -> None:
        self.weather = KIND
        self._cut.clear()

    def post(self, parcel: Parcel) -> None:
        """Send, in pieces at times (a line sends what is urgent apart, and not too much at once)."""
        self.deliveries += 1
        if self._cut[parcel.sender, parcel.to] > 0:
            return
        weather, dice, faults = self.weather, self._dice, self.faults
        if weather is KIND:
            self._later(dice.between(5, 80), self.signed(parcel))
            return
        if len(parcel.frames) > 1 and dice.chance(0.3):
            at = dice.between(1, len(parcel.frames) - 1)
            self.post(msgspec.structs.replace(parcel, frames=parcel.frames[:at], sidecars=()))
            parcel = msgspec.structs.replace(parcel, frames=parcel.frames[at:])
        parcel = self.signed(parcel)
        if dice.chance(weather.lost):
            faults["lost"] += 1
            return
        wait_ms = dice.between(5, 80)
        if dice.chance(weather.delayed):
            faults["delayed"] += 1
            wait_ms += dice.between(200, 3 * SECOND)
        if dice.chance(weather.overtaken):
            # Longer than the pause before a repeat: what was sent later arrives earlier.
            faults["overtaken"] += 1
            wait_ms += dice.between(3 * SECOND, 40 * SECOND)
        if dice.chance(weather.repeated):
            faults["repeated"] += 1
            late = dice.chance(0.2)
            self._later(dice.between(5, 5 * MINUTE if late else 5 * SECOND), parcel)
        if dice.chance(weather.corrupted):
            faults["corrupted"] += 1
            parcel = self._corrupted(parcel)
        self._later(wait_ms, parcel)

    def _corrupted(self, parcel: Parcel) -> Parcel:
        dice = self._dice
        frames, sidecars = list(parcel.frames), list(parcel.sidecars)
        if frames and (not sidecars or dice.chance(0.7)):
            at = dice.between(0, len(frames) - 1)
            envelope, body = frames[at]
            how = dice.between(0, 3)
            if how == 0 and len(frames) > 1:
                # Header and body of two entries, both well signed, that do not belong together.
                other = (at + 1) % len(frames)
                frames[at], frames[other] = (envelope, frames[other][1]), (frames[other][0], body)
            elif how == 1:
                frames[at] = (envelope, self._spoilt(body))
            else:
                frames[at] = (self._spoilt(envelope), body)
        elif sidecars:
            at = dice.between(0, len(sidecars) - 1)
            sidecars[at] = self._spoilt(sidecars[at])
        return msgspec.structs.replace(parcel, frames=tuple(frames), sidecars=tuple(sidecars), tainted=True)

    def _spoilt(self, data: bytes) -> bytes:
        dice = self._dice
        how = dice.between(0, 3)
        at = dice.between(0, len(data) - 1)
        if how == 0:
            return data[:at]
        if how == 1:
            return data[:at] + data[at : at + 40] + data[at:]
        if how == 2:
            return data[:at] + bytes([data[at] ^ (1 << dice.between(0, 7))]) + data[at + 1 :]
        # Another character of the same alphabet: the shape stays right, only a signature or a hash can tell.
        return data[:at] + dice.pick(_SIGNS) + data[at + 1 :]


_SIGNS: Final = [bytes([c]) for c in b'ABCDEFabcdef0123456789+/="{}[],:']
