# SPDX-License-Identifier: Apache-2.0
"""Everything that the command line prints: tables, sentences, JSON and faults, in one place.

What came from a peer is text, never orders to the terminal: control characters and bidirectional overrides are shown as
signs, and no markup in it is read.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wideberth.cli.session import here
from wideberth.core.say.tongue import END, ISOLATE, SPELLING
from wideberth.errors import Fault

if TYPE_CHECKING:
    from rich.console import Console


def plain(text: object) -> str:
    """One line that cannot move the cursor, ring the bell, colour anything or turn the writing round.

    What stands in a Unicode isolate (core/say/tongue.py) runs its own way and turns nothing but itself, so isolates
    that are closed are kept, with the marks that spelling needs inside them.
    """
    signs, depth = str(text), 0
    depths = [depth := depth + (c == ISOLATE) - (c == END) for c in signs]
    closed = not depths or (min(depths) >= 0 and depths[-1] == 0)
    kept = {ISOLATE, END} if closed else set()
    return "".join(
        c if c in kept or unicodedata.category(c) not in _ORDERS or (closed and d and c in SPELLING) else "�"
        for c, d in zip(signs, depths, strict=True)
    )


_ORDERS = frozenset({"Cc", "Cf", "Zl", "Zp"})


def as_json(data: Any) -> str:
    """ASCII only, one line: safe on every terminal, and one record per line for programs."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":"))


def result(data: Any, render: Callable[[Any], None]) -> None:
    """The result of a verb: JSON with `--json`, else as `render` prints it."""
    if here().json:
        print(as_json(data))
    else:
        render(data)


def tell(data: Any, text: str) -> None:
    """The result of a verb: JSON with `--json`, else these lines of our own."""
    result(data, lambda _: say(*text.split("\n")))


def rows(data: Iterable[Any], render: Callable[[list[Any]], None]) -> None:
    """A list: one JSON line each with `--json`, else as `render` prints it."""
    if here().json:
        for item in data:
            print(as_json(item))
    else:
        render(list(data))


@contextmanager
def bar(name: str) -> Generator[Callable[[int, int], None], None, None]:
    """A bar on the standard error while something long is done: tell it how much was done, of how much.

    Nothing where that is no terminal, nor with `--json`.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    err = console(stderr=True)
    with Progress(*columns, console=err, transient=True, disable=here().json or not err.is_terminal) as shown:
        task = shown.add_task(name, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def say(*sentences: object, style: str = "") -> None:
    """Sentences on the standard output."""
    _print(console(), sentences, style)


def picture(lines: Sequence[str]) -> None:
    """Lines of our own whose dark parts are drawn, black on white whatever the terminal's colours are."""
    to = console()
    for line in lines:
        to.print(line, style="black on white", markup=False, highlight=False, soft_wrap=True, emoji=False)


def note(*sentences: object, style: str = "") -> None:
    """Sentences beside the result: on the standard error, so that a program's JSON stays whole."""
    _print(console(stderr=True), sentences, style)


def _print(to: Console, sentences: Iterable[object], style: str) -> None:
    for sentence in sentences:
        to.print(plain(sentence), style=style or None, markup=False, highlight=False, soft_wrap=True, emoji=False)


def console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    # Made anew each time: tests and pipes change the standard streams.
    return Console(file=sys.stderr if stderr else sys.stdout, markup=False, highlight=False, emoji=False)


def table(columns: Sequence[str], lines: Iterable[Sequence[object]], *, title: str = "") -> None:
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for line in lines:
        drawn.add_row(*(Text(plain(cell)) for cell in line))
    console().print(drawn)


def pairs(values: Mapping[str, object] | Sequence[tuple[str, object]]) -> None:
    """`name  value`, one per line; empty values are left out."""
    listed = list(values.items() if isinstance(values, Mapping) else values)
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        if value not in ("", None, [], ()):
            say(f"{name:<{width}}  {value}")


def fault(what: Fault) -> None:
    """A fault, on the standard error: whose it is, what is wrong, what to do."""
    if here().json:
        print(as_json(_jsonable(what.as_json())), file=sys.stderr)
        return
    whose = {"ours": "Not done", "theirs": "The other side", "world": "Not possible now"}[what.whose]
    problems = what.details.get("problems")
    if isinstance(problems, dict) and len(problems) > 1:
        note(
            f"{whose}: {len(problems)} fields are missing or cannot be used. Nothing was signed or sent.",
            style="bold red",
        )
        for field, sentence in problems.items():
            note(f"  {field}: {sentence}")
    else:
        note(f"{whose}: {what.sentence}", style="bold red")
    if (score := what.details.get("complete")) and score["below"]:
        note(f"As it is, it is {score['sentence']}.")
    if draft := what.details.get("draft"):
        note(
            f"What you gave is kept as draft {draft}. Complete it: `wideberth notice draft send {draft} …` with the "
            "missing options. If it cannot wait: `wideberth alert` needs no field."
        )


