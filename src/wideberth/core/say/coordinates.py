# SPDX-License-Identifier: Apache-2.0
"""Places, distances and heights as people write them, to and from the integers that are signed (domain.md D8).

    parse_point("36.20N 37.15E")              decimal degrees; without letters latitude comes first
    parse_point("36°12'00\\"N 37°09'00\\"E")    degrees, minutes, seconds; decimal minutes as well
    parse_point("361200N0370900E")            compact, as in a NOTAM
    parse_point("37SCA3367707717")            MGRS
    parse_distance("5.4nm")                   a unit is required
    parse_altitude("5000ft AMSL")             a reference is required

The datum is WGS-84. A text that names another one is refused: a datum shift moves a place by up to a kilometre, and the
one who knows the old datum must convert. A grid reference names a square; we take its middle.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any, Final

from wideberth.core.say import units
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.units import NDEG_PER_DEGREE
from wideberth.errors import BadInput

_HOW_POINT: Final = 'write it like "36.20N 37.15E", "361200N0370900E" or as MGRS, "37SCA3367707717"'

_WGS84: Final = re.compile(r"\bWGS[ -]?(?:19)?84\b|\bEPSG:4326\b", re.IGNORECASE)
_OTHER_DATUM: Final = re.compile(
    r"\b(ED[ -]?50|ED[ -]?79|NAD[ -]?27|NAD[ -]?83|ETRS[ -]?89|PZ[ -]?90(?:\.\d+)?|"
    r"PULKOVO(?:[ -]?1942)?|SK[ -]?42|S-42|SK[ -]?95|"
    r"CK[ -]?42|OSGB[ -]?36|GCJ[ -]?02|BD[ -]?09|CGCS[ -]?2000|TOKYO|CLARKE|AGD[ -]?\d\d|GDA[ -]?\d{2,4}|WGS[ -]?72|"
    r"PALESTINE[ -]?1923|EPSG:\d+|[A-Z]+ DATUM)\b",
    re.IGNORECASE,
)

# What a written angle is made of, after other people's signs for minutes and seconds are unified.
_TOKEN: Final = re.compile(
    r"(?P<number>\d{1,3}(?:\.\d{1,12})?)|(?P<mark>[°'\"])|(?P<letter>[NSEW])|(?P<sign>[+-])|(?P<split>[,;/])| "
)
_COMPACT: Final = re.compile(
    r"(?P<apre>[NS])?(?P<a>\d{4}(?:\d\d)?)(?P<af>\.\d{1,8})?(?P<apost>[NS])?[ ,/]?"
    r"(?P<bpre>[EW])?(?P<b>\d{5}(?:\d\d)?)(?P<bf>\.\d{1,8})?(?P<bpost>[EW])?",
    re.ASCII,
)
_MGRS: Final = re.compile(r"(?:(?:[1-9]|[0-5]\d|60)[C-HJ-NP-X]|[ABYZ])[A-HJ-NP-Z]{2}(?P<digits>\d*)", re.ASCII)
_MGRS_METRES_MOST: Final = 1_000

_DISTANCE: Final = re.compile(
    r"(?P<n>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,12}(?:\.\d{1,6})?) ?(?P<u>[A-Za-z]+)?", re.ASCII
)
_UNITS_MM: Final = {
    "mm": Decimal(1), "m": units.MM_PER_METRE, "km": units.MM_PER_KILOMETRE, "nm": units.MM_PER_NAUTICAL_MILE,
    "nmi": units.MM_PER_NAUTICAL_MILE, "mi": units.MM_PER_STATUTE_MILE, "ft": units.MM_PER_FOOT,
}  # fmt: skip
_LEVEL: Final = re.compile(r"F(?:L)? ?(?P<n>\d{1,3})", re.ASCII)
_ALTITUDE: Final = re.compile(
    r"(?P<sign>-?)(?P<n>[\d,.]+) ?(?P<u>ft|feet|m|km) ?(?P<ref>[A-Za-z0-9-]*)", re.ASCII | re.IGNORECASE
)
_REFERENCES: Final = {
    "AMSL": VerticalRef.AMSL, "MSL": VerticalRef.AMSL, "AGL": VerticalRef.AGL,
    "W84": VerticalRef.W84, "WGS84": VerticalRef.W84, "WGS-84": VerticalRef.W84, "HAE": VerticalRef.W84,
    "FL": VerticalRef.FL,
}  # fmt: skip


def parse_point(text: str, *, field: str = "place") -> Point:
    """A place in any of the forms above. Raises BadInput with a sentence that says what to write instead."""
    other = _OTHER_DATUM.search(_WGS84.sub(" ", text))
    if other is not None:
        raise BadInput(f"{text!r} is in {other[0]}; convert it to WGS-84 first, and check it on a map", field=field)
    plain = _unified(text)
    bare = plain.replace(" ", "")
    mgrs = _MGRS.fullmatch(bare)
    if mgrs is not None:
        return _from_mgrs(bare, mgrs["digits"], field)
    compact = _COMPACT.fullmatch(plain)
    if compact is not None:
        return _from_compact(compact, text, field)
    first, second = _two_angles(plain, text, field)
    return _pair(*first, *second, text, field)


def show_decimal(point: Point) -> str:
    """Exact: `36.2N 37.15E`, with as many decimals as the point has (at most nine)."""
    return f"{_decimal(point.lat_ndeg)}{_ns(point)} {_decimal(point.lng_ndeg)}{_ew(point)}"


def show_dms(point: Point, *, decimals: int = 1) -> str:
    """`36°12'00.0"N 037°09'00.0"E`; a tenth of a second is 3 m."""
    lat, lng = _dms(point.lat_ndeg, 2, decimals), _dms(point.lng_ndeg, 3, decimals)
    return "{}°{}'{}\"{} ".format(*lat, _ns(point)) + "{}°{}'{}\"{}".format(*lng, _ew(point))


def show_compact(point: Point) -> str:
    """`361200N0370900E`: whole seconds, 31 m, as in a NOTAM."""
    return "".join(_dms(point.lat_ndeg, 2, 0)) + _ns(point) + "".join(_dms(point.lng_ndeg, 3, 0)) + _ew(point)


def show_mgrs(point: Point, *, digits: int = 10) -> str:
    """`37SCA 33677 07717`: the square that holds the point; 10 digits are a metre, 8 are ten metres."""
    if digits not in (4, 6, 8, 10):
        raise BadInput("an MGRS reference has 4, 6, 8 or 10 digits here", field="place")
    text = str(_geotrans().toMGRS(point.lat, point.lng, MGRSPrecision=digits // 2)).strip()
    head, half = text[:-digits], digits // 2
    return f"{head} {text[-digits:-half]} {text[-half:]}"


def parse_distance(text: str, *, field: str = "distance") -> int:
    """`"10km"`, `"5.4nm"`, `"300 m"`, `"3,000ft"`, `"1 mi"` to millimetres. `nm` is the nautical mile."""
    match = _DISTANCE.fullmatch(text.strip())
    if match is None:
        raise BadInput(f'{field}: {text!r} is not a distance; write it like "10km", "5.4nm" or "3000ft"', field=field)
    unit = match["u"]
    if unit is None:
        raise BadInput(f"{field}: {text!r} has no unit; write m, km, nm, mi or ft after it", field=field)
    if unit == "M":
        raise BadInput(f"{field}: M is a metre to some and a nautical mile to others; write m or nm", field=field)
    if unit.lower() not in _UNITS_MM:
        raise BadInput(f"{field}: {unit!r} is not a unit here; use m, km, nm, mi or ft", field=field)
    return units.whole(Decimal(match["n"].replace(",", "")) * _UNITS_MM[unit.lower()])


def show_distance(mm: int) -> str:
    """Exact, in the largest unit that needs at most one decimal: `10 km`, `5.4 NM`, `300 m`, `0.001 m`."""
    for unit, size in (("km", units.MM_PER_KILOMETRE), ("NM", units.MM_PER_NAUTICAL_MILE)):
        if mm * 10 % int(size) == 0 and abs(mm) >= size:
            return f"{_trimmed(mm / size)} {unit}"
    metres = Decimal(mm) / units.MM_PER_METRE
    return f"{_trimmed(metres)} m"


def parse_altitude(text: str, *, field: str = "altitude") -> Altitude:
    """`"FL300"`, `"5000ft AMSL"`, `"300 m AGL"`, `"1500m W84"`, `"SFC"` or GND, `"UNL"`."""
    plain = " ".join(text.split())
    if plain.upper() in ("SFC", "GND"):
        return Altitude.surface()
    if plain.upper() in ("UNL", "UNLIMITED"):
        return Altitude.unlimited()
    level = _LEVEL.fullmatch(plain.upper())
    if level is not None:
        return Altitude.flight_level(level["n"])
    match = _ALTITUDE.fullmatch(plain)
    how = 'write it like "FL300", "5000ft AMSL", "300 m AGL", "SFC" or "UNL"'
    if match is None:
        raise BadInput(f"{field}: {text!r} is not an altitude; {how}", field=field)
    if not match["ref"]:
        raise BadInput(f"{field}: {text!r} does not say above what; {how}", field=field)
    if match["ref"].upper() not in _REFERENCES:
        raise BadInput(f"{field}: {match['ref']!r} is not a reference for a height; {how}", field=field)
    unit = "ft" if match["u"].lower() == "feet" else match["u"].lower()
    mm = parse_distance(match["n"] + unit, field=field)
    return Altitude(-mm if match["sign"] else mm, _REFERENCES[match["ref"].upper()])


def show_altitude(altitude: Altitude) -> str:
    """Exact, and read back by `parse_altitude`: whole levels, else whole feet, else metres to the millimetre."""
    if altitude.ref in (VerticalRef.SFC, VerticalRef.UNL):
        return altitude.ref.value
    feet = Decimal(altitude.mm) / units.MM_PER_FOOT
    nearest = units.whole(feet)
    is_feet = units.feet(nearest) == altitude.mm
    if altitude.ref is VerticalRef.FL and is_feet and nearest % 100 == 0 and 0 <= nearest < 100_000:
        return f"FL{nearest // 100:03d}"
    if is_feet:
        return f"{nearest} ft {altitude.ref.value}"
    return f"{_trimmed(Decimal(altitude.mm) / units.MM_PER_METRE)} m {altitude.ref.value}"


def _unified(text: str) -> str:
    plain = _WGS84.sub(" ", text).upper()
    for signs, sign in (("º˚", "°"), ("′’‘ʹ", "'"), ("″”“ʺ", '"'), ("−–", "-"), ("\u00a0\u2009\u202f", " ")):
        for other in signs:
            plain = plain.replace(other, sign)
    return " ".join(plain.replace("''", '"').split())


class _Angle:
    """One written angle while it is being read: its numbers, their marks, at most one sign, at most one letter."""

    def __init__(self) -> None:
        self.numbers: list[str] = []
        self.marks: list[str] = []
        self.negative: bool | None = None
        self.letter = ""

    def read(self, text: str, field: str) -> tuple[int, str]:
        """Ndeg without the hemisphere's sign, and the hemisphere letter or nothing."""
        if not 1 <= len(self.numbers) <= 3 or self.marks not in ([], *(list("°'\"")[:n] for n in (1, 2, 3))):
            raise BadInput(f"{text!r} is not a place: {_HOW_POINT}", field=field)
        if len(self.marks) > len(self.numbers):
            raise BadInput(f"{text!r} has a sign for degrees, minutes or seconds without a number", field=field)
        if self.letter and self.negative is not None:
            raise BadInput(f"{text!r} has a sign and a hemisphere letter on one number: use one of them", field=field)
        if any("." in number for number in self.numbers[:-1]):
            raise BadInput(f"{text!r}: only the last part of an angle may have a fraction", field=field)
        degrees, minutes, seconds = (Decimal(n) for n in [*self.numbers, "0", "0"][:3])
        ndeg = _sexagesimal(degrees, minutes, seconds, text, field)
        return (-ndeg if self.negative else ndeg), self.letter


