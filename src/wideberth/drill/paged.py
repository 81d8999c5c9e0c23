# SPDX-License-Identifier: Apache-2.0
"""Whether every unit in an area was paged in time: by the clock of the node that called, and by the pagers themselves.

The seconds that decide are the node's, as every other time of a drill; those of this machine are shown beside them.
"""

from __future__ import annotations

from typing import Any, Final

from wideberth.drill.scene import SECOND, Scene

_IN_TIME_MS: Final = 10 * SECOND


def check_paged(
    s: Scene, id_: str, who: str, about: str, *, units: tuple[str, ...], spared: str, since_ms: int, began_ns: int
) -> None:
    """`units` must be called, `spared` must not. `since_ms` is when it was said by the drill's clock, `began_ns` by
    this machine's."""
    pager = s.world.pager()

    def rang() -> dict[str, float]:
        return {call.name: (call.at_ns - began_ns) / 1e9 for call in reversed(pager.calls) if call.at_ns >= began_ns}

    s.waits(f"all units in the area are called about {about}", lambda: set(units) <= rang().keys())
    log: list[dict[str, Any]] = s.get(who, "/v1/desk/log", last=5000)
    called = {
        line["person"]: line["at_ms"] - since_ms
        for line in reversed(log)
        if line["event"] in ("CALLED", "PAGED") and line["at_ms"] >= since_ms
    }
    reached = rang()
    late_ms = max((called[unit] for unit in units if unit in called), default=_IN_TIME_MS)
    took_s = max((reached[unit] for unit in units if unit in reached), default=0.0)
    found = [unit for unit in units if unit in called and unit in reached]
    s.check(
        id_, f"every unit of {who}'s in the area is paged about {about}",
        f"{', '.join(units)} in under 10 s; {spared} left alone",
        f"{len(found)} of {len(units)} after {late_ms / SECOND:.0f} s by {who}'s clock ({took_s:.1f} s of this "
        f"machine's); {spared} {'called' if spared in reached else 'left alone'}",
        len(found) == len(units) and late_ms < _IN_TIME_MS and spared not in reached,
    )  # fmt: skip
