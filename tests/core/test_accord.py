# SPDX-License-Identifier: Apache-2.0
"""The agreement's own life: versions, suspension, exit, readiness; its state is not the state of a line (A3-A5, N6)."""

from __future__ import annotations

import msgspec
import pytest

from tests.pair import T0
from tests.several import Several
from wideberth.core import events as ev
from wideberth.core.records import SettingRecord
from wideberth.core.recovery import setting_key
from wideberth.core.say.place import Altitude
from wideberth.core.say.rules import Mode, Purpose, WhoMoves
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms
from wideberth.core.seal.agreement import Agreement, LineTerms, agreement_hash, one_line
from wideberth.errors import BadInput, NotFound

PAIR = ("BLUE", "GREEN")
TRIO = ("AMBER", "BLUE", "GREEN")
TWO_LINES = (
    LineTerms(Purpose.FLIGHT_SAFETY, TRIO),
    LineTerms(Purpose.WORKING_GROUP, TRIO),
)
HOUR = 3_600_000


def terms(world: Several, kind: NoticeType = NoticeType.AREA_ACTIVITY) -> Terms:
    start = world.now.t_ms + HOUR
    volume = Volume4D(
        Circle.at(lat=36.2, lng=37.15, radius_km=10),
        Altitude.surface(),
        Altitude.flight_level(300),
        start,
        start + HOUR,
    )
    return Terms(kind, Hazard.CREWED_AIRCRAFT, "watch room 100", (volume,), start + HOUR)


def give(world: Several, name: str, ch: str = "", kind: NoticeType = NoticeType.AREA_ACTIVITY) -> str:
    batch = world.step(name, ev.GiveNotice(ch or world.home, f"{name}/watch-1", terms(world, kind)))
    return next(t.entry for t in batch.tell if t.__class__.__name__ == "Said")  # type: ignore[union-attr]


def second(world: Several, **rules: object) -> Agreement:
    """The next version, with other numbers, from now on."""
    founding = world.accord("BLUE").versions.newest
    return msgspec.structs.replace(
        founding, version=founding.version + 1, previous=world.accord("BLUE").versions.newest_hash,
        rules=msgspec.structs.replace(founding.rules, **rules), from_ms=world.now.t_ms,
    )  # fmt: skip


# --- versions ---


def test_a_changed_number_takes_effect_only_with_every_signature_and_old_notices_keep_their_rules() -> None:
    world = Several(*TRIO)
    old = give(world, "BLUE")
    world.settle()
    new = second(world, lead_ms=2 * HOUR)
    hash_ = world.propose("GREEN", new)
    for n, name in enumerate(TRIO):
        assert world.accord(name).versions.newest.version == 1, "a proposal and some signatures change nothing"
        world.sign(name, new)
        world.settle()
        missing = world.heard(TRIO[n - 1], "sign")[-1].facts["missing"]
        assert missing == list(TRIO[n + 1 :])
    assert [world.accord(n).versions.newest_hash for n in TRIO] == [hash_] * 3
    world.later(1000)
    late = give(world, "BLUE")
    world.settle()
    for name in TRIO:
        board = world.line(name).board
        lead = {e: t.version(e) for e in (old, late) if (t := board.find(e))}
        assert board.rules_of(lead[old]).lead_ms == 600_000  # type: ignore[arg-type]
        assert board.rules_of(lead[late]).lead_ms == 2 * HOUR  # type: ignore[arg-type]
    assert world.heard("GREEN", "notice")[0].facts["lead_given"]["late"] is False
    assert world.heard("GREEN", "notice")[1].facts["lead_given"]["late"] is True


def test_versions_and_their_story_come_back_from_the_store() -> None:
    world = Several(*PAIR)
    new = second(world, lead_ms=1)
    world.propose("BLUE", new)
    for name in PAIR:
        world.sign(name, new)
        world.settle()
    world.step("GREEN", ev.Suspend(world.home, "GREEN/supervisor", "talks have broken off"))
    world.settle()
    give(world, "BLUE")
    world.settle()
    before = {n: (world.accord(n).state(n, world.now.t_ms), world.accord(n).versions.newest_hash) for n in PAIR}
    for name in PAIR:
        world.ends[name].restart(world.now)
    assert {n: (world.accord(n).state(n, world.now.t_ms), world.accord(n).versions.newest_hash) for n in PAIR} == before
    assert before["BLUE"] == ("SUSPENDED", agreement_hash(new))
    assert [t.ref for t in world.line("GREEN").board] == [t.ref for t in world.line("BLUE").board] != []


