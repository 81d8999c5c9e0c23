# SPDX-License-Identifier: Apache-2.0
"""Which of many rings are surely simple? Those that are plainly convex; the rest are looked at one by one.

`say/ring.py` says why a ring is no polygon, in tens of microseconds a ring. Of a million rings nearly all are convex,
and that shows in a few sums over columns. A `True` here means that `ring.flaw` finds nothing; a `False` means nothing.

The ring is drawn on the plane that touches a sphere at its first corner, from the sphere's middle: great circles, which
are the edges there, become straight lines. A closed line that turns the same way at every corner and goes up and down
just once is a convex polygon. Each corner must stand off the line of its neighbours by a millimetre. Along a convex
ring the distance from an edge's line rises once and falls once, so edges that are no neighbours are as far apart, and
neither the rounding here (nanometres) nor the tolerance there can tell otherwise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# In radii of the Earth: about a millimetre.
_OFF: Final = 1.6e-10
# No corner farther than some 8 degrees from the first: the plane stretches by 2 % at most.
_NEAR_COSINE: Final = math.cos(math.radians(8))
# Up and down is measured along a direction that no one draws along.
_ALONG: Final = (math.cos(0.7391), math.sin(0.7391))


def surely_simple(first: NDArray[np.int64], lat_ndeg: NDArray[np.int64], lng_ndeg: NDArray[np.int64]) -> Any:
    """One bool a ring. Ring i has the corners `first[i]` to `first[i + 1] - 1`, open, at least one each."""
    import numpy as np

    count = len(first) - 1
    if count == 0:
        return np.zeros(0, bool)
    heads, ends, sizes = first[:-1], first[1:], np.diff(first)
    lat, lng = np.radians(lat_ndeg / 1e9), np.radians(lng_ndeg / 1e9)
    turn = lng - np.repeat(lng[heads], sizes)
    sine0, cosine0 = np.repeat(np.sin(lat[heads]), sizes), np.repeat(np.cos(lat[heads]), sizes)
    sine, cosine = np.sin(lat), np.cos(lat)
    # By differences, so that a ring of 10 m keeps its digits: sin(lat - lat0), and 1 - cos(turn) as 2 sin²(turn / 2).
    bend = 2 * cosine * sine0 * np.sin(turn / 2) ** 2
    up = sine * cosine0 - cosine * sine0 + bend
    out = sine0 * sine + cosine0 * cosine * np.cos(turn)
    near = np.logical_and.reduceat(out > _NEAR_COSINE, heads)
    out = np.where(out > _NEAR_COSINE, out, 1.0)
    x, y = cosine * np.sin(turn) / out, up / out

    def onward(values: Any) -> Any:
        """What stands at the next corner of the same ring."""
        moved = np.empty_like(values)
        moved[:-1] = values[1:]
        moved[ends - 1] = values[heads]
        return moved

    dx, dy = onward(x) - x, onward(y) - y
    length = np.hypot(dx, dy)
    cross = dx * onward(dy) - dy * onward(dx)
    enough = _OFF * (length + onward(length))
    left, right = np.logical_and.reduceat(cross > enough, heads), np.logical_and.reduceat(cross < -enough, heads)
    climb = dx * _ALONG[0] + dy * _ALONG[1] > 0
    once = np.add.reduceat((climb != onward(climb)).astype(np.int64), heads) == 2
    return near & (left | right) & once & (sizes >= 3)
