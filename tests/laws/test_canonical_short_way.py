# SPDX-License-Identifier: Apache-2.0
"""The short way through the check of the one spelling must never let through what the long way refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wideberth.core.seal import canonical
from wideberth.errors import Malformed

_texts = st.text(max_size=8) | st.sampled_from(["", "é", "e\u0301", "1.5", ":1e5", "[12345678901234567", "\\", '"'])
_numbers = st.integers() | st.integers(-(2**53) - 2, 2**53 + 2) | st.floats(allow_nan=False, allow_infinity=False)
_json = st.recursive(
    _texts | _numbers | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)


@given(_json)
@example([2**53])
@example({"a": -(2**53)})
@example([1e16, 1])
@example({"k": 1.0})
@example(1.5)
@example(2**60)
def test_what_the_short_way_passes_the_long_way_passes(value: Any) -> None:
    data = canonical.encode(value)
    if canonical._plainly_on_domain(data):
        canonical._check_domain(value, "a value")


def test_a_routine_text_takes_the_short_way() -> None:
    assert canonical._plainly_on_domain(canonical.encode({"hash": "1e5" * 21, "t_ms": 1_900_000_000_000, "n": [-1, 0]}))


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_what_is_nested_too_deep_is_refused_on_either_way(opening: str) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]
    with pytest.raises(Malformed, match="nested too deep"):
        canonical.check((opening * 30 + "1" + closing * 30).encode(), "a text")