def _jsonable(data: Any) -> Any:
    return json.loads(json.dumps(data, default=repr))


def span(ms: int) -> str:
    """To the second, downward: a lead time is never shown longer than it is."""
    from wideberth.core.say.instant import show_span

    return show_span(ms // 1000 * 1000 if abs(ms) >= 1000 else ms)


def length(mm: int) -> str:
    """For the eye: metres below 10 km, else kilometres with one decimal, upward."""
    return f"{-(-mm // 1000):,} m" if mm < 10_000_000 else f"{-(-mm // 100_000) / 10:,.1f} km"


def utc(t_ms: int) -> str:
    from wideberth.core.say.instant import show

    return show(t_ms)


def by(what: Mapping[str, Any]) -> str:
    """Who said it, and whether the glass was broken for that."""
    return f"{what['by']} (BREAK GLASS)" if what.get("break_glass") else str(what["by"])


def said(answer: Mapping[str, Any]) -> None:
    """What became of an own command: its reference, lateness, warnings. Says what it does not mean, too."""
    from wideberth.core.call.sentences import VOICE_CHECKED, late
    from wideberth.core.say.words import RECEIPT_ONLY

    facts, ref = answer["facts"], answer["ref"]
    version = f" version {answer['version']}" if answer["version"] > 1 else ""
    done = "read back, MISMATCH" if facts.get("step") == "MISMATCH" else _DONE.get(answer["kind"], answer["kind"])
    who = by({"by": answer["by"], **facts})
    say(f"{ref}{version}: {done}, by {who}." if ref else f"{done.capitalize()}, by {who}.")
    if answer["kind"] == "report":
        say(f"Reported: {facts['state']} at {utc(facts['at_ms'])}.")
    lead = facts.get("lead_given")
    if lead:
        is_late = late(facts)
        say(f"{is_late}. It goes out at once." if is_late else f"Lead {span(lead['lead_ms'])}, not late.",
            style="bold yellow" if is_late else "")  # fmt: skip
    if (score := facts.get("complete")) and not score["below"]:  # below, it is one of the warnings
        say(f"{score['sentence'][0].upper()}{score['sentence'][1:]}.")
    if answer["kind"] == "ack":
        say(RECEIPT_ONLY)
    if facts.get("code_checked"):
        say(VOICE_CHECKED)
    if facts.get("outside"):
        note(f"Marked: {facts['outside']}.", style="bold yellow")
    for warning in facts.get("warnings", ()):
        note(f"Note: {warning}", style="yellow")
    if facts.get("by_voice"):
        script = f"read out `wideberth notice script {ref}`, then log" if answer["kind"] != "alert" else "then log"
        who = ", ".join(facts["by_voice"])
        note(f"{who} has no node: call now, {script} what they answer with `wideberth voice`.", style="bold yellow")
    for other in answer.get("also", ()):
        say(f"On the line with {', '.join(other['told_to'])} as well:")
        said(other)
    for why in answer.get("failed", ()):
        note(f"On another line it could not be raised: {why}", style="bold red")
    if facts.get("void"):
        say(f"Void now, to be answered anew: {', '.join(facts['void'])}.")


_DONE = {
    "alert": "ALERT raised; make it precise with `notice give --refines`",
    "notice": "given",
    "amend": "amended",
    "correct": "corrected",
    "extend": "extended",
    "offnominal": "declared off-nominal",
    "cancel": "cancelled",
    "report": "reported",
    "ack": "acknowledged",
    "insufficient": "found insufficient",
    "readback": "read back",
    "objection": "objection recorded",
    "refused": "recorded as not taken",
    "relay": "relay counted",
    "remedy": "proposed; it changes nothing until its owner amends",
    "outcome": "outcome recorded, for our own side",
    "nil": "nothing planned, as said",
    "outage": "outage announced",
    "voice": "call logged",
    "message": "sent",
    "translation": "translated; it stands beside the text",
    "heardas": "read back; its author compares",
    "ask": "asked; nothing waits for the answer",
    "answer": "answered",
    "whose": "asked whose it is; it stays unknown until somebody answers",
    "owner": "answered",
    "verified": "looked at, and found",
    "confirm": "confirmed",
    "checkin": "checked in",
    "check": "line check asked",
    "checked": "line check answered",
    "line": "word about the line recorded",
    "statement": "statement posted; it changes nothing",
}
