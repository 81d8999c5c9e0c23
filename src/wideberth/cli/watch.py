# SPDX-License-Identifier: Apache-2.0
"""The watch officer's terminal: what there is now, and with `--follow` everything as it comes, with an alarm.

The alarm rings the terminal's bell until a key is pressed or somebody answers from another terminal. The key `a` and
Enter raise an ALERT: the first key stamps when the call was started. When the node does not answer the terminal says so
in red and tries again; when it is back, what was missed is shown.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb
from wideberth.errors import Fault, NotFound, Unreachable

if TYPE_CHECKING:
    from wideberth.cli.alarm import Alarm
    from wideberth.cli.client import Client

BELL_EVERY_S: Final = 2.0
RETRY_S: Final = 1.0
_LOOK_S: Final = 0.2
# The key of the letter A, on a Latin, Cyrillic, Arabic and Hebrew keyboard.
ALERT_KEYS: Final = "aAфФشש"
# Whoever pressed the key and went away does not send it with the next key that somebody presses.
ARMED_S: Final = 60.0
ALERT_ARMED: Final = "ALERT: something is about to happen, place unknown. Enter sends it; any other key drops it."
_SHOWN_KINDS: Final = frozenset(
    {"notice", "amend", "correct", "extend", "offnominal", "cancel", "alert", "message", "ask", "whose"}
)


def add_to(app: typer.Typer) -> None:
    """Add it to the top of the command line."""
    verb(app, "watch")(watch)


def watch(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay, and ring.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="No bell; sentences only.")] = False,
) -> None:
    """Show the board; with --follow stay and ring. Any key says that you have heard it; a and Enter raise an ALERT."""
    client = here().client()
    if not follow:
        _board(client, None)
    else:
        _follow(client, silent=silent)


def _board(client: Client, alarm: Alarm | None) -> int:
    """Print what there is now; what is urgent and unanswered rings. Returns the number of the newest tell before it."""
    from wideberth.cli import board, conflicts, line_show, show, talk_show
    from wideberth.core.say.words import SCOPE

    session = here()
    status = client.get("/v1/status")
    notices = client.get("/v1/notices", line=session.line)
    us = status["party"]
    waiting = [m for m in client.get("/v1/messages", line=session.line) if us in m["waits_for"]]
    found = conflicts.found(client)
    if session.json:
        for notice in notices:
            print(show.as_json({"notice": notice}))
        for each in found:
            name = "exposure" if each["kind"] == "EXPOSURE" else "crossing"
            print(show.as_json({name: each}), flush=True)
        for message in waiting:
            print(show.as_json({"message": message}))
        for line in status["lines"]:
            print(show.as_json({"line": {"ch": line["ch"], **line["line"]}}), flush=True)
    else:
        board.several(notices)
        if found:
            board.conflicts(found)
        if waiting:
            talk_show.several(waiting)
        line_show.doubtful(status["lines"])
        show.say(SCOPE, style="dim")
    for notice in notices:
        entry = notice["versions"][-1]["entry"]
        if notice["author"] == us:
            continue
        _shown(client, notice["ch"], notice["author"], entry)
        unanswered = notice["standing"].get(us) in ("SENT", "DELIVERED", "SEEN")
        if alarm is not None and notice["precedence"] in ("FLASH", "IMMEDIATE") and unanswered:
            alarm.take(_waiting(notice, entry))
    for message in waiting:
        _shown(client, message["ch"], message["author"], message["entry"])
        if alarm is not None and message["precedence"] in ("FLASH", "IMMEDIATE"):
            alarm.take(_waiting(message, message["entry"]))
    if alarm is not None:
        for each in found:
            # Whatever became of it since: whoever sits down here has not heard it.
            alarm.take({**each, "level": "RING"})
    return int(status["told"])


def _waiting(what: dict[str, Any], entry: str) -> dict[str, Any]:
    """The tell with which it began, for who sits down here later."""
    told = {name: what[name] for name in ("kind", "ch", "ref")}
    return {"tell": "heard", "level": "RING", **told, "entry": entry}


def _follow(client: Client, *, silent: bool) -> None:
    from wideberth.cli import show
    from wideberth.cli.alarm import Alarm

    alarm = Alarm()
    lines: queue.Queue[dict[str, Any] | Fault] = queue.Queue()
    bell_at, down, since = 0.0, False, 0
    armed_s: float | None = None
    try:
        since = _board(client, alarm)
    except Unreachable as fault:
        down = _take(fault, client, alarm, False)
    threading.Thread(target=_listen, args=(client, lines, since), name="watch", daemon=True).start()
    with _keys() as pressed:
        if sys.stdin.isatty() and not here().json:
            show.say("Any key: you have heard it. The key a, then Enter: ALERT.", style="dim")
        while True:
            rang = bool(alarm.ringing)
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=_LOOK_S)
                down = _take(line, client, alarm, down)
            # A key that was pressed before anything rang is not an answer to what rings now.
            keys = pressed()
            if keys and rang:
                _owned(alarm)
            armed_s = _alert_by_key(keys, armed_s)
            if alarm.ringing and not silent and time.monotonic() >= bell_at:
                bell_at = time.monotonic() + BELL_EVERY_S
                sys.stderr.write("\a")
                sys.stderr.flush()


def _alert_by_key(keys: str, armed_s: float | None) -> float | None:
    """One key and Enter raise an ALERT (domain.md C17): the key stamps when the call was started, Enter sends it, any
    other key drops it, and so does a minute. `armed_s`, returned: when the key was pressed, monotonic; or None."""
    if armed_s is not None and not keys and time.monotonic() - armed_s > ARMED_S:
        keys = " "
    for key in keys:
        if armed_s is None:
            if key in ALERT_KEYS:
                armed_s = time.monotonic()
                _print_line({"watch": "alert", "state": "ARMED"}, ALERT_ARMED, "bold white on red")
            continue
        pressed_s, armed_s = armed_s, None
        if key in "\r\n":
            _send_alert(int((time.monotonic() - pressed_s) * 1000))
        else:
            _print_line({"watch": "alert", "state": "DROPPED"}, "No ALERT was sent.", "")
    return armed_s


def _send_alert(ago_ms: int) -> None:
    from wideberth.cli import alert

    try:
        said = alert.raise_alert("", ago_ms)
    except Fault as fault:
        _print_line({"watch": "alert", "state": "NOT_SENT", "sentence": fault.sentence},
                    f"THE ALERT WAS NOT SENT: {fault.sentence}", "bold white on red")  # fmt: skip
        return
    ref = said["ref"]
    sentence = f"ALERT sent: {ref}. Make it precise: `notice give --refines {ref}`."
    _print_line({"watch": "alert", "state": "SENT", "ref": ref}, sentence, "bold")


def _take(line: dict[str, Any] | Fault, client: Client, alarm: Alarm, down: bool) -> bool:
    """Show one line of the stream. Returns whether the node is down, as far as this terminal knows."""
    from wideberth.cli import show

    if isinstance(line, Fault):
        if not down:
            _print_line(
                {"watch": "down", "sentence": line.sentence},
                f"THE NODE IS NOT ANSWERING. {line.sentence}",
                "bold white on red",
            )
        return True
    if "tell" not in line:
        if line["watch"] == "start" and here().json:
            print(show.as_json(line), flush=True)  # from here on nothing is missed
        if down:
            _print_line({"watch": "up"}, "The node answers again.", "bold")
            with contextlib.suppress(Fault):
                _board(client, alarm)
        if line.get("missed") and not here().json:
            _print_line(
                line, f"{line['missed']} messages are older than the node keeps; `watch` shows the board.", "bold red"
            )
        return False
    tell = line["tell"]
    began = alarm.take(tell)
    if here().json:
        print(show.as_json(line), flush=True)
    elif sentence := sentence_of(tell, again=alarm.rang_early(tell)):
        stamp = show.utc(line["at_ms"])
        show.say(f"{stamp}  {sentence}", style="bold red" if began else "")
        if began:
            show.say(f"{' ' * len(stamp)}  RINGING. Press any key: you have heard it. Then answer it, or call.")
    if tell["tell"] == "heard" and tell.get("recorded", True) and tell["kind"] in _SHOWN_KINDS:
        _shown(client, tell["ch"], tell["author"], tell["entry"])
    return down


def sentence_of(tell: dict[str, Any], *, again: bool = False) -> str:
    """One line for people; empty for what only programs want. `again`: it rang here before it was recorded."""
    from wideberth.cli import board
    from wideberth.core.desk.causes import level

    if level(tell) == "QUIET":
        return ""
    match tell["tell"]:
        case "heard":
            mark = "" if tell.get("recorded", True) else "(not yet recorded) "
            if again:
                return f"{tell.get('ref', '')} is recorded now."
            return f"{mark}{tell['sentence']}{_outside(tell)}"
        case "said":
            return f"{tell['by']}: {tell['kind']} {tell.get('ref', '')}".rstrip() + _outside(tell)
        case "climbed":
            return f"{tell['member']}: {tell['step']} {tell['ref']} version {tell['version']}, by {tell['by']}"
        case "crossed" | "exposed":
            return board.conflict(tell)
        case "nearer":
            return f"{tell['sentence']} {board.not_covered(tell)} [known to us alone]"
        case "rung":
            return "  ".join([str(tell["sentence"]), *tell.get("lines", ())])
        case "opened":
            return f"The line {tell['mechanism']} with {', '.join(tell['peers'])} is open."
        case "fault":
            return f"Fault ({tell['whose']}), {tell.get('peer') or 'here'}: {tell['sentence']}"
        case _:
            return str(tell["sentence"])


def _outside(tell: dict[str, Any]) -> str:
    why = tell.get("facts", {}).get("outside", "")
    return f" [{why}]" if why else ""


def _owned(alarm: Alarm) -> None:
    from wideberth.cli import show

    what = ", ".join(alarm.ringing)
    alarm.own()
    now = show.utc(time.time_ns() // 1_000_000_000 * 1000)
    _print_line(
        {"watch": "owned", "rang": what}, f"{now}  Heard at this terminal: {what}. Not acknowledged to anybody yet.", ""
    )


def _print_line(data: dict[str, Any], sentence: str, style: str) -> None:
    from wideberth.cli import show

    if here().json:
        print(show.as_json(data), flush=True)
    else:
        show.say(sentence, style=style)


def _shown(client: Client, ch: str, author: str, entry: str) -> None:
    """Tell the node that this machine showed it; the claim is a machine's and is labelled so. Own entries are skipped
    by the node's NotFound; an unreachable node is said by the stream."""
    with contextlib.suppress(NotFound, Unreachable):
        client.post("/v1/shown", {"line": ch, "author": author, "entry": entry})


def _listen(client: Client, lines: queue.Queue[dict[str, Any] | Fault], since: int) -> None:
    """The stream after number `since`, for ever: on a thread, so that the bell does not wait for the node."""
    run = ""
    while True:
        try:
            for line in client.stream("/v1/watch", since=since, run=run):
                if line.get("watch") == "start":
                    since = since if run in ("", line["run"]) else 0  # another run of the node counts from 1 again
                    run = line["run"]
                elif "n" in line and "tell" in line:
                    since = line["n"]
                lines.put(line)
        except Fault as fault:
            lines.put(fault)
        time.sleep(RETRY_S)


@contextlib.contextmanager
def _keys() -> Iterator[Any]:
    """A function that gives the keys pressed since it was last asked; never any, where there is no keyboard."""
    if not sys.stdin.isatty():
        yield lambda: ""
        return
    import codecs
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    try:
        tty.setcbreak(fd, termios.TCSADRAIN)  # Ctrl-C still stops; a key that was pressed already counts

        def pressed() -> str:
            keys = ""
            while select.select([fd], [], [], 0)[0] and (read := os.read(fd, 64)):
                keys += decoder.decode(read)
            return keys

        yield pressed
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
