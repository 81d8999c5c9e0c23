# SPDX-License-Identifier: Apache-2.0
"""Answers to the other side's notices. Every one of them is a report about receipt; none gives or asks for leave."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from wideberth.cli.options import show_utc_first, time_ms
from wideberth.cli.session import here
from wideberth.cli.verbs import verb

Ref = Annotated[str, typer.Argument(help="The notice's reference, such as BLU-0001-E.", show_default=False)]
Of = Annotated[str, typer.Option("--of", help="The hash of the exact version meant; default: the newest shown here.")]
Text = Annotated[str, typer.Option("--text", help="A few words; recorded, with no other effect.")]

# As the score of a notice names them (core/say/complete.py); a test compares.
_FIELDS: Final = (
    "A field that is not usable: area, extent, vertical, start, end, contact, hazard, scale, kind; repeat for more."
)


def add_to(app: typer.Typer) -> None:
    """Add the answers to the top of the command line."""
    for name, function in (
        ("ack", ack), ("readback", readback), ("insufficient", insufficient),
        ("object", object_), ("refuse", refuse), ("relay", relay),
    ):  # fmt: skip
        verb(app, name)(function)


def ack(ref: Ref, of: Of = "") -> None:
    """A person has this notice. This records receipt only."""
    _answer("ack", ref, of)


def readback(
    ref: Ref,
    point: Annotated[
        str,
        typer.Option(
            "--point",
            help='The middle of the first volume, as you read it: degrees, DMS, MGRS, or "045/12nm from Cape Amal".',
        ),
    ],
    start: Annotated[str, typer.Option("--from", help="When it begins, as you read it.")] = "",
    end: Annotated[str, typer.Option("--until", help="When it ends, as you read it.")] = "",
    of: Of = "",
) -> None:
    """Repeat place and time in your own words; both ends compare."""
    from wideberth.cli import show
    from wideberth.cli.exits import FOUND
    from wideberth.core.limits import AS_READ_CHARS_MAX
    from wideberth.core.say import bearing

    relative = bearing.is_relative(point)
    if not relative:
        place = bearing.parse_place(point, field="point")
    show_utc_first(start, end)
    view = here().client().get(f"/v1/notices/{ref}", line=here().line)
    if relative:
        place = bearing.parse_place(point, _gazetteer(view["ch"]), field="point")
    terms = next((v["terms"] for v in reversed(view["versions"]) if v["terms"] and of in ("", v["entry"])), None)
    if terms is None:
        from wideberth.errors import BadInput

        raise BadInput(f"{view['ref']} has no place to read back; acknowledge it with `ack`", field="ref")
    now_ms = view["at_ms"]
    given = (min(v["start_ms"] for v in terms["volumes"]), max(v["end_ms"] for v in terms["volumes"]))
    # The day of a bare clock time is the notice's, which is what the reader has before them.
    from_ms = _read(start, "from", now_ms, given[0]) if start else given[0]
    until_ms = _read(end, "until", now_ms, given[1]) if end else given[1]
    times = f"{start or 'begin'} to {end or 'end'}" if start or end else "times"
    missing = "" if start and end else " (what is not a number was not read back)"
    said = here().say(
        "readback",
        ref=view["ref"],
        as_read=f"{point}, {times}{missing}"[:AS_READ_CHARS_MAX],
        point=[place.lat_ndeg, place.lng_ndeg],
        start_ms=from_ms,
        end_ms=until_ms,
        of=of,
    )
    show.result(said, lambda answer: _compared(answer, terms, place, (from_ms, until_ms)))
    if said["facts"].get("step") == "MISMATCH":
        raise typer.Exit(FOUND)


def insufficient(
    ref: Ref,
    field: Annotated[
        list[str],
        typer.Option(
            "--field",
            help=_FIELDS,
        ),
    ],
    text: Text = "",
    of: Of = "",
) -> None:
    """Received, but not usable as given; names the fields. The sender's clock keeps running."""
    _answer("insufficient", ref, of, fields=field, text=text)


