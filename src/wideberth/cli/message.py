# SPDX-License-Identifier: Apache-2.0
"""Messages between the cells of a line, questions about a notice, and the phrase book."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import group, verb
from wideberth.cli.words import one_of

app = group("Messages between the cells of a line: send, look at, translate, read back.")

# The lists of the core, which is not imported here because `--help` must come at once; a test compares them.
PRECEDENCES: Final = ("FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE")
QUESTIONS: Final = ("IDENTITY", "EXTENT", "DURATION", "STILL_ACTIVE")

Ref = Annotated[str, typer.Argument(help="The message's reference, such as MSG-48210937-Y.", show_default=False)]
Language = Annotated[str, typer.Option("--language", help="Its language: en, ar, zh-Hant; default: the first of ours.")]


def add_to_notice(notice: typer.Typer) -> None:
    """Questions about a notice, in the group `notice`."""
    for name, function in (("ask", ask), ("answer", answer)):
        verb(notice, name)(function)


@verb(app, "send")
def send(
    text: Annotated[str, typer.Argument(help="What you say, in your own language; or --phrase.")] = "",
    precedence: Annotated[str, typer.Option("--precedence", help=f"One of {', '.join(PRECEDENCES)}.")] = "ROUTINE",
    language: Language = "",
    phrase: Annotated[str, typer.Option("--phrase", help="A phrase of the book by its id; `phrases` lists them.")] = "",
    value: Annotated[list[str] | None, typer.Option("--value", help="A value of the phrase: ref=BLU-0001-E.")] = None,
    reply: Annotated[str, typer.Option("--reply", help="The message that this answers.")] = "",
    about: Annotated[str, typer.Option("--about", help="The notice that it is about.")] = "",
) -> None:
    """Send a message. FLASH and IMMEDIATE ring at the other end."""
    _say(
        "message", text=text, precedence=one_of(precedence, "precedence", PRECEDENCES), language=language,
        phrase=phrase, values=_pairs(value or [], "value"), reply_to=reply, about=about,
    )  # fmt: skip


@verb(app, "list")
def list_(everything: Annotated[bool, typer.Option("--all", help="Also those of earlier days.")] = False) -> None:
    """Messages and questions in the order in which they were said."""
    from wideberth.cli import show, talk_show

    found = here().client().get("/v1/messages", line=here().line, all=1 if everything else "")
    show.rows(found, talk_show.several)


@verb(app, "show")
def show_(ref: Ref) -> None:
    """One message: every text in its own language, read-backs, answers, and who has it."""
    from wideberth.cli import show, talk_show

    show.result(here().client().get(f"/v1/messages/{ref}", line=here().line), talk_show.one)


@verb(app, "translate")
def translate(
    ref: Ref,
    text: Annotated[str, typer.Argument(help="What it says, in the language named.", show_default=False)],
    language: Annotated[str, typer.Option("--language", help="The language of your translation.")],
    translator: Annotated[str, typer.Option("--translator", help="Who translated, by a pseudonym.")] = "",
) -> None:
    """Put a translation by a person beside the text; your post signs for it."""
    _say("translation", ref=ref, text=text, language=language, translator=translator)


@verb(app, "readback")
def readback(
    ref: Ref,
    text: Annotated[str, typer.Argument(help="The message, in your own words.", show_default=False)],
    language: Language = "",
) -> None:
    """Repeat a message in your own words, for its author to compare."""
    _say("heardas", ref=ref, text=text, language=language)


def ask(
    ref: Annotated[str, typer.Argument(help="The notice that you ask about.", show_default=False)],
    question: Annotated[list[str], typer.Option("--question", help=f"One of {', '.join(QUESTIONS)}; repeat for more.")],
    text: Annotated[str, typer.Option("--text", help="A short clarification.")] = "",
    language: Language = "",
    of: Annotated[str, typer.Option("--of", help="The hash of the exact version meant; default: the newest.")] = "",
) -> None:
    """Ask the other side about its notice. Nothing waits for the answer."""
    questions = [one_of(each, "question", QUESTIONS) for each in question]
    _say("ask", ref=ref, questions=questions, text=text, language=language, of=of)


def answer(
    ref: Annotated[str, typer.Argument(help="The question, such as ASK-48210937-T, or our notice.")],
    reply: Annotated[list[str], typer.Option("--reply", help="DURATION=until 11:00Z; repeat for more.")],
    language: Language = "",
) -> None:
    """Answer questions about a notice of ours. What changes it is a new version of it."""
    given = _pairs(reply, "reply")
    replies = [{"question": one_of(name, "reply", QUESTIONS), "text": text} for name, text in given.items()]
    _say("answer", ref=ref, replies=replies, language=language)


def phrases(
    language: Annotated[str, typer.Option("--language", help="In one language; default: in all.")] = "",
) -> None:
    """The controlled phrase book, with a mark where no speaker has reviewed it."""
    from wideberth.cli import show
    from wideberth.cli.talk_show import NOT_REVIEWED
    from wideberth.core.say import phrases as book
    from wideberth.core.say.tongue import direction, isolate, primary

    rows = [
        {
            "phrase": name, "language": tongue, "direction": direction(tongue), "values": list(book.values_of(name)),
            "text": book.phrase_of(name, tongue), "reviewed": primary(tongue) in book.REVIEWED,
        }
        for name in book.BOOKS["en"] for tongue in ([language] if language else book.languages())
    ]  # fmt: skip

    def render(found: list[Any]) -> None:
        last = ""
        for row in found:
            if row["phrase"] != last:
                last = row["phrase"]
                values = f"  ({', '.join(row['values'])})" if row["values"] else ""
                show.say(f"{last}{values}", style="bold")
            mark = "" if row["reviewed"] else f"  ({NOT_REVIEWED})"
            show.say(f"    {row['language']:<5} {isolate(row['text'])}{mark}")

    show.rows(rows, render)


def _say(command: str, **fields: Any) -> None:
    from wideberth.cli import show

    show.result(here().say(command, **fields), show.said)


def _pairs(given: list[str], field: str) -> dict[str, str]:
    """`name=text` of options that repeat. Raises: BadInput."""
    from wideberth.errors import BadInput

    pairs = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals or not text.strip() or name.strip() in pairs:
            raise BadInput(f"--{field} is a name, = and its text, each name once; not {each!r}", field=field)
        pairs[name.strip()] = text.strip()
    return pairs
