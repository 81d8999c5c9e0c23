# SPDX-License-Identifier: Apache-2.0
"""Who is asked to move (domain.md Q3 as amended): the same answer at both ends, always exactly one of the two; and that
neither filing early, nor filing everything, nor a wrong clock, nor filing again buys anything."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pair import RULES, Keys, agreement_of
from wideberth.core.call.board import Board
from wideberth.core.call.fault import NotUnderstood
from wideberth.core.call.moves import Moves, moves
from wideberth.core.say.claim import KM2_H, ONE, area_mm2, claimed, sine
from wideberth.core.say.geodesy import area_m2
from wideberth.core.say.place import Altitude
from wideberth.core.say.rules import Rules, WhoMoves
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.core.say.words import Amendment, Hazard, Notice, NoticeType, Place, Priority, Terms
from wideberth.core.seal.agreement import Versions, parse_agreement
from wideberth.core.seal.entry import Header
from wideberth.core.seal.envelope import AGREEMENT, read

NOON = 1_900_000_800_000 // 86_400_000 * 86_400_000 + 43_200_000
HOUR = 3_600_000
DAY = 24 * HOUR


def versions(rules: Rules) -> Versions:
    envelope, _ = agreement_of(Keys("BLUE"), Keys("GREEN"), rules=rules)
    return Versions(parse_agreement(read(envelope, AGREEMENT)[1]))


class Filing(msgspec.Struct, frozen=True):
    """One version of a notice: when its author says that it was given, and whether it held all of the other side's."""

    author: str
    t_ms: int
    km: int = 10
    hours: int = 1
    priority: Priority = Priority.ROUTINE
    type: NoticeType = NoticeType.AREA_ACTIVITY
    saw: bool = False
    from_ms: int = NOON


def terms(filing: Filing) -> Terms:
    end_ms = filing.from_ms + filing.hours * HOUR
    volume = Volume4D(
        Circle.at(lat=36, lng=35, radius_km=filing.km), Altitude.surface(), Altitude.unlimited(), filing.from_ms, end_ms
    )  # fmt: skip
    return Terms(filing.type, Hazard.CREWED_AIRCRAFT, "watch", (volume,), end_ms, priority=filing.priority)


def filed(filings: list[Filing], rules: Rules, us: str, *, swapped: bool, salt: str = "") -> Moves:
    """What one end works out. Strands fold one after the other; `swapped`: GREEN's first, as it came."""
    book = versions(rules)
    board = Board("c", book, us)
    entries: dict[str, list[tuple[Header, str, Any]]] = {"BLUE": [], "GREEN": []}
    for filing in filings:
        strand = entries[filing.author]
        other = entries["GREEN" if filing.author == "BLUE" else "BLUE"]
        seq = len(strand) + 1
        entry = hashlib.sha256(f"{salt}{filing.author}{seq}".encode()).hexdigest()
        seen = {last[0].sender: Place("e", last[0].seq, last[1]) for last in other[-1:]} if filing.saw else {}
        header = Header(**{
            **dict.fromkeys(Header.__struct_fields__), "sender": filing.author, "by": f"{filing.author}/watch-1",
            "t_ms": filing.t_ms, "seq": seq, "epoch": "e", "ch": "c", "agr": book.hash, "seen": seen,
        })  # fmt: skip
        ref = f"{filing.author[:3]}-0001"
        what: Any = Notice(ref, terms(filing))
        if strand:
            what = Amendment(ref, strand[-1][1], seq, terms(filing))
        strand.append((header, entry, what))
    for author in ("GREEN", "BLUE") if swapped else ("BLUE", "GREEN"):
        for header, entry, what in entries[author]:
            with suppress(NotUnderstood):  # an amendment that is none has no effect, at either end
                board.apply(header, entry, what, 0)
    one, other_ = (board.threads[author, f"{author[:3]}-0001"] for author in ("BLUE", "GREEN"))
    return moves(board.dialogue.of((one, one.newest), (other_, other_.newest)), board)


def asked(*filings: Filing, rules: Rules = RULES, salt: str = "") -> tuple[str, str]:
    """Who moves, and by which step; seen to be the same at both ends."""
    ends = [filed(list(filings), rules, us, swapped=us == "GREEN", salt=salt) for us in ("BLUE", "GREEN")]
    assert ends[0] == ends[1]
    return ends[0].author, ends[0].by.value


EARLY, LATE = NOON - 10 * HOUR, NOON - 2 * HOUR


def test_the_lower_priority_is_asked_whoever_filed_first() -> None:
    blue, green = Filing("BLUE", EARLY), Filing("GREEN", LATE, priority=Priority.MEDICAL)
    assert asked(blue, green) == ("BLUE", "PRIORITY")
    assert asked(msgspec.structs.replace(blue, priority=Priority.DISTRESS), green) == ("GREEN", "PRIORITY")
    in_distress = msgspec.structs.replace(blue, type=NoticeType.DISTRESS)
    assert asked(in_distress, green) == ("GREEN", "PRIORITY"), "whatever class was filled in"


def test_of_equals_the_later_one_is_asked() -> None:
    assert asked(Filing("BLUE", EARLY), Filing("GREEN", LATE)) == ("GREEN", "FILED_FIRST")
    assert asked(Filing("BLUE", LATE), Filing("GREEN", EARLY)) == ("BLUE", "FILED_FIRST")


def test_to_file_from_before_the_horizon_buys_nothing() -> None:
    horizon = RULES.horizon_ms
    ages = asked(Filing("BLUE", NOON - horizon - 300 * DAY), Filing("GREEN", NOON - horizon - DAY))
    assert ages[1] == "LOT", "both are from before the horizon: neither is first"
    assert asked(Filing("BLUE", NOON - horizon - DAY), Filing("GREEN", NOON - horizon + 1)) == ("GREEN", "FILED_FIRST")


