# SPDX-License-Identifier: Apache-2.0
"""The controlled phrase book: what is said again and again, in each side's own tongue (domain.md N3).

    say("read_back", "ru", ref="BLU-0042-K")      the phrase in Russian, with its values put in
    phrase_of("read_back", "en")                  the phrase as it stands, with {ref}

A phrase is named by an id, so that a message can carry the id and its values, and each side reads it in its own
language without a translator. Values are put in as they are: times, coordinates, references and levels are never
translated.
`REVIEWED` names the languages that a speaker of them has gone over; screens mark the others as not yet reviewed.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Final

from wideberth.core.say.phrases import ar, en, fr, he, ru, uk
from wideberth.errors import BadInput

BOOKS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": en.PHRASES,
    "fr": fr.PHRASES,
    "ru": ru.PHRASES,
    "uk": uk.PHRASES,
    "he": he.PHRASES,
    "ar": ar.PHRASES,
}
REVIEWED: Final = frozenset({"en"})


def languages() -> tuple[str, ...]:
    return tuple(BOOKS)


def phrase_of(name: str, language: str) -> str:
    """The phrase with its placeholders. Raises BadInput for a phrase or language that is not in the book."""
    book = BOOKS.get(language.partition("-")[0].lower())
    if book is None:
        raise BadInput(f"the phrase book has {', '.join(BOOKS)}, not {language[:35]!r}", field="language")
    text = book.get(name)
    if text is None:
        raise BadInput(f"there is no phrase {name[:40]!r} in the book", field="phrase")
    return text


def values_of(name: str) -> tuple[str, ...]:
    """The names of what is put into a phrase, in the order of the English text."""
    return tuple(field for _, field, _, _ in string.Formatter().parse(phrase_of(name, "en")) if field)


def say(name: str, language: str, /, **values: str) -> str:
    """The phrase with its values put in. Raises BadInput when one is missing, or is not asked for."""
    wanted = values_of(name)
    if set(values) != set(wanted):
        raise BadInput(f"the phrase {name} needs {', '.join(wanted) or 'no value'}", field="values")
    return phrase_of(name, language).format_map(values)
