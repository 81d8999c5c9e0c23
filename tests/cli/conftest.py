# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.cli.cliworld import World


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("w"))
    yield made
    made.close()
