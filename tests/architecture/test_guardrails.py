# SPDX-License-Identifier: Apache-2.0
"""What this software must never be able to say (domain.md M1, M2, C11, G2, C14, and the names of §4).

There is no test of intentions, but there is one of vocabulary: a word for which no field, no state and no parameter
exists cannot be signed, stored or sent. All types of the core are walked, with everything that they hold.
"""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest
from house_tree import PACKAGE, parsed, told

import wideberth.core

# M1 and C14: no word for what is aimed at, with what, to which end, or for what one side knows of the other.
M1 = frozenset(
    """target targets targeted targeting weapon weapons weaponry aim aims aimpoint effect effects munition munitions
    ammunition ordnance warhead bomb bombs missile missiles intelligence intel strike strikes kill kills killed lethal
    hostile hostiles enemy enemies foe threat threats engage engaged engagement attack attacks destroy neutralise
    neutralize casualty casualties collateral surveillance reconnaissance sigint headcount ranking vulnerability
    friend friends friendly""".split()  # noqa: SIM905
)
# M2: no word for leave given or refused. OBJECTED, REFUSED and INSUFFICIENT are reports, and allowed.
M2 = frozenset(
    """approve approves approved approval deny denies denied denial clear clears cleared clearance authorise authorised
    authorize authorized authorisation authorization permit permits permitted permission consent consented agreed grant
    granted allowed forbidden sanctioned wilco unable veto vetoed comply complied""".split()  # noqa: SIM905
)
# C11 and G2: "not present" and "not ours" would be read as leave to fire, so nothing can say them.
NEVER_SAID = (("not", "present"), ("not", "ours"), ("not", "mine"), ("no", "presence"), ("absent",), ("vacant",))
NEVER_IN_TEXT = re.compile(r"\bnot[ _-]?(?:present|ours)\b", re.IGNORECASE)
# Domain.md §4: not as names, anywhere.
NOT_AS_NAMES = frozenset(
    """approve approved approval clear cleared clearance authorise authorised authorize authorized target targets
    strike strikes engage engaged engagement threat threats kill killed hostile friend friendly enemy weapon""".split()  # noqa: SIM905
)

# The scanner of free text must name what it looks for. Only its private names may; what it returns is judged as usual.
SCANNER = "core/say/scan.py"


def words(name: str) -> tuple[str, ...]:
    """`aimPoint`, `AIM_POINT`, `aim-point` and `AimPoint` all give `("aim", "point")`."""
    return tuple(w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))


def breaks_m1(name: str) -> bool:
    return not M1.isdisjoint(words(name)) or words(name)[:2] == ("aim", "point")


def breaks_m2(name: str) -> bool:
    return not M2.isdisjoint(words(name))


def breaks_presence(name: str) -> bool:
    said = words(name)
    return any(said[at : at + len(run)] == run for run in NEVER_SAID for at in range(len(said)))


def inner_types(annotation: object) -> Iterator[object]:
    """Every class and every Literal value inside an annotation, however deep: `tuple[dict[str, A | None], ...]`."""
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        yield from (str(value) for value in typing.get_args(annotation))
    elif origin is not None or isinstance(annotation, types.UnionType):
        for argument in typing.get_args(annotation):
            yield from inner_types(argument)
    elif isinstance(annotation, type):
        yield annotation


def said_by(kind: type, seen: set[type] | None = None) -> Iterator[tuple[str, str]]:
    """`(where, name)` of everything that a struct or an enum can say: its name, tag, fields, members, and theirs."""
    seen = set() if seen is None else seen
    if kind in seen:
        return
    seen.add(kind)
    where = kind.__qualname__
    if issubclass(kind, enum.Enum):
        yield where, where
        for member in kind:
            yield where, member.name
            yield where, str(member.value)
    elif issubclass(kind, msgspec.Struct):
        yield where, where
        if kind.__struct_config__.tag is not None:
            yield where, str(kind.__struct_config__.tag)
        yield from ((where, name) for name in (*kind.__struct_fields__, *kind.__struct_encode_fields__))
        for annotation in typing.get_type_hints(kind).values():
            for inner in inner_types(annotation):
                if isinstance(inner, str):
                    yield where, inner
                elif isinstance(inner, type):
                    yield from said_by(inner, seen)


