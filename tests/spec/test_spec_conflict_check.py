# SPDX-License-Identifier: Apache-2.0
"""spec/11's vectors: every pair is answered as they say, by the judge, by the compiled check and by the slow reference.

The places in the file are integers and stay as they are; that the builder still makes the same names is held, not its
last digit, which belongs to the solver that worked the places out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conflict_vectors import SPEC, VECTOR, pairs

sys.path.insert(0, str(Path(__file__).parents[1] / "oracle"))
from slow_reference import ERROR_M, bands_conflict, distance, windows_conflict

from wideberth.core.judge import batch
from wideberth.core.judge.columns import Columns
from wideberth.core.judge.separation import judge
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.ring import flaw
from wideberth.core.say.volume import Polygon, Volume4D

VECTORS: list[dict[str, Any]] = json.loads(VECTOR.read_text(encoding="utf-8"))
CODES = {"separate": 0, "conflict": batch.CONFLICT, "too_close_to_call": batch.TOO_CLOSE}


def read(vector: dict[str, Any]) -> tuple[Volume4D, Volume4D, SeparationMinima, int]:
    a, b = (msgspec.convert(vector[side], Volume4D) for side in "ab")
    minima = SeparationMinima("VECTOR", vector["horizontal_mm"], vector["vertical_mm"], vector["time_ms"])
    return a, b, minima, vector["pressure_margin_mm"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_pair_is_answered_as_the_vectors_say(vector: dict[str, Any]) -> None:
    a, b, minima, margin_mm = read(vector)
    expected = vector["expected"]
    for one, other in ((a, b), (b, a)):
        found = judge(one, other, minima, pressure_margin_mm=margin_mm, measure=True)
        assert found.answer.value == expected["answer"]
        assert found.horizontal_mm == pytest.approx(expected["distance_mm"], abs=1)
        assert (found.error_mm, found.vertical_mm) == (expected["error_mm"], expected["gap_mm"])
        assert (found.widened_mm, found.time_overlap_ms) == (expected["widened_mm"], expected["overlap_ms"])
    many = batch.conflicts(Columns.of_volumes([a, b]), minima, pressure_margin_mm=margin_mm)
    assert [int(code) for code in many.answers] == [CODES[expected["answer"]]] * (expected["answer"] != "separate")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_slow_reference_says_the_same_outside_the_stated_error(vector: dict[str, Any]) -> None:
    a, b, minima, margin_mm = read(vector)
    expected = vector["expected"]
    slow = distance(a.shape, b.shape)
    assert slow.gap_m * 1000 == pytest.approx(expected["distance_mm"], abs=1) or (
        expected["distance_mm"] == 0 and slow.gap_m < ERROR_M
    )
    near, gap_mm = bands_conflict(a, b, minima, margin_mm)
    assert gap_mm == expected["gap_mm"] or abs(gap_mm) >= 10**12
    if not (near and windows_conflict(a, b, minima)):
        assert expected["answer"] == "separate"
    elif abs(slow.gap_m - minima.horizontal_mm / 1000) > 0.002 and expected["answer"] != "too_close_to_call":
        sure = slow.meet or slow.gap_m < minima.horizontal_mm / 1000
        assert expected["answer"] == ("conflict" if sure else "separate")


def test_the_vectors_are_those_that_the_builder_makes_and_the_page_names_their_fields() -> None:
    assert [vector["name"] for vector in VECTORS] == [pair.name for pair in pairs()]
    assert len({vector["name"] for vector in VECTORS}) == len(VECTORS) > 80
    assert {vector["expected"]["answer"] for vector in VECTORS} == set(CODES)
    page = (SPEC / "11-conflict-check.md").read_text(encoding="utf-8")
    for name in (*VECTORS[0], *VECTORS[0]["expected"]):
        assert f"`{name}`" in page, name


def test_no_vector_has_a_ring_that_would_be_refused() -> None:
    shapes = [volume.shape for vector in VECTORS for volume in read(vector)[:2]]
    assert not [flaw(shape) for shape in shapes if isinstance(shape, Polygon) and flaw(shape)]
