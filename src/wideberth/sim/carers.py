# SPDX-License-Identifier: Apache-2.0
"""What officers say of sites and movements: who is to be protected, and later that somebody looked, that it is still
there, that it was heard of; now and then by the wrong post, of the wrong kind, or from the future."""

from __future__ import annotations

from wideberth.core import events as ev
from wideberth.core.call.board import Thread
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.place import Point
from wideberth.core.say.protect import Protected, Urgency, Waypoint, Work
from wideberth.core.say.volume import Circle
from wideberth.core.say.words import CARED_FOR, NoticeType
from wideberth.sim.dice import Dice
from wideberth.sim.parties import POSTS
from wideberth.sim.weather import HOUR, MINUTE


def protected(dice: Dice, type_: NoticeType, point: Point, start_ms: int) -> Protected | None:
    """Of a site or movement, at times; of anything else nothing can be said."""
    if type_ not in CARED_FOR or dice.chance(0.3):
        return None
    urgency = dice.pick(tuple(Urgency))
    waypoints: tuple[Waypoint, ...] = ()
    if type_ is NoticeType.MOVEMENT and dice.chance(0.5):
        waypoints = (Waypoint(point, start_ms + dice.between(10, 60) * MINUTE),)
    return Protected(
        "AID", dice.pick(tuple(Work)), ("+999 555 0121",) * dice.between(0, 2), dice.pick(("", "roof mark")),
        ("truck",) * dice.between(0, 3), dice.pick(("", "ab" * 32)), dice.pick(("", "by the river")),
        dice.pick((0, 30 * MINUTE)), waypoints, urgency, "" if urgency is Urgency.ROUTINE else "flood",
    )  # fmt: skip


def says(dice: Dice, ch: str, party: str, now_ms: int, mine: list[Thread]) -> ev.Event | None:
    """A word about an own notice; None where there is none."""
    if not mine:
        return None
    cared = [t for t in mine if t.terms is not None and t.terms.type in CARED_FOR]
    thread = dice.pick(cared) if cared and dice.chance(0.9) else dice.pick(mine)
    by, mark = f"{party}/{dice.pick(POSTS)}", dice.between(0, 2)
    terms = thread.terms
    where = Point(41_000_000_000, -38_500_000_000)
    if terms is not None and isinstance(circle := terms.volumes[0].shape, Circle):
        where = point_towards(circle.centre, dice.between(0, 359), dice.between(0, 400))
    if mark == 0:
        return ev.VerifyPlace(ch, by, thread.ref, where, dice.pick(("", "went there")))
    if mark == 1:
        return ev.ConfirmSite(ch, by, thread.ref)
    at_ms = dice.pick((0, now_ms - dice.between(0, HOUR), now_ms + MINUTE))
    return ev.CheckInNow(ch, by, thread.ref, at_ms, dice.pick((None, where)))
