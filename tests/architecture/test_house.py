# SPDX-License-Identifier: Apache-2.0
"""The house: licence lines, docstrings, sizes, nothing left undone, nothing of one person's machine."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from house_tree import PACKAGE, ROOT, modules, parsed, told, tracked

SPDX = "SPDX-License-Identifier: Apache-2.0"
LINES_MAX = 500
SOURCE_SUFFIXES = {".py", ".sh", ".js", ".mjs", ".css", ".sql"}
SOURCE_NAMES = {"Makefile", "run"}
# Spelt in two halves, so that this file can be judged by its own rules.
UNDONE = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
# The fictional parties may have a home; nobody else's is anybody's business.
MACHINE = re.compile(
    r"(?<![\w.~:-])/(?:wo" + r"rk|ho" + r"me|ro" + r"ot|Us" + r"ers)/(?!blue\b|green\b)[\w.]|[A-Z]:\\Us" + r"ers\\"
)
REGISTRIES = re.compile(
    "|".join(("pypi" + r"\.org", "python" + r"hosted", "npm" + r"js\.", r"crates" + r"\.io", "conda" + r"\.org"))
)


def is_source(file: Path) -> bool:
    return file.suffix in SOURCE_SUFFIXES or file.name in SOURCE_NAMES


def text_of(file: Path) -> str | None:
    """The text of a file, or None for one that is not text (a picture, an archive)."""
    data = file.read_bytes()
    if b"\0" in data:
        return None
    return data.decode("utf-8", errors="replace")


def without_licence(files: list[Path]) -> list[Path]:
    """Sources whose first line, after a `#!` line, is not the licence. Files of others keep their own head."""
    found = []
    for file in files:
        if is_source(file) and "vendor" not in file.parts:
            head = file.read_text(encoding="utf-8").splitlines()[:2]
            if head and head[0].startswith("#!"):
                head = head[1:]
            if not head or SPDX not in head[0]:
                found.append(file)
    return found


def too_long(files: list[Path]) -> list[tuple[Path, int]]:
    lengths = [(f, len(f.read_text(encoding="utf-8").splitlines())) for f in files if f.suffix == ".py"]
    return [(file, lines) for file, lines in lengths if lines > LINES_MAX]


def undone(files: list[Path]) -> list[str]:
    """Marks of unfinished work, in any source; and code that raises instead of doing."""
    found = []
    for file in files:
        if is_source(file):
            lines = file.read_text(encoding="utf-8").splitlines()
            found += [f"{file}:{at}: {line.strip()}" for at, line in enumerate(lines, 1) if UNDONE.search(line)]
        if file.suffix == ".py":
            found += [
                f"{file}:{node.lineno}: raises instead of doing"
                for node in ast.walk(parsed(file))
                if isinstance(node, ast.Name) and node.id == "NotImplemented" + "Error"
            ]
    return found


def of_one_machine(files: list[Path]) -> list[str]:
    """Absolute paths of somebody's machine, and names of package registries."""
    found = []
    for file in files:
        lines = (text_of(file) or "").splitlines()
        found += [
            f"{file}:{at}: {line.strip()}"
            for at, line in enumerate(lines, 1)
            if MACHINE.search(line) or REGISTRIES.search(line)
        ]
    return found


def undocumented(package: Path) -> list[str]:
    """Public modules with code in them and no docstring. A name with a leading underscore is not public."""
    return [
        name or package.name
        for name, file in modules(package).items()
        if not any(part.startswith("_") and part != "__main__" for part in name.split("."))
        if (tree := parsed(file)).body and ast.get_docstring(tree) is None
    ]


def public_names(package: Path) -> list[str]:
    """`__all__` of the package, read without importing it."""
    for node in parsed(package / "__init__.py").body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            names = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(n, ast.Name) and n.id == "__all__" for n in names) and node.value is not None:
                return [str(name) for name in ast.literal_eval(node.value)]
    return []


def definitions(package: Path) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    for file in modules(package).values():
        for node in parsed(file).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, node


def public_without_docstring(package: Path) -> list[str]:
    """Public classes and functions that say nothing about themselves."""
    public = set(public_names(package))
    return sorted(name for name, node in definitions(package) if name in public and not ast.get_docstring(node))


def broken_links(files: list[Path]) -> list[str]:
    """Relative links in the documents that lead nowhere."""
    found = []
    for file in files:
        if file.suffix == ".md":
            for link in re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8")):
                path = link.split("#")[0]
                if path and "://" not in link and not link.startswith("mailto:") and not (file.parent / path).exists():
                    found.append(f"{file}: {link}")
    return found


