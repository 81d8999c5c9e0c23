# SPDX-License-Identifier: Apache-2.0
"""Lines, numbers and coalitions of an agreement as they are typed: for `invite` and for `agreement propose`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wideberth.core.say.rules import Rules
    from wideberth.core.seal.agreement import LineTerms


def lines_of(given: list[str], everybody: tuple[str, ...], *, working_group: bool) -> tuple[LineTerms, ...]:
    """`FLIGHT_SAFETY`, `GROUND:BLUE,GREEN`: the lines of a mechanism. Raises BadInput."""
    from wideberth.core.say.rules import Purpose
    from wideberth.core.seal.agreement import one_line

    found = [line_of(text, everybody) for text in given]
    if not found:
        found = [*one_line(Purpose.FLIGHT_SAFETY, everybody)]
    if working_group and not any(each.purpose is Purpose.WORKING_GROUP for each in found):
        found += one_line(Purpose.WORKING_GROUP, everybody)
    return tuple(found)


def line_of(text: str, everybody: tuple[str, ...]) -> LineTerms:
    """One line, as it is written on the command line. Raises BadInput."""
    from wideberth.core.say.rules import Purpose
    from wideberth.core.seal.agreement import LineTerms
    from wideberth.errors import BadInput

    purpose, colon, names = text.partition(":")
    word = purpose.strip().upper().replace("-", "_")
    if word not in Purpose.__members__:
        raise BadInput(f"the purpose is one of {', '.join(Purpose)}, not {purpose!r}", field="line")
    members = tuple(sorted({name.strip() for name in names.split(",") if name.strip()})) if colon else everybody
    if strange := [name for name in members if name not in everybody]:
        raise BadInput(f"{strange[0]} is on a line, and not a member; name it with --to", field="line")
    if len(members) < 2:
        raise BadInput(f"the line {text!r} needs two members or more", field="line")
    return LineTerms(Purpose[word], members)


def umbrella_of(given: list[str], everybody: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    from wideberth.errors import BadInput

    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        party, equals, names = text.partition("=")
        listed = tuple(name.strip() for name in names.split(",") if name.strip())
        if not equals or not listed or party.strip() not in everybody:
            raise BadInput(f"{text!r} is not of the form GREEN=ALFA,BRAVO, with a member's name", field="speaks-for")
        found[party.strip()] = listed
    return found


def rules_of(area: str, minima: str, lead: str, least_radius: str, more: list[str], rules_file: Path | None) -> Rules:

    from wideberth.core.say.rule_words import changed
    from wideberth.core.say.rules import Rules
    from wideberth.core.say.volume import Circle
    from wideberth.errors import BadInput

    if rules_file is None:
        # Whatever stands in it is replaced: an area has no default.
        base = Rules(area=Circle.at(lat=0, lng=0, radius_km=1))
        typed = {"area": area, "minima": minima, "lead": lead, "least-radius": least_radius}
        return changed(base, {**typed, **settings_of(more)})
    if area:
        raise BadInput("give --area or --rules, not both: the rules hold the area", field="area")
    return changed(read_rules(rules_file), settings_of(more))


def read_rules(file: Path) -> Rules:
    """All rules as JSON. Raises BadInput."""
    import msgspec

    from wideberth.core.say.rules import Rules
    from wideberth.errors import BadInput

    try:
        return msgspec.json.decode(file.read_bytes(), type=Rules)
    except (msgspec.DecodeError, OSError) as error:
        raise BadInput(f"{file} does not hold rules: {error}", field="rules") from None


def settings_of(given: list[str]) -> dict[str, str]:
    """`lead=15m` and the like. Raises BadInput."""
    from wideberth.errors import BadInput

    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadInput(f"{text!r} is not of the form NAME=VALUE, such as lead=15m", field="set")
        found[name.strip()] = value
    return found


def plain_lines(lines: tuple[LineTerms, ...]) -> list[dict[str, Any]]:
    return [{"purpose": line.purpose.value, "members": list(line.members)} for line in lines]
