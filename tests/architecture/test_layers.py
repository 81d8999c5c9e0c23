# SPDX-License-Identifier: Apache-2.0
"""Who may import whom. One table; a module that no row covers is a failure, so the table binds what is still to come.

The longest row that fits a module is its layer. A layer may import its own modules and the layers in its row; to allow
`store` is not to allow `store.plans`, which has a row of its own.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from house_tree import PACKAGE, imports, inside, modules, told

# What everybody in the core may use: the faults, the shared limits, and the values that can be said.
SAY = frozenset({"errors", "core", "core.limits", "core.say"})
# What passes between the core and its shell; values only.
VALUES = frozenset({"core.records", "core.feed", "core.tells", "core.batch", "core.events"})
# The side that holds the record and reads a peer's bytes; and the side that holds own plans.
RECORD = (
    SAY
    | VALUES
    | {
        "core.seal",
        "core.carry",
        "core.call",
        "core.effects",
        "core.folding",
        "core.hearing",
        "core.recovery",
        "core.witnessing",
    }
    | {"core.line", "core.line_keys", "core.mechanism", "core.node"}
)
INNER = SAY | {
    "core.feed",
    "core.tells",
    "core.warned",
    "core.batch",
    "core.judge",
    "core.crossing",
    "core.nearing",
    "core.inner",
    "core.unitwatch",
    "core.rings",
    "core.scene",
    "core.scene_pairs",
    "core.scene_words",
}
ANY = frozenset({"*"})

ALLOWED: dict[str, frozenset[str]] = {
    # the core, in the order of the journey
    "errors": frozenset(),
    "core": frozenset(),
    "core.limits": frozenset({"errors"}),
    "core.say": SAY,
    "core.seal": SAY | {"core.records"},
    "core.carry": SAY | VALUES | {"core.seal"},
    "core.call": SAY | VALUES | {"core.seal", "core.carry"},
    "core.judge": SAY,
    "core.records": SAY,
    "core.feed": SAY,
    "core.tells": SAY,
    # What the inner side tells own people: no module of the record side may name it.
    "core.warned": SAY | {"core.tells"},
    "core.batch": SAY | {"core.feed", "core.records", "core.tells"},
    "core.events": SAY | VALUES | {"core.seal", "core.carry"},
    "core.effects": SAY | VALUES | {"core.seal", "core.carry", "core.call"},
    "core.folding": SAY | VALUES | {"core.seal", "core.carry", "core.call"},
    # These work for a line and name it in their types.
    "core.hearing": RECORD - {"core.node", "core.recovery", "core.witnessing"},
    "core.recovery": RECORD - {"core.node", "core.hearing", "core.witnessing"},
    "core.witnessing": RECORD - {"core.node", "core.hearing", "core.recovery"},
    "core.line_keys": RECORD - {"core.node", "core.hearing", "core.recovery", "core.witnessing"},
    "core.line": RECORD - {"core.node"},
    "core.mechanism": RECORD - {"core.node"},
    "core.node": RECORD,
    "core.preview": RECORD,
    "core.crossing": INNER - {"core.inner", "core.unitwatch"},
    "core.unitwatch": INNER - {"core.inner", "core.crossing", "core.unitwatch"},
    "core.nearing": frozenset(),
    "core.rings": INNER - {"core.inner", "core.crossing", "core.unitwatch"},
    "core.inner": INNER - {"core.scene", "core.scene_pairs", "core.scene_words"},
    # Zones and tracks beside it: it hears what the inner side hears, and tells the rest of the picture.
    "core.scene_words": INNER - {"core.inner", "core.scene", "core.scene_pairs"},
    "core.scene_pairs": INNER - {"core.inner", "core.scene"},
    "core.scene": INNER,
    # The watch room: it hears what both sides tell own people, and has no voice.
    "core.desk": SAY | {"core.desk", "core.tells", "core.warned"},
    # the shell
    "config": SAY,
    "store": SAY | {"core.records", "store.contract", "store.memory"},
    "store.contract": SAY | {"core.records"},
    "store.memory": SAY | {"core.records", "store.contract"},
    "store.plans": SAY | {"core.records", "store", "store.contract", "store.memory"},
    # the watch room of a running node
    "desk": RECORD | {"bus", "clock", "config", "core.desk", "core.warned", "folder", "formats", "inner", "store"},
    "link": SAY | VALUES | {"core.seal", "core.carry", "config"},
    "inner": INNER | {"config", "clock", "folder", "formats", "store.plans"},
    "formats": SAY | {"config", "core.judge", "core.desk"},
    "evidence": SAY
    | VALUES
    | {
        "core.seal",
        "core.carry",
        "core.call",
        "core.records",
        "fingerprint",
        "qr",
        "stamps",
        "store",
        "verifier",
        "verifier.verify",
    },
    # the whole record checked again, and put back from a copy
    "audit": SAY | {"core.records", "core.seal", "audit_records"},
    "audit_records": SAY | {"core.records", "core.seal"},
    "restore": SAY | {"core.records", "core.recovery", "core.seal", "home", "keyset", "signers", "store"},
    # One file for strangers: it stands alone, and imports nothing of ours.
    "verifier": frozenset(),
    "verifier.verify": frozenset(),
    "clock": SAY | {"core.batch"},
    "bus": SAY | {"core.desk", "core.tells", "core.warned"},
    "folder": SAY,
    # private keys at rest, by whom they are certified, and how they change
    "vault": SAY | {"core.seal"},
    "keyset": SAY | {"core.seal", "folder", "link", "vault"},
    "home": SAY | {"config", "core.seal", "folder", "keyset", "link", "vault"},
    "rekey": SAY | {"config", "core.seal", "folder", "home", "keyset", "link", "vault"},
    "cards": RECORD | {"home", "keyset", "link", "links", "rekey", "signers"},
    "signers": SAY | {"core.seal", "home", "keyset"},
    "runtime": RECORD | {"config", "clock", "bus", "store.contract", "link"},
    "stamps": SAY | VALUES | {"core.seal", "clock"},
    "fingerprint": SAY | {"core.seal"},
    "qr": SAY,
    "join": SAY | {"config", "core.seal", "fingerprint", "folder", "home", "keyset", "link", "rekey"},
    # by which way what is said gets to a peer, and a mediator, which relays what it cannot read
    "ways": SAY | {"core.seal", "fingerprint", "folder", "link"},
    "links": RECORD | {"clock", "home", "link", "ways"},
    "mediator": SAY
    | {"clock", "config", "core.seal", "fingerprint", "folder", "link", "web.faults", "web.peer_api", "web.server"},
    "founding": SAY | {"core.seal", "fingerprint", "home", "join", "keyset", "rekey"},
    "web": RECORD
    | INNER
    | {
        "config",
        "clock",
        "bus",
        "cards",
        "core.desk",
        "desk",
        "home",
        "join",
        "folder",
        "founding",
        "runtime",
        "service",
        "core.preview",
        "link",
        "inner",
        "formats",
        "store.contract",
        "fingerprint",
        "ways",
        "web.peer_api",
        "web.server",
        "web.faults",
    },
    "web.peer_api": RECORD | {"config", "link", "web.faults"},
    "web.server": RECORD | {"config", "link", "web.faults", "web.peer_api"},
    "web.faults": SAY | {"config"},
    "gateways": SAY | {"formats", "config"},
    "astm": SAY | {"formats", "config"},
    # the same core in another loop, shipped so that strangers may run it: no disk, no network, no clock
    "sim": RECORD | INNER | {"core.desk", "store.memory", "store.contract"},
    # where things are put together
    "service": ANY,
    "cli": ANY,
    "demo": ANY,
    "drill": ANY,
    "": ANY,
    "__main__": ANY,
}

# Own plans stay in (design.md §3): none of these may reach a plan or a verdict, not even by way of another module.
BLIND = (
    "link",
    "links",
    "ways",
    "mediator",
    "core.seal",
    "core.carry",
    "core.call",
    "core.effects",
    "core.folding",
    "core.hearing",
    "core.recovery",
    "core.witnessing",
    "core.line",
    "core.line_keys",
    "core.mechanism",
    "core.node",
    "core.preview",
    "core.batch",
    "core.tells",
    "core.events",
    "web.peer_api",
    "web.server",
    "web.faults",
)
PLANS = (
    "core.judge",
    "core.crossing",
    "core.nearing",
    "core.inner",
    "core.rings",
    "core.scene",
    "core.scene_pairs",
    "core.scene_words",
    "core.warned",
    "core.desk.desk",
    "inner",
    "store.plans",
)
# And the inner side has no voice: it can neither sign nor send.
MUTE = (
    "core.judge",
    "core.crossing",
    "core.nearing",
    "core.inner",
    "core.rings",
    "core.scene",
    "core.scene_pairs",
    "core.scene_words",
    "core.unitwatch",
    "core.warned",
    "core.desk",
    "inner",
)
VOICE = ("core.seal", "core.carry", "core.call", "core.line", "core.mechanism", "core.node", "link", "web", "runtime")

SHELL = (
    "desk",
    "audit",
    "audit_records",
    "restore",
    "evidence",
    "verifier",
    "fingerprint",
    "join",
    "founding",
    "service",
    "config",
    "clock",
    "bus",
    "folder",
    "vault",
    "keyset",
    "home",
    "rekey",
    "signers",
    "cards",
    "store",
    "link",
    "links",
    "ways",
    "mediator",
    "inner",
    "formats",
    "runtime",
    "web",
    "gateways",
    "astm",
    "sim",
    "cli",
    "demo",
    "drill",
)


def covers(row: str, module: str) -> bool:
    return module == row or (row != "" and module.startswith(f"{row}."))


def layer_of(module: str) -> str | None:
    fitting = [row for row in ALLOWED if covers(row, module) and not (row == "core" and module != "core")]
    return max(fitting, key=len, default=None)


def breaches(package: Path) -> list[str]:
    """Every import that the table does not allow, as a sentence; and every module that has no row."""
    found = []
    known = modules(package)
    for name, file in known.items():
        layer = layer_of(name)
        if layer is None:
            found.append(f"{name} has no row in the table of tests/architecture/test_layers.py: give it one")
            continue
        for dotted, line in imports(name, file, package):
            target = inside(dotted, package)
            if target is None:
                continue
            if target == "" and name not in ("", "__main__") and layer not in ("cli", "demo"):
                found.append(f"{name}:{line} imports the whole public package: name the module")
                continue
            # A plain `import wideberth.core.say.place` may name more than a module; the table goes by the longest.
            their_layer = layer_of(target)
            if their_layer is None:
                found.append(f"{name}:{line} imports {target}, which has no row in the table")
            elif their_layer != layer and their_layer not in ALLOWED[layer] and "*" not in ALLOWED[layer]:
                found.append(f"{name}:{line} imports {target}: {layer} may not import {their_layer}")
    return found


def reach(package: Path) -> dict[str, dict[str, str]]:
    """For each module all modules that it reaches, each with the module by which it was reached.

    Importing `a.b.c` also runs `a.b`; the top package is left out, because it is the public shop window and runs
    before anything else in any case.
    """
    known = modules(package)
    direct: dict[str, set[str]] = {}
    for name, file in known.items():
        named = {t for t in (inside(d, package) for d, _ in imports(name, file, package)) if t}
        for target in list(named):
            parts = target.split(".")
            named |= {".".join(parts[:n]) for n in range(1, len(parts))}
        direct[name] = {t for t in named if t in known}
    reached: dict[str, dict[str, str]] = {}
    for name in known:
        via: dict[str, str] = {}
        todo = [name]
        while todo:
            here = todo.pop()
            for target in sorted(direct[here] - via.keys()):
                via[target] = here
                todo.append(target)
        reached[name] = via
    return reached


def leaks(package: Path, from_: tuple[str, ...], to: tuple[str, ...]) -> list[str]:
    """Modules under `from_` that reach a module under `to`, with the last step of the way."""
    return [
        f"{name} reaches {target} by way of {via}"
        for name, ways in reach(package).items()
        if any(covers(row, name) for row in from_)
        for target, via in ways.items()
        if any(covers(row, target) for row in to)
    ]


def seed(tmp_path: Path, **files: str) -> Path:
    """A small package `wideberth` with the given modules (`core__say__bad="…"`), each folder a package."""
    package = tmp_path / "wideberth"
    for dotted, source in files.items():
        file = package.joinpath(*dotted.split("__")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
        for folder in [file.parent, *file.parent.parents]:
            (folder / "__init__.py").touch()
            if folder == package:
                break
    return package


def test_every_import_is_allowed_by_the_table() -> None:
    found = breaches(PACKAGE)
    assert not found, told(found)


def test_no_module_that_reads_a_peers_bytes_can_reach_a_plan_or_a_verdict() -> None:
    found = leaks(PACKAGE, BLIND, PLANS)
    assert not found, told(found)


def test_the_inner_side_can_neither_sign_nor_send() -> None:
    found = leaks(PACKAGE, MUTE, VOICE)
    assert not found, told(found)


def test_the_core_reaches_nothing_of_the_shell() -> None:
    found = leaks(PACKAGE, ("core",), SHELL)
    assert not found, told(found)


def test_the_simulator_reaches_no_disk_and_no_network() -> None:
    real = [row for row in SHELL if row not in ("sim", "store")] + ["store.sqlite", "store.ground", "store.lock"]
    found = leaks(PACKAGE, ("sim",), tuple(real))
    assert not found, told(found)


def test_the_table_itself_keeps_the_rules_it_is_for() -> None:
    for row in BLIND:
        assert not {r for r in ALLOWED[row] if any(covers(p, r) for p in PLANS)}, row
    for row in MUTE:
        assert not {r for r in ALLOWED[row] if any(covers(v, r) for v in VOICE)}, row
    for row, allowed in ALLOWED.items():
        if row.startswith("core"):
            assert not {r for r in allowed if r in SHELL}, row
    outside = {r for r in ALLOWED["sim"] if not r.startswith("core") and r != "errors"}
    assert outside == {"store.memory", "store.contract"}


def test_the_tree_was_really_read() -> None:
    names = modules(PACKAGE)
    assert {"errors", "core.say.words", "core.batch", "store.contract"} <= names.keys()
    say_words = {inside(d, PACKAGE) for d, _ in imports("core.say.words", names["core.say.words"], PACKAGE)}
    assert {"core.limits", "core.say.place", "core.say.volume", "errors"} <= say_words


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core__say__bad", "from wideberth.core.seal import entry"),
        ("core__say__bad", "import wideberth.core.judge.picture as picture"),
        ("core__say__bad", "from ..judge import picture"),
        ("core__say__bad", "def late():\n    from wideberth.core.carry import strand\n    return strand"),
        (
            "core__say__bad",
            "import typing\nif typing.TYPE_CHECKING:\n    from wideberth.link import client",
        ),
        ("core__say__bad", "import importlib\nseal = importlib.import_module('wideberth.core.seal.entry')"),
        ("core__say__bad", "from wideberth import Volume4D"),
        ("core__seal__bad", "from wideberth.core.carry import strand"),
        ("core__call__bad", "from wideberth.core.judge import picture"),
        ("core__call__bad", "from wideberth.core.warned import Crossed"),
        ("core__node", "def late():\n    from wideberth.core import crossing\n    return crossing"),
        ("core__judge__bad", "from wideberth.core.seal import entry"),
        ("core__inner", "from wideberth.core.seal import entry"),
        ("core__node", "from wideberth.core import inner"),
        ("core__node", "from wideberth.store import plans"),
        ("core__node", "from .judge import picture"),
        ("core__carry__bad", "from wideberth.store.sqlite import SqliteStore"),
        ("link__bad", "from wideberth.store import plans"),
        ("web__peer_api", "from wideberth.inner import port"),
        ("web__server", "from wideberth.web import console"),
        ("store__sqlite", "from wideberth.store import plans"),
        ("sim__bad", "from wideberth.store import sqlite"),
        ("sim__bad", "from wideberth import runtime"),
        ("nobody_knows", "import wideberth.errors"),
    ],
)
def test_a_forbidden_import_is_seen(tmp_path: Path, module: str, source: str) -> None:
    empty = dict.fromkeys(
        ("core__seal__entry", "core__carry__strand", "core__judge__picture", "link__client", "store__plans",
         "store__sqlite", "inner__port", "web__console", "runtime", "errors", "core__inner", "core__warned",
         "core__crossing"),
        "",
    )  # fmt: skip
    assert breaches(seed(tmp_path / "good", **empty)) == []
    assert len(breaches(seed(tmp_path / "bad", **{**empty, module: source}))) == 1


def test_a_plan_reached_by_a_detour_is_seen(tmp_path: Path) -> None:
    package = seed(
        tmp_path,
        core__node="from wideberth.core.call import ladder",
        core__call__ladder="def late():\n    from wideberth.core import handy",
        core__handy="from .judge.picture import Picture",
        core__judge__picture="",
    )
    assert "core.node reaches core.judge.picture by way of core.handy" in leaks(package, BLIND, PLANS)


def test_a_verdict_that_could_be_sent_is_seen(tmp_path: Path) -> None:
    package = seed(tmp_path, core__judge__picture="import wideberth.link.client", link__client="")
    assert "core.judge.picture reaches link.client by way of core.judge.picture" in leaks(package, MUTE, VOICE)


def test_a_core_that_touches_the_shell_is_seen(tmp_path: Path) -> None:
    package = seed(tmp_path, core__seal__entry="from ...store import sqlite", store__sqlite="")
    assert "core.seal.entry reaches store.sqlite by way of core.seal.entry" in leaks(package, ("core",), SHELL)
