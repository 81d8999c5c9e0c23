# SPDX-License-Identifier: Apache-2.0
"""One spelling, one signature, one agreement: what is signed and how it is refused."""

from __future__ import annotations

import contextlib
import hashlib

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pair import RULES, T0, Keys, agreement_of
from wideberth.core.say.rules import Mode, Purpose
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.agreement import one_line, read_agreement
from wideberth.core.seal.founding import parse_file
from wideberth.core.seal.invite import (
    Invite,
    Offer,
    ReplyFile,
    accept_invite,
    accept_reply,
    make_invite,
    read_invite,
)
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier, b64
from wideberth.core.seal.party import read_card
from wideberth.errors import BadInput, BadSignature, Malformed, Stranger, Theirs
from wideberth.fingerprint import fingerprint_words, same_words

VERIFIER = Ed25519Verifier()

texts = st.text(max_size=12).filter(lambda s: not any(0xD800 <= ord(c) < 0xE000 for c in s))
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz_AZ09 ~", max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=400)
@given(plain)
def test_our_encoder_writes_the_bytes_of_rfc_8785(value: object) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        '{"b":1,"a":2}', '{"a": 1}', '{"a":1,"a":1}', '{"a":1.0}', '{"a":1e3}', '{"a":-0}', '{"a":9007199254740992}',
        '{"é":1}', '"e\u0301"', '"\\u0041"', '["\\/"]', "[1,]", "nul", "", "\ufeff1", "[" * 40 + "]" * 40, '{"a":01}',
    ],
)  # fmt: skip
def test_every_second_spelling_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        canonical.check(text.encode(), "it")


@given(st.binary(max_size=64))
def test_garbage_is_their_fault_and_nothing_else(data: bytes) -> None:
    for read in (
        lambda: canonical.check(data, "it"),
        lambda: envelope.read(data, envelope.ENTRY),
        lambda: read_card(data, VERIFIER),
        lambda: read_agreement(data, VERIFIER),
        lambda: parse_file(data),
    ):
        with contextlib.suppress(Theirs):
            read()


def test_the_pre_authentication_encoding_is_that_of_dsse() -> None:
    # The example of the DSSE protocol text, version 1.
    assert envelope.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_small_order_key_signs_nothing() -> None:
    # With the neutral element as key, (R = S·B, S) verifies under rules that do not refuse small-order keys.
    small = b64(b"\x01" + bytes(31))
    forged = b"\x01" + bytes(31) + bytes(32)
    assert not VERIFIER.verify(small, b"anything", forged)


def test_a_signature_with_an_unreduced_scalar_is_refused() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    signer = Ed25519Signer(hashlib.sha256(b"x").digest())
    good = signer.sign(b"m")
    assert VERIFIER.verify(signer.public, b"m", good)
    scalar = int.from_bytes(good[32:], "little") + order
    assert not VERIFIER.verify(signer.public, b"m", good[:32] + scalar.to_bytes(32, "little"))


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_any_changed_bit_of_a_card_is_refused(at: int, bit: int) -> None:
    data = bytearray(Keys("BLUE").card())
    data[at % len(data)] ^= 1 << bit
    with pytest.raises(Theirs):
        read_card(bytes(data), VERIFIER, root=Keys("BLUE").root.public)


def test_an_agreement_needs_every_signature() -> None:
    whole, _ = agreement_of(Keys("BLUE"), Keys("GREEN"))
    read_agreement(whole, VERIFIER)
    half = msgspec.json.decode(whole)
    half["signatures"] = half["signatures"][:1]
    with pytest.raises(BadSignature):
        read_agreement(canonical.encode(half), VERIFIER)
    read_agreement(canonical.encode(half), VERIFIER, complete=False)


def test_the_channel_id_changes_with_mode_members_and_every_number() -> None:
    ids = {
        agreement_of(Keys("BLUE"), Keys("GREEN"))[1],
        agreement_of(Keys("BLUE"), Keys("GREEN"), mode=Mode.REAL)[1],
        agreement_of(Keys("BLUE"), Keys("WHITE"))[1],
        agreement_of(Keys("BLUE"), Keys("GREEN"), rules=msgspec.structs.replace(RULES, lead_ms=599_999))[1],
    }
    assert len(ids) == 4


LINES = one_line(Purpose.FLIGHT_SAFETY, ("BLUE", "GREEN"))
OFFER = Offer(1, "GREEN", "Coast", Mode.EXERCISE, LINES, RULES, T0, "ab" * 16)


def test_two_strangers_get_from_a_file_to_a_countersigned_agreement() -> None:
    blue, green = Keys("BLUE"), Keys("GREEN")
    card = msgspec.json.decode(blue.card(), type=envelope.Envelope)
    sent = parse_file(canonical.encode(make_invite(card, OFFER, blue.root)))
    assert isinstance(sent, Invite)
    theirs, offer = read_invite(sent, VERIFIER)
    assert same_words(fingerprint_words(blue.root.public).upper(), theirs.root)
    assert offer == OFFER
    green_card = msgspec.json.decode(green.card(), type=envelope.Envelope)
    reply = parse_file(canonical.encode(accept_invite(sent, green_card, green.root, VERIFIER)))
    assert isinstance(reply, ReplyFile)
    card_of_green, complete = accept_reply(reply, sent, blue.root, VERIFIER)
    assert card_of_green.party == "GREEN"
    agreement, _, _ = read_agreement(complete.encoded(), VERIFIER)
    assert [m.party for m in agreement.members] == ["BLUE", "GREEN"]


def test_a_reply_that_changes_one_number_is_not_countersigned() -> None:
    blue, green = Keys("BLUE"), Keys("GREEN")
    card = msgspec.json.decode(blue.card(), type=envelope.Envelope)
    green_card = msgspec.json.decode(green.card(), type=envelope.Envelope)
    invite = make_invite(card, OFFER, blue.root)
    other = make_invite(
        card, msgspec.structs.replace(OFFER, rules=msgspec.structs.replace(RULES, lead_ms=1)), blue.root
    )
    reply = accept_invite(other, green_card, green.root, VERIFIER)
    with pytest.raises(BadInput, match="changes what was offered"):
        accept_reply(reply, invite, blue.root, VERIFIER)


def test_an_offer_signed_by_another_root_than_the_card_shows_is_refused() -> None:
    card = msgspec.json.decode(Keys("BLUE").card(), type=envelope.Envelope)
    with pytest.raises(BadSignature):
        read_invite(make_invite(card, OFFER, Keys("RED").root), VERIFIER)


def test_a_card_of_another_root_is_a_stranger() -> None:
    with pytest.raises(Stranger):
        read_card(Keys("BLUE").card(), VERIFIER, root=Keys("GREEN").root.public)


def test_words_of_two_keys_differ_in_most_places() -> None:
    words = [fingerprint_words(Ed25519Signer(hashlib.sha256(bytes([n])).digest()).public).split() for n in range(50)]
    assert {len(w) for w in words} == {12}
    assert len({tuple(w) for w in words}) == 50
