# SPDX-License-Identifier: Apache-2.0
"""Questions at a terminal for what was not given as an option, when there is no time: few, short, each with an example.

Where nobody sits at a keyboard nothing is asked, and what is missing is named. What cannot be read is asked for again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer

from wideberth.cli.options import HAZARDS
from wideberth.errors import BadInput


def place(given: str, question: str) -> str:
    """A place in any spelling that is read. Raises: BadInput where nobody can be asked."""
    if not given:
        return _ask(question, "at", " (36.20N 37.15E, DMS, MGRS)", _place)
    return given


def until(given: str, question: str, otherwise: str) -> str:
    """A time; the Enter key takes `otherwise`. Raises: BadInput where nobody can be asked."""
    return given or _ask(question, "until", "", _until, otherwise)


def hazard(given: str) -> str:
    """A hazard of the list by its number, or by the beginning of its name; the Enter key says that it is not known."""
    if given or not sys.stdin.isatty():
        return given or "UNSPECIFIED"
    names = HAZARDS.split(", ")
    numbered = ", ".join(f"{n % len(names)} {name}" for n, name in enumerate(names, 1))
    return _ask(f"Danger ({numbered})", "kind", "", _hazard, "0")


def _hazard(text: str) -> str:
    names = HAZARDS.split(", ")
    if text.isascii() and text.isdecimal() and int(text) < len(names):
        return names[int(text) - 1]
    word = text.strip().upper().replace("-", "_").replace(" ", "_")
    found = [name for name in names if name.startswith(word)] if word else []
    if len(found) != 1:
        raise BadInput(f"{text!r} is none of them, or more than one", field="kind")
    return found[0]


def _place(text: str) -> str:
    from wideberth.core.say.coordinates import parse_point

    parse_point(text, field="at")
    return text


def _until(text: str) -> str:
    from wideberth.web.drafts import time_of

    time_of(text, now_ms=0, field="until")
    return text


def _ask(question: str, field: str, example: str, read: Callable[[str], str], otherwise: str | None = None) -> str:
    if not sys.stdin.isatty():
        raise BadInput(f"say --{field}", field=field)

    def understood(text: str) -> str:
        try:
            return read(text)
        except BadInput as fault:
            raise typer.BadParameter(fault.sentence) from None

    answer: Any = typer.prompt(f"{question}{example}", default=otherwise, value_proc=understood, err=True)
    return str(answer)
