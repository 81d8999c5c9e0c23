# SPDX-License-Identifier: Apache-2.0
"""What the desk tells its own terminals when a rung is climbed, and what to say where only the telephone is left.

A phone card says whom to call, a phone script what to say: the reference of the item and of what it is about, each with
its check letter and spelled (domain.md C13, F23, SC2). Like everything of the desk it stays at home.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from wideberth.core.desk.escalation import How, Item, Page
from wideberth.core.desk.people import Roster
from wideberth.core.desk.relays import Call, Distribution
from wideberth.core.say import reference
from wideberth.core.tells import Level

TELEPHONE = "tel:"


class Rung(msgspec.Struct, frozen=True, tag_field="tell", tag="rung", omit_defaults=True):
    """People were called about an item, in one way. `rung` counts from 1; 0: again. `lines` are to be read aloud."""

    item: str
    name: str
    urgency: str
    rung: int
    how: str
    people: tuple[str, ...]
    sentence: str
    lines: tuple[str, ...] = ()
    level: Level = Level.NOTE


def rungs(pages: Iterable[Page], items: dict[str, Item], roster: Roster, contacts: dict[str, str]) -> list[Rung]:
    """One for all who were called at once. `contacts`: by party, how the other side is reached."""
    grouped: dict[tuple[str, How, int], list[str]] = {}
    for page in pages:
        grouped.setdefault((page.item, page.how, page.rung), []).append(page.person)
    return [
        _rung(items[key], how, rung, people, roster, contacts)
        for (key, how, rung), people in grouped.items() if key in items
    ]  # fmt: skip


def unit_rungs(calls: Iterable[Call], live: dict[str, Distribution]) -> list[Rung]:
    """One for all units that were called about one notice for one reason."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for call in calls:
        grouped.setdefault((call.key, call.why), []).append(call.unit)
    return [_units(live[key], why, units) for (key, why), units in grouped.items() if key in live]


def _units(found: Distribution, why: str, units: list[str]) -> Rung:
    ref = found.key.partition("|")[2]
    because = {"NEW": "it meets their areas", "ACTIVATION": "it begins soon", "STARTED": "it has begun"}.get(
        why, "something comes near"
    )
    sentence = f"{found.urgency} {found.wake} calls {', '.join(units)} about {ref}: {because}."
    return Rung(found.wake, ref, found.urgency, 0, "UNITS", tuple(units), sentence)


def _rung(
    item: Item, how: How, rung: int, people: list[str], roster: Roster, contacts: dict[str, str]
) -> Rung:  # fmt: skip
    who = ", ".join(people)
    head = f"{item.urgency} {item.key} ({item.name})"
    match how:
        case How.RING:
            sentence, lines = f"{head} calls {who}.", []
        case How.PHONE_CARD:
            sentence, lines = f"{head}: phone card for {who}.", _numbers(roster, contacts)
        case How.PHONE_SCRIPT:
            sentence = f"{head}: NOBODY HAS TAKEN IT. Use the telephone now: {who}."
            lines = [*_script(item), *_numbers(roster, contacts)]
    return Rung(item.key, item.name, item.urgency, rung, how, tuple(people), sentence, tuple(lines))


def _script(item: Item) -> list[str]:
    said = [
        f"Say: alarm {reference.spell(item.key)}. I say again: {reference.spell(item.key)}.",
        f"Say: urgency {item.urgency.lower()}. Nobody has taken it.",
    ]
    if item.name != item.key and any(c.isdigit() for c in item.name):
        said.append(f"Only on a line that may carry it: it is about {item.name}, {reference.spell(item.name)}.")
    return [*said, f"Whoever takes it: `wideberth take {item.key}`."]


def _numbers(roster: Roster, contacts: dict[str, str]) -> list[str]:
    ours = [
        f"{person.name}: {page.removeprefix(TELEPHONE)}"
        for person in roster.everybody() for page in person.pages if page.startswith(TELEPHONE)
    ]  # fmt: skip
    return [*ours, *(f"{party}: {contact}" for party, contact in contacts.items() if contact)]