def object_(ref: Ref, text: Annotated[str, typer.Option("--text", help="What you object to.")], of: Of = "") -> None:
    """Record that you disagree. It has no effect on the notice."""
    _answer("objection", ref, of, text=text)


def refuse(ref: Ref, text: Text = "", of: Of = "") -> None:
    """Record that your side would not take it."""
    _answer("refused", ref, of, text=text)


def relay(
    ref: Ref,
    unit: Annotated[str, typer.Argument(help="An own unit that has it; this stays at home.", show_default=False)] = "",
    by_voice: Annotated[bool, typer.Option("--by-voice", help="An officer told it to the unit by voice.")] = False,
    count: Annotated[str, typer.Option("--count", help="Tell the other side how many of how many: 3/4.")] = "",
    person: Annotated[str, typer.Option("--person", help="Who enters it; default: who speaks with the post.")] = "",
    of: Of = "",
) -> None:
    """Enter that an own unit has it, which stays at home; or tell the other side how many of your units have it."""
    from wideberth.cli import desk, show
    from wideberth.errors import BadInput

    if bool(unit) == bool(count):
        raise BadInput("name a unit that has it, or give --count such as 3/4 for the other side", field="count")
    if unit:
        body = {"ref": ref, "unit": unit, "person": person, "by": "" if person else here().by()}
        how = "VOICE" if by_voice else "UNIT"
        show.result(here().client().post("/v1/desk/relay", {**body, "how": how}), desk.relayed)
        return
    relayed, slash, units = count.partition("/")
    if not (slash and relayed.isascii() and relayed.isdecimal() and units.isascii() and units.isdecimal()):
        raise BadInput(f"give how many of how many, such as 3/4, not {count!r}", field="count")
    _answer("relay", ref, of, relayed=int(relayed), units=int(units))


def _answer(command: str, ref: str, of: str, **fields: Any) -> None:
    from wideberth.cli import show

    show.result(here().say(command, ref=ref, of=of, **fields), show.said)


def _gazetteer(ch: str) -> list[Any]:
    """The names of places of the agreement in force on a line."""
    import msgspec

    from wideberth.core.say.rules import NamedPlace

    return msgspec.convert(here().client().get("/v1/places", line=ch), list[NamedPlace])


def _read(text: str, field: str, now_ms: int, near_ms: int) -> int:
    """A time as read back. `10:00Z` is taken on the day on which it is nearest to what the notice says."""
    half_day_ms = 43_200_000
    from wideberth.web.drafts import time_of

    if len(text.strip()) <= 6 and text.strip().upper().endswith("Z"):
        return time_of(text, now_ms=now_ms, field=field, after_ms=near_ms - half_day_ms)
    return time_ms(text, field=field, now_ms=now_ms)


def _compared(answer: dict[str, Any], terms: dict[str, Any], place: Any, times: tuple[int, int]) -> None:
    import msgspec

    from wideberth.cli import show
    from wideberth.core.say.coordinates import show_decimal
    from wideberth.core.say.geodesy import middle
    from wideberth.core.say.instant import show_span
    from wideberth.core.say.volume import Shape

    facts = answer["facts"]
    shape: Any = msgspec.convert(terms["volumes"][0]["shape"], Shape)
    starts = min(v["start_ms"] for v in terms["volumes"])
    ends = max(v["end_ms"] for v in terms["volumes"])
    off, within = facts.get("off_mm", 0), facts.get("tolerance_mm", 0)
    show.table(
        ("", "as given", "as read back", "difference", "allowed for"),
        [
            ("place", show_decimal(middle(shape)), show_decimal(place), show.length(off), show.length(within)),
            ("from", show.utc(starts), show.utc(times[0]), show_span(times[0] - starts),
             show_span(facts.get("tolerance_ms", 0))),
            ("until", show.utc(ends), show.utc(times[1]), show_span(times[1] - ends),
             show_span(facts.get("tolerance_ms", 0))),
        ],
    )  # fmt: skip
    if sentence := facts.get("sentence"):
        show.say(sentence, style="bold red" if facts.get("step") == "MISMATCH" else "")
    show.said(answer)
