# SPDX-License-Identifier: Apache-2.0
"""The hotline between two real nodes: a FLASH message overtakes a backlog and rings the watch officer's own terminal,
is read back and translated, and lives through kills; and how many bytes it is on the wire."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from tests.e2e.nodes import COMMAND, NodeProcess, Two, until
from tests.e2e.test_bad_weather import routine, same_strands
from wideberth.core.say.tongue import END, ISOLATE

DAY = "2030-01-01"
HEBREW = "שני כלי טיס חוזרים, פנו את המסדרון"
# Like a routine notice (domain.md N1); most of it is the seal with its post-quantum key, and two signatures.
FLASH_BYTES_MOST = 4_000


def send(node: NodeProcess, text: str = "two aircraft are coming back", **more: Any) -> dict[str, Any]:
    return node.command("message", text=text, **more)


def message(node: NodeProcess, ref: str) -> dict[str, Any]:
    return dict(node.get(f"/v1/messages/{ref}"))


class Terminal:
    """`wideberth watch --follow` as a process of its own: what it printed, and how often its bell rang."""

    def __init__(self, node: NodeProcess) -> None:
        command = [sys.executable, "-c", COMMAND, "--dir", str(node.folder), "watch", "--follow"]
        env = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._out, self._err = self._process.stdout, self._process.stderr
        os.set_blocking(self._out.fileno(), False)
        os.set_blocking(self._err.fileno(), False)
        self.said, self.bells = b"", 0

    def look(self) -> str:
        self.said += self._out.read() or b""
        self.bells += (self._err.read() or b"").count(b"\a")
        return self.said.decode(errors="replace")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        self._out.close()
        self._err.close()


def test_a_flash_message_overtakes_a_backlog_rings_a_terminal_and_is_read_back() -> None:
    with Two(clock=f"{DAY}T12:00:00Z", weather=True) as two:
        terminal = Terminal(two.green)
        try:
            until(lambda: "No notice is live" in terminal.look(), "the terminal shows the board")
            two.weather["GREEN"].storm()
            for n in range(110):
                routine(two.blue, n)
            said = send(two.blue, HEBREW, language="he", precedence="FLASH")
            ref = said["ref"]
            assert terminal.bells == 0
            two.weather["GREEN"].calm()
            two.later_until(two.green.rings, "the message rings", most=6)
            (ring,) = two.green.rings()
            assert (ring["ref"], ring["kind"], ring["recorded"]) == (ref, "message", False)
            two.later_until(two.settled, "the backlog comes through", most=20)
            two.settle()
            heard = [t["kind"] for t in two.green.told("heard")]
            assert heard == ["message"] + ["notice"] * 110 + ["message"], "it came first, and is linked in its place"
            assert len(two.green.rings()) == 1
            until(lambda: terminal.look() and terminal.bells, "the bell of the terminal rings")
            shown = f"FLASH message {ref} from BLUE/watch-1: {ISOLATE}{HEBREW}{END} (he)"
            assert shown in terminal.look()
            assert "RINGING" in terminal.look()
            # Another officer of GREEN answers from another terminal: it is owned.
            two.green.command("heardas", ref=ref, text="two of yours return; keep out of the corridor", language="en")
            two.green.command("translation", ref=ref, text="Two aircraft return, leave the corridor", language="en")
            two.settle()
            until(lambda: f"heardas {ref}" in terminal.look(), "the terminal shows the answer")
            bells = terminal.bells
            time.sleep(2.5)  # one bell every two seconds, if it still rang
            terminal.look()
            assert terminal.bells - bells <= 1
            views = [message(node, ref) for node in two.nodes]
            for view in views:
                assert view["standing"] == {"GREEN": "READ_BACK"}
                assert view["waits_for"] == []
                assert [(t["language"], t["direction"], t["source"]) for t in view["texts"]] == [
                    ("he", "rtl", "AUTHOR"), ("en", "ltr", "TRANSLATION")
                ]  # fmt: skip
            assert views[0]["read_backs"] == views[1]["read_backs"]
            two.later(600)
            assert not [t for node in two.nodes for t in node.told("overdue", ref=ref) if t["what"] == "UNANSWERED"]
        finally:
            terminal.stop()
        same_strands(two)


def test_an_unanswered_flash_message_rings_after_a_kill_and_is_overdue_on_both_sides() -> None:
    with Two(clock=f"{DAY}T12:00:00Z") as two:
        answered, waiting = (send(two.blue, text, precedence="FLASH")["ref"] for text in ("first", "second"))
        two.settle()
        reply = send(two.green, "we heard", reply_to=answered)["ref"]
        two.settle()
        assert message(two.blue, answered)["replies"] == [reply]
        two.green.kill()
        two.restart(two.green)
        again = two.green.waits_for("overdue", what="UNANSWERED")
        assert (again["ref"], again.get("level", "RING")) == (waiting, "RING")
        two.later(121)
        for node in two.nodes:
            told = until(lambda node=node: node.told("overdue", what="UNANSWERED", member="GREEN"), "it is overdue")
            assert {t["ref"] for t in told} == {waiting}
            assert "unknown" in told[-1]["sentence"] or "started anew" in told[-1]["sentence"]
        two.later(86_400)
        two.green.kill()
        two.restart(two.green)
        two.green.told_up_to_now()
        rung = [t for t in two.green.told("overdue", what="UNANSWERED") if t["at_ms"] >= two.now_ms]
        assert rung == [], "a day later it rings no more"


def test_questions_go_to_the_author_and_answers_come_back_between_real_nodes() -> None:
    with Two(clock=f"{DAY}T12:00:00Z") as two:
        notice = routine(two.blue, 1)["ref"]
        two.settle()
        asked = two.green.command("ask", ref=notice, questions=["EXTENT", "STILL_ACTIVE"])["ref"]
        two.settle()
        two.later(90)
        two.blue.command("answer", ref=asked, replies=[{"question": "EXTENT", "text": "10 km round the middle"}])
        two.settle()
        for node in two.nodes:
            (shown,) = node.notice(notice)["questions"]
            extent, active = shown["questions"]
            assert [(a["text"], a["after_ms"]) for a in extent["answers"]] == [("10 km round the middle", 90_000)]
            assert active["answers"] == []
            assert node.notice(notice)["version"] == 1


def test_a_flash_message_is_small_on_the_wire() -> None:
    """Counted at the socket: TLS records, HTTP head, seal, padding, header, body and two signatures."""
    with Two(clock=f"{DAY}T12:00:00Z", weather=True) as two:
        there, sizes = two.weather["GREEN"], {}
        for name, fields in (
            ("a sentence", {"text": "two aircraft are coming back, leave the corridor"}),
            ("a phrase", {"text": "", "phrase": "speak_slowly"}),
            ("280 letters of Hebrew", {"text": (HEBREW + " ") * 8, "language": "he"}),
        ):
            before = len(there.turn_bytes)
            fields["text"] = fields["text"][:280]
            send(two.blue, precedence="FLASH", **fields)
            two.settle()
            (sizes[name],) = there.turn_bytes[before:]
        print("\nbytes of a FLASH message on the wire:", sizes)
        assert max(sizes.values()) <= FLASH_BYTES_MOST, sizes
        assert min(sizes.values()) > 1_000, "it was counted at all"
