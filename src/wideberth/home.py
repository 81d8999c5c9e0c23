# SPDX-License-Identifier: Apache-2.0
"""A node's folder: its settings and its private keys. Nobody but its owner may even list it.

    config.toml           settings (`config.py`); written last, so a folder without it was never finished
    keys/ card.json       our keys and the card that certifies them (`keyset.py`)
    keys/lock.json        the home key under our passphrase; it locks the others (`vault.py`). Absent: keys are plain
    keys/root.seed        the party's root key, under a passphrase of its own. May be taken away to a safe place
    change.json           a change of keys that was cut short: finished when the folder is loaded (`rekey.py`)
    sets/NONCE/           keys and card of one mechanism alone, with set.json that names it (`invite --own-keys`)
    node.sock             the local socket while the node runs
    record.db             the record, where the store is SQLite
    record.db.mark        how far the record had come: an older copy in its place is noticed (`store/watermark.py`)
    NAME.pem              roots of time-stamping authorities, where config.toml names any (`tsa_roots`)

Files are 0600 and folders 0700; a folder that others can open is refused rather than mended, because its keys may be
out.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from wideberth import folder
from wideberth.config import CONFIG_BYTES_MAX, Config, check_post, read_config, write_config
from wideberth.core.limits import KIB
from wideberth.errors import BadInput, NotFound
from wideberth.folder import Entropy
from wideberth.keyset import (
    NODE,
    ROOT,
    SEAL,
    TLS,
    KeySet,
    Opener,
    post_use,
)
from wideberth.link.sealing import SealingKey
from wideberth.link.tls import Identity
from wideberth.vault import MODERATE, Cost, Vault, check_passphrase

CONFIG_NAME: Final = "config.toml"
SOCKET_NAME: Final = "node.sock"
RECORD_NAME: Final = "record.db"
CHANGE_NAME: Final = "change.json"
LOCK_NAME: Final = "lock.json"
SET_NAME: Final = "set.json"
# A bundle of all public roots is some 250 KiB.
_ROOTS_BYTES_MAX: Final = 1024 * KIB
_LOCK_BYTES_MAX: Final = 4 * KIB
# A card with its certificate, twice in base64, and settings.
_CHANGE_BYTES_MAX: Final = 256 * KIB
_NONCE: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Passphrases(NamedTuple):
    """What new keys are locked with: `node` all that the node needs to run, `root` the root key alone."""

    node: str
    root: str
    cost: Cost = MODERATE


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a change of keys replaces, all of it or nothing. Empty: as it is. `drop`: key files to be deleted."""

    card: str = ""
    config: str = ""
    drop: tuple[str, ...] = ()


class SetFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a key set of its own is for. `own_root`: it has a root key of its own as well."""

    mechanism: str
    own_root: bool


def create(
    path: Path, config: Config, *, entropy: Entropy, now_ms: int, passphrases: Passphrases | None = None
) -> Home:
    """Make the folder (new or empty) with fresh keys for everything that `config` names.

    Without `passphrases` the keys are kept plain. `entropy(n)` gives n random bytes, for the Ed25519 seeds; sealing and
    TLS keys, salts and nonces are made from the system's randomness. `now_ms`: UTC.

    Raises: BadInput, StoreFull, Worlds.
    """
    check_free(path)
    opener = Opener(locked=False)
    with folder.disk(path):
        folder.make_folder(path)
        folder.make_folder(path / "keys")
        if passphrases is not None:
            check_passphrase(passphrases.root)
            opener.vault, lock = Vault.make(passphrases.node, now_ms=now_ms, cost=passphrases.cost)
            folder.write_file(path / "keys" / LOCK_NAME, lock)
        keys, uses = KeySet(path, opener), (ROOT, NODE, *map(post_use, config.posts), SEAL, TLS)
        _fill(keys, uses, config.party, entropy, now_ms, passphrases)
        folder.write_file(path / CONFIG_NAME, write_config(config).encode("utf-8"))
    made = load(path)
    made.opener.vault = opener.vault
    made.keys.inherit_root(keys)
    return made


def check_free(path: Path) -> None:
    """Raises: BadInput when there is something in the place of a new folder."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise BadInput(f"{path} is already there and not an empty folder; name another", field="path")


