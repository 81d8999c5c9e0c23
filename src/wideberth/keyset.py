# SPDX-License-Identifier: Apache-2.0
"""One set of keys: the private ones in `keys/`, and `card.json`, by which the root certifies their public halves.

    keys/root.seed            what this party *is* in the mechanisms of this set; it may be elsewhere (`--root-key`)
    keys/node.seed            signs headers and receipts
    keys/post-NAME.seed       one per post
    keys/seal-0001.key        deliveries are sealed to it (`link/sealing.py`)
    keys/tls.key tls.crt      the certificate that peers pin (`link/tls.py`)
    keys/node.0002.seed …     the second key for the same use, and so on; numbers are never used twice
    keys/old/UNTIL.FILE       no longer on the card, kept until then, to open or sign what still needs it
    card.json                 which of them holds

The card decides: of several keys for one use, the one on the card is current, so that a change of keys happens in the
instant in which `card.json` is replaced, and a key that was made but never certified does nothing. Where there is no
card yet the highest number is current.

Plain, a seed is 32 bytes (RFC 8032) as one line of 64 hex digits, short enough to be copied to paper; a sealing key is
one line `suite:base64`; a TLS key is PEM. Encrypted (`vault.py`) a file holds the same text in a box.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from wideberth import folder
from wideberth.core.limits import KIB
from wideberth.core.say import instant
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier
from wideberth.core.seal.party import Card, read_card
from wideberth.errors import BadInput, NotFound, Theirs
from wideberth.folder import Entropy
from wideberth.link.sealing import SealingKey
from wideberth.link.tls import Identity, fingerprint, make_identity
from wideberth.vault import (
    MODERATE,
    ByPassphrase,
    Cost,
    Locked,
    Vault,
    is_locked,
    lock_by_passphrase,
    open_by_passphrase,
    parse,
)

CARD_NAME: Final = "card.json"
ROOT: Final = "root"
NODE: Final = "node"
SEAL: Final = "seal"
TLS: Final = "tls"
# What still opens or signs something after the card changed: deliveries under way, a record put back from a backup.
LASTING: Final = frozenset({NODE, SEAL, TLS})
CARD_BYTES_MAX: Final = 64 * KIB

_FILE: Final = re.compile(
    r"(?P<use>root|node|tls|post-(?P<post>[a-z0-9-]+))(\.(?P<n>[0-9]{4,}))?\.(?P<end>seed|key)"
    r"|seal-(?P<seal>[0-9]{4,})\.key",
    re.ASCII,
)
_STAMP: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)
_STAMP_MS: Final = 1_000


def post_use(post: str) -> str:
    """The use of a post's key."""
    return f"post/{post}"


class KeyFile(NamedTuple):
    """A private key's file. `until_ms`: 0, or when one that was replaced is deleted (milliseconds UTC)."""

    use: str
    n: int
    path: Path
    until_ms: int = 0


class KeyFacts(NamedTuple):
    """What a key file says of itself. `by`: `plain`, `home` (the passphrase of this node) or `passphrase` (its own)."""

    public: str
    made_ms: int
    by: str


class Opener:
    """Shared by all sets of one home: the home key once it was unlocked. `locked`: there is one to be unlocked."""

    def __init__(self, *, locked: bool) -> None:
        self.locked = locked
        self.vault: Vault | None = None

    def need(self) -> Vault | None:
        """The vault that new keys are locked in; None where keys are kept plain. Raises: BadInput while locked."""
        if self.locked and self.vault is None:
            raise BadInput(
                "the private keys of this node are encrypted, and no passphrase was given. Start it from a terminal, "
                "which asks; or give --passphrase-file FILE, or set WIDEBERTH_PASSPHRASE_FILE",
                field="passphrase",
            )
        return self.vault


