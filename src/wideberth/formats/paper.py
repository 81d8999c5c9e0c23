# SPDX-License-Identifier: Apache-2.0
"""One notice on paper: a script for the telephone, a printed form, an e-mail (domain.md B13, N2).

For the day when the peer has no node, or the line is down. All three say the same and carry the scope text, and that
an answer records receipt only. `content_check` is a short number over the content: whoever keys the form in again, or
takes it down by telephone, gets the same number only if every field is the same. `read_form` keys a printed form in
again.

    paper = Sheet(terms, ref="BLU-0042-M", version=1, mechanism="BLUE-GREEN", mode=Mode.REAL, sender="BLUE", given_ms=…)
    phone_script(paper), printed_form(paper), email(paper)
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

from wideberth.core.say import arcs, codes, coordinates, instant, reference
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.core.say.words import RECEIPT_ONLY, SCOPE, Hazard, NoticeType, Onward, Precedence, Priority, Scale, Terms
from wideberth.errors import BadInput
from wideberth.formats import paper_protect

Step = Literal["NOTICE", "AMENDMENT", "CORRECTION", "EXTENSION", "CANCELLATION"]

# Eight digits: a slip that changes the content keeps its number once in 100,000,000 times.
CHECK_DIGITS: Final = 8

_STEPS: Final[dict[str, str]] = {
    "NOTICE": "a safety notice",
    "AMENDMENT": "an amendment of a safety notice",
    "CORRECTION": "a correction of a safety notice: what was said before was wrong",
    "EXTENSION": "an extension of a safety notice",
    "CANCELLATION": "the cancellation of a safety notice: it no longer applies",
}
_REFERENCES: Final = {
    VerticalRef.AMSL: "above mean sea level", VerticalRef.AGL: "above ground",
    VerticalRef.W84: "above the WGS 84 ellipsoid", VerticalRef.FL: "of pressure altitude",
}  # fmt: skip
_UNITS: Final = {"km": "kilometres", "NM": "nautical miles", "m": "metres", "ft": "feet"}
_HEMISPHERES: Final = {"N": "north", "S": "south", "E": "east", "W": "west"}


class Sheet(msgspec.Struct, frozen=True):
    """Everything that the papers say. `ref` is the canonical reference; `given_ms` is when it was given; `entry`: the
    hash of the version's entry, for the check codes (empty: without them)."""

    terms: Terms
    ref: str
    version: int
    mechanism: str
    mode: Mode
    sender: str
    given_ms: int
    step: Step = "NOTICE"
    entry: str = ""
    # How far a copy may travel (J2), and what stands over a notice that is outside the agreement: whole sentences.
    release: str = ""
    outside: str = ""


class Email(msgspec.Struct, frozen=True):
    subject: str
    text: str


def content_check(terms: Terms) -> str:
    """Eight digits, as `"4821 0937"`: SHA-256 of the sorted compact JSON of the terms, modulo 10**8.

    Spaces and line ends inside texts are first made single spaces, because nobody can hear or type them reliably; any
    other change of any field changes the number. It finds slips of people. It is no signature: who wants to can find
    another notice with the same number.
    """
    digest = hashlib.sha256(msgspec.json.encode(_heard(terms), order="sorted")).digest()
    digits = f"{int.from_bytes(digest) % 10**CHECK_DIGITS:0{CHECK_DIGITS}d}"
    return f"{digits[:4]} {digits[4:]}"


