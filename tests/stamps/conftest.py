# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from tsaworld import OPENSSL, Authority


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if OPENSSL is None and here in item.path.parents:
            item.add_marker(
                pytest.mark.skip(reason="openssl is not installed: there is no TSA to test time stamps with")
            )


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))
