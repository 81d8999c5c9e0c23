# SPDX-License-Identifier: Apache-2.0
"""The agreement that every member signed, and the channel that follows from it.

`ch`, the channel's id, is the hash of the founding agreement, the purpose, the mode and the members' root keys: so
nothing can be replayed in another channel, mechanism or mode (design.md §3).
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.limits import MEMBERS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX
from wideberth.core.say.reference import party_code
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.words import SCOPE
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.envelope import AGREEMENT, Envelope
from wideberth.core.seal.keys import Signer, Verifier, unb64
from wideberth.core.seal.party import check_party_name
from wideberth.errors import BadSignature, Malformed


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signatory. `root` is empty for a party that has no node yet and is reached by voice (domain.md B13)."""

    party: str
    root: str

    def __post_init__(self) -> None:
        check_party_name(self.party)
        if self.root:
            unb64(self.root, "root key", 32)


class Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of what the members signed. Members stand in order of their names.

    `previous` is the hash of the version before, empty for the founding one. `nonce` (hex) makes two agreements of the
    same words distinct.
    """

    v: int
    mechanism: str
    version: int
    purpose: Purpose
    mode: Mode
    members: tuple[Member, ...]
    rules: Rules
    from_ms: int
    nonce: str
    previous: str = ""
    clauses: tuple[str, ...] = ()
    scope: str = SCOPE

    def __post_init__(self) -> None:
        names = [m.party for m in self.members]
        if self.v != 1:
            raise Malformed(f"agreement: version {self.v} of the format is not known here")
        if not 2 <= len(names) <= MEMBERS_MAX:
            raise Malformed(f"agreement: a channel has 2 to {MEMBERS_MAX} members")
        if names != sorted(set(names)):
            raise Malformed("agreement: members stand in order of their names, each once")
        codes = [party_code(n) for n in names]
        if len(codes) != len(set(codes)):
            raise Malformed("agreement: two members would have the same letters in their references; rename one")
        roots = [m.root for m in self.members if m.root]
        if len(roots) != len(set(roots)):
            raise Malformed("agreement: two members have the same root key")
        if not 0 < len(self.mechanism) <= NAME_CHARS_MAX or any(len(c) > TEXT_CHARS_MAX for c in self.clauses):
            raise Malformed("agreement: a name or clause is missing or too long")

    def member(self, party: str) -> Member | None:
        return next((m for m in self.members if m.party == party), None)


_DECODER: Final = msgspec.json.Decoder(Agreement)


def agreement_hash(agreement: Agreement) -> str:
    return canonical.sha256(canonical.encode(agreement))


def channel_id(agreement: Agreement) -> str:
    """Of the founding version: hash of (founding agreement, purpose, mode, members' root keys)."""
    return canonical.sha256(
        canonical.encode(
            {
                "founding": agreement_hash(agreement),
                "purpose": agreement.purpose.value,
                "mode": agreement.mode.value,
                "roots": [m.root for m in agreement.members],
            }
        )
    )


def sign_agreement(agreement: Agreement, *roots: Signer) -> Envelope:
    return envelope.seal(AGREEMENT, canonical.encode(agreement), *roots)


def countersign(sealed: Envelope, payload: bytes, root: Signer) -> Envelope:
    """The same payload with one more signature; signatures stand in order of key id."""
    mine = envelope.seal(AGREEMENT, payload, root).signatures
    both = {s.keyid: s for s in (*sealed.signatures, *mine)}
    return Envelope(sealed.payload, sealed.payloadType, tuple(both[k] for k in sorted(both)))


def read_agreement(data: bytes, verifier: Verifier, *, complete: bool = True) -> tuple[Agreement, Envelope, bytes]:
    """An agreement whose signatures verify; all members' when `complete`, else at least one.

    Raises: Oversized, Malformed, BadSignature.
    """
    sealed, payload = envelope.read(data, AGREEMENT)
    agreement = canonical.read(payload, _DECODER, "agreement")
    signed = []
    for member in agreement.members:
        if not member.root:
            continue
        try:
            envelope.check(sealed, payload, member.root, verifier, f"agreement, signature of {member.party}")
            signed.append(member.party)
        except BadSignature:
            if complete:
                raise
    if not signed:
        raise BadSignature("agreement: no member signed it")
    return agreement, sealed, payload
