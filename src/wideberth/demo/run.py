# SPDX-License-Identifier: Apache-2.0
"""`wideberth demo` from beginning to end: a folder, two nodes, the stories, the checks, and all put away again."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

from wideberth.cli.exits import FINE, FOUND
from wideberth.core.say.words import SCOPE
from wideberth.demo import stories as st
from wideberth.demo import triangle
from wideberth.demo.nodes import Pair
from wideberth.demo.play import Player
from wideberth.demo.screen import Lines, Screen, Terminal
from wideberth.demo.times import at_ms, full_time
from wideberth.errors import BadInput, Fault

_CLOCKS: Final = (
    "Both nodes are real: two processes, two signed records, TLS between them. They run on an EXERCISE line, on clocks "
    "set by hand, so that a day passes in a minute. Times of day are the drill's; what stands in ms was measured here. "
    "They are being made now; that takes a few seconds."
)


def play(*, story: str = "", fast: bool = False, as_json: bool = False, keep: Path | None = None) -> int:
    """The demo from beginning to end. Returns the exit code: 0 only if all that was expected really happened.

    `story`: one name of `stories.STORIES`, or all when empty. Raises BadInput for a wrong name or folder.
    """
    names = (*st.STORIES, triangle.NAME)
    if story and story not in names:
        raise BadInput(f"the stories are {', '.join(names)}, not {story!r}", field="story")
    chosen = tuple(s for s in st.STORIES.values() if story in ("", s.name))
    screen: Screen = Lines() if as_json else Terminal(fast=fast)
    with stopped_like_ctrl_c(), folder_for(keep) as folder:
        if story == triangle.NAME:
            return _play_three(screen, folder)
        return _play(chosen, screen, folder, keep)


def _play(chosen: tuple[st.Story, ...], screen: Screen, folder: Path, keep: Path | None) -> int:
    began = time.monotonic()
    clock = at_ms(chosen[0].steps[0].at if len(chosen) == 1 else st.FIRST_CLOCK)
    player: Player | None = None
    failed: list[str] = []
    screen.heading("wideberth demo", _CLOCKS)
    try:
        pair = Pair(folder, st.PARTIES, mechanism=st.MECHANISM, rules=st.RULES, clock_ms=clock, contacts=st.CONTACTS)
        player = Player(pair, screen)
        with pair:
            player.opening(time.monotonic() - began)
            for story in chosen:
                player.tell_story(story)
            pair.catch_up()
            player.look_back()
            player.cosign()
        player.check_files()
        player.check_evidence(folder if keep else None)
        player.check(st.expected(chosen))
        failed = player.failed
    except Fault as fault:
        failed = [*(player.failed if player else []), fault.sentence]
    result: dict[str, Any] = {"ok": not failed, "failed": failed, "stories": [s.name for s in chosen]}
    if player is not None:
        result |= player.figures()
    result["took_s"] = round(time.monotonic() - began, 2)
    screen.end(result, [SCOPE, "", *_hints(keep if player else None)])
    return FOUND if failed else FINE


def _play_three(screen: Screen, folder: Path) -> int:
    began = time.monotonic()
    screen.heading(
        "wideberth demo",
        _CLOCKS.replace("Both nodes are real: two processes, two", "The nodes are real: three processes, three"),
    )
    try:
        failed, figures = triangle.play(screen, folder)
    except Fault as fault:
        failed, figures = [fault.sentence], {}
    took_s = round(time.monotonic() - began, 2)
    screen.end({"ok": not failed, "failed": failed, "stories": [triangle.NAME], **figures, "took_s": took_s}, [SCOPE])
    return FOUND if failed else FINE


def _hints(keep: Path | None) -> list[str]:
    lines = []
    if keep is not None:
        lines += [
            f"Both folders are kept in {keep}. To look at GREEN's, in two terminals:",
            f"    wideberth up --clock {full_time('17:00')} --dir {keep / 'green'}",
            f"    wideberth notice list --all --dir {keep / 'green'}   (or: status, notice show, plan list)",
            f"What BLUE could hand to a stranger: wideberth verify {keep / 'evidence.zip'}",
        ]
    else:
        lines += ["To keep both folders and look at them: wideberth demo --keep DIR"]
    lines += [f"To see three parties, and two lines that nothing crosses: wideberth demo --story {triangle.NAME}"]
    return [*lines, "To make a node of your own: wideberth init YOURNAME, and then as the README says."]


@contextlib.contextmanager
def folder_for(keep: Path | None) -> Generator[Path, None, None]:
    if keep is not None:
        if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
            raise BadInput(f"{keep} is already there and not an empty folder; name another", field="keep")
        yield keep
        return
    # The path of a Unix socket is short on every system; the usual place for temporary files need not be.
    short = "/tmp" if len(tempfile.gettempdir()) > 50 and Path("/tmp").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(prefix="wideberth-", dir=short) as made:
        yield Path(made)


@contextlib.contextmanager
def stopped_like_ctrl_c() -> Generator[None, None, None]:
    """A closed terminal or a plain `kill` ends the demo as Ctrl-C does: in order, with both nodes stopped."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before: dict[signal.Signals, Any] = {n: signal.signal(n, stop) for n in numbers}
    try:
        yield
    finally:
        for n in numbers:
            signal.signal(n, before[n])