def test_what_is_signed_under_a_version_that_has_not_come_yet_waits_and_is_judged_then() -> None:
    lines = (LineTerms(Purpose.FLIGHT_SAFETY, PAIR), LineTerms(Purpose.WORKING_GROUP, PAIR))
    world = Several(*PAIR, lines=lines)
    safety = world.ch(Purpose.FLIGHT_SAFETY)
    new = second(world, lead_ms=1)
    world.propose("BLUE", new)
    world.sign("BLUE", new)
    world.settle()
    world.sign("GREEN", new)  # GREEN knows that all signed; BLUE has not heard it
    give(world, "GREEN", safety)
    world.settle(lose=frozenset({world.home}))
    assert world.accord("BLUE").versions.newest.version == 2, "the whole version travels with what was signed under it"
    assert len(list(world.line("BLUE", safety).board)) == 1
    assert not [f for f in world.faults("BLUE") if f.fault == "Waits"]


def test_what_waits_for_a_version_is_judged_after_a_restart_too_though_no_entry_comes_after_it() -> None:
    """Seed 20169, promise `agreed`: the version comes beside the entries, and nothing looked at what waited for it when
    the record was read again."""
    lines = (LineTerms(Purpose.FLIGHT_SAFETY, PAIR), LineTerms(Purpose.WORKING_GROUP, PAIR))
    world = Several(*PAIR, lines=lines)
    safety = world.ch(Purpose.FLIGHT_SAFETY)
    new = second(world, lead_ms=1)
    world.propose("BLUE", new)
    world.sign("BLUE", new)
    world.settle()
    world.sign("GREEN", new)
    give(world, "GREEN", safety)
    (send,) = [s for s in world.ends["GREEN"].out if s.ch == safety and s.frames]
    frames = world.ends["GREEN"].frames(send)
    world.ends["GREEN"].out.clear()
    world.step("BLUE", ev.Arrived(safety, "GREEN", frames, ()))
    assert [f.fault for f in world.faults("BLUE")] == ["Waits"]
    world.step("BLUE", ev.Arrived(safety, "GREEN", (), send.sidecars))
    for restarted in (False, True):
        if restarted:
            world.ends["BLUE"].restart(world.now)
        assert len(list(world.line("BLUE", safety).board)) == 1


def test_a_version_comes_back_with_what_was_signed_under_it() -> None:
    """Seeds 51122 and 51886, promise `agreed`: GREEN got its own words back that it had signed under a version, and the
    version itself did not come: both were put back before the home line could say again who had signed it."""
    lines = (LineTerms(Purpose.FLIGHT_SAFETY, PAIR), LineTerms(Purpose.WORKING_GROUP, PAIR))
    world = Several(*PAIR, lines=lines)
    safety = world.ch(Purpose.FLIGHT_SAFETY)
    old = world.ends["GREEN"].store.copy()
    new = second(world, lead_ms=1)
    world.propose("BLUE", new)
    for name in PAIR:
        world.sign(name, new)
        world.settle()
    give(world, "GREEN", safety)
    world.settle()
    green = world.ends["GREEN"]
    green.store = old
    for ch in (world.home, safety):
        green.store.append([SettingRecord(setting_key(ch), b"GREEN/supervisor")], green.store.head)
    green.restart(world.now)
    for _ in range(3):
        world.later(31_000)
        world.step("GREEN", ev.Tick())
        world.settle(lose=frozenset({world.home}))
    assert len(list(world.line("GREEN", safety).board)) == 1
    assert world.line("GREEN", safety).channel.versions.newest.version == 2


