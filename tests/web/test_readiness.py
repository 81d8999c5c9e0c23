# SPDX-License-Identifier: Apache-2.0
"""What a node's own folder adds to the readiness list: the roster, the last drill, the backup (domain.md N6, B10)."""

from __future__ import annotations

from pathlib import Path

from wideberth.core.say import instant
from wideberth.web.readiness import (
    DRILL_MS,
    ROSTER_NAME,
    DrillNoted,
    Item,
    at_home,
    home_items,
    note_backup,
    note_drill,
)

NOW = instant.parse("2030-06-12T05:30:00Z")
ROSTER = """
[[people]]
name = "Anna"
role = "WATCH_OFFICER"
[[shifts]]
person = "Anna"
from = "00:00"
until = "{until}"
"""


def items(folder: Path, now_ms: int = NOW) -> dict[str, Item]:
    return {item.item: item for item in home_items(at_home(folder, {}), now_ms)}


def test_an_empty_folder_has_neither_roster_nor_drill_nor_backup(tmp_path: Path) -> None:
    found = items(tmp_path)
    assert {name for name, item in found.items() if not item.ok} == {"roster", "drill", "backup"}
    assert all(item.says for item in found.values())


def test_a_backup_is_fresh_for_seven_days(tmp_path: Path) -> None:
    note_backup(tmp_path, NOW)
    assert items(tmp_path)["backup"].ok
    assert not items(tmp_path, NOW + 8 * instant.MS_PER_DAY)["backup"].ok


def test_a_roster_without_a_gap_for_thirty_days_is_green(tmp_path: Path) -> None:
    (tmp_path / ROSTER_NAME).write_text(ROSTER.format(until="24:00"))
    assert items(tmp_path)["roster"].ok


def test_a_gap_in_the_roster_is_said_with_its_hour(tmp_path: Path) -> None:
    (tmp_path / ROSTER_NAME).write_text(ROSTER.format(until="23:00"))
    found = items(tmp_path)["roster"]
    assert not found.ok
    assert "from 2030-06-12T23:00:00Z until 2030-06-13T00:00:00Z, and 29 gaps more" in found.says


def test_a_roster_that_cannot_be_read_is_red_and_says_why(tmp_path: Path) -> None:
    (tmp_path / ROSTER_NAME).write_text('[[people]]\nname = "Anna"\nrole = "ADMIRAL"\n')
    found = items(tmp_path)["roster"]
    assert not found.ok
    assert "the role is one of" in found.says


def test_a_drill_counts_for_ninety_days_and_only_whole(tmp_path: Path) -> None:
    note_drill(tmp_path, DrillNoted("SC2", NOW, 14, 15))
    found = items(tmp_path)["drill"]
    assert not found.ok
    assert "SC2 at 2030-06-12T05:30:00Z: 14 of 15 checks" in found.says
    note_drill(tmp_path, DrillNoted("SC2", NOW, 15, 15, ("pager",)))
    assert items(tmp_path)["drill"].ok
    assert items(tmp_path, NOW + DRILL_MS)["drill"].ok
    assert not items(tmp_path, NOW + DRILL_MS + 1)["drill"].ok


def test_a_note_that_cannot_be_read_is_no_drill(tmp_path: Path) -> None:
    (tmp_path / "drill.noted").write_text("SC2, all fine")
    assert not items(tmp_path)["drill"].ok
