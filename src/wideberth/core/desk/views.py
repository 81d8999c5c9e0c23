# SPDX-License-Identifier: Apache-2.0
"""The desk as plain data, for terminals and programs of this node; nothing of it is for anybody else."""

from __future__ import annotations

from typing import Any

from wideberth.core.desk.desk import Desk
from wideberth.core.desk.escalation import AGAIN_MS, LADDERS, RINGS, Item
from wideberth.core.desk.relays import BEFORE_MS, Distribution


def desk_view(desk: Desk, at_ms: int) -> dict[str, Any]:
    """Everything that is open, the most urgent first, and every live notice that own units must have."""
    roster = desk.roster
    return {
        "at_ms": at_ms,
        "on_shift": [p.name for p in roster.on_shift(at_ms)],
        "backups": [p.name for p in roster.backups(at_ms)],
        "supervisors": [p.name for p in roster.supervisors(at_ms)],
        "items": [item_view(item, at_ms) for item in desk.open()],
        "relays": [relay_view(found, at_ms) for _, found in sorted(desk.relays.live.items())],
    }


def item_view(item: Item, at_ms: int) -> dict[str, Any]:
    """`next`: the rung that is due next and how long until then; None where nothing more is called."""
    ladder = LADDERS[item.urgency]
    climbs = item.state in RINGS and not item.owner and item.rung < len(ladder)
    due: dict[str, Any] | None = None
    if climbs:
        rung, next_ms = ladder[item.rung], item.since_ms + ladder[item.rung].after_ms
        due = {"who": rung.who.value, "how": rung.how.value, "at_ms": next_ms, "in_ms": max(0, next_ms - at_ms)}
    elif item.state in RINGS:
        again_ms = item.again_ms or item.since_ms + AGAIN_MS
        due = {"who": "EVERYBODY", "how": "RING", "at_ms": again_ms, "in_ms": max(0, again_ms - at_ms)}
    return {
        "item": item.key, "about": item.name, "urgency": item.urgency.value, "state": item.state.value,
        "owner": item.owner, "sentence": item.sentence, "since_ms": item.since_ms, "rung": item.rung, "next": due,
    }  # fmt: skip


def relay_view(found: Distribution, at_ms: int) -> dict[str, Any]:
    """How far one notice came: `3/4 relayed, missing U3`. `count` may be told to the other side, by an officer; the
    names may not."""
    ch, _, ref = found.key.partition("|")
    begun = found.start_ms <= at_ms
    missing = f", missing {', '.join(found.missing)}" if found.missing else ""
    mark = " NOT FULLY RELAYED" if found.missing and at_ms >= found.start_ms - BEFORE_MS else ""
    return {
        "ch": ch, "ref": ref, "entry": found.entry, "units": {u: s.value for u, s in found.units.items()},
        "relayed": found.relayed, "of": len(found.units), "missing": found.missing, "begun": begun,
        "start_ms": found.start_ms, "end_ms": found.end_ms, "fully": not found.missing,
        "says": f"{found.relayed}/{len(found.units)} relayed{missing}{mark}",
        "count": f"wideberth relay {ref} --count {found.relayed}/{len(found.units)}",
    }  # fmt: skip
