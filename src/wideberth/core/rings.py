# SPDX-License-Identifier: Apache-2.0
"""Rings round incidents over time: who was reported where, who has not called in, and since when that is not known.

    batch = rings.step(event, now)      # AreaGiven, AreaDropped, Reported

A change of advice is told once: CALL_IN as a note, NO_COMM as a ring, and that it is over as a note. A position that is
older than `STALE_MS` says nothing about now: the aircraft is UNKNOWN, and nothing follows from that. It is kept, and so
is the alert about it, until somebody reports it anew, in contact or elsewhere.

This is on the inner side: fed by own people only, with no way to sign or to send (domain.md D7, J4, L4). Nothing is
predicted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from wideberth.core.batch import Now
from wideberth.core.judge.rings import Advice, Ring, Standing, stand
from wideberth.core.say import instant
from wideberth.core.say.rings import MM_PER_NM, Position, RingArea, RingRecord
from wideberth.core.say.rules import Mode
from wideberth.core.tells import Level
from wideberth.core.warned import RingWarning
from wideberth.errors import BadInput, NotFound

# Five minutes at 120 knots are ten miles: from one ring through the other.
STALE_MS: Final = 300_000
# No incident has more in its rings at once; beyond that the list is no picture any more.
AIRCRAFT_MAX: Final = 256
AREAS_MAX: Final = 64
# As in the default agreement (core/say/rules.py): own areas belong to no agreement.
PRESSURE_MARGIN_MM: Final = 610_000


class AreaGiven(msgspec.Struct, frozen=True, tag="area"):
    """New rings, or a new version of those with the same id; what was reported is weighed again."""

    area: RingArea


class AreaDropped(msgspec.Struct, frozen=True, tag="drop"):
    id: str


class Reported(msgspec.Struct, frozen=True, tag="reported"):
    """An aircraft, seen from one incident. `gone`: it has left, or landed, and is taken off the list."""

    id: str
    position: Position
    gone: bool = False


Event = AreaGiven | AreaDropped | Reported


class RingsBatch(msgspec.Struct, frozen=True):
    """Keep (durably), then tell."""

    keep: tuple[RingRecord, ...] = ()
    tell: tuple[RingWarning, ...] = ()


class _Kept(msgspec.Struct):
    """One incident as it is kept."""

    area: RingArea
    positions: dict[str, Position] = {}


class Rings:
    """All incidents. Pure."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    @classmethod
    def load(cls, records: Iterable[RingRecord]) -> Rings:
        """From the store, oldest first. Raises BadInput for a record that is none."""
        rings = cls()
        for record in records:
            try:
                rings._kept[record.id] = msgspec.json.decode(record.json, type=_Kept)
            except (msgspec.DecodeError, UnicodeDecodeError) as why:
                raise BadInput(f"the kept rings {record.id!r} cannot be read ({why}); give them again") from None
        return rings

    def step(self, event: Event, now: Now) -> RingsBatch:
        """Take one event. Raises NotFound, BadInput; then nothing has changed."""
        match event:
            case AreaGiven(area):
                return self._given(area)
            case AreaDropped(id_):
                kept = self._of(id_)
                del self._kept[id_]
                over = [self._over(kept.area, p, "the rings were dropped") for p in kept.positions.values()]
                return RingsBatch((RingRecord(id_, b""),), tuple(tell for tell in over if tell is not None))
            case Reported(id_, position, gone):
                return self._reported(self._of(id_), position, gone, now)

    def view(self, now_ms: int) -> list[dict[str, Any]]:
        """Every incident with its aircraft, nearest first; `known` is UNKNOWN for what was reported too long ago."""
        found = []
        for id_ in sorted(self._kept):
            kept = self._kept[id_]
            rows = [self._row(kept.area, position, now_ms) for position in kept.positions.values()]
            area = msgspec.to_builtins(kept.area)
            found.append({"area": area, "aircraft": sorted(rows, key=lambda r: (r["distance_mm"], r["aircraft"]))})
        return found

    def row(self, id_: str, aircraft: str, now_ms: int) -> dict[str, Any]:
        """Where one aircraft stands, as in `view`. Raises NotFound."""
        kept = self._of(id_)
        return self._row(kept.area, kept.positions[aircraft], now_ms)

    # --- inside ---

    def _given(self, area: RingArea) -> RingsBatch:
        before = self._kept.get(area.id)
        if before is None and len(self._kept) >= AREAS_MAX:
            raise BadInput(f"there are {AREAS_MAX} rings already; drop those that are over", field="id")
        kept = self._kept[area.id] = _Kept(area, before.positions if before else {})
        tells = []
        for position in kept.positions.values():
            was = _stand(before.area, position) if before else None
            tells += self._change(area, position, was, _stand(area, position))
        return RingsBatch((self._record(kept),), tuple(tells))

    def _reported(self, kept: _Kept, position: Position, gone: bool, now: Now) -> RingsBatch:
        if position.t_ms > now.t_ms + STALE_MS:
            raise BadInput(f"{instant.show(position.t_ms)} is in the future; when was it there?", field="time")
        before = kept.positions.get(position.aircraft)
        if gone:
            if before is None:
                raise NotFound(f"{position.aircraft} is not on the list of {kept.area.id}", aircraft=position.aircraft)
            del kept.positions[position.aircraft]
            over = self._over(kept.area, before, "it has left")
            return RingsBatch((self._record(kept),), (over,) if over else ())
        if before is None and len(kept.positions) >= AIRCRAFT_MAX:
            raise BadInput(f"{kept.area.id} has {AIRCRAFT_MAX} aircraft already; take off those that left")
        if before is not None and before.t_ms > position.t_ms:
            raise BadInput(
                f"{position.aircraft} was reported later already, at {instant.show(before.t_ms)}", field="at"
            )
        kept.positions[position.aircraft] = position
        was = _stand(kept.area, before) if before else None
        tells = self._change(kept.area, position, was, _stand(kept.area, position))
        return RingsBatch((self._record(kept),), tuple(tells))

    def _change(self, area: RingArea, position: Position, was: Standing | None, now: Standing) -> list[RingWarning]:
        """Told when the advice is another, or when a block is met that was not."""
        before = was.advice if was else Advice.NONE
        fresh = set(now.blocks) - set(was.blocks if was else ())
        if now.advice is Advice.NONE:
            why = "it has called in" if position.in_contact else "it is outside the rings"
            return [_warning(area, position, now, f"{why}.", Level.NOTE)] if before is not Advice.NONE else []
        if now.advice is before and not (fresh and now.advice is Advice.NO_COMM):
            return []
        return [_warning(area, position, now, "", Level.RING if now.advice is Advice.NO_COMM else Level.NOTE)]

    def _over(self, area: RingArea, position: Position, why: str) -> RingWarning | None:
        if _stand(area, position).advice is Advice.NONE:
            return None
        away = Standing(Ring.OUTSIDE, Advice.NONE, _stand(area, position).distance_mm, ())
        return _warning(area, position, away, f"{why}.", Level.NOTE)

    def _row(self, area: RingArea, position: Position, now_ms: int) -> dict[str, Any]:
        standing = _stand(area, position)
        stale = now_ms - position.t_ms > STALE_MS
        return {
            "aircraft": position.aircraft, "ring": standing.ring.value, "advice": standing.advice.value,
            "distance_mm": standing.distance_mm, "blocks": list(standing.blocks), "in_contact": position.in_contact,
            "altitude": str(position.altitude) if position.altitude else "", "t_ms": position.t_ms,
            "known": "UNKNOWN" if stale else "REPORTED", "age_ms": max(0, now_ms - position.t_ms),
        }  # fmt: skip

    def _of(self, id_: str) -> _Kept:
        kept = self._kept.get(id_)
        if kept is None:
            raise NotFound(f"there are no rings {id_!r}; `rings list` shows them", id=id_)
        return kept

    @staticmethod
    def _record(kept: _Kept) -> RingRecord:
        return RingRecord(kept.area.id, msgspec.json.encode(kept))