def _two_angles(plain: str, text: str, field: str) -> tuple[tuple[int, str], tuple[int, str]]:
    """Split by the letters, else by a comma, else by the degree signs, else in equal halves; never by guessing."""
    pieces, at = [], 0
    while at < len(plain):
        match = _TOKEN.match(plain, at)
        if match is None:
            raise BadInput(f"{text!r} is not a place: {_HOW_POINT}", field=field)
        at = match.end()
        if match.lastgroup is not None:
            pieces.append((match.lastgroup, match[0]))
    kinds = [kind for kind, _ in pieces]
    letters, splits, numbers = kinds.count("letter"), kinds.count("split"), kinds.count("number")
    degrees = [i for i, (_, piece) in enumerate(pieces) if piece == "°"]
    if letters not in (0, 2) or splits > 1 or numbers < 2:
        problem = "has a hemisphere letter on one number only" if letters == 1 else "is not a place"
        raise BadInput(f"{text!r} {problem}: {_HOW_POINT}", field=field)
    if not letters and plain[0] not in "+-" and re.search(r"[\d'\"°][+-]", plain):
        raise BadInput(f"{text!r}: is that a minus sign or a dash? {_HOW_POINT}", field=field)
    if letters:
        after = kinds.index("letter") + 1
        cut = len(kinds) - kinds[::-1].index("letter") - 1 if kinds[0] == "letter" else after
    elif splits:
        cut = kinds.index("split")
    elif len(degrees) == 2:
        cut = degrees[1] - 1
        cut -= pieces[cut - 1][0] == "sign"
    elif not degrees and numbers % 2 == 0:
        cut = [i for i, kind in enumerate(kinds) if kind == "number"][numbers // 2]
        cut -= pieces[cut - 1][0] == "sign"
    else:
        raise BadInput(f"{text!r} could be divided in two ways: {_HOW_POINT}", field=field)
    return _read_angle(pieces[:cut], bool(letters), text, field), _read_angle(pieces[cut:], bool(letters), text, field)


def _read_angle(pieces: list[tuple[str, str]], lettered: bool, text: str, field: str) -> tuple[int, str]:
    angle = _Angle()
    if any(kind == "letter" for kind, _ in pieces[1:-1]):
        raise BadInput(f"{text!r}: a hemisphere letter comes before or after its number: {_HOW_POINT}", field=field)
    for kind, piece in pieces:
        if kind == "number":
            angle.numbers.append(piece)
        elif kind == "mark":
            if len(angle.marks) + 1 != len(angle.numbers):
                raise BadInput(f"{text!r} is not a place: {_HOW_POINT}", field=field)
            angle.marks.append(piece)
        elif kind == "letter":
            if angle.letter:
                raise BadInput(f"{text!r} has two hemisphere letters on one number: {_HOW_POINT}", field=field)
            angle.letter = piece
        elif kind == "sign":
            if not angle.numbers:
                if angle.negative is not None:
                    raise BadInput(f"{text!r} is not a place: {_HOW_POINT}", field=field)
                angle.negative = piece == "-"
            elif piece == "+" or not lettered:
                # 36-12-00N is a dash between parts; without a letter 36.2-37.15 might be a minus sign.
                raise BadInput(f"{text!r} has a sign inside a number: {_HOW_POINT}", field=field)
    return angle.read(text, field)


def _from_compact(match: re.Match[str], text: str, field: str) -> Point:
    for which in "ab":
        if (match[which + "pre"] is None) == (match[which + "post"] is None):
            raise BadInput(f"{text!r} needs one hemisphere letter on each number: {_HOW_POINT}", field=field)
    lat = _compact(match["a"], match["af"], 2, text, field)
    lng = _compact(match["b"], match["bf"], 3, text, field)
    return _pair(lat, match["apre"] or match["apost"], lng, match["bpre"] or match["bpost"], text, field)


def _compact(digits: str, fraction: str | None, width: int, text: str, field: str) -> int:
    degrees, rest = digits[:width], digits[width:]
    minutes, seconds = Decimal(rest[:2]), Decimal(rest[2:] or 0)
    if fraction is not None and rest[2:]:
        seconds += Decimal("0" + fraction)
    elif fraction is not None:
        minutes += Decimal("0" + fraction)
    return _sexagesimal(Decimal(degrees), minutes, seconds, text, field)


def _sexagesimal(degrees: Decimal, minutes: Decimal, seconds: Decimal, text: str, field: str) -> int:
    if minutes >= 60 or seconds >= 60:
        raise BadInput(f"{text!r}: minutes and seconds are less than 60", field=field)
    return units.whole((degrees + minutes / 60 + seconds / 3600) * NDEG_PER_DEGREE)


def _pair(first: int, first_letter: str, second: int, second_letter: str, text: str, field: str) -> Point:
    letters = first_letter + second_letter
    if len(letters) == 1:
        raise BadInput(f"{text!r} has a hemisphere letter on one number only: {_HOW_POINT}", field=field)
    if letters and (first_letter in "NS") == (second_letter in "NS"):
        raise BadInput(f"{text!r} needs one of N and S, and one of E and W: {_HOW_POINT}", field=field)
    if first_letter in ("S", "W"):
        first = -first
    if second_letter in ("S", "W"):
        second = -second
    if letters and first_letter in "EW":
        first, second = second, first
    limit = 90 * NDEG_PER_DEGREE
    if not letters and abs(first) > limit >= abs(second):
        raise BadInput(f"{text!r}: the first number cannot be a latitude; latitude comes first, swap them", field=field)
    return Point(first, second)


def _from_mgrs(bare: str, digits: str, field: str) -> Point:
    if len(digits) % 2:
        raise BadInput(f"{bare!r} has an odd number of digits: a digit of the grid reference is missing", field=field)
    half = len(digits) // 2
    if not 2 <= half <= 5:
        raise BadInput(f"{bare!r} names a square, not a place: give 4 to 10 digits", field=field)
    zone = bare[: -len(digits) - 2]
    if half < 5:  # the middle of the square, not its south-west corner
        bare = bare[: -len(digits)] + digits[:half] + "5" + digits[half:] + "5"
    try:
        lat, lng = _geotrans().toLatLon(bare.encode())
    except Exception as error:  # GEOTRANS has one class of its own, behind a C boundary
        raise BadInput(f"{bare!r} is not a grid square that exists: read it again ({error})", field=field) from None
    point = Point.at(round(lat, 9), round(lng, 9))
    if not _square_is_in_zone(zone, point, 10 ** (5 - half)):
        raise BadInput(f"{bare!r} is not a grid square that exists: its letters do not belong together", field=field)
    return point


def _square_is_in_zone(zone: str, point: Point, metres: int) -> bool:
    """Whether the point, or one a square's width from it, lies in the zone and band that its reference names.

    GEOTRANS follows letters that do not occur in a zone far into the next one: a misheard letter must not pass.
    """
    north = metres / 111_000
    east = min(north / max(math.cos(math.radians(point.lat)), 1e-9), 360.0)
    for dlat in (0.0, -north, north):
        for dlng in (0.0, -east, east):
            lat = max(-90.0, min(90.0, point.lat + dlat))
            lng = (point.lng + dlng + 180.0) % 360.0 - 180.0
            if str(_geotrans().toMGRS(lat, lng, MGRSPrecision=0)).strip()[:-2].lstrip("0") == zone.lstrip("0"):
                return True
    return False


def _geotrans() -> Any:
    import mgrs

    return mgrs.MGRS()


def _dms(ndeg: int, width: int, decimals: int) -> tuple[str, str, str]:
    scale = 10**decimals
    total = units.whole(Decimal(abs(ndeg)) * 3600 * scale / NDEG_PER_DEGREE)
    minutes, part = divmod(total, 60 * scale)
    seconds = f"{part // scale:02d}" + (f".{part % scale:0{decimals}d}" if decimals else "")
    return f"{minutes // 60:0{width}d}", f"{minutes % 60:02d}", seconds


def _decimal(ndeg: int) -> str:
    return _trimmed(Decimal(abs(ndeg)) / NDEG_PER_DEGREE)


def _trimmed(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _ns(point: Point) -> str:
    return "S" if point.lat_ndeg < 0 else "N"


def _ew(point: Point) -> str:
    return "W" if point.lng_ndeg < 0 else "E"
