# SPDX-License-Identifier: Apache-2.0
"""`screen`: files in, one line per pair out; no node."""

import json
import subprocess
import sys

import pytest

from tests.cli.cliworld import wideberth
from wideberth.cli import screen_files
from wideberth.cli.screen import FIELDS
from wideberth.formats import parquet
from wideberth.formats.filling import Filling
from wideberth.formats.many import fill


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
    assert "a and b conflict under 50m/15m/0s" in said.out.splitlines()[0]
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


@pytest.fixture
def files(tmp_path):
    """The same operations as JSON Lines and as Parquet, and others that some of them meet."""
    lines, others = tmp_path / "ours.jsonl", tmp_path / "theirs.json"
    lines.write_text(LINES)
    others.write_text(json.dumps([operation("x", 50.001), operation("a", 50.1)]))
    filling = Filling()
    with lines.open("rb") as file:
        fill(filling, file, "ours")
    many = filling.done()
    parquet.write(str(tmp_path / "ours.parquet"), many.columns, list(many.ids))
    return tmp_path


def both_ways(monkeypatch, *args):
    """The same command with small files taken as small, and with all files taken as large."""
    small = wideberth("screen", *args, *MINIMA)
    with monkeypatch.context() as patched:
        patched.setattr(screen_files, "LARGE_BYTES", 0)
        large = wideberth("screen", *args, *MINIMA)
    assert tuple(next(way for way in ("one by one", "in columns") if way in said.err) for said in (small, large)) == (
        "one by one",
        "in columns",
    )
    return small, large


@pytest.mark.parametrize("name", ["ours.jsonl", "ours.parquet"])
@pytest.mark.parametrize("more", [(), ("--json",), ("--json", "--against", "theirs.json")], ids=len)
def test_large_files_are_read_another_way_and_say_the_same(files, monkeypatch, name, more):
    monkeypatch.chdir(files)
    small, large = both_ways(monkeypatch, name, *more)
    assert small.out == large.out
    assert small.out.strip()


def test_against_finds_pairs_across_and_names_ours_first(files):
    said = wideberth("screen", str(files / "ours.jsonl"), "--against", str(files / "theirs.json"), *MINIMA, "--json")
    assert [(f["a"], f["b"]) for f in said.data] == [("a", "x"), ("b", "x"), ("c", "a")]
    assert "3 pair(s) of 3 operations against 2 come too close" in said.err
    assert wideberth("screen", str(files / "theirs.json"), "--against", "-", *MINIMA, stdin=LINES).code == 0


def test_with_json_only_findings_are_on_the_standard_output_and_the_rest_beside_it(files):
    said = wideberth("screen", str(files / "ours.jsonl"), *MINIMA, "--json")
    assert len(said.data) == 1
    assert "1 pair(s) of 3 operations" in said.err
    assert "3 volumes, one by one" in said.err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel says how much memory, in a file")
def test_how_much_memory_it_took_is_said(files):
    assert "MB of memory at the most" in wideberth("screen", str(files / "ours.jsonl"), *MINIMA).err


def test_a_picture_of_each_pair_in_a_folder_of_their_own(files):
    nasty = json.dumps(operation("../<b>&\u202e", 50.002))
    (files / "nasty.jsonl").write_text(LINES + "\n" + nasty)
    folder = files / "new" / "pictures"
    said = wideberth("screen", str(files / "nasty.jsonl"), *MINIMA, "--svg", str(folder))
    assert sorted(p.name for p in folder.iterdir()) == ["0001-a-b.svg", "0002-a-..__b___.svg", "0003-b-..__b___.svg"]
    assert "3 picture(s) in" in said.err
    for picture in folder.iterdir():
        text = picture.read_text("utf-8")
        assert text.startswith("<svg")
        assert "<b>" not in text
        assert "conflict" in text or "too close" in text
    again = wideberth("screen", str(files / "nasty.jsonl"), *MINIMA, "--svg", str(folder))
    assert (again.code, "give a new folder" in again.err) == (3, True)


SLIPS = [
    ((), 2, "Missing argument"),
    (("none.jsonl",), 4, "there is no file none.jsonl"),
    (("ours.jsonl", "--against", "none.jsonl"), 4, "there is no file none.jsonl"),
    (("ours.jsonl", "--against"), 2, "requires an argument"),
    (("ours.jsonl", "--svg", "ours.jsonl"), 3, "cannot be used as a folder"),
    (("ours.jsonl", "ours.jsonl"), 3, "ours.jsonl, line 1: the id 'a' was used before, at ours.jsonl, line 1"),
    ((".",), 3, "cannot be read: Is a directory"),
    (("-", "--against", "-"), 3, "the standard input can be read once"),
    (("torn.parquet",), 3, "cannot be read as Parquet"),
    (("ours.jsonl", "--against", "empty.jsonl"), 3, "empty.jsonl: is empty"),
    (("bow.jsonl",), 3, "bow.jsonl, line 2: volumes[0].volume: outline_circle or outline_polygon is missing"),
]


@pytest.mark.parametrize(("args", "code", "words"), SLIPS, ids=lambda s: " ".join(s) if isinstance(s, tuple) else None)
@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_every_slip_says_what_to_do(files, monkeypatch, args, code, words, large):
    monkeypatch.chdir(files)
    (files / "torn.parquet").write_bytes(b"PAR1")
    (files / "empty.jsonl").write_bytes(b"")
    broken = operation("b", 50.0)
    del broken["volumes"][0]["volume"]["outline_circle"]
    (files / "bow.jsonl").write_text(LINES.splitlines()[0] + "\n" + json.dumps(broken))
    if large:
        monkeypatch.setattr(screen_files, "LARGE_BYTES", 0)
    said = wideberth("screen", *MINIMA, *args, stdin=LINES)
    assert said.code == code
    assert words in said.err.replace("\n", " ")


def test_parquet_through_a_pipe_is_sent_to_its_name():
    said = wideberth("screen", "-", *MINIMA, stdin="PAR1 and the rest")
    assert "this is a Parquet file; give it by its name" in said.err


def test_small_files_load_neither_numpy_nor_numba(files):
    code = (
        "import sys; from wideberth.cli.main import app; from typer.testing import CliRunner; "
        "r = CliRunner().invoke(app, sys.argv[1:]); assert r.exit_code == 0, r.output; "
        "print(sorted({'numpy', 'numba', 'pyarrow'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "screen", str(files / "ours.jsonl"), *MINIMA], capture_output=True, text=True
    )
    assert ran.stdout.strip() == "[]", ran.stderr


def test_without_the_extra_large_files_are_compared_all_the_same_and_it_is_said(files, monkeypatch):
    monkeypatch.setattr(screen_files, "LARGE_BYTES", 0)
    monkeypatch.setattr("wideberth.core.judge.fast.available", lambda: False)
    said = wideberth("screen", str(files / "ours.jsonl"), *MINIMA)
    assert "1 pair(s) of 3 operations" in said.out
    assert "pip install 'wideberth[fast]'" in said.err
