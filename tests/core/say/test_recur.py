# SPDX-License-Identifier: Apache-2.0
"""Windows that come again, in UTC, over every change of summer time (domain.md C9)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wideberth.core.say.place import Altitude
from wideberth.core.say.recur import DAY_MS, WEEK, repeated, weekday
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.errors import BadInput

HOUR = 3_600_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def window(start: str, hours: int = 2) -> Volume4D:
    begin = ms(start)
    return Volume4D(
        Circle.at(lat=36, lng=37, radius_km=10),
        Altitude.surface(),
        Altitude.flight_level(100),
        begin,
        begin + hours * HOUR,
    )


def test_every_day_at_four_over_the_last_sunday_of_march() -> None:
    volumes = repeated(window("2030-03-28T04:00:00"), ms("2030-04-03T00:00:00"))
    starts = [datetime.fromtimestamp(v.start_ms / 1000, UTC).isoformat() for v in volumes]
    assert starts == [f"2030-03-{d}T04:00:00+00:00" for d in (28, 29, 30, 31)] + [
        f"2030-04-0{d}T04:00:00+00:00" for d in (1, 2)
    ]
    assert {v.end_ms - v.start_ms for v in volumes} == {2 * HOUR}
    assert {v.shape for v in volumes} == {volumes[0].shape}


def test_weekdays_are_those_of_the_calendar() -> None:
    for day in range(400):
        at = ms("2029-12-30T23:59:59") + day * DAY_MS
        assert weekday(at) == WEEK[datetime.fromtimestamp(at / 1000, UTC).weekday()]
    volumes = repeated(window("2030-06-10T04:00:00"), ms("2030-06-24T00:00:00"), ("MO", "TH"))
    assert [datetime.fromtimestamp(v.start_ms / 1000, UTC).day for v in volumes] == [10, 13, 17, 20]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: repeated(window("2030-06-10T04:00:00", 25), ms("2030-06-20T00:00:00")), "at most a day"),
        (lambda: repeated(window("2030-06-10T04:00:00"), ms("2031-06-20T00:00:00")), "a notice holds 100"),
        (lambda: repeated(window("2030-06-10T04:00:00"), ms("2030-06-10T04:00:00")), "no window begins"),
        (lambda: repeated(window("2030-06-10T04:00:00"), ms("2030-06-20T00:00:00"), ("XX",)), "days are"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(made, why: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadInput, match=why):
        made()
