# SPDX-License-Identifier: Apache-2.0
"""Two notices that meet, on the record of both: one id, proposals that change nothing, and what each side records."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from tests.core.test_restore import backup, put_back, settle
from tests.pair import RULES, T0, End, Pair
from wideberth.core import events as ev
from wideberth.core.call.clashviews import OPTIONAL, clash_view
from wideberth.core.call.dialogue import conflict_id
from wideberth.core.call.fault import NotUnderstood
from wideberth.core.desk import causes
from wideberth.core.judge.remedies import remedy
from wideberth.core.say.conflict import How, Outcome, Remedy
from wideberth.core.say.minima import UTM_OVERLAP
from wideberth.core.say.volume import Volume4D
from wideberth.core.say.words import Terms
from wideberth.core.seal.entry import Header
from wideberth.core.tells import Heard, Level, Overdue, Said
from wideberth.errors import BadInput, NotFound

BLUE, GREEN = "BLUE/watch-1", "GREEN/watch-1"
HOUR = 3_600_000


def give(end: End, pair: Pair, terms: Terms) -> str:
    by = f"{end.keys.party}/watch-1"
    end.step(ev.GiveNotice(pair.ch, by, terms), pair.now)
    pair.settle()
    entry: str = [t for t in end.told if isinstance(t, Said)][-1].entry
    return entry


class Clashing(Pair):
    """Two notices that meet from 1 h to 1.5 h from now."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.one = give(self.blue, self, self.terms())
        self.other = give(self.green, self, self.terms(lat=36.25))

    def propose(self, end: End, volumes: tuple[Volume4D, ...], *, moves: str = "", how: How = How.LATER) -> None:
        by = f"{end.keys.party}/watch-1"
        self.step(end, ev.ProposeRemedy(self.ch, by, self.one, self.other, moves or self.other, how, volumes))

    def record(self, end: End, outcome: Any, **more: str) -> None:
        by = f"{end.keys.party}/watch-1"
        self.step(end, ev.RecordOutcome(self.ch, by, self.one, self.other, outcome, **more))

    def amend(self, end: End, ref: str, volumes: tuple[Volume4D, ...]) -> None:
        terms = msgspec.structs.replace(
            self.thread(end, ref).terms, volumes=volumes, expires_ms=max(v.end_ms for v in volumes)
        )  # fmt: skip
        self.step(end, ev.Revise(self.ch, f"{end.keys.party}/watch-1", ref, "amend", terms))

    def step(self, end: End, command: ev.Command) -> None:
        end.step(command, self.now)
        self.settle()

    def thread(self, end: End, ref: str) -> Any:
        found = end.node.lines[self.ch].board.find(ref)
        assert found is not None
        return found

    def clash(self, end: End) -> Any:
        board = end.node.lines[self.ch].board
        one, other = (board.find(entry) for entry in (self.one, self.other))
        return board.dialogue.of((one, one.version(self.one)), (other, other.version(self.other)))

    def view(self) -> dict[str, Any]:
        """What both sides show, seen to be the same."""
        shown = [
            clash_view(end.node.lines[self.ch].board, self.clash(end), self.now.t_ms) for end in (self.blue, self.green)
        ]
        assert shown[0] == shown[1]
        return shown[0]


def later(pair: Clashing) -> tuple[Volume4D, ...]:
    """The least that GREEN could begin later by, as both work it out."""
    mine, theirs = (pair.thread(pair.green, entry).terms.volumes for entry in (pair.other, pair.one))
    tried = remedy(How.LATER, mine, theirs, RULES.minima)
    assert tried.remedy is not None
    return tried.remedy.volumes


def test_both_ends_compute_the_same_id_and_nobody_had_to_say_it() -> None:
    pair = Clashing()
    view = pair.view()
    assert view["id"] == pair.clash(pair.green).id
    assert view["conflict"].startswith("CNF-")
    assert (view["stands"], view["unresolved"], view["outcomes"]) == (True, True, {"BLUE": "OPEN", "GREEN": "OPEN"})


