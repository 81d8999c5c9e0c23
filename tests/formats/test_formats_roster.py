# SPDX-License-Identifier: Apache-2.0
"""The roster file (domain.md B10): shifts that pass midnight, single ones, and every complaint at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wideberth.core.desk.people import DAY_MS
from wideberth.errors import BadInput
from wideberth.formats.roster import read_roster

MONDAY = int(datetime(2030, 6, 10, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000

FILE = """
[[people]]
name = "Anna"
role = "WATCH_OFFICER"
post = "watch-1"
languages = ["en", "ru"]
pages = ["mailto:anna@example"]

[[people]]
name = "Boris"
role = "WATCH_OFFICER"
post = "watch-2"

[[people]]
name = "Cora"
role = "SUPERVISOR"
post = "supervisor"

[[shifts]]
person = "Anna"
from = "06:00"
until = "18:00"

[[shifts]]
person = "Boris"
from = "18:00"
until = "06:00"

[[shifts]]
person = "Boris"
start = 2030-06-12T06:00:00Z
end = 2030-06-12T18:00:00Z
backup = true
"""


def test_day_and_night_leave_no_gap_in_thirty_days() -> None:
    roster = read_roster(FILE, MONDAY, MONDAY + 30 * DAY_MS)
    assert roster.gaps(MONDAY, MONDAY + 30 * DAY_MS) == []
    assert [p.name for p in roster.on_shift(MONDAY)] == ["Boris"], "his night began on Sunday"
    assert [p.name for p in roster.on_shift(MONDAY + 6 * HOUR)] == ["Anna"]
    assert [p.name for p in roster.backups(MONDAY + 2 * DAY_MS + 7 * HOUR)] == ["Boris"]
    assert roster.people["Anna"].pages == ("mailto:anna@example",)


def test_weekdays_only_leave_the_weekend_open() -> None:
    text = FILE.replace(
        'from = "06:00"\nuntil = "18:00"', 'days = ["MO","TU","WE","TH","FR"]\nfrom = "06:00"\nuntil = "18:00"'
    )
    gaps = read_roster(text, MONDAY, MONDAY + 7 * DAY_MS).gaps(MONDAY, MONDAY + 7 * DAY_MS)
    assert gaps == [(MONDAY + d * DAY_MS + 6 * HOUR, MONDAY + d * DAY_MS + 18 * HOUR) for d in (5, 6)]


def test_midnight_has_two_names() -> None:
    text = FILE.replace('from = "18:00"\nuntil = "06:00"', 'from = "18:00"\nuntil = "24:00"')
    roster = read_roster(text, MONDAY, MONDAY + DAY_MS)
    assert roster.gaps(MONDAY, MONDAY + DAY_MS) == [(MONDAY, MONDAY + 6 * HOUR)]


def test_every_complaint_comes_at_once_and_names_its_block() -> None:
    text = """
    staff = 1
    [[people]]
    name = "Anna"
    role = "BOSS"
    [[people]]
    name = "Boris"
    role = "WATCH_OFFICER"
    rank = "major"
    [[shifts]]
    person = "Nobody"
    [[shifts]]
    person = "Boris"
    from = "6:00"
    until = "18:00"
    """
    with pytest.raises(BadInput) as caught:
        read_roster(text, MONDAY, MONDAY + DAY_MS)
    for part in ("no 'staff'", "people 1: the role is one of", "people 2: there is no rank", "shifts 1", "shifts 2"):
        assert part in caught.value.sentence


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("2030-06-12T06:00:00Z", '"2030-06-12"'), "start is an instant"),
        (("2030-06-12T06:00:00Z", "2030-06-12T06:00:00"), "with its zone"),
        (("backup = true", 'backup = "yes"'), "true or false"),
        (("[[people]]", "[[people]"), "not TOML"),
        (('languages = ["en", "ru"]', "languages = 3"), "people 1"),
    ],
)
def test_a_slip_is_explained(change: tuple[str, str], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read_roster(FILE.replace(*change), MONDAY, MONDAY + DAY_MS)
