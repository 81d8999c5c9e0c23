# SPDX-License-Identifier: Apache-2.0
"""Compiled kernels for many volumes at once (numba, the extra `fast`). Nothing outside imports it before it is needed.

    bounds.py    a box round each volume, outward: latitude, longitude, height and time in 32 bits each
    grid.py      the cells: rows of latitude and their columns, in hashed buckets
    sweep.py     which boxes meet: every cell, swept in time
    heights.py   the vertical clause, to the millimetre, as judge/vertical.py has it
    flatmap.py   the horizontal clause on a flat map with a proved error: separate, conflict, or not decided here

What is not decided here goes to the exact predicate, so no verdict depends on the map (docs/conflict-check.md).
"""

from __future__ import annotations

from importlib.util import find_spec


def available() -> bool:
    """Whether numpy and numba are installed. Imports neither."""
    return find_spec("numpy") is not None and find_spec("numba") is not None
