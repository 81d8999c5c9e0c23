# SPDX-License-Identifier: Apache-2.0
"""Every ladder of the core: the diagrams in docs/ are drawn from the tables that the code runs, and every cell of every
table is a move or is known to be none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from wideberth.core.call import mustanswer
from wideberth.core.desk import escalation, relays

DOCS = Path(__file__).resolve().parents[2] / "docs"

# name of the part of the page: (page, states, events, the table, the events that time alone causes)
LADDERS: dict[str, tuple[str, type[StrEnum], type[StrEnum], Mapping[Any, StrEnum], set[str]]] = {
    "must-answer": ("live.md", mustanswer.Answer, mustanswer.Event, mustanswer.MOVES, {"OUT_OF_TIME"}),
    "moves": ("watch.md", escalation.State, escalation.Event, escalation.MOVES, {"OUT_OF_TIME", "EXPIRED"}),
    "relays": ("watch.md", relays.Relay, relays.Confirm, relays.MOVES, {"STARTED"}),
}
BY_TIME = {"UNKNOWN", "OVERDUE", "EXPIRED", "SILENT"}


def part(page: str, name: str) -> str:
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", text, re.S)
    assert found is not None, name
    return found[1]


def diagram(moves: Mapping[Any, StrEnum]) -> str:
    lines = [f"    {state} --> {after}: {event}" for (state, event), after in moves.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


@pytest.mark.parametrize("name", LADDERS)
def test_the_diagram_is_drawn_from_the_table(name: str) -> None:
    page, _, _, moves, _ = LADDERS[name]
    assert part(page, name) == diagram(moves)


@pytest.mark.parametrize("name", LADDERS)
def test_time_alone_leads_only_to_what_means_unknown_or_over(name: str) -> None:
    _, states, events, moves, timed = LADDERS[name]
    assert timed <= set(events)
    assert {str(after) for (_, event), after in moves.items() if event in timed} <= BY_TIME
    assert {state for state, _ in moves} | set(moves.values()) == set(states)
