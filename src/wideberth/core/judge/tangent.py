# SPDX-License-Identifier: Apache-2.0
"""Two moving points in the tangent plane between them: plain arithmetic with a proved bound, for many pairs.

The truth (docs/tracks.md §1): each point runs along the geodesic of WGS-84 that leaves its place on its course, with
constant speed on the ground; the distance is geodesic. Here each point runs straight on in its own tangent plane, in
Earth-centred metres, and both are seen along m, the sum of their normals. Let k = a/b^2, the greatest normal curvature
of the ellipsoid; s the way that a point goes, alpha the angle between its normal and m, d the true distance. Then

    path      the projected track leaves the straight line by at most     k s^2 alpha / 2 + k^2 s^3 / 6          (1)
              (a geodesic's acceleration is k_n s'^2 along the normal, which turns by at most k per metre)
    far       the projected distance is at most d                         (a chord is shorter than a geodesic)   (2)
    near      the projected distance is at least d (1 - phi^2),           phi = alpha + k s + k d / 2 <= 0.5     (3)

(3): for a chord c, c >= d (1 - k^2 d^2 / 24) (Schur), and its part along m is at most d sin(phi), because no normal on
the geodesic between the two points is farther from m than phi.

So a pair that is outside (minima + path) in the plane is separate, one that is inside (minima (1 - phi^2) - path) is a
conflict, and what lies between must be asked of `tracks.approach`. There is no map, so no pole and no antimeridian.

Nothing but floats and `math` is used here, so that numba can compile these very functions (`judge/swift`).
"""

from __future__ import annotations

import math
from typing import Final

from wideberth.core.say.geodesy import A_M, B_M, E2

# The greatest normal curvature of WGS-84, 1/m: along the meridian, on the equator.
CURVATURE: Final = A_M / (B_M * B_M)
# A place (x, y, z) on the ellipsoid has the normal (x, y, STRETCH z), up to length.
STRETCH: Final = (A_M / B_M) ** 2

SEPARATE: Final = 0
OPEN: Final = 1
SURE: Final = 2

# Beyond this angle the plane says nothing of use; such a pair is never sure here.
_PHI_MAX: Final = 0.3
# What the exact search leaves open by its own error (4 mm, `tracks.approach`) must not be separate here.
_BAND_M: Final = 0.005
# The factors 0.54 and 1.02 of `meet` hold up to 2,000 km; what is wider is always asked of the exact search.
_CHORD2_MAX: Final = 4e12
_WAYS_MAX_M: Final = 1_500_000.0


def lift(lat: float, lng: float, east: float, north: float) -> tuple[float, float, float, float, float, float]:
    """Earth-centred place and velocity (m, m/s) of a point on the ellipsoid; latitude and longitude in radians.

    `east` and `north` (m/s) are along the parallel and the meridian that the longitude names, also at a pole.
    """
    up, out = math.sin(lat), math.cos(lat)
    so, co = math.sin(lng), math.cos(lng)
    n = A_M / math.sqrt(1.0 - E2 * up * up)
    drift = north * up
    return (
        n * out * co,
        n * out * so,
        n * (1.0 - E2) * up,
        -east * so - drift * co,
        east * co - drift * so,
        north * out,
    )


