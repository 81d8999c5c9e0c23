# SPDX-License-Identifier: Apache-2.0
"""Statements of position: where they belong, and that they change nothing."""

from __future__ import annotations

import pytest

from tests.core.linesworld import (
    BLUE,
    GREEN,
    HOUR,
    MIDNIGHT,
    MINUTE,
    Mechanism,
    at,
    check,
    line,
    of_kind,
    pair_of,
    state,
)
from tests.pair import End
from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.call.lines import (
    DAY_MS,
)
from wideberth.core.say.rules import Purpose
from wideberth.core.tells import Delivered, FaultSeen
from wideberth.core.tells import Heard as HeardTell
from wideberth.errors import BadInput

# --- statements ---


def test_a_statement_on_another_line_is_refused_and_the_right_one_named() -> None:
    two = Mechanism(Purpose.FLIGHT_SAFETY, Purpose.WORKING_GROUP)
    with pytest.raises(BadInput) as refused:
        two.blue.step(ev.PostStatement(two.ch, BLUE, "we condemn it"), two.now)
    right = two.of[Purpose.WORKING_GROUP]
    assert f"--line {right[:12]}" in refused.value.sentence
    two.blue.step(ev.PostStatement(right, BLUE, "we condemn it", "fr"), two.now)
    two.settle()
    (kept,) = line(two.green, right).board.statements.positions
    assert (kept.said.text, kept.said.language, kept.misplaced) == ("we condemn it", "fr", False)


def test_where_there_is_no_working_group_the_sentence_says_how_to_get_one() -> None:
    one = Mechanism(Purpose.FLIGHT_SAFETY)
    with pytest.raises(BadInput, match="propose a version of the agreement"):
        one.blue.step(ev.PostStatement(one.ch, BLUE, "we condemn it"), one.now)


def test_a_peers_statement_on_a_wrong_line_is_kept_and_marked_without_effect() -> None:
    pair = pair_of()
    before = state(pair, end=pair.green)
    _post(pair.blue, pair.ch, pair.now)
    pair.settle()
    (kept,) = line(pair.green, pair.ch).board.statements.positions
    assert kept.misplaced
    heard = [t for t in pair.green.told if isinstance(t, HeardTell) and t.kind == "statement"]
    assert len(heard) == 1
    assert "is marked" in heard[0].sentence
    assert not of_kind(pair.green, FaultSeen)
    assert not list(line(pair.green, pair.ch).board)
    assert state(pair, end=pair.green) == before


def _post(end: End, ch: str, now: Now) -> None:
    """As a node would that has no rule about lines."""
    from wideberth.core.effects import Effects
    from wideberth.core.say.standing import Statement

    out = Effects()
    mine = line(end, ch)
    write = getattr(mine, "write", None) or mine._write
    write(Statement("we condemn it"), "watch-1", end.keys.post("watch-1"), now, out)
    end._carry_out(out.batch(None))


@pytest.mark.parametrize("misplaced", [False, True])
def test_a_statement_causes_no_operational_event_whatever(misplaced: bool) -> None:
    """The same three days with and without it: boards, lines, deadlines, feeds, and every other tell are the same."""
    runs = [_three_days(stated, misplaced=misplaced) for stated in (False, True)]
    assert runs[0] == runs[1]
    assert any("SILENT" in str(each) for each in runs[0]["told"])


def _three_days(stated: bool, *, misplaced: bool) -> dict[str, object]:
    two = Mechanism(Purpose.FLIGHT_SAFETY, Purpose.WORKING_GROUP)
    where = two.ch if misplaced else two.of[Purpose.WORKING_GROUP]
    two.blue.step(ev.GiveNotice(two.ch, BLUE, two.terms(start_ms=8 * HOUR)), two.now)
    two.settle()
    at(two, MIDNIGHT)
    check(two)
    if stated:
        for end, by in ((two.blue, BLUE), (two.green, GREEN)):
            if misplaced:
                _post(end, where, two.now)
            else:
                end.step(ev.PostStatement(where, by, "we condemn it"), two.now)
        two.settle()
    for end in two.ends.values():
        end.told = [t for t in end.told if getattr(t, "kind", "") != "statement"]
    while two.now.t_ms < MIDNIGHT + 3 * DAY_MS:
        two.later(30 * MINUTE)
        two.tick()
        two.settle()
    return {
        # How far a strand is receipted differs: there is one entry more.
        "told": [str(t) for end in two.ends.values() for t in end.told if not isinstance(t, Delivered)],
        "rung": [str(t) for end in two.ends.values() for t in end.rung],
        "fed": [str(f) for end in two.ends.values() for f in end.fed],
        "due": [str(each.deadlines._heap) for end in two.ends.values() for each in end.node.lines.values()],
        "lines": [
            each.watch.view(each.board, two.now.t_ms) for end in two.ends.values() for each in end.node.lines.values()
        ],
        "threads": [
            str([(t.ref, t.versions, t.steps) for t in each.board])
            for end in two.ends.values() for each in end.node.lines.values()
        ],
    }  # fmt: skip
