# SPDX-License-Identifier: Apache-2.0
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.limits import DELIVERY_BYTES_MAX, DELIVERY_FRAMES_MAX, FRAME_BYTES_MAX
from wideberth.errors import BadSignature, Malformed, Misuse, Oversized
from wideberth.link.delivery import (
    DELIVERY_SIDECARS_MAX,
    PAD_BYTES,
    Delivery,
    Frame,
    open_delivery,
    read,
    read_address,
    seal_delivery,
    write,
)
from wideberth.link.sealing import CLASSIC, SealingKey

CH = "ab" * 32
KEY = SealingKey.generate(CLASSIC)
PUBLIC = KEY.public()


def opened(wire, key=KEY):
    return open_delivery(wire, read_address(wire), key)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
# Any spelling, not only the canonical one: the link must not care how a frame is written inside.
json_texts = st.builds(
    lambda value, spaced: msgspec.json.format(msgspec.json.encode(value), indent=2 if spaced else -1),
    json_values,
    st.booleans(),
)
frames = st.builds(Frame, json_texts, st.just(b"") | json_texts)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
deliveries = st.builds(
    Delivery,
    ch=st.binary(min_size=32, max_size=32).map(bytes.hex),
    sender=names,
    to=names,
    frames=st.lists(frames, max_size=5).map(tuple),
    sidecars=st.lists(json_texts, max_size=5).map(tuple),
)


@given(deliveries)
@settings(deadline=None)
def test_the_very_same_bytes_come_out(delivery):
    assert opened(seal_delivery(delivery, PUBLIC)) == delivery


def test_odd_spellings_inside_a_frame_arrive_as_they_were_sent():
    envelope = b'{"b": 1.0e+5, "a":"\\u00e9\xc3\xa9\\/", "a":null, "n":-0, "t":"\xff\xfe"}'
    delivery = Delivery(CH, "BLUE", "GREEN", (Frame(envelope, b""), Frame(b"[1,\t2]", b'" "')), (b'"  "',))
    assert opened(seal_delivery(delivery, PUBLIC)) == delivery


def test_lengths_tell_only_multiples_of_256():
    sizes = {len(write(Delivery(CH, "A", "B", (Frame(b'"' + b"x" * n + b'"', b"{}"),)))) for n in range(600)}
    assert sizes == {256, 512, 768}


def test_a_routine_notice_stays_under_four_thousand_bytes_sealed_with_the_hybrid():
    key = SealingKey.generate()
    frame = Frame(b'"' + b"e" * 1398 + b'"', b'"' + b"b" * 898 + b'"')
    assert frame.size == 2300
    wire = seal_delivery(Delivery(CH, "BLUE", "GREEN", (frame,)), key.public())
    # The HTTP head is measured on a real connection in test_link_over_tls.py; it has less than 200 bytes.
    assert len(wire) < 4000 - 200


@pytest.mark.parametrize("at", range(60))
def test_no_byte_of_the_header_can_be_changed(at):
    wire = bytearray(seal_delivery(Delivery(CH, "BLUE", "GREEN"), PUBLIC))
    wire[at] ^= 1
    with pytest.raises((BadSignature, Malformed)):
        opened(bytes(wire))


def test_a_delivery_cannot_be_handed_on_under_another_name():
    wire = seal_delivery(Delivery(CH, "BLUE", "GREEN"), PUBLIC)
    renamed = wire.replace(b"BLUE", b"PLUM")
    assert read_address(renamed).sender == "PLUM"
    with pytest.raises(BadSignature):
        opened(renamed)


def test_the_address_names_channel_sender_recipient_and_key():
    address = read_address(seal_delivery(Delivery(CH, "BLUE", "ÉIRE"), PUBLIC))
    assert (address.ch, address.sender, address.to, address.key_id) == (CH, "BLUE", "ÉIRE", KEY.id)


def big(n):
    return b'"' + b"x" * (n - 2) + b'"'


@pytest.mark.parametrize(
    "delivery",
    [
        Delivery(CH, "A", "B", (Frame(big(FRAME_BYTES_MAX), b"1"),)),
        Delivery(CH, "A", "B", (Frame(b"1", b"2"),) * (DELIVERY_FRAMES_MAX + 1)),
        Delivery(CH, "A", "B", (), (b"1",) * (DELIVERY_SIDECARS_MAX + 1)),
        Delivery(CH, "A", "B", (Frame(big(60_000), b""),) * 20),
        Delivery(CH, "A", "B", (), (big(FRAME_BYTES_MAX + 1),)),
        Delivery(CH, "A", "B", (Frame(b"", b"1"),)),
        Delivery(CH, "A", "B", (Frame(b"1],[2", b""),)),
        Delivery(CH, "A", "B", (Frame(b" 1", b""),)),
        Delivery(CH, "A", "B", (Frame(b"{", b""),)),
        Delivery("AB" * 32, "A", "B"),
        Delivery("ab", "A", "B"),
        Delivery(CH, "", "B"),
        Delivery(CH, "A", "x" * 321),
        Delivery(CH, "A", "\ud800"),
    ],
)
def test_what_the_other_side_would_refuse_is_never_sent(delivery):
    with pytest.raises(Misuse):
        seal_delivery(delivery, PUBLIC)


