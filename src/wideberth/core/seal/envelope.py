# SPDX-License-Identifier: Apache-2.0
"""DSSE: `{"payload", "payloadType", "signatures": [{"keyid", "sig"}]}`, signed over the bytes as sent.

    PAE(type, payload) = "DSSEv1" SP len(type) SP type SP len(payload) SP payload        (lengths in decimal)

The hash of anything here is SHA-256 of the payload bytes, never of the envelope: one key can sign one text in many
ways, and that is not saying two things. https://github.com/secure-systems-lab/dsse, protocol v1.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.limits import FRAME_BYTES_MAX
from wideberth.core.seal import canonical
from wideberth.core.seal.keys import Signer, Verifier, b64, key_id, must_verify, unb64
from wideberth.errors import BadSignature, Malformed, Oversized

ENTRY: Final = "application/vnd.wideberth.entry+json"
STATEMENT: Final = "application/vnd.wideberth.statement+json"
RECEIPT: Final = "application/vnd.wideberth.receipt+json"
HEADS: Final = "application/vnd.wideberth.heads+json"
CARD: Final = "application/vnd.wideberth.card+json"
AGREEMENT: Final = "application/vnd.wideberth.agreement+json"
INVITE: Final = "application/vnd.wideberth.invite+json"
FOUNDING: Final = "application/vnd.wideberth.founding+json"
JOINING: Final = "application/vnd.wideberth.joining+json"

# Room for two signatures by each of 16 members (a second, post-quantum one on agreements and checkpoints).
_SIGNATURES_MAX: Final = 32


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Field names are DSSE's own."""

    payload: str
    payloadType: str
    signatures: tuple[Signature, ...]

    def encoded(self) -> bytes:
        return canonical.encode(self)

    def payload_bytes(self) -> bytes:
        return unb64(self.payload, "envelope payload")


_DECODER: Final = msgspec.json.Decoder(Envelope)


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode("ascii"), len(payload), payload)


def seal(payload_type: str, payload: bytes, *signers: Signer) -> Envelope:
    message = pae(payload_type, payload)
    signatures = tuple(Signature(key_id(s.public), b64(s.sign(message))) for s in signers)
    return Envelope(b64(payload), payload_type, signatures)


def read(data: bytes, payload_type: str) -> tuple[Envelope, bytes]:
    """Parse an envelope of the wanted type; returns it and its payload bytes. Nothing is believed yet.

    Raises: Oversized, Malformed.
    """
    if len(data) > FRAME_BYTES_MAX:
        raise Oversized(f"an envelope has at most {FRAME_BYTES_MAX} bytes, not {len(data)}")
    try:
        envelope = _DECODER.decode(data)
    except (msgspec.DecodeError, ValueError) as fault:
        raise Malformed(f"envelope: {fault}") from None
    if canonical.encode(envelope) != data:
        raise Malformed("envelope: not in the one spelling (canonical JSON)")
    if envelope.payloadType != payload_type:
        raise Malformed(f"envelope: a payload of type {payload_type} was expected, not {envelope.payloadType[:80]!r}")
    if not 1 <= len(envelope.signatures) <= _SIGNATURES_MAX:
        raise Malformed("envelope: signatures are missing, or too many")
    return envelope, envelope.payload_bytes()


def payload_type(data: bytes) -> str:
    """What an envelope says it carries; empty when it is none. Nothing is believed."""
    try:
        return _DECODER.decode(data).payloadType
    except (msgspec.DecodeError, ValueError):
        return ""


def check(envelope: Envelope, payload: bytes, public: str, verifier: Verifier, what: str) -> None:
    """Raise `BadSignature` unless the key `public` signed this payload."""
    wanted = key_id(public)
    for signature in envelope.signatures:
        if signature.keyid == wanted:
            must_verify(verifier, public, pae(envelope.payloadType, payload), unb64(signature.sig, what, 64), what)
            return
    raise BadSignature(f"{what}: not signed by key {wanted}", what=what)
