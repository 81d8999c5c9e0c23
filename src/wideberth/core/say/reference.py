# SPDX-License-Identifier: Apache-2.0
"""Reference numbers that survive a telephone: `BLU-0042-K` (domain.md C13).

Three letters of the party, a running number of 4, 6 or 8 digits, one check letter. Letters come from 23: I, O and Q are
left out, because they look like 1 and 0; a place holds either letters or digits, never both, so 5/S, 8/B and 2/Z cannot
be confused. With 23 prime, the check letter makes

    sum(value_i * 5**i) = 0   (mod 23),   letters valued 0…22, digits 0…9, i from the left

5 is a primitive root of 23, so the weights of up to 22 places differ and none is 0. Therefore, with certainty: any one
wrong character, any swap of two different neighbours (5**i - 5**(i+1) is never 0), any swap across one place, a doubled
pair misheard (`44` for `55`), and -ty for -teen (`13` for `30`) are detected; a lost or added character changes the
length, which is fixed to a grid that no single loss or gain stays on.
"""

from __future__ import annotations

import re
from typing import Final

from wideberth.errors import BadInput

LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
MODULUS: Final = 23
WEIGHT_ROOT: Final = 5
PARTY_LETTERS: Final = 3
# Widths differ by two, so that one lost or added digit is never another reference.
WIDTHS: Final = (4, 6, 8)
NUMBER_MAX: Final = 10 ** WIDTHS[-1] - 1

assert len(LETTERS) == MODULUS
assert PARTY_LETTERS + WIDTHS[-1] + 1 < MODULUS

_SHAPE: Final = re.compile(
    rf"([{LETTERS}]{{{PARTY_LETTERS}}})[- ]?(\d{{4}}|\d{{6}}|\d{{8}})[- ]?([{LETTERS}])", re.ASCII
)

_SPOKEN: Final = (
    "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec Romeo",
    "Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu zero one two three four five six seven eight niner",
)
_WORDS: Final = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", " ".join(_SPOKEN).split(), strict=True))
_SIGNS: Final = {"-": ",", " ": ",", ".": "decimal", "+": "plus", "/": "slant", ":": "colon"}


def party_code(party: str) -> str:
    """The first three usable letters of a party's name: `BLUE` is `BLU`, `Orange Two` is `RAN`. Short names are filled
    with X. Two parties of one mechanism should have different codes; the agreement's authors see to that."""
    usable = [c for c in party.upper() if c in LETTERS][:PARTY_LETTERS]
    if not usable:
        raise BadInput(f"the party name {party!r} gives no letters for a reference; use A to Z", field="party")
    return "".join(usable).ljust(PARTY_LETTERS, "X")


def make(party: str, number: int) -> str:
    """`make("BLUE", 42)` is the canonical reference `BLU-0042-…` with its check letter."""
    if not 0 <= number <= NUMBER_MAX:
        raise BadInput(f"a reference number is 0 to {NUMBER_MAX}, not {number}", field="reference")
    code = party_code(party)
    width = next(w for w in WIDTHS if number < 10**w)
    digits = f"{number:0{width}d}"
    return f"{code}-{digits}-{_check_letter(code + digits)}"


def check(text: str) -> str:
    """The canonical spelling. Case, spaces and missing dashes are forgiven; a wrong character is not.

    Raises BadInput that says whether the shape or the check letter is wrong.
    """
    match = _SHAPE.fullmatch(text.strip().upper())
    if match is None:
        raise BadInput(
            f"{text!r} is not a reference: three letters, 4, 6 or 8 digits and a check letter, like BLU-0042-K; "
            "I, O and Q are never used",
            field="reference",
        )
    code, digits, letter = match.groups()
    # A number has one width only, else 0042 and 000042 would be two names for one thing.
    if len(digits) > WIDTHS[0] and int(digits) < 10 ** (len(digits) - 2):
        raise BadInput(f"{text!r} has too many zeros: ask for the reference again", field="reference")
    if _check_letter(code + digits) != letter:
        raise BadInput(
            f"{text!r} was misread or mistyped: its check letter does not fit; ask for it again, spelled",
            field="reference",
        )
    return f"{code}-{digits}-{letter}"


def spell(text: str) -> str:
    """For reading aloud, by the ICAO alphabet: `BLU-0042-K` is `Bravo Lima Uniform, zero zero four two, Kilo`."""
    spoken: list[str] = []
    for c in text.upper():
        word = _WORDS.get(c) or _SIGNS.get(c, c)
        if word == "," and spoken:
            spoken[-1] = spoken[-1].rstrip(",") + ","
        elif word != ",":
            spoken.append(word)
    return " ".join(spoken).rstrip(",")


def _value(c: str) -> int:
    return int(c) if c.isdigit() else LETTERS.index(c)


def _check_letter(body: str) -> str:
    total = sum(_value(c) * pow(WEIGHT_ROOT, i, MODULUS) for i, c in enumerate(body))
    weight = pow(WEIGHT_ROOT, len(body), MODULUS)
    return LETTERS[-total * pow(weight, -1, MODULUS) % MODULUS]
