# SPDX-License-Identifier: Apache-2.0
"""Where a passphrase comes from, for every verb that needs a key: one order, one spelling.

    made = opened()                    the home of this session, its keys unlocked
    unlock_root(made)                  and with the root key at hand

1. a file: `--passphrase-file` (or WIDEBERTH_PASSPHRASE_FILE); its first line, without the line end
2. systemd's credential directory (CREDENTIALS_DIRECTORY): the credential `wideberth-passphrase`
3. the terminal, which is asked; three tries
4. nothing: a refusal that says all this

The root key's are `--root-passphrase-file`, WIDEBERTH_ROOT_PASSPHRASE_FILE and `wideberth-root-passphrase`; where none
is given, the node's is tried before anybody is asked, because some keep one for both. A break-glass post's is
`--post-passphrase-file`, or asked for.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wideberth.cli.session import here
from wideberth.errors import BadInput, NotFound

if TYPE_CHECKING:
    from wideberth.home import Home, Passphrases
    from wideberth.keyset import KeySet

TRIES: Final = 3
_FILE_BYTES_MAX: Final = 8192


def opened() -> Home:
    """The home of this session with its keys unlocked. Raises: NotFound, BadInput."""
    from wideberth import home

    made = home.load(here().folder)
    unlock(made)
    return made


def unlock(made: Home) -> None:
    """Unlock the node's keys, unless they are plain or unlocked already. Raises: BadInput."""
    if made.unlocked:
        return
    given = _given("")
    if given is not None:
        made.unlock(given)
    elif not _ask(f"Passphrase of {made.config.party}'s keys", made.unlock):
        made.opener.need()  # says what to do


def is_given() -> bool:
    """Whether the node's passphrase is in a file or a credential: nobody is asked. Raises: BadInput, NotFound."""
    return _given("") is not None


def try_to_unlock(made: Home) -> bool:
    """Unlock with what was given without asking anybody; whether keys can be read now. Raises: BadInput."""
    given = _given("") if not made.unlocked else None
    if given is not None:
        made.unlock(given)
    return made.unlocked


def unlock_root(made: Home) -> None:
    """Have the root key at hand: from the home, or from `--root-key`. Raises: NotFound, BadInput."""
    elsewhere = here().root_key
    _open_root(made.keys, elsewhere, f"Passphrase of {made.config.party}'s root key")


def unlock_set_root(keys: KeySet, mechanism: str) -> None:
    """The same for a set that has a root of its own."""
    _open_root(keys, None, f"Passphrase of the root key for {mechanism}")


def _open_root(keys: KeySet, elsewhere: Path | None, question: str) -> None:
    file = keys.root_file() if elsewhere is None else None
    if elsewhere is not None and not elsewhere.is_file():
        raise NotFound(f"there is no file {elsewhere}", field="root-key")
    if elsewhere is None and file is None:
        keys.root_seed()  # says what to do
        return
    if not keys.root_locked(elsewhere):
        keys.unlock_root("", elsewhere)
        return

    def take(passphrase: str) -> None:
        keys.unlock_root(passphrase, elsewhere)

    given, shared = _given("root-"), _given("")
    if given is not None:
        take(given)
        return
    if shared is not None and _fits(take, shared):
        return
    if not _ask(question, take):
        raise BadInput(
            "the root key is encrypted, and its passphrase was not given. Start this from a terminal, which asks; or "
            "give --root-passphrase-file FILE, or set WIDEBERTH_ROOT_PASSPHRASE_FILE",
            field="passphrase",
        )


def of_post(name: str) -> str:
    """The passphrase of a break-glass post. Raises: BadInput."""
    given = _given("post-")
    if given is not None:
        return given
    if not asks():
        raise BadInput(
            f"{name} is a break-glass post: its key has a passphrase of its own, in an envelope. Start this from a "
            "terminal, which asks; or give --post-passphrase-file FILE. If it cannot wait, any other post may say it",
            field="passphrase",
        )
    return _hidden(f"Passphrase of the break-glass post {name}, from its envelope")


