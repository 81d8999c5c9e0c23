# SPDX-License-Identifier: Apache-2.0
"""The short way through the check of the one spelling must never let through what the long way refuses."""

from __future__ import annotations

import unicodedata
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
@example({"hash": "7" * 64, "n": 2**53 - 1})
@example(["1234567890123456,1234567890123456", -(2**53) + 1])
@example({"a": [-1e-7]})
def test_exactly_what_is_on_the_domain_passes_by_either_way(value: Any) -> None:
    data = canonical.encode(value)
    if on_domain(value):
        canonical.check(data, "a value")
    else:
        with pytest.raises(Malformed):
            canonical.check(data, "a value")


def on_domain(value: Any) -> bool:
    """The domain of spec/2, by a walk over the value (what is made here is never nested too deep)."""
    if isinstance(value, dict):
        return all(key.isascii() and on_domain(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(on_domain, value))
    if isinstance(value, str):
        return unicodedata.is_normalized("NFC", value)
    return value is None or (type(value) in (int, bool) and abs(value) < 2**53)


def test_a_routine_text_takes_the_short_way() -> None:
    assert canonical._plainly_on_domain(canonical.encode({"hash": "1e5" * 21, "t_ms": 1_900_000_000_000, "n": [-1, 0]}))


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_what_is_nested_too_deep_is_refused_on_either_way(opening: str) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]
    with pytest.raises(Malformed, match="nested too deep"):
        canonical.check((opening * 30 + "1" + closing * 30).encode(), "a text")
