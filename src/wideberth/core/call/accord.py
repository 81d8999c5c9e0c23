# SPDX-License-Identifier: Apache-2.0
"""What becomes of the agreement itself: proposals, signatures, suspension, exit, readiness (domain.md A3-A5, N6).

A pure fold of words on the home line of a mechanism. The state of the agreement is not the state of any line: a
suspended agreement leaves every line open, and what is said meanwhile is delivered and marked *outside the agreement*.

    DRAFT -> IN_FORCE <-> SUSPENDED          by a member's own word, from the time that it names
             IN_FORCE or SUSPENDED -> TERMINATED     when fewer than two members are left

A version is in force when every member's root signed the same bytes. A proposal binds nobody. A member that countered a
proposal has declined it for good, so that a member which signed that one can sign another without two coming to stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from wideberth.core.call.fault import NotUnderstood
from wideberth.core.call.ladders import BOUND, Act, Bound, walk
from wideberth.core.say import instant
from wideberth.core.say.standing import (
    Exit,
    KeySignature,
    Operational,
    Proposal,
    Reinstatement,
    Signing,
    Suspension,
)
from wideberth.core.seal import envelope
from wideberth.core.seal.agreement import Agreement, Versions, agreement_hash, check_next, parse_agreement
from wideberth.core.seal.entry import Header
from wideberth.core.seal.envelope import AGREEMENT, Envelope, Signature
from wideberth.core.seal.keys import Verifier, b64
from wideberth.errors import Fault

AccordWord = Proposal | Signing | Suspension | Reinstatement | Exit | Operational
AgreementState = Literal["DRAFT", "IN_FORCE", "SUSPENDED", "TERMINATED"]

NO_TEXT: Final = "no text"
SHORT_NOTICE: Final = "shorter notice than agreed"


class Proposed(msgspec.Struct):
    """A version that somebody proposed, and who signed it, the last of them at `signed_ms` by its own clock.
    `declined`: members that countered it."""

    agreement: Agreement
    payload: bytes
    by: str
    party: str
    entry: str
    t_ms: int
    counters: str
    text: str
    signatures: dict[str, KeySignature] = {}
    declined: set[str] = set()
    signed_ms: int = 0


class Suspended(msgspec.Struct):
    """One member's suspension, by the times that it signed. `until_ms` is None while it stands."""

    party: str
    by: str
    entry: str
    said_ms: int
    from_ms: int
    text: str
    marks: tuple[str, ...]
    until_ms: int | None = None

    def covers(self, at_ms: int) -> bool:
        return self.from_ms <= at_ms and (self.until_ms is None or at_ms < self.until_ms)


class Left(msgspec.Struct, frozen=True):
    """One member's exit."""

    party: str
    by: str
    entry: str
    said_ms: int
    from_ms: int
    text: str
    marks: tuple[str, ...]


class Declared(msgspec.Struct, frozen=True):
    """A member says that it is ready under a version; `red` is what was not, by its own list."""

    party: str
    by: str
    entry: str
    t_ms: int
    red: tuple[str, ...]
    text: str