def for_new_keys(*, plain: bool) -> Passphrases | None:
    """What `init` locks new keys with; None where they are to stay plain. Asks on a terminal, twice.

    Raises: BadInput.
    """
    from wideberth.home import Passphrases
    from wideberth.vault import check_passphrase

    node, root = _given(""), _given("root-")
    if plain:
        if node is not None or root is not None:
            raise BadInput("say --no-passphrase or give a passphrase, not both", field="no-passphrase")
        return None
    if node is None:
        why = "the new keys need a passphrase, and there is no terminal to ask for one"
        node = new("your node's keys", why, offer_plain=True)
        root = root or new("the root key (another one, kept elsewhere)", why)
    root = root or node
    check_passphrase(node)
    check_passphrase(root)
    return Passphrases(node, root)


def for_new_root(mechanism: str) -> Passphrases:
    """What the root key of one mechanism alone is locked with: given, or asked for twice. Raises: BadInput."""
    from wideberth.home import Passphrases

    return Passphrases(
        "", new(f"the root key of {mechanism}", "a root key of its own needs a passphrase", kind="root-")
    )


def new(whose: str, refusal: str, *, kind: str = "", offer_plain: bool = False) -> str:
    """A new passphrase: given, or asked for twice on a terminal. `kind`: "", "new-", … as in the options.

    Raises: BadInput, beginning with `refusal` where nobody can be asked.
    """
    from wideberth.vault import check_passphrase

    given = _given(kind) if kind else None
    if given is not None:
        check_passphrase(given)
        return given
    if not asks():
        plain = ", or say --no-passphrase to keep them unencrypted on this disk" if offer_plain else ""
        option = f"--{kind}passphrase-file FILE"
        raise BadInput(f"{refusal}. Give {option}{_variable(kind)}{plain}", field="passphrase")
    for _ in range(TRIES):
        first = _hidden(f"A new passphrase for {whose}")
        try:
            check_passphrase(first)
        except BadInput as why:
            _say(why.sentence)
            continue
        if _hidden("The same once more") == first:
            return first
        _say("These two differ.")
    raise BadInput("no passphrase was set; nothing was changed", field="passphrase")


def asks() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def _variable(kind: str) -> str:
    return {"": ", or set WIDEBERTH_PASSPHRASE_FILE", "root-": ", or set WIDEBERTH_ROOT_PASSPHRASE_FILE"}.get(kind, "")


def _given(kind: str) -> str | None:
    session = here()
    file = {
        "": session.passphrase_file, "root-": session.root_passphrase_file, "post-": session.post_passphrase_file,
        "new-": session.new_passphrase_file,
    }[kind]  # fmt: skip
    if file is not None:
        return read(file)
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    credential = Path(folder, f"wideberth-{kind}passphrase") if folder and kind in ("", "root-") else None
    return read(credential) if credential is not None and credential.is_file() else None


def read(file: Path) -> str:
    """The first line of a file. Raises: NotFound, BadInput, also when others may read it."""
    try:
        with file.open("rb") as stream:
            state = os.fstat(stream.fileno())
            data = stream.read(_FILE_BYTES_MAX)
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}", field="passphrase-file") from None
    except OSError as why:
        raise BadInput(f"{file} cannot be read: {why.strerror}", field="passphrase-file") from None
    if stat.S_ISREG(state.st_mode) and stat.S_IMODE(state.st_mode) & 0o077:
        raise BadInput(f"{file} can be read by others; `chmod 600 {file}`", field="passphrase-file")
    try:
        line = data.split(b"\n", 1)[0].rstrip(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{file} is not UTF-8 text", field="passphrase-file") from None
    if not line:
        raise BadInput(f"the first line of {file} is empty; it should be the passphrase", field="passphrase-file")
    return line


def _ask(question: str, take: Callable[[str], None]) -> bool:
    """Ask on the terminal until `take` does not raise, three times at most. False where nobody can be asked."""
    if not asks():
        return False
    for left in reversed(range(TRIES)):
        try:
            take(_hidden(question))
            return True
        except BadInput as why:
            if not why.details.get("wrong") or not left:
                raise
            _say(why.sentence)
    return False


def _fits(take: Callable[[str], None], passphrase: str) -> bool:
    try:
        take(passphrase)
    except BadInput as why:
        if why.details.get("wrong"):
            return False
        raise
    return True


def _hidden(question: str) -> str:
    import typer

    return str(typer.prompt(question, hide_input=True, err=True))


def _say(sentence: str) -> None:
    from wideberth.cli import show

    show.note(sentence, style="bold red")
