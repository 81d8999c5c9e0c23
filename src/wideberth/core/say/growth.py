# SPDX-License-Identifier: Apache-2.0
"""Whether one version of a notice covers all that the one before it covered, by whole numbers alone (domain.md G7).

A later volume covers an earlier one when nothing of it is smaller:

    window   it begins no later and ends no earlier
    floor    it is SFC, or has the same reference and is no higher
    top      it is UNL, or has the same reference and is no lower
    shape    a circle round the same middle with no smaller radius; a polygon with the same corners; a corridor with no
             smaller half width, whose route has all of the earlier one's points side by side

Every earlier volume must be covered by one later volume; any number may be added beside it. What drifts is told as a
volume more, never by moving one: so no geodesy decides, and every node judges alike.
"""

from __future__ import annotations

from wideberth.core.say.place import Altitude, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.core.say.words import Terms


def uncovered(before: Terms, after: Terms) -> list[int]:
    """The earlier volumes that no later one covers, counted from 1; empty when it only grew."""
    return [n for n, old in enumerate(before.volumes, 1) if not any(covers(new, old) for new in after.volumes)]


def covers(new: Volume4D, old: Volume4D) -> bool:
    """The rule of this module, for two volumes."""
    return (
        new.start_ms <= old.start_ms
        and new.end_ms >= old.end_ms
        and (new.lower.ref is VerticalRef.SFC or _reaches(old.lower, new.lower))
        and (new.upper.ref is VerticalRef.UNL or _reaches(new.upper, old.upper))
        and _holds(new.shape, old.shape)
    )


def _reaches(high: Altitude, low: Altitude) -> bool:
    return high.ref is low.ref and high.mm >= low.mm


def _holds(new: Shape, old: Shape) -> bool:
    match new, old:
        case Circle(), Circle():
            return new.centre == old.centre and new.radius_mm >= old.radius_mm
        case Polygon(), Polygon():
            return new.corners == old.corners
        case Corridor(), Corridor():
            points = len(old.route)
            runs = (new.route[at : at + points] for at in range(len(new.route) - points + 1))
            return new.half_width_mm >= old.half_width_mm and old.route in runs
        case _:
            return False
