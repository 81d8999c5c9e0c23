# SPDX-License-Identifier: Apache-2.0
"""A root key as something that people can compare: twelve words for a telephone, or one line for a camera.

    abandon …                                   the first 128 bits of SHA-256 over the key's 32 bytes, and 4 check bits
    WIDEBERTH:1:BLUE:9F3A…:5D1C02AB             the party, all 256 bits in hex, and a check sum

The line has only characters of a QR code's alphanumeric mode, so its code is small. The check sum is the first 8 hex
digits of SHA-256 over everything before the last colon: it finds a slip of the hand, and proves nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from functools import cache
from typing import Final, NamedTuple

from wideberth.core.seal.keys import unb64
from wideberth.errors import BadInput

_CODE: Final = re.compile(r"WIDEBERTH:(\d+):([A-Z][A-Z0-9-]{1,15}):([0-9A-F]{64}):([0-9A-F]{8})", re.ASCII)
# 11 bits each; with 88 bits nobody tries them all, whatever one try costs.
LOT_WORDS: Final = 8


class Code(NamedTuple):
    """What a scanned line says. `digest`: SHA-256 of the root key's 32 bytes, small hex digits."""

    party: str
    digest: str


@cache
def _mnemonic() -> list[str]:
    from mnemonic import Mnemonic

    return list(Mnemonic("english").wordlist)


def digest(root: str) -> str:
    """SHA-256 of a root key's 32 bytes, 64 small hex digits."""
    return hashlib.sha256(unb64(root, "root key", 32)).hexdigest()


def fingerprint_words(root: str) -> str:
    """Twelve words of the BIP-39 list that name a root key: 128 bits of its SHA-256 and 4 bits of check sum."""
    first = bytes.fromhex(digest(root))[:16]
    bits = int.from_bytes(first, "big") << 4 | hashlib.sha256(first).digest()[0] >> 4
    words = _mnemonic()
    return " ".join(words[bits >> (11 * i) & 2047] for i in reversed(range(12)))


def same_words(heard: str, root: str) -> bool:
    """Whether what was heard over the telephone are the words of this key, or what was scanned is its code; capitals
    and spaces do not matter."""
    if is_code(heard):
        return read_code(heard).digest == digest(root)
    return heard.lower().replace(",", " ").split() == fingerprint_words(root).split()


def code_of(party: str, root: str) -> str:
    """The line for a camera."""
    text = f"WIDEBERTH:1:{party}:{digest(root).upper()}"
    return f"{text}:{_check(text)}"


def is_code(text: str) -> bool:
    """Whether this means to be such a line, right or wrong."""
    return text.strip().upper().startswith("WIDEBERTH:")


def read_code(text: str) -> Code:
    """Raises: BadInput when it is not such a line, or was mistyped."""
    line = "".join(text.split()).upper()
    match = _CODE.fullmatch(line)
    if match is None:
        raise BadInput("this is not a fingerprint's code: it is WIDEBERTH:1:PARTY:64 digits:8 digits", field="check")
    if match[1] != "1":
        raise BadInput(f"this is a code of version {match[1]}, which this version of wideberth does not know")
    if _check(line.rpartition(":")[0]) != match[4]:
        raise BadInput("the check sum of this code does not fit: a character was lost or mistyped. Scan it again")
    return Code(match[2], match[3].lower())


def words_by_lot(count: int = LOT_WORDS) -> str:
    """A passphrase that nobody chose, from the system's randomness."""
    words = _mnemonic()
    return " ".join(secrets.choice(words) for _ in range(count))


def _check(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:8].upper()
