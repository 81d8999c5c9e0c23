# SPDX-License-Identifier: Apache-2.0
"""A node's folder: its settings and its private keys. Nobody but its owner may even list it.

    config.toml           settings (`config.py`); written last, so a folder without it was never finished
    keys/root.seed        the party's root key. May be taken away to a safe place once the agreement is signed
    keys/node.seed        the node's key, which signs headers
    keys/post-NAME.seed   one per post: what a person says is signed with it
    keys/seal-NNNN.key    keys that others seal to (`link/sealing.py`); the highest number is the current one
    keys/tls.key tls.crt  the certificate that peers pin (`link/tls.py`)
    node.sock             the local socket while the node runs
    record.db             the record, where the store is SQLite
    NAME.pem              roots of time-stamping authorities, where config.toml names any (`tsa_roots`)

Seeds are Ed25519 seeds (RFC 8032), 32 bytes, as one line of 64 hex digits: short enough to be copied to paper. Files
are 0600 and folders 0700; a folder that others can open is refused rather than mended, because its keys may be out.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

from wideberth.config import CONFIG_BYTES_MAX, Config, check_post, read_config, write_config
from wideberth.core.limits import KIB
from wideberth.errors import BadInput, Misuse, NotFound, StoreFull, Worlds
from wideberth.link.sealing import SealingKey
from wideberth.link.tls import Identity, make_identity

CONFIG_NAME: Final = "config.toml"
SOCKET_NAME: Final = "node.sock"
RECORD_NAME: Final = "record.db"
SEED_BYTES: Final = 32
# The longest key file, a TLS key in PEM, is 241 bytes; the certificate some 600.
_KEY_FILE_BYTES_MAX: Final = 16 * KIB
# A bundle of all public roots is some 250 KiB.
_ROOTS_BYTES_MAX: Final = 1024 * KIB

_SEED: Final = re.compile(rb"[0-9a-f]{64}\n?")
_SEAL_FILE: Final = re.compile(r"seal-([0-9]{4,})\.key", re.ASCII)

Entropy = Callable[[int], bytes]


def create(path: Path, config: Config, *, entropy: Entropy, now_ms: int) -> Home:
    """Make the folder (new or empty) with fresh keys for everything that `config` names.

    `entropy(n)` gives n random bytes, for the Ed25519 seeds; sealing and TLS keys are made by their libraries from the
    system's randomness. `now_ms`: UTC, for the certificate. Raises: BadInput, StoreFull, Worlds.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise BadInput(f"{path} is already there and not an empty folder; name another", field="path")
    with _disk(path):
        path.mkdir(parents=True, exist_ok=True)
        keys = path / "keys"
        os.chmod(path, 0o700)
        keys.mkdir()
        os.chmod(keys, 0o700)  # mkdir's own mode passes through the umask
        names = ["root.seed", "node.seed", *(f"post-{name}.seed" for name in config.posts)]
        for name in names:
            _write(keys / name, _fresh_seed(entropy))
        _write(keys / _seal_name(1), SealingKey.generate().to_bytes() + b"\n")
        identity = make_identity(config.party, now_ms)
        _write(keys / "tls.key", identity.key_pem)
        _write(keys / "tls.crt", identity.certificate_pem.encode("ascii"))
        _write(path / CONFIG_NAME, write_config(config).encode("utf-8"))
    return load(path)


def load(path: Path) -> Home:
    """The home in `path`, its settings read and its permissions checked. Keys are read when asked for.

    Raises: NotFound when there is none, BadInput when it is open to others, not finished, or its settings are wrong.
    """
    if not path.is_dir():
        raise NotFound(f"there is no node folder {path}; make one with `wideberth init`", field="path")
    with _disk(path):
        _check_private(path)
        if not (path / CONFIG_NAME).is_file():
            raise NotFound(f"{path} has no {CONFIG_NAME}: it was never finished. Make another with `wideberth init`")
        _check_private(path / "keys")
        try:
            text = _read(path / CONFIG_NAME, CONFIG_BYTES_MAX).decode("utf-8")
        except UnicodeDecodeError:
            raise BadInput(f"{path / CONFIG_NAME} is not UTF-8") from None
        return Home(path, read_config(text))


