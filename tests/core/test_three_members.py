# SPDX-License-Identifier: Apache-2.0
"""Three members on one line: words reach everybody, a fork shown to two is found, and its proof stands alone."""

from __future__ import annotations

import pytest

from tests.pair import T0, End, Keys, agreement_of
from wideberth import evidence
from wideberth.core import events as ev
from wideberth.core.batch import Now, Send
from wideberth.core.call.views import shared
from wideberth.core.records import EntryRecord, SettingRecord
from wideberth.core.recovery import setting_key
from wideberth.core.say.notice import ShortForm, accident
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.talk import Question
from wideberth.core.say.words import Hazard, NilReturn, NoticeType
from wideberth.core.seal import canonical
from wideberth.core.seal import entry as entries
from wideberth.core.seal.bundle import whole_channel
from wideberth.core.tells import FaultSeen, Heard
from wideberth.store.memory import MemoryStore

NAMES = ("AMBER", "BLUE", "GREEN")


class Trio:
    """Three real cores; a wire between every two, which carries when told to."""

    def __init__(self) -> None:
        self.now = Now(T0, 0)
        keys = [Keys(name) for name in NAMES]
        self.agreement, self.ch = agreement_of(*keys)
        self.ends = {k.party: End(k, "trio") for k in keys}
        for end in self.ends.values():
            end.step(ev.OpenLine(self.agreement, tuple(k.card() for k in keys)), self.now)
        self.settle(*NAMES)

    def settle(self, *talking: str) -> int:
        """Carry everything between these members until nothing more is said; what is meant for others is lost."""
        carried = 0
        for _ in range(200):
            moved = False
            for name in talking:
                end = self.ends[name]
                out, end.out = end.out, []
                for send in out:
                    if send.to in talking:
                        event = ev.Arrived(self.ch, name, end.frames(send), send.sidecars)
                        self.ends[send.to].step(event, self.now)
                        moved, carried = True, carried + 1
            if not moved:
                return carried
        raise AssertionError("the three never came to rest")

    def later(self, ms: int) -> None:
        self.now = Now(self.now.t_ms + ms, self.now.mono_ms + ms)

    def fork(self) -> None:
        """AMBER signs two different entries for its next place and shows one to each."""
        for to, until in (("BLUE", 1), ("GREEN", 2)):
            self.show(to, self.beside(until))

    def beside(self, until: int) -> tuple[bytes, bytes]:
        """An entry for AMBER's next place that it does not keep."""
        amber = self.ends["AMBER"]
        word = NilReturn(self.now.t_ms + until)
        said, sig = entries.state("AMBER/watch-1", self.ch, self.now.t_ms, word, amber.keys.post("watch-1"))
        body = entries.pack_body(said, sig, bytes([until]) * 16)
        header = amber.node.lines[self.ch].channel.header("nil", "AMBER/watch-1", self.now.t_ms, body)
        entry = entries.seal(header, body, amber.keys.node)
        return entry.envelope, entry.body

    def show(self, to: str, frame: tuple[bytes, bytes]) -> None:
        self.ends[to].step(ev.Arrived(self.ch, "AMBER", (frame,), ()), self.now)


def test_what_one_says_everybody_hears_and_all_boards_agree() -> None:
    trio = Trio()
    trio.ends["AMBER"].step(ev.RaiseAlert(trio.ch, "AMBER/watch-1"), trio.now)
    trio.settle(*NAMES)
    (thread,) = trio.ends["GREEN"].node.lines[trio.ch].board
    trio.ends["GREEN"].step(ev.Acknowledge(trio.ch, "GREEN/watch-1", thread.ref), trio.now)
    trio.settle(*NAMES)
    boards = set()
    for end in trio.ends.values():
        threads = shared(end.node.lines[trio.ch].board, NAMES, trio.now.t_ms)
        for one in threads:
            del one["standing"]
            for version in one["versions"]:
                for member, rungs in version["ladder"].items():
                    # Receipts go to the author; the others' ladders hold what was said in entries.
                    version["ladder"][member] = [r for r in rungs if r["step"] not in ("DELIVERED", "SEEN")]
        boards.add(canonical.encode(threads))
    assert len(boards) == 1


def test_an_answer_that_overtakes_what_it_answers_waits_for_it() -> None:
    trio = Trio()
    amber, blue, green = (trio.ends[n] for n in NAMES)
    amber.step(ev.RaiseAlert(trio.ch, "AMBER/watch-1"), trio.now)
    late = [s for s in amber.out if s.to == "GREEN"]
    amber.out = [s for s in amber.out if s.to == "BLUE"]
    trio.settle("AMBER", "BLUE")
    (thread,) = blue.node.lines[trio.ch].board
    blue.step(ev.Acknowledge(trio.ch, "BLUE/watch-1", thread.ref), trio.now)
    trio.settle("BLUE", "GREEN")
    assert not [f for f in green.tells(FaultSeen) if f.fault == "NOT_UNDERSTOOD"]  # type: ignore[attr-defined]
    for send in late:
        green.step(ev.Arrived(trio.ch, "AMBER", amber.frames(send), send.sidecars), trio.now)
    (heard,) = green.node.lines[trio.ch].board
    assert heard.has(heard.newest.entry, "BLUE", "ACKNOWLEDGED")


