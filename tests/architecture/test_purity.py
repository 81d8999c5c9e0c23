# SPDX-License-Identifier: Apache-2.0
"""The core takes time, chance and keys as arguments; it does no I/O and never depends on the order of a set.

What can be imported or called by name is refused here. What cannot (floats in a decision, dictionary order that depends
on arrival) is caught by comparing simulator tapes.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from house_tree import PACKAGE, parsed, told

# Modules that read a clock, chance, the machine or the network, or that run beside us. A submodule counts too.
BANNED_MODULES = frozenset(
    {
        "time", "random", "secrets", "uuid", "sched",
        "os", "io.open", "pathlib", "tempfile", "shutil", "glob", "fcntl", "sqlite3", "apsw", "dbm", "shelve", "mmap",
        "socket", "ssl", "select", "selectors", "http", "urllib", "ftplib", "smtplib", "email", "asyncio",
        "aiohttp", "uvicorn", "starlette", "httptools", "uvloop",
        "threading", "multiprocessing", "concurrent", "queue", "subprocess", "signal", "ctypes", "_thread",
        "contextvars",
        "numpy.random", "numba.cuda",
        "locale", "getpass", "platform", "resource", "gc", "logging", "webbrowser",
        "nacl.utils", "cryptography",
    }
)  # fmt: skip
# The libraries that the core may use. They compute; what they offer beside that is refused by name below.
ALLOWED_LIBRARIES = frozenset({"msgspec", "nacl", "pyproj", "mgrs", "mnemonic"})
# And the conflict check alone, when the extra `fast` is there. What they may do beside computing is refused below.
ALLOWED_TO_THE_JUDGE = frozenset({"numpy", "numba"})
BANNED_BUILTINS = frozenset({"open", "print", "input", "id", "hash", "eval", "exec", "compile", "breakpoint"})
BANNED_CALLS = frozenset(
    {
        "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
        "nacl.signing.SigningKey.generate", "nacl.public.PrivateKey.generate", "sys.exit", "io.open",
        "numpy.load", "numpy.save", "numpy.savez", "numpy.fromfile", "numpy.memmap", "numpy.loadtxt", "numpy.savetxt",
    }
)  # fmt: skip
# Calls by these last names are refused whoever owns them: `self.clock.utcnow()` reads a clock too.
BANNED_METHODS = frozenset({"utcnow", "token_bytes", "urandom", "getrandom", "monotonic", "perf_counter", "time_ns"})
# A set may be walked by these, because their answer does not depend on the order.
ORDER_FREE = frozenset({"sorted", "set", "frozenset", "any", "all", "sum", "min", "max", "len"})
# And these would fix an order that the set does not have.
ORDERED_BY = frozenset({"tuple", "list", "enumerate", "iter", "next", "zip", "map"})


def _is_set(node: ast.expr) -> bool:
    """A set literal, a set comprehension, `set(…)`, or an operation on one of these."""
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("set", "frozenset")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Sub | ast.BitXor):
        return _is_set(node.left) or _is_set(node.right)
    return False


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`datetime.datetime.now` for `dt.now` after `from datetime import datetime as dt`; "" if it is no plain name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def _module_is_banned(dotted: str) -> bool:
    return any(dotted == banned or dotted.startswith(f"{banned}.") for banned in BANNED_MODULES)


def impurities(file: Path, stdlib: frozenset[str]) -> list[str]:
    """Everything in one source file that the core may not do, as `line: what`."""
    tree = parsed(file)
    found: list[str] = []
    names: dict[str, str] = {}
    order_free: set[int] = set()
    libraries = ALLOWED_LIBRARIES | (ALLOWED_TO_THE_JUDGE if "judge" in file.parts else frozenset())

    def imported(dotted: str, line: int) -> None:
        top = dotted.split(".")[0]
        if _module_is_banned(dotted):
            found.append(f"{line}: imports {dotted}")
        elif top not in stdlib and top not in libraries and top not in ("wideberth", "__future__"):
            found.append(f"{line}: imports {top}, which is not among the libraries that the core may use")

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imported(alias.name, node.lineno)
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                imported(full if _module_is_banned(full) else node.module, node.lineno)
                names[alias.asname or alias.name] = full
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ORDER_FREE:
            order_free |= {id(argument) for argument in node.args}

    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = _dotted(node.func, names)
            last = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if isinstance(node.func, ast.Name) and node.func.id in BANNED_BUILTINS and node.func.id not in names:
                found.append(f"{node.lineno}: calls {node.func.id}()")
            elif called in BANNED_CALLS or last in BANNED_METHODS:
                found.append(f"{node.lineno}: calls {called or last}()")
            elif called in ("__import__", "importlib.import_module"):
                found.append(f"{node.lineno}: imports by name")
            elif called in ("tuple", "list", "enumerate", "iter", "next", "zip", "map") and any(
                map(_is_set, node.args)
            ):
                found.append(f"{node.lineno}: {called}() of a set, in no order; sort it")
            elif last == "join" and any(map(_is_set, node.args)):
                found.append(f"{node.lineno}: joins a set, in no order; sort it")
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            found.append(f"{node.lineno}: is asynchronous")
        elif isinstance(node, ast.For) and _is_set(node.iter):
            found.append(f"{node.lineno}: walks a set, in no order; sort it")
        elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp) and id(node) not in order_free:
            found += [f"{node.lineno}: walks a set, in no order; sort it" for g in node.generators if _is_set(g.iter)]
        elif isinstance(node, ast.Global):
            found.append(f"{node.lineno}: keeps state in a global")
    return found


def _stdlib() -> frozenset[str]:
    import sys

    return frozenset(sys.stdlib_module_names)


def core_files() -> list[Path]:
    """The core, and the faults that it raises."""
    return [PACKAGE / "errors.py", *sorted((PACKAGE / "core").rglob("*.py"))]


def test_the_core_reads_no_clock_and_no_chance_and_does_no_io() -> None:
    found = [f"{file.relative_to(PACKAGE)}:{what}" for file in core_files() for what in impurities(file, _stdlib())]
    assert not found, told(found)


def test_there_is_a_core_to_judge() -> None:
    assert len(core_files()) >= 20


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import time as t",
        "from time import monotonic",
        "def f():\n    import random",
        "import os.path",
        "from os import urandom",
        "from secrets import token_bytes",
        "import uuid",
        "import threading",
        "import asyncio",
        "import socket",
        "from concurrent.futures import ThreadPoolExecutor",
        "import pathlib",
        "import numpy",
        "from nacl.utils import random",
        "import datetime\nx = datetime.datetime.now()",
        "from datetime import datetime\nx = datetime.now(None)",
        "from datetime import datetime as dt\nx = dt.utcnow()",
        "from datetime import date\nx = date.today()",
        "from nacl.signing import SigningKey\nkey = SigningKey.generate()",
        "def f(self):\n    return self.clock.monotonic()",
        "x = open('f')",
        "print('hello')",
        "x = id(3)",
        "x = hash('abc')",
        "x = __import__('random')",
        "for x in {1, 2}:\n    y = x",
        "for x in set([2, 1]):\n    y = x",
        "for x in frozenset('ab') | {'c'}:\n    y = x",
        "x = [y for y in {1, 2}]",
        "x = {y: 1 for y in set('ab')}",
        "x = tuple(set('ab'))",
        "x = ','.join({'a', 'b'})",
        "async def f():\n    return 1",
        "n = 0\ndef f():\n    global n\n    n += 1",
    ],
)
def test_an_impure_file_is_seen(tmp_path: Path, source: str) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(source)
    assert impurities(bad, _stdlib())


@pytest.mark.parametrize(
    "source",
    [
        "for x in sorted({2, 1}):\n    y = x",
        "x = sorted(y for y in {1, 2})",
        "x = {y for y in {1, 2}}",
        "x = any(y > 1 for y in set([1, 2]))",
        "import datetime\nx = datetime.datetime.fromtimestamp(0, datetime.UTC)",
        "import msgspec\nfrom hashlib import sha256\nfrom nacl.signing import VerifyKey",
        "def f(now):\n    return now.t_ms",
        "class Place:\n    def __hash__(self):\n        return 1",
    ],
)
def test_a_pure_file_passes(tmp_path: Path, source: str) -> None:
    good = tmp_path / "good.py"
    good.write_text(source)
    assert impurities(good, _stdlib()) == []
