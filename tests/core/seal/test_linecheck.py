# SPDX-License-Identifier: Apache-2.0
"""The line check: what four times say about two clocks, whatever the network does; and the messages that carry them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.say.words import Place
from wideberth.core.seal import linecheck as lc
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier
from wideberth.core.seal.linecheck import LineAsk
from wideberth.errors import BadSignature, Fault, Malformed

VERIFIER = Ed25519Verifier()
BLUE, GREEN = Ed25519Signer(b"\x01" * 32), Ed25519Signer(b"\x02" * 32)
HEADS = {"BLUE": Place("0b" * 16, 7, "aa" * 32), "GREEN": Place("0c" * 16, 3, "bb" * 32)}
ASK = LineAsk(1, "ab" * 32, "BLUE", "GREEN", "0d" * 16, 1_000, HEADS)
ANSWER = lc.answer_to(ASK, 1_520, 1_530, {"GREEN": HEADS["GREEN"]})
CLOSE = lc.close_of(ANSWER, 1_050)


@given(
    skew_us=st.integers(-10**11, 10**11), out_us=st.integers(0, 10**8), wait_us=st.integers(0, 10**7),
    back_us=st.integers(0, 10**8), start_us=st.integers(10**12, 10**13),
)  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_the_true_difference_is_always_inside_the_bound(
    skew_us: int, out_us: int, wait_us: int, back_us: int, start_us: int
) -> None:  # fmt: skip
    t2, t3 = start_us + out_us + skew_us, start_us + out_us + wait_us + skew_us
    t4 = start_us + out_us + wait_us + back_us
    found = lc.estimate(start_us // 1000, t2 // 1000, t3 // 1000, t4 // 1000)
    assert found is not None
    assert abs(skew_us - found.offset_ms * 1000) <= found.bound_ms * 1000
    assert found.bound_ms * 2000 <= out_us + back_us + 6000


def test_a_skew_of_90_seconds_is_seen() -> None:
    assert lc.estimate(0, 90_010, 90_012, 22) == lc.ClockBound(90_000, 11)


def test_a_clock_that_was_set_in_between_gives_no_estimate() -> None:
    assert lc.estimate(1_000, 1_500, 1_400, 2_000) is None
    assert lc.estimate(1_000, 1_500, 1_600, 900) is None
    assert lc.estimate(1_000, 500, 900, 1_100) is None


def test_the_three_messages_cite_each_other_and_verify() -> None:
    for message, key in ((ASK, BLUE), (ANSWER, GREEN), (CLOSE, BLUE)):
        data = lc.seal(message, key)
        again, sealed, payload = lc.read(data)
        assert again == message
        lc.check(again, sealed, payload, key.public, VERIFIER)
        with pytest.raises(BadSignature):
            lc.check(again, sealed, payload, Ed25519Signer(b"\x03" * 32).public, VERIFIER)
        assert lc.sidecar(data, 5).author == message.sender
    assert lc.answers(ASK, ANSWER)
    assert lc.closes(ANSWER, CLOSE)
    assert lc.estimate(CLOSE.t1_ms, CLOSE.t2_ms, CLOSE.t3_ms, CLOSE.t4_ms) == lc.ClockBound(500, 21)


def test_an_answer_to_another_ask_and_a_close_with_other_times_are_seen() -> None:
    import msgspec

    change = msgspec.structs.replace
    assert not lc.answers(change(ASK, t1_ms=999), ANSWER)
    assert not lc.answers(change(ASK, to="RED"), ANSWER)
    assert not lc.answers(ASK, change(ANSWER, nonce="0e" * 16))
    assert not lc.closes(ANSWER, change(CLOSE, t2_ms=1))
    assert not lc.closes(change(ANSWER, t3_ms=1_531), CLOSE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"v": 2}, {"ch": "ab"}, {"sender": "GREEN"}, {"sender": "blue"}, {"nonce": "0D" * 16}, {"t1_ms": -1},
        {"t1_ms": 2**53}, {"heads": {"BLUE": Place("0b", 1, "aa" * 32)}},
        {"heads": {"BLUE": Place("0b" * 16, 0, "aa" * 32)}},
    ],
)  # fmt: skip
def test_a_message_of_another_shape_is_malformed(wrong: dict[str, object]) -> None:
    import msgspec

    with pytest.raises(Malformed):
        lc.read(lc.seal(msgspec.structs.replace(ASK, **wrong), BLUE))


def test_an_answer_without_what_it_answers_is_malformed() -> None:
    import msgspec

    with pytest.raises(Malformed):
        lc.read(lc.seal(msgspec.structs.replace(ANSWER, ask=""), GREEN))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_nonsense_is_malformed(data: bytes) -> None:
    with pytest.raises(Fault):
        lc.read(data)
