# SPDX-License-Identifier: Apache-2.0
"""Every template gives a whole notice in at most eight answers (domain.md C15)."""

from __future__ import annotations

import pytest

from wideberth.core.say import complete, notice
from wideberth.core.say.instant import parse
from wideberth.core.say.rules import Rules
from wideberth.core.say.templates import TEMPLATES
from wideberth.core.say.volume import Circle
from wideberth.core.say.words import Terms
from wideberth.errors import BadInput
from wideberth.web.drafts import terms_of
from wideberth.web.reading import FIELDS

NOW = parse("2031-05-12T09:00:00Z")
RULES = Rules(area=Circle.at(lat=41, lng=-38.5, radius_km=500), least_radius_mm=1_000_000)


def filled(name: str, **instead: str) -> dict[str, str]:
    template = TEMPLATES[name]
    return {**template.fixed, **{ask.field: ask.like for ask in template.asks}, **instead}


def made(draft: dict[str, str]) -> Terms | None:
    try:
        return terms_of(draft, now_ms=NOW, contact="+999 555 0110", rules=RULES)
    except BadInput:
        return None


def test_there_are_those_that_the_field_asks_for() -> None:
    assert set(TEMPLATES) == {"transit", "sar", "air-drop", "drone-survey", "live-fire", "convoy", "medevac"}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_gives_a_whole_notice_in_at_most_eight_answers(name: str) -> None:
    template = TEMPLATES[name]
    assert len(template.asks) <= 8
    asked = [ask.field for ask in template.asks]
    assert len(set(asked)) == len(asked)
    assert not set(asked) & set(template.fixed)
    assert {*asked, *template.fixed} <= set(FIELDS)
    terms = terms_of(filled(name), now_ms=NOW, contact="+999 555 0110", rules=RULES)
    assert [flaw for flaw in notice.check_terms(terms, RULES, now_ms=NOW) if flaw.fatal] == []
    score = complete.of_terms(terms, RULES)
    assert score is not None
    assert score.missing == (), "nothing is left out"


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_answer_is_asked_for_nothing(name: str) -> None:
    """Without any one of them the notice is not whole, or says less."""
    whole = made(filled(name))
    assert whole is not None
    for ask in TEMPLATES[name].asks:
        less = {field: value for field, value in filled(name).items() if field != ask.field}
        assert made(less) != whole, ask.field
