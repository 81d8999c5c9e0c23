# SPDX-License-Identifier: Apache-2.0
"""What is written about the command line holds: every verb, every exit code, every word of its lists; help is quick."""

import re
import subprocess
import sys
from pathlib import Path

from tests.cli.test_cli_slips import verbs
from wideberth.cli import exits, notice, options
from wideberth.core.say.templates import TEMPLATES
from wideberth.core.say.words import Hazard, NoticeType

DOC = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text("utf-8")


def test_every_verb_has_an_example_in_the_document():
    examples = re.findall(r"^\$ wideberth (.+)$", DOC, re.MULTILINE)
    assert [path for path in verbs() if not any(f"{e} ".startswith(f"{path} ") for e in examples)] == []


def test_no_example_shows_a_verb_that_is_not_there():
    known = set(verbs())
    for example in re.findall(r"^\$ wideberth (.+)$", DOC, re.MULTILINE):
        assert any(f"{example} ".startswith(f"{path} ") for path in known), example


def test_the_exit_codes_are_those_of_the_program():
    told = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", DOC, re.MULTILINE))
    assert told == {str(code): meaning for code, meaning in exits.MEANING.items()}


def test_every_fault_exits_with_a_documented_code():
    from wideberth import errors

    faults = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.Fault)]
    for kind in faults:
        extra = {"first": b"", "second": b""} if kind is errors.Equivocation else {}
        assert exits.code_of(kind("x", **extra)) in exits.MEANING


def test_the_lists_in_the_help_are_those_of_the_core():
    assert options.TYPES.split(", ") == list(NoticeType.__members__)
    assert options.HAZARDS.split(", ") == list(Hazard.__members__)
    assert notice.TEMPLATES.split(", ") == list(TEMPLATES)


def test_help_loads_nothing_heavy():
    """Half a second is the limit; on two loaded cores a count of modules is steadier than a stopwatch."""
    heavy = ("msgspec", "rich", "apsw", "cryptography", "starlette", "pyproj", "nacl", "uvicorn", "aiohttp", "asyncio")
    code = f"import sys, wideberth.cli.main; print([m for m in {heavy!r} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_every_verb_has_help_with_a_sentence():
    from tests.cli.cliworld import wideberth

    for path in verbs():
        said = wideberth(*path.split(), "--help")
        assert said.code == 0, path
        assert "--json" in said.out, path
