# SPDX-License-Identifier: Apache-2.0
"""How messages and questions look on a terminal: every text in its own direction, translations beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wideberth.cli import show
from wideberth.core.say.tongue import isolate

NOT_REVIEWED: Final = "not yet reviewed by a speaker"


def several(messages: list[dict[str, Any]]) -> None:
    for message in messages:
        one(message)
    if not messages:
        show.say("No message of the last day. `message list --all` shows earlier ones.")


def one(message: Mapping[str, Any]) -> None:
    """A message or a question, with what was said of it."""
    mode = "" if message["mode"] == "REAL" else f"[{message['mode']}] "
    kind = {"message": f"{message['precedence']} message", "whose": "IS IT YOURS?"}.get(message["kind"], "question")
    standing = ", ".join(f"{member} {step}" for member, step in message["standing"].items())
    show.say(
        f"{mode}{message['ref']} {kind} from {message['by']} at {show.utc(message['t_ms'])}  {standing}  "
        f"({message['mechanism']})",
        style="bold",
    )
    for field, words in (("reply_to_ref", "answers"), ("about_ref", "about")):
        if message.get(field):
            show.say(f"    {words} {message[field]}")
    if "seen" in message:
        _whose_traffic(message)
    texts(message["texts"])
    if message.get("phrase") and not message["texts"]:
        values = ", ".join(f"{name} {isolate(value)}" for name, value in message["values"].items())
        show.say(f"    phrase {message['phrase']}, which is not in the book of this node; {values or 'no values'}")
    questions(message.get("questions", ()))
    for back in message["read_backs"]:
        show.say(
            f"    read back by {back['by']}, {show.utc(back['t_ms'])}: {isolate(back['text'])} ({back['language']})"
        )
    if message.get("replies"):
        show.say(f"    answered by {', '.join(message['replies'])}")


def _whose_traffic(message: Mapping[str, Any]) -> None:
    """What was seen, what everybody answered, and how often somebody was called."""
    show.say(f"    {message['seen']['says']}")
    show.say(f"    whose: {', '.join(message['whose'])}" + (
        f"  (waits for {', '.join(message['waits_for'])})" if message["waits_for"] else ""), style="bold",
    )  # fmt: skip
    for each in message["answers"]:
        text = f"  {isolate(each['text'])}" if each["text"] else ""
        show.say(f"    {each['by']} answered {each['whose']} at {show.utc(each['t_ms'])}{text}")
    if message["attempts"]:
        show.say(f"    calls about it: {message['attempts']}")


def texts(found: list[dict[str, Any]]) -> None:
    for text in found:
        show.say(f"    {text['language']:<5} {isolate(text['text'])}{_whose(text)}")


def _whose(text: Mapping[str, Any]) -> str:
    """Who put it into that language; nothing where its author wrote it so."""
    if text["source"] == "PHRASE_BOOK":
        return "  (phrase book)" if text["reviewed"] else f"  (phrase book; {NOT_REVIEWED})"
    if text["source"] == "TRANSLATION":
        who = f", {isolate(text['translator'])}" if text["translator"] else ""
        return f"  (translation by {text['by']}{who})"
    return ""


def questions(asked: Any) -> None:
    """Each question, and what was answered after how long."""
    for each in asked:
        show.say(f"    {each['question']}?" + ("" if each["answers"] else "  not answered yet"))
        for answer in each["answers"]:
            took = show.span(max(0, answer["here_after_ms"]))
            show.say(f"      {isolate(answer['text'])} ({answer['language']}), by {answer['by']} after {took}")
