# SPDX-License-Identifier: Apache-2.0
"""C2SP signed notes (c2sp.org/signed-note v1): a text that ends in a newline, an empty line, signature lines.

    — <key name> base64(key id (4 bytes) || signature)
    key id = SHA-256(key name || 0x0A || type || public key)[:4]

Types used here: 0x01 Ed25519 over the text; 0x04 `cosignature/v1` (`checkpoint.py`). A line by a key that the reader
does not know, such as a second, post-quantum signature, is kept and ignored. Every note has exactly one spelling.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from wideberth.core.limits import FRAME_BYTES_MAX
from wideberth.core.seal.keys import Signer, Verifier, b64, must_verify, unb64
from wideberth.errors import BadSignature, Malformed, Misuse, Oversized

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04

# An author and 16 members, each with a second signature of another kind; more than the 16 that C2SP asks for.
SIGNATURES_MAX: Final = 34
_DASH: Final = "\u2014 "


class NoteSignature(msgspec.Struct, frozen=True):
    """One line: who claims to have signed, the 4 bytes that name key and algorithm, and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes


class Note(msgspec.Struct, frozen=True):
    """`text` ends in a newline. Nothing about `signatures` is believed yet."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encoded(self) -> bytes:
        lines = "".join(f"{_DASH}{s.name} {b64(s.key_id + s.signature)}\n" for s in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def with_line(self, line: NoteSignature) -> Note:
        """With one more signature; a line of the same name and key is replaced."""
        others = tuple(s for s in self.signatures if (s.name, s.key_id) != (line.name, line.key_id))
        return Note(self.text, (*others, line))


def key_id(name: str, kind: int, public: str) -> bytes:
    """Four bytes, for a key given as base64 text."""
    return hashlib.sha256(name.encode() + bytes((0x0A, kind)) + unb64(public, "key", 32)).digest()[:4]


def check_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() for c in name):
        raise Malformed("note: a key name is not empty, and has no space and no plus sign in it")


def sign(text: str, name: str, signer: Signer) -> NoteSignature:
    """Ed25519 over the text (type 0x01)."""
    check_name(name)
    if not text.endswith("\n"):
        raise Misuse("the text of a note ends in a newline")
    return NoteSignature(name, key_id(name, ED25519, signer.public), signer.sign(text.encode()))


def read(data: bytes) -> Note:
    """Size and spelling. Raises: Oversized, Malformed."""
    if len(data) > FRAME_BYTES_MAX:
        raise Oversized(f"a note has at most {FRAME_BYTES_MAX} bytes, not {len(data)}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("note: not UTF-8") from None
    if any(c < " " and c != "\n" for c in whole):
        raise Malformed("note: it has a control character in it")
    text, gap, rest = whole.rpartition("\n\n")
    if not gap or not rest.endswith("\n"):
        raise Malformed("note: no signature lines after an empty line")
    lines = rest[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise Malformed(f"note: at most {SIGNATURES_MAX} signatures, not {len(lines)}")
    signatures = tuple(_line(line) for line in lines)
    if len({(s.name, s.key_id) for s in signatures}) != len(signatures):
        raise Malformed("note: one key signed twice")
    return Note(text + "\n", signatures)


def _line(line: str) -> NoteSignature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH[0]:
        raise Malformed("note: a signature line is dash, key name and base64, with single spaces")
    check_name(parts[1])
    data = unb64(parts[2], "note signature")
    if len(data) <= 4:
        raise Malformed("note: a signature is missing")
    return NoteSignature(parts[1], data[:4], data[4:])


def find(note: Note, name: str, kind: int, keys: Iterable[str]) -> tuple[str, bytes] | None:
    """`(key, signature bytes)` of the line by one of these keys, or None. Nothing is verified."""
    for public in keys:
        wanted = key_id(name, kind, public)
        for line in note.signatures:
            if line.name == name and line.key_id == wanted:
                return public, line.signature
    return None


def check(note: Note, name: str, keys: Iterable[str], verifier: Verifier, what: str) -> str:
    """The key of these that signed the text (type 0x01). Raises BadSignature when none did, or one did wrongly."""
    found = find(note, name, ED25519, keys)
    if found is None:
        raise BadSignature(f"{what}: not signed by {name}", what=what)
    must_verify(verifier, found[0], note.text.encode(), found[1], what)
    return found[0]