def phone_script(sheet: Sheet) -> str:
    """Short numbered sentences to read aloud; references spelled, numbers digit by digit."""
    terms, said = _heard(sheet.terms), []
    if sheet.mode is not Mode.REAL:
        said.append(f"{sheet.mode}, {sheet.mode}, {sheet.mode}. This is not real.")
    said += [
        f"This is {sheet.sender}, on the {sheet.mechanism} safety line, with {_STEPS[sheet.step]}.",
        *([f"Please note: it is {sheet.outside}."] if sheet.outside else []),
        *([sheet.release] if sheet.release else []),
        "Please write this down.",
        f"Reference {sheet.ref}. I spell: {reference.spell(sheet.ref)}. Version {_digits(str(sheet.version))}.",
        f"Precedence {terms.precedence.lower()}. Priority {terms.priority.lower()}.",
        f"Kind: {_plain(terms.type)}. Danger to others: {_plain(terms.hazard)}.",
    ]
    if terms.scale is not None:
        said.append(f"How many at once: {_plain(terms.scale)}.")
    if terms.covers:
        said.append(f"About the presence of: {', '.join(terms.covers)}.")
    if terms.place_name:
        said.append(f"Near {terms.place_name}. The name is not the place; the numbers are.")
    many = len(terms.volumes)
    for n, volume in enumerate(terms.volumes, 1):
        if many > 1:
            said.append(f"Volume {_digits(str(n))} of {_digits(str(many))}.")
        said += _spoken_shape(volume.shape)
        said.append(f"Height: from {_spoken_altitude(volume.lower)} to {_spoken_altitude(volume.upper)}.")
        said.append(f"From {_spoken_time(volume.start_ms)}.")
        said.append(f"To {_spoken_time(volume.end_ms)}.")
    said.append(f"It expires at {_spoken_time(terms.expires_ms)}.")
    if terms.protected is not None:
        said += paper_protect.spoken(terms.protected)
    if terms.text:
        said.append(f"Remark: {terms.text}")
    said += [
        f"To reach us: {terms.contact}",
        f"Check number: {_digits(content_check(terms))}.",
        "Please read back the place and the times in your own form, and the check number.",
        "Please give me your name or post, and the time on your clock.",
    ]
    if sheet.entry:
        said.append(
            f"If you have this notice before you: its check code is {_digits(codes.challenge(sheet.entry))}. "
            "Please give me the response code that stands beside it."
        )
    said += [f"Your answer: {RECEIPT_ONLY}", *filter(None, [terms.standing_text]), SCOPE]
    script = "\n".join(f"{n}. {_ended(sentence)}" for n, sentence in enumerate(said, 1)) + "\n"
    if not sheet.entry:
        return script
    response = codes.response(sheet.entry)
    return script + (
        f"\nNOT TO BE READ ALOUD. Who has this notice answers {response}: {_digits(response)}.\n"
        f"Log what you heard: voice --code ... --ref {_single_spaced(sheet.ref)}\n"
    )


def printed_form(sheet: Sheet) -> str:
    """A form in plain text, at most one thing a line, exact enough to be keyed in again (`read_form`)."""
    banner = [f"*** {sheet.mode} *** {sheet.mode} *** {sheet.mode} *** THIS IS NOT REAL ***", ""]
    lines = [
        *(banner if sheet.mode is not Mode.REAL else []),
        f"DECONFLICTION {sheet.step}   {_single_spaced(sheet.ref)}   VERSION {sheet.version}",
        "",
        *_row("MECHANISM", sheet.mechanism),
        *_row("FROM", sheet.sender),
        *_row("MODE", sheet.mode.value),
        *_row("GIVEN", instant.show(sheet.given_ms)),
        *(_row("NOTE", sheet.outside) if sheet.outside else []),
        *(_row("RELEASE", sheet.release) if sheet.release else []),
        *_rows_of(_heard(sheet.terms)),
        *_row("CHECK NUMBER", content_check(sheet.terms)),
        *_codes(sheet),
        "",
        "ANSWER   read back by: ____________________   at (UTC): ____________________",
        "         check number heard: ____ ____         " + RECEIPT_ONLY,
        "",
        *([sheet.terms.standing_text, ""] if sheet.terms.standing_text else []),
        SCOPE,
        *(["", banner[0]] if sheet.mode is not Mode.REAL else []),
    ]
    return "\n".join(lines) + "\n"


