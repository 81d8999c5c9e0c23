# SPDX-License-Identifier: Apache-2.0
"""What words have in common: their kind on the wire, how urgent they are, and that texts are short."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import TypeVar

import msgspec

from wideberth.errors import BadInput

T = TypeVar("T", bound=msgspec.Struct)


class WordBase(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True, omit_defaults=True):
    """A frozen struct; its `kind` on the wire is also the `type` of the entry that carries it."""


class Precedence(StrEnum):
    FLASH = "FLASH"
    IMMEDIATE = "IMMEDIATE"
    PRIORITY = "PRIORITY"
    ROUTINE = "ROUTINE"


class Hazard(StrEnum):
    """The danger to others, never its cause (domain.md C14). The list is short and closed."""

    CREWED_AIRCRAFT = "CREWED_AIRCRAFT"
    UNCREWED_AIRCRAFT = "UNCREWED_AIRCRAFT"
    FALLING_OBJECTS = "FALLING_OBJECTS"
    SURFACE_TRAFFIC = "SURFACE_TRAFFIC"
    GROUND_TRAFFIC = "GROUND_TRAFFIC"
    BRIGHT_LIGHT = "BRIGHT_LIGHT"
    RADIO_INTERFERENCE = "RADIO_INTERFERENCE"
    FIRE_AND_SMOKE = "FIRE_AND_SMOKE"
    PEOPLE_PRESENT = "PEOPLE_PRESENT"
    UNSPECIFIED = "UNSPECIFIED"


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A place in a strand: `[epoch, seq, hash]`."""

    epoch: str
    seq: int
    hash: str


def short(value: str, most: int, field: str) -> None:
    """Raises BadInput when a text is longer than `most` characters."""
    if len(value) > most:
        raise BadInput(f"{field} is too long: {len(value)} characters, at most {most}", field=field)


def composed(value: T) -> T:
    """The same value with every text in Unicode's composed form (NFC), the only one that can be signed: keyboards and
    files of some systems write an accent as a character of its own."""
    said = msgspec.json.encode(value)
    if said.isascii() or unicodedata.is_normalized("NFC", text := said.decode()):
        return value
    return msgspec.json.decode(unicodedata.normalize("NFC", text), type=type(value))