def _stand(area: RingArea, position: Position) -> Standing:
    return stand(area, position, PRESSURE_MARGIN_MM)


def _warning(area: RingArea, position: Position, standing: Standing, over: str, level: Level) -> RingWarning:
    mode = "" if area.mode is Mode.REAL else f"{area.mode.value}: "
    nm = standing.distance_mm / MM_PER_NM
    high = f" at {position.altitude}" if position.altitude is not None else ", height unknown"
    where = f"{position.aircraft} was {nm:.1f} NM from {area.id}{high} at {instant.show(position.t_ms)}"
    if over:
        sentence = f"{mode}{position.aircraft} at {area.id}: {over}"
    elif standing.advice is Advice.NO_COMM:
        meets = f" Its height may meet: {', '.join(standing.blocks)}." if standing.blocks else ""
        sentence = (
            f"{mode}{where}, inside {area.no_comm_mm / MM_PER_NM:g} NM, and nobody has contact with it.{meets} Who it "
            "is and what it means to do is unknown."
        )
    else:
        sentence = f"{mode}{where}, inside {area.call_in_mm / MM_PER_NM:g} NM, and has not called in."
    return RingWarning(
        area=area.id, aircraft=position.aircraft, ring=standing.ring.value, advice=standing.advice.value,
        distance_mm=standing.distance_mm, blocks=standing.blocks, t_ms=position.t_ms, sentence=sentence, level=level,
    )  # fmt: skip
