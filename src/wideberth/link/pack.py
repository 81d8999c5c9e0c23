# SPDX-License-Identifier: Apache-2.0
"""The inside of a delivery, made small: on a line of 1 kB/s every kilobyte is a second that a warning is late.

    packed = pack(plain)            # never fails; unpack(pack(plain)) == plain for every inside of a delivery
    plain = unpack(packed, most)

An envelope holds its header as base64, in which nothing repeats that repeats in the header. So an envelope of the usual
spelling is first written with its payload as the JSON it is, instead of as base64 of that; then all is deflated (RFC
1951) with `DICTIONARY`, the words that every delivery begins with. A single entry shrinks to half, the next ones of the
same delivery to a quarter. Nothing of this is signed: what comes out is what was signed, byte for byte.

What another party sees of a length it sees padded. Both ends of a delivery may read all of it, so that nothing secret
from one is compressed beside something chosen by the other.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import zlib
from collections.abc import Callable
from typing import Final

import msgspec

from wideberth.errors import Malformed, Oversized

# Part of the format: it never changes. What is likeliest stands last.
DICTIONARY: Final = (
    b'{"ack":"by_type":"cancel","clarify","correct","readback","relay","text":"}]}}}'
    b'"altitude":"ref":"AGL""ref":"AMSL""ref":"FL""ref":"SFC""ref":"UNL""mm":"FLASH""IMMEDIATE""PRIORITY""ROUTINE"'
    b'"kind":"receipt","level":"stored","of":"shown"application/vnd.wideberth.receipt+json'
    b'"kind":"alert","started_ms":"kind":"hold_off","kind":"notice","ref":"terms":{"contact":"","expires_ms":'
    b',"hazard":"CREWED_AIRCRAFT","precedence":"FLASH","type":"AREA_ACTIVITY","volumes":[{"end_ms":,"lower":{"mm":'
    b',"ref":"FL"},"shape":{"centre":[,],"kind":"circle","radius_mm":},"start_ms":,"upper":{"mm":,"ref":"FL"}}]}}}'
    b'"}},"salt":"=="}]],"sidecars":[{"payload":{"'
    b'{"frames":[[{"payload":{"agr":"","body_sha256":"","by":"/watch-1","ch":"","epoch":"","from":"","prev":"",'
    b'"seen":{"":["",1,""]},"seq":,"t_ms":17953743,"type":"alert","v":1},"payloadType":'
    b'"application/vnd.wideberth.entry+json","signatures":[{"keyid":"","sig":"=="}]},{"body":{"said":{"by":"/watch-1",'
    b'"ch":"","t_ms":17953743,"what":{"kind":"'
)
_Change = Callable[[msgspec.Raw], msgspec.Raw]
# What the first byte says: payloads as the JSON that they are, or all as it was.
_OPENED: Final = b"z"
_AS_IT_WAS: Final = b"y"


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    payload: msgspec.Raw
    payloadType: msgspec.Raw
    signatures: msgspec.Raw


class _Inside(msgspec.Struct, forbid_unknown_fields=True):
    frames: list[list[msgspec.Raw]]
    sidecars: list[msgspec.Raw]


_envelope: Final = msgspec.json.Decoder(_Envelope)
_inside: Final = msgspec.json.Decoder(_Inside)
_encode: Final = msgspec.json.Encoder().encode


def pack(plain: bytes) -> bytes:
    """`plain`: the unpadded JSON of frames and sidecars. What cannot be made small stays as it is."""
    mark, small = _AS_IT_WAS, plain
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        opened = _encode(_each(_inside.decode(plain), _opened))
        if _written(opened) == plain:
            mark, small = _OPENED, opened
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
    return mark + deflate.compress(small) + deflate.flush()


def is_packed(data: bytes) -> bool:
    return data[:1] in (_OPENED, _AS_IT_WAS)


def unpack(data: bytes, most: int) -> bytes:
    """The JSON that was packed, from bytes that may end in spaces. Never makes more than `most` bytes in memory.

    Raises: Malformed, Oversized.
    """
    inflate = zlib.decompressobj(-15, DICTIONARY)
    try:
        small = inflate.decompress(data[1:], most + 1)
    except zlib.error:
        raise Malformed("the inside of a delivery is packed in a way that cannot be read") from None
    if len(small) > most:
        raise Oversized(f"the inside of a delivery has at most {most} bytes")
    if not inflate.eof or inflate.unused_data.strip(b" "):
        raise Malformed("the inside of a delivery is packed in a way that cannot be read")
    if data[:1] == _AS_IT_WAS:
        return small
    try:
        return _written(small)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Malformed("the inside of a delivery is not the JSON of frames and sidecars") from None


def _written(small: bytes) -> bytes:
    return _encode(_each(_inside.decode(small), _closed))


def _each(inside: _Inside, change: _Change) -> _Inside:
    return _Inside(
        [[change(frame[0]), *frame[1:]] if frame else frame for frame in inside.frames],
        list(map(change, inside.sidecars)),
    )


def _opened(envelope: msgspec.Raw) -> msgspec.Raw:
    """With its payload as JSON, where it is an object and comes back as it was."""
    try:
        parts = _envelope.decode(envelope)
        payload = base64.b64decode(bytes(parts.payload).strip(b'"'), validate=True)
        if payload[:1] != b"{":
            return envelope
        opened = msgspec.Raw(_encode(_Envelope(msgspec.Raw(payload), parts.payloadType, parts.signatures)))
        return opened if bytes(_closed(opened)) == bytes(envelope) else envelope
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError):
        return envelope


def _closed(envelope: msgspec.Raw) -> msgspec.Raw:
    if not bytes(envelope).startswith(b'{"payload":{'):
        return envelope
    parts = _envelope.decode(envelope)
    payload = msgspec.Raw(b'"' + base64.b64encode(bytes(parts.payload)) + b'"')
    return msgspec.Raw(_encode(_Envelope(payload, parts.payloadType, parts.signatures)))
