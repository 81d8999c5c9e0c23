# SPDX-License-Identifier: Apache-2.0
"""How two notices that meet look on a terminal: how grave, who is asked to move, proposals, what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wideberth.cli import show
from wideberth.core.say.tongue import isolate


def beside(row: Mapping[str, Any]) -> None:
    """What `conflicts` shows below one sentence."""
    if row.get("severity"):
        show.say(f"    {row['severity']['says']}")
    if row.get("shared"):
        shared(row["shared"], "    ")
    for tried in row.get("ways", ()):
        _way(tried)


def one(view: Mapping[str, Any]) -> None:
    """One conflict of two notices, whole."""
    pair = " and ".join(f"{n['ref']} version {n['version']} of {n['author']}" for n in view["notices"])
    show.say(f"{view['conflict']}: {pair} ({view['mechanism']})", style="bold")
    if view["found"] is not None:
        show.say(f"    {view['found']['sentence']}")
        show.say(f"    {view['found']['severity']['says']}")
    elif view["stands"]:
        show.say("    By the check of this node they keep apart; it was spoken of, and counts all the same.")
    else:
        show.say("    One of the two has a newer version, or is over.")
    shared(view, "    ")


def shared(view: Mapping[str, Any], indent: str) -> None:
    """What both ends have of it."""
    show.say(f"{indent}{view['conflict']}  {view['moves']['sentence']}")
    outcomes = ", ".join(f"{author} {outcome}" for author, outcome in view["outcomes"].items())
    show.say(f"{indent}outcome: {outcomes}", style="bold yellow" if view["unresolved"] else "")
    for proposal in view["proposals"]:
        text = f"  {isolate(proposal['text'])} ({proposal['language']})" if proposal["text"] else ""
        when = _windows(proposal["volumes"])
        show.say(f"{indent}proposed by {show.by(proposal)} at {show.utc(proposal['t_ms'])}: {proposal['moves']} "
                 f"{proposal['how']}, {when}{text}")  # fmt: skip
    if view["proposals"]:
        show.say(f"{indent}{view['optional']}", style="dim")
    for said in view["said"]:
        text = f"  {isolate(said['text'])} ({said['language']})" if said["text"] else ""
        show.say(f"{indent}{show.by(said)} recorded {said['outcome']} at {show.utc(said['t_ms'])}{text}")


def _way(tried: Mapping[str, Any]) -> None:
    asked = " (asked to move)" if tried.get("asked") else ""
    show.say(f"    {tried['of']}{asked} {tried['how']:<7} {tried['says']}", style="" if tried["size"] else "dim")


def ways(found: list[dict[str, Any]]) -> None:
    for tried in found:
        _way(tried)


def _windows(volumes: list[dict[str, Any]]) -> str:
    first = volumes[0]
    more = f" and {len(volumes) - 1} more" if len(volumes) > 1 else ""
    return f"{show.utc(first['start_ms'])} to {show.utc(first['end_ms'])}{more}"
