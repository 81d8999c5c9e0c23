# SPDX-License-Identifier: Apache-2.0
"""Reading the source tree without running it: modules, their imports, and the files that git tracks.

Everything here takes the folder as an argument, so that the same functions judge the real tree and the small bad trees
which the tests seed to see each check fail.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "wideberth"


def module_name(file: Path, package: Path) -> str:
    """`core.say.place` for …/core/say/place.py; a package's `__init__` has the package's name, and the top is ""."""
    parts = list(file.relative_to(package).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def modules(package: Path) -> dict[str, Path]:
    """Every module below `package`, by its name inside the package."""
    return {module_name(file, package): file for file in sorted(package.rglob("*.py"))}


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def imports(name: str, file: Path, package: Path) -> Iterator[tuple[str, int]]:
    """`(absolute dotted name, line)` of everything that a module imports, wherever in the file the import stands.

    Lazy imports inside functions, imports under `if TYPE_CHECKING`, plain `import a.b`, relative imports and
    `importlib.import_module("…")` all count. `from a import b` is given as `a.b` when that is a module, else as `a`.
    """
    known = modules(package)
    top = package.name
    is_package = file.name == "__init__.py"

    def resolve(base: str, member: str) -> str:
        if base != top and not base.startswith(f"{top}."):
            return base
        inner = f"{base}.{member}".removeprefix(top).lstrip(".")
        return f"{base}.{member}" if inner in known else base

    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = [top, *(name.split(".") if name else [])]
                up = node.level - (1 if is_package else 0)
                here = here[: len(here) - up]
                base = ".".join([*here, *([node.module] if node.module else [])])
            for alias in node.names:
                yield resolve(base, alias.name), node.lineno
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.args[0].value, node.lineno


def inside(dotted: str, package: Path) -> str | None:
    """The name inside the package of an imported name, or None for a module of somebody else."""
    top = package.name
    if dotted == top:
        return ""
    return dotted.removeprefix(f"{top}.") if dotted.startswith(f"{top}.") else None


def told(found: list[Any]) -> str:
    """A finding per line, for the message of a failing test."""
    return "\n".join(["", *(str(one) for one in found)])


def tracked(root: Path) -> list[Path]:
    """The files that git tracks or would add; without git (a source archive) all that are not hidden or built."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=root, capture_output=True, check=True, text=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        skipped = {".venv", ".git", "__pycache__", "dist", "build", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
        return sorted(f for f in root.rglob("*") if f.is_file() and not skipped & set(f.relative_to(root).parts))
    return sorted({root / name for name in done.stdout.split("\0") if name and (root / name).is_file()})
