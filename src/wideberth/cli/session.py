# SPDX-License-Identifier: Apache-2.0
"""What holds for one run of the command line: which node, which line, which post, how to print.

    here().client().get("/v1/status")

The options that every verb takes (`--dir --line --as --json`) may stand before or after the verb; `hoisted` puts them
first, so that they are declared once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wideberth.cli.client import Client
from wideberth.errors import NotFound, Worlds

FOLDER: Final = "wideberth-node"
CONFIG_NAME: Final = "config.toml"  # as home.py names them; importing it would load the cryptography
SOCKET_NAME: Final = "node.sock"

_FLAGS: Final = frozenset({"--json"})
_WITH_VALUE: Final = frozenset(
    {
        "--dir", "--line", "--mechanism", "--as", "--passphrase-file", "--root-key", "--root-passphrase-file",
        "--post-passphrase-file", "--new-passphrase-file",
    }
)  # fmt: skip
# To these a line and a mechanism are what they make, not what they speak on.
_MAKES: Final = {"invite": frozenset({"--line", "--mechanism"})}


@dataclass(frozen=True)
class Session:
    """`line`: which one, as `chosen` writes it, or empty. `post`: who speaks, or empty for the default.

    `…_file`: where a passphrase is the first line. `root_key`: the root key's file, when it is not in the folder.
    """

    folder: Path = Path(FOLDER)
    line: str = ""
    post: str = ""
    json: bool = False
    passphrase_file: Path | None = None
    root_key: Path | None = None
    root_passphrase_file: Path | None = None
    post_passphrase_file: Path | None = None
    new_passphrase_file: Path | None = None

    def client(self, **options: Any) -> Client:
        return Client(self.folder / SOCKET_NAME, ask=_post_passphrase, **options)

    def by(self) -> str:
        """`PARTY/post` that speaks: `--as`, else the first post in the settings.

        Raises: NotFound when there is no node folder, BadInput when its settings are wrong.
        """
        if "/" in self.post:
            return self.post
        from wideberth.config import read_config

        file = self.folder / CONFIG_NAME
        try:
            config = read_config(file.read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(
                f"there is no node folder {self.folder}; make one with `wideberth init`, or name it with --dir",
                field="dir",
            ) from None
        except OSError as why:
            raise Worlds(f"{file} cannot be read: {why.strerror}; `wideberth doctor` says more") from None
        return f"{config.party}/{self.post or config.posts[0]}"

    def say(self, command: str, *, preview: bool = False, **fields: Any) -> dict[str, Any]:
        """Carry a command out on this line as this post, or only preview it; returns what the node said."""
        from wideberth.cli.preview import post

        return post("/v1/commands", {"command": command, "ch": self.line, "by": self.by(), **fields}, preview=preview)


def _post_passphrase(name: str) -> str:
    from wideberth.cli.passphrase import of_post

    return of_post(name)


_now = Session()


def here() -> Session:
    """The session of this run."""
    return _now


def begin(session: Session) -> None:
    global _now
    _now = session


def chosen(line: str, mechanism: str) -> str:
    """`--line` and `--mechanism` in one word, as the node reads it: `NAME`, `NAME/`, `NAME/PURPOSE`, an id's start."""
    return f"{mechanism}/{line}" if mechanism else line


def hoisted(args: Sequence[str]) -> list[str]:
    """The same arguments with the options that every verb takes moved to the front; nothing after `--` is touched."""
    first: list[str] = []
    rest: list[str] = []
    waiting = list(args)
    own: frozenset[str] = frozenset()
    while waiting:
        arg = waiting.pop(0)
        if arg == "--":
            rest += [arg, *waiting]
            break
        if not rest and not arg.startswith("-"):
            own = _MAKES.get(arg, own)
        if arg in _FLAGS or arg.partition("=")[0] in _WITH_VALUE - own:
            first.append(arg)
            if arg in _WITH_VALUE and waiting:
                first.append(waiting.pop(0))
        else:
            rest.append(arg)
    return first + rest
