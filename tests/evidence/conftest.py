# SPDX-License-Identifier: Apache-2.0
"""One day for all tests of evidence: making it takes longer than judging it."""

from __future__ import annotations

import pytest
from evidenceworld import Day


@pytest.fixture(scope="session")
def day() -> Day:
    return Day()
