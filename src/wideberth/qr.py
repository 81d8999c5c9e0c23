# SPDX-License-Identifier: Apache-2.0
"""QR codes (ISO/IEC 18004), for a telephone's camera: as blocks in a terminal, or as a picture that prints sharply."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

from wideberth.errors import BadInput, Worlds

# The quiet zone that the standard asks for, modules.
_BORDER: Final = 4
_HALVES: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def blocks(text: str) -> list[str]:
    """Lines for a terminal, two modules above each other in one character; the dark ones are drawn, so show them black
    on white."""
    rows = [[int(bool(x)) for x in row] for row in _code(text).matrix_iter(border=_BORDER)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    return ["".join(_HALVES[pair] for pair in zip(*rows[n : n + 2], strict=True)) for n in range(0, len(rows), 2)]


def svg(text: str) -> str:
    """A drawing with its own white ground, to be printed at any size."""
    out = io.BytesIO()
    _code(text).save(out, kind="svg", scale=8, border=_BORDER, light="white", xmldecl=False, title="QR code")
    return out.getvalue().decode("utf-8")


def write_svg(text: str, path: Path) -> None:
    """To a new file. Raises: BadInput when it is there already, Worlds."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(svg(text))
    except FileExistsError:
        raise BadInput(f"{path} is already there and is not written over", field="svg") from None
    except OSError as why:
        raise Worlds(f"{path} cannot be written: {why.strerror}", path=str(path)) from None


def _code(text: str) -> Any:
    import segno  # its tables take some milliseconds to load, and most verbs need none

    return segno.make_qr(text, error="m")
