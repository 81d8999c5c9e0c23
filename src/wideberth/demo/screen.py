# SPDX-License-Identifier: Apache-2.0
"""What the demo shows: the nodes' own sentences as they come, for people (`Terminal`) or as JSON lines (`Lines`).

What belongs to one side alone, its plans and where they meet a notice, is marked "seen on GREEN's side only".
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from wideberth.cli.show import as_json, plain
from wideberth.core.call import sentences
from wideberth.core.say import instant
from wideberth.demo.nodes import Seen

PRIVATE: Final = ("exposed", "eased", "crossed", "uncrossed")
# Tells that follow from an officer's command at the other node, so that the time between the two means something.
_MEASURED: Final = ("heard", *PRIVATE)
_COLOUR: Final = {"BLUE": "bold bright_blue", "GREEN": "bold green", "AMBER": "bold yellow"}
_SAID: Final = {
    "alert": "raises an ALERT",
    "notice": "gives notice {ref}",
    "amend": "amends {ref}: version {version}",
    "correct": "corrects {ref}: version {version}",
}
# Reading time, in seconds for each character shown.
_PACE_S: Final = 0.0125
_STORY_PAUSE_S: Final = 1.5


class Screen(Protocol):
    def heading(self, title: str, text: str) -> None: ...

    def narrate(self, at: str, text: str) -> None: ...

    def did(self, at: str, who: str, text: str, *, private: bool = False) -> None:
        """What an officer did that no tell reports: an own plan written down, a draft that was refused."""

    def tell(self, seen: Seen, after_ms: float | None) -> None:
        """One tell of one node. `after_ms`: since the officer's command, by this machine's monotonic clock."""

    def measured(self, text: str, **figures: Any) -> None: ...

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None: ...

    def end(self, result: dict[str, Any], lines: Sequence[str]) -> None:
        """The figures and what failed, and the last words."""


class Lines:
    """One JSON object per line: `{"event": …}`; the last one is the summary."""

    def heading(self, title: str, text: str) -> None:
        self._print("story", title=title, text=text)

    def narrate(self, at: str, text: str) -> None:
        self._print("narration", at=at, text=text)

    def did(self, at: str, who: str, text: str, *, private: bool = False) -> None:
        self._print("did", at=at, node=who, text=text, private=private)

    def tell(self, seen: Seen, after_ms: float | None) -> None:
        tell = {k: v for k, v in seen.tell.items() if k != "svg"}
        self._print(
            "tell", node=seen.node, at_ms=seen.at_ms, first=seen.first, after_ms=after_ms,
            private=tell["tell"] in PRIVATE, tell=tell,
        )  # fmt: skip

    def measured(self, text: str, **figures: Any) -> None:
        self._print("measured", text=text, **figures)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        for row in rows:
            self._print("ledger", **dict(zip((c.replace(" ", "_") for c in columns), row, strict=True)))

    def end(self, result: dict[str, Any], lines: Sequence[str]) -> None:
        self._print("closing", text=list(lines))
        self._print("summary", **result)

    def _print(self, event: str, **data: Any) -> None:
        sys.stdout.write(as_json({"event": event, **data}) + "\n")
        sys.stdout.flush()


class Terminal:
    """For people: UTC time, whose screen, what it says."""

    def __init__(self, *, fast: bool) -> None:
        from rich.console import Console

        self._console = Console(markup=False, highlight=False, emoji=False)
        self._pace_s = 0.0 if fast else _PACE_S

    def heading(self, title: str, text: str) -> None:
        self._console.print()
        self._console.rule(plain(title), style="dim", align="left")
        self._console.print(plain(text))
        self._console.print()
        self._read(title + text)

    def narrate(self, at: str, text: str) -> None:
        self._row("", "", text, "italic dim")

    def did(self, at: str, who: str, text: str, *, private: bool = False) -> None:
        whose = f"seen on {who}'s side only: " if private else ""
        self._row(f"{at}Z" if at else "", who, whose + text, "magenta" if private else "")

    def tell(self, seen: Seen, after_ms: float | None) -> None:
        text, style = sentence(seen)
        if not text:
            return
        after = f"{after_ms:.0f} ms" if after_ms is not None and seen.tell["tell"] in _MEASURED else ""
        self._row(instant.show(seen.at_ms - seen.at_ms % 1000)[11:], seen.node, text, style, after)

    def measured(self, text: str, **figures: Any) -> None:
        self._row("", "", text, "dim")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        from rich.table import Table

        drawn = Table(
            title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
        )
        for column in columns:
            drawn.add_column(column, header_style="dim", overflow="fold")
        listed = [[plain(cell) for cell in row] for row in rows]
        for row in listed:
            drawn.add_row(*row)
        self._console.print()
        self._console.print(drawn)
        self._read("".join("".join(row) for row in listed))

    def end(self, result: dict[str, Any], lines: Sequence[str]) -> None:
        self._console.print()
        for failed in result["failed"]:
            self._console.print(f"NOT AS EXPECTED: {plain(failed)}", style="bold red")
        if result["ok"]:
            screen, receipt = result["to_screen_ms"], result.get("to_receipt_ms")
            rings = result.get("to_ring_ms")
            rang = f", and {len(rings)} rang after {max(rings):.0f} ms at most" if rings else ""
            back = f"; the signed receipt was back after {receipt['median']:.0f} ms (median)" if receipt else ""
            self._console.print(
                f"{screen['n']} messages crossed: on the other side's screen after {screen['median']:.0f} ms (median), "
                f"{screen['max']:.0f} ms at most{rang}{back}.",
                style="dim",
            )
        self._console.print(
            f"Everything above really happened, in {result['took_s']:.0f} s." if result["ok"] else "The demo failed.",
            style="bold" if result["ok"] else "bold red",
        )
        for line in ("", *lines):
            self._console.print(plain(line))

    def _row(self, at: str, who: str, text: str, style: str, after: str = "") -> None:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=9, no_wrap=True)
        grid.add_column(width=5, no_wrap=True)
        grid.add_column(ratio=1)
        grid.add_column(width=7, no_wrap=True, justify="right")
        cells = Text(at, style="dim"), Text(who, style=_COLOUR.get(who, "")), Text(plain(text), style=style)
        grid.add_row(*cells, Text(after, style="dim"))
        self._console.print(grid)
        self._read(text)

    def _read(self, text: str) -> None:
        if self._pace_s:
            time.sleep(len(text) * self._pace_s)


def sentence(seen: Seen) -> tuple[str, str]:
    """A tell as the line of a terminal, and its style. Empty for what is for programs, or was told in another line."""
    tell = seen.tell
    match tell["tell"]:
        case "said":
            return _said(tell), ""
        case "heard":
            return _heard(seen)
        case "exposed" | "crossed":
            return f"RINGS, seen on {seen.node}'s side only: {tell['sentence']}", "bold magenta"
        case "eased" | "uncrossed":
            return f"seen on {seen.node}'s side only: {tell['sentence']}", "magenta"
        case "overdue":
            return tell["sentence"], "dim" if tell.get("level") == "NOTE" else "bold yellow"
        case "fault":
            return f"{tell['sentence']}", "red"
        case "disk":
            return tell["sentence"], "bold red"
        case _:
            return "", ""


def _heard(seen: Seen) -> tuple[str, str]:
    tell = seen.tell
    if seen.first:
        return f"RINGS: {tell['sentence']}", "bold red"
    urgent = tell["kind"] == "alert" or tell.get("facts", {}).get("lead_given", {}).get("late")
    if urgent:
        return "... and it is on record.", "dim"
    if tell.get("facts", {}).get("step") == "MISMATCH":
        return f"RINGS: {tell['sentence']}", "bold red"
    outside = tell.get("facts", {}).get("outside")
    return f"{tell['sentence']} Marked: {outside}." if outside else tell["sentence"], ""


def _said(tell: dict[str, Any]) -> str:
    if tell["kind"] not in _SAID:
        return ""  # the other side's line says it
    facts = tell.get("facts", {})
    parts = [f"{tell['by']} {_SAID[tell['kind']].format(ref=tell.get('ref'), version=tell.get('version'))}."]
    lead = facts.get("lead_given")
    if lead:
        late = sentences.late(facts)
        parts.append(
            f"{late}: it goes out at once." if late else f"Lead {instant.show_span(lead['lead_ms'])}, not late."
        )
    if facts.get("void"):
        parts.append(f"Void, to be answered anew: what {', '.join(facts['void'])} said about the version before.")
    return " ".join(parts)
