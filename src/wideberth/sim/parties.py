# SPDX-License-Identifier: Apache-2.0
"""Who takes part: keys, cards and agreements, made by the same code as in real life.

`BlakeSigner` is for speed: a keyed hash whose key is the public key itself. It binds every byte that is signed, and
anybody could forge it; nobody does: the liars of this world (`liars.py`) sign with their own keys only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.volume import Circle
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import (
    Agreement,
    LineTerms,
    Member,
    agreement_hash,
    channel_id,
    countersign,
    sign_agreement,
)
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier, Signer, Verifier, b64, unb64
from wideberth.core.seal.party import Card, Post, sign_card
from wideberth.sim.clock import BEGIN_MS
from wideberth.sim.dice import Dice

# Their first letters differ, so their references do.
NAMES: Final = (
    "AMBER", "BLUE", "CYAN", "DUN", "EMERALD", "FUCHSIA", "GREEN", "HAZEL",
    "JADE", "KHAKI", "LILAC", "MAUVE", "NAVY", "PEARL", "RUBY", "SCARLET",
)  # fmt: skip
POSTS: Final = ("watch-1", "watch-2")
SUPERVISOR: Final = "supervisor"


class BlakeSigner:
    def __init__(self, seed: bytes) -> None:
        self._key = seed
        self.public = b64(seed)

    def sign(self, message: bytes) -> bytes:
        return hashlib.blake2b(message, key=self._key).digest()


class BlakeVerifier:
    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}

    def verify(self, public: str, message: bytes, signature: bytes) -> bool:
        key = self._keys.get(public)
        if key is None:
            key = self._keys[public] = unb64(public, "key", 32)
        return hashlib.blake2b(message, key=key).digest() == signature


class Keys:
    """The private keys of one party (`core.seal.capabilities.Signers`)."""

    def __init__(self, party: str, dice: Dice, *, real: bool) -> None:
        self.party = party
        kind: type[BlakeSigner] | type[Ed25519Signer] = Ed25519Signer if real else BlakeSigner
        self.root: Signer = kind(dice.octets(32))
        self.node: Signer = kind(dice.octets(32))
        self._posts: dict[str, Signer] = {name: kind(dice.octets(32)) for name in (*POSTS, SUPERVISOR)}
        self._keys = {signer.public: signer for signer in (self.node, *self._posts.values())}

    def post(self, name: str) -> Signer | None:
        return self._posts.get(name)

    def key(self, public: str) -> Signer | None:
        return self._keys.get(public)

    def card(self) -> bytes:
        posts = {name: Post(signer.public, name == SUPERVISOR) for name, signer in self._posts.items()}
        card = Card(
            v=1, party=self.party, root=self.root.public, version=1, node=self.node.public, sealing="", url="",
            tls_sha256="", tls_pem="", posts=posts, contact="+999 555 0110",
        )  # fmt: skip
        return sign_card(card, self.root).encoded()


def signer(seed: bytes, *, real: bool) -> Signer:
    return Ed25519Signer(seed) if real else BlakeSigner(seed)


def verifier(*, real: bool) -> Verifier:
    return Ed25519Verifier() if real else BlakeVerifier()


class Charter(msgspec.Struct, frozen=True):
    """One line before it is open. `signed` is what each member holds: the signatures of those before it, and its own.

    The first proposed; the last one's copy has every signature and travels back with what that member sends. Lines of
    one mechanism have the same `founding`, the hash of version 1; the agreement is talked about on its `home` line.
    """

    ch: str
    founding: str
    home: bool
    members: tuple[str, ...]
    signed: dict[str, bytes]
    cards: tuple[bytes, ...]
    rules: Rules


def found(keys: Sequence[Keys], dice: Dice, *, lines: tuple[Purpose, ...] = (Purpose.FLIGHT_SAFETY,)) -> list[Charter]:
    """An agreement between these parties, in the order in which they sign; all of them are on each of its lines."""
    # Most of these mechanisms agree on no least area: computing areas is no part of what is tried here.
    least_mm = 10_000_000 if dice.chance(0.25) else 0
    rules = Rules(area=Circle.at(lat="41", lng="-38.5", radius_nm=120), least_radius_mm=least_mm)
    agreement = Agreement(
        v=1, mechanism="FAIR-WEATHER", version=1, mode=Mode.SIMULATED,
        lines=tuple(LineTerms(purpose, tuple(sorted(k.party for k in keys))) for purpose in lines),
        members=tuple(Member(k.party, k.root.public) for k in sorted(keys, key=lambda k: k.party)),
        rules=rules, from_ms=BEGIN_MS, nonce=dice.octets(16).hex(),
    )  # fmt: skip
    payload = canonical.encode(agreement)
    sealed = sign_agreement(agreement, keys[0].root)
    signed = {keys[0].party: sealed.encoded()}
    for member in keys[1:]:
        sealed = countersign(sealed, payload, member.root)
        signed[member.party] = sealed.encoded()
    cards = tuple(k.card() for k in keys)
    members, founding = tuple(k.party for k in keys), agreement_hash(agreement)
    return [
        Charter(channel_id(agreement, line), founding, line == agreement.home, members, signed, cards, rules)
        for line in agreement.lines
    ]
