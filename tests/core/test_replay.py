# SPDX-License-Identifier: Apache-2.0
"""What was said on one line is nothing on another: not on another line of the mechanism, not in another mechanism, not
in another mode; and what was signed under an older version of the agreement says so (domain.md B1, B12, A3)."""

from __future__ import annotations

import msgspec
import pytest

from tests.core.test_accord import give, second
from tests.pair import agreement_of
from tests.several import Several
from wideberth.core import events as ev
from wideberth.core.call.choosing import Choice, choose, choose_mechanism, named
from wideberth.core.call.marks import marked
from wideberth.core.call.views import thread_view
from wideberth.core.say.rules import Mode, Purpose
from wideberth.core.seal.agreement import LineTerms, agreement_hash
from wideberth.errors import BadInput, NotFound

PAIR = ("BLUE", "GREEN")
LINES = (LineTerms(Purpose.FLIGHT_SAFETY, PAIR), LineTerms(Purpose.GROUND, PAIR))


def beside(world: Several, name: str, mode: Mode) -> str:
    """Another mechanism between the same two, with the same keys; the id of its flight-safety line."""
    keys = [world.keys[party] for party in PAIR]
    agreement, ch = agreement_of(*keys, lines=LINES, mode=mode, name=name)
    for end in world.ends.values():
        end.step(ev.OpenLine(agreement, tuple(k.card() for k in keys)), world.now)
    world.settle()
    return ch


@pytest.mark.parametrize("elsewhere", ["line", "mechanism", "mode"])
def test_an_entry_is_refused_wherever_it_was_not_said(elsewhere: str) -> None:
    world = Several(*PAIR, lines=LINES)
    other = {
        "line": lambda: world.ch(Purpose.GROUND),
        "mechanism": lambda: beside(world, "Desert", Mode.EXERCISE),
        "mode": lambda: beside(world, "Coast", Mode.REAL),
    }[elsewhere]()
    assert other != world.home
    entry = give(world, "BLUE", world.home)
    (send,) = [s for s in world.ends["BLUE"].out if s.frames]
    frames = world.ends["BLUE"].frames(send)
    stored = len(list(world.ends["GREEN"].store.load()))
    before = len(world.faults("GREEN"))
    world.step("GREEN", ev.Arrived(other, "BLUE", frames, ()))
    (fault,) = world.faults("GREEN")[before:]
    assert (fault.fault, fault.whose) == ("Stranger", "theirs")
    assert "another channel, mechanism or mode" in fault.sentence
    assert len(list(world.ends["GREEN"].store.load())) == stored, "it is not even kept there"
    assert world.line("GREEN", other).board.find(entry) is None
    world.step("GREEN", ev.Arrived(world.home, "BLUE", frames, ()))
    assert world.line("GREEN").board.find(entry) is not None, "and on its own line it is what it is"


def test_an_entry_under_an_older_version_is_delivered_and_marked_at_both_ends() -> None:
    world = Several(*PAIR, lines=LINES)
    new = second(world, lead_ms=1)
    world.propose("BLUE", new)
    world.sign("BLUE", new)
    world.settle()
    world.later(1_000)
    world.sign("GREEN", new)  # BLUE has not heard yet that it is in force
    world.later(1_000)
    late = give(world, "BLUE")
    world.settle()
    assert "signed under version 1" in world.heard("GREEN", "notice")[-1].facts["outside"]
    for name in PAIR:
        line = world.line(name)
        thread = line.board.find(late)
        assert thread is not None
        view = marked(
            thread_view(line.board, thread, PAIR, world.now.t_ms), line.board, thread, PAIR, line.mechanism.outside
        )
        said = "signed under version 1 of the agreement; version 2 was in force"
        assert view["versions"][0]["outside"] == said
        assert view["release"] == "Not for release beyond BLUE and GREEN."


def test_nobody_is_marked_for_what_they_said_before_the_last_signature() -> None:
    """A version that names an earlier beginning than its last signature begins with that."""
    world = Several(*PAIR)
    new = second(world, lead_ms=1)  # from now on, if everybody had signed
    world.propose("BLUE", new)
    world.later(60_000)
    early = give(world, "BLUE")
    world.settle()
    world.later(1_000)
    for name in PAIR:
        world.sign(name, new)
        world.settle()
    line = world.line("GREEN")
    thread = line.board.find(early)
    assert thread is not None
    assert line.mechanism.outside("BLUE", thread.newest.t_ms, thread.newest.agr) == ""
    assert world.accord("GREEN").in_force(world.now.t_ms) == new
    assert world.accord("GREEN").in_force(world.now.t_ms - 1).version == 1


def test_an_entry_under_an_agreement_of_another_mechanism_waits_and_is_never_judged() -> None:
    world = Several(*PAIR, lines=LINES)
    beside(world, "Desert", Mode.EXERCISE)
    foreign = next(h for h in world.ends["BLUE"].node.mechanisms if h != agreement_hash(world.founding))
    channel = world.line("BLUE").channel
    real = channel.header
    channel.header = lambda *a, **k: msgspec.structs.replace(real(*a, **k), agr=foreign)  # type: ignore[method-assign]
    with pytest.raises(BadInput, match="not known here"):
        give(world, "BLUE")


# --- which line is meant ---

CHOICES = [
    Choice("aa11" + "0" * 60, "Coast", "f1" * 32, Purpose.FLIGHT_SAFETY, PAIR),
    Choice("bb22" + "0" * 60, "Coast", "f1" * 32, Purpose.GROUND, PAIR),
    Choice("cc33" + "0" * 60, "Desert", "f2" * 32, Purpose.FLIGHT_SAFETY, PAIR),
]


@pytest.mark.parametrize(
    ("name", "prefer", "is_"),
    [
        ("GROUND", None, 1), ("ground", None, 1), ("Coast/GROUND", None, 1), ("Desert", None, 2), ("Desert/", None, 2),
        ("aa11", None, 0), ("Coast", Purpose.FLIGHT_SAFETY, 0), ("Coast/bb22", None, 1), ("f2f2f2/", None, 2),
        ("Coast/flight-safety", None, 0),
    ],
)  # fmt: skip
def test_a_line_is_found_by_what_people_call_it(name: str, prefer: Purpose | None, is_: int) -> None:
    assert choose(CHOICES, name, prefer) is CHOICES[is_]


def test_where_two_could_be_meant_both_are_listed() -> None:
    with pytest.raises(BadInput, match=r"Coast/FLIGHT_SAFETY .*Desert/FLIGHT_SAFETY") as fault:
        choose(CHOICES, "", Purpose.FLIGHT_SAFETY)
    assert fault.value.details["lines"] == ["Coast/FLIGHT_SAFETY", "Coast/GROUND", "Desert/FLIGHT_SAFETY"]
    with pytest.raises(BadInput, match="Coast/GROUND"):
        choose(CHOICES, "Coast")
    with pytest.raises(NotFound, match="Coast/GROUND"):
        choose(CHOICES, "SEA")
    assert named(CHOICES, "") == CHOICES
    assert choose(CHOICES[:1], "") is CHOICES[0]
    assert choose_mechanism(CHOICES, "GROUND") == "f1" * 32
    with pytest.raises(BadInput, match=r"Coast .*Desert"):
        choose_mechanism(CHOICES, "")
