# SPDX-License-Identifier: Apache-2.0
"""Private folders and the files in them: nobody but the owner may open them, and each file is written whole or not.

Used by a node's folder (`home.py`) and a mediator's (`mediator/folder.py`). Seeds are Ed25519 seeds (RFC 8032), 32
bytes, as one line of 64 hex digits.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

from wideberth.core.limits import KIB
from wideberth.errors import BadInput, Misuse, NotFound, StoreFull, Worlds

SEED_BYTES: Final = 32
# The longest key file, an encrypted sealing key, has some 2 KB: its public half alone is 1,656 characters.
KEY_FILE_BYTES_MAX: Final = 16 * KIB

# A small text that people edit while the node runs; what reads one says its exact limit.
WATCHED_BYTES_MAX: Final = 1024 * KIB

_SEED: Final = re.compile(rb"[0-9a-f]{64}\n?")

Entropy = Callable[[int], bytes]


def fresh_seed(entropy: Entropy) -> bytes:
    """A new seed as its file has it. Raises: Misuse."""
    seed = entropy(SEED_BYTES)
    if len(seed) != SEED_BYTES:
        raise Misuse(f"the source of entropy gave {len(seed)} bytes where {SEED_BYTES} were asked for")
    return seed.hex().encode("ascii") + b"\n"


def parse_seed(text: bytes, name: str) -> bytes:
    """32 bytes from what `fresh_seed` gave. Raises: BadInput, naming the file."""
    if not _SEED.fullmatch(text):
        raise BadInput(f"{name} is not a seed (one line of 64 hex digits); restore it from a backup")
    return bytes.fromhex(text.decode("ascii"))


def check_private(path: Path) -> None:
    """Raises: NotFound, and BadInput where others can open it or own it."""
    if not path.exists():
        raise NotFound(f"{path} is missing; restore the folder from a backup")
    state = path.stat()
    if state.st_uid != os.geteuid():
        raise BadInput(f"{path} belongs to another user; run the node as its owner, or `chown` the whole folder")
    if stat.S_IMODE(state.st_mode) & 0o077:
        mode = 700 if path.is_dir() else 600
        raise BadInput(
            f"{path} can be opened by other users of this machine, and private keys are in there. If nobody has read "
            f"them: `chmod {mode} {path}`. If somebody may have: make new keys and tell the peers",
            field="path",
        )


def make_folder(path: Path) -> None:
    """A private folder, and those above it; one that is there becomes private."""
    path.mkdir(parents=True, exist_ok=True)
    os.chmod(path, 0o700)  # mkdir's own mode passes through the umask


def read_file(file: Path, most: int) -> bytes:
    """All of it. Raises: BadInput when it has more than `most` bytes, OSError."""
    with file.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise BadInput(f"{file} is longer than {most} bytes; restore it from a backup")
    return data


def write_file(file: Path, data: bytes, *, replace: bool = False) -> None:
    """All of `data` in `file`, durable, 0600, or nothing. Never over an existing file unless `replace`."""
    if not replace and file.exists():
        raise BadInput(f"{file} is already there and is not written over")
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as stream:
            os.fchmod(stream.fileno(), 0o600)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def remove_file(file: Path) -> None:
    """Gone, durably; it may be gone already. The bytes may linger on the disk until it reuses them."""
    file.unlink(missing_ok=True)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or deleted in there durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def disk(path: Path) -> Generator[None, None, None]:
    """What the system says about files becomes the world's fault, in words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(f"no room on the disk of {path}") from None
        raise Worlds(f"{path}: {error.strerror or error}") from None


@contextlib.contextmanager
def alone(path: Path) -> Generator[None, None, None]:
    """One process at a time in this folder; the others wait. The system lets go of it when the process ends."""
    with disk(path):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


class Watched:
    """A small text file that people edit while a node runs. `text` is what was read last; empty for one that is not
    there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: tuple[int, ...] | None = None
        self.text = ""

    def changed(self) -> str | None:
        """Its text when it is another since the last look, or at the first one; else None. Raises BadInput, once."""
        try:
            state = self._path.stat()
            mark: tuple[int, ...] = (state.st_mtime_ns, state.st_size, state.st_ino)
        except OSError:
            mark = ()
        if mark == self._mark:
            return None
        self._mark = mark
        if not mark:
            self.text = ""
            return self.text
        try:
            if state.st_size > WATCHED_BYTES_MAX:
                raise BadInput(f"{self._path.name} is longer than {WATCHED_BYTES_MAX} bytes")
            self.text = self._path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as why:
            raise BadInput(f"{self._path.name} cannot be read: {why}") from None
        return self.text
