# SPDX-License-Identifier: Apache-2.0
"""Cumulative, signed receipts: sidecars, never entries, and a receipt does not call for a receipt.

`stored`: "I durably hold your strand of this epoch up to `seq`, head `head`, at my clock `t_ms`". One signature covers
everything up to there, because the strand is dense and chained. `shown`: the same about what my machine showed, which
is a *claim by a machine* and labelled so. What an officer signed is more than either (the ladder in `core/call`).
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from wideberth.core.limits import INTEGER_MAX
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.entry import is_hash
from wideberth.core.seal.envelope import RECEIPT, Envelope
from wideberth.core.seal.keys import Signer, Verifier
from wideberth.errors import Malformed


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """`sender` (written `from`) holds or shows the strand of `of`."""

    v: int
    level: Literal["stored", "shown"]
    ch: str
    sender: str
    of: str
    epoch: str
    seq: int
    head: str
    t_ms: int


_DECODER: Final = msgspec.json.Decoder(Receipt)


def seal(receipt: Receipt, node: Signer) -> bytes:
    return envelope.seal(RECEIPT, canonical.encode(receipt), node).encoded()


def read(data: bytes) -> tuple[Receipt, Envelope, bytes]:
    """Size and spelling. The caller checks the signature with the sender's node key."""
    sealed, payload = envelope.read(data, RECEIPT)
    receipt = canonical.read(payload, _DECODER, "receipt")
    if receipt.v != 1 or not 1 <= receipt.seq <= INTEGER_MAX or not is_hash(receipt.head):
        raise Malformed("receipt: not one of ours")
    return receipt, sealed, payload


def check(receipt: Receipt, sealed: Envelope, payload: bytes, node_key: str, verifier: Verifier) -> None:
    envelope.check(sealed, payload, node_key, verifier, f"receipt of {receipt.sender}")
