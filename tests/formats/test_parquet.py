# SPDX-License-Identifier: Apache-2.0
"""Operations from Parquet files, by both ways of reading: the same, and the same words for what is wrong."""

import builtins

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.formats.test_many import GOOD, columns_of, same, sentence

from wideberth.core.judge.columns import Columns
from wideberth.errors import BadInput
from wideberth.formats import parquet
from wideberth.formats.filling import Filling
from wideberth.formats.operations import read as read_lines


@pytest.fixture
def good(tmp_path):
    """The good operations of the other test, as a file; and themselves."""
    many, path = columns_of(GOOD), str(tmp_path / "good.parquet")
    parquet.write(path, many.columns, list(many.ids))
    return path, list(read_lines(GOOD, "x"))


def filled(path):
    filling = Filling()
    parquet.fill(filling, path)
    return filling.done()


def spoiled(good, **columns):
    """The good file with some columns set anew: a list of values, or a function of the old ones; None takes it out."""
    path, _ = good
    table = pq.read_table(path)
    for name, new in columns.items():
        at = table.column_names.index(name) if name in table.column_names else None
        if new is None:
            table = table.drop_columns([name])
        elif at is None:
            table = table.append_column(name, pa.array(new))
        else:
            values = new(table.column(name).to_pylist()) if callable(new) else new
            table = table.set_column(at, name, pa.array(values))
    pq.write_table(table, path)
    return path


def first_is(value):
    return lambda values: [value, *values[1:]]


@pytest.mark.parametrize("rows", [1, 4, 100_000])
def test_what_was_written_is_read_both_ways(good, rows, monkeypatch):
    monkeypatch.setattr(parquet, "_BATCH_ROWS", rows)  # operations begin and end within batches, and across them
    path, operations = good
    assert list(parquet.read(path)) == operations
    many = filled(path)
    assert many.ids == [o.id for o in operations]
    assert same(many.columns, Columns.of(operations))


def test_the_bar_hears_of_every_row(good):
    heard = []
    list(parquet.read(good[0], progress=heard.append))
    assert heard[-1] == parquet.rows(good[0])


def test_other_widths_of_numbers_and_texts_are_taken(good):
    path, operations = good
    table = pq.read_table(path)
    narrow = {
        "low_mm": pa.int32(),
        "reach_mm": pa.uint64(),
        "kind": pa.large_string(),
        "id": pa.dictionary(pa.int32(), pa.string()),
        "lat_ndeg": pa.large_list(pa.int64()),
    }
    schema = pa.schema([(f.name, narrow.get(f.name, f.type)) for f in table.schema])
    pq.write_table(table.cast(schema), path)
    assert list(parquet.read(path)) == operations
    assert same(filled(path).columns, Columns.of(operations))


FAULTS = {
    "no column": ({"low_ref": None}, "the column low_ref is missing"),
    "a column more": ({"purpose": ["x"] * 49}, "a column purpose that nobody here would read"),
    "a value missing": ({"end_ms": first_is(None)}, "row 1: end_ms is missing"),
    "a corner missing": ({"lat_ndeg": first_is([1, None, 3])}, "row 1: lat_ndeg is missing"),
    "fractions": ({"low_mm": lambda v: [x + 0.5 for x in v]}, "a column is of the wrong type"),
    "words for numbers": ({"start_ms": lambda v: ["now" for _ in v]}, "a column is of the wrong type"),
    "a kind": ({"kind": first_is("square")}, "row 1: there is no kind 'square'"),
    "a reference": ({"low_ref": first_is("MSL")}, "row 1: low_ref: there is no reference 'MSL'"),
    "an odd list": ({"lat_ndeg": first_is([1, 2])}, "row 1: 2 latitudes and 4 longitudes"),
    "no corners": ({"lat_ndeg": first_is([]), "lng_ndeg": first_is([])}, "row 1: a polygon has 3 to"),
    "two middles": ({"kind": first_is("circle"), "reach_mm": first_is(5)}, "row 1: a circle has one position"),
    "a thick ring": ({"reach_mm": first_is(5)}, "row 1: a polygon has no reach"),
    "over at once": ({"end_ms": lambda v: [0, *v[1:]]}, "row 1: a volume must end after it starts"),
    "off the Earth": ({"lat_ndeg": first_is([10**12] * 4)}, "row 1: latitude"),
    "a bow tie": ({"lat_ndeg": first_is([0, 9, 0, 9]), "lng_ndeg": first_is([0, 9, 9, 0])}, "cross or touch"),
    "its rows apart": ({"id": lambda v: [*v[:-1], "square"]}, "row 49: the id 'square' was used before, at"),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "words"), FAULTS.values(), ids=FAULTS)
def test_faults_name_the_row_or_the_column_both_ways(good, columns, words):
    path = spoiled(good, **columns)
    one_by_one, by_column = sentence(lambda: list(parquet.read(path))), sentence(lambda: filled(path))
    assert one_by_one == by_column
    assert words in one_by_one[0]
    assert one_by_one[0].startswith(path)


def test_a_file_with_no_rows_is_empty(good):
    path, _ = good
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    for way in (lambda: list(parquet.read(path)), lambda: filled(path)):
        with pytest.raises(BadInput, match="is empty"):
            way()


def test_without_pyarrow_the_sentence_names_the_extra(good, monkeypatch):
    real = builtins.__import__

    def without(name, *more):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadInput, match=r"pip install 'wideberth\[parquet\]'"):
        parquet.rows(good[0])


def test_what_begins_like_parquet_and_is_none_is_said_to_be_none(tmp_path):
    path = tmp_path / "torn.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    assert parquet.is_parquet(path.read_bytes())
    with pytest.raises(BadInput, match="cannot be read as Parquet"):
        list(parquet.read(str(path)))