class Accord:
    """The agreement of one mechanism, as its members' words make it."""

    def __init__(self, versions: Versions, verifier: Verifier) -> None:
        self.versions = versions
        self._verifier = verifier
        # Versions that came into force by the words of this line. Not `versions`, which may know one sooner, from the
        # delivery of another line: every node must judge alike.
        self._agreed = {versions.hash: versions.founding}
        self.proposals: dict[str, Proposed] = {}
        self.suspensions: list[Suspended] = []
        self.exits: dict[str, Left] = {}
        self.declared: dict[tuple[str, str], Declared] = {}

    # --- what holds at a time ---

    def state(self, party: str, at_ms: int) -> AgreementState:
        """Of the agreement as it binds a member at a time."""
        founding = self.versions.founding
        left = {p for p, exit_ in self.exits.items() if exit_.from_ms <= at_ms}
        said = [s for s in self.suspensions if s.party not in left]
        began, stands = founding.from_ms <= at_ms, any(s.covers(at_ms) for s in said)
        acts = [Act.BEGINS] if began else []
        if stands or (began and any(s.from_ms <= at_ms for s in said)):
            acts.append(Act.SUSPENDED)
            acts += [] if stands else [Act.REINSTATED]
        if party in left or len(founding.members) - len(left) < 2:
            acts.append(Act.LEFT)
        return walk(BOUND, Bound.DRAFT, acts).value

    def outside(self, party: str, at_ms: int) -> str:
        """Why what a member says at a time is outside the agreement; empty when it is inside."""
        state = self.state(party, at_ms)
        if state == "SUSPENDED":
            standing = next(s for s in self.suspensions if s.covers(at_ms))
            return f"outside the agreement: suspended by {standing.party} since {instant.show(standing.from_ms)}"
        if state == "TERMINATED":
            ended = sorted(self.exits.values(), key=lambda e: (e.party != party, e.from_ms, e.party))
            return f"outside the agreement: {ended[0].party} left it on {instant.show(ended[0].from_ms)}"
        if state == "DRAFT":
            return f"outside the agreement: it begins on {instant.show(self.versions.founding.from_ms)}"
        return ""

    def in_force(self, at_ms: int) -> Agreement:
        """The version in force at a time: a version that names an earlier beginning than its last signature begins with
        that, so that nobody is found wanting who spoke before it could be known."""
        begun = [
            agreement
            for agreement, hash_ in self.versions
            if max(agreement.from_ms, self.proposals[hash_].signed_ms if hash_ in self.proposals else 0) <= at_ms
        ]
        return begun[-1] if begun else self.versions.founding

    def operational(self, at_ms: int) -> bool:
        """Whether every member that has a node declared itself ready under the version in force."""
        agr = self.newest(at_ms)
        return all((m.party, agr) in self.declared for m in self.versions.founding.members if m.root)

    def newest(self, at_ms: int) -> str:
        """The hash of the version in force at a time, of those that this line's words made."""
        begun = [(a.version, h) for h, a in self._agreed.items() if a.from_ms <= at_ms]
        return max(begun, default=(1, self.versions.hash))[1]

    def open_proposals(self) -> Iterator[tuple[str, Proposed]]:
        """Those that can still come into force: nothing else follows their `previous` yet."""
        taken = {agreement.previous for agreement in self._agreed.values()}
        for hash_, proposed in self.proposals.items():
            if proposed.agreement.previous not in taken and not proposed.declined:
                yield hash_, proposed

    @staticmethod
    def missing(proposed: Proposed) -> list[str]:
        """Whose signature a version still lacks."""
        return [m.party for m in proposed.agreement.members if m.root and m.party not in proposed.signatures]

    def not_taken_in(self) -> list[bytes]:
        """Versions that every member has signed by these words, and that are not among `versions` yet: a board that was
        folded anew, with what came back after a restore, can complete one that no single word completes."""
        known = sorted(self._agreed.items(), key=lambda each: each[1].version)
        return [_whole(self.proposals[h]) for h, _ in known if self.versions.of(h) is None]

    # --- words ---

    def apply(self, header: Header, entry: str, what: AccordWord) -> tuple[dict[str, Any], bytes | None]:
        """Facts to tell, and the complete envelope of a version that came into force by this word.

        Raises NotUnderstood, and then nothing has changed.
        """
        match what:
            case Proposal():
                return self._propose(header, entry, what), None
            case Signing():
                done = self._sign(header, what)
                proposed = self.proposals[what.of]
                proposed.signed_ms = max(proposed.signed_ms, header.t_ms)
                return done
            case Suspension():
                return self._suspend(header, entry, what), None
            case Reinstatement():
                return self._reinstate(header, what), None
            case Exit():
                return self._leave(header, entry, what), None
            case Operational():
                return self._declare(header, entry, what), None

    def _propose(self, header: Header, entry: str, what: Proposal) -> dict[str, Any]:
        payload = what.agreement.encode()
        try:
            agreement = parse_agreement(payload)
            hash_ = agreement_hash(agreement)
            before = self._agreed.get(agreement.previous)
            if before is None:
                raise NotUnderstood("it follows a version that not every member has signed on this line")
            check_next(before, agreement.previous, agreement)
        except Fault as fault:
            raise NotUnderstood(fault.sentence) from None
        if hash_ in self.proposals:
            raise NotUnderstood("this very version was proposed before")
        countered = self.proposals.get(what.counters) if what.counters else None
        if what.counters and countered is None:
            raise NotUnderstood("it counters a proposal that is not here")
        if countered is not None:
            if header.sender in countered.signatures:
                raise NotUnderstood("nobody counters what they signed")
            countered.declined = {*countered.declined, header.sender}
        self.proposals[hash_] = Proposed(
            agreement, payload, header.by, header.sender, entry, header.t_ms, what.counters, what.text
        )
        return {"agreement": hash_, "version": agreement.version, "counters": what.counters}

    def _sign(self, header: Header, what: Signing) -> tuple[dict[str, Any], bytes | None]:
        proposed = self.proposals.get(what.of)
        if proposed is None:
            raise NotUnderstood("it signs a version that was not proposed here")
        if header.sender in proposed.declined:
            raise NotUnderstood(f"{header.sender} countered that version, and so declined it")
        member = proposed.agreement.member(header.sender)
        if member is None or not member.root:
            raise NotUnderstood(f"{header.sender} has no root key in that agreement")
        signed = Envelope(b64(proposed.payload), AGREEMENT, (Signature(what.sig.keyid, what.sig.sig),))
        try:
            envelope.check(signed, proposed.payload, member.root, self._verifier, f"signature of {header.sender}")
        except Fault as fault:
            raise NotUnderstood(fault.sentence) from None
        proposed.signatures = {**proposed.signatures, header.sender: what.sig}
        missing = self.missing(proposed)
        facts = {"agreement": what.of, "version": proposed.agreement.version, "missing": missing}
        if missing:
            return facts, None
        self._agreed[what.of] = proposed.agreement
        return facts, _whole(proposed)

    def _suspend(self, header: Header, entry: str, what: Suspension) -> dict[str, Any]:
        if any(s.party == header.sender and s.until_ms is None for s in self.suspensions):
            raise NotUnderstood(f"{header.sender} has suspended the agreement already")
        from_ms, marks = self._notice(header, what.from_ms, what.text)
        self.suspensions.append(
            Suspended(header.sender, header.by, entry, header.t_ms, from_ms, what.text, marks)
        )  # fmt: skip
        return {"from_ms": from_ms, "text": what.text, "marks": list(marks)}

    def _notice(self, header: Header, from_ms: int, text: str) -> tuple[int, tuple[str, ...]]:
        """From when it holds (never backwards), and what is marked: no text, or less notice than agreed."""
        from_ms = max(from_ms, header.t_ms)
        rules = self.versions.rules_of(header.agr)
        marks = [] if text.strip() else [NO_TEXT]
        if rules is not None and from_ms - header.t_ms < rules.suspend_notice_ms:
            marks.append(SHORT_NOTICE)
        return from_ms, tuple(marks)

    def _reinstate(self, header: Header, what: Reinstatement) -> dict[str, Any]:
        standing = next((s for s in self.suspensions if s.party == header.sender and s.until_ms is None), None)
        if standing is None:
            raise NotUnderstood(f"{header.sender} has not suspended the agreement")
        standing.until_ms = max(header.t_ms, standing.from_ms)
        return {"until_ms": standing.until_ms, "text": what.text}

    def _leave(self, header: Header, entry: str, what: Exit) -> dict[str, Any]:
        if header.sender in self.exits:
            raise NotUnderstood(f"{header.sender} has left already")
        from_ms, marks = self._notice(header, what.from_ms, what.text)
        self.exits[header.sender] = Left(
            header.sender, header.by, entry, header.t_ms, from_ms, what.text, marks
        )  # fmt: skip
        return {"from_ms": from_ms, "text": what.text, "marks": list(marks)}

    def _declare(self, header: Header, entry: str, what: Operational) -> dict[str, Any]:
        if what.of not in self._agreed:
            raise NotUnderstood("it declares readiness under a version that not every member has signed on this line")
        self.declared[header.sender, what.of] = Declared(
            header.sender, header.by, entry, header.t_ms, what.red, what.text
        )  # fmt: skip
        return {"agreement": what.of, "red": list(what.red)}


def _whole(proposed: Proposed) -> bytes:
    """The envelope with every member's signature, in order of key id."""
    by_id = {s.keyid: Signature(s.keyid, s.sig) for s in proposed.signatures.values()}
    signatures = tuple(by_id[keyid] for keyid in sorted(by_id))
    return Envelope(b64(proposed.payload), AGREEMENT, signatures).encoded()
