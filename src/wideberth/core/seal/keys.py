# SPDX-License-Identifier: Apache-2.0
"""Signing and checking, as capabilities that are handed to the core.

A key is named by its public half in padded standard base64 (44 characters). `Signer` and `Verifier` are protocols, so
that an HSM, a smart card or the simulator's test signer fits. `Ed25519` follows libsodium's rules: small-order and
non-canonical keys are refused, as is a signature whose scalar is not reduced.
"""

from __future__ import annotations

import binascii
from functools import lru_cache
from typing import Protocol

from nacl.bindings import crypto_sign as _crypto_sign
from nacl.bindings import crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from wideberth.core.seal.canonical import sha256
from wideberth.errors import BadSignature, Malformed, Misuse


def b64(data: bytes) -> str:
    """Padded standard base64: the only way binary is written here."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def unb64(text: str, what: str, length: int | None = None) -> bytes:
    """Read padded standard base64 in its one spelling."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # also: not ASCII
        raise Malformed(f"{what}: not base64", what=what) from None
    if b64(data) != text or (length is not None and len(data) != length):
        raise Malformed(f"{what}: base64 of the wrong length or spelling", what=what)
    return data


@lru_cache(1024)  # a channel has a handful of keys, and each is named with every entry
def key_id(public: str) -> str:
    """A short name of a key for `keyid` fields: 16 hex digits of SHA-256 of its text. A hint, never an identity."""
    return sha256(public.encode("ascii"))[:16]


class Signer(Protocol):
    @property
    def public(self) -> str: ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        ...


class Verifier(Protocol):
    def verify(self, public: str, message: bytes, signature: bytes) -> bool: ...


class Ed25519Signer:
    """A key in memory, from its 32-byte seed (RFC 8032)."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise Misuse("an Ed25519 seed has 32 bytes")
        public, self._secret = crypto_sign_seed_keypair(seed)
        self._public = b64(public)

    @property
    def public(self) -> str:
        return self._public

    def sign(self, message: bytes) -> bytes:
        return _crypto_sign(message, self._secret)[:64]


class Ed25519Verifier:
    """libsodium's verification."""

    def __init__(self) -> None:
        # Decoded keys by their text: a channel has a handful, and each is used for every entry.
        self._keys: dict[str, bytes] = {}

    def verify(self, public: str, message: bytes, signature: bytes) -> bool:
        key = self._keys.get(public)
        if key is None:
            key = unb64(public, "key", 32)
            if len(self._keys) > 1024:
                self._keys.clear()
            self._keys[public] = key
        if len(signature) != 64:
            return False
        try:
            crypto_sign_open(signature + message, key)
        except BadSignatureError:
            return False
        return True


def must_verify(verifier: Verifier, public: str, message: bytes, signature: bytes, what: str) -> None:
    if not verifier.verify(public, message, signature):
        raise BadSignature(f"{what}: the signature does not verify under key {key_id(public)}", what=what)
