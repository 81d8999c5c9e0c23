# SPDX-License-Identifier: Apache-2.0
"""What became of a site or a movement that was notified: verified, confirmed anew, checked in (domain.md K2-K4, D8).

A pure fold, and states that follow from it and the time alone: every node that holds the same entries says the same.

    UNVERIFIED -> VERIFIED         a second post of the same party found the place where the version says
                  PLACE_DIFFERS    it found it elsewhere
    CONFIRMED -> STALE             nobody confirmed a site for the agreed interval; it is shown as that, never dropped
    ON_TIME -> OVERDUE             a check-in of a movement is missing; why is not known

Time alone leads to STALE and OVERDUE, and means nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from wideberth.core.call.fault import NotUnderstood
from wideberth.core.call.thread import Thread, Version
from wideberth.core.say import notice
from wideberth.core.say.geodesy import distance_mm, middle, spine
from wideberth.core.say.place import Point
from wideberth.core.say.protect import CareWord, CheckIn, Confirmation, Verification
from wideberth.core.say.rules import Rules
from wideberth.core.say.words import CARED_FOR, NoticeType, Terms
from wideberth.core.seal.entry import Header

# In this order a screen shows what speaks against relying on it.
WORST: Final = ("OVERDUE", "STALE", "PLACE_DIFFERS", "UNVERIFIED", "RESURVEY")


class Told(msgspec.Struct, frozen=True):
    """One word about it. `t_ms` is its author's claim, `at_ms` when it was so; `off_mm`: how far the place was found
    from where the version says."""

    what: CareWord
    by: str
    entry: str
    t_ms: int
    at_ms: int
    off_mm: int = 0


def take(thread: Thread | None, header: Header, entry: str, what: CareWord) -> tuple[Version, Told]:
    """Judge one word: the version that it is about, and what it adds. Raises NotUnderstood."""
    version = thread.version(what.of) if thread is not None else None
    if thread is None or version is None or thread.author != header.sender or thread.ref != what.ref:
        raise NotUnderstood(f"{header.sender} has no notice {what.ref} in that version")
    terms = version.terms
    if terms is None or terms.type not in CARED_FOR:
        raise NotUnderstood(f"{what.ref} is no site and no movement")
    if thread.cancelled is not None:
        raise NotUnderstood(f"{what.ref} was withdrawn")
    at_ms, off_mm = header.t_ms, 0
    match what:
        case Verification():
            if header.by == version.by:
                raise NotUnderstood(f"{version.by} gave that version; another post verifies it")
            off_mm = off(terms, what.point)
        case Confirmation():
            if terms.type is not NoticeType.STATIC_SITE:
                raise NotUnderstood("only a site is confirmed anew; a movement checks in")
        case CheckIn():
            if terms.type is not NoticeType.MOVEMENT:
                raise NotUnderstood("only a movement checks in; a site is confirmed anew")
            if what.at_ms > header.t_ms:
                raise NotUnderstood("nobody was heard of in the future")
            at_ms = what.at_ms
    return version, Told(what, header.by, entry, header.t_ms, at_ms, off_mm)


def off(terms: Terms, point: Point) -> int:
    """How far a place is from where the terms say: of a site its middle, of a movement the nearest point of its way."""
    if terms.type is NoticeType.STATIC_SITE:
        return min(distance_mm(point, middle(v.shape)) for v in terms.volumes)
    return min(distance_mm(point, p) for v in terms.volumes for p in spine(v.shape))


# --- states ---


def verification(thread: Thread, version: Version, rules: Rules) -> str:
    """Of one exact version; a place that was found where it says counts, whatever was found before."""
    found = [t.off_mm for t in thread.told if t.what.of == version.entry and isinstance(t.what, Verification)]
    if not found:
        return "UNVERIFIED"
    return "VERIFIED" if min(found) <= rules.pin_mm else "PLACE_DIFFERS"


def resurvey(thread: Thread, version: Version, rules: Rules) -> bool:
    """The site was moved by this version, and nobody has looked at the new place (D8)."""
    before = next((v for v in reversed(thread.versions) if v.number < version.number and v.terms is not None), None)
    if before is None or before.terms is None or version.terms is None:
        return False
    moved_mm = notice.shift(before.terms, version.terms).place_mm
    return moved_mm > rules.pin_mm and verification(thread, version, rules) != "VERIFIED"


def confirm_by_ms(thread: Thread, rules: Rules) -> int | None:
    """When a site becomes stale: the agreed interval after its newest version, or its newest confirmation. None for
    what is not confirmed anew."""
    version = _given(thread)
    if version is None or version.terms is None or version.terms.type is not NoticeType.STATIC_SITE:
        return None
    since = [t.t_ms for t in thread.told if t.what.of == version.entry and isinstance(t.what, Confirmation)]
    return max([version.t_ms, *since]) + rules.confirm_ms


def check_in_by_ms(thread: Thread, rules: Rules) -> int | None:
    """When the next check-in of a movement is looked for; its end at the latest, where a report that it is finished
    will do. None where none was promised, or nothing is left to come."""
    version = _given(thread)
    terms = version.terms if version is not None else None
    if version is None or terms is None or terms.type is not NoticeType.MOVEMENT or terms.protected is None:
        return None
    promised = terms.protected
    if not (promised.check_in_ms or promised.waypoints) or thread.finished_ms is not None:
        return None
    heard_ms = max((t.at_ms for t in thread.told if isinstance(t.what, CheckIn)), default=None)
    # A check-in a little before its waypoint is one from there.
    done_ms = -1 if heard_ms is None else heard_ms + rules.check_in_grace_ms
    times = [w.at_ms for w in promised.waypoints if w.at_ms > done_ms]
    if promised.check_in_ms:
        times.append(max(terms.starts_ms, heard_ms or 0) + promised.check_in_ms)
    times.append(terms.ends_ms)
    due_ms = min(times)
    return None if due_ms == terms.ends_ms and done_ms >= due_ms else due_ms


def dues(thread: Thread, rules: Rules) -> Iterator[tuple[int, str, int]]:
    """`(when it is told, STALE or OVERDUE, when it should have been)` of what is still to come."""
    if thread.cancelled is not None:
        return
    if (by_ms := confirm_by_ms(thread, rules)) is not None:
        yield by_ms, "STALE", by_ms
    if (by_ms := check_in_by_ms(thread, rules)) is not None:
        yield by_ms + rules.check_in_grace_ms + 1, "OVERDUE", by_ms


def state_view(thread: Thread, rules: Rules, at_ms: int) -> dict[str, Any] | None:
    """As plain data, alike on every node: `states` with what speaks against relying on it first."""
    version = _given(thread)
    if version is None or version.terms is None or version.terms.type not in CARED_FOR:
        return None
    states = [what for when, what, _ in dues(thread, rules) if when <= at_ms]
    states.append(verification(thread, version, rules))
    if resurvey(thread, version, rules):
        states.append("RESURVEY")
    return {
        "states": sorted(states, key=lambda s: WORST.index(s) if s in WORST else len(WORST)),
        "confirm_by_ms": confirm_by_ms(thread, rules), "check_in_by_ms": check_in_by_ms(thread, rules),
        "told": [
            {
                "kind": msgspec.to_builtins(each.what)["kind"], "by": each.by, "of": each.what.of, "t_ms": each.t_ms,
                "at_ms": each.at_ms, "off_mm": each.off_mm, "text": each.what.text, "entry": each.entry,
            }
            for each in thread.told
        ],
    }  # fmt: skip


def _given(thread: Thread) -> Version | None:
    """The newest version that says anything; a withdrawal does not."""
    return next((v for v in reversed(thread.versions) if v.terms is not None), None)
