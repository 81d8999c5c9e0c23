# SPDX-License-Identifier: Apache-2.0
"""A delivery: some frames and sidecars of one channel, from one node to another, sealed as a whole.

On the wire, in this order (integers big-endian):

    bytes  what
    4      "wbd1": this format, version 1
    32     channel id (the 32 bytes behind its 64 hex digits)
    8      which sealing key of the recipient opens it (`SealingKey.id`)
    2 + n  sender, as UTF-8, after its length
    2 + n  recipient, the same
    rest   HPKE (`link/sealing.py`) to the recipient; `info` = "wideberth delivery 1" NUL, then all the bytes above

so nothing above the sealed part can be changed, and nothing sealed for one channel, sender or recipient opens for
another. Who sealed it is not proven, and a relay may repeat it: neither matters, because each frame and sidecar carries
its own signature and repeats are harmless.

Sealed within: compact JSON, then spaces up to a multiple of 256 bytes, so that lengths tell little:

    {"frames":[[ENVELOPE,BODY],[ENVELOPE],...],"sidecars":[ENVELOPE,...]}

ENVELOPE and BODY are the JSON texts exactly as they were signed: raw values, never parsed or written again here. A
frame without a body (withheld, or a third party's header passed on) has one element. There is exactly one spelling:
what does not come out of `write` byte for byte is Malformed. What is inside a frame (even whether its strings are
UTF-8) is the core's affair, not ours: a poison entry must reach those who can answer it.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from wideberth.core.limits import DELIVERY_BYTES_MAX, DELIVERY_FRAMES_MAX, FRAME_BYTES_MAX, NAME_CHARS_MAX
from wideberth.errors import Malformed, Misuse, Oversized
from wideberth.link.sealing import KEY_ID_BYTES, SealingKey, key_id, seal

MAGIC: Final = b"wbd1"
PAD_BYTES: Final = 256
# As many receipts and other statements as frames: a receipt is cumulative, so more are never needed at once.
DELIVERY_SIDECARS_MAX: Final = DELIVERY_FRAMES_MAX

_INFO: Final = b"wideberth delivery 1\0"
_CHANNEL: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CHANNEL_BYTES: Final = 32
_NAME_BYTES_MAX: Final = 4 * NAME_CHARS_MAX  # UTF-8 needs at most four bytes for a character


class Frame(msgspec.Struct, frozen=True):
    """One entry as sent: its DSSE `envelope` and its `body`, both JSON texts; `body` is empty where it is withheld."""

    envelope: bytes
    body: bytes

    @property
    def size(self) -> int:
        return len(self.envelope) + len(self.body)


class Delivery(msgspec.Struct, frozen=True):
    """`ch` 64 hex digits; `sender` and `to` the parties' names in that channel."""

    ch: str
    sender: str
    to: str
    frames: tuple[Frame, ...] = ()
    sidecars: tuple[bytes, ...] = ()


class Address(msgspec.Struct, frozen=True):
    """What stands outside the seal. Believe none of it before the seal has opened, and `sender` not even then.

    `header` are the bytes it was read from; `key_id` says which of our keys to use.
    """

    ch: str
    sender: str
    to: str
    key_id: bytes
    header: bytes


class _Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    frames: tuple[tuple[msgspec.Raw, ...], ...]
    sidecars: tuple[msgspec.Raw, ...]


_decoder: Final = msgspec.json.Decoder(_Inner)
_encoder: Final = msgspec.json.Encoder()


