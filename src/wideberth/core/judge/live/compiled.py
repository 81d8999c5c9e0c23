# SPDX-License-Identifier: Apache-2.0
"""How this package's kernels are compiled: by numba, on first use, kept beside the source for the next run.

What is kept is taken up again while the kernel's own file is unchanged; numba does not look at the files that it
imports. An installation writes all files anew; after a change of `layout.py` by hand, delete `__pycache__`.

Strict IEEE arithmetic (no fast-math, so no contraction that could change an answer), no threads, no Python objects.
Only modules of `core/judge/live` that the native picture loads import this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., Any])


def kernel(function: _F) -> _F:
    """Compile a function of numbers and arrays."""
    return cast(_F, numba.njit(cache=True, error_model="numpy", nogil=True)(function))
