# SPDX-License-Identifier: Apache-2.0
"""The agreement that every member signed, its versions, and the channels that follow from it.

A mechanism is founded by version 1 of its agreement. `ch`, a channel's id, is the hash of that founding agreement, the
purpose, the mode and its members' root keys: so nothing can be replayed in another channel, mechanism or mode
(design.md §3). Later versions change numbers and open or close channels; the members, the mode and the name stay.

    versions = Versions(founding)
    versions.add(second)               # all roots signed it
    versions.at(t_ms)                  # what is in force by somebody's clock
    versions.of(header.agr)            # what judges an entry: the version that its author signed it under
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from wideberth.core.limits import LINES_MAX, MEMBERS_MAX, NAME_CHARS_MAX, PRINTED_LIST_MAX, TEXT_CHARS_MAX
from wideberth.core.say.reference import party_code
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.words import SCOPE
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.envelope import AGREEMENT, Envelope
from wideberth.core.seal.keys import Signer, Verifier, unb64
from wideberth.core.seal.party import check_party_name
from wideberth.errors import BadInput, BadSignature, Malformed


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signatory. `root` is empty for a party that has no node yet and is reached by voice (domain.md B13).

    `speaks_for` names the members of a coalition whose presence it gives notice of (A6).
    """

    party: str
    root: str
    speaks_for: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_party_name(self.party)
        if len(self.speaks_for) > PRINTED_LIST_MAX or len(set(self.speaks_for)) != len(self.speaks_for):
            raise Malformed(f"agreement: {self.party} speaks for at most {PRINTED_LIST_MAX} others, each named once")
        if any(not 0 < len(name) <= NAME_CHARS_MAX for name in self.speaks_for):
            raise Malformed("agreement: the name of a coalition member is missing or too long")
        if self.root:
            unb64(self.root, "root key", 32)


class LineTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One channel of a mechanism: what it is for, and who hears it. Members stand in order of their names."""

    purpose: Purpose
    members: tuple[str, ...]


class Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of what the members signed. Members stand in order of their names.

    At least one of the `lines` has every member: what concerns the mechanism itself is said there (`home`).

    `previous` is the hash of the version before, empty for the founding one. `nonce` (hex) makes two agreements of the
    same words distinct.
    """

    v: int
    mechanism: str
    version: int
    mode: Mode
    members: tuple[Member, ...]
    lines: tuple[LineTerms, ...]
    rules: Rules
    from_ms: int
    nonce: str
    previous: str = ""
    clauses: tuple[str, ...] = ()
    scope: str = SCOPE
    see_also: tuple[str, ...] = ()

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
        if max(len(self.clauses), len(self.see_also)) > PRINTED_LIST_MAX:
            raise Malformed(f"agreement: at most {PRINTED_LIST_MAX} clauses")
        if any(len(name) > NAME_CHARS_MAX for name in self.see_also):
            raise Malformed("agreement: the name of another mechanism is too long")
        if (self.version == 1) != (not self.previous) or self.version < 1:
            raise Malformed("agreement: version 1 follows nothing, and every later one names the one before it")
        self._check_lines()

    def _check_lines(self) -> None:
        by_name = {m.party: m.root for m in self.members}
        if not 1 <= len(self.lines) <= LINES_MAX:
            raise Malformed(f"agreement: a mechanism has 1 to {LINES_MAX} lines")
        for line in self.lines:
            if list(line.members) != sorted(set(line.members)) or not by_name.keys() >= set(line.members):
                raise Malformed("agreement: a line's members stand in order of their names, and are members")
            if len(line.members) < 2:
                raise Malformed("agreement: a line has at least two members")
        named = {(line.purpose, *(by_name[m] for m in line.members)) for line in self.lines}
        if len(named) != len(self.lines):
            raise Malformed("agreement: two lines have the same purpose and members")
        if all(len(line.members) < len(self.members) for line in self.lines):
            raise Malformed("agreement: one line at least has every member, for what concerns the mechanism itself")

    @property
    def home(self) -> LineTerms:
        """Where the agreement itself is talked about: the working group if every member is in it."""
        whole = [line for line in self.lines if len(line.members) == len(self.members)]
        return next((line for line in whole if line.purpose is Purpose.WORKING_GROUP), whole[0])

    def member(self, party: str) -> Member | None:
        return next((m for m in self.members if m.party == party), None)


_DECODER: Final = msgspec.json.Decoder(Agreement)


