# SPDX-License-Identifier: Apache-2.0
"""What spec/4 shows of those to protect is what the code writes and reads, and what it says of them holds."""

from __future__ import annotations

import msgspec
import pytest
from protect_vectors import BLOCK, PAGE, examples, words

from wideberth.core.say.protect import STANDING, Protected, Work
from wideberth.core.say.words import Word

TEXT = PAGE.read_text(encoding="utf-8")
SHOWN = {name: "".join(text.split("\n")) for _, name, text, _ in BLOCK.findall(TEXT)}


def test_the_page_shows_every_example_as_the_code_writes_it() -> None:
    assert examples() == SHOWN


@pytest.mark.parametrize("name", words())
def test_what_the_page_shows_is_read_as_what_it_is(name: str) -> None:
    assert msgspec.json.decode(SHOWN[name].encode(), type=Word) == words()[name]


def test_the_page_names_every_field_and_every_kind_of_work_and_the_standing_text() -> None:
    for field in Protected.__struct_fields__:
        assert f"`{field}`" in TEXT, field
    for work in Work:
        assert f"`{work}`" in TEXT, work
    assert STANDING in " ".join(TEXT.replace("> ", "").split())
