# SPDX-License-Identifier: Apache-2.0
"""What spec/10-conflicts.md shows is what the code writes and reads."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from clash_vectors import BLOCK, PAGE, examples, id_of, words

from wideberth.core.say.words import Word
from wideberth.core.seal import canonical

SHOWN = {name: "".join(text.split("\n")) for _, name, text, _ in BLOCK.findall(PAGE.read_text(encoding="utf-8"))}


def test_the_page_shows_every_example_as_the_code_writes_it() -> None:
    assert examples() == SHOWN


@pytest.mark.parametrize("name", words())
def test_what_the_page_shows_is_read_as_what_it_is(name: str) -> None:
    assert msgspec.json.decode(SHOWN[name].encode(), type=Word) == words()[name]


def test_the_id_is_the_hash_of_what_the_page_says_it_is_of() -> None:
    assert hashlib.sha256(canonical.encode(id_of())).hexdigest() == SHOWN["id"]


def test_the_lot_is_the_bit_that_the_page_says_it_is() -> None:
    for shown in SHOWN["lot"].split(", "):
        day, _, author = shown.partition(": ")
        digest = hashlib.sha256(f"wideberth lot {id_of()['agr']} {day} BLUE GREEN".encode()).digest()
        assert author == ("BLUE", "GREEN")[digest[-1] % 2]
