# SPDX-License-Identifier: Apache-2.0
"""A time-stamp token (RFC 3161 §2.4.2) of the right shape, always the same for one text, which nobody signed.

Verifiers of bundles look at the message imprint only, and say so; whole checks are tested against a real authority.
"""

from __future__ import annotations

import hashlib

SHA256 = bytes.fromhex("0609608648016503040201")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
POLICY = bytes.fromhex("060a2b0601040181fd590100")


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([len(body)]) if len(body) < 128 else bytes([0x80 | len(size)]) + size) + body


def token(text: str, when: str = "20310514091205Z", *, null: bool = True) -> bytes:
    """`null`: algorithms are written with NULL parameters, or without (RFC 5754 §2 wants both read)."""
    algorithm = tlv(0x30, SHA256, b"\5\0" if null else b"")
    imprint = tlv(0x30, algorithm, tlv(4, hashlib.sha256(text.encode()).digest()))
    info = tlv(0x30, tlv(2, b"\1"), POLICY, imprint, tlv(2, b"\7"), tlv(0x18, when.encode()))
    content = tlv(0x30, TST_INFO, tlv(0xA0, tlv(4, info)))
    return tlv(0x30, SIGNED_DATA, tlv(0xA0, tlv(0x30, tlv(2, b"\3"), tlv(0x31, algorithm), content, tlv(0x31))))
