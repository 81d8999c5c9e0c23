# SPDX-License-Identifier: Apache-2.0
"""Private keys at rest: encrypted under a passphrase, in small files that say how.

    vault, lock = Vault.make(passphrase, now_ms=now_ms)       # lock: the bytes of keys/lock.json
    text = vault.lock("node", seed, public, now_ms)           # the bytes of keys/node.seed
    Vault.unlock(lock, passphrase).open("node", text)         # the seed again

One line of canonical JSON (docs/keys.md shows one):

    box       XChaCha20-Poly1305 (IETF) of the secret, base64; everything but `nonce` and `box` is authenticated with it
    by        what opens it: {"kdf": "argon2id13", "mem_kib", "ops", "salt", "with": "passphrase"}, or
              {"id": 16 hex digits, "with": "home"}: the home key of that name
    made_ms   when the key was made, milliseconds UTC
    nonce     24 random bytes, base64
    public    its public half as cards show it ("" where there is none): for lists; believed once the box was opened
    v         1
    what      which key: "home", "root", "node", "post/NAME", "seal", "tls"; "SET/" before it in a key set of its own
    wideberth "locked"

A passphrase is stretched by Argon2id (RFC 9106; 16 bytes of salt; `MODERATE` of libsodium: 3 passes over 256 MiB),
once: it opens the *home key*, 32 random bytes in `keys/lock.json`, and that opens all the others. So a node starts with
one derivation, and another passphrase changes one file. The root key and a break-glass post's have passphrases of
their own. Reading is bounded: a file that asks for more memory than `MEM_KIB_MAX` is refused.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from typing import Final, NamedTuple

import msgspec
import nacl.pwhash
from nacl.exceptions import CryptoError
from nacl.secret import Aead

from wideberth.core.limits import KIB
from wideberth.core.seal import canonical
from wideberth.core.seal.keys import b64, unb64
from wideberth.errors import BadInput, Malformed

KEY_BYTES: Final = 32
SALT_BYTES: Final = nacl.pwhash.argon2id.SALTBYTES
NONCE_BYTES: Final = Aead.NONCE_SIZE
# Four times what is written here: room for a later default, and no file can take a machine's memory.
MEM_KIB_MAX: Final = 1024 * KIB
OPS_MAX: Final = 16
# Long enough that a few words are needed. What a passphrase is worth is decided by how it was chosen, not by a rule.
PASSPHRASE_CHARS_MIN: Final = 12
PASSPHRASE_CHARS_MAX: Final = 1024
HOME: Final = "home"


class Cost(NamedTuple):
    """What one guess at a passphrase costs: passes, and memory in KiB."""

    ops: int = nacl.pwhash.argon2id.OPSLIMIT_MODERATE
    mem_kib: int = nacl.pwhash.argon2id.MEMLIMIT_MODERATE // KIB


MODERATE: Final = Cost()


class ByPassphrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="passphrase", tag_field="with"):
    """Argon2id with these parameters. `salt`: base64."""

    kdf: str
    mem_kib: int
    ops: int
    salt: str


class ByHome(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="home", tag_field="with"):
    """The home key with this id."""

    id: str


class Locked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="locked", tag_field="wideberth"):
    """An encrypted key as it lies in a file; nothing in it is believed before the box was opened."""

    v: int
    what: str
    public: str
    made_ms: int
    by: ByPassphrase | ByHome
    nonce: str = ""
    box: str = ""


_DECODER: Final = msgspec.json.Decoder(Locked)


def is_locked(data: bytes) -> bool:
    """Whether these bytes are an encrypted key; a plain one is a line of hex or base64, or PEM."""
    return data[:1] == b"{"


def parse(data: bytes) -> Locked:
    """Raises: BadInput when it is not an encrypted key of a kind that this version opens."""
    try:
        found = _DECODER.decode(data)
    except (msgspec.DecodeError, ValueError):
        raise BadInput("this is not an encrypted key; restore the file from a backup") from None
    by = found.by
    known = not isinstance(by, ByPassphrase) or (
        by.kdf == "argon2id13" and 1 <= by.ops <= OPS_MAX and 8 <= by.mem_kib <= MEM_KIB_MAX
    )
    if found.v != 1 or not known:
        raise BadInput(f"this version of wideberth does not know how to open this key: v {found.v}, {by}")
    return found


def lock_by_passphrase(
    what: str, secret: bytes, public: str, passphrase: str, *, now_ms: int, cost: Cost = MODERATE
) -> bytes:
    """A key under a passphrase of its own, as a file. Raises: BadInput for a passphrase that is too short."""
    check_passphrase(passphrase)
    by = ByPassphrase("argon2id13", cost.mem_kib, cost.ops, b64(os.urandom(SALT_BYTES)))
    return _seal(Locked(1, what, public, now_ms, by), secret, _stretched(by, passphrase))


def open_by_passphrase(what: str, data: bytes, passphrase: str) -> bytes:
    """The secret. Raises: BadInput (field `passphrase` when it is the wrong one)."""
    found = _expected(what, data)
    if not isinstance(found.by, ByPassphrase):
        raise BadInput(f"this key ({what}) is locked by the home's key, not by a passphrase of its own")
    key = _stretched(found.by, passphrase)
    secret = _opened(found, key)
    if secret is None:
        raise wrong(what)
    return secret


def wrong(what: str) -> BadInput:
    """The fault for a passphrase that does not open a key."""
    whose = {HOME: "this node's keys", "root": "the root key"}.get(what, f"this key ({what})")
    return BadInput(
        f"this passphrase does not open {whose}. It may be mistyped, with Caps Lock or in another keyboard's layout; "
        "or the file was changed: then restore it from a backup",
        field="passphrase",
        wrong=True,
    )


def check_passphrase(passphrase: str) -> None:
    """Raises: BadInput for one that is too short to be worth anything."""
    if not PASSPHRASE_CHARS_MIN <= len(passphrase.strip()) <= PASSPHRASE_CHARS_MAX:
        raise BadInput(
            f"a passphrase has {PASSPHRASE_CHARS_MIN} to {PASSPHRASE_CHARS_MAX} characters: take five or six words "
            "that were drawn by lot, not chosen",
            field="passphrase",
        )


class Vault:
    """The home key in memory. Not printed, not pickled, and gone as far as Python allows with `forget`."""

    __slots__ = ("_key", "id")

    def __init__(self, key: bytes) -> None:
        self._key = bytearray(key)
        self.id: Final = hashlib.sha256(b"wideberth home key" + key).hexdigest()[:16]

    @classmethod
    def make(cls, passphrase: str, *, now_ms: int, cost: Cost = MODERATE) -> tuple[Vault, bytes]:
        """A fresh home key, and the file that keeps it. Raises: BadInput."""
        vault = cls(os.urandom(KEY_BYTES))
        return vault, vault.locked(passphrase, now_ms=now_ms, cost=cost)

    @classmethod
    def unlock(cls, data: bytes, passphrase: str) -> Vault:
        """From the bytes of `keys/lock.json`. Raises: BadInput."""
        return cls(open_by_passphrase(HOME, data, passphrase))

    def locked(self, passphrase: str, *, now_ms: int, cost: Cost = MODERATE) -> bytes:
        """The same home key under this passphrase, for `keys/lock.json`. Raises: BadInput."""
        return lock_by_passphrase(HOME, bytes(self._key), self.id, passphrase, now_ms=now_ms, cost=cost)

    def lock(self, what: str, secret: bytes, public: str, now_ms: int) -> bytes:
        """A key as a file that only this home opens."""
        return _seal(Locked(1, what, public, now_ms, ByHome(self.id)), secret, bytes(self._key))

    def open(self, what: str, data: bytes) -> bytes:
        """The secret in a file of this home. Raises: BadInput."""
        found = _expected(what, data)
        secret = _opened(found, bytes(self._key)) if isinstance(found.by, ByHome) else None
        if secret is None:
            raise BadInput(
                f"this key ({what}) does not open with keys/lock.json: they do not belong together, or the file was "
                "changed. Restore the whole folder keys/ from one backup"
            )
        return secret

    def forget(self) -> None:
        """Overwrite the home key. Copies that the interpreter made on its way are beyond reach."""
        self._key[:] = bytes(len(self._key))

    def __repr__(self) -> str:
        return f"Vault({self.id})"


def _expected(what: str, data: bytes) -> Locked:
    found = parse(data)
    if found.what != what:
        raise BadInput(f"this file says that it is the key {found.what[:80]!r}, not {what!r}; it was put in its place")
    return found


def _stretched(by: ByPassphrase, passphrase: str) -> bytes:
    try:
        salt = unb64(by.salt, "salt", SALT_BYTES)
    except Malformed:
        raise BadInput("the salt of this key file cannot be read; restore the file from a backup") from None
    # One spelling of accents, whatever the keyboard sends (as RFC 8265 has it for passwords).
    text = unicodedata.normalize("NFC", passphrase).encode()
    return nacl.pwhash.argon2id.kdf(KEY_BYTES, text, salt, opslimit=by.ops, memlimit=by.mem_kib * KIB)


def _aad(header: Locked) -> bytes:
    return canonical.encode(msgspec.structs.replace(header, nonce="", box=""))


def _seal(header: Locked, secret: bytes, key: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    box = Aead(key).encrypt(secret, _aad(header), nonce).ciphertext
    return canonical.encode(msgspec.structs.replace(header, nonce=b64(nonce), box=b64(box))) + b"\n"


def _opened(found: Locked, key: bytes) -> bytes | None:
    try:
        nonce, box = unb64(found.nonce, "nonce", NONCE_BYTES), unb64(found.box, "box")
        return bytes(Aead(key).decrypt(box, _aad(found), nonce))
    except (Malformed, CryptoError, ValueError):  # a box too short for its tag is a ValueError
        return None