FILES = tracked(ROOT)


def test_there_are_files_to_judge() -> None:
    names = {str(file.relative_to(ROOT)) for file in FILES}
    assert {"pyproject.toml", "src/wideberth/errors.py", "tests/architecture/test_house.py", "Makefile"} <= names


def test_every_source_names_its_licence() -> None:
    found = without_licence(FILES)
    assert not found, told(found)


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    found = too_long(FILES)
    assert not found, told(found)


def test_nothing_is_left_undone() -> None:
    found = undone(FILES)
    assert not found, told(found)


def test_nothing_of_one_machine_is_in_the_tree() -> None:
    found = of_one_machine(FILES)
    assert not found, told(found)


def test_every_public_module_says_what_it_is_for() -> None:
    found = undocumented(PACKAGE)
    assert not found, told(found)


def test_every_public_name_is_documented() -> None:
    found = public_without_docstring(PACKAGE)
    assert not found, told(found)


def test_types_are_shipped() -> None:
    assert (PACKAGE / "py.typed").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "Typing :: Typed" in project["project"]["classifiers"]
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["src/wideberth"]}


def test_links_in_the_documents_lead_somewhere() -> None:
    found = broken_links(FILES)
    assert not found, told(found)


def test_the_limits_of_the_software_are_written_down_and_linked() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "docs/threat-model.md" in readme
    assert "SECURITY.md" in readme


def test_every_decision_is_linked_from_the_architecture() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert len(decisions) >= 6
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [d.name for d in decisions if d.name not in text] == []
    for decision in decisions:
        for section in ("## Context", "## Options", "## Choice", "## What we gave up"):
            assert section in decision.read_text(encoding="utf-8"), (decision.name, section)


def test_the_scope_stands_in_the_readme_as_it_stands_in_the_program() -> None:
    from wideberth.core.say.words import RECEIPT_ONLY, SCOPE

    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").replace("\n>", "\n").split())
    assert SCOPE in readme
    assert RECEIPT_ONLY in readme


def test_make_help_names_every_target_and_ci_can_be_run() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets is not None
    said = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [t for t in targets[1].split() if f"make {t} " not in said] == []
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("head", ["", "import os\n", '"""Words."""\n', f"import os\n\n# {SPDX}\n"])
def test_a_source_without_its_licence_is_seen(tmp_path: Path, head: str) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(head)
    good = tmp_path / "run"
    good.write_text(f"#!/bin/sh\n# {SPDX}\n")
    assert without_licence([bad, good]) == [bad]


def test_a_long_file_is_seen(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("x = 1\n" * (LINES_MAX + 1))
    assert too_long([bad]) == [(bad, LINES_MAX + 1)]


@pytest.mark.parametrize("line", ["# TO" + "DO later", "x = 1  # FIX" + "ME", "raise NotImplemented" + "Error"])
def test_unfinished_work_is_seen(tmp_path: Path, line: str) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(line + "\n")
    assert len(undone([bad])) == 1


@pytest.mark.parametrize(
    "line", ["x = '/ho" + "me/anna/x'", "see /wo" + "rk/main", "(/ro" + "ot/.cache)", "https://pypi" + ".org/simple"]
)
def test_a_path_of_one_machine_is_seen(tmp_path: Path, line: str) -> None:
    bad = tmp_path / "bad.md"
    bad.write_text(line + "\n")
    assert len(of_one_machine([bad])) == 1


@pytest.mark.parametrize(
    "line",
    [
        "/home/blue/x",
        "tests/home/x",
        "~/home/x",
        "/var/lib/wideberth",
        "a work/home day",
        "https://green.example/home/x",
    ],
)
def test_other_paths_pass(tmp_path: Path, line: str) -> None:
    good = tmp_path / "good.md"
    good.write_text(line + "\n")
    assert of_one_machine([good]) == []


def test_a_module_or_a_public_name_without_words_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "wideberth"
    package.mkdir()
    (package / "__init__.py").write_text('"""Names."""\n__all__ = ["Told", "Untold"]\n')
    (package / "a.py").write_text('class Told:\n    """Words."""\nclass Untold:\n    pass\nclass Inner:\n    pass\n')
    (package / "_private.py").write_text("x = 1\n")
    assert undocumented(package) == ["a"]
    assert public_without_docstring(package) == ["Untold"]


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    bad = tmp_path / "bad.md"
    bad.write_text("[here](bad.md) [there](gone.md#part) [far](https://example.org/x) [top](#top)")
    assert broken_links([bad]) == [f"{bad}: gone.md#part"]