def suspend(trio: Trio) -> tuple[str, list[Send]]:
    """AMBER saw what it calls unannounced traffic, and BLUE suspended a notice of its own because of it: the reference
    of the notice, and what GREEN did not get of AMBER."""
    amber, blue = trio.ends["AMBER"], trio.ends["BLUE"]
    form = ShortForm("+999 555 0110", 2_000_000, Altitude.surface(), Altitude.unlimited())
    until_ms = trio.now.t_ms + 30 * 60_000
    seen, given = (
        accident(Hazard.UNCREWED_AIRCRAFT, Point.at(36.2, 37.15), until_ms, form, now_ms=trio.now.t_ms, type_=type_)
        for type_ in (NoticeType.UNANNOUNCED_TRAFFIC, NoticeType.ACCIDENT)
    )
    amber.step(ev.GiveNotice(trio.ch, "AMBER/watch-1", seen), trio.now)
    late = [s for s in amber.out if s.to == "GREEN" and s.frames]
    amber.out = [s for s in amber.out if s.to == "BLUE"]
    trio.settle("AMBER", "BLUE")
    (sighting,) = blue.node.lines[trio.ch].board
    blue.step(ev.GiveNotice(trio.ch, "BLUE/watch-1", given), trio.now)
    (notice,) = [t for t in blue.node.lines[trio.ch].board if t.author == "BLUE"]
    blue.step(ev.Report(trio.ch, "BLUE/watch-1", notice.ref, "SUSPENDED", 0, sighting.ref), trio.now)
    return notice.ref, late


def reported(trio: Trio, name: str, ref: str) -> list[str]:
    thread = trio.ends[name].node.lines[trio.ch].board.find(ref)
    assert thread is not None
    return [state for state, _, _ in thread.activity.reports]


@pytest.mark.parametrize("later", [["STARTED"], ["FINISHED"], ["STARTED", "FINISHED"]])
def test_what_waited_takes_its_place_before_what_its_author_said_of_it_later(later: list[str]) -> None:
    """Seeds 51171 and 56125, promise `agreed`: a suspension waited for the sighting that it names, and what its author
    reported next stood before it from then on, or left no room for it: its author was blamed."""
    trio = Trio()
    green = trio.ends["GREEN"]
    ref, late = suspend(trio)
    for state in later:
        trio.ends["BLUE"].step(ev.Report(trio.ch, "BLUE/watch-1", ref, state), trio.now)
    trio.settle("BLUE", "GREEN")
    assert reported(trio, "GREEN", ref) == later
    for send in late:
        green.step(ev.Arrived(trio.ch, "AMBER", trio.ends["AMBER"].frames(send), send.sidecars), trio.now)
    assert reported(trio, "BLUE", ref) == reported(trio, "GREEN", ref) == ["SUSPENDED", *later]
    told = [t.facts["state"] for t in green.told if isinstance(t, Heard) and t.kind == "report"]
    assert told == [*later, "SUSPENDED"], "each is told once, when it could be judged"
    assert not [f for f in green.told if isinstance(f, FaultSeen) and f.fault == "NOT_UNDERSTOOD"]
    green.restart(trio.now)
    assert reported(trio, "GREEN", ref) == ["SUSPENDED", *later]


def test_what_waited_of_our_own_takes_its_place_before_what_we_said_later() -> None:
    """BLUE's record was put back to before the sighting; GREEN hands BLUE's own suspension back, and AMBER is late."""
    trio = Trio()
    amber, blue = trio.ends["AMBER"], trio.ends["BLUE"]
    ref, late = suspend(trio)
    trio.settle("BLUE", "GREEN")
    old = MemoryStore()
    for record in blue.store.load():
        if isinstance(record, EntryRecord) and (record.author, record.type) == ("AMBER", "notice"):
            break
        old.append([record], old.head)
    blue.store = old
    blue.store.append([SettingRecord(setting_key(trio.ch), b"BLUE/supervisor")], blue.store.head)
    blue.restart(trio.now)
    blue.step(ev.Tick(), trio.now)
    trio.settle("BLUE", "GREEN")
    assert reported(trio, "BLUE", ref) == []
    blue.step(ev.Resume(trio.ch, "BLUE/supervisor"), trio.now)
    blue.step(ev.Report(trio.ch, "BLUE/watch-1", ref, "STARTED"), trio.now)
    trio.settle("BLUE", "GREEN")
    for send in late:
        for end in (blue, trio.ends["GREEN"]):
            end.step(ev.Arrived(trio.ch, "AMBER", amber.frames(send), send.sidecars), trio.now)
    assert reported(trio, "BLUE", ref) == reported(trio, "GREEN", ref) == ["SUSPENDED", "STARTED"]
    blue.restart(trio.now)
    assert reported(trio, "BLUE", ref) == ["SUSPENDED", "STARTED"]