def test_the_largest_frame_and_the_largest_count_pass():
    one = Delivery(CH, "A", "B", (Frame(big(FRAME_BYTES_MAX - 1), b"1"),))
    many = Delivery(CH, "A", "B", (Frame(big(3800), b"{}"),) * DELIVERY_FRAMES_MAX, (b"[]",) * DELIVERY_SIDECARS_MAX)
    for delivery in (one, many):
        assert opened(seal_delivery(delivery, PUBLIC)) == delivery


def sealed_inside(data):
    """A delivery as a dishonest peer can make it: any bytes inside a seal that opens."""
    from wideberth.link import delivery as module

    header = module._header(CH, "A", "B", KEY.id)
    return header + module.seal(PUBLIC, data, module._INFO + header)


def inner(frames=b"[]", sidecars=b"[]"):
    data = b'{"frames":' + frames + b',"sidecars":' + sidecars + b"}"
    return data.ljust(-(-len(data) // PAD_BYTES) * PAD_BYTES)


def test_a_well_made_inside_opens():
    assert opened(sealed_inside(inner())) == Delivery(CH, "A", "B")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", Malformed),
        (b" " * 256, Malformed),
        (inner().rstrip(), Malformed),
        (inner() + b" ", Malformed),
        (b" " + inner()[:-1], Malformed),
        (inner().replace(b":", b": ")[:256], Malformed),
        (inner(b"[[]]"), Malformed),
        (inner(b"[[1,2,3]]"), Malformed),
        (inner(b"[1]"), Malformed),
        (inner(b"[[1,]]"), Malformed),
        (inner(b'[],"frames":[[1]]'), Malformed),
        (inner(b'[],"more":[]'), Malformed),
        (inner(b"[[" + b"[" * 200_000), Malformed),
        (inner(b"[[" + b"[" * 200_000 + b"]" * 200_000 + b"]]"), Malformed),
        (inner(b"[" + b",".join([b"[1]"] * 257) + b"]"), Oversized),
        (inner(sidecars=b"[" + b",".join([b"1"] * 257) + b"]"), Oversized),
        (inner(b"[[" + big(FRAME_BYTES_MAX) + b",1]]"), Oversized),
        (inner(sidecars=b"[" + big(FRAME_BYTES_MAX + 1) + b"]"), Oversized),
        (b"\x00" * 512, Malformed),
        (b"\xff" * 512, Malformed),
    ],
)
def test_what_is_wrong_inside_a_good_seal_is_their_fault(data, fault):
    with pytest.raises(fault):
        opened(sealed_inside(data))


def test_more_than_a_mebibyte_is_oversized_before_anything_else():
    for wire in (bytes(DELIVERY_BYTES_MAX + 1), b"wbd1" + bytes(DELIVERY_BYTES_MAX)):
        with pytest.raises(Oversized):
            read_address(wire)
    with pytest.raises(Oversized):
        read(b" " * (DELIVERY_BYTES_MAX + 1))


@given(st.binary(max_size=600), st.booleans())
@settings(max_examples=300, deadline=None)
def test_garbage_on_the_wire_is_a_fault_and_nothing_else(garbage, with_magic):
    with pytest.raises((Malformed, BadSignature, Oversized)):
        opened((b"wbd1" if with_magic else b"") + garbage)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_garbage_inside_the_seal_is_a_fault_or_the_same_bytes(data):
    good = bytearray(inner(b'[[{"a":[1,2]},{"b":"c"}],["d"]]', b"[null]"))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(good))
    except (Malformed, Oversized):
        return
    assert write(Delivery(CH, "A", "B", *found)) == good


def test_a_thousand_random_mutations_of_a_whole_delivery_are_all_refused():
    rng = random.Random(20)
    wire = seal_delivery(Delivery(CH, "BLUE", "GREEN", (Frame(b'{"a":1}', b"[]"),)), PUBLIC)
    for _ in range(1000):
        changed = bytearray(wire)
        for _ in range(rng.randrange(1, 4)):
            changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
        cut = rng.choice((len(changed), rng.randrange(len(changed))))
        if bytes(changed[:cut]) == wire:
            continue
        with pytest.raises((Malformed, BadSignature, Oversized)):
            opened(bytes(changed[:cut]))