def email(sheet: Sheet) -> Email:
    """Subject and plain text. The subject says whether it is real, how urgent, which, and from when."""
    mode = "" if sheet.mode is Mode.REAL else f"[{sheet.mode}, NOT REAL] "
    precedence, start = sheet.terms.precedence.value, instant.show(sheet.terms.starts_ms)
    subject = f"{mode}{precedence} {sheet.step} {sheet.ref} version {sheet.version} from {start}"
    ask = (
        "Please answer with the place and the times in your own form, and the check number. "
        f"An answer is an acknowledgement: {RECEIPT_ONLY}\n\n"
    )
    return Email(_single_spaced(subject), ask + printed_form(sheet))


def read_form(text: str) -> Terms:
    """The terms that a printed form states, texts with single spaces. Raises BadInput when a line is missing or
    unreadable, or when the check number on the form is not that of the content."""
    terms, stated = keyed_form(text)
    if content_check(terms) != stated:
        raise BadInput(
            f"the check number is {content_check(terms)}, and the form says {stated or 'none'}: something was "
            "changed or mistyped; compare line by line",
            field="CHECK NUMBER",
        )
    return terms


def keyed_form(text: str) -> tuple[Terms, str]:
    """The terms as they were keyed in, and the check number that the form states; empty where it was left out, to be
    compared by voice. Raises BadInput when a line is missing or unreadable."""
    rows = [(label.strip(), value.strip()) for label, colon, value in
            (line.partition(":") for line in text.splitlines()) if colon]  # fmt: skip
    volumes: list[dict[str, list[str]]] = []
    single: dict[str, str] = {}
    protected: dict[str, list[str]] = {}
    for label, value in rows:
        if label == "VOLUME":
            volumes.append({})
        elif label in _OF_A_VOLUME:
            if not volumes:
                raise BadInput(f"{label} stands before any VOLUME on the form", field=label)
            volumes[-1].setdefault(label, []).append(value)
        elif label in paper_protect.LABELS:
            protected.setdefault(label, []).append(value)
        elif label in _OF_THE_WHOLE:
            if label in single:
                raise BadInput(f"{label} stands twice on the form", field=label)
            single[label] = value
    for label in _OF_THE_WHOLE:
        if label not in single and label not in _OPTIONAL:
            raise BadInput(f"{label} is missing on the form", field=label)
    try:
        terms = Terms(
            type=NoticeType(single["KIND"]), hazard=Hazard(single["HAZARD"]), contact=single["CONTACT"],
            volumes=tuple(_keyed_volume(v) for v in volumes),
            expires_ms=instant.parse(single["EXPIRES"], field="expires"),
            precedence=Precedence(single["PRECEDENCE"]), priority=Priority(single["PRIORITY"]),
            place_name=single.get("PLACE NAME", ""), text=single.get("REMARK", ""),
            covers=tuple(filter(None, (name.strip() for name in single.get("COVERS", "").split(";")))),
            release=Onward(single["ONWARD"]) if "ONWARD" in single else None,
            scale=Scale(single["SCALE"]) if "SCALE" in single else None,
            protected=paper_protect.keyed(protected),
        )  # fmt: skip
    except BadInput:
        raise
    except ValueError as error:
        raise BadInput(f"the form has a word that is not in its list: {error}", field="form") from None
    return terms, single.get("CHECK NUMBER", "")


_OF_A_VOLUME: Final = ("CIRCLE", "POLYGON", "CORRIDOR", "CENTRE", "CORNER", "WAYPOINT", "FLOOR", "TOP", "START", "END")
_OF_THE_WHOLE: Final = (
    "KIND", "HAZARD", "PRECEDENCE", "PRIORITY", "SCALE", "COVERS", "ONWARD", "PLACE NAME", "EXPIRES", "REMARK",
    "CONTACT", "CHECK NUMBER",
)  # fmt: skip
_OPTIONAL: Final = ("CHECK NUMBER", "SCALE", "COVERS", "ONWARD", "PLACE NAME", "REMARK")


