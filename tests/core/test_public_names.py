# SPDX-License-Identifier: Apache-2.0
"""The public names load, and only when used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import wideberth


@pytest.mark.parametrize("name", wideberth.__all__)
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    thing = getattr(wideberth, name)
    assert name.isupper() or (thing.__doc__ or "").strip()


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, wideberth; print(sorted(m for m in ('msgspec', 'pyproj', 'nacl', 'apsw') if m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError):
        wideberth.approve  # noqa: B018
