# SPDX-License-Identifier: Apache-2.0
"""Six letters by voice: right ones are known, wrong and misheard ones are not (domain.md E9)."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from wideberth.core.say.codes import answers, challenge, mistyped, response
from wideberth.core.say.reference import LETTERS

HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(HASHES)
def test_whoever_holds_the_notice_can_answer_and_the_challenge_is_not_the_answer(entry: str) -> None:
    assert answers(entry, response(entry))
    assert answers(entry, response(entry).lower().replace("-", " "))
    assert not answers(entry, challenge(entry))
    assert not mistyped(response(entry))
    assert not mistyped(challenge(entry))


@given(HASHES, HASHES)
def test_another_version_has_another_answer(one: str, other: str) -> None:
    assert answers(other, response(one)) is (response(one) == response(other))


@given(HASHES, st.integers(0, 5), st.sampled_from(LETTERS))
def test_one_misheard_letter_is_always_noticed(entry: str, at: int, letter: str) -> None:
    letters = response(entry).replace("-", "")
    wrong = letters[:at] + letter + letters[at + 1 :]
    assert mistyped(wrong) is (wrong != letters)


@given(HASHES)
def test_two_letters_that_change_places_are_noticed(entry: str) -> None:
    letters = response(entry).replace("-", "")
    for a, b in itertools.pairwise(range(6)):
        swapped = list(letters)
        swapped[a], swapped[b] = swapped[b], swapped[a]
        assert mistyped("".join(swapped)) is (letters[a] != letters[b])


def test_a_letter_too_few_or_a_digit_is_no_code() -> None:
    assert mistyped("KTR-HB")
    assert mistyped("KTR-HBWA")
    assert mistyped("IOQ-IOQ")