def test_a_version_comes_back_to_a_restored_node_that_lacks_nothing_else() -> None:
    """What BLUE had repeated reached GREEN only after GREEN's record was put back: by then GREEN held all that BLUE had
    said, and not the version that it was signed under."""
    lines = (LineTerms(Purpose.FLIGHT_SAFETY, PAIR), LineTerms(Purpose.WORKING_GROUP, PAIR))
    world = Several(*PAIR, lines=lines)
    safety = world.ch(Purpose.FLIGHT_SAFETY)
    old = world.ends["GREEN"].store.copy()
    new = second(world, lead_ms=1)
    world.propose("BLUE", new)
    for name in PAIR:
        world.sign(name, new)
        world.settle()
    give(world, "BLUE", safety)
    (send,) = [s for s in world.ends["BLUE"].out if s.ch == safety and s.frames]
    repeated = world.ends["BLUE"].frames(send)
    world.settle()
    green = world.ends["GREEN"]
    green.store = old
    for ch in (world.home, safety):
        green.store.append([SettingRecord(setting_key(ch), b"GREEN/supervisor")], green.store.head)
    green.restart(world.now)
    world.step("GREEN", ev.Arrived(safety, "BLUE", repeated, ()))
    assert [f.fault for f in world.faults("GREEN")] == ["Waits"]
    for _ in range(3):
        world.later(31_000)
        world.step("GREEN", ev.Tick())
        world.settle(lose=frozenset({world.home}))
    assert len(list(world.line("GREEN", safety).board)) == 1
    assert world.line("GREEN", safety).channel.versions.newest.version == 2


def test_a_version_follows_one_whose_last_signature_is_still_being_judged() -> None:
    """Seed 20134, promise `agreed`: after a restore BLUE got its own signature back first, which waits for what it
    signs; then that, and the next version, in one delivery. The next version was judged before the signature was."""
    world = Several(*PAIR)
    world.settle()
    empty = world.ends["BLUE"].store.copy()
    # In force only later, so that what follows it is signed under the first version still.
    new = msgspec.structs.replace(second(world, lead_ms=1), from_ms=world.now.t_ms + HOUR)
    hash_ = world.propose("GREEN", new)
    world.settle()
    world.sign("BLUE", new)
    world.settle()
    world.sign("GREEN", new)
    world.settle()
    third = world.propose("GREEN", msgspec.structs.replace(second(world, lead_ms=2), from_ms=world.now.t_ms + 2 * HOUR))
    world.settle()
    blue, green = world.ends["BLUE"], world.ends["GREEN"]

    def handed(author: str) -> tuple[tuple[bytes, bytes], ...]:
        strand = green.node.lines[world.home].channel.strands[author]
        return tuple(
            (r.envelope, r.body) for n in range(2, strand.seq + 1) if (r := green.store.entry(strand.hash_of(n)))
        )

    blue.store = empty
    blue.store.append([SettingRecord(setting_key(world.home), b"BLUE/supervisor")], blue.store.head)
    blue.restart(world.now)
    world.step("BLUE", ev.Arrived(world.home, "GREEN", handed("BLUE"), ()))
    world.step("BLUE", ev.Arrived(world.home, "GREEN", handed("GREEN"), ()))
    assert set(world.accord("BLUE").proposals) == {hash_, third}
    assert not [f for f in world.faults("BLUE") if f.fault == "NOT_UNDERSTOOD"]


def test_a_version_may_open_a_line_which_begins_on_every_node() -> None:
    world = Several(*TRIO)
    founding = world.accord("BLUE").versions.newest
    smaller = LineTerms(Purpose.GROUND, ("AMBER", "BLUE"))
    new = msgspec.structs.replace(second(world), lines=(*founding.lines, smaller))
    world.propose("BLUE", new)
    for name in TRIO:
        world.sign(name, new)
        world.settle()
    ground = world.ch(Purpose.GROUND, "AMBER", "BLUE")
    assert [ground in world.ends[n].node.lines for n in TRIO] == [True, True, False]
    give(world, "AMBER", ground)
    world.settle()
    assert len(list(world.line("BLUE", ground).board)) == 1
    for name in TRIO:
        world.ends[name].restart(world.now)
    assert len(list(world.line("BLUE", ground).board)) == 1
    give(world, "BLUE", ground)
    world.settle()
    assert len(list(world.line("AMBER", ground).board)) == 2


def test_a_line_of_a_new_version_is_heard_before_the_signature_that_completed_it() -> None:
    world = Several(*PAIR)
    founding = world.accord("BLUE").versions.newest
    new = msgspec.structs.replace(second(world), lines=(*founding.lines, LineTerms(Purpose.SEA, PAIR)))
    world.propose("BLUE", new)
    world.sign("BLUE", new)
    world.settle()
    world.sign("GREEN", new)
    sea = world.ch(Purpose.SEA)
    give(world, "GREEN", sea)
    world.settle(lose=frozenset({world.home}))
    assert len(list(world.line("BLUE", sea).board)) == 1
    world.repeat()
    assert world.accord("BLUE").proposals[agreement_hash(new)].signatures.keys() == set(PAIR)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"mechanism": "Other"}, "keeps the name"),
        ({"mode": Mode.REAL}, "keeps the name"),
        ({"version": 3}, "does not follow"),
        ({"from_ms": T0 - 1}, "does not begin before"),
        ({"lines": one_line(Purpose.SEA, PAIR)}, "keeps the line"),
    ],
)
def test_a_proposal_that_cannot_follow_is_refused_at_home(change: dict[str, object], why: str) -> None:
    world = Several(*PAIR)
    with pytest.raises(BadInput, match=why):
        world.propose("BLUE", msgspec.structs.replace(second(world), **change))


