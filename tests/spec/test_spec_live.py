# SPDX-License-Identifier: Apache-2.0
"""What spec/ shows of live safety is what the code writes and reads."""

from __future__ import annotations

import msgspec
import pytest
from live_vectors import BLOCK, PAGES, examples, words

from wideberth.core.say.words import Word

SHOWN = {
    name: "".join(text.split("\n"))
    for page in PAGES
    for _, name, text, _ in BLOCK.findall(page.read_text(encoding="utf-8"))
}


def test_the_pages_show_every_example_as_the_code_writes_it() -> None:
    assert examples() == SHOWN


@pytest.mark.parametrize("name", words())
def test_what_a_page_shows_is_read_as_what_it_is(name: str) -> None:
    assert msgspec.json.decode(SHOWN[name].encode(), type=Word) == words()[name]
