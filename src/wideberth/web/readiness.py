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

from wideberth.core.limits import KIB
from wideberth.core.mechanism import Mechanism
from wideberth.core.say import instant
from wideberth.core.witnessing import CLOCK_ALARM_MS
from wideberth.errors import BadInput
from wideberth.folder import disk, read_file, write_file
from wideberth.formats.roster import ROSTER_BYTES_MAX, read_roster

BACKUP_MS: Final = 7 * instant.MS_PER_DAY
# What nobody has rehearsed for a quarter of a year is new to whoever is on watch.
DRILL_MS: Final = 90 * instant.MS_PER_DAY
ROSTER_MS: Final = 30 * instant.MS_PER_DAY  # domain.md B10
ROSTER_NAME: Final = "roster.toml"
_NOTED: Final = "backup.noted"
_DRILLED: Final = "drill.noted"


class Item(msgspec.Struct, frozen=True):
    """One line of the list. `item` is the short name that a declaration carries when it is red."""

    item: str
    ok: bool
    says: str


class DrillNoted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last drill that was noted in a node's folder: which, when, its score, and what was injected."""

    drill: str
    t_ms: int
    passed: int
    of: int
    faults: tuple[str, ...] = ()


class AtHome(msgspec.Struct, frozen=True):
    """What a node's folder says: `compared` is `{root: party}` of keys whose words were heard, `backup_ms` when a
    backup was last taken (0: never noted), `roster` the roster's text (empty: there is none)."""

    compared: Mapping[str, str]
    backup_ms: int = 0
    roster: str = ""
    drill: DrillNoted | None = None


def at_home(folder: Path, compared: Mapping[str, str]) -> AtHome:
    """Read what the list needs. Raises BadInput, Worlds."""
    file = folder / ROSTER_NAME
    with disk(file):
        roster = read_file(file, ROSTER_BYTES_MAX).decode("utf-8", "replace") if file.is_file() else ""
    return AtHome(compared, backup_noted(folder), roster, drill_noted(folder))


def readiness(mechanism: Mechanism, us: str, folder: AtHome, now_ms: int) -> list[Item]:
    """Every item. The node's clock says what is fresh."""
    return [
        _line_checks(mechanism, us),
        _clocks(mechanism),
        _fallback(mechanism, now_ms),
        _contacts(mechanism),
        _fingerprints(mechanism, us, folder.compared),
        *home_items(folder, now_ms),
    ]


def home_items(folder: AtHome, now_ms: int) -> list[Item]:
    """What is of the whole node, not of one mechanism."""
    return [_backup(folder.backup_ms, now_ms), _roster(folder.roster, now_ms), _drill(folder.drill, now_ms)]


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


def _roster(text: str, now_ms: int) -> Item:
    if not text:
        return Item("roster", False, f"there is no {ROSTER_NAME}: nobody is named who is on watch (docs/watch.md)")
    try:
        gaps = read_roster(text, now_ms, now_ms + ROSTER_MS).gaps(now_ms, now_ms + ROSTER_MS)
    except BadInput as fault:
        return Item("roster", False, fault.sentence)
    if not gaps:
        return Item("roster", True, "somebody is on watch at every moment of the next 30 days")
    more = f", and {len(gaps) - 1} gaps more" if len(gaps) > 1 else ""
    first = " until ".join(instant.show(t // 1000 * 1000) for t in gaps[0])
    return Item("roster", False, f"nobody is on watch from {first}{more}: `wideberth roster`")


def _drill(noted: DrillNoted | None, now_ms: int) -> Item:
    if noted is None:
        return Item("drill", False, "no drill is noted in this folder: `wideberth drill SC2 --for FOLDER`")
    when = instant.show(noted.t_ms // 1000 * 1000)
    says = f"last drill {noted.drill} at {when}: {noted.passed} of {noted.of} checks"
    if now_ms - noted.t_ms > DRILL_MS:
        return Item("drill", False, f"{says}; more than {DRILL_MS // instant.MS_PER_DAY} days ago")
    if noted.passed < noted.of:
        return Item("drill", False, f"{says}; train what failed, and do it again")
    return Item("drill", True, says)


def note_drill(folder: Path, noted: DrillNoted) -> None:
    """A drill was done by the people of this folder's node. Raises StoreFull, Worlds."""
    with disk(folder):
        write_file(folder / _DRILLED, msgspec.json.encode(noted) + b"\n", replace=True)


def drill_noted(folder: Path) -> DrillNoted | None:
    """The last drill that was noted; None when none is, or what is noted cannot be read."""
    file = folder / _DRILLED
    if not file.is_file():
        return None
    with disk(folder):
        data = read_file(file, KIB)
    try:
        return msgspec.json.decode(data, type=DrillNoted)
    except msgspec.DecodeError:
        return None


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
