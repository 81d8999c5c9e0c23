# SPDX-License-Identifier: Apache-2.0
"""The inside of a delivery made small, and whole again, byte for byte."""

import base64
import hashlib
import os
import zlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.errors import Malformed, Oversized
from wideberth.link.pack import DICTIONARY, is_packed, pack, unpack

MOST = 1 << 20


def envelope(payload, kind="entry"):
    signature = base64.b64encode(os.urandom(64)).decode()
    return msgspec.json.encode(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": f"application/vnd.wideberth.{kind}+json",
            "signatures": [{"keyid": os.urandom(8).hex(), "sig": signature}],
        }
    )


def inside(*frames, sidecars=()):
    rows = b",".join(b"[" + b",".join(frame) + b"]" for frame in frames)
    return b'{"frames":[' + rows + b'],"sidecars":[' + b",".join(sidecars) + b"]}"


ODD = st.one_of(
    st.binary(max_size=40).map(lambda b: envelope(b"{" + b)),
    st.binary(max_size=40).map(envelope),
    st.sampled_from(
        [
            b"1", b"null", b'"x"', b"{}", b'{"payload":{}}', b'{"payload":{"a":1},"payloadType":"","signatures":[]}',
            b'{"payload":"e30=","payloadType":"","signatures":[]}', b'{"payload":"e30","payloadType":1,"signatures":2}',
            b'{"payload":"","payloadType":"","signatures":[]}', b'{"payload":null,"payloadType":"","signatures":[]}',
            b'{"payload":{"a": 1},"payloadType":"","signatures":[]}',
            b'{"payloadType":"","payload":"e30=","signatures":1}',
        ]
    ),
)  # fmt: skip


@given(st.lists(st.lists(ODD, min_size=1, max_size=2), max_size=4), st.lists(ODD, max_size=3))
@settings(max_examples=300, deadline=None)
def test_whatever_is_packed_comes_out_as_it_was(frames, sidecars):
    plain = inside(*frames, sidecars=sidecars)
    packed = pack(plain)
    assert is_packed(packed)
    assert not is_packed(plain)
    assert unpack(packed, MOST) == plain
    assert unpack(packed + b"   ", MOST) == plain


def test_entries_shrink_to_half_and_more_of_them_to_less():
    frames = []
    for n in range(5):
        header = b'{"agr":"%b","body_sha256":"%b","by":"BLUE/watch-1","ch":"%b","prev":"%b","seq":%d}' % (
            b"a1" * 32, os.urandom(32).hex().encode(), b"c2" * 32, os.urandom(32).hex().encode(), n,
        )  # fmt: skip
        frames.append([envelope(header), envelope(b'{"said":1}')])
    one, five = len(pack(inside(frames[0]))), len(pack(inside(*frames)))
    assert one < len(inside(frames[0])) / 2
    assert (five - one) / 4 < one


@pytest.mark.parametrize("data", [b"z", b"zz", b"z" + bytes(9), pack(inside())[:-1], pack(inside()) + b"x"])
def test_what_is_packed_badly_is_malformed(data):
    with pytest.raises(Malformed):
        unpack(data, MOST)


def test_what_would_become_too_much_is_refused_before_it_is_there():
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=DICTIONARY)
    bomb = b"z" + deflate.compress(b" " * (64 << 20)) + deflate.flush()
    assert len(bomb) < 100_000
    with pytest.raises(Oversized):
        unpack(bomb, MOST)


def test_the_dictionary_is_part_of_the_format_and_stays():
    assert hashlib.sha256(DICTIONARY).hexdigest() == "d4a0934311b8009b154bf5d30b56e4a7bdbaf9cf75c32479fb482f2faa1607c8"
