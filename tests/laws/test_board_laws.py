# SPDX-License-Identifier: Apache-2.0
"""The board comes out the same in whatever order the strands of a line reach a node, entry by entry, and so does what
was said of the agreement; after a restart as well. What waits for a late word takes its own place then."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.test_accord import second, terms
from tests.core.test_restore import entries_of
from tests.pair import End
from tests.several import Several

from wideberth.core import events as ev
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord
from wideberth.core.say.notice import ShortForm, accident
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.words import Hazard, NoticeType, Terms
from wideberth.core.tells import FaultSeen
from wideberth.sim import accords

SPEAKERS = ("AMBER", "BLUE", "CYAN")
MINUTE = 60_000


def sighting(world: Several) -> Terms:
    form = ShortForm("+999 555 0110", 2_000_000, Altitude.surface(), Altitude.unlimited())
    return accident(
        Hazard.UNCREWED_AIRCRAFT, Point.at(36.2, 37.15), world.now.t_ms + 30 * MINUTE, form, now_ms=world.now.t_ms,
        type_=NoticeType.UNANNOUNCED_TRAFFIC,
    )  # fmt: skip


def conversation() -> Several:
    """Three speak and GREEN listens: notices that answer each other, and proposals that counter each other."""
    world = Several(*SPEAKERS, "GREEN")
    ch = world.home

    def says(name: str, command: ev.Command) -> None:
        world.step(name, command)

    def ref(author: str, n: int = -1) -> str:
        return [t.ref for t in world.line(author).board if t.author == author][n]

    says("AMBER", ev.GiveNotice(ch, "AMBER/watch-1", sighting(world)))
    world.settle()
    says("BLUE", ev.GiveNotice(ch, "BLUE/watch-1", terms(world)))
    notice = ref("BLUE")
    says("BLUE", ev.Report(ch, "BLUE/watch-1", notice, "SUSPENDED", 0, ref("AMBER")))
    says("BLUE", ev.Report(ch, "BLUE/watch-1", notice, "STARTED"))
    first, other, third = (second(world, lead_ms=n) for n in (1, 2, 3))
    one = world.propose("CYAN", first)
    says("CYAN", ev.Acknowledge(ch, "CYAN/watch-1", notice))
    world.sign("BLUE", first)
    world.settle()
    two = world.propose("AMBER", other, one)
    world.sign("CYAN", other)
    says("CYAN", ev.Suspend(ch, "CYAN/supervisor", "in protest", world.now.t_ms))
    says("CYAN", ev.Reinstate(ch, "CYAN/supervisor"))
    world.later(MINUTE)
    says("BLUE", ev.Report(ch, "BLUE/watch-1", notice, "RESTORED"))
    says("BLUE", ev.Revise(ch, "BLUE/watch-1", notice, "amend", terms(world)))
    world.settle()
    world.propose("BLUE", third, two)
    says("CYAN", ev.Acknowledge(ch, "CYAN/watch-1", notice))
    says("AMBER", ev.Object(ch, "AMBER/watch-1", notice, "we do not share that view"))
    says("AMBER", ev.Cancel(ch, "AMBER/watch-1", ref("AMBER")))
    world.settle()
    return world


WORLD = conversation()
STRANDS: dict[str, list[EntryRecord]] = {
    name: [r for r in entries_of(WORLD.ends["GREEN"], name) if r.seq > 1] for name in SPEAKERS
}


def shown(node: Node) -> tuple[list[Any], accords.Compact]:
    """Everything on the board that was signed in entries, and what became of the agreement."""
    line = node.lines[WORLD.home]
    threads = [
        (
            thread.author, thread.ref, [v.entry for v in thread.versions],
            thread.cancelled.entry if thread.cancelled else "", thread.activity.reports,
            sorted((s.member, s.step, s.entry) for s in thread.steps if s.entry),
        )
        for thread in sorted(line.board, key=lambda t: (t.author, t.ref))
    ]  # fmt: skip
    return threads, accords.shown(line.mechanism.accord)


def listener() -> End:
    """GREEN as it was when the line had just been opened."""
    green = End(WORLD.keys["GREEN"], "listener")
    for record in WORLD.ends["GREEN"].store.load():
        if isinstance(record, EntryRecord) and record.author in SPEAKERS and record.seq > 1:
            break
        green.store.append([record], green.store.head)
    green.restart(WORLD.now)
    return green


@settings(max_examples=100, deadline=None)
@given(order=st.permutations([name for name in SPEAKERS for _ in STRANDS[name]]))
def test_any_interleaving_of_the_strands_gives_the_same_board_and_the_same_agreement(order: list[str]) -> None:
    expected = shown(WORLD.ends["AMBER"].node)
    strands = {name: iter(records) for name, records in STRANDS.items()}
    green = listener()
    for name in order:
        record = next(strands[name])
        green.step(ev.Arrived(WORLD.home, name, ((record.envelope, record.body),), ()), WORLD.now)
    assert shown(green.node) == expected
    assert not [t for t in green.tells(FaultSeen) if isinstance(t, FaultSeen) and t.fault == "NOT_UNDERSTOOD"]
    green.restart(WORLD.now)
    assert shown(green.node) == expected