def write(delivery: Delivery) -> bytes:
    """The padded JSON of frames and sidecars, not yet sealed.

    Raises: Misuse when a limit is passed (split it first) or a part is not one compact JSON value.
    """
    raw = msgspec.Raw
    data = _encoder.encode(
        _Inner(
            frames=tuple((raw(f.envelope), raw(f.body)) if f.body else (raw(f.envelope),) for f in delivery.frames),
            sidecars=tuple(map(raw, delivery.sidecars)),
        )
    )
    data = data.ljust(-len(data) // PAD_BYTES * -PAD_BYTES)
    try:
        frames, sidecars = read(data)
    except (Malformed, Oversized) as fault:
        raise Misuse(f"this delivery must not be sent: {fault.sentence}") from fault
    if frames != delivery.frames or sidecars != delivery.sidecars:
        # Raw values are copied unseen: a "body" such as `1],[2` would have come out as something else.
        raise Misuse("this delivery must not be sent: a frame or sidecar is not one JSON value")
    return data


def read(data: bytes) -> tuple[tuple[Frame, ...], tuple[bytes, ...]]:
    """Frames and sidecars from what `write` gave. Raises: Oversized, Malformed; never anything else."""
    if len(data) > DELIVERY_BYTES_MAX:
        raise Oversized(f"a delivery has at most {DELIVERY_BYTES_MAX} bytes")
    try:
        inner = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Malformed("the inside of a delivery is not the JSON of frames and sidecars") from None
    if len(inner.frames) > DELIVERY_FRAMES_MAX or len(inner.sidecars) > DELIVERY_SIDECARS_MAX:
        raise Oversized(f"a delivery has at most {DELIVERY_FRAMES_MAX} frames and {DELIVERY_SIDECARS_MAX} sidecars")
    if any(not 1 <= len(frame) <= 2 for frame in inner.frames):
        raise Malformed("a frame has an envelope and at most one body")
    if len(data) % PAD_BYTES or _encoder.encode(inner) != data.rstrip(b" "):
        raise Malformed("the inside of a delivery is not in its one spelling, or not padded")
    frames = tuple(Frame(bytes(f[0]), bytes(f[1]) if len(f) == 2 else b"") for f in inner.frames)
    sidecars = tuple(map(bytes, inner.sidecars))
    if any(f.size > FRAME_BYTES_MAX for f in frames) or any(len(s) > FRAME_BYTES_MAX for s in sidecars):
        raise Oversized(f"a frame or sidecar has at most {FRAME_BYTES_MAX} bytes")
    return frames, sidecars


def seal_delivery(delivery: Delivery, public: str) -> bytes:
    """The bytes on the wire, for the holder of the sealing key `public`.

    Raises: Misuse (see `write`; also a channel id or a name that cannot be one), Malformed (`public` cannot be used).
    """
    try:
        header = _header(delivery.ch, delivery.sender, delivery.to, key_id(public))
    except Malformed as fault:
        raise Misuse(f"this delivery must not be sent: {fault.sentence}") from fault
    wire = header + seal(public, write(delivery), _INFO + header)
    if len(wire) > DELIVERY_BYTES_MAX:
        raise Misuse(f"this delivery must not be sent: {len(wire)} bytes, at most {DELIVERY_BYTES_MAX}")
    return wire


def read_address(wire: bytes) -> Address:
    """The part outside the seal. Raises: Oversized, Malformed."""
    if len(wire) > DELIVERY_BYTES_MAX:
        raise Oversized(f"a delivery has at most {DELIVERY_BYTES_MAX} bytes")
    at = len(MAGIC) + _CHANNEL_BYTES + KEY_ID_BYTES
    if wire[: len(MAGIC)] != MAGIC or len(wire) < at:
        raise Malformed("this is not a delivery of version 1")
    ch = wire[len(MAGIC) : len(MAGIC) + _CHANNEL_BYTES].hex()
    which = wire[len(MAGIC) + _CHANNEL_BYTES : at]
    sender, at = _read_name(wire, at)
    to, at = _read_name(wire, at)
    return Address(ch=ch, sender=sender, to=to, key_id=which, header=wire[:at])


def open_delivery(wire: bytes, address: Address, key: SealingKey) -> Delivery:
    """The delivery, opened with the key that `address` (of these very bytes) asks for.

    Raises: BadSignature when it does not open, Malformed, Oversized; never anything else.
    """
    plaintext = key.open(wire[len(address.header) :], _INFO + address.header)
    frames, sidecars = read(plaintext)
    return Delivery(ch=address.ch, sender=address.sender, to=address.to, frames=frames, sidecars=sidecars)


def _header(ch: str, sender: str, to: str, which: bytes) -> bytes:
    if not _CHANNEL.fullmatch(ch):
        raise Malformed("a channel id is 64 hex digits, lower case")
    return MAGIC + bytes.fromhex(ch) + which + _write_name(sender) + _write_name(to)


def _write_name(name: str) -> bytes:
    try:
        data = name.encode("utf-8")
    except UnicodeEncodeError:
        raise Malformed("a party's name is not text") from None
    if not 1 <= len(data) <= _NAME_BYTES_MAX:
        raise Malformed(f"a party's name has 1 to {_NAME_BYTES_MAX} bytes")
    return len(data).to_bytes(2, "big") + data


def _read_name(wire: bytes, at: int) -> tuple[str, int]:
    length = int.from_bytes(wire[at : at + 2], "big")
    start, end = at + 2, at + 2 + length
    if not 1 <= length <= _NAME_BYTES_MAX or end > len(wire):
        raise Malformed("the names of sender and recipient in this delivery cannot be read")
    try:
        return wire[start:end].decode("utf-8"), end
    except UnicodeDecodeError:
        raise Malformed("the names of sender and recipient in this delivery are not UTF-8") from None
