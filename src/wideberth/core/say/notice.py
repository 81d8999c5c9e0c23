# SPDX-License-Identifier: Apache-2.0
"""The rules of a notice that need more than its own value: the agreement's numbers and the time (domain.md C2-C8, J3).

    flaws = check_terms(terms, rules, now_ms=…)        what is wrong; `fatal` ones make it unsendable
    lead(terms, rules, at_ms)                          lead time, shortfall, late: as given and as delivered alike
    precedence_for(terms, rules, now_ms)               late is sent sooner, never withheld
    check_revision("extend", before, after, …)         what may follow what

Being late, vague words, or a place outside the area never stop a notice: a poor warning is better than none. What stops
one is only what would make it say nothing, or something else than meant.
"""

from __future__ import annotations

import itertools
import math
from typing import Final, Literal

import msgspec

from wideberth.core.say import complete, ring
from wideberth.core.say.complete import AT_ONCE as AT_ONCE
from wideberth.core.say.coordinates import show_decimal, show_distance
from wideberth.core.say.geodesy import area_m2, distance_mm, middle, spine
from wideberth.core.say.growth import uncovered
from wideberth.core.say.instant import show, show_span
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.protect import Urgency
from wideberth.core.say.rules import Rules
from wideberth.core.say.scan import scan
from wideberth.core.say.volume import Circle, Polygon, Shape, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Precedence, Priority, Terms

Revision = Literal["amend", "correct", "extend", "offnominal", "cancel"]

# The most urgent first.
_URGENCY: Final = (Precedence.FLASH, Precedence.IMMEDIATE, Precedence.PRIORITY, Precedence.ROUTINE)

# These name a place so that people are spared or found, so they may be exact (J3 is about areas of activity).
EXACT_TYPES: Final = frozenset(
    {NoticeType.STATIC_SITE, NoticeType.MOVEMENT, NoticeType.UNANNOUNCED_TRAFFIC}
    | {NoticeType.ACCIDENT, NoticeType.HOLD_OFF, NoticeType.DISTRESS}
)

# The area test compares two computed areas; the slack is far above geodesy's 1e-7 and far below anything that matters.
_AREA_SLACK: Final = 1e-5


class Flaw(msgspec.Struct, frozen=True):
    """`rule` is the requirement's ID. A fatal flaw makes the notice unsendable; the rest are told to the officer."""

    field: str
    sentence: str
    fatal: bool
    rule: str


class Lead(msgspec.Struct, frozen=True):
    """`lead_ms` may be negative. `shortfall_ms` is what is missing to the agreed lead time, 0 when on time."""

    lead_ms: int
    shortfall_ms: int
    late: bool


class Shift(msgspec.Struct, frozen=True):
    """How far a later version moved: place in mm, start and end in ms (positive is later)."""

    place_mm: int
    start_ms: int
    end_ms: int


class ShortForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rest of an accident notice, from configuration, so that an officer gives three fields (C10)."""

    contact: str
    radius_mm: int
    lower: Altitude
    upper: Altitude
    priority: Priority = Priority.ROUTINE


def check_terms(terms: Terms, rules: Rules, *, now_ms: int) -> list[Flaw]:
    """Everything wrong with a notice that is about to be given, the fatal ones first, each group in field order.

    An empty list means that it is complete, not that it is right.
    """
    flaws = [
        *_kind(terms),
        *itertools.chain.from_iterable(_volume(n, v, terms, rules) for n, v in enumerate(terms.volumes, 1)),
        *_times(terms, rules, now_ms),
        *_place_name(terms, rules),
        *_words(terms),
        *_completeness(terms, rules),
    ]
    return sorted(flaws, key=lambda flaw: not flaw.fatal)


def lead(terms: Terms, rules: Rules, at_ms: int) -> Lead:
    """`at_ms` is the author's clock for the lead as given, the receiver's receipt for the lead as delivered (C3).
    No lead is asked of what is so already; a word about presence holds as of a time, and is never late (C11)."""
    lead_ms = terms.starts_ms - at_ms
    agreed_ms = agreed_lead(terms, rules)
    shortfall_ms = 0 if agreed_ms is None else max(0, agreed_ms - lead_ms)
    return Lead(lead_ms, shortfall_ms, shortfall_ms > 0)


def agreed_lead(terms: Terms, rules: Rules) -> int | None:
    """The lead time that holds for it, ms: of its kind, or of an emergency where that is less (K7); None where none is
    asked, as of what is immediate."""
    if terms.type in AT_ONCE or terms.type is NoticeType.PRESENCE:
        return None
    agreed_ms = rules.lead_for(terms.type)
    match _urgency(terms):
        case Urgency.EMERGENCY:
            return min(agreed_ms, rules.emergency_lead_ms)
        case Urgency.IMMEDIATE:
            return None
        case Urgency.ROUTINE:
            return agreed_ms


def precedence_for(terms: Terms, rules: Rules, now_ms: int) -> Precedence:
    """The precedence with which it goes: never below what was asked; late is at least IMMEDIATE, what is so
    already as `AT_ONCE` says."""
    asked = [terms.precedence]
    if terms.type in AT_ONCE:
        asked.append(AT_ONCE[terms.type])
    elif lead(terms, rules, now_ms).late or _urgency(terms) is Urgency.IMMEDIATE:
        asked.append(Precedence.IMMEDIATE)
    elif _urgency(terms) is Urgency.EMERGENCY:
        asked.append(Precedence.PRIORITY)
    return min(asked, key=_URGENCY.index)


def check_revision(
    kind: Revision, before: Terms, after: Terms | None, *, now_ms: int, cancelled: bool = False
) -> list[Flaw]:
    """Whether `after` may follow `before`; `after` is None for a cancellation. Only what concerns the step itself: give
    `after` to `check_terms` as well."""
    if cancelled:
        return [Flaw("ref", "this notice was cancelled and stays so; give a new notice", True, "C6")]
    if kind == "cancel":
        if now_ms >= before.expires_ms:
            return [Flaw("ref", "this notice has already expired; cancelling it changes nothing", False, "C6")]
        return []
    if after is None:
        return [Flaw("terms", "a revision carries the whole notice as it is now", True, "C6")]
    if now_ms >= before.expires_ms:
        expired = f"this notice expired at {show(before.expires_ms)} and binds nobody; give a new notice"
        return [Flaw("ref", expired, True, "C8")]
    if after == before:
        return [Flaw("terms", "this version says the same as the one before; nothing to send", True, "C6")]
    if kind == "extend":
        return _extension(before, after)
    if kind == "offnominal":
        return _off_nominal(before, after)
    moved = shift(before, after)
    same_room = [(v.shape, v.lower, v.upper, v.start_ms, v.end_ms) for v in before.volumes] == [
        (v.shape, v.lower, v.upper, v.start_ms, v.end_ms) for v in after.volumes
    ]
    if kind == "correct" and same_room:
        return [Flaw("volumes", "a correction changes place, height or time; for the rest, amend", True, "C7")]
    if kind == "amend" and not same_room and moved.place_mm > 0:
        told = (
            f"the place moves by {_kilometres(moved.place_mm)}; if the earlier place was wrong rather than changed, "
            "send a correction, so that it is acknowledged anew"
        )
        return [Flaw("volumes", told, False, "C7")]
    return []


def shift(before: Terms, after: Terms) -> Shift:
    """How far a version moved. Place: the middles of all volumes, each to the nearest of the other version, the
    largest of these both ways; so one volume out of many that jumps is seen."""
    old = [middle(v.shape) for v in before.volumes]
    new = [middle(v.shape) for v in after.volumes]
    ways = ((p, others) for ours, others in ((old, new), (new, old)) for p in ours)
    place_mm = max(min(distance_mm(p, q) for q in others) for p, others in ways)
    return Shift(place_mm, after.starts_ms - before.starts_ms, after.ends_ms - before.ends_ms)


def grown(terms: Terms, rules: Rules) -> Terms:
    """The same notice with every circle grown to the agreed least radius (J3). Other shapes are left as they are."""
    if terms.type in EXACT_TYPES:
        return terms
    volumes = tuple(
        msgspec.structs.replace(v, shape=Circle(v.shape.centre, max(v.shape.radius_mm, rules.least_radius_mm)))
        if isinstance(v.shape, Circle)
        else v
        for v in terms.volumes
    )
    return msgspec.structs.replace(terms, volumes=volumes)


def accident(
    kind: Hazard, place: Point | Shape, until_ms: int, form: ShortForm, *, now_ms: int,
    type_: NoticeType = NoticeType.ACCIDENT,
) -> Terms:  # fmt: skip
    """The emergency short form: kind, place, until; from now, and urgent (C10, G3); for a hold-off,
    a sighting and distress as well (G1, G4, G8)."""
    shape = Circle(place, form.radius_mm) if isinstance(place, Point) else place
    volume = Volume4D(shape, form.lower, form.upper, now_ms, until_ms)
    return Terms(
        type=type_,
        hazard=kind,
        contact=form.contact,
        volumes=(volume,),
        expires_ms=until_ms,
        precedence=AT_ONCE[type_],
        priority=form.priority,
    )


def _kind(terms: Terms) -> list[Flaw]:
    if terms.hazard is Hazard.UNSPECIFIED and terms.type is NoticeType.HAZARD:
        return [Flaw("hazard", "a hazard notice names its hazard; choose one of the list", True, "C2")]
    if terms.hazard is Hazard.UNSPECIFIED and terms.type not in AT_ONCE:
        return [Flaw("hazard", "the hazard is unspecified; others can only stay away from everything", False, "C2")]
    return []


def _volume(n: int, volume: Volume4D, terms: Terms, rules: Rules) -> list[Flaw]:
    shape, flaws, name = volume.shape, [], f"volumes[{n}]"
    if isinstance(shape, Polygon) and (why := ring.flaw(shape)) is not None:
        return [Flaw(name, f"volume {n} is not a polygon: {why}", True, "D9")]
    if terms.type not in EXACT_TYPES and not _plainly_large(shape, rules.least_radius_mm):
        least = area_m2(Circle(middle(shape), rules.least_radius_mm))
        if area_m2(shape) < least * (1 - _AREA_SLACK):
            told = (
                f"volume {n} is smaller than agreed: declare at least the area of a circle of "
                f"{show_distance(rules.least_radius_mm)} radius ({least / 1e6:,.0f} km²)"
            )
            flaws.append(Flaw(name, told, True, "J3"))
    outside = [p for p in spine(shape) if not ring.covers(rules.area, p)]
    if outside:
        turned = [q for p in spine(shape) if (q := ring.swapped(p)) is not None]
        if len(outside) == len(spine(shape)) == len(turned) and all(ring.covers(rules.area, q) for q in turned):
            told = (
                f"volume {n} lies outside the area of the mechanism, and inside it with latitude and longitude swapped "
                f"({show_decimal(turned[0])}): check which is which"
            )
            flaws.append(Flaw(name, told, False, "D9"))
        else:
            part = "" if len(outside) == len(spine(shape)) else "partly "
            where = show_decimal(outside[0])
            told = f"volume {n} lies {part}outside the area of the mechanism ({where}); check it on a map"
            flaws.append(Flaw(name, told, False, "C2"))
    return flaws


def _plainly_large(shape: Shape, least_mm: int) -> bool:
    """Whether a shape surely has the least area, without the area of a circle (180 geodesics, 0.6 ms).

    A disc on a surface that curves outward everywhere, as the ellipsoid does, has at most the area of a flat one
    (Bishop and Gromov's comparison), so what reaches pi r^2 reaches the disc as well.
    """
    if isinstance(shape, Circle):
        return shape.radius_mm >= least_mm
    return area_m2(shape) >= math.pi * (least_mm / 1000) ** 2


def _times(terms: Terms, rules: Rules, now_ms: int) -> list[Flaw]:
    flaws = []
    stands_ms = rules.site_horizon_ms if terms.type is NoticeType.STATIC_SITE else rules.horizon_ms
    if terms.expires_ms <= now_ms:
        flaws.append(Flaw("expires", f"it expires at {show(terms.expires_ms)}, which is past", True, "C8"))
    if terms.ends_ms <= now_ms:
        flaws.append(
            Flaw("volumes", f"all of it ended at {show(terms.ends_ms)}; nothing is left to warn of", True, "C8")
        )
    if terms.expires_ms < terms.ends_ms:
        told = f"it expires at {show(terms.expires_ms)}, before its last volume ends at {show(terms.ends_ms)}"
        flaws.append(Flaw("expires", f"{told}; let it last as long as the activity", True, "C8"))
    if terms.starts_ms - now_ms > rules.horizon_ms:
        told = f"it starts more than {show_span(rules.horizon_ms)} ahead, beyond the agreed horizon"
        flaws.append(Flaw("volumes", f"{told}; give it nearer the time", True, "C8"))
    if terms.expires_ms - max(now_ms, terms.starts_ms) > stands_ms:
        told = f"it would stand for more than {show_span(stands_ms)} after it starts"
        flaws.append(Flaw("expires", f"{told}; end it sooner and extend it, so that no old notice lingers", True, "C8"))
    late = lead(terms, rules, now_ms)
    if late.late:
        told = (
            f"LATE by {show_span(late.shortfall_ms)}: {show_span(late.lead_ms)} ahead, "
            f"{show_span(agreed_lead(terms, rules) or 0)} agreed; it goes out at once and as urgent"
        )
        flaws.append(Flaw("volumes", told, False, "C3"))
    return flaws


def _place_name(terms: Terms, rules: Rules) -> list[Flaw]:
    name = _folded(terms.place_name)
    if not name:
        return []
    entries = [entry for entry in rules.gazetteer if _folded(entry.name) == name]
    if not entries:
        told = f"“{terms.place_name}” is not in the agreement's list of places, so it could not be checked"
        return [Flaw("place_name", told, False, "C4")]
    off = {e: min(ring.beside_mm(v.shape, e.point) for v in terms.volumes) for e in entries}
    if any(off[e] <= e.near_mm for e in entries):
        return []
    told = f"“{terms.place_name}” is {_kilometres(min(off.values()))} from the area given; one of the two is wrong"
    return [Flaw("place_name", told, True, "C4")]


def _words(terms: Terms) -> list[Flaw]:
    texts = [("text", terms.text), ("place_name", terms.place_name), ("contact", terms.contact)]
    if (site := terms.protected) is not None:
        texts += [("organisation", site.organisation), ("marking", site.marking), ("address", site.address)]
        texts += [("why_urgent", site.why_urgent), *(("vehicles", v) for v in site.vehicles)]
        texts += [("contacts", c) for c in site.contacts] + [("waypoints", w.name) for w in site.waypoints]
    return [Flaw(field, finding.sentence, False, "M1") for field, text in texts for finding in scan(text)]


def _urgency(terms: Terms) -> Urgency:
    return terms.protected.urgency if terms.protected is not None else Urgency.ROUTINE


def _completeness(terms: Terms, rules: Rules) -> list[Flaw]:
    score = complete.of_terms(terms, rules)
    return [Flaw(score.missing[0], f"it is {score.sentence}", False, "C5")] if score and score.below else []


def _extension(before: Terms, after: Terms) -> list[Flaw]:
    def but_ends(terms: Terms) -> Terms:
        volumes = tuple(msgspec.structs.replace(v, end_ms=v.start_ms + 1) for v in terms.volumes)
        return msgspec.structs.replace(terms, volumes=volumes, expires_ms=0)

    if but_ends(before) != but_ends(after):
        return [Flaw("terms", "an extension changes only the ends; for anything else, amend", True, "C6")]
    pairs = list(zip(before.volumes, after.volumes, strict=True))
    if after.expires_ms < before.expires_ms or any(new.end_ms < old.end_ms for old, new in pairs):
        return [Flaw("volumes", "an extension never ends anything sooner; to shorten, amend", True, "C6")]
    return []


def _off_nominal(before: Terms, after: Terms) -> list[Flaw]:
    if after.type is not before.type or after.covers != before.covers:
        return [Flaw("terms", "what went off-nominal stays the same kind of notice, about the same", True, "G7")]
    if after.urgency not in _URGENCY[:2]:
        return [Flaw("precedence", "what went off-nominal is FLASH or IMMEDIATE", True, "G7")]
    lost = uncovered(before, after)
    if lost or after.expires_ms < before.expires_ms:
        what = f"volume {lost[0]} is not covered any more" if lost else "it would expire sooner"
        told = f"what went off-nominal may only grow: {what}; add a volume, and correct or amend afterwards"
        return [Flaw("volumes", told, True, "G7")]
    return []


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _kilometres(mm: int) -> str:
    km = mm / 1_000_000
    return f"{km:,.0f} km" if km >= 20 else f"{math.ceil(km * 10) / 10:.1f} km"
