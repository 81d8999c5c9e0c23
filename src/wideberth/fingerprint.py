# SPDX-License-Identifier: Apache-2.0
"""A root key as twelve words that two officers can read to each other over a telephone."""

from __future__ import annotations

import hashlib
from functools import cache

from wideberth.core.seal.keys import unb64


@cache
def _mnemonic() -> list[str]:
    from mnemonic import Mnemonic

    return list(Mnemonic("english").wordlist)


def fingerprint_words(root: str) -> str:
    """Twelve words of the BIP-39 list that name a root key: 128 bits of its SHA-256 and 4 bits of check sum."""
    digest = hashlib.sha256(unb64(root, "root key", 32)).digest()
    bits = int.from_bytes(digest[:16], "big") << 4 | hashlib.sha256(digest[:16]).digest()[0] >> 4
    words = _mnemonic()
    return " ".join(words[bits >> (11 * i) & 2047] for i in reversed(range(12)))


def same_words(heard: str, root: str) -> bool:
    """Whether what was heard over the telephone are the words of this key; capitals and spaces do not matter."""
    return heard.lower().replace(",", " ").split() == fingerprint_words(root).split()