def _rows_of(terms: Terms) -> list[str]:
    rows = [
        *_row("KIND", terms.type.value),
        *_row("HAZARD", terms.hazard.value),
        *_row("PRECEDENCE", terms.precedence.value),
        *_row("PRIORITY", terms.priority.value),
        *(_row("SCALE", terms.scale.value) if terms.scale is not None else []),
        *(_row("COVERS", "; ".join(terms.covers)) if terms.covers else []),
        *(_row("ONWARD", terms.release.value) if terms.release is not None else []),
        *(_row("PLACE NAME", terms.place_name) if terms.place_name else []),
    ]
    for n, volume in enumerate(terms.volumes, 1):
        rows += ["", *_row("VOLUME", f"{n} of {len(terms.volumes)}"), *_shape_rows(volume.shape)]
        rows += _row("FLOOR", coordinates.show_altitude(volume.lower))
        rows += _row("TOP", coordinates.show_altitude(volume.upper))
        rows += _row("START", instant.show(volume.start_ms)) + _row("END", instant.show(volume.end_ms))
    rows += ["", *_row("EXPIRES", instant.show(terms.expires_ms)), *_row("CONTACT", terms.contact)]
    if terms.protected is not None:
        rows += [row for label, value in paper_protect.rows(terms.protected) for row in _row(label, value)]
    return rows + (_row("REMARK", terms.text) if terms.text else [])


def _shape_rows(shape: Shape) -> list[str]:
    if isinstance(shape, Circle):
        radius = coordinates.show_distance(shape.radius_mm)
        return _row("CIRCLE", f"radius {radius}") + _place_row("CENTRE", shape.centre)
    if isinstance(shape, Polygon):
        rows = _row("POLYGON", f"{len(shape.corners)} corners, joined by shortest ways")
        return rows + [row for p in shape.corners for row in _place_row("CORNER", p)]
    width = coordinates.show_distance(shape.half_width_mm)
    rows = _row("CORRIDOR", f"half width {width} either side of {len(shape.route)} waypoints")
    return rows + [row for p in shape.route for row in _place_row("WAYPOINT", p)]


def _codes(sheet: Sheet) -> list[str]:
    """What a caller reads out, and what whoever has this paper answers (say/codes.py)."""
    if not sheet.entry:
        return []
    return _row("CHECK CODE", codes.challenge(sheet.entry)) + _row("RESPONSE", codes.response(sheet.entry))


def _place_row(label: str, point: Point) -> list[str]:
    """Exact decimals, and degrees with minutes and seconds for the eye."""
    return _row(label, f"{coordinates.show_decimal(point)}   = {coordinates.show_dms(point)}")


def _row(label: str, value: str) -> list[str]:
    return [f"{label + ':':<14}{_single_spaced(value)}"]


def _keyed_volume(rows: dict[str, list[str]]) -> Volume4D:
    def one(label: str) -> str:
        values = rows.get(label, [])
        if len(values) != 1:
            raise BadInput(f"a volume on the form needs {label} once, not {len(values)} times", field=label)
        return values[0]

    def places(label: str) -> tuple[Point, ...]:
        return tuple(coordinates.parse_point(value.partition("=")[0], field=label) for value in rows.get(label, []))

    shape: Shape
    if "CIRCLE" in rows:
        (centre, *more) = places("CENTRE") or (None,)
        if centre is None or more:
            raise BadInput("a circle on the form needs CENTRE once", field="CENTRE")
        shape = Circle(centre, coordinates.parse_distance(one("CIRCLE").removeprefix("radius ")))
    elif "POLYGON" in rows:
        shape = Polygon(places("CORNER"))
    elif "CORRIDOR" in rows:
        width = one("CORRIDOR").removeprefix("half width ").partition(" either")[0]
        shape = Corridor(places("WAYPOINT"), coordinates.parse_distance(width))
    else:
        raise BadInput("a volume on the form needs CIRCLE, POLYGON or CORRIDOR", field="VOLUME")
    floor, top = coordinates.parse_altitude(one("FLOOR")), coordinates.parse_altitude(one("TOP"))
    return Volume4D(shape, floor, top, instant.parse(one("START")), instant.parse(one("END")))


