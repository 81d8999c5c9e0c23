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

import os
import re
from pathlib import Path
from typing import Final

from wideberth.config import CONFIG_BYTES_MAX, Config, check_post, read_config, write_config
from wideberth.core.limits import KIB
from wideberth.errors import BadInput, NotFound
from wideberth.folder import (
    KEY_FILE_BYTES_MAX,
    Entropy,
    check_private,
    disk,
    fresh_seed,
    parse_seed,
    read_file,
    sync_folder,
    write_file,
)
from wideberth.link.sealing import SealingKey
from wideberth.link.tls import Identity, make_identity

CONFIG_NAME: Final = "config.toml"
SOCKET_NAME: Final = "node.sock"
RECORD_NAME: Final = "record.db"
# A bundle of all public roots is some 250 KiB.
_ROOTS_BYTES_MAX: Final = 1024 * KIB

_SEAL_FILE: Final = re.compile(r"seal-([0-9]{4,})\.key", re.ASCII)


def create(path: Path, config: Config, *, entropy: Entropy, now_ms: int) -> Home:
    """Make the folder (new or empty) with fresh keys for everything that `config` names.

    `entropy(n)` gives n random bytes, for the Ed25519 seeds; sealing and TLS keys are made by their libraries from the
    system's randomness. `now_ms`: UTC, for the certificate. Raises: BadInput, StoreFull, Worlds.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise BadInput(f"{path} is already there and not an empty folder; name another", field="path")
    with disk(path):
        path.mkdir(parents=True, exist_ok=True)
        keys = path / "keys"
        os.chmod(path, 0o700)
        keys.mkdir()
        os.chmod(keys, 0o700)  # mkdir's own mode passes through the umask
        names = ["root.seed", "node.seed", *(f"post-{name}.seed" for name in config.posts)]
        for name in names:
            write_file(keys / name, fresh_seed(entropy))
        write_file(keys / _seal_name(1), SealingKey.generate().to_bytes() + b"\n")
        identity = make_identity(config.party, now_ms)
        write_file(keys / "tls.key", identity.key_pem)
        write_file(keys / "tls.crt", identity.certificate_pem.encode("ascii"))
        write_file(path / CONFIG_NAME, write_config(config).encode("utf-8"))
    return load(path)


def load(path: Path) -> Home:
    """The home in `path`, its settings read and its permissions checked. Keys are read when asked for.

    Raises: NotFound when there is none, BadInput when it is open to others, not finished, or its settings are wrong.
    """
    if not path.is_dir():
        raise NotFound(f"there is no node folder {path}; make one with `wideberth init`", field="path")
    with disk(path):
        check_private(path)
        if not (path / CONFIG_NAME).is_file():
            raise NotFound(f"{path} has no {CONFIG_NAME}: it was never finished. Make another with `wideberth init`")
        check_private(path / "keys")
        try:
            text = read_file(path / CONFIG_NAME, CONFIG_BYTES_MAX).decode("utf-8")
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
        with disk(self.path):
            if not (file := self._key(f"post-{post}.seed")).exists():  # left by a crash right here, never used
                write_file(file, fresh_seed(entropy))
        return self.save(config)

    def save(self, config: Config) -> Home:
        """Replace the settings, all or nothing. Raises: BadInput, StoreFull, Worlds."""
        if config.party != self.config.party:
            raise BadInput("a party keeps its name: agreements were signed with it. Make another folder", field="party")
        with disk(self.path):
            write_file(self.path / CONFIG_NAME, write_config(config).encode("utf-8"), replace=True)
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
        with disk(self.path):
            write_file(self._key(_seal_name(max(self._seal_files(), default=0) + 1)), key.to_bytes() + b"\n")
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
        with disk(self.path):
            found[0].unlink()
            sync_folder(found[0].parent)

    def identity(self) -> Identity:
        """The TLS certificate and its key."""
        pem = self._read_key("tls.crt")
        return Identity(certificate_pem=pem.decode("ascii", "replace"), key_pem=self._read_key("tls.key"))

    def tsa_roots(self) -> tuple[tuple[str, bytes], ...]:
        """Name and PEM of each file of roots that the settings name. Raises: NotFound, BadInput, Worlds."""
        found = []
        for name in self.config.tsa_roots:
            with disk(self.path):
                if not (self.path / name).is_file():
                    raise NotFound(f"config.toml names {name} in `tsa_roots`, and there is no such file in the folder")
                found.append((name, read_file(self.path / name, _ROOTS_BYTES_MAX)))
        return tuple(found)

    def __repr__(self) -> str:
        return f"Home({str(self.path)!r}, party={self.config.party!r})"

    def _key(self, name: str) -> Path:
        return self.path / "keys" / name

    def _seal_files(self) -> dict[int, Path]:
        with disk(self.path):
            found = ((_SEAL_FILE.fullmatch(file.name), file) for file in self._key("").iterdir())
            return {int(match[1]): file for match, file in found if match}

    def _seed(self, name: str, missing: str) -> bytes:
        return parse_seed(self._read_key(name, missing), f"keys/{name}")

    def _read_key(self, name: str, missing: str | None = None) -> bytes:
        file = self._key(name)
        with disk(self.path):
            if not file.is_file():
                raise NotFound(missing or f"keys/{name} is missing; restore it from a backup")
            check_private(file)
            return read_file(file, KEY_FILE_BYTES_MAX)


def _seal_name(number: int) -> str:
    return f"seal-{number:04}.key"
