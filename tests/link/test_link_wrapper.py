# SPDX-License-Identifier: Apache-2.0
"""The outer wrapper of a relayed delivery: four parts, one spelling, bounded."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wideberth.core.limits import DELIVERY_BYTES_MAX
from wideberth.errors import Malformed, Oversized
from wideberth.link.wrapper import MAGIC, PART_BYTES_MAX, WRAPPER_BYTES_MAX, Wrapper, pack, unpack

part = st.binary(max_size=200)
WHOLE = Wrapper(b"slip", b"sealed", b"stamp", b"before")


@given(part, part, part, part)
def test_what_was_packed_comes_out_and_is_packed_the_same(slip, sealed, stamp, before):
    wrapper = Wrapper(slip, sealed, stamp, before)
    wire = pack(wrapper)
    assert unpack(wire) == wrapper
    assert pack(unpack(wire)) == wire


@given(st.binary(max_size=60))
def test_garbage_is_theirs_and_nothing_else(data):
    for wire in (data, MAGIC + data):
        with contextlib.suppress(Malformed, Oversized):
            assert pack(unpack(wire)) == wire


def test_every_cut_and_every_tail_is_refused():
    wire = pack(WHOLE)
    for end in range(len(wire)):
        with pytest.raises(Malformed):
            unpack(wire[:end])
    with pytest.raises(Malformed, match="follows"):
        unpack(wire + b"\0")
    with pytest.raises(Malformed, match="version 1"):
        unpack(b"wbm2" + wire[4:])


def test_each_part_has_its_limit():
    most = Wrapper(*(b"x" * n for n in (PART_BYTES_MAX, DELIVERY_BYTES_MAX, PART_BYTES_MAX, PART_BYTES_MAX)))
    assert len(pack(most)) == WRAPPER_BYTES_MAX
    assert unpack(pack(most)) == most
    for wrapper in (Wrapper(b"x" * (PART_BYTES_MAX + 1), b""), Wrapper(b"", b"x" * (DELIVERY_BYTES_MAX + 1))):
        with pytest.raises(Oversized):
            unpack(pack(wrapper))
    with pytest.raises(Oversized):
        unpack(pack(most) + b"x")
