# SPDX-License-Identifier: Apache-2.0
"""spec/9 is what the code writes, and what the page says of references and check codes can be worked out from it."""

from __future__ import annotations

import hashlib

import msgspec
from first_notice import build
from hotline_vectors import BLOCK, HEARD, PAGE, examples, words

from wideberth.core.say.words import Word

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def test_the_examples_of_the_page_are_what_the_code_writes_and_reads() -> None:
    made = examples()
    shown = {name: "".join(text.split("\n")) for _, name, text, _ in BLOCK.findall(PAGE.read_text(encoding="utf-8"))}
    assert shown == made
    for name, word in words().items():
        assert msgspec.json.decode(shown[name].encode(), type=Word) == word


def test_a_reference_follows_from_the_hash_as_the_page_says() -> None:
    number = 1_000_000 + int(HEARD[:16], 16) % 99_000_000
    body = f"MSG{number:08d}"
    value = [LETTERS.index(c) if c.isalpha() else int(c) for c in body]
    total = sum(v * 5**i for i, v in enumerate(value))
    (check,) = [c for n, c in enumerate(LETTERS) if (total + n * 5 ** len(body)) % 23 == 0]
    assert examples()["reference"] == f"MSG-{number:08d}-{check}"


def test_check_codes_follow_from_the_hash_as_the_page_says() -> None:
    entry = build()["strands"]["BLUE"][1]["hash"]
    made = []
    for kind in ("challenge", "response"):
        rest = int.from_bytes(hashlib.sha256(f"wideberth {kind} {entry}".encode()).digest(), "big")
        letters = []
        for _ in range(5):
            rest, digit = divmod(rest, 23)
            letters.append(digit)
        total = sum(v * 5**i for i, v in enumerate(letters))
        letters.append(next(v for v in range(23) if (total + v * 5**5) % 23 == 0))
        text = "".join(LETTERS[v] for v in letters)
        made.append(f"{text[:3]}-{text[3:]}")
    assert examples()["codes"] == " ".join(made)
