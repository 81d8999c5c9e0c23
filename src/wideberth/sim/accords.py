# SPDX-License-Identifier: Apache-2.0
"""What the strands of a home line say about the agreement, folded without the core: plain JSON and plain hashes."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from wideberth.core.call.accord import Accord
from wideberth.sim.outside import Read, in_order


class Compact(msgspec.Struct):
    """`versions` by hash: who signed, who declined. `suspensions`: who, from when, until when (0: it stands). `exits`:
    who, from when. `ready`: who, under which version."""

    versions: dict[str, list[list[str]]] = {}
    suspensions: list[list[Any]] = []
    exits: list[list[Any]] = []
    ready: list[list[str]] = []


def shown(accord: Accord) -> Compact:
    """What a node shows, in the same terms."""
    return Compact(
        {h: [sorted(p.signatures), sorted(p.declined)] for h, p in sorted(accord.proposals.items())},
        sorted([s.party, s.from_ms, s.until_ms or 0] for s in accord.suspensions),
        sorted([e.party, e.from_ms] for e in accord.exits.values()),
        sorted([party, agr] for party, agr in accord.declared),
    )


def said(chains: dict[tuple[str, str], list[Read]], founding: str, members: tuple[str, ...]) -> Compact:
    """What was said, in causal order; what breaks a rule is skipped. `founding` is the hash of version 1."""
    signed: dict[str, set[str]] = {}
    declined: dict[str, set[str]] = {}
    numbers = {founding: 1}
    proposed: dict[str, dict[str, Any]] = {}
    standing: list[list[Any]] = []
    exits: dict[str, int] = {}
    ready: set[tuple[str, str]] = set()
    in_force = {founding}
    for e in in_order(chains):
        what = e.what
        match what["kind"]:
            case "propose":
                hash_ = hashlib.sha256(what["agreement"].encode()).hexdigest()
                agreement = msgspec.json.decode(what["agreement"])
                counters = what.get("counters", "")
                fits = agreement["previous"] in in_force and agreement["version"] == numbers[agreement["previous"]] + 1
                if not fits or hash_ in proposed or (counters and counters not in proposed):
                    continue
                if counters and e.author in signed[counters]:
                    continue
                if counters:
                    declined[counters].add(e.author)
                proposed[hash_], signed[hash_], declined[hash_] = agreement, set(), set()
                numbers[hash_] = agreement["version"]
            case "sign":
                if what["of"] in proposed and e.author not in declined[what["of"]]:
                    signed[what["of"]].add(e.author)
                    if signed[what["of"]] == set(members):
                        in_force.add(what["of"])
            case "suspend":
                if not any(s[0] == e.author and not s[2] for s in standing):
                    standing.append([e.author, max(what["from_ms"], e.t_ms), 0])
            case "reinstate":
                for one in standing:
                    if one[0] == e.author and not one[2]:
                        one[2] = max(e.t_ms, one[1])
            case "exit":
                exits.setdefault(e.author, max(what["from_ms"], e.t_ms))
            case "operational":
                if what["of"] in in_force:
                    ready.add((e.author, what["of"]))
            case _:
                pass
    return Compact(
        {h: [sorted(signed[h]), sorted(declined[h])] for h in sorted(proposed)},
        sorted(standing),
        sorted([party, from_ms] for party, from_ms in exits.items()),
        sorted([party, agr] for party, agr in ready),
    )
