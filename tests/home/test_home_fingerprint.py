# SPDX-License-Identifier: Apache-2.0
"""Fingerprints: the words and the line for a camera name one key, and a slip is found."""

import re

import pytest
import segno

from wideberth import qr
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.errors import BadInput
from wideberth.fingerprint import (
    LOT_WORDS,
    code_of,
    digest,
    fingerprint_words,
    is_code,
    read_code,
    same_words,
    words_by_lot,
)

ROOT = Ed25519Signer(bytes(32)).public
OTHER = Ed25519Signer(bytes([1]) * 32).public
# By hand: SHA-256 of the public key of RFC 8032's all-zero seed, 3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a6…
CODE = "WIDEBERTH:1:BLUE:139E3940E64B5491722088D9A0D741628FC826E09475D341A780ACDE3C4B8070:"


def test_the_code_is_the_party_the_whole_digest_and_a_check_sum():
    code = code_of("BLUE", ROOT)
    assert code.startswith(CODE)
    assert read_code(code) == ("BLUE", digest(ROOT))
    assert fingerprint_words(ROOT)  # its first 128 bits
    assert re.fullmatch(r"[0-9A-Z:-]+", code), "a QR code keeps these characters short"


def test_what_was_scanned_or_heard_is_compared_alike():
    for text in (fingerprint_words(ROOT), fingerprint_words(ROOT).upper(), code_of("BLUE", ROOT)):
        assert same_words(text, ROOT)
        assert not same_words(text, OTHER)
    assert same_words(f"  {code_of('BLUE', ROOT).lower()}\n", ROOT)


@pytest.mark.parametrize("at", range(len(CODE) + 8))
def test_every_slip_of_one_character_is_found(at):
    code = code_of("BLUE", ROOT)
    for other in "0A:Z":
        if code[at] != other:
            with pytest.raises(BadInput):
                read_code(code[:at] + other + code[at + 1 :])
    with pytest.raises(BadInput):
        read_code(code[:at] + code[at + 1 :])


@pytest.mark.parametrize("text", ["", "WIDEBERTH", "WIDEBERTH:2" + CODE[11:], "WIDEBERTH:1:BLUE:00:00", "x" * 10_000])
def test_what_is_no_code_is_said_in_words(text):
    assert not is_code(text) or text.startswith("WIDEBERTH:")
    with pytest.raises(BadInput):
        read_code(text)


def test_words_by_lot_are_not_the_same_twice():
    found = {words_by_lot() for _ in range(50)}
    assert len(found) == 50
    assert {len(words.split()) for words in found} == {LOT_WORDS}


def test_the_blocks_are_the_code_with_its_quiet_zone():
    text = code_of("BLUE", ROOT)
    rows = [[int(bool(x)) for x in row] for row in segno.make_qr(text, error="m").matrix]
    drawn = qr.blocks(text)
    halves = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    seen = [[halves[c][half] for c in line] for line in drawn for half in (0, 1)]
    inside = [row[4:-4] for row in seen[4 : 4 + len(rows)]]
    assert inside == rows
    assert not any(any(row) for row in seen[:4] + seen[4 + len(rows) :])
    assert not any(row[n] for row in seen for n in (*range(4), *range(-4, 0)))


def test_a_drawing_is_never_written_over(tmp_path):
    qr.write_svg("x", tmp_path / "a.svg")
    with pytest.raises(BadInput):
        qr.write_svg("y", tmp_path / "a.svg")
    assert 'fill="white"' in (tmp_path / "a.svg").read_text() or "#fff" in (tmp_path / "a.svg").read_text()
