# SPDX-License-Identifier: Apache-2.0
"""The ladders of docs/watch.md are those that the code runs; its diagrams, see tests/core/test_ladders.py."""

from __future__ import annotations

import re
from pathlib import Path

from wideberth.core.desk import escalation

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "watch.md").read_text(encoding="utf-8")


def part(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", PAGE, re.S)
    assert found is not None, name
    return found[1]


def test_the_ladders_are_those_of_the_code() -> None:
    rows = [
        f"| {urgency} | {rung.after_ms // 1000} s | {rung.who} | {rung.how} |"
        for urgency, ladder in escalation.LADDERS.items()
        for rung in ladder
    ]
    assert part("ladders") == "\n".join(["| urgency | after | who | how |", "|---|---|---|---|", *rows])
