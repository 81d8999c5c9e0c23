# SPDX-License-Identifier: Apache-2.0
"""A neutral host between two nodes, and a bad one: it drops, delays, reorders and alters what it should pass on.

What it can see are sealed bytes; here they are the bytes of a parcel, encoded. The rule by which it is named when it
changes something is the product's own (`core/seal/mediation.py`), driven with what a link would drive it with.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal

import msgspec

from wideberth.core.seal import canonical, mediation
from wideberth.core.seal.keys import Signer, Verifier
from wideberth.core.seal.mediation import MediatorCard, Slip, Stamp
from wideberth.errors import Fault, Spoiled
from wideberth.sim.dice import Dice
from wideberth.sim.network import Parcel
from wideberth.sim.weather import SECOND

Manner = Literal["honest", "drops", "delays", "reorders", "alters"]
MANNERS: Final[tuple[tuple[Manner, float], ...]] = (
    ("honest", 0.3), ("drops", 0.15), ("delays", 0.15), ("reorders", 0.15), ("alters", 0.25)
)  # fmt: skip
# How often a bad one does it.
_OFTEN: Final = 0.2

_ENCODE: Final = msgspec.msgpack.Encoder()
_DECODE: Final = msgspec.msgpack.Decoder(tuple[tuple[tuple[bytes, bytes], ...], tuple[bytes, ...]])


def sealed(parcel: Parcel) -> bytes:
    return _ENCODE.encode((parcel.frames, parcel.sidecars))


class Passed(msgspec.Struct, frozen=True):
    """What comes out at the other end after `in_ms`."""

    in_ms: int
    sealed: bytes
    slip: bytes
    stamp: bytes
    altered: bool


class Mediator:
    """One host, between some of the nodes. `faults` counts what it did wrong."""

    def __init__(self, name: str, key: Signer, manner: Manner, dice: Dice, faults: Counter[str]) -> None:
        self.card = MediatorCard(1, name, key.public, f"https://{name.lower()}.invalid", "", "")
        self.manner = manner
        self._key = key
        self._dice = dice
        self._faults = faults

    def pass_on(
        self, parcel: Parcel, slip: bytes, node_key: str, verifier: Verifier, now_ms: int, *, kind: bool
    ) -> Passed | None:
        """What it hands over, or None. What its sender did not sign (the wire changed it) it refuses, as it must."""
        data = sealed(parcel)
        try:
            mediation.admit(slip, data, (parcel.ch, parcel.sender, parcel.to), node_key, verifier)
        except Fault:
            return None
        in_ms, altered = 0, False
        if not kind and self._dice.chance(_OFTEN):
            match self.manner:
                case "drops":
                    self._faults["dropped_by_mediator"] += 1
                    return None
                case "delays":
                    self._faults["delayed_by_mediator"] += 1
                    in_ms = self._dice.between(SECOND, 20 * SECOND)
                case "reorders":
                    self._faults["reordered_by_mediator"] += 1
                    in_ms = self._dice.between(0, 2 * SECOND)
                case "alters":
                    self._faults["altered_by_mediator"] += 1
                    at = self._dice.between(0, len(data) - 1)
                    data = data[:at] + bytes([data[at] ^ (1 << self._dice.between(0, 7))]) + data[at + 1 :]
                    altered = True
                case "honest":
                    pass
        stamp = Stamp(
            1, parcel.ch, parcel.sender, parcel.to, canonical.sha256(data), self.card.mediator,
            canonical.sha256(slip), now_ms, now_ms,
        )  # fmt: skip
        return Passed(in_ms, data, slip, mediation.sign_stamp(stamp, self._key), altered)


def slip_for(parcel: Parcel, node: Signer, now_ms: int) -> bytes:
    """What the sender's node signs about a parcel that goes through a mediator."""
    slip = Slip(1, parcel.ch, parcel.sender, parcel.to, canonical.sha256(sealed(parcel)), now_ms)
    return mediation.sign_slip(slip, node)


def take(passed: Passed, parcel: Parcel, card: MediatorCard, node_key: str, verifier: Verifier) -> Parcel | Spoiled:
    """What the recipient's link makes of it: the parcel as it was sent, or who spoiled it."""
    try:
        mediation.check_handed(passed.slip, passed.stamp, passed.sealed, card, node_key, verifier)
    except Spoiled as spoiled:
        return spoiled
    frames, sidecars = _DECODE.decode(passed.sealed)
    return msgspec.structs.replace(parcel, frames=frames, sidecars=sidecars)
