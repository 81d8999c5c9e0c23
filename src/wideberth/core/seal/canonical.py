# SPDX-License-Identifier: Apache-2.0
"""One spelling: canonical JSON as in RFC 8785, on a domain small enough that every careful encoder agrees.

The domain (spec/2): objects with ASCII keys, arrays, strings in NFC without lone surrogates, integers |n| < 2^53,
true, false, null. No floats, no duplicate keys. On it `msgspec` with sorted keys writes the bytes of RFC 8785 (the law
test compares with an independent implementation).

Reading is: decode, re-encode, compare. A JSON parser that keeps the last of two duplicate keys is caught by that, and
so is every other second spelling (white space, `1.0`, `\\u0041`). Whatever differs is `Malformed`, theirs.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any, Final, TypeVar

import msgspec

from wideberth.core.limits import INTEGER_MAX
from wideberth.errors import Malformed

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
# Deeper than any struct of ours (a volume's corner is at depth 9); bounds the recursion on a hostile text.
_DEPTH_MAX: Final = 24
# 15 digits are below 2^53. Sixteen in a row also stand in one hash of forty, so that is only a reason to look closer.
_DIGITS: Final = bytes(0x30 if 0x30 <= byte <= 0x39 else 0 for byte in range(256))
_SIXTEEN: Final = b"0" * 16
_LONG_NUMBER: Final = re.compile(rb"[:,\[]-?[0-9]{16}")

T = TypeVar("T")


def _no_float(text: str) -> None:
    raise ValueError("numbers are integers, with the unit in the name")


_DECODER: Final = msgspec.json.Decoder(float_hook=_no_float)


def encode(value: Any) -> bytes:
    """The one spelling of a struct or of plain JSON data. Our own values only: the domain is not checked again."""
    return _ENCODER.encode(value)


def sha256(data: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def _check_domain(value: Any, what: str, depth: int = 0) -> None:
    kind = type(value)
    if kind is str:
        if not value.isascii() and not unicodedata.is_normalized("NFC", value):
            raise Malformed(f"{what}: a text is not in NFC", what=what)
    elif kind is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise Malformed(f"{what}: an integer is too large to be exact everywhere", what=what)
    elif kind is dict:
        if depth > _DEPTH_MAX:
            raise Malformed(f"{what}: nested too deep", what=what)
        for key, inner in value.items():
            if not key.isascii():
                raise Malformed(f"{what}: a key is not ASCII", what=what)
            _check_domain(inner, what, depth + 1)
    elif kind is list:
        if depth > _DEPTH_MAX:
            raise Malformed(f"{what}: nested too deep", what=what)
        for inner in value:
            _check_domain(inner, what, depth + 1)


def _plainly_on_domain(data: bytes) -> bool:
    """Whether bytes that turn out to be the one spelling need no closer look: 40 us less for a routine notice.

    All ASCII, so every key is and every text is in NFC; fewer brackets than the depth allowed; and no long number
    where the compact spelling has its numbers: after a colon, a comma or a bracket. Floats the decoder refuses.
    """
    return (
        data.isascii()
        and data.count(b"{") + data.count(b"[") < _DEPTH_MAX
        and data[:1] in (b"{", b"[")
        and (_SIXTEEN not in data.translate(_DIGITS) or _LONG_NUMBER.search(data) is None)
    )


def check(data: bytes, what: str) -> None:
    """Raise `Malformed` unless `data` is the one spelling of a value on the domain."""
    try:
        value = _DECODER.decode(data)
    except msgspec.ValidationError as fault:
        raise Malformed(f"{what}: {fault}", what=what) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise Malformed(f"{what}: not JSON ({fault})", what=what) from None
    if not _plainly_on_domain(data):
        _check_domain(value, what)
    if _ENCODER.encode(value) != data:
        raise Malformed(f"{what}: not in the one spelling (canonical JSON)", what=what)


def read(data: bytes, decoder: msgspec.json.Decoder[T], what: str) -> T:
    """Check the spelling, then decode into a typed value. `Malformed` for either."""
    check(data, what)
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as fault:
        raise Malformed(f"{what}: {fault}", what=what) from None