def core_modules() -> list[types.ModuleType]:
    names = [m.name for m in pkgutil.walk_packages(wideberth.core.__path__, "wideberth.core.")]
    return [importlib.import_module(name) for name in names]


def types_of(modules: Iterable[types.ModuleType]) -> list[type]:
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct | enum.Enum)
        if value.__module__.startswith("wideberth.")
    }
    return sorted(found, key=lambda kind: (kind.__module__, kind.__qualname__))


def constants_of(module: types.ModuleType) -> Iterator[tuple[str, str]]:
    """States that are plain constants (`RINGING = "RINGING"`), and Literal aliases."""
    for name, value in vars(module).items():
        if name.isupper() and not is_private_of_scanner(module.__name__.replace(".", "/") + ".py", name):
            yield module.__name__, name
            if isinstance(value, str) and re.fullmatch(r"[\w-]+", value):
                yield module.__name__, value
        yield from ((module.__name__, inner) for inner in inner_types(value) if isinstance(inner, str))


def parameters_of(module: types.ModuleType) -> Iterator[tuple[str, str]]:
    """Names of functions, methods and their parameters."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield module.__name__, node.name
            given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg)
            yield from ((module.__name__, argument.arg) for argument in given if argument is not None)


def is_private_of_scanner(file: str, name: str) -> bool:
    return file.endswith(f"wideberth/{SCANNER}") and name.startswith("_")


def everything_said() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    loaded = core_modules()
    for kind in types_of(loaded):
        found += said_by(kind)
    for module in loaded:
        found += constants_of(module)
    return found


def names_defined(file: Path) -> Iterator[tuple[int, str]]:
    """Names that a source file gives to things: classes, functions, parameters, variables, attributes of self."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr


def strings_said(file: Path) -> Iterator[tuple[int, str]]:
    """String constants that a program could show or send; docstrings explain rules and are left out."""
    tree = parsed(file)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def test_the_walk_reaches_what_is_known_to_be_there() -> None:
    said = {name for _, name in everything_said()}
    assert {
        "Terms",
        "volumes",
        "lat_ndeg",
        "FALLING_OBJECTS",
        "insufficient",
        "STARTED",
        "FLASH",
        "RULE_OF_THREES",
    } <= said
    assert len(types_of(core_modules())) >= 40


def test_nothing_in_the_core_can_name_what_is_aimed_at_or_known_of_the_other() -> None:
    found = [(where, name) for where, name in everything_said() if breaks_m1(name)]
    assert not found, told(found)


def test_no_parameter_of_what_can_be_said_names_it_either() -> None:
    said = [m for m in core_modules() if m.__name__.startswith("wideberth.core.say")]
    found = [(where, name) for m in said for where, name in parameters_of(m) if breaks_m1(name)]
    assert not found, told(found)


def test_what_is_said_has_no_field_for_a_purpose() -> None:
    from wideberth.core.say import words as said

    fields = {(kind.__qualname__, name) for kind in types_of([said]) for _, name in said_by(kind)}
    purposes = ("purpose", "intent", "intention", "reason", "objective", "mission")
    # `reason` of EpochOpened says why a strand begins anew; it is not about anybody's activity.
    assert {(k, n) for k, n in fields if n in purposes} <= {("EpochOpened", "reason")}


def test_nothing_in_the_core_can_give_or_refuse_leave() -> None:
    found = [(where, name) for where, name in everything_said() if breaks_m2(name)]
    assert not found, told(found)


def test_nothing_in_the_core_can_say_that_nobody_is_there() -> None:
    found = [(where, name) for where, name in everything_said() if breaks_presence(name)]
    assert not found, told(found)


def verbs_and_options() -> Iterator[str]:
    """Every verb of the command line, and every option and argument of each."""
    from typer.main import get_command

    from wideberth.cli.main import app

    ahead = [get_command(app)]
    while ahead:
        command = ahead.pop()
        yield str(command.name)
        yield from (str(param.name) for param in command.params)
        ahead += getattr(command, "commands", {}).values()


