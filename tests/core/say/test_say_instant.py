# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wideberth.core.say import instant
from wideberth.errors import BadInput

SC1 = 1_537_209_530_000  # 2018-09-17T18:38:50Z


@pytest.mark.parametrize(
    ("text", "t_ms"),
    [
        ("2018-09-17T18:38:50Z", SC1),
        ("2018-09-17t18:38:50z", SC1),
        ("2018-09-17 18:38:50Z", SC1),
        (" 2018-09-17 18:38:50 Z ", SC1),
        ("2018-09-17T21:38:50+03:00", SC1),
        ("2018-09-17T13:08:50-0530", SC1),
        ("2018-09-18T00:23:50+05:45", SC1),
        ("2018-09-17T18:38Z", SC1 - 50_000),
        ("2018-09-17T18:38:50.25Z", SC1 + 250),
        ("171838Z SEP 18", SC1 - 50_000),
        ("171838ZSEP2018", SC1 - 50_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T03:00:00+03:00", 0),
        ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
        ("9999-12-31T23:59:59.999Z", instant.LAST_MS),
    ],
)
def test_one_instant_has_many_spellings_and_one_number(text: str, t_ms: int) -> None:
    assert instant.parse(text) == t_ms


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2018-09-17T18:38:50", "no zone"),
        ("2018-09-17 18:38", "no zone"),
        ("171838 SEP 18", "zone Z"),
        ("171838J SEP 18", "zone Z"),
        ("171838C SEP 18", "zone Z"),
        ("171838Z SPT 18", "not a month"),
        ("2018-09-17T18:38:50 EEST", "not a zone that every reader knows"),
        ("2018-09-17T18:38:50+3", "not a zone"),
        ("2018-09-17T18:38:50-00:00", "unknown"),
        ("2018-09-17T18:38:50+24:00", "not an offset"),
        ("2018-09-17T18:38:60Z", "leap second"),
        ("2018-02-29T00:00:00Z", "not a time"),
        ("2018-09-17T24:00:00Z", "not a time"),
        ("2018-13-17T00:00:00Z", "not a time"),
        ("1969-12-31T23:59:59Z", "before 1970"),
        ("1970-01-01T00:00:00+03:00", "before 1970"),
        ("17/09/2018 18:38Z", "not a time"),
        ("18:38Z", "not a time"),
        ("tomorrow", "not a time"),
        ("٢٠١٨-09-17T18:38:50Z", "not a time"),
        ("", "not a time"),
        ("+15m", "no now here"),
        ("now", "no now here"),
    ],
)
def test_a_time_that_could_be_read_two_ways_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        instant.parse(text, field="start")
    assert caught.value.details["field"] == "start"


def test_relative_times_count_from_the_now_that_is_given() -> None:
    assert instant.parse("+15m", now_ms=SC1) == SC1 + 900_000
    assert instant.parse("-90s", now_ms=SC1) == SC1 - 90_000
    assert instant.parse("NOW", now_ms=SC1) == SC1


def test_fractions_finer_than_a_millisecond_go_outward() -> None:
    assert instant.parse("2018-09-17T18:38:50.0001Z") == SC1
    assert instant.parse("2018-09-17T18:38:50.0001Z", up=True) == SC1 + 1
    assert instant.parse("2018-09-17T18:38:50.0010000Z", up=True) == SC1 + 1
    assert instant.parse("2018-09-17T18:38:59.9999Z", up=True) == SC1 + 10_000


@given(st.integers(0, instant.LAST_MS))
def test_show_and_parse_are_inverse(t_ms: int) -> None:
    assert instant.parse(instant.show(t_ms)) == t_ms


@given(st.integers(-(2**60), 2**60))
def test_show_never_fails_on_a_number_from_a_peer(t_ms: int) -> None:
    assert instant.show(t_ms).endswith("Z")


@pytest.mark.parametrize(
    ("text", "ms"),
    [("10m", 600_000), ("600s", 600_000), ("2h", 7_200_000), ("1h30m", 5_400_000), ("1h 30min", 5_400_000),
     ("1.5h", 5_400_000), ("250ms", 250), ("1d", 86_400_000), ("0s", 0), ("2D12H", 216_000_000), ("0.5s", 500)],
)  # fmt: skip
def test_durations_are_read_with_their_units(text: str, ms: int) -> None:
    assert instant.parse_span(text) == ms


@pytest.mark.parametrize("text", ["10", "", "  ", "m", "10 parsecs", "30m1h", "1h1h", "-5m", "0.0001s", "1,5h", "∞s"])
def test_durations_without_a_plain_meaning_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="duration"):
        instant.parse_span(text)


@given(st.integers(0, 10**14))
def test_show_span_and_parse_span_are_inverse(ms: int) -> None:
    assert instant.parse_span(instant.show_span(ms)) == ms


def test_spans_are_shown_short() -> None:
    assert [instant.show_span(ms) for ms in (0, 600_000, 5_400_000, 90_061_001, -530_000)] == [
        "0s", "10m", "1h30m", "1d1h1m1s1ms", "-8m50s"]  # fmt: skip