class Home:
    """A node's folder that was found in order. Every method that reads a key raises NotFound or BadInput, in words."""

    def __init__(self, path: Path, config: Config) -> None:
        self.path: Final = path
        self.config: Final = config

    @property
    def socket_path(self) -> Path:
        return self.path / SOCKET_NAME

    @property
    def record_path(self) -> Path:
        return self.path / RECORD_NAME

    def root_seed(self) -> bytes:
        """32 bytes. Raises: NotFound where it was taken away: bring it back for the few things that need it."""
        return self._seed("root.seed", "the root key is not in this folder; bring it back from its safe place for this")

    def node_seed(self) -> bytes:
        return self._seed("node.seed", "the node's key is missing; restore it from a backup")

    def post_seed(self, post: str) -> bytes:
        check_post(post)
        return self._seed(f"post-{post}.seed", f"there is no post {post!r} in this folder; add it, or name another")

    def add_post(self, post: str, *, entropy: Entropy) -> Home:
        """A post more, with a fresh key. Returns the home with its new settings. Raises: BadInput, StoreFull."""
        check_post(post)
        if post in self.config.posts:
            raise BadInput(f"there is already a post {post!r}", field="posts")
        config = Config(
            **{key: getattr(self.config, key) for key in self.config.__struct_fields__}
            | {"posts": (*self.config.posts, post)}
        )
        with _disk(self.path):
            if not (file := self._key(f"post-{post}.seed")).exists():  # left by a crash right here, never used
                _write(file, _fresh_seed(entropy))
        return self.save(config)

    def save(self, config: Config) -> Home:
        """Replace the settings, all or nothing. Raises: BadInput, StoreFull, Worlds."""
        if config.party != self.config.party:
            raise BadInput("a party keeps its name: agreements were signed with it. Make another folder", field="party")
        with _disk(self.path):
            _write(self.path / CONFIG_NAME, write_config(config).encode("utf-8"), replace=True)
        return Home(self.path, config)

    def sealing_keys(self) -> tuple[SealingKey, ...]:
        """All keys to open with, oldest first; the last one is the current one, to be published."""
        files = self._seal_files()
        if not files:
            raise NotFound("the sealing key is missing; restore it from a backup, or make one with `rotate`")
        return tuple(SealingKey.from_bytes(self._read_key(file.name).strip()) for _, file in sorted(files.items()))

    def rotate_sealing_key(self) -> SealingKey:
        """A new current key. The old ones stay, to open what is under way, until `forget_sealing_key` (J6)."""
        key = SealingKey.generate()
        with _disk(self.path):
            _write(self._key(_seal_name(max(self._seal_files(), default=0) + 1)), key.to_bytes() + b"\n")
        return key

    def forget_sealing_key(self, key_id: bytes) -> None:
        """Delete an old key: what was sealed to it and recorded on its way can then never be opened again.

        The bytes may linger on the disk until it reuses them; only an encrypted disk helps. Raises: NotFound; BadInput
        for the current key.
        """
        files = [file for _, file in sorted(self._seal_files().items())]
        found = [file for file, key in zip(files, self.sealing_keys(), strict=True) if key.id == key_id]
        if not found:
            raise NotFound("there is no such sealing key in this folder")
        if found[0] == files[-1]:
            raise BadInput("this is the current sealing key; rotate first, and tell the peers")
        with _disk(self.path):
            found[0].unlink()
            _sync_folder(found[0].parent)

    def identity(self) -> Identity:
        """The TLS certificate and its key."""
        pem = self._read_key("tls.crt")
        return Identity(certificate_pem=pem.decode("ascii", "replace"), key_pem=self._read_key("tls.key"))

    def tsa_roots(self) -> tuple[tuple[str, bytes], ...]:
        """Name and PEM of each file of roots that the settings name. Raises: NotFound, BadInput, Worlds."""
        found = []
        for name in self.config.tsa_roots:
            with _disk(self.path):
                if not (self.path / name).is_file():
                    raise NotFound(f"config.toml names {name} in `tsa_roots`, and there is no such file in the folder")
                found.append((name, _read(self.path / name, _ROOTS_BYTES_MAX)))
        return tuple(found)

    def __repr__(self) -> str:
        return f"Home({str(self.path)!r}, party={self.config.party!r})"

    def _key(self, name: str) -> Path:
        return self.path / "keys" / name

    def _seal_files(self) -> dict[int, Path]:
        with _disk(self.path):
            found = ((_SEAL_FILE.fullmatch(file.name), file) for file in self._key("").iterdir())
            return {int(match[1]): file for match, file in found if match}

    def _seed(self, name: str, missing: str) -> bytes:
        text = self._read_key(name, missing)
        if not _SEED.fullmatch(text):
            raise BadInput(f"keys/{name} is not a seed (one line of 64 hex digits); restore it from a backup")
        return bytes.fromhex(text.decode("ascii"))

    def _read_key(self, name: str, missing: str | None = None) -> bytes:
        file = self._key(name)
        with _disk(self.path):
            if not file.is_file():
                raise NotFound(missing or f"keys/{name} is missing; restore it from a backup")
            _check_private(file)
            return _read(file, _KEY_FILE_BYTES_MAX)


def _seal_name(number: int) -> str:
    return f"seal-{number:04}.key"


def _fresh_seed(entropy: Entropy) -> bytes:
    seed = entropy(SEED_BYTES)
    if len(seed) != SEED_BYTES:
        raise Misuse(f"the source of entropy gave {len(seed)} bytes where {SEED_BYTES} were asked for")
    return seed.hex().encode("ascii") + b"\n"


def _check_private(path: Path) -> None:
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


def _read(file: Path, most: int) -> bytes:
    with file.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise BadInput(f"{file} is longer than {most} bytes; restore it from a backup")
    return data


def _write(file: Path, data: bytes, *, replace: bool = False) -> None:
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
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _disk(path: Path) -> Generator[None, None, None]:
    """What the system says about files becomes the world's fault, in words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(f"no room on the disk of {path}") from None
        raise Worlds(f"{path}: {error.strerror or error}") from None
