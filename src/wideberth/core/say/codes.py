# SPDX-License-Identifier: Apache-2.0
"""Check codes that prove by voice that somebody holds a notice: six letters, said over a telephone (domain.md E9).

    challenge(entry)        printed on the notice, read by who calls
    response(entry)         printed there too; said back by who has the same notice before them

Both are letters of the hash of one exact version, so whoever holds that version has both, and nobody else can guess the
second from the first (23**5, 6.4 million, and one check letter). They do not prove *who* speaks, only what they hold;
the voice contact is logged as such. The alphabet and the check letter are those of references (`reference.py`).
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

from wideberth.core.say.reference import LETTERS

_LETTERS_SAID: Final = 5


def challenge(entry: str) -> str:
    """`KTR-HBW`: of the version whose entry has this hash (64 hex digits)."""
    return _code("challenge", entry)


def response(entry: str) -> str:
    """What is said back."""
    return _code("response", entry)


def answers(entry: str, heard: str) -> bool:
    """Whether `heard` is the response, however it was typed: small letters, spaces, hyphens."""
    return "".join(c for c in heard.upper() if c.isalpha()) == response(entry).replace("-", "")


def mistyped(heard: str) -> bool:
    """Whether `heard` cannot be any code: a letter too many, too few, or one that does not fit the check letter."""
    letters = "".join(c for c in heard.upper() if c.isalpha())
    return len(letters) != _LETTERS_SAID + 1 or not set(letters) <= set(LETTERS) or _sum(letters) != 0


def _code(kind: Literal["challenge", "response"], entry: str) -> str:
    number = int.from_bytes(hashlib.sha256(f"wideberth {kind} {entry}".encode("ascii")).digest(), "big")
    letters = ""
    for _ in range(_LETTERS_SAID):
        number, digit = divmod(number, len(LETTERS))
        letters += LETTERS[digit]
    letters += next(c for c in LETTERS if _sum(letters + c) == 0)
    return f"{letters[:3]}-{letters[3:]}"


def _sum(letters: str) -> int:
    """0 for a code that was heard right: the weights are powers of 5 modulo 23, as in references."""
    return sum(LETTERS.index(c) * pow(5, i, len(LETTERS)) for i, c in enumerate(letters)) % len(LETTERS)
