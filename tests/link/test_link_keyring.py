# SPDX-License-Identifier: Apache-2.0
"""Which of our keys opens in which channel."""

import pytest

from wideberth.errors import NotFound, Stranger
from wideberth.link.delivery import Address
from wideberth.link.keyring import MemoryKeyRing
from wideberth.link.sealing import SealingKey

COAST, CAPE = "c" * 64, "d" * 64


def address(ch, key):
    return Address(ch, "GREEN", "BLUE", key.id, b"")


@pytest.fixture
def ring():
    usual, apart, old = (SealingKey.generate() for _ in range(3))
    made = MemoryKeyRing()
    for key in (usual, apart, old):
        made.add_own(key)
    for ch, only in ((COAST, {usual.id, old.id}), (CAPE, {apart.id})):
        made.join(ch, "BLUE", frozenset(only))
        made.set_peer(ch, "GREEN", usual.public())
    return made, usual, apart, old


def test_a_channel_is_opened_with_its_own_keys_alone(ring):
    made, usual, apart, old = ring
    assert made.opening(address(COAST, usual)) is usual
    assert made.opening(address(COAST, old)) is old
    assert made.opening(address(CAPE, apart)) is apart
    for ch, key in ((COAST, apart), (CAPE, usual), (CAPE, old)):
        with pytest.raises(Stranger, match="not for us"):
            made.opening(address(ch, key))


def test_the_answer_is_the_same_whether_the_key_is_ours_elsewhere_or_nobodys(ring):
    made, usual, _, _ = ring
    said = []
    for key in (usual, SealingKey.generate()):
        with pytest.raises(Stranger) as caught:
            made.opening(address(CAPE, key))
        said.append((caught.value.sentence, caught.value.details))
    assert said[0] == said[1]


def test_without_a_limit_every_key_opens_and_a_channel_that_was_left_knows_none(ring):
    made, usual, apart, _ = ring
    made.join(CAPE, "BLUE")
    assert made.opening(address(CAPE, usual)) is usual
    made.leave(CAPE)
    with pytest.raises(Stranger):
        made.opening(address(CAPE, apart))
    made.drop_own(usual.id)
    with pytest.raises(NotFound):
        made.drop_own(usual.id)
