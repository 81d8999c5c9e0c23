# SPDX-License-Identifier: Apache-2.0
"""How near two vertical bands come, in whole millimetres, when each end may wear its own reference.

Same reference: exact. Different references are never equated (domain.md D2): the difference of two heights is then
only known to lie in a range, and the gap is taken at the *least* of that range, so what is unknown widens the band and
never separates. Both nodes compute the same integers, so this never makes a verdict too close to call.

    against AMSL      true AMSL height of a height h, in mm                       because
    W84               h - 90,000 … h + 110,000                                     geoid undulation, see below
    FL                h - margin … h + margin                                      the agreement's pressure margin
    AGL, SFC          h - 500,000 … h + 9,000,000                                  ground: Dead Sea shore … Everest

EGM96's undulation runs from -107 m (south of India) to +86 m (New Guinea); the range here has a few metres more, for
other geoids and for mean sea levels that are not one. Two heights above ground are compared exactly, as over one
ground: the volumes that matter lie together. `SFC` is 0 AGL. `UNL` is above everything.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from wideberth.core.say.place import ALTITUDE_MM_MAX, Altitude, VerticalRef
from wideberth.core.say.volume import Volume4D

GEOID_MM: Final = (-110_000, 90_000)
GROUND_MM: Final = (-500_000, 9_000_000)

# A gap to `UNL` or a bound that is not one. Larger than any true difference, and exact in JSON.
NO_BOUND_MM: Final = 4 * ALTITUDE_MM_MAX

_GROUND: Final = (VerticalRef.AGL, VerticalRef.SFC)


class VerticalGap(NamedTuple):
    """`mm`: least possible gap; negative by the least overlap when the bands may overlap.

    `widened_mm`: how much of that is not known height but widening (0 when the references are the same).
    """

    mm: int
    widened_mm: int


def _above_sea(altitude: Altitude, margin_mm: int) -> tuple[int, int]:
    """The range of heights above mean sea level that this altitude may mean."""
    match altitude.ref:
        case VerticalRef.AMSL:
            return altitude.mm, altitude.mm
        case VerticalRef.W84:  # h = H + N, so H = h - N
            return altitude.mm - GEOID_MM[1], altitude.mm - GEOID_MM[0]
        case VerticalRef.FL:
            return altitude.mm - margin_mm, altitude.mm + margin_mm
        case VerticalRef.AGL | VerticalRef.SFC:
            return altitude.mm + GROUND_MM[0], altitude.mm + GROUND_MM[1]
        case VerticalRef.UNL:
            return NO_BOUND_MM, NO_BOUND_MM


def same_scale(a: Altitude, b: Altitude) -> bool:
    """Whether two heights are measured from the same thing, so that their difference is known exactly."""
    return a.ref == b.ref or (a.ref in _GROUND and b.ref in _GROUND)


def difference_mm(upper: Altitude, lower: Altitude, margin_mm: int) -> tuple[int, int]:
    """The range of `upper - lower`: least and greatest, in mm. Equal ends when it is known exactly."""
    if upper.ref is VerticalRef.UNL or lower.ref is VerticalRef.UNL:
        value = NO_BOUND_MM * ((upper.ref is VerticalRef.UNL) - (lower.ref is VerticalRef.UNL))
        return value, value
    if same_scale(upper, lower):
        return upper.mm - lower.mm, upper.mm - lower.mm
    high, low = _above_sea(upper, margin_mm), _above_sea(lower, margin_mm)
    return high[0] - low[1], high[1] - low[0]


def ends_in_order(volume: Volume4D, margin_mm: int) -> tuple[Altitude, Altitude]:
    """Floor and top as given, or exchanged when the floor is surely above the top (ends of different references).

    Where they *may* be the wrong way round, as SFC to FL200 over Everest, they are taken as given: the band is then
    empty there, and nobody can be in it.
    """
    lower, upper = volume.lower, volume.upper
    if lower.ref is not upper.ref and difference_mm(lower, upper, margin_mm)[0] > 0:
        return upper, lower
    return lower, upper


def gap_between(
    floors_a: tuple[Altitude, ...], tops_a: tuple[Altitude, ...],
    floors_b: tuple[Altitude, ...], tops_b: tuple[Altitude, ...], margin_mm: int,
) -> VerticalGap:  # fmt: skip
    """The least possible gap between two bands. With several floors or tops any may be the one."""
    over = min(difference_mm(floor, top, margin_mm) for floor in floors_a for top in tops_b)
    under = min(difference_mm(floor, top, margin_mm) for floor in floors_b for top in tops_a)
    least = max(over, under)
    return VerticalGap(least[0], least[1] - least[0])


def vertical_gap(a: Volume4D, b: Volume4D, pressure_margin_mm: int) -> VerticalGap:
    """The least possible vertical gap between two volumes' bands."""
    low_a, high_a = ends_in_order(a, pressure_margin_mm)
    low_b, high_b = ends_in_order(b, pressure_margin_mm)
    over = difference_mm(low_a, high_b, pressure_margin_mm)
    under = difference_mm(low_b, high_a, pressure_margin_mm)
    least = max(over, under)
    return VerticalGap(least[0], least[1] - least[0])


def flat(volume: Volume4D) -> bool:
    """Whether the band has no thickness: one altitude."""
    return volume.lower == volume.upper


def bands_apart(a: Volume4D, b: Volume4D, gap: VerticalGap, minimum_mm: int) -> bool:
    """Whether the bands are separate under a vertical minimum: `gap >= minimum`, equality separates.

    With a minimum of 0 the bands must overlap to conflict. Blocks that only touch (FL100 to FL200, FL200 to FL300) do
    not; but a single altitude counts as inside a block whose top or floor it is.
    """
    if minimum_mm > 0:
        return gap.mm >= minimum_mm
    return gap.mm > 0 or (gap.mm == 0 and not flat(a) and not flat(b))
