# SPDX-License-Identifier: Apache-2.0
"""What a notice of a site or movement says of those to protect, on paper: rows of the form, sentences for the telephone
(domain.md K1, N2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from wideberth.core.say import coordinates, instant, reference
from wideberth.core.say.protect import Protected, Urgency, Waypoint, Work
from wideberth.errors import BadInput

LABELS: Final = (
    "ORGANISATION", "WORK", "MARKING", "VEHICLE", "PHOTO", "ADDRESS", "ALSO CALL", "CHECKS IN", "PASSES", "URGENCY",
    "WHY URGENT",
)  # fmt: skip
_AT: Final = " at "
_NAME: Final = " = "


def heard(protected: Protected) -> Protected:
    """With texts as people can repeat them: single spaces."""
    texts = {name: _single(getattr(protected, name)) for name in ("organisation", "marking", "address", "why_urgent")}
    lists = {name: tuple(map(_single, getattr(protected, name))) for name in ("contacts", "vehicles")}
    waypoints = tuple(msgspec.structs.replace(w, name=_single(w.name)) for w in protected.waypoints)
    return msgspec.structs.replace(protected, **texts, **lists, waypoints=waypoints)


def rows(protected: Protected) -> list[tuple[str, str]]:
    """Label and value, one for each thing that is said."""
    found = [("ORGANISATION", protected.organisation), ("WORK", protected.work.value)]
    found += [("MARKING", protected.marking)] if protected.marking else []
    found += [("VEHICLE", vehicle) for vehicle in protected.vehicles]
    found += [("PHOTO", protected.photo)] if protected.photo else []
    found += [("ADDRESS", protected.address)] if protected.address else []
    found += [("ALSO CALL", contact) for contact in protected.contacts]
    if protected.check_in_ms:
        found.append(("CHECKS IN", f"every {instant.show_span(protected.check_in_ms)}"))
    for w in protected.waypoints:
        name = f"{_NAME}{w.name}" if w.name else ""
        found.append(("PASSES", f"{coordinates.show_decimal(w.point)}{_AT}{instant.show(w.at_ms)}{name}"))
    if protected.urgency is not Urgency.ROUTINE:
        found += [("URGENCY", protected.urgency.value), ("WHY URGENT", protected.why_urgent)]
    return found


def keyed(found: Mapping[str, Sequence[str]]) -> Protected | None:
    """Keyed in again from the rows of a form; None where it has none of them. Raises BadInput, ValueError."""
    if not found:
        return None

    def one(label: str) -> str:
        values = found.get(label, ())
        if len(values) > 1:
            raise BadInput(f"{label} stands twice on the form", field=label)
        return values[0] if values else ""

    for label in ("ORGANISATION", "WORK"):
        if not one(label):
            raise BadInput(f"{label} is missing on the form", field=label)
    every = one("CHECKS IN").removeprefix("every ")
    return Protected(
        one("ORGANISATION"), Work(one("WORK")), tuple(found.get("ALSO CALL", ())), one("MARKING"),
        tuple(found.get("VEHICLE", ())), one("PHOTO"), one("ADDRESS"), instant.parse_span(every) if every else 0,
        tuple(map(_waypoint, found.get("PASSES", ()))), Urgency(one("URGENCY") or "ROUTINE"), one("WHY URGENT"),
    )  # fmt: skip


def spoken(protected: Protected) -> list[str]:
    """Sentences to read aloud."""
    said = [f"It is of {protected.organisation}: {protected.work.value.replace('_', ' ').lower()}."]
    if protected.urgency is not Urgency.ROUTINE:
        said.append(f"It is given as {protected.urgency.value.lower()}, because: {protected.why_urgent}")
    if protected.marking:
        said.append(f"Its marking: {protected.marking}")
    if protected.vehicles:
        said.append(f"Its vehicles: {'; '.join(protected.vehicles)}.")
    if protected.address:
        said.append(f"Its address: {protected.address}")
    said += [f"Call also: {contact}" for contact in protected.contacts]
    if protected.check_in_ms:
        said.append(f"It checks in every {instant.show_span(protected.check_in_ms)}.")
    for n, w in enumerate(protected.waypoints, 1):
        name = f", {w.name}" if w.name else ""
        place = coordinates.show_decimal(w.point)
        said.append(f"Waypoint {reference.spell(str(n))}{name}: {reference.spell(place)}, at {instant.show(w.at_ms)}.")
    if protected.photo:
        said.append(f"The photo of its marking begins with {reference.spell(protected.photo[:8])}.")
    return said


def _waypoint(text: str) -> Waypoint:
    place, at, rest = text.partition(_AT)
    if not at:
        raise BadInput(f"PASSES: {text!r} is not a place, at, and a time", field="PASSES")
    time, _, name = rest.partition(_NAME)
    return Waypoint(coordinates.parse_point(place, field="PASSES"), instant.parse(time, field="PASSES"), name)


def _single(text: str) -> str:
    return " ".join(text.split())