def _spoken_shape(shape: Shape) -> list[str]:
    if isinstance(shape, Circle):
        return [
            f"A circle. Radius: {_spoken_distance(shape.radius_mm)}.",
            f"Its centre: {_spoken_point(shape.centre)}.",
        ]
    if isinstance(shape, Polygon) and (part := arcs.sector_of(shape)) is not None:
        # Twenty corners are not heard right; what they were drawn from is, and whoever draws it again has them all.
        first, last = (_digits(f"{bearing:03d}") for bearing in (part.first, part.last))
        return [
            f"A sector: the part of a circle from {first} clockwise to {last}, true bearings from its centre.",
            f"Radius: {_spoken_distance(part.radius_mm)}.",
            f"Its centre: {_spoken_point(part.centre)}.",
        ]
    points, what = (shape.corners, "Corner") if isinstance(shape, Polygon) else (shape.route, "Waypoint")
    count = _digits(str(len(points)))
    if isinstance(shape, Polygon):
        said = [f"An area with {count} corners."]
    else:
        said = [f"A corridor, {_spoken_distance(shape.half_width_mm)} to either side of {count} waypoints."]
    return said + [f"{what} {_digits(str(n))}: {_spoken_point(p)}." for n, p in enumerate(points, 1)]


def _spoken_point(point: Point) -> str:
    lat, lng = coordinates.show_decimal(point).split(" ")
    north, east = (f"{_digits(text[:-1])} degrees {_HEMISPHERES[text[-1]]}" for text in (lat, lng))
    return f"{north}, {east}"


def _spoken_distance(mm: int) -> str:
    number, unit = coordinates.show_distance(mm).split(" ")
    return f"{_digits(number)} {_UNITS[unit]}"


def _spoken_altitude(altitude: Altitude) -> str:
    if altitude.ref is VerticalRef.SFC:
        return "the surface"
    if altitude.ref is VerticalRef.UNL:
        return "unlimited"
    text = coordinates.show_altitude(altitude)
    if text.startswith("FL"):
        return f"flight level {_digits(text[2:])}"
    number, unit, _ = text.split(" ")
    sign = "minus " if number.startswith("-") else ""
    return f"{sign}{_digits(number.lstrip('-'))} {_UNITS[unit]} {_REFERENCES[altitude.ref]}"


def _spoken_time(t_ms: int) -> str:
    text = instant.show(t_ms)
    if t_ms > instant.LAST_MS:
        return text
    date, _, clock = text.removesuffix("Z").partition("T")
    year, month, day = date.split("-")
    hour, minute, second = clock.split(":")
    seconds = "" if second == "00" else f" and {_digits(second)} seconds"
    return (
        f"{_digits(hour)} {_digits(minute)}{seconds} U T C, on day {_digits(day)}, month {_digits(month)}, "
        f"year {_digits(year)}"
    )


def _digits(text: str) -> str:
    return reference.spell(text)


def _plain(word: NoticeType | Hazard | Scale) -> str:
    return word.value.replace("_", " ").lower()


def _heard(terms: Terms) -> Terms:
    """The terms with texts as people can repeat them. It also keeps a text from adding lines to the form."""
    texts = {name: _single_spaced(getattr(terms, name)) for name in ("contact", "place_name", "text")}
    covers = tuple(_single_spaced(name.replace(";", ",")) for name in terms.covers)
    protected = paper_protect.heard(terms.protected) if terms.protected is not None else None
    return msgspec.structs.replace(terms, covers=covers, protected=protected, **texts)


def _single_spaced(text: str) -> str:
    return " ".join(text.split())


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else sentence + "."
