# SPDX-License-Identifier: Apache-2.0
"""Languages of what people write: their tags, which way they run, and how a text is shown beside another.

    check_tag("zh-Hant")                    raises BadInput for what is no BCP 47 tag
    direction("ar")                         "rtl"
    isolate(text)                           in U+2068 ... U+2069, so that it turns nothing round but itself
    other_script("Ждите", "en")             "CYRILLIC": the text can hardly be English

A tag is checked for its shape (RFC 5646 §2.1), not against a list: a node must show what a newer one calls a language.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

from wideberth.errors import BadInput

TAG_CHARS_MAX: Final = 35  # RFC 5646 §4.4.1: what every implementation must have room for
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)

# Unicode's first strong isolate, and its end (UAX #9 §2.4): what stands between them is laid out by itself.
ISOLATE: Final = "\u2068"
END: Final = "\u2069"
# Joiners and marks that spelling needs; inside an isolate they reach nothing outside.
SPELLING: Final = frozenset("\u200c\u200d\u200e\u200f")

# Written from right to left by default (CLDR), and scripts that say so, or not, whatever the language.
_RIGHT_TO_LEFT: Final = frozenset("ar arc ckb dv fa he iw ks ku-arab nqo ps sd syr ug ur yi".split())  # noqa: SIM905
_SCRIPTS: Final = frozenset("adlm arab hebr nkoo syrc thaa".split())  # noqa: SIM905
# The script that a text in one of these is written in, as the names of its letters in Unicode begin.
_WRITTEN_IN: Final = {
    "en": "LATIN", "fr": "LATIN", "de": "LATIN", "es": "LATIN", "tr": "LATIN", "pl": "LATIN",
    "ru": "CYRILLIC", "uk": "CYRILLIC", "be": "CYRILLIC", "bg": "CYRILLIC",
    "he": "HEBREW", "ar": "ARABIC", "fa": "ARABIC", "ur": "ARABIC",
}  # fmt: skip


def check_tag(tag: str) -> None:
    """Raises BadInput unless it has the shape of a BCP 47 tag."""
    if len(tag) > TAG_CHARS_MAX or _TAG.fullmatch(tag) is None:
        raise BadInput(f"a language is a tag such as en, ar or zh-Hant, not {tag[:40]!r}", field="language")


def primary(tag: str) -> str:
    """`he` of `he-IL`."""
    return tag.partition("-")[0].lower()


def direction(tag: str) -> Literal["ltr", "rtl"]:
    """Which way a text in that language runs."""
    subtags = tag.lower().split("-")
    script = next((s for s in subtags[1:] if len(s) == 4 and s.isalpha()), "")
    if script:
        return "rtl" if script in _SCRIPTS else "ltr"
    return "rtl" if subtags[0] in _RIGHT_TO_LEFT else "ltr"


def isolate(text: str) -> str:
    """Somebody's text, for a line of ours: on one line, without anything that could end the isolate or turn ours."""
    kept = (c if c in SPELLING or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp") else " " for c in text)
    return f"{ISOLATE}{''.join(kept)}{END}"


def other_script(text: str, tag: str) -> str:
    """The script of a text whose letters are none of its language's; empty where they fit, or where nothing is known
    of that language."""
    expected = _WRITTEN_IN.get(primary(tag))
    letters = [unicodedata.name(c, "").partition(" ")[0] for c in text if c.isalpha()]
    if expected is None or "-" in tag or not letters or expected in letters:
        return ""
    return letters[0]
