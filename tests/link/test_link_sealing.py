# SPDX-License-Identifier: Apache-2.0
import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.errors import BadInput, BadSignature, Fault, Malformed
from wideberth.link.sealing import CLASSIC, HYBRID, SUITES, SealingKey, check_public, key_id, seal

KEYS = {suite: SealingKey.generate(suite) for suite in SUITES}
each_suite = pytest.mark.parametrize("suite", SUITES)


@each_suite
@given(plaintext=st.binary(max_size=4096), info=st.binary(max_size=64))
@settings(max_examples=30, deadline=None)
def test_what_is_sealed_to_a_key_opens_with_it_and_with_the_same_info(suite, plaintext, info):
    key = KEYS[suite]
    sealed = seal(key.public(), plaintext, info)
    assert key.open(sealed, info) == plaintext
    assert len(sealed) == len(plaintext) + SUITES[suite].overhead_bytes
    with pytest.raises(BadSignature):
        key.open(sealed, info + b"x")


@each_suite
def test_every_changed_byte_is_refused(suite):
    key = KEYS[suite]
    sealed = seal(key.public(), b"a warning", b"info")
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(BadSignature):
            key.open(bytes(changed), b"info")


@each_suite
def test_another_key_of_the_same_suite_does_not_open_it(suite):
    sealed = seal(KEYS[suite].public(), b"a warning", b"")
    with pytest.raises(BadSignature):
        SealingKey.generate(suite).open(sealed, b"")


def test_the_same_words_sealed_twice_look_different():
    public = KEYS[HYBRID].public()
    assert seal(public, b"same", b"") != seal(public, b"same", b"")


@each_suite
def test_a_key_survives_being_written_down_and_read_again(suite):
    key = KEYS[suite]
    again = SealingKey.from_bytes(key.to_bytes())
    assert (again.public(), again.id, again.suite) == (key.public(), key.id, suite)
    assert again.open(seal(key.public(), b"x", b"i"), b"i") == b"x"
    assert key.id == key_id(key.public())


def test_a_new_key_is_hybrid_where_the_library_can():
    assert SealingKey.generate().suite == HYBRID


def test_the_repr_of_a_key_shows_nothing_secret():
    key = KEYS[CLASSIC]
    assert key.to_bytes().decode().partition(":")[2] not in repr(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "x25519-sha256-aes256gcm",
        "x25519-sha256-aes256gcm:",
        "x25519-sha256-aes256gcm:!!!!",
        "x25519-sha256-aes256gcm:" + base64.b64encode(bytes(31)).decode(),
        "rot13:" + base64.b64encode(bytes(32)).decode(),
        "x25519-sha256-aes256gcm:" + "A" * 42 + "B=",  # 32 bytes, but the last character has unused bits set
        f"{HYBRID}:" + base64.b64encode(b"\xff" * 1216).decode(),
        "é:é",
        "x" * 100_000,
    ],
)
def test_a_public_key_that_cannot_be_used_is_their_fault(text):
    with pytest.raises(Malformed):
        seal(text, b"x", b"")
    if text:
        with pytest.raises(BadInput):
            SealingKey.from_bytes(text.encode())


def test_a_public_key_under_which_everybody_knows_the_secret_is_refused():
    zero = f"{CLASSIC}:" + base64.b64encode(bytes(32)).decode()
    with pytest.raises(Malformed):
        seal(zero, b"x", b"")


def test_check_public_takes_real_keys():
    for key in KEYS.values():
        check_public(key.public())


@each_suite
@given(garbage=st.binary(max_size=3000))
@settings(max_examples=50, deadline=None)
def test_garbage_is_a_fault_and_nothing_else(suite, garbage):
    with pytest.raises((Malformed, BadSignature)):
        KEYS[suite].open(garbage, b"")
    with pytest.raises(Fault):
        SealingKey.from_bytes(garbage)
