# SPDX-License-Identifier: Apache-2.0
"""`python -m wideberth.inner.process PLANS.db`: the child that holds own plans. It ends when its input ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from wideberth.core.batch import Now
from wideberth.core.inner import Event as InnerEvent
from wideberth.core.inner import Inner, PlanDropped, PlanGiven, Tick
from wideberth.core.rings import AreaDropped, AreaGiven, Reported, Rings
from wideberth.core.rings import Event as RingEvent
from wideberth.core.say.plan import DraftRecord
from wideberth.core.tells import FaultSeen, Level
from wideberth.core.unitwatch import UnitsGiven, UnitWatch
from wideberth.core.warned import Warned
from wideberth.errors import BadInput, Fault, Misuse, NotFound
from wideberth.folder import Watched
from wideberth.formats.units import read_units
from wideberth.inner.protocol import (
    Ask,
    DropDraft,
    DropPlan,
    DropRings,
    FaultText,
    GivePlan,
    GiveRings,
    KeepDraft,
    ListCrossings,
    ListDrafts,
    ListExposures,
    ListPlans,
    ListRings,
    ReportPosition,
    Request,
    Response,
    Take,
)
from wideberth.store.plans import PlanStore

# Where processors are short the node goes first: no warning waits because own plans are being weighed.
_NICE: Final = 5
UNITS: Final = "units.toml"
_ENCODER: Final = msgspec.json.Encoder()
_REQUESTS: Final = msgspec.json.Decoder(Request)


class Child:
    def __init__(self, store: PlanStore, out: BinaryIO) -> None:
        self._store = store
        self._out = out
        self._inner = Inner.load(store.plans())
        self._rings = Rings.load(store.rings())
        self._units = UnitWatch()
        self._units_file = Watched(store.path.with_name(UNITS))

    def handle(self, request: Request) -> None:
        """Carry one request out; every outcome is an answer or a fault, never an end of the child."""
        self._read_units(request.now)
        try:
            answer = self._answer(request.ask, request.now)
        except Fault as fault:
            details = {k: v for k, v in fault.details.items() if isinstance(v, str | int | bool)}
            self._say(Response(request.id, fault=FaultText(fault.name, fault.sentence, details)))
            return
        if request.id:
            self._say(Response(request.id, answer))

    def ready(self) -> None:
        self._say(Response(0, "ready"))

    def _answer(self, ask: Ask, now: Now) -> Any:
        match ask:
            case Take():
                for event in ask.feed:
                    for met in self._units.step(event, now):  # first: a crew that is in it must hear of it
                        self._tell(met)
                    self._step(event, now)
                if not ask.feed:
                    self._step(Tick(), now)
                return None
            case GivePlan():
                self._step(PlanGiven(ask.plan), now)
                return ask.plan.id
            case DropPlan():
                self._step(PlanDropped(ask.id), now)
                return ask.id
            case ListPlans():
                return self._inner.plans()
            case ListExposures():
                return self._inner.exposures()
            case ListCrossings():
                return self._inner.crossings()
            case KeepDraft():
                return self._keep_draft(ask)
            case ListDrafts():
                return [{"id": r.id, "draft": msgspec.json.decode(r.json)} for r in self._store.drafts()]
            case DropDraft():
                if ask.id not in {r.id for r in self._store.drafts()}:
                    raise NotFound(f"there is no draft {ask.id!r}; `notice draft list` shows them", draft=ask.id)
                self._store.keep_draft(DraftRecord(ask.id, b""))
                return ask.id
            case ListRings():
                return self._rings.view(now.t_ms)
            case GiveRings() | DropRings() | ReportPosition():
                return self._ring(ask, now)
        raise Misuse(f"the inner process does not know {type(ask).__name__}")

    def _keep_draft(self, ask: KeepDraft) -> str:
        known = {r.id for r in self._store.drafts()}
        if ask.id and ask.id not in known:
            raise NotFound(f"there is no draft {ask.id!r}; `notice draft list` shows them", draft=ask.id)
        id_ = ask.id or f"draft-{1 + max((int(d.removeprefix('draft-')) for d in known), default=0)}"
        data = msgspec.json.encode(ask.draft)
        if len(data) > 65_536:
            raise BadInput("this draft is longer than any notice may be", field="draft")
        self._store.keep_draft(DraftRecord(id_, data))
        return id_

    def _ring(self, ask: GiveRings | DropRings | ReportPosition, now: Now) -> Any:
        match ask:
            case GiveRings(area):
                event: RingEvent = AreaGiven(area)
            case DropRings(id_):
                event = AreaDropped(id_)
            case ReportPosition(id_, position, gone):
                event = Reported(id_, position, gone)
        batch = self._rings.step(event, now)
        self._store.keep_rings(batch.keep)
        for tell in batch.tell:
            self._tell(tell)
        if isinstance(ask, ReportPosition) and not ask.gone:
            return self._rings.row(ask.id, ask.position.aircraft, now.t_ms)
        return None

    def _step(self, event: InnerEvent, now: Now) -> None:
        batch = self._inner.step(event, now)
        if batch.keep:
            self._store.keep(batch.keep)
        for tell in batch.tell:
            self._tell(tell)

    def _read_units(self, now: Now) -> None:
        """Own units, when their file is another than before; one that cannot be used is told, and the old ones hold."""
        try:
            text = self._units_file.changed()
            if text is not None:
                for met in self._units.step(UnitsGiven(read_units(text)), now):
                    self._tell(met)
        except Fault as fault:
            self._tell(FaultSeen("BadUnits", fault.whose, fault.sentence, level=Level.RING))

    def _tell(self, tell: Warned | FaultSeen) -> None:
        self._say(Response(tell=tell))

    def _say(self, response: Response) -> None:
        self._out.write(_ENCODER.encode(response) + b"\n")
        self._out.flush()


def main() -> int:
    os.nice(_NICE)
    out = sys.stdout.buffer
    try:
        child = Child(PlanStore(Path(sys.argv[1])), out)
    except Fault as fault:
        out.write(_ENCODER.encode(Response(0, fault=FaultText(fault.name, fault.sentence, {}))) + b"\n")
        out.flush()
        return 1
    child.ready()
    for line in sys.stdin.buffer:
        child.handle(_REQUESTS.decode(line))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