def test_a_counter_proposal_declines_the_first_and_only_one_can_come_into_force() -> None:
    world = Several(*PAIR)
    first, other = second(world, lead_ms=1), second(world, lead_ms=2)
    one = world.propose("BLUE", first)
    world.sign("BLUE", first)
    world.settle()
    with pytest.raises(NotFound, match="no such version"):
        world.sign("BLUE", other)
    two = world.propose("GREEN", other)
    with pytest.raises(BadInput, match="can still come into force"):
        world.sign("BLUE", other)
    three = world.propose("GREEN", second(world, lead_ms=3), counters=one)
    with pytest.raises(BadInput, match="countered that version"):
        world.sign("GREEN", first)
    world.sign("BLUE", other)
    world.settle()
    world.sign("GREEN", other)
    world.settle()
    assert [world.accord(n).versions.newest_hash for n in PAIR] == [two, two]
    assert [h for h, _ in world.accord("BLUE").open_proposals()] == []
    assert three in world.accord("BLUE").proposals


def test_a_signature_by_another_root_has_no_effect() -> None:
    world = Several(*PAIR)
    new = second(world, lead_ms=1)
    of = world.propose("BLUE", new)
    with pytest.raises(BadInput, match="signature of BLUE"):
        world.step("BLUE", ev.SignVersion(world.home, "BLUE/watch-1", of, world.signature("GREEN", new)))


def test_an_entry_under_the_old_version_is_marked_once_a_newer_one_is_in_force() -> None:
    world = Several(*PAIR)
    new = second(world, lead_ms=1)
    world.propose("BLUE", new)
    for name in PAIR:
        world.sign(name, new)
    # BLUE has not heard that GREEN signed: what it says is still under version 1.
    world.later(1000)
    give(world, "BLUE")
    world.settle()
    assert "version 1 of the agreement; version 2 was in force" in world.heard("GREEN", "notice")[0].facts["outside"]


# --- suspension, exit ---


def test_a_suspended_agreement_leaves_the_line_open_and_marks_what_is_said() -> None:
    world = Several(*PAIR)
    world.step("GREEN", ev.Suspend(world.home, "GREEN/supervisor", "in protest"))
    world.settle()
    world.later(1000)
    give(world, "BLUE")
    give(world, "GREEN")
    world.settle()
    for name, other in (PAIR, PAIR[::-1]):
        assert world.accord(name).state(name, world.now.t_ms) == "SUSPENDED"
        assert "suspended by GREEN" in world.heard(name, "notice")[0].facts["outside"]
        assert len(list(world.line(other).board)) == 2
    world.later(1000)
    world.step("GREEN", ev.Reinstate(world.home, "GREEN/supervisor"))
    world.settle()
    assert [world.accord(n).state(n, world.now.t_ms) for n in PAIR] == ["IN_FORCE"] * 2
    assert [world.accord(n).state(n, world.now.t_ms - 500) for n in PAIR] == ["SUSPENDED"] * 2


def test_a_suspension_is_written_and_timed() -> None:
    world = Several(*PAIR, rules=msgspec.structs.replace(Several(*PAIR).founding.rules, suspend_notice_ms=HOUR))
    with pytest.raises(BadInput, match="supervisor"):
        world.step("GREEN", ev.Suspend(world.home, "GREEN/watch-1", "in protest"))
    world.step("GREEN", ev.Suspend(world.home, "GREEN/supervisor", "", from_ms=world.now.t_ms - HOUR))
    world.settle()
    facts = world.heard("BLUE", "suspend")[0].facts
    assert facts["marks"] == ["no text", "shorter notice than agreed"]
    assert facts["from_ms"] == world.now.t_ms, "it never reaches back"
    world.step("BLUE", ev.Suspend(world.home, "BLUE/supervisor", "likewise"))
    world.settle()
    assert world.heard("GREEN", "suspend")[0].facts["from_ms"] == world.now.t_ms + HOUR
    world.step("GREEN", ev.Reinstate(world.home, "GREEN/supervisor"))
    world.settle()
    assert world.accord("BLUE").state("BLUE", world.now.t_ms) == "IN_FORCE"
    assert world.accord("BLUE").state("BLUE", world.now.t_ms + HOUR) == "SUSPENDED"


