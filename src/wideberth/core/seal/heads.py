# SPDX-License-Identifier: Apache-2.0
"""What a node holds of every strand, signed: asked for after a restore, and whenever two nodes compare notes.

A question has an empty `answers`; an answer names the question's nonce. An answer to a `restored` question is a fence:
"of your strand I hold exactly this; what I get of these epochs from now on is surplus". It is durable before it leaves.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.limits import MEMBERS_MAX
from wideberth.core.say.words import Place
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.entry import is_hash
from wideberth.core.seal.envelope import HEADS, Envelope
from wideberth.core.seal.keys import Signer, Verifier
from wideberth.errors import Malformed

# Epochs of one author: one per restore. A node that restores daily fills this in two months, and gets a new agreement.
EPOCHS_MAX: Final = 64


class Heads(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """`holds` maps each member to the newest place of each of its epochs that `sender` durably holds, in fold order."""

    v: int
    ch: str
    sender: str
    nonce: str
    answers: str
    restored: bool
    holds: dict[str, tuple[Place, ...]]
    t_ms: int


_DECODER: Final = msgspec.json.Decoder(Heads)


def seal(heads: Heads, node: Signer) -> bytes:
    return envelope.seal(HEADS, canonical.encode(heads), node).encoded()


def read(data: bytes) -> tuple[Heads, Envelope, bytes]:
    """Size and spelling. The caller checks the signature with the sender's node key."""
    sealed, payload = envelope.read(data, HEADS)
    heads = canonical.read(payload, _DECODER, "heads")
    if heads.v != 1 or len(heads.nonce) != 32 or len(heads.holds) > MEMBERS_MAX:
        raise Malformed("heads: not one of ours")
    for places in heads.holds.values():
        if len(places) > EPOCHS_MAX or any(p.seq < 1 or not is_hash(p.hash) for p in places):
            raise Malformed("heads: a place is [epoch, seq, hash]")
    return heads, sealed, payload


def check(heads: Heads, sealed: Envelope, payload: bytes, node_key: str, verifier: Verifier) -> None:
    envelope.check(sealed, payload, node_key, verifier, f"heads of {heads.sender}")
