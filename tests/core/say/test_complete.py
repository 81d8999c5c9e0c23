# SPDX-License-Identifier: Apache-2.0
"""How much a notice says before it is sent (domain.md C5, F14, SC6): flagged below the agreed share, never withheld."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from wideberth.cli import answer
from wideberth.core.say import complete, notice
from wideberth.core.say.place import Altitude
from wideberth.core.say.rules import Rules
from wideberth.core.say.volume import Circle, Polygon, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Scale, Terms
from wideberth.errors import BadInput

DAY = 86_400_000
START = 1_900_000_000_000
AREA = Polygon.of((20, 120), (20, 135), (35, 135), (35, 120))
RULES = Rules(area=AREA)


def terms(**changes: Any) -> Terms:
    volume = Volume4D(
        changes.pop("shape", Circle.at(lat=25, lng=130, radius_km=60)),
        Altitude.surface(), changes.pop("upper", Altitude.flight_level(300)), START, START + DAY,
    )  # fmt: skip
    fields: dict[str, Any] = {"type": NoticeType.TRANSIT, "hazard": Hazard.CREWED_AIRCRAFT, "scale": Scale.MANY}
    return Terms(**{**fields, **changes}, contact="+999 1", volumes=(volume,), expires_ms=START + DAY)


def score(said: Terms) -> complete.Completeness:
    found = complete.of_terms(said, RULES)
    assert found is not None
    return found


def test_a_warning_by_radio_without_coordinates_heights_and_extent_is_far_below() -> None:
    """As of 6 December 2025: that there will be flying, from when, for how long, and who says so."""
    said = complete.of_what_is_said({"kind", "hazard", "start", "end", "contact"}, RULES)
    assert said.permille == 400
    assert said.below
    assert said.missing == ("area", "extent", "vertical", "scale")
    assert "area, extent, vertical, scale" in said.sentence


def test_a_whole_notice_misses_nothing_and_says_so() -> None:
    assert score(terms()) == complete.Completeness(1000, 800, ())
    assert "nothing is missing" in score(terms()).sentence


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"shape": AREA}, ("area", "extent")),
        ({"upper": Altitude.unlimited()}, ("vertical",)),
        ({"hazard": Hazard.UNSPECIFIED}, ("hazard",)),
        ({"scale": None}, ("scale",)),
    ],
)
def test_what_says_nothing_counts_as_missing(changes: dict[str, Any], missing: tuple[str, ...]) -> None:
    found = score(terms(**changes))
    assert found.missing == missing
    assert found.permille == 1000 - sum(complete.WEIGHTS[name][0] for name in missing)


def test_below_the_agreed_share_it_is_flagged_and_goes_out() -> None:
    vague = terms(shape=AREA)
    flaws = notice.check_terms(vague, RULES, now_ms=START - DAY)
    assert [(f.fatal, f.field) for f in flaws if f.rule == "C5"] == [(False, "area")]
    assert not any(f.fatal for f in flaws)
    lenient = msgspec.structs.replace(RULES, least_complete_permille=600)
    assert "C5" not in {f.rule for f in notice.check_terms(vague, lenient, now_ms=START - DAY)}


def test_more_said_never_scores_less() -> None:
    names = list(complete.WEIGHTS)
    for upto in range(len(names)):
        fewer, more = (complete.of_what_is_said(names[:n], RULES) for n in (upto, upto + 1))
        assert more.permille > fewer.permille
        assert set(more.missing) < set(fewer.missing)


@pytest.mark.parametrize("kind", [NoticeType.ACCIDENT, NoticeType.HOLD_OFF, NoticeType.DISTRESS])
def test_nothing_more_is_asked_of_what_is_given_at_once(kind: NoticeType) -> None:
    assert complete.of_terms(terms(type=kind), RULES) is None


def test_an_agreement_cannot_ask_for_more_than_everything() -> None:
    with pytest.raises(BadInput, match="100 %"):
        Rules(area=AREA, least_complete_permille=1001)


def test_the_help_of_insufficient_names_the_same_fields() -> None:
    listed = answer._FIELDS.partition(": ")[2].partition(";")[0].split(", ")
    assert set(listed) == set(complete.WEIGHTS)