def test_the_id_is_of_versions_agreement_and_rule_and_of_nothing_else() -> None:
    one, other, agr = "1" * 64, "2" * 64, "a" * 64
    id_ = conflict_id(one, other, agr, RULES)
    assert id_ == conflict_id(other, one, agr, RULES), "whoever is named first"
    changed = [
        conflict_id("3" * 64, other, agr, RULES),
        conflict_id(one, other, "b" * 64, RULES),
        conflict_id(one, other, agr, msgspec.structs.replace(RULES, minima=UTM_OVERLAP)),
        conflict_id(one, other, agr, msgspec.structs.replace(RULES, pressure_margin_mm=1)),
    ]
    assert len({id_, *changed}) == 5
    assert id_ == conflict_id(one, other, agr, msgspec.structs.replace(RULES, lead_ms=1)), "the lead time is no part"


def test_a_proposal_travels_and_changes_nothing() -> None:
    pair = Clashing()
    before = pair.thread(pair.green, pair.other).newest
    pair.propose(pair.blue, later(pair))
    (heard,) = [t for t in pair.green.told if isinstance(t, Heard) and t.kind == "remedy"]
    assert heard.level is Level.NOTE
    assert heard.sentence.endswith(OPTIONAL)
    (proposal,) = pair.view()["proposals"]
    assert (proposal["author"], proposal["moves"], proposal["how"]) == ("BLUE", before_ref(pair), "LATER")
    assert pair.thread(pair.green, pair.other).newest == before
    assert pair.view()["outcomes"] == {"BLUE": "OPEN", "GREEN": "OPEN"}, "and nothing follows from it"
    pair.later(20 * HOUR)
    pair.tick()
    assert pair.thread(pair.blue, pair.other).newest.number == 1, "nor from silence about it"


def before_ref(pair: Clashing) -> str:
    return str(pair.thread(pair.green, pair.other).ref)


def test_the_owner_amends_and_both_record_what_became_of_it() -> None:
    pair = Clashing()
    moved = later(pair)
    pair.propose(pair.blue, moved)
    pair.amend(pair.green, before_ref(pair), moved)
    assert not pair.view()["stands"], "the version that met is no longer the one that holds"
    pair.record(pair.green, "RESOLVED_BY_AMEND")
    view = pair.view()
    assert (view["outcomes"], view["same_outcome"]) == ({"BLUE": "OPEN", "GREEN": "RESOLVED_BY_AMEND"}, False)
    pair.record(pair.blue, "RESOLVED_BY_AMEND", amended=before_ref(pair))
    view = pair.view()
    assert view["outcomes"] == {"BLUE": "RESOLVED_BY_AMEND", "GREEN": "RESOLVED_BY_AMEND"}
    assert {said["amended"] for said in view["said"]} == {pair.thread(pair.blue, before_ref(pair)).newest.entry}
    pair.later(HOUR)
    pair.tick()
    assert not unresolved(pair.blue)
    assert not unresolved(pair.green)


def unresolved(end: End) -> list[Overdue]:
    return [t for t in end.told if isinstance(t, Overdue) and t.what == "UNRESOLVED"]


def test_the_two_may_differ_and_both_are_shown() -> None:
    pair = Clashing()
    pair.record(pair.blue, "ACCEPTED_RISK", text="our two aircraft are told")
    pair.record(pair.green, "UNRESOLVED")
    view = pair.view()
    assert view["outcomes"] == {"BLUE": "ACCEPTED_RISK", "GREEN": "UNRESOLVED"}
    assert (view["same_outcome"], view["unresolved"]) == (False, True)
    told = [t.sentence for t in pair.green.told if isinstance(t, Heard) and t.kind == "outcome"]
    assert told[-1].endswith("It speaks for its own side alone.")


def test_the_last_word_of_a_side_holds_and_the_earlier_one_stays_visible() -> None:
    pair = Clashing()
    pair.record(pair.blue, "UNRESOLVED")
    pair.record(pair.blue, "ACCEPTED_RISK")
    view = pair.view()
    assert view["outcomes"]["BLUE"] == "ACCEPTED_RISK"
    assert [said["outcome"] for said in view["said"]] == ["UNRESOLVED", "ACCEPTED_RISK"]
    told = [t.sentence for t in pair.green.told if isinstance(t, Heard) and t.kind == "outcome"]
    assert "It had recorded UNRESOLVED." in told[-1]


