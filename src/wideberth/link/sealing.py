# SPDX-License-Identifier: Apache-2.0
"""Sealing: bytes that only one node can read, by HPKE in base mode (RFC 9180), one shot per message.

    key = SealingKey.generate()
    sealed = seal(key.public(), b"...", info=b"...")       # anybody may
    key.open(sealed, info=b"...")                           # only the holder of the key can

A key says which suite it belongs to, in its text form `suite:base64`, so that suites can change while nodes of both
kinds are in use. The first suite of `SUITES` that the cryptography library offers is the one for new keys:

    mlkem768x25519-sha256-aes256gcm   hybrid with ML-KEM-768: recorded traffic stays closed to a later quantum computer.
                                      The hybrid is still an IETF draft, so the suite may get a successor. +1,136 bytes
    x25519-sha256-aes256gcm           RFC 9180 alone, where the library has no ML-KEM. +48 bytes

Raw key bytes behind the base64 (standard alphabet, padded): X25519 32 bytes, public and private; hybrid public
1,184 (ML-KEM-768 encapsulation key) + 32; hybrid private 64 (ML-KEM seed, FIPS 203 d then z) + 32.

`info` is authenticated, not sent: opening with another `info` fails. It binds a sealed message to its purpose,
channel, sender and recipient (`link/delivery.py`). Base mode says nothing about who sealed: identity is in the
signatures within. Randomness is the operating system's, taken by the library itself; there is no way to hand it in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from wideberth.errors import BadInput, BadSignature, Malformed

KEY_ID_BYTES: Final = 8
_MLKEM_PUBLIC_BYTES: Final = 1184
_MLKEM_SEED_BYTES: Final = 64
_X25519_BYTES: Final = 32
# The longest text form is the hybrid's public key, 1,656 characters; what is longer is refused before it is decoded.
_KEY_CHARS_MAX: Final = 2048


class _Kind(NamedTuple):
    """One suite: how to make its keys from raw bytes, and what HPKE adds to a message."""

    hpke: Suite
    private: Callable[[bytes], Any]
    public: Callable[[bytes], Any]
    raw_public: Callable[[bytes], bytes]
    private_bytes: int
    public_bytes: int
    overhead_bytes: int


def _hybrid_private(raw: bytes) -> MLKEM768X25519PrivateKey:
    return MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(raw[:_MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(raw[_MLKEM_SEED_BYTES:]),
    )


def _hybrid_public(raw: bytes) -> MLKEM768X25519PublicKey:
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES]),
        X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_BYTES:]),
    )


def _hybrid_raw_public(raw: bytes) -> bytes:
    mlkem = MLKEM768PrivateKey.from_seed_bytes(raw[:_MLKEM_SEED_BYTES]).public_key().public_bytes_raw()
    return mlkem + _x25519_raw_public(raw[_MLKEM_SEED_BYTES:])


def _x25519_raw_public(raw: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()


HYBRID: Final = "mlkem768x25519-sha256-aes256gcm"
CLASSIC: Final = "x25519-sha256-aes256gcm"

# AES-256-GCM: both processors and later auditors know it; the other AEADs of RFC 9180 are no faster here.
SUITES: Final[dict[str, _Kind]] = {
    HYBRID: _Kind(
        hpke=Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
        private=_hybrid_private,
        public=_hybrid_public,
        raw_public=_hybrid_raw_public,
        private_bytes=_MLKEM_SEED_BYTES + _X25519_BYTES,
        public_bytes=_MLKEM_PUBLIC_BYTES + _X25519_BYTES,
        overhead_bytes=1136,
    ),
    CLASSIC: _Kind(
        hpke=Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
        private=X25519PrivateKey.from_private_bytes,
        public=X25519PublicKey.from_public_bytes,
        raw_public=_x25519_raw_public,
        private_bytes=_X25519_BYTES,
        public_bytes=_X25519_BYTES,
        overhead_bytes=48,
    ),
}


class SealingKey:
    """A private key to open with. `id` names its public half in 8 bytes, so that a node with several (after a rotation)
    knows which one a message needs. Never printed: its repr shows the suite and the id only."""

    __slots__ = ("_private", "_public", "_raw", "id", "suite")

    def __init__(self, suite: str, raw: bytes) -> None:
        """Raises: BadInput when the suite is not known here or the bytes are not a key of it."""
        kind = SUITES.get(suite)
        if kind is None:
            raise BadInput(f"unknown sealing suite {suite[:40]!r}; this version knows {', '.join(SUITES)}")
        if len(raw) != kind.private_bytes:
            raise BadInput(f"a private sealing key of {suite} is {kind.private_bytes} bytes long, not {len(raw)}")
        try:
            self._private = kind.private(raw)
            public = kind.raw_public(raw)
        except UnsupportedAlgorithm:
            raise BadInput(
                f"the cryptography library here has no {suite}; install a build of it with ML-KEM, or make a new key"
            ) from None
        self.suite: Final = suite
        self._raw: Final = raw
        self._public: Final = _text(suite, public)
        self.id: Final = key_id(self._public)

    @classmethod
    def generate(cls, suite: str | None = None) -> SealingKey:
        """A fresh key of `suite`, or of the best suite that the library offers."""
        if suite is None:
            suite = HYBRID if _has_mlkem() else CLASSIC
        if suite == HYBRID:
            mlkem = MLKEM768PrivateKey.generate().private_bytes_raw()
            return cls(suite, mlkem + X25519PrivateKey.generate().private_bytes_raw())
        return cls(suite, X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_bytes(cls, text: bytes) -> SealingKey:
        """The key from what `to_bytes` gave. Raises: BadInput."""
        try:
            suite, raw = _parse(text.decode("ascii"))
        except (UnicodeDecodeError, Malformed):
            raise BadInput(
                "this is not a sealing key (expected one line `suite:base64`); restore the file from a backup"
            ) from None
        return cls(suite, raw)

    def to_bytes(self) -> bytes:
        """`suite:base64` of the private key, ASCII, without a line end. Secret."""
        return _text(self.suite, self._raw).encode("ascii")

    def public(self) -> str:
        """`suite:base64` of the public key: what others seal to."""
        return self._public

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """The plaintext. Raises: Malformed when too short to be sealed at all; BadSignature when it does not open."""
        kind = SUITES[self.suite]
        if len(sealed) < kind.overhead_bytes:
            raise Malformed(f"a message sealed with {self.suite} has at least {kind.overhead_bytes} bytes")
        try:
            return kind.hpke.decrypt(sealed, self._private, info)
        except (InvalidTag, ValueError):
            # One sentence for every cause, on purpose: a sender who guesses learns nothing from the difference.
            raise BadSignature(
                "the sealed message does not open: it was changed on its way, or sealed to another key or context"
            ) from None

    def __repr__(self) -> str:
        return f"SealingKey({self.suite}, id={self.id.hex()})"


def seal(public: str, plaintext: bytes, info: bytes) -> bytes:
    """`plaintext` sealed to `public` (text form `suite:base64`).

    Raises: Malformed when `public` is not a sealing key that can be used (it came from a peer: theirs).
    """
    suite, key = _public_key(public)
    try:
        return SUITES[suite].hpke.encrypt(plaintext, key, info)
    except ValueError:  # a small-order X25519 point: the shared secret would be known to everybody
        raise Malformed("this public sealing key is degenerate; the peer must publish another") from None


def key_id(public: str) -> bytes:
    """The first 8 bytes of SHA-256 over the text form: an index, never a proof of identity."""
    return hashlib.sha256(public.encode("utf-8")).digest()[:KEY_ID_BYTES]


def check_public(public: str) -> None:
    """Raises: Malformed unless `public` is a sealing key that this node can seal to."""
    _public_key(public)


@lru_cache(maxsize=256)  # 16 members of a channel, 16 channels: parsed once, not at every delivery
def _public_key(public: str) -> tuple[str, Any]:
    suite, raw = _parse(public)
    kind = SUITES.get(suite)
    if kind is None:
        raise Malformed(f"unknown sealing suite {suite[:40]!r}; this version knows {', '.join(SUITES)}")
    if len(raw) != kind.public_bytes:
        raise Malformed(f"a public sealing key of {suite} is {kind.public_bytes} bytes long, not {len(raw)}")
    try:
        return suite, kind.public(raw)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed(f"this is not a usable public key of {suite}") from None


def _parse(text: str) -> tuple[str, bytes]:
    suite, colon, encoded = text.partition(":")
    if not colon or len(text) > _KEY_CHARS_MAX:
        raise Malformed("a sealing key is written suite:base64")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("the base64 of this sealing key cannot be read") from None
    if _text(suite, raw) != text:  # unused bits of the last character, or missing padding: a second spelling
        raise Malformed("the base64 of this sealing key is not in its one spelling")
    return suite, raw


def _text(suite: str, raw: bytes) -> str:
    return f"{suite}:{base64.b64encode(raw).decode('ascii')}"


@lru_cache(maxsize=1)
def _has_mlkem() -> bool:
    try:
        MLKEM768PrivateKey.generate()
    except UnsupportedAlgorithm:
        return False
    return True
