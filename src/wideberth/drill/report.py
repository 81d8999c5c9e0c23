# SPDX-License-Identifier: Apache-2.0
"""The after-action of a drill: a timeline with one column for each party, by its own clock; the checks; what to train.

The same value is shown on a terminal, written as text or JSON to a file, and printed with `--json`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from wideberth import folder
from wideberth.cli.show import plain
from wideberth.core.say import instant
from wideberth.core.say.words import SCOPE
from wideberth.core.tells import Level, Tell
from wideberth.core.warned import Warned
from wideberth.demo.nodes import Seen
from wideberth.demo.screen import PRIVATE
from wideberth.drill.model import Check
from wideberth.drill.scene import Did, Scene

_FILE_COLUMNS: Final = 140
_SEEN_CHARS: Final = 100  # of a check that passed; the whole stands in the JSON


class Line(msgspec.Struct, frozen=True):
    """One line of the timeline. `at_ms` is the party's own clock; `did`: an officer's act, else what the node told."""

    at_ms: int
    party: str
    text: str
    did: bool = False


class AfterAction(msgspec.Struct, frozen=True):
    """What came of a drill. `ok`: it was played to its end, and every check passed."""

    drill: str
    title: str
    source: str
    faults: tuple[str, ...]
    ok: bool
    passed: int
    of: int
    checks: tuple[Check, ...]
    train: tuple[str, ...]
    parties: tuple[str, ...]
    timeline: tuple[Line, ...]
    took_s: float
    scope: str = SCOPE


def after_action(scene: Scene, faults: Iterable[str], took_s: float) -> AfterAction:
    drill, checks = scene.drill, tuple(scene.checks)
    failed = [check for check in checks if not check.passed]
    train = tuple(dict.fromkeys(check.train or f"{check.id}: {check.what}" for check in failed))
    told = scene.world.seen[scene.began :]
    return AfterAction(
        drill.name, drill.title, drill.source, tuple(faults), bool(checks) and not failed, len(checks) - len(failed),
        len(checks), checks, train, drill.parties, tuple(timeline(scene.did, told)), round(took_s, 1),
    )  # fmt: skip


# --- the timeline ---


def timeline(did: Iterable[Did], seen: Iterable[Seen]) -> list[Line]:
    """What officers did and what their nodes told them, in the order in which it happened on this machine."""
    lines = [(each.at_ns, Line(each.at_ms, each.who, each.text, True)) for each in did]
    rang = set()
    for each in seen:
        text, entry = sentence(each), each.tell.get("entry")
        if text and (each.first or (each.node, entry) not in rang):  # what rang is not told again when it is recorded
            lines.append((each.at_ns, Line(each.at_ms, each.node, text)))
        if each.first:
            rang.add((each.node, entry))
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]


def _levels() -> dict[str, str]:
    """How loudly each kind of tell is told where it does not say."""
    found = {}
    for kind in (*Tell.__args__, *Warned.__args__):
        default = next((f.default for f in msgspec.structs.fields(kind) if f.name == "level"), Level.NOTE)
        found[str(kind.__struct_config__.tag)] = str(default)
    return found


_LEVELS: Final = _levels()


def sentence(seen: Seen) -> str:
    """A tell as a line of the timeline; empty for what is for programs, and for what another line says already."""
    tell = seen.tell
    level = tell.get("level") or _LEVELS.get(tell["tell"], str(Level.NOTE))
    text = str(tell.get("sentence", ""))
    if not text or level == Level.QUIET:
        return ""
    ring = "RINGS: " if level == Level.RING or seen.first else ""
    own = "known to us alone: " if tell["tell"] in PRIVATE else ""
    return f"{ring}{own}{text}"


# --- for people ---


def shown(report: AfterAction, to: Console) -> None:
    to.print()
    to.rule(f"{report.drill}: {plain(report.title)}", style="dim", align="left")
    to.print(plain(report.source), style="dim")
    to.print(f"Injected: {', '.join(report.faults) or 'nothing'}.", style="dim")
    to.print()
    to.print(_columns(report))
    to.print()
    to.print(_checks(report.checks))
    to.print()
    verdict = f"Score: {report.passed} of {report.of}, in {report.took_s:.0f} s of this machine's time."
    to.print(verdict, style="bold" if report.ok else "bold red")
    for text in report.train:
        to.print(f"To train: {plain(text)}", style="red")
    to.print()
    to.print(plain(report.scope), style="dim")


def _columns(report: AfterAction) -> Table:
    drawn = Table(
        title="What happened, each by its own clock (UTC)", title_justify="left", title_style="bold", box=None,
        pad_edge=False, padding=(0, 2, 0, 0), expand=True,
    )  # fmt: skip
    for party in report.parties:
        drawn.add_column(party, header_style="bold", ratio=1, overflow="fold")
    days = {instant.show(line.at_ms)[:10] for line in report.timeline}
    for line in report.timeline:
        when = instant.show(line.at_ms - line.at_ms % 1000)
        cell = f"{when if len(days) > 1 else when[11:]} {plain(line.text)}"
        row = [cell if party == line.party else "" for party in report.parties]
        drawn.add_row(*row, style="" if line.did else "dim" if not line.text.startswith("RINGS") else "bold")
    return drawn


def _checks(checks: Iterable[Check]) -> Table:
    drawn = Table(
        title="Checks", title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in ("", "id", "what", "seen"):
        drawn.add_column(column, header_style="dim", overflow="fold")
    for check in checks:
        seen = _short(check.seen) if check.passed else f"{check.expected} expected; {check.seen} seen"
        row = (plain(each) for each in (check.id, check.what, seen))
        drawn.add_row("passed" if check.passed else "FAILED", *row, style="" if check.passed else "bold red")
    return drawn


def _short(text: str) -> str:
    return text if len(text) <= _SEEN_CHARS else text[: _SEEN_CHARS - 1] + "…"


# --- for files and programs ---


def as_data(report: AfterAction) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(report)
    for line in data["timeline"]:
        line["at"] = instant.show(line["at_ms"])
    return data


def as_text(report: AfterAction) -> str:
    written = io.StringIO()
    shown(report, Console(file=written, width=_FILE_COLUMNS, markup=False, highlight=False, emoji=False, no_color=True))
    return "\n".join(line.rstrip() for line in written.getvalue().strip().splitlines()) + "\n"


def write(report: AfterAction, file: Path) -> None:
    """JSON for a name that ends in `.json`, else text. Raises BadInput, StoreFull, Worlds."""
    is_json = file.suffix == ".json"
    text = msgspec.json.format(msgspec.json.encode(as_data(report))).decode() + "\n" if is_json else as_text(report)
    with folder.disk(file):
        folder.write_file(file, text.encode(), replace=True)


def described(listed: dict[str, Any]) -> list[str]:
    """A drill as `drill list` shows it."""
    lines = [f"{listed['name']}  {listed['title']} ({', '.join(listed['parties'])})"]
    for fault in listed["faults"]:
        usual = "injected unless --without" if fault["usual"] else "--fault"
        lines.append(f"      {usual} {fault['name']}: {fault['says']}")
    return lines
