# SPDX-License-Identifier: Apache-2.0
"""The phrase book: every phrase in every language, with the same values and in its own script (N3)."""

from __future__ import annotations

import string
import unicodedata

import pytest

from wideberth.core.say import phrases
from wideberth.errors import BadInput

SCRIPTS = {"en": "LATIN", "fr": "LATIN", "ru": "CYRILLIC", "uk": "CYRILLIC", "he": "HEBREW", "ar": "ARABIC"}
ALL = [(language, name) for language in phrases.BOOKS for name in phrases.BOOKS["en"]]


def test_the_six_languages_are_there_and_say_the_same_things() -> None:
    assert set(phrases.languages()) == {"en", "fr", "ru", "uk", "he", "ar"}
    for language, book in phrases.BOOKS.items():
        assert list(book) == list(phrases.BOOKS["en"]), language


@pytest.mark.parametrize(("language", "name"), ALL)
def test_a_phrase_has_the_same_values_in_every_language_and_its_own_script(language: str, name: str) -> None:
    text = phrases.phrase_of(name, language)
    fields = [field for _, field, _, _ in string.Formatter().parse(text) if field]
    assert sorted(fields) == sorted(phrases.values_of(name))
    assert unicodedata.is_normalized("NFC", text)
    plain = "".join(literal for literal, _, _, _ in string.Formatter().parse(text))
    letters = {unicodedata.name(c).split()[0] for c in plain if c.isalpha()}
    assert letters == {SCRIPTS[language]}, text
    assert len(text) <= 140, "a phrase is said in one breath"


def test_russian_and_ukrainian_are_not_the_same_language() -> None:
    only_russian = set("ыэёъ")
    assert not any(only_russian & set(text.lower()) for text in phrases.BOOKS["uk"].values())
    assert any(set("іїєґ") & set(text.lower()) for text in phrases.BOOKS["uk"].values())
    assert not any(set("іїєґ") & set(text.lower()) for text in phrases.BOOKS["ru"].values())


def test_values_go_in_as_they_are() -> None:
    said = phrases.say("relayed", "he", relayed="2", units="3", ref="BLU-0042-K")
    assert "BLU-0042-K" in said
    assert "{" not in said
    assert phrases.say("say_again", "ar-SY") == phrases.BOOKS["ar"]["say_again"]


def test_what_is_not_in_the_book_is_refused_with_what_is() -> None:
    with pytest.raises(BadInput, match="en, fr, ru, uk, he, ar"):
        phrases.phrase_of("wait", "de")
    with pytest.raises(BadInput, match="no phrase"):
        phrases.phrase_of("attack", "en")
    with pytest.raises(BadInput, match="needs ref"):
        phrases.say("read_back", "en")
    with pytest.raises(BadInput, match="needs no value"):
        phrases.say("say_again", "en", ref="x")


def test_nothing_in_the_book_gives_or_asks_for_leave() -> None:
    words = ("approve", "cleared", "permission granted", "authoris", "wilco", "unable", "not ours", "not present")
    for text in phrases.BOOKS["en"].values():
        assert not any(word in text.lower() for word in words), text
