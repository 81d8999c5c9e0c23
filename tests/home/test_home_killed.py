# SPDX-License-Identifier: Apache-2.0
"""A change of keys leaves the old state or the new one, whole, wherever its process is killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# How many calls to the disk each change makes at least; a case that is never killed would show nothing.
LEAST = {
    "rotate": 30, "rotate-plain": 30, "add": 15, "revoke": 12, "settle": 25, "passphrase": 5, "first-passphrase": 25,
    "own-keys": 30,
}  # fmt: skip


@pytest.mark.parametrize("case", LEAST)
def test_killed_at_every_step_nothing_is_lost_and_nothing_is_half_done(case):
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    said = subprocess.run(
        [sys.executable, ROOT / "tests" / "home" / "kill_each_step.py", case],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-3000:]
    assert int(said.stdout) >= LEAST[case]