class KeySet:
    """The keys in one folder. `name` is empty for the home's own set. Reading a key raises NotFound or BadInput."""

    def __init__(self, path: Path, opener: Opener, name: str = "") -> None:
        self.path: Final = path
        self.name: Final = name
        self.opener: Final = opener
        self._root: bytearray | None = None

    # --- the card ---

    @property
    def card_path(self) -> Path:
        return self.path / CARD_NAME

    def card(self) -> Card | None:
        """The newest card that our root signed, or None before the first. Raises: BadInput when it was spoilt."""
        data = self.card_bytes()
        if data is None:
            return None
        try:
            return read_card(data, Ed25519Verifier())
        except Theirs as why:
            raise BadInput(f"{self.card_path} is not as it was signed ({why}); restore it from a backup") from None

    def card_bytes(self) -> bytes | None:
        with folder.disk(self.path):
            return folder.read_file(self.card_path, CARD_BYTES_MAX) if self.card_path.is_file() else None

    # --- files ---

    def files(self, use: str = "") -> list[KeyFile]:
        """The key files of one use, or of all, the newest last; `old` ones first."""
        with folder.disk(self.path):
            found = sorted(self._scan(), key=lambda f: (f.until_ms == 0, f.use, f.n))
        return [f for f in found if not use or f.use == use]

    def _scan(self) -> Iterator[KeyFile]:
        keys, old = self.path / "keys", self.path / "keys" / "old"
        for file in keys.iterdir() if keys.is_dir() else ():
            if match := _FILE.fullmatch(file.name):
                yield _key_file(match, file, 0)
        for file in old.iterdir() if old.is_dir() else ():
            until, _, name = file.name.partition("Z.")
            if (match := _FILE.fullmatch(name)) and _STAMP.fullmatch(until):
                yield _key_file(match, file, instant.parse(f"{until}Z"))

    def name_for(self, use: str, n: int) -> str:
        """The name of the n-th key for a use."""
        if use == SEAL:
            return f"seal-{n:04}.key"
        stem = use.replace("post/", "post-", 1)
        return f"{stem}{f'.{n:04}' if n > 1 else ''}.{'key' if use == TLS else 'seed'}"

    def next_number(self, use: str) -> int:
        return max((f.n for f in self.files(use)), default=0) + 1

    def current(self, use: str) -> KeyFile | None:
        """The key on our card; without a card, or where the one on it is not here, the newest of those that are."""
        found = self.files(use)
        wanted = public_on(self.card(), use)
        if wanted:
            for file in reversed(found):
                if self.facts(file).public == wanted:
                    return file
        here = [f for f in found if not f.until_ms]
        return here[-1] if here else None

    def facts(self, file: KeyFile) -> KeyFacts:
        """What it says of itself, without any passphrase where it is encrypted; then nothing proves it yet."""
        data = self._data(file)
        if is_locked(data):
            locked = self._parsed(file, data)
            return KeyFacts(locked.public, locked.made_ms, "passphrase" if _own_lock(locked) else "home")
        with folder.disk(self.path):
            made_ms = file.path.stat().st_mtime_ns // 1_000_000
        return KeyFacts(self._public(file, data), made_ms, "plain")

    def _parsed(self, file: KeyFile, data: bytes) -> Locked:
        try:
            return parse(data)
        except BadInput as why:
            raise BadInput(f"{file.path}: {why}") from None

    def _data(self, file: KeyFile) -> bytes:
        with folder.disk(self.path):
            folder.check_private(file.path)
            return folder.read_file(file.path, folder.KEY_FILE_BYTES_MAX)

    # --- new keys, and old ones ---

    def make(
        self, use: str, *, entropy: Entropy, now_ms: int, party: str = "", passphrase: str = "", cost: Cost = MODERATE
    ) -> tuple[KeyFile, str]:
        """A fresh key for a use, with the next number, and its public half; it does nothing until a card names it.

        `party` labels a TLS certificate. With `passphrase` the file has that one of its own, else the home's lock if
        there is one; the root key of a new set stays at hand for this run. Raises: BadInput, StoreFull, Worlds.
        """
        vault = self.opener.need()
        n = self.next_number(use)
        file = KeyFile(use, n, self.path / "keys" / self.name_for(use, n))
        with folder.disk(self.path):
            if use == SEAL:
                text = SealingKey.generate().to_bytes() + b"\n"
            elif use == TLS:
                made = make_identity(party, now_ms)
                folder.write_file(file.path.with_suffix(".crt"), made.certificate_pem.encode("ascii"), replace=True)
                text = made.key_pem
            else:
                text = folder.fresh_seed(entropy)
            public = self._public(file, text)
            if use == ROOT and passphrase:
                self._root = bytearray(seed_in(file, text))
            if passphrase:
                text = lock_by_passphrase(self.what(use), text, public, passphrase, now_ms=now_ms, cost=cost)
            elif vault is not None:
                text = vault.lock(self.what(use), text, public, now_ms)
            folder.write_file(file.path, text)
        return file, public

    def lock_all(self, now_ms: int) -> int:
        """Encrypt what still lies plain (the root key apart), one file after the other; how many there were.

        Killed in between, the rest is still readable, and a second call goes on. Raises: BadInput, StoreFull, Worlds.
        """
        vault, done = self.opener.need(), 0
        for file in self.files():
            facts = self.facts(file)
            if vault is not None and facts.by == "plain" and file.use != ROOT:
                text = vault.lock(self.what(file.use), self._data(file), facts.public, facts.made_ms)
                with folder.disk(self.path):
                    folder.write_file(file.path, text, replace=True)
                done += 1
        return done

    def retire(self, until_ms: int, *, uses: Container[str] = LASTING) -> list[str]:
        """Put away the keys that are not on our card: those of `uses` until then, the others are deleted now.

        Call once everybody who needs the card has it. Which uses they were. Raises: StoreFull, Worlds.
        """
        card, put_away = self.card(), []
        if card is None:
            return []
        old = self.path / "keys" / "old"
        for file in self.files():
            if file.until_ms or file.use == ROOT or self.facts(file).public == public_on(card, file.use):
                continue
            with folder.disk(self.path):
                if file.use in uses:
                    folder.make_folder(old)
                    until = instant.show(-(-until_ms // _STAMP_MS) * _STAMP_MS)
                    for path in _with_certificate(file):
                        os.rename(path, old / f"{until}.{path.name}")
                    folder.sync_folder(old)
                else:
                    self.delete(file)
                folder.sync_folder(file.path.parent)
            put_away.append(file.use)
        return put_away

    def prune(self, now_ms: int) -> list[str]:
        """Delete old keys whose time has come. Which uses they were.

        The bytes may linger on the disk until it reuses them; only an encrypted disk, or encrypted keys, help.
        """
        gone = [f for f in self.files() if f.until_ms and f.until_ms <= now_ms]
        for file in gone:
            self.delete(file)
        return [f.use for f in gone]

    def delete(self, file: KeyFile) -> None:
        """One key, and the certificate that goes with it."""
        with folder.disk(self.path):
            for path in reversed(_with_certificate(file)):
                folder.remove_file(path)

    # --- secrets ---

    def what(self, use: str) -> str:
        """What an encrypted file of this set says that it is, so that none can be put in another's place."""
        return f"{self.name}/{use}" if self.name else use

    def secret(self, file: KeyFile) -> bytes:
        """The plain text of a key. Raises: BadInput, also while it is locked."""
        data = self._data(file)
        if not is_locked(data):
            return data
        locked = self._parsed(file, data)
        if _own_lock(locked):
            raise BadInput(
                f"{file.path} has a passphrase of its own, which was not given"
                + (": --root-passphrase-file FILE, or a terminal that can ask" if file.use == ROOT else ""),
                field="passphrase",
            )
        vault = self.opener.need()
        if vault is None:
            raise BadInput(f"{file.path} is encrypted, but keys/lock.json is missing; restore it from a backup")
        secret = vault.open(self.what(file.use), data)
        if self._public(file, secret) != locked.public:
            raise BadInput(f"{file.path} names another public key than its own; restore it from a backup")
        return secret

    def secret_by_passphrase(self, file: KeyFile, passphrase: str) -> bytes:
        """The plain text of a key that has a passphrase of its own. Raises: BadInput."""
        return open_by_passphrase(self.what(file.use), self._data(file), passphrase)

    def signer(self, file: KeyFile) -> Ed25519Signer:
        return Ed25519Signer(seed_in(file, self.secret(file)))

    def seed(self, use: str, missing: str) -> bytes:
        """The current seed for a use, 32 bytes. Raises: NotFound with `missing`, BadInput."""
        file = self.current(use)
        if file is None:
            raise NotFound(missing)
        return seed_in(file, self.secret(file))

    def _public(self, file: KeyFile, text: bytes) -> str:
        if file.use == SEAL:
            return SealingKey.from_bytes(text.strip()).public()
        if file.use == TLS:
            return fingerprint(self._certificate(file))
        return Ed25519Signer(seed_in(file, text)).public

    # --- sealing and TLS ---

    def sealing_keys(self) -> tuple[SealingKey, ...]:
        """All keys to open with, the current one last."""
        now = self.current(SEAL)
        if now is None:
            raise NotFound("the sealing key is missing; restore it from a backup, or `wideberth keys rotate sealing`")
        files = [f for f in self.files(SEAL) if f != now]
        return tuple(SealingKey.from_bytes(self.secret(f).strip()) for f in (*files, now))

    def identity(self, file: KeyFile | None = None) -> Identity:
        """The TLS certificate on our card and its key, or those of one file."""
        file = file or self.current(TLS)
        if file is None:
            raise NotFound("keys/tls.key is missing; restore it from a backup, or `wideberth keys rotate tls`")
        return Identity(certificate_pem=self._certificate(file), key_pem=self.secret(file))

    def certificate(self, pin: str = "") -> str:
        """The certificate on our card, PEM; or the one with this fingerprint. Raises: NotFound, BadInput."""
        found = [f for f in self.files(TLS) if fingerprint(self._certificate(f)) == pin] if pin else [self.current(TLS)]
        if not found or found[0] is None:
            raise NotFound("keys/tls.key is missing; restore it from a backup, or `wideberth keys rotate tls`")
        return self._certificate(found[0])

    def _certificate(self, file: KeyFile) -> str:
        path = file.path.with_suffix(".crt")
        with folder.disk(self.path):
            if not path.is_file():
                raise NotFound(f"{path} is missing; restore it from a backup")
            folder.check_private(path)
            return folder.read_file(path, folder.KEY_FILE_BYTES_MAX).decode("ascii", "replace")

    # --- the root ---

    def root_file(self) -> KeyFile | None:
        return next(iter(self.files(ROOT)), None)

    def root_seed(self) -> bytes:
        """32 bytes. Raises: NotFound where it was taken away: bring it back for the few things that need it."""
        if self._root is not None:
            return bytes(self._root)
        return self.seed(ROOT, "the root key is not in this folder; name its file in its safe place: --root-key FILE")

    def unlock_root(self, passphrase: str = "", path: Path | None = None) -> None:
        """Have the root key at hand for this run: from this folder, or from a file elsewhere.

        `passphrase` may be empty where it is plain. Raises: NotFound, BadInput when it is not the one on our card.
        """
        file = self.root_file() if path is None else KeyFile(ROOT, 1, path)
        if file is None or not file.path.is_file():
            raise NotFound(f"there is no root key in {path or self.path / 'keys'}; name its file with --root-key FILE")
        locked = self.root_locked(path)
        text = self.secret_by_passphrase(file, passphrase) if locked else self._data(file)
        seed, card = seed_in(file, text), self.card()
        if card is not None and card.root != Ed25519Signer(seed).public:
            raise BadInput(f"{file.path} is not the root key that signed our card, but another one", field="root-key")
        self._root = bytearray(seed)

    def copy_root(self, path: Path) -> None:
        """Copy the root key's file, as it is, to a new one. Raises: NotFound, BadInput, StoreFull, Worlds."""
        file = self.root_file()
        if file is None:
            raise NotFound("there is no root key in this folder")
        with folder.disk(path):
            folder.write_file(path, self._data(file))

    def forget_root(self, copy: Path) -> None:
        """Delete the root key's file here. The key of `copy`, another file, was unlocked and is at hand.

        Raises: NotFound, BadInput, Worlds.
        """
        file = self.root_file()
        if file is None or self._root is None:
            raise NotFound("there is no root key in this folder, or it was not opened")
        if copy.resolve() == file.path.resolve():
            raise BadInput("this is the root key in the folder itself; name the copy that you keep", field="root-key")
        if self.facts(file).public != Ed25519Signer(bytes(self._root)).public:
            raise BadInput(f"{copy} is another key than the one in this folder; nothing was deleted", field="root-key")
        self.delete(file)

    def inherit_root(self, other: KeySet) -> None:
        """Have at hand what another view of this set, or the set whose root it shares, has at hand."""
        self._root = other._root

    def root_locked(self, path: Path | None = None) -> bool:
        """Whether the root key's file, here or elsewhere, asks for a passphrase."""
        file = self.root_file() if path is None else KeyFile(ROOT, 1, path)
        return file is not None and is_locked(self._data(file))

    def root_public(self) -> str:
        """The public half, from the card or the file. Raises: NotFound."""
        card, file = self.card(), self.root_file()
        if card is not None:
            return card.root
        if file is not None:
            return self.facts(file).public
        return Ed25519Signer(self.root_seed()).public

    def __repr__(self) -> str:
        return f"KeySet({str(self.path)!r})"


def seed_in(file: KeyFile, text: bytes) -> bytes:
    """The 32 bytes of a seed. Raises: BadInput."""
    return folder.parse_seed(text, str(file.path))


def _with_certificate(file: KeyFile) -> list[Path]:
    """A key's file, after its certificate where it has one: a key is never without it."""
    certificate = file.path.with_suffix(".crt")
    return [certificate, file.path] if file.use == TLS and certificate.exists() else [file.path]


def _key_file(match: re.Match[str], path: Path, until_ms: int) -> KeyFile:
    if match["seal"]:
        return KeyFile(SEAL, int(match["seal"]), path, until_ms)
    use = post_use(match["post"]) if match["post"] else match["use"]
    return KeyFile(use, int(match["n"] or 1), path, until_ms)


def public_on(card: Card | None, use: str) -> str:
    """The public half that a card names for a use; empty where it names none."""
    if card is None:
        return ""
    if use.startswith("post/"):
        post = card.posts.get(use.removeprefix("post/"))
        return post.key if post is not None else ""
    return {ROOT: card.root, NODE: card.node, SEAL: card.sealing, TLS: card.tls_sha256}[use]


def _own_lock(locked: Locked) -> bool:
    return isinstance(locked.by, ByPassphrase)
