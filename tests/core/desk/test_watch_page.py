# SPDX-License-Identifier: Apache-2.0
"""The tables and diagrams of docs/watch.md are those that the code runs."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from wideberth.core.desk import escalation, relays

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "watch.md").read_text(encoding="utf-8")


def part(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", PAGE, re.S)
    assert found is not None, name
    return found[1]


def diagram(moves: dict[tuple[StrEnum, StrEnum], StrEnum]) -> str:
    lines = [f"    {state} --> {after}: {event}" for (state, event), after in moves.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def test_the_ladders_are_those_of_the_code() -> None:
    rows = [
        f"| {urgency} | {rung.after_ms // 1000} s | {rung.who} | {rung.how} |"
        for urgency, ladder in escalation.LADDERS.items()
        for rung in ladder
    ]
    assert part("ladders") == "\n".join(["| urgency | after | who | how |", "|---|---|---|---|", *rows])


def test_the_diagrams_are_drawn_from_the_tables() -> None:
    assert part("moves") == diagram(escalation.MOVES)  # type: ignore[arg-type]
    assert part("relays") == diagram(relays.MOVES)  # type: ignore[arg-type]