def _fill(
    keys: KeySet, uses: Iterable[str], party: str, entropy: Entropy, now_ms: int, passphrases: Passphrases | None
) -> None:
    own = passphrases.root if passphrases is not None else ""
    cost = passphrases.cost if passphrases is not None else MODERATE
    for use in uses:
        passphrase = own if use == ROOT else ""
        keys.make(use, entropy=entropy, now_ms=now_ms, party=party, passphrase=passphrase, cost=cost)


def load(path: Path) -> Home:
    """The home in `path`, its settings read and its permissions checked. Keys are read when asked for.

    A change of keys that was cut short is finished first. Raises: NotFound when there is none, BadInput when it is open
    to others, not finished, or its settings are wrong; StoreFull, Worlds.
    """
    if not path.is_dir():
        raise NotFound(f"there is no node folder {path}; make one with `wideberth init`", field="path")
    with folder.disk(path):
        folder.check_private(path)
        if not (path / CONFIG_NAME).is_file():
            raise NotFound(f"{path} has no {CONFIG_NAME}: it was never finished. Make another with `wideberth init`")
        folder.check_private(path / "keys")
        if any((place / CHANGE_NAME).exists() for place in (path, *_set_folders(path))):
            with folder.alone(path):
                for place in (path, *_set_folders(path)):
                    finish(place)
        try:
            text = folder.read_file(path / CONFIG_NAME, CONFIG_BYTES_MAX).decode("utf-8")
        except UnicodeDecodeError:
            raise BadInput(f"{path / CONFIG_NAME} is not UTF-8") from None
        return Home(path, read_config(text))


def finish(place: Path) -> None:
    """Carry out what `change.json` in this folder says; safe to repeat. Nothing to do where there is none."""
    note = place / CHANGE_NAME
    if not note.exists():
        return
    try:
        change = msgspec.json.decode(folder.read_file(note, _CHANGE_BYTES_MAX), type=Change)
    except (msgspec.DecodeError, ValueError):
        raise BadInput(f"{note} cannot be read; restore the folder from a backup") from None
    keys = KeySet(place, Opener(locked=False))
    if change.config:
        folder.write_file(place / CONFIG_NAME, change.config.encode("utf-8"), replace=True)
    if change.card:
        folder.write_file(keys.card_path, change.card.encode("ascii"), replace=True)
    for name in change.drop:
        folder.remove_file(place / "keys" / Path(name).name)
    folder.remove_file(note)


def begin(place: Path, change: Change) -> None:
    """The instant in which a change of keys happens: once `change.json` is there, it will be finished."""
    folder.write_file(place / CHANGE_NAME, msgspec.json.encode(change))
    finish(place)


def _set_folders(path: Path) -> list[Path]:
    sets = path / "sets"
    return sorted(f for f in sets.iterdir() if _NONCE.fullmatch(f.name)) if sets.is_dir() else []


