# SPDX-License-Identifier: Apache-2.0
"""What passes between a node and a mediator: a sealed delivery with what is signed about it, in four parts.

On the wire, in this order (integers big-endian):

    bytes  what
    4      "wbm1": this format, version 1
    4 + n  slip: the envelope by which the sender's node signs the hash of the delivery, after its length
    4 + n  stamp: the mediator's envelope over delivery and slip; empty on the way to the mediator
    4 + n  before: on the way back to the sender, the mediator's stamp of the delivery that this answers; else empty
    4 + n  the sealed delivery (`link/delivery.py`), unchanged

Envelopes are those of `core/seal/mediation.py`. Nothing may follow.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.limits import DELIVERY_BYTES_MAX, KIB
from wideberth.errors import Malformed, Oversized

MAGIC: Final = b"wbm1"
RELAY_PATH: Final = "/v1/relay"  # at the mediator: from the sender
RELAYED_PATH: Final = "/v1/relayed"  # at the recipient: from the mediator
REACH_PATH: Final = "/v1/reach"  # at the mediator: does the other side answer now?
WRAPPER_TYPE: Final = "application/wideberth-relay"

# A stamp with the longest names is under 1 KiB.
PART_BYTES_MAX: Final = 4 * KIB
WRAPPER_BYTES_MAX: Final = len(MAGIC) + 4 * 4 + 3 * PART_BYTES_MAX + DELIVERY_BYTES_MAX


class Wrapper(msgspec.Struct, frozen=True):
    """See the module. All four are bytes as sent."""

    slip: bytes
    sealed: bytes
    stamp: bytes = b""
    before: bytes = b""


def pack(wrapper: Wrapper) -> bytes:
    """The bytes on the wire."""
    parts = (wrapper.slip, wrapper.stamp, wrapper.before, wrapper.sealed)
    return MAGIC + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def unpack(wire: bytes) -> Wrapper:
    """The four parts. Raises: Oversized, Malformed; never anything else."""
    if len(wire) > WRAPPER_BYTES_MAX:
        raise Oversized(f"a relayed delivery has at most {WRAPPER_BYTES_MAX} bytes")
    if wire[: len(MAGIC)] != MAGIC:
        raise Malformed("this is not a relayed delivery of version 1")
    at, parts = len(MAGIC), []
    for most in (PART_BYTES_MAX, PART_BYTES_MAX, PART_BYTES_MAX, DELIVERY_BYTES_MAX):
        end = at + 4 + int.from_bytes(wire[at : at + 4], "big")
        if at + 4 > len(wire) or end > len(wire):
            raise Malformed("a relayed delivery ends in the middle of a part")
        if end - at - 4 > most:
            raise Oversized(f"a part of a relayed delivery has at most {most} bytes")
        parts.append(wire[at + 4 : end])
        at = end
    if at != len(wire):
        raise Malformed("something follows a relayed delivery")
    slip, stamp, before, sealed = parts
    return Wrapper(slip, sealed, stamp, before)
