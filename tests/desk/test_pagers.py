# SPDX-License-Identifier: Apache-2.0
"""A wake-up is a reference and an urgency, by hook or by mail; what fails says so, and what hangs is let go."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hooks import Hooks
from wideberth.desk import pagers as module
from wideberth.desk.pagers import Pagers, Wake
from wideberth.errors import BadInput, Worlds
from wideberth.formats.desk import DeskSettings, Smtp, read_desk

WAKE = Wake("DSK-0001-C", "FLASH")


def wake(address: str, settings: DeskSettings | None = None, folder: Path = Path()) -> None:
    asyncio.run(Pagers(folder, settings or DeskSettings(wake=True)).wake(address, WAKE))


class Post:
    """A mail server that takes one mail (RFC 5321, the least of it). `said` is what it was sent, line by line."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.said: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rwb") as stream:
                stream.write(b"220 here\r\n")
                stream.flush()
                data = False
                for raw in stream:
                    line = raw.decode().rstrip("\r\n")
                    self.said.append(line)
                    if data and line != ".":
                        continue
                    data = line.upper() == "DATA"
                    reply = b"354 go on\r\n" if data else b"221 bye\r\n" if line.upper() == "QUIT" else b"250 fine\r\n"
                    stream.write(reply)
                    stream.flush()

    def close(self) -> None:
        self._listener.close()
        self._thread.join(10)


@pytest.fixture
def post() -> Iterator[Post]:
    made = Post()
    yield made
    made.close()


def test_a_hook_gets_a_reference_and_an_urgency_and_nothing_else() -> None:
    with Hooks() as hooks:
        wake(f"{hooks.url}/anna")
        assert [(call.name, call.said) for call in hooks.calls] == [
            ("anna", {"reference": "DSK-0001-C", "urgency": "FLASH"})
        ]


def test_a_mail_says_the_same(post: Post) -> None:
    smtp = Smtp("127.0.0.1", "watch@blue.example", post.port, "none")
    wake("mailto:anna@blue.example", DeskSettings(wake=True, smtp=smtp))
    assert "RCPT TO:<anna@blue.example>" in [line.replace("rcpt", "RCPT").replace("to:", "TO:") for line in post.said]
    body = post.said[post.said.index("") + 1 :]
    assert body[: body.index(".")] == ["FLASH DSK-0001-C: look at your desk."]


def test_what_does_not_work_says_why() -> None:
    with Hooks() as hooks:
        hooks.broken.add("anna")
        with pytest.raises(Worlds, match="500"):
            wake(f"{hooks.url}/anna")
        gone = hooks.url
    with pytest.raises(Worlds, match="the pager failed"):
        wake(f"{gone}/anna")
    with pytest.raises(BadInput, match="https://"):
        wake("http://hook.example/anna")
    with pytest.raises(BadInput, match="smtp"):
        wake("mailto:anna@blue.example")
    with pytest.raises(BadInput, match="apprise = true"):
        wake("tgram://token/chat")


def test_a_pager_that_hangs_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Worlds):
        wake(f"http://127.0.0.1:{silent.getsockname()[1]}/anna")


def test_pagers_that_hang_are_not_piled_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(module, "_THREADS_MOST", 2)

    async def many(address: str) -> list[str]:
        made = Pagers(Path(), DeskSettings(wake=True))
        done = await asyncio.gather(*(made.wake(address, WAKE) for _ in range(4)), return_exceptions=True)
        return [str(each) for each in done]

    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = asyncio.run(many(f"http://127.0.0.1:{silent.getsockname()[1]}/anna"))
    assert sum("hang already" in each for each in said) == 2


def test_a_password_that_others_can_read_is_not_used(post: Post, tmp_path: Path) -> None:
    (tmp_path / "smtp-password").write_text("secret\n")
    (tmp_path / "smtp-password").chmod(0o644)
    smtp = Smtp("127.0.0.1", "watch@blue.example", post.port, "none", "watch", "smtp-password")
    with pytest.raises(BadInput, match="chmod"):
        wake("mailto:anna@blue.example", DeskSettings(wake=True, smtp=smtp), tmp_path)
    assert not any("AUTH" in line for line in post.said)


def test_nobody_is_woken_up_unless_the_file_says_so() -> None:
    assert read_desk("").wake is False
    assert read_desk("wake = true").outside == ("line",)
    found = read_desk('wake = true\noutside = ["line", "units"]\n[smtp]\nhost = "m.example"\nsender = "w@b.example"\n')
    assert found.smtp is not None
    assert found.smtp.security == "starttls"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("wake = 1", "wake"),
        ('outside = ["everything"]', "outside"),
        ("surprise = true", "surprise"),
        ("needs_approval = true", "safety message"),
        ("[smtp]\nhost = 'm'\nsender = 'w@b'\nhold_until_released = true", "safety message"),
        ("[smtp]\nhost = 'm.example'\nsender = 'w@b'\nsecurity = 'none'", "starttls"),
        ("[smtp]\nhost = 'm.example'\nsender = 'w@b'\npassword_file = '../x'", "folder"),
        ("=", "TOML"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read_desk(text)