class Home:
    """A node's folder that was found in order. Every method that reads a key raises NotFound or BadInput, in words."""

    def __init__(self, path: Path, config: Config, keys: KeySet | None = None) -> None:
        """`keys`: the own set as another view of this folder has it, unlocked or not."""
        self.path: Final = path
        self.config = config
        self.keys: Final = keys or KeySet(path, Opener(locked=(path / "keys" / LOCK_NAME).is_file()))
        self.opener: Final = self.keys.opener
        # Kept, because a root key that was unlocked is at hand in its set.
        self._sets: Final[dict[str, KeySet]] = {}

    @property
    def socket_path(self) -> Path:
        return self.path / SOCKET_NAME

    @property
    def record_path(self) -> Path:
        return self.path / RECORD_NAME

    # --- the lock ---

    @property
    def encrypted(self) -> bool:
        """Whether there is a passphrase at all."""
        return self.opener.locked

    @property
    def unlocked(self) -> bool:
        """Whether keys can be read now."""
        return not self.opener.locked or self.opener.vault is not None

    def unlock(self, passphrase: str) -> None:
        """Open the keys for this run (about half a second). Raises: BadInput for the wrong passphrase."""
        with folder.disk(self.path):
            data = folder.read_file(self.path / "keys" / LOCK_NAME, _LOCK_BYTES_MAX)
        self.opener.vault = Vault.unlock(data, passphrase)

    # --- keys of our own set ---

    def root_seed(self) -> bytes:
        return self.keys.root_seed()

    def node_seed(self) -> bytes:
        return self.keys.seed(
            NODE, "the node's key is missing; restore it from a backup, or make one: `keys rotate node`"
        )

    def post_seed(self, post: str) -> bytes:
        check_post(post)
        missing = f"there is no post {post!r} in this folder; `wideberth keys add {post}`, or name another"
        return self.keys.seed(post_use(post), missing)

    def sealing_keys(self) -> tuple[SealingKey, ...]:
        """All keys to open with, oldest first; the last one is the current one, to be published."""
        return self.keys.sealing_keys()

    def identity(self) -> Identity:
        """The TLS certificate and its key."""
        return self.keys.identity()

    # --- sets of keys ---

    def sets(self) -> list[KeySet]:
        """Our own set first, then those that one mechanism has for itself."""
        with folder.disk(self.path):
            for place in _set_folders(self.path):
                self._sets.setdefault(place.name, KeySet(place, self.opener, place.name))
        return [self.keys, *(self._sets[name] for name in sorted(self._sets))]

    def set_named(self, nonce: str) -> KeySet:
        """The keys of the mechanism that this nonce founded: its own, where it has any, else ours."""
        return next((s for s in self.sets() if s.name == nonce), self.keys)

    def add_set(
        self, nonce: str, facts: SetFacts, *, entropy: Entropy, now_ms: int, passphrases: Passphrases | None = None
    ) -> KeySet:
        """Keys for one mechanism alone: node, posts, sealing, and with `facts.own_root` a root. TLS is shared.

        Of `passphrases` only the root's is used; without them a root of its own is kept plain. The set is made beside
        and named last: killed in between, nothing of it is there. Raises: BadInput, StoreFull, Worlds.
        """
        if not _NONCE.fullmatch(nonce):
            raise BadInput("the nonce of this agreement is not one of ours; it cannot have keys of its own")
        self.opener.need()
        place, draft = self.path / "sets" / nonce, self.path / "sets" / f".{nonce}.new"
        with folder.disk(self.path), folder.alone(self.path):
            if place.exists():
                return next(s for s in self.sets() if s.name == nonce)
            folder.make_folder(place.parent)
            shutil.rmtree(draft, ignore_errors=True)
            folder.make_folder(draft)
            folder.make_folder(draft / "keys")
            keys = KeySet(draft, self.opener, nonce)
            uses = (*([ROOT] if facts.own_root else []), NODE, *map(post_use, self.config.posts), SEAL)
            _fill(keys, uses, self.config.party, entropy, now_ms, passphrases)
            folder.write_file(draft / SET_NAME, msgspec.json.encode(facts))
            draft.rename(place)
            folder.sync_folder(place.parent)
        made = next(s for s in self.sets() if s.name == nonce)
        made.inherit_root(keys)
        return made

    def set_facts(self, keys: KeySet) -> SetFacts:
        """What a set is for; of our own one: every mechanism that has none. Raises: BadInput."""
        if not keys.name:
            return SetFacts("", True)
        with folder.disk(self.path):
            data = folder.read_file(keys.path / SET_NAME, _LOCK_BYTES_MAX)
        try:
            return msgspec.json.decode(data, type=SetFacts)
        except (msgspec.DecodeError, ValueError):
            raise BadInput(f"{keys.path / SET_NAME} cannot be read; restore it from a backup") from None

    # --- settings ---

    def read_again(self) -> None:
        """Take in settings that another process changed. Raises: NotFound, BadInput."""
        self.config = load(self.path).config

    def save(self, config: Config) -> Home:
        """Replace the settings, all or nothing. Raises: BadInput, StoreFull, Worlds."""
        if config.party != self.config.party:
            raise BadInput("a party keeps its name: agreements were signed with it. Make another folder", field="party")
        with folder.disk(self.path):
            folder.write_file(self.path / CONFIG_NAME, write_config(config).encode("utf-8"), replace=True)
        return Home(self.path, config, self.keys)

    def tsa_roots(self) -> tuple[tuple[str, bytes], ...]:
        """Name and PEM of each file of roots that the settings name. Raises: NotFound, BadInput, Worlds."""
        found = []
        for name in self.config.tsa_roots:
            with folder.disk(self.path):
                if not (self.path / name).is_file():
                    raise NotFound(f"config.toml names {name} in `tsa_roots`, and there is no such file in the folder")
                found.append((name, folder.read_file(self.path / name, _ROOTS_BYTES_MAX)))
        return tuple(found)

    def __repr__(self) -> str:
        return f"Home({str(self.path)!r}, party={self.config.party!r})"
