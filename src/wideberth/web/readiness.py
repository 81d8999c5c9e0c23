# SPDX-License-Identifier: Apache-2.0
"""Whether a mechanism is ready to be used: a list with a sentence for each item, green or red (domain.md N6).

Each side has its own list, of what its own node can know. Nothing depends on it but what is declared: a mechanism works
before anybody has declared anything, and a supervisor may declare it with red items, by name and with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from wideberth.core.mechanism import Mechanism
from wideberth.core.say import instant
from wideberth.core.witnessing import CLOCK_ALARM_MS
from wideberth.folder import disk, read_file, write_file

BACKUP_MS: Final = 7 * instant.MS_PER_DAY
_NOTED: Final = "backup.noted"


class Item(msgspec.Struct, frozen=True):
    """One line of the list. `item` is the short name that a declaration carries when it is red."""

    item: str
    ok: bool
    says: str


def readiness(mechanism: Mechanism, us: str, compared: Mapping[str, str], backup_ms: int, now_ms: int) -> list[Item]:
    """`compared`: `{root: party}` of keys whose words were heard; `backup_ms`: when a backup was last taken (0: never
    noted)."""
    return [
        _line_checks(mechanism, us),
        _clocks(mechanism),
        _fallback(mechanism, now_ms),
        _contacts(mechanism),
        _fingerprints(mechanism, us, compared),
        _backup(backup_ms, now_ms),
    ]


def _pairs(mechanism: Mechanism) -> Iterator[tuple[str, str, str]]:
    """Channel, purpose and peer of every pair of us and a peer with a node."""
    for ch, line in mechanism.lines.items():
        for peer in line.channel.peers:
            yield ch, line.channel.terms.purpose.value, peer


def _line_checks(mechanism: Mechanism, us: str) -> Item:
    silent = [
        f"{peer} on {purpose}"
        for ch, purpose, peer in _pairs(mechanism)
        if not any(
            {each.ask.author, each.answer.author} == {us, peer} for each in mechanism.lines[ch].board.lines.answered
        )
    ]
    says = "with every peer a person asked and a person answered a line check"
    if silent:
        says = f"no line check between people yet with {', '.join(silent)}: `wideberth linecheck ask`"
    return Item("line checks", not silent, says)


def _clocks(mechanism: Mechanism) -> Item:
    wrong = []
    for ch, purpose, peer in _pairs(mechanism):
        offset = mechanism.lines[ch].channel.clocks[peer].offset
        if offset is None:
            wrong.append(f"{peer} on {purpose} is not measured")
        elif abs(offset.offset_ms) + offset.bound_ms > CLOCK_ALARM_MS:
            wrong.append(f"{peer} on {purpose} may differ by {(abs(offset.offset_ms) + offset.bound_ms) / 1000:.1f} s")
    limit = f"{CLOCK_ALARM_MS / 1000:.0f} s"
    return Item("clocks", not wrong, "; ".join(wrong) if wrong else f"every peer's clock is within {limit} of ours")


def _fallback(mechanism: Mechanism, now_ms: int) -> Item:
    rungs = mechanism.versions.rules_at(now_ms).fallback
    says = " then ".join(f"{rung.kind.value} {rung.how}" for rung in rungs)
    return Item("fallback", bool(rungs), says or "the agreement names nothing to try when the line is silent")


def _contacts(mechanism: Mechanism) -> Item:
    missing = sorted({card.party for line in mechanism.lines.values() for card in line.channel.cards.values()
                      if not card.contact.strip()})  # fmt: skip
    says = f"no telephone on the card of {', '.join(missing)}" if missing else "every card has a telephone"
    return Item("contacts", not missing, says)


def _fingerprints(mechanism: Mechanism, us: str, compared: Mapping[str, str]) -> Item:
    missing = [
        m.party for m in mechanism.versions.founding.members if m.root and m.party != us and m.root not in compared
    ]
    says = (
        f"the words of {', '.join(missing)} were not compared here"
        if missing
        else "the words of every member were compared over a telephone"
    )
    return Item("fingerprints", not missing, says)


def _backup(backup_ms: int, now_ms: int) -> Item:
    fresh = bool(backup_ms) and now_ms - backup_ms <= BACKUP_MS
    if not backup_ms:
        return Item("backup", False, "no backup of the record was taken yet: `wideberth backup FILE`")
    says = f"last backup of the record at {instant.show(backup_ms // 1000 * 1000)}"
    return Item("backup", fresh, says if fresh else f"{says}, more than 7 days ago")


def note_backup(folder: Path, t_ms: int) -> None:
    """A backup of the record of this node's folder was taken. Raises StoreFull, Worlds."""
    with disk(folder):
        write_file(folder / _NOTED, f"{t_ms}\n".encode("ascii"), replace=True)


def backup_noted(folder: Path) -> int:
    """When the last backup was taken; 0 when none is noted."""
    file = folder / _NOTED
    if not file.is_file():
        return 0
    with disk(folder):
        text = read_file(file, 32).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else 0
