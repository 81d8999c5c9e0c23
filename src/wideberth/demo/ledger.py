# SPDX-License-Identifier: Apache-2.0
"""Looking back: who said what when, from the nodes' own views (`core/call/views.py`), and what was measured."""

from __future__ import annotations

from typing import Any

from wideberth.core.say import instant


def row(view: dict[str, Any], version: dict[str, Any]) -> tuple[str, ...]:
    """One version of a notice or an ALERT, on a line of two: given, by, what, lead given, lead delivered, and when the
    other side acknowledged and read back."""
    (rungs,) = version["ladder"].values()  # a line of two parties has one other member
    when = {r["step"]: instant.show(r["t_ms"])[11:] for r in rungs}
    lead, delivered = version.get("lead_given"), lead_delivered(version)
    number = f" v{version['version']}" if len(view["versions"]) > 1 else ""
    return (
        version["given"][11:],
        version["by"],
        f"{version['kind'].upper()}{'' if view['kind'] == 'alert' else ' ' + view['ref']}{number}",
        _lead(lead),
        _lead(delivered),
        when.get("ACKNOWLEDGED", "no"),
        when.get("READ_BACK", "-" if view["kind"] == "alert" else "no"),
    )


def lead_delivered(version: dict[str, Any]) -> dict[str, Any] | None:
    """`{"lead_ms", "shortfall_ms", "late"}` by the receiver's signed receipt, where there is one."""
    for rungs in version["ladder"].values():
        for rung in rungs:
            if rung["step"] == "DELIVERED":
                found: dict[str, Any] | None = rung["facts"].get("lead_delivered")
                return found
    return None


def _lead(lead: dict[str, Any] | None) -> str:
    if not lead:
        return "-"
    return instant.show_span(lead["lead_ms"]) + (" LATE" if lead["late"] else "")


def spread(values: list[float]) -> dict[str, Any]:
    """`{"n", "median", "max"}` of figures in one unit."""
    ordered = sorted(values)
    if not ordered:
        return {"n": 0}
    return {"n": len(ordered), "median": ordered[len(ordered) // 2], "max": ordered[-1]}


def in_ms(ns: int) -> float:
    return round(ns / 1e6, 1)