@pytest.mark.parametrize("said", [("", ""), ("UNRESOLVED", "ACCEPTED_RISK"), ("ACCEPTED_RISK", "")])
def test_what_is_unresolved_when_it_begins_rings_at_both_ends_and_holds_nothing_up(said: tuple[str, str]) -> None:
    pair = Clashing()
    pair.propose(pair.blue, later(pair))
    for end, outcome in zip((pair.blue, pair.green), said, strict=True):
        if outcome:
            pair.record(end, outcome)
    pair.later(HOUR - 10_000)
    pair.tick()
    assert not unresolved(pair.blue)
    pair.later(10_000)
    for _ in range(3):
        pair.tick()
        pair.later(1_000)
    for end, own in zip((pair.blue, pair.green), said, strict=True):
        (rung,) = unresolved(end)
        assert (rung.level, rung.ref) == (Level.RING, pair.view()["conflict"])
        assert (rung.member == end.keys.party) is (own == ""), "it names who has not said anything"
    assert pair.thread(pair.green, pair.other).life(pair.now.t_ms) == "ACTIVE", "nothing was held up"
    assert pair.view()["unresolved"]


def test_the_desk_is_called_until_somebody_records_an_outcome() -> None:
    pair = Clashing()
    pair.propose(pair.blue, later(pair))
    pair.later(HOUR)
    pair.tick()
    (rung,) = unresolved(pair.blue)
    cause = causes.cause(msgspec.to_builtins(rung))
    assert cause is not None
    assert not cause.inside, "the other side knows of it as well"
    pair.blue.told.clear()
    pair.record(pair.blue, "UNRESOLVED")
    (said,) = [t for t in pair.blue.told if isinstance(t, Said)]
    end = causes.end(msgspec.to_builtins(said))
    assert end is not None
    assert end.covers(cause.key)


def test_nobody_is_called_where_both_go_on_knowing_the_risk() -> None:
    pair = Clashing()
    pair.record(pair.blue, "ACCEPTED_RISK")
    pair.record(pair.green, "ACCEPTED_RISK")
    pair.later(HOUR + 1)
    pair.tick()
    assert not unresolved(pair.blue)
    assert not pair.view()["unresolved"]


def test_a_node_that_starts_anew_rings_again_while_it_lasts() -> None:
    pair = Clashing()
    pair.record(pair.green, "UNRESOLVED")
    pair.later(HOUR + 60_000)
    pair.tick()
    before = pair.view()
    pair.blue.told.clear()
    pair.blue.restart(pair.now)
    pair.tick()
    assert len(unresolved(pair.blue)) == 1
    assert pair.view() == before, "and the record says what it said"


@pytest.mark.parametrize("seed", ["a", "b", "c", "d"])
def test_an_outcome_of_a_notice_that_its_author_forgot_stands_at_both_ends(seed: str) -> None:
    """GREEN is restored from before its notice, and goes on beside it; then both boards are folded anew."""
    pair = Pair()
    old = backup(pair.green)
    one = give(pair.blue, pair, pair.terms())
    other = give(pair.green, pair, pair.terms(lat=36.25))
    put_back(pair, "GREEN", old, seed=seed)
    pair.green.out.clear()
    pair.green.step(ev.Resume(pair.ch, "GREEN/supervisor"), pair.now)
    settle(pair)
    pair.blue.step(ev.RecordOutcome(pair.ch, BLUE, one, other, "UNRESOLVED"), pair.now)
    settle(pair)
    for end in (pair.blue, pair.green):
        end.restart(pair.now)
    seen = [
        [clash_view(board, clash, pair.now.t_ms) for clash in board.dialogue]
        for end in (pair.blue, pair.green) for board in (end.node.lines[pair.ch].board,)
    ]  # fmt: skip
    assert seen[0] == seen[1]
    assert [view["outcomes"]["BLUE"] for view in seen[0]] == ["UNRESOLVED"]