def test_no_verb_of_the_command_line_gives_or_refuses_leave_or_says_that_nobody_is_there() -> None:
    found = list(verbs_and_options())
    assert {"holdoff", "whose", "offnominal", "sighting", "suspend", "restore"} <= set(found), "the walk reaches them"
    assert [name for name in found if breaks_m1(name) or breaks_m2(name) or breaks_presence(name)] == []


def test_no_sentence_of_the_program_says_not_present_or_not_ours() -> None:
    found = [
        f"{file.relative_to(PACKAGE)}:{line}: {text!r}"
        for file in sorted(PACKAGE.rglob("*.py"))
        for line, text in strings_said(file)
        if NEVER_IN_TEXT.search(text)
    ]
    assert not found, told(found)


def test_no_name_in_the_source_is_one_that_the_field_reads_as_an_act() -> None:
    found = [
        f"{file.relative_to(PACKAGE)}:{line}: {name}"
        for file in sorted(PACKAGE.rglob("*.py"))
        for line, name in names_defined(file)
        if not NOT_AS_NAMES.isdisjoint(words(name)) and not is_private_of_scanner(file.as_posix(), name)
    ]
    assert not found, told(found)


@pytest.mark.parametrize(
    "name",
    ["target_id", "aimPoint", "WEAPON_RELEASE", "EffectRadius", "intelligence", "Strike", "kill-box", "HOSTILE",
     "enemy_units", "munitions", "threat_level", "headcount"],
)  # fmt: skip
def test_a_forbidden_field_is_seen_wherever_it_hides(name: str) -> None:
    deep = msgspec.defstruct("Deep", [(name.replace("-", "_"), int)], frozen=True)
    member = enum.StrEnum("Kind", {"FINE": "FINE", name.replace("-", "_"): name})
    tagged = msgspec.defstruct("Tagged", [], tag=name)
    for hidden in (deep, member, tagged, typing.Literal[name]):
        middle = msgspec.defstruct("Middle", [("parts", dict[str, tuple[hidden | None, ...]])], frozen=True)
        outer = msgspec.defstruct("Outer", [("middle", list[middle])], frozen=True)
        assert any(breaks_m1(said) for _, said in said_by(outer)), hidden


@pytest.mark.parametrize(
    "name",
    ["APPROVED", "DENIED", "CLEARED", "authorised", "PERMITTED", "Agreed", "WILCO", "UNABLE", "cleared-to-enter"],
)
def test_a_state_that_means_leave_is_seen(name: str) -> None:
    state = enum.StrEnum("State", {"OPEN": "OPEN", "OTHER": name})
    holder = msgspec.defstruct("Holder", [("state", state)])
    literal = msgspec.defstruct("Holder", [("state", typing.Literal["OPEN", name])])
    module = types.ModuleType("seeded")
    module.STATE = name
    assert any(breaks_m2(said) for _, said in said_by(holder))
    assert any(breaks_m2(said) for _, said in said_by(literal))
    assert any(breaks_m2(said) for _, said in constants_of(module))


@pytest.mark.parametrize("name", ["NOT_PRESENT", "notOurs", "not-ours", "NoPresence", "ABSENT"])
def test_a_word_for_nobody_there_is_seen(name: str) -> None:
    holder = msgspec.defstruct("Presence", [("state", typing.Literal["PRESENT", name])])
    assert any(breaks_presence(said) for _, said in said_by(holder))


@pytest.mark.parametrize("name", ["OBJECTED", "REFUSED", "INSUFFICIENT", "PRESENT", "OURS", "UNKNOWN", "ACKNOWLEDGED",
                                  "Agreement", "AMENDED", "nuclear", "FIRE_AND_SMOKE"])  # fmt: skip
def test_reports_and_plain_words_pass(name: str) -> None:
    assert not any(breaks(name) for breaks in (breaks_m1, breaks_m2, breaks_presence))


def test_a_bad_source_file_is_seen(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(
        '"""Not ours to say."""\n\ndef engage(target):\n    approved = f"they are not {target} here: not present"\n'
    )
    assert {name for _, name in names_defined(bad)} == {"engage", "target", "approved"}
    assert [text for _, text in strings_said(bad) if NEVER_IN_TEXT.search(text)]
    assert not any("Not ours" in text for _, text in strings_said(bad))