def test_a_claim_beyond_the_cap_is_not_counted_as_filed() -> None:
    capped = msgspec.structs.replace(RULES, cap_km2_h=400)
    modest, blanket = Filing("GREEN", LATE), Filing("BLUE", EARLY, km=12)
    assert asked(blanket, modest) == ("GREEN", "FILED_FIRST"), "without a cap the blanket wins"
    assert asked(blanket, modest, rules=capped) == ("BLUE", "FILED_FIRST")
    long = Filing("BLUE", EARLY, hours=2)
    assert asked(long, modest, rules=capped) == ("BLUE", "FILED_FIRST"), "time counts as area does"
    both = msgspec.structs.replace(modest, km=12)
    assert asked(blanket, both, rules=capped)[1] == "LOT", "and two blankets are equal"


def test_whoever_had_seen_the_others_claim_filed_after_it_whatever_its_clock_says() -> None:
    backdated = Filing("GREEN", EARLY - HOUR, saw=True)
    honest = msgspec.structs.replace(backdated, saw=False)
    for salt in map(str, range(4)):  # so that either stands first in the pair
        assert asked(Filing("BLUE", EARLY), backdated, salt=salt) == ("GREEN", "FILED_FIRST")
        assert asked(Filing("BLUE", EARLY), honest, salt=salt) == ("BLUE", "FILED_FIRST")


def test_an_amendment_that_claims_more_was_filed_when_it_did_and_one_that_claims_less_was_not() -> None:
    first, green = Filing("BLUE", EARLY, hours=2), Filing("GREEN", LATE)
    less = Filing("BLUE", LATE + HOUR, hours=1)
    assert asked(first, green, less) == ("GREEN", "FILED_FIRST")
    more = Filing("BLUE", LATE + HOUR, hours=3)
    assert asked(first, green, more) == ("BLUE", "FILED_FIRST")
    elsewhere = Filing("BLUE", LATE + HOUR, hours=2, km=11)
    assert asked(first, green, elsewhere) == ("BLUE", "FILED_FIRST")


def test_the_lot_falls_by_day_and_giving_a_notice_again_does_not_throw_it_anew() -> None:
    by_lot = msgspec.structs.replace(RULES, who_moves=(WhoMoves.LOT,))
    blue, green = Filing("BLUE", EARLY), Filing("GREEN", EARLY)
    assert len({asked(blue, green, rules=by_lot, salt=str(n)) for n in range(8)}) == 1
    days = {
        asked(*(msgspec.structs.replace(f, from_ms=NOON + n * DAY) for f in (blue, green)), rules=by_lot)[0]
        for n in range(8)
    }
    assert days == {"BLUE", "GREEN"}, "over some days it falls on either"


def test_where_the_agreement_names_no_lot_it_still_names_one() -> None:
    only = msgspec.structs.replace(RULES, who_moves=(WhoMoves.PRIORITY,))
    assert asked(Filing("BLUE", EARLY), Filing("GREEN", LATE), rules=only)[1] == "LOT"


filings = st.builds(
    Filing, st.sampled_from(["BLUE", "GREEN"]), st.integers(NOON - 40 * DAY, NOON + DAY), st.integers(1, 30),
    st.integers(1, 30), st.sampled_from(list(Priority)),
    st.sampled_from([NoticeType.AREA_ACTIVITY, NoticeType.DISTRESS]), st.booleans(), st.integers(NOON, NOON + 3 * HOUR),
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(
    st.lists(filings, max_size=4), filings, filings, st.permutations(list(WhoMoves)), st.integers(1, 3),
    st.sampled_from([0, 100, 5_000]),
)  # fmt: skip
def test_both_ends_name_the_same_one_whatever_was_filed(
    more: list[Filing], one: Filing, other: Filing, order: list[WhoMoves], steps: int, cap: int
) -> None:
    rules = msgspec.structs.replace(RULES, who_moves=tuple(order[:steps]), cap_km2_h=cap)
    first = [msgspec.structs.replace(one, author="BLUE"), msgspec.structs.replace(other, author="GREEN")]
    # `asked` compares the ends. One name is one side that moves, and one that does not: never both, never neither.
    assert asked(*first, *more, rules=rules)[0] in ("BLUE", "GREEN")


def test_the_sine_is_the_sine_and_whole() -> None:
    assert abs(sine(30_000_000_000) - ONE // 2) < 20
    assert abs(sine(90_000_000_000) - ONE) < 20
    assert sine(-45_000_000_000) == -sine(45_000_000_000)
    assert sine(0) == 0


def test_areas_as_they_count_are_near_the_true_ones() -> None:
    for shape in (
        Circle.at(lat=36, lng=35, radius_km=50),
        Polygon.of((34.5, 34.0), (34.5, 37.5), (37.0, 37.5), (37.0, 34.0)),
        Polygon.of((-20, 179), (-20, -179), (-22, -179), (-22, 179)),
        Corridor.along((36, 35), (38, 35), (38, 40), half_width_km=10),
    ):
        assert abs(area_mm2(shape) / 1e6 / area_m2(shape) - 1) < 0.01, shape
    arctic = Polygon.of((80, 0), (80, 90), (80, 180), (80, -90))
    assert area_mm2(arctic) / 1e6 > area_m2(arctic), "a ring round a pole counts as more, never as less"
    hour = Volume4D(Circle.at(lat=0, lng=0, radius_km=10), Altitude.surface(), Altitude.unlimited(), 0, HOUR)
    assert claimed((hour, hour)) // KM2_H == 628
