# SPDX-License-Identifier: Apache-2.0
"""The watch roster as a file: TOML in, people and shifts out (domain.md B10). It never leaves the node.

[[people]]
name = "Anna"                       # what the desk calls them
role = "WATCH_OFFICER"              # SUPERVISOR, LINGUIST, UNIT_LIAISON, OBSERVER
post = "watch-1"                    # the post that they speak with
languages = ["en", "ru"]
pages = ["mailto:anna@example"]     # how they are woken up; wake-ups carry no place and no kind

[[shifts]]                          # one that comes again: days and hours in UTC; it may pass midnight
person = "Anna"
days = ["MO", "TU", "WE", "TH", "FR"]
from = "06:00"
until = "18:00"

[[shifts]]                          # a single one
person = "Anna"
start = 2030-06-15T06:00:00Z
end = 2030-06-15T18:00:00Z
backup = true                       # asked only when who is on shift does not answer
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from wideberth.config import keys_that_need_leave
from wideberth.core.desk.people import DAY_MS, Person, Role, Roster, Shift
from wideberth.core.limits import KIB
from wideberth.core.say.recur import WEEK, weekday
from wideberth.errors import BadInput

# A year of single shifts of a large cell is under 200 KiB.
ROSTER_BYTES_MAX: Final = 512 * KIB
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
_PERSON: Final = ("name", "role", "post", "languages", "unit", "pages")
_SHIFT: Final = ("person", "days", "from", "until", "start", "end", "backup")


def read_roster(text: str, from_ms: int, to_ms: int) -> Roster:
    """The people, and every shift that touches `[from_ms, to_ms)`. Raises BadInput with every complaint at once."""
    if len(text) > ROSTER_BYTES_MAX:
        raise BadInput(f"a roster has at most {ROSTER_BYTES_MAX} bytes", field="roster")
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"the roster is not TOML: {str(error) or 'nested too deep'}", field="roster") from None
    wrong = keys_that_need_leave(table)
    wrong += [
        f"there is no {key!r} in a roster; there are people and shifts" for key in table.keys() - {"people", "shifts"}
    ]
    people: list[Person] = []
    for n, row in enumerate(_rows(table, "people"), 1):
        try:
            people.append(_person(row))
        except BadInput as fault:
            wrong.append(f"people {n}: {fault.sentence}")
    known = {person.name for person in people}
    shifts: list[Shift] = []
    for n, row in enumerate(_rows(table, "shifts"), 1):
        try:
            shifts += _shifts(row, known, from_ms, to_ms)
        except BadInput as fault:
            wrong.append(f"shifts {n}: {fault.sentence}")
    if wrong:
        raise BadInput(f"the roster cannot be used. {'; '.join(wrong)}", field="roster", complaints=wrong)
    return Roster(people, shifts)


def _rows(table: dict[str, Any], name: str) -> list[Any]:
    rows = table.get(name, [])
    if not isinstance(rows, list):
        raise BadInput(f"{name} are written [[{name}]], one block each", field="roster")
    return rows


def _known(row: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise BadInput("is not a block of settings")
    if unknown := row.keys() - set(fields):
        raise BadInput(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(fields)}")
    return row


def _person(row: Any) -> Person:
    values = _known(row, _PERSON)
    if values.get("role") not in Role.__members__:
        raise BadInput(f"the role is one of {', '.join(Role)}")
    try:
        return msgspec.convert({k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}, Person)
    except msgspec.ValidationError as error:
        raise BadInput(str(error)) from None


def _shifts(row: Any, known: set[str], from_ms: int, to_ms: int) -> list[Shift]:
    values = _known(row, _SHIFT)
    person, backup = values.get("person"), values.get("backup", False)
    if person not in known:
        raise BadInput(f"there is no {person!r} among the people")
    if not isinstance(backup, bool):
        raise BadInput("backup is true or false")
    if "start" in values or "end" in values:
        shift = Shift(person, _instant(values, "start"), _instant(values, "end"), backup)
        return [shift] if shift.start_ms < to_ms and shift.end_ms > from_ms else []
    days = values.get("days", list(WEEK))
    if not isinstance(days, list) or not days or not set(map(str, days)) <= set(WEEK):
        raise BadInput(f"days are {', '.join(WEEK)}")
    begin, end = _of_day(values, "from"), _of_day(values, "until")
    last = end - begin if end > begin else end - begin + DAY_MS
    midnight = from_ms - from_ms % DAY_MS - DAY_MS
    return [
        Shift(person, day + begin, day + begin + last, backup)
        for day in range(midnight, to_ms, DAY_MS)
        if weekday(day) in days and day + begin < to_ms and day + begin + last > from_ms
    ]


def _instant(values: dict[str, Any], name: str) -> int:
    value = values.get(name)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise BadInput(f"{name} is an instant with its zone, such as 2030-06-15T06:00:00Z, without quotation marks")
    return int(value.astimezone(UTC).timestamp() * 1000)


def _of_day(values: dict[str, Any], name: str) -> int:
    value = values.get(name)
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise BadInput(f"{name} is a time of day in UTC, such as 06:00")
    hours, minutes = map(int, value.split(":"))
    return (hours * 60 + minutes) * 60_000
