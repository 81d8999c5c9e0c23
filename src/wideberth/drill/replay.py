# SPDX-License-Identifier: Apache-2.0
"""Both sides' records folded anew, with the nodes down: the same cut, observer, role and time must give one state.

A record is read from its folder alone and folded by the product's own core. The observer is named: what BLUE and GREEN
each hold is asked what the two of them see of each other, so that nothing of one side's own clock enters.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import msgspec

from wideberth import home
from wideberth.core.batch import Now
from wideberth.core.call import views
from wideberth.core.call.clashviews import clash_view
from wideberth.core.line import Line
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.drill.scene import Scene
from wideberth.signers import HomeSigners
from wideberth.store.sqlite import SqliteStore


def folded(folder: Path, at_ms: int) -> tuple[Node, dict[tuple[str, str], list[tuple[bytes, bytes]]]]:
    """The core as it is after this folder's whole record, and the bytes of every strand by line and author."""
    house = home.load(folder)
    store = SqliteStore(house.record_path)
    try:
        records = list(store.load())
    finally:
        store.close()
    entries = [r for r in records if isinstance(r, EntryRecord)]
    by_hash = {r.hash: r for r in entries}
    node = Node(house.config.party, HomeSigners(house), Ed25519Verifier(), os.urandom, by_hash.get)
    for record in records:
        node.load(record)
    node.started(Now(at_ms, 0))
    strands: dict[tuple[str, str], list[tuple[bytes, bytes]]] = {}
    for entry in entries:
        strands.setdefault((entry.ch, entry.author), []).append((entry.envelope, entry.body))
    return node, strands


def picture(line: Line, at_ms: int, two: frozenset[str]) -> dict[str, Any]:
    """What the nodes of `two` members must show alike of one line: every notice with its ladder, every conflict
    that was spoken of, every pair's state.

    Machines sign for receipt to each other, so a third member does not hold what two of them receipted.
    """
    members = line.channel.terms.members
    pairs = [(a, b) for n, a in enumerate(members) for b in members[n + 1 :]]
    states = {f"{a}-{b}": line.watch.states.of(line.board.lines, a, b, at_ms) for a, b in pairs}
    return {
        "notices": [_held_by(two, each) for each in views.shared(line.board, members, at_ms)],
        "conflicts": [
            clash_view(line.board, clash, at_ms) for clash in sorted(line.board.dialogue, key=lambda each: each.id)
        ],
        "states": {pair: (each.state.value, each.since_ms) for pair, each in states.items()},
    }


def _held_by(two: frozenset[str], notice: dict[str, Any]) -> dict[str, Any]:
    others = {member for member in notice["standing"] if {notice["author"], member} != two}
    for member in others:
        del notice["standing"][member]
        for version in notice["versions"]:
            version["ladder"][member] = [r for r in version["ladder"][member] if r["step"] not in ("DELIVERED", "SEEN")]
    return notice


def same_on_both_sides(folders: dict[str, Path], times_ms: list[int]) -> tuple[int, list[str]]:
    """How many pictures were compared, and a sentence for each that differs between two members of its line."""
    nodes = {party: folded(path, times_ms[-1]) for party, path in folders.items()}
    compared, differ = 0, []
    for party, (node, strands) in nodes.items():
        for ch, line in node.lines.items():
            for other in line.channel.terms.members:
                if other <= party or other not in nodes:
                    continue
                there, copies = nodes[other]
                differ += [
                    f"{party} and {other} hold different strands of {author}"
                    for author in line.channel.terms.members
                    if strands.get((ch, author)) != copies.get((ch, author))
                ]
                for t_ms in times_ms:
                    compared += 1
                    two = frozenset((party, other))
                    if picture(line, t_ms, two) != picture(there.lines[ch], t_ms, two):
                        differ.append(f"{party} and {other} see different pictures at {t_ms}")
    return compared, differ


def check_replay(s: Scene, times_ms: list[int]) -> None:
    """The check of every drill: what each pair of parties holds gives both the same state, at each of these times."""
    compared, differ = same_on_both_sides(s.world.folders, times_ms)
    seen = "; ".join(differ) or f"{compared} pictures, each the same on both sides"
    what = "both records, folded anew, give the same state at the same cut, observer and time"
    s.check("B3", what, "no difference", seen, compared and not differ)


def entries_of(s: Scene, party: str) -> list[str]:
    """Every entry that a party keeps, its header and what it says, as text. Its node must be down."""
    store = SqliteStore(s.world.record_path(party))
    try:
        entries = [r for r in store.load() if isinstance(r, EntryRecord)]
    finally:
        store.close()
    return [(base64.b64decode(msgspec.json.decode(r.envelope)["payload"]) + r.body).decode() for r in entries]
