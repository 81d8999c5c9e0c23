# SPDX-License-Identifier: Apache-2.0
"""What the author of a notice reports of the activity itself: begun, suspended, restored, finished (domain.md C18, G4).

A suspended notice goes on warning: its volume counts for everybody until the notice is over. What is counted is the
time that was lost, which is all that can be said of somebody who was outside the mechanism, perhaps by right (SC7).

    STARTED     once in a notice
    SUSPENDED   while it is not suspended, and the version named is not finished; `why` may name the sighting
    RESTORED    while it is suspended, at or after the time from which it was
    FINISHED    once for each version
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from wideberth.core.call.fault import NotUnderstood
from wideberth.core.call.ladders import GOING, Going, Pause
from wideberth.core.say import instant
from wideberth.core.say.words import ActivityReport, NoticeType, Terms

MS_PER_MINUTE: Final = 60_000


class Suspended(msgspec.Struct, frozen=True):
    """From when to when (`None`: still), because of which sighting (the hash of a version of it, or empty)."""

    from_ms: int
    until_ms: int | None
    why: str
    by: str


class Activity:
    """What was reported of one notice. `reports`: state, time and post, in the order of the author's strand."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, int, str]] = []
        # When each version was finished that a report says so of, by its entry.
        self.finished: dict[str, int] = {}
        self.suspensions: list[Suspended] = []

    @property
    def suspended(self) -> Suspended | None:
        """The suspension that still holds."""
        last = self.suspensions[-1] if self.suspensions else None
        return last if last is not None and last.until_ms is None else None

    def take(self, what: ActivityReport, by: str, seen: NoticeType | None) -> None:
        """Fold a report in. `seen`: the type of the notice that `why` names, None where it names none that is here.
        Raises NotUnderstood, and then nothing has changed."""
        now = self.suspended
        state = Going.SUSPENDED if now is not None else Going.GOING
        if what.state in Pause.__members__ and (state, Pause(what.state)) not in GOING:
            raise NotUnderstood(f"{what.ref} is {'suspended already' if now else 'not suspended'}")
        match what.state:
            case "STARTED":
                if any(state == "STARTED" for state, _, _ in self.reports):
                    raise NotUnderstood(f"{what.ref} was reported STARTED before")
            case "FINISHED":
                if what.of in self.finished:
                    raise NotUnderstood(f"{what.ref} was reported FINISHED before")
                self.finished[what.of] = what.at_ms
            case "SUSPENDED":
                if what.of in self.finished:
                    raise NotUnderstood(f"{what.ref} is finished already")
                if what.why and seen is not NoticeType.UNANNOUNCED_TRAFFIC:
                    raise NotUnderstood("`why` of a suspension names a sighting of unannounced traffic on this line")
                self.suspensions.append(Suspended(what.at_ms, None, what.why, by))
            case "RESTORED":
                assert now is not None, "the table has no other move"
                if what.at_ms < now.from_ms:
                    raise NotUnderstood(f"{what.ref} was suspended later")
                self.suspensions[-1] = msgspec.structs.replace(now, until_ms=what.at_ms)
        self.reports.append((what.state, what.at_ms, by))


def windows(terms: Terms) -> list[tuple[int, int]]:
    """When the activity was to be, `[start, end)`: the windows of all volumes, joined where they touch."""
    joined: list[tuple[int, int]] = []
    for start_ms, end_ms in sorted((v.start_ms, v.end_ms) for v in terms.volumes):
        if joined and start_ms <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end_ms)
        else:
            joined.append((start_ms, end_ms))
    return joined


def lost_ms(activity: Activity, terms: Terms | None, until_ms: int) -> int:
    """How long it was suspended while it was to be going on, up to a time."""
    if terms is None:
        return 0
    return sum(
        max(0, min(end, until_ms if each.until_ms is None else min(each.until_ms, until_ms)) - max(start, each.from_ms))
        for each in activity.suspensions for start, end in windows(terms)
    )  # fmt: skip


def lost_view(activity: Activity, terms: Terms | None, until_ms: int, *, live: bool) -> dict[str, Any]:
    """For one notice: `until_ms` is now, or when it was over. Whole minutes are rounded down."""
    lost = lost_ms(activity, terms, until_ms)
    return {
        "suspended": activity.suspended is not None and live,
        "suspensions": [
            {"from_ms": s.from_ms, "until_ms": s.until_ms, "why": s.why, "by": s.by} for s in activity.suspensions
        ],
        "lost_ms": lost,
        "lost_min": lost // MS_PER_MINUTE,
    }


def total(lost: Iterable[int]) -> dict[str, int]:
    """Of several notices: the sum of the time, then whole minutes."""
    lost_all = sum(lost)
    return {"lost_ms": lost_all, "lost_min": lost_all // MS_PER_MINUTE}


def sentence(author: str, ref: str, state: str, at_ms: int, why: str) -> str:
    """What officers are told. `why`: the reference of the sighting, or empty."""
    told = f"{author} reports {ref} {state} at {instant.show(at_ms)}"
    match state:
        case "SUSPENDED":
            because = f", because of unannounced traffic ({why})" if why else ""
            return f"{told}{because}. The notice stays in force as a warning."
        case _:
            return f"{told}."