def meet(
    dx: float, dy: float, dz: float, wx: float, wy: float, wz: float, mx: float, my: float, mz: float,
    way_a: float, way_b: float, past: float, reach: float, grows: float,
    low: float, high: float, climb: float, height: float, height_grows: float, until: float,
) -> tuple[int, float, float, float, float, float]:  # fmt: skip
    """Weigh one pair from now (t = 0) to `until` seconds: `(answer, closest s, metres then, in s, out s, error m)`.

    d: place of b less that of a, now. w: velocity of b less that of a. m: the sum of both normals, of any length.
    way_a, way_b: how far each goes on the ground from its last known place to the end; past: the farther of the ways
    that they have already gone since. reach + grows t: the horizontal minimum and what is not known of both places.
    low … high: the range of b's height less a's, now, rising by climb m/s; height + height_grows t: the vertical
    minimum and what is not known. All in metres and seconds; `reach` and `height` above 0.
    Answer: SEPARATE (and then nothing else is told), OPEN or SURE.
    """
    first, last = 0.0, until
    # Height: low + climb t < height + height_grows t, and high + climb t > -(height + height_grows t).
    slope, room = climb - height_grows, height - low
    if slope > 1e-9:
        last = min(last, room / slope)
    elif slope < -1e-9:
        first = max(first, room / slope)
    elif room <= 0.0:
        last = -1.0
    slope, room = -climb - height_grows, height + high
    if slope > 1e-9:
        last = min(last, room / slope)
    elif slope < -1e-9:
        first = max(first, room / slope)
    elif room <= 0.0:
        last = -1.0
    if first >= last:
        return SEPARATE, 0.0, 0.0, 0.0, 0.0, 0.0
    # In the plane: squared distance = aa t^2 + 2 bb t + cc.
    mm = mx * mx + my * my + mz * mz
    d_up, w_up = dx * mx + dy * my + dz * mz, wx * mx + wy * my + wz * mz
    chord = dx * dx + dy * dy + dz * dz
    if chord > _CHORD2_MAX or way_a + way_b > _WAYS_MAX_M:
        return OPEN, 0.0, math.sqrt(chord), first, last, math.inf
    aa = wx * wx + wy * wy + wz * wz - w_up * w_up / mm
    bb = dx * wx + dy * wy + dz * wz - d_up * w_up / mm
    cc = chord - d_up * d_up / mm
    closest = 0.0
    if aa > 1e-12 and bb < 0.0:
        closest = min(until, -bb / aa)
    squared = max(0.0, cc + closest * (2.0 * bb + closest * aa))
    # Angles between either normal and m: 0.54 for normals weighed by their radii, 1.02 for chords of arcs.
    alpha = CURVATURE * (0.54 * math.sqrt(chord) + 1.02 * past)
    turn_a, turn_b = CURVATURE * way_a, CURVATURE * way_b
    path = _BAND_M + way_a * turn_a * (alpha / 2.0 + turn_a / 6.0) + way_b * turn_b * (alpha / 2.0 + turn_b / 6.0)
    # What rounding can do to a squared distance, and to times, in double precision.
    hair = 1e-14 * chord + 1e-11 * (1.0 + until) ** 2
    farthest = reach + path + grows * until
    if squared >= farthest * farthest + hair:
        return SEPARATE, 0.0, 0.0, 0.0, 0.0, 0.0
    metres = math.sqrt(squared)
    farther = CURVATURE * max(way_a, way_b)
    phi = alpha + farther + CURVATURE * (reach + grows * until) / 2.0
    here = alpha + farther + CURVATURE * metres / 2.0
    error = path + (metres + path) * here * here / max(0.5, 1.0 - here * here)
    answer = 0
    enters, leaves = 0.0, 0.0
    # First with all that the plane may err against a conflict, then with all that it may err for one.
    for inner in range(2):
        near, far_grows, extra = reach + path, grows, -hair
        if inner:
            shrunk = 1.0 - phi * phi
            near, far_grows, extra = reach * shrunk - path, grows * shrunk, hair
            if phi > _PHI_MAX or near <= 0.0:
                break
        a, b, c = aa - far_grows * far_grows, bb - near * far_grows, cc - near * near + extra
        start, end = first, last
        # Distance less a growing reach is convex in t, so the times inside are one interval.
        if a > 1e-12:
            root = b * b - a * c
            if root <= 0.0:
                break
            q = -b - math.sqrt(root) if b > 0.0 else -b + math.sqrt(root)
            one, other = q / a, c / q
            start, end = max(start, min(one, other)), min(end, max(one, other))
        elif a < -1e-12:  # the reach grows faster than they part: from some time on for ever
            root = b * b - a * c
            if root > 0.0:
                q = -b - math.sqrt(root) if b > 0.0 else -b + math.sqrt(root)
                start = max(start, q / a, c / q)
        elif b > 1e-12:
            end = min(end, -c / (2.0 * b))
        elif b < -1e-12:
            start = max(start, -c / (2.0 * b))
        elif c >= 0.0:
            break
        if start >= end:
            break
        if not inner:
            enters, leaves = start, end
        answer += 1
    return answer, closest, metres, enters, leaves, error