def test_what_waited_was_shown_too_when_something_later_of_its_author_was() -> None:
    """Seed 54167, promise `agreed`: receipts say how far one was shown, so BLUE reads GREEN's as of the question as
    well; GREEN, where the question waited for the notice that it is about, did not say so of itself."""
    trio = Trio()
    amber, blue, green = (trio.ends[name] for name in NAMES)
    form = ShortForm("+999 555 0110", 2_000_000, Altitude.surface(), Altitude.unlimited())
    until_ms = trio.now.t_ms + 30 * 60_000
    given = accident(Hazard.UNCREWED_AIRCRAFT, Point.at(36.2, 37.15), until_ms, form, now_ms=trio.now.t_ms)
    amber.step(ev.GiveNotice(trio.ch, "AMBER/watch-1", given), trio.now)
    late = [s for s in amber.out if s.to == "GREEN" and s.frames]
    amber.out = [s for s in amber.out if s.to == "BLUE"]
    trio.settle("AMBER", "BLUE")
    (notice,) = blue.node.lines[trio.ch].board
    blue.step(ev.AskAbout(trio.ch, "BLUE/watch-1", notice.ref, (Question.DURATION,)), trio.now)
    blue.step(ev.GiveNotice(trio.ch, "BLUE/watch-1", given), trio.now)
    trio.settle("BLUE", "GREEN")
    trio.later(1_000)
    green.step(ev.Showed(trio.ch, "BLUE", blue.node.lines[trio.ch].channel.own.seq), trio.now)
    trio.settle("BLUE", "GREEN")
    shown = trio.now.t_ms
    trio.later(1_000)
    for send in late:
        green.step(ev.Arrived(trio.ch, "AMBER", amber.frames(send), send.sidecars), trio.now)
    for _ in range(2):
        for end in (blue, green):
            (asked,) = end.node.lines[trio.ch].board.hotline.talks
            assert asked.receipts["GREEN", "shown"][0] == shown
        green.restart(trio.now)


def test_a_fork_shown_to_two_is_found_within_one_line_check_and_its_proof_verifies() -> None:
    trio = Trio()
    trio.fork()
    for name in ("BLUE", "GREEN"):
        trio.ends[name].out.clear()
        assert not trio.ends[name].store.sidecars(trio.ch, "equivocation"), "neither can know yet"
    trio.later(45_000)
    trio.ends["BLUE"].step(ev.CheckLines(), trio.now)
    trio.settle("BLUE", "GREEN")
    for name in ("BLUE", "GREEN"):
        end = trio.ends[name]
        (proof,) = end.store.sidecars(trio.ch, "equivocation")
        assert proof.author == "AMBER"
        told = [f for f in end.tells(FaultSeen) if f.fault == "Equivocation"]  # type: ignore[attr-defined]
        assert [(f.whose, f.peer) for f in told] == [("theirs", "AMBER")]
        kept = evidence.collect(end.store.load(), trio.ch)
        bundle = evidence.make(
            kept, party=name, node=end.keys.node, t_ms=trio.now.t_ms, selection=whole_channel()
        )  # fmt: skip
        verdict = evidence.verdict(bundle)
        assert verdict["verdict"] == "integrity only"
        assert verdict["marks"] == ["EQUIVOCATION of AMBER at entry 2"]


def test_whoever_was_caught_once_is_proven_a_liar_to_others_at_the_next_place_too() -> None:
    """Seed 58081, promise `convicted`: BLUE knew of a fork at a place where GREEN holds the same half, and so did not
    give GREEN its half of the next one, where they differ."""
    trio = Trio()
    amber, blue, green = (trio.ends[name] for name in NAMES)

    def nil(minutes: int) -> None:
        amber.step(ev.SayNil(trio.ch, "AMBER/watch-1", trio.now.t_ms + minutes * 60_000), trio.now)

    first = trio.beside(1)
    nil(10)
    trio.settle(*NAMES)
    trio.show("BLUE", first)
    assert blue.store.sidecars(trio.ch, "equivocation")
    trio.show("BLUE", trio.beside(2))
    nil(20)
    nil(30)
    trio.settle("AMBER", "GREEN")
    blue.out.clear()
    assert not green.store.sidecars(trio.ch, "equivocation"), "GREEN cannot know yet"
    trio.later(45_000)
    green.step(ev.CheckLines(), trio.now)
    trio.settle("BLUE", "GREEN")
    assert [proof.author for proof in green.store.sidecars(trio.ch, "equivocation")] == ["AMBER"]
    assert len(blue.store.sidecars(trio.ch, "equivocation")) == 2
