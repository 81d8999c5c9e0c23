# SPDX-License-Identifier: Apache-2.0
"""spec/7 is what the code writes, and what it makes of what a mediator hands over."""

from __future__ import annotations

import base64
import json

import pytest
from mediator_vectors import PAGE, SHOWN, VECTOR, make, shown

from wideberth.core.seal import canonical, mediation
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.mediation import MediatorCard
from wideberth.errors import BadSignature, Spoiled
from wideberth.link.wrapper import unpack

MADE = json.loads(VECTOR.read_text(encoding="utf-8"))
CHECK = Ed25519Verifier()
CARD = MediatorCard(1, "HOST", MADE["mediator_key"], "", "", "")


def test_the_vector_is_what_the_code_writes() -> None:
    assert make() == MADE


def test_the_examples_of_the_page_are_those_of_the_vector() -> None:
    blocks = SHOWN.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 3
    for _, name, text, _ in blocks:
        assert "".join(text.split("\n")) == shown(MADE, name), name


@pytest.mark.parametrize("case", MADE["handed_over"], ids=lambda case: case["what"])
def test_what_a_mediator_hands_over_ends_as_the_vector_says(case) -> None:  # type: ignore[no-untyped-def]
    wrapper = unpack(base64.b64decode(case["wrapper"]))
    key = MADE["node_keys"]["BLUE"]

    def check() -> mediation.Handed:
        return mediation.check_handed(wrapper.slip, wrapper.stamp, wrapper.sealed, CARD, (key,), CHECK)

    if case["ends"] == "taken":
        assert check().vouched
    elif case["ends"] == "opened":
        assert not check().vouched
    elif case["ends"] == "nobody":
        with pytest.raises(BadSignature):
            check()
    else:
        with pytest.raises(Spoiled) as told:
            check()
        assert told.value.by == case["ends"]


def test_the_answer_comes_back_bound_to_its_delivery_with_both_stamps() -> None:
    back = unpack(base64.b64decode(MADE["to_sender"]))
    sent = unpack(base64.b64decode(MADE["to_mediator"]))
    mediation.check_stamp(back.before, CARD, sent.slip, sent.sealed, CHECK)
    handed = mediation.check_handed(
        back.slip, back.stamp, back.sealed, CARD, (MADE["node_keys"]["GREEN"],), CHECK,
        answers=canonical.sha256(sent.sealed),
    )  # fmt: skip
    assert handed.slip.answers == handed.slip.answers.lower()
    why = mediation.check_stamp(MADE["not_passed_on"].encode(), CARD, sent.slip, sent.sealed, CHECK)
    assert (why.why, why.passed_ms) == ("UNREACHABLE", 0)
