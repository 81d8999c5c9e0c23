# SPDX-License-Identifier: Apache-2.0
"""Own units as a file: `units.toml` in the node's folder. The inner process alone reads it, and nothing of it leaves.

[[units]]
name = "U1"
circle = "41.20N 38.60W"            # or polygon, or corridor, as in a notice; `areas` for several of them
radius = "10km"
low = "SFC"                         # default: from the ground up without end
high = "5000ft AMSL"
pages = ["https://hook.example/u1"] # how it is woken up (desk.toml says whether)
supervisor = "Operations"           # called as well when a start comes near and the unit has not confirmed
supervisor_pages = ["tel:+999 555 0102"]
"""

from __future__ import annotations

import tomllib
from typing import Any, Final

from wideberth.config import keys_that_need_leave
from wideberth.core.limits import KIB
from wideberth.core.say.coordinates import parse_altitude, parse_distance, parse_point
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.ring import must_be_simple
from wideberth.core.say.unit import Unit
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape
from wideberth.errors import BadInput

# 256 units with 20 corners each are under 256 KiB.
UNITS_BYTES_MAX: Final = 512 * KIB
UNITS_MAX: Final = 256
_PLACE: Final = ("circle", "radius", "polygon", "corridor", "half_width")
_UNIT: Final = ("name", *_PLACE, "areas", "low", "high", "pages", "supervisor", "supervisor_pages")


def read_units(text: str) -> tuple[Unit, ...]:
    """Raises BadInput with every complaint at once."""
    if len(text) > UNITS_BYTES_MAX:
        raise BadInput(f"a file of units has at most {UNITS_BYTES_MAX} bytes", field="units")
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"the file of units is not TOML: {str(error) or 'nested too deep'}", field="units") from None
    wrong = keys_that_need_leave(table)
    wrong += [f"there is no {key!r} in a file of units; there are units" for key in table.keys() - {"units"}]
    rows = table.get("units", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadInput("units are written [[units]], one block each", field="units")
    if len(rows) > UNITS_MAX:
        wrong.append(f"there are at most {UNITS_MAX} units")
    units: dict[str, Unit] = {}
    for n, row in enumerate(rows[:UNITS_MAX], 1):
        try:
            unit = _unit(row)
            if unit.name in units:
                raise BadInput(f"{unit.name} is there twice", field="name")
            units[unit.name] = unit
        except BadInput as fault:
            wrong.append(f"units {n}: {fault.sentence}")
    if wrong:
        raise BadInput(f"the file of units cannot be used. {'; '.join(wrong)}", field="units", complaints=wrong)
    return tuple(units.values())


def _unit(row: dict[str, Any]) -> Unit:
    if unknown := row.keys() - set(_UNIT):
        raise BadInput(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(_UNIT)}")
    if "areas" in row and any(field in row for field in _PLACE):
        raise BadInput("give one place, or `areas`, not both", field="areas")
    areas = row["areas"] if "areas" in row else [{field: row[field] for field in _PLACE if field in row}]
    if not isinstance(areas, list) or not all(isinstance(area, dict) for area in areas):
        raise BadInput("`areas` is a list of places", field="areas")
    name = _text(row, "name")
    return Unit(
        name,
        tuple(_shape(area, f"{name}, area {n}") for n, area in enumerate(areas, 1)),
        parse_altitude(_text(row, "low"), field="low") if "low" in row else Altitude.surface(),
        parse_altitude(_text(row, "high"), field="high") if "high" in row else Altitude.unlimited(),
        _texts(row, "pages"), _text(row, "supervisor"), _texts(row, "supervisor_pages"),
    )  # fmt: skip


def _shape(area: dict[str, Any], where: str) -> Shape:
    kinds = [field for field in ("circle", "polygon", "corridor") if field in area]
    if len(kinds) != 1 or area.keys() - set(_PLACE):
        raise BadInput(f"{where} has a circle and its radius, a polygon, or a corridor and its half_width")
    shape: Shape
    match kinds[0]:
        case "circle":
            shape = Circle(parse_point(_text(area, "circle"), field="circle"), _length(area, "radius"))
        case "polygon":
            shape = Polygon(_points(_text(area, "polygon"), "polygon"))
        case _:
            shape = Corridor(_points(_text(area, "corridor"), "corridor"), _length(area, "half_width"))
    must_be_simple(shape, where)
    return shape


def _points(text: str, field: str) -> tuple[Point, ...]:
    return tuple(parse_point(part, field=field) for part in text.split(";") if part.strip())


def _length(area: dict[str, Any], field: str) -> int:
    if field not in area:
        raise BadInput(f"give `{field}` with its unit, such as 10km", field=field)
    return parse_distance(_text(area, field), field=field)


def _text(row: dict[str, Any], field: str) -> str:
    value = row.get(field, "")
    if not isinstance(value, str):
        raise BadInput(f"`{field}` is a text in quotation marks", field=field)
    return value


def _texts(row: dict[str, Any], field: str) -> tuple[str, ...]:
    value = row.get(field, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadInput(f'`{field}` is a list of texts, such as ["https://hook.example/u1"]', field=field)
    return tuple(value)
