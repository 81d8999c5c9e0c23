# SPDX-License-Identifier: Apache-2.0
"""The hook in `tests/conftest.py`, seen at work: CI=true fails a run that skipped something."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOOK = Path(__file__).parents[1] / "conftest.py"
SKIPS = "import pytest\n\ndef test_a(): pass\n\n@pytest.mark.skip(reason='the oracle is missing')\ndef test_b(): pass\n"
MODULE_SKIPS = "import pytest\npytest.importorskip('there_is_no_such_module')\n\ndef test_b(): pass\n"
WHOLE = "def test_a(): pass\n"


def run(folder: Path, ci: str, *options: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(HOOK.read_text(encoding="utf-8"))
    env = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith("PYTEST")} | ({"CI": ci} if ci else {})
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "-c", os.devnull, *options, "."]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "on two cores"])
@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_a_skipped_test_fails_the_run_where_ci_is_true(tmp_path, ci, status, options):
    (tmp_path / "test_it.py").write_text(SKIPS)
    code, said = run(tmp_path, ci, *options)
    assert code == status, said
    assert "the oracle is missing" in said
    assert "1 passed, 1 skipped" in said.rstrip().splitlines()[-1]
    assert ("this run fails" in said) == bool(ci)


def test_a_module_that_is_skipped_counts(tmp_path):
    (tmp_path / "test_it.py").write_text(MODULE_SKIPS)
    (tmp_path / "test_other.py").write_text(WHOLE)
    code, said = run(tmp_path, "true")
    assert code == 1, said


def test_nothing_skipped_is_well(tmp_path):
    (tmp_path / "test_it.py").write_text(WHOLE)
    code, said = run(tmp_path, "true")
    assert code == 0, said
