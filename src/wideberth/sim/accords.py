# SPDX-License-Identifier: Apache-2.0
"""What the strands of a home line say about the agreement, folded without the core: plain JSON and plain hashes.

A version that a member's record holds, or that the strands complete, is known to everybody at rest. One that only
records held which were put back to older ones is gone; what was signed under it waits for the same signatures again, on
every node alike (docs/simulator.md).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from wideberth.core.call.accord import Accord
from wideberth.core.line import Line
from wideberth.core.records import SidecarRecord
from wideberth.sim.outside import Read, in_order

_JSON: Final = msgspec.json.Decoder()
Chains = dict[tuple[str, str], list[Read]]


class Compact(msgspec.Struct):
    """`versions` by hash: who signed, who declined. `suspensions`: who, from when, until when (0: it stands). `exits`:
    who, from when. `ready`: who, under which version."""

    versions: dict[str, list[list[str]]] = {}
    suspensions: list[list[Any]] = []
    exits: list[list[Any]] = []
    ready: list[list[str]] = []

    def complete(self, members: tuple[str, ...]) -> set[str]:
        """The versions that every member signed in these words."""
        return {hash_ for hash_, (signed, _) in self.versions.items() if signed == sorted(members)}


def shown(accord: Accord) -> Compact:
    """What a node shows, in the same terms."""
    return Compact(
        {h: [sorted(p.signatures), sorted(p.declined)] for h, p in sorted(accord.proposals.items())},
        sorted([s.party, s.from_ms, s.until_ms or 0] for s in accord.suspensions),
        sorted([e.party, e.from_ms] for e in accord.exits.values()),
        sorted([party, agr] for party, agr in accord.declared),
    )


def kept(*disks: Iterable[SidecarRecord]) -> set[str]:
    """The versions that any of these records holds, by hash."""
    return {
        hashlib.sha256(base64.b64decode(_JSON.decode(each.envelope)["payload"])).hexdigest()
        for sidecars in disks for each in sidecars if each.kind == "agreement"
    }  # fmt: skip


def flaw(line: Line, chains: Chains, known: set[str], wanted: Compact | None) -> str:
    """Where a node shows of the agreement what was not said, or does not know a version that is known; or empty."""
    for chain in chains.values():
        for read in chain:
            if read.agr in known and line.channel.versions.of(read.agr) is None:
                return f"waits for the version of entry {read.seq} of {read.author}"
    if wanted is None or (got := shown(line.mechanism.accord)) == wanted:
        return ""
    return f"shows of the agreement {got}, by the strands {wanted}"


def said(chains: Chains, founding: str, members: tuple[str, ...], held: set[str]) -> Compact:
    """What was said, in causal order; what breaks a rule is skipped. `founding` is the hash of version 1; `held` are
    the versions that records hold.

    Whose author had seen an entry that a restore lost for good cannot be judged: it takes effect once it fits. The same
    holds for what follows such an entry.
    """
    signed: dict[str, set[str]] = {}
    declined: dict[str, set[str]] = {}
    numbers = {founding: 1}
    proposed: dict[str, dict[str, Any]] = {}
    standing: list[list[Any]] = []
    exits: dict[str, int] = {}
    ready: set[tuple[str, str]] = set()
    in_force = {founding}

    def take(e: Read) -> bool:
        what = e.what
        if e.agr not in held | in_force:
            return False
        match what["kind"]:
            case "propose":
                hash_ = hashlib.sha256(what["agreement"].encode()).hexdigest()
                agreement = msgspec.json.decode(what["agreement"])
                counters = what.get("counters", "")
                fits = agreement["previous"] in in_force and agreement["version"] == numbers[agreement["previous"]] + 1
                if not fits or hash_ in proposed or (counters and counters not in proposed):
                    return False
                if counters and e.author in signed[counters]:
                    return False
                if counters:
                    declined[counters].add(e.author)
                proposed[hash_], signed[hash_], declined[hash_] = agreement, set(), set()
                numbers[hash_] = agreement["version"]
            case "sign":
                if what["of"] not in proposed or e.author in declined[what["of"]]:
                    return False
                signed[what["of"]].add(e.author)
                if signed[what["of"]] == set(members):
                    in_force.add(what["of"])
            case "suspend":
                if any(s[0] == e.author and not s[2] for s in standing):
                    return False
                standing.append([e.author, max(what["from_ms"], e.t_ms), 0])
            case "reinstate":
                one = next((s for s in standing if s[0] == e.author and not s[2]), None)
                if one is None:
                    return False
                one[2] = max(e.t_ms, one[1])
            case "exit":
                if e.author in exits:
                    return False
                exits[e.author] = max(what["from_ms"], e.t_ms)
            case "operational":
                if what["of"] not in in_force:
                    return False
                ready.add((e.author, what["of"]))
            case _:
                pass
        return True

    known = {read.hash for chain in chains.values() for read in chain}
    waiting: list[Read] = []
    behind: set[str] = set()
    for e in in_order(chains):
        follows = any(hash_ in behind for hash_ in e.after)
        lost = e.agr not in held | in_force or any(hash_ not in known for hash_ in e.after if hash_ != e.what.get("of"))
        fits = take(e)
        if not fits and (lost or follows):
            waiting.append(e)
        if follows or (not fits and lost):
            behind.add(e.hash)
    while fitting := [e for e in waiting if take(e)]:
        waiting = [e for e in waiting if e not in fitting]
    return Compact(
        {h: [sorted(signed[h]), sorted(declined[h])] for h in sorted(proposed)},
        sorted(standing),
        sorted([party, from_ms] for party, from_ms in exits.items()),
        sorted([party, agr] for party, agr in ready),
    )
