# SPDX-License-Identifier: Apache-2.0
"""What is said of those to protect is used for nothing but their own notices (domain.md M4, M5): what weighs clashes
never sees it, and nothing writes it into a file."""

from __future__ import annotations

from pathlib import Path

from house_tree import PACKAGE, imports, inside, modules, told
from test_layers import covers
from test_warnings_stay import within

from wideberth.core import warned
from wideberth.core.feed import Feed
from wideberth.core.say.protect import Protected
from wideberth.core.say.words import Terms

# Where places of notices are weighed, or written for other programs. Paper is of one notice at a time.
NOWHERE = ("core.judge", "core.crossing", "core.inner", "core.feed", "core.warned", "inner", "store.plans",
           "formats.astm", "formats.geojson", "formats.operations", "gateways", "astm")  # fmt: skip
CARE = ("core.say.protect", "core.call.care", "core.call.carewatch")


def named(package: Path) -> list[str]:
    """Modules of `NOWHERE` that name what is said of those to protect."""
    return [
        f"{name} names {module}"
        for name, file in modules(package).items()
        if any(covers(row, name) for row in NOWHERE)
        for dotted, _ in imports(name, file, package)
        if (module := inside(dotted, package)) in CARE
    ]


def test_nothing_that_weighs_or_writes_places_names_those_to_protect() -> None:
    found = named(PACKAGE)
    assert not found, told(found)


def test_it_never_reaches_the_side_that_weighs() -> None:
    assert Protected in within(Terms), "the walk really walks"
    assert Protected not in within(Feed)
    assert Protected not in within(warned.Warned)


def test_a_module_that_named_it_would_be_seen(tmp_path: Path) -> None:
    package = tmp_path / "wideberth"
    for name, source in (("core/judge/rank.py", "from wideberth.core.say.protect import Protected"),
                         ("core/say/protect.py", "")):  # fmt: skip
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
        for folder in (file.parent, file.parent.parent, package):
            (folder / "__init__.py").touch()
    assert named(package) == ["core.judge.rank names core.say.protect"]
