# SPDX-License-Identifier: Apache-2.0
"""Looking for words that must not be there: in a bundle of evidence, with whatever is wrapped in base64 unwrapped."""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
from typing import Final

_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_DEPTH_MAX: Final = 4


def everything_in(bundle: bytes) -> str:
    """All that stands in a zip, its own file names too, with whatever is wrapped in base64 unwrapped, to the last."""
    found = []
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        found.append(archive.comment.decode("latin-1"))
        todo = [(info.filename.encode() + b"\n" + archive.read(info), 0) for info in archive.infolist()]
    while todo:
        data, depth = todo.pop()
        text = data.decode("utf-8", "replace")
        found.append(text)
        for match in _BASE64.finditer(text) if depth < _DEPTH_MAX else ():
            try:
                inside = base64.b64decode(match[0], validate=True)
            except binascii.Error:
                continue
            if inside[:1] in (b"{", b'"', b"[", b"w"):
                todo.append((inside, depth + 1))
    return "\n".join(found)


def holds(text: str, secret: str) -> bool:
    """As a word of its own: a short name can stand anywhere in base64 by chance."""
    return re.search(rf"(?<![A-Za-z0-9+/]){re.escape(secret)}(?![A-Za-z0-9+/])", text) is not None