def test_what_nobody_recorded_is_expired_with_its_time_and_what_somebody_did_stays() -> None:
    pair = Clashing()
    pair.record(pair.blue, "UNRESOLVED")
    pair.later(2 * HOUR)
    assert pair.view()["outcomes"] == {"BLUE": "UNRESOLVED", "GREEN": "EXPIRED"}
    assert [said["author"] for said in pair.view()["said"]] == ["BLUE"], "that is shown, and nobody said it"


def test_slips_are_caught_before_anything_is_signed() -> None:
    pair = Clashing()
    second = give(pair.blue, pair, pair.terms(lat=35.0))
    volumes = later(pair)
    for words, command in (
        ("both notices are of BLUE", ev.RecordOutcome(pair.ch, BLUE, pair.one, second, "UNRESOLVED")),
        ("is neither of the two", ev.ProposeRemedy(pair.ch, BLUE, pair.one, pair.other, second, How.LATER, volumes)),
        ("neither notice has a later", ev.RecordOutcome(pair.ch, BLUE, pair.one, pair.other, "RESOLVED_BY_AMEND")),
        ("only RESOLVED_BY_AMEND", ev.RecordOutcome(pair.ch, BLUE, pair.one, pair.other, "EXPIRED", pair.one)),
    ):
        with pytest.raises(BadInput, match=words):
            pair.blue.step(command, pair.now)
    with pytest.raises(NotFound):
        pair.blue.step(ev.RecordOutcome(pair.ch, BLUE, pair.one, "f" * 64, "UNRESOLVED"), pair.now)
    pair.amend(pair.green, before_ref(pair), volumes)
    with pytest.raises(BadInput, match="has a newer version"):
        pair.propose(pair.blue, volumes)


def test_what_makes_no_sense_is_kept_and_has_no_effect() -> None:
    pair = Clashing()
    board = pair.blue.node.lines[pair.ch].board
    one, other = sorted((pair.one, pair.other))
    volumes = later(pair)
    for sender, what in (
        ("GREEN", Outcome(*sorted((pair.one, "f" * 64)), "UNRESOLVED")),
        ("GREEN", Outcome(one, other, "RESOLVED_BY_AMEND", one)),
        ("AMBER", Outcome(one, other, "UNRESOLVED")),
        ("AMBER", Remedy(one, other, one, How.LATER, volumes)),
    ):
        given = msgspec.structs.replace(_header(pair), sender=sender)
        with pytest.raises(NotUnderstood):
            board.apply(given, "9" * 64, what, T0)
    assert not list(board.dialogue)


def _header(pair: Clashing) -> Header:
    return Header(
        **{**dict.fromkeys(Header.__struct_fields__), "sender": "GREEN", "by": "GREEN/watch-1", "t_ms": T0, "seq": 9,
           "epoch": "e", "ch": pair.ch, "agr": pair.thread(pair.blue, pair.one).newest.agr, "seen": {}}
    )  # fmt: skip


def test_no_word_takes_a_proposal_up_or_turns_it_down() -> None:
    """What can be said of a clash, all of it: a proposal, and one side's own outcome."""
    said = {*Remedy.__struct_fields__, *Outcome.__struct_fields__, *How.__members__}
    outcomes = set(get_args(get_type_hints(Outcome)["outcome"]))
    assert len(outcomes) == 4
    assert {"one", "other", "moves", "how", "volumes", "text", "language", "outcome", "amended"} == {
        f for f in said if f.islower()
    }  # fmt: skip
    assert not {w for w in {*said, *outcomes} if w.upper().startswith(("ACCEPT_", "AGREE", "REJECT", "CONFIRM"))}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"one": "2" * 64, "other": "1" * 64}, "the smaller first"),
        ({"one": "1" * 64, "other": "1" * 64}, "the smaller first"),
        ({"one": "G" * 64, "other": "h" * 64}, "by their hashes"),
        ({"outcome": "RESOLVED_BY_AMEND"}, "names the version"),
        ({"amended": "1" * 64}, "names the version"),
    ],
)
def test_an_outcome_has_one_spelling(fields: dict[str, str], why: str) -> None:
    given = {"one": "1" * 64, "other": "2" * 64, "outcome": "EXPIRED", **fields}
    with pytest.raises(BadInput, match=why):
        Outcome(**given)  # type: ignore[arg-type]
