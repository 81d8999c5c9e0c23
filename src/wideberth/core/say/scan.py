# SPDX-License-Identifier: Apache-2.0
"""A scan of free text for what does not belong on a safety line (domain.md M1, M2, C14).

    scan("Aim point is the bridge, JDAM at 1840Z")   ->  (Finding("aim point", …), Finding("jdam", …))

It finds words about what is aimed at, weapons, intelligence on the other side, leave asked or given, what somebody says
is not theirs, and places written into the text instead of the volume. It warns the officer before sending; it never
blocks, and it never reads received text for any purpose. It is a net with holes: a sentence can say anything in words
that no list has. The short limit on the text (`limits.TEXT_CHARS_MAX`) and the missing fields do most of the work.

Disguises are undone first: letters of other widths, invisible characters, digits for letters, spaced-out words.
Words that safety traffic needs (bird strike, lightning strike, rocket of a signal flare, engine fire) are let through.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """`words` as found (after undoing disguises), and a `sentence` that says what to do."""

    words: str
    sentence: str


_AIM: Final = "what is aimed at is never said here; give the volume and the time, and leave it out"
_WEAPON: Final = "means and effects are never said here; the hazard list says what others must avoid"
_KNOWLEDGE: Final = "what one side knows of another is never said here; leave it out"
_LEAVE: Final = "this line neither asks for leave nor gives it; it only informs"
_ABSENT: Final = "nobody says here what is not theirs, or where nobody is: it would be read as leave; say unknown"
_PLACE: Final = "a place in the text is checked by nobody; put it into the volume"

# English, with the phrases in which the same word is ordinary safety traffic excluded on the spot.
_ENGLISH: Final = (
    (_AIM, r"target(?:s|ed|ing|eer)?(?! (?:time|date|level|altitude|heading|speed))|aim ?-?points?|dmpis?"),
    (_AIM, r"kill ?-?(?:box(?:es)?|zones?|chain)|(?:kill|killed|killing|neutrali[sz]e[ds]?)(?! switch)"),
    (_AIM, r"(?<!bird )(?<!lightning )(?<!wildlife )(?<!tail )(?<!labour )(?:air ?)?strik(?:e|es|ing)"),
    (_AIM, r"engag(?:e|es|ed|ing|ement)(?! (?:autopilot|brakes?|reverse|gear))|high[ -]value|hvts?"),
    (_AIM, r"(?<!angle of )attack(?:s|ed|ing)?(?! (?:angle|warning))|destroy(?:s|ed|ing)?|bda|battle damage"),
    (_AIM, r"hostiles?|enem(?:y|ies)|foes?"),
    (_WEAPON, r"weapon(?:s|ry|eering)?|munitions?|ammunition|ordnance|warheads?|bomb(?:s|ed|ing|ardment)?"),
    (_WEAPON, r"missiles?|torpedo(?:es)?|artillery|howitzers?|mortars?|shelling|grenades?|jdams?|gbu[ -]?\d+"),
    (_WEAPON, r"(?<!sounding )(?<!signal )(?<!flare )(?<!weather )rockets?(?! (?:flares?|parachute))"),
    (_WEAPON, r"hellfires?|tomahawks?|himars|atacms|manpads?|(?:sam|air defen[cs]e) (?:site|battery|batteries)"),
    (_KNOWLEDGE, r"intel(?:ligence)?|sigint|humint|imint|elint|osint|reconnaissance|recce|surveil(?:lance|led|ling)?"),
    (_KNOWLEDGE, r"order of battle|troop (?:strength|movements?|positions?)|informants?|headcount"),
    (_KNOWLEDGE, r"(?:your|their) (?:positions?|troops|radars?|batter(?:y|ies))"),
    (_KNOWLEDGE, r"intercepted (?:calls?|messages?|communications?)"),
    (_LEAVE, r"(?:(?:you are|is|are) )?cleared (?:hot|to (?:engage|fire|proceed|operate|fly|enter))"),
    (_LEAVE, r"clearance (?:granted|denied|requested|given)|(?:you are|is|are) (?:approved|authori[sz]ed)"),
    (_LEAVE, r"request(?:s|ing)? (?:your )?(?:approval|permission|clearance|authori[sz]ation|consent)"),
    (_LEAVE, r"(?:we|you) (?:approve|authori[sz]e|permit|consent)(?:d|s)?|do you (?:approve|agree|consent)"),
    (_ABSENT, r"(?:is|are|it's|that's) (?:not|none of) (?:ours|mine)|none of ours|nobody of ours"),
    (_LEAVE, r"permission (?:granted|denied|to)|(?:approved|authori[sz]ed) (?:by you|to)|weapons (?:free|hold)"),
)
# A few stems of the commonest words in other languages of such lines: Russian, Ukrainian, French, Arabic, Hebrew.
_OTHERS: Final = (
    (_AIM, r"цел(?:ь|и|ью|ей|ям)|наведени[еяю]|(?:авиа|ракетн\w+ )удар(?:ы|а|ов|ом)?|противник\w*"),
    (_AIM, r"ціл(?:ь|і|ей)|ворож\w+|cibles?|frappes?|ennemis?|(?:ال)?(?:هدف|أهداف)|מטר(?:ה|ות)|תקיפ(?:ה|ות)|אויב"),
    (_WEAPON, r"ракет(?:а|ы|у|ой|ами)?|бомб(?:а|ы|у|ой|ами|ить)?|боеприпас\w*|оружи\w+|боєприпас\w*|збро\w+|снаряд\w*"),
    (_WEAPON, r"bombes?|munitions?|armes?|صواريخ|صاروخ|قنبلة|قنابل|ذخيرة|טיל(?:ים)?|פצצ(?:ה|ות)|תחמושת|נשק"),
    (_KNOWLEDGE, r"развед\w+|розвід\w+|renseignements? sur|(?:ال)?استخبارات|استطلاع|מודיעין"),
    (_LEAVE, r"разреш(?:аем|аю|ите|ение)|дозвол(?:яємо|яю|ьте)|autorisons|نوافق|موافقة|אישור|מאשרים"),
)
_LEET: Final = str.maketrans("013457@$", "oieastas")
# A grid reference, a decimal pair, degrees with minutes, or a compact NOTAM position.
_COORDINATES: Final = re.compile(
    r"\b\d{1,2}[c-hj-np-x] ?[a-hj-np-z]{2} ?\d{2,5} ?\d{2,5}\b"
    r"|[+-]?\b\d{1,2}\.\d{2,}°? ?[ns]?[ ,;/]{1,2}[+-]?\d{1,3}\.\d{2,}°? ?[ew]?\b"
    r"|\b\d{1,2}\.\d+°? ?[ns]\b[ ,;/]*\d{1,3}\.\d+°? ?[ew]\b"
    r"|\b\d{1,3} ?° ?\d{1,2}(?:[ '′.]|$)"
    r"|\b\d{4}(?:\d\d)?[ns] ?\d{5}(?:\d\d)?[ew]\b",
    re.IGNORECASE,
)

_NETS: Final = tuple(
    (sentence, re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")) for sentence, pattern in (*_ENGLISH, *_OTHERS)
)


@lru_cache(maxsize=256)  # the same contact and no text in most notices; some 90 us each otherwise
def scan(text: str) -> tuple[Finding, ...]:
    """What was found, each phrase once, in the order of the text. Empty for ordinary safety text."""
    plain = _plain(text)
    found: dict[str, tuple[int, Finding]] = {}
    spellings = [plain, plain.translate(_LEET), _joined(plain)]
    for spelling in spellings if len(set(spellings)) > 1 else spellings[:1]:
        for sentence, net in _NETS:
            for match in net.finditer(spelling):
                found.setdefault(match[0], (match.start(), Finding(match[0], f"“{match[0]}”: {sentence}")))
    for match in _COORDINATES.finditer(plain):
        words = match[0].strip()
        found.setdefault(words, (match.start(), Finding(words, f"“{words}”: {_PLACE}")))
    return tuple(finding for _, finding in sorted(found.values(), key=lambda pair: pair[0]))


def named(text: str, names: Iterable[str]) -> tuple[str, ...]:
    """Which of these names stand in the text as words of their own, disguises undone, in the order given."""
    plain = _plain(text)
    found = []
    for name in names:
        wanted = _plain(name)
        pairs = ((plain, wanted), (plain.translate(_LEET), wanted.translate(_LEET)), (_joined(plain), wanted))
        if any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", spelling) for spelling, word in pairs):
            found.append(name)
    return tuple(found)


def _plain(text: str) -> str:
    """One width, one case, no invisible characters, no accents on Latin letters, single spaces."""
    wide = unicodedata.normalize("NFKC", text).casefold()
    seen = (c for c in wide if unicodedata.category(c) not in ("Cf", "Cc", "Mn") or c in "\n\t")
    bases = ((c, unicodedata.normalize("NFD", c)[0]) for c in seen)
    return " ".join("".join(base if base.isascii() else c for c, base in bases).split())


def _joined(plain: str) -> str:
    """Words spelled out with spaces, dots or dashes put together: `t a r g e t` and `b.o.m.b` are words again."""
    return re.sub(r"(?<!\w)(?:\w[ .\-_*]){3,}\w(?!\w)", lambda m: re.sub(r"[ .\-_*]", "", m[0]), plain)