def test_after_an_exit_only_distress_is_said_and_it_is_answered() -> None:
    world = Several(*PAIR)
    give(world, "BLUE")
    world.settle()
    world.step("GREEN", ev.Leave(world.home, "GREEN/supervisor", "we withdraw"))
    world.settle()
    for name in PAIR:
        assert world.accord(name).state(name, world.now.t_ms) == "TERMINATED"
        with pytest.raises(BadInput, match="distress"):
            give(world, name)
        with pytest.raises(BadInput, match="distress"):
            world.step(name, ev.RaiseAlert(world.home, f"{name}/watch-1"))
    entry = give(world, "BLUE", kind=NoticeType.DISTRESS)
    world.settle()
    heard = world.heard("GREEN", "notice")[-1]
    assert heard.entry == entry
    assert "left it" in heard.facts["outside"]
    assert [t.entry for t in world.ends["GREEN"].rung][-1] == entry  # type: ignore[union-attr]
    world.step("GREEN", ev.Acknowledge(world.home, "GREEN/watch-1", heard.ref))
    world.settle()
    thread = world.line("BLUE").board.find(entry)
    assert thread is not None
    assert thread.has(entry, "GREEN", "ACKNOWLEDGED")


def test_when_one_of_three_leaves_the_others_go_on() -> None:
    world = Several(*TRIO, lines=TWO_LINES)
    world.step("AMBER", ev.Leave(world.home, "AMBER/supervisor", "we withdraw"))
    world.settle()
    states = {n: world.accord("BLUE").state(n, world.now.t_ms) for n in TRIO}
    assert states == {"AMBER": "TERMINATED", "BLUE": "IN_FORCE", "GREEN": "IN_FORCE"}
    give(world, "BLUE", world.ch(Purpose.FLIGHT_SAFETY))
    with pytest.raises(BadInput, match="distress"):
        give(world, "AMBER", world.ch(Purpose.FLIGHT_SAFETY))


def test_what_concerns_the_mechanism_is_said_on_its_home_line_wherever_it_is_asked_for() -> None:
    world = Several(*TRIO, lines=TWO_LINES)
    world.step("BLUE", ev.Suspend(world.ch(Purpose.FLIGHT_SAFETY), "BLUE/supervisor", "in protest"))
    world.settle()
    assert world.home == world.ch(Purpose.WORKING_GROUP)
    assert world.heard("GREEN", "suspend")[0].ch == world.home


# --- readiness ---


def test_a_mechanism_is_operational_when_every_member_says_that_it_is_ready() -> None:
    world = Several(*PAIR)
    assert not world.accord("BLUE").operational(world.now.t_ms)
    with pytest.raises(BadInput, match="supervisor"):
        world.step("BLUE", ev.DeclareReady(world.home, "BLUE/watch-1", ("line not tested",), "go on"))
    with pytest.raises(BadInput, match="say why"):
        world.step("BLUE", ev.DeclareReady(world.home, "BLUE/supervisor", ("line not tested",)))
    world.step("BLUE", ev.DeclareReady(world.home, "BLUE/supervisor", ("line not tested",), "radio only tonight"))
    world.step("GREEN", ev.DeclareReady(world.home, "GREEN/watch-1"))
    world.settle()
    assert all(world.accord(n).operational(world.now.t_ms) for n in PAIR)
    assert "although: line not tested" in world.heard("GREEN", "operational")[0].sentence


# --- the schema ---


def test_an_agreement_spells_every_number_out_and_refuses_what_makes_no_sense() -> None:
    world = Several(*PAIR)
    rules = world.founding.rules
    assert rules.who_moves == (WhoMoves.PRIORITY, WhoMoves.FILED_FIRST, WhoMoves.LOT)
    with pytest.raises(BadInput, match="ascending"):
        msgspec.structs.replace(rules, check_times_ms=(5, 4)).__post_init__()
    with pytest.raises(BadInput, match="ascending"):
        msgspec.structs.replace(rules, check_times_ms=(86_400_000,)).__post_init__()
