# SPDX-License-Identifier: Apache-2.0
"""A drill from beginning to end: folders, nodes, faults, steps, checks, and everything put away again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from wideberth import home
from wideberth.core.say import instant
from wideberth.demo.run import folder_for, stopped_like_ctrl_c
from wideberth.drill import sc1, sc2, sc4, sc5, sc6, sc7, sc9
from wideberth.drill.model import LOSS, LOST, Check, Drill, Mishap, Step
from wideberth.drill.report import AfterAction, after_action
from wideberth.drill.scene import Scene
from wideberth.drill.world import World
from wideberth.errors import BadInput, Fault, NotFound
from wideberth.web.readiness import DrillNoted, note_drill

_MODULES: Final = (sc1, sc2, sc4, sc5, sc6, sc7, sc9)
DRILLS: Final[dict[str, Drill]] = {each.DRILL.name: each.DRILL for each in _MODULES}


def _nothing(*_: object) -> None:
    pass


def find(name: str) -> Drill:
    """The drill of this name, in whatever case. Raises BadInput."""
    drill = DRILLS.get(name.upper())
    if drill is None:
        raise BadInput(f"there is no drill {name!r}; there are {', '.join(DRILLS)}", field="name")
    return drill


def listed() -> list[dict[str, Any]]:
    """Every drill, for `drill list`."""
    return [
        {"name": each.name, "title": each.title, "source": each.source, "parties": list(each.parties),
         "faults": [{"name": m.name, "says": m.says, "usual": m.usual} for m in each.mishaps]}
        for each in DRILLS.values()
    ]  # fmt: skip


def look_first(out: Path | None, note_in: Path | None) -> None:
    """What would be a pity to find out after the drill. Raises NotFound."""
    if out is not None and not out.absolute().parent.is_dir():
        raise NotFound(f"there is no folder {out.absolute().parent} to write {out.name} in", field="out")
    if note_in is not None and not (note_in / home.CONFIG_NAME).is_file():
        raise NotFound(f"there is no node folder {note_in}; name one with --for", field="for")


def note(report: AfterAction, folder: Path) -> None:
    """Write into a node's folder that the drill was done, for its readiness list. Raises Worlds."""
    t_ms = time.time_ns() // 1_000_000
    note_drill(folder, DrillNoted(report.drill, t_ms, report.passed, report.of, report.faults))


def injected(drill: Drill, with_: Iterable[str] = (), without: Iterable[str] = ()) -> frozenset[str]:
    """Which faults: those that belong to the scenario, with these, without those. Raises BadInput."""
    known: dict[str, Mishap] = {mishap.name: mishap for mishap in drill.mishaps}
    for name in (*with_, *without):
        if name not in known:
            names = ", ".join(known) or "none"
            raise BadInput(f"{drill.name} has no fault {name!r} to inject; it has {names}", field="fault")
    usual = frozenset(mishap.name for mishap in drill.mishaps if mishap.usual)
    return (usual | frozenset(with_)) - frozenset(without)


def play(
    drill: Drill, *, with_: Iterable[str] = (), without: Iterable[str] = (), keep: Path | None = None,
    step_done: Callable[[int, int], None] = _nothing, checked: Callable[[Check], None] = _nothing,
) -> AfterAction:  # fmt: skip
    """Play it on real nodes in a folder of its own (`keep`: a new one that stays). What fails is in the after-action.

    Raises BadInput for a fault that the drill does not have, Worlds when a node cannot be started or dies.
    """
    faults = injected(drill, with_, without)
    began = time.monotonic()
    with stopped_like_ctrl_c(), folder_for(keep) as folder:
        begins = drill.begins if "T" in drill.begins else f"{drill.day}T{drill.begins}Z"
        world = World(
            folder, drill.parties, drill.mechanisms, instant.parse(begins), loss=LOSS if LOST in faults else 0.0
        )
        scene = Scene(drill, world, faults, checked)
        if drill.before is not None:
            drill.before(scene)
        steps = [s for s in drill.steps if (not s.only or s.only in faults) and s.unless not in faults]
        with world:
            scene.began = len(world.seen)
            step_done(1, len(steps) + 2)
            for n, step in enumerate(steps, 2):
                _play(scene, step)
                step_done(n, len(steps) + 2)
            for party in world.nodes:
                world.nodes[party].check()
            world.catch_up()
        if drill.afterwards is not None:
            drill.afterwards(scene)
        step_done(len(steps) + 2, len(steps) + 2)
        order = [m.name for m in drill.mishaps if m.name in faults]
        return after_action(scene, order, time.monotonic() - began)


def _play(scene: Scene, step: Step) -> None:
    scene.clock(step.at)
    if step.does:
        scene.note(step.who, step.does)
    try:
        step.act(scene)
    except Fault as fault:
        for node in scene.world.nodes.values():
            node.check()
        scene.check("drill", f"{step.who} {step.does}", "can be done", fault.sentence, False)
