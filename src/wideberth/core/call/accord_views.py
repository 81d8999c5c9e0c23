# SPDX-License-Identifier: Apache-2.0
"""The agreement as plain data for screens, programs and tests: its state apart from any line's, its versions with what
each changed, proposals and who signed them, suspensions, exits, declarations."""

from __future__ import annotations

from typing import Any

import msgspec

from wideberth.core.call.accord import Accord, Proposed
from wideberth.core.say.rule_words import table
from wideberth.core.seal.agreement import Agreement, agreement_hash
from wideberth.core.seal.comparing import Difference, differences, line_words


def accord_view(accord: Accord, us: str, at_ms: int) -> dict[str, Any]:
    """What has become of the agreement, at a time, as it binds `us`."""
    agreement, hash_ = accord.versions.at(at_ms)
    return {
        "state": accord.state(us, at_ms),
        "since_ms": since(accord, us, at_ms),
        "outside": accord.outside(us, at_ms),
        "version": agreement.version,
        "agreement": hash_,
        "operational": accord.operational(at_ms),
        "versions": _versions(accord, at_ms),
        "proposals": [_proposal(accord, h, p) for h, p in accord.proposals.items()],
        "suspensions": [
            {**_plain(each), "standing": each.covers(at_ms), "to_come": at_ms < each.from_ms}
            for each in accord.suspensions
        ],
        "exits": [{**_plain(each), "to_come": at_ms < each.from_ms} for each in accord.exits.values()],
        "declared": [
            {**_plain(each), "agreement": agr, "holds": agr == accord.newest(at_ms)}
            for (_, agr), each in accord.declared.items()
        ],
    }


def since(accord: Accord, us: str, at_ms: int) -> int:
    """When the agreement came to be in the state in which it is, for `us`; 0 while it has not begun."""
    times = {accord.versions.founding.from_ms, *(e.from_ms for e in accord.exits.values())}
    times |= {t for s in accord.suspensions for t in (s.from_ms, s.until_ms) if t is not None}
    state, found = accord.state(us, at_ms), 0
    for t_ms in sorted((t for t in times if t <= at_ms), reverse=True):
        if accord.state(us, t_ms) != state:
            break
        found = t_ms
    return found


def agreement_view(agreement: Agreement) -> dict[str, Any]:
    """One version whole: as it was signed, and every number in units that people use."""
    return {
        "agreement": agreement_hash(agreement),
        "signed": msgspec.to_builtins(agreement),
        "numbers": [{"name": n, "value": v, "means": h} for n, v, h in table(agreement.rules)],
        "lines": [line_words(line) for line in agreement.lines],
    }


def _versions(accord: Accord, at_ms: int) -> list[dict[str, Any]]:
    found, before = [], None
    for agreement, hash_ in accord.versions:
        proposed = accord.proposals.get(hash_)
        found.append(
            {
                "version": agreement.version,
                "agreement": hash_,
                "from_ms": agreement.from_ms,
                "signed_ms": proposed.signed_ms if proposed is not None else agreement.from_ms,
                "in_force": agreement == accord.versions.at(at_ms)[0],
                "changes": _changes(before, agreement) if before is not None else [],
            }
        )
        before = agreement
    return found


def _proposal(accord: Accord, hash_: str, proposed: Proposed) -> dict[str, Any]:
    agreement = proposed.agreement
    before = accord.versions.of(agreement.previous)
    wanted = [m.party for m in agreement.members if m.root]
    return {
        "agreement": hash_,
        "version": agreement.version,
        "party": proposed.party,
        "by": proposed.by,
        "t_ms": proposed.t_ms,
        "from_ms": agreement.from_ms,
        "text": proposed.text,
        "counters": proposed.counters,
        "open": hash_ in {h for h, _ in accord.open_proposals()},
        "in_force": accord.versions.of(hash_) is not None,
        "signed": sorted(proposed.signatures),
        "declined": sorted(proposed.declined),
        "missing": [party for party in wanted if party not in proposed.signatures],
        "changes": _changes(before, agreement) if before is not None else [],
    }


def _changes(before: Agreement, after: Agreement) -> list[dict[str, str]]:
    return [{**_plain(each), "says": str(each)} for each in differences(before, after)]


def _plain(value: msgspec.Struct | Difference) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain
