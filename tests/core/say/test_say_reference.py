# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wideberth.core.say import reference
from wideberth.errors import BadInput

# Fixed for ever: a paper from last year must still be readable. (party, number, reference)
VECTORS = [
    ("BLUE", 1, "BLU-0001-E"),
    ("BLUE", 42, "BLU-0042-M"),
    ("GREEN", 42, "GRE-0042-H"),
    ("Orange Two", 9_999, "RAN-9999-J"),
    ("W", 10_000, "WXX-010000-E"),
    ("GREEN", 12_345_678, "GRE-12345678-V"),
]
TYPED = string.ascii_uppercase + string.digits + "-"
SAMPLES = [
    reference.make(p, n) for p in ("BLUE", "GREEN", "Zed") for n in (0, 1, 42, 7_731, 10_000, 905_132, 1_000_000)
]


def taken(text: str) -> str | None:
    try:
        return reference.check(text)
    except BadInput:
        return None


@pytest.mark.parametrize(("party", "number", "ref"), VECTORS)
def test_references_never_change_their_check_letter(party: str, number: int, ref: str) -> None:
    assert reference.make(party, number) == ref
    assert reference.check(ref) == ref


@pytest.mark.parametrize("ref", SAMPLES)
def test_every_single_wrong_character_is_detected(ref: str) -> None:
    for i, right in enumerate(ref):
        for wrong in TYPED:
            if wrong != right and right != "-":
                assert taken(ref[:i] + wrong + ref[i + 1 :]) is None, (ref, i, wrong)


@pytest.mark.parametrize("ref", SAMPLES)
def test_every_swap_of_two_neighbours_is_detected_or_harmless(ref: str) -> None:
    bare = ref.replace("-", "")
    for i in range(len(bare) - 1):
        swapped = bare[:i] + bare[i + 1] + bare[i] + bare[i + 2 :]
        assert taken(swapped) == (ref if bare[i] == bare[i + 1] else None)
    for i in range(len(ref) - 1):
        swapped = ref[:i] + ref[i + 1] + ref[i] + ref[i + 2 :]
        assert taken(swapped) in ((ref,) if ref[i] == ref[i + 1] else (None,))


@pytest.mark.parametrize("ref", SAMPLES)
def test_a_lost_or_added_character_never_makes_another_reference(ref: str) -> None:
    for i in range(len(ref)):
        assert taken(ref[:i] + ref[i + 1 :]) in ((ref,) if ref[i] == "-" else (None,))
    for i in range(len(ref) + 1):
        for added in TYPED:
            assert taken(ref[:i] + added + ref[i:]) is None


@pytest.mark.parametrize("number", range(0, 10_000, 7))
def test_all_digit_slips_of_the_ear_are_detected(number: int) -> None:
    ref = reference.make("BLUE", number)
    code, digits, letter = ref.split("-")
    for i in range(3):
        a, b = digits[i], digits[i + 1]
        slips = []
        if a == b:  # 44 heard as 55
            slips += [digits[:i] + c + c + digits[i + 2 :] for c in string.digits if c != a]
        if a == "1" and b != "0" and b != "1":  # thirteen heard as thirty
            slips.append(digits[:i] + b + "0" + digits[i + 2 :])
        for slip in slips:
            assert taken(f"{code}-{slip}-{letter}") is None


@given(st.integers(0, reference.NUMBER_MAX), st.sampled_from(["BLUE", "GREEN", "Amber"]))
def test_what_is_made_is_taken_in_any_way_that_people_write_it(number: int, party: str) -> None:
    ref = reference.make(party, number)
    for text in (ref, ref.lower(), ref.replace("-", ""), ref.replace("-", " "), f"  {ref} "):
        assert reference.check(text) == ref


def test_numbers_have_one_width_and_one_reference() -> None:
    made = [reference.make("BLUE", n) for n in range(0, 30_000, 13)]
    assert len(set(made)) == len(made)
    body = "BLU" + "000042"
    letter = reference._check_letter(body)
    with pytest.raises(BadInput, match="too many zeros"):
        reference.check(f"BLU-000042-{letter}")


def test_the_alphabet_has_no_letter_that_looks_like_a_digit_of_the_number() -> None:
    assert not set("IOQ") & set(reference.LETTERS)
    assert reference.party_code("IOQ-Oasis") == "ASS"
    with pytest.raises(BadInput, match="no letters"):
        reference.party_code("ΟΙ 11")


@pytest.mark.parametrize("number", [-1, 10**8])
def test_a_number_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(BadInput, match="reference number"):
        reference.make("BLUE", number)


def test_references_are_spelled_for_the_telephone() -> None:
    assert reference.spell("BLU-0049-K") == "Bravo Lima Uniform, zero zero four niner, Kilo"
    assert reference.spell("x 36.5") == "X-ray, three six decimal five"
