# SPDX-License-Identifier: Apache-2.0
"""The hand-over of a watch (domain.md B10): everything that is open, signed by who goes and countersigned by who comes.

    offered = await give(room, sign, "BLUE/watch-1", "BLUE/watch-2", note)
    taken = await accept(room, sign, "BLUE/watch-2")

Nobody writes the list: it is what is open at the desk at that moment, and it is countersigned only while it still is
that. So nothing that is open can be left out. Who comes has the items of who goes from then on. It is kept in `desk.db`
and never sent; both signatures are by posts' keys, over the same bytes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from wideberth.core.desk.desk import Desk, DeskBatch
from wideberth.core.desk.escalation import Logged
from wideberth.core.limits import TEXT_CHARS_MAX
from wideberth.core.say.base import short
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.envelope import Envelope
from wideberth.desk.room import Room
from wideberth.errors import BadInput, NotFound

TYPE: Final = "application/vnd.wideberth.handover+json"
# The hand-over of a desk with more than this open is a list that nobody reads.
_LISTED_MAX: Final = 200

# Signs bytes of a type as one of our posts. Raises Fault.
Sign = Callable[[str, str, bytes], Awaitable[Envelope]]


class OpenItem(msgspec.Struct, frozen=True):
    item: str
    about: str
    urgency: str
    state: str
    owner: str
    sentence: str


class Handover(msgspec.Struct, frozen=True):
    """What both sign. `units`: notices that not every own unit has, as the board at home says it."""

    v: int
    by: str
    to: str
    t_ms: int
    items: tuple[OpenItem, ...]
    units: tuple[str, ...]
    note: str = ""


async def give(room: Room, sign: Sign, by: str, to: str, note: str) -> dict[str, Any]:
    """Who goes signs what is open. Raises Fault."""
    short(note, TEXT_CHARS_MAX, "note")
    if by == to:
        raise BadInput("a hand-over is countersigned by another post than the one that signed it", field="to")
    view = room.view()
    stated = Handover(1, by, to, view["at_ms"], _items(view), _units(view), note)
    if len(stated.items) > _LISTED_MAX:
        raise BadInput(f"{len(stated.items)} items are open: see to some of them first (`done`)", field="items")
    payload = canonical.encode(stated)
    sealed = await sign(by, TYPE, payload)
    kept = {"state": "OFFERED", "handover": msgspec.to_builtins(stated), "envelope": msgspec.to_builtins(sealed)}
    number = await room.read(lambda store: store.keep_handover(stated.t_ms, kept))
    await room.do(lambda _, now_ms: _log(now_ms, by, "HANDOVER", f"{number}: to {to}, {len(stated.items)} open"))
    return {"n": number, **kept}


async def accept(room: Room, sign: Sign, by: str, number: int = 0) -> dict[str, Any]:
    """Who comes countersigns the newest that was offered to them, or that number. Raises NotFound; BadInput when what
    is open is not what was signed any more."""
    found = await room.read(lambda store: store.handovers(last=1_000))
    waiting = [h for h in found if h["handover"]["to"] == by and h["state"] == "OFFERED" and number in (0, h["n"])]
    if not waiting:
        raise NotFound(f"no hand-over waits for {by}; who goes gives one with `handover give {by.rpartition('/')[2]}`")
    kept = waiting[-1]
    stated = msgspec.convert(kept["handover"], Handover)
    listed, now = {item.item for item in stated.items}, {item.item for item in _items(room.view())}
    if new := sorted(now - listed):
        raise BadInput(
            f"{', '.join(new)} came since {stated.by} signed: let them sign anew (`handover give`), so that nothing "
            "that is open is left out",
            field="items",
        )
    first = msgspec.convert(kept["envelope"], Envelope)
    second = await sign(by, TYPE, first.payload_bytes())
    both = msgspec.structs.replace(first, signatures=(*first.signatures, *second.signatures))
    n = int(kept.pop("n"))
    done = {**kept, "state": "TAKEN", "envelope": msgspec.to_builtins(both)}
    await room.read(lambda store: store.countersigned(n, done))
    out, who = room.person("", stated.by), room.person("", by)

    def take(desk: Desk, now_ms: int) -> DeskBatch:
        batch = _log(now_ms, by, "HANDOVER", f"{n}: taken from {stated.by}")
        for item in desk.open():
            if item.owner and item.owner == out and who and who != out:
                batch += desk.taken(item.key, who, now_ms)
        return batch

    await room.do(take)
    return {"n": n, **done}


def check(kept: dict[str, Any], publics: dict[str, str], verifier: Any) -> None:
    """Both signatures of one that was taken. `publics`: post (`BLUE/watch-1`) to public key. Raises BadSignature."""
    sealed = msgspec.convert(kept["envelope"], Envelope)
    stated = msgspec.json.decode(sealed.payload_bytes(), type=Handover)
    for post in (stated.by, stated.to):
        envelope.check(sealed, sealed.payload_bytes(), publics[post], verifier, f"the hand-over, by {post}")


def _items(view: dict[str, Any]) -> tuple[OpenItem, ...]:
    return tuple(OpenItem(*(item[name] for name in OpenItem.__struct_fields__)) for item in view["items"])


def _units(view: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{each['ref']}: {each['says']}" for each in view["relays"] if not each["fully"])


def _log(now_ms: int, by: str, event: str, note: str) -> DeskBatch:
    return DeskBatch(log=(Logged(now_ms, "desk", event, by, "", note),))