def agreement_hash(agreement: Agreement) -> str:
    return canonical.sha256(canonical.encode(agreement))


def one_line(purpose: Purpose, members: Iterable[str]) -> tuple[LineTerms, ...]:
    """The lines of a mechanism that has just one, with every member."""
    return (LineTerms(purpose, tuple(sorted(members))),)


def channel_id(founding: Agreement, line: LineTerms | None = None) -> str:
    """Hash of (founding agreement, purpose, mode, members' root keys). Without `line`: the home line's."""
    line = line or founding.home
    roots = {m.party: m.root for m in founding.members}
    return canonical.sha256(
        canonical.encode(
            {
                "founding": agreement_hash(founding),
                "purpose": line.purpose.value,
                "mode": founding.mode.value,
                "roots": [roots[party] for party in line.members],
            }
        )
    )


def lines_of(versions: Versions, party: str) -> dict[str, LineTerms]:
    """`{ch: terms}` of the lines that a party is on by any version: one that a later version drops keeps its record."""
    return {
        channel_id(versions.founding, line): line
        for agreement, _ in versions
        for line in agreement.lines
        if party in line.members
    }


class Versions:
    """Every version of one mechanism's agreement that all its members signed."""

    def __init__(self, founding: Agreement) -> None:
        self.founding = founding
        self.hash = agreement_hash(founding)
        self._by_hash = {self.hash: founding}
        self._in_order = [(founding, self.hash)]

    @property
    def newest(self) -> Agreement:
        return self._in_order[-1][0]

    @property
    def newest_hash(self) -> str:
        return self._in_order[-1][1]

    def __iter__(self) -> Iterator[tuple[Agreement, str]]:
        return iter(self._in_order)

    def of(self, agr: str) -> Agreement | None:
        """The version with that hash; None when it is not here, or not of this mechanism."""
        return self._by_hash.get(agr)

    def rules_of(self, agr: str) -> Rules | None:
        agreement = self._by_hash.get(agr)
        return agreement.rules if agreement is not None else None

    def speaks_for(self, agr: str, party: str) -> tuple[str, ...]:
        """The members of a coalition whose presence a party gives notice of, by that version."""
        agreement = self._by_hash.get(agr)
        member = agreement.member(party) if agreement is not None else None
        return member.speaks_for if member is not None else ()

    def newer(self, one: str, other: str) -> str:
        """Of two versions that are here the later one, by their hashes."""
        return max(one, other, key=lambda agr: self._by_hash[agr].version)

    def rules_at(self, t_ms: int) -> Rules:
        return self.at(t_ms)[0].rules

    def at(self, t_ms: int) -> tuple[Agreement, str]:
        """The version in force at a time: the newest that has begun, the founding one before any has."""
        return next(((a, h) for a, h in reversed(self._in_order) if a.from_ms <= t_ms), self._in_order[0])

    def follows(self, agreement: Agreement) -> bool:
        """Whether it is a version of this mechanism: one that is here, or the next."""
        return agreement.previous in self._by_hash

    def add(self, agreement: Agreement) -> bool:
        """Whether it was new. Raises BadInput when it does not follow the newest version of this mechanism."""
        hash_ = agreement_hash(agreement)
        if hash_ in self._by_hash:
            return False
        check_next(self.newest, self.newest_hash, agreement)
        self._by_hash[hash_] = agreement
        self._in_order.append((agreement, hash_))
        return True


def check_next(before: Agreement, before_hash: str, after: Agreement) -> None:
    """Raises BadInput unless `after` may be the version that follows."""
    if after.previous != before_hash or after.version != before.version + 1:
        raise BadInput(f"it does not follow version {before.version} of this agreement", field="previous")
    same = (before.mechanism, before.mode, [(m.party, m.root) for m in before.members])
    if same != (after.mechanism, after.mode, [(m.party, m.root) for m in after.members]):
        raise BadInput(
            "a new version keeps the name, the mode and the members; else found a mechanism", field="members"
        )
    if after.home != before.home:
        raise BadInput("a new version keeps the line on which the mechanism itself is talked about", field="lines")
    if after.from_ms < before.from_ms:
        raise BadInput("a new version does not begin before the one that it follows", field="from_ms")


def parse_agreement(payload: bytes) -> Agreement:
    """The bytes of an agreement, in their one spelling; nobody need have signed them. Raises Malformed, BadInput."""
    return canonical.read(payload, _DECODER, "agreement")


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
    agreement = parse_agreement(payload)
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
