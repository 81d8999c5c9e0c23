# SPDX-License-Identifier: Apache-2.0
"""How the state of a line, the calls beside it and statements of position look on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wideberth.cli import show


def states(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        show.say(f"{name(line)}: {line['state']}", style="bold")
        peers(line)
        for peer, each in line["peers"].items():
            for turn in each["turns"][1:]:
                show.say(f"    {show.utc(turn['t_ms'])}  {peer}: {turn['state']}")
    if not lines:
        show.say("No line yet: `wideberth invite OTHER` offers one, `wideberth accept FILE` takes one.")


def doubtful(lines: list[dict[str, Any]]) -> None:
    """Of the status: the lines that are not open, or on which somebody waits for an answer."""
    for line in lines:
        waits = any(each["asked_us"] or each["due_ms"] for each in line["line"]["peers"].values())
        if line["line"]["state"] != "OPEN" or waits:
            show.say(f"{name(line)}: {line['line']['state']}", style="bold")
            peers(line["line"])


def peers(line: Mapping[str, Any]) -> None:
    """One line for each peer, and what waits to be done about it."""
    for peer, each in line["peers"].items():
        style = "" if each["state"] == "OPEN" else "bold red"
        show.say(f"  {peer}: {sentence(each)}", style=style)
        for asked in each["asked_us"][-1:]:
            show.say(f"    {asked['by']} asked at {show.utc(asked['t_ms'])}: answer with `wideberth linecheck answer`")
        for asked in each["we_asked"][-1:]:
            show.say(f"    we asked at {show.utc(asked['t_ms'])}, and have no answer yet")
        for due_ms in each["due_ms"]:
            show.say(f"    the line check of {show.utc(due_ms)} is due: `wideberth linecheck ask`")
        if rung := each["fallback"]:
            show.say(f"    next: {rung['kind']}, {rung['how']}; log it with `wideberth voice --rung {rung['kind']}`")
        if each["calls"]["attempts"]:
            show.say(f"    {rate(each['calls'])}")


def sentence(each: Mapping[str, Any]) -> str:
    """`SILENT since …: 3 line checks missed, why is not known`."""
    head = f"{each['state']} since {show.utc(each['since_ms'])}"
    if each["missed"] and each["cause"] == "CHECKS":
        count = "1 line check" if each["missed"] == 1 else f"{each['missed']} line checks in a row"
        return f"{head}: {count} missed, the last at {show.utc(each['last_missed_ms'])}; why is not known"
    said = f": “{each['reason']}”" if each["reason"] else ""
    checked = f"; last answered {show.utc(each['answered_ms'])}" if each["answered_ms"] else ""
    return f"{head}{said}{checked}"


def rate(calls: Mapping[str, Any]) -> str:
    return f"{calls['attempts']} calls logged, {calls['answered']} answered: response rate {calls['rate_percent']} %"


def contacts(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        show.say(name(line), style="bold")
        show.table(
            ("when", "by", "to", "how", "outcome", "said"),
            [
                (show.utc(c["at_ms"]), c["by"], c["party"], f"{c['medium']} {c['frequency']}".rstrip(), c["outcome"],
                 c["answer"])
                for c in line["contacts"]
            ],
        )  # fmt: skip
        for each in line["rates"]:
            show.say(f"  {each['from']} to {each['to']}: {rate(each)}")


def statements(found: list[dict[str, Any]]) -> None:
    for each in found:
        mark = "  [on a line that is not for statements]" if each["misplaced"] else ""
        show.say(f"{show.utc(each['t_ms'])}  {each['by']} ({each['language']}){mark}", style="bold")
        show.say(f"  {each['text']}")
    if not found:
        show.say("No statement was posted.")
    show.say("A statement of position changes nothing.", style="dim")


def name(line: Mapping[str, Any]) -> str:
    """The mechanism, what is not real, what the line is for, and how to name it with --line."""
    mode = "" if line["mode"] == "REAL" else f" [{line['mode']}]"
    return f"{line['mechanism']}{mode}, {line['purpose']}, {line['ch'][:12]}"
