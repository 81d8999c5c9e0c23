# SPDX-License-Identifier: Apache-2.0
"""`screen`: files in, one line per pair out; no node."""

import json

import pytest

from tests.cli.cliworld import wideberth
from wideberth.cli.screen import FIELDS


def operation(id_, lat, start="10:00", end="11:00"):
    return {
        "id": id_,
        "volumes": [
            {
                "volume": {
                    "outline_circle": {"center": {"lat": lat, "lng": 10.0}, "radius": {"value": 100, "units": "M"}},
                    "altitude_lower": {"value": 0, "reference": "W84", "units": "M"},
                    "altitude_upper": {"value": 100, "reference": "W84", "units": "M"},
                },
                "time_start": {"value": f"2030-01-01T{start}:00Z", "format": "RFC3339"},
                "time_end": {"value": f"2030-01-01T{end}:00Z", "format": "RFC3339"},
            }
        ],
    }


LINES = "\n".join(json.dumps(o) for o in (operation("a", 50.0), operation("b", 50.002), operation("c", 50.1)))
MINIMA = ("--horizontal", "50m", "--vertical", "15m", "--time", "0s")


def test_one_json_line_for_each_pair_with_exactly_the_fields_of_the_design():
    said = wideberth("screen", "-", *MINIMA, "--json", stdin=LINES)
    assert said.code == 0, said.err
    (found,) = said.data
    assert tuple(found) == FIELDS
    assert (found["a"], found["b"], found["verdict"]) == ("a", "b", "conflict")
    # 0.002 degree of latitude is 222.5 m here; two radii of 100 m are in it.
    assert found["horizontal_m"] == pytest.approx(22.5, abs=0.2)
    assert (found["vertical_m"], found["time_overlap_s"]) == (0, 3600)
    assert (found["start"], found["end"]) == ("2030-01-01T10:00:00Z", "2030-01-01T11:00:00Z")


def test_farther_minima_find_more_and_equal_times_do_not_overlap():
    wide = wideberth("screen", "-", "--minima", "rule_of_threes", "--json", stdin=LINES)
    assert [(f["a"], f["b"]) for f in wide.data] == [("a", "b")]
    wider = wideberth("screen", "-", "--horizontal", "20km", "--vertical", "15m", "--json", stdin=LINES)
    assert len(wider.data) == 3
    after = json.dumps(operation("a", 50.0)) + "\n" + json.dumps(operation("b", 50.0, "11:00", "12:00"))
    assert wideberth("screen", "-", *MINIMA, "--json", stdin=after).data == []
    apart = ("--horizontal", "50m", "--vertical", "15m", "--time", "5m")
    assert len(wideberth("screen", "-", *apart, "--json", stdin=after).data) == 1


def test_several_files_and_a_sentence_for_people(tmp_path):
    one, two = tmp_path / "one.json", tmp_path / "two.jsonl"
    one.write_text(json.dumps([operation("a", 50.0)]))
    two.write_text(json.dumps(operation("b", 50.002)))
    said = wideberth("screen", str(one), str(two), *MINIMA)
    assert "1 pair(s) of 2 operations" in said.out
    assert wideberth("screen", str(one), str(two), *MINIMA, "--exit-code").code == 1
    assert wideberth("screen", str(one), *MINIMA, "--exit-code").code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is empty"), ("{", "standard input, line 1"), ('{"id": "a", "volumes": []}', "no volumes"),
     (LINES + "\n" + LINES.splitlines()[0], "'a' was used before"), ('{"id": "a", "shape": 1}', "shape")],
)  # fmt: skip
def test_what_cannot_be_read_names_the_place(text, words):
    said = wideberth("screen", "-", *MINIMA, stdin=text)
    assert said.code == 3
    assert words in said.err
