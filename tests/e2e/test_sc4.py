# SPDX-License-Identifier: Apache-2.0
"""SC4, the line goes quiet while politics shouts (domain.md §5), between two real processes on a hand-set clock.

Two mechanisms between BLUE and GREEN. On `Coast` (a flight safety line and a working group's) people stop answering
the checks of the flight safety line; on `Strait` they go on. GREEN's node is down for a while as well, so that what
BLUE says then waits for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.e2e.nodes import RULES, NodeProcess, Two
from wideberth import home, join
from wideberth.core.batch import Now
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord
from wideberth.core.say import instant
from wideberth.core.say.place import Point
from wideberth.core.say.rules import Fallback, Mode, NamedPlace, Purpose
from wideberth.core.say.volume import Polygon
from wideberth.core.say.words import FallbackKind
from wideberth.core.seal.agreement import Agreement, LineTerms, Member, channel_id, sign_agreement
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier
from wideberth.errors import BadInput
from wideberth.signers import HomeSigners

MONTH = "2023-04-"
HOUR = 3_600_000
GRACE = 1_200_000
LADDER = (
    Fallback(FallbackKind.ALTERNATE_LINK, "the west coast line, 41"),
    Fallback(FallbackKind.MEDIATOR, "the host's watch, 55"),
    Fallback(FallbackKind.PUBLIC_NOTICE, "the public status page"),
)
# 09:00 and 16:00 KST, weekends too; people of the other mechanism check at noon.
COAST = msgspec.structs.replace(RULES, check_times_ms=(0, 7 * HOUR), check_grace_ms=GRACE, fallback=LADDER)
STRAIT = msgspec.structs.replace(
    COAST, area=Polygon.of((41, 40), (41, 43), (43, 43), (43, 40)), check_times_ms=(12 * HOUR,),
    gazetteer=(NamedPlace("Narrows", Point.at(42, 41), 30_000_000),),
)  # fmt: skip
NAMES = ("BLUE", "GREEN")


def at(day_and_time: str) -> int:
    """`07T07:20` of April 2023, ms UTC."""
    return instant.parse(f"{MONTH}{day_and_time}:00Z")


def found_coast(blue: home.Home, green: home.Home, now_ms: int) -> dict[Purpose, str]:
    """Both roots sign an agreement with two lines; it lies in both folders."""
    homes = {"BLUE": blue, "GREEN": green}
    roots = {name: Ed25519Signer(each.root_seed()) for name, each in homes.items()}
    agreement = Agreement(
        1, "Coast", 1, Mode.SIMULATED, tuple(Member(n, roots[n].public) for n in NAMES),
        tuple(LineTerms(p, NAMES) for p in (Purpose.FLIGHT_SAFETY, Purpose.WORKING_GROUP)), COAST, now_ms, "c4" * 16,
    )  # fmt: skip
    sealed = sign_agreement(agreement, *roots.values())
    cards = tuple(join.own_card(each) for each in homes.values())
    for each in homes.values():
        join.keep(each, sealed, cards, {})
    return {line.purpose: channel_id(agreement, line) for line in agreement.lines}


class Korea(Two):
    """Two nodes with three lines between them, in two mechanisms."""

    def __init__(self) -> None:
        super().__init__(clock=f"{MONTH}05T22:00:00Z", rules=STRAIT)
        self.strait = self.ch
        homes = self.blue.home, self.green.home
        lines = found_coast(*homes, self.now_ms)
        self.coast, self.group = lines[Purpose.FLIGHT_SAFETY], lines[Purpose.WORKING_GROUP]

    def settled(self) -> bool:
        views = {node.party: {line["ch"]: line for line in node.status()["lines"]} for node in self.nodes}
        if any(len(lines) < 3 for lines in views.values()):
            return False
        return all(
            peer["outstanding"] == 0 and peer["held"] == views[peer["party"]][ch]["seq"]
            for lines in views.values()
            for ch, line in lines.items()
            for peer in line["peers"]
        )

    def view(self, node: NodeProcess, ch: str) -> dict[str, Any]:
        (line,) = [each for each in node.get("/v1/line") if each["ch"] == ch]
        peer = next(p for p in NAMES if p != node.party)
        return {"whole": line["state"], **line["peers"][peer]}

    def state(self, ch: str) -> tuple[str, int]:
        """As both sides show it, which is the same."""
        blue, green = (self.view(node, ch) for node in (self.blue, self.green))
        shared = ("whole", "state", "since_ms", "cause", "reason", "missed", "answered_ms", "turns")
        assert {k: blue[k] for k in shared} == {k: green[k] for k in shared}
        return blue["state"], blue["since_ms"]

    def check(self, ch: str, asker: NodeProcess, other: NodeProcess) -> None:
        asker.command("check", ch=ch)
        self.settle()
        other.command("checked", ch=ch)
        self.settle()

    def noon(self, day: int) -> None:
        """The other mechanism goes on as ever."""
        self.clock(at(f"{day:02}T12:01"))
        self.check(self.strait, self.green, self.blue)


class Story:
    """A week, lived once for all tests of this file."""

    def __init__(self, two: Korea) -> None:
        self.two, self.blue, self.green = two, two.blue, two.green
        self.strait: list[tuple[str, int]] = []
        self._quiet_begins()
        self._politics()
        self._node_down()
        self._answers()
        self.lines = [n.get("/v1/line") for n in (self.blue, self.green)]
        self.boards = [n.get("/v1/notices", all=1) for n in (self.blue, self.green)]
        two.settle()
        for node in two.nodes:
            node.stop()

    def _day(self, day: int) -> None:
        self.two.noon(day)
        self.strait.append(self.two.state(self.two.strait))

    def _quiet_begins(self) -> None:
        two = self.two
        for when in ("06T00:00", "06T07:05", "07T00:02"):
            two.clock(at(when))
            two.check(two.coast, self.blue, self.green)
            if when == "06T07:05":
                self._day(6)
        self.before = two.state(two.coast)
        for when in ("07T07:00", "07T07:05", "07T07:15", "07T07:19"):
            two.clock(at(when))
            if when == "07T07:00":
                self.blue.command("check", ch=two.coast)
        two.settle()
        self.just_before = two.state(two.coast)
        two.clock(at("07T07:20"))
        self.degraded = two.state(two.coast)
        self._day(7)
        two.clock(at("08T00:20"))
        self.silent = two.state(two.coast)
        self.silent_view = two.view(self.blue, two.coast)
        self._day(8)

    def _politics(self) -> None:
        two = self.two
        two.clock(at("09T09:00"))
        for node in two.nodes:
            node.told_up_to_now()
        told = {node.party: len(node.tells) for node in two.nodes}
        line_before = two.state(two.coast)
        boards = [n.get("/v1/notices", all=1) for n in two.nodes]
        with pytest.raises(BadInput) as wrong:
            self.blue.command("statement", ch=two.coast, text="We condemn what GREEN did.")
        self.wrong_line = wrong.value.sentence
        self.blue.command("statement", ch=two.group, text="We condemn what GREEN did.", language="en")
        two.settle()
        # The desks' ladders climb at their own pace for what rang before (the line is silent).
        beside = ("delivered", "rung")
        self.after_statement = [t for n in two.nodes for t in n.tells[told[n.party] :] if t["tell"] not in beside]
        self.statement_changed = line_before != two.state(two.coast) or boards != [
            n.get("/v1/notices", all=1) for n in two.nodes
        ]
        self.green.command(
            "suspend", ch=two.group, by="supervisor", text="Suspended until further notice.", from_ms=two.now_ms
        )
        two.settle()
        two.clock(at("09T09:01"))
        self.suspended = two.state(two.coast)
        self.distress = self.green.post(
            "/v1/notices", {"type": "DISTRESS", "text": "boat on fire", "by": "watch-1", "line": two.coast}
        )
        two.settle()
        self.distress_rings = [r for r in self.blue.rings() if r["ref"] == self.distress["ref"]]
        two.clock(at("09T09:30"))
        for kind in ("ALTERNATE_LINK", "MEDIATOR"):
            self.blue.command(
                "voice", ch=two.coast, medium="telephone", answer="tried", outcome="NO_ANSWER", rung=kind
            )  # fmt: skip
        two.settle()
        self.after_rungs = two.view(self.blue, two.coast)
        self._day(9)
        self._day(10)

    def _node_down(self) -> None:
        two = self.two
        self._day(11)
        self.green.stop()
        two.clock(at("11T14:00"))
        self.given = self.blue.give(
            line=two.coast, type="TRANSIT", circle="36.20N 37.15E", radius="12km",
            **{"from": f"{MONTH}13T08:00:00Z", "until": f"{MONTH}13T10:00:00Z"},
        )  # fmt: skip
        two.clock(at("12T06:55"))
        two.restart(self.green)
        self.after_restart = self.green.waits_for("line", state="SILENT", ch=two.coast, at_ms=two.now_ms)

    def _answers(self) -> None:
        two = self.two
        two.clock(at("12T06:58"))
        two.settle()
        self.heard = self.green.told("heard", kind="notice", ref=self.given["ref"])
        two.clock(at("12T07:00"))
        two.check(two.coast, self.blue, self.green)
        self.answered = two.state(two.coast)
        self._day(12)
        self.last = two.state(two.coast)


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    two = Korea()
    with two:
        yield Story(two)


# --- the line goes quiet ---


def test_the_line_is_open_while_people_answer(story: Story) -> None:
    assert story.before[0] == story.just_before[0] == "OPEN"


def test_one_missed_check_degrades_and_the_second_silences_the_line_at_the_exact_times(story: Story) -> None:
    assert story.degraded == ("DEGRADED", at("07T07:20"))
    assert story.silent == ("SILENT", at("08T00:20"))
    assert story.silent_view["reason"] == "UNKNOWN"
    assert (story.silent_view["missed"], story.silent_view["first_missed_ms"]) == (2, at("07T07:00"))


@pytest.mark.parametrize("party", NAMES)
def test_officers_were_prompted_and_told_at_the_exact_times(story: Story, party: str) -> None:
    node = story.blue if party == "BLUE" else story.green
    coast = story.two.coast
    due = [(t["prompt"], t["at_ms"]) for t in node.told("check_due", ch=coast, slot_ms=at("07T07:00"))]
    assert due == [(1, at("07T07:00")), (2, at("07T07:05")), (3, at("07T07:15"))]
    (missed,) = node.told("check_missed", ch=coast, slot_ms=at("07T07:00"))
    assert missed["at_ms"] == at("07T07:20")
    changes = [(t["state"], t["since_ms"]) for t in node.told("line", ch=coast)]
    assert changes[:2] == [("DEGRADED", at("07T07:20")), ("SILENT", at("08T00:20"))]
    (rang,) = [t for t in node.told("line", ch=coast, state="SILENT") if t["at_ms"] == at("08T00:20")]
    assert rang["level"] == "RING"


def test_the_ladder_is_climbed_rung_by_rung(story: Story) -> None:
    proposed = [(t["kind"], t["how"]) for t in story.blue.told("fallback", ch=story.two.coast)]
    assert proposed == [(rung.kind.value, rung.how) for rung in LADDER]
    assert story.after_rungs["fallback"]["kind"] == "PUBLIC_NOTICE"
    assert story.after_rungs["calls"] == {"attempts": 2, "answered": 0, "refused": 0, "rate_percent": 0}
    (view,) = [each for each in story.lines[0] if each["ch"] == story.two.coast]
    assert view["peers"]["GREEN"]["fallback"] is None, "the line answers again"


# --- politics ---


def test_the_statement_is_refused_on_the_flight_safety_line_and_the_right_one_named(story: Story) -> None:
    assert f"--line {story.two.group[:12]}" in story.wrong_line


def test_the_statement_caused_no_operational_event(story: Story) -> None:
    assert not story.statement_changed
    assert {(t["tell"], t["kind"]) for t in story.after_statement} == {("said", "statement"), ("heard", "statement")}


def test_the_suspended_agreement_leaves_the_line_what_the_checks_say(story: Story) -> None:
    assert story.suspended == story.silent


def test_distress_passes_with_the_line_silent_and_the_agreement_suspended(story: Story) -> None:
    (ring,) = story.distress_rings
    assert (ring["level"], ring["at_ms"]) == ("RING", at("09T09:01"))
    assert "DISTRESS of GREEN" in ring["sentence"]
    assert story.distress["facts"]["outside"]


# --- and comes back ---


def test_what_was_said_meanwhile_arrives_with_its_original_time(story: Story) -> None:
    (heard,) = story.heard
    assert (heard["t_ms"], heard["at_ms"]) == (at("11T14:00"), at("12T06:58"))
    for board in story.boards:
        (notice,) = [n for n in board if n["ref"] == story.given["ref"]]
        assert notice["versions"][0]["given_ms"] == at("11T14:00")


def test_a_node_that_starts_again_tells_the_state_once_as_it_is(story: Story) -> None:
    assert (story.after_restart["since_ms"], story.after_restart["at_ms"]) == (at("08T00:20"), at("12T06:55"))
    after = [t for t in story.green.tells[story.green.tells.index(story.after_restart) :] if t["tell"] == "line"]
    assert [t["state"] for t in after if t["ch"] == story.two.coast] == ["SILENT", "OPEN"]


def test_the_line_is_open_again_from_the_answer_on(story: Story) -> None:
    assert story.answered == story.last == ("OPEN", at("12T07:00"))


def test_the_other_mechanism_stays_open_throughout(story: Story) -> None:
    assert {state for state, _ in story.strait} == {"OPEN"}
    for lines in story.lines:
        (strait,) = [each for each in lines if each["ch"] == story.two.strait]
        (peer,) = strait["peers"].values()
        assert [turn["state"] for turn in peer["turns"]] == ["OPEN"]
    for node in (story.blue, story.green):
        assert not node.told("line", ch=story.two.strait)


def test_both_records_replayed_give_the_same_states_at_every_hour(story: Story) -> None:
    """The same cut, role and time: from what each side's store holds, nothing else."""
    nodes = [replayed(node) for node in (story.blue, story.green)]
    seen = set()
    for ch in (story.two.coast, story.two.group, story.two.strait):
        for hour in range(7 * 24):
            t_ms = at("05T22:00") + hour * HOUR + 1
            blue, green = (
                line.watch.states.of(line.board.lines, "BLUE", "GREEN", t_ms)
                for line in (node.lines[ch] for node in nodes)
            )
            assert blue == green
            seen.add((ch, blue.state.value))
    assert {state for ch, state in seen if ch == story.two.coast} == {"OPEN", "DEGRADED", "SILENT"}
    assert {state for ch, state in seen if ch == story.two.strait} == {"OPEN"}


def replayed(process: NodeProcess) -> Node:
    records = process.records()
    entries = {r.hash: r for r in records if isinstance(r, EntryRecord)}
    node = Node(process.party, HomeSigners(process.home), Ed25519Verifier(), os.urandom, entries.get)
    for record in records:
        node.load(record)
    node.started(Now(at("12T13:00"), 0))
    return node
